import type { Instant, Register } from '#kernel';
import { isUsage } from '#purpose';
import type { HoldScope, LegalHoldEvent } from './legal-hold.events.js';

export interface LegalHold {
  readonly holdId: string;
  readonly scope: HoldScope;
  readonly basis: string;
  readonly from: Instant;
  readonly to?: Instant;
}

/** Legal holds by id, with their past. */
export type LegalHoldRegisterState = ReadonlyMap<string, LegalHold>;

/** A hold stands from the moment it is placed: what waits for an approval must not be gone by then. */
export const legalHoldRegister: Register<LegalHoldEvent, LegalHoldRegisterState> = {
  name: 'legal-holds',
  streamPrefix: 'hold-',
  initialState: new Map(),
  folds: {
    LegalHoldPlaced: true,
    LegalHoldApproved: true,
    LegalHoldReviewDue: true,
    LegalHoldReviewed: true,
    LegalHoldLifted: true,
  },
  evolve(state, event) {
    const { holdId } = event.data;
    switch (event.type) {
      case 'LegalHoldPlaced': {
        const { scope, basis } = event.data;
        return new Map(state).set(holdId, { holdId, scope, basis, from: event.recordedAt });
      }
      case 'LegalHoldLifted': {
        const hold = state.get(holdId);
        return hold ? new Map(state).set(holdId, { ...hold, to: event.recordedAt }) : state;
      }
      case 'LegalHoldApproved':
      case 'LegalHoldReviewDue':
      case 'LegalHoldReviewed':
        return state;
    }
  },
};

/** What a hold is asked about. */
export interface Holdable {
  readonly subjectId: string;
  readonly category: string;
  /** Every purpose it was ever held for. */
  readonly purposes: readonly string[];
}

/** The holds in force at a time that cover this, the oldest first. */
export function legalHoldsAsOf(state: LegalHoldRegisterState, about: Holdable, at: Instant): readonly LegalHold[] {
  return [...state.values()].filter(
    ({ from, to, scope }) => from <= at && (to === undefined || at < to) && covers(scope, about),
  );
}

/** Whether a category in a scope means this one: usage is kept by month, with all its parts in one. */
export const coversCategory = (named: string, category: string): boolean =>
  named === category || (isUsage(named) && isUsage(category));

function covers({ subjectIds, categories, purposes }: HoldScope, about: Holdable): boolean {
  return (
    (subjectIds === undefined || subjectIds.includes(about.subjectId)) &&
    (categories === undefined || categories.some((each) => coversCategory(each, about.category))) &&
    (purposes === undefined || purposes.some((each) => about.purposes.includes(each)))
  );
}

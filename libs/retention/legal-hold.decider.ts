import { addPeriodToInstant } from '#calendar';
import {
  accept,
  canonicalJson,
  parseInstant,
  refuse,
  unchanged,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import type { LegalHoldDomainCommand, PlaceLegalHold } from './legal-hold.commands.js';
import type { HoldScope, LegalHoldEvent, LegalHoldPlaced } from './legal-hold.events.js';

/** The longest a hold may stand without being looked at. */
export const LONGEST_REVIEW = 'P6M';
/** How long a hold stands on the word of one person. */
export const APPROVAL_PERIOD = 'P14D';

export const holdStream = (holdId: string): string => `hold-${holdId}`;

export interface LegalHoldState {
  readonly placed?: LegalHoldPlaced['data'];
  readonly approved: boolean;
  readonly lifted: boolean;
  readonly reviewAt?: string;
  /** The review date for which a review was raised last. */
  readonly raisedFor?: string;
}

type HoldOutcome = Outcome<LegalHoldEvent>;

export const legalHoldDecider: Decider<LegalHoldDomainCommand, LegalHoldEvent, LegalHoldState, Facts> = {
  initialState: { approved: false, lifted: false },
  folds: {
    LegalHoldPlaced: true,
    LegalHoldApproved: true,
    LegalHoldReviewDue: true,
    LegalHoldReviewed: true,
    LegalHoldLifted: true,
  },
  evolve(state, event) {
    switch (event.type) {
      case 'LegalHoldPlaced':
        return { ...state, placed: event.data, reviewAt: event.data.reviewAt };
      case 'LegalHoldApproved':
        return { ...state, approved: true };
      case 'LegalHoldReviewDue':
        return { ...state, raisedFor: event.data.reviewAt };
      case 'LegalHoldReviewed':
        return { ...state, reviewAt: event.data.reviewAt };
      case 'LegalHoldLifted':
        return { ...state, lifted: true };
    }
  },
  decide(command, state, facts) {
    const { holdId } = command;
    if (command.type === 'PlaceLegalHold') return place(command, state, facts);
    if (!state.placed) return refuse('REGISTER_ENTRY_UNKNOWN', { holdId });
    if (command.type === 'LiftLegalHold')
      return state.lifted
        ? unchanged
        : accept<LegalHoldEvent>({ type: 'LegalHoldLifted', data: { holdId, reason: command.reason } });
    if (state.lifted) {
      const byTimer = command.type === 'RaiseHoldReview' || command.type === 'LapseLegalHold';
      return byTimer ? unchanged : refuse('REGISTER_ENTRY_UNKNOWN', { holdId, reason: 'lifted' });
    }
    switch (command.type) {
      case 'ApproveLegalHold':
        if (state.approved) return unchanged;
        return facts.actor.id === state.placed.placedBy
          ? refuse('FOUR_EYES_REQUIRED', { holdId })
          : accept<LegalHoldEvent>({ type: 'LegalHoldApproved', data: { holdId, approvedBy: facts.actor.id } });
      case 'LapseLegalHold':
        return !state.approved && state.placed.approveBy <= facts.now
          ? accept<LegalHoldEvent>({ type: 'LegalHoldLifted', data: { holdId, reason: 'notApproved' } })
          : unchanged;
      case 'RaiseHoldReview': {
        const { reviewAt } = command;
        const overtaken = state.reviewAt !== reviewAt || state.raisedFor === reviewAt || reviewAt > facts.now;
        return overtaken
          ? unchanged
          : accept<LegalHoldEvent>({ type: 'LegalHoldReviewDue', data: { holdId, reviewAt } });
      }
      case 'ReviewLegalHold': {
        const reviewAt = reviewDate(command.reviewAt, facts);
        if (typeof reviewAt !== 'string') return reviewAt;
        if (reviewAt === state.reviewAt) return unchanged;
        return accept<LegalHoldEvent>({
          type: 'LegalHoldReviewed',
          data: { holdId, reviewedBy: facts.actor.id, reviewAt },
        });
      }
    }
  },
};

function place(command: PlaceLegalHold, state: LegalHoldState, facts: Facts): HoldOutcome {
  const { holdId, matterRef, basis } = command;
  const scope = scopeOf(command.scope);
  if (state.placed)
    return canonicalJson([state.placed.scope, state.placed.matterRef, state.placed.basis]) ===
      canonicalJson([scope, matterRef, basis])
      ? unchanged
      : refuse('REGISTER_ENTRY_EXISTS', { holdId });
  const reviewAt = reviewDate(command.reviewAt, facts);
  if (typeof reviewAt !== 'string') return reviewAt;
  return accept({
    type: 'LegalHoldPlaced',
    data: {
      holdId,
      scope,
      matterRef,
      basis,
      placedBy: facts.actor.id,
      reviewAt,
      approveBy: addPeriodToInstant(facts.now, APPROVAL_PERIOD),
    },
  });
}

/** A plain copy without what was left out. */
const scopeOf = ({ subjectIds, categories, purposes }: HoldScope): HoldScope => ({
  ...(subjectIds && { subjectIds: [...subjectIds].sort() }),
  ...(categories && { categories: [...categories].sort() }),
  ...(purposes && { purposes: [...purposes].sort() }),
});

/** Data is held no longer than to the next look at the hold, which nobody may put off for more than six months. */
function reviewDate(asked: string | undefined, facts: Facts): Instant | Outcome<never> {
  const latest = addPeriodToInstant(facts.now, LONGEST_REVIEW);
  const reviewAt = asked === undefined ? latest : parseInstant(asked);
  return reviewAt === undefined || reviewAt > latest || reviewAt <= facts.now
    ? refuse('RETENTION_EXTENSION_FORBIDDEN', { field: 'reviewAt', latest })
    : reviewAt;
}

import type { Facts } from '#kernel';
import type { DeferralCause, ProcessingRestricted, RestrictionLifted } from '#subject';
import { coversCategory, legalHoldsAsOf, type LegalHoldRegisterState } from './legal-hold.register.js';
import type { DeferralClosed, DeferralOpened } from './retention.events.js';

/** Why something must not be erased yet. */
export interface BlockingCause {
  readonly reason: DeferralCause;
  /** The hold or the deferral; `restriction`. */
  readonly ref: string;
  readonly law: string;
}

/** What each cause rests on. */
export const LAW_OF: Readonly<Record<DeferralCause, string>> = {
  legalHold: 'UK GDPR Art 17(3)(b), (e)',
  restriction: 'UK GDPR Art 18(1)(b), (c)',
  openAccessRequest: 'UK GDPR Art 15; DPA 2018 s.173',
  openComplaint: 'UK GDPR Art 17(3)(e); DPA 2018 s.164A',
  openIncident: 'UK GDPR Art 17(3)(e), 33(5)',
};

/** Grounds of a restriction that ask for the data to be kept; the others only forbid its use. */
export const KEEPING: readonly string[] = ['18(1)(b)', '18(1)(c)'];

/** What a person's own stream says of causes to keep data. */
export interface Keeping {
  /** Ground of the restriction in force. */
  readonly restrictedOn?: string;
  /** Open ones, by id. */
  readonly deferrals: ReadonlyMap<string, DeferralOpened['data']>;
}

export type KeepingEvent = ProcessingRestricted | RestrictionLifted | DeferralOpened | DeferralClosed;

/** The events that {@link evolveKeeping} folds. */
export const KEEPING_FOLDS: { readonly [type in KeepingEvent['type']]: true } = {
  ProcessingRestricted: true,
  RestrictionLifted: true,
  DeferralOpened: true,
  DeferralClosed: true,
};

export const nothingKept: Keeping = { deferrals: new Map() };

export function evolveKeeping(keeping: Keeping, event: KeepingEvent): Keeping {
  switch (event.type) {
    case 'ProcessingRestricted':
      return { ...keeping, restrictedOn: event.data.ground };
    case 'RestrictionLifted':
      return { deferrals: keeping.deferrals };
    case 'DeferralOpened':
      return { ...keeping, deferrals: new Map(keeping.deferrals).set(event.data.deferralId, event.data) };
    case 'DeferralClosed': {
      const deferrals = new Map(keeping.deferrals);
      deferrals.delete(event.data.deferralId);
      return { ...keeping, deferrals };
    }
  }
}

/** What a cause is asked about. */
export interface Kept {
  readonly category: string;
  /** Every purpose it was ever held for. */
  readonly purposes: readonly string[];
  /** Absent for what is no item: usage, and what the person reported. */
  readonly itemId?: string;
}

/**
 * What keeps something from being erased now (I-16d); `undefined` when nothing does. Every path to the destruction of a
 * key asks here.
 */
export function causeKeeping(
  about: Kept,
  keeping: Keeping,
  subjectId: string,
  facts: Pick<Facts, 'now'> & { readonly legalHolds: LegalHoldRegisterState },
): BlockingCause | undefined {
  const because = (reason: DeferralCause, ref: string): BlockingCause => ({ reason, ref, law: LAW_OF[reason] });
  const { category, purposes, itemId } = about;
  const [hold] = legalHoldsAsOf(facts.legalHolds, { subjectId, category, purposes }, facts.now);
  if (hold) return because('legalHold', hold.holdId);
  if (keeping.restrictedOn !== undefined && KEEPING.includes(keeping.restrictedOn))
    return because('restriction', 'restriction');
  for (const { deferralId, cause, itemIds, categories } of keeping.deferrals.values())
    if (
      (itemIds === undefined || (itemId !== undefined && itemIds.includes(itemId))) &&
      (categories?.some((each) => coversCategory(each, category)) ?? true)
    )
      return because(cause, deferralId);
  return undefined;
}

/** What keeps an item. */
export const blockingCause = (
  { itemId, category, holds }: Omit<Kept, 'purposes'> & { readonly holds: readonly { readonly purposeId: string }[] },
  keeping: Keeping,
  subjectId: string,
  facts: Parameters<typeof causeKeeping>[3],
): BlockingCause | undefined =>
  causeKeeping(
    { ...(itemId !== undefined && { itemId }), category, purposes: holds.map(({ purposeId }) => purposeId) },
    keeping,
    subjectId,
    facts,
  );

import type { Facts } from '#kernel';
import type { DeferralCause } from '#subject';
import { legalHoldsAsOf, type LegalHoldRegisterState } from './legal-hold.register.js';
import type { KeptItem, RetentionState } from './retention.state.js';

/** Why an item must not be erased yet. */
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
const KEEPING: readonly string[] = ['18(1)(b)', '18(1)(c)'];

/**
 * What keeps an item from being erased now (I-16d); `undefined` when nothing does. Every path to the destruction of a
 * key asks here.
 */
export function blockingCause(
  item: KeptItem,
  state: RetentionState,
  subjectId: string,
  facts: Pick<Facts, 'now'> & { readonly legalHolds: LegalHoldRegisterState },
): BlockingCause | undefined {
  const because = (reason: DeferralCause, ref: string): BlockingCause => ({ reason, ref, law: LAW_OF[reason] });
  const about = {
    subjectId,
    category: item.category,
    purposes: item.holds.map(({ purposeId }) => purposeId),
  };
  const [hold] = legalHoldsAsOf(facts.legalHolds, about, facts.now);
  if (hold) return because('legalHold', hold.holdId);
  if (state.restrictedOn !== undefined && KEEPING.includes(state.restrictedOn))
    return because('restriction', 'restriction');
  for (const { deferralId, cause, itemIds, categories } of state.deferrals.values())
    if ((itemIds?.includes(item.itemId) ?? true) && (categories?.includes(item.category) ?? true))
      return because(cause, deferralId);
  return undefined;
}

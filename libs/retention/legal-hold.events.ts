/** What is decided about legal holds. Stands in `hold-<id>`. */
export type LegalHoldEvent =
  LegalHoldPlaced | LegalHoldApproved | LegalHoldReviewDue | LegalHoldReviewed | LegalHoldLifted;

/** What a hold covers: data about these people, of these categories, held for these purposes. Absent means any. */
export interface HoldScope {
  readonly subjectIds?: readonly string[];
  readonly categories?: readonly string[];
  readonly purposes?: readonly string[];
}

/** Why data is held (UK GDPR Art 17(3)(b), (e); DPA 2018 Sch 2 para 5). */
export const HOLD_BASES = ['legalClaims', 'courtOrder', 'statutoryDuty', 'regulatoryInvestigation'] as const;
export type HoldBasis = (typeof HOLD_BASES)[number];

/** Nothing in its scope is erased from now on; it lapses unless a second person approves it. Use ends all the same. */
export interface LegalHoldPlaced {
  readonly type: 'LegalHoldPlaced';
  readonly data: {
    readonly holdId: string;
    readonly scope: HoldScope;
    readonly matterRef: string;
    readonly basis: HoldBasis;
    readonly placedBy: string;
    readonly reviewAt: string;
    /** Until when a second person has to have approved it. */
    readonly approveBy: string;
  };
}

export interface LegalHoldApproved {
  readonly type: 'LegalHoldApproved';
  readonly data: { readonly holdId: string; readonly approvedBy: string };
}

/** Somebody has to say whether the hold is still needed; raised once for each review date. */
export interface LegalHoldReviewDue {
  readonly type: 'LegalHoldReviewDue';
  readonly data: { readonly holdId: string; readonly reviewAt: string };
}

/** The hold is still needed, and is looked at again then. */
export interface LegalHoldReviewed {
  readonly type: 'LegalHoldReviewed';
  readonly data: { readonly holdId: string; readonly reviewedBy: string; readonly reviewAt: string };
}

/** The hold is over; what it deferred is erased at once. */
export interface LegalHoldLifted {
  readonly type: 'LegalHoldLifted';
  readonly data: { readonly holdId: string; readonly reason: 'matterClosed' | 'scopeExcluded' | 'notApproved' };
}

import type { DeferralCause } from '#subject';

/**
 * What starts, fixes and defers retention periods, and the end of an erasure. The steps that every rule about a person
 * has to know (purpose ended, expiry, deferral, erasure) are events of the holdings (`#subject`).
 */
export type RetentionEvent =
  | RelationshipClosed
  | ServiceRequestClosed
  | AccountingPeriodEnded
  | RetentionScheduled
  | DeferralOpened
  | DeferralClosed
  | DataAnonymised
  | ErasureFinalised;

/** The relationship with the person ended; confidentiality does not (I-02c). */
export interface RelationshipClosed {
  readonly type: 'RelationshipClosed';
  readonly data: { readonly subjectId: string; readonly reasonCode: string };
}

/** A service the person asked for, such as a support ticket, was closed. */
export interface ServiceRequestClosed {
  readonly type: 'ServiceRequestClosed';
  readonly data: { readonly subjectId: string; readonly serviceRequestRef: string };
}

/** The accounting period that the person's invoices belong to ended. */
export interface AccountingPeriodEnded {
  readonly type: 'AccountingPeriodEnded';
  readonly data: { readonly subjectId: string };
}

/** A trigger fixed the date until which these item versions may be kept (C16). */
export interface RetentionScheduled {
  readonly type: 'RetentionScheduled';
  readonly data: {
    readonly subjectId: string;
    readonly items: readonly {
      readonly itemId: string;
      readonly version: number;
      /** Until when the purpose holds it. */
      readonly due: string;
      /** The purpose whose period runs; the only one that holds the item when absent. */
      readonly purposeId?: string;
      /** Until when the item is kept with all that hold it: `null` without an end yet, as `due` when absent. */
      readonly itemDue?: string | null;
    }[];
  };
}

/** An open case about the person keeps data from being erased until it is closed (I-16d, I-20f). */
export interface DeferralOpened {
  readonly type: 'DeferralOpened';
  readonly data: {
    readonly subjectId: string;
    readonly deferralId: string;
    readonly cause: Exclude<DeferralCause, 'legalHold' | 'restriction'>;
    /** What is open: the id of the request, the complaint or the incident. */
    readonly caseRef: string;
    /** Everything about the person when both are absent. */
    readonly itemIds?: readonly string[];
    readonly categories?: readonly string[];
  };
}

/** The case is closed; what it deferred is erased at once. */
export interface DeferralClosed {
  readonly type: 'DeferralClosed';
  readonly data: { readonly subjectId: string; readonly deferralId: string };
}

/** The last backup that could hold a key of the erasure is gone; no key of it exists (C16). */
export interface ErasureFinalised {
  readonly type: 'ErasureFinalised';
  readonly data: {
    readonly subjectId: string;
    readonly erasureId: string;
    /** Who looked for keys and found none. */
    readonly verifiedBy: string;
  };
}

/**
 * Values were destroyed under a rule that keeps a count of them: what was one person's is now one of a number (C16).
 * Recorded with the erasure. The number of people in a category and year is given out in whole tens.
 */
export interface DataAnonymised {
  readonly type: 'DataAnonymised';
  readonly data: {
    readonly subjectId: string;
    readonly erasureId?: string;
    /** The categories and years of collection in which this person was not counted before. */
    readonly counted: readonly { readonly category: string; readonly year: number }[];
  };
}

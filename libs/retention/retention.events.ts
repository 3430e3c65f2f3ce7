/** What starts and fixes retention periods. Expiry and erasure themselves are events of the holdings (`#subject`). */
export type RetentionEvent = RelationshipClosed | ServiceRequestClosed | AccountingPeriodEnded | RetentionScheduled;

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
    readonly items: readonly { readonly itemId: string; readonly version: number; readonly due: string }[];
  };
}

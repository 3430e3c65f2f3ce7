/** What the use gate decided about a person's data, and the objections it listens to. */
export type UseEvent = UseAuthorised | MarketingObjectionReceived;

/** A use was allowed: short-lived, for one purpose (C05, C17). */
export interface UseAuthorised {
  readonly type: 'UseAuthorised';
  readonly data: {
    readonly subjectId: string;
    readonly useId: string;
    readonly purposeId: string;
    readonly purposeVersion: number;
    readonly commercial: boolean;
    readonly channel?: string;
    readonly items: readonly { readonly itemId: string; readonly version: number; readonly category: string }[];
    readonly basis: string;
    /** The consent the use rests on, where it rests on one. */
    readonly basisRef?: string;
    readonly expiresAt: string;
  };
}

/** The person objected to direct marketing: absolute, at once, without a reason (UK GDPR Art 21(2)-(3)). */
export interface MarketingObjectionReceived {
  readonly type: 'MarketingObjectionReceived';
  readonly data: { readonly subjectId: string; readonly objectionId: string };
}

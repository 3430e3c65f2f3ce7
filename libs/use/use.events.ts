/** What the use gate decided about a person's data, what it has to know, and the objections it listens to. */
export type UseEvent =
  | UseAuthorised
  | UseReported
  | MarketingObjectionReceived
  | MarketingObjectionWithdrawn
  | SoftOptInRecorded
  | PreferenceScreened;

/** A use was allowed: short-lived, for one purpose (C05, C17). */
export interface UseAuthorised {
  readonly type: 'UseAuthorised';
  readonly data: {
    readonly subjectId: string;
    /** The id of this event. */
    readonly useId: string;
    readonly purposeId: string;
    readonly purposeVersion: number;
    readonly commercial: boolean;
    readonly channel?: string;
    /** The one campaign it is for, where there is one. */
    readonly campaignRef?: string;
    readonly items: readonly { readonly itemId: string; readonly version: number; readonly category: string }[];
    readonly basis: string;
    /** The consent, or the assessment of the interest (`id@version`), that the use rests on. */
    readonly basisRef?: string;
    /** Items whose accuracy is in doubt or was not checked in time: a service goes on with a warning (I-14b). */
    readonly warnings?: readonly UseWarning[];
    readonly expiresAt: string;
  };
}

export interface UseWarning {
  readonly code: 'ITEM_DISPUTED' | 'ACCURACY_CHECK_OVERDUE';
  readonly itemIds: readonly string[];
}

/** Why a use that was reported should not have happened. */
export const USE_FINDINGS = [
  'afterWithdrawal',
  'afterObjection',
  'afterRestriction',
  'afterErasure',
  'afterExpiry',
  'basisGone',
  'otherCampaign',
] as const;
export type UseFinding = (typeof USE_FINDINGS)[number];

/** A use that was allowed was made, or was not; `finding` says that it came too late (C05). */
export interface UseReported {
  readonly type: 'UseReported';
  readonly data: {
    readonly subjectId: string;
    readonly useId: string;
    readonly purposeId: string;
    readonly commercial: boolean;
    readonly outcome: 'done' | 'failed' | 'notDone';
    readonly campaignRef?: string;
    readonly finding?: UseFinding;
    /** The incident that is to be opened where there is a finding. */
    readonly incidentId?: string;
  };
}

/** The person objected to direct marketing: absolute, at once, without a reason (UK GDPR Art 21(2)-(3)). */
export interface MarketingObjectionReceived {
  readonly type: 'MarketingObjectionReceived';
  readonly data: {
    readonly subjectId: string;
    readonly objectionId: string;
    /** How many of the person's addresses are suppressed under the objection, whoever they stand with. */
    readonly addresses?: number;
  };
}

/** The person, and nobody else, took the objection back. The addresses stay suppressed until that is lifted. */
export interface MarketingObjectionWithdrawn {
  readonly type: 'MarketingObjectionWithdrawn';
  readonly data: { readonly subjectId: string; readonly objectionId: string };
}

/** How an address was obtained, as far as the soft opt-in asks (PECR reg 22(3)). */
export interface SoftOptInRecorded {
  readonly type: 'SoftOptInRecorded';
  readonly data: {
    readonly subjectId: string;
    readonly itemId: string;
    readonly purposeId: string;
    /** In the course of a sale, or of negotiations for one. */
    readonly obtainedInSale: boolean;
    /** The messages are about similar products and services of our own. */
    readonly ownSimilarProducts: boolean;
    /** A simple, free way to refuse was given when the address was collected. */
    readonly refusalOfferedAtCollection: boolean;
    /** And is given in every message. */
    readonly refusalOfferedInEveryMessage: boolean;
  };
}

/** A number was held against a preference service (PECR reg 21). */
export interface PreferenceScreened {
  readonly type: 'PreferenceScreened';
  readonly data: {
    readonly subjectId: string;
    readonly itemId: string;
    readonly register: 'TPS' | 'CTPS';
    readonly listed: boolean;
  };
}

import type { Instant } from '#kernel';

/** The three lines of the policy (C01), and the two that its other clauses need. */
export const SERVICE_LINES = ['B2B', 'B2C', 'SUPPORT', 'WEBSITE', 'GOVERNANCE'] as const;
export type ServiceLine = (typeof SERVICE_LINES)[number];

/** UK GDPR Art 6(1)(a) to (f), with (ea). One basis per purpose version. */
export const LAWFUL_BASES = [
  'consent',
  'contract',
  'legalObligation',
  'vitalInterests',
  'publicTask',
  'recognisedLegitimateInterest',
  'legitimateInterests',
] as const;
export type LawfulBasis = (typeof LAWFUL_BASES)[number];

/** The conditions of UK GDPR Annex 1 for a recognised legitimate interest. */
export const RLI_CONDITIONS = ['publicTaskRequest', 'nationalSecurity', 'emergency', 'crime', 'safeguarding'] as const;
export type RliCondition = (typeof RLI_CONDITIONS)[number];

/**
 * What starts a retention period. `lastReliedOn`: the last use that was authorised, or disclosure, for the purpose, the
 * end of the consent it rests on, or else the collection.
 */
export const RETENTION_TRIGGERS = [
  'collected',
  'relationshipClosed',
  'serviceRequestClosed',
  'accountingPeriodEnded',
  'lastReliedOn',
] as const;
export type RetentionTrigger = (typeof RETENTION_TRIGGERS)[number];

/** What happens when a retention period has ended; from the one that keeps least to the one that keeps most. */
export const RETENTION_ACTIONS = ['erase', 'anonymise', 'review'] as const;
export type RetentionAction = (typeof RETENTION_ACTIONS)[number];

/** How long a category is kept for the purpose (C16). */
export interface RetentionRule {
  readonly category: string;
  readonly trigger: RetentionTrigger;
  /** ISO 8601 duration, counted from the trigger on the London calendar. */
  readonly period: string;
  readonly action: RetentionAction;
  readonly legalRef: string;
}

/** A category that the purpose may ask for (C04, C12). */
export interface PurposeField {
  readonly category: string;
  readonly necessity: 'required' | 'optional';
  readonly justification: string;
  /** Present when people may write what they like: what is expected of them, and how much. */
  readonly freeText?: { readonly expectation: string; readonly maxLength: number };
  /** Whether it is special category or criminal offence data; always true for such a category's name. */
  readonly special?: boolean;
  /** ISO 8601 duration between accuracy checks; absent when the category is not checked (C14). */
  readonly checkInterval?: string;
}

/** What a version of a purpose says. */
export interface PurposeDefinition {
  readonly title: string;
  /** The purpose as it is explained to people. */
  readonly plainWords: string;
  readonly serviceLine: ServiceLine;
  /** Whether it serves marketing, sales or another commercial end: every use then passes the marketing gate (C17). */
  readonly commercial: boolean;
  readonly basis: LawfulBasis;
  readonly rliCondition?: RliCondition;
  /** Why the processing is necessary for that condition; nothing is balanced (UK GDPR Art 6(1)(ea)). */
  readonly rliNecessity?: string;
  readonly liaRef?: string;
  readonly dpiaRequired: boolean;
  readonly dpiaRef?: string;
  /** The term of the Data Privacy Vocabulary (or of our own) that names this purpose, as IRI or `prefix:Term`. */
  readonly dpvIri: string;
  /** Categories of the people it is about (UK GDPR Art 30(1)(c)), for example `customer`. */
  readonly dataSubjects?: readonly string[];
  readonly fields: readonly PurposeField[];
  /** The condition of UK GDPR Art 9 or 10 that permits the special fields. */
  readonly specialCategoryCondition?: string;
  readonly retention: readonly RetentionRule[];
  readonly recipientKindsAllowed: readonly string[];
  /** When it is meant to take effect; on approval when absent. */
  readonly effectiveFrom?: Instant;
  /** ISO 8601 duration between reviews, counted from the approval; nobody is reminded when absent. */
  readonly reviewPeriod?: string;
}

/** What is decided about a purpose. Stands in `purpose-<id>`. */
export type PurposeEvent =
  | PurposeDefined
  | PurposeApproved
  | PurposeReviewDue
  | PurposeReviewed
  | PurposeSuspended
  | PurposeResumed
  | PurposeRetired;

/** A version was drafted. It cannot be used before another person has approved it. */
export interface PurposeDefined {
  readonly type: 'PurposeDefined';
  readonly data: PurposeDefinition & {
    readonly purposeId: string;
    /** From 1, without gaps. */
    readonly version: number;
    /** Id of the actor who drafted it. */
    readonly author: string;
    /** The draft that this one takes the place of; it can no longer be approved. */
    readonly replaces?: number;
  };
}

/** A second person approved a version. From here on it never changes. */
export interface PurposeApproved {
  readonly type: 'PurposeApproved';
  readonly data: {
    readonly purposeId: string;
    readonly version: number;
    /** Id of the actor who approved it; never the author. */
    readonly approver: string;
    /** When it takes effect. Before the approval only for a purpose's first approved version. */
    readonly effectiveFrom: Instant;
    /** The approved version that ends when this one takes effect. */
    readonly supersedes?: number;
    /** When it is to be reviewed; absent when no review period was defined. */
    readonly reviewBy?: Instant;
  };
}

/** The review of a version is due. The purpose stays in force: whether it is suspended is for people to decide. */
export interface PurposeReviewDue {
  readonly type: 'PurposeReviewDue';
  readonly data: { readonly purposeId: string; readonly version: number; readonly due: Instant };
}

/** Somebody looked at the version and let it stand as it is. */
export interface PurposeReviewed {
  readonly type: 'PurposeReviewed';
  readonly data: {
    readonly purposeId: string;
    readonly version: number;
    /** Id of the actor who reviewed it. */
    readonly reviewer: string;
    /** When it is to be reviewed again. */
    readonly reviewBy: Instant;
  };
}

/** The purpose may not be used for the time being, in any version. */
export interface PurposeSuspended {
  readonly type: 'PurposeSuspended';
  readonly data: { readonly purposeId: string; readonly reasonCode: string };
}

/** The purpose may be used again. */
export interface PurposeResumed {
  readonly type: 'PurposeResumed';
  readonly data: { readonly purposeId: string };
}

/** The purpose was given up for good; its id is not used again. */
export interface PurposeRetired {
  readonly type: 'PurposeRetired';
  readonly data: { readonly purposeId: string };
}

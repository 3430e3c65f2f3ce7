/** What an assessment may find about serving a new purpose with data collected for another (UK GDPR Art 8A). */
export const COMPATIBILITY_VERDICTS = ['compatible', 'needsConsent', 'incompatible'] as const;
/**
 * `compatible`: the data may serve the new purpose, which still needs a lawful basis of its own (Art 5(3)).
 * `needsConsent`: only the data of those who consent to the new purpose may (Art 8A(3)(a)). `incompatible`: none.
 */
export type CompatibilityVerdict = (typeof COMPATIBILITY_VERDICTS)[number];

/** The conditions of UK GDPR Annex 2, in its order. */
export const ANNEX_2_CONDITIONS = [
  'publicTaskDisclosure',
  'archivingDisclosure',
  'publicSecurity',
  'emergencies',
  'crime',
  'vitalInterests',
  'safeguarding',
  'taxation',
  'legalObligations',
] as const;
export type Annex2Condition = (typeof ANNEX_2_CONDITIONS)[number];

/**
 * Why a new purpose is compatible. `assessed`: after weighing link, context, nature, consequences and safeguards
 * (Art 8A(2)). `research`, `archiving`, `statistics`: under the safeguards of Art 84B (Art 8A(3)(b)).
 * `complianceWithPrinciples`: to comply with Art 5(1) or to show it (Art 8A(3)(c)). A condition of Annex 2
 * (Art 8A(3)(d)). `publicInterestObjective`: one of Art 23(1)(c) to (j), authorised by law (Art 8A(3)(e)).
 */
export const COMPATIBILITY_GROUNDS = [
  'assessed',
  'research',
  'archiving',
  'statistics',
  'complianceWithPrinciples',
  ...ANNEX_2_CONDITIONS,
  'publicInterestObjective',
] as const;
export type CompatibilityGround = (typeof COMPATIBILITY_GROUNDS)[number];

/** What is decided about one old and one new purpose. Stands in `compatibility-<old>.<new>`. */
export type CompatibilityEvent = CompatibilityAssessed | CompatibilityApproved | CompatibilityRevoked;

/** What an assessment says. */
export interface CompatibilityAssessment {
  /** The version that the data was collected under; its basis decides how far reuse may go. */
  readonly fromVersion: number;
  /** The version of the new purpose that was looked at; another version needs another assessment. */
  readonly toVersion: number;
  readonly verdict: CompatibilityVerdict;
  /** Present exactly when the verdict is `compatible`. */
  readonly ground?: CompatibilityGround;
  /** Why nobody can reasonably be asked for consent; needed for some grounds where the data rests on consent. */
  readonly consentNotReasonable?: string;
  readonly reasoning: string;
}

/** Somebody assessed the reuse. It counts for nothing before another person has approved it. */
export interface CompatibilityAssessed {
  readonly type: 'CompatibilityAssessed';
  readonly data: CompatibilityAssessment & {
    /** The purpose that the data was collected for. */
    readonly from: string;
    /** The purpose that it shall serve. */
    readonly to: string;
    /** Number of the assessment of these two purposes, from 1, without gaps. */
    readonly assessment: number;
    /** Id of the actor who assessed. */
    readonly author: string;
    /** The draft about the same versions that this one takes the place of; it can no longer be approved. */
    readonly replaces?: number;
  };
}

/** A second person approved the assessment: it holds from when this happened. */
export interface CompatibilityApproved {
  readonly type: 'CompatibilityApproved';
  readonly data: {
    readonly from: string;
    readonly to: string;
    readonly assessment: number;
    /** Id of the actor who approved; never the author. */
    readonly approver: string;
    /** The approved assessment about the same versions that ends with this one. */
    readonly supersedes?: number;
  };
}

/** The assessment, approved or not, holds no more. */
export interface CompatibilityRevoked {
  readonly type: 'CompatibilityRevoked';
  readonly data: {
    readonly from: string;
    readonly to: string;
    readonly assessment: number;
    readonly reasonCode: string;
  };
}

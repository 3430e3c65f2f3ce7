import type { Instant } from '#kernel';

/** Whose interests were weighed: in what capacity a person deals with us. */
export const LIA_SUBJECT_CLASSES = ['individual', 'soleTrader', 'corporateContact'] as const;
export type LiaSubjectClass = (typeof LIA_SUBJECT_CLASSES)[number];

export const LIA_OUTCOMES = ['interestsPrevail', 'subjectPrevails'] as const;
/** Whether the interest pursued prevails over the interests, rights and freedoms of the people concerned. */
export type LiaOutcome = (typeof LIA_OUTCOMES)[number];

/** What an assessment of a legitimate interest says (UK GDPR Art 6(1)(f)): three tests, and what follows. */
export interface LiaContent {
  readonly purposeId: string;
  /** The version of the purpose that was assessed; another one needs another assessment. */
  readonly purposeVersion: number;
  readonly subjectClasses: readonly LiaSubjectClass[];
  /** Which interest is pursued, and whose. */
  readonly purposeTest: string;
  /** Why it cannot reasonably be reached with less. */
  readonly necessityTest: string;
  /** The interest against those of the people concerned, and what they may expect. */
  readonly balance: string;
  /** What is done so that the balance holds. */
  readonly safeguards: readonly string[];
  readonly outcome: LiaOutcome;
  /** ISO 8601 duration from the approval to the review; twelve months at most. */
  readonly reviewPeriod: string;
}

/** What is decided about one assessment of a legitimate interest. Stands in `lia-<id>`. */
export type LiaEvent = LiaDrafted | LiaApproved | LiaRejected | LiaExpired;

/** A version was drafted. Nothing rests on it before another person has approved it. */
export interface LiaDrafted {
  readonly type: 'LiaDrafted';
  readonly data: LiaContent & {
    readonly liaId: string;
    /** From 1, without gaps. */
    readonly version: number;
    readonly author: string;
  };
}

/** Another person approved it, whatever its outcome. It takes the place of the version before. */
export interface LiaApproved {
  readonly type: 'LiaApproved';
  readonly data: {
    readonly liaId: string;
    readonly version: number;
    readonly outcome: LiaOutcome;
    /** Never the author. */
    readonly approver: string;
    /** From this moment on nothing rests on it: it has to be assessed anew. */
    readonly reviewBy: Instant;
    readonly supersedes?: number;
  };
}

/** Another person found the draft wanting. */
export interface LiaRejected {
  readonly type: 'LiaRejected';
  readonly data: {
    readonly liaId: string;
    readonly version: number;
    readonly rejectedBy: string;
    readonly reasonCode: string;
  };
}

/** The review is overdue. Nothing rested on it from `reviewBy` on already. */
export interface LiaExpired {
  readonly type: 'LiaExpired';
  readonly data: { readonly liaId: string; readonly version: number; readonly reviewBy: Instant };
}

import type { CivilDate } from '#kernel';

/**
 * What a recipient holds when the ground it was given on has ended is to be returned or deleted (C19, UK GDPR Art
 * 28(3)(g)). One task for each ending, however many people it concerns. Stands in `recipient-<id>`.
 */
export type ReturnOrDeleteEvent = ReturnOrDeleteOpened | ReturnOrDeleteConfirmed;

export type EndedGround = 'groupExit' | 'agreementEnded';

/** The ground ended, and data had been given on it. */
export interface ReturnOrDeleteOpened {
  readonly type: 'ReturnOrDeleteOpened';
  readonly data: {
    readonly taskId: string;
    readonly recipientId: string;
    readonly reason: EndedGround;
    /** The company number of the membership, or the id of the agreement. */
    readonly reference: string;
    /** First day on which the ground was none. */
    readonly since: CivilDate;
    /** Last day on which it is in time. */
    readonly due: CivilDate;
  };
}

export const RETURN_OUTCOMES = ['returned', 'deleted', 'keptByLaw', 'continued'] as const;
/** `continued`: the recipient may hold it on another ground, which is in force. */
export type ReturnOutcome = (typeof RETURN_OUTCOMES)[number];

/** The recipient has shown what became of the data. */
export interface ReturnOrDeleteConfirmed {
  readonly type: 'ReturnOrDeleteConfirmed';
  readonly data: {
    readonly taskId: string;
    readonly recipientId: string;
    readonly outcome: ReturnOutcome;
    /** Of the proof: a receipt, a certificate, the statute, the new agreement. */
    readonly reference: string;
  };
}

/** What one person's data came to when its holder had returned or deleted it. Stands in the person's stream. */
export interface CopiesEnded {
  readonly type: 'CopiesEnded';
  readonly data: {
    readonly subjectId: string;
    readonly recipientId: string;
    readonly taskId: string;
    readonly outcome: EndOfCopies;
    /** Of the proof. */
    readonly reference: string;
    /** The disclosures whose copies are gone. */
    readonly disclosureIds: readonly string[];
    /** Of a command that took only a part, whose repeat finds it here. */
    readonly part?: string;
  };
}

/** What leaves the recipient without the data. */
export type EndOfCopies = Extract<ReturnOutcome, 'returned' | 'deleted'>;

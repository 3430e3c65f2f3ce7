import type { Protected } from '#kernel';

/** What becomes of a change that the person reported (C18, C21). Stands in the person's stream. */
export type RectificationEvent =
  | SubjectReportedChange
  | RectificationRequested
  | RectificationAnswered
  | RectificationCompleted
  | RectificationOverdue
  | ReportedValuesErased;

/** The person told of a change, over whatever channel; no form, fee or reason was asked for (I-18a). */
export interface SubjectReportedChange {
  readonly type: 'SubjectReportedChange';
  readonly data: {
    readonly subjectId: string;
    /** The case that it opened. */
    readonly requestId: string;
    readonly channel: string;
    readonly changes: readonly ReportedChange[];
  };
}

export interface ReportedChange {
  readonly category: string;
  /** The item the person meant, where they meant one. */
  readonly itemId?: string;
  /** Present with the value. */
  readonly keyId?: string;
  /** What is right, where the person said so. Kept no longer than the case and its disputes. */
  readonly value?: Protected<string>;
}

/** A case of rectification is open and its clock runs (UK GDPR Art 12(3), 16). */
export interface RectificationRequested {
  readonly type: 'RectificationRequested';
  readonly data: {
    readonly subjectId: string;
    readonly requestId: string;
    readonly channel: string;
    /** When the person's word arrived: the clock runs from here, whenever it was recorded. */
    readonly receivedAt: string;
    /** The items in question, each with the version that was held then. */
    readonly items: readonly { readonly itemId: string; readonly version: number; readonly category: string }[];
    /** Reported categories of which nothing is held: they are to be answered. */
    readonly notHeld: readonly string[];
    /** The end of the last day in time, exclusive. */
    readonly due: string;
    /** The last day in time, in London. */
    readonly dueDate: string;
    readonly division: string;
    readonly calendarVersion: string;
    /** The due date lies beyond the table of bank holidays: only weekends were rolled over. */
    readonly horizonExceeded: boolean;
  };
}

/** The person was told that nothing is held of these categories, or no longer. */
export interface RectificationAnswered {
  readonly type: 'RectificationAnswered';
  readonly data: { readonly subjectId: string; readonly requestId: string; readonly categories: readonly string[] };
}

/** How a part of a case ended. */
export type RectificationOutcome = 'corrected' | 'refused' | 'notHeld';

/** Every part of the case is dealt with: corrected and its recipients too, refused, or answered. */
export interface RectificationCompleted {
  readonly type: 'RectificationCompleted';
  readonly data: {
    readonly subjectId: string;
    readonly requestId: string;
    /** The outcome of every part, or `partly` where they differ. */
    readonly outcome: RectificationOutcome | 'partly';
    readonly items: readonly { readonly itemId: string; readonly outcome: RectificationOutcome }[];
    /** From when on the values that the person reported are no longer kept. */
    readonly valuesUntil: string;
  };
}

/** The case was not completed in time; raised once. */
export interface RectificationOverdue {
  readonly type: 'RectificationOverdue';
  readonly data: { readonly subjectId: string; readonly requestId: string; readonly due: string };
}

/** The keys of the values that the person reported were destroyed (C16). */
export interface ReportedValuesErased {
  readonly type: 'ReportedValuesErased';
  readonly data: {
    readonly subjectId: string;
    readonly requestId: string;
    readonly keyIds: readonly string[];
    readonly method: 'keyDestruction';
  };
}

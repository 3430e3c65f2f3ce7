/** What looks at people's data leave behind: who looked, at whom, why; never what they saw (C15). */
export type ViewingEvent =
  PersonalDataViewed | ViewBudgetDrawn | PersonalDataSearched | BulkViewRequested | BulkViewApproved | BulkViewClosed;

/** Somebody was shown personal data. Stands in `access-<subject>-<month>`, before anything was shown. */
export interface PersonalDataViewed {
  readonly type: 'PersonalDataViewed';
  readonly data: {
    readonly subjectId: string;
    readonly viewId: string;
    /** What was opened; never more than the purpose lists and the grants cover. */
    readonly categories: readonly string[];
    readonly purposeId: string;
    readonly caseRef: string;
    /** The role in which it was looked at: all that the person is told of who looked. */
    readonly role?: string;
    /** The grants that opened it, or the emergency. */
    readonly by?: readonly string[];
    /** It was opened in an emergency, without a grant (I-15c). */
    readonly emergency?: true;
    /** The bulk view it was part of. */
    readonly bulkViewId?: string;
  };
}

/** A person more was opened by somebody that day. Stands in `viewer-<actor>-<date>`. */
export interface ViewBudgetDrawn {
  readonly type: 'ViewBudgetDrawn';
  readonly data: { readonly subjectId: string };
}

/** Somebody searched by an identifier, which is on no record. Stands in `viewer-<actor>-<date>`. */
export interface PersonalDataSearched {
  readonly type: 'PersonalDataSearched';
  readonly data: {
    readonly searchId: string;
    readonly field: string;
    readonly purposeId: string;
    readonly caseRef: string;
    readonly role: string;
    readonly by: readonly string[];
    /** Whose identifier it was, and the categories it is held as. */
    readonly found: readonly { readonly subjectId: string; readonly categories: readonly string[] }[];
  };
}

/** What a bulk view is to open: these people, for one purpose and case, by one person. */
export interface BulkViewScope {
  readonly purposeId: string;
  readonly caseRef: string;
  readonly categories: readonly string[];
  readonly subjectIds: readonly string[];
  /** How long it is open once approved. */
  readonly hours: number;
}

/** Somebody asked to look at many people's data. Stands in `bulkview-<id>`. Nothing is open yet. */
export interface BulkViewRequested {
  readonly type: 'BulkViewRequested';
  readonly data: BulkViewScope & { readonly bulkViewId: string; readonly requestedBy: string };
}

/** A second person opened it, for a time. */
export interface BulkViewApproved {
  readonly type: 'BulkViewApproved';
  readonly data: {
    readonly bulkViewId: string;
    readonly requestedBy: string;
    /** Never who asked. */
    readonly approvedBy: string;
    /** Until this moment, exclusive. */
    readonly until: string;
  };
}

/** It was refused, or is needed no more: nothing opens by it from now on. */
export interface BulkViewClosed {
  readonly type: 'BulkViewClosed';
  readonly data: { readonly bulkViewId: string; readonly closedBy: string };
}

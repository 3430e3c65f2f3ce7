import type { Protected } from '#kernel';
import type { RetentionTrigger } from '#purpose';
import type { RectificationEvent } from './rectification.events.js';

/** In what capacity a person deals with us; PECR treats them differently (I-01b). */
export type Capacity = 'individual' | 'soleTrader' | 'corporateContact';

/** What is decided about the person's holdings. Stands in `subject-<uuid>`. */
export type SubjectEvent =
  | RectificationEvent
  | SubjectRegistered
  | NoticePresented
  | DataCollected
  | DataCorrected
  | RectificationRefused
  | RecipientNotified
  | CorrectionCompleted
  | AccuracyConfirmed
  | AccuracyDoubtRaised
  | AccuracyCheckDue
  | AccuracyCheckOverdue
  | Art14NoticeOverdue
  | ProcessingRestricted
  | RestrictionLifted
  | RetentionExpired
  | DataErased;

/** The relationship with a person was opened under a random id that says nothing about them. */
export interface SubjectRegistered {
  readonly type: 'SubjectRegistered';
  readonly data: {
    readonly subjectId: string;
    readonly capacity: Capacity;
    /** Missing counts as an individual subscriber (domain: marketing gate). */
    readonly subscriberType: 'individual' | 'corporate';
    readonly division: 'england-and-wales' | 'scotland' | 'northern-ireland';
  };
}

/** The person was shown a notice version (C13). */
export interface NoticePresented {
  readonly type: 'NoticePresented';
  readonly data: {
    readonly subjectId: string;
    readonly noticeId: string;
    readonly version: number;
    readonly how: 'shown' | 'sent' | 'read-out' | 'handed-over';
    readonly channel: string;
    /** This version had been presented before. */
    readonly again?: true;
    /** The newest version of the notice that had been presented when this was recorded; absent when none had. */
    readonly newestBefore?: number;
    /**
     * The items from elsewhere that the person is hereby told of (UK GDPR Art 14). Absent in events from before this
     * was recorded: they tell of everything under the notice that had come by then.
     */
    readonly toldOf?: readonly string[];
  };
}

/**
 * The person was not told in time of data that came from elsewhere (UK GDPR Art 14(3)). Raised once for each due date;
 * telling them clears it.
 */
export interface Art14NoticeOverdue {
  readonly type: 'Art14NoticeOverdue';
  readonly data: {
    readonly subjectId: string;
    /** The notice that the person has yet to be presented. */
    readonly noticeId: string;
    readonly due: string;
    readonly itemIds: readonly string[];
  };
}

/** How long an item version may be kept for a purpose, as the rule stood when it was collected (C16). */
export interface RetentionTerm {
  readonly trigger: RetentionTrigger;
  /** ISO 8601 duration, counted from the trigger on the London calendar. */
  readonly period: string;
}

/** Values were collected for one purpose, through one collection point, under one notice (C04, C11 to C13). */
export interface DataCollected {
  readonly type: 'DataCollected';
  readonly data: {
    readonly subjectId: string;
    readonly purposeId: string;
    readonly purposeVersion: number;
    readonly basis: string;
    readonly basisRef?: string;
    readonly noticeId: string;
    readonly noticeVersion: number;
    readonly collectionPointId: string;
    readonly collectionPointVersion: number;
    readonly serviceRequestRef?: string;
    readonly source: 'subject' | 'thirdParty' | 'derived';
    /** Who gave it, where it came from a third party that is a registered recipient (UK GDPR Art 14(2)(f), 15(1)(g)). */
    readonly sourceRecipientId?: string;
    /** Until when the person must be told; for data from a third party (UK GDPR Art 14(3)(a)). */
    readonly art14Due?: string;
    readonly items: readonly CollectedItem[];
  };
}

export interface CollectedItem {
  readonly itemId: string;
  /** Always 1: later versions come from corrections. */
  readonly version: 1;
  readonly category: string;
  readonly necessity: 'required' | 'optional';
  readonly keyId: string;
  readonly value: Protected<string>;
  readonly retention: RetentionTerm;
  /** When the accuracy of this item is to be checked again; absent when its category is not checked (C14). */
  readonly nextCheckDue?: string;
}

/** A value was replaced; the old one is no longer used and has a short retention of its own (C21). */
export interface DataCorrected {
  readonly type: 'DataCorrected';
  readonly data: {
    readonly subjectId: string;
    readonly itemId: string;
    readonly category: string;
    /** What the item is held for. */
    readonly purposeId?: string;
    readonly fromVersion: number;
    readonly toVersion: number;
    readonly supersededKeyId: string;
    /** How long the superseded value is kept, from the correction on: an ISO 8601 duration. */
    readonly supersededPeriod: string;
    readonly keyId: string;
    readonly value: Protected<string>;
    readonly reasonCode: 'inaccurate' | 'incomplete' | 'outOfDate';
    /** The case it answers, where it answers one. */
    readonly requestId?: string;
    readonly nextCheckDue?: string;
    /** Recipients that were given the old value and must be told (UK GDPR Art 19). */
    readonly recipientsToNotify: readonly string[];
  };
}

/** A correction was refused; the person was told why and where to complain (UK GDPR Art 12(4)). */
export interface RectificationRefused {
  readonly type: 'RectificationRefused';
  readonly data: {
    readonly subjectId: string;
    readonly itemId: string;
    /** The case it answers; every open case about the item when absent. */
    readonly requestId?: string;
    readonly reasonCode: 'accurateAsHeld' | 'manifestlyUnfounded' | 'manifestlyExcessive' | 'identityNotShown';
    readonly complaintRoutes: readonly ('controller' | 'commissioner' | 'court')[];
  };
}

/** What has to be told to whoever was given the data (UK GDPR Art 19). */
export type NotificationOf = 'correction' | 'restriction' | 'erasure';

/** A recipient was told what became of the data it was given, or could not be (UK GDPR Art 19). */
export interface RecipientNotified {
  readonly type: 'RecipientNotified';
  readonly data: {
    readonly subjectId: string;
    readonly recipientId: string;
    readonly what: NotificationOf;
    /**
     * Of a correction: the item, and the version that replaced what the recipient holds. Of an erasure: the items, and
     * the newest version the recipient was given. Empty for a restriction, which is of everything about the person.
     */
    readonly items: readonly { readonly itemId: string; readonly version: number }[];
    readonly outcome: 'notified' | 'impossible' | 'disproportionate';
  };
}

/** A correction is complete: every recipient of the old value has been dealt with. */
export interface CorrectionCompleted {
  readonly type: 'CorrectionCompleted';
  readonly data: { readonly subjectId: string; readonly itemId: string; readonly version: number };
}

/** A reasonable check found the item accurate and up to date (C14). */
export interface AccuracyConfirmed {
  readonly type: 'AccuracyConfirmed';
  readonly data: {
    readonly subjectId: string;
    readonly itemId: string;
    readonly version: number;
    readonly method: string;
    readonly nextCheckDue?: string;
  };
}

/** Something suggests the item is wrong: a bounce, returned post, the person's word (I-14c). */
export interface AccuracyDoubtRaised {
  readonly type: 'AccuracyDoubtRaised';
  readonly data: {
    readonly subjectId: string;
    readonly itemId: string;
    readonly version: number;
    readonly category?: string;
    readonly cause: 'bouncedEmail' | 'returnedPost' | 'subjectNotice' | 'other';
    /** The authorised use whose message came back. */
    readonly useId?: string;
    /** The case in which the person reported it. */
    readonly requestId?: string;
  };
}

/** The item's accuracy check has fallen due; raised once for each due date. */
export interface AccuracyCheckDue {
  readonly type: 'AccuracyCheckDue';
  readonly data: {
    readonly subjectId: string;
    readonly itemId: string;
    readonly version: number;
    readonly category?: string;
    readonly due: string;
    /** What brought the check forward; absent when its interval has passed. */
    readonly cause?: 'renewal';
  };
}

/** A check that fell due was still not done a month later; raised once for each due date. */
export interface AccuracyCheckOverdue {
  readonly type: 'AccuracyCheckOverdue';
  readonly data: {
    readonly subjectId: string;
    readonly itemId: string;
    readonly version: number;
    readonly category: string;
    /** When the check was due. */
    readonly due: string;
  };
}

/** Processing of the person's data was restricted (UK GDPR Art 18). */
export interface ProcessingRestricted {
  readonly type: 'ProcessingRestricted';
  readonly data: {
    readonly subjectId: string;
    readonly ground: '18(1)(a)' | '18(1)(b)' | '18(1)(c)' | '18(1)(d)';
    /** Recipients that were given data that is still held, and must be told (UK GDPR Art 19). */
    readonly recipientsToNotify?: readonly string[];
  };
}

/** The restriction was lifted, after the person was told (UK GDPR Art 18(3)). */
export interface RestrictionLifted {
  readonly type: 'RestrictionLifted';
  readonly data: { readonly subjectId: string; readonly informedAt: string };
}

export interface ItemVersionRef {
  readonly itemId: string;
  readonly version: number;
  readonly category: string;
  readonly keyId: string;
}

/** The retention of these item versions has ended; from here on they are beyond use (C16). */
export interface RetentionExpired {
  readonly type: 'RetentionExpired';
  readonly data: {
    readonly subjectId: string;
    readonly items: readonly (ItemVersionRef & { readonly due: string })[];
  };
}

/** The keys of these item versions were destroyed; nobody can read the values again (C16). */
export interface DataErased {
  readonly type: 'DataErased';
  readonly data: {
    readonly subjectId: string;
    readonly items: readonly ItemVersionRef[];
    readonly cause: 'retention';
    readonly method: 'keyDestruction';
    /** When the last backup that may still hold a key is gone. */
    readonly keystoreBackupHorizon: string;
  };
}

/**
 * What the rules about holdings need of a disclosure: who was given which versions. The sharing capability owns the
 * event and proves that it fits this shape.
 */
export interface DataShareView {
  readonly type: 'DataShared';
  readonly data: {
    readonly recipientId: string;
    readonly recipientKind: string;
    readonly items: readonly { readonly itemId: string; readonly version: number }[];
  };
}

/** What the rules about corrections need of a recipient that cannot be reached. Owned by sharing, as above. */
export interface UnreachableView {
  readonly type: 'RecipientUnreachable';
  readonly data: Pick<RecipientNotified['data'], 'recipientId' | 'what' | 'items'>;
}

/** What the rules about accuracy need of an authorised use: the item versions a message was made of. Owned by use. */
export interface UseView {
  readonly type: 'UseAuthorised';
  readonly data: {
    readonly useId: string;
    readonly items: readonly { readonly itemId: string; readonly version: number }[];
  };
}

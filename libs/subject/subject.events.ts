import type { Protected } from '#kernel';
import type { RetentionAction, RetentionTrigger } from '#purpose';
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
  | HeldForPurpose
  | PurposeEnded
  | RetentionExpired
  | RetentionDeferred
  | RetentionReviewDue
  | RetentionReviewed
  | ReportedValuesDeferred
  | ErasureStarted
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
  /** What happens at its end; it is erased when absent. */
  readonly action?: Exclude<RetentionAction, 'erase'>;
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

/** Held items serve a further purpose too: each is kept until the last purpose that holds it has ended (I-16b). */
export interface HeldForPurpose {
  readonly type: 'HeldForPurpose';
  readonly data: {
    readonly subjectId: string;
    readonly purposeId: string;
    readonly purposeVersion: number;
    readonly basis: string;
    /** The record of the assessment that found the new purpose lawful for these items. */
    readonly assessmentRef: string;
    readonly serviceRequestRef?: string;
    readonly items: readonly {
      readonly itemId: string;
      readonly version: number;
      readonly category: string;
      readonly retention: RetentionTerm;
      /** Until when this purpose holds the item; `null` while its trigger has not happened. */
      readonly due: string | null;
      /** Until when the item is kept with all that hold it; `null` while one of them has no end yet. */
      readonly itemDue: string | null;
    }[];
  };
}

/** The purpose holds these items no more: use for it stops at once, storage goes on for what else holds them (I-16b). */
export interface PurposeEnded {
  readonly type: 'PurposeEnded';
  readonly data: {
    readonly subjectId: string;
    readonly purposeId: string;
    /** `consentEnded`: it expired, or was found invalid. */
    readonly reason: 'fulfilled' | 'consentWithdrawn' | 'consentEnded' | 'objection' | 'purposeRetired' | 'other';
    /** Nothing is held for the purpose any more on the consent that ended. */
    readonly nothingLeft?: true;
    /** Of a command that took only a part, whose repeat finds it here. */
    readonly part?: string;
    readonly items: readonly {
      readonly itemId: string;
      readonly version: number;
      /** Until when the item is kept now: the time of the end when nothing else holds it. */
      readonly itemDue: string | null;
    }[];
  };
}

/** The retention of these item versions has ended; from here on they are beyond use (C16). */
export interface RetentionExpired {
  readonly type: 'RetentionExpired';
  readonly data: {
    readonly subjectId: string;
    readonly items: readonly (ItemVersionRef & {
      readonly due: string;
      /** What is counted when the key is gone, by the rule of its last purpose; nothing when absent. */
      readonly action?: 'anonymise';
      /** It was to be reviewed, and nobody decided in time. */
      readonly undecided?: true;
    })[];
  };
}

/**
 * The period of these items is over, and the rule of their last purpose asks for a person to decide. They are used for
 * nothing until then, and erased when nobody has decided by `decideBy`: storage that nobody can justify ends (UK GDPR
 * Art 5(1)(e), 5(2)).
 */
export interface RetentionReviewDue {
  readonly type: 'RetentionReviewDue';
  readonly data: {
    readonly subjectId: string;
    readonly items: readonly (ItemVersionRef & { readonly due: string; readonly decideBy: string })[];
    /** Of the command, whose repeat finds it here. */
    readonly part: string;
  };
}

/** A person has decided what becomes of items whose period was over. */
export interface RetentionReviewed {
  readonly type: 'RetentionReviewed';
  readonly data: {
    readonly subjectId: string;
    readonly decisionId: string;
    readonly items: readonly {
      readonly itemId: string;
      readonly version: number;
      /** `keep`: under the rules in force that are named; `erase`: as soon as nothing keeps it. */
      readonly outcome: 'keep' | 'erase';
      /** The purposes that go on holding it, each under the rule of its version in force. */
      readonly holds: readonly {
        readonly purposeId: string;
        readonly purposeVersion: number;
        readonly retention: RetentionTerm;
        /** `null` while its trigger has not happened. */
        readonly due: string | null;
      }[];
      /** Until when the item is kept now; `null` without an end yet. */
      readonly itemDue: string | null;
    }[];
  };
}

/** What keeps an item whose time has come from being erased (I-16d). */
export type DeferralCause = 'legalHold' | 'openAccessRequest' | 'openComplaint' | 'openIncident' | 'restriction';

/** The time of these item versions has come and they must be kept all the same. They are used for nothing else. */
export interface RetentionDeferred {
  readonly type: 'RetentionDeferred';
  readonly data: {
    readonly subjectId: string;
    readonly items: readonly (ItemVersionRef & {
      readonly cause: DeferralCause;
      /** The hold or the deferral; `restriction` for a restriction of the person's data. */
      readonly ref: string;
      /** The erasure that had put it beyond use when the cause came up. */
      readonly erasureId?: string;
    })[];
    /** The erasure of the person as a whole waits: what is no item, such as usage, must stay. */
    readonly person?: { readonly erasureId: string; readonly cause: DeferralCause; readonly ref: string };
    /** Of a command that took a part of its work, which its repeat finds here. */
    readonly part?: string;
  };
}

/** The time of the reported values has come, and something keeps them (I-16d). They are used for nothing else. */
export interface ReportedValuesDeferred {
  readonly type: 'ReportedValuesDeferred';
  readonly data: {
    readonly subjectId: string;
    readonly requestId: string;
    readonly cause: DeferralCause;
    readonly ref: string;
  };
}

export type ErasureCause = 'retention' | 'request' | 'consentWithdrawn' | 'unlawful' | 'objection';

/** Why data that a person wants erased may or must be kept (UK GDPR Art 17(3)). */
export type ErasureException =
  'freedomOfExpression' | 'legalObligation' | 'publicHealth' | 'archivingResearch' | 'legalClaims';

/** An item version that an erasure leaves, and why. It is used for nothing else from then on. */
export interface RemainingItem {
  readonly itemId: string;
  readonly version: number;
  readonly category: string;
  readonly reason: DeferralCause | ErasureException;
  /** The hold, the deferral, the purpose or the declaration it rests on. */
  readonly ref: string;
  readonly law: string;
  /** When the duty to keep it ends, as far as that is known. */
  readonly until?: string;
}

/**
 * An erasure has begun: the use of these item versions stops with this event (beyond use). Their keys still exist;
 * whoever dies here goes on from here (X5).
 */
export interface ErasureStarted {
  readonly type: 'ErasureStarted';
  readonly data: {
    readonly subjectId: string;
    readonly erasureId: string;
    readonly cause: ErasureCause;
    /** `person`: the id is closed, and never used again (X7). */
    readonly scope: 'items' | 'person';
    /** Everything that is held about the person; `items` is empty then, and nothing remains. */
    readonly everything?: true;
    readonly items: readonly ItemVersionRef[];
    readonly remaining: readonly RemainingItem[];
    /** Which recipients were given which of these versions, and have to be told (UK GDPR Art 19). */
    readonly recipients: readonly {
      readonly recipientId: string;
      readonly items: readonly { readonly itemId: string; readonly version: number }[];
    }[];
    /** Why what is no item must stay, such as usage: the person's own key is not destroyed. */
    readonly rest?: { readonly reason: DeferralCause; readonly ref: string; readonly law: string };
    /** The erasure that left these items, whose reason to keep them is gone now. */
    readonly continues?: string;
    /** The case in which it was asked for; an opaque id. */
    readonly caseRef?: string;
  };
}

/** The keys of these item versions were destroyed; nobody can read the values again (C16). */
export interface DataErased {
  readonly type: 'DataErased';
  readonly data: {
    readonly subjectId: string;
    /** Absent in what was written before erasures had ids. */
    readonly erasureId?: string;
    /** Everything that was held about the person; `items` is empty then. */
    readonly everything?: true;
    /** The person's own key is destroyed too. */
    readonly person?: true;
    readonly items: readonly ItemVersionRef[];
    /** How many versions of this erasure still have their keys: many are erased in parts. None when absent. */
    readonly left?: number;
    /** Of a command that took a part of its work, which its repeat finds here. */
    readonly part?: string;
    readonly cause: ErasureCause;
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
    readonly purposeId: string;
    /** The statutory instrument that compelled it. */
    readonly instrumentId?: string;
    readonly items: readonly { readonly itemId: string; readonly version: number }[];
  };
}

/** What the rules about retention need of the end of a consent. Owned by consent, as above. */
export interface ConsentEndView {
  readonly type: 'ConsentWithdrawn' | 'ConsentExpired' | 'ConsentInvalidated';
  readonly data: { readonly subjectId: string; readonly purposeId: string; readonly endsPurpose?: true };
}

/** And of one that is given, or given anew. */
export interface ConsentGivenView {
  readonly type: 'ConsentGiven' | 'ConsentRenewed';
  readonly data: { readonly subjectId: string; readonly purposeId: string };
}

/** What read models of holdings need of a cause to keep data that has passed. Owned by retention, as above. */
export type CausePassedView =
  | { readonly type: 'LegalHoldLifted'; readonly data: { readonly holdId: string } }
  | { readonly type: 'DeferralClosed'; readonly data: { readonly subjectId: string; readonly deferralId: string } };

/** What the rules about corrections need of a recipient that cannot be reached. Owned by sharing, as above. */
export interface UnreachableView {
  readonly type: 'RecipientUnreachable';
  readonly data: Pick<RecipientNotified['data'], 'recipientId' | 'what' | 'items'>;
}

/** What the rules about accuracy and retention need of an authorised use: what it was made of. Owned by use. */
export interface UseView {
  readonly type: 'UseAuthorised';
  readonly data: {
    readonly useId: string;
    readonly purposeId: string;
    readonly items: readonly { readonly itemId: string; readonly version: number }[];
  };
}

import type { Widening } from './consent.widening.js';

/**
 * Consent to one purpose over one channel. Stands in the person's stream, so that a use sees it at one revision.
 *
 * `consentId` names one consent from the moment the person was asked for it until it ends; a renewal is a consent of
 * its own.
 */
export type ConsentEvent =
  | ConsentRequested
  | ConsentGiven
  | ConsentRenewed
  | ConsentRefused
  | ConsentWithdrawn
  | ConsentExpired
  | ConsentInvalidated
  | ConsentUpheld;

/** Which consent an event is about. */
export interface ConsentKey {
  readonly subjectId: string;
  readonly consentId: string;
  readonly purposeId: string;
  readonly channel: string;
}

/** What the person was told, as it can be shown afterwards (UK GDPR Art 7(1)). */
export interface ConsentInformation {
  readonly noticeId: string;
  readonly noticeVersion: number;
  /** SHA-256 of the statement that was shown, in hex. The wording is public text. */
  readonly statementHash: string;
}

/** The person was asked for consent. A consent that stands already goes on standing. */
export interface ConsentRequested {
  readonly type: 'ConsentRequested';
  readonly data: ConsentKey &
    ConsentInformation & {
      readonly purposeVersion: number;
      readonly method: ConsentMethod;
    };
}

/** The person consented: who, when, how, and what they were told (UK GDPR Art 7(1)). */
export interface ConsentGiven {
  readonly type: 'ConsentGiven';
  readonly data: ConsentEvidence;
}

/** The person consented anew, in place of a consent that stands, has expired or was found invalid. */
export interface ConsentRenewed {
  readonly type: 'ConsentRenewed';
  readonly data: ConsentEvidence & {
    /** The consent that this one takes the place of. */
    readonly renews: string;
  };
}

export interface ConsentEvidence extends ConsentKey, ConsentInformation {
  readonly purposeVersion: number;
  readonly method: ConsentMethod;
  readonly affirmativeAct: string;
  readonly givenBy: ConsentGiver;
  /** Opaque reference to what shows the authority of whoever gave it for the person. */
  readonly authorityRef?: string;
  readonly expiresAt?: string;
  /** When a later version of the purpose takes effect, where one was approved already. */
  readonly reviewAt?: string;
}

export type ConsentMethod = 'webForm' | 'phone' | 'paper' | 'inPerson' | 'inProduct' | 'email';

/** `parent`: whoever holds parental responsibility (UK GDPR Art 8). `agent`: authorised by the person. */
export type ConsentGiver = 'subject' | 'parent' | 'agent';

/** The person said no to what they were asked. Where a consent stood, its withdrawal is recorded with it. */
export interface ConsentRefused {
  readonly type: 'ConsentRefused';
  readonly data: ConsentKey &
    Partial<ConsentInformation> & {
      readonly purposeVersion: number;
      readonly method?: ConsentMethod;
    };
}

/** What every end of a consent says. */
interface ConsentEnd extends ConsentKey {
  /** Over no channel does a consent to this purpose stand any more: what is held on it alone has lost its ground. */
  readonly endsPurpose?: true;
}

/** The person withdrew consent; what was done before stays lawful (UK GDPR Art 7(3)). */
export interface ConsentWithdrawn {
  readonly type: 'ConsentWithdrawn';
  readonly data: ConsentEnd & { readonly method?: ConsentMethod };
}

/** The consent reached the end of its agreed life. */
export interface ConsentExpired {
  readonly type: 'ConsentExpired';
  readonly data: ConsentEnd;
}

/** What can be found wrong with a consent afterwards (UK GDPR Art 4(11), 7). */
export const INVALIDITY_FOUND = [
  'noticeWrong',
  'statementWrong',
  'notFreelyGiven',
  'notUnambiguous',
  'notAuthorised',
] as const;
export type InvalidityFound = (typeof INVALIDITY_FOUND)[number];

/** The consent carries nothing from here on, though the person has not taken it back. */
export interface ConsentInvalidated {
  readonly type: 'ConsentInvalidated';
  readonly data: ConsentEnd & {
    /** `purposeChanged`: a version of the purpose took effect that asks for more than was agreed to. */
    readonly reason: InvalidityFound | 'purposeChanged';
    /** That version; present exactly for `purposeChanged`, as is what it asks for beyond the one agreed to. */
    readonly purposeVersion?: number;
    readonly widenings?: readonly Widening[];
  };
}

/** A later version of the purpose took effect that asks for no more: the consent covers it. */
export interface ConsentUpheld {
  readonly type: 'ConsentUpheld';
  readonly data: ConsentKey & {
    readonly purposeVersion: number;
    /** When the version after it takes effect, where one was approved already. */
    readonly reviewAt?: string;
  };
}

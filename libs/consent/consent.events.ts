/** Consent to one purpose over one channel. Stands in the person's stream, so that a use sees it at one revision. */
export type ConsentEvent = ConsentGiven | ConsentWithdrawn | ConsentExpired;

/** The person consented: who, when, how, and what they were told (UK GDPR Art 7(1)). */
export interface ConsentGiven {
  readonly type: 'ConsentGiven';
  readonly data: {
    readonly subjectId: string;
    readonly consentId: string;
    readonly purposeId: string;
    readonly purposeVersion: number;
    readonly channel: string;
    readonly noticeId: string;
    readonly noticeVersion: number;
    /** SHA-256 of the statement that was shown, in hex. The wording is public text. */
    readonly statementHash: string;
    readonly method: ConsentMethod;
    readonly affirmativeAct: string;
    readonly givenBy: 'subject' | 'parent' | 'agent';
    readonly expiresAt?: string;
  };
}

export type ConsentMethod = 'webForm' | 'phone' | 'paper' | 'inPerson' | 'inProduct' | 'email';

/** The person withdrew consent; what was done before stays lawful (UK GDPR Art 7(3)). */
export interface ConsentWithdrawn {
  readonly type: 'ConsentWithdrawn';
  readonly data: {
    readonly subjectId: string;
    readonly consentId: string;
    readonly purposeId: string;
    readonly channel: string;
  };
}

/** The consent reached the end of its agreed life. */
export interface ConsentExpired {
  readonly type: 'ConsentExpired';
  readonly data: {
    readonly subjectId: string;
    readonly consentId: string;
    readonly purposeId: string;
    readonly channel: string;
  };
}

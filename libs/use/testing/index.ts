import type { ConsentGiven, ConsentWithdrawn } from '#consent';
import { instant } from '#kernel';
import { factsAt, registerOf } from '#kernel/testing';
import { purposeRegister, type PurposeDefined, type PurposeEvent } from '#purpose';
import type { DataCollected, DataCorrected, SubjectEvent, SubjectRegistered } from '#subject';
import type { AuthoriseUse, UseDomainCommand } from '../use.commands.js';
import type { useDecider, UseFacts } from '../use.decider.js';
import type { UseAuthorised } from '../use.events.js';

export const OPENED = '2026-01-05T09:00:00Z';
export const TODAY = '2026-03-02T09:00:00Z';
export const LATER = '2026-11-23T09:00:00Z';
/** Version 2 of the newsletter takes effect here, without the phone and in other words. */
export const REVISED = '2026-06-01T00:00:00Z';
export const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
export const EMAIL = '11111111-1111-4111-8111-111111111111';
export const PHONE = '22222222-2222-4222-8222-222222222222';
export const UNHEARD = '99999999-9999-4999-8999-999999999999';

const defined = (purposeId: string, changes: Partial<PurposeDefined['data']> = {}): PurposeDefined => ({
  type: 'PurposeDefined',
  data: {
    purposeId,
    version: 1,
    author: 'ada',
    title: purposeId,
    plainWords: 'What we do with it.',
    serviceLine: 'B2C',
    commercial: true,
    basis: 'consent',
    dpiaRequired: false,
    dpvIri: 'dpv:DirectMarketing',
    fields: (changes.version === 2 ? ['contact.email'] : ['contact.email', 'contact.phone']).map((category) => ({
      category,
      necessity: 'optional',
      justification: 'it is where the news goes',
    })),
    retention: [],
    recipientKindsAllowed: [],
    ...changes,
  },
});
const approved = (purposeId: string, version = 1, from = '2020-01-01T00:00:00Z'): PurposeEvent => ({
  type: 'PurposeApproved',
  data: { purposeId, version, approver: 'ben', effectiveFrom: instant(from) },
});
const purposes = registerOf<PurposeEvent, typeof purposeRegister.initialState>(
  purposeRegister,
  defined('support', { commercial: false, basis: 'contract' }),
  approved('support'),
  defined('research', { commercial: false }),
  approved('research'),
  defined('news'),
  approved('news'),
  defined('news', { version: 2, plainWords: 'What we and others do with it.' }),
  approved('news', 2, REVISED),
  defined('upsell', { basis: 'legitimateInterests' }),
  approved('upsell'),
  defined('resale', { basis: 'contract' }),
  approved('resale'),
  defined('drafted'),
  defined('stopped'),
  approved('stopped'),
  { type: 'PurposeSuspended', data: { purposeId: 'stopped', reasonCode: 'underReview' } },
  defined('given-up'),
  approved('given-up'),
  { type: 'PurposeRetired', data: { purposeId: 'given-up' } },
);
export const facts = (at: string, overrides: Partial<UseFacts> = {}): UseFacts => ({
  ...factsAt(at),
  purposes,
  lias: new Map(),
  compatibility: new Map(),
  notices: new Map(),
  liftedSuppressions: new Set(),
  ...overrides,
});
export const at = (happened: string, decided = happened) => ({ occurredAt: instant(happened), now: instant(decided) });

const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: factsAt().actor };
export const use = (changes: Partial<AuthoriseUse> = {}): UseDomainCommand => ({
  ...sent,
  type: 'AuthoriseUse',
  subjectId,
  purposeId: 'news',
  channel: 'email',
  itemIds: [EMAIL],
  ...changes,
});
const { channel: _none, ...silent } = use() as AuthoriseUse;
/** For a service: over no channel. */
export const serve = (changes: Partial<AuthoriseUse> = {}): UseDomainCommand => ({
  ...silent,
  purposeId: 'support',
  ...changes,
});
export const object: UseDomainCommand = { ...sent, type: 'ObjectToMarketing', subjectId };

export type Folded = Parameters<typeof useDecider.evolve>[1];
export const registered: SubjectRegistered = {
  type: 'SubjectRegistered',
  data: { subjectId, capacity: 'individual', subscriberType: 'individual', division: 'england-and-wales' },
};
export const presented = (noticeId = 'privacy', version = 1) =>
  ({
    type: 'NoticePresented',
    data: { subjectId, noticeId, version, how: 'shown', channel: 'web' },
  }) satisfies SubjectEvent;
const value = { kind: 'sealed' } as DataCollected['data']['items'][number]['value'];
export const collected = (changes: Partial<DataCollected['data']> = {}): DataCollected => ({
  type: 'DataCollected',
  data: {
    subjectId,
    purposeId: 'support',
    purposeVersion: 1,
    basis: 'contract',
    noticeId: 'privacy',
    noticeVersion: 1,
    collectionPointId: 'contact-form',
    collectionPointVersion: 1,
    source: 'subject',
    items: (
      [
        [EMAIL, 'contact.email'],
        [PHONE, 'contact.phone'],
      ] as const
    ).map(([itemId, category]) => ({
      itemId,
      version: 1,
      category,
      necessity: 'optional',
      keyId: `key of ${category}`,
      value,
      retention: { trigger: 'collected', period: 'P2Y' },
      ...(itemId === EMAIL && { nextCheckDue: '2027-01-05T09:00:00.000Z' }),
    })),
    ...changes,
  },
});
export const corrected = (nextCheckDue?: string): DataCorrected => ({
  type: 'DataCorrected',
  data: {
    subjectId,
    itemId: EMAIL,
    category: 'contact.email',
    fromVersion: 1,
    toVersion: 2,
    supersededKeyId: 'key of contact.email',
    supersededPeriod: 'P12M',
    keyId: 'second key',
    value,
    reasonCode: 'outOfDate',
    recipientsToNotify: [],
    ...(nextCheckDue !== undefined && { nextCheckDue }),
  },
});
export const doubted = {
  type: 'AccuracyDoubtRaised',
  data: { subjectId, itemId: EMAIL, version: 1, cause: 'bouncedEmail' },
} as const;
export const confirmed = (nextCheckDue = '2027-03-02T09:00:00.000Z') =>
  ({
    type: 'AccuracyConfirmed',
    data: { subjectId, itemId: EMAIL, version: 1, method: 'contactMade', nextCheckDue },
  }) satisfies SubjectEvent;
export const renewalDue = (due: string) =>
  ({
    type: 'AccuracyCheckDue',
    data: { subjectId, itemId: EMAIL, version: 1, category: 'contact.email', due, cause: 'renewal' },
  }) satisfies SubjectEvent;
const ref = (version: number) => ({ itemId: EMAIL, version, category: 'contact.email', keyId: 'k' });
export const expired = (version = 1) =>
  ({
    type: 'RetentionExpired',
    data: { subjectId, items: [{ ...ref(version), due: TODAY }] },
  }) satisfies SubjectEvent;
export const erased = (version = 1) =>
  ({
    type: 'DataErased',
    data: {
      subjectId,
      items: [ref(version)],
      cause: 'retention',
      method: 'keyDestruction',
      keystoreBackupHorizon: LATER,
    },
  }) satisfies SubjectEvent;
export const restricted = { type: 'ProcessingRestricted', data: { subjectId, ground: '18(1)(a)' } } as const;
export const lifted = { type: 'RestrictionLifted', data: { subjectId, informedAt: OPENED } } as const;
const key = { subjectId, consentId: 'consent-1', purposeId: 'news', channel: 'email' };
export const given = (changes: Partial<ConsentGiven['data']> = {}): ConsentGiven => ({
  type: 'ConsentGiven',
  data: {
    ...key,
    purposeVersion: 1,
    noticeId: 'privacy',
    noticeVersion: 1,
    statementHash: 'a'.repeat(64),
    method: 'webForm',
    affirmativeAct: 'tickedBox',
    givenBy: 'subject',
    ...changes,
  },
});
export const withdrawn: ConsentWithdrawn = { type: 'ConsentWithdrawn', data: key };
export const ended = { type: 'ConsentExpired', data: key } as const;
export const objected = {
  type: 'MarketingObjectionReceived',
  data: { subjectId, objectionId: facts(TODAY).id('objection') },
} as const;
export const authorised = (changes: Partial<UseAuthorised['data']> = {}): UseAuthorised => ({
  type: 'UseAuthorised',
  data: {
    subjectId,
    useId: facts(TODAY).id('event 0'),
    purposeId: 'news',
    purposeVersion: 1,
    commercial: true,
    channel: 'email',
    items: [{ itemId: EMAIL, version: 1, category: 'contact.email' }],
    basis: 'consent',
    basisRef: 'consent-1',
    expiresAt: '2026-03-02T09:15:00.000Z',
    ...changes,
  },
});

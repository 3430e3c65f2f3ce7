import { instant, uuidV5, type Instant } from '#kernel';
import { factsAt, registerOf } from '#kernel/testing';
import { noticeRegister, type NoticePublished } from '#notice';
import {
  collectionPointRegister,
  purposeRegister,
  type CollectionPointEvent,
  type PurposeDefined,
  type PurposeEvent,
  type PurposeField,
} from '#purpose';
import type { CollectData, SubjectDomainCommand } from '../subject.commands.js';
import type { SubjectFacts } from '../subject.decider.js';
import type {
  DataCollected,
  DataCorrected,
  DataShareView,
  ItemVersionRef,
  NoticePresented,
  SubjectEvent,
  UseView,
} from '../subject.events.js';
import type { RectificationRequested } from '../rectification.events.js';

export const ASHA = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
export const EMAIL = '11111111-1111-4111-8111-111111111111';
export const PHONE = '22222222-2222-4222-8222-222222222222';

/** Version 2 of the purpose and of the notice take effect here. */
export const REVISED = '2026-06-01T00:00:00Z';

const field = (category: string, more: Partial<PurposeField> = {}): PurposeField => ({
  category,
  necessity: 'optional',
  justification: 'the answer needs it',
  ...more,
});
const FIELDS = [
  field('contact.email', { necessity: 'required', checkInterval: 'P12M' }),
  field('contact.phone'),
  field('ticket.message', { freeText: { expectation: 'what happened', maxLength: 1000 } }),
  field('crew.health', { special: true }),
  field('contact.fax'),
  field('contact.address'),
];

export const defined = (purposeId: string, changes: Partial<PurposeDefined['data']> = {}): PurposeDefined => ({
  type: 'PurposeDefined',
  data: {
    purposeId,
    version: 1,
    author: 'ada',
    title: purposeId,
    plainWords: 'What we do with it.',
    serviceLine: 'SUPPORT',
    commercial: false,
    basis: 'contract',
    dpiaRequired: false,
    dpvIri: 'dpv:CustomerCare',
    fields: FIELDS,
    // Nothing says how long a fax number may be kept.
    retention: FIELDS.filter(({ category }) => category !== 'contact.fax').map(({ category }) => ({
      category,
      trigger: 'serviceRequestClosed',
      period: changes.version === 2 ? 'P1Y' : 'P2Y',
      action: 'erase',
      legalRef: 'UK GDPR Art 5(1)(e)',
    })),
    recipientKindsAllowed: [],
    ...changes,
  },
});
export const approved = (purposeId: string, version = 1, from = '2020-01-01T00:00:00Z'): PurposeEvent => ({
  type: 'PurposeApproved',
  data: { purposeId, version, approver: 'ben', effectiveFrom: instant(from) },
});
const registeredPoint = (collectionPointId: string): CollectionPointEvent => ({
  type: 'CollectionPointRegistered',
  data: {
    collectionPointId,
    version: 1,
    kind: 'webForm',
    title: 'Contact us',
    explanation: 'We use what you write to answer you.',
    purposes: ['support', 'keep-in-touch', 'drafted', 'stopped', 'given-up'],
    fields: FIELDS.map(({ category }) => category).filter((category) => category !== 'contact.address'),
    noticeId: 'customer-privacy',
  },
});
const published = (noticeId: string, version: number, purposes: readonly string[], from: string): NoticePublished => ({
  type: 'NoticePublished',
  data: {
    noticeId,
    version,
    language: 'en-GB',
    title: 'How we use your data',
    content: 'We answer you.',
    contentHash: 'a'.repeat(64),
    purposes,
    effectiveFrom: instant(from),
  },
});

export const purposes = registerOf<PurposeEvent, typeof purposeRegister.initialState>(
  purposeRegister,
  defined('support'),
  approved('support'),
  defined('support', { version: 2, fields: FIELDS.map((each) => ({ ...each, checkInterval: 'P6M' })) }),
  approved('support', 2, REVISED),
  defined('keep-in-touch', { basis: 'legitimateInterests', specialCategoryCondition: 'Art 9(2)(a)' }),
  approved('keep-in-touch'),
  defined('elsewhere'),
  approved('elsewhere'),
  defined('drafted'),
  defined('stopped'),
  approved('stopped'),
  { type: 'PurposeSuspended', data: { purposeId: 'stopped', reasonCode: 'underReview' } },
  defined('given-up'),
  approved('given-up'),
  { type: 'PurposeRetired', data: { purposeId: 'given-up' } },
);
const covered = ['support', 'keep-in-touch'];

/** Facts of a decision about Asha; the decision is made when the matter happens unless told otherwise. */
export const facts = (at: string, overrides: Partial<SubjectFacts> = {}): SubjectFacts => ({
  ...factsAt(at),
  purposes,
  collectionPoints: registerOf<CollectionPointEvent, typeof collectionPointRegister.initialState>(
    collectionPointRegister,
    registeredPoint('contact-form'),
    registeredPoint('old-form'),
    { type: 'CollectionPointRetired', data: { collectionPointId: 'old-form', version: 1 } },
  ),
  notices: registerOf(
    noticeRegister,
    published('customer-privacy', 1, covered, '2018-05-25T00:00:00Z'),
    published('customer-privacy', 2, covered, REVISED),
    published('cookies', 1, [], '2018-05-25T00:00:00Z'),
    published('another', 1, covered, '2018-05-25T00:00:00Z'),
  ),
  ...overrides,
});
/** Ids drawn for another command than the one a scenario sends. */
export const idsOf = (commandId: string) => (name: string) => uuidV5(commandId, name);
export const COMMAND = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';

const subjectId = ASHA;
type Sent<C extends SubjectDomainCommand> = C extends unknown ? Omit<C, 'commandId' | 'actor' | 'subjectId'> : never;

/** A command about Asha, sent by the service that scenarios act for. */
export const send = (command: Sent<SubjectDomainCommand>): SubjectDomainCommand => ({
  commandId: COMMAND,
  actor: factsAt().actor,
  subjectId,
  ...command,
});
export const collect = (changes: Partial<CollectData> = {}): SubjectDomainCommand =>
  send({
    type: 'CollectData',
    purposeId: 'support',
    collectionPointId: 'contact-form',
    noticeId: 'customer-privacy',
    noticeVersion: 1,
    serviceRequestRef: 'ticket-1',
    items: [{ category: 'contact.email', value: 'asha@example.test' }],
    ...changes,
  });
export const item = (category: string, value = 'something', required?: boolean): CollectData['items'][number] => ({
  category,
  value,
  ...(required !== undefined && { required }),
});

/** A value as it stands in the log. */
export const sealed = (kid: string): DataCollected['data']['items'][number]['value'] => ({
  kind: 'sealed',
  enc: 'A256GCM',
  kid,
  iv: 'iv',
  ct: 'ciphertext',
  tag: 'tag',
  binding: { eventId: 'e', type: 'data-collected.v1', stream: `subject-${ASHA}`, path: 'items.0.value' },
});

export const registered: SubjectEvent = {
  type: 'SubjectRegistered',
  data: { subjectId, capacity: 'individual', subscriberType: 'individual', division: 'england-and-wales' },
};
export const presented = (
  version = 1,
  noticeId = 'customer-privacy',
  more: Pick<NoticePresented['data'], 'again' | 'newestBefore' | 'toldOf'> = {},
): SubjectEvent => ({
  type: 'NoticePresented',
  data: { subjectId, noticeId, version, how: 'shown', channel: 'web', toldOf: [], ...more },
});
/** Email, checked every year, and phone, never checked. */
export const collected = (changes: Partial<DataCollected['data']> = {}): DataCollected => ({
  type: 'DataCollected',
  data: {
    subjectId,
    purposeId: 'support',
    purposeVersion: 1,
    basis: 'contract',
    noticeId: 'customer-privacy',
    noticeVersion: 1,
    collectionPointId: 'contact-form',
    collectionPointVersion: 1,
    serviceRequestRef: 'ticket-1',
    source: 'subject',
    items: [
      {
        itemId: EMAIL,
        version: 1,
        category: 'contact.email',
        necessity: 'required',
        keyId: 'key of email',
        value: sealed('key of email'),
        retention: { trigger: 'serviceRequestClosed', period: 'P2Y' },
        nextCheckDue: '2027-01-05T09:00:00.000Z',
      },
      {
        itemId: PHONE,
        version: 1,
        category: 'contact.phone',
        necessity: 'optional',
        keyId: 'key of phone',
        value: sealed('key of phone'),
        retention: { trigger: 'serviceRequestClosed', period: 'P2Y' },
      },
    ],
    ...changes,
  },
});
export const corrected = (changes: Partial<DataCorrected['data']> = {}): DataCorrected => ({
  type: 'DataCorrected',
  data: {
    subjectId,
    itemId: EMAIL,
    category: 'contact.email',
    purposeId: 'support',
    fromVersion: 1,
    toVersion: 2,
    supersededKeyId: 'key of email',
    supersededPeriod: 'P12M',
    keyId: 'second key of email',
    value: sealed('second key of email'),
    reasonCode: 'outOfDate',
    recipientsToNotify: [],
    ...changes,
  },
});
export const shared = (recipientId: string, version = 1, recipientKind = 'GROUP'): DataShareView => ({
  type: 'DataShared',
  data: { recipientId, recipientKind, purposeId: 'newsletter', items: [{ itemId: EMAIL, version }] },
});
const ref = (itemId: string, version: number): ItemVersionRef => ({
  itemId,
  version,
  category: 'contact.email',
  keyId: 'key of email',
});
export const expired = (itemId = EMAIL, version = 1): SubjectEvent => ({
  type: 'RetentionExpired',
  data: { subjectId, items: [{ ...ref(itemId, version), due: '2026-06-01T00:00:00.000Z' }] },
});
export const erased = (itemId = EMAIL, version = 1): SubjectEvent => ({
  type: 'DataErased',
  data: {
    subjectId,
    items: [ref(itemId, version)],
    cause: 'retention',
    method: 'keyDestruction',
    keystoreBackupHorizon: '2026-07-01T00:00:00.000Z',
  },
});
/** An erasure of everything has begun, and then is done, the person's own key included. */
export const wholeErasure: readonly SubjectEvent[] = [
  {
    type: 'ErasureStarted',
    data: {
      subjectId,
      erasureId: '99999999-9999-4999-8999-999999999999',
      cause: 'request',
      scope: 'person',
      everything: true,
      items: [],
      remaining: [],
      recipients: [],
    },
  },
  {
    type: 'DataErased',
    data: {
      subjectId,
      erasureId: '99999999-9999-4999-8999-999999999999',
      everything: true,
      person: true,
      items: [],
      cause: 'request',
      method: 'keyDestruction',
      keystoreBackupHorizon: '2026-07-01T00:00:00.000Z',
    },
  },
];
export const restricted = (ground: '18(1)(a)' | '18(1)(c)' = '18(1)(a)'): SubjectEvent => ({
  type: 'ProcessingRestricted',
  data: { subjectId, ground },
});
export const lifted = (informedAt: string): SubjectEvent => ({
  type: 'RestrictionLifted',
  data: { subjectId, informedAt: instant(informedAt) satisfies Instant },
});
export const doubted = (version = 1): SubjectEvent => ({
  type: 'AccuracyDoubtRaised',
  data: { subjectId, itemId: EMAIL, version, category: 'contact.email', cause: 'bouncedEmail' },
});
export const USE = '44444444-4444-4444-8444-444444444444';
/** A message that went to the address and named the phone. */
export const used = (version = 1, useId = USE): UseView => ({
  type: 'UseAuthorised',
  data: {
    useId,
    purposeId: 'newsletter',
    items: [
      { itemId: EMAIL, version },
      { itemId: PHONE, version: 1 },
    ],
  },
});
export const REQUEST = '55555555-5555-4555-8555-555555555555';
/** A case about the address in its first version, received on the morning of 2 March 2026. */
export const requested = (changes: Partial<RectificationRequested['data']> = {}): RectificationRequested => ({
  type: 'RectificationRequested',
  data: {
    subjectId,
    requestId: REQUEST,
    channel: 'letter',
    receivedAt: '2026-03-02T09:00:00.000Z',
    items: [{ itemId: EMAIL, version: 1, category: 'contact.email' }],
    notHeld: [],
    due: '2026-04-02T23:00:00.000Z',
    dueDate: '2026-04-02',
    division: 'england-and-wales',
    calendarVersion: 'uk-bank-holidays-2026-08-07',
    horizonExceeded: false,
    ...changes,
  },
});

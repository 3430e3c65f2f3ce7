import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, type CivilDate, type DomainEvent } from '#kernel';
import { factsAt, registerOf, scenario } from '#kernel/testing';
import { purposeRegister, type PurposeDefined, type PurposeEvent } from '#purpose';
import type {
  AccuracyCheckDue,
  AccuracyConfirmed,
  DataCollected,
  DataCorrected,
  DataErased,
  NoticePresented,
  SubjectRegistered,
} from '#subject';
import { ART28_TERMS, type AgreementAmended, type AgreementEvent, type AgreementRecorded } from './agreement.events.js';
import { agreementRegister } from './agreement.register.js';
import type { ShareCategories, ShareData } from './disclosure.commands.js';
import { disclosureDecider, type DisclosureFacts, type DisclosureState } from './disclosure.decider.js';
import type { DataShared } from './disclosure.events.js';
import type { StatutoryInstrumentRecorded } from './instrument.events.js';
import { instrumentRegister } from './instrument.register.js';
import type { RecipientEvent, RecipientKind } from './recipient.events.js';
import { recipientRegister } from './recipient.register.js';

const ASHA = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const [email, phone, ticket] = [
  '11111111-1111-4111-8111-111111111111',
  '22222222-2222-4222-8222-222222222222',
  '33333333-3333-4333-8333-333333333333',
];
const COLLECTED = '2026-01-05T09:00:00Z';
const LATER = '2026-11-23T09:00:00Z';

const purpose = (purposeId: string, recipientKindsAllowed: readonly string[]): PurposeEvent[] => [
  {
    type: 'PurposeDefined',
    data: {
      purposeId,
      version: 1,
      author: 'ann',
      title: purposeId,
      plainWords: 'What we do with it.',
      serviceLine: 'B2B',
      commercial: false,
      basis: 'contract',
      dpiaRequired: false,
      dpvIri: 'dpv:ServiceProvision',
      fields: [],
      retention: [],
      recipientKindsAllowed,
    } satisfies PurposeDefined['data'],
  },
  {
    type: 'PurposeApproved',
    data: { purposeId, version: 1, approver: 'bob', effectiveFrom: instant('2020-01-01T00:00:00Z') },
  },
];
const recipient = (recipientId: string, kind: RecipientKind, country = 'GB'): RecipientEvent => ({
  type: 'RecipientRegistered',
  data: { recipientId, kind, name: recipientId, legalForm: 'company', country },
});
const started = (recipientId: string, from: CivilDate): RecipientEvent => ({
  type: 'GroupMembershipStarted',
  data: { recipientId, companyNumber: 'NZ123', from },
});
const agreement = (data: Partial<AgreementRecorded['data']>): AgreementRecorded => ({
  type: 'AgreementRecorded',
  data: {
    agreementId: 'mail-host-dpa',
    recipientId: 'mail-host',
    kind: 'art28',
    purposes: ['deliver-service'],
    categories: ['contact.email', 'contact.phone'],
    from: '2026-01-01',
    publicSummary: 'Our mail host sends letters for us.',
    documentHash: 'a'.repeat(64),
    checklist: ART28_TERMS,
    ...data,
  },
});
const order = (data: Partial<StatutoryInstrumentRecorded['data']> = {}): StatutoryInstrumentRecorded => ({
  type: 'StatutoryInstrumentRecorded',
  data: {
    instrumentId: 'order-2026-17',
    enactment: 'Police and Criminal Evidence Act 1984',
    section: 'Schedule 1',
    instrumentKind: 'productionOrder',
    reference: 'T20260017',
    issuer: 'Crown Court at Exeter',
    issuedOn: '2026-05-01',
    scope: { categories: ['contact.email', 'contact.phone'] },
    mandatory: true,
    reviewedBy: 'counsel',
    noTippingOff: false,
    documentHash: 'b'.repeat(64),
    ...data,
  },
});

const recipients = registerOf<RecipientEvent, typeof recipientRegister.initialState>(
  recipientRegister,
  recipient('adtech-ltd', 'THIRD_PARTY'),
  recipient('devon-police', 'AUTHORITY'),
  recipient('mail-host', 'PROCESSOR'),
  recipient('chersoft-pacific', 'GROUP', 'NZ'),
  started('chersoft-pacific', '2024-01-01'),
  { type: 'GroupMembershipEnded', data: { recipientId: 'chersoft-pacific', to: '2026-06-01' } },
  recipient('chersoft-marine', 'GROUP'),
  started('chersoft-marine', '2024-01-01'),
  { type: 'RecipientRegistered', data: { recipientId: 'self', kind: 'SELF' } },
);
const facts: DisclosureFacts = {
  ...factsAt(COLLECTED),
  recipients,
  agreements: registerOf(agreementRegister, agreement({})),
  instruments: registerOf(instrumentRegister, order()),
  purposes: registerOf(
    purposeRegister,
    ...purpose('deliver-service', ['GROUP', 'PROCESSOR', 'SELF']),
    ...purpose('answer-enquiries', ['SELF']),
  ),
};
const on = (at: string, changes: Partial<DisclosureFacts> = {}): Partial<DisclosureFacts> => ({
  ...changes,
  now: instant(LATER),
  occurredAt: instant(at),
});

const subjectId = ASHA;
const opened: SubjectRegistered = {
  type: 'SubjectRegistered',
  data: { subjectId, capacity: 'individual', subscriberType: 'individual', division: 'england-and-wales' },
};
const sealed = {
  kind: 'sealed',
  enc: 'A256GCM',
  kid: 'k',
  iv: '',
  ct: '',
  tag: '',
} as unknown as DataCollected['data']['items'][number]['value'];
const collected: DataCollected = {
  type: 'DataCollected',
  data: {
    subjectId,
    purposeId: 'deliver-service',
    purposeVersion: 1,
    basis: 'contract',
    noticeId: 'customer-privacy',
    noticeVersion: 1,
    collectionPointId: 'contact-form',
    collectionPointVersion: 1,
    source: 'subject',
    items: (
      [
        [email, 'contact.email'],
        [phone, 'contact.phone'],
        [ticket, 'support.ticket'],
      ] as const
    ).map(([itemId, category]) => ({
      itemId: itemId!,
      version: 1,
      category,
      necessity: 'required',
      keyId: `key of ${category}`,
      value: sealed,
      retention: { trigger: 'collected', period: 'P2Y' },
    })),
  },
};
const ref = (itemId: string, version = 1) => ({ itemId, version, category: 'contact.phone', keyId: 'k' });
const corrected = (fromVersion = 1): DataCorrected => ({
  type: 'DataCorrected',
  data: {
    subjectId,
    itemId: phone!,
    category: 'contact.phone',
    fromVersion,
    toVersion: fromVersion + 1,
    supersededKeyId: 'k',
    supersededPeriod: 'P12M',
    keyId: 'k2',
    value: sealed,
    reasonCode: 'inaccurate',
    recipientsToNotify: [],
  },
});
const restricted = { type: 'ProcessingRestricted', data: { subjectId, ground: '18(1)(a)' } } as const;
const lifted = { type: 'RestrictionLifted', data: { subjectId, informedAt: COLLECTED } } as const;
const doubted = {
  type: 'AccuracyDoubtRaised',
  data: { subjectId, itemId: phone!, version: 1, cause: 'subjectNotice' },
} as const;
const confirmed = {
  type: 'AccuracyConfirmed',
  data: { subjectId, itemId: phone!, version: 1, method: 'call' },
} as const;

const share = (
  recipientId: string,
  itemIds: readonly (string | undefined)[],
  changes: Partial<ShareData> = {},
): ShareData => ({
  commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87',
  actor: facts.actor,
  type: 'ShareData',
  subjectId,
  recipientId,
  purposeId: 'deliver-service',
  itemIds: itemIds.map((each) => each!),
  medium: 'api',
  ...changes,
});
const compelled = { instrumentId: 'order-2026-17' };

const { given, when: ofNobody } = scenario(disclosureDecider, facts);
const { when } = given(opened, collected);
const shared = (outcome: ReturnType<typeof when>['outcome']): DataShared['data'] => {
  if (outcome.kind !== 'accepted' || outcome.events[0]?.type !== 'DataShared')
    throw new Error(outcome.kind === 'refused' ? outcome.refusal.code : 'nothing was shared');
  return outcome.events[0].data;
};

describe('the closed door (C19)', () => {
  it('stays closed for Adtech Ltd, whatever Asha signed', () =>
    when(share('adtech-ltd', [email], { basis: 'consent', consentRef: 'consent-1' }), on(LATER)).thenRefused(
      'NOT_COMPELLED',
      { recipientId: 'adtech-ltd', recipientKind: 'THIRD_PARTY' },
    ));

  it('stays closed for a polite letter of the police', () =>
    when(share('devon-police', [email], { basis: 'recognisedLegitimateInterest' }), on(LATER)).thenRefused(
      'NOT_COMPELLED',
      { recipientId: 'devon-police', recipientKind: 'AUTHORITY' },
    ));

  it('opens no wider than the production order', () => {
    when(share('devon-police', [email, phone, ticket], compelled), on(LATER)).thenRefused('DISCLOSURE_EXCEEDS_SCOPE', {
      instrumentId: 'order-2026-17',
      categories: ['support.ticket'],
    });
    when(share('devon-police', [phone, email], compelled), on(LATER)).then({
      type: 'DataShared',
      data: {
        disclosureId: facts.id('disclosure'),
        subjectId,
        recipientId: 'devon-police',
        recipientKind: 'AUTHORITY',
        purposeId: 'deliver-service',
        purposeVersion: 1,
        categories: ['contact.email', 'contact.phone'],
        items: [
          { itemId: phone!, version: 1, category: 'contact.phone' },
          { itemId: email!, version: 1, category: 'contact.email' },
        ],
        basis: 'legalObligation',
        instrumentId: 'order-2026-17',
        medium: 'api',
        subjectCount: 1,
      },
    });
  });

  it.each([
    ['before it was issued', '2026-04-30T12:00:00Z', {}, [], 'notIssued'],
    ['after its last day', '2026-08-01T12:00:00Z', { validUntil: '2026-07-31' }, [], 'lapsed'],
    ['once it was withdrawn', LATER, {}, ['InstrumentWithdrawn'], 'withdrawn'],
    ['once it was answered', LATER, {}, ['InstrumentAnswered'], 'answered'],
  ] as const)('does not open %s', (_when, at, data, ends, reason) => {
    const events: DomainEvent[] = [order(data), ...ends.map((type) => ({ type, data: compelled }))];
    const instruments = registerOf(instrumentRegister, ...(events as StatutoryInstrumentRecorded[]));
    when(share('devon-police', [email], compelled), on(at, { instruments })).thenRefused('INSTRUMENT_NOT_IN_FORCE', {
      instrumentId: 'order-2026-17',
      reason,
    });
  });
  it('does not open for an instrument that nobody recorded, whoever asks', () => {
    for (const recipientId of ['devon-police', 'adtech-ltd', 'chersoft-marine', 'mail-host', 'self'])
      when(share(recipientId, [email], { instrumentId: 'constructor' }), on(LATER)).thenRefused(
        'INSTRUMENT_NOT_IN_FORCE',
        { instrumentId: 'constructor', reason: 'unknown' },
      );
  });

  const scoped = (scope: Partial<StatutoryInstrumentRecorded['data']['scope']>) =>
    on(LATER, {
      instruments: registerOf(instrumentRegister, order({ scope: { categories: ['contact.email'], ...scope } })),
    });
  it('opens for the people the instrument names', () => {
    when(share('devon-police', [email], compelled), scoped({ subjectIds: [ASHA] })).thenTypes('DataShared');
    when(share('devon-police', [email], compelled), scoped({ subjectIds: [email!] })).thenRefused(
      'DISCLOSURE_EXCEEDS_SCOPE',
      { instrumentId: 'order-2026-17', subjectId },
    );
  });
  it('opens for data of the period the instrument names, both days included', () => {
    when(share('devon-police', [email], compelled), scoped({ from: '2026-01-05', to: '2026-01-05' })).thenTypes(
      'DataShared',
    );
    for (const period of [{ from: '2026-01-06' }, { to: '2026-01-04' }])
      when(share('devon-police', [email], compelled), scoped(period)).thenRefused('DISCLOSURE_EXCEEDS_SCOPE', {
        instrumentId: 'order-2026-17',
        categories: ['contact.email'],
        itemIds: [email!],
      });
  });
  it('opens for the recipient the instrument names; a third party is always named', () => {
    when(share('adtech-ltd', [email], compelled), on(LATER)).thenRefused('DISCLOSURE_EXCEEDS_SCOPE', {
      instrumentId: 'order-2026-17',
      recipientId: 'adtech-ltd',
    });
    when(share('adtech-ltd', [email], compelled), scoped({ recipientIds: ['adtech-ltd'] })).thenTypes('DataShared');
    when(share('devon-police', [email], compelled), scoped({ recipientIds: ['adtech-ltd'] })).thenRefused(
      'DISCLOSURE_EXCEEDS_SCOPE',
    );
  });
});

describe('the group (I-19e)', () => {
  const abroad = { transferMechanism: 'idta' } as const;
  it('has CherSoft Pacific in it until the day it was sold, in London', () => {
    const sold = (at: string) => when(share('chersoft-pacific', [email], abroad), on(at));
    expect(shared(sold('2026-05-31T22:59:59Z').outcome)).toMatchObject({
      recipientKind: 'GROUP',
      groupCompanyNumber: 'NZ123',
      transferMechanism: 'idta',
      basis: 'contract',
    });
    sold('2026-05-31T23:00:00Z').thenRefused('NOT_GROUP_MEMBER', {
      recipientId: 'chersoft-pacific',
      date: '2026-06-01',
    });
  });
  it('needs a transfer mechanism abroad, of its own or of an agreement', () => {
    const at = '2026-05-01T09:00:00Z';
    when(share('chersoft-pacific', [email]), on(at)).thenRefused('TRANSFER_MECHANISM_MISSING', {
      recipientId: 'chersoft-pacific',
      country: 'NZ',
    });
    const agreements = registerOf(
      agreementRegister,
      agreement({
        agreementId: 'group-transfers',
        recipientId: 'chersoft-pacific',
        kind: 'intraGroup',
        transferMechanism: 'addendum',
      }),
    );
    const { outcome } = when(share('chersoft-pacific', [email]), on(at, { agreements }));
    expect(shared(outcome)).toMatchObject({ agreementId: 'group-transfers', transferMechanism: 'addendum' });
  });
  it('needs neither at home', () => when(share('chersoft-marine', [email]), on(LATER)).thenTypes('DataShared'));
  it('answers for the agreement it names', () =>
    when(share('chersoft-marine', [email], { agreementId: 'none' }), on(LATER)).thenRefused('AGREEMENT_MISSING'));
});

describe('a processor (I-19f)', () => {
  const under = (...data: Partial<AgreementRecorded['data']>[]) =>
    on(LATER, { agreements: registerOf(agreementRegister, ...data.map(agreement)) });

  it('is given what its agreement covers', () => {
    const { outcome } = when(share('mail-host', [email]), on(LATER));
    expect(shared(outcome)).toMatchObject({ recipientKind: 'PROCESSOR', agreementId: 'mail-host-dpa' });
  });
  it('is given nothing without an agreement of its kind', () => {
    for (const agreements of [under(), under({ kind: 'jointController' }), under({ recipientId: 'other' })])
      when(share('mail-host', [email]), agreements).thenRefused('AGREEMENT_MISSING', { recipientId: 'mail-host' });
  });
  it.each([{ from: '2026-11-24' }, { to: '2026-11-23' }])('is given nothing while it is not in force: %j', (data) =>
    when(share('mail-host', [email]), under(data)).thenRefused('AGREEMENT_EXPIRED', {
      recipientId: 'mail-host',
      date: '2026-11-23',
    }),
  );
  it('is given nothing beyond it', () => {
    const beyond = { recipientId: 'mail-host', agreementId: 'mail-host-dpa', purposeId: 'deliver-service' };
    when(share('mail-host', [email, ticket]), on(LATER)).thenRefused('AGREEMENT_DOES_NOT_COVER', {
      ...beyond,
      categories: ['support.ticket'],
    });
    when(share('mail-host', [email]), under({ purposes: ['send-newsletter'] })).thenRefused(
      'AGREEMENT_DOES_NOT_COVER',
      { ...beyond, categories: [] },
    );
  });
  it('is not covered by two agreements together', () =>
    when(
      share('mail-host', [email, phone]),
      under({ categories: ['contact.email'] }, { agreementId: 'second', categories: ['contact.phone'] }),
    ).thenRefused('AGREEMENT_DOES_NOT_COVER'));
  it('needs a transfer mechanism abroad', () => {
    const elsewhere = registerOf(recipientRegister, recipient('mail-host', 'PROCESSOR', 'US'));
    const abroad = (data: Partial<AgreementRecorded['data']>) => ({ ...under(data), recipients: elsewhere });
    when(share('mail-host', [email]), abroad({})).thenRefused('TRANSFER_MECHANISM_MISSING', {
      recipientId: 'mail-host',
      country: 'US',
    });
    when(share('mail-host', [email]), abroad({ transferMechanism: 'idta' })).thenTypes('DataShared');
  });
});

describe('a disclosure', () => {
  it('is about a person we know, since we know them', () => {
    ofNobody(share('self', [email])).thenRefused('SUBJECT_UNKNOWN');
    when(share('self', [email]), on('2026-01-05T08:59:59Z')).thenRefused('OCCURRED_BEFORE_OPENING');
  });
  it('goes to a recipient we know', () =>
    when(share('constructor', [email])).thenRefused('RECIPIENT_UNKNOWN', { recipientId: 'constructor' }));
  it('gives items that are held', () =>
    when(share('self', [email, ASHA])).thenRefused('ITEM_UNKNOWN', { itemIds: [ASHA] }));
  it.each(['RetentionExpired', 'DataErased'] as const)('gives nothing after %s', (type) => {
    const gone = { type, data: { subjectId, items: [ref(phone!)] } } as never;
    given(opened, collected, gone)
      .when(share('self', [email, phone]))
      .thenRefused('DATA_ERASED', { itemIds: [phone!] });
  });
  it('gives the corrected value though the old one is erased', () => {
    const erased = { type: 'DataErased', data: { subjectId, items: [ref(phone!)] } } as never;
    const { outcome } = given(opened, collected, corrected(), erased).when(share('self', [phone]));
    expect(shared(outcome).items).toEqual([{ itemId: phone, version: 2, category: 'contact.phone' }]);
  });
  it('gives the version of its time, also when it is recorded late', () => {
    const at = (time: string) => instant(time);
    const state = [
      [opened, COLLECTED],
      [collected, COLLECTED],
      [corrected(), '2026-11-22T09:00:00Z'],
    ].reduce(
      (folded, [event, time]) => disclosureDecider.evolve(folded, event as DataCorrected, at(time as string)),
      disclosureDecider.initialState,
    );
    const version = (time: string) =>
      shared(disclosureDecider.decide(share('self', [phone]), state, { ...facts, ...on(time) })).items[0]?.version;
    expect([version('2026-11-21T09:00:00Z'), version(LATER)]).toEqual([1, 2]);
  });
  it('serves a purpose in force, which reaches this kind of recipient', () => {
    when(share('self', [email], { purposeId: 'sell-data' })).thenRefused('PURPOSE_UNKNOWN', { purposeId: 'sell-data' });
    when(share('chersoft-marine', [email], { purposeId: 'answer-enquiries' }), on(LATER)).thenRefused(
      'PURPOSE_OUT_OF_SCOPE',
      { purposeId: 'answer-enquiries', recipientId: 'chersoft-marine', recipientKind: 'GROUP' },
    );
  });
  it('happens once under one id', () => {
    const disclosureId = '99999999-9999-4999-8999-999999999999';
    const first = when(share('chersoft-marine', [email, phone], { disclosureId }), on(LATER));
    first.thenRepeatedNothing();
    const done: DataShared = { type: 'DataShared', data: shared(first.outcome) };
    const { when: after } = given(opened, collected, done);
    after(share('chersoft-marine', [phone, email], { disclosureId }), on(LATER)).thenNothing();
    after(share('self', [email], { disclosureId })).thenRefused('REGISTER_ENTRY_EXISTS', { disclosureId });
  });

  it('waits while processing is restricted, unless it is compelled or to the person (I-19h)', () => {
    const { when: then } = given(opened, collected, restricted);
    then(share('chersoft-marine', [email]), on(LATER)).thenRefused('PROCESSING_RESTRICTED', {
      recipientId: 'chersoft-marine',
      purposeId: 'deliver-service',
    });
    // Whoever is given it has to be told of the restriction (Art 19), but for the person.
    expect(shared(then(share('devon-police', [email], compelled), on(LATER)).outcome).restricted).toBe(true);
    expect(shared(then(share('self', [email]), on(LATER)).outcome)).not.toHaveProperty('restricted');
    given(opened, collected, restricted, lifted)
      .when(share('chersoft-marine', [email]), on(LATER))
      .thenTypes('DataShared');
  });
  it('does not give what is kept for a hold alone, unless it is compelled or to the person (I-16d)', () => {
    const { when: then } = given(opened, collected, {
      type: 'RetentionDeferred',
      data: { subjectId, items: [{ ...ref(phone!), cause: 'legalHold', ref: 'matter-1' }] },
    });
    then(share('chersoft-marine', [email, phone]), on(LATER)).thenRefused('PROCESSING_RESTRICTED', {
      recipientId: 'chersoft-marine',
      purposeId: 'deliver-service',
      itemIds: [phone!],
    });
    then(share('chersoft-marine', [email]), on(LATER)).thenTypes('DataShared');
    then(share('devon-police', [phone], compelled), on(LATER)).thenTypes('DataShared');
    then(share('self', [phone]), on(LATER)).thenTypes('DataShared');
  });
  it('waits while an item is in doubt, unless it is compelled or to the person (C14)', () => {
    const { when: then } = given(opened, collected, doubted);
    then(share('chersoft-marine', [email, phone]), on(LATER)).thenRefused('ITEM_DISPUTED', { itemIds: [phone!] });
    then(share('chersoft-marine', [email]), on(LATER)).thenTypes('DataShared');
    then(share('devon-police', [phone], compelled), on(LATER)).thenTypes('DataShared');
    then(share('self', [phone]), on(LATER)).thenTypes('DataShared');
    for (const settled of [confirmed, corrected()])
      given(opened, collected, doubted, settled)
        .when(share('chersoft-marine', [phone]), on(LATER))
        .thenTypes('DataShared');
  });
  it('waits until the person was told of data from elsewhere (Art 14), with the same exceptions', () => {
    const elsewhere: DataCollected = { ...collected, data: { ...collected.data, source: 'thirdParty' } };
    const told: NoticePresented = {
      type: 'NoticePresented',
      data: { subjectId, noticeId: collected.data.noticeId, version: 1, how: 'sent', channel: 'post' },
    };
    const other: NoticePresented = { ...told, data: { ...told.data, noticeId: 'another' } };
    const { when: then } = given(opened, elsewhere, other);
    then(share('chersoft-marine', [email]), on(LATER)).thenRefused('ART14_NOTICE_DUE', { itemIds: [email!] });
    then(share('devon-police', [phone], compelled), on(LATER)).thenTypes('DataShared');
    then(share('self', [phone]), on(LATER)).thenTypes('DataShared');
    given(opened, elsewhere, told)
      .when(share('chersoft-marine', [email]), on(LATER))
      .thenTypes('DataShared');
  });
  it('waits while a check is overdue, with the same exceptions (I-14b)', () => {
    const due = '2026-06-01T09:00:00.000Z';
    const checked: DataCollected = {
      ...collected,
      data: { ...collected.data, items: collected.data.items.map((item) => ({ ...item, nextCheckDue: due })) },
    };
    const { when: then } = given(opened, checked);
    then(share('chersoft-marine', [email]), on('2026-06-01T08:59:59Z')).thenTypes('DataShared');
    then(share('chersoft-marine', [email]), on(due)).thenRefused('ACCURACY_CHECK_OVERDUE', { itemIds: [email!] });
    then(share('devon-police', [phone], compelled), on(LATER)).thenTypes('DataShared');
    then(share('self', [phone]), on(LATER)).thenTypes('DataShared');
    const done: AccuracyConfirmed = {
      type: 'AccuracyConfirmed',
      data: { subjectId, itemId: email!, version: 1, method: 'contactMade', nextCheckDue: '2027-06-01T09:00:00.000Z' },
    };
    const renewed: AccuracyCheckDue = {
      type: 'AccuracyCheckDue',
      data: { subjectId, itemId: email!, version: 1, due: '2026-11-20T09:00:00.000Z', cause: 'renewal' },
    };
    given(opened, checked, done)
      .when(share('chersoft-marine', [email]), on(LATER))
      .thenTypes('DataShared');
    given(opened, checked, done, renewed)
      .when(share('chersoft-marine', [email]), on(LATER))
      .thenRefused('ACCURACY_CHECK_OVERDUE', { itemIds: [email!] });
  });
});

describe('a part of a disclosure about many (I-19g)', () => {
  const part = (more: Partial<ShareCategories> = {}) =>
    ({
      ...share('mail-host', []),
      type: 'ShareCategories',
      disclosureId: '88888888-8888-4888-8888-888888888888',
      categories: ['contact.email', 'contact.phone'],
      subjectCount: 10_000,
      ...more,
    }) as ShareCategories;
  const items = (outcome: { readonly kind: string }) =>
    shared(outcome as never).items.map(({ itemId, version }) => [itemId, version]);

  it('gives what is held of the categories for the purpose, in the versions in use', () => {
    const known = given(opened, collected, corrected());
    const { outcome } = known.when(part(), on(LATER));
    expect(items(outcome)).toEqual([
      [email, 1],
      [phone, 2],
    ]);
    expect(shared(outcome as never)).toMatchObject({ subjectCount: 10_000, agreementId: 'mail-host-dpa' });
    known.when(part(), on(LATER)).thenRepeatedNothing();
  });
  it('gives nothing that is gone, and is refused when nothing is left', () => {
    const gone = { type: 'DataErased', data: { subjectId, items: [ref(email!)] } } as unknown as DataErased;
    const left = given(opened, collected, gone);
    expect(items(left.when(part(), on(LATER)).outcome)).toEqual([[phone, 1]]);
    left
      .when(part({ categories: ['contact.email'] }), on(LATER))
      .thenRefused('ITEM_NOT_HELD_FOR_PURPOSE', { purposeId: 'deliver-service', categories: ['contact.email'] });
  });
  it('gives nothing that is held for another purpose', () =>
    given(opened, collected)
      .when(part({ recipientId: 'self', purposeId: 'answer-enquiries' }), on(LATER))
      .thenRefused('ITEM_NOT_HELD_FOR_PURPOSE'));
  it('is judged like any other disclosure', () =>
    given(opened, collected, restricted).when(part(), on(LATER)).thenRefused('PROCESSING_RESTRICTED'));
});

describe('a version that was replaced before the disclosure was recorded', () => {
  it('is marked, so that its holder is told', () => {
    const evolve = disclosureDecider.evolve;
    const before = [opened, collected].reduce<DisclosureState>(
      (state, event) => evolve(state, event, instant(COLLECTED)),
      disclosureDecider.initialState,
    );
    const state = evolve(before, corrected(), instant('2026-06-01T09:00:00Z'));
    const decided = (at: string) =>
      shared(disclosureDecider.decide(share('chersoft-marine', [phone]), state, { ...facts, ...on(at) }) as never)
        .items;
    expect(decided('2026-05-31T09:00:00Z')).toEqual([
      { itemId: phone, version: 1, category: 'contact.phone', replacedBy: 2 },
    ]);
    expect(decided('2026-06-01T09:00:00Z')).toEqual([{ itemId: phone, version: 2, category: 'contact.phone' }]);
  });
});

describe('an agreement with a processor', () => {
  const door = (...data: readonly Partial<AgreementRecorded['data']>[]) =>
    given(opened, collected).when(
      share('mail-host', [email]),
      on(LATER, { agreements: registerOf(agreementRegister, ...data.map(agreement)) }),
    );
  it('opens nothing without all the terms of Art 28(3), and the refusal names those it lacks', () =>
    door({ checklist: ART28_TERMS.slice(0, 6) }).thenRefused('AGREEMENT_DOES_NOT_COVER', {
      recipientId: 'mail-host',
      agreementId: 'mail-host-dpa',
      purposeId: 'deliver-service',
      categories: [],
      missingTerms: ['deleteOrReturn', 'audit'],
    }));
  it('that is whole serves beside one that is not', () => {
    const { outcome } = door({ checklist: [] }, { agreementId: 'mail-host-new' });
    expect(shared(outcome as never)).toMatchObject({ agreementId: 'mail-host-new' });
  });
  it('says on each day what its version of that day says', () => {
    const amended: AgreementAmended = {
      type: 'AgreementAmended',
      data: {
        agreementId: 'mail-host-dpa',
        recipientId: 'mail-host',
        version: 2,
        purposes: ['deliver-service'],
        categories: ['contact.phone'],
        from: '2026-06-01',
        publicSummary: 'Our mail host calls for us.',
        documentHash: 'c'.repeat(64),
        checklist: ART28_TERMS,
      },
    };
    const agreements = registerOf<AgreementEvent, typeof agreementRegister.initialState>(
      agreementRegister,
      agreement({}),
      amended,
    );
    const known = given(opened, collected);
    known.when(share('mail-host', [email]), on('2026-05-31T09:00:00Z', { agreements })).thenTypes('DataShared');
    known
      .when(share('mail-host', [email]), on('2026-06-01T09:00:00Z', { agreements }))
      .thenRefused('AGREEMENT_DOES_NOT_COVER', {
        recipientId: 'mail-host',
        agreementId: 'mail-host-dpa',
        purposeId: 'deliver-service',
        categories: ['contact.email'],
      });
  });
});

describe('whatever is sent', () => {
  const itemIds = fc.uniqueArray(fc.constantFrom(email!, phone!, ticket!), { minLength: 1 });
  const recipientId = fc.constantFrom(...recipients.keys());
  const history = fc.array(fc.constantFrom(restricted, lifted, doubted, confirmed, corrected()), { maxLength: 5 });
  const command = fc
    .record({
      recipientId,
      itemIds,
      more: fc.record(
        {
          instrumentId: fc.constantFrom('order-2026-17', 'none'),
          consentRef: fc.constant('consent-1'),
          basis: fc.constantFrom('consent', 'legitimateInterests', 'recognisedLegitimateInterest'),
          transferMechanism: fc.constant('idta'),
        } as const,
        { requiredKeys: [] },
      ),
    })
    .map(({ recipientId: to, itemIds: items, more }) => share(to, items, more as Partial<ShareData>));

  it('gives nothing a second time when it is repeated', () => {
    fc.assert(
      fc.property(history, command, (before, sent) => {
        const answer = given(opened, collected, ...before).when(sent, on(LATER));
        if (answer.outcome.kind === 'accepted') answer.thenRepeatedNothing();
      }),
    );
  });
  it('never reaches a third party or an authority without an instrument', () => {
    fc.assert(
      fc.property(history, command, (before, sent) => {
        const { outcome } = given(opened, collected, ...before).when(sent, on(LATER));
        if (outcome.kind !== 'accepted') return;
        const { recipientKind, instrumentId, categories } = shared(outcome);
        if (recipientKind !== 'AUTHORITY' && recipientKind !== 'THIRD_PARTY') return;
        expect(instrumentId).toBe('order-2026-17');
        expect(order().data.scope.categories).toEqual(expect.arrayContaining([...categories]));
      }),
    );
  });
});

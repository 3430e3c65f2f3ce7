import { describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { noticeVersion } from '#notice';
import {
  expanded,
  irisIn,
  MANDATORY,
  MANDATORY_OF_RECEIPT,
  receiptProblems,
  recordProblems,
  roundTrip,
  strangersIn,
  without,
  type Document,
} from '../../test/consent-documents.js';
import {
  consentExport,
  consentReceipt,
  consentRecord,
  type ConsentToRecord,
  type HappenedToConsent,
  type Node,
} from './consent.record.js';
import { basisTerm, CONSENT_STATUS, rightTerms } from './consent.vocabulary.js';
import { consentId, definition, LATER, OLDER, registers, STATEMENT, subjectId } from './testing/index.js';

const events: readonly HappenedToConsent[] = [
  { type: 'ConsentRequested', at: '2026-03-02T08:00:00.000Z', method: 'webForm' },
  { type: 'ConsentGiven', at: '2026-03-02T09:00:00.000Z', method: 'webForm' },
  { type: 'ConsentUpheld', at: '2026-06-01T00:00:00.000Z' },
  { type: 'ConsentWithdrawn', at: '2026-07-01T00:00:00.000Z', method: 'phone' },
];
const consent = (changes: Partial<ConsentToRecord> = {}): ConsentToRecord => ({
  consentId,
  subjectId,
  channel: 'email',
  purposeId: 'news',
  purposeVersion: 1,
  purpose: definition({
    fields: [
      { category: 'contact.email', necessity: 'required', justification: 'News goes there.' },
      { category: 'contact.hobby', necessity: 'optional', justification: 'News is about it.' },
      { category: 'special.diet', necessity: 'optional', justification: 'For the buffet.', special: true },
    ],
    retention: [
      { category: 'contact.email', trigger: 'collected', period: 'P24M', action: 'erase', legalRef: 'Art 5' },
      { category: 'contact.hobby', trigger: 'lastReliedOn', period: 'P1Y', action: 'review', legalRef: 'Art 5' },
    ],
    recipientKindsAllowed: ['SELF', 'PROCESSOR'],
  }),
  notice: noticeVersion(registers.notices, 'privacy', 1)!,
  statementHash: STATEMENT,
  affirmativeAct: 'tickedBox',
  givenBy: 'subject',
  controller: { recipientId: 'house', kind: 'GROUP', name: 'House Ltd', country: 'GB' },
  recipients: [{ recipientId: 'mail-host', kind: 'PROCESSOR', name: 'Mail Host Ltd', country: 'NZ' }],
  collectionPoints: [
    {
      collectionPointId: 'news-form',
      version: 1,
      registeredAt: instant('2020-01-01T00:00:00Z'),
      kind: 'webForm',
      title: 'News form',
      explanation: 'You ask for news here.',
      purposes: ['news'],
      fields: [],
      noticeId: 'privacy',
    },
  ],
  events,
  ...changes,
});
const record = (changes: Partial<ConsentToRecord> = {}) => consentRecord(consent(changes)) as Document;
const exported = (...records: readonly Document[]) => consentExport(records as readonly Node[]) as Document;
const receipt = (changes: Partial<ConsentToRecord> = {}) =>
  consentReceipt(consent(changes), instant(LATER)) as Document;
const at = (document: Document, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((node, step) => (node as Record<string | number, unknown>)[step], document);

describe('the record of a consent', () => {
  it('has everything that the profile asks for', () => expect(recordProblems(record())).toEqual([]));
  it.each(MANDATORY)('is none without its %s', (_what, place) =>
    expect(recordProblems(without(record(), place))).not.toEqual([]),
  );
  it('is none with anything else, or with a person named', () => {
    expect(recordProblems({ ...record(), 'dpv:hasNote': 'x' })).not.toEqual([]);
    const named = { ...record(), 'dpv:hasDataSubject': { '@id': 'mailto:asha@example.test' } };
    expect(recordProblems(named)).not.toEqual([]);
  });

  it('says the same in every spelling, and loses nothing', async () => {
    const document = exported(record(), record({ consentId: OLDER }));
    expect(await roundTrip(document)).toEqual(document);
    expect(await roundTrip(receipt())).toEqual(receipt());
  });
  it('names only what the vocabularies have', async () => {
    const iris = await expanded(receipt());
    expect(strangersIn(iris)).toEqual([]);
    expect(irisIn(iris)).toEqual(
      expect.arrayContaining(['https://w3id.org/dpv#ConsentGiven', 'https://w3id.org/dpv/pd#EmailAddress']),
    );
  });
  it('would be found out if it did not', async () => {
    const odd = { ...receipt(), 'dpv:hasMood': 'good', '@type': 'dpv:ConsentPoem' };
    expect(strangersIn(await expanded(odd))).toEqual([
      'https://w3id.org/dpv#ConsentPoem',
      'https://w3id.org/dpv#hasMood',
    ]);
    await expect(expanded({ ...receipt(), mood: 'good' })).rejects.toThrow();
    await expect(expanded({ '@context': 'https://w3id.org/dpv/context' })).rejects.toThrow();
  });

  it('tells the states in the words of the vocabulary, one after the other', () =>
    expect(at(record(), 'dpv:hasConsentStatus')).toEqual([
      {
        '@type': 'dpv:ConsentRequested',
        'dpv:hasLegalBasis': ['dpv:ExpressedConsent'],
        'dpv:isIndicatedAtTime': '2026-03-02T08:00:00.000Z',
        'dpv:hasDuration': { '@type': 'dpv:UntilEventDuration', 'rdf:value': 'the person answers' },
        'dpv:isIndicatedBy': ['ex:recipient/house'],
        'dpv:hasIndicationMethod': ['webForm'],
      },
      {
        '@type': 'dpv:ConsentGiven',
        'dpv:hasLegalBasis': ['dpv:ExpressedConsent'],
        'dpv:isIndicatedAtTime': '2026-03-02T09:00:00.000Z',
        'dpv:hasDuration': { '@type': 'dpv:UntilEventDuration', 'rdf:value': 'the person withdraws the consent' },
        'dpv:isIndicatedBy': [`urn:uuid:${subjectId}`],
        'dpv:hasIndicationMethod': ['webForm', 'tickedBox'],
      },
      {
        '@type': 'dpv:ConsentWithdrawn',
        'dpv:hasLegalBasis': ['dpv:ExpressedConsent'],
        'dpv:isIndicatedAtTime': '2026-07-01T00:00:00.000Z',
        'dpv:hasDuration': { '@type': 'dpv:UntilEventDuration', 'rdf:value': 'the person consents anew' },
        'dpv:isIndicatedBy': [`urn:uuid:${subjectId}`],
        'dpv:hasIndicationMethod': ['phone'],
      },
    ]));
  it.each(Object.entries(CONSENT_STATUS).filter(([, state]) => state !== undefined))(
    'holds %s as %s',
    async (type, state) => {
      const happened = { type, at: '2026-03-02T09:00:00.000Z', reason: 'noticeWrong' } as HappenedToConsent;
      const one = record({ events: [happened] });
      expect(at(one, 'dpv:hasConsentStatus', 0, '@type')).toBe(state);
      expect(recordProblems(one)).toEqual([]);
      expect(strangersIn(await expanded(exported(one)))).toEqual([]);
    },
  );
  it('says until when a consent was agreed', () =>
    expect(at(record({ expiresAt: '2027-01-01T00:00:00.000Z' }), 'dpv:hasConsentStatus', 1, 'dpv:hasDuration')).toEqual(
      { '@type': 'dpv:UntilTimeDuration', 'rdf:value': '2027-01-01T00:00:00.000Z' },
    ));
  it.each([
    ['parent', { '@type': 'dpv:ParentOfDataSubject' }],
    ['agent', { '@type': 'dpv:Entity', 'dct:type': 'agent of the data subject', 'ex:authorityRef': 'mandate-7' }],
  ] as const)('says that a %s gave it', async (givenBy, who) => {
    const given = record({ givenBy, ...(givenBy === 'agent' && { authorityRef: 'mandate-7' }) });
    expect(at(given, 'dpv:hasConsentStatus', 1, 'dpv:isIndicatedBy')).toEqual([who]);
    expect(recordProblems(given)).toEqual([]);
    const document = exported(given);
    expect(await roundTrip(document)).toEqual(document);
  });
  it('points to the consent it renews, and to the one that renewed it', () =>
    expect(record({ renews: OLDER, renewedBy: subjectId })).toMatchObject({
      'dct:replaces': `urn:uuid:${OLDER}`,
      'dct:isReplacedBy': `urn:uuid:${subjectId}`,
    }));

  it('takes data, retention, recipients and rights from the purpose', () => {
    const process = at(record(), 'dpv:hasProcess', 0) as Document;
    expect(process['dpv:hasPersonalData']).toEqual([
      {
        '@type': 'dpv:PersonalData',
        'skos:broader': 'pd:EmailAddress',
        'dct:identifier': 'contact.email',
        'dpv:hasNecessity': 'dpv:Required',
      },
      {
        '@type': 'dpv:PersonalData',
        'skos:broader': 'dpv:PersonalData',
        'dct:identifier': 'contact.hobby',
        'dpv:hasNecessity': 'dpv:Optional',
      },
      {
        '@type': 'dpv:SpecialCategoryPersonalData',
        'skos:broader': 'dpv:PersonalData',
        'dct:identifier': 'special.diet',
        'dpv:hasNecessity': 'dpv:Optional',
      },
    ]);
    expect(process['dpv:hasStorageCondition']).toEqual([
      {
        '@type': ['dpv:StorageDuration', 'dpv:StorageDeletion'],
        'dct:identifier': 'contact.email',
        'dpv:hasDuration': { '@type': 'dpv:TemporalDuration', 'rdf:value': 'P24M' },
        'ex:countedFrom': 'collected',
        'ex:atItsEnd': 'erase',
      },
      {
        '@type': 'dpv:StorageDuration',
        'dct:identifier': 'contact.hobby',
        'dpv:hasDuration': { '@type': 'dpv:TemporalDuration', 'rdf:value': 'P1Y' },
        'ex:countedFrom': 'lastReliedOn',
        'ex:atItsEnd': 'review',
      },
      { '@type': 'dpv:StorageLocation', 'dpv:hasLocation': ['loc:GB', 'loc:NZ'] },
    ]);
    expect(process['dpv:hasRecipient']).toEqual([
      'ex:recipient/house',
      `urn:uuid:${subjectId}`,
      'ex:recipient/mail-host',
    ]);
    expect(process['dpv:hasConsentControl']).toEqual([
      {
        '@type': 'dpv:WithdrawConsent',
        'dpv:isExercisedAt': [
          { '@id': 'ex:collection-point/news-form', 'dct:title': 'News form', 'dct:type': 'webForm' },
          'ex:notice/privacy/1',
        ],
      },
    ]);
  });
  it('names every category of recipient that the purpose allows', () => {
    const everyone = definition({ recipientKindsAllowed: ['SELF', 'GROUP', 'PROCESSOR', 'AUTHORITY', 'THIRD_PARTY'] });
    expect(at(record({ purpose: everyone }), 'dpv:hasProcess', 0, 'dpv:hasRecipient')).toEqual([
      'ex:recipient/house',
      `urn:uuid:${subjectId}`,
      'ex:recipient/mail-host',
      'dpv:Authority',
      'dpv:ThirdParty',
    ]);
    expect(recordProblems(record({ purpose: everyone }))).toEqual([]);
  });
  it('tells how to reach the controller where the registers know', () => {
    const controller = { ...consent().controller, address: '1 High Street, Dover', contact: 'privacy@house.test' };
    const reachable = record({ controller });
    expect(at(reachable, 'dpv:hasEntity', 0)).toMatchObject({
      '@type': ['dpv:Organisation', 'dpv:DataController'],
      'dpv:hasName': 'House Ltd',
      'dpv:hasAddress': '1 High Street, Dover',
      'dpv:hasContact': 'privacy@house.test',
    });
    expect(recordProblems(reachable)).toEqual([]);
  });
  it('mints the one basis that the vocabulary lacks', async () => {
    const interest = record({
      purpose: definition({ basis: 'recognisedLegitimateInterest', rliCondition: 'crime' }),
    });
    expect(at(interest, 'dpv:hasProcess', 0, 'dpv:hasLegalBasis')).toEqual([
      { '@id': 'ex:uk-A6-1-ea', 'skos:broader': 'dpv:LegitimateInterest', 'dct:description': 'crime' },
    ]);
    expect(recordProblems(interest)).toEqual([]);
    const document = exported(interest);
    expect(await roundTrip(document)).toEqual(document);
    expect(strangersIn(await expanded(document))).toEqual([]);
  });
});

describe('terms', () => {
  it.each([
    ['consent', 'eu-gdpr:A6-1-a'],
    ['contract', 'eu-gdpr:A6-1-b'],
    ['legalObligation', 'eu-gdpr:A6-1-c'],
    ['vitalInterests', 'eu-gdpr:A6-1-d'],
    ['publicTask', 'eu-gdpr:A6-1-e'],
    ['legitimateInterests', 'eu-gdpr:A6-1-f'],
  ] as const)('for %s is %s', (basis, term) => expect(basisTerm(basis)).toBe(term));
  it('for rights follow the basis, and marketing', () => {
    expect(rightTerms(definition({ commercial: false }))).toContain('eu-gdpr:A20');
    expect(rightTerms(definition({ commercial: false }))).not.toContain('eu-gdpr:A21');
    expect(rightTerms(definition({ commercial: true }))).toContain('eu-gdpr:A21');
    expect(rightTerms(definition({ basis: 'legitimateInterests', commercial: false }))).toContain('eu-gdpr:A21');
    expect(rightTerms(definition({ basis: 'legitimateInterests' }))).not.toContain('eu-gdpr:A20');
  });
});

describe('a receipt', () => {
  it('has everything that the profile asks for', () => expect(receiptProblems(receipt())).toEqual([]));
  it.each(MANDATORY_OF_RECEIPT)('is none without its %s', (_what, place) =>
    expect(receiptProblems(without(receipt(), place))).not.toEqual([]),
  );
  it('is none about a record that is none', () =>
    expect(receiptProblems(without(receipt(), 'dpv:hasRecordOfActivity|0|dpv:hasNotice'))).not.toEqual([]));
  it('has an id of its own for each time it is made', () => {
    expect(receipt()).toEqual(receipt());
    const later = consentReceipt(consent(), instant('2026-12-01T00:00:00Z'));
    expect(later['dct:identifier']).not.toBe(receipt()['dct:identifier']);
    expect(receipt()).toMatchObject({
      'dct:created': '2026-11-23T09:00:00.000Z',
      'dct:publisher': 'ex:recipient/house',
    });
  });
});

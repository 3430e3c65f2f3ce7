import { uuidV5, type Instant, type Json } from '#kernel';
import type { NoticeVersion } from '#notice';
import type { CollectionPoint, PurposeDefinition } from '#purpose';
import type { RecipientKind } from '#sharing';
import type { ConsentEvent, ConsentGiver, ConsentMethod } from './consent.events.js';
import {
  basisTerm,
  categoryTerm,
  CONSENT_CONTEXT,
  CONSENT_STATUS,
  RECEIPT_PROFILE,
  RECORD_PROFILE,
  rightTerms,
} from './consent.vocabulary.js';

/** An organisation as exports name it. */
export interface Party {
  readonly recipientId: string;
  readonly kind: RecipientKind;
  readonly name: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

/** The controller, with how to reach it where the registers say. */
export interface ControllerParty extends Party {
  readonly address?: string;
  readonly contact?: string;
}

/** One consent, and what the registers say about it. */
export interface ConsentToRecord {
  readonly consentId: string;
  readonly subjectId: string;
  readonly channel: string;
  readonly purposeId: string;
  readonly purposeVersion: number;
  /** The purpose as it was agreed to. */
  readonly purpose: PurposeDefinition;
  readonly notice: NoticeVersion;
  readonly statementHash?: string;
  readonly affirmativeAct?: string;
  readonly givenBy?: ConsentGiver;
  readonly authorityRef?: string;
  readonly expiresAt?: string;
  readonly renews?: string;
  readonly renewedBy?: string;
  readonly controller: ControllerParty;
  /** Members of the group and processors that could be given the data when the person was asked. */
  readonly recipients: readonly Party[];
  /** Where a consent is given and taken back today. */
  readonly collectionPoints: readonly CollectionPoint[];
  /** In the order in which they were recorded. */
  readonly events: readonly HappenedToConsent[];
}

export interface HappenedToConsent {
  readonly type: ConsentEvent['type'];
  readonly at: string;
  readonly method?: ConsentMethod;
  readonly reason?: string;
}

/** A node of a JSON-LD document under {@link CONSENT_CONTEXT}. */
export type Node = Readonly<Record<string, Json>>;

const urn = (id: string): string => `urn:uuid:${id}`;
const partyIri = ({ recipientId }: Party): string => `ex:recipient/${recipientId}`;
const noticeIri = ({ noticeId, version }: NoticeVersion): string => `ex:notice/${noticeId}/${version}`;
const pointIri = ({ collectionPointId }: CollectionPoint): string => `ex:collection-point/${collectionPointId}`;
const location = ({ country }: Party): string => `loc:${country}`;

/**
 * The record of one consent after ISO/IEC TS 27560:2023, by the profile of the Data Privacy Vocabulary. Persons are
 * opaque ids, and nobody who works for the controller is named: it may be handed to the person and to auditors. The
 * context is the document's.
 */
export function consentRecord(consent: ConsentToRecord): Node {
  const { consentId, subjectId, controller, recipients } = consent;
  return {
    '@id': urn(consentId),
    '@type': 'dpv:ConsentRecord',
    'dct:conformsTo': RECORD_PROFILE,
    'dct:identifier': consentId,
    'dpv:hasIdentifier': consentId,
    ...(consent.renews !== undefined && { 'dct:replaces': urn(consent.renews) }),
    ...(consent.renewedBy !== undefined && { 'dct:isReplacedBy': urn(consent.renewedBy) }),
    'dpv:hasDataSubject': { '@id': urn(subjectId), '@type': 'dpv:DataSubject', 'dct:identifier': subjectId },
    'dpv:hasNotice': [noticeNode(consent)],
    'dpv:hasProcess': [processNode(consent)],
    'dpv:hasEntity': [
      entityNode(controller, 'dpv:DataController'),
      ...recipients
        .filter(({ recipientId }) => recipientId !== controller.recipientId)
        .map((party) => entityNode(party, party.kind === 'PROCESSOR' ? 'dpv:DataProcessor' : 'dpv:Recipient')),
    ],
    'dpv:hasConsentStatus': consent.events.flatMap((event) => statusNode(consent, event)),
  };
}

/** Records as one document. */
export function consentExport(records: readonly Node[]): Node {
  return { '@context': CONSENT_CONTEXT, '@graph': records };
}

/** A receipt for the person: the record of one consent, as it stood when the receipt was made. */
export function consentReceipt(consent: ConsentToRecord, createdAt: Instant): Node {
  const receiptId = uuidV5(consent.consentId, `receipt ${createdAt}`);
  return {
    '@context': CONSENT_CONTEXT,
    '@id': urn(receiptId),
    '@type': 'dpv:ConsentReceipt',
    'dct:conformsTo': RECEIPT_PROFILE,
    'dct:identifier': receiptId,
    'dpv:hasIdentifier': receiptId,
    'dct:created': createdAt,
    'dct:publisher': partyIri(consent.controller),
    'dpv:hasRecordOfActivity': [consentRecord(consent)],
  };
}

function noticeNode({ notice, statementHash }: ConsentToRecord): Node {
  return {
    '@id': noticeIri(notice),
    '@type': 'dpv:ConsentNotice',
    'dct:identifier': `${notice.noticeId}/${notice.version}`,
    'dct:title': notice.title,
    'dct:language': notice.language,
    'dct:date': notice.effectiveFrom,
    'ex:contentHash': notice.contentHash,
    ...(statementHash !== undefined && { 'ex:statementHash': statementHash }),
  };
}

function processNode(consent: ConsentToRecord): Node {
  const { purpose, purposeId, purposeVersion, notice, controller, collectionPoints } = consent;
  return {
    '@type': 'dpv:Process',
    'dpv:hasPurpose': [
      {
        '@id': `ex:purpose/${purposeId}/${purposeVersion}`,
        '@type': 'dpv:Purpose',
        'skos:broader': purpose.dpvIri,
        'dct:title': purpose.title,
        'dct:description': purpose.plainWords,
      },
    ],
    'ex:channel': consent.channel,
    'dpv:hasPersonalData': personalDataNodes(purpose),
    'dpv:hasLegalBasis': [basisTerm(purpose.basis, purpose.rliCondition)],
    'dpv:hasStorageCondition': storageNodes(consent),
    'dpv:hasDataController': [partyIri(controller)],
    'dpv:hasRecipient': recipientIris(consent),
    'dpv:hasConsentControl': [
      { '@type': 'dpv:WithdrawConsent', 'dpv:isExercisedAt': [...collectionPoints.map(pointNode), noticeIri(notice)] },
    ],
    'dpv:hasJurisdiction': ['loc:GB'],
    'dpv:hasApplicableLaw': ['legal-gb:law-GDPR', 'legal-gb:law-DPA'],
    'dpv:hasRight': rightTerms(purpose).map((right) => ({
      '@type': ['dpv:DataSubjectRight', right],
      'dpv:isExercisedAt': [noticeIri(notice)],
    })),
  };
}

const pointNode = (point: CollectionPoint): Node => ({
  '@id': pointIri(point),
  'dct:title': point.title,
  'dct:type': point.kind,
});

function personalDataNodes({ fields }: PurposeDefinition): readonly Node[] {
  if (fields.length === 0) return [{ '@type': 'dpv:PersonalData', 'skos:broader': 'dpv:PersonalData' }];
  return fields.map(({ category, necessity, special }) => ({
    '@type': special === true ? 'dpv:SpecialCategoryPersonalData' : 'dpv:PersonalData',
    'skos:broader': categoryTerm(category),
    'dct:identifier': category,
    'dpv:hasNecessity': necessity === 'required' ? 'dpv:Required' : 'dpv:Optional',
  }));
}

/** How long each category is kept, as the purpose was agreed to, and the countries it may be kept in. */
function storageNodes({ purpose, controller, recipients }: ConsentToRecord): readonly Node[] {
  return [
    ...purpose.retention.map(({ category, trigger, period, action }): Node => ({
      '@type': action === 'erase' ? ['dpv:StorageDuration', 'dpv:StorageDeletion'] : 'dpv:StorageDuration',
      'dct:identifier': category,
      'dpv:hasDuration': { '@type': 'dpv:TemporalDuration', 'rdf:value': period },
      'ex:countedFrom': trigger,
      'ex:atItsEnd': action,
    })),
    { '@type': 'dpv:StorageLocation', 'dpv:hasLocation': [...new Set([controller, ...recipients].map(location))] },
  ];
}

function recipientIris({ subjectId, purpose, controller, recipients }: ConsentToRecord): readonly string[] {
  const kinds = new Set(purpose.recipientKindsAllowed);
  return [
    ...new Set([
      partyIri(controller),
      ...(kinds.has('SELF') ? [urn(subjectId)] : []),
      ...recipients.map(partyIri),
      ...(kinds.has('AUTHORITY') ? ['dpv:Authority'] : []),
      ...(kinds.has('THIRD_PARTY') ? ['dpv:ThirdParty'] : []),
    ]),
  ];
}

function entityNode(party: ControllerParty, role: string): Node {
  return {
    '@id': partyIri(party),
    '@type': ['dpv:Organisation', role],
    'dpv:hasIdentifier': party.recipientId,
    'dpv:hasName': party.name,
    'dpv:hasLocation': [location(party)],
    ...(party.address !== undefined && { 'dpv:hasAddress': party.address }),
    ...(party.contact !== undefined && { 'dpv:hasContact': party.contact }),
  };
}

function statusNode(consent: ConsentToRecord, { type, at, method, reason }: HappenedToConsent): readonly Node[] {
  const state = CONSENT_STATUS[type];
  if (state === undefined) return [];
  const agreed = type === 'ConsentGiven' || type === 'ConsentRenewed';
  const how = [method, agreed ? consent.affirmativeAct : undefined].filter((word) => word !== undefined);
  return [
    {
      '@type': state,
      'dpv:hasLegalBasis': ['dpv:ExpressedConsent'],
      'dpv:isIndicatedAtTime': at,
      'dpv:hasDuration': durationNode(consent, type),
      'dpv:isIndicatedBy': [whoIndicated(consent, type)],
      ...(how.length > 0 && { 'dpv:hasIndicationMethod': how }),
      ...(reason !== undefined && { 'ex:reason': reason }),
    },
  ];
}

/** How long what was indicated lasts, as it was indicated. */
function durationNode({ expiresAt }: ConsentToRecord, type: ConsentEvent['type']): Node {
  switch (type) {
    case 'ConsentRequested':
      return { '@type': 'dpv:UntilEventDuration', 'rdf:value': 'the person answers' };
    case 'ConsentGiven':
    case 'ConsentRenewed':
      return expiresAt === undefined
        ? { '@type': 'dpv:UntilEventDuration', 'rdf:value': 'the person withdraws the consent' }
        : { '@type': 'dpv:UntilTimeDuration', 'rdf:value': expiresAt };
    case 'ConsentRefused':
    case 'ConsentWithdrawn':
    case 'ConsentExpired':
    case 'ConsentInvalidated':
    case 'ConsentUpheld':
      return { '@type': 'dpv:UntilEventDuration', 'rdf:value': 'the person consents anew' };
  }
}

/** Who said so: the person or whoever spoke for them; the controller, where it asked or found. */
function whoIndicated(consent: ConsentToRecord, type: ConsentEvent['type']): Json {
  switch (type) {
    case 'ConsentGiven':
    case 'ConsentRenewed':
      return giver(consent);
    case 'ConsentRefused':
    case 'ConsentWithdrawn':
      return urn(consent.subjectId);
    case 'ConsentRequested':
    case 'ConsentExpired':
    case 'ConsentInvalidated':
    case 'ConsentUpheld':
      return partyIri(consent.controller);
  }
}

function giver({ subjectId, givenBy, authorityRef }: ConsentToRecord): Json {
  if (givenBy === undefined || givenBy === 'subject') return urn(subjectId);
  return {
    '@type': givenBy === 'parent' ? 'dpv:ParentOfDataSubject' : 'dpv:Entity',
    ...(givenBy === 'agent' && { 'dct:type': 'agent of the data subject' }),
    ...(authorityRef !== undefined && { 'ex:authorityRef': authorityRef }),
  };
}

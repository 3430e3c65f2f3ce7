import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import jsonld from 'jsonld';

/*
 * Consent records and receipts as a recipient checks them: by their JSON Schemas, by a JSON-LD processor that may not
 * fetch anything, and by the names that the vocabularies really have.
 */

export type Document = Readonly<Record<string, unknown>>;

const schema = (name: string): Document =>
  JSON.parse(readFileSync(new URL(`../libs/consent/${name}.schema.json`, import.meta.url), 'utf8')) as Document;
export const RECORD_SCHEMA = schema('consent-record');
export const RECEIPT_SCHEMA = schema('consent-receipt');

const ajv = new Ajv({
  allErrors: true,
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  strictTuples: false,
});
const isRecord = ajv.addSchema(RECORD_SCHEMA).getSchema(String(RECORD_SCHEMA['$id']))!;
const isReceipt = ajv.compile(RECEIPT_SCHEMA);

/** What is wrong with a record, as `place rule`; nothing when it is one. */
export function recordProblems(record: unknown): readonly string[] {
  void isRecord(record);
  return (isRecord.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

/** What is wrong with a receipt. */
export function receiptProblems(receipt: unknown): readonly string[] {
  void isReceipt(receipt);
  return (isReceipt.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const OFFLINE = {
  documentLoader: (url: string): never => {
    throw new Error(`a document had to be fetched: ${url}`);
  },
  safe: true,
} as const;

/** The document with every term spelled out. Fails where a term would be dropped or something fetched. */
export const expanded = (document: Document): Promise<readonly Document[]> => jsonld.expand(document, OFFLINE);

/** The document after it was spelled out and written under its own context again. */
export const roundTrip = async (document: Document): Promise<Document> =>
  jsonld.compact(await expanded(document), document['@context'], { ...OFFLINE, graph: '@graph' in document });

/** Every IRI within an expanded document: names of members, types, references and types of values. */
export function irisIn(value: unknown): readonly string[] {
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null) return;
    for (const [name, member] of Object.entries(node)) {
      if (!name.startsWith('@')) found.add(name);
      if (name === '@id') found.add(String(member));
      else if (name === '@type') [member].flat().forEach((type) => found.add(String(type)));
      else visit(member);
    }
  };
  visit(value);
  return [...found];
}

const terms = (namespace: string, names: string): readonly string[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => `${namespace}${name}`);

/** What may be named: terms that stand in the Data Privacy Vocabulary 2.3, its extensions and profile, and around it. */
export const NAMES: ReadonlySet<string> = new Set([
  ...terms(
    'https://w3id.org/dpv#',
    `ConsentRecord ConsentReceipt ConsentNotice DataSubject ParentOfDataSubject Entity Organisation DataController
     DataProcessor Recipient Authority ThirdParty Process Purpose DirectMarketing PersonalData
     SpecialCategoryPersonalData Required Optional StorageDuration StorageDeletion StorageLocation TemporalDuration
     UntilTimeDuration UntilEventDuration WithdrawConsent DataSubjectRight ExpressedConsent LegitimateInterest
     ConsentRequested ConsentGiven RenewedConsentGiven ConsentRefused ConsentWithdrawn ConsentExpired ConsentInvalidated
     hasIdentifier hasDataSubject hasNotice hasProcess hasEntity hasConsentStatus hasPurpose hasPersonalData
     hasNecessity hasLegalBasis hasStorageCondition hasDuration hasLocation hasDataController hasRecipient
     hasConsentControl isExercisedAt hasJurisdiction hasApplicableLaw hasRight hasName hasAddress hasContact
     isIndicatedAtTime isIndicatedBy hasIndicationMethod hasRecordOfActivity`,
  ),
  ...terms('https://w3id.org/dpv/pd#', 'Name EmailAddress TelephoneNumber PhysicalAddress'),
  ...terms('https://w3id.org/dpv/loc#', 'GB NZ'),
  ...terms('https://w3id.org/dpv/legal/gb#', 'law-GDPR law-DPA'),
  ...terms(
    'https://w3id.org/dpv/legal/eu/gdpr#',
    'A6-1-a A6-1-b A6-1-c A6-1-d A6-1-e A6-1-f A7-3 A15 A16 A17 A18 A20 A21 A77',
  ),
  ...terms('https://w3id.org/dpv/schema/dpv-27560#', 'record receipt'),
  ...terms(
    'http://purl.org/dc/terms/',
    'conformsTo created date description identifier isReplacedBy language publisher replaces title type',
  ),
  'http://www.w3.org/1999/02/22-rdf-syntax-ns#value',
  'http://www.w3.org/2004/02/skos/core#broader',
  'http://www.w3.org/2001/XMLSchema#dateTime',
]);

/** Our own names: entries of registers, terms the vocabulary lacks, and ids. */
const OWN =
  /^urn:uuid:[0-9a-f-]{36}$|^https:\/\/custos\.example\/((recipient|collection-point)\/[a-z0-9-]+|(notice|purpose)\/[a-z0-9-]+\/\d+|uk-A6-1-ea|channel|contentHash|statementHash|countedFrom|atItsEnd|reason|authorityRef)$/;

/** The IRIs of an expanded document that no vocabulary has. */
export const strangersIn = (value: unknown): readonly string[] =>
  irisIn(value).filter((iri) => !NAMES.has(iri) && !OWN.test(iri));

/** Where a member stands: `dpv:hasProcess|0|dpv:hasRecipient`. */
export type Place = string;

/** The document without the member at a place. */
export function without(document: Document, place: Place): Document {
  const copy = structuredClone(document) as Record<string, unknown>;
  const path = place.split('|');
  const last = path.pop()!;
  let node: Record<string, unknown> = copy;
  for (const step of path) node = node[step] as Record<string, unknown>;
  if (!(last in node)) throw new Error(`there is no ${place}`);
  delete node[last];
  return copy;
}

/** What the profile makes mandatory in a record (1 or 1..*), by the place where it stands. */
export const MANDATORY: readonly (readonly [string, Place])[] = [
  ['schema version', 'dct:conformsTo'],
  ['record id', 'dpv:hasIdentifier'],
  ['record id, by its other name', 'dct:identifier'],
  ['data subject', 'dpv:hasDataSubject'],
  ['data subject id', 'dpv:hasDataSubject|dct:identifier'],
  ['notice', 'dpv:hasNotice'],
  ['notice language', 'dpv:hasNotice|0|dct:language'],
  ['notice hash', 'dpv:hasNotice|0|ex:contentHash'],
  ['statement hash', 'dpv:hasNotice|0|ex:statementHash'],
  ['process', 'dpv:hasProcess'],
  ['purpose', 'dpv:hasProcess|0|dpv:hasPurpose'],
  ['personal data', 'dpv:hasProcess|0|dpv:hasPersonalData'],
  ['personal data type', 'dpv:hasProcess|0|dpv:hasPersonalData|0|skos:broader'],
  ['storage condition', 'dpv:hasProcess|0|dpv:hasStorageCondition'],
  ['data controller', 'dpv:hasProcess|0|dpv:hasDataController'],
  ['recipients', 'dpv:hasProcess|0|dpv:hasRecipient'],
  ['consent change and withdrawal', 'dpv:hasProcess|0|dpv:hasConsentControl'],
  ['where it is withdrawn', 'dpv:hasProcess|0|dpv:hasConsentControl|0|dpv:isExercisedAt'],
  ['jurisdiction', 'dpv:hasProcess|0|dpv:hasJurisdiction'],
  ['rights', 'dpv:hasProcess|0|dpv:hasRight'],
  ['parties', 'dpv:hasEntity'],
  ['party id', 'dpv:hasEntity|0|dpv:hasIdentifier'],
  ['party name', 'dpv:hasEntity|0|dpv:hasName'],
  ['party role', 'dpv:hasEntity|0|@type'],
  ['events', 'dpv:hasConsentStatus'],
  ['event type', 'dpv:hasConsentStatus|0|dpv:hasLegalBasis'],
  ['event state', 'dpv:hasConsentStatus|0|@type'],
  ['event time', 'dpv:hasConsentStatus|0|dpv:isIndicatedAtTime'],
  ['event duration', 'dpv:hasConsentStatus|0|dpv:hasDuration'],
  ['event entity', 'dpv:hasConsentStatus|0|dpv:isIndicatedBy'],
];

/** What the profile adds for a receipt. */
export const MANDATORY_OF_RECEIPT: readonly (readonly [string, Place])[] = [
  ['schema version', 'dct:conformsTo'],
  ['receipt id', 'dpv:hasIdentifier'],
  ['receipt id, by its other name', 'dct:identifier'],
  ['associated records', 'dpv:hasRecordOfActivity'],
  ['created', 'dct:created'],
];

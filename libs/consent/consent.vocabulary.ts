import type { LawfulBasis, PurposeDefinition, RliCondition } from '#purpose';
import type { ConsentEvent } from './consent.events.js';

/**
 * What consents are called in exports: the Data Privacy Vocabulary 2.3 (W3C) and its profile for ISO/IEC TS 27560:2023.
 */

/** The profiles that records and receipts conform to. */
export const RECORD_PROFILE = 'https://w3id.org/dpv/schema/dpv-27560#record';
export const RECEIPT_PROFILE = 'https://w3id.org/dpv/schema/dpv-27560#receipt';

const IRI = { '@type': '@id' } as const;
const IRIS = { '@type': '@id', '@container': '@set' } as const;
const LIST = { '@container': '@set' } as const;
const TIME = { '@type': 'xsd:dateTime' } as const;

/**
 * The context of every export: it never changes under a version of the product and stands in the document, so that
 * nothing has to be fetched. `ex:` holds our own names: entries of registers, and terms the vocabulary lacks.
 */
export const CONSENT_CONTEXT = {
  '@version': 1.1,
  dct: 'http://purl.org/dc/terms/',
  dpv: 'https://w3id.org/dpv#',
  'eu-gdpr': 'https://w3id.org/dpv/legal/eu/gdpr#',
  ex: 'https://custos.example/',
  'legal-gb': 'https://w3id.org/dpv/legal/gb#',
  loc: 'https://w3id.org/dpv/loc#',
  pd: 'https://w3id.org/dpv/pd#',
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  skos: 'http://www.w3.org/2004/02/skos/core#',
  xsd: 'http://www.w3.org/2001/XMLSchema#',
  'dct:conformsTo': IRI,
  'dct:created': TIME,
  'dct:date': TIME,
  'dct:isReplacedBy': IRI,
  'dct:publisher': IRI,
  'dct:replaces': IRI,
  'dpv:hasApplicableLaw': IRIS,
  'dpv:hasConsentControl': LIST,
  'dpv:hasConsentStatus': LIST,
  'dpv:hasDataController': IRIS,
  'dpv:hasEntity': LIST,
  'dpv:hasIndicationMethod': LIST,
  'dpv:hasJurisdiction': IRIS,
  'dpv:hasLegalBasis': IRIS,
  'dpv:hasLocation': IRIS,
  'dpv:hasNecessity': IRI,
  'dpv:hasNotice': LIST,
  'dpv:hasPersonalData': LIST,
  'dpv:hasProcess': LIST,
  'dpv:hasPurpose': LIST,
  'dpv:hasRecipient': IRIS,
  'dpv:hasRecordOfActivity': LIST,
  'dpv:hasRight': LIST,
  'dpv:hasStorageCondition': LIST,
  'dpv:isExercisedAt': IRIS,
  'dpv:isIndicatedAtTime': TIME,
  'dpv:isIndicatedBy': IRIS,
  'skos:broader': IRI,
} as const;

/** The state of a consent after each event; none where the consent stays what it was. */
export const CONSENT_STATUS: { readonly [type in ConsentEvent['type']]: string | undefined } = {
  ConsentRequested: 'dpv:ConsentRequested',
  ConsentGiven: 'dpv:ConsentGiven',
  ConsentRenewed: 'dpv:RenewedConsentGiven',
  ConsentRefused: 'dpv:ConsentRefused',
  ConsentWithdrawn: 'dpv:ConsentWithdrawn',
  ConsentExpired: 'dpv:ConsentExpired',
  ConsentInvalidated: 'dpv:ConsentInvalidated',
  ConsentUpheld: undefined,
};

/**
 * Bases in the vocabulary's terms for the articles that the UK GDPR shares with the EU's. It has none for Art
 * 6(1)(ea), so that is a term of our own below its legitimate interest.
 */
const BASES: Readonly<Record<Exclude<LawfulBasis, 'recognisedLegitimateInterest'>, string>> = {
  consent: 'eu-gdpr:A6-1-a',
  contract: 'eu-gdpr:A6-1-b',
  legalObligation: 'eu-gdpr:A6-1-c',
  vitalInterests: 'eu-gdpr:A6-1-d',
  publicTask: 'eu-gdpr:A6-1-e',
  legitimateInterests: 'eu-gdpr:A6-1-f',
};

type Term = string | { readonly [name: string]: string };

export function basisTerm(basis: LawfulBasis, condition?: RliCondition): Term {
  if (basis !== 'recognisedLegitimateInterest') return BASES[basis];
  return {
    '@id': 'ex:uk-A6-1-ea',
    'skos:broader': 'dpv:LegitimateInterest',
    ...(condition !== undefined && { 'dct:description': condition }),
  };
}

/** Categories by their last word; every other one is personal data of no named kind. */
const CATEGORIES: Readonly<Record<string, string>> = {
  name: 'pd:Name',
  email: 'pd:EmailAddress',
  phone: 'pd:TelephoneNumber',
  address: 'pd:PhysicalAddress',
};

export const categoryTerm = (category: string): string =>
  CATEGORIES[category.slice(category.lastIndexOf('.') + 1)] ?? 'dpv:PersonalData';

/** The rights that a purpose leaves the person (UK GDPR Art 7(3), 15 to 18, 20, 21, 77). */
export function rightTerms({ basis, commercial }: PurposeDefinition): readonly string[] {
  const objection = ['publicTask', 'recognisedLegitimateInterest', 'legitimateInterests'].includes(basis);
  return [
    'eu-gdpr:A7-3',
    'eu-gdpr:A15',
    'eu-gdpr:A16',
    'eu-gdpr:A17',
    'eu-gdpr:A18',
    ...(basis === 'consent' || basis === 'contract' ? ['eu-gdpr:A20'] : []),
    ...(objection || commercial ? ['eu-gdpr:A21'] : []),
    'eu-gdpr:A77',
  ];
}

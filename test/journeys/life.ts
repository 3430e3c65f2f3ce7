import { expect } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { ActorName, Installation } from '../installation.js';

/** The shipped notice, as collections and consents quote it. */
export const NOTICE = { noticeId: 'customer-privacy', noticeVersion: 1 } as const;
/** The shipped notice, as it is presented. */
export const SHOWN = { noticeId: 'customer-privacy', version: 1, how: 'shown', channel: 'web' } as const;
/** SHA-256 of a statement, and of a document, that nobody wrote. */
export const STATEMENT = '5c'.repeat(32);
export const DOCUMENT = '9d'.repeat(32);

/** The terms of a contract with a processor (UK GDPR Art 28(3)). */
export const ART_28_TERMS = [
  'instructions',
  'confidentiality',
  'security',
  'subProcessors',
  'rightsRequests',
  'assistance',
  'deleteOrReturn',
  'audit',
] as const;
/** How a person is asked for consent. */
export const ASKING = { ...NOTICE, statementHash: STATEMENT, method: 'webForm' } as const;

/** The end of the steward's patience: what is due has been done long before. */
export const STEWARD = 15_000;

/** A person, and what is held about them by category. */
export interface Person {
  readonly subjectId: string;
  readonly items: Readonly<Record<string, string>>;
}

/** Codes about who asks, not about what is asked. */
const ABOUT_THE_SENDER: readonly string[] = [
  'FORBIDDEN',
  'OUTSIDE_SERVICE_CONTRACT',
  'AUDITOR_NO_PLAINTEXT',
  'ACCESS_NOT_GRANTED',
  'ACCESS_EXPIRED',
];

/** What a refusal has to say. */
export interface Said {
  readonly code: string;
  readonly clauses: readonly string[];
  readonly legalRef: string;
  readonly details: object;
}

/** @param clauses as they are read: `C05 C17`; empty for the engine's own rules. */
export function said(code: string, clauses: string, legalRef: string, details: object = {}): Said {
  return { code, clauses: clauses === '' ? [] : clauses.split(' '), legalRef, details };
}

/**
 * Sends a command that must be refused in these words, and finds the refusal on record in the same words, with no
 * value that the command carried.
 */
export async function refuses(
  custos: Installation,
  actor: ActorName,
  type: string,
  body: object,
  expected: Said,
): Promise<{ readonly refusalId: string; readonly position: number }> {
  const { status, body: answer } = await custos.send(actor, type, body);
  expect(answer).toMatchObject({ accepted: false, ...expected });
  expect(answer.details).toEqual(expected.details);
  expect(status).toBe(ABOUT_THE_SENDER.includes(expected.code) ? 403 : 422);
  expect(answer.remedy).toMatch(/\w/);
  const log = await custos.get('support', `/v1/refusals?refusal_id=${answer.refusalId}`, answer.position);
  expect(log.body.rows).toHaveLength(1);
  const [row] = log.body.rows;
  expect(row).toMatchObject({
    command_id: answer.commandId,
    command_type: type,
    code: expected.code,
    clauses: expected.clauses.join(' '),
    legal_ref: expected.legalRef,
    actor_id: actor,
    position: answer.position,
  });
  expect(JSON.parse(row.details)).toEqual(expected.details);
  for (const value of valuesIn(body)) expect(JSON.stringify([answer, row])).not.toContain(value);
  return answer;
}

/** Every `value` within a command. */
function valuesIn(body: unknown): readonly string[] {
  if (typeof body !== 'object' || body === null) return [];
  return Object.entries(body).flatMap(([name, member]: [string, unknown]) =>
    name === 'value' && typeof member === 'string' ? [member] : valuesIn(member),
  );
}

/** The relationship is opened; nothing was said or collected yet. */
export async function stranger(custos: Installation, more: object = {}): Promise<string> {
  const subjectId = randomUUID();
  await custos.accepted('crm', 'RegisterSubject', { subjectId, capacity: 'individual', ...more });
  return subjectId;
}

/** The relationship is opened and the shipped notice shown. */
export async function acquaintance(custos: Installation, more: object = {}): Promise<string> {
  const subjectId = await stranger(custos, more);
  await custos.accepted('crm', 'PresentNotice', { subjectId, ...SHOWN });
  return subjectId;
}

/** Values by category as a collection carries them. */
export const itemsOf = (values: Readonly<Record<string, string>>): readonly object[] =>
  Object.entries(values).map(([category, value]) => ({ category, value }));

/** What a collection has to say besides the person and the values. */
export const ACCOUNT = {
  purposeId: 'service-account',
  collectionPointId: 'account-form',
  ...NOTICE,
  serviceRequestRef: 'order-1',
} as const;
export const TICKET = {
  purposeId: 'support-ticket',
  collectionPointId: 'support-form',
  ...NOTICE,
  serviceRequestRef: 'ticket-1',
} as const;

export const BILLING = {
  purposeId: 'billing',
  collectionPointId: 'accounts-office',
  ...NOTICE,
  serviceRequestRef: 'order-1',
} as const;

/** Collects values. @returns the ids of the items by category. */
export async function collect(
  custos: Installation,
  subjectId: string,
  how: object,
  values: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const { position } = await custos.accepted('crm', 'CollectData', { subjectId, ...how, items: itemsOf(values) });
  const kept = await custos.get('auditor', `/v1/subjects/${subjectId}/retention?position=${position}`, position);
  return Object.fromEntries(
    (kept.body.rows as { category: string; item_id: string }[]).map(({ category, item_id }) => [category, item_id]),
  );
}

/** A customer with an account: a name, an e-mail address that nobody else has, a phone and an account number. */
export async function customer(custos: Installation, more: object = {}): Promise<Person> {
  const subjectId = await acquaintance(custos, more);
  const items = await collect(custos, subjectId, ACCOUNT, {
    'contact.name': 'Asha Fictional',
    'contact.email': `asha@example-${subjectId.slice(0, 8)}.test`,
    'contact.phone': '+44 20 7946 0101',
    'account.number': 'ACC-2047-ASHA',
  });
  return { subjectId, items };
}

/** The consent that a person gives to news by e-mail. */
export const consentOf = (subjectId: string): object => ({
  subjectId,
  purposeId: 'product-news',
  channel: 'email',
  ...NOTICE,
  statementHash: STATEMENT,
  method: 'webForm',
  affirmativeAct: 'tickedBox',
  givenBy: 'subject',
});

/** Asking whether the person's address may be used for news by e-mail. */
export const newsTo = ({ subjectId, items }: Person): object => ({
  subjectId,
  purposeId: 'product-news',
  channel: 'email',
  itemIds: [items['contact.email']],
});

/** A purpose that may be defined as it stands. */
export const purposeDraft = (purposeId: string, more: object = {}): object => ({
  purposeId,
  title: 'Lending charts',
  plainWords: 'We lend you charts and ask for them back.',
  serviceLine: 'B2C',
  commercial: false,
  basis: 'contract',
  dpvIri: 'dpv:RequestedServiceProvision',
  fields: [{ category: 'contact.email', necessity: 'required', justification: 'The reminder goes there.' }],
  retention: [
    {
      category: 'contact.email',
      trigger: 'serviceRequestClosed',
      period: 'P1Y',
      action: 'erase',
      legalRef: 'UK GDPR Art 5(1)(e)',
    },
  ],
  recipientKindsAllowed: ['SELF', 'GROUP', 'PROCESSOR'],
  ...more,
});

/** Defines a purpose and has another person approve it. */
export async function approvedPurpose(custos: Installation, purposeId: string, more: object = {}): Promise<void> {
  await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId, more));
  await custos.accepted('second-dpo', 'ApprovePurpose', { purposeId, version: 1 });
}

/** What a notice has to say of a purpose; a purpose of {@link purposeDraft} when nothing else is said. */
export interface ToldPurpose {
  readonly purposeId: string;
  readonly basis?: 'contract' | 'consent' | 'legitimateInterests';
  /** ISO 8601 duration with one unit. */
  readonly period?: string;
}

const SHIPPED_PERIODS: Readonly<Record<string, string>> = {
  'service-account': 'P6Y',
  'support-ticket': 'P2Y',
  'service-usage': 'P90D',
};
const BASES_SAID = {
  contract: 'under our contract',
  consent: 'only if you agree',
  legitimateInterests: 'for a legitimate interest of ours',
} as const;
const UNITS: Readonly<Record<string, string>> = { Y: 'years', M: 'months', D: 'days' };

/**
 * A notice that may be published as it stands. Version 1 is one that people were shown before the installation, so it
 * may say little; a later one is complete.
 */
export const noticeDraft = (noticeId: string, version: number, purposes: readonly string[]): object =>
  version === 1
    ? {
        noticeId,
        version,
        language: 'en-GB',
        title: 'About lending',
        content: `What we do with your data, version ${version}.`,
        purposes,
        effectiveFrom: '2018-05-25T00:00:00Z',
      }
    : completeNotice(
        noticeId,
        version,
        purposes.map((purposeId) => ({ purposeId })),
      );

/**
 * A notice that says all that Art 13 asks for.
 *
 * @param also a further sentence of its text.
 */
export function completeNotice(
  noticeId: string,
  version: number,
  purposes: readonly ToldPurpose[],
  also = `This is version ${version}.`,
): { readonly content: string; readonly statements: readonly object[]; readonly [field: string]: unknown } {
  const said: { readonly part: string; readonly passage: string; readonly [field: string]: unknown }[] = [
    { part: 'controllerIdentity', passage: 'Example Ltd, 1 Example Quay, Exampleton ZZ99 9ZZ, lends charts.' },
    { part: 'contact', passage: 'Write to privacy@example.test.' },
    { part: 'dataProtectionContact', passage: 'Our privacy officer answers.' },
    ...purposes.flatMap(({ purposeId, basis = 'contract', period = SHIPPED_PERIODS[purposeId] ?? 'P1Y' }) => [
      { part: 'purposes', purposes: [purposeId], passage: `We use your address for ${purposeId}.` },
      {
        part: 'lawfulBases',
        purposes: [purposeId],
        basis,
        passage: `For ${purposeId}, ${BASES_SAID[basis]}.`,
      },
      ...(basis === 'legitimateInterests'
        ? [{ part: 'legitimateInterests', passage: `Our interest is that you know of ${purposeId}.` }]
        : []),
      {
        part: 'retentionPeriods',
        purposes: [purposeId],
        period,
        passage: `Data for ${purposeId} is kept for ${period.slice(1, -1)} ${UNITS[period.slice(-1)]}.`,
      },
    ]),
    {
      part: 'recipients',
      recipientKinds: ['GROUP', 'PROCESSOR'],
      passage: 'Our group and firms that work for us get it.',
    },
    { part: 'transfers', passage: 'Nothing goes to another country.' },
    { part: 'rightOfAccess', passage: 'You may ask for a copy of it.' },
    { part: 'rightToRectification', passage: 'You may have it corrected.' },
    { part: 'rightToErasure', passage: 'You may have it erased.' },
    { part: 'rightToRestriction', passage: 'You may have its use restricted.' },
    { part: 'rightToObject', passage: 'You may object.' },
    { part: 'rightToPortability', passage: 'You get it in a form that machines can read.' },
    { part: 'rightToWithdrawConsent', passage: 'You may withdraw what you agreed to.' },
    { part: 'complaintToController', passage: 'You may complain to us.' },
    { part: 'complaintToAuthority', passage: 'You may turn to the Information Commissioner.' },
    { part: 'whetherRequired', passage: 'Without it we cannot lend.' },
    { part: 'automatedDecisions', passage: 'No decision is made by a machine.' },
    { part: 'source', passage: 'It comes from you.' },
  ];
  return {
    noticeId,
    version,
    language: 'en-GB',
    title: 'About lending',
    content: [...said.map(({ passage }) => passage), also].join('\n'),
    purposes: purposes.map(({ purposeId }) => purposeId),
    statements: said,
  };
}

/** A collection point that may be registered as it stands. */
export const pointDraft = (
  collectionPointId: string,
  purposeId: string,
  noticeId: string,
  more: object = {},
): object => ({
  collectionPointId,
  kind: 'webForm',
  title: 'Lending desk',
  explanation: 'You borrow a chart here. We use your address to remind you of it.',
  purposes: [purposeId],
  fields: ['contact.email'],
  noticeId,
  ...more,
});

/** An id for an entry of a register that no other test uses. */
export const fresh = (word: string): string => `${word}-${randomUUID().slice(0, 8)}`;

/** Who held what about a person at a time, as the auditor is told. */
export async function holders(
  custos: Installation,
  subjectId: string,
  asOf: string,
  position?: number,
): Promise<readonly { readonly [column: string]: unknown }[]> {
  const reply = await custos.get('auditor', `/v1/who-held-what?subject=${subjectId}&asOf=${asOf}`, position);
  expect(reply.status).toBe(200);
  return reply.body.rows;
}

/** Usage of the shipped stream of telemetry, as the chart service sends it. */
export const usageOf = (subjectId: string, at: string, more: object = {}): object => ({
  streamId: 'chart-cloud',
  subjectId,
  batchRef: 'batch-1',
  entries: [{ at, values: { licence: 'L-77', action: 'opened', chart: '12' } }],
  ...more,
});

/** A stream of telemetry that may be registered as it stands. */
export const streamDraft = (streamId: string, more: object = {}): object => ({
  streamId,
  service: 'chart-cloud',
  purposeId: 'service-usage',
  noticeId: 'customer-privacy',
  traceability: 'direct',
  readsDevice: false,
  fields: [usageField('licence')],
  ...more,
});

export const usageField = (name: string, more: object = {}): object => ({
  name,
  type: 'text',
  essentialFor: 'licensing',
  justification: 'Nothing opens without it.',
  traceability: 'direct',
  ...more,
});

/** Registers a stream of telemetry and has another person find it essential. */
export async function approvedStream(custos: Installation, streamId: string, more: object = {}): Promise<void> {
  await custos.accepted('dpo', 'RegisterTelemetryStream', streamDraft(streamId, more));
  await custos.accepted('second-dpo', 'ApproveEssentiality', { streamId, version: 1 });
}

/** Registers somebody who may be given data. @returns the id. */
export async function recipientOf(
  custos: Installation,
  kind: string,
  word: string,
  more: object = {},
): Promise<string> {
  const recipientId = fresh(word);
  const legalForm = kind === 'AUTHORITY' ? 'publicBody' : 'company';
  const name = `Example ${word}`;
  await custos.accepted('dpo', 'RegisterRecipient', { recipientId, kind, name, legalForm, country: 'GB', ...more });
  return recipientId;
}

/** A production order that compels a disclosure of e-mail addresses. */
export const orderOf = (instrumentId: string, more: object = {}): object => ({
  instrumentId,
  enactment: 'Police and Criminal Evidence Act 1984',
  section: 'Sch 1 para 4',
  instrumentKind: 'productionOrder',
  reference: 'PO-2026-77',
  issuer: 'Example Crown Court',
  issuedOn: '2026-11-20',
  scope: { categories: ['contact.email'] },
  mandatory: true,
  reviewedBy: 'second-counsel',
  documentHash: DOCUMENT,
  ...more,
});

/** One item of a person, given to a recipient. */
export const shareOf = (
  person: Person,
  recipientId: string,
  more: object = {},
  category = 'contact.email',
): object => ({
  subjectId: person.subjectId,
  recipientId,
  purposeId: 'service-account',
  itemIds: [person.items[category]],
  medium: 'api',
  ...more,
});

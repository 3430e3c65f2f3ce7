import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  expanded,
  MANDATORY,
  MANDATORY_OF_RECEIPT,
  receiptProblems,
  recordProblems,
  roundTrip,
  strangersIn,
  without,
  type Document,
} from '../consent-documents.js';
import { Installation, type ActorName, type Reply } from '../installation.js';
import { ASKING, consentOf, customer, STATEMENT, stranger, type Person } from './life.js';

/** C05, UK GDPR Art 7(1): what the person agreed to, in a form that others can read and check. */
describe('consents as records and receipts', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T10:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const exported = async (subjectId: string, position?: number): Promise<Document> => {
    const reply = await custos.get('auditor', `/v1/subjects/${subjectId}/consents/export`, position);
    expect(reply.status).toBe(200);
    return reply.body as Document;
  };
  const recordsOf = (document: Document): readonly Document[] => document['@graph'] as readonly Document[];
  const receiptOf = (subjectId: string, channel = 'email', actor: ActorName = 'crm', position?: number) =>
    custos.get(actor, `/v1/subjects/${subjectId}/consents/receipt?purpose=product-news&channel=${channel}`, position);
  const states = (record: Document): readonly string[] =>
    (record['dpv:hasConsentStatus'] as readonly Document[]).map((status) => String(status['@type']));
  const say = (type: string, { subjectId }: Person, more: object = {}) =>
    custos.accepted(type === 'InvalidateConsent' ? 'dpo' : 'crm', type, {
      subjectId,
      purposeId: 'product-news',
      channel: 'email',
      ...more,
    });

  /** A person whose consents have been through everything: by e-mail, text message, post and phone. */
  const throughEverything = async (): Promise<{ readonly asha: Person; readonly position: number }> => {
    const asha = await customer(custos);
    await say('RequestConsent', asha, ASKING);
    await custos.accepted('crm', 'GiveConsent', { ...consentOf(asha.subjectId), expiresAt: '2028-11-23T10:00:00Z' });
    await custos.accepted('crm', 'GiveConsent', {
      ...consentOf(asha.subjectId),
      method: 'phone',
      expiresAt: null,
      affirmativeAct: 'said',
    });
    await say('WithdrawConsent', asha, { method: 'email' });
    await say('RequestConsent', asha, { channel: 'sms', ...ASKING });
    await say('RefuseConsent', asha, { channel: 'sms', method: 'phone' });
    await custos.accepted('crm', 'GiveConsent', {
      ...consentOf(asha.subjectId),
      channel: 'post',
      givenBy: 'agent',
      authorityRef: 'mandate-7',
    });
    await say('InvalidateConsent', asha, { channel: 'post', reason: 'noticeWrong' });
    const { position } = await custos.accepted('crm', 'GiveConsent', {
      ...consentOf(asha.subjectId),
      channel: 'phone',
      statedAge: 12,
      givenBy: 'parent',
    });
    return { asha, position: position as number };
  };

  it('are complete, for every state a consent can be in', async () => {
    const { asha, position } = await throughEverything();
    const document = await exported(asha.subjectId, position);
    const records = recordsOf(document);
    expect(records.map(states)).toEqual([
      ['dpv:ConsentRequested', 'dpv:ConsentGiven'],
      ['dpv:RenewedConsentGiven', 'dpv:ConsentWithdrawn'],
      ['dpv:ConsentRequested', 'dpv:ConsentRefused'],
      ['dpv:ConsentGiven', 'dpv:ConsentInvalidated'],
      ['dpv:ConsentGiven'],
    ]);
    for (const record of records) expect(recordProblems(record)).toEqual([]);
    expect(records[0]!['dct:isReplacedBy']).toBe(records[1]!['@id']);
    expect(records[1]!['dct:replaces']).toBe(records[0]!['@id']);
    expect(await roundTrip(document)).toEqual(document);
    expect(strangersIn(await expanded(document))).toEqual([]);
  });

  it('hold no value of a person, and no name of who works for the controller', async () => {
    const { asha, position } = await throughEverything();
    const text = JSON.stringify([await exported(asha.subjectId, position), (await receiptOf(asha.subjectId)).body]);
    for (const word of ['asha', 'Fictional', '7946', 'ACC-2047', 'crm', 'dpo']) expect(text).not.toContain(word);
    expect(text).toContain(asha.subjectId);
  });

  it('say what the registers say', async () => {
    const { asha, position } = await throughEverything();
    const registers = async (name: string) =>
      (await custos.get('auditor', `/v1/registers/${name}`)).body.rows as readonly Record<string, string>[];
    const [purpose] = (await registers('purposes')).filter((row) => row['purpose_id'] === 'product-news');
    const definition = JSON.parse(purpose!['definition']!) as Record<string, unknown>;
    const [notice] = await registers('notices');
    const [record] = recordsOf(await exported(asha.subjectId, position));
    const [process] = record!['dpv:hasProcess'] as readonly Document[];

    expect(process!['dpv:hasPurpose']).toEqual([
      {
        '@id': 'ex:purpose/product-news/1',
        '@type': 'dpv:Purpose',
        'skos:broader': purpose!['dpv_iri'],
        'dct:title': definition['title'],
        'dct:description': definition['plainWords'],
      },
    ]);
    expect(record!['dpv:hasNotice']).toMatchObject([
      {
        '@id': 'ex:notice/customer-privacy/1',
        'dct:title': notice!['title'],
        'dct:language': notice!['language'],
        'ex:contentHash': notice!['content_hash'],
        'ex:statementHash': STATEMENT,
      },
    ]);
    const fields = (definition['fields'] as readonly { readonly category: string }[]).map(({ category }) => category);
    expect((process!['dpv:hasPersonalData'] as readonly Document[]).map((data) => data['dct:identifier'])).toEqual(
      fields,
    );
    const periods = (definition['retention'] as readonly { readonly period: string }[]).map(({ period }) => period);
    expect(
      (process!['dpv:hasStorageCondition'] as readonly Document[]).flatMap((each) => {
        const duration = each['dpv:hasDuration'] as Document | undefined;
        return duration ? [duration['rdf:value']] : [];
      }),
    ).toEqual(periods);
    expect(process!['dpv:hasDataController']).toEqual(['ex:recipient/chersoft']);
    expect(process!['dpv:hasRecipient']).toEqual([
      'ex:recipient/chersoft',
      `urn:uuid:${asha.subjectId}`,
      'ex:recipient/example-mail-host',
    ]);
    expect((record!['dpv:hasEntity'] as readonly Document[]).map((entity) => entity['dpv:hasName'])).toEqual([
      'CherSoft Ltd',
      'Example Mail Host Ltd (fictional, mail.example.test)',
    ]);
    expect(JSON.stringify(process!['dpv:hasConsentControl'])).toContain('ex:collection-point/newsletter-form');
    expect(process!['dpv:hasJurisdiction']).toEqual(['loc:GB']);
  });

  it('are handed over as a receipt for each, at once', async () => {
    const asha = await customer(custos);
    const { position } = await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    const reply: Reply = await receiptOf(asha.subjectId, 'email', 'crm', position);
    expect(reply.status).toBe(200);
    const receipt = reply.body as Document;
    expect(receiptProblems(receipt)).toEqual([]);
    expect(await roundTrip(receipt)).toEqual(receipt);
    expect(strangersIn(await expanded(receipt))).toEqual([]);
    expect(receipt).toMatchObject({
      'dct:conformsTo': 'https://w3id.org/dpv/schema/dpv-27560#receipt',
      'dct:created': '2026-11-23T10:00:00.000Z',
      'dct:publisher': 'ex:recipient/chersoft',
    });
    const [record] = recordsOf(await exported(asha.subjectId));
    expect(receipt['dpv:hasRecordOfActivity']).toEqual([record]);
    for (const [, place] of MANDATORY_OF_RECEIPT) expect(receiptProblems(without(receipt, place))).not.toEqual([]);
    for (const [, place] of MANDATORY) expect(recordProblems(without(record!, place))).not.toEqual([]);
  });

  it('are for the consent given last, also when it has ended or a renewal was asked for', async () => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    await custos.accepted('crm', 'GiveConsent', { ...consentOf(asha.subjectId), statementHash: '6d'.repeat(32) });
    const asked = await say('RequestConsent', asha, ASKING);
    const standing = (await receiptOf(asha.subjectId, 'email', 'support', asked.position)).body as Document;
    expect(states((standing['dpv:hasRecordOfActivity'] as readonly Document[])[0]!)).toEqual([
      'dpv:RenewedConsentGiven',
    ]);
    const { position } = await say('WithdrawConsent', asha);
    const ended = (await receiptOf(asha.subjectId, 'email', 'support', position)).body as Document;
    expect(states((ended['dpv:hasRecordOfActivity'] as readonly Document[])[0]!)).toEqual([
      'dpv:RenewedConsentGiven',
      'dpv:ConsentWithdrawn',
    ]);
  });

  it('are for those who may see them, and only for consents there are', async () => {
    const asha = await customer(custos);
    const path = `/v1/subjects/${asha.subjectId}/consents/export`;
    for (const actor of ['support', 'dpo', 'auditor'] as const)
      expect((await custos.get(actor, path)).status).toBe(200);
    for (const actor of ['crm', 'operator', 'counsel'] as const)
      expect((await custos.get(actor, path)).status).toBe(403);
    expect((await receiptOf(asha.subjectId, 'email', 'operator')).status).toBe(403);
    expect((await receiptOf(asha.subjectId)).status).toBe(404);
    const { position } = await say('RequestConsent', asha, ASKING);
    expect((await receiptOf(asha.subjectId, 'email', 'crm', position)).status).toBe(404);
    expect(recordsOf(await exported(asha.subjectId)).map(states)).toEqual([['dpv:ConsentRequested']]);
    expect(recordsOf(await exported(await stranger(custos)))).toEqual([]);
    const unnamed = await custos.get('crm', `/v1/subjects/${asha.subjectId}/consents/receipt?purpose=product-news`);
    expect(unnamed).toMatchObject({ status: 400, body: { fields: [{ field: 'channel', rule: 'isRegisterId' }] } });
    expect((await custos.get('auditor', '/v1/subjects/asha/consents/export')).status).toBe(400);
  });

  it('are JSON-LD that needs no network', async () => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    const response = await fetch(`${custos.url}/v1/subjects/${asha.subjectId}/consents/export`, {
      headers: { authorization: `Bearer ${custos.token('auditor')}` },
    });
    expect(response.headers.get('content-type')).toMatch(/^application\/ld\+json/);
    expect(typeof ((await response.json()) as Document)['@context']).toBe('object');
  });
});

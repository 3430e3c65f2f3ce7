import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Installation, type ActorName } from '../installation.js';
import { tracesAfterKill, tracesBelow, tracesIn } from '../plaintext.js';
import { ACCOUNT, acquaintance, collect, consentOf, itemsOf, newsTo, NOTICE, refuses, said, TICKET } from './life.js';

const ASHA = {
  'contact.name': 'Asha Quillfeather',
  'contact.email': 'Asha.Quillfeather@example.test',
  'contact.phone': '+44 20 7946 0101',
  'account.number': 'ACC-2047-QUILL',
};
const TEXT = 'Chart 12 does not open on my tablet since Tuesday, says "Lützow & Söhne".';
const CORRECTED = '+44 20 7946 0199';
const VALUES = [...Object.values(ASHA), TEXT, CORRECTED, 'Quillfeather', 'tablet since Tuesday', '7946 0101'];

/** C02: what comes into our hands stays confidential and intact. */
describe('confidentiality', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z', { LOG_LEVEL: 'debug' });
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const http = async (method: string, path: string, token?: string, body?: string) => {
    const response = await fetch(`${custos.url}${path}`, {
      method,
      headers: {
        ...(token !== undefined && { authorization: token }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body }),
    });
    return { status: response.status, body: JSON.parse(await response.text()) };
  };

  it('lets in nobody who is not known', async () => {
    const command = JSON.stringify({ commandId: randomUUID(), subjectId: randomUUID(), capacity: 'individual' });
    const nobody = {
      accepted: false,
      code: 'UNAUTHENTICATED_ACTOR',
      clauses: ['C02'],
      legalRef: 'UK GDPR Art 32',
    };
    const tokens = [
      undefined,
      '',
      'Bearer',
      'Bearer ',
      'Bearer custos_notatoken',
      `Basic ${custos.token('crm')}`,
      `Bearer ${custos.token('crm')}x`,
      `Bearer ${custos.token('crm').toUpperCase()}`,
    ];
    for (const token of tokens) {
      const reply = await http('POST', '/v1/commands/RegisterSubject', token, command);
      expect(reply).toMatchObject({ status: 401, body: nobody });
      for (const path of ['/v1/refusals', '/v1/registers/purposes', `/v1/subjects/${randomUUID()}`, '/v1/clock'])
        expect(await http('GET', path, token)).toMatchObject({ status: 401, body: nobody });
    }
    expect(await http('GET', '/health/live')).toMatchObject({ status: 200 });
  });

  it('forbids what a role may not do, and keeps the attempt on record', async () => {
    const subjectId = await acquaintance(custos);
    const ticket = { ...TICKET, subjectId, items: itemsOf({ 'contact.email': ASHA['contact.email'] }) };
    const forbidden = (command: string) => said('FORBIDDEN', 'C08 C15', 'UK GDPR Art 32', { command });
    const attempts: readonly [ActorName, string, object][] = [
      ['auditor', 'CollectData', ticket],
      ['operator', 'CollectData', ticket],
      ['counsel', 'CollectData', ticket],
      ['dpo', 'CollectData', ticket],
      ['mailer', 'RestrictProcessing', { subjectId, ground: '18(1)(a)' }],
      ['support', 'LiftRestriction', { subjectId }],
      ['support', 'RefuseCorrection', { subjectId, itemId: randomUUID() }],
      ['dpo', 'WithdrawInstrument', { instrumentId: 'order-1' }],
      ['counsel', 'EndGroupMembership', { recipientId: 'example-pacific', to: '2026-12-01' }],
      ['crm', 'SuspendPurpose', { purposeId: 'product-news', reasonCode: 'mischief' }],
      ['support', 'RetireCollectionPoint', { collectionPointId: 'support-form' }],
      ['operator', 'ExpireRetention', { subjectId }],
      ['auditor', 'WithdrawConsent', { subjectId, purposeId: 'product-news', channel: 'email' }],
    ];
    for (const [actor, type, body] of attempts) await refuses(custos, actor, type, body, forbidden(type));
    const last = await refuses(custos, 'auditor', 'CollectData', ticket, forbidden('CollectData'));
    const kept = await custos.get('auditor', `/v1/subjects/${subjectId}/retention`, last.position);
    expect(kept.body.rows).toEqual([]);
  });

  it.each([
    ['crm', '/v1/refusals'],
    ['operator', '/v1/registers/purposes'],
    ['support', '/v1/registers/instruments'],
    ['operator', `/v1/subjects/${randomUUID()}`],
    ['crm', `/v1/subjects/${randomUUID()}/timeline`],
    ['mailer', `/v1/who-held-what?subject=${randomUUID()}`],
    ['support', '/v1/digest'],
  ] as const)('answers %s nothing at %s', async (actor, path) => {
    const reply = await custos.get(actor, path);
    expect(reply.status).toBe(403);
    expect(reply.body).toMatchObject({ accepted: false, code: 'FORBIDDEN', clauses: ['C08', 'C15'] });
    expect(reply.body).not.toHaveProperty('rows');
  });

  it('leaves no value of a person in any store', async () => {
    const subjectId = await acquaintance(custos);
    const refusedItems = itemsOf({ ...ASHA, religion: TEXT });
    const account = await custos.send('crm', 'CollectData', { ...ACCOUNT, subjectId, items: refusedItems });
    expect(account.body.code).toBe('DATA_EXCESSIVE');
    const items = await collect(custos, subjectId, ACCOUNT, ASHA);
    const ticket = await collect(custos, subjectId, TICKET, {
      'contact.email': ASHA['contact.email'],
      'ticket.text': TEXT,
    });
    await custos.accepted('crm', 'GiveConsent', consentOf(subjectId));
    await custos.accepted('mailer', 'AuthoriseUse', newsTo({ subjectId, items }));
    const phone = { subjectId, itemId: items['contact.phone'] };
    const share = { subjectId, purposeId: 'service-account', itemIds: [items['contact.phone']], medium: 'api' };
    await custos.accepted('crm', 'ShareData', { ...share, recipientId: 'example-harbour-charts' });
    const correction = { ...phone, fromVersion: 1, value: CORRECTED, reasonCode: 'outOfDate' };
    await custos.accepted('support', 'CorrectData', correction);
    await custos.accepted('mailer', 'DoubtAccuracy', {
      subjectId,
      itemId: items['contact.email'],
      cause: 'bouncedEmail',
    });
    const file = await custos.get('support', `/v1/subjects/${subjectId}?purpose=support-ticket&caseRef=CASE-1`);
    expect(file.body.holdings.map(({ value }: { value: string }) => value)).toContain(TEXT);

    // Values where none belong: they come back from nowhere, and stay nowhere.
    const strays: readonly [string, unknown][] = [
      ['CollectData', { ...ACCOUNT, subjectId, ...NOTICE, items: [{ category: ASHA['contact.email'], value: TEXT }] }],
      ['CollectData', { ...ACCOUNT, subjectId, items: refusedItems, [TEXT]: ASHA['contact.email'] }],
      ['RegisterSubject', { subjectId: ASHA['contact.email'], capacity: ASHA['contact.name'] }],
      [encodeURIComponent(ASHA['contact.email']), {}],
    ];
    for (const [type, body] of strays) {
      const reply = await custos.send('crm', type, body as object);
      expect(reply.status).toBe(400);
      expect(tracesIn('answer', Buffer.from(JSON.stringify(reply.body)), VALUES)).toEqual([]);
    }
    const broken = await http(
      'POST',
      '/v1/commands/CollectData',
      `Bearer ${custos.token('crm')}`,
      `{"a":"${ASHA['contact.name']}`,
    );
    expect(broken.status).toBe(400);
    const lost = await custos.get('support', `/v1/subjects/${encodeURIComponent(ASHA['contact.email'])}`);
    expect(lost.status).toBe(400);

    await custos.kill();
    expect(tracesIn('output', Buffer.from(custos.output), VALUES)).toEqual([]);
    // The event log's process lets go of its files in its own time.
    const traces = await tracesAfterKill(custos.dataDir, [...VALUES, subjectId]);
    expect(traces.filter(({ value }) => value !== subjectId)).toEqual([]);
    expect(traces.length).toBeGreaterThan(1);

    await custos.launch('2026-11-24T09:00:00Z');
    await custos.accepted('support', 'CloseServiceRequest', { subjectId, serviceRequestRef: 'ticket-1' });
    await custos.accepted('crm', 'CloseRelationship', { subjectId, reasonCode: 'contractEnded' });
    await custos.advanceTo('2032-11-25T09:00:00Z');
    const erased = await custos.eventually(
      () => custos.get('support', `/v1/subjects/${subjectId}`),
      ({ body }) => body.holdings.every(({ status }: { status: string }) => status === 'erased'),
    );
    expect(erased.body.holdings).toHaveLength(Object.keys(ASHA).length + Object.keys(ticket).length + 1);
    await custos.stop();
    expect(tracesIn('output', Buffer.from(custos.output), VALUES)).toEqual([]);
    expect(tracesBelow(custos.dataDir, VALUES)).toEqual([]);
  });
});

/** The search of the test above, proved by values that are there. */
describe('the search for values', () => {
  const value = 'Asha.Quillfeather@example.test';
  const hash = (algorithm: string, text = value) => createHash(algorithm).update(text);

  it.each([
    ['plain', value],
    ['lower case', value.toLowerCase()],
    ['upper case', value.toUpperCase()],
    ['URL-encoded', 'Asha.Quillfeather%40example.test'],
    ['UTF-16', Buffer.from(value, 'utf16le')],
    ['hex', Buffer.from(value).toString('hex')],
    ['HEX', Buffer.from(value).toString('hex').toUpperCase()],
    ['base64 +0', Buffer.from(`${value}!`).toString('base64')],
    ['base64 +1', Buffer.from(`x${value}!!`).toString('base64')],
    ['base64 +2', Buffer.from(`xy${value}!`).toString('base64')],
    ['base64url +0', Buffer.from(value).toString('base64url')],
    ['base64url +1', Buffer.from(`x${value}?`).toString('base64url')],
    ['base64url +2', Buffer.from(`xy${value}`).toString('base64url')],
    ...['md5', 'sha1', 'sha256'].flatMap((algorithm): [string, string | Buffer][] => [
      [`${algorithm} raw`, hash(algorithm).digest()],
      [`${algorithm} hex`, hash(algorithm).digest('hex')],
      [`${algorithm} hex`, hash(algorithm, value.toLowerCase()).digest('hex')],
      [`${algorithm} base64`, hash(algorithm).digest('base64')],
      [`${algorithm} base64url`, hash(algorithm).digest('base64url')],
    ]),
  ] as [string, string | Buffer][])('finds one that is planted: %s (%#)', (encoding, planted) => {
    const folder = mkdtempSync(join(tmpdir(), 'custos-planted-'));
    try {
      writeFileSync(join(folder, 'clean'), 'nothing here');
      writeFileSync(
        join(folder, 'planted'),
        Buffer.concat([Buffer.from('.. '), Buffer.from(planted), Buffer.from(' ..')]),
      );
      const traces = tracesBelow(folder, [value]);
      expect(traces).toContainEqual({ place: join(folder, 'planted'), value, encoding });
      expect(traces.filter(({ place }) => place.endsWith('clean'))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CustosClient, RequestRefused, DEAD_LETTERS, commandsOf, type ClientOptions } from '#command-bus/sdk';
import { Installation, type ActorName } from '../installation.js';
import { tracesBelow, tracesIn } from '../plaintext.js';
import { describeWithRedis, RedisServer } from '../redis.js';
import { ACCOUNT, consentOf, itemsOf, newsTo, SHOWN, type Person } from './life.js';

const NAME = 'Asha Fictional-Überlingen';
const EMAIL = 'asha.on.the.bus@example.test';
const PHONE = '+44 20 7946 0177';

/** Everything here is sent over Redis; questions are asked over HTTP. */
describeWithRedis('a service on the message bus', () => {
  let redis: RedisServer;
  let custos: Installation;
  const clients: CustosClient[] = [];

  beforeAll(async () => {
    redis = await RedisServer.start('--appendfsync', 'always');
    custos = await Installation.start('2026-11-23T10:00:00Z', { REDIS_URL: redis.url });
  }, 90_000);

  afterAll(async () => {
    await Promise.all(clients.map((client) => client.close()));
    await custos?.remove();
    await redis?.remove();
  });

  const as = (actor: ActorName, more: Partial<ClientOptions> = {}): CustosClient => {
    const client = new CustosClient({
      url: custos.url,
      token: custos.token(actor),
      redisUrl: redis.url,
      name: actor,
      ...more,
    });
    clients.push(client);
    return client;
  };
  // The life of the journeys is untyped; the types are checked by the example service.
  const send = (client: CustosClient, type: string, body: object) =>
    client.send(type as 'RegisterSubject', body as never);

  async function customerOverBus(crm: CustosClient): Promise<Person> {
    const subjectId = randomUUID();
    await send(crm, 'RegisterSubject', { subjectId, capacity: 'individual' });
    await send(crm, 'PresentNotice', { subjectId, ...SHOWN });
    const collected = await send(crm, 'CollectData', {
      subjectId,
      ...ACCOUNT,
      items: itemsOf({
        'contact.name': NAME,
        'contact.email': EMAIL,
        'contact.phone': PHONE,
        'account.number': 'ACC-77',
      }),
    });
    expect(collected.accepted).toBe(true);
    const kept = await custos.get('auditor', `/v1/subjects/${subjectId}/retention`, collected.position);
    return {
      subjectId,
      items: Object.fromEntries(
        (kept.body.rows as { category: string; item_id: string }[]).map(({ category, item_id }) => [category, item_id]),
      ),
    };
  }

  it('gets the answers of HTTP: a campaign stops the moment consent is withdrawn (C05)', async () => {
    const [crm, mailer] = [as('crm'), as('mailer')];
    const asha = await customerOverBus(crm);
    expect(await send(crm, 'GiveConsent', consentOf(asha.subjectId))).toMatchObject({ accepted: true });
    await custos.advanceTo('2026-11-23T10:05:00Z');
    expect(await send(mailer, 'AuthoriseUse', newsTo(asha))).toMatchObject({ accepted: true });
    await custos.advanceTo('2026-11-23T10:06:00Z');
    await send(crm, 'WithdrawConsent', { subjectId: asha.subjectId, purposeId: 'product-news', channel: 'email' });
    await custos.advanceTo('2026-11-23T10:07:00Z');

    const commandId = randomUUID();
    const refusal = await send(mailer, 'AuthoriseUse', { ...newsTo(asha), commandId });
    expect(refusal).toMatchObject({
      accepted: false,
      code: 'CONSENT_WITHDRAWN',
      clauses: ['C05', 'C17'],
      legalRef: 'UK GDPR Art 7(3)',
      details: { purposeId: 'product-news', channel: 'email', since: '2026-11-23T10:06:00.000Z' },
    });
    const uses = await custos.get('auditor', `/v1/subjects/${asha.subjectId}/uses`, refusal.position);
    expect(uses.body.rows).toMatchObject([
      {
        authorised_at: '2026-11-23T10:05:00.000Z',
        revoked_by: 'ConsentWithdrawn',
        revoked_at: '2026-11-23T10:06:00.000Z',
      },
    ]);

    const overHttp = await custos.send('mailer', 'AuthoriseUse', { ...newsTo(asha), commandId });
    expect(overHttp.body).toEqual(refusal);
    expect(overHttp.status).toBe(422);
  });

  it('is turned away as over HTTP: malformed, unknown, without the role, or under a used id', async () => {
    const body = { subjectId: randomUUID(), capacity: 'individual', commandId: randomUUID() };
    for (const [actor, type, sent] of [
      ['crm', 'RegisterSubject', { ...body, capacity: EMAIL }],
      ['crm', 'RegisterSubject', { ...body, nothing: 1 }],
      ['crm', 'RegisterSubject', { ...body, [NAME]: 1 }],
      ['crm', 'CollectData', { ...ACCOUNT, ...body, items: [{ category: 'contact.name', value: NAME, [EMAIL]: 1 }] }],
      ['crm', 'RegisterSubject', { ...body, subjectId: EMAIL }],
      ['crm', 'RegisterSubject', { ...body, subjectId: { $ne: NAME } }],
      ['crm', 'RegisterSubject', { ...body, commandId: EMAIL }],
      ['crm', 'RaiseArt14NoticeOverdue', body],
      ['crm', 'InventData', body],
    ] as const) {
      const overHttp = await custos.send(actor, type, sent);
      const overBus = await send(as(actor), type, sent).catch((error: unknown) => error);
      expect(overBus).toBeInstanceOf(RequestRefused);
      expect((overBus as RequestRefused).problem).toEqual(overHttp.body);
      expect((overBus as RequestRefused).status).toBe(overHttp.status);
    }
    const forbidden = { ...body, commandId: randomUUID() };
    const overBus = await send(as('auditor'), 'RegisterSubject', forbidden);
    expect(overBus).toMatchObject({ accepted: false, code: 'FORBIDDEN' });
    expect((await custos.send('auditor', 'RegisterSubject', forbidden)).body).toEqual(overBus);

    expect(await send(as('crm'), 'RegisterSubject', body)).toMatchObject({ accepted: true });
    expect(await send(as('crm'), 'RegisterSubject', { ...body, capacity: 'soleTrader' })).toMatchObject({
      code: 'COMMAND_ID_REUSED',
    });
    const description = (await custos.get('crm', '/v1/bus')).body;
    const stranger = as('crm', { token: `custos_${'A'.repeat(43)}`, description });
    const turnedAway = await send(stranger, 'RegisterSubject', body).catch((error: unknown) => error);
    expect(turnedAway).toMatchObject({ status: 401, problem: { code: 'UNAUTHENTICATED_ACTOR' } });
  });

  it('leaves no value and no token in Redis, in its files or in the dead letters', async () => {
    const crm = as('crm');
    const asha = await customerOverBus(crm);
    const description = (await custos.get('crm', '/v1/bus')).body;
    // A message that cannot be read, full of what must not be kept.
    await redis.client.xadd(
      commandsOf(0),
      '*',
      'event',
      JSON.stringify({ specversion: '1.0', id: EMAIL, source: NAME, type: PHONE }),
    );
    await send(crm, 'CorrectData', {
      subjectId: asha.subjectId,
      itemId: asha.items['contact.phone'],
      fromVersion: 1,
      value: PHONE.replace('0177', '0188'),
      reasonCode: 'outOfDate',
    });
    await custos.eventually(
      async () => ({ status: 200, body: await redis.client.xlen(DEAD_LETTERS) }),
      ({ body }) => body > 0,
    );
    const values = [NAME, EMAIL, PHONE.replace('0177', '0188'), custos.token('crm')];
    const dead = await redis.client.xrange(DEAD_LETTERS, '-', '+');
    expect(dead.at(-1)?.[1]).toEqual(
      expect.arrayContaining(['reason', 'notACloudEvent', 'detail', 'source isUriReference']),
    );
    expect(tracesIn('dead letters', Buffer.from(JSON.stringify(dead)), [...values, PHONE])).toEqual([]);
    // The poisoned message itself has gone from memory once it was set aside; Redis's log of changes is rewritten.
    await custos.eventually(
      async () => ({ status: 200, body: await redis.client.xlen(commandsOf(0)) }),
      ({ body }) => body === 0,
    );
    for (const key of await redis.client.keys('*')) {
      const bytes = await redis.client.dumpBuffer(key);
      expect(tracesIn(key, bytes ?? Buffer.alloc(0), [...values, PHONE])).toEqual([]);
    }
    await redis.client.bgrewriteaof();
    await custos.eventually(
      async () => ({ status: 200, body: await redis.client.info('persistence') }),
      ({ body }) => /aof_rewrite_in_progress:0/.test(body) && /aof_rewrite_scheduled:0/.test(body),
    );
    expect(tracesBelow(redis.folder, values)).toEqual([]);
    expect(description.sealed.CollectData).toEqual(['items.*.value']);
    expect(description.sealed.CorrectData).toEqual(['value']);
    expect(description.sealed.GiveConsent).toEqual(['statedAge']);
  });

  it('is refused a personal field in the clear, on record, without the value', async () => {
    const subjectId = randomUUID();
    const description = (await custos.get('crm', '/v1/bus')).body;
    const careless = as('crm', { description: { ...description, sealed: {} } });
    await send(careless, 'RegisterSubject', { subjectId, capacity: 'individual' });
    await send(careless, 'PresentNotice', { subjectId, ...SHOWN });
    const refusal = await send(careless, 'CollectData', {
      subjectId,
      ...ACCOUNT,
      items: itemsOf({ 'contact.email': 'careless@example.test' }),
    });
    expect(refusal).toMatchObject({ code: 'PLAINTEXT_PERSONAL_DATA', details: { field: 'items.0.value' } });
    expect(JSON.stringify(refusal)).not.toContain('careless@example.test');
    const log = await custos.get(
      'auditor',
      `/v1/refusals?refusal_id=${(refusal as { refusalId: string }).refusalId}`,
      refusal.position,
    );
    expect(log.body.rows).toHaveLength(1);
  });

  it('goes on when the sealing keys are rotated, and an old key opens nothing two rotations later', async () => {
    const crm = as('crm');
    const registered = () => send(crm, 'RegisterSubject', { subjectId: randomUUID(), capacity: 'individual' });
    await registered();
    const old = (await custos.get('crm', '/v1/bus')).body;
    expect(old.keys).toHaveLength(2);
    await custos.advanceTo('2026-12-23T10:00:00Z');
    const late = as('crm', { description: old, timeout: 3_000, patience: 1_000 });
    expect(await send(late, 'RegisterSubject', { subjectId: randomUUID(), capacity: 'individual' })).toMatchObject({
      accepted: true,
    });
    const now = (await custos.get('crm', '/v1/bus')).body;
    expect(now.keys[1]).toEqual(old.keys[0]);
    await custos.advanceTo('2027-01-23T10:00:00Z');
    await expect(send(late, 'RegisterSubject', { subjectId: randomUUID(), capacity: 'individual' })).rejects.toThrow(
      'no answer',
    );
    expect(await registered()).toMatchObject({ accepted: true });
  });

  it('cleans its replies up, and everybody else is told at the start where the bus is', async () => {
    const client = as('crm');
    await send(client, 'RegisterSubject', { subjectId: randomUUID(), capacity: 'individual' });
    const before = (await redis.client.keys('custos:replies:*')).length;
    expect(before).toBeGreaterThan(0);
    await Promise.all(clients.map((each) => each.close()));
    expect(await redis.client.keys('custos:replies:*')).toEqual([]);
    expect(custos.output).toContain(`message bus  ${redis.url}`);
    expect(readFileSync(join(custos.dataDir, 'standalone.json'), 'utf8')).toContain(custos.url);
  });
});

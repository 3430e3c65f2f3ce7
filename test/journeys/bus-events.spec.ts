import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { EVENTS, events, EventsTrimmed, readCloudEvent, type CloudEvent } from '#command-bus/sdk';
import { integrationEvents } from '../../apps/engine/integration-events.js';
import { Installation } from '../installation.js';
import { tracesIn } from '../plaintext.js';
import { describeWithRedis, RedisServer } from '../redis.js';
import { consentOf, customer } from './life.js';
import { MailingService } from './mailing-service.js';

const ajv = new Ajv({ strict: false, validateFormats: false });

describeWithRedis('a service that listens', () => {
  let redis: RedisServer;
  let custos: Installation;

  beforeAll(async () => {
    redis = await RedisServer.start();
    custos = await Installation.start('2026-11-23T10:00:00Z', { REDIS_URL: redis.url });
  }, 90_000);

  afterAll(async () => {
    await custos?.remove();
    await redis?.remove();
  });

  const published = async (): Promise<CloudEvent[]> =>
    (await redis.client.xrange(EVENTS, '-', '+')).map(([, fields]) => readCloudEvent(JSON.parse(fields[1] ?? '')));
  const until = (wanted: () => boolean | Promise<boolean>) =>
    custos.eventually(
      async () => ({ status: (await wanted()) ? 200 : 0, body: undefined }),
      ({ status }) => status === 200,
    );

  it.each(['bus', 'http'])('asks before it writes, over %s, and stops when it hears of a withdrawal', async (way) => {
    const options = { url: custos.url, token: custos.token('mailer'), name: 'mailing-service' };
    const service = new MailingService(way === 'bus' ? { ...options, redisUrl: redis.url } : options);
    try {
      const asha = await customer(custos);
      service.listen(redis.url);
      const address = asha.items['contact.email'] ?? '';
      expect(await service.write(asha.subjectId, address)).toMatch(/^CONSENT_NOT_GIVEN \(C05, C17; UK GDPR/);
      await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
      expect(await service.write(asha.subjectId, address)).toBeUndefined();
      await custos.accepted('crm', 'WithdrawConsent', {
        subjectId: asha.subjectId,
        purposeId: 'product-news',
        channel: 'email',
      });
      await until(() => service.hasStopped(asha.subjectId));
      expect(await service.write(asha.subjectId, address)).toBe('told to stop');
      expect(service.sent).toEqual([asha.subjectId]);
    } finally {
      await service.close();
    }
  });

  it('hears of nothing but what the schemas name, and no value of a person', async () => {
    const all = await published();
    const byType = new Map(
      Object.values(integrationEvents).map(({ stored, schema }) => [
        `com.chersoft.custos.event.${stored}`,
        ajv.compile(schema),
      ]),
    );
    expect(all.length).toBeGreaterThan(10);
    for (const event of all) expect([event, byType.get(event.type)?.(event.data)]).toEqual([event, true]);
    expect(new Set(all.map(({ type }) => type)).size).toBeGreaterThan(4);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    const values = ['Asha Fictional', 'asha@example.test', 'ACC-2047-ASHA'];
    expect(tracesIn('events', Buffer.from(JSON.stringify(all)), values)).toEqual([]);
  });

  it('resumes where it was, and is told when that is no longer possible', async () => {
    const ids = (await redis.client.xrange(EVENTS, '-', '+')).map(([id]) => Number(id.split('-')[0]));
    const after = ids.at(-3) ?? 0;
    const ended = new AbortController();
    const heard: number[] = [];
    for await (const { position } of events(redis.url, after, ended.signal)) {
      heard.push(position);
      if (position === ids.at(-1)) break;
    }
    expect(heard).toEqual(ids.slice(-2));
    await redis.client.xtrim(EVENTS, 'MAXLEN', '=', 1 as never);
    await expect(events(redis.url, ids[0] ?? 0, ended.signal).next()).rejects.toThrow(EventsTrimmed);
  });

  it('misses nothing when Redis has lost everything, or when the engine was killed', async () => {
    await custos.kill();
    await redis.client.flushall();
    await custos.launch('2026-11-23T10:00:00Z');
    const asha = await customer(custos);
    await until(async () =>
      (await published()).some(({ subject, type }) => subject === asha.subjectId && type.endsWith('data-collected.v1')),
    );
    const before = await published();
    // Emptied beneath a running engine: the next event tells.
    await redis.client.flushall();
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    await until(async () => (await published()).length > before.length);
    const all = await published();
    expect(all.slice(0, before.length)).toEqual(before);
    const sequence = all.map((event) => Number(event['sequence']));
    expect(sequence).toEqual([...sequence].sort((a, b) => a - b));
  });

  it('finds the description of the bus, with a token', async () => {
    const described = await custos.get('crm', '/docs/asyncapi.json');
    expect(described.body).toMatchObject({ asyncapi: '3.0.0' });
    expect((await fetch(`${custos.url}/docs/asyncapi.json`)).status).toBe(401);
  });
});

import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { CustosClient } from '#command-bus/sdk';
import { Installation, type ActorName } from '../installation.js';
import { describeWithRedis, RedisServer } from '../redis.js';
import { ACCOUNT, acquaintance, consentOf, customer, fresh, itemsOf, newsTo, refuses, said, usageOf } from './life.js';

const VALUES = { 'contact.name': 'Asha Fictional', 'contact.email': 'asha@example.test' };
const SCOPE = {
  purposes: ['service-account'],
  categories: ['contact.name', 'contact.email', 'account.number'],
  collectionPoints: ['account-form'],
};
const collection = (subjectId: string, more: object = {}) => ({
  subjectId,
  ...ACCOUNT,
  items: itemsOf({ ...VALUES, 'account.number': 'ACC-1' }),
  ...more,
});
const outside = (serviceId: string, field: string, details: object) =>
  said('OUTSIDE_SERVICE_CONTRACT', 'C08 C15', 'UK GDPR Art 5(1)(b), 32', { serviceId, field, ...details });

/** A service asks within its contract, whichever door it comes through; what it says of itself counts for nothing. */
describeWithRedis('the contract of a service', () => {
  let redis: RedisServer;
  let custos: Installation;

  beforeAll(async () => {
    redis = await RedisServer.start();
    custos = await Installation.start('2026-11-23T09:00:00Z', { REDIS_URL: redis.url });
  }, 120_000);

  afterAll(async () => {
    await custos?.remove();
    await redis?.remove();
  });

  const newService = () => custos.admit(fresh('till'), { actorType: 'service_account', roles: ['service'] });
  const contracted = async (serviceId: string, more: object = {}, version = 1): Promise<void> => {
    await custos.accepted('dpo', 'DraftServiceContract', { serviceId, ...SCOPE, ...more });
    await custos.accepted('second-dpo', 'ApproveServiceContract', { serviceId, version });
  };
  const overBus = async (service: ActorName, type: string, body: object): Promise<unknown> => {
    const client = new CustosClient({
      url: custos.url,
      token: custos.token(service),
      redisUrl: redis.url,
      name: service,
    });
    try {
      return await client.send(type as 'RegisterSubject', body as never);
    } finally {
      await client.close();
    }
  };

  it('lets it name no purpose before two people stand behind one', async () => {
    const till = await newService();
    const subjectId = await acquaintance(custos);
    const nothing = outside(till, 'purposeId', { purposeId: 'service-account' });
    await refuses(custos, till, 'CollectData', collection(subjectId), nothing);
    await custos.accepted('dpo', 'DraftServiceContract', { serviceId: till, ...SCOPE });
    await refuses(custos, till, 'CollectData', collection(subjectId), nothing);
    const approval = { serviceId: till, version: 1 };
    expect(await custos.refused('dpo', 'ApproveServiceContract', approval)).toMatchObject({
      code: 'FOUR_EYES_REQUIRED',
    });
    for (const other of [till, 'support', 'operator', 'auditor', 'counsel'] as const)
      expect((await custos.send(other, 'ApproveServiceContract', approval)).status).toBe(403);
    const { position } = await custos.accepted('second-dpo', 'ApproveServiceContract', approval);
    await custos.accepted(till, 'CollectData', collection(subjectId));
    const register = await custos.get('auditor', `/v1/registers/service-contracts?service_id=${till}`, position);
    expect(register.body.rows).toMatchObject([
      { status: 'inForce', author: 'dpo', approver: 'second-dpo', purposes: '["service-account"]' },
    ]);
    const before = `/v1/registers/service-contracts?service_id=${till}&asOf=2026-11-22T00:00:00Z`;
    expect((await custos.get('auditor', before, position)).body.rows).toEqual([]);
  });

  it('holds it to its purposes, collection points and categories, named or behind an id', async () => {
    const till = await newService();
    await contracted(till);
    const { subjectId, items } = await customer(custos);
    await refuses(
      custos,
      till,
      'CollectData',
      collection(subjectId, { purposeId: 'support-ticket' }),
      outside(till, 'purposeId', { purposeId: 'support-ticket' }),
    );
    await refuses(
      custos,
      till,
      'CollectData',
      collection(subjectId, { collectionPointId: 'support-form' }),
      outside(till, 'collectionPointId', { collectionPointId: 'support-form' }),
    );
    await refuses(
      custos,
      till,
      'CollectData',
      collection(subjectId, { items: itemsOf({ ...VALUES, 'contact.phone': '+44 20 7946 0101' }) }),
      outside(till, 'categories', { categories: ['contact.phone'] }),
    );
    const phone = outside(till, 'categories', { categories: ['contact.phone'] });
    const itemIds = [items['contact.email'], items['contact.phone']];
    await refuses(custos, till, 'AuthoriseUse', { subjectId, purposeId: 'service-account', itemIds }, phone);
    await refuses(
      custos,
      till,
      'CorrectData',
      { subjectId, itemId: items['contact.phone'], fromVersion: 1, value: '+44 20 7946 0199', reasonCode: 'outOfDate' },
      phone,
    );
    await refuses(
      custos,
      till,
      'ShareData',
      { subjectId, purposeId: 'service-account', itemIds, recipientId: 'example-harbour-charts', medium: 'api' },
      phone,
    );
    await custos.accepted(till, 'AuthoriseUse', {
      subjectId,
      purposeId: 'service-account',
      itemIds: [items['contact.email']],
    });
  });

  it('holds it to the purpose of the use it reports and of the stream it captures', async () => {
    const till = await newService();
    await contracted(till);
    const asha = await customer(custos);
    const { subjectId } = asha;
    await custos.accepted('crm', 'GiveConsent', consentOf(subjectId));
    const { position } = await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    const uses = await custos.get('auditor', `/v1/subjects/${subjectId}/uses`, position);
    const report = { subjectId, useId: uses.body.rows[0].use_id, outcome: 'done' };
    await refuses(custos, till, 'ReportUse', report, outside(till, 'purposeId', { purposeId: 'product-news' }));
    await custos.accepted('mailer', 'ReportUse', report);
    await refuses(
      custos,
      till,
      'RecordUsage',
      usageOf(subjectId, '2026-11-23T08:00:00Z'),
      outside(till, 'purposeId', { purposeId: 'service-usage' }),
    );
  });

  it('says the same over the bus, and once for each command', async () => {
    const till = await newService();
    await contracted(till);
    const subjectId = await acquaintance(custos);
    const beyond = collection(subjectId, { commandId: randomUUID(), purposeId: 'support-ticket' });
    const refusal = await overBus(till, 'CollectData', beyond);
    expect(refusal).toMatchObject({
      accepted: false,
      ...outside(till, 'purposeId', { purposeId: 'support-ticket' }),
    });
    const overHttp = await custos.send(till, 'CollectData', beyond);
    expect(overHttp).toEqual({ status: 403, body: refusal });
    expect(await overBus(till, 'CollectData', collection(subjectId, { commandId: randomUUID() }))).toMatchObject({
      accepted: true,
    });
  });

  it('takes from it what a person wants, whatever the contract', async () => {
    const kiosk = await newService();
    const asha = await customer(custos);
    const { subjectId } = asha;
    await custos.accepted('crm', 'GiveConsent', consentOf(subjectId));
    const consent = { subjectId, purposeId: 'product-news', channel: 'email' };
    await refuses(
      custos,
      kiosk,
      'GiveConsent',
      consentOf(subjectId),
      outside(kiosk, 'purposeId', { purposeId: 'product-news' }),
    );
    await custos.accepted(kiosk, 'WithdrawConsent', consent);
    await custos.accepted(kiosk, 'ObjectToMarketing', { subjectId });
  });

  it('ends at once; what was answered before keeps its answer', async () => {
    const till = await newService();
    await contracted(till);
    const subjectId = await acquaintance(custos);
    const done = collection(subjectId, { commandId: randomUUID() });
    const answer = await custos.accepted(till, 'CollectData', done);
    await custos.accepted('dpo', 'EndServiceContract', { serviceId: till });
    await refuses(
      custos,
      till,
      'CollectData',
      collection(subjectId),
      outside(till, 'purposeId', { purposeId: 'service-account' }),
    );
    expect(await custos.accepted(till, 'CollectData', done)).toEqual(answer);
  });
});

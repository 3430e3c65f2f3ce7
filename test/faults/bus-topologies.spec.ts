import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { setTimeout as wait } from 'node:timers/promises';
import { connectRedis, type Connection, type CustosClient } from '#command-bus/sdk';
import { Installation } from '../installation.js';
import { ClusteredRedis, WatchedRedis } from '../redis-topologies.js';
import { describeWithRedis } from '../redis.js';
import { check, clientOf, hasGoneOn, live, PEOPLE, type Sent } from './bus-load.js';

const LONG = process.env['FAULT_ROUNDS'] === 'long';
const ROUNDS = LONG ? 8 : 1;
/** All slots of the first master, or as many as it takes to move the first partition it holds. */
const SLOTS = LONG ? 5_461 : 1_600;

/** Sends commands about several people while something happens, and checks that each has one outcome. */
async function under(
  custos: Installation,
  redis: { readonly url: string; readonly connection: Connection },
  what: string,
  happens: (sent: readonly Sent[]) => Promise<void>,
): Promise<void> {
  const sent: Sent[] = [];
  let goesOn = true;
  const crm: CustosClient = await clientOf(custos, redis.url, 2_000);
  try {
    const people = Promise.all(Array.from({ length: PEOPLE }, () => live(crm, sent, () => goesOn, 1)));
    people.catch(() => undefined);
    await hasGoneOn(sent);
    await happens(sent);
    goesOn = false;
    await people;
    await check(custos, redis.connection, sent);
    expect(sent.every(({ answer }) => answer.accepted)).toBe(true);
    process.stderr.write(`${what}: ${sent.length} commands, one outcome each\n`);
  } finally {
    goesOn = false;
    await crm.close();
  }
}

describeWithRedis('the message bus over a master that sentinels watch', () => {
  let redis: WatchedRedis;
  let custos: Installation;
  let connection: Connection;

  beforeAll(async () => {
    redis = await WatchedRedis.start();
    connection = connectRedis(redis.url, true, () => undefined);
    custos = await Installation.start(undefined, { REDIS_URL: redis.url, LOG_LEVEL: 'error' });
  }, 120_000);

  afterAll(async () => {
    connection?.disconnect();
    await custos?.remove();
    await redis?.remove();
  });

  it(`loses no command when the master dies ${ROUNDS} times under load`, async () => {
    await under(custos, { url: redis.url, connection }, `sentinels, ${ROUNDS} fail-overs`, async (sent) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        await redis.failOver();
        await hasGoneOn(sent);
      }
    });
  }, 400_000);
});

describeWithRedis('the message bus over a cluster', () => {
  let redis: ClusteredRedis;
  let custos: Installation;
  let connection: Connection;

  beforeAll(async () => {
    redis = await ClusteredRedis.start();
    connection = connectRedis(redis.url, true, () => undefined);
    custos = await Installation.start(undefined, { REDIS_URL: redis.url, LOG_LEVEL: 'error' });
  }, 120_000);

  afterAll(async () => {
    connection?.disconnect();
    await custos?.remove();
    await redis?.remove();
  });

  it(`loses no command when a master dies ${ROUNDS} times under load and comes back`, async () => {
    await under(custos, { url: redis.url, connection }, `cluster, ${ROUNDS} masters killed`, async (sent) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        await redis.restart(round);
        await wait(500);
        await hasGoneOn(sent);
      }
    });
    // The partitions really stand on several nodes.
    expect((await redis.keysOf('custos:commands:*')).filter((count) => count > 0).length).toBeGreaterThan(1);
  }, 400_000);

  it(`loses no command when ${SLOTS} slots move to another master under load`, async () => {
    await under(custos, { url: redis.url, connection }, 'cluster, slots moved', async (sent) => {
      const before = await redis.keysOf('custos:commands:*');
      await redis.moveSlots(SLOTS, 0, 1);
      expect((await redis.keysOf('custos:commands:*'))[1]).toBeGreaterThan(before[1] ?? 0);
      await hasGoneOn(sent);
    });
  }, 200_000);
});

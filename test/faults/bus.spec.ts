import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { BUS_COMMAND, CommandBusServer, PARTITIONS, type BusCommand, type Handled } from '#command-bus';
import {
  COMMAND_GROUP,
  commandMessage,
  commandsOf,
  CustosClient,
  DEAD_LETTERS,
  openMessage,
  partitionOf,
  repliesOf,
  RequestRefused,
  sealAnswer,
  type Answer,
  type BusDescription,
  type CloudEvent,
  type CommandData,
} from '#command-bus/sdk';
import { Installation } from '../installation.js';
import { acquaintance, consentOf, TICKET } from '../journeys/life.js';
import { check, clientOf, hasGoneOn, live, partitions, PEOPLE, settles, until, type Sent } from './bus-load.js';
import { describeWithRedis, RedisServer } from '../redis.js';

const LONG = process.env['FAULT_ROUNDS'] === 'long';
const ROUNDS = LONG ? 20 : 3;
const MESSAGES = LONG ? 10_000 : 500;
const LONGEST = LONG ? 1_200_000 : 300_000;

describe.each(['everysec', 'always'])('the message bus', (appendfsync) => {
  describeWithRedis(`with appendfsync ${appendfsync}, over a real engine`, () => {
    let redis: RedisServer;
    let custos: Installation;

    beforeAll(async () => {
      redis = await RedisServer.start('--appendfsync', appendfsync);
      custos = await Installation.start(undefined, { REDIS_URL: redis.url, LOG_LEVEL: 'error' });
    }, 90_000);

    afterAll(async () => {
      await custos?.remove();
      await redis?.remove();
    });

    const client = (patience = 2_000): Promise<CustosClient> => clientOf(custos, redis.url, patience);

    it(
      `loses no command when Redis is killed ${ROUNDS} times under load`,
      async () => {
        const sent: Sent[] = [];
        let goesOn = true;
        const crm = await client();
        try {
          const people = Promise.all(Array.from({ length: PEOPLE }, () => live(crm, sent, () => goesOn, 1)));
          for (let round = 0; round < ROUNDS; round += 1) {
            await hasGoneOn(sent);
            await wait(500 + Math.random() * 500);
            await redis.kill();
            await wait(200);
            await redis.launch();
          }
          await wait(500);
          goesOn = false;
          await people;
          await check(custos, redis.client, sent);
          expect(sent.every(({ answer }) => answer.accepted)).toBe(true);
          process.stderr.write(
            `appendfsync ${appendfsync}: ${ROUNDS} kills, ${sent.length} commands, one outcome each\n`,
          );
        } finally {
          await crm.close();
        }
      },
      LONGEST,
    );

    if (appendfsync === 'always') return;

    it(
      `keeps each person's order when the engine is killed ${ROUNDS} times mid-command`,
      async () => {
        const sent: Sent[] = [];
        let goesOn = true;
        const crm = await client(15_000);
        try {
          const people = Promise.all(Array.from({ length: PEOPLE * 4 }, () => live(crm, sent, () => goesOn, 3)));
          for (let round = 0; round < ROUNDS; round += 1) {
            await hasGoneOn(sent);
            await wait(Math.random() * 500);
            await custos.kill();
            await custos.launch();
          }
          await wait(1_000);
          goesOn = false;
          await people;
          await check(custos, redis.client, sent);
          // Handed over without waiting for each other, and each accepted: a withdrawal before its consent would record nothing.
          const recorded = sent.filter(({ answer }) => answer.accepted && answer.events.length === 1);
          expect(recorded).toHaveLength(sent.length);
        } finally {
          await crm.close();
        }
      },
      LONGEST,
    );

    it(
      `sets 1 % poison of ${MESSAGES} messages aside, and answers all others, also those that come three times`,
      async () => {
        const description = (await custos.get('crm', '/v1/bus')).body as BusDescription;
        const crm = await client(60_000);
        const before = await redis.client.xlen(DEAD_LETTERS);
        try {
          const answers: Promise<Answer>[] = [];
          for (let index = 0; index < MESSAGES; index += 1) {
            const body = { subjectId: randomUUID(), capacity: 'individual' as const };
            if (index % 100 === 50) {
              const poison = [
                `{`,
                '[]',
                JSON.stringify({ specversion: '1.0' }),
                JSON.stringify(sealedBadly(description, body)),
              ];
              await redis.client.xadd(
                partitions[index % PARTITIONS]!,
                '*',
                'event',
                poison[((index / 50) % poison.length) | 0]!,
              );
            } else if (index % 100 === 51) {
              const commandId = randomUUID();
              const same = [1, 2, 3].map(() => crm.send('RegisterSubject', { ...body, commandId }));
              answers.push(...same);
              const [one, two, three] = await Promise.all(same);
              expect([two, three]).toEqual([one, one]);
            } else answers.push(crm.send('RegisterSubject', body));
            if (index % 200 === 0) await Promise.all(answers);
          }
          expect((await Promise.all(answers)).every((answer) => answer.accepted && answer.events.length === 1)).toBe(
            true,
          );
          await settles(redis.client);
          expect((await redis.client.xlen(DEAD_LETTERS)) - before).toBe(MESSAGES / 100);
        } finally {
          await crm.close();
        }
      },
      LONGEST,
    );

    it('sets a message of 1 MiB aside, and its sender is told before it is sent', async () => {
      const crm = await client();
      try {
        const huge = { ...consentOf(randomUUID()), statementHash: 'a'.repeat(1024 * 1024) };
        const refused = await crm.send('GiveConsent', huge as never).catch((error: unknown) => error);
        expect(refused).toBeInstanceOf(RequestRefused);
        expect(refused).toMatchObject({ status: 413 });
        const before = await redis.client.xlen(DEAD_LETTERS);
        await redis.client.xadd(partitions[0]!, '*', 'event', 'a'.repeat(1024 * 1024));
        await until('it is set aside', async () => (await redis.client.xlen(DEAD_LETTERS)) > before);
        expect((await redis.client.xrevrange(DEAD_LETTERS, '+', '-', 'COUNT', 1))[0]?.[1]).toContain('tooLarge');
        await settles(redis.client);
      } finally {
        await crm.close();
      }
    }, 60_000);

    it('sets nothing aside while the key vault cannot be written, and goes on when it can', async () => {
      const crm = await client(60_000);
      const vault = join(custos.dataDir, 'vault.db');
      const subjectId = await acquaintance(custos);
      const before = await redis.client.xlen(DEAD_LETTERS);
      try {
        renameSync(vault, `${vault}.away`);
        const items = [{ category: 'ticket.text', value: 'Chart 12 does not open.' }];
        const answer = crm.send('CollectData', { subjectId, ...TICKET, items });
        // A message that is to blame itself is set aside within four seconds.
        await wait(5_000);
        renameSync(`${vault}.away`, vault);
        expect(await answer).toMatchObject({ accepted: true, events: [{ type: 'DataCollected' }] });
        expect(await redis.client.xlen(DEAD_LETTERS)).toBe(before);
      } finally {
        await crm.close();
      }
    }, 60_000);

    it('goes on when a full Redis has room again', async () => {
      const sent: Sent[] = [];
      let goesOn = true;
      const crm = await client();
      try {
        const people = Promise.all(Array.from({ length: PEOPLE }, () => live(crm, sent, () => goesOn, 2)));
        await wait(300);
        await redis.client.config('SET', 'maxmemory-policy', 'noeviction');
        await redis.client.config('SET', 'maxmemory', '1mb');
        await wait(200);
        await expect(redis.client.set('no', 'room')).rejects.toThrow('OOM');
        const stalled = sent.length;
        await wait(6_000);
        expect(sent.length - stalled).toBeLessThanOrEqual(PEOPLE * 4);
        await redis.client.config('SET', 'maxmemory', '0');
        await until('commands are answered again', () => sent.length > stalled + PEOPLE * 6);
        goesOn = false;
        await people;
        await check(custos, redis.client, sent);
      } finally {
        await redis.client.config('SET', 'maxmemory', '0');
        await crm.close();
      }
    }, 120_000);
  });
});

function sealedBadly(description: BusDescription, body: object): CloudEvent<CommandData> {
  const sender = { source: '/service/x', token: 't', replyTo: repliesOf(randomUUID()), answerKey: randomBytes(32) };
  const command = { type: 'RegisterSubject', body: { ...body }, commandId: randomUUID() };
  const message = commandMessage(description, command, sender, new Date().toISOString());
  return { ...message, source: '/service/y' };
}

describeWithRedis('the transport of the message bus', () => {
  let redis: RedisServer;
  const pair = generateKeyPairSync('x25519');
  const key = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k', use: 'enc' } as never;
  const description: BusDescription = { partitions: PARTITIONS, keys: [key], sealed: {} };
  const keyOf = () => pair.privateKey;
  const open: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    redis = await RedisServer.start();
  });

  afterEach(async () => {
    for (const close of open.splice(0).reverse()) await close();
    await redis.remove();
  });

  function engine(handle: (command: BusCommand) => Promise<Handled>): CommandBusServer {
    const server = new CommandBusServer({
      url: redis.url,
      keys: { published: async () => [key], valid: async () => keyOf } as never,
      sealedFields: {},
      isCommand: (type) => type === 'RegisterSubject',
      now: () => new Date().toISOString(),
      onState: () => undefined,
    });
    server.addHandler(BUS_COMMAND, handle as never);
    server.listen(() => undefined);
    open.push(() => server.close());
    return server;
  }

  function sender(patience = 20_000): CustosClient {
    const client = new CustosClient({
      url: 'http://127.0.0.1:9',
      token: 't',
      redisUrl: redis.url,
      description,
      patience,
      timeout: 40_000,
    });
    open.push(() => client.close());
    return client;
  }

  const accept = ({ commandId }: BusCommand): Handled => ({
    status: 200,
    body: { accepted: true, commandId, events: [], stream: 's-1', position: 1 },
  });
  /** Puts a command into Redis as some sender would who waits for nothing. */
  const put = (subjectId: string, commandId: string): Promise<unknown> => {
    const from = { source: '/service/x', token: 't', replyTo: repliesOf(randomUUID()), answerKey: randomBytes(32) };
    const command = { type: 'RegisterSubject', body: { subjectId, capacity: 'individual' }, commandId };
    const message = commandMessage(description, command, from, new Date().toISOString());
    return redis.client.xadd(commandsOf(partitionOf(subjectId, PARTITIONS)), '*', 'event', JSON.stringify(message));
  };
  const register = (client: CustosClient, subjectId: string, commandId: string = randomUUID()) =>
    client.send('RegisterSubject', { subjectId, commandId, capacity: 'individual' });

  it('finds the sender of each reply, whatever order they come in', async () => {
    const client = sender();
    const ids = Array.from({ length: 20 }, (): string => randomUUID());
    const answers = ids.map((id) => register(client, randomUUID(), id));
    const messages: CloudEvent<CommandData>[] = [];
    await until('all are sent', async () => {
      messages.length = 0;
      for (const each of partitions)
        for (const [, fields] of await redis.client.xrange(each, '-', '+')) messages.push(JSON.parse(fields[1] ?? ''));
      return messages.length === ids.length;
    });
    const late = messages.sort((a, b) => ids.indexOf(b.id) - ids.indexOf(a.id));
    for (const message of late)
      for (const causationid of [randomUUID(), message.id, message.id]) {
        const { answerKey } = openMessage(message, keyOf);
        const sealed = sealAnswer(answerKey, { accepted: true, commandId: message.id, position: 1 }, message.id);
        const reply = {
          specversion: '1.0',
          id: randomUUID(),
          source: '/custos',
          type: 'com.chersoft.custos.answer.v1',
        };
        await redis.client.xadd(
          String(message['replyto']),
          '*',
          'event',
          JSON.stringify({ ...reply, causationid, status: 200, data: { sealed } }),
        );
      }
    expect((await Promise.all(answers)).map(({ commandId }) => commandId)).toEqual(ids);
  }, 30_000);

  it('lets one slow person wait alone, in order', async () => {
    const slow = randomUUID();
    const neighbour = Array.from({ length: 1_000 }, () => randomUUID()).find(
      (id) => partitionOf(id, PARTITIONS) === partitionOf(slow, PARTITIONS),
    )!;
    const done: string[] = [];
    engine(async (command) => {
      if (command.body['subjectId'] === slow) await wait(400);
      done.push(command.commandId);
      return accept(command);
    });
    const [slowIds, quickIds] = [1, 2].map(() => Array.from({ length: 5 }, (): string => randomUUID()));
    for (const id of slowIds!) await put(slow, id);
    for (const id of quickIds!) await put(neighbour, id);
    await until('all are done', () => done.length === 10);
    expect(done.filter((id) => slowIds!.includes(id))).toEqual(slowIds);
    expect(done.filter((id) => quickIds!.includes(id))).toEqual(quickIds);
    expect(done.indexOf(quickIds!.at(-1)!)).toBeLessThan(done.indexOf(slowIds![1]!));
    await settles(redis.client);
  }, 30_000);

  it('tries a failing message again before those behind it, and sets it aside in the end', async () => {
    const subjectId = randomUUID();
    const [failing, behind] = [randomUUID(), randomUUID()];
    const done: string[] = [];
    engine(async (command) => {
      done.push(command.commandId);
      return command.commandId === failing ? { failed: 'busy' } : accept(command);
    });
    await put(subjectId, failing);
    await put(subjectId, behind);
    await until('both are finished', () => done.includes(behind));
    expect(done).toEqual([...Array.from({ length: 5 }, () => failing), behind]);
    expect((await redis.client.xrange(DEAD_LETTERS, '-', '+'))[0]?.[1]).toEqual(
      expect.arrayContaining([failing, 'busy']),
    );
    await settles(redis.client);
  }, 60_000);

  it('shares the partitions between engines, and takes over from one that died', async () => {
    const seen = [0, 0];
    const one = engine(async (command) => ((seen[0]! += 1), accept(command)));
    await until('it has all', () => one.held.length === PARTITIONS);
    // A consumer that died with a message it had read.
    const stuck = randomUUID();
    const client = sender();
    await one.close();
    const answer = register(client, stuck);
    const where = commandsOf(partitionOf(stuck, PARTITIONS));
    await until('it is sent', async () => (await redis.client.xlen(where)) === 1);
    await redis.client.xreadgroup('GROUP', COMMAND_GROUP, 'the-dead', 'COUNT', 10, 'STREAMS', where, '>');
    const two = engine(async (command) => ((seen[1]! += 1), accept(command)));
    expect(await answer).toMatchObject({ accepted: true });
    const three = engine(async (command) => accept(command));
    await until('they share', () => two.held.length === PARTITIONS / 2 && three.held.length === PARTITIONS / 2);
    expect(new Set([...two.held, ...three.held]).size).toBe(PARTITIONS);
    expect(seen[1]).toBe(1);
    await settles(redis.client);
  }, 60_000);

  it('gives the sixth delivery of a message that brings engines down no chance', async () => {
    const subjectId = randomUUID();
    const client = sender(3_000);
    const warm = engine(async (command) => accept(command));
    await until('it has all', () => warm.held.length === PARTITIONS);
    await warm.close();
    const answer = register(client, subjectId).catch((error: unknown) => error);
    const where = commandsOf(partitionOf(subjectId, PARTITIONS));
    await until('it is sent', async () => (await redis.client.xlen(where)) > 0);
    await redis.client.xreadgroup('GROUP', COMMAND_GROUP, 'dead-1', 'COUNT', 1, 'STREAMS', where, '>');
    for (let death = 2; death <= 5; death += 1)
      await redis.client.xautoclaim(where, COMMAND_GROUP, `dead-${death}`, 0, '0-0');
    let handled = 0;
    engine(async (command) => ((handled += 1), accept(command)));
    expect(await answer).toMatchObject({ name: 'RequestRefused', problem: { reason: 'deliveredTooOften' } });
    expect(handled).toBe(0);
    await settles(redis.client);
  }, 60_000);

  it('keeps a message until every group of its stream has acknowledged it', async () => {
    const subjectId = randomUUID();
    const where = commandsOf(partitionOf(subjectId, PARTITIONS));
    await redis.client.xgroup('CREATE', where, 'audit', '0', 'MKSTREAM');
    engine(async (command) => accept(command));
    const client = sender();
    await register(client, subjectId);
    await register(client, subjectId);
    // Longer than it takes to trim twice.
    await wait(1_500);
    expect(await redis.client.xlen(where)).toBe(2);
    const read = await redis.client.xreadgroup('GROUP', 'audit', 'reader', 'COUNT', 10, 'STREAMS', where, '>');
    const [first = '', second = ''] = read?.[0]?.[1].map(([id]) => id) ?? [];
    // Read and not acknowledged: it may be asked for again.
    await wait(1_500);
    expect(await redis.client.xlen(where)).toBe(2);
    await redis.client.xack(where, 'audit', first);
    await until('the first is trimmed', async () => (await redis.client.xlen(where)) === 1);
    await redis.client.xack(where, 'audit', second);
    await until('both are trimmed', async () => (await redis.client.xlen(where)) === 0);
  }, 60_000);

  it('finishes and answers what it began when it is stopped, begins nothing more, and gives its partitions back', async () => {
    const subjectId = randomUUID();
    const begun: string[] = [];
    const stopping = engine(async (command) => {
      begun.push(command.commandId);
      await wait(1_000);
      return accept(command);
    });
    const client = sender();
    const first = register(client, subjectId);
    await until('it is begun', () => begun.length === 1);
    const closed = stopping.close();
    const late = randomUUID();
    await put(subjectId, late);
    expect(await first).toMatchObject({ accepted: true });
    await closed;
    expect(await redis.client.keys('custos:owner:*')).toEqual([]);
    expect(await redis.client.zcard('custos:engines')).toBe(0);
    expect(begun).toHaveLength(1);
    engine(async (command) => (begun.push(command.commandId), accept(command)));
    await until('the other is done', () => begun.length === 2);
    expect(begun[1]).toBe(late);
    await settles(redis.client);
  }, 60_000);

  it('repeats no word of a sender in a dead letter: no name of an attribute, no name of a command', async () => {
    let handled = 0;
    engine(async (command) => ((handled += 1), accept(command)));
    const subjectId = randomUUID();
    const sealing = { source: '/service/x', token: 't', replyTo: repliesOf(randomUUID()), answerKey: randomBytes(32) };
    const built = (type: string, answerKey = sealing.answerKey): CloudEvent<CommandData> =>
      commandMessage(
        description,
        { type, body: { subjectId }, commandId: randomUUID() },
        { ...sealing, answerKey },
        new Date().toISOString(),
      );
    const where = commandsOf(partitionOf(subjectId, PARTITIONS));
    for (const message of [
      { ...built('RegisterSubject'), ashafictional: {} },
      { ...built('RegisterSubject'), 'Asha Fictional': 1 },
      { ...built('AshaFictional'), source: '/service/y' },
      // Without a key for the answer it would lie in Redis in the clear.
      built('RegisterSubject', Buffer.alloc(0)),
    ])
      await redis.client.xadd(where, '*', 'event', JSON.stringify(message));
    await until('all are set aside', async () => (await redis.client.xlen(DEAD_LETTERS)) === 4);
    const dead = await redis.client.xrange(DEAD_LETTERS, '-', '+');
    expect(JSON.stringify(dead)).not.toMatch(/asha/i);
    const said = dead.map(([, fields]) =>
      ['reason', 'detail'].map((name) => fields[fields.indexOf(name) + 1]).join(' '),
    );
    expect(said.sort()).toEqual([
      'notACloudEvent (extension) isTextIntegerOrBoolean',
      'notACloudEvent (unnamed) isLowerCaseAlphanumeric',
      'notACommand data.sealed',
      'sealBroken data.sealed',
    ]);
    expect(handled).toBe(0);
    await settles(redis.client);
  }, 30_000);
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  binaryEvent,
  eventTypeFilter,
  jsonEvent,
  streamNameFilter,
  type EventStoreDBClient,
  type PersistentAction,
  type Position,
} from '@eventstore/db-client';
import {
  allSettings,
  createWithStrategy,
  infoWhen,
  pause,
  streamSettings,
  watch,
  type Delivered,
  type Watched,
} from './persistent-consumer.js';
import { connect, type Rpc } from './rpc.js';
import { collect, embeddedOnly, events, openStore, streamName, until, type StoreUnderTest } from './store.js';

const GROUP = 'workers';
let store: StoreUnderTest;
let client: EventStoreDBClient;
let rpc: Rpc;
const open: Watched[] = [];

beforeAll(async () => {
  store = await openStore();
  client = store.client;
  rpc = connect(store.url);
});
afterAll(async () => {
  await Promise.all(open.map(({ subscription }) => subscription.unsubscribe()));
  rpc.close();
  await store.close();
});

type Settings = Parameters<typeof streamSettings>[0];

/** A stream with so many events and a group on it. */
async function given(count: number, settings: Settings = {}): Promise<string> {
  const stream = streamName();
  if (count > 0) await client.appendToStream(stream, events(count));
  await client.createPersistentSubscriptionToStream(stream, GROUP, streamSettings(settings));
  return stream;
}
const consume = (stream: string, bufferSize = 10): Watched => {
  const watched = watch(client.subscribeToPersistentSubscriptionToStream(stream, GROUP, { bufferSize }));
  open.push(watched);
  return watched;
};
const leave = async (watched: Watched) => {
  await watched.subscription.unsubscribe();
  await pause(50);
};
/** Answers everything there is and will be. */
const acknowledging = (watched: Watched): Watched => {
  watched.subscription.on('data', (event: Delivered) => void watched.subscription.ack(event as never));
  return watched;
};
const link = (revision: number, stream: string) =>
  binaryEvent({ type: '$>', data: Buffer.from(`${revision}@${stream}`) });
const nack = (watched: Watched, action: PersistentAction, reason: string, at: number) =>
  watched.subscription.nack(action, reason, watched.delivered[at] as never);
const numbered = (stream: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}@${stream}`);
const parkedStream = (stream: string) => `$persistentsubscription-${stream}::${GROUP}-parked`;
const parked = (stream: string) =>
  collect(client.readStream(parkedStream(stream), { resolveLinkTos: true })).then(
    (all) => all.map(({ event }) => `${event?.revision}@${event?.streamId}`),
    () => [],
  );
const parkedCount = (stream: string, count: number) =>
  infoWhen(client, stream, GROUP, ({ stats }) => stats.parkedMessageCount === BigInt(count));
const lastPosition = async (stream: string): Promise<Position> => {
  const [last] = await collect(client.readStream(stream, { direction: 'backwards', fromRevision: 'end', maxCount: 1 }));
  return last?.event?.position as Position;
};

describe('a group on a stream', () => {
  it('confirms, delivers what there is and then what comes', async () => {
    const stream = await given(2);
    const seen = acknowledging(consume(stream));
    await seen.count(2);
    await client.appendToStream(stream, events(2, 2));
    await seen.count(4);
    expect(seen.isConfirmed).toBe(true);
    expect(seen.names()).toEqual(numbered(stream, 0, 3));
    expect(seen.delivered[3]?.event?.data).toEqual({ n: 3 });
    expect(seen.delivered[3]?.commitPosition).toBe((await lastPosition(stream)).commit);
  });

  it('begins at a revision with that revision', async () => {
    const stream = await given(4, { startFrom: 2n });
    const seen = acknowledging(consume(stream));
    await seen.count(2);
    expect(seen.names()).toEqual(numbered(stream, 2, 3));
  });

  it('begins at the end with what came after it was created', async () => {
    const stream = await given(2, { startFrom: 'end' });
    await client.appendToStream(stream, events(1, 2));
    const seen = acknowledging(consume(stream));
    await seen.count(1);
    expect(seen.names()).toEqual([`2@${stream}`]);
  });

  it('waits for a stream that does not exist yet', async () => {
    const stream = await given(0);
    const seen = acknowledging(consume(stream));
    await until(() => seen.isConfirmed, 'confirmation');
    await client.appendToStream(stream, events(1));
    await seen.count(1);
    expect(seen.names()).toEqual([`0@${stream}`]);
  });

  it('leaves no more with a consumer than its buffer holds', async () => {
    const stream = await given(5);
    const seen = consume(stream, 2);
    await seen.count(2);
    await pause(150);
    expect(seen.names()).toEqual(numbered(stream, 0, 1));
    await seen.subscription.ack(seen.delivered[0] as never);
    await seen.count(3);
    await pause(100);
    expect(seen.names()).toEqual(numbered(stream, 0, 2));
  });

  it('goes on beyond an event nobody answers, however long the stream', async () => {
    const stream = await given(60, { historyBufferSize: 5, liveBufferSize: 5, readBatchSize: 4 });
    const seen = consume(stream, 3);
    seen.subscription.on('data', (event: Delivered) => {
      if (event.event && event.event.revision > 0n) void seen.subscription.ack(event as never);
    });
    await seen.count(60);
    expect(seen.names()).toEqual(numbered(stream, 0, 59));
  });

  it('sends two events with one id, the second after the first', async () => {
    const stream = streamName();
    const id = randomUUID();
    const twin = (n: number) => jsonEvent({ id, type: 'Noted', data: { n } });
    await client.appendToStream(stream, [twin(0), twin(1)]);
    await client.createPersistentSubscriptionToStream(stream, GROUP, streamSettings());
    const seen = acknowledging(consume(stream));
    await seen.count(2);
    expect(seen.names()).toEqual(numbered(stream, 0, 1));
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.lastCheckpointedEventRevision === 1n);
  });

  embeddedOnly('delivers nothing more of a stream that has got its tombstone', async () => {
    const stream = await given(3);
    const seen = consume(stream, 1);
    await seen.count(1);
    await client.tombstoneStream(stream);
    await seen.subscription.ack(seen.delivered[0] as never);
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.totalInFlightMessages === 0);
    await pause(100);
    expect(seen.names()).toEqual([`0@${stream}`]);
  });

  it('resolves links when it is told to, and takes the answer for the link', async () => {
    const target = streamName();
    await client.appendToStream(target, events(1));
    const stream = await given(0, { resolveLinkTos: true });
    await client.appendToStream(stream, [link(0, target), link(7, target)]);
    const seen = consume(stream);
    await seen.count(2);
    expect(seen.delivered[0]).toMatchObject({ event: { streamId: target }, link: { streamId: stream, revision: 0n } });
    expect(seen.delivered[1]?.event).toBeUndefined();
    expect(seen.delivered[1]?.link).toMatchObject({ streamId: stream, revision: 1n });
    await seen.subscription.ack(...(seen.delivered as never[]));
    const { stats } = await infoWhen(client, stream, GROUP, (info) => info.stats.totalInFlightMessages === 0);
    expect(stats.outstandingMessagesCount).toBe(0);
  });
});

describe('an event that is not acknowledged', () => {
  it.each(['unknown', 'retry'] as const)('is delivered again after nack %s, with a count', async (action) => {
    const stream = await given(1);
    const seen = consume(stream);
    await seen.count(1);
    await nack(seen, action as PersistentAction, 'not now', 0);
    await seen.count(2);
    await nack(seen, action as PersistentAction, 'not now', 1);
    await seen.count(3);
    expect(seen.names()).toEqual([`0@${stream}`, `0@${stream}#1`, `0@${stream}#2`]);
  });

  it.each(['skip', 'stop'] as const)('is not delivered again after nack %s', async (action) => {
    const stream = await given(2);
    const seen = consume(stream, 1);
    await seen.count(1);
    await nack(seen, action, 'no', 0);
    await seen.count(2);
    expect(seen.names()).toEqual(numbered(stream, 0, 1));
    expect(await parked(stream)).toEqual([]);
    await leave(seen);
    const next = consume(stream);
    await next.count(1);
    expect(next.names()).toEqual([`1@${stream}#1`]);
  });

  it('is parked after nack park, as a link that says why', async () => {
    const stream = await given(2);
    const seen = consume(stream);
    await seen.count(2);
    await nack(seen, 'park', 'cannot read this', 1);
    await parkedCount(stream, 1);
    const [link] = await collect(client.readStream(parkedStream(stream)));
    expect(link?.event?.type).toBe('$>');
    expect(Buffer.from(link?.event?.data as Uint8Array).toString()).toBe(`1@${stream}`);
    const said = link?.event?.metadata;
    const { added, reason, subscriptionEventNumber } = (
      said instanceof Uint8Array ? JSON.parse(Buffer.from(said).toString()) : said
    ) as Record<string, unknown>;
    expect(Number.isNaN(Date.parse(String(added)))).toBe(false);
    expect(reason).toContain('cannot read this');
    expect(subscriptionEventNumber).toBe(1);
  });

  it('is parked when it has been retried often enough', async () => {
    const stream = await given(1, { maxRetryCount: 2 });
    const seen = consume(stream);
    seen.subscription.on('data', (event: Delivered) => void seen.subscription.nack('retry', 'again', event as never));
    await parkedCount(stream, 1);
    expect(seen.names()).toEqual([`0@${stream}`, `0@${stream}#1`, `0@${stream}#2`]);
    expect(await parked(stream)).toEqual([`0@${stream}`]);
  });

  it('is delivered again after the message timeout, and parked in the end', async () => {
    const stream = await given(1, { messageTimeout: 300, maxRetryCount: 1 });
    const seen = consume(stream);
    await seen.count(2);
    await parkedCount(stream, 1);
    expect(seen.names()).toEqual([`0@${stream}`, `0@${stream}#1`]);
  });

  it('goes to another consumer when its own disconnects, before what is new', async () => {
    const stream = await given(3);
    const first = consume(stream, 2);
    await first.count(2);
    await leave(first);
    const second = acknowledging(consume(stream, 1));
    await second.count(3);
    expect(second.names()).toEqual([`0@${stream}#1`, `1@${stream}#1`, `2@${stream}`]);
  });

  it('is not taken for acknowledged because of an id nobody has', async () => {
    const stream = await given(1);
    const seen = consume(stream);
    const [event] = await seen.count(1);
    await seen.subscription.ack({ ...event, event: { ...event?.event, id: randomUUID() } } as never);
    await pause(100);
    const { stats } = await client.getPersistentSubscriptionToStreamInfo(stream, GROUP);
    expect(stats.totalInFlightMessages).toBe(1);
  });
});

describe('replaying parked events', () => {
  const afterParking = async (count: number): Promise<[string, Watched]> => {
    const stream = await given(count);
    const seen = consume(stream);
    await seen.count(count);
    await seen.subscription.nack('park', 'later', ...(seen.delivered as never[]));
    await parkedCount(stream, count);
    seen.delivered.length = 0;
    return [stream, seen];
  };

  it('delivers them anew, from zero retries, and empties the parked stream', async () => {
    const [stream, seen] = await afterParking(3);
    acknowledging(seen);
    await client.replayParkedMessagesToStream(stream, GROUP);
    await seen.count(3);
    expect(seen.names()).toEqual(numbered(stream, 0, 2));
    expect(seen.delivered[0]?.link?.streamId).toBe(parkedStream(stream));
    await parkedCount(stream, 0);
    for (let i = 0; i < 100 && (await parked(stream)).length > 0; i++) await pause(20);
    expect(await parked(stream)).toEqual([]);
    const { metadata } = await client.getStreamMetadata(parkedStream(stream));
    expect(metadata).toMatchObject({ truncateBefore: 3 });
  });

  it('stops before the number it is given', async () => {
    const [stream, seen] = await afterParking(4);
    acknowledging(seen);
    await client.replayParkedMessagesToStream(stream, GROUP, { stopAt: 2 });
    await seen.count(2);
    await parkedCount(stream, 2);
    await pause(100);
    expect(seen.names()).toEqual(numbered(stream, 0, 1));
    await client.replayParkedMessagesToStream(stream, GROUP);
    await seen.count(4);
    expect(seen.names()).toEqual(numbered(stream, 0, 3));
  });

  it('parks again what is refused again', async () => {
    const [stream, seen] = await afterParking(1);
    await client.replayParkedMessagesToStream(stream, GROUP);
    await seen.count(1);
    await nack(seen, 'park', 'still later', 0);
    await parkedCount(stream, 1);
    expect(await parked(stream)).toEqual([`0@${stream}`]);
  });

  it('does nothing where nothing is parked', async () => {
    const stream = await given(1);
    await client.replayParkedMessagesToStream(stream, GROUP);
    const seen = acknowledging(consume(stream));
    await seen.count(1);
    await pause(50);
    expect(seen.names()).toEqual([`0@${stream}`]);
  });

  // The real server truncates the parked stream before the events have been processed.
  embeddedOnly('keeps them parked until they are processed', async () => {
    const [stream, seen] = await afterParking(2);
    await client.replayParkedMessagesToStream(stream, GROUP);
    await seen.count(2);
    await pause(300);
    expect(await parked(stream)).toEqual(numbered(stream, 0, 1));
    await seen.subscription.ack(seen.delivered[0] as never);
    await pause(300);
    expect(await parked(stream)).toEqual([`1@${stream}`]);
  });
});

describe('the strategy', () => {
  const three = (stream: string, bufferSize: number) => [0, 1, 2].map(() => consume(stream, bufferSize));
  const confirmed = async (all: Watched[]) => {
    for (const each of all) await until(() => each.isConfirmed, 'confirmation');
    await pause(50);
  };
  const total = (all: Watched[]) => all.reduce((sum, { delivered }) => sum + delivered.length, 0);

  it('RoundRobin gives every consumer its turn', async () => {
    const stream = await given(0, { consumerStrategyName: 'RoundRobin' });
    const all = three(stream, 10).map(acknowledging);
    await confirmed(all);
    for (let n = 0; n < 9; n++) {
      await client.appendToStream(stream, events(1, n));
      await until(() => total(all) === n + 1, `event ${n}`);
    }
    expect(all.map(({ delivered }) => delivered.length)).toEqual([3, 3, 3]);
  });

  it('RoundRobin passes over a consumer that is full', async () => {
    const stream = await given(0, { consumerStrategyName: 'RoundRobin' });
    const busy = consume(stream, 1);
    await confirmed([busy]);
    const idle = acknowledging(consume(stream, 10));
    await confirmed([idle]);
    for (let n = 0; n < 6; n++) {
      await client.appendToStream(stream, events(1, n));
      await until(() => total([busy, idle]) === n + 1, `event ${n}`);
    }
    expect([busy.delivered.length, idle.delivered.length]).toEqual([1, 5]);
  });

  it('DispatchToSingle serves one consumer until it is full', async () => {
    const stream = await given(0, { consumerStrategyName: 'DispatchToSingle' });
    const all = three(stream, 4);
    await confirmed(all);
    await client.appendToStream(stream, events(6));
    await until(() => total(all) === 6, 'six events');
    expect(all.map(({ delivered }) => delivered.length).sort()).toEqual([0, 2, 4]);
  });

  /** Which consumers got events of each key, as sorted indexes. */
  const owners = (all: Watched[], key: (event: Delivered) => string): Map<string, number[]> => {
    const found = new Map<string, number[]>();
    for (const [at, { delivered }] of all.entries()) {
      for (const event of delivered) {
        const known = found.get(key(event)) ?? [];
        if (!known.includes(at)) found.set(key(event), [...known, at]);
      }
    }
    return found;
  };
  const sources = () => Array.from({ length: 24 }, () => streamName());
  const sourceOf = ({ event }: Delivered) => event?.streamId as string;
  const isSpread = (found: Map<string, number[]>) => new Set([...found.values()].flat()).size > 1;

  it('Pinned gives all events of a source stream to one consumer', async () => {
    const stream = await given(0, { consumerStrategyName: 'Pinned', resolveLinkTos: true });
    const all = three(stream, 10).map(acknowledging);
    await confirmed(all);
    const names = sources();
    for (const source of names) await client.appendToStream(source, events(3));
    for (const n of [0, 1, 2])
      await client.appendToStream(
        stream,
        names.map((source) => link(n, source)),
      );
    await until(() => total(all) === 72, 'all events');
    const found = owners(all, sourceOf);
    expect([...found.values()].map(({ length }) => length)).toEqual(names.map(() => 1));
    expect(isSpread(found)).toBe(true);
  });

  it('Pinned gives the streams of a consumer that leaves to the others, and moves no other', async () => {
    const stream = await given(0, { consumerStrategyName: 'Pinned', resolveLinkTos: true });
    const all = three(stream, 10).map(acknowledging);
    await confirmed(all);
    const names = sources();
    for (const source of names) await client.appendToStream(source, events(2));
    await client.appendToStream(
      stream,
      names.map((source) => link(0, source)),
    );
    await until(() => total(all) === 24, 'one event of each stream');
    const before = owners(all, sourceOf);
    await leave(all[0] as Watched);
    for (const { delivered } of all) delivered.length = 0;
    await client.appendToStream(
      stream,
      names.map((source) => link(1, source)),
    );
    await until(() => total(all) === 24, 'another event of each stream');
    const after = owners(all, sourceOf);
    for (const [source, owner] of before) {
      if (owner[0] === 0) expect(after.get(source)).not.toContain(0);
      else expect([source, after.get(source)]).toEqual([source, owner]);
    }
  });

  it('Pinned does not let a full consumer hold up the others', async () => {
    const stream = await given(0, { consumerStrategyName: 'Pinned', resolveLinkTos: true });
    const all = three(stream, 1);
    await confirmed(all);
    const names = [...sources(), ...sources()];
    for (const source of names) await client.appendToStream(source, events(1));
    await client.appendToStream(
      stream,
      names.map((source) => link(0, source)),
    );
    await until(() => total(all) === 3, 'an event for each consumer');
    expect(all.map(({ delivered }) => delivered.length)).toEqual([1, 1, 1]);
  });

  // The client does not know this strategy: its settings can only name it as text, through the stubs.
  it('PinnedByCorrelation gives all events of a correlation to one consumer', async () => {
    const stream = streamName();
    await createWithStrategy(rpc, stream, GROUP, 'PinnedByCorrelation');
    const all = three(stream, 10).map(acknowledging);
    await confirmed(all);
    const correlations = Array.from({ length: 24 }, () => randomUUID());
    for (let round = 0; round < 3; round++) {
      await client.appendToStream(
        stream,
        correlations.map(($correlationId) =>
          jsonEvent({ type: 'Noted', data: { n: round }, metadata: { $correlationId } }),
        ),
      );
    }
    await until(() => total(all) === 72, 'all events');
    const found = owners(all, ({ event }) => (event?.metadata as { $correlationId: string }).$correlationId);
    expect([...found.values()].map(({ length }) => length)).toEqual(correlations.map(() => 1));
    expect(isSpread(found)).toBe(true);
  });
});

describe('a group on $all', () => {
  const group = () => `all-${randomUUID()}`;
  const consumeAll = (name: string): Watched => {
    const watched = acknowledging(watch(client.subscribeToPersistentSubscriptionToAll(name)));
    open.push(watched);
    return watched;
  };

  it('delivers what passes a filter on stream names, from the start and live', async () => {
    const [mine, other, name] = [streamName(), streamName(), group()];
    await client.appendToStream(mine, events(2));
    await client.appendToStream(other, events(1));
    await client.createPersistentSubscriptionToAll(name, allSettings(), {
      filter: streamNameFilter({ prefixes: [mine] }),
    });
    const seen = consumeAll(name);
    await seen.count(2);
    await client.appendToStream(other, events(1, 1));
    await client.appendToStream(mine, events(1, 2));
    await seen.count(3);
    expect(seen.names()).toEqual(numbered(mine, 0, 2));
    await client.deletePersistentSubscriptionToAll(name);
  });

  it('delivers what passes a filter on event types', async () => {
    const [stream, type, name] = [streamName(), `Type-${randomUUID()}`, group()];
    await client.appendToStream(stream, [...events(1), ...events(1, 1, type), ...events(1, 2)]);
    await client.createPersistentSubscriptionToAll(name, allSettings(), {
      filter: eventTypeFilter({ regex: `^${type}$` }),
    });
    const seen = consumeAll(name);
    await seen.count(1);
    await pause(100);
    expect(seen.names()).toEqual([`1@${stream}`]);
    await client.deletePersistentSubscriptionToAll(name);
  });

  it('begins at a position with the event there', async () => {
    const [stream, name] = [streamName(), group()];
    await client.appendToStream(stream, events(1));
    const startFrom = await lastPosition(stream);
    await client.appendToStream(stream, events(2, 1));
    await client.createPersistentSubscriptionToAll(name, allSettings({ startFrom }));
    const seen = consumeAll(name);
    await seen.count(3);
    expect(seen.names().filter((what) => what.endsWith(stream))).toEqual(numbered(stream, 0, 2));
    await client.deletePersistentSubscriptionToAll(name);
  });

  it('parks and replays', async () => {
    const [stream, name] = [streamName(), group()];
    await client.createPersistentSubscriptionToAll(name, allSettings({ startFrom: 'end' }), {
      filter: streamNameFilter({ prefixes: [stream] }),
    });
    const seen = watch(client.subscribeToPersistentSubscriptionToAll(name));
    open.push(seen);
    await client.appendToStream(stream, events(1));
    const [event] = await seen.count(1);
    await seen.subscription.nack('park', 'later', event as never);
    const parkedNow = async () => (await client.getPersistentSubscriptionToAllInfo(name)).stats.parkedMessageCount;
    for (let i = 0; i < 100 && (await parkedNow()) !== 1n; i++) await pause(20);
    expect(await parkedNow()).toBe(1n);
    await client.replayParkedMessagesToAll(name);
    await seen.count(2);
    expect(seen.names()).toEqual([`0@${stream}`, `0@${stream}`]);
    await client.deletePersistentSubscriptionToAll(name);
  });

  // The real server delivers them.
  embeddedOnly('is not given what groups write, so that it cannot feed on itself', async () => {
    const name = group();
    await client.createPersistentSubscriptionToAll(name, allSettings({ startFrom: 'end' }));
    const seen = consumeAll(name);
    const stream = await given(3);
    const busy = consume(stream);
    await busy.count(3);
    await busy.subscription.nack('park', 'later', ...(busy.delivered as never[]));
    await parkedCount(stream, 3);
    await until(() => seen.names().filter((what) => what.endsWith(`@${stream}`)).length === 3, 'the events');
    await pause(300);
    expect(seen.names().filter((what) => what.includes('$persistentsubscription-'))).toEqual([]);
    await client.deletePersistentSubscriptionToAll(name);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  eventTypeFilter,
  excludeSystemEvents,
  streamNameFilter,
  type AllStreamSubscription,
  type EventStoreDBClient,
  type Filter,
  type Position,
  type StreamSubscription,
} from '@eventstore/db-client';
import { collect, events, openStore, streamName, until, type StoreUnderTest } from './store.js';

let store: StoreUnderTest;
let client: EventStoreDBClient;
const open: (StreamSubscription | AllStreamSubscription)[] = [];

beforeAll(async () => {
  store = await openStore();
  client = store.client;
});
afterAll(async () => {
  await Promise.all(open.map((subscription) => subscription.unsubscribe()));
  await store.close();
});

/** Notes what a subscription delivers, in order. */
function watch(subscription: StreamSubscription | AllStreamSubscription): string[] {
  const seen: string[] = [];
  open.push(subscription);
  subscription.on('confirmation', () => seen.push('confirmation'));
  subscription.on('caughtUp', () => seen.push('caughtUp'));
  subscription.on('data', ({ event }: { event?: { streamId: string; revision: bigint } }) =>
    seen.push(`${event?.revision}@${event?.streamId}`),
  );
  subscription.on('error', (error: Error) => seen.push((error as Error & { type: string }).type));
  return seen;
}

const numbered = (stream: string, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}@${stream}`);
const delivered = (seen: readonly string[]): string[] => seen.filter((what) => what.includes('@'));

const given = async (count: number): Promise<string> => {
  const stream = streamName();
  if (count > 0) await client.appendToStream(stream, events(count));
  return stream;
};
const lastPosition = async (stream: string): Promise<Position> => {
  const [last] = await collect(client.readStream(stream, { direction: 'backwards', fromRevision: 'end', maxCount: 1 }));
  return last?.event?.position as Position;
};

describe('a subscription to a stream', () => {
  it('is confirmed, catches up, says so and goes on live', async () => {
    const stream = await given(3);
    const seen = watch(client.subscribeToStream(stream));
    await until(() => seen.includes('caughtUp'), 'caught up');
    await client.appendToStream(stream, events(2, 3));
    await until(() => delivered(seen).length === 5, 'five events');
    expect(seen[0]).toBe('confirmation');
    expect(seen.filter((what) => what !== 'confirmation')).toEqual([
      ...numbered(stream, 0, 2),
      'caughtUp',
      ...numbered(stream, 3, 4),
    ]);
  });

  it('from a revision begins behind it', async () => {
    const stream = await given(4);
    const seen = watch(client.subscribeToStream(stream, { fromRevision: 1n }));
    await until(() => seen.includes('caughtUp'), 'caught up');
    expect(delivered(seen)).toEqual(numbered(stream, 2, 3));
  });

  it('from the end sees only what comes', async () => {
    const stream = await given(2);
    const seen = watch(client.subscribeToStream(stream, { fromRevision: 'end' }));
    await until(() => seen.includes('caughtUp'), 'caught up');
    await client.appendToStream(stream, events(1, 2));
    await until(() => delivered(seen).length === 1, 'one event');
    expect(delivered(seen)).toEqual([`2@${stream}`]);
  });

  it('waits for a stream that does not exist yet', async () => {
    const stream = streamName();
    const seen = watch(client.subscribeToStream(stream));
    await until(() => seen.includes('confirmation'), 'confirmation');
    await client.appendToStream(stream, events(1));
    await until(() => delivered(seen).length === 1, 'one event');
    expect(delivered(seen)).toEqual([`0@${stream}`]);
  });

  it('begins behind what is truncated', async () => {
    const stream = await given(5);
    await client.setStreamMetadata(stream, { truncateBefore: 3 });
    const seen = watch(client.subscribeToStream(stream));
    await until(() => seen.includes('caughtUp'), 'caught up');
    expect(delivered(seen)).toEqual(numbered(stream, 3, 4));
  });

  it('resolves links when asked to', async () => {
    const target = await given(1);
    const stream = streamName('links');
    const found: unknown[] = [];
    const subscription = client.subscribeToStream(stream, { resolveLinkTos: true });
    open.push(subscription);
    subscription.on('data', ({ event, link }) => found.push([event?.streamId, link?.streamId]));
    await client.appendToStream(stream, {
      ...events(1)[0],
      type: '$>',
      contentType: 'application/octet-stream',
      data: Buffer.from(`0@${target}`),
    } as never);
    await until(() => found.length === 1, 'the link');
    expect(found).toEqual([[target, stream]]);
  });

  it('misses nothing and repeats nothing while others write', async () => {
    const stream = await given(0);
    const writing = (async () => {
      for (let i = 0; i < 40; i++) await client.appendToStream(stream, events(10, i * 10));
    })();
    const several = [0, 5, 20].map(async (delay) => {
      await new Promise((resolve) => setTimeout(resolve, delay));
      const seen = watch(client.subscribeToStream(stream));
      await until(() => delivered(seen).length >= 400, '400 events', 15_000);
      expect(delivered(seen)).toEqual(numbered(stream, 0, 399));
    });
    await Promise.all([writing, ...several]);
  });

  it('ends when the client wants it, without an error', async () => {
    const stream = await given(1);
    const subscription = client.subscribeToStream(stream);
    const seen = watch(subscription);
    await until(() => seen.includes('caughtUp'), 'caught up');
    await subscription.unsubscribe();
    await client.appendToStream(stream, events(1, 1));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(delivered(seen)).toEqual([`0@${stream}`]);
    expect(seen).not.toContain('cancelled');
  });
});

describe('a subscription to $all', () => {
  it('from a position begins behind it and goes on live', async () => {
    const stream = await given(1);
    const seen = watch(client.subscribeToAll({ fromPosition: await lastPosition(stream) }));
    await until(() => seen.includes('caughtUp'), 'caught up');
    await client.appendToStream(stream, events(2, 1));
    await until(() => delivered(seen).some((what) => what === `2@${stream}`), 'the last event');
    expect(delivered(seen).filter((what) => what.endsWith(stream))).toEqual(numbered(stream, 1, 2));
  });

  it('from the start includes system events', async () => {
    const seen = watch(client.subscribeToAll());
    await until(() => seen.includes('caughtUp'), 'caught up', 20_000);
    expect(delivered(seen)[0]).toContain('@$');
  });

  it('shows every event once and in the order of their positions', async () => {
    const start = await lastPosition(await given(1));
    const positions: bigint[] = [];
    const subscription = client.subscribeToAll({ fromPosition: start });
    open.push(subscription);
    const own = new Set<string>();
    subscription.on('data', ({ event }) => {
      if (event && own.has(event.streamId)) positions.push(event.position.commit);
    });
    await Promise.all(
      Array.from({ length: 20 }, async () => {
        const stream = streamName();
        own.add(stream);
        for (let i = 0; i < 10; i++) await client.appendToStream(stream, events(2, i * 2));
      }),
    );
    await until(() => positions.length >= 400, '400 events', 10_000);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
  });

  describe('with a filter', () => {
    const kinds: [name: string, filter: (tag: string) => Filter][] = [
      ['a prefix of the stream name', (tag) => streamNameFilter({ prefixes: ['none-', `wanted-${tag}`] })],
      ['a pattern on the stream name', (tag) => streamNameFilter({ regex: `^wanted-.*${tag}` })],
      ['a prefix of the event type', (tag) => eventTypeFilter({ prefixes: [`Wanted-${tag}`] })],
      ['a pattern on the event type', (tag) => eventTypeFilter({ regex: `^Wanted-${tag}$` })],
    ];
    it.each(kinds)('on %s delivers what matches, before and after catching up', async (_name, filterOf) => {
      const tag = streamName('t');
      const start = await lastPosition(await given(1));
      const write = async (n: number): Promise<void> => {
        await client.appendToStream(`wanted-${tag}`, events(1, n, `Wanted-${tag}`));
        await client.appendToStream(`other-${tag}`, events(1, n, `Other-${tag}`));
      };
      await write(0);
      const seen = watch(client.subscribeToAll({ fromPosition: start, filter: filterOf(tag) }));
      await until(() => seen.includes('caughtUp'), 'caught up');
      await write(1);
      await until(() => delivered(seen).length >= 2, 'two events');
      expect(delivered(seen)).toEqual([`0@wanted-${tag}`, `1@wanted-${tag}`]);
    });

    it('excludes system events', async () => {
      const start = await lastPosition(await given(1));
      const stream = await given(1);
      await client.setStreamMetadata(stream, { a: 1 });
      const seen = watch(client.subscribeToAll({ fromPosition: start, filter: excludeSystemEvents() }));
      await client.appendToStream(stream, events(1, 1));
      await until(() => delivered(seen).includes(`1@${stream}`), 'the last event');
      expect(delivered(seen).filter((what) => what.endsWith(stream))).toEqual(numbered(stream, 0, 1));
    });

    it('gives a checkpoint every window times multiplier events it has looked at', async () => {
      const start = await lastPosition(await given(1));
      const stream = streamName();
      await client.appendToStream(stream, events(40));
      const read = await collect(client.readAll({ fromPosition: start, maxCount: 41 }));
      const positions = read.slice(1).map(({ event }) => event?.position?.commit);
      const checkpoints: bigint[] = [];
      const filter = streamNameFilter({
        prefixes: ['nothing-has-this-name'],
        maxSearchWindow: 5,
        checkpointInterval: 2,
        checkpointReached: async (_subscription, position) => void checkpoints.push(position.commit),
      });
      const seen = watch(client.subscribeToAll({ fromPosition: start, filter }));
      await until(() => seen.includes('caughtUp'), 'caught up');
      expect(checkpoints.slice(0, 4)).toEqual([9, 19, 29, 39].map((i) => positions[i]));
      expect(delivered(seen)).toEqual([]);
    });

    it('gives a checkpoint when it has caught up, and resumes behind it', async () => {
      const start = await lastPosition(await given(1));
      const stream = await given(3);
      const last = await lastPosition(stream);
      const checkpoints: Position[] = [];
      const filter = streamNameFilter({
        prefixes: [stream],
        checkpointReached: async (_subscription, position) => void checkpoints.push(position),
      });
      const first = watch(client.subscribeToAll({ fromPosition: start, filter }));
      await until(() => first.includes('caughtUp') && checkpoints.length > 0, 'a checkpoint');
      expect(checkpoints.at(-1)?.commit).toBeGreaterThanOrEqual(last.commit);
      await client.appendToStream(stream, events(1, 3));
      const resumed = watch(client.subscribeToAll({ fromPosition: checkpoints.at(-1) as Position, filter }));
      await until(() => delivered(resumed).length === 1, 'one event');
      expect(delivered(resumed)).toEqual([`3@${stream}`]);
    });
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { binaryEvent, jsonEvent, type EventStoreDBClient, type Position } from '@eventstore/db-client';
import { collect, events, openStore, refusal, revisions, streamName, type StoreUnderTest } from './store.js';

let store: StoreUnderTest;
let client: EventStoreDBClient;

beforeAll(async () => {
  store = await openStore();
  client = store.client;
});
afterAll(() => store.close());

const given = async (count: number): Promise<string> => {
  const stream = streamName();
  await client.appendToStream(stream, events(count));
  return stream;
};

describe('reading a stream', () => {
  const cases: [options: object, then: number[]][] = [
    [{}, [0, 1, 2, 3, 4]],
    [{ maxCount: 2 }, [0, 1]],
    [{ fromRevision: 3n }, [3, 4]],
    [{ fromRevision: 3n, maxCount: 1 }, [3]],
    [{ fromRevision: 100n }, []],
    [{ direction: 'backwards', fromRevision: 'end' }, [4, 3, 2, 1, 0]],
    [{ direction: 'backwards', fromRevision: 'end', maxCount: 1 }, [4]],
    [{ direction: 'backwards', fromRevision: 2n }, [2, 1, 0]],
    [{ direction: 'backwards', fromRevision: 'start' }, [0]],
  ];
  it.each(cases)('of five events with %p gives %p', async (options, then) => {
    const printed = await collect(client.readStream(await given(5), options));
    expect(revisions(printed)).toEqual(then);
  });

  it('that does not exist says so', async () => {
    const stream = streamName();
    expect(await refusal(collect(client.readStream(stream)))).toEqual({ type: 'stream-not-found', streamName: stream });
  });

  it.each([{ fromRevision: 'end' }, { maxCount: 0 }] as const)('forwards with %p is an error', async (options) => {
    expect(await refusal(collect(client.readStream(await given(1), options)))).toEqual({ type: 'unknown' });
  });

  it('of many events gives all, in order, both ways', async () => {
    const stream = streamName();
    for (let from = 0; from < 5000; from += 500) await client.appendToStream(stream, events(500, from));
    const expected = Array.from({ length: 5000 }, (_, i) => i);
    expect(revisions(await collect(client.readStream(stream)))).toEqual(expected);
    const back = await collect(client.readStream(stream, { direction: 'backwards', fromRevision: 'end' }));
    expect(revisions(back)).toEqual(expected.reverse());
  });

  it('can be given up half way, and the connection goes on', async () => {
    const stream = await given(500);
    for await (const { event } of client.readStream(stream)) if (event?.revision === 3n) break;
    expect(revisions(await collect(client.readStream(stream, { maxCount: 1 })))).toEqual([0]);
  });
});

describe('reading $all', () => {
  const positionsOf = async (stream: string): Promise<Position[]> =>
    (await collect(client.readStream(stream))).map(({ event }) => event?.position as Position);

  it('begins with a system event', async () => {
    const [first] = await collect(client.readAll({ maxCount: 1 }));
    expect(first?.event?.streamId).toMatch(/^\$/);
    expect(first?.event?.position?.commit).toBeGreaterThanOrEqual(0n);
  });

  it('forwards includes the position it is given', async () => {
    const stream = await given(3);
    const [, middle] = await positionsOf(stream);
    const read = await collect(client.readAll({ fromPosition: middle as Position, maxCount: 2 }));
    expect(revisions(read)).toEqual([1, 2]);
  });

  it('backwards excludes the position it is given', async () => {
    const stream = await given(3);
    const [, , last] = await positionsOf(stream);
    const read = await collect(client.readAll({ direction: 'backwards', fromPosition: last as Position, maxCount: 2 }));
    expect(revisions(read)).toEqual([1, 0]);
    expect(read.every(({ event }) => event?.streamId === stream)).toBe(true);
  });

  it('backwards from the end begins with the newest event', async () => {
    const stream = await given(2);
    const [newest] = await collect(client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: 1 }));
    expect([newest?.event?.streamId, newest?.event?.revision]).toEqual([stream, 1n]);
  });

  it('backwards is forwards reversed', async () => {
    const from = (await positionsOf(await given(1)))[0] as Position;
    await given(700);
    const forwards = await collect(client.readAll({ fromPosition: from }));
    const backwards = await collect(
      client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: forwards.length }),
    );
    expect(backwards.reverse().map(({ event }) => event?.id)).toEqual(forwards.map(({ event }) => event?.id));
  });

  it('from a position between events is refused', async () => {
    const [position] = await positionsOf(await given(1));
    const between = (position as Position).commit + 1n;
    const read = client.readAll({ fromPosition: { commit: between, prepare: between } });
    expect(await refusal(collect(read))).toEqual({ type: 'unknown' });
  });
});

describe('links', () => {
  const link = (revision: number, stream: string) =>
    binaryEvent({ type: '$>', data: Buffer.from(`${revision}@${stream}`), metadata: Buffer.from('{}') });

  it('are resolved when asked for, and plain otherwise', async () => {
    const target = await given(2);
    const stream = streamName('links');
    await client.appendToStream(stream, link(1, target));
    const [resolved] = await collect(client.readStream(stream, { resolveLinkTos: true }));
    expect(resolved?.event).toMatchObject({ streamId: target, revision: 1n, data: { n: 1 } });
    expect(resolved?.link).toMatchObject({ streamId: stream, revision: 0n, type: '$>' });
    expect(resolved?.commitPosition).toBe(resolved?.link?.position?.commit);
    const [plain] = await collect(client.readStream(stream));
    expect(plain?.event).toMatchObject({ streamId: stream, type: '$>' });
    expect(plain?.link).toBeUndefined();
  });

  it('to what is not there come without an event', async () => {
    const [truncated, gone] = [await given(1), await given(1)];
    await client.setStreamMetadata(truncated, { truncateBefore: 1 });
    await client.tombstoneStream(gone);
    const stream = streamName('links');
    await client.appendToStream(stream, [link(0, truncated), link(0, gone), link(0, streamName()), link(7, truncated)]);
    const read = await collect(client.readStream(stream, { resolveLinkTos: true }));
    expect(read.map(({ event }) => event)).toEqual([undefined, undefined, undefined, undefined]);
    expect(read.map((resolved) => Number(resolved.link?.revision))).toEqual([0, 1, 2, 3]);
  });

  it('that are malformed are plain events', async () => {
    const stream = streamName('links');
    await client.appendToStream(stream, jsonEvent({ type: '$>', data: 'no link' }));
    const [read] = await collect(client.readStream(stream, { resolveLinkTos: true }));
    expect(read?.event?.type).toBe('$>');
    expect(read?.link).toBeUndefined();
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { binaryEvent, jsonEvent, type AppendExpectedRevision, type EventStoreDBClient } from '@eventstore/db-client';
import { collect, doors, events, openStore, refusal, revisions, streamName, type StoreUnderTest } from './store.js';

let store: StoreUnderTest;
let client: EventStoreDBClient;

beforeAll(async () => {
  store = await openStore();
  client = store.client;
});
afterAll(() => store.close());

describe.each(doors)('an append through $rpc', ({ rpc, via }) => {
  const append = (stream: string, list: ReturnType<typeof events>, expectedRevision: AppendExpectedRevision = 'any') =>
    client.appendToStream(stream, list, { expectedRevision, ...via });
  const stored = (stream: string) => collect(client.readStream(stream)).then(revisions);

  it('takes this door: only Append answers with a status code', async () => {
    const huge = binaryEvent({ type: 'Huge', data: new Uint8Array(1024 * 1024 + 1) });
    const error = await client.appendToStream(streamName(), huge, via).catch((reason: unknown) => reason);
    expect((error as { code?: number }).code).toBe(rpc === 'Append' ? 3 : undefined);
  });

  it('returns the revision and the position of its last event', async () => {
    const stream = streamName();
    const result = await append(stream, events(3));
    const last = (await collect(client.readStream(stream))).at(-1);
    expect(result).toEqual({ success: true, nextExpectedRevision: 2n, position: last?.event?.position });
  });

  it('gives its events distinct and rising positions, commit equal to prepare, as readStream and readAll show', async () => {
    const stream = streamName();
    await append(stream, events(4));
    const read = await collect(client.readStream(stream));
    const positions = read.map(({ event }) => event?.position?.commit ?? 0n);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
    expect(read.map(({ event }) => event?.position?.prepare)).toEqual(positions);
    expect(read.map(({ commitPosition }) => commitPosition)).toEqual(positions);
    const all = await collect(
      client.readAll({
        fromPosition: { commit: positions[0] as bigint, prepare: positions[0] as bigint },
        maxCount: 4,
      }),
    );
    expect(all.map(({ event }) => [event?.streamId, event?.position?.commit])).toEqual(
      positions.map((position) => [stream, position]),
    );
  });

  it('keeps id, type, content, metadata and time', async () => {
    const stream = streamName();
    const id = randomUUID();
    const before = Date.now();
    await client.appendToStream(
      stream,
      [
        jsonEvent({ id, type: 'Told', data: { text: 'čaj & ☕' }, metadata: { by: 'x' } }),
        binaryEvent({ type: 'Raw', data: new Uint8Array([0, 255, 1]), metadata: new Uint8Array([7, 0]) }),
        binaryEvent({ type: 'Empty', data: new Uint8Array() }),
      ],
      via,
    );
    const [told, raw, empty] = (await collect(client.readStream(stream))).map(({ event }) => event);
    expect(told).toMatchObject({ id, type: 'Told', isJson: true, data: { text: 'čaj & ☕' }, metadata: { by: 'x' } });
    expect(told?.created.getTime()).toBeGreaterThanOrEqual(before - 60_000);
    expect(told?.created.getTime()).toBeLessThanOrEqual(Date.now() + 60_000);
    expect(raw).toMatchObject({ type: 'Raw', isJson: false });
    expect([...(raw?.data as Uint8Array)]).toEqual([0, 255, 1]);
    expect([...(raw?.metadata as Uint8Array)]).toEqual([7, 0]);
    expect((empty?.data as Uint8Array).length).toBe(0);
  });

  it.each(['ünïcode 名前', 'with space%20and/slash', '$all'])('works on a stream named %j', async (name) => {
    const stream = name === '$all' ? name : streamName(name);
    const { nextExpectedRevision } = await append(stream, events(1));
    const [read] = await collect(client.readStream(stream, { fromRevision: nextExpectedRevision }));
    expect(read?.event?.streamId).toBe(stream);
  });

  describe('that expects a revision', () => {
    const cases: [given: number, expected: AppendExpectedRevision, then: number | 'no_stream' | 'refused'][] = [
      [0, 'any', 0],
      [2, 'any', 2],
      [0, 'no_stream', 0],
      [2, 'no_stream', 'refused'],
      [0, 'stream_exists', 'no_stream'],
      [2, 'stream_exists', 2],
      [0, 0n, 'no_stream'],
      [2, 1n, 2],
      [2, 0n, 'refused'],
      [2, 2n, 'refused'],
      [2, 100n, 'refused'],
    ];
    it.each(cases)('given %d events and %s: %s', async (given, expected, then) => {
      const stream = streamName();
      if (given > 0) await append(stream, events(given));
      if (typeof then === 'number') {
        expect((await append(stream, events(1), expected)).nextExpectedRevision).toBe(BigInt(then));
        expect(await stored(stream)).toHaveLength(given + 1);
      } else {
        expect(await refusal(append(stream, events(1), expected))).toEqual({
          type: 'wrong-expected-version',
          streamName: stream,
          expectedVersion: expected,
          actualVersion: then === 'no_stream' ? 'no_stream' : BigInt(given - 1),
        });
        if (given > 0) expect(await stored(stream)).toHaveLength(given);
      }
    });

    it('lets exactly one of many at the same revision through', async () => {
      const stream = streamName();
      const answers = await Promise.allSettled(
        Array.from({ length: 20 }, () => append(stream, events(2), 'no_stream')),
      );
      expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await stored(stream)).toEqual([0, 1]);
    });
  });

  describe('that is repeated', () => {
    it.each<AppendExpectedRevision>(['any', 'stream_exists'])(
      'with %s returns what the first returned',
      async (expected) => {
        const stream = streamName();
        const list = events(3);
        const first = await append(stream, list, 'any');
        await append(stream, events(1, 3), 'any');
        expect(await append(stream, list, expected)).toEqual(first);
        expect((await append(stream, list.slice(0, 1), expected)).nextExpectedRevision).toBe(0n);
        expect(await stored(stream)).toEqual([0, 1, 2, 3]);
      },
    );

    it.each<AppendExpectedRevision>(['any', 'stream_exists'])(
      'with %s and a new event is refused',
      async (expected) => {
        const stream = streamName();
        const list = events(2);
        await append(stream, list);
        expect(await refusal(append(stream, [...list, ...events(1, 2)], expected))).toMatchObject({
          type: 'wrong-expected-version',
          actualVersion: 1n,
        });
        expect(await stored(stream)).toEqual([0, 1]);
      },
    );

    it('with its exact revision returns what the first returned', async () => {
      const stream = streamName();
      const start = events(2);
      const first = await append(stream, start, 'no_stream');
      const more = events(2, 2);
      const second = await append(stream, more, 1n);
      expect(await append(stream, start, 'no_stream')).toEqual(first);
      expect(await append(stream, more, 1n)).toEqual(second);
      expect(await append(stream, more.slice(0, 1), 1n)).toMatchObject({ nextExpectedRevision: 2n });
      expect(await stored(stream)).toEqual([0, 1, 2, 3]);
    });

    it('with its exact revision but another order or more events is refused', async () => {
      const stream = streamName();
      const list = events(2);
      await append(stream, list, 'no_stream');
      for (const changed of [[...list].reverse(), [...list, ...events(1, 2)]]) {
        expect(await refusal(append(stream, changed, 'no_stream'))).toMatchObject({
          type: 'wrong-expected-version',
          expectedVersion: 'no_stream',
          actualVersion: 1n,
        });
      }
    });

    it('while the first is still under way is written once', async () => {
      const stream = streamName();
      const list = events(2);
      const answers = await Promise.all(Array.from({ length: 10 }, () => append(stream, list)));
      expect(new Set(answers.map(({ position }) => position?.commit)).size).toBe(1);
      expect(await stored(stream)).toEqual([0, 1]);
    });

    it('in another stream is a new event', async () => {
      const [one, other] = [streamName(), streamName()];
      const list = events(1);
      await append(one, list);
      await append(other, list);
      expect(await stored(other)).toEqual([0]);
    });

    it('within itself is written twice', async () => {
      const stream = streamName();
      const [event] = events(1);
      await append(stream, [event, event] as ReturnType<typeof events>);
      const read = await collect(client.readStream(stream));
      expect(read.map((resolved) => resolved.event?.id)).toEqual([event?.id, event?.id]);
    });
  });

  it('of no events succeeds', async () => {
    expect(await append(streamName(), [])).toMatchObject({ success: true, nextExpectedRevision: 0n });
  });

  it('of exactly 1 MiB of data passes, metadata not counted; one byte more is refused', async () => {
    const limit = 1024 * 1024;
    const stream = streamName();
    const metadata = new Uint8Array(2000);
    await client.appendToStream(stream, binaryEvent({ type: 'Full', data: new Uint8Array(limit), metadata }), via);
    expect(await stored(stream)).toEqual([0]);
    const over = binaryEvent({ type: 'Over', data: new Uint8Array(limit + 1) });
    expect(await refusal(client.appendToStream(stream, over, via))).toEqual({
      type: 'maximum-append-size-exceeded',
      maxAppendSize: limit,
    });
  });

  it('counts the data of all its events together', async () => {
    const half = () => binaryEvent({ type: 'Half', data: new Uint8Array(600 * 1024) });
    expect(await refusal(client.appendToStream(streamName(), [half(), half()], via))).toMatchObject({
      type: 'maximum-append-size-exceeded',
    });
  });

  it('that is too large in many chunks is answered once and leaves the connection usable', async () => {
    const part = () => binaryEvent({ type: 'Part', data: new Uint8Array(900 * 1024) });
    const list = Array.from({ length: 9 }, part);
    expect(
      await refusal(client.appendToStream(streamName(), list, { ...via, batchAppendSize: 1024 * 1024 })),
    ).toMatchObject({
      type: 'maximum-append-size-exceeded',
    });
    const stream = streamName();
    await append(stream, events(1));
    expect(await stored(stream)).toEqual([0]);
  });

  it('in many chunks is written as one', async () => {
    const stream = streamName();
    const list = events(50);
    const result = await client.appendToStream(stream, list, {
      ...via,
      batchAppendSize: 500,
      expectedRevision: 'no_stream',
    });
    expect(result.nextExpectedRevision).toBe(49n);
    expect((await collect(client.readStream(stream))).map(({ event }) => event?.id)).toEqual(list.map(({ id }) => id));
  });
});

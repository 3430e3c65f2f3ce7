import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { jsonEvent, type EventStoreDBClient } from '@eventstore/db-client';
import {
  collect,
  doors,
  embeddedOnly,
  events,
  openStore,
  refusal,
  revisions,
  streamName,
  until,
  type StoreUnderTest,
} from './store.js';

let store: StoreUnderTest;
let client: EventStoreDBClient;

beforeAll(async () => {
  store = await openStore();
  client = store.client;
});
afterAll(() => store.close());

const given = async (count: number): Promise<string> => {
  const stream = streamName();
  if (count > 0) await client.appendToStream(stream, events(count));
  return stream;
};
const read = (stream: string, options = {}) => collect(client.readStream(stream, options)).then(revisions);
const notFound = (stream: string) => ({ type: 'stream-not-found', streamName: stream });
const deleted = (stream: string) => ({ type: 'stream-deleted', streamName: stream });

describe('stream metadata', () => {
  it('comes back as it was set, with what this store does not know', async () => {
    const stream = await given(1);
    await client.setStreamMetadata(stream, { maxCount: 10, maxAge: 3600, truncateBefore: 0, colour: 'blue' });
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({
      maxCount: 10,
      maxAge: 3600,
      truncateBefore: 0,
      colour: 'blue',
    });
  });

  it('is absent for a stream that has none', async () => {
    const stream = await given(1);
    expect(await client.getStreamMetadata(stream)).toEqual({ streamName: stream });
  });

  it('is set at a revision of the metastream', async () => {
    const stream = await given(1);
    await client.setStreamMetadata(stream, { a: 1 }, { expectedRevision: 'no_stream' });
    await client.setStreamMetadata(stream, { a: 2 }, { expectedRevision: 0n });
    expect(await refusal(client.setStreamMetadata(stream, { a: 3 }, { expectedRevision: 0n }))).toMatchObject({
      type: 'wrong-expected-version',
      actualVersion: 1n,
    });
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({ a: 2 });
  });

  it('shows only its last version', async () => {
    const stream = await given(1);
    await client.setStreamMetadata(stream, { a: 1 });
    await client.setStreamMetadata(stream, { a: 2 });
    expect(await read(`$$${stream}`)).toEqual([1]);
    expect(await read(`$$${stream}`, { direction: 'backwards', fromRevision: 'end' })).toEqual([1]);
  });

  it('maxCount hides all but the last events, both ways', async () => {
    const stream = await given(5);
    await client.setStreamMetadata(stream, { maxCount: 2 });
    expect(await read(stream)).toEqual([3, 4]);
    expect(await read(stream, { fromRevision: 1n, maxCount: 1 })).toEqual([3]);
    expect(await read(stream, { direction: 'backwards', fromRevision: 'end' })).toEqual([4, 3]);
    await client.appendToStream(stream, events(1, 5));
    expect(await read(stream)).toEqual([4, 5]);
  });

  it('truncateBefore hides what is before it; without it everything is back', async () => {
    const stream = await given(4);
    await client.setStreamMetadata(stream, { truncateBefore: 2 });
    expect(await read(stream)).toEqual([2, 3]);
    await client.setStreamMetadata(stream, {});
    expect(await read(stream)).toEqual([0, 1, 2, 3]);
  });

  it('maxAge hides what is older', async () => {
    const stream = await given(2);
    await client.setStreamMetadata(stream, { maxAge: 3600 });
    expect(await read(stream)).toEqual([0, 1]);
    await client.setStreamMetadata(stream, { maxAge: 1 });
    await new Promise((resolve) => setTimeout(resolve, 1300));
    await client.appendToStream(stream, events(1, 2));
    expect(await read(stream)).toEqual([2]);
  });

  it('hides nothing from $all', async () => {
    const stream = await given(2);
    await client.setStreamMetadata(stream, { truncateBefore: 2 });
    const all = await collect(client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: 50 }));
    expect(all.filter(({ event }) => event?.streamId === stream)).toHaveLength(2);
  });
});

describe('a stream whose events are all truncated', () => {
  it('reads as empty, not as missing, and goes on at its old revision', async () => {
    const stream = await given(3);
    await client.setStreamMetadata(stream, { truncateBefore: 10 });
    expect(await read(stream)).toEqual([]);
    expect((await client.appendToStream(stream, events(1), { expectedRevision: 2n })).nextExpectedRevision).toBe(3n);
  });
});

describe('a deleted stream', () => {
  const afterDelete = async (): Promise<string> => {
    const stream = await given(3);
    await client.deleteStream(stream, { expectedRevision: 2n });
    return stream;
  };

  it('is not found, in both directions', async () => {
    const stream = await afterDelete();
    expect(await refusal(read(stream))).toEqual(notFound(stream));
    expect(await refusal(read(stream, { direction: 'backwards', fromRevision: 'end' }))).toEqual(notFound(stream));
  });

  it('has the largest truncateBefore in its metadata', async () => {
    const stream = await afterDelete();
    const { metadata } = await client.getStreamMetadata(stream);
    expect(metadata).toEqual({ truncateBefore: Number('9223372036854775807') });
  });

  it('gives the position of the deletion', async () => {
    const stream = await given(1);
    const { position } = await client.deleteStream(stream);
    const [last] = await collect(client.readStream(`$$${stream}`));
    expect(position).toEqual(last?.event?.position);
  });

  describe.each(doors)('through $rpc', ({ via }) => {
    it.each(['no_stream', 'any', 2n] as const)(
      'comes back with an append at %s, behind its last event',
      async (expectedRevision) => {
        const stream = await afterDelete();
        const result = await client.appendToStream(stream, events(2, 3), { ...via, expectedRevision });
        expect(result.nextExpectedRevision).toBe(4n);
        expect(await read(stream)).toEqual([3, 4]);
        expect((await client.getStreamMetadata(stream)).metadata).toEqual({ truncateBefore: 3 });
      },
    );

    it('refuses an append that expects it to exist', async () => {
      const stream = await afterDelete();
      const append = client.appendToStream(stream, events(1), { ...via, expectedRevision: 'stream_exists' });
      expect(await refusal(append)).toEqual(deleted(stream));
    });

    it('refuses an append at an older revision', async () => {
      const stream = await afterDelete();
      const append = client.appendToStream(stream, events(1), { ...via, expectedRevision: 0n });
      expect(await refusal(append)).toMatchObject({ type: 'wrong-expected-version', actualVersion: 2n });
    });
  });

  // A number the client cannot write exactly; the real server does not take it for a deletion.
  embeddedOnly('keeps the rest of its metadata when it comes back', async () => {
    const stream = await given(2);
    await client.setStreamMetadata(stream, { truncateBefore: Number('9223372036854775807'), colour: 'blue' });
    await client.appendToStream(stream, events(1, 2));
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({ truncateBefore: 2, colour: 'blue' });
  });

  it('stays empty when metadata brings it back', async () => {
    const stream = await afterDelete();
    await client.setStreamMetadata(stream, { colour: 'blue' });
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({ truncateBefore: 3, colour: 'blue' });
    expect(await read(stream)).toEqual([]);
  });

  it('can be deleted again', async () => {
    const stream = await afterDelete();
    expect((await client.deleteStream(stream)).position).toBeDefined();
  });
});

describe('deleting', () => {
  it('a stream that never was is refused', async () => {
    const stream = streamName();
    expect(await refusal(client.deleteStream(stream))).toEqual({
      type: 'wrong-expected-version',
      streamName: stream,
      expectedVersion: -2n,
      actualVersion: -1n,
    });
  });

  it('at another revision is refused', async () => {
    const stream = await given(3);
    expect(await refusal(client.deleteStream(stream, { expectedRevision: 1n }))).toEqual({
      type: 'wrong-expected-version',
      streamName: stream,
      expectedVersion: 1n,
      actualVersion: 2n,
    });
    expect(await read(stream)).toEqual([0, 1, 2]);
  });
});

describe('a stream that has only metadata', () => {
  it.each(doors)('exists for an append through $rpc', async ({ via }) => {
    const stream = streamName();
    await client.setStreamMetadata(stream, { a: 1 });
    const append = client.appendToStream(stream, events(1), { ...via, expectedRevision: 'stream_exists' });
    expect((await append).nextExpectedRevision).toBe(0n);
  });

  it('can be deleted as no_stream', async () => {
    const stream = streamName();
    await client.setStreamMetadata(stream, { a: 1 });
    expect((await client.deleteStream(stream, { expectedRevision: 'no_stream' })).position).toBeDefined();
  });
});

describe('a tombstoned stream', () => {
  const afterTombstone = async (): Promise<string> => {
    const stream = await given(2);
    await client.tombstoneStream(stream, { expectedRevision: 1n });
    return stream;
  };

  it('cannot be read, nor can its metastream', async () => {
    const stream = await afterTombstone();
    expect(await refusal(read(stream))).toEqual(deleted(stream));
    expect(await refusal(read(`$$${stream}`))).toEqual(deleted(`$$${stream}`));
  });

  it.each(doors)('takes no append through $rpc, whatever it expects', async ({ via }) => {
    const stream = await afterTombstone();
    for (const expectedRevision of ['any', 'no_stream', 'stream_exists', 1n] as const) {
      const append = client.appendToStream(stream, events(1), { ...via, expectedRevision });
      expect(await refusal(append)).toEqual(deleted(stream));
    }
  });

  it('cannot be deleted or tombstoned', async () => {
    const stream = await afterTombstone();
    expect(await refusal(client.deleteStream(stream))).toEqual(deleted(stream));
    expect(await refusal(client.tombstoneStream(stream))).toEqual(deleted(stream));
  });

  it('still takes metadata', async () => {
    const stream = await afterTombstone();
    expect(await client.setStreamMetadata(stream, { a: 1 })).toMatchObject({ success: true });
  });

  it('leaves its events and a tombstone in $all', async () => {
    const stream = await afterTombstone();
    const all = await collect(client.readAll({ direction: 'backwards', fromPosition: 'end', maxCount: 50 }));
    const own = all
      .filter(({ event }) => event?.streamId === stream)
      .map(({ event }) => [event?.type, event?.revision]);
    expect(own).toEqual([
      ['$streamDeleted', 9223372036854775807n],
      ['Noted', 1n],
      ['Noted', 0n],
    ]);
  });

  it('is refused at another revision', async () => {
    const stream = await given(2);
    expect(await refusal(client.tombstoneStream(stream, { expectedRevision: 0n }))).toMatchObject({
      type: 'wrong-expected-version',
      expectedVersion: 0n,
      actualVersion: 1n,
    });
  });

  it('refuses a subscription without confirming it', async () => {
    const stream = await afterTombstone();
    const seen: string[] = [];
    const subscription = client.subscribeToStream(stream);
    subscription.on('confirmation', () => seen.push('confirmation'));
    subscription.on('error', (error) => seen.push((error as unknown as { type: string }).type));
    await until(() => seen.length > 0, 'an answer');
    expect(seen).toEqual(['stream-deleted']);
  });

  it('ends a live subscription with its tombstone and an error', async () => {
    const stream = await given(1);
    const seen: string[] = [];
    const subscription = client.subscribeToStream(stream);
    subscription.on('caughtUp', () => seen.push('caughtUp'));
    subscription.on('data', ({ event }) => seen.push(event?.type ?? ''));
    subscription.on('error', (error) => seen.push((error as unknown as { type: string }).type));
    await until(() => seen.includes('Noted'), 'the first event');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await client.tombstoneStream(stream);
    await until(() => seen.includes('stream-deleted'), 'the end');
    expect(seen.filter((what) => what !== 'caughtUp')).toEqual(['Noted', '$streamDeleted', 'stream-deleted']);
  });

  it('with a name that is not ASCII is still named in the error', async () => {
    const stream = streamName('tätig');
    await client.appendToStream(stream, jsonEvent({ type: 'Noted', data: {} }));
    await client.tombstoneStream(stream);
    expect(decodeURIComponent(String((await refusal(read(stream)))['streamName']))).toBe(stream);
  });
});

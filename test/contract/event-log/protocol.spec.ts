import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventStoreDBClient } from '@eventstore/db-client';
import { Empty, chunk, connect, identifier, streams, uuid, type Failure, type Rpc, type Stub } from './rpc.js';
import { collect, embeddedOnly, events, openStore, refusal, streamName, until, type StoreUnderTest } from './store.js';

let store: StoreUnderTest;
let client: EventStoreDBClient;
let rpc: Rpc;

beforeAll(async () => {
  store = await openStore();
  client = store.client;
  rpc = connect(store.url);
});
afterAll(async () => {
  rpc.close();
  await store.close();
});

/** A batch-append call and what it answers: the correlation id and the kind of each answer. */
function batchCall() {
  const answers: [id: string, kind: string][] = [];
  const call = rpc.streams.batchAppend();
  call.on('data', (response: Stub) => {
    const { correlationId, error, success } = response.toObject();
    const kind = success ? 'success' : error.details.typeUrl.split('.').at(-1);
    answers.push([correlationId.string, kind]);
  });
  call.on('error', (error: Failure) => answers.push(['call', String(error.code)]));
  return { call, answers };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('a batch append', () => {
  it('that is never finished gets one timeout at its deadline, and its late chunks are passed over', async () => {
    const { call, answers } = batchCall();
    const correlationId = randomUUID();
    const stream = streamName();
    call.write(chunk({ correlationId, stream, deadline: new Date(Date.now() + 200), events: [], isFinal: false }));
    await until(() => answers.length > 0, 'the timeout', 8000);
    call.write(chunk({ correlationId, events: [{ id: randomUUID(), type: 'Late' }], isFinal: true }));
    await pause(200);
    expect(answers).toEqual([[correlationId, 'Timeout']]);
    expect(await refusal(collect(client.readStream(stream)))).toMatchObject({ type: 'stream-not-found' });
    call.cancel();
  });

  it('whose deadline has passed is not written', async () => {
    const { call, answers } = batchCall();
    const correlationId = randomUUID();
    const stream = streamName();
    const list = [{ id: randomUUID(), type: 'Late' }];
    call.write(chunk({ correlationId, stream, deadline: new Date(Date.now() - 1000), events: list, isFinal: true }));
    await until(() => answers.length > 0, 'the timeout', 8000);
    expect(answers).toEqual([[correlationId, 'Timeout']]);
    expect(await refusal(collect(client.readStream(stream)))).toMatchObject({ type: 'stream-not-found' });
    call.cancel();
  });

  embeddedOnly('of an event without a type is refused, and answered once', async () => {
    const { call, answers } = batchCall();
    const correlationId = randomUUID();
    call.write(
      chunk({
        correlationId,
        stream: streamName(),
        deadline: new Date(Date.now() + 300),
        events: [{ id: randomUUID(), type: '' }],
        isFinal: true,
      }),
    );
    await pause(600);
    expect(answers).toEqual([[correlationId, 'BadRequest']]);
    call.cancel();
  });

  it('may be interleaved with others, chunk by chunk', async () => {
    const { call, answers } = batchCall();
    const appends = Array.from({ length: 8 }, () => ({ correlationId: randomUUID(), stream: streamName() }));
    const deadline = new Date(Date.now() + 10_000);
    const part = () => [{ id: randomUUID(), type: 'Part' }];
    for (const append of appends) call.write(chunk({ ...append, deadline, events: part(), isFinal: false }));
    for (const { correlationId } of appends) call.write(chunk({ correlationId, events: part(), isFinal: false }));
    for (const { correlationId } of appends) call.write(chunk({ correlationId, events: part(), isFinal: true }));
    await until(() => answers.length === appends.length, 'all answers');
    expect(new Set(answers.map(([id]) => id)).size).toBe(appends.length);
    expect(answers.every(([, kind]) => kind === 'success')).toBe(true);
    for (const { stream } of appends) expect(await collect(client.readStream(stream))).toHaveLength(3);
    call.end();
  });

  it('is answered before its call ends', async () => {
    const { call, answers } = batchCall();
    const ended = new Promise<void>((resolve) => call.on('end', resolve));
    const ids = Array.from({ length: 20 }, () => randomUUID());
    for (const correlationId of ids) {
      const deadline = new Date(Date.now() + 10_000);
      call.write(
        chunk({
          correlationId,
          stream: streamName(),
          deadline,
          events: [{ id: randomUUID(), type: 'T' }],
          isFinal: true,
        }),
      );
    }
    call.end();
    await ended;
    expect(answers.map(([id]) => id).sort()).toEqual([...ids].sort());
  });
});

describe('an append', () => {
  const append = (...requests: Stub[]): Promise<Failure> =>
    new Promise((resolve, reject) => {
      const call = rpc.streams.append((error: Failure | null) =>
        error ? resolve(error) : reject(new Error('accepted')),
      );
      for (const request of requests) call.write(request);
      call.end();
    });
  const options = () => {
    const target = new streams.AppendReq.Options().setStreamIdentifier(identifier(streamName())).setAny(new Empty());
    return new streams.AppendReq().setOptions(target);
  };

  it('of an event without type and content type names what is missing', async () => {
    const message = new streams.AppendReq.ProposedMessage().setId(uuid(randomUUID()));
    const { code, metadata } = await append(options(), new streams.AppendReq().setProposedMessage(message));
    expect(code).toBe(3);
    expect(metadata.getMap()['exception']).toBe('missing-required-metadata-property');
  });

  it('in a message beyond 17 MiB is refused by size', async () => {
    const data = new Uint8Array(18 * 1024 * 1024);
    const message = new streams.AppendReq.ProposedMessage().setId(uuid(randomUUID())).setData(data);
    expect((await append(options(), new streams.AppendReq().setProposedMessage(message))).code).toBe(8);
  });

  it('in a message of 16 MiB is told the limit of an append', async () => {
    const message = new streams.AppendReq.ProposedMessage().setId(uuid(randomUUID()));
    message.setData(new Uint8Array(16 * 1024 * 1024));
    message.getMetadataMap().set('type', 'Huge').set('content-type', 'application/octet-stream');
    const { metadata } = await append(options(), new streams.AppendReq().setProposedMessage(message));
    expect(metadata.getMap()['exception']).toBe('maximum-append-size-exceeded');
    expect(metadata.getMap()['maximum-append-size']).toBe('1048576');
  });
});

describe('a read', () => {
  it('may ask for ids as two numbers', async () => {
    const stream = streamName();
    const [event] = events(1);
    await client.appendToStream(stream, [event as NonNullable<typeof event>]);
    const { Options } = streams.ReadReq;
    const request = new streams.ReadReq().setOptions(
      new Options()
        .setStream(new Options.StreamOptions().setStreamIdentifier(identifier(stream)).setStart(new Empty()))
        .setCount('10')
        .setNoFilter(new Empty())
        .setUuidOption(new Options.UUIDOption().setStructured(new Empty())),
    );
    const ids: { mostSignificantBits: string; leastSignificantBits: string }[] = [];
    await new Promise<void>((resolve, reject) => {
      const call = rpc.streams.read(request);
      call.on('data', (response: Stub) => {
        const recorded = response.getEvent().getEvent();
        ids.push(recorded.getId().getStructured().toObject());
        expect(Buffer.from(recorded.getData_asU8()).toString()).toBe('{"n":0}');
      });
      call.on('end', resolve);
      call.on('error', reject);
    });
    const hex = ids.map(({ mostSignificantBits: high, leastSignificantBits: low }) =>
      [high, low].map((half) => BigInt.asUintN(64, BigInt(half)).toString(16).padStart(16, '0')).join(''),
    );
    expect(hex).toEqual([event?.id.replaceAll('-', '')]);
  });
});

describe('discovery', () => {
  const unary = (stub: Stub, method: string): Promise<Stub> =>
    new Promise((resolve, reject) =>
      stub[method](new Empty(), (error: Failure | null, answer: Stub) =>
        error ? reject(error) : resolve(answer.toObject()),
      ),
    );

  it('lists the methods of the streams service in lower case', async () => {
    const { methodsList, eventStoreServerVersion } = await unary(rpc.features, 'getSupportedMethods');
    expect(eventStoreServerVersion).toMatch(/^\d+\.\d+\.\d+/);
    const names = methodsList.map((method: Stub) => `${method.serviceName}/${method.methodName}`);
    for (const method of ['append', 'batchappend', 'read', 'delete', 'tombstone']) {
      expect(names).toContain(`event_store.client.streams.streams/${method}`);
    }
  });

  it('shows one member that leads', async () => {
    const { membersList } = await unary(rpc.gossip, 'read');
    expect(membersList).toHaveLength(1);
    expect(membersList[0]).toMatchObject({ state: 8, isAlive: true });
  });

  embeddedOnly('lets a client in that finds its server by gossip', async () => {
    const { port } = new URL(store.url.replace('esdb:', 'http:'));
    const discovering = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${port},127.0.0.1:${port}?tls=false`);
    const [first] = await collect(discovering.readAll({ maxCount: 1 }));
    expect(first?.event?.streamId).toBe('$log');
    await discovering.dispose();
  });

  embeddedOnly('answers UNIMPLEMENTED to a method it does not have', async () => {
    const path = '/event_store.client.operations.Operations/StartScavenge';
    const bytes = (value: Buffer) => value;
    const error = await new Promise<Failure>((resolve) =>
      rpc.gossip.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), resolve),
    );
    expect(error.code).toBe(12);
  });
});

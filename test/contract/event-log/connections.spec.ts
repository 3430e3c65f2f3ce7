import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import * as http2 from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { EventLog, Write } from '../../../libs/embedded-event-store/event-log.js';
import type { Call } from '../../../libs/embedded-event-store/grpc.js';
import { startEmbeddedEventStore, type EmbeddedEventStore } from '../../../libs/embedded-event-store/index.js';
import { append, remove } from '../../../libs/embedded-event-store/streams.js';
import { Empty, connect, identifier, streams, uuid } from './rpc.js';
import { until } from './store.js';

/* The server’s side of a connection, by a client that is nothing but HTTP/2. */

const PING = 200;
const IDLE = 700;
const scratch = mkdtempSync(join(tmpdir(), 'event-log-connections-'));
let server: EmbeddedEventStore;

beforeAll(async () => {
  server = await startEmbeddedEventStore({ dataDir: scratch, timings: { ping: PING, idle: IDLE } });
});
afterAll(async () => {
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const framed = (message: { serializeBinary(): Uint8Array }): Buffer => {
  const body = message.serializeBinary();
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  return Buffer.concat([prefix, body]);
};
const options = (stream: string) =>
  new streams.AppendReq.Options().setStreamIdentifier(identifier(stream)).setAny(new Empty());
const event = () => {
  const message = new streams.AppendReq.ProposedMessage().setId(uuid(randomUUID()));
  message.getMetadataMap().set('type', 'T').set('content-type', 'application/json');
  return new streams.AppendReq().setProposedMessage(message);
};
const subscription = () => {
  const { Options } = streams.ReadReq;
  const all = new Options().setAll(new Options.AllOptions().setStart(new Empty()));
  return new streams.ReadReq().setOptions(
    all.setSubscription(new Options.SubscriptionOptions()).setNoFilter(new Empty()),
  );
};

async function withSession<T>(use: (session: http2.ClientHttp2Session) => Promise<T>, { port } = server): Promise<T> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  try {
    return await use(session);
  } finally {
    session.destroy();
  }
}

/** Opens a call; `ended` resolves with its `grpc-status`. */
function open(session: http2.ClientHttp2Session, method: string, headers: http2.OutgoingHttpHeaders = {}) {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/event_store.client.streams.Streams/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const ended = new Promise<string>((resolve) => {
    const settle = (trailers: http2.IncomingHttpHeaders) =>
      trailers['grpc-status'] !== undefined && resolve(String(trailers['grpc-status']));
    stream.on('response', settle);
    stream.on('trailers', settle);
    stream.on('close', () => resolve('closed'));
    stream.on('error', () => undefined);
  });
  stream.resume();
  return { stream, ended };
}

describe('a deadline', () => {
  it.each([
    ['Append', '200m'],
    ['Append', '200000u'],
    ['Delete', '200m'],
    ['Read', '1S'],
  ])('ends a call of %s that is not finished after %s', (method, timeout) =>
    withSession(async (session) => {
      const started = Date.now();
      const { stream, ended } = open(session, method, { 'grpc-timeout': timeout });
      if (method === 'Append') stream.write(framed(new streams.AppendReq().setOptions(options('late'))));
      if (method === 'Read') stream.end(framed(subscription()));
      expect(await ended).toBe('4');
      const [expected, took] = [timeout === '1S' ? 1000 : 200, Date.now() - started];
      expect(took).toBeGreaterThanOrEqual(expected - 5);
      expect(took).toBeLessThan(expected + 5000);
    }),
  );

  it.each(['8760H', '99999999H', '3000000S'])('may be as far away as %s', (timeout) =>
    withSession(async (session) => {
      const { stream, ended } = open(session, 'Append', { 'grpc-timeout': timeout });
      stream.write(framed(new streams.AppendReq().setOptions(options('far'))));
      await pause(50);
      stream.end(framed(event()));
      expect(await ended).toBe('0');
    }),
  );

  it.each(['soon', '1', '-1S', '123456789S'])('is not %s', (timeout) =>
    withSession(async (session) => {
      expect(await open(session, 'Append', { 'grpc-timeout': timeout }).ended).toBe('3');
    }),
  );

  it('goes with a write to the log, which does not make it later', () => {
    const deadlines: unknown[] = [];
    const log = { enqueue: ({ kind, deadline }: Write) => deadlines.push([kind, deadline]) } as unknown as EventLog;
    const call = { deadline: 12_345 } as Call;
    const handler = append(log)(call);
    handler.message(Buffer.from(new streams.AppendReq().setOptions(options('s')).serializeBinary()));
    handler.message(Buffer.from(event().serializeBinary()));
    handler.halfClosed?.();
    for (const kind of ['delete', 'tombstone'] as const) {
      const target = new streams.DeleteReq.Options().setStreamIdentifier(identifier('s')).setAny(new Empty());
      remove(log, kind)(call).message(Buffer.from(new streams.DeleteReq().setOptions(target).serializeBinary()));
    }
    expect(deadlines).toEqual([
      ['append', 12_345],
      ['delete', 12_345],
      ['tombstone', 12_345],
    ]);
  });
});

describe('a connection', () => {
  const GREETING = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const NO_SETTINGS = Buffer.from('000000040000000000', 'hex');

  /** A connection that sends these bytes and answers nothing; resolves with how long it was left open. */
  const silent = (...bytes: Buffer[]): Promise<number> =>
    new Promise((resolve) => {
      const started = Date.now();
      const socket: Socket = connectSocket(server.port, '127.0.0.1', () => socket.write(Buffer.concat(bytes)));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(Date.now() - started));
      socket.resume();
    });

  it('that does not greet is cut soon, and one that does not answer pings a little later, whatever it has open', async () => {
    // A header block that never ends, which is nobody’s call and nobody’s idleness.
    const headers = Buffer.from('000001010000000001' + '83', 'hex');
    const [mute, ...strangers] = await Promise.all([
      silent(GREETING, NO_SETTINGS, headers),
      silent(),
      silent(GREETING.subarray(0, 10)),
      silent(GREETING),
    ]);
    expect(mute).toBeGreaterThan(PING * 2);
    for (const stranger of strangers) expect(stranger).toBeLessThan(mute - PING / 2);
  });

  it('gets its pings answered, and is pinged', () =>
    withSession(async (session) => {
      let pinged = 0;
      session.on('ping', () => pinged++);
      await new Promise((resolve) => session.once('connect', resolve));
      const answered = await new Promise<boolean>((resolve) => session.ping((error) => resolve(error === null)));
      expect(answered).toBe(true);
      await until(() => pinged >= 2, 'two pings');
    }));

  it('without a call is closed in order after a while; a call keeps it', () =>
    withSession(async (idle) =>
      withSession(async (busy) => {
        const { stream } = open(busy, 'Read');
        stream.end(framed(subscription()));
        const ending = await new Promise((resolve) => idle.once('goaway', resolve));
        expect(ending).toBe(http2.constants.NGHTTP2_NO_ERROR);
        await pause(IDLE);
        expect([busy.closed, busy.destroyed]).toEqual([false, false]);
      }),
    ));

  it('has a thousand calls at a time, and further ones when those are over', () =>
    withSession(async (session) => {
      await new Promise((resolve) => session.once('remoteSettings', resolve));
      expect(session.remoteSettings.maxConcurrentStreams).toBe(1000);
      const calls = Array.from({ length: 1000 }, () => open(session, 'Append'));
      const further = open(session, 'Append');
      further.stream.write(framed(new streams.AppendReq().setOptions(options('further'))));
      further.stream.end(framed(event()));
      expect(await Promise.race([further.ended, pause(300)])).toBeUndefined();
      for (const { stream } of calls.slice(0, 10)) stream.close(http2.constants.NGHTTP2_CANCEL);
      expect(await further.ended).toBe('0');
    }));

  it('that the server has closed is opened again by a client that calls', async () => {
    const rpc = connect(server.connectionString);
    const features = () =>
      new Promise((resolve) => rpc.features.getSupportedMethods(new Empty(), (error: unknown) => resolve(error)));
    expect(await features()).toBeNull();
    await pause(IDLE + 3 * PING);
    expect(await features()).toBeNull();
    rpc.close();
  });
});

describe('messages that are never finished', () => {
  // A fifth of a second without an answer is no sign of death while this process copies hundreds of MiB.
  const folder = mkdtempSync(join(tmpdir(), 'event-log-unfinished-'));
  let patient: EmbeddedEventStore;
  beforeAll(async () => {
    patient = await startEmbeddedEventStore({ dataDir: folder });
  });
  afterAll(async () => {
    await patient.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('may hold only so much memory, of all calls together', () =>
    withSession(async (session) => {
      const prefix = Buffer.from([0, 1, 0, 0, 0]);
      const part = Buffer.alloc(15 * 1024 * 1024);
      const statuses: string[] = [];
      const calls = [];
      for (let i = 0; i < 20 && statuses.length === 0; i++) {
        const call = open(session, 'Append');
        void call.ended.then((status) => statuses.push(status));
        await new Promise((resolve) => call.stream.write(Buffer.concat([prefix, part]), resolve));
        calls.push(call);
      }
      await until(() => statuses.length > 0, 'a refusal');
      expect(statuses[0]).toBe('8');
      expect(calls.length).toBeGreaterThan(15);
      for (const { stream } of calls) stream.close(http2.constants.NGHTTP2_CANCEL);
      await Promise.all(calls.map(({ ended }) => ended));
      const after = open(session, 'Append');
      after.stream.write(framed(new streams.AppendReq().setOptions(options('after'))));
      after.stream.end(framed(event()));
      expect(await after.ended).toBe('0');
    }, patient));
});

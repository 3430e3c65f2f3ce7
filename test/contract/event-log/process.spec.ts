import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import * as http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { EventStoreDBClient, binaryEvent } from '@eventstore/db-client';
import { spawnStore, startChild, type ChildStore } from '../../faults/event-log.js';
import { chunk, identifier, streams, Empty } from './rpc.js';
import { collect, events, revisions, streamName, until } from './store.js';

const dirs: string[] = [];
const children: ChildStore[] = [];
afterAll(async () => {
  await Promise.all(children.map((child) => child.end('SIGKILL')));
  await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })));
});

const newDir = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'event-log-process-'));
  dirs.push(dir);
  return dir;
};
const start = async (dir: string): Promise<ChildStore> => {
  const child = await startChild({ dir });
  children.push(child);
  return child;
};
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs with a client of its own; at most one is alive at a time. */
async function withClient<T>(url: string, use: (client: EventStoreDBClient) => Promise<T>): Promise<T> {
  const client = EventStoreDBClient.connectionString(url);
  try {
    return await use(client);
  } finally {
    await client.dispose();
  }
}

describe('the process', () => {
  it('says it is ready in one line, and SIGTERM ends it with 0', async () => {
    const child = await start(await newDir());
    const { code, stdout, stderr } = await child.end('SIGTERM');
    expect([code, stdout, stderr]).toEqual([0, `${JSON.stringify({ ready: true, port: child.port })}\n`, '']);
  });

  it('tells a parent that is connected, and ends with 0 when it goes away', async () => {
    const { process: child, ready, exit } = await spawnStore({ dir: await newDir(), ipc: true });
    const told = await new Promise((resolve) => child.once('message', resolve));
    expect(told).toEqual({ ready: true, port: (await ready).port });
    child.disconnect();
    expect((await exit).code).toBe(0);
  });

  const refused = async (dir: string, args: string[]) => {
    const { code, stdout, stderr } = await (await spawnStore({ dir, args })).exit;
    return { code, stdout, lines: stderr.trimEnd().split('\n') };
  };

  it('refuses a folder that another process uses', async () => {
    const dir = await newDir();
    const child = await start(dir);
    expect(await refused(dir, [])).toEqual({
      code: 1,
      stdout: '',
      lines: [`event store: the data folder ${dir} is in use by another event store`],
    });
    await child.end('SIGKILL');
    expect((await (await start(dir)).end('SIGTERM')).code).toBe(0);
  });

  it('refuses a port in use, and options it does not know', async () => {
    const child = await start(await newDir());
    const taken = await refused(await newDir(), ['--port', String(child.port)]);
    expect(taken).toMatchObject({ code: 1, stdout: '', lines: [expect.stringContaining('EADDRINUSE')] });
    expect(await refused(await newDir(), ['--port', 'x'])).toMatchObject({ code: 1, lines: [expect.any(String)] });
    expect(await refused(await newDir(), ['--sync', 'never'])).toMatchObject({ code: 1, lines: [expect.any(String)] });
    await child.end('SIGTERM');
  });

  it('ends subscriptions as cancelled and keeps what it acknowledged when it is stopped under load', async () => {
    const dir = await newDir();
    const child = await start(dir);
    const acknowledged: string[] = [];
    const endings: string[] = [];
    await withClient(child.url, async (client) => {
      const subscription = client.subscribeToAll();
      subscription.on('error', (error) => endings.push((error as Error & { type: string }).type));
      subscription.on('data', () => undefined);
      await new Promise((resolve) => subscription.once('confirmation', resolve));
      const writing = Array.from({ length: 32 }, async () => {
        for (;;) {
          const [event] = events(1);
          await client.appendToStream('load', event as NonNullable<typeof event>);
          acknowledged.push(event?.id ?? '');
        }
      });
      await until(() => acknowledged.length > 300, 'some appends');
      const exit = child.end('SIGTERM');
      const results = await Promise.allSettled(writing);
      expect(results.every(({ status }) => status === 'rejected')).toBe(true);
      expect((await exit).code).toBe(0);
      await until(() => endings.length > 0, 'the end of the subscription');
    });
    expect(endings).toEqual(['cancelled']);
    const again = await start(dir);
    const ids = await withClient(again.url, (client) => collect(client.readStream('load')));
    const stored = new Set(ids.map(({ event }) => event?.id));
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
    await again.end('SIGTERM');
  });
});

describe('strangers on the port', () => {
  it('send garbage, half a greeting or HTTP/1.1, and others do not notice', async () => {
    const child = await start(await newDir());
    const greeting = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
    const openings = [
      Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'),
      Buffer.from(greeting.slice(0, 10)),
      Buffer.concat([Buffer.from(greeting), Buffer.alloc(4096, 0xff)]),
      Buffer.concat([Buffer.from(greeting), Buffer.from('0000', 'hex')]),
      Buffer.alloc(100_000, 0x41),
    ];
    const sockets = openings.map((bytes): Socket => {
      const socket = connect(child.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(bytes);
      return socket;
    });
    await pause(300);
    for (const socket of sockets) socket.destroy();
    const read = await withClient(child.url, async (client) => {
      await client.appendToStream('s', events(2));
      return collect(client.readStream('s'));
    });
    expect(revisions(read)).toEqual([0, 1]);
    expect((await child.end('SIGTERM')).code).toBe(0);
  });

  const frame = (body: Uint8Array): Buffer => {
    const message = Buffer.alloc(5 + body.length);
    message.writeUInt32BE(body.length, 1);
    message.set(body, 5);
    return message;
  };
  const open = (session: http2.ClientHttp2Session, method: string): http2.ClientHttp2Stream => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/event_store.client.streams.Streams/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    return stream;
  };

  it('send messages that are not protobuf, and get an error for the call', async () => {
    const child = await start(await newDir());
    const session = http2.connect(`http://127.0.0.1:${child.port}`);
    const statusOf = (method: string, bytes: Buffer) =>
      new Promise<unknown>((resolve) => {
        const stream = open(session, method);
        stream.on('response', (headers) => headers['grpc-status'] !== undefined && resolve(headers['grpc-status']));
        stream.on('trailers', (headers) => resolve(headers['grpc-status']));
        stream.on('close', () => resolve('closed'));
        stream.resume();
        stream.write(bytes);
      });
    for (const method of ['Read', 'Append', 'BatchAppend', 'Delete', 'Tombstone']) {
      for (const body of [
        Buffer.alloc(0),
        Buffer.alloc(50, 0xff),
        Buffer.from('0a0a', 'hex'),
        Buffer.from('0a00', 'hex'),
      ]) {
        expect(await statusOf(method, frame(body))).toBe('3');
      }
      expect(await statusOf(method, Buffer.from([1, 0, 0, 0, 0]))).toBe('12');
      expect(await statusOf(method, Buffer.from([0, 0xff, 0xff, 0xff, 0xff]))).toBe('8');
    }
    session.close();
    expect((await child.end('SIGTERM')).code).toBe(0);
  });

  it('that never read cost the server next to nothing', async () => {
    const child = await start(await newDir());
    await withClient(child.url, async (client) => {
      const blob = () => binaryEvent({ type: 'Blob', data: new Uint8Array(900_000) });
      for (let i = 0; i < 50; i++) await client.appendToStream('blobs', blob());
      const before = await child.memory();
      const session = http2.connect(`http://127.0.0.1:${child.port}`);
      session.on('error', () => undefined);
      const { Options } = streams.ReadReq;
      const everything = () =>
        new Options()
          .setAll(new Options.AllOptions().setStart(new Empty()))
          .setNoFilter(new Empty())
          .setUuidOption(new Options.UUIDOption().setString(new Empty()));
      const requests = [
        everything().setCount('1000000'),
        everything().setSubscription(new Options.SubscriptionOptions()),
      ];
      for (let i = 0; i < 20; i++) {
        for (const request of requests)
          open(session, 'Read').end(frame(new streams.ReadReq().setOptions(request).serializeBinary()));
      }
      const flood = open(session, 'BatchAppend');
      const stream = streamName('flood');
      const deadline = new Date(Date.now() + 60_000);
      let sent = 0;
      const feed = (): void => {
        while (sent < 60_000) {
          sent++;
          const one = chunk({
            correlationId: randomUUID(),
            stream: sent % 2 === 0 ? stream : '',
            deadline,
            events: [{ id: randomUUID(), type: 'T', data: new Uint8Array(500) }],
            isFinal: true,
          });
          if (!flood.write(frame(one.serializeBinary()))) {
            flood.once('drain', feed);
            return;
          }
        }
      };
      feed();
      for (let before = -1; before !== sent; await pause(400)) before = sent;
      expect((await child.memory()) - before).toBeLessThan(150 * 1024 * 1024);
      expect(sent).toBeLessThan(60_000);
      await client.appendToStream('other', events(1));
      expect(revisions(await collect(client.readStream('other')))).toEqual([0]);
      session.destroy();
    });
    expect((await child.end('SIGTERM')).code).toBe(0);
  });

  it('name no stream or no correlation id, and get an error for the call', async () => {
    const child = await start(await newDir());
    const session = http2.connect(`http://127.0.0.1:${child.port}`);
    const request = new streams.BatchAppendReq().setIsFinal(true);
    const options = new streams.AppendReq.Options().setStreamIdentifier(identifier('')).setAny(new Empty());
    for (const [method, message] of [
      ['BatchAppend', request],
      ['Append', new streams.AppendReq().setOptions(options)],
    ] as const) {
      const status = await new Promise((resolve) => {
        const stream = open(session, method);
        stream.on('response', (headers) => resolve(headers['grpc-status']));
        stream.end(frame(message.serializeBinary()));
      });
      expect(status).toBe('3');
    }
    session.close();
    await child.end('SIGTERM');
  });
});

import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import * as http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventStoreDBClient, binaryEvent, jsonEvent } from '@eventstore/db-client';
import { CodecRegistry, EventLog, type EventCodec } from '#event-log';
import { instant, type DomainEvent, type Recorded } from '#kernel';
import type { KeyVault } from '#key-vault';
import { collect, events, revisions, until } from '../contract/event-log/store.js';
import { spawnStore, startChild, type ChildOptions, type ChildStore } from './event-log.js';
import { SmallDisk } from './small-disk.js';

const LONG = process.env['FAULT_ROUNDS'] === 'long';
const KILLS = LONG ? 100 : 5;
const WRITERS = 64;
const RESTARTS = LONG ? 20 : 3;
const STRANGERS = LONG ? 2000 : 200;

const dirs: string[] = [];
const children: ChildStore[] = [];
afterAll(async () => {
  await Promise.all(children.map((child) => child.end('SIGKILL')));
  await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true })));
});

const newDir = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'event-log-faults-'));
  dirs.push(dir);
  return dir;
};
const start = async (options: ChildOptions): Promise<ChildStore> => {
  const child = await startChild(options);
  children.push(child);
  return child;
};

/** Runs with a client of its own; at most one is alive at a time. */
async function withClient<T>(url: string, use: (client: EventStoreDBClient) => Promise<T>): Promise<T> {
  const client = EventStoreDBClient.connectionString(url);
  try {
    return await use(client);
  } finally {
    await client.dispose();
  }
}

describe(`an event store killed ${KILLS} times under ${WRITERS} writers`, () => {
  it(
    'loses no acknowledged append and tears none apart',
    async () => {
      const dir = await newDir();
      const acknowledged: { stream: string; revision: bigint; ids: string[] }[] = [];
      for (let round = 0; round < KILLS; round++) {
        const child = await start({ dir, args: ['--sync', round % 2 === 0 ? 'loop' : 'threadpool'] });
        await withClient(child.url, async (client) => {
          const before = acknowledged.length;
          const writers = Array.from({ length: WRITERS }, async (_, writer) => {
            const stream = `round-${round}-writer-${writer}`;
            for (let n = 0; ; n += 2) {
              const list = events(2, n);
              const { nextExpectedRevision } = await client.appendToStream(stream, list);
              acknowledged.push({ stream, revision: nextExpectedRevision, ids: list.map(({ id }) => id) });
            }
          });
          await until(() => acknowledged.length > before + 300 + 170 * (round % 5), 'some appends', 20_000);
          await Promise.all([child.end('SIGKILL'), Promise.allSettled(writers)]);
        });
      }
      const child = await start({ dir });
      const stored = new Map<string, string[]>();
      await withClient(child.url, async (client) => {
        for await (const { event } of client.readAll()) {
          if (!event?.streamId.startsWith('round-')) continue;
          const ids = stored.get(event.streamId) ?? [];
          if (Number(event.revision) !== ids.length) throw new Error(`${event.streamId} has a gap at ${ids.length}`);
          ids.push(event.id);
          stored.set(event.streamId, ids);
        }
      });
      expect(acknowledged.length).toBeGreaterThan(300 * KILLS);
      const lost = acknowledged.filter(({ stream, revision, ids }) => {
        const at = Number(revision);
        return (
          stored
            .get(stream)
            ?.slice(at - 1, at + 1)
            .join() !== ids.join()
        );
      });
      expect(lost).toEqual([]);
      expect([...stored.values()].filter((ids) => ids.length % 2 !== 0)).toEqual([]);
      await child.end('SIGTERM');
    },
    60_000 + KILLS * 20_000,
  );
});

describe('an event store with a flipped bit in the middle of its log', () => {
  it('does not start, says where in one line, and leaves the file as it is', async () => {
    const dir = await newDir();
    const child = await start({ dir });
    await withClient(child.url, async (client) => {
      for (let i = 0; i < 20; i++) await client.appendToStream('s', events(1));
    });
    await child.end('SIGTERM');
    const [name] = (await readdir(dir)).filter((file) => file.endsWith('.log'));
    const path = join(dir, name as string);
    const bytes = await readFile(path);
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] as number) ^ 0x04;
    await writeFile(path, bytes);
    const { code, stdout, stderr } = await (await spawnStore({ dir })).exit;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^event store: .*0000000000000000\.log: the record at offset \d+ .*\n$/);
    expect(await readFile(path)).toEqual(bytes);
  });
});

describe('an event store on a full disk', () => {
  const blob = () => binaryEvent({ id: randomUUID(), type: 'Noted', data: new Uint8Array(10_000) });

  /** Appends until some are refused. */
  async function fill(client: EventStoreDBClient) {
    const acknowledged: string[] = [];
    const refusals: string[] = [];
    for (let i = 0; i < 1000 && refusals.length < 10; i++) {
      const next = blob();
      await client.appendToStream('s', next).then(
        () => acknowledged.push(next.id),
        (error: { type: string }) => refusals.push(error.type),
      );
    }
    expect(refusals).toEqual(Array.from({ length: 10 }, () => 'unknown'));
    return acknowledged;
  }
  const stored = async (client: EventStoreDBClient) =>
    (await collect(client.readStream('s'))).map((read) => read.event?.id);

  it.each(['loop', 'threadpool'])(
    'that refuses to let a file grow refuses appends, serves reads, and loses nothing (sync in the %s)',
    async (sync) => {
      const dir = await newDir();
      const child = await start({ dir, args: ['--sync', sync], maxFileBytes: 256 * 1024 });
      const acknowledged = await withClient(child.url, async (client) => {
        const ids = await fill(client);
        expect(ids.length).toBeGreaterThan(15);
        expect(await stored(client)).toEqual(ids);
        await client.appendToStream('s', jsonEvent({ type: 'Small', data: {} }));
        return ids;
      });
      await child.end('SIGKILL');
      const again = await start({ dir });
      await withClient(again.url, async (client) => {
        expect((await stored(client)).slice(0, -1)).toEqual(acknowledged);
        await client.appendToStream('s', blob());
      });
      await again.end('SIGTERM');
    },
  );

  const disk = new SmallDisk('event-log-disk', '1m');
  beforeAll(() => void (disk.available && disk.mount()));
  afterAll(() => disk.unmount());

  (disk.available ? it : it.skip).each(['loop', 'threadpool'])(
    'that has no room refuses appends, serves reads, and goes on when there is room (sync in the %s)',
    async (sync) => {
      const dir = join(disk.path, sync);
      const filler = join(disk.path, 'filler');
      await writeFile(filler, Buffer.alloc(300_000));
      const child = await start({ dir, args: ['--sync', sync, '--segment-bytes', '65536'] });
      const acknowledged = await withClient(child.url, async (client) => {
        const ids = await fill(client);
        expect(ids.length).toBeGreaterThan(15);
        expect(await stored(client)).toEqual(ids);
        await rm(filler);
        const next = blob();
        await client.appendToStream('s', next);
        return [...ids, next.id];
      });
      await child.end('SIGKILL');
      const again = await start({ dir });
      expect(await withClient(again.url, stored)).toEqual(acknowledged);
      await again.end('SIGTERM');
      await rm(dir, { recursive: true });
    },
  );
});

describe('strangers on the port of an event store', () => {
  const GREETING = Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.from('000000040000000000', 'hex'),
  ]);
  const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head[3] = type;
    head[4] = flags;
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  /** The same bytes in every run. */
  const noise = (seed: string, length: number): Buffer =>
    Buffer.concat(
      Array.from({ length: Math.ceil(length / 64) }, (_, i) => createHash('sha512').update(`${seed} ${i}`).digest()),
    ).subarray(0, length);
  const open = (child: ChildStore, ...bytes: Buffer[]): Socket => {
    const socket = connect(child.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.resume();
    for (const chunk of bytes) socket.write(chunk);
    return socket;
  };
  const servesOthers = (child: ChildStore, stream: string) =>
    withClient(child.url, async (client) => {
      await client.appendToStream(stream, events(2));
      return revisions(await collect(client.readStream(stream)));
    });

  it(
    'send noise, frames that are none, and half of what they announce, and others are served',
    async () => {
      const child = await start({ dir: await newDir() });
      const before = await child.memory();
      const sockets: Socket[] = [];
      for (let i = 0; i < STRANGERS; i++) {
        const bytes = noise(`stranger ${i}`, 1 + ((i * 37) % 3000));
        const announced = (bytes[0] as number) % 10;
        sockets.push(
          i % 4 === 0
            ? open(child, bytes)
            : i % 4 === 1
              ? open(child, GREETING, bytes)
              : i % 4 === 2
                ? open(child, GREETING, frame(announced, bytes[1] as number, i % 7, bytes))
                : open(child, GREETING, frame(announced, 0, 1, bytes).subarray(0, -1)),
        );
        if (i % 50 === 49) {
          await pause(20);
          for (const socket of sockets.splice(0)) socket.destroy();
        }
      }
      expect(await servesOthers(child, 'after-noise')).toEqual([0, 1]);
      expect((await child.memory()) - before).toBeLessThan(100 * 1024 * 1024);
      expect((await child.end('SIGTERM')).code).toBe(0);
    },
    30_000 + STRANGERS * 20,
  );

  it('send a byte at a time, headers without end, pings and resets without number, and others are served', async () => {
    const child = await start({ dir: await newDir() });
    const before = await child.memory();
    const slow = Array.from({ length: 50 }, () => open(child, GREETING.subarray(0, 5)));
    const endless = open(child, GREETING, frame(1, 0, 1, Buffer.from([0x83])));
    const pinging = open(child, GREETING);
    const resetting = open(child, GREETING);
    for (let i = 0; i < 400; i++) {
      for (const socket of slow) socket.write(GREETING.subarray(5 + (i % 19), 6 + (i % 19)));
      endless.write(
        frame(9, 0, 1, Buffer.concat([Buffer.from([0, 1, 0x61, 0x7f, 0x81, 0x7e]), Buffer.alloc(16_000, 0x61)])),
      );
      pinging.write(Buffer.concat(Array.from({ length: 100 }, () => frame(6, 0, 0, Buffer.alloc(8)))));
      const stream = 1 + 2 * i;
      resetting.write(
        Buffer.concat([frame(1, 4, stream, Buffer.from([0x83, 0x86, 0x84])), frame(3, 0, stream, Buffer.alloc(4))]),
      );
      if (i % 20 === 0) await pause(5);
    }
    expect(await servesOthers(child, 'after-floods')).toEqual([0, 1]);
    expect((await child.memory()) - before).toBeLessThan(100 * 1024 * 1024);
    for (const socket of [...slow, endless, pinging, resetting]) socket.destroy();
    expect((await child.end('SIGTERM')).code).toBe(0);
  });

  it('send headers beyond all measure, and get an end to them', async () => {
    const child = await start({ dir: await newDir() });
    for (const [name, count, length] of [
      ['one', 1, 1_000_000],
      ['many', 5000, 100],
    ] as const) {
      const session = http2.connect(`http://127.0.0.1:${child.port}`, { maxSendHeaderBlockLength: 10_000_000 });
      session.on('error', () => undefined);
      const large = Object.fromEntries(Array.from({ length: count }, (_, i) => [`x-${name}-${i}`, 'a'.repeat(length)]));
      const path = '/event_store.client.streams.Streams/Read';
      const stream = session.request({ ':method': 'POST', ':path': path, ...large });
      stream.on('error', () => undefined);
      await new Promise((resolve) => stream.once('close', resolve));
      expect(stream.sentHeaders[':path']).toBe(path);
      session.destroy();
    }
    expect(await servesOthers(child, 'after-headers')).toEqual([0, 1]);
    expect((await child.end('SIGTERM')).code).toBe(0);
  });
});

describe(`a follower whose event store is killed and started again ${RESTARTS} times`, () => {
  type Counted = DomainEvent & { readonly type: 'Counted' };
  const codec: EventCodec<Counted> = { capability: 'counting', events: { Counted: { stored: 'counted.v1' } } };
  // Nothing personal is counted.
  const vault = { confirm: () => undefined, seal: () => undefined } as unknown as KeyVault;
  const at = instant('2026-11-23T09:00:00Z');
  const envelope = {
    commandId: randomUUID(),
    actor: { type: 'service', id: 'counter' },
    occurredAt: at,
    recordedAt: at,
    fingerprint: 'none',
  } as unknown as Parameters<EventLog['append']>[3];

  it(
    'misses nothing and gets nothing twice',
    async () => {
      const dir = await newDir();
      let child = await start({ dir });
      const { port } = child;
      const log = new EventLog(child.url, new CodecRegistry([codec as EventCodec]), vault);
      const seen: Recorded[] = [];
      const acknowledged: string[] = [];
      let checkpoint = 0;
      let stopped: Error | undefined;
      const following = log.follow(['counter-'], {
        from: () => checkpoint,
        handle: async (batch) => {
          await pause(1);
          seen.push(...batch);
          checkpoint = batch.at(-1)?.position ?? checkpoint;
        },
        onStopped: (error) => (stopped = error),
        batch: 16,
      });
      let writing = true;
      const writer = (async () => {
        for (let n = 0; writing; n++) {
          const event = { type: 'Counted', data: { n }, id: randomUUID() };
          // The same event until it is acknowledged: its id makes it one.
          while (
            !(await log.append('counter-a', 'any', [event], envelope).then(
              () => true,
              () => false,
            ))
          )
            await pause(10);
          acknowledged.push(event.id);
        }
      })();
      for (let round = 0; round < RESTARTS; round++) {
        const before = seen.length;
        await until(() => seen.length > before + 100, 'the follower', 20_000);
        await child.end('SIGKILL');
        await pause(50 * round);
        child = await start({ dir, args: ['--port', String(port)] });
      }
      const before = seen.length;
      await until(() => seen.length > before + 100, 'the follower after the last restart', 20_000);
      writing = false;
      await writer;
      await until(() => seen.length >= acknowledged.length, 'the last events', 20_000);
      await following.stop();
      await log.close();
      expect(stopped).toBeUndefined();
      expect(seen.map(({ id }) => id)).toEqual(acknowledged);
      await child.end('SIGTERM');
    },
    60_000 + RESTARTS * 20_000,
  );
});

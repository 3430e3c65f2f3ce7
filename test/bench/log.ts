/**
 * The embedded event log: `npm run bench log [-- --large] [--rounds N] [--only g0|g15|g14]`.
 *
 * - G0, nothing is lost: what subscriptions and pages of any size deliver, against what was acknowledged, while 1, 20
 *   and 64 writers are at it, and after `kill -9`.
 * - G15, appends and reads against the floor: a file that is appended to with one fdatasync per group of writes, and read
 *   from end to end. `engine` is the log in this process, `client` the unmodified client and a server of its own.
 * - G14, start: from the process's start to its being ready, with 10^6 events (10^7 with `--large`) against 10^5; and
 *   the resident memory that an event more costs.
 *
 * Both sides of a ratio are measured in turns in one run; the ratio is the median of the rounds [min..max]; a run is
 * void when its baseline spreads by more than twofold; every figure is gated by a check of what was stored or read.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { END, EventStoreDBClient, START, jsonEvent, type AllStreamSubscription } from '@eventstore/db-client';
import { EventLog, FrameWindow } from '../../libs/embedded-event-store/event-log.js';
import { ANY } from '../../libs/embedded-event-store/wire.js';
import { compare, median, row, table, type Comparison } from './rounds.js';

const { values: options } = parseArgs({
  args: process.argv.slice(3),
  options: {
    large: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: 'g0,g15,g14' },
  },
});
const ROUNDS = Math.max(5, Number(options.rounds));
const wants = (part: string): boolean => options.only.split(',').includes(part);
const EVENT_BYTES = 500;
const PADDING = randomBytes(EVENT_BYTES / 2 - 12).toString('hex');
const DATA = Buffer.from(JSON.stringify({ padding: PADDING }));
const root = fs.mkdtempSync(join(tmpdir(), 'bench-log-'));
const newDir = (): string => fs.mkdtempSync(join(root, 'log-'));
const MAIN = fileURLToPath(new URL('../../libs/embedded-event-store/main.js', import.meta.url));

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`wrong answer: ${what}`);
}

// -------------------------------------------------------------------------------------------- the two sides

interface Server {
  readonly url: string;
  readonly process: ChildProcess;
  /** From spawn to ready, in milliseconds. */
  readonly startMs: number;
  end(signal: NodeJS.Signals): Promise<void>;
  memory(): number;
}

async function startServer(dir: string): Promise<Server> {
  const from = performance.now();
  const child = spawn(process.execPath, [MAIN, '--data', dir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) => resolve((JSON.parse(line.toString()) as { port: number }).port));
    child.once('exit', () => reject(new Error('the event store did not start')));
  });
  return {
    url: `esdb://127.0.0.1:${port}?tls=false`,
    process: child,
    startMs: performance.now() - from,
    end: (signal) => {
      child.kill(signal);
      return gone;
    },
    memory: () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) * 1024,
  };
}

/** Runs `count` writes, `writers` of them at a time. @returns writes per second */
async function rate(count: number, writers: number, write: (n: number) => Promise<void>): Promise<number> {
  let next = 0;
  const from = performance.now();
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (next < count) await write(next++);
    }),
  );
  return (count / (performance.now() - from)) * 1000;
}

/** A file that is appended to: waiting writes go out in one piece with one fdatasync. */
class RawFile {
  readonly path = join(newDir(), 'raw');
  private readonly fd = fs.openSync(this.path, 'w+');
  private queue: (() => void)[] = [];
  private size = 0;
  private scheduled = false;

  write(): Promise<void> {
    return new Promise((resolve) => {
      this.queue.push(resolve);
      if (this.scheduled) return;
      this.scheduled = true;
      this.gather(0);
    });
  }

  close(writes: number): void {
    check(fs.fstatSync(this.fd).size === writes * RAW_RECORD.length, 'the raw file has another size');
    fs.closeSync(this.fd);
  }

  private gather(seen: number): void {
    setImmediate(() => {
      if (this.queue.length > seen) return this.gather(this.queue.length);
      this.scheduled = false;
      const waiting = this.queue;
      this.queue = [];
      const bytes = Buffer.concat(waiting.map(() => RAW_RECORD));
      fs.writeSync(this.fd, bytes, 0, bytes.length, this.size);
      fs.fdatasyncSync(this.fd);
      this.size += bytes.length;
      for (const resolve of waiting) resolve();
    });
  }
}

/** As many bytes as an event of this benchmark takes in a segment: data, id, names, times. */
const RAW_RECORD = Buffer.concat([DATA, Buffer.alloc(190)]);

const proposed = () => ({
  id: randomUUID(),
  type: 'Noted',
  contentType: 'application/json',
  data: DATA,
  metadata: Buffer.alloc(0),
});

async function engineWrite(log: EventLog, stream: string): Promise<void> {
  const outcome = await log.write({
    kind: 'append',
    target: { stream, expected: ANY },
    events: [proposed()],
    deadline: undefined,
  });
  check(outcome.kind === 'written', `an append was refused: ${outcome.kind}`);
}

// -------------------------------------------------------------------------------------------- G15

async function appends(): Promise<Comparison[]> {
  const results: Comparison[] = [];
  const raw = async (count: number, writers: number): Promise<number> => {
    const file = new RawFile();
    const perSecond = await rate(count, writers, () => file.write());
    file.close(count);
    return perSecond;
  };
  for (const [writers, count] of [
    [1, 2000],
    [16, 20_000],
    [128, 60_000],
  ] as const) {
    const engine = async (): Promise<number> => {
      const log = await EventLog.open({ dir: newDir(), segmentBytes: 1 << 28, sync: 'loop' });
      const perSecond = await rate(count, writers, (n) => engineWrite(log, `s${n % 1000}`));
      check(log.index.count === count + 1, 'the log has another number of events');
      await log.finishWrites();
      log.close();
      return perSecond;
    };
    results.push(
      await compare(`append, engine, ${writers} writers`, 'events/s', ROUNDS, engine, () => raw(count, writers)),
    );
  }
  for (const [writers, count] of [
    [1, 1000],
    [16, 6000],
    [64, 10_000],
  ] as const) {
    const server = await startServer(newDir());
    const client = EventStoreDBClient.connectionString(server.url);
    let stored = 0;
    const through = async (): Promise<number> => {
      const perSecond = await rate(count, writers, async (n) => {
        await client.appendToStream(`s${n % 1000}`, jsonEvent({ type: 'Noted', data: { padding: PADDING } }));
        stored++;
      });
      return perSecond;
    };
    results.push(
      await compare(`append, client, ${writers} writers`, 'events/s', ROUNDS, through, () => raw(count, writers)),
    );
    let read = 0;
    for await (const { event } of client.readAll()) if (event && !event.streamId.startsWith('$')) read++;
    check(read === stored, `${stored} events were acknowledged, ${read} are there`);
    await client.dispose();
    await server.end('SIGTERM');
  }
  return results;
}

async function reads(): Promise<Comparison[]> {
  const count = 100_000;
  const dir = newDir();
  await build(dir, count, 10);
  const path = join(newDir(), 'raw');
  const fd = fs.openSync(path, 'w+');
  for (let i = 0; i < count / 1000; i++) fs.writeSync(fd, Buffer.concat(Array<Buffer>(1000).fill(RAW_RECORD)));
  const perSecond = (from: number): number => (count / (performance.now() - from)) * 1000;
  /** Reads the file through one buffer and touches each record. */
  const raw = (): Promise<number> => {
    const from = performance.now();
    const buffer = Buffer.allocUnsafe(400 * RAW_RECORD.length);
    let seen = 0;
    for (let at = 0; ;) {
      const got = fs.readSync(fd, buffer, 0, buffer.length, at);
      if (got === 0) break;
      for (let i = 0; i < got; i += RAW_RECORD.length)
        if (buffer.subarray(i, i + RAW_RECORD.length)[0] === 0x7b) seen++;
      at += got;
    }
    check(seen === count, 'the raw file has another number of records');
    return Promise.resolve(perSecond(from));
  };
  const log = await EventLog.open({ dir, segmentBytes: 1 << 28, sync: 'loop' });
  const engine = (): Promise<number> => {
    const from = performance.now();
    const window = new FrameWindow();
    let seen = 0;
    for (let ordinal = 0; ordinal < log.index.count; ordinal++) if (log.frame(ordinal, window)[0] === 0) seen++;
    check(seen === count + 1, 'the log has another number of events');
    return Promise.resolve(perSecond(from));
  };
  const results = [await compare('read, engine', 'events/s', ROUNDS, engine, raw)];
  log.close();
  const server = await startServer(dir);
  const client = EventStoreDBClient.connectionString(server.url);
  const through = async (): Promise<number> => {
    const from = performance.now();
    let seen = 0;
    for await (const { event } of client.readAll()) if (event) seen++;
    check(seen === count + 1, 'the log has another number of events');
    return perSecond(from);
  };
  results.push(await compare('readAll, client', 'events/s', ROUNDS, through, raw));
  await client.dispose();
  await server.end('SIGTERM');
  fs.closeSync(fd);
  return results;
}

// -------------------------------------------------------------------------------------------- G0

interface Loss {
  readonly name: string;
  readonly stored: number;
  readonly delivered: number;
}

const PAGES = [10, 100, 1000, 10_000];

async function losses(): Promise<Loss[]> {
  const results: Loss[] = [];
  const dir = newDir();
  const acknowledged = new Set<string>();
  for (const writers of [1, 20, 64]) {
    const server = await startServer(dir);
    const client = EventStoreDBClient.connectionString(server.url);
    const own = new Set<string>();
    const delivered: string[] = [];
    const subscription: AllStreamSubscription = client.subscribeToAll({ fromPosition: END });
    subscription.on('data', ({ event }) => void (event && delivered.push(event.id)));
    await new Promise((resolve) => subscription.once('confirmation', resolve));
    await rate(200 * writers, writers, async (n) => {
      const event = jsonEvent({ id: randomUUID(), type: 'Noted', data: { padding: PADDING } });
      await client.appendToStream(`s${n % 50}`, event);
      own.add(event.id);
    });
    await eventually(() => delivered.length >= own.size);
    results.push(loss(`subscription, ${writers} writers`, own, delivered));
    for (const id of own) acknowledged.add(id);
    await subscription.unsubscribe();
    const writing = Promise.allSettled(
      Array.from({ length: writers }, async () => {
        for (;;) {
          const event = jsonEvent({ id: randomUUID(), type: 'Noted', data: { padding: PADDING } });
          await client.appendToStream('s', event);
          acknowledged.add(event.id);
        }
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    await server.end('SIGKILL');
    await writing;
    await client.dispose();
  }
  const server = await startServer(dir);
  const client = EventStoreDBClient.connectionString(server.url);
  for (const page of PAGES) {
    const ids: string[] = [];
    let from: typeof START | { commit: bigint; prepare: bigint } = START;
    for (let full = true, first = true; full; first = false) {
      let seen = 0;
      for await (const { event } of client.readAll({ fromPosition: from, maxCount: page })) {
        seen++;
        if (!event || (!first && seen === 1)) continue;
        ids.push(event.id);
        from = event.position as { commit: bigint; prepare: bigint };
      }
      full = seen === page;
    }
    results.push(loss(`pages of ${page}, after kill -9`, acknowledged, ids));
  }
  await client.dispose();
  await server.end('SIGTERM');
  return results;
}

function loss(name: string, acknowledged: ReadonlySet<string>, delivered: readonly string[]): Loss {
  const once = new Set(delivered);
  check(once.size === delivered.length, `${name}: an event was delivered twice`);
  return { name, stored: acknowledged.size, delivered: [...acknowledged].filter((id) => once.has(id)).length };
}

async function eventually(holds: () => boolean): Promise<void> {
  for (const end = Date.now() + 10_000; !holds() && Date.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

// -------------------------------------------------------------------------------------------- G14

/** A log of so many events, ten to a stream, and its snapshot. */
async function build(dir: string, count: number, perAppend: number): Promise<void> {
  const log = await EventLog.open({ dir, segmentBytes: 1 << 28, sync: 'loop' });
  const events = () => Array.from({ length: perAppend }, proposed);
  for (let n = 0; n < count;) {
    const batch: Promise<unknown>[] = [];
    for (; batch.length < 200 && n < count; n += perAppend) {
      const target = { stream: `subject-${n / perAppend}`, expected: ANY };
      batch.push(log.write({ kind: 'append', target, events: events(), deadline: undefined }));
    }
    await Promise.all(batch);
  }
  check(log.index.count === count + 1, 'the log has another number of events');
  await log.finishWrites();
  log.close();
}

async function starts(): Promise<{ comparisons: Comparison[]; bytesPerEvent: number; scanned: number }> {
  const sizes = [100_000, 1_000_000, ...(options.large ? [10_000_000] : [])];
  const dirs = new Map<number, string>();
  for (const size of sizes) {
    const dir = newDir();
    await build(dir, size, 10);
    dirs.set(size, dir);
  }
  const memory = new Map<number, number[]>(sizes.map((size) => [size, []]));
  const start = async (size: number): Promise<number> => {
    const server = await startServer(dirs.get(size) as string);
    memory.get(size)?.push(server.memory());
    const client = EventStoreDBClient.connectionString(server.url);
    let last = -1;
    const stream = `subject-${size / 10 - 1}`;
    for await (const { event } of client.readStream(stream)) last = Number(event?.revision);
    check(last === 9, `${stream} ends at ${last}`);
    await client.dispose();
    await server.end('SIGTERM');
    return server.startMs;
  };
  const [small, ...others] = sizes as [number, ...number[]];
  const comparisons: Comparison[] = [];
  for (const size of others) {
    const name = `start, 10^${Math.log10(size)} against 10^5 events`;
    comparisons.push(
      await compare(
        name,
        'ms',
        ROUNDS,
        () => start(size),
        () => start(small),
      ),
    );
  }
  const [large] = others as [number];
  const bytesPerEvent =
    (median(memory.get(large) as number[]) - median(memory.get(small) as number[])) / (large - small);
  // What a start costs that has to read the log.
  const times: number[] = [];
  for (let round = 0; round < 3; round++) {
    fs.rmSync(join(dirs.get(large) as string, 'index.snapshot'), { force: true });
    const server = await startServer(dirs.get(large) as string);
    times.push(server.startMs);
    await server.end('SIGKILL');
  }
  return { comparisons, bytesPerEvent, scanned: median(times) };
}

// -------------------------------------------------------------------------------------------- the report

try {
  const rows: string[][] = [['', 'here', 'floor', 'unit', 'ratio, median [min..max]']];
  const lost = wants('g0') ? await losses() : [];
  for (const { name, stored, delivered } of lost) {
    rows.push([`G0 ${name}`, String(delivered), String(stored), 'events', (delivered / stored).toFixed(6)]);
  }
  const compared = wants('g15') ? [...(await appends()), ...(await reads())] : [];
  for (const comparison of compared) rows.push(row({ ...comparison, name: `G15 ${comparison.name}` }));
  const started = wants('g14') ? await starts() : undefined;
  for (const comparison of started?.comparisons ?? [])
    rows.push(row({ ...comparison, name: `G14 ${comparison.name}` }));
  if (started) {
    rows.push(['G14 start that reads 10^6 events', started.scanned.toFixed(0), '', 'ms', '']);
    rows.push(['memory per event', started.bytesPerEvent.toFixed(0), '', 'bytes', '']);
  }
  process.stdout.write(`${table(rows)}\n`);
  process.stdout.write(`${JSON.stringify({ bench: 'log', rounds: ROUNDS, lost, compared, ...started })}\n`);
  check(
    lost.every(({ stored, delivered }) => stored === delivered && stored > 0),
    'events were lost',
  );
} finally {
  fs.rmSync(root, { recursive: true, force: true });
}

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { EventLog, FrameWindow, type WriteOutcome } from '../../../libs/embedded-event-store/event-log.js';
import { FolderInUse, startEmbeddedEventStore } from '../../../libs/embedded-event-store/index.js';
import { CorruptLog } from '../../../libs/embedded-event-store/segments.js';
import { ANY, NO_STREAM } from '../../../libs/embedded-event-store/wire.js';

const scratch = fs.mkdtempSync(join(tmpdir(), 'event-log-storage-'));
afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }));

const newDir = (): string => fs.mkdtempSync(join(scratch, 'log-'));
const openLog = (dir: string, segmentBytes = 1 << 28, sync: 'loop' | 'threadpool' = 'loop'): Promise<EventLog> =>
  EventLog.open({ dir, segmentBytes, sync });
const close = async (log: EventLog): Promise<void> => {
  await log.finishWrites();
  log.close();
};

interface Told {
  id?: string;
  type?: string;
  data?: Buffer;
  metadata?: Buffer;
}
const append = (log: EventLog, stream: string, told: Told[], expected = ANY): Promise<WriteOutcome> =>
  log.write({
    kind: 'append',
    target: { stream, expected },
    deadline: undefined,
    events: told.map(({ id = randomUUID(), type = 'Noted', data = Buffer.from('{}'), metadata = Buffer.alloc(0) }) => ({
      id,
      type,
      contentType: 'application/json',
      data,
      metadata,
    })),
  });
const remove = (log: EventLog, kind: 'delete' | 'tombstone', stream: string): Promise<WriteOutcome> =>
  log.write({ kind, target: { stream, expected: ANY }, deadline: undefined, events: [] });

/** Every byte a reader can get, in order. */
function content(log: EventLog): string[] {
  const window = new FrameWindow();
  return Array.from({ length: log.index.count }, (_, ordinal) => log.frame(ordinal, window).toString('hex'));
}

const segmentsIn = (dir: string): string[] =>
  fs
    .readdirSync(dir)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(dir, name));
const onlySegment = (dir: string): string => {
  const [path, ...others] = segmentsIn(dir);
  if (path === undefined || others.length > 0) throw new Error('expected one segment');
  return path;
};

/** Three appends; where each record of the segment ends. */
async function threeRecords(last: Told[] = [{}, { data: Buffer.from('{"x":1}') }]) {
  const dir = newDir();
  const log = await openLog(dir);
  const path = onlySegment(dir);
  const ends: number[] = [fs.statSync(path).size];
  for (const told of [[{}], [{}], last]) {
    await append(log, 's', told);
    ends.push(fs.statSync(path).size);
  }
  const before = content(log);
  await close(log);
  const [start, first, second, third] = ends as [number, number, number, number];
  return { dir, path, start, first, second, third, before, bytes: fs.readFileSync(path) };
}

describe('after a crash', () => {
  it('an append cut off at any byte is gone as a whole, and everything before it is there', async () => {
    const { dir, path, second, third, before, bytes } = await threeRecords();
    for (let size = second; size < third; size++) {
      fs.writeFileSync(path, bytes.subarray(0, size));
      const log = await openLog(dir);
      expect(content(log)).toEqual(before.slice(0, 3));
      expect(fs.statSync(path).size).toBe(second);
      log.close();
    }
  });

  it('the log goes on behind a cut', async () => {
    const { dir, path, second, third, before, bytes } = await threeRecords();
    fs.writeFileSync(path, bytes.subarray(0, third - 1));
    const log = await openLog(dir);
    expect(await append(log, 's', [{}])).toMatchObject({ kind: 'written', revision: 2, position: second + 9 });
    const after = content(log);
    await close(log);
    const again = await openLog(dir);
    expect(content(again)).toEqual(after);
    expect(after.slice(0, 3)).toEqual(before.slice(0, 3));
    again.close();
  });

  it('an unfinished append that holds a copy of the log is cut like any other', async () => {
    const dir = newDir();
    const log = await openLog(dir);
    const path = onlySegment(dir);
    await append(log, 's', [{}, {}]);
    const copy = fs.readFileSync(path);
    await append(log, 's', [{ data: copy }]);
    await close(log);
    fs.truncateSync(path, fs.statSync(path).size - 1);
    expect(fs.readFileSync(path).indexOf(copy.subarray(64), copy.length)).toBeGreaterThan(0);
    const again = await openLog(dir);
    expect(again.index.count).toBe(3);
    expect(fs.statSync(path).size).toBe(copy.length);
    again.close();
  });

  it('a segment that was never finished is no segment', async () => {
    const { dir, before } = await threeRecords();
    fs.writeFileSync(join(dir, '0000000000099999.log.tmp'), 'CUSTO');
    const log = await openLog(dir);
    expect(content(log)).toEqual(before);
    expect(fs.readdirSync(dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    log.close();
  });
});

describe('damage', () => {
  it('at any byte of a record that has good ones behind it stops the start and leaves the file alone', async () => {
    const { dir, path, first, second, bytes } = await threeRecords();
    for (let at = first; at < second; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      fs.writeFileSync(path, damaged);
      await expect(openLog(dir)).rejects.toThrow(CorruptLog);
      expect(fs.readFileSync(path).equals(damaged)).toBe(true);
    }
  });

  it('names the file and the two offsets', async () => {
    const { dir, path, first, second, bytes } = await threeRecords();
    bytes[first + 40] = (bytes[first + 40] as number) ^ 1;
    fs.writeFileSync(path, bytes);
    await expect(openLog(dir)).rejects.toThrow(
      `${path}: the record at offset ${first} does not match its checksum, and the one at offset ${second} is good`,
    );
  });

  it('at any byte of a header stops the start', async () => {
    const { dir, path, bytes } = await threeRecords();
    for (let at = 0; at < 64; at++) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 0x10;
      fs.writeFileSync(path, damaged);
      await expect(openLog(dir)).rejects.toThrow(CorruptLog);
    }
  });

  const severalSegments = async (): Promise<string> => {
    const dir = newDir();
    const log = await openLog(dir, 4096);
    for (let i = 0; i < 40; i++) await append(log, `s${i}`, [{ data: Buffer.alloc(200, 0x20) }]);
    await close(log);
    return dir;
  };

  it('at the end of a finished segment stops the start', async () => {
    const dir = await severalSegments();
    const [, second] = segmentsIn(dir) as [string, string];
    fs.truncateSync(second, fs.statSync(second).size - 1);
    await expect(openLog(dir, 4096)).rejects.toThrow(CorruptLog);
  });

  it('that removes, renames or exchanges a segment stops the start', async () => {
    const missing = await severalSegments();
    fs.unlinkSync(segmentsIn(missing)[1] as string);
    await expect(openLog(missing, 4096)).rejects.toThrow(CorruptLog);

    const renamed = await severalSegments();
    const last = segmentsIn(renamed).at(-1) as string;
    fs.renameSync(last, join(renamed, '0000000000999999.log'));
    await expect(openLog(renamed, 4096)).rejects.toThrow(CorruptLog);

    const [one, other] = [await severalSegments(), await severalSegments()];
    fs.copyFileSync(segmentsIn(other)[1] as string, segmentsIn(one)[1] as string);
    await expect(openLog(one, 4096)).rejects.toThrow(CorruptLog);
  });
});

describe.each(['loop', 'threadpool'] as const)('with sync in the %s', (sync) => {
  it('a restart gives back exactly what was acknowledged, across segments', async () => {
    const dir = newDir();
    const log = await openLog(dir, 8192, sync);
    const repeated = [{ id: randomUUID() }, { id: randomUUID() }];
    const first = await append(log, 'repeated', repeated, NO_STREAM);
    const outcomes = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        append(log, `s${i % 17}`, [{ type: `T${i % 5}`, data: Buffer.from(`{"i":${i}}`) }, {}]),
      ),
    );
    await append(log, '$$s1', [{ type: '$metadata', data: Buffer.from('{"$maxCount":3}') }]);
    await remove(log, 'delete', 's2');
    await append(log, 's2', [{}]);
    await remove(log, 'delete', 's3');
    await remove(log, 'tombstone', 's4');
    const state = (from: EventLog) => ({
      content: content(from),
      streams: Array.from({ length: 17 }, (_, i) => {
        const stream = from.index.find(`s${i}`);
        return [stream?.last, stream?.tombstone, stream?.metadata, stream && from.firstVisible(stream, 0)];
      }),
    });
    const before = state(log);
    await close(log);

    expect(outcomes.every(({ kind }) => kind === 'written')).toBe(true);
    expect(segmentsIn(dir).length).toBeGreaterThan(5);
    const again = await openLog(dir, 8192, sync);
    expect(state(again)).toEqual(before);
    expect(again.index.count).toBe(1 + 2 + 600 + 1 + 1 + 2 + 1 + 1);
    expect(await append(again, 'repeated', repeated, NO_STREAM)).toEqual(first);
    expect(await append(again, 's3', [{}], NO_STREAM)).toMatchObject({ kind: 'written', revision: 36 });
    expect(await append(again, 's4', [{}])).toEqual({ kind: 'deleted' });
    await close(again);
  });

  it('nothing is visible before it is durable', async () => {
    const log = await openLog(newDir(), 1 << 28, sync);
    const outcome = append(log, 's', [{}, {}]);
    expect(log.index.find('s')?.last ?? -1).toBe(-1);
    expect(await outcome).toMatchObject({ kind: 'written', revision: 1 });
    expect(log.index.find('s')?.last).toBe(1);
    await close(log);
  });

  it('closing finishes what was asked before and refuses what comes after', async () => {
    const dir = newDir();
    const log = await openLog(dir, 1 << 28, sync);
    const asked = Array.from({ length: 50 }, (_, i) => append(log, `s${i}`, [{}]));
    const finished = log.finishWrites();
    const late = append(log, 'late', [{}]);
    await finished;
    log.close();
    expect(await late).toEqual({ kind: 'stopping' });
    expect((await Promise.all(asked)).every(({ kind }) => kind === 'written')).toBe(true);
    const again = await openLog(dir);
    expect(again.index.count).toBe(51);
    again.close();
  });
});

describe('a disk that fails', () => {
  afterEach(() => void jest.restoreAllMocks());
  const failure = (code: string, syscall: string) => Object.assign(new Error(`${code}: ${syscall}`), { code, syscall });

  it('in a write refuses the append, takes back what it has written, and goes on', async () => {
    const dir = newDir();
    const log = await openLog(dir);
    await append(log, 's', [{}]);
    const size = fs.statSync(onlySegment(dir)).size;
    const { writeSync } = fs;
    jest
      .spyOn(fs, 'writeSync')
      .mockImplementationOnce(((fd: number, bytes: Buffer, from: number, length: number, at: number) =>
        writeSync(fd, bytes, from, length >> 1, at)) as typeof fs.writeSync)
      .mockImplementationOnce(() => {
        throw failure('ENOSPC', 'write');
      });
    expect(await append(log, 's', [{}])).toMatchObject({ kind: 'failed', full: true });
    expect(fs.statSync(onlySegment(dir)).size).toBe(size);
    expect(await append(log, 's', [{}])).toMatchObject({ kind: 'written', revision: 1 });
    const before = content(log);
    await close(log);
    const again = await openLog(dir);
    expect(content(again)).toEqual(before);
    again.close();
  });

  it('in a sync refuses all appends until a restart, and still serves reads', async () => {
    const dir = newDir();
    const log = await openLog(dir);
    await append(log, 's', [{}]);
    const before = content(log);
    jest.spyOn(fs, 'fdatasyncSync').mockImplementationOnce(() => {
      throw failure('EIO', 'fdatasync');
    });
    expect(await append(log, 's', [{}])).toMatchObject({ kind: 'failed', full: false });
    expect(await append(log, 's', [{}])).toMatchObject({ kind: 'failed', full: false });
    expect(content(log)).toEqual(before);
    await close(log);
    const again = await openLog(dir);
    expect(content(again)).toEqual(before);
    expect(await append(again, 's', [{}])).toMatchObject({ kind: 'written', revision: 1 });
    await close(again);
  });

  it('when a segment is to be begun refuses the append and tries again with the next', async () => {
    const log = await openLog(newDir(), 4096);
    const large = { data: Buffer.alloc(4000, 0x20) };
    await append(log, 's', [large]);
    jest.spyOn(fs, 'openSync').mockImplementationOnce(() => {
      throw failure('ENOSPC', 'open');
    });
    expect(await append(log, 's', [large])).toMatchObject({ kind: 'failed', full: true });
    expect(await append(log, 's', [large])).toMatchObject({ kind: 'written', revision: 1 });
    await close(log);
  });
});

describe('a record', () => {
  it('holds an append far larger than a segment', async () => {
    const dir = newDir();
    const log = await openLog(dir, 4096);
    await append(log, 's', [{ metadata: Buffer.alloc(20 * 1024 * 1024, 1) }, {}]);
    await append(log, 's', [{}]);
    const before = content(log);
    await close(log);
    const again = await openLog(dir, 4096);
    expect(again.index.count).toBe(4);
    expect(content(again)).toEqual(before);
    again.close();
  });

  it('is never longer than recovery accepts: such an append is refused', async () => {
    const log = await openLog(newDir());
    const outcome = await append(log, 's', [{ metadata: Buffer.alloc(33 * 1024 * 1024) }]);
    expect(outcome).toEqual({ kind: 'too-large' });
    await close(log);
  });
});

describe('a position', () => {
  it('is the place of the event in the log, and never 0', async () => {
    const dir = newDir();
    const log = await openLog(dir, 4096);
    for (let i = 0; i < 30; i++) await append(log, 's', [{ data: Buffer.alloc(300, 0x20) }]);
    const whole = Buffer.concat(segmentsIn(dir).map((path) => fs.readFileSync(path)));
    for (let ordinal = 0; ordinal < log.index.count; ordinal++) {
      const [position, length] = [log.index.position(ordinal), log.index.length(ordinal)];
      expect(position).toBeGreaterThan(0);
      expect(whole.subarray(position, position + length)).toEqual(log.frame(ordinal, new FrameWindow()));
    }
    await close(log);
  });

  it('reads the same through windows in any order', async () => {
    const dir = newDir();
    const log = await openLog(dir, 64 * 1024);
    for (let i = 0; i < 400; i++) await append(log, 's', [{ data: Buffer.alloc((i * 37) % 900, 0x20) }]);
    const expected = content(log);
    await close(log);
    const cold = await openLog(dir, 64 * 1024);
    const window = new FrameWindow();
    const orders = [(i: number) => i, (i: number) => 400 - i, (i: number) => (i * 173) % 401];
    for (const order of orders) {
      for (let i = 0; i <= 400; i++) {
        expect(cold.frame(order(i), window).toString('hex')).toBe(expected[order(i)]);
      }
    }
    cold.close();
  });
});

describe('a data folder', () => {
  it('belongs to one server at a time', async () => {
    const dataDir = newDir();
    const store = await startEmbeddedEventStore({ dataDir });
    await expect(startEmbeddedEventStore({ dataDir })).rejects.toThrow(FolderInUse);
    await store.stop();
    const next = await startEmbeddedEventStore({ dataDir });
    await next.stop();
  });

  it('is given back when the start fails', async () => {
    const dataDir = newDir();
    const other = await startEmbeddedEventStore({ dataDir: newDir() });
    await expect(startEmbeddedEventStore({ dataDir, port: other.port })).rejects.toThrow('EADDRINUSE');
    const store = await startEmbeddedEventStore({ dataDir });
    await Promise.all([store.stop(), other.stop()]);
  });
});

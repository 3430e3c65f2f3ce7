import fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { startChild } from '../../faults/event-log.js';
import type { EventLog } from '../../../libs/embedded-event-store/event-log.js';
import { verify } from '../../../libs/embedded-event-store/index.js';
import { scavenge } from '../../../libs/embedded-event-store/scavenge.js';
import { BLOCK_EVENTS, MIN_EVENTS } from '../../../libs/embedded-event-store/snapshot.js';
import {
  append,
  closeLog,
  content,
  imagesOf,
  openLog,
  removeStream,
  scratch,
  segmentsIn,
  setMetadata,
  visible,
} from './folder.js';
import { collect } from './store.js';

const { newDir, remove } = scratch();
afterAll(remove);

const SEGMENT = 256 * 1024;
const snapshotOf = (dir: string): string => join(dir, 'index.snapshot');
/** Everything a start has to know. */
const state = (log: EventLog) => ({
  content: content(log),
  streams: log.index
    .allStreams()
    .filter(({ last, tombstone }) => last >= 0 || tombstone >= 0)
    .map((stream) => {
      const { name, last, tombstone, metadata } = stream;
      const at = tombstone < 0 ? -1 : log.index.position(tombstone);
      return [name, tombstone < 0 ? last : 0, at, metadata, visible(log, name)];
    })
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
});

async function fill(log: EventLog, rounds: number): Promise<void> {
  const big = Array.from({ length: 50 }, () => ({}));
  for (let i = 0; i < rounds; i++) {
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((stream) => append(log, stream, big)));
    await setMetadata(log, 'a', { $maxCount: 10 + i });
  }
  await removeStream(log, 'delete', 'b');
  await append(log, 'c', [{ id: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', type: 'Known' }]);
}

/** A log with a snapshot, and what is in it. */
async function remembered() {
  const dir = newDir();
  const log = await openLog(dir, SEGMENT);
  await fill(log, 4);
  await removeStream(log, 'tombstone', 'd');
  const before = state(log);
  await closeLog(log);
  return { dir, before };
}

/** Bytes a start reads of the segments. */
async function bytesRead(dir: string): Promise<number> {
  const { readSync } = fs;
  let bytes = 0;
  const spy = jest.spyOn(fs, 'readSync').mockImplementation(((...args: Parameters<typeof readSync>) => {
    const read = readSync(...args);
    if (fs.readlinkSync(`/proc/self/fd/${args[0]}`).endsWith('.log')) bytes += read;
    return read;
  }) as never);
  const log = await openLog(dir, SEGMENT);
  spy.mockRestore();
  log.close();
  return bytes;
}

describe('a start with a snapshot', () => {
  it('knows what a start without one knows, and reads next to nothing of the log', async () => {
    const { dir, before } = await remembered();
    const all = segmentsIn(dir).reduce((sum, path) => sum + fs.statSync(path).size, 0);
    expect(await bytesRead(dir)).toBeLessThan(all / 20);
    const log = await openLog(dir, SEGMENT);
    expect(state(log)).toEqual(before);
    const repeated = await append(log, 'c', [{ id: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', type: 'Known' }]);
    expect(repeated).toMatchObject({ kind: 'written', revision: 200 });
    expect(await append(log, 'e', [{}], 199)).toMatchObject({ kind: 'written', revision: 200 });
    expect(await append(log, 'd', [{}])).toEqual({ kind: 'deleted' });
    await closeLog(log);
    fs.unlinkSync(snapshotOf(dir));
    const scanned = await openLog(dir, SEGMENT);
    const told = state(scanned);
    await closeLog(scanned);
    expect((await verify(dir)).problem).toBeUndefined();
    const again = await openLog(dir, SEGMENT);
    expect(state(again)).toEqual(told);
    again.close();
  });

  it('takes in what was written behind it, block by block', async () => {
    const { dir } = await remembered();
    for (let round = 0; round < 3; round++) {
      const size = fs.statSync(snapshotOf(dir)).size;
      const log = await openLog(dir, SEGMENT);
      await fill(log, 4);
      await append(log, 'b', [{}]);
      const before = state(log);
      await closeLog(log);
      expect(fs.statSync(snapshotOf(dir)).size).toBeGreaterThan(size);
      expect((await verify(dir)).problem).toBeUndefined();
      const again = await openLog(dir, SEGMENT);
      expect(state(again)).toEqual(before);
      await append(again, 'b', [{}, {}]);
      await closeLog(again);
    }
  });

  it('after a scavenge knows what is left', async () => {
    const { dir } = await remembered();
    const log = await openLog(dir, SEGMENT);
    await append(log, 'e', [{}]);
    await setMetadata(log, 'e', { $tb: 150 });
    await scavenge(log, 0);
    await append(log, 'e', [{}]);
    await fill(log, 4);
    const before = state(log);
    await closeLog(log);
    expect((await verify(dir)).problem).toBeUndefined();
    const again = await openLog(dir, SEGMENT);
    expect(state(again)).toEqual(before);
    expect(await bytesRead(dir)).toBeLessThan(100_000);
    again.close();
    fs.unlinkSync(snapshotOf(dir));
    const scanned = await openLog(dir, SEGMENT);
    expect(state(scanned)).toEqual(before);
    scanned.close();
  });

  it('is not made for a log that is read in no time', async () => {
    const dir = newDir();
    const log = await openLog(dir);
    await append(
      log,
      's',
      Array.from({ length: MIN_EVENTS - 10 }, () => ({})),
    );
    await closeLog(log);
    expect(fs.existsSync(snapshotOf(dir))).toBe(false);
  });
});

describe('a damaged snapshot', () => {
  it('is found by verify and ignored by a start, whichever bit has flipped', async () => {
    const { dir, before } = await remembered();
    const path = snapshotOf(dir);
    const bytes = fs.readFileSync(path);
    for (let at = 0; at < bytes.length; at += at < 120 ? 5 : 4999) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      fs.writeFileSync(path, damaged);
      expect((await verify(dir)).problem).toMatchObject({ file: path, offset: at < 32 ? 0 : 32 });
      const log = await openLog(dir, SEGMENT);
      expect(state(log)).toEqual(before);
      log.close();
    }
    fs.writeFileSync(path, bytes);
    expect((await verify(dir)).problem).toBeUndefined();
  }, 60_000);

  it('takes the log on trust, but no damaged segment is read from', async () => {
    const { dir, before } = await remembered();
    const [path = ''] = segmentsIn(dir);
    const bytes = fs.readFileSync(path);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    fs.writeFileSync(path, bytes);
    const again = await openLog(dir, SEGMENT);
    const end = fs.statSync(path).size;
    let refused = 0;
    for (let ordinal = 0; ordinal < again.index.count; ordinal++) {
      if (again.index.isRemoved(ordinal)) continue;
      const position = again.index.position(ordinal);
      if (position < end) {
        expect(() => again.event(ordinal)).toThrow(/record at offset \d+ does not match its checksum/);
        refused++;
      } else {
        expect(before.content.get(position)).toBeDefined();
        again.event(ordinal);
      }
    }
    expect(refused).toBeGreaterThan(100);
    await closeLog(again);
    expect((await verify(dir)).problem).toBeDefined();
  });

  it('is used up to its first bad block', async () => {
    const { dir } = await remembered();
    const first = fs.statSync(snapshotOf(dir)).size;
    const log = await openLog(dir, SEGMENT);
    await fill(log, 4);
    const before = state(log);
    await closeLog(log);
    for (const size of [first, first + 1, first + 500, fs.statSync(snapshotOf(dir)).size - 1]) {
      fs.truncateSync(snapshotOf(dir), size);
      const again = await openLog(dir, SEGMENT);
      expect(state(again)).toEqual(before);
      await closeLog(again);
      expect((await verify(dir)).problem).toBeUndefined();
    }
  });

  it('of another log, of an older copy or of files that have changed is ignored', async () => {
    const [one, other] = [await remembered(), await remembered()];
    fs.copyFileSync(snapshotOf(other.dir), snapshotOf(one.dir));
    expect((await verify(one.dir)).problem).toMatchObject({ file: snapshotOf(one.dir) });
    const log = await openLog(one.dir, SEGMENT);
    expect(state(log)).toEqual(one.before);
    await closeLog(log);

    const kept = newDir();
    for (const path of segmentsIn(one.dir)) fs.copyFileSync(path, join(kept, path.split('/').at(-1) as string));
    const grown = await openLog(one.dir, SEGMENT);
    await fill(grown, 6);
    await closeLog(grown);
    for (const path of segmentsIn(one.dir)) fs.unlinkSync(path);
    for (const path of segmentsIn(kept)) fs.copyFileSync(path, join(one.dir, path.split('/').at(-1) as string));
    const back = await openLog(one.dir, SEGMENT);
    expect(state(back)).toEqual(one.before);
    await closeLog(back);
  });
});

describe('killed at any step', () => {
  it('of writing a snapshot, or of removing it for a scavenge, a start knows everything', async () => {
    const { dir } = await remembered();
    const log = await openLog(dir, SEGMENT);
    await fill(log, 4);
    const before = state(log);
    const images = await imagesOf(dir, newDir, async () => {
      log.saveSnapshot(1);
      await scavenge(log, 0);
    });
    const after = state(log);
    await closeLog(log);
    for (const image of images) {
      const again = await openLog(image, SEGMENT);
      const now = state(again);
      expect(now.streams).toEqual(before.streams);
      for (const position of after.content.keys()) expect(now.content.has(position)).toBe(true);
      await closeLog(again);
      expect((await verify(image)).problem).toBeUndefined();
      fs.rmSync(image, { recursive: true });
    }
    expect(images.length).toBeGreaterThan(15);
  }, 90_000);

  it(`a log that has written more than ${BLOCK_EVENTS} events starts from a block of them`, async () => {
    const dir = newDir();
    const child = await startChild({ dir });
    const client = EventStoreDBClient.connectionString(child.url);
    const batch = (): ReturnType<typeof jsonEvent>[] =>
      Array.from({ length: 500 }, () => jsonEvent({ type: 'T', data: {} }));
    let appended = 0;
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (;;) {
        await client.appendToStream(`w${writer}`, batch());
        appended += 500;
        if (appended > BLOCK_EVENTS * 1.3) return;
      }
    });
    await Promise.all(writers);
    await client.dispose();
    await child.end('SIGKILL');
    expect(fs.statSync(snapshotOf(dir)).size).toBeGreaterThan(BLOCK_EVENTS * 24);
    expect((await verify(dir)).problem).toBeUndefined();
    const again = await startChild({ dir });
    const other = EventStoreDBClient.connectionString(again.url);
    expect((await collect(other.readAll())).length).toBe(appended + 1);
    await other.dispose();
    await again.end('SIGTERM');
  }, 90_000);
});

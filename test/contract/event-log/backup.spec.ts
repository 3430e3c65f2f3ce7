import fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  FolderInUse,
  NotPossible,
  backup,
  restore,
  startEmbeddedEventStore,
  stats,
  verify,
} from '../../../libs/embedded-event-store/index.js';
import * as copies from '../../../libs/embedded-event-store/backup.js';
import { scavenge } from '../../../libs/embedded-event-store/scavenge.js';
import { append, closeLog, content, openLog, removeStream, scratch, segmentsIn, setMetadata } from './folder.js';

const { newDir, remove } = scratch();
afterAll(remove);
afterEach(() => void jest.restoreAllMocks());

const SEGMENT = 4096;

/** A log of several segments with everything in it that a log can have. */
async function variedLog(scavenged = false): Promise<string> {
  const dir = newDir();
  const log = await openLog(dir, SEGMENT);
  for (let i = 0; i < 40; i++) await append(log, `s${i % 4}`, [{}, { data: `{"i":${i}}` }]);
  await setMetadata(log, 's0', { $maxCount: 2 });
  await removeStream(log, 'delete', 's1');
  await removeStream(log, 'tombstone', 's2');
  if (scavenged) await scavenge(log, 0);
  await append(log, 's3', [{}, {}]);
  await closeLog(log);
  return dir;
}

describe.each([false, true])('verify (scavenged: %s)', (scavenged) => {
  it('finds nothing wrong with a sound log, and changes nothing', async () => {
    const dir = await variedLog(scavenged);
    const before = segmentsIn(dir).map((path) => fs.readFileSync(path).toString('latin1'));
    const report = await verify(dir);
    expect(report).toMatchObject({ problem: undefined, segments: before.length });
    expect(report.bytes).toBe(before.join('').length);
    expect(segmentsIn(dir).map((path) => fs.readFileSync(path).toString('latin1'))).toEqual(before);
    const log = await openLog(dir);
    expect(report.events).toBe(log.index.count);
    expect(report.end).toBe(log.segments.end);
    log.close();
  });

  it('finds one flipped bit anywhere, and names the record', async () => {
    const dir = await variedLog(scavenged);
    const missed: string[] = [];
    for (const path of segmentsIn(dir)) {
      const bytes = fs.readFileSync(path);
      for (let at = 0; at < bytes.length; at += at < 64 || at > bytes.length - 40 ? 3 : 41) {
        bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
        fs.writeFileSync(path, bytes);
        const { problem } = await verify(dir);
        if (problem?.file !== path || problem.offset > at) missed.push(`${path}: ${at}: ${problem?.reason}`);
        bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
      }
      fs.writeFileSync(path, bytes);
    }
    expect(missed).toEqual([]);
    expect((await verify(dir)).problem).toBeUndefined();
  });

  it('finds a byte too few and a byte too many, and a segment that is missing', async () => {
    const dir = await variedLog(scavenged);
    const [first, ...others] = segmentsIn(dir) as [string, ...string[]];
    for (const path of [first, others.at(-1) as string]) {
      const bytes = fs.readFileSync(path);
      fs.writeFileSync(path, bytes.subarray(0, -1));
      expect((await verify(dir)).problem).toMatchObject({ file: path });
      fs.writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(1)]));
      expect((await verify(dir)).problem).toMatchObject({ file: path, offset: bytes.length });
      fs.writeFileSync(path, bytes);
    }
    fs.renameSync(others[0] as string, `${others[0]}.gone`);
    expect((await verify(dir)).problem).toMatchObject({ file: others[1], offset: 0 });
  });
});

describe('verify', () => {
  it('names a folder that is no log, and leaves one alone that is in use', async () => {
    expect((await verify(newDir())).problem?.reason).toBe('there is no event log');
    expect((await verify(join(newDir(), 'nowhere'))).problem?.reason).toBe('there is no such folder');
    const dataDir = newDir();
    const store = await startEmbeddedEventStore({ dataDir });
    await expect(verify(dataDir)).rejects.toThrow(FolderInUse);
    await store.stop();
    expect((await verify(dataDir)).problem).toBeUndefined();
  });
});

describe('a backup', () => {
  it('of a log that is being written holds all that was acknowledged before, whole appends only, and verifies', async () => {
    const dir = newDir();
    const to = join(newDir(), 'copy');
    const log = await openLog(dir, 64 * 1024, 'threadpool');
    let writing = true;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      while (writing) await append(log, `w${writer}`, [{}, {}, {}]);
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const before = content(log);
    const manifest = await copies.backup(log, to);
    writing = false;
    await Promise.all(writers);
    const all = content(log);
    await closeLog(log);

    expect(await verify(to)).toMatchObject({ problem: undefined, events: manifest.events, end: manifest.end });
    expect(fs.readdirSync(to).filter((name) => !name.endsWith('.log'))).toEqual(['backup.json']);
    const restored = newDir();
    await restore(to, restored);
    const copy = await openLog(restored, 64 * 1024);
    const held = content(copy);
    expect([...before.keys()].filter((position) => !held.has(position))).toEqual([]);
    expect([...held].filter(([position, frame]) => all.get(position) !== frame)).toEqual([]);
    expect((held.size - 1) % 3).toBe(0);
    expect(await append(copy, 'w0', [{}])).toMatchObject({ kind: 'written' });
    await closeLog(copy);
  }, 30_000);

  it('is made by the running server, asked through its socket, which is for its owner alone', async () => {
    const dataDir = newDir();
    const store = await startEmbeddedEventStore({ dataDir });
    expect(fs.statSync(join(dataDir, 'admin.sock')).mode & 0o777).toBe(0o600);
    const to = join(newDir(), 'copy');
    expect(await backup(dataDir, to)).toMatchObject({ events: 1, verified: { events: 1 } });
    expect(await stats(dataDir)).toMatchObject({ events: 1, segments: 1 });
    await expect(backup(dataDir, to)).rejects.toThrow(`the folder ${to} is not empty`);
    await store.stop();
    expect(fs.existsSync(join(dataDir, 'admin.sock'))).toBe(false);
    expect(await stats(dataDir)).toMatchObject({ events: 1 });
  });

  it('is asked for where the path is too long for the address of a socket', async () => {
    const dataDir = join(newDir(), 'd'.repeat(120));
    const store = await startEmbeddedEventStore({ dataDir });
    expect(await stats(dataDir)).toMatchObject({ events: 1 });
    await store.stop();
  });

  it('of a stopped server is made by whoever asks', async () => {
    const dir = await variedLog();
    const to = join(newDir(), 'copy');
    const { events } = await backup(dir, to);
    expect((await verify(dir)).events).toBe(events);
    await expect(backup(newDir(), join(newDir(), 'copy'))).rejects.toThrow(NotPossible);
  });

  it('that is unfinished, damaged or shortened is not restored', async () => {
    const log = await openLog(await variedLog(), SEGMENT);
    const to = join(newDir(), 'copy');
    await copies.backup(log, to);
    await closeLog(log);
    const refused = async (): Promise<void> => {
      const target = newDir();
      await expect(restore(to, target)).rejects.toThrow(NotPossible);
      expect(fs.readdirSync(target)).toEqual([]);
    };
    const text = fs.readFileSync(join(to, 'backup.json'));
    for (let at = 0; at < text.length; at += 3) {
      const damaged = Buffer.from(text);
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      fs.writeFileSync(join(to, 'backup.json'), damaged);
      expect((await verify(to)).problem?.file).toBe(join(to, 'backup.json'));
    }
    fs.unlinkSync(join(to, 'backup.json'));
    await refused();
    fs.writeFileSync(join(to, 'backup.json'), text);
    const last = segmentsIn(to).at(-1) as string;
    const bytes = fs.readFileSync(last);
    fs.writeFileSync(last, bytes.subarray(0, -1));
    await refused();
    fs.unlinkSync(last);
    await refused();
    fs.writeFileSync(last, bytes);
    await restore(to, newDir());
    const taken = newDir();
    fs.writeFileSync(join(taken, 'something'), '');
    await expect(restore(to, taken)).rejects.toThrow('is not empty');
  });

  it('half restored is no log', async () => {
    const log = await openLog(await variedLog(), SEGMENT);
    const to = join(newDir(), 'copy');
    await copies.backup(log, to);
    await closeLog(log);
    const target = newDir();
    const { renameSync } = fs;
    jest.spyOn(fs, 'renameSync').mockImplementation((from, path) => {
      if (String(path).endsWith('/0000000000000000.log')) throw new Error('killed');
      renameSync(from, path);
    });
    await expect(restore(to, target)).rejects.toThrow('killed');
    await expect(openLog(target)).rejects.toThrow('is missing');
  });
});

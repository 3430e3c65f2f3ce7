import fs from 'node:fs';
import { join } from 'node:path';
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { EventStoreDBClient, START, jsonEvent } from '@eventstore/db-client';
import fc from 'fast-check';
import { startChild } from '../../faults/event-log.js';
import type { EventLog } from '../../../libs/embedded-event-store/event-log.js';
import { scavenge as ask, startEmbeddedEventStore, verify } from '../../../libs/embedded-event-store/index.js';
import { redact } from '../../../libs/embedded-event-store/redaction.js';
import { scavenge } from '../../../libs/embedded-event-store/scavenge.js';
import { TOMBSTONE_REVISION, decodeFrame } from '../../../libs/embedded-event-store/wire.js';
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
import { collect, until } from './store.js';

const { newDir, remove } = scratch();
afterAll(remove);

const SEGMENT = 16 * 1024;
const bytesIn = (dir: string): number => segmentsIn(dir).reduce((sum, path) => sum + fs.statSync(path).size, 0);
const streamsOf = (log: EventLog): string[] => log.index.allStreams().map(({ name }) => name);
const views = (log: EventLog) => new Map(streamsOf(log).map((name) => [name, visible(log, name)]));
const events = (log: EventLog) =>
  [...content(log).values()].map((frame) => {
    const { stream, revision, position } = decodeFrame(Buffer.from(frame, 'latin1'));
    return { stream, revision, position };
  });
const revisionsOf = (log: EventLog, stream: string): number[] =>
  events(log)
    .filter((event) => event.stream === stream)
    .map(({ revision }) => revision);

/** Streams of every kind over several segments; appends hold events that stay and events that go. */
async function filled(segmentBytes = SEGMENT) {
  const dir = newDir();
  const log = await openLog(dir, segmentBytes);
  for (let i = 0; i < 12; i++) {
    for (const stream of ['kept', 'truncated', 'counted', 'deleted', 'revived', 'tombstoned']) {
      await append(log, stream, [{ data: `{"of":"${stream}","i":${i}}` }, {}]);
    }
  }
  await setMetadata(log, 'counted', { $maxCount: 100 });
  await setMetadata(log, 'counted', { $maxCount: 5 });
  await setMetadata(log, 'truncated', { $tb: 7 });
  await removeStream(log, 'delete', 'deleted');
  await removeStream(log, 'delete', 'revived');
  await append(log, 'revived', [{}]);
  await removeStream(log, 'tombstone', 'tombstoned');
  return { dir, log };
}

describe('a scavenge', () => {
  it.each([SEGMENT, 1 << 28])(
    'removes what is hidden and leaves the rest where it was (segments of %i)',
    async (size) => {
      const { dir, log } = await filled(size);
      const before = { all: content(log), streams: views(log), bytes: bytesIn(dir) };
      const report = await scavenge(log, 0);
      const check = (from: EventLog): void => {
        expect(revisionsOf(from, 'kept')).toEqual([...Array(24).keys()]);
        expect(revisionsOf(from, 'truncated')[0]).toBe(7);
        expect(revisionsOf(from, 'counted')).toEqual([19, 20, 21, 22, 23]);
        expect(revisionsOf(from, '$$counted')).toEqual([1]);
        expect(revisionsOf(from, 'deleted')).toEqual([23]);
        expect(revisionsOf(from, 'revived')).toEqual([24]);
        expect(revisionsOf(from, 'tombstoned')).toEqual([TOMBSTONE_REVISION]);
        const last = from.index.find('deleted')?.events.get(23) as number;
        expect(from.event(last).data.toString().trim()).toBe('{"$redacted":true}');
        expect(views(from)).toEqual(before.streams);
        for (const [position, frame] of content(from)) {
          if (position !== from.index.position(last)) expect(frame).toBe(before.all.get(position));
        }
      };
      check(log);
      expect(report).toMatchObject({ emptiedEvents: 1, bytesBefore: before.bytes, bytesAfter: bytesIn(dir) });
      expect(report.removedEvents).toBe(before.all.size - content(log).size);
      expect(report.bytesBefore - report.bytesAfter).toBeGreaterThan(report.removedEvents * 100);
      expect(await append(log, 'deleted', [{}], 23)).toMatchObject({ kind: 'written', revision: 24 });
      expect(await append(log, 'tombstoned', [{}])).toEqual({ kind: 'deleted' });
      await closeLog(log);
      expect((await verify(dir)).problem).toBeUndefined();
      const again = await openLog(dir, size);
      expect(again.index.find('deleted')?.last).toBe(24);
      expect(again.index.find('tombstoned')?.tombstone).toBeGreaterThan(0);
      expect(await append(again, 'counted', [{}], 23)).toMatchObject({ kind: 'written', revision: 24 });
      await closeLog(again);
    },
  );

  it('a second time finds nothing to do', async () => {
    const { dir, log } = await filled();
    await scavenge(log, 0);
    const files = segmentsIn(dir).map((path) => fs.statSync(path).ino);
    expect(await scavenge(log, 0)).toMatchObject({ removedEvents: 0, emptiedEvents: 0, rewrittenSegments: 0 });
    expect(segmentsIn(dir).map((path) => fs.statSync(path).ino)).toEqual(files);
    await closeLog(log);
    const again = await openLog(dir, SEGMENT);
    expect(await scavenge(again, 0)).toMatchObject({ removedEvents: 0, rewrittenSegments: 0 });
    await closeLog(again);
  });

  it('goes on with a segment that has been rewritten before, and redacts in it', async () => {
    const { dir, log } = await filled();
    await scavenge(log, 0);
    await setMetadata(log, 'kept', { $tb: 11 });
    const before = views(log);
    await scavenge(log, 0);
    expect(views(log)).toEqual(before);
    expect(revisionsOf(log, 'kept')).toEqual([...Array(13).keys()].map((n) => n + 11));
    await redact(log, { stream: 'kept', revision: 11 });
    await closeLog(log);
    expect((await verify(dir)).problem).toBeUndefined();
    const again = await openLog(dir, SEGMENT);
    expect(views(again).get('kept')?.slice(1)).toEqual(before.get('kept')?.slice(1));
    expect(again.event(again.index.find('kept')?.events.get(11) as number).data.toString()).toContain('$redacted');
    await closeLog(again);
  });

  it('removes what has expired', async () => {
    const log = await openLog(newDir());
    await setMetadata(log, 's', { $maxAge: 60 });
    await append(log, 's', [{}, {}, {}]);
    expect(await scavenge(log, Date.now())).toMatchObject({ removedEvents: 0, emptiedEvents: 0 });
    expect(await scavenge(log, Date.now() + 61_000)).toMatchObject({ removedEvents: 2, emptiedEvents: 1 });
    expect(await append(log, 's', [{}])).toMatchObject({ revision: 3 });
    await closeLog(log);
  });

  it('forgets the ids of what it removes', async () => {
    const log = await openLog(newDir());
    const told = { id: randomUUID() };
    await append(log, 's', [told]);
    await append(log, 's', [{}]);
    await setMetadata(log, 's', { $tb: 1 });
    expect(await append(log, 's', [told])).toMatchObject({ revision: 0 });
    await scavenge(log, 0);
    expect(await append(log, 's', [told], -1)).toMatchObject({ kind: 'wrong-version' });
    expect(await append(log, 's', [told])).toMatchObject({ revision: 2 });
    await closeLog(log);
  });

  it('stops at damage, which it does not carry over, and leaves the segment alone', async () => {
    const { dir, log } = await filled();
    const [path] = segmentsIn(dir) as [string];
    const bytes = fs.readFileSync(path);
    bytes[1000] = (bytes[1000] as number) ^ 1;
    fs.writeFileSync(path, bytes);
    await expect(scavenge(log, 0)).rejects.toThrow(`${path}: the record at offset`);
    expect(fs.readFileSync(path).equals(bytes)).toBe(true);
    expect(fs.readdirSync(dir).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    log.close();
  });

  it('that finds no room changes nothing and can be made again', async () => {
    const { dir, log } = await filled();
    const before = content(log);
    const spy = jest.spyOn(fs, 'writeSync').mockImplementationOnce(() => {
      throw new Error('ENOSPC');
    });
    await expect(scavenge(log, 0)).rejects.toThrow('ENOSPC');
    spy.mockRestore();
    expect(content(log)).toEqual(before);
    expect(await scavenge(log, 0)).toMatchObject({ emptiedEvents: 1 });
    await closeLog(log);
    expect((await verify(dir)).problem).toBeUndefined();
  });

  it('leaves the same streams whatever is truncated, in any order, across restarts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            { weight: 8, arbitrary: fc.tuple(fc.constant('append'), fc.nat(3), fc.integer({ min: 1, max: 6 })) },
            { weight: 3, arbitrary: fc.tuple(fc.constantFrom('$tb', '$maxCount'), fc.nat(3), fc.nat(12)) },
            { weight: 1, arbitrary: fc.tuple(fc.constantFrom('delete', 'tombstone', 'restart'), fc.nat(3), fc.nat(0)) },
            { weight: 2, arbitrary: fc.tuple(fc.constant('scavenge'), fc.nat(0), fc.nat(0)) },
          ),
          { minLength: 5, maxLength: 40 },
        ),
        async (steps) => {
          const dir = newDir();
          let log = await openLog(dir, 2048);
          for (const [step, s, n] of steps) {
            const stream = `s${s}`;
            if (step === 'append') {
              await append(log, stream, Array(n).fill({ data: `"${'x'.repeat(40 * n)}"` }) as object[]);
            } else if (step === 'restart') {
              await closeLog(log);
              log = await openLog(dir, 2048);
            } else if (step === 'scavenge') {
              const before = views(log);
              const lasts = log.index.allStreams().map(({ last, tombstone }) => (tombstone >= 0 ? 0 : last));
              await scavenge(log, 0);
              expect(views(log)).toEqual(before);
              await closeLog(log);
              expect((await verify(dir)).problem).toBeUndefined();
              log = await openLog(dir, 2048);
              for (const [name, view] of before) expect([name, visible(log, name)]).toEqual([name, view]);
              expect(
                log.index
                  .allStreams()
                  .map(({ last, tombstone }) => (tombstone >= 0 ? 0 : last))
                  .sort(),
              ).toEqual(lasts.sort());
            } else if (step === 'delete' || step === 'tombstone') {
              await removeStream(log, step, stream);
            } else {
              await setMetadata(log, stream, { [step]: n });
            }
          }
          await closeLog(log);
          fs.rmSync(dir, { recursive: true });
        },
      ),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('killed at any step of a scavenge', () => {
  it('a log starts, shows the same streams, verifies, and the next scavenge does the rest', async () => {
    const { dir, log } = await filled(12 * 1024);
    const before = { all: content(log), streams: views(log) };
    const images = await imagesOf(dir, newDir, () => scavenge(log, 0));
    const after = content(log);
    await closeLog(log);
    expect(images.length).toBeGreaterThan(10);
    const sizes = [];
    for (const image of images) {
      const again = await openLog(image, 12 * 1024);
      expect(views(again)).toEqual(before.streams);
      const now = content(again);
      for (const [position, frame] of now) expect([before.all.get(position), after.get(position)]).toContain(frame);
      sizes.push(now.size);
      await closeLog(again);
      expect((await verify(image)).problem).toBeUndefined();
      expect(fs.readdirSync(image).filter((name) => name.endsWith('.tmp'))).toEqual([]);
      const rest = await openLog(image, 12 * 1024);
      await scavenge(rest, 0);
      expect(content(rest)).toEqual(after);
      await closeLog(rest);
    }
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
    expect(new Set(sizes).size).toBeGreaterThan(2);
  });

  it('kill -9 at random moments under writers loses nothing that is visible', async () => {
    const dir = newDir();
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < 3; round++) {
      const child = await startChild({ dir, args: ['--segment-bytes', '65536'] });
      const client = EventStoreDBClient.connectionString(child.url);
      let scavenges = 0;
      let killed = false;
      const writers = Array.from({ length: 8 }, async (_, writer) => {
        const stream = `w${writer}`;
        if (round === 0) await client.setStreamMetadata(stream, { maxCount: 3 });
        for (;;) {
          const list = [0, 1, 2, 3].map(() => jsonEvent({ type: 'T', data: { x: randomBytes(50).toString('hex') } }));
          const { nextExpectedRevision } = await client.appendToStream(stream, list);
          acknowledged.set(stream, Number(nextExpectedRevision));
        }
      });
      // Once its owner is dead the folder is nobody's, and a scavenge would own it and go on for ever.
      const scavenging = (async () => {
        while (!killed) {
          await ask(dir);
          scavenges++;
        }
      })();
      const done = Promise.allSettled([...writers, scavenging]);
      await until(() => scavenges > 2 + round, 'scavenges', 20_000);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 60));
      killed = true;
      await child.end('SIGKILL');
      await done;
      await client.dispose();
      const again = await openLog(dir, 65_536);
      for (const [stream, revision] of acknowledged) {
        expect(again.index.find(stream)?.last).toBeGreaterThanOrEqual(revision);
        expect(visible(again, stream)).toHaveLength(3);
      }
      await closeLog(again);
      expect((await verify(dir)).problem).toBeUndefined();
    }
  }, 90_000);
});

describe('while a log is scavenged', () => {
  it('readers and subscriptions see every event that stays once, in order, and go on from what was removed', async () => {
    const dataDir = newDir();
    const store = await startEmbeddedEventStore({ dataDir, segmentBytes: 64 * 1024 });
    const client = EventStoreDBClient.connectionString(store.connectionString);
    await client.setStreamMetadata('hot', { maxCount: 5 });
    const batch = (n: number) =>
      Array.from({ length: 20 }, (_, i) => jsonEvent({ type: 'T', data: { n: n * 20 + i } }));
    let appended = 0;
    const append20 = async (): Promise<void> => {
      await client.appendToStream('kept', batch(appended / 20));
      await client.appendToStream('hot', batch(appended / 20));
      appended += 20;
    };
    while (appended < 400) await append20();

    const seen: { stream: string; revision: number; position: bigint }[] = [];
    const subscription = client.subscribeToAll({ fromPosition: START });
    subscription.on('data', ({ event }) => {
      if (!event) return;
      const { streamId: stream, revision } = event;
      seen.push({ stream, revision: Number(revision), position: event.position?.commit ?? 0n });
    });
    const kept: number[] = [];
    const keptSubscription = client.subscribeToStream('kept', { fromRevision: START });
    keptSubscription.on('data', ({ event }) => kept.push(Number(event?.revision)));
    let removed = 0;
    for (let round = 0; round < 6; round++) {
      const scavenging = ask(dataDir);
      const reading = collect(client.readStream('kept'));
      const backwards = collect(client.readAll({ direction: 'backwards', fromPosition: 'end' }));
      await append20();
      removed += (await scavenging).removedEvents;
      const read = (await reading).map(({ event }) => Number(event?.revision));
      expect(read).toEqual([...read.keys()]);
      const positions = (await backwards).map(({ event }) => event?.position?.commit ?? 0n);
      expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? 1 : -1)));
      const forwards = (await collect(client.readAll())).map(({ event }) => event);
      expect(forwards.filter((event) => event?.streamId === 'kept')).toHaveLength(appended);
      expect(forwards.filter((event) => event?.streamId === 'hot').length).toBeLessThan(60);
      expect((await collect(client.readStream('hot'))).map(({ event }) => Number(event?.revision))).toEqual(
        [5, 4, 3, 2, 1].map((back) => appended - back),
      );
    }
    expect(removed).toBeGreaterThan(400);
    await until(() => kept.length === appended && seen.at(-1)?.revision === appended - 1, 'the subscriptions', 10_000);
    expect(kept).toEqual([...Array(appended).keys()]);
    const positions = seen.map(({ position }) => position);
    expect(positions).toEqual([...new Set(positions)].sort((a, b) => (a < b ? -1 : 1)));
    expect(seen.filter(({ stream }) => stream === 'kept').map(({ revision }) => revision)).toEqual(kept);

    const old = seen.filter(({ stream }) => stream === 'hot').slice(0, 50);
    await subscription.unsubscribe();
    await keptSubscription.unsubscribe();
    await client.dispose();
    await store.stop();
    const again = await startEmbeddedEventStore({ dataDir, segmentBytes: 64 * 1024 });
    const other = EventStoreDBClient.connectionString(again.connectionString);
    const all = (await collect(other.readAll())).map(({ event }) => event?.position?.commit ?? 0n);
    for (const { position } of old) {
      const rest = await collect(other.readAll({ fromPosition: { commit: position, prepare: position } }));
      expect(rest.map(({ event }) => event?.position?.commit)).toEqual(all.filter((at) => at >= position));
    }
    const within = all[3] as bigint;
    const nowhere = collect(other.readAll({ fromPosition: { commit: within + 1n, prepare: within + 1n } }));
    await expect(nowhere).rejects.toThrow('no event has the position');
    await other.dispose();
    await again.stop();
    expect((await verify(dataDir)).problem).toBeUndefined();
    expect(fs.existsSync(join(dataDir, 'admin.sock'))).toBe(false);
  }, 60_000);
});

import fs from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { EventStoreDBClient, binaryEvent, jsonEvent } from '@eventstore/db-client';
import { startChild } from '../../faults/event-log.js';
import { FrameWindow } from '../../../libs/embedded-event-store/event-log.js';
import {
  NotPossible,
  redact as ask,
  startEmbeddedEventStore,
  verify,
} from '../../../libs/embedded-event-store/index.js';
import { NotRedactable, redact } from '../../../libs/embedded-event-store/redaction.js';
import { decodeFrame } from '../../../libs/embedded-event-store/wire.js';
import { append, closeLog, content, imagesOf, openLog, scratch, segmentsIn, setMetadata } from './folder.js';
import { collect } from './store.js';

const { newDir, remove } = scratch();
afterAll(remove);

const SECRET = '{"name":"Ada Lovelace, 1 Analytical Row"}';
const onDisk = (dir: string, text: string): boolean =>
  fs.readdirSync(dir).some((name) => !name.endsWith('.sock') && fs.readFileSync(join(dir, name)).includes(text));

describe('a redacted event', () => {
  it('keeps id, type, position, revision, time and metadata; its data is a mark of the same length', async () => {
    const dataDir = newDir();
    const store = await startEmbeddedEventStore({ dataDir });
    const client = EventStoreDBClient.connectionString(store.connectionString);
    const secret = JSON.parse(SECRET) as { name: string };
    await client.appendToStream('s', [
      jsonEvent({ type: 'Kept', data: secret }),
      jsonEvent({ type: 'Noted', data: secret, metadata: { by: 'x' } }),
      jsonEvent({ type: 'Short', data: { a: 1 } }),
      binaryEvent({ type: 'Binary', data: Buffer.from(SECRET) }),
    ]);
    const before = (await collect(client.readStream('s'))).map(({ event }) => event);
    const report = await ask(dataDir, { stream: 's', revision: 1 });
    await ask(dataDir, { stream: 's', revision: 2 });
    await ask(dataDir, { position: Number(before[3]?.position?.commit) });
    const after = (await collect(client.readStream('s'))).map(({ event }) => event);
    expect(report).toEqual({
      stream: 's',
      revision: 1,
      position: Number(before[1]?.position?.commit),
      type: 'Noted',
      bytes: JSON.stringify(secret).length,
    });
    const data = [secret, { $redacted: true }, {}, new Uint8Array(SECRET.length)];
    expect(after.map((event) => event?.data)).toEqual(data);
    expect(after.map((event) => ({ ...event, data: 0 }))).toEqual(before.map((event) => ({ ...event, data: 0 })));
    expect((await collect(client.readAll())).filter(({ event }) => event?.streamId === 's')).toHaveLength(4);
    expect(await ask(dataDir, { stream: 's', revision: 1 })).toMatchObject({ bytes: 0 });
    await client.dispose();
    await store.stop();
    expect((await verify(dataDir)).problem).toBeUndefined();
    expect(segmentsIn(dataDir).map((path) => fs.readFileSync(path, 'latin1').split(SECRET).length)).toEqual([2]);
  });

  it('is redacted for readers under way, in the cache and in their windows', async () => {
    const dir = newDir();
    const log = await openLog(dir);
    await append(log, 's', [{ data: SECRET }, { data: SECRET }]);
    const held = new FrameWindow();
    const read = (ordinal: number): string => decodeFrame(log.frame(ordinal, held)).data.toString();
    expect(read(1)).toBe(SECRET);
    await redact(log, { stream: 's', revision: 0 });
    expect([read(1).trim(), read(2)]).toEqual(['{"$redacted":true}', SECRET]);
    await redact(log, { stream: 's', revision: 1 });
    expect(read(2).trim()).toBe('{"$redacted":true}');
    await closeLog(log);
  });

  it.each([0, 1, 2, 17, 18, 40])('of JSON with %i bytes is JSON', async (length) => {
    const log = await openLog(newDir());
    await append(log, 's', [
      { data: length === 1 ? '7' : `"${'x'.repeat(Math.max(length - 2, 0))}"`.slice(0, length) },
    ]);
    expect(await redact(log, { stream: 's', revision: 0 })).toMatchObject({ bytes: length });
    const { data } = log.event(1);
    expect(data.length).toBe(length);
    if (length > 0) {
      const blank = length === 1 ? 0 : length < 18 ? {} : { $redacted: true };
      expect(JSON.parse(data.toString())).toEqual(blank);
    }
    await closeLog(log);
  });

  it('keeps all but its seals, when only those are to go', async () => {
    const log = await openLog(newDir());
    const seal = (ct: string) => ({ enc: 'A256GCM', kid: 'key-1', iv: 'Zm9v', ct, tag: 'YmFy' });
    const data = { items: [{ category: 'contact.email', value: seal('c2VjcmV0') }, { value: seal('') }], kept: 'ct' };
    await append(log, 's', [{ data: JSON.stringify(data) }]);
    expect(await redact(log, { stream: 's', revision: 0, seals: true })).toMatchObject({
      bytes: JSON.stringify(data).length,
    });
    const blank = (ct: string) => ({ enc: 'A256GCM', kid: 'key-1', iv: 'AAAA', ct, tag: 'AAAA' });
    expect(JSON.parse(log.event(1).data.toString())).toEqual({
      items: [{ category: 'contact.email', value: blank('AAAAAAAA') }, { value: blank('') }],
      kept: 'ct',
    });
    expect(await redact(log, { stream: 's', revision: 0, seals: true })).toMatchObject({ bytes: 0 });
    await closeLog(log);
  });

  it('is remembered by its id as before', async () => {
    const log = await openLog(newDir());
    const told = { id: 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', data: SECRET };
    const first = await append(log, 's', [told]);
    await redact(log, { stream: 's', revision: 0 });
    expect(await append(log, 's', [told])).toEqual(first);
    await closeLog(log);
  });
});

it("an event that is not there, or is the event store's own, is refused and nothing changes", async () => {
  const log = await openLog(newDir());
  await append(log, 's', [{}]);
  await setMetadata(log, 's', { $maxCount: 3 });
  const before = content(log);
  const position = log.index.position(1);
  for (const reference of [
    { stream: 's', revision: 1 },
    { stream: 's', revision: -1 },
    { stream: 's', revision: 0.5 },
    { stream: 'nobody', revision: 0 },
    { stream: '$$s', revision: 0 },
    { position: position + 1 },
    { position: 1e9 },
  ]) {
    await expect(redact(log, reference)).rejects.toThrow(NotRedactable);
  }
  expect(content(log)).toEqual(before);
  await closeLog(log);
  await expect(ask(log.dir, { stream: 's', revision: 5 })).rejects.toThrow(NotRedactable);
  const store = await startEmbeddedEventStore({ dataDir: log.dir });
  await expect(ask(log.dir, { stream: 's', revision: 5 })).rejects.toThrow(NotPossible);
  await store.stop();
});

describe('killed at any step of a redaction', () => {
  it.each([
    ['loop', 'all data', {}],
    ['threadpool', 'all data', {}],
    ['loop', 'seals', { seals: true }],
  ] as const)('a log starts, before or after it, and verifies (sync in the %s, %s)', async (sync, _what, how) => {
    const dir = newDir();
    const log = await openLog(dir, 1 << 28, sync);
    const sealed = { enc: 'A256GCM', kid: 'k', iv: 'Zm9v', ct: Buffer.from(SECRET).toString('base64url'), tag: 'YmFy' };
    const secret = 'seals' in how ? sealed.ct : SECRET;
    await append(log, 's', [{}, { data: 'seals' in how ? JSON.stringify({ value: sealed }) : SECRET }, {}]);
    await append(log, 's', [{}]);
    const before = content(log);
    const images = await imagesOf(dir, newDir, () => redact(log, { stream: 's', revision: 1, ...how }));
    const after = content(log);
    await closeLog(log);
    expect(images.length).toBeGreaterThan(8);
    const found = [];
    for (const image of images) {
      const again = await openLog(image);
      const now = content(again);
      await closeLog(again);
      expect([before, after]).toContainEqual(now);
      found.push(now.get(log.index.position(2)) === before.get(log.index.position(2)) ? 'before' : 'after');
      expect((await verify(image)).problem).toBeUndefined();
      expect(fs.readdirSync(image).filter((name) => name.startsWith('redaction'))).toEqual([]);
      if (found.at(-1) === 'after') expect(onDisk(image, secret)).toBe(false);
    }
    expect(found).toEqual([...found].sort().reverse());
    expect(new Set(found).size).toBe(2);
  });

  it('a redaction that failed half-way is finished by the next one', async () => {
    const dir = newDir();
    const log = await openLog(dir);
    await append(log, 's', [{ data: SECRET }, { data: SECRET }]);
    const { writeSync } = fs;
    let writes = 0;
    const spy = jest.spyOn(fs, 'writeSync').mockImplementation(((...args: Parameters<typeof writeSync>) => {
      if (++writes === 3) throw new Error('EIO');
      return writeSync(...args);
    }) as never);
    await expect(redact(log, { stream: 's', revision: 0 })).rejects.toThrow('EIO');
    spy.mockRestore();
    await redact(log, { stream: 's', revision: 1 });
    await closeLog(log);
    expect((await verify(dir)).problem).toBeUndefined();
    expect(onDisk(dir, SECRET)).toBe(false);
  });

  it('verify says that a redaction is unfinished; one that fits no record stops the start', async () => {
    const dir = newDir();
    const log = await openLog(dir);
    await append(log, 's', [{ data: SECRET }]);
    const images = await imagesOf(dir, newDir, () => redact(log, { stream: 's', revision: 0 }));
    await closeLog(log);
    const unfinished = images.find((image) => fs.existsSync(join(image, 'redaction'))) as string;
    expect((await verify(unfinished)).problem?.reason).toContain('a redaction is unfinished');
    const journal = fs.readFileSync(join(unfinished, 'redaction'));
    const other = newDir();
    const foreign = await openLog(other);
    await append(foreign, 's', [{ data: SECRET }]);
    await closeLog(foreign);
    fs.writeFileSync(join(other, 'redaction'), journal);
    await expect(openLog(other)).rejects.toThrow('is not the one that was to be redacted');
    for (let at = 0; at < journal.length; at++) {
      const damaged = Buffer.from(journal);
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
      fs.writeFileSync(join(unfinished, 'redaction'), damaged);
      await expect(openLog(unfinished)).rejects.toThrow('does not match its checksum');
    }
  });
});

it('kill -9 while events are redacted leaves each of them as it was or redacted, and every one that was reported', async () => {
  const dir = newDir();
  const log = await openLog(dir);
  const data = Array.from({ length: 300 }, () => JSON.stringify({ secret: randomBytes(20).toString('hex') }));
  for (const text of data) await append(log, 's', [{ data: text }]);
  await closeLog(log);
  const reported = new Set<number>();
  for (let round = 0; round < 3; round++) {
    const child = await startChild({ dir });
    const kill = setTimeout(() => void child.end('SIGKILL'), 40 + 60 * round);
    try {
      for (let revision = round * 100; revision < round * 100 + 100; revision++) {
        await ask(dir, { stream: 's', revision });
        reported.add(revision);
      }
    } catch {
      // It was killed.
    }
    clearTimeout(kill);
    await child.end('SIGKILL');
    const again = await openLog(dir);
    for (const [revision, text] of data.entries()) {
      const now = again.event(again.index.find('s')?.events.get(revision) as number).data.toString();
      expect(reported.has(revision) ? [text.replace(/./g, ' ').length] : [text.length]).toEqual([now.length]);
      if (now !== text) expect(JSON.parse(now)).toEqual({ $redacted: true });
      if (reported.has(revision)) expect(now).not.toBe(text);
    }
    await closeLog(again);
    expect((await verify(dir)).problem).toBeUndefined();
  }
  expect(reported.size).toBeGreaterThan(0);
}, 60_000);

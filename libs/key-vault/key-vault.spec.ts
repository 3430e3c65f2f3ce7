import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, plusMilliseconds, type Instant, type KeyRef, type SealBinding, type Sealed } from '#kernel';
import { openDatabase } from '#database';
import { masterKeyFrom, openKeyVault, type KeyVault } from './index.js';
import { migrations } from './schema.js';

const ALICE = '0b9f4c1e-6a53-4d52-9a77-0a4f6f6d1c01';
const BOB = '1c2a7e90-1f0b-4c38-8f63-57a1f6a0be02';
const keyId = (n: number): string => `5d6c1f00-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const of = (subjectId: string, n: number): KeyRef => ({ subjectId, keyId: keyId(n) });
const AT: SealBinding = {
  eventId: 'b7c54f0a-54b7-4f0c-9d55-8f1d1e7d9a11',
  type: 'data-collected.v1',
  stream: `subject-${ALICE}`,
  path: 'items.0.value',
};
const NINE = instant('2026-11-23T09:00:00Z');

let folder: string;
let now: Instant;
let opened: KeyVault[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vault-'));
  now = NINE;
  opened = [];
});

afterEach(async () => {
  for (const vault of opened) await vault.close();
  rmSync(folder, { recursive: true });
});

const open = async (options: { cachedKeys?: number; masterKey?: string } = {}): Promise<KeyVault> => {
  const vault = await openKeyVault({
    url: `file:${folder}/vault.db`,
    masterKey: masterKeyFrom(options.masterKey ?? `file:${folder}/master.key`),
    clock: () => now,
    cachedKeys: options.cachedKeys ?? 100,
  });
  opened.push(vault);
  return vault;
};

const sealed = async (vault: KeyVault, key: KeyRef, value: unknown = 'anna@example.org'): Promise<Sealed> => {
  await vault.ensureKeys([key]);
  return vault.seal(value, key, AT);
};

/** Every byte of every file in the folder. */
const onDisk = (): Buffer =>
  Buffer.concat(
    readdirSync(folder)
      .filter((name) => name !== 'master.key')
      .map((name) => readFileSync(join(folder, name))),
  );

/** The wrapped keys, by item key id or subject id, as a thief would read them. */
const wrappedKeys = async (): Promise<Map<string, Buffer>> => {
  const database = openDatabase(`file:${folder}/vault.db`, { readOnly: true });
  const rows = database.sqlite
    .prepare(
      `SELECT lower(hex(key_id)) AS id, wrapped FROM item_keys UNION ALL SELECT lower(hex(subject_id)), wrapped FROM subject_keys`,
    )
    .all() as { id: string; wrapped: Buffer }[];
  await database.close();
  return new Map(rows.map(({ id, wrapped }) => [id, wrapped]));
};
const hexOf = (id: string): string => id.replaceAll('-', '');

describe('sealing and opening', () => {
  it('opens what it sealed, in the given order', async () => {
    const vault = await open();
    await vault.ensureKeys([of(ALICE, 1), of(BOB, 2)]);
    const values = [{ b: [1, null, 'é'], a: true }, 'plain', 0];
    const seals = values.map((value, n) => vault.seal(value, n === 1 ? of(BOB, 2) : of(ALICE, 1), AT));
    expect(await vault.open(seals)).toEqual(values.map((value) => ({ kind: 'opened', value })));
  });

  it('opens after a restart, and when the keys have left the memory', async () => {
    const first = await open({ cachedKeys: 2 });
    const seals = [];
    for (let n = 0; n < 10; n++) seals.push(await sealed(first, of(n % 2 ? ALICE : BOB, n), n));
    const expected = seals.map((_, value) => ({ kind: 'opened', value }));
    expect(await first.open(seals)).toEqual(expected);
    await first.close();
    expect(await (await open()).open(seals)).toEqual(expected);
  });

  it('seals under more keys at once than the memory holds', async () => {
    const vault = await open({ cachedKeys: 1 });
    const keys = Array.from({ length: 20 }, (_, n) => of(n % 3 ? ALICE : BOB, n));
    await vault.ensureKeys(keys);
    const seals = keys.map((key, n) => vault.seal(n, key, AT));
    expect((await vault.open(seals)).map((one) => one.kind === 'opened' && one.value)).toEqual(keys.map((_, n) => n));
  });

  it('refuses a key that was not made, and a key of another subject', async () => {
    const vault = await open();
    expect(() => vault.seal('x', of(ALICE, 1), AT)).toThrow(expect.objectContaining({ name: 'KeyNotEnsured' }));
    await vault.ensureKeys([of(ALICE, 1)]);
    expect(() => vault.seal('x', of(BOB, 1), AT)).toThrow(expect.objectContaining({ name: 'KeyOfAnotherSubject' }));
    await expect(vault.ensureKeys([of(BOB, 1)])).rejects.toMatchObject({ name: 'KeyOfAnotherSubject' });
  });

  it('names the key and no value when a seal does not open', async () => {
    const vault = await open();
    const seal = await sealed(vault, of(ALICE, 1), 'anna@example.org');
    const moved = { ...seal, binding: { ...AT, path: 'items.1.value' } };
    await expect(vault.open([moved])).rejects.toMatchObject({ name: 'SealBroken', keyId: keyId(1) });
    await expect(vault.open([moved])).rejects.not.toThrow(/anna/);
  });

  it('takes ids of any shape', async () => {
    const vault = await open();
    const key = { subjectId: 'Ünïcode', keyId: 'sixteen-bytes-id' };
    expect(await vault.open([await sealed(vault, key, 1)])).toEqual([{ kind: 'opened', value: 1 }]);
    expect(await vault.liveKeys(['sixteen-bytes-id', Buffer.from('sixteen-bytes-id').toString('hex')])).toEqual([
      key.keyId,
    ]);
  });
});

describe('making keys', () => {
  it('makes one key per id, also when two vaults on one file race for it', async () => {
    const vaults = [await open(), await open()];
    const keys = Array.from({ length: 30 }, (_, n) => of(n % 2 ? ALICE : BOB, n % 10));
    await Promise.all(keys.flatMap((key) => vaults.map((vault) => vault.ensureKeys([key, of(ALICE, 11)]))));
    const [one, other] = vaults as [KeyVault, KeyVault];
    for (const key of keys) {
      expect(await other.open([one.seal('v', key, AT)])).toEqual([{ kind: 'opened', value: 'v' }]);
    }
    expect((await wrappedKeys()).size).toBe(11 + 2);
  });

  it('makes none of a call when one is refused, and keeps the others of the same turn', async () => {
    const vault = await open();
    await sealed(vault, of(BOB, 1));
    await vault.destroyItemKeys([keyId(1)], 'expired');
    const refused = vault.ensureKeys([of(ALICE, 2), of(ALICE, 3), of(BOB, 1)]);
    const kept = vault.ensureKeys([of(ALICE, 4), of(ALICE, 5)]);
    await expect(refused).rejects.toMatchObject({ name: 'KeyDestroyed', keyId: keyId(1) });
    await kept;
    expect(await vault.liveKeys([2, 3, 4, 5].map(keyId))).toEqual([4, 5].map(keyId));
    const seal = vault.seal('v', of(ALICE, 5), AT);
    await vault.close();
    expect(await (await open()).open([seal])).toEqual([{ kind: 'opened', value: 'v' }]);
  });
});

describe('a transaction that fails', () => {
  it('leaves no key behind, neither on disk nor in memory', async () => {
    let broken = true;
    const vault = await openKeyVault({
      url: `file:${folder}/vault.db`,
      masterKey: masterKeyFrom(`file:${folder}/master.key`),
      clock: () => {
        if (broken) throw new Error('planted');
        return now;
      },
    });
    opened.push(vault);
    const calls = [vault.ensureKeys([of(ALICE, 1)]), vault.ensureKeys([of(ALICE, 2), of(BOB, 3)])];
    expect(await Promise.allSettled(calls)).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    expect((await wrappedKeys()).size).toBe(0);
    broken = false;
    // Another process makes the subject's key instead: it is that one, and not the undone one, that counts.
    const other = await open();
    await other.ensureKeys([of(ALICE, 9)]);
    expect(await other.open([await sealed(vault, of(ALICE, 1), 'v')])).toEqual([{ kind: 'opened', value: 'v' }]);
  });

  it('for one call of a turn leaves nothing of that call behind', async () => {
    const [vault, other] = [await open(), await open()];
    await other.destroyItemKeys([keyId(1)], 'expired');
    const refused = vault.ensureKeys([of(ALICE, 2), of(ALICE, 1)]);
    await expect(refused).rejects.toMatchObject({ name: 'KeyDestroyed' });
    await other.ensureKeys([of(ALICE, 9)]);
    expect(await other.open([await sealed(vault, of(ALICE, 2), 'v')])).toEqual([{ kind: 'opened', value: 'v' }]);
  });
});

describe('destroying', () => {
  it('is final, for the item alone', async () => {
    const vault = await open();
    const [gone, kept] = [await sealed(vault, of(ALICE, 1)), await sealed(vault, of(ALICE, 2), 2)];
    expect(await vault.destroyItemKeys([keyId(1)], 'retention-expired')).toEqual({
      destroyed: 1,
      alreadyDestroyed: 0,
      unknown: 0,
      wiped: true,
    });
    now = plusMilliseconds(NINE, 1000);
    expect(await vault.destroyItemKeys([keyId(1), keyId(2), keyId(2)], 'again')).toMatchObject({
      destroyed: 1,
      alreadyDestroyed: 2,
    });
    expect(await vault.open([gone, kept])).toEqual([
      { kind: 'forgotten', destroyedAt: NINE },
      { kind: 'forgotten', destroyedAt: now },
    ]);
    await expect(vault.ensureKeys([of(ALICE, 1)])).rejects.toMatchObject({ name: 'KeyDestroyed' });
    expect(() => vault.seal('x', of(ALICE, 1), AT)).toThrow(expect.objectContaining({ name: 'KeyDestroyed' }));
    expect(await vault.tombstonesOfKeys([keyId(1), keyId(9)])).toEqual([
      {
        kind: 'item',
        id: keyId(1),
        destroyedAt: NINE,
        cause: 'retention-expired',
        fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    ]);
  });

  it('forgets all of a subject, and never makes a key for it again', async () => {
    const vault = await open();
    const seals = [await sealed(vault, of(ALICE, 1)), await sealed(vault, of(ALICE, 2))];
    const others = await sealed(vault, of(BOB, 3), 3);
    expect(await vault.destroySubject(ALICE, 'erasure-request')).toMatchObject({ destroyed: 1, wiped: true });
    expect(await vault.destroySubject(ALICE, 'erasure-request')).toMatchObject({ destroyed: 0, alreadyDestroyed: 1 });
    expect(await vault.open([...seals, others])).toEqual([
      { kind: 'forgotten', destroyedAt: NINE },
      { kind: 'forgotten', destroyedAt: NINE },
      { kind: 'opened', value: 3 },
    ]);
    await expect(vault.ensureKeys([of(ALICE, 1)])).rejects.toMatchObject({ name: 'SubjectErased', subjectId: ALICE });
    await expect(vault.ensureKeys([of(ALICE, 4)])).rejects.toMatchObject({ name: 'SubjectErased' });
    expect(() => vault.seal('x', of(ALICE, 1), AT)).toThrow(expect.objectContaining({ name: 'SubjectErased' }));
    expect(await vault.liveKeys([1, 2, 3].map(keyId))).toEqual([keyId(3)]);
    expect(await vault.destroyItemKeys([keyId(1)], 'expired')).toMatchObject({ destroyed: 0, alreadyDestroyed: 1 });
    expect(await vault.tombstoneOfSubject(ALICE)).toMatchObject({
      kind: 'subject',
      id: ALICE,
      cause: 'erasure-request',
    });
    expect(await vault.tombstonesOfKeys([keyId(2)])).toMatchObject([{ kind: 'subject', id: ALICE }]);
  });

  it('reaches the warm memory of another vault on the same file', async () => {
    const [one, other] = [await open(), await open()];
    const [item, subject] = [await sealed(one, of(ALICE, 1)), await sealed(one, of(BOB, 2))];
    expect(await other.open([item, subject])).toMatchObject([{ kind: 'opened' }, { kind: 'opened' }]);
    other.confirm([keyId(1), keyId(2)]);
    await other.ensureKeys([of(ALICE, 7)]);
    await one.destroyItemKeys([keyId(1)], 'expired');
    await one.destroySubject(BOB, 'erasure-request');
    await expect(other.ensureKeys([of(ALICE, 1)])).rejects.toMatchObject({ name: 'KeyDestroyed' });
    await expect(other.ensureKeys([of(BOB, 2)])).rejects.toMatchObject({ name: 'SubjectErased' });
    expect(await other.open([item, subject])).toMatchObject([{ kind: 'forgotten' }, { kind: 'forgotten' }]);
  });

  it('records what it never knew, so that it never gets a key', async () => {
    const vault = await open();
    expect(await vault.destroyItemKeys([keyId(1)], 'erasure-request')).toMatchObject({ destroyed: 0, unknown: 1 });
    expect(await vault.destroySubject(BOB, 'erasure-request')).toMatchObject({ destroyed: 0, unknown: 1 });
    await expect(vault.ensureKeys([of(ALICE, 1)])).rejects.toMatchObject({ name: 'KeyDestroyed' });
    await expect(vault.ensureKeys([of(BOB, 2)])).rejects.toMatchObject({ name: 'SubjectErased' });
  });

  it('tells a key that was lost from one that was destroyed', async () => {
    const vault = await open();
    const [lost, shredded] = [await sealed(vault, of(ALICE, 1)), await sealed(vault, of(ALICE, 2))];
    await vault.destroyItemKeys([keyId(2)], 'expired');
    await vault.close();
    const database = openDatabase(`file:${folder}/vault.db`);
    database.sqlite.exec('DELETE FROM unconfirmed_keys; DELETE FROM item_keys');
    await database.close();
    const after = await open();
    expect(await after.open([shredded])).toMatchObject([{ kind: 'forgotten' }]);
    await expect(after.open([lost])).rejects.toMatchObject({ name: 'KeyLost', keyId: keyId(1) });
  });

  it('refuses a key that was swapped for another in the file', async () => {
    const vault = await open();
    const seals = [await sealed(vault, of(ALICE, 1)), await sealed(vault, of(ALICE, 2))];
    await vault.close();
    const database = openDatabase(`file:${folder}/vault.db`);
    database.sqlite.exec('UPDATE item_keys SET wrapped = (SELECT wrapped FROM item_keys WHERE number = 2)');
    await database.close();
    const after = await open();
    await expect(after.open(seals)).rejects.toMatchObject({ name: 'KeyBroken', keyId: keyId(1) });
  });
});

describe('what is left on disk', () => {
  it('is no byte of a destroyed wrapped key, in any file of the folder', async () => {
    const vault = await open();
    await vault.ensureKeys([of(ALICE, 1), of(ALICE, 2), of(BOB, 3)]);
    const before = await wrappedKeys();
    const traces = (id: string): boolean => onDisk().includes(before.get(hexOf(id)) as Buffer);
    expect([ALICE, BOB, keyId(1), keyId(2), keyId(3)].map(traces)).toEqual([true, true, true, true, true]);
    await vault.destroyItemKeys([keyId(3)], 'expired');
    expect([BOB, keyId(3)].map(traces)).toEqual([true, false]);
    await vault.destroySubject(ALICE, 'erasure-request');
    expect([ALICE, keyId(1), keyId(2)].map(traces)).toEqual([false, false, false]);
  });

  it('stays so after pages have filled, split and been overwritten in any order', async () => {
    const vault = await open();
    const everWrapped = new Map<string, Buffer>();
    const destroyed = new Set<string>();
    const numbers = fc.sample(fc.shuffledSubarray([...Array(1500).keys()], { minLength: 1500 }), {
      numRuns: 1,
      seed: 7,
    })[0];
    for (let start = 0; start < 1500; start += 100) {
      const keys = (numbers as number[]).slice(start, start + 100).map((n) => of(n % 7 ? ALICE : BOB, n));
      await vault.ensureKeys(keys);
      for (const [id, wrapped] of await wrappedKeys()) if (!everWrapped.has(id)) everWrapped.set(id, wrapped);
      const going = keys.filter((_, n) => n % 3 !== 0).map((key) => key.keyId);
      await vault.destroyItemKeys(going, 'expired');
      going.forEach((id) => destroyed.add(hexOf(id)));
    }
    const disk = onDisk();
    const windows = new Set<bigint>();
    for (let at = 0; at + 8 <= disk.length; at++) windows.add(disk.readBigUInt64LE(at));
    const leftovers = [...destroyed].filter((id) => {
      const wrapped = everWrapped.get(id) as Buffer;
      return Array.from({ length: 53 }, (_, at) => wrapped.readBigUInt64LE(at)).some((window) => windows.has(window));
    });
    expect(destroyed.size).toBe(990);
    expect(leftovers).toEqual([]);
  });

  it('of a subject with many items goes with the next sweep, while nothing of it opens any more', async () => {
    const vault = await open();
    const keys = Array.from({ length: 200 }, (_, n) => of(ALICE, n));
    await vault.ensureKeys(keys);
    const seals = keys.map((key) => vault.seal('v', key, AT));
    const before = await wrappedKeys();
    const traces = (): number => keys.filter((key) => onDisk().includes(before.get(hexOf(key.keyId)) as Buffer)).length;
    await vault.destroySubject(ALICE, 'erasure-request');
    expect(onDisk().includes(before.get(hexOf(ALICE)) as Buffer)).toBe(false);
    expect(traces()).toBeGreaterThan(0);
    expect((await vault.open(seals)).every(({ kind }) => kind === 'forgotten')).toBe(true);
    expect(await vault.liveKeys(keys.map((key) => key.keyId))).toEqual([]);
    await vault.sweep(NINE, async () => new Set());
    expect(traces()).toBe(0);
    expect((await vault.open(seals)).every(({ kind }) => kind === 'forgotten')).toBe(true);
  });

  it('is reported when a long read elsewhere keeps it, and wiped by the next destruction after it', async () => {
    const vault = await open();
    await vault.ensureKeys([of(ALICE, 1), of(ALICE, 2)]);
    const before = await wrappedKeys();
    const reader = openDatabase(`file:${folder}/vault.db`, { readOnly: true });
    reader.sqlite.exec('BEGIN; SELECT count(*) FROM item_keys');
    reader.sqlite.prepare('SELECT count(*) FROM item_keys').get();
    expect(await vault.destroyItemKeys([keyId(1)], 'expired')).toMatchObject({ destroyed: 1, wiped: false });
    reader.sqlite.exec('COMMIT');
    expect(await vault.destroyItemKeys([keyId(1)], 'expired')).toMatchObject({ alreadyDestroyed: 1, wiped: true });
    expect(onDisk().includes(before.get(hexOf(keyId(1))) as Buffer)).toBe(false);
    await reader.close();
  });
});

describe('sweeping', () => {
  const hourLater = (): Instant => plusMilliseconds(NINE, 3_600_000);

  it('removes a key whose event never came, and lets the same command make it again', async () => {
    const vault = await open();
    const seal = await sealed(vault, of(ALICE, 1));
    expect(await vault.sweep(hourLater(), async (refs) => (expect(refs).toEqual([of(ALICE, 1)]), new Set()))).toBe(1);
    expect(await vault.liveKeys([keyId(1)])).toEqual([]);
    await expect(vault.open([seal])).rejects.toMatchObject({ name: 'KeyLost' });
    expect(await vault.open([await sealed(vault, of(ALICE, 1), 'again')])).toEqual([
      { kind: 'opened', value: 'again' },
    ]);
  });

  it('keeps what was confirmed, what the log references and what is recent, and does not ask twice', async () => {
    const vault = await open();
    await vault.ensureKeys([of(ALICE, 1), of(ALICE, 2)]);
    now = plusMilliseconds(NINE, 60_000);
    await vault.ensureKeys([of(ALICE, 3)]);
    vault.confirm([keyId(1)]);
    const asked: string[] = [];
    const log = async (refs: readonly KeyRef[]): Promise<Set<string>> => {
      asked.push(...refs.map((ref) => ref.keyId));
      return new Set([keyId(2)]);
    };
    expect(await vault.sweep(now, log)).toBe(0);
    expect(await vault.sweep(now, log)).toBe(0);
    expect(asked).toEqual([keyId(2)]);
    expect(await vault.liveKeys([1, 2, 3].map(keyId))).toEqual([1, 2, 3].map(keyId));
  });

  it('says of each key for which stream it was ensured, also after a restart', async () => {
    const stream = `usage-${ALICE}-2026-11`;
    const vault = await open();
    await vault.ensureKeys([of(ALICE, 1)], stream);
    await vault.ensureKeys([of(ALICE, 2)]);
    // Whoever ensures it again changes nothing of where to look.
    await vault.ensureKeys([of(ALICE, 1)]);
    await vault.close();
    const asked: object[] = [];
    await (await open()).sweep(hourLater(), async (refs) => (asked.push(...refs), new Set()));
    expect(asked).toEqual([{ ...of(ALICE, 1), stream }, of(ALICE, 2)]);
  });

  it('takes over a vault whose unconfirmed keys name no stream', async () => {
    const database = openDatabase(`file:${folder}/vault.db`);
    await database.migrate(migrations.slice(0, 1));
    await database.close();
    const vault = await open();
    const seal = await sealed(vault, of(ALICE, 1));
    expect(await vault.open([seal])).toMatchObject([{ kind: 'opened' }]);
    const asked: object[] = [];
    await vault.sweep(hourLater(), async (refs) => (asked.push(...refs), new Set([keyId(1)])));
    expect(asked).toEqual([of(ALICE, 1)]);
  });

  it('keeps a key that was ensured again while the log was asked', async () => {
    const [engine, steward] = [await open(), await open()];
    await engine.ensureKeys([of(ALICE, 1)]);
    const swept = await steward.sweep(hourLater(), async () => {
      now = hourLater();
      await engine.ensureKeys([of(ALICE, 1)]);
      return new Set();
    });
    expect(swept).toBe(0);
    expect(await steward.open([engine.seal('v', of(ALICE, 1), AT)])).toEqual([{ kind: 'opened', value: 'v' }]);
  });

  it('never leaves another process sealing under a key it removed', async () => {
    const [engine, steward] = [await open(), await open()];
    await engine.ensureKeys([of(ALICE, 1)]);
    expect(await steward.sweep(hourLater(), async () => new Set())).toBe(1);
    await engine.ensureKeys([of(ALICE, 1)]);
    expect(await steward.open([engine.seal('v', of(ALICE, 1), AT)])).toEqual([{ kind: 'opened', value: 'v' }]);
  });

  it('writes confirmations with the next change, and at the latest when the vault closes', async () => {
    const vault = await open();
    await vault.ensureKeys([of(ALICE, 1), of(ALICE, 2)]);
    vault.confirm([keyId(1)]);
    await vault.ensureKeys([of(ALICE, 3)]);
    vault.confirm([keyId(2)]);
    await vault.close();
    const asked: string[] = [];
    await (await open()).sweep(hourLater(), async (refs) => (asked.push(...refs.map((ref) => ref.keyId)), new Set()));
    expect(asked).toEqual([keyId(3)]);
  });
});

describe('keyed digests', () => {
  it('stay the same for the life of the vault and differ by purpose, text and vault', async () => {
    const vault = await open();
    const digest = vault.hmac('suppression', 'anna@example.org');
    expect(digest).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(vault.hmac('index', 'anna@example.org')).not.toBe(digest);
    expect(vault.hmac('suppression', 'berta@example.org')).not.toBe(digest);
    await vault.rotateMasterKey(masterKeyFrom(`file:${folder}/next.key`));
    await vault.close();
    expect((await open({ masterKey: `file:${folder}/next.key` })).hmac('suppression', 'anna@example.org')).toBe(digest);
  });
});

describe('the master key', () => {
  it('is replaced by wrapping the subject keys anew: every seal opens, the old key opens nothing', async () => {
    const vault = await open();
    const seals = [await sealed(vault, of(ALICE, 1), 1), await sealed(vault, of(BOB, 2), 2)];
    const before = await wrappedKeys();
    await vault.rotateMasterKey(masterKeyFrom(`file:${folder}/next.key`));
    await expect(vault.rotateMasterKey(masterKeyFrom(`file:${folder}/next.key`))).rejects.toMatchObject({
      name: 'MasterKeyRefused',
    });
    const expected = [1, 2].map((value) => ({ kind: 'opened', value }));
    expect(await vault.open(seals)).toEqual(expected);
    await vault.close();
    await expect(open()).rejects.toMatchObject({ name: 'MasterKeyWrong' });
    const after = await open({ masterKey: `file:${folder}/next.key` });
    expect(await after.open(seals)).toEqual(expected);
    const rewrapped = await wrappedKeys();
    const same = [ALICE, BOB, keyId(1), keyId(2)].map((id) =>
      rewrapped.get(hexOf(id))?.equals(before.get(hexOf(id)) as Buffer),
    );
    expect(same).toEqual([false, false, true, true]);
    expect(onDisk().includes(before.get(hexOf(ALICE)) as Buffer)).toBe(false);
  });

  it('of a process that was not told of the rotation wraps nothing and opens nothing new, but can destroy', async () => {
    const [one, other] = [await open(), await open()];
    const seal = await sealed(one, of(ALICE, 1));
    await one.rotateMasterKey(masterKeyFrom(`file:${folder}/next.key`));
    await expect(other.ensureKeys([of(BOB, 2)])).rejects.toMatchObject({ name: 'MasterKeyWrong' });
    await expect(other.open([seal])).rejects.toMatchObject({ name: 'MasterKeyWrong' });
    expect(await other.destroySubject(ALICE, 'erasure-request')).toMatchObject({ destroyed: 1 });
    expect(await one.open([seal])).toMatchObject([{ kind: 'forgotten' }]);
  });

  it('that went missing is never replaced by a new one', async () => {
    const vault = await open();
    await vault.close();
    rmSync(join(folder, 'master.key'));
    await expect(open()).rejects.toMatchObject({ name: 'MasterKeyMissing' });
    expect(readdirSync(folder)).not.toContain('master.key');
  });

  it('that is another one is refused in one line that shows no key', async () => {
    await (await open()).close();
    process.env.CUSTOS_SPEC_MASTER_KEY = '0f'.repeat(32);
    const failure = await open({ masterKey: 'env:CUSTOS_SPEC_MASTER_KEY' }).catch((error: Error) => error);
    delete process.env.CUSTOS_SPEC_MASTER_KEY;
    expect(failure).toMatchObject({ name: 'MasterKeyWrong' });
    expect((failure as Error).message).not.toMatch(/\n|0f0f0f/);
  });
});

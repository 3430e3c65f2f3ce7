import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { masterKeyFrom, openKeyVault, type KeyVault } from './index.js';

describe('the keys of the blind index', () => {
  let folder: string;
  let vault: KeyVault;
  const open = (key = 'master.key'): Promise<KeyVault> =>
    openKeyVault({
      url: `file:${folder}/vault.db`,
      masterKey: masterKeyFrom(`file:${join(folder, key)}`),
      clock: () => instant('2026-11-23T09:00:00Z'),
    });
  const hash = (generation: number, field = 'email', text = 'asha@example.test'): string =>
    vault.blindIndex.hash(generation, field, text).toString('hex');

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'blind-index-'));
    vault = await open();
  });
  afterEach(async () => {
    await vault.close();
    rmSync(folder, { recursive: true });
  });

  it('are one per generation and field, and the same after a restart', async () => {
    expect(await vault.blindIndex.ensure()).toEqual([1]);
    expect(await vault.blindIndex.ensure()).toEqual([1]);
    expect(await vault.blindIndex.begin()).toBe(2);
    const hashes = [hash(1), hash(1, 'phone'), hash(2), hash(1, 'email', 'Asha@example.test')];
    expect(new Set(hashes).size).toBe(4);
    await vault.close();
    vault = await open();
    expect([vault.blindIndex.generations(), hash(1), hash(2)]).toEqual([[1, 2], hashes[0], hashes[2]]);
  });

  it('are gone when their generation is destroyed, whose number does not come back', async () => {
    await vault.blindIndex.ensure();
    await vault.blindIndex.begin();
    hash(1);
    await vault.blindIndex.destroy(1);
    await vault.blindIndex.destroy(1);
    expect(() => hash(1)).toThrow('blind-index-1 has been destroyed');
    await vault.blindIndex.destroy(2);
    expect(await vault.blindIndex.ensure()).toEqual([3]);
  });

  it('survive a rotation of the master key, those that were destroyed beside them', async () => {
    await vault.blindIndex.ensure();
    await vault.blindIndex.begin();
    await vault.blindIndex.destroy(1);
    const before = hash(2);
    await vault.rotateMasterKey(masterKeyFrom(`file:${join(folder, 'next.key')}`));
    await vault.close();
    vault = await open('next.key');
    expect([vault.blindIndex.generations(), hash(2)]).toEqual([[2], before]);
  });
});

describe('what is derived from values', () => {
  it('is removed before a destruction answers, and fails it when that cannot be done', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'blind-index-'));
    const vault = await openKeyVault({
      url: `file:${folder}/vault.db`,
      masterKey: masterKeyFrom(`file:${join(folder, 'master.key')}`),
      clock: () => instant('2026-11-23T09:00:00Z'),
    });
    const removed: string[] = [];
    let broken = false;
    vault.afterDestruction(async () => {
      if (broken) throw new Error('planted');
      removed.push(...(await vault.tombstonesAfter(removed.length, 10)).map(({ id }) => id));
    });
    await vault.destroyItemKeys(['one', 'two'], 'retention');
    await vault.destroySubject('asha', 'request');
    expect(removed).toEqual(['one', 'two', 'asha']);
    broken = true;
    await expect(vault.destroyItemKeys(['three'], 'retention')).rejects.toThrow('planted');
    broken = false;
    expect(await vault.destroyItemKeys(['three'], 'retention')).toMatchObject({ alreadyDestroyed: 1 });
    expect(removed).toEqual(['one', 'two', 'asha', 'three']);
    await vault.close();
    rmSync(folder, { recursive: true });
  });
});

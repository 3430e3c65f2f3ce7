import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { masterKeyFrom, openKeyVault, type KeyVault } from './index.js';

const ASHA = 'email asha@example.test';
const NUMBER = 'phone 442079460101';

describe('the list of suppressed addresses', () => {
  let folder: string;
  let vault: KeyVault;
  const open = async (): Promise<void> => {
    vault = await openKeyVault({
      url: `file:${folder}/vault.db`,
      masterKey: masterKeyFrom(`file:${folder}/master.key`),
      clock: () => instant('2026-11-23T09:00:00Z'),
    });
  };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'suppression-'));
    await open();
  });
  afterEach(async () => {
    await vault.close();
    rmSync(folder, { recursive: true });
  });

  it('finds an address under every id it was added for, also after a restart', async () => {
    await vault.suppression.add('one', [ASHA, NUMBER]);
    await vault.suppression.add('two', [ASHA]);
    await vault.suppression.add('two', [ASHA]);
    await vault.close();
    await open();
    expect(vault.suppression.suppressing([ASHA, NUMBER, 'email ben@example.test'])).toEqual([
      ['one', 'two'],
      ['one'],
      [],
    ]);
    expect([vault.suppression.size, vault.suppression.holds('two'), vault.suppression.holds('three')]).toEqual([
      3,
      true,
      false,
    ]);
  });

  it('forgets what was added under an id, and nothing else', async () => {
    await vault.suppression.add('one', [ASHA]);
    await vault.suppression.add('two', [ASHA]);
    await vault.suppression.remove('one');
    await vault.suppression.remove('one');
    expect(vault.suppression.suppressing([ASHA])).toEqual([['two']]);
  });

  it('outlives the erasure of the person', async () => {
    const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
    await vault.ensureKeys([{ subjectId, keyId: '11111111-1111-4111-8111-111111111111' }]);
    await vault.suppression.add('one', [ASHA]);
    await vault.destroySubject(subjectId, 'request');
    expect(vault.suppression.suppressing([ASHA])).toEqual([['one']]);
  });

  it('holds no address, nor a digest that could be guessed', async () => {
    await vault.suppression.add('one', [ASHA, NUMBER]);
    const bytes = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
    for (const text of ['asha', '2079460101', 'example.test']) expect(bytes.includes(text)).toBe(false);
    const other = mkdtempSync(join(tmpdir(), 'suppression-'));
    const elsewhere = await openKeyVault({
      url: `file:${other}/vault.db`,
      masterKey: masterKeyFrom(`file:${other}/master.key`),
      clock: () => instant('2026-11-23T09:00:00Z'),
    });
    expect(elsewhere.hmac('suppression', ASHA)).not.toBe(vault.hmac('suppression', ASHA));
    await elsewhere.close();
    rmSync(other, { recursive: true });
  });
});

import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { masterKeyFrom, masterKeyId } from './master-key.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'master-key-'));
  path = join(folder, 'deep', 'master.key');
});

afterEach(() => {
  delete process.env.CUSTOS_SPEC_MASTER_KEY;
  rmSync(folder, { recursive: true });
});

describe('a master key file', () => {
  it('is made once, complete, for its owner alone', async () => {
    const provider = masterKeyFrom(`file:${path}`);
    expect(await provider.load()).toBeUndefined();
    const made = await provider.create();
    expect(made).toHaveLength(32);
    expect(readFileSync(path, 'ascii')).toBe(`${made.toString('hex')}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700);
    expect(readdirSync(join(folder, 'deep'))).toEqual(['master.key']);
    expect(await masterKeyFrom(path).load()).toEqual(made);
  });

  it('is never replaced: whoever makes it second gets the first', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => masterKeyFrom(`file:${path}`).create()));
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
  });

  it.each([0o640, 0o604, 0o660, 0o644])('is refused when its mode is %o', async (mode) => {
    await masterKeyFrom(`file:${path}`).create();
    chmodSync(path, mode);
    await expect(masterKeyFrom(`file:${path}`).load()).rejects.toMatchObject({ name: 'MasterKeyRefused' });
  });

  it.each(['', 'ab'.repeat(31), 'ab'.repeat(33), 'zz'.repeat(32), `${'ab'.repeat(32)} x`])(
    'is refused, without being shown, when it holds %j',
    async (text) => {
      const file = join(folder, 'bad.key');
      writeFileSync(file, text, { mode: 0o600 });
      const failure: unknown = await masterKeyFrom(`file:${file}`)
        .load()
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: 'MasterKeyRefused' });
      expect((failure as Error).message).not.toMatch(/abab|zzzz|\n/);
    },
  );

  it('is refused when it is a folder', async () => {
    await expect(masterKeyFrom(`file:${folder}`).load()).rejects.toMatchObject({ name: 'MasterKeyRefused' });
  });
});

describe('a master key of the environment', () => {
  it('is 64 hexadecimal digits', async () => {
    const provider = masterKeyFrom('env:CUSTOS_SPEC_MASTER_KEY');
    expect(await provider.load()).toBeUndefined();
    await expect(provider.create()).rejects.toMatchObject({ name: 'MasterKeyRefused' });
    process.env.CUSTOS_SPEC_MASTER_KEY = '0F'.repeat(32);
    expect(await provider.load()).toEqual(Buffer.alloc(32, 0x0f));
    process.env.CUSTOS_SPEC_MASTER_KEY = '0f'.repeat(16);
    await expect(provider.load()).rejects.toMatchObject({ name: 'MasterKeyRefused' });
  });
});

describe('a master key setting', () => {
  it.each(['', 'file:', 'env:', 'vault:transit/custos'])('is refused when it is %j', (setting) => {
    expect(() => masterKeyFrom(setting)).toThrow(expect.objectContaining({ name: 'MasterKeyRefused' }));
  });
});

describe('the id of a master key', () => {
  it('is stable, differs by key and shows nothing of it', () => {
    const key = Buffer.alloc(32, 0x0f);
    expect(masterKeyId(key)).toMatch(/^[0-9a-f]{16}$/);
    expect(masterKeyId(key)).toBe(masterKeyId(Buffer.from(key)));
    expect(masterKeyId(key)).not.toBe(masterKeyId(Buffer.alloc(32, 0x10)));
    expect(masterKeyId(key)).not.toContain('0f0f');
  });
});

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFileSync } from '@swc/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openDatabase } from '#database';
import { instant } from '#kernel';
import { fromStored, masterKeyFrom, openKeyVault, type KeyVault } from './index.js';
import type { Promised } from './testing/worker.js';

/*
 * Real processes on one vault file, some of them killed. The library and the worker are compiled into a folder of
 * their own first: a child process does not run through jest.
 */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let program: string;
let folder: string;

beforeAll(() => {
  program = mkdtempSync(join(tmpdir(), 'vault-program-'));
  writeFileSync(join(program, 'package.json'), '{ "type": "module", "imports": { "#*": "./libs/*/index.js" } }');
  symlinkSync(join(ROOT, 'node_modules'), join(program, 'node_modules'));
  for (const library of ['kernel', 'database', 'key-vault', 'key-vault/testing']) {
    mkdirSync(join(program, 'libs', library), { recursive: true });
    const sources = readdirSync(join(ROOT, 'libs', library)).filter((name) => /(?<!\.spec)\.ts$/.test(name));
    for (const name of sources) {
      const { code } = transformFileSync(join(ROOT, 'libs', library, name), { configFile: join(ROOT, '.swcrc') });
      writeFileSync(join(program, 'libs', library, name.replace(/\.ts$/, '.js')), code);
    }
  }
});

afterAll(() => rmSync(program, { recursive: true }));

beforeEach(() => {
  folder = mkdtempSync(join(program, 'vault-'));
});

interface Worker {
  readonly child: ChildProcess;
  readonly lines: Promised[];
  readonly failure: () => string;
  /** Resolves when it has exited; with the signal that ended it, if any. */
  readonly ended: Promise<string | null>;
}

function work(name: string, steps = 0): Worker {
  const worker = join(program, 'libs/key-vault/testing/worker.js');
  const child = spawn(process.execPath, [worker, folder, name, String(steps)], {
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const lines: Promised[] = [];
  let rest = '';
  let failure = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts.map((line) => JSON.parse(line) as Promised));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (failure += text));
  const ended = once(child, 'close').then(([, signal]) => signal as string | null);
  return { child, lines, failure: () => failure, ended };
}

const until = async (worker: Worker, lines: number): Promise<void> => {
  while (worker.lines.length < lines && worker.child.exitCode === null)
    await new Promise((next) => setTimeout(next, 2));
};

const openVault = (): Promise<KeyVault> =>
  openKeyVault({
    url: `file:${folder}/vault.db`,
    masterKey: masterKeyFrom(`file:${folder}/master.key`),
    clock: () => instant('2026-11-23T10:00:00Z'),
  });

/** Every promise of the workers, held against the vault: nothing promised is lost, nothing destroyed opens. */
async function check(vault: KeyVault, promised: readonly Promised[]): Promise<{ opened: number; forgotten: number }> {
  const may = new Set<string>();
  const must = new Set<string>();
  for (const line of promised) {
    if ('destroying' in line) line.destroying.forEach((keyId) => may.add(keyId));
    if ('destroyed' in line) line.destroyed.forEach((keyId) => must.add(keyId));
    if ('erasing' in line) may.add(line.erasing);
    if ('erased' in line) must.add(line.erased);
  }
  const count = { opened: 0, forgotten: 0 };
  for (const line of promised) {
    if ('shared' in line) {
      expect(await vault.open([fromStored(line.shared, line.binding)])).toEqual([
        { kind: 'opened', value: line.shared.kid },
      ]);
    }
    if (!('sealed' in line)) continue;
    const [opened] = await vault.open([fromStored(line.seal, line.binding)]);
    const names = [line.sealed, line.subject];
    if (opened?.kind === 'opened') {
      expect(opened.value).toBe(line.sealed);
      expect(names.filter((name) => must.has(name))).toEqual([]);
    } else {
      expect(names.filter((name) => may.has(name))).not.toEqual([]);
    }
    count[opened?.kind ?? 'forgotten'] += 1;
  }
  return count;
}

const wrappedLive = async (): Promise<Map<string, Buffer>> => {
  const database = openDatabase(`file:${folder}/vault.db`, { readOnly: true });
  const rows = database.sqlite.prepare('SELECT key_id, wrapped FROM item_keys WHERE wrapped <> zeroblob(60)').all() as {
    key_id: string;
    wrapped: Buffer;
  }[];
  await database.close();
  return new Map(rows.map((row) => [row.key_id, row.wrapped]));
};

describe('processes that share a vault', () => {
  it('make one key for an id each of them wants first, starting together on no vault at all', async () => {
    const workers = ['a', 'b', 'c'].map((name) => work(name, 60));
    await Promise.all(workers.map(({ ended }) => ended));
    expect(workers.map(({ failure }) => failure())).toEqual(['', '', '']);
    const vault = await openVault();
    const { opened, forgotten } = await check(
      vault,
      workers.flatMap(({ lines }) => lines),
    );
    expect(opened + forgotten).toBe(3 * 60 * 2);
    expect(forgotten).toBeGreaterThan(0);
    await vault.close();
  });

  it('may be killed at any moment: what was made is there, what was destroyed is gone', async () => {
    const promised: Promised[] = [];
    let before = new Map<string, Buffer>();
    for (let round = 0; round < 6; round++) {
      const workers = ['a', 'b'].map((name) => work(`${name}${round}`));
      for (const [index, worker] of workers.entries()) {
        await until(worker, 7 + ((round * 37 + index * 53) % 90));
        worker.child.kill('SIGKILL');
      }
      const ends = await Promise.all(workers.map(({ ended }) => ended));
      expect([...ends, ...workers.map(({ failure }) => failure())]).toEqual(['SIGKILL', 'SIGKILL', '', '']);
      promised.push(...workers.flatMap(({ lines }) => lines));

      const vault = await openVault();
      await check(vault, promised);
      const going = [...before.keys()].filter((keyId, n) => n % 4 === 0 && !keyId.startsWith('shared'));
      await vault.destroyItemKeys(going, 'expired');
      promised.push({ destroying: going });
      await vault.close();
      const database = openDatabase(`file:${folder}/vault.db`);
      expect(database.sqlite.pragma('integrity_check', { simple: true })).toBe('ok');
      expect(database.sqlite.pragma('foreign_key_check')).toEqual([]);
      await database.close();

      const now = await wrappedLive();
      const disk = Buffer.concat(
        readdirSync(folder).flatMap((name) => (name === 'master.key' ? [] : [readFileSync(join(folder, name))])),
      );
      const left = [...before].filter(([keyId, wrapped]) => !now.has(keyId) && disk.includes(wrapped));
      expect(left).toEqual([]);
      before = now;
    }
    const vault = await openVault();
    const { opened, forgotten } = await check(vault, promised);
    expect(opened).toBeGreaterThan(0);
    expect(forgotten).toBeGreaterThan(0);
    await vault.close();
  });
});

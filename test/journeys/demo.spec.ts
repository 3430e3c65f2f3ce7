import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PEOPLE } from '../../apps/standalone/demo-people.js';
import { disguisesOf, tracesBelow, tracesIn } from '../plaintext.js';

const DEMO = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'standalone', 'demo.js');
const VALUES = Object.values(PEOPLE).flatMap((person) => Object.values(person));

describe('the demo', () => {
  const folder = mkdtempSync(join(tmpdir(), 'custos-demo-'));
  let run: { status: number | null; stdout: string; stderr: string };

  beforeAll(() => {
    run = spawnSync(process.execPath, [DEMO], {
      env: { PATH: process.env['PATH'], DEMO_DATA_DIR: folder, LOG_LEVEL: 'debug' },
      encoding: 'utf8',
    });
  }, 90_000);

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('gets every answer the policy promises, at least 12 accepted and 8 refused', () => {
    expect(run.stdout).not.toContain('NOT AS PROMISED');
    expect(run.status).toBe(0);
    const [, accepted, refused] = /(\d+) accepted, (\d+) refused/.exec(run.stdout) ?? [];
    expect(Number(accepted)).toBeGreaterThanOrEqual(12);
    expect(Number(refused)).toBeGreaterThanOrEqual(8);
  });

  it('answers after the erasure without the values', () => {
    expect(run.stdout).toContain('contact.email forgotten');
    expect(run.stdout.slice(run.stdout.indexOf('Bram, now'))).toMatch(/contact\.email +v1 +CONTROLLER .* erased/);
  });

  it('leaves no value of its people in any file, nor in what it printed', () => {
    const files = readdirSync(folder, { recursive: true }).map(String);
    expect(files.some((file) => file.startsWith('events'))).toBe(true);
    expect(files).toEqual(expect.arrayContaining(['read-models.db', 'vault.db']));
    expect(tracesBelow(folder, VALUES)).toEqual([]);
    expect(tracesIn('output', Buffer.from(run.stdout + run.stderr), VALUES)).toEqual([]);
  });

  it('would find a value in each of its disguises', () => {
    for (const value of VALUES)
      for (const [encoding, form] of disguisesOf(value)) {
        const planted = join(folder, 'planted');
        writeFileSync(planted, Buffer.concat([Buffer.from('{"x":"'), form, Buffer.from('"}')]));
        expect(tracesBelow(folder, [value]).map((trace) => trace.encoding)).toContain(encoding);
        rmSync(planted);
      }
  });
});

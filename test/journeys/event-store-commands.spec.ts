import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Installation } from '../installation.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');

describe('custos eventstore', () => {
  let custos: Installation;
  const folder = mkdtempSync(join(tmpdir(), 'custos-events-'));
  const events = (): string => join(custos.dataDir, 'events');
  const copy = join(folder, 'backup');

  /** Runs a command; a report is the JSON it printed. */
  function run(
    words: readonly string[],
    input = '',
  ): { status: number | null; report: Record<string, unknown>; stderr: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'eventstore', ...words], {
      encoding: 'utf8',
      input,
      env: { PATH: process.env['PATH'] },
    });
    return { status, report: (stdout.startsWith('{') ? JSON.parse(stdout) : {}) as Record<string, unknown>, stderr };
  }

  beforeAll(async () => {
    custos = await Installation.start();
    await custos.accepted('crm', 'RegisterSubject', { subjectId: randomUUID(), capacity: 'individual' });
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('says what a running log holds', () => {
    const { status, report } = run(['stats', '--data', events()]);
    expect(status).toBe(0);
    expect(report['events']).toBeGreaterThan(30);
  });

  it('copies a running log, checks the copy and restores it', async () => {
    const taken = run(['backup', '--data', events(), '--to', copy]);
    expect(taken.stderr).toBe('');
    expect(taken.status).toBe(0);
    await custos.accepted('crm', 'RegisterSubject', { subjectId: randomUUID(), capacity: 'individual' });
    expect(run(['verify', '--data', copy]).status).toBe(0);
    const restored = run(['restore', '--from', copy, '--data', join(folder, 'restored')]);
    expect(restored.status).toBe(0);
    expect(run(['verify', '--data', join(folder, 'restored')]).report['events']).toBe(restored.report['events']);
  });

  it('refuses to check a folder in use, to overwrite a copy, and to restore over a log', () => {
    expect(run(['verify', '--data', events()])).toMatchObject({ status: 1, stderr: expect.stringContaining('in use') });
    expect(run(['backup', '--data', events(), '--to', copy]).status).toBe(1);
    expect(run(['restore', '--from', copy, '--data', events()]).status).toBe(1);
  });

  it('scavenges and redacts a log that is in use', async () => {
    expect(run(['scavenge', '--data', events()]).status).toBe(0);
    const subjectId = randomUUID();
    await custos.accepted('crm', 'RegisterSubject', { subjectId, capacity: 'soleTrader' });
    expect(run(['redact', '--data', events(), '--event', `0@subject-${subjectId}`]).status).toBe(0);
    expect(run(['redact', '--data', events(), '--event', `7@subject-${subjectId}`]).status).toBe(1);
    expect(run(['redact', '--data', events(), '--event', 'the-last-one']).status).toBe(2);
  });

  it('takes the password of a user from stdin and keeps a digest for its owner only', () => {
    const users = join(folder, 'users.json');
    expect(run(['user', '--users', users, '--name', 'custos', '--groups', '$admins'], 'a long secret\n').status).toBe(
      0,
    );
    expect(existsSync(users)).toBe(true);
    expect(statSync(users).mode & 0o077).toBe(0);
    expect(run(['user', '--users', users, '--name', 'custos'], '').status).toBe(1);
  });
});

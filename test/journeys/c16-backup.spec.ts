import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { masterKeyFrom, openKeyVault, type KeyVault } from '#key-vault';
import { instant } from '#kernel';
import { Installation } from '../installation.js';
import { tracesBelow } from '../plaintext.js';
import { acquaintance, BILLING, collect, customer, refuses, said, SHOWN, TICKET, usageOf } from './life.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');
const CLOCK = '2026-11-25T09:00:00Z';

/** C16: what is erased stays erased, whatever is restored. */
describe('a restored installation', () => {
  const folder = mkdtempSync(join(tmpdir(), 'custos-backup-'));
  const journal = join(folder, 'erasures.jsonl');
  const backup = join(folder, 'backup');
  let custos: Installation;
  let asha: string;
  let ben: string;
  let cleo: string;
  let usageKeys: readonly string[];

  const cli = (...words: string[]) =>
    spawnSync(process.execPath, [CLI, ...words], {
      env: { PATH: process.env['PATH'], DATA_DIR: custos.dataDir, CLOCK: `simulated:${CLOCK}` },
      encoding: 'utf8',
    });
  /** An empty data folder but for the master key, which no backup holds. */
  const emptied = (): string => {
    const aside = join(folder, `aside-${Date.now()}`);
    renameSync(custos.dataDir, aside);
    mkdirSync(custos.dataDir, { mode: 0o700 });
    copyFileSync(join(aside, 'master.key'), join(custos.dataDir, 'master.key'));
    return aside;
  };
  const valuesOf = async (subjectId: string): Promise<readonly unknown[]> => {
    const { body } = await custos.get('support', `/v1/subjects/${subjectId}?purpose=support-ticket&caseRef=CASE-1`);
    return body.holdings.map((held: { value?: string; withheld?: string }) => held.value ?? held.withheld);
  };
  const erased = (subjectId: string) =>
    custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${subjectId}/retention`),
      ({ body }) => body.rows.every(({ status }: { status: string }) => status === 'erased'),
    );

  /** Asks the vault itself, while nothing runs. */
  const vault = async <T>(ask: (vault: KeyVault) => Promise<T> | T): Promise<T> => {
    const opened = await openKeyVault({
      url: `file:${join(custos.dataDir, 'vault.db')}`,
      masterKey: masterKeyFrom(`file:${join(custos.dataDir, 'master.key')}`),
      clock: () => instant(CLOCK),
    });
    try {
      return await ask(opened);
    } finally {
      await opened.close();
    }
  };

  beforeAll(async () => {
    custos = await Installation.start(CLOCK, { ERASURE_JOURNAL: journal });
    asha = (await customer(custos)).subjectId;
    ben = await acquaintance(custos);
    const items = await collect(custos, ben, TICKET, { 'ticket.text': 'Chart 12 does not open.' });
    cleo = await acquaintance(custos);
    await collect(custos, cleo, TICKET, { 'ticket.text': 'Chart 13 does not open.' });
    const early = { occurredAt: '2026-11-24T09:00:00Z' };
    const dora = await customer(custos, early);
    await custos.accepted('crm', 'PresentNotice', { ...SHOWN, subjectId: dora.subjectId, ...early });
    await collect(custos, dora.subjectId, BILLING, { 'billing.invoice': 'One chart, 12.00' });
    await custos.accepted('crm', 'RecordUsage', usageOf(dora.subjectId, '2026-11-25T08:59:59Z'));
    const made = cli('backup', backup);
    expect(made.stderr).toBe('');
    expect(JSON.parse(made.stdout)).toMatchObject({ format: 1, logEnd: expect.any(Number) });

    await custos.accepted('dpo', 'EraseData', { subjectId: asha, cause: 'request' });
    await custos.accepted('dpo', 'EraseData', { subjectId: ben, cause: 'request', itemIds: [items['ticket.text']] });
    await erased(asha);
    await erased(ben);
    await custos.accepted('crm', 'ObjectToMarketing', { subjectId: dora.subjectId });
    await custos.accepted('dpo', 'EraseData', { subjectId: dora.subjectId, cause: 'request' });
    const months = await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${dora.subjectId}/usage-months`),
      ({ body }) => body.rows[0].status === 'erased',
    );
    usageKeys = JSON.parse(months.body.rows[0].keys);
    await custos.eventually(
      () => Promise.resolve({ status: 200, body: readFileSync(journal, { encoding: 'utf8', flag: 'a+' }) }),
      ({ body }) => body.includes(asha) && body.includes(usageKeys[0]) && body.includes('suppressed'),
    );
    await custos.kill();
  }, 120_000);

  afterAll(async () => {
    await custos.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('destroys keys of a vault that is older than the log before it opens its door', async () => {
    copyFileSync(join(backup, 'vault.db'), join(custos.dataDir, 'vault.db'));
    for (const rest of ['vault.db-wal', 'vault.db-shm']) rmSync(join(custos.dataDir, rest), { force: true });
    await custos.launch();
    expect(await valuesOf(asha)).toEqual(Array(4).fill('forgotten'));
    expect(await valuesOf(ben)).toEqual(['forgotten']);
    expect(await valuesOf(cleo)).toEqual(['Chart 13 does not open.']);
    await refuses(
      custos,
      'crm',
      'RegisterSubject',
      { subjectId: asha, capacity: 'individual' },
      said('DATA_ERASED', 'C16', 'UK GDPR Art 5(1)(e), 17'),
    );
    expect(custos.output).toContain('was brought up to the erasures since');
    // Nobody but the journal knows the address: it is said aloud that it is missing.
    expect(custos.output).toContain('lacks addresses that are suppressed');
    await custos.kill();
    expect(await vault((keys) => keys.liveKeys(usageKeys))).toEqual([]);
  });

  it('holds no value, and is refused when a file of it was changed', () => {
    expect(tracesBelow(backup, ['asha@example.test', 'Chart 12 does not open.', 'ACC-2047-ASHA'])).toEqual([]);
    const aside = emptied();
    const file = join(backup, 'access.db');
    const sound = readFileSync(file);
    const broken = Buffer.from(sound);
    broken[broken.length - 1]! ^= 1;
    writeFileSync(file, broken);
    const refused = cli('restore', backup, '--erasures', journal);
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining('access.db is not what')]);
    writeFileSync(file, sound);
    rmSync(custos.dataDir, { recursive: true });
    renameSync(aside, custos.dataDir);
  });

  it('is not made without the journal of erasures, unless somebody says that there is none', () => {
    const asked = cli('restore', backup);
    expect([asked.status, asked.stderr]).toEqual([2, expect.stringContaining('--erasures')]);
    const full = cli('restore', backup, '--erasures', journal);
    expect([full.status, full.stderr]).toEqual([1, expect.stringContaining('is not empty')]);
  });

  it('resurrects nobody when log and vault are older than the erasures, and states them anew', async () => {
    emptied();
    const restored = cli('restore', backup, '--erasures', journal);
    expect(restored.stderr).toBe('');
    expect(JSON.parse(restored.stdout)).toMatchObject({ destroyed: expect.any(Number) });
    // The address and the number of her who objected.
    expect(await vault((keys) => keys.suppression.size)).toBe(2);
    expect(await vault((keys) => keys.liveKeys(usageKeys))).toEqual([]);
    await custos.launch();
    expect(await valuesOf(asha)).toEqual(Array(4).fill('forgotten'));
    expect(await valuesOf(ben)).toEqual(['forgotten']);
    expect(await valuesOf(cleo)).toEqual(['Chart 13 does not open.']);
    await erased(asha);
    await erased(ben);
    await refuses(
      custos,
      'crm',
      'RegisterSubject',
      { subjectId: asha, capacity: 'individual' },
      said('DATA_ERASED', 'C16', 'UK GDPR Art 5(1)(e), 17'),
    );
    const digest = await custos.get('auditor', '/v1/digest');
    const replayed = JSON.parse(cli('replay', '--digest', '--through', String(digest.body.position)).stdout);
    expect(replayed.digest).toBe(digest.body.digest);
    await custos.kill();
  });

  it('without the journal has those again who were erased since: that is what the journal is for', async () => {
    emptied();
    expect(cli('restore', backup, '--without-erasures').status).toBe(0);
    await custos.launch();
    expect(await valuesOf(ben)).toEqual(['Chart 12 does not open.']);
    await custos.kill();
  });

  it('does not start while its restore is unfinished', async () => {
    writeFileSync(join(custos.dataDir, 'restore-unfinished'), '');
    await expect(custos.launch()).rejects.toThrow('a restore into this folder was not finished');
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '#database';
import { Installation } from '../installation.js';
import { completeNotice, customer, fresh, refuses, said, STEWARD } from './life.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');
const START = '2026-11-23T09:00:00Z';

/** C08: the service is there, comes back when it was not, and what happened is on record. */
describe('resilience', () => {
  const folder = mkdtempSync(join(tmpdir(), 'custos-resilience-'));
  let custos: Installation;
  const cli = (...words: string[]) =>
    spawnSync(process.execPath, [CLI, ...words], {
      env: { PATH: process.env['PATH'], DATA_DIR: custos.dataDir, CLOCK: `simulated:${START}`, TMPDIR: folder },
      encoding: 'utf8',
    });
  const register = (name: string, query = '') => custos.get('auditor', `/v1/registers/${name}${query}`);

  beforeAll(async () => {
    custos = await Installation.start(START);
    await customer(custos);
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('shows from when to when a service was not there, and under which incident', async () => {
    const disruptionId = fresh('outage');
    const outage = {
      disruptionId,
      services: ['customer-portal'],
      from: '2026-11-23T08:00:00Z',
      cause: 'power',
      personalDataUnavailable: true,
    };
    await refuses(
      custos,
      'operator',
      'RecordServiceDisruption',
      outage,
      said('BREACH_REFERENCE_MISSING', 'C08', 'UK GDPR Art 4(12), 33(5)', { disruptionId, field: 'incidentRef' }),
    );
    const documented = { ...outage, incidentRef: 'INC-2026-7' };
    await refuses(
      custos,
      'dpo',
      'RecordServiceDisruption',
      documented,
      said('FORBIDDEN', 'C08 C15', 'UK GDPR Art 32', { command: 'RecordServiceDisruption' }),
    );
    await custos.accepted('operator', 'RecordServiceDisruption', documented);
    await custos.advanceTo('2026-11-23T10:00:00Z');
    const over = { ...documented, to: '2026-11-23T09:30:00Z' };
    const { position } = await custos.accepted('security', 'RecordServiceDisruption', over);
    const query = `?disruption_id=${disruptionId}`;
    const now = await custos.get('security', `/v1/registers/service-disruptions${query}`, position);
    expect(now.body.rows).toMatchObject([
      { began_at: '2026-11-23T08:00:00.000Z', ended_at: '2026-11-23T09:30:00.000Z', incident_ref: 'INC-2026-7' },
    ]);
    const then = await register('service-disruptions', `${query}&asOf=2026-11-23T09:30:00Z`);
    expect(then.body.rows).toMatchObject([{ ended_at: null, personal_data_unavailable: 1 }]);
  });

  it('tests a backup, and lets that speak for twelve months', async () => {
    const backup = join(folder, 'backup');
    expect(cli('backup', backup).stderr).toBe('');
    const tested = cli('restore-test', backup);
    expect([tested.stderr, tested.status]).toEqual(['', 0]);
    const record = JSON.parse(tested.stdout);
    expect(record).toMatchObject({ outcome: 'passed', performedOn: '2026-11-23', digestAfter: record.digestBefore });

    const { commandId: _id, ...content } = record;
    const { attestationId } = content;
    await refuses(
      custos,
      'operator',
      'RecordRestoreTest',
      { ...content, digestAfter: 'f'.repeat(64) },
      said('RESTORE_NOT_SHOWN', 'C08', 'UK GDPR Art 32(1)(c)-(d)', { attestationId, field: 'digestBefore' }),
    );
    const noticeId = fresh('backups');
    const claiming = completeNotice(noticeId, 1, [{ purposeId: 'service-account' }], 'We test our backups.');
    await refuses(
      custos,
      'dpo',
      'PublishNotice',
      claiming,
      said('CLAIM_UNBACKED', 'C03 C09 C10', 'UK GDPR Art 5(1)(a)', { noticeId, version: 1, claims: ['restore-test'] }),
    );
    await custos.accepted('operator', 'RecordRestoreTest', record);
    const { position } = await custos.accepted('dpo', 'PublishNotice', claiming);
    const claim = async () => (await custos.get('auditor', `/v1/claims?noticeId=${noticeId}`, position)).body.claims[0];
    expect(await claim()).toMatchObject({ status: 'valid', attestationId, validTo: '2027-11-23' });
    const [row] = (await register('restore-tests')).body.rows;
    expect(row).toMatchObject({ digests_equal: 1, valid_to: '2027-11-23', stale_at: null, recorded_by: 'operator' });

    // A backup that was changed is one that fails, and nothing of a test is left behind.
    const broken = join(folder, 'broken');
    cpSync(backup, broken, { recursive: true });
    appendFileSync(join(broken, 'vault.db'), 'x');
    const failed = cli('restore-test', broken);
    expect([failed.status, failed.stderr]).toEqual([1, expect.stringContaining('vault.db is not what')]);
    const failure = JSON.parse(failed.stdout);
    expect(failure).toMatchObject({ outcome: 'failed', backupHash: record.backupHash });
    expect(failure.digestAfter).toBeUndefined();
    expect(readdirSync(folder).sort()).toEqual(['backup', 'broken']);
    await custos.accepted('operator', 'RecordRestoreTest', failure);

    await custos.advanceTo('2027-11-24T00:00:00Z');
    expect(await claim()).toMatchObject({ status: 'stale', attestationId });
    const { body } = await custos.eventually(
      () => register('restore-tests', `?attestation_id=${attestationId}`),
      (reply) => reply.body.rows[0].stale_at !== null,
      STEWARD,
    );
    expect(body.rows).toHaveLength(1);
  }, 60_000);

  /** How many projections wait for their rebuilding to be recorded. */
  const unrecorded = (): unknown => {
    const database = openDatabase(`file:${join(custos.dataDir, 'read-models.db')}`, { readOnly: true });
    try {
      return database.sqlite.prepare('SELECT count(*) FROM checkpoints WHERE rebuilt_to <> 0').pluck().get();
    } finally {
      database.sqlite.close();
    }
  };

  it('builds lost read models anew as they were, and says so once', async () => {
    expect((await register('projection-rebuilds')).body.rows).toEqual([]);
    await custos.kill();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(custos.dataDir, `read-models.db${suffix}`), { force: true });
    await custos.launch('2027-11-24T00:00:00Z');
    const { position, digest, projections } = await custos.rebuilt();
    const replayed = JSON.parse(cli('replay', '--digest', '--through', String(position)).stdout);
    expect({ position, digest, projections }).toEqual(replayed);
    await custos.kill();
    // As if it had been killed between the record and the note that there is one.
    const database = openDatabase(`file:${join(custos.dataDir, 'read-models.db')}`);
    const note = database.sqlite.prepare(
      'UPDATE checkpoints SET rebuilt_to = ?, rebuilt_digest = ? WHERE projection = ?',
    );
    for (const [projection, rows] of Object.entries(projections)) note.run(position, rows, projection);
    await database.close();
    await custos.launch('2027-11-24T00:00:00Z');
    await custos.eventually(
      () => Promise.resolve({ status: 200, body: unrecorded() }),
      ({ body }) => body === 0,
    );
    expect(await custos.rebuilt()).toEqual(replayed);
  }, 60_000);
});

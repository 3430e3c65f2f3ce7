import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Installation } from '../installation.js';
import { acquaintance, collect, customer, TICKET, usageOf, type Person } from '../journeys/life.js';
import { SmallDisk } from './small-disk.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');
const SECRETS = ['Chart 12 does not open.', '+44 20 7946 0199', '+44 20 7946 0202', 'L-77'];

/** Nothing is taken in that cannot be sealed, and no erasure is said to be done while its keys stand. */
describe('a key vault that cannot be written', () => {
  const disk = new SmallDisk('key-vault-disk', '2m');
  const folder = disk.available ? disk.path : mkdtempSync(join(tmpdir(), 'custos-vault-'));
  const vault = join(folder, 'vault.db');
  let custos: Installation;

  beforeAll(async () => {
    if (disk.available) disk.mount();
    custos = await Installation.start(undefined, { KEY_VAULT_URL: `file:${vault}` });
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
    if (disk.available) disk.unmount();
    else rmSync(folder, { recursive: true, force: true });
  });

  const typesOf = async ({ subjectId }: Person): Promise<readonly string[]> => {
    const { body } = await custos.get('auditor', `/v1/subjects/${subjectId}/timeline?limit=500`);
    return body.rows.map(({ type }: { type: string }) => type);
  };
  const erasure = ({ subjectId }: Person) => custos.get('auditor', `/v1/subjects/${subjectId}/erasures`);
  const settled = async (): Promise<number> => {
    const { position } = await custos.accepted('crm', 'RegisterSubject', {
      subjectId: randomUUID(),
      capacity: 'individual',
    });
    return (await custos.get('auditor', '/v1/digest', position)).body.position;
  };
  const replayAgrees = async (): Promise<void> => {
    await settled();
    const { digest, position } = (await custos.get('auditor', '/v1/digest')).body;
    const { stdout } = spawnSync(process.execPath, [CLI, 'replay', '--digest', '--through', String(position)], {
      env: { PATH: process.env['PATH'], DATA_DIR: custos.dataDir, KEY_VAULT_URL: `file:${vault}` },
      encoding: 'utf8',
    });
    expect(JSON.parse(stdout).digest).toBe(digest);
  };

  /** Every command that seals a value of the person. */
  const sealing = ({ subjectId, items }: Person): readonly (readonly [string, object])[] => [
    ['CollectData', { subjectId, ...TICKET, items: [{ category: 'ticket.text', value: SECRETS[0] }] }],
    [
      'CorrectData',
      {
        subjectId,
        itemId: items['contact.phone'],
        fromVersion: 1,
        value: SECRETS[1],
        reasonCode: 'outOfDate',
      },
    ],
    [
      'ReportChange',
      {
        subjectId,
        channel: 'letter',
        changes: [{ category: 'contact.phone', itemId: items['contact.phone'], value: SECRETS[2] }],
      },
    ],
    ['RecordUsage', usageOf(subjectId, new Date().toISOString())],
  ];
  /** How often each of them has come to pass. */
  const done = async (person: Person): Promise<readonly number[]> => {
    const types = await typesOf(person);
    const { body } = await custos.get('auditor', `/v1/subjects/${person.subjectId}/usage-months`);
    return [
      ...['DataCollected', 'DataCorrected', 'SubjectReportedChange'].map(
        (type) => types.filter((each) => each === type).length,
      ),
      body.rows.reduce((sum: number, { batches }: { batches: number }) => sum + batches, 0),
    ];
  };

  /** What happens in an outage, and after it. */
  const goesThrough = async (inflict: () => void, relieve: () => Promise<void> | void): Promise<void> => {
    const person = await customer(custos);
    const erased = await customer(custos);
    await settled();
    expect(await done(person)).toEqual([1, 0, 0, 0]);
    const commands = sealing(person).map(([type, body]) => [type, { commandId: randomUUID(), ...body }] as const);
    const sendAll = () =>
      Promise.all(
        commands.map(([type, body]) =>
          custos.send(type === 'ReportChange' || type === 'CorrectData' ? 'support' : 'crm', type, body),
        ),
      );
    inflict();
    try {
      for (const { status, body } of await sendAll()) {
        expect([status, body]).toEqual([503, expect.objectContaining({ title: expect.stringContaining('key vault') })]);
        for (const secret of SECRETS) expect(JSON.stringify(body)).not.toContain(secret);
      }
      expect(await done(person)).toEqual([1, 0, 0, 0]);
      await custos.accepted('dpo', 'EraseData', { subjectId: erased.subjectId, cause: 'request' });
      await wait(1_500);
      expect(await typesOf(erased)).not.toContain('DataErased');
    } finally {
      await relieve();
    }
    // The same commands, sent again, are decided as if nothing had been.
    for (const { body } of await sendAll()) expect(body).toMatchObject({ accepted: true });
    await settled();
    expect(await done(person)).toEqual([2, 1, 1, 1]);
    await custos.eventually(
      () => erasure(erased),
      ({ body }) => body.rows.length === 1 && body.rows[0].status === 'erased',
    );
    expect((await typesOf(erased)).filter((type) => type === 'DataErased')).toHaveLength(1);
    await replayAgrees();
  };

  it('because its file is not where it was takes nothing in, and goes on when it is back', async () => {
    await goesThrough(
      () => renameSync(vault, `${vault}.away`),
      () => renameSync(`${vault}.away`, vault),
    );
  }, 120_000);

  (disk.available ? it : it.skip)(
    'because its disk is full takes nothing in, and goes on when there is room',
    async () => {
      await goesThrough(
        () => disk.fill(),
        () => disk.free(),
      );
      // Nor is anything lost of it in a crash.
      const { subjectId } = await customer(custos);
      disk.fill();
      await custos.kill();
      disk.free();
      await custos.launch();
      await collect(custos, subjectId, TICKET, { 'ticket.text': SECRETS[0] ?? '' });
      await replayAgrees();
    },
    120_000,
  );

  (disk.available ? it : it.skip)(
    'because its disk is read-only does not start, and says so in one line',
    async () => {
      await custos.stop();
      disk.remount('ro');
      try {
        await expect(custos.launch()).rejects.toThrow(/key vault/);
        expect(custos.output.trim().split('\n')).toHaveLength(1);
      } finally {
        disk.remount('rw');
      }
    },
    120_000,
  );

  it('because it is lost is not replaced by a new one in silence: the engine does not start, and does when it is back', async () => {
    await custos.stop();
    renameSync(vault, `${vault}.away`);
    await expect(custos.launch()).rejects.toThrow(/the key vault has none of the keys/);
    expect(custos.output.trim().split('\n')).toHaveLength(1);
    renameSync(`${vault}.away`, vault);
    await custos.launch();
    await acquaintance(custos);
    await replayAgrees();
  }, 120_000);
});

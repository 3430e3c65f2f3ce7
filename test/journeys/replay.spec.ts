import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CodecRegistry, EventLog } from '#event-log';
import { instant } from '#kernel';
import { masterKeyFrom, openKeyVault } from '#key-vault';
import { SHIPPED_POLICY } from '#policy';
import { Installation } from '../installation.js';
import { acquaintance, collect, customer, holders, TICKET, type Person } from './life.js';

const CUSTOS = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the built command-line client with these settings and no others. */
const started = (args: readonly string[], settings: NodeJS.ProcessEnv): ChildProcess =>
  spawn(process.execPath, [CUSTOS, ...args], { env: { PATH: process.env['PATH'], ...settings } });

async function run(args: readonly string[], settings: NodeJS.ProcessEnv): Promise<Ended> {
  const child = started(args, settings);
  let [stdout, stderr] = ['', ''];
  child.stdout?.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr?.on('data', (chunk) => (stderr += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/** What it answered; it must have succeeded. */
async function answerOf(args: readonly string[], settings: NodeJS.ProcessEnv) {
  const { code, stdout, stderr } = await run(args, settings);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

/** The digest of the read models once neither commands nor the steward move them. */
async function restingDigest(custos: Installation) {
  for (let before = await custos.get('auditor', '/v1/digest'); ;) {
    await wait(2_500);
    const after = await custos.get('auditor', '/v1/digest');
    expect(after.status).toBe(200);
    if (after.body.digest === before.body.digest) return after.body;
    before = after;
  }
}

/** One installation is played through its whole life, so these run in this order. */
describe('replay from the log alone', () => {
  let custos: Installation;
  let asha: Person;
  let bram: Person;
  let early: { readonly position: number; readonly digest: string };
  let live: { readonly position: number; readonly digest: string };

  const LAST_DAY = '2029-06-01T09:00:00Z';
  const MOMENTS = [
    '2026-11-23T08:59:59.999Z',
    '2026-11-23T09:00:00Z',
    '2026-11-24T09:00:00+00:00',
    '2026-11-25T09:00:00Z',
    '2026-11-26T09:00:00Z',
    LAST_DAY,
  ];
  const settings = () => ({ DATA_DIR: custos.dataDir });
  const replay = ({ subjectId }: Person, at: string) =>
    answerOf(['replay', '--subject', subjectId, '--at', at], settings());

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
    asha = await customer(custos);
    bram = { subjectId: await acquaintance(custos), items: {} };
    bram = {
      ...bram,
      items: await collect(custos, bram.subjectId, TICKET, {
        'contact.name': 'Bram Invented',
        'contact.email': 'bram@invented.example.test',
        'ticket.text': 'The licence of my old boat still shows in the list.',
      }),
    };
    const phone = asha.items['contact.phone'] ?? '';

    await custos.advanceTo('2026-11-24T09:00:00Z');
    const given = { purposeId: 'service-account', itemIds: [phone], medium: 'api', subjectId: asha.subjectId };
    await custos.accepted('crm', 'ShareData', { ...given, recipientId: 'example-harbour-charts' });
    await custos.accepted('support', 'ShareData', { ...given, recipientId: 'person' });
    early = await restingDigest(custos);

    await custos.advanceTo('2026-11-25T09:00:00Z');
    const about = { subjectId: asha.subjectId, itemId: phone };
    await custos.accepted('support', 'CorrectData', {
      ...about,
      fromVersion: 1,
      value: '+44 20 7946 0199',
      reasonCode: 'outOfDate',
    });
    await custos.advanceTo('2026-11-26T09:00:00Z');
    await custos.accepted('crm', 'NotifyRecipient', {
      ...about,
      version: 2,
      recipientId: 'example-harbour-charts',
      outcome: 'notified',
    });
    await custos.accepted('support', 'CloseServiceRequest', {
      subjectId: bram.subjectId,
      serviceRequestRef: TICKET.serviceRequestRef,
    });
    await custos.advanceTo(LAST_DAY);
    await custos.eventually(
      () => custos.get('auditor', `/v1/who-held-what?subject=${bram.subjectId}`),
      ({ body }) => body.rows.length > 0 && body.rows.every(({ use }: { use: string }) => use === 'erased'),
    );
    live = await restingDigest(custos);
  }, 180_000);

  afterAll(async () => {
    await custos.remove();
  });

  it.each(MOMENTS)('answers as the read models do, row for row, as of %s', async (at) => {
    for (const person of [asha, bram]) {
      const answer = await replay(person, at);
      expect(answer.rows).toEqual(await holders(custos, person.subjectId, encodeURIComponent(at)));
      expect(answer).toMatchObject({ subject: person.subjectId, asOf: instant(at) });
    }
  });

  it('tells the states of a life apart', async () => {
    const uses = async (person: Person, at: string) =>
      (await replay(person, at)).rows
        .filter(({ itemId }: { itemId: string }) => itemId === person.items['contact.phone'] || person === bram)
        .map(({ holderId, version, use }: Record<string, unknown>) => `${holderId} v${version} ${use}`);
    expect(await uses(asha, MOMENTS[0]!)).toEqual([]);
    expect(await uses(asha, '2026-11-25T08:00:00Z')).toEqual([
      'controller v1 inUse',
      'example-harbour-charts v1 inUse',
      'person v1 inUse',
    ]);
    expect(await uses(asha, '2026-11-25T10:00:00Z')).toContain('controller v2 inUse');
    expect(await uses(bram, '2026-11-24T09:00:00Z')).toEqual(Array(3).fill('controller v1 inUse'));
    expect(await uses(bram, LAST_DAY)).toEqual(Array(3).fill('controller v1 erased'));
    expect((await replay({ subjectId: randomUUID(), items: {} }, LAST_DAY)).rows).toEqual([]);
  });

  it('gives the digest of the read models, of now and of then', async () => {
    expect(await answerOf(['replay', '--digest'], settings())).toEqual(live);
    const then = await answerOf(['replay', '--digest', '--through', String(early.position)], settings());
    expect(then).toEqual(early);
    expect(early.digest).not.toBe(live.digest);
  });

  it('needs neither a running Custos nor its databases', async () => {
    const running = await replay(asha, LAST_DAY);
    await custos.stop();
    for (const name of readdirSync(custos.dataDir).filter((each) => each.startsWith('read-models.db')))
      rmSync(join(custos.dataDir, name));
    const elsewhere = { ...settings(), KEY_VAULT_URL: `file:${join(custos.dataDir, 'no', 'vault.db')}` };
    expect(await answerOf(['replay', '--subject', asha.subjectId, '--at', LAST_DAY], elsewhere)).toEqual(running);
    expect(await answerOf(['replay', '--digest'], elsewhere)).toEqual(live);
    expect(readdirSync(custos.dataDir)).not.toContain('no');
    expect(readdirSync(custos.dataDir).filter((each) => each.startsWith('read-models.db'))).toEqual([]);
  });

  it('finds the read models, which were deleted, built anew as they were', async () => {
    await custos.launch(LAST_DAY);
    expect(await custos.rebuilt()).toEqual(live);
  });

  it('plans and applies a policy beside a running engine, once', async () => {
    const clock = { ...settings(), CLOCK: `simulated:${LAST_DAY}` };
    const shipped = readFileSync(SHIPPED_POLICY, 'utf8');
    const file = join(custos.dataDir, 'changed.policy.yaml');
    writeFileSync(file, shipped.replace('title: Answering a call for support', 'title: Answering your call'));
    const same = 'The registers say what the file says.\n';
    expect(await run(['policy', 'plan'], clock)).toEqual({ code: 0, stdout: same, stderr: '' });
    const plan = await run(['policy', 'plan', '--file', file], clock);
    expect(plan.stdout).toContain('define purpose support-ticket, version 2 (author)\n');
    expect(plan.stdout).toContain('2 commands to apply.\n');

    const apply = ['policy', 'apply', '--file', file];
    expect(await run(apply, clock)).toEqual({ code: 0, stdout: '2 commands applied.\n', stderr: '' });
    expect(await run(apply, clock)).toEqual({ code: 0, stdout: '0 commands applied.\n', stderr: '' });
    expect(await run(['policy', 'plan', '--file', file], clock)).toEqual({ code: 0, stdout: same, stderr: '' });
    const { body } = await custos.eventually(
      () => custos.get('auditor', '/v1/registers/purposes?purpose_id=support-ticket'),
      (reply) => reply.body.rows.length === 2,
    );
    expect(body.rows[1]).toMatchObject({ version: 2, title: 'Answering your call' });
  }, 180_000);

  it('stops at an event that no codec names, and says which', async () => {
    await custos.stop();
    const server = started(['eventstore', 'serve', '--data', join(custos.dataDir, 'events')], {});
    const [line] = (await once(server.stdout!, 'data')) as [Buffer];
    const url = /esdb:\S+/.exec(line.toString())?.[0] ?? '';
    await appendForeign(url, `subject-${asha.subjectId}`);
    server.kill('SIGTERM');
    expect(await once(server, 'exit')).toEqual([0, null]);

    for (const question of [['--subject', asha.subjectId], ['--digest']]) {
      const { code, stdout, stderr } = await run(['replay', ...question], settings());
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        new RegExp(
          `^custos: unknown stored event type 'foreign-thing.v7' in stream 'subject-${asha.subjectId}' .*` +
            'known codecs: .*\\bsubject\\b.*\\bsharing\\b.*\n$',
        ),
      );
    }
    expect((await replay(bram, LAST_DAY)).rows).toHaveLength(3);
  }, 180_000);
});

/** Appends an event whose codec only this program has. */
async function appendForeign(url: string, stream: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'custos-foreign-'));
  const vault = await openKeyVault({
    url: `file:${join(folder, 'vault.db')}`,
    masterKey: masterKeyFrom(`file:${join(folder, 'master.key')}`),
    clock: () => instant('2029-06-01T09:00:00Z'),
  });
  const codec = { capability: 'foreign', events: { ForeignThing: { stored: 'foreign-thing.v7' } } };
  const log = new EventLog(url, new CodecRegistry([codec as never]), vault);
  try {
    await log.append(stream, 'any', [{ type: 'ForeignThing', id: randomUUID(), data: {} }], {
      commandId: randomUUID(),
      actor: { id: 'foreigner', type: 'system', roles: ['system'] },
      occurredAt: instant('2029-06-01T09:00:00Z'),
      recordedAt: instant('2029-06-01T09:00:00Z'),
      fingerprint: '',
    });
  } finally {
    await log.close();
    await vault.close();
    rmSync(folder, { recursive: true });
  }
}

describe('the command line', () => {
  const SOMEBODY = '7f0c1b1e-5a2d-4c3b-8e4f-0a1b2c3d4e5f';
  const NOWHERE = { DATA_DIR: join(tmpdir(), `custos-nowhere-${randomUUID()}`) };

  it.each([
    [['replay'], 'name a person'],
    [['replay', '--subject', 'asha'], 'not a UUID'],
    [['replay', '--subject', SOMEBODY, '--digest'], 'cannot be used with'],
    [['replay', '--subject', SOMEBODY, '--at', '2026-02-30T00:00:00Z'], 'not an RFC 3339 timestamp'],
    [['replay', '--digest', '--through', 'the-end'], 'not a whole number'],
    [['replay', '--digest'], 'DATA_DIR: no event log is there'],
    [['policy', 'plan', '--file', 'nowhere.yaml'], '--file: the file cannot be read'],
    [['erase', '--everything'], 'unknown command'],
  ])('%j is a mistake of the asker, said in one line', async (args, reason) => {
    const { code, stdout, stderr } = await run(args, NOWHERE);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^custos: [^\n]+\n$/);
    expect(stderr).toContain(reason);
  });

  it('says of a log that does not answer that it does not', async () => {
    for (const args of [
      ['replay', '--digest'],
      ['policy', 'plan'],
    ])
      expect(await run(args, { ...NOWHERE, EVENTSTORE_URL: 'esdb://127.0.0.1:9?tls=false' })).toEqual({
        code: 1,
        stdout: '',
        stderr: 'custos: the event log does not answer\n',
      });
  });

  it('shows the settings without what is secret in them', async () => {
    const url = 'esdb://admin:ch@nge/me@log.example.test:2113?tls=true';
    const { code, stdout } = await run(['config'], { ...NOWHERE, EVENTSTORE_URL: url });
    expect(code).toBe(0);
    expect(stdout).toContain(`DATA_DIR=${NOWHERE.DATA_DIR}  # `);
    expect(stdout).toContain('EVENTSTORE_URL=esdb://***@log.example.test:2113?tls=true  # ');
    expect(stdout).not.toContain('nge/me');
  });
});

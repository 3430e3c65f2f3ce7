import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Installation, type ActorName, type Reply } from '../installation.js';

/** Rounds of killing; the long form is for `npm run test:faults`. */
const ROUNDS = process.env['FAULT_ROUNDS'] === 'long' ? 100 : 20;
const WRITERS = 8;
const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');

interface Sent {
  readonly actor: ActorName;
  readonly type: string;
  readonly body: { readonly commandId: string };
  readonly commandId: string;
  readonly subjectId: string;
  readonly answer: Reply['body'];
}

/**
 * A service that never gives up: it sends the same command, under the same id, until it has an answer.
 */
async function sendUntilAnswered(
  custos: Installation,
  actor: ActorName,
  type: string,
  body: { readonly commandId: string },
): Promise<Reply['body']> {
  for (;;) {
    const reply = await custos.send(actor, type, body).catch(() => undefined);
    if (reply && reply.status < 500) return reply.body;
    await wait(20);
  }
}

describe(`Custos, killed ${ROUNDS} times at random moments`, () => {
  let custos: Installation;
  const sent: Sent[] = [];
  let finished = false;

  beforeAll(async () => {
    custos = await Installation.start();
  }, 120_000);

  afterAll(async () => {
    await custos.remove();
  });

  async function write(): Promise<void> {
    const subjectId = randomUUID();
    const notice = { noticeId: 'customer-privacy', noticeVersion: 1 };
    const send = async (actor: ActorName, type: string, body: object): Promise<Reply['body']> => {
      const commandId = randomUUID();
      const whole = { ...body, commandId, subjectId };
      const answer = await sendUntilAnswered(custos, actor, type, whole);
      sent.push({ actor, type, body: whole, commandId, subjectId, answer });
      return answer;
    };
    await send('crm', 'RegisterSubject', { capacity: 'individual' });
    await send('crm', 'PresentNotice', { noticeId: 'customer-privacy', version: 1, how: 'shown', channel: 'web' });
    const collected = await send('crm', 'CollectData', {
      purposeId: 'support-ticket',
      collectionPointId: 'support-form',
      ...notice,
      serviceRequestRef: 'ticket-1',
      items: [{ category: 'contact.email', value: `${subjectId}@example.test` }],
    });
    expect(collected.accepted).toBe(true);
    const file = await custos.eventually(
      () =>
        custos
          .get('support', `/v1/subjects/${subjectId}`, collected.position)
          .catch(() => ({ status: 0, body: undefined })),
      (reply) => reply.status === 200,
      60_000,
    );
    const itemId = file.body.holdings[0].item_id as string;
    for (let version = 1; !finished; version += 1) {
      await send('support', 'CorrectData', {
        itemId,
        fromVersion: version,
        value: `v${version}`,
        reasonCode: 'outOfDate',
      });
      await send('crm', 'GiveConsent', {
        purposeId: 'product-news',
        channel: 'email',
        ...notice,
        statementHash: 'ab'.repeat(32),
        method: 'webForm',
        affirmativeAct: 'tickedBox',
        givenBy: 'subject',
      });
      await send('mailer', 'AuthoriseUse', { purposeId: 'product-news', channel: 'sms', itemIds: [itemId] });
      await send('crm', 'WithdrawConsent', { purposeId: 'product-news', channel: 'email' });
    }
  }

  it(
    'loses nothing it accepted and does nothing twice',
    async () => {
      const writers = Promise.all(Array.from({ length: WRITERS }, write));
      for (let round = 0; round < ROUNDS; round += 1) {
        await wait(randomInt(50, 700));
        if (round % 3 === 2 && killEventLog(custos)) continue;
        await custos.kill();
        await custos.launch();
      }
      finished = true;
      await writers;

      const accepted = sent.filter(({ answer }) => answer.accepted);
      const refused = sent.filter(({ answer }) => !answer.accepted);
      expect(accepted.length).toBeGreaterThan(ROUNDS);
      expect(new Set(refused.map(({ answer }) => answer.code))).toEqual(new Set(['CONSENT_CHANNEL_MISMATCH']));
      const last = Math.max(...sent.map(({ answer }) => answer.position as number));
      for (const subjectId of new Set(sent.map((each) => each.subjectId))) {
        const recorded = await everyRow(custos, `/v1/subjects/${subjectId}/timeline`, last);
        const told = accepted
          .filter((each) => each.subjectId === subjectId)
          .flatMap(({ commandId, answer }) => answer.events.map((event: { id: string }) => `${commandId} ${event.id}`));
        expect(recorded.map((row) => `${row['command_id']} ${row['event_id']}`)).toEqual(told);
      }
      const refusals = await everyRow(custos, '/v1/refusals', last);
      expect(refusals.map((row) => row['command_id']).sort()).toEqual(refused.map((each) => each.commandId).sort());
      process.stderr.write(`${ROUNDS} kills, ${accepted.length} accepted, ${refused.length} refused, none lost\n`);
    },
    ROUNDS * 15_000,
  );

  it('gives the same answer to every command that is sent once more', async () => {
    const before = (await custos.get('auditor', '/v1/digest')).body;
    const some = sent.filter((_each, index) => index % 4 === 0);
    for (const { actor, type, body, answer } of some)
      expect((await custos.send(actor, type, body)).body).toEqual(answer);
    expect(some.length).toBeGreaterThan(ROUNDS);
    expect((await custos.get('auditor', '/v1/digest')).body).toEqual(before);
  });

  it('has read models equal to a replay of the log, also after they were deleted', async () => {
    const live = (await custos.get('auditor', '/v1/digest')).body;
    expect(replayed(custos, live.position)).toMatchObject({ digest: live.digest, projections: live.projections });
    await custos.stop();
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(custos.dataDir, `read-models.db${suffix}`), { force: true });
    await custos.launch();
    expect(await custos.rebuilt()).toEqual(live);
  }, 120_000);
});

function replayed(custos: Installation, through: number): unknown {
  const run = spawnSync(process.execPath, [CLI, 'replay', '--digest', '--through', String(through)], {
    env: { PATH: process.env['PATH'], DATA_DIR: custos.dataDir },
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`replay failed: ${run.stderr}`);
  return JSON.parse(run.stdout) as unknown;
}

async function everyRow(custos: Installation, path: string, position: number): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const page: Reply = await custos.get('auditor', `${path}?limit=500&after=${after}`, position);
    if (page.status !== 200) throw new Error(`no page: ${JSON.stringify(page)}`);
    rows.push(...(page.body.rows as Record<string, unknown>[]));
    after = page.body.next as number | undefined;
  }
  return rows;
}

/** Kills the event log beneath a running engine, which must recover by itself. @returns whether it was found. */
function killEventLog(custos: Installation): boolean {
  try {
    const { pid } = JSON.parse(custos.file('standalone.json')) as { pid: number };
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    if (!child) return false;
    process.kill(Number(child), 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

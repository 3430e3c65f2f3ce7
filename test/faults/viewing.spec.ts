import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Installation } from '../installation.js';
import { customer } from '../journeys/life.js';

const LOG = join(import.meta.dirname, '..', '..', 'dist', 'libs', 'embedded-event-store', 'main.js');

/** The event log as a process of its own, unmodified, that can be stopped at any moment. */
async function startLog(folder: string, port = 0): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = spawn(process.execPath, [LOG, '--data', folder, '--port', String(port)], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const [message] = (await once(child, 'message')) as [{ readonly port: number }];
  return { child, port: message.port };
}

/** C15: no append, no answer. */
describe('a view that cannot be put on record', () => {
  const folder = mkdtempSync(join(tmpdir(), 'custos-log-'));
  let log: Awaited<ReturnType<typeof startLog>>;
  let custos: Installation;

  beforeAll(async () => {
    log = await startLog(folder);
    custos = await Installation.start(undefined, { EVENTSTORE_URL: `esdb://127.0.0.1:${log.port}?tls=false` });
  }, 120_000);

  afterAll(async () => {
    await custos.remove();
    log.child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });

  const views = async (subjectId: string) =>
    (await custos.get('auditor', `/v1/subjects/${subjectId}/views`)).body.rows as { readonly kind: string }[];

  it.each(['SIGKILL', 'SIGSTOP'] as const)(
    'is answered without a value while the event log is gone (%s), and with one when it is back',
    async (signal) => {
      const asha = await customer(custos);
      const ben = await customer(custos);
      const email = (subjectId: string): string => `asha@example-${subjectId.slice(0, 8)}.test`;
      const open = ({ subjectId }: { readonly subjectId: string }) =>
        custos.get('support', `/v1/subjects/${subjectId}?purpose=service-account&caseRef=CASE-1`);
      const search = ({ subjectId }: { readonly subjectId: string }) =>
        custos.post('support', '/v1/searches', {
          field: 'email',
          term: email(subjectId),
          purposeId: 'service-account',
          caseRef: 'CASE-1',
        });
      // Everything up to the append is warm: the grants, the person's file, the keys.
      expect((await open(ben)).body.holdings[0].value).toBe('Asha Fictional');

      log.child.kill(signal);
      if (signal === 'SIGKILL') await once(log.child, 'exit');
      // The masked file needs no record, so it stays; whatever would show something does not answer.
      const masked = await custos.get('support', `/v1/subjects/${asha.subjectId}`);
      expect(masked.status).toBe(200);
      const waiting = [open(asha), open(ben), search(asha)].map((reply) =>
        reply.then(
          ({ status, body }) => ({ status, text: JSON.stringify(body ?? null) }),
          () => ({ status: 0, text: '' }),
        ),
      );
      const silence = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 5_000));
      const early = await Promise.all(waiting.map((reply) => Promise.race([reply, silence])));
      for (const reply of early) {
        if (reply === undefined) continue;
        expect(reply.status).toBeGreaterThanOrEqual(500);
        expect(reply.text).not.toMatch(/Asha Fictional|asha@example|7946 0101|ACC-2047/);
        expect(reply.text).not.toContain(asha.subjectId);
      }
      if (signal === 'SIGKILL') log = await startLog(folder, log.port);
      else log.child.kill('SIGCONT');
      // Whoever waited is answered now, and only now; none without its record.
      await Promise.all(waiting);
      const back = await custos.eventually(
        () => open(asha).catch(() => ({ status: 0, body: undefined })),
        ({ status }) => status === 200,
        60_000,
      );
      expect(back.body.holdings[1].value).toBe(email(asha.subjectId));
      await custos.eventually(
        async () => ({ status: 200, body: await views(asha.subjectId) }),
        ({ body }) => (body as unknown[]).length > 0,
      );
      expect((await search(asha)).body.found).toMatchObject([{ subjectId: asha.subjectId }]);
    },
    120_000,
  );
});

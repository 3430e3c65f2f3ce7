import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Installation } from '../installation.js';
import { customer, itemsOf, TICKET } from '../journeys/life.js';
import { SmallDisk } from './small-disk.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');
const TEXT = 'Chart 12 does not open.';

/** The disk of everybody's data is full: nothing is acknowledged that is not stored, and nothing stored is lost. */
describe('an installation on a full disk', () => {
  const disk = new SmallDisk('full-disk', '48m');
  const data = join(disk.path, 'data');
  let custos: Installation;

  beforeAll(async () => {
    if (!disk.available) return;
    disk.mount();
    custos = await Installation.start(undefined, { DATA_DIR: data });
  }, 90_000);

  afterAll(async () => {
    if (!disk.available) return;
    await custos.remove();
    disk.unmount();
  });

  (disk.available ? it : it.skip)(
    'takes in what it has stored only, and goes on when there is room',
    async () => {
      const person = await customer(custos);
      const { subjectId } = person;
      const erased = await customer(custos);
      await custos.accepted('dpo', 'EraseData', { subjectId: erased.subjectId, cause: 'request' });
      disk.fill();
      const bodies = Array.from({ length: 400 }, (_, n) => ({
        commandId: randomUUID(),
        subjectId,
        ...TICKET,
        serviceRequestRef: `ticket-${n}`,
        items: itemsOf({ 'ticket.text': TEXT }),
      }));
      const taken: string[] = [];
      const failed: (typeof bodies)[number][] = [];
      for (const body of bodies) {
        const reply = await custos.send('crm', 'CollectData', body).catch(() => undefined);
        if (reply?.body.accepted === true) taken.push(body.commandId);
        else {
          expect([503, undefined]).toContain(reply?.status);
          expect(JSON.stringify(reply?.body ?? '')).not.toContain(TEXT);
          failed.push(body);
        }
        if (failed.length === 5) break;
      }
      expect(failed).toHaveLength(5);
      await wait(500);
      disk.free();
      // It may have ended itself rather than go on with half of something.
      if (!custos.running) await custos.launch();

      for (const body of failed)
        expect(await custos.insist('crm', 'CollectData', body)).toMatchObject({ accepted: true });
      const last = await custos.accepted('crm', 'CloseServiceRequest', { subjectId, serviceRequestRef: 'ticket-0' });
      const timeline = await custos.get(
        'auditor',
        `/v1/subjects/${subjectId}/timeline?type=DataCollected&limit=500`,
        last.position,
      );
      expect(timeline.status).toBe(200);
      const stored = timeline.body.rows.map((row: { command_id: string }) => row.command_id);
      expect(stored.slice(1)).toEqual([...taken, ...failed.map(({ commandId }) => commandId)]);
      await custos.eventually(
        () => custos.get('auditor', `/v1/subjects/${erased.subjectId}/erasures`),
        ({ body }) => body.rows[0]?.status === 'erased',
      );
      const { digest, position } = (await custos.get('auditor', '/v1/digest')).body;
      const { stdout } = spawnSync(process.execPath, [CLI, 'replay', '--digest', '--through', String(position)], {
        env: { PATH: process.env['PATH'], DATA_DIR: data },
        encoding: 'utf8',
      });
      expect(JSON.parse(stdout).digest).toBe(digest);
    },
    120_000,
  );
});

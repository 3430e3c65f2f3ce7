import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Installation } from '../installation.js';

let custos: Installation;

beforeAll(async () => {
  custos = await Installation.start();
}, 120_000);

afterAll(async () => {
  await custos.remove();
});

it('ends within ten seconds of being told to, also when the event log is stuck, and loses nothing', async () => {
  const subjectId = randomUUID();
  const { pid } = JSON.parse(readFileSync(join(custos.dataDir, 'standalone.json'), 'utf8')) as { pid: number };
  const log = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  process.kill(log, 'SIGSTOP');
  const registration = { commandId: randomUUID(), subjectId, capacity: 'individual' };
  const waiting = custos.send('crm', 'RegisterSubject', registration).catch(() => undefined);
  const told = Date.now();
  try {
    await custos.stop();
    expect(Date.now() - told).toBeLessThan(10_000);
    expect(await waiting).toBeUndefined();
  } finally {
    process.kill(log, 'SIGCONT');
  }
  await custos.launch();
  expect(await custos.insist('crm', 'RegisterSubject', registration)).toMatchObject({ accepted: true });
}, 60_000);

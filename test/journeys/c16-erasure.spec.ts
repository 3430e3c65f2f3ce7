import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Installation, type Reply } from '../installation.js';
import {
  ACCOUNT,
  acquaintance,
  BILLING,
  collect,
  customer,
  fresh,
  refuses,
  said,
  TICKET,
  usageOf,
  type Person,
} from './life.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');

/** C16: what defers an erasure, how an erasure goes, and what it leaves. */
describe('keep and erase', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2024-11-25T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const caller = async (): Promise<Person> => {
    const subjectId = await acquaintance(custos);
    const items = await collect(custos, subjectId, TICKET, { 'ticket.text': 'Chart 12 does not open.' });
    return { subjectId, items };
  };
  const schedule = (subjectId: string, position?: number) =>
    custos.get('auditor', `/v1/subjects/${subjectId}/retention`, position);
  const until = (subjectId: string, wanted: (rows: Record<string, unknown>[]) => boolean): Promise<Reply> =>
    custos.eventually(
      () => schedule(subjectId),
      ({ body }) => wanted(body.rows),
    );
  const allErased = (rows: Record<string, unknown>[]): boolean => rows.every(({ status }) => status === 'erased');
  const erasureOf = async (subjectId: string, index = 0): Promise<string> =>
    (await custos.get('auditor', `/v1/subjects/${subjectId}/erasures`)).body.rows[index].erasure_id;
  const certificate = (erasureId: string) => custos.get('dpo', `/v1/erasures/${erasureId}/certificate`);

  it('ends usage and reported values with their person, unless they are kept, and lets no more come', async () => {
    const person = await customer(custos);
    const { subjectId } = person;
    const usageOnly = await acquaintance(custos);
    await custos.advanceTo('2024-11-26T09:00:00Z');
    await collect(custos, subjectId, BILLING, { 'billing.invoice': 'One chart, 12.00' });
    for (const id of [subjectId, usageOnly])
      await custos.accepted('crm', 'RecordUsage', usageOf(id, '2024-11-26T08:00:00Z'));
    await custos.accepted('support', 'ReportChange', {
      subjectId,
      channel: 'letter',
      changes: [{ category: 'contact.phone', itemId: person.items['contact.phone'], value: '+44 20 7946 0202' }],
    });
    const use = await custos.accepted('support', 'AuthoriseUse', {
      subjectId,
      purposeId: ACCOUNT.purposeId,
      itemIds: [person.items['contact.email']],
    });
    const holdId = fresh('usage-matter');
    const scope = { categories: ['usage'], subjectIds: [subjectId, usageOnly] };
    await custos.accepted('counsel', 'PlaceLegalHold', { holdId, scope, matterRef: 'M-2', basis: 'legalClaims' });
    await refuses(
      custos,
      'dpo',
      'EraseData',
      { subjectId: usageOnly, cause: 'request' },
      said('LEGAL_HOLD_IN_FORCE', 'C16', 'UK GDPR Art 17(3)(b), (e)', { items: [], holds: [holdId] }),
    );

    await custos.accepted('dpo', 'EraseData', { subjectId, cause: 'request' });
    await until(subjectId, (rows) => rows.filter(({ status }) => status === 'erased').length === 4);
    const months = () => custos.get('auditor', `/v1/subjects/${subjectId}/usage-months`);
    await custos.eventually(months, ({ body }) => body.rows[0].deferred_ref === holdId);
    expect((await certificate(await erasureOf(subjectId))).body).toMatchObject({
      personKeyDestroyed: false,
      remaining: [{ category: 'billing.invoice' }],
      remainingBesideItems: { reason: 'legalHold', ref: holdId },
    });
    const timeline = async (): Promise<string[]> =>
      (await custos.get('auditor', `/v1/subjects/${subjectId}/timeline`)).body.rows.map(
        ({ type }: { type: string }) => type,
      );
    await custos.eventually(
      async () => ({ status: 200, body: await timeline() }),
      ({ body }) => body.includes('ReportedValuesErased'),
    );
    await refuses(
      custos,
      'crm',
      'RecordUsage',
      usageOf(subjectId, '2024-11-26T08:30:00Z', { batchRef: 'late' }),
      said('DATA_ERASED', 'C16', 'UK GDPR Art 5(1)(e), 17', { streamId: 'chart-cloud' }),
    );
    // What was done is told all the same, and is an incident where it was done after the erasure had begun.
    const report = { subjectId, useId: use.events[0].id, outcome: 'done' };
    await custos.accepted('support', 'ReportUse', report);
    await custos.eventually(
      () => custos.get('dpo', `/v1/registers/incidents?subject_id=${subjectId}`),
      ({ body }) => body.rows.length === 1 && body.rows[0].kind === 'USE_AFTER_ERASURE',
    );

    await custos.accepted('counsel', 'LiftLegalHold', { holdId, reason: 'matterClosed' });
    await custos.eventually(months, ({ body }) => body.rows[0].status === 'erased');
    expect(
      (await schedule(subjectId)).body.rows.filter(({ status }: { status: string }) => status === 'kept'),
    ).toHaveLength(1);
    await custos.accepted('dpo', 'EraseData', { subjectId: usageOnly, cause: 'request' });
    await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${usageOnly}/usage-months`),
      ({ body }) => body.rows[0].status === 'erased',
    );
  });

  it('holds what a legal matter needs, on the word of two, and erases it when the matter is closed', async () => {
    const { subjectId, items } = await caller();
    const itemId = items['ticket.text'] ?? '';
    const holdId = fresh('matter');
    const hold = { holdId, scope: { subjectIds: [subjectId] }, matterRef: 'M-1', basis: 'legalClaims' };
    await custos.accepted('counsel', 'PlaceLegalHold', hold);
    await refuses(
      custos,
      'counsel',
      'ApproveLegalHold',
      { holdId },
      said('FOUR_EYES_REQUIRED', 'C12 C15 C16', 'UK GDPR Art 25', { holdId }),
    );
    await custos.accepted('dpo', 'ApproveLegalHold', { holdId });
    await refuses(
      custos,
      'dpo',
      'EraseData',
      { subjectId, cause: 'request' },
      said('LEGAL_HOLD_IN_FORCE', 'C16', 'UK GDPR Art 17(3)(b), (e)', { items: [itemId], holds: [holdId] }),
    );
    await custos.accepted('support', 'CloseServiceRequest', { subjectId, serviceRequestRef: 'ticket-1' });
    await custos.advanceTo('2028-11-27T09:00:00Z');
    await until(subjectId, (rows) => rows[0]?.['deferred_ref'] === holdId);
    const review = await custos.eventually(
      () => custos.get('dpo', `/v1/registers/legal-holds?hold_id=${holdId}`),
      ({ body }) => body.rows[0].review_raised_for !== null,
    );
    expect(review.body.rows[0]).toMatchObject({ status: 'approved', placed_by: 'counsel', approved_by: 'dpo' });
    await custos.accepted('counsel', 'LiftLegalHold', { holdId, reason: 'matterClosed' });
    await until(subjectId, allErased);
  });

  it('erases a whole person at once, and nobody gets the id again after a restart either', async () => {
    const { subjectId } = await customer(custos);
    await custos.accepted('dpo', 'EraseData', { subjectId, cause: 'unlawful' });
    await until(subjectId, allErased);
    await custos.kill();
    await custos.launch('2034-12-30T09:00:00Z');
    await refuses(
      custos,
      'crm',
      'RegisterSubject',
      { subjectId, capacity: 'individual' },
      said('DATA_ERASED', 'C16', 'UK GDPR Art 5(1)(e), 17'),
    );
    expect((await certificate(await erasureOf(subjectId))).body).toMatchObject({ personKeyDestroyed: true });
  });

  it('ends one purpose for an item at once, and keeps it for the other', async () => {
    const { subjectId, items } = await caller();
    const itemId = items['ticket.text'];
    await custos.accepted('support', 'EndPurposeForItem', {
      subjectId,
      purposeId: 'support-ticket',
      itemIds: [itemId],
      reason: 'fulfilled',
    });
    // Nothing else holds it.
    await until(subjectId, allErased);
  });

  it('removes the ciphertext of what is finally erased from the log, and replays to the same read models', async () => {
    const segments = (): string =>
      readdirSync(join(custos.dataDir, 'events'))
        .filter((name) => name.endsWith('.log') || /^\d/.test(name))
        .map((name) => readFileSync(join(custos.dataDir, 'events', name), 'latin1'))
        .join('');
    const blanked = (): number => segments().match(/"ct":"A+"/g)?.length ?? 0;
    const count = (of: RegExp): number => segments().match(of)?.length ?? 0;
    const cli = (...words: string[]) => {
      const { stdout, stderr } = spawnSync(process.execPath, [CLI, ...words], {
        env: { PATH: process.env['PATH'], DATA_DIR: custos.dataDir, CLOCK: 'simulated:2034-12-30T09:00:00Z' },
        encoding: 'utf8',
      });
      expect(stderr).toBe('');
      return JSON.parse(stdout);
    };
    expect(blanked()).toBe(0);
    await custos.eventually(
      () => custos.get('dpo', '/v1/retention/overdue'),
      ({ body }) => body.notStarted.length + body.notErased.length + body.notFinal.length === 0,
    );
    const digest = (await custos.get('auditor', '/v1/digest')).body;
    const removed = cli('remove-ciphertext');
    expect(removed.events).toBeGreaterThan(2);
    // Usage and what was reported are gone too.
    expect(count(/"batch":\{[^}]*"ct":"A+"/g)).toBe(2);
    expect(count(/"changes":\[\{[^\]]*"ct":"A+"/g)).toBe(1);
    expect(blanked()).toBeGreaterThanOrEqual(removed.events);
    expect(cli('remove-ciphertext')).toMatchObject({ events: 0, before: removed.events });
    expect(cli('replay', '--digest', '--through', String(digest.position)).digest).toBe(digest.digest);

    await custos.kill();
    for (const file of ['read-models.db', 'read-models.db-wal', 'read-models.db-shm'])
      rmSync(join(custos.dataDir, file), { force: true });
    await custos.launch('2034-12-31T09:00:00Z');
    expect(await custos.rebuilt()).toEqual(digest);
  }, 180_000);
});

import { describe, expect, it } from '@jest/globals';
import { factsAt, logbook, scenario, tablesOf } from '#kernel/testing';
import type { ApproveErasureRun } from './erasure-run.commands.js';
import { erasureRunDecider, type ErasureRunFacts } from './erasure-run.decider.js';
import { digestOfRun } from './erasure-run.digest.js';
import type { ErasureRun, ErasureRunApproved } from './erasure-run.events.js';
import { erasureRunsProjection } from './erasure-run.projection.js';
import { EMAIL, PHONE, subjectId } from './testing/index.js';

const runId = '88888888-8888-4888-8888-888888888888';
const run: ErasureRun = {
  at: '2028-01-05T09:00:00.000Z',
  items: [
    { subjectId, itemId: EMAIL, version: 1, action: 'erase' },
    { subjectId, itemId: PHONE, version: 2, action: 'review' },
  ],
  exceptions: [{ cause: 'legalHold', versions: 3 }],
};
const digest = digestOfRun(run);
const approve = (listed: ErasureRun, changes: object = {}): ApproveErasureRun =>
  ({ type: 'ApproveErasureRun', commandId: runId, runId, digest, ...listed, ...changes }) as ApproveErasureRun;
const when = (command: ApproveErasureRun, ...before: readonly ErasureRunApproved[]) => {
  const facts: ErasureRunFacts = factsAt();
  return scenario(erasureRunDecider, facts)
    .given(...before)
    .when(command, { digestOfListed: digestOfRun(command) });
};
const approved: ErasureRunApproved = {
  type: 'ErasureRunApproved',
  data: { runId, digest, approvedBy: 'crm', ...run },
};

describe('the approval of a dry run', () => {
  it('holds what was listed, once', () => {
    when(approve(run)).then(approved);
    when(approve(run)).thenRepeatedNothing();
    when(approve(run), approved).thenNothing();
  });
  it('is refused where anything of it is not what the digest stands for', () => {
    for (const other of [
      { ...run, at: '2028-01-06T09:00:00.000Z' },
      { ...run, items: run.items.slice(1) },
      { ...run, items: run.items.map((item) => ({ ...item, action: 'erase' as const })) },
      { ...run, exceptions: [] },
    ])
      when(approve(other)).thenRefused('VERSION_CONFLICT', { runId, field: 'digest' });
  });
  it('does not change under its id', () => {
    const other = { ...run, exceptions: [] };
    when(approve(other, { digest: digestOfRun(other) }), approved).thenRefused('REGISTER_ENTRY_EXISTS', { runId });
  });
  it('stands in a register with who gave it', () => {
    const { at, events } = logbook();
    at('2028-01-01T09:00:00Z', approved);
    expect(tablesOf(erasureRunsProjection, events)['erasure_runs']).toMatchObject([
      { run_id: runId, digest, approved_by: 'crm', approved_at: '2028-01-01T09:00:00.000Z', versions: 2 },
    ]);
  });
});

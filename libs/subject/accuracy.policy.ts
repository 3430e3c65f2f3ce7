import type { TimedPolicy } from '#slice';
import { accuracyBacklogProjection } from './accuracy.projection.js';
import { holdingsProjection } from './holdings.projection.js';

/** A check that has fallen due is raised once (C14). */
export const accuracyCheckPolicy: TimedPolicy = {
  name: 'accuracy-check',
  projection: holdingsProjection,
  table: 'holdings',
  where: { status: 'held', check_raised_for: null },
  dueColumn: 'next_check_due',
  groupBy: ['item_id'],
  command: ([row]) => ({
    type: 'RaiseAccuracyCheck',
    body: { subjectId: row['subject_id'], itemId: row['item_id'], due: row['next_check_due'] },
  }),
};

/** A check that fell due and was not done for a month is raised once more (C14). */
export const overdueCheckPolicy: TimedPolicy = {
  name: 'overdue-check',
  projection: accuracyBacklogProjection,
  table: 'accuracy_backlog',
  where: { kind: 'check', status: 'due' },
  dueColumn: 'overdue_from',
  groupBy: ['item_id'],
  command: ([row]) => ({
    type: 'RaiseOverdueCheck',
    body: { subjectId: row['subject_id'], itemId: row['item_id'], due: row['due'] },
  }),
};

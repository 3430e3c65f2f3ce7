import type { Row } from '#kernel';
import type { TimedPolicy } from '#slice';
import { usageProjection } from './usage.projection.js';

const monthOf = ([row]: readonly [Row, ...Row[]]) => ({ subjectId: row['subject_id'], month: row['month'] });
const byMonth = ['subject_id', 'month'] as const;

/** A month whose last entry is past its period expires (C16). */
export const usageExpiryPolicy: TimedPolicy = {
  name: 'usage-expiry',
  projection: usageProjection,
  table: 'usage_months',
  where: { status: 'held' },
  dueColumn: 'due',
  groupBy: byMonth,
  command: (rows) => ({ type: 'ExpireUsage', body: monthOf(rows) }),
};

/** A month that has expired is erased: first its keys go, then the erasure is stated (X5). */
export const usageErasurePolicy: TimedPolicy = {
  name: 'usage-erasure',
  projection: usageProjection,
  table: 'usage_months',
  where: { status: 'expired' },
  groupBy: byMonth,
  destroys: { keys: (rows) => rows.flatMap((row) => JSON.parse(String(row['keys'])) as string[]), cause: 'retention' },
  command: (rows) => ({ type: 'ConfirmUsageErasure', body: monthOf(rows) }),
};

import type { Row } from '#kernel';
import type { TimedPolicy } from '#slice';
import { usageProjection } from './usage.projection.js';

const monthOf = ([row]: readonly [Row, ...Row[]]) => ({ subjectId: row['subject_id'], month: row['month'] });
const byMonth = ['subject_id', 'month'] as const;

/** A month whose last entry is past its period, or whose person is erased, is put beyond use (C16). */
export const usageExpiryPolicy: TimedPolicy = {
  name: 'usage-expiry',
  projection: usageProjection,
  table: 'usage_months',
  where: { status: 'held', deferred_ref: null },
  dueColumn: 'due',
  groupBy: byMonth,
  command: (rows) => ({ type: 'ExpireUsage', body: monthOf(rows) }),
};

/** A month that is beyond use loses its keys, and that is stated (X5). */
export const usageErasurePolicy: TimedPolicy = {
  name: 'usage-erasure',
  projection: usageProjection,
  table: 'usage_months',
  where: { status: 'expired', deferred_ref: null },
  groupBy: byMonth,
  command: (rows) => ({ type: 'ConfirmUsageErasure', body: monthOf(rows) }),
};

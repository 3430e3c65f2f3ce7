import type { TimedPolicy } from '#slice';
import { liasProjection } from './lia.projection.js';

/** An assessment whose review is overdue is stated to have expired, once. */
export const liaExpiryPolicy: TimedPolicy = {
  name: 'lia-expiry',
  projection: liasProjection,
  table: 'lias',
  where: { status: 'approved' },
  dueColumn: 'review_by',
  groupBy: ['lia_id', 'version'],
  command: ([row]) => ({ type: 'ExpireLia', body: { liaId: row['lia_id'], version: row['version'] } }),
};

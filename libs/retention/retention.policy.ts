import type { Row } from '#kernel';
import type { TimedPolicy } from '#slice';
import { retentionScheduleProjection } from './retention.projection.js';

const subjectOf = ([row]: readonly [Row, ...Row[]]): string => String(row['subject_id']);

/** Whatever is past its date expires (C16). */
export const retentionExpiryPolicy: TimedPolicy = {
  name: 'retention-expiry',
  projection: retentionScheduleProjection,
  table: 'retention_schedule',
  where: { status: 'kept' },
  dueColumn: 'due',
  groupBy: ['subject_id'],
  command: (rows) => ({ type: 'ExpireRetention', body: { subjectId: subjectOf(rows) } }),
};

/** Whatever has expired is erased: first the keys go, then the erasure is stated (X5). */
export const erasurePolicy: TimedPolicy = {
  name: 'erasure',
  projection: retentionScheduleProjection,
  table: 'retention_schedule',
  where: { status: 'expired' },
  groupBy: ['subject_id'],
  destroys: { keys: (rows) => rows.map((row) => String(row['key_id'])), cause: 'retention' },
  command: (rows) => ({ type: 'ConfirmErasure', body: { subjectId: subjectOf(rows) } }),
};

import type { TimedPolicy } from '#slice';
import { rectificationsProjection } from './rectification.projection.js';

/** A case that was not completed in time is raised once (C18, C21). */
export const rectificationOverduePolicy: TimedPolicy = {
  name: 'rectification-overdue',
  projection: rectificationsProjection,
  table: 'rectifications',
  where: { status: 'open', overdue_at: null },
  dueColumn: 'due',
  groupBy: ['request_id'],
  command: ([row]) => ({
    type: 'RaiseRectificationOverdue',
    body: { subjectId: row['subject_id'], requestId: row['request_id'], due: row['due'] },
  }),
};

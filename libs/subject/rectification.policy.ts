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

/** What the person said is right goes when its case, or the dispute after it, is over: first the keys (C16, X5). */
export const reportedValuesPolicy: TimedPolicy = {
  name: 'reported-values',
  projection: rectificationsProjection,
  table: 'reported_values',
  where: { status: 'kept' },
  dueColumn: 'due',
  groupBy: ['request_id'],
  destroys: { keys: (rows) => rows.map((row) => String(row['key_id'])), cause: 'retention' },
  command: ([row]) => ({
    type: 'ConfirmReportedValuesErased',
    body: { subjectId: row['subject_id'], requestId: row['request_id'] },
  }),
};

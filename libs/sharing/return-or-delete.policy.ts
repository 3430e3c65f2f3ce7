import type { TimedPolicy } from '#slice';
import { returnOrDeleteProjection } from './return-or-delete.projection.js';

/** When a membership or an agreement ends under which data was given, its holder has to return or delete it (C19). */
export const returnOrDeletePolicy: TimedPolicy = {
  name: 'return-or-delete',
  projection: returnOrDeleteProjection,
  table: 'sharing_grounds',
  where: { given: 1, opened: 0 },
  dueColumn: 'ends_at',
  groupBy: ['recipient_id', 'reason', 'reference', 'ground_from'],
  command: ([row]) => ({
    type: 'OpenReturnOrDelete',
    body: {
      recipientId: row['recipient_id'],
      reason: row['reason'],
      reference: row['reference'],
      since: row['ground_to'],
    },
  }),
};

/** What a holder has returned or deleted ends for each person whose data it was. */
export const copiesPolicy: TimedPolicy = {
  name: 'copies',
  projection: returnOrDeleteProjection,
  table: 'given_on_ground',
  where: { ended: 0 },
  dueColumn: 'gone_at',
  groupBy: ['subject_id', 'task_id'],
  command: ([row]) => ({
    type: 'EndCopies',
    body: {
      subjectId: row['subject_id'],
      recipientId: row['recipient_id'],
      taskId: row['task_id'],
      reason: row['reason'],
      ground: row['reference'],
      since: row['since'],
      outcome: row['outcome'],
      reference: row['proof'],
    },
  }),
};

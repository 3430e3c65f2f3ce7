import type { TimedPolicy } from '#slice';
import { recipientNotificationsProjection } from './notification.projection.js';

/** What a recipient was not told, or has not confirmed, is raised again and at last as overdue (C21, Art 19). */
export const recipientReminderPolicy: TimedPolicy = {
  name: 'recipient-reminder',
  projection: recipientNotificationsProjection,
  table: 'recipient_notifications',
  where: {},
  dueColumn: 'remind_at',
  groupBy: ['subject_id', 'recipient_id', 'what'],
  command: ([row]) => ({
    type: 'RemindRecipient',
    body: { subjectId: row['subject_id'], recipientId: row['recipient_id'], what: row['what'] },
  }),
};

import type { TimedPolicy } from '#slice';
import { art14NoticesProjection } from './art14-notices.projection.js';

/** A person who was not told in time of data from elsewhere: raised once (UK GDPR Art 14(3)). */
export const art14NoticePolicy: TimedPolicy = {
  name: 'art14-notice',
  projection: art14NoticesProjection,
  table: 'art14_notices',
  where: { status: 'due' },
  dueColumn: 'due',
  groupBy: ['subject_id', 'notice_id', 'due'],
  command: ([row]) => ({
    type: 'RaiseArt14NoticeOverdue',
    body: { subjectId: row['subject_id'], noticeId: row['notice_id'], due: row['due'] },
  }),
};

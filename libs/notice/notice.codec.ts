import type { EventCodec } from '#event-log';
import type { NoticeEvent } from './notice.events.js';

/** Notices are public: nothing in them is personal. */
export const noticeCodec: EventCodec<NoticeEvent> = {
  capability: 'notice',
  events: {
    NoticePublished: { stored: 'notice-published.v1' },
    NoticeClaimFlagged: { stored: 'notice-claim-flagged.v1' },
  },
};

import { insert, update, type Projection } from '#kernel';
import type { NoticeEvent } from './notice.events.js';

/** Every version with its exact text, which is found by its hash; in force until before `superseded_at`. */
export const noticesProjection: Projection<NoticeEvent> = {
  name: 'notices',
  version: 1,
  tables: {
    notices: {
      columns: {
        notice_id: 'text',
        version: 'integer',
        language: 'text',
        title: 'text',
        content: 'text',
        content_hash: 'text',
        purposes: 'text',
        publisher: 'text',
        published_at: 'text',
        effective_from: 'text',
        superseded_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['notice_id', 'version'],
      indexes: [['content_hash']],
    },
  },
  handles: {
    NoticePublished: (event) => {
      const { noticeId, version, language, title, content, contentHash, purposes, effectiveFrom } = event.data;
      return [
        ...(version === 1
          ? []
          : [update('notices', { notice_id: noticeId, version: version - 1 }, { superseded_at: effectiveFrom })]),
        insert('notices', {
          notice_id: noticeId,
          version,
          language,
          title,
          content,
          content_hash: contentHash,
          purposes: JSON.stringify(purposes),
          publisher: event.actorId,
          published_at: event.occurredAt,
          effective_from: effectiveFrom,
          superseded_at: null,
          event_id: event.id,
          position: event.position,
        }),
      ];
    },
  },
};

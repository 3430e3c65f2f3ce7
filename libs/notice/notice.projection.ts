import { insert, update, type Projection } from '#kernel';
import type { NoticePublished } from './notice.events.js';

/** `NoticeHistory`: every version with its exact text, which is found by its hash; in force until before `superseded_at`. */
export const noticesProjection: Projection<NoticePublished> = {
  name: 'notices',
  version: 2,
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
        purpose_versions: 'text',
        statements: 'text',
        /** What the check of completeness found missing; only a version of the past has any (I-30b). */
        gaps: 'text',
        /** 1 when it told of a wider use than the version before it (I-30c). */
        widens: 'integer',
        purposes_added: 'text',
        purposes_widened: 'text',
        publisher: 'text',
        published_at: 'text',
        effective_from: 'text',
        superseded_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['notice_id', 'version'],
      indexes: [['content_hash']],
      history: true,
    },
  },
  handles: {
    NoticePublished: (event) => {
      const { noticeId, version, language, title, content, contentHash, purposes, effectiveFrom } = event.data;
      const { purposeVersions = {}, statements = [], gaps = [], widens } = event.data;
      const { purposesAdded = [], purposesWidened = [] } = event.data;
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
          purpose_versions: JSON.stringify(purposeVersions),
          statements: JSON.stringify(statements),
          gaps: JSON.stringify(gaps),
          widens: widens ? 1 : 0,
          purposes_added: JSON.stringify(purposesAdded),
          purposes_widened: JSON.stringify(purposesWidened),
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

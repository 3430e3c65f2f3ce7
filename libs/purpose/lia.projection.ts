import { insert, update, type Projection } from '#kernel';
import type { LiaEvent } from './lia.events.js';

/**
 * `LiaRegister`: every version of every assessment of a legitimate interest, who stands behind it and when it is to be
 * made anew. Nothing rests on one whose `review_by` has passed, whatever its status says: the steward states it later.
 */
export const liasProjection: Projection<LiaEvent> = {
  name: 'lias',
  version: 1,
  tables: {
    lias: {
      columns: {
        lia_id: 'text',
        version: 'integer',
        /** draft, approved, rejected, superseded or expired. */
        status: 'text',
        purpose_id: 'text',
        purpose_version: 'integer',
        outcome: 'text',
        /** What it says, as JSON text. */
        content: 'text',
        author: 'text',
        drafted_at: 'text',
        decided_by: 'text?',
        decided_at: 'text?',
        reason_code: 'text?',
        review_by: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['lia_id', 'version'],
      indexes: [['purpose_id'], ['status', 'review_by']],
      history: true,
    },
  },
  handles: {
    LiaDrafted: ({ data, occurredAt, id, position }) => {
      const { liaId, version, author, ...content } = data;
      return [
        insert('lias', {
          lia_id: liaId,
          version,
          status: 'draft',
          purpose_id: content.purposeId,
          purpose_version: content.purposeVersion,
          outcome: content.outcome,
          content: JSON.stringify(content),
          author,
          drafted_at: occurredAt,
          decided_by: null,
          decided_at: null,
          reason_code: null,
          review_by: null,
          event_id: id,
          position,
        }),
      ];
    },
    LiaApproved: ({ data, occurredAt }) => [
      ...(data.supersedes === undefined
        ? []
        : [update('lias', { lia_id: data.liaId, version: data.supersedes }, { status: 'superseded' })]),
      update(
        'lias',
        { lia_id: data.liaId, version: data.version },
        { status: 'approved', decided_by: data.approver, decided_at: occurredAt, review_by: data.reviewBy },
      ),
    ],
    LiaRejected: ({ data, occurredAt }) => [
      update(
        'lias',
        { lia_id: data.liaId, version: data.version },
        { status: 'rejected', decided_by: data.rejectedBy, decided_at: occurredAt, reason_code: data.reasonCode },
      ),
    ],
    LiaExpired: ({ data }) => [update('lias', { lia_id: data.liaId, version: data.version }, { status: 'expired' })],
  },
};

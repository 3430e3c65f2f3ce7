import { insert, update, type Projection } from '#kernel';
import { BATCH, type BulkDisclosureEvent } from './bulk-disclosure.events.js';

/**
 * Disclosures about many people: how far each has come, who was left out and why, and the parts that are still to be
 * done. Who was shared with stands in `disclosures`, by the id of the disclosure.
 */
export const bulkDisclosuresProjection: Projection<BulkDisclosureEvent> = {
  name: 'bulk-disclosures',
  version: 1,
  tables: {
    bulk_disclosures: {
      columns: {
        disclosure_id: 'text',
        recipient_id: 'text',
        recipient_kind: 'text',
        purpose_id: 'text',
        purpose_version: 'integer',
        /** JSON. */
        categories: 'text',
        agreement_id: 'text?',
        instrument_id: 'text?',
        medium: 'text',
        /** `running` or `completed`. */
        status: 'text',
        subject_count: 'integer',
        shared: 'integer',
        refused: 'integer',
        /** JSON: how many were left out by code; when it is completed. */
        refused_by_code: 'text?',
        ordered_by: 'text',
        accepted_at: 'text',
        completed_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['disclosure_id'],
      indexes: [['recipient_id'], ['status']],
      history: true,
    },
    bulk_batches: {
      columns: {
        disclosure_id: 'text',
        batch: 'integer',
        /** JSON: what is to be shared, and whose. */
        part: 'text',
        position: 'integer',
      },
      key: ['disclosure_id', 'batch'],
    },
    bulk_refusals: {
      columns: {
        disclosure_id: 'text',
        subject_id: 'text',
        code: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['disclosure_id', 'subject_id'],
      indexes: [['subject_id']],
      history: true,
    },
  },
  handles: {
    BulkDisclosureAccepted: ({ data, occurredAt, actorId, id, position }) => {
      const { subjectIds, recipientKind, purposeVersion, ...order } = data;
      const batches = Array.from({ length: Math.ceil(subjectIds.length / BATCH) }, (_none, batch) =>
        insert('bulk_batches', {
          disclosure_id: data.disclosureId,
          batch,
          part: JSON.stringify({ order, subjectIds: subjectIds.slice(batch * BATCH, (batch + 1) * BATCH) }),
          position,
        }),
      );
      return [
        insert('bulk_disclosures', {
          disclosure_id: data.disclosureId,
          recipient_id: data.recipientId,
          recipient_kind: recipientKind,
          purpose_id: data.purposeId,
          purpose_version: purposeVersion,
          categories: JSON.stringify(data.categories),
          agreement_id: data.agreementId ?? null,
          instrument_id: data.instrumentId ?? null,
          medium: data.medium,
          status: 'running',
          subject_count: data.subjectCount,
          shared: 0,
          refused: 0,
          refused_by_code: null,
          ordered_by: actorId,
          accepted_at: occurredAt,
          completed_at: null,
          event_id: id,
          position,
        }),
        ...batches,
      ];
    },
    BulkDisclosureProgressed: ({ data, id, position }) => [
      { change: 'delete', table: 'bulk_batches', where: { disclosure_id: data.disclosureId, batch: data.batch } },
      ...data.refused.map(({ subjectId, code }) =>
        insert('bulk_refusals', {
          disclosure_id: data.disclosureId,
          subject_id: subjectId,
          code,
          event_id: id,
          position,
        }),
      ),
      update(
        'bulk_disclosures',
        { disclosure_id: data.disclosureId },
        { shared: data.sharedSoFar, refused: data.refusedSoFar, event_id: id, position },
      ),
    ],
    BulkDisclosureCompleted: ({ data, occurredAt, id, position }) => [
      update(
        'bulk_disclosures',
        { disclosure_id: data.disclosureId },
        {
          status: 'completed',
          refused_by_code: JSON.stringify(data.refused),
          completed_at: occurredAt,
          event_id: id,
          position,
        },
      ),
    ],
  },
};

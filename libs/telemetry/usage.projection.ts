import { insert, remove, update, type Projection, type Row } from '#kernel';
import { dueWhenCausePasses } from '#subject';
import type { CausePassedView, DataErased, ErasureStarted, ProcessingRestricted, RestrictionLifted } from '#subject';
import type { UsageAccessAuthorised, UsageEvent } from './usage.events.js';

type UsageRowsEvent =
  UsageEvent | ErasureStarted | DataErased | ProcessingRestricted | RestrictionLifted | CausePassedView;

const NOT_DEFERRED: Row = { deferred_by: null, deferred_ref: null, deferred_since: null };

/**
 * `usage_months`: what is held of a person's usage, month by month (`status`: held, expired or erased), and until when.
 * `usage_batches`: the sealed batches of the months that are not erased.
 */
export const usageProjection: Projection<UsageRowsEvent> = {
  name: 'usage',
  version: 3,
  tables: {
    usage_months: {
      columns: {
        subject_id: 'text',
        month: 'text',
        status: 'text',
        batches: 'integer',
        entries: 'integer',
        keys: 'text',
        due: 'text',
        first_recorded_at: 'text',
        last_recorded_at: 'text',
        expired_at: 'text?',
        erased_at: 'text?',
        deferred_by: 'text?',
        deferred_ref: 'text?',
        deferred_since: 'text?',
        keystore_backup_horizon: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['subject_id', 'month'],
      indexes: [['status', 'deferred_ref', 'due'], ['deferred_ref'], ['erased_at']],
      history: true,
    },
    usage_batches: {
      columns: {
        batch_id: 'text',
        subject_id: 'text',
        month: 'text',
        stream_id: 'text',
        stream_version: 'integer',
        purpose_id: 'text',
        batch_ref: 'text',
        count: 'integer',
        first_at: 'text',
        last_at: 'text',
        recorded_at: 'text',
        sealed: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['batch_id'],
      indexes: [['subject_id', 'month', 'stream_id']],
    },
  },
  handles: {
    UsageRecorded: ({ data, id, occurredAt, recordedAt, position }) => {
      const { subjectId: subject_id, month, keys, due, held } = data;
      const now = {
        batches: held.batches,
        entries: held.entries,
        keys: JSON.stringify(keys),
        due,
        last_recorded_at: occurredAt,
        event_id: id,
        position,
      };
      return [
        held.batches === 1
          ? insert('usage_months', {
              ...now,
              subject_id,
              month,
              status: 'held',
              first_recorded_at: occurredAt,
              expired_at: null,
              erased_at: null,
              ...NOT_DEFERRED,
              keystore_backup_horizon: null,
            })
          : update('usage_months', { subject_id, month }, now),
        insert('usage_batches', {
          batch_id: data.batchId,
          subject_id,
          month,
          stream_id: data.streamId,
          stream_version: data.streamVersion,
          purpose_id: data.purposeId,
          batch_ref: data.batchRef,
          count: data.count,
          first_at: data.from,
          last_at: data.to,
          recorded_at: recordedAt,
          sealed: JSON.stringify(data.batch),
          event_id: id,
          position,
        }),
      ];
    },
    UsageExpired: ({ data, id, occurredAt, position }) => [
      update('usage_months', monthOf(data), {
        status: 'expired',
        expired_at: occurredAt,
        ...NOT_DEFERRED,
        event_id: id,
        position,
      }),
    ],
    UsageDeferred: ({ data, id, occurredAt, position }) => [
      update('usage_months', monthOf(data), {
        deferred_by: data.cause,
        deferred_ref: data.ref,
        deferred_since: occurredAt,
        event_id: id,
        position,
      }),
    ],
    ...dueWhenCausePasses('usage_months', NOT_DEFERRED),
    // Who is erased has no usage left, whatever its period.
    ErasureStarted: ({ data, occurredAt }) =>
      data.scope === 'person'
        ? [update('usage_months', { subject_id: data.subjectId, status: 'held' }, { due: occurredAt })]
        : [],
    UsageErased: ({ data, id, occurredAt, position }) => [
      update('usage_months', monthOf(data), {
        status: 'erased',
        erased_at: occurredAt,
        ...NOT_DEFERRED,
        keystore_backup_horizon: data.keystoreBackupHorizon,
        event_id: id,
        position,
      }),
      // What nobody can read is of no use to a reader.
      remove('usage_batches', monthOf(data)),
    ],
    // The keys of the months go with the person's own; each month is stated as erased by itself.
    DataErased: ({ data }) => (data.person ? [remove('usage_batches', { subject_id: data.subjectId })] : []),
  },
};

const monthOf = ({ subjectId, month }: { readonly subjectId: string; readonly month: string }) => ({
  subject_id: subjectId,
  month,
});

/** `UsageAccesses`: every use of usage that was allowed, and on what ground (C07). */
export const usageAccessesProjection: Projection<UsageAccessAuthorised> = {
  name: 'usage-accesses',
  version: 1,
  tables: {
    usage_accesses: {
      columns: {
        access_id: 'text',
        subject_id: 'text',
        streams: 'text',
        purpose_id: 'text',
        purpose_version: 'integer',
        basis: 'text',
        ground: 'text',
        actor_id: 'text',
        authorised_at: 'text',
        expires_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['access_id'],
      indexes: [['subject_id', 'position']],
      history: true,
    },
  },
  handles: {
    UsageAccessAuthorised: ({ data, actorId, occurredAt, id, position }) => [
      insert('usage_accesses', {
        access_id: data.accessId,
        subject_id: data.subjectId,
        streams: data.streamIds.join(' '),
        purpose_id: data.purposeId,
        purpose_version: data.purposeVersion,
        basis: data.basis,
        ground: data.ground,
        actor_id: actorId,
        authorised_at: occurredAt,
        expires_at: data.expiresAt,
        event_id: id,
        position,
      }),
    ],
  },
};

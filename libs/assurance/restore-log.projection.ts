import { insert, update, type Projection } from '#kernel';
import { lastDayOfTest } from './assurance.expiry.js';
import type { RestoreTested, RestoreTestStale } from './assurance.events.js';

/**
 * `RestoreLog`: every test of a backup, also those that failed (C08, UK GDPR Art 32(1)(c)-(d)). The next test is
 * overdue when today is after the last `valid_to` of all that passed, or none did.
 */
export const restoreLogProjection: Projection<RestoreTested | RestoreTestStale> = {
  name: 'restore-log',
  version: 1,
  tables: {
    restore_tests: {
      columns: {
        attestation_id: 'text',
        /** SHA-256 of the backup's manifest. */
        backup_hash: 'text',
        environment: 'text',
        performed_on: 'text',
        outcome: 'text',
        digest_before: 'text?',
        digest_after: 'text?',
        /** 1 when the two digests are equal, 0 when they are not or one is missing. */
        digests_equal: 'integer',
        duration_seconds: 'integer',
        /** Last day on which it counts; null when it failed. */
        valid_to: 'text?',
        /** When it was found to count no more. */
        stale_at: 'text?',
        recorded_by: 'text',
        recorded_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['attestation_id'],
      history: true,
    },
  },
  handles: {
    RestoreTested: ({ data, actorId, recordedAt, id, position }) => [
      insert('restore_tests', {
        attestation_id: data.attestationId,
        backup_hash: data.backupHash,
        environment: data.environment,
        performed_on: data.performedOn,
        outcome: data.outcome,
        digest_before: data.digestBefore ?? null,
        digest_after: data.digestAfter ?? null,
        digests_equal: data.digestBefore !== undefined && data.digestBefore === data.digestAfter ? 1 : 0,
        duration_seconds: data.durationSeconds,
        valid_to: data.outcome === 'passed' ? lastDayOfTest(data.performedOn) : null,
        stale_at: null,
        recorded_by: actorId,
        recorded_at: recordedAt,
        event_id: id,
        position,
      }),
    ],
    RestoreTestStale: ({ data, occurredAt }) => [
      update('restore_tests', { attestation_id: data.attestationId }, { stale_at: occurredAt }),
    ],
  },
};

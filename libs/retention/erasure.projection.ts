import { insert, insertIfAbsent, update, type Projection } from '#kernel';
import type { DataErased, ErasureStarted, ProcessingRestricted, RestrictionLifted, RetentionDeferred } from '#subject';
import type { LegalHoldLifted } from './legal-hold.events.js';
import type { DeferralClosed, ErasureFinalised } from './retention.events.js';

type ErasureEvent =
  | ErasureStarted
  | RetentionDeferred
  | DeferralClosed
  | LegalHoldLifted
  | ProcessingRestricted
  | RestrictionLifted
  | DataErased
  | ErasureFinalised;

/**
 * `ErasureLedger`: every erasure with how far it is, what it left and why, and who was given what it took.
 * Stays when all else about a person is gone: it holds ids, categories and dates, and no value.
 * What it took stands in `retention_schedule`, by its id.
 */
export const erasureLedgerProjection: Projection<ErasureEvent> = {
  name: 'erasure-ledger',
  version: 2,
  tables: {
    erasures: {
      columns: {
        erasure_id: 'text',
        subject_id: 'text',
        cause: 'text',
        /** `items` or `person`. */
        scope: 'text',
        everything: 'integer',
        /** `started` (beyond use), `erased` (no key in the vault) or `finalised` (none in its backups). */
        status: 'text',
        /** What came up before its keys were destroyed and keeps them. */
        suspended_ref: 'text?',
        continues: 'text?',
        case_ref: 'text?',
        /** Why what is no item stays: usage, or what the person reported. */
        rest_reason: 'text?',
        rest_ref: 'text?',
        started_at: 'text',
        erased_at: 'text?',
        person_key_destroyed: 'integer',
        backup_horizon: 'text?',
        finalised_at: 'text?',
        verified_by: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['erasure_id'],
      indexes: [
        ['status', 'suspended_ref'],
        ['status', 'backup_horizon'],
        ['subject_id'],
        ['suspended_ref'],
        ['erased_at'],
      ],
      history: true,
    },
    erasure_remains: {
      columns: {
        erasure_id: 'text',
        subject_id: 'text',
        item_id: 'text',
        version: 'integer',
        category: 'text',
        reason: 'text',
        ref: 'text',
        law: 'text',
        until: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['erasure_id', 'item_id', 'version'],
      indexes: [['subject_id']],
      history: true,
    },
    erasure_recipients: {
      columns: {
        erasure_id: 'text',
        subject_id: 'text',
        recipient_id: 'text',
        item_id: 'text',
        version: 'integer',
        event_id: 'text',
        position: 'integer',
      },
      key: ['erasure_id', 'recipient_id', 'item_id', 'version'],
      indexes: [['subject_id']],
      history: true,
    },
  },
  handles: {
    ErasureStarted: ({ data, occurredAt, id, position }) => {
      const about = { erasure_id: data.erasureId, subject_id: data.subjectId };
      const from = { event_id: id, position };
      return [
        // Of an erasure in several parts the first makes the row.
        insertIfAbsent('erasures', {
          ...about,
          cause: data.cause,
          scope: data.scope,
          everything: data.everything ? 1 : 0,
          status: 'started',
          suspended_ref: null,
          continues: data.continues ?? null,
          case_ref: data.caseRef ?? null,
          rest_reason: data.rest?.reason ?? null,
          rest_ref: data.rest?.ref ?? null,
          started_at: occurredAt,
          erased_at: null,
          person_key_destroyed: 0,
          backup_horizon: null,
          finalised_at: null,
          verified_by: null,
          ...from,
        }),
        ...data.remaining.map(({ itemId, version, category, reason, ref, law, until }) =>
          insert('erasure_remains', {
            ...about,
            item_id: itemId,
            version,
            category,
            reason,
            ref,
            law,
            until: until ?? null,
            ...from,
          }),
        ),
        ...data.recipients.flatMap(({ recipientId, items }) =>
          items.map(({ itemId, version }) =>
            insertIfAbsent('erasure_recipients', {
              ...about,
              recipient_id: recipientId,
              item_id: itemId,
              version,
              ...from,
            }),
          ),
        ),
      ];
    },
    RetentionDeferred: ({ data }) =>
      [...data.items, ...(data.person ? [data.person] : [])].flatMap(({ erasureId, ref }) =>
        erasureId === undefined ? [] : [update('erasures', { erasure_id: erasureId }, { suspended_ref: ref })],
      ),
    DeferralClosed: ({ data }) => [
      update('erasures', { subject_id: data.subjectId, suspended_ref: data.deferralId }, { suspended_ref: null }),
    ],
    LegalHoldLifted: ({ data }) => [update('erasures', { suspended_ref: data.holdId }, { suspended_ref: null })],
    ProcessingRestricted: ({ data }) => [
      update('erasures', { subject_id: data.subjectId, suspended_ref: 'restriction' }, { suspended_ref: null }),
    ],
    RestrictionLifted: ({ data }) => [
      update('erasures', { subject_id: data.subjectId, suspended_ref: 'restriction' }, { suspended_ref: null }),
    ],
    DataErased: ({ data, occurredAt, id }) => {
      const { erasureId, person, left, keystoreBackupHorizon } = data;
      if (erasureId === undefined) return [];
      return [
        update(
          'erasures',
          { erasure_id: erasureId },
          {
            status: (left ?? 0) > 0 ? 'started' : 'erased',
            erased_at: occurredAt,
            backup_horizon: keystoreBackupHorizon,
            ...(person && { person_key_destroyed: 1 }),
            event_id: id,
          },
        ),
      ];
    },
    ErasureFinalised: ({ data, occurredAt, id }) => [
      update(
        'erasures',
        { erasure_id: data.erasureId },
        { status: 'finalised', finalised_at: occurredAt, verified_by: data.verifiedBy, event_id: id },
      ),
    ],
  },
};

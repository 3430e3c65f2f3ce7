import { insert, insertIfAbsent, update, type Projection } from '#kernel';
import type { SuppressionEvent } from './suppression.events.js';
import type { MarketingObjectionReceived } from './use.events.js';

/**
 * `SuppressionList`: on what each suppression rests and since when. No address and no hash: those are in the vault. An
 * objection names the person it came from; a suppressed address names nobody.
 */
export const suppressionListProjection: Projection<SuppressionEvent | MarketingObjectionReceived> = {
  name: 'suppression-list',
  version: 1,
  tables: {
    suppressions: {
      columns: {
        suppression_id: 'text',
        /** objection, or what suppressed the address. */
        source: 'text',
        kind: 'text?',
        addresses: 'integer',
        subject_id: 'text?',
        since: 'text',
        lifted_at: 'text?',
        removed_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['suppression_id'],
      indexes: [['subject_id'], ['removed_at', 'lifted_at']],
      history: true,
    },
  },
  handles: {
    MarketingObjectionReceived: ({ data, occurredAt, id, position }) => [
      insert('suppressions', {
        suppression_id: data.objectionId,
        source: 'objection',
        kind: null,
        addresses: data.addresses ?? 0,
        subject_id: data.subjectId,
        since: occurredAt,
        lifted_at: null,
        removed_at: null,
        event_id: id,
        position,
      }),
    ],
    AddressSuppressed: ({ data, occurredAt, id, position }) => [
      insertIfAbsent('suppressions', {
        suppression_id: data.suppressionId,
        source: data.source,
        kind: data.kind,
        addresses: 1,
        subject_id: null,
        since: occurredAt,
        lifted_at: null,
        removed_at: null,
        event_id: id,
        position,
      }),
    ],
    SuppressionLifted: ({ data, occurredAt }) => [
      update('suppressions', { suppression_id: data.suppressionId }, { lifted_at: occurredAt }),
    ],
    SuppressionRemoved: ({ data, occurredAt }) => [
      update('suppressions', { suppression_id: data.suppressionId }, { removed_at: occurredAt }),
    ],
  },
};

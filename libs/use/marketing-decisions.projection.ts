import { insert, insertIfAbsent, type Projection } from '#kernel';
import type { UseAuthorised } from './use.events.js';

/** What this view needs of a refusal: the engine's own records own the event, and this fits its shape. */
interface RefusedAsk {
  readonly type: 'CommandRefused';
  readonly data: {
    readonly commandType: string;
    readonly code: string;
    readonly details: Readonly<Record<string, string | number | readonly string[]>>;
    /** The stream of the person. */
    readonly streamRef: string;
  };
}

/**
 * `MarketingDecisions`: every time the gate was asked, with its answer and the reason (C05). A refusal may come before
 * it is known whether the purpose is commercial, so all asks are here; `commercial` is empty for those.
 */
export const marketingDecisionsProjection: Projection<UseAuthorised | RefusedAsk> = {
  name: 'marketing-decisions',
  version: 1,
  tables: {
    marketing_decisions: {
      columns: {
        /** The id of the use, or of the refusal. */
        decision_id: 'text',
        subject_id: 'text',
        /** authorised or refused. */
        answer: 'text',
        code: 'text?',
        purpose_id: 'text?',
        purpose_version: 'integer?',
        commercial: 'integer?',
        channel: 'text?',
        campaign_ref: 'text?',
        basis: 'text?',
        basis_ref: 'text?',
        /** Of a refusal: the names that explain it, as JSON text. */
        details: 'text?',
        actor_id: 'text',
        asked_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['decision_id'],
      indexes: [['subject_id', 'position'], ['purpose_id', 'position'], ['code']],
      history: true,
    },
  },
  handles: {
    UseAuthorised: ({ data, actorId, occurredAt, id, position }) => [
      insert('marketing_decisions', {
        decision_id: data.useId,
        subject_id: data.subjectId,
        answer: 'authorised',
        code: null,
        purpose_id: data.purposeId,
        purpose_version: data.purposeVersion,
        commercial: data.commercial ? 1 : 0,
        channel: data.channel ?? null,
        campaign_ref: data.campaignRef ?? null,
        basis: data.basis,
        basis_ref: data.basisRef ?? null,
        details: null,
        actor_id: actorId,
        asked_at: occurredAt,
        event_id: id,
        position,
      }),
    ],
    CommandRefused: ({ data, actorId, occurredAt, id, position }) =>
      data.commandType === 'AuthoriseUse'
        ? [
            insertIfAbsent('marketing_decisions', {
              decision_id: id,
              subject_id: data.streamRef.slice('subject-'.length),
              answer: 'refused',
              code: data.code,
              purpose_id: textOf(data.details['purposeId']),
              purpose_version: null,
              commercial: null,
              channel: textOf(data.details['channel']),
              campaign_ref: null,
              basis: null,
              basis_ref: null,
              details: JSON.stringify(data.details),
              actor_id: actorId,
              asked_at: occurredAt,
              event_id: id,
              position,
            }),
          ]
        : [],
  },
};

const textOf = (detail: string | number | readonly string[] | undefined): string | null =>
  typeof detail === 'string' ? detail : null;

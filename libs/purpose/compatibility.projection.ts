import { insert, update, type Projection } from '#kernel';
import type { CompatibilityEvent } from './compatibility.events.js';

/**
 * Every assessment of whether data of one purpose may serve another (`status`: draft, replaced, approved, superseded
 * or revoked), holding from `approved_at` until before `ended_at`.
 */
export const compatibilityProjection: Projection<CompatibilityEvent> = {
  name: 'compatibility',
  version: 1,
  tables: {
    compatibility: {
      columns: {
        from_purpose: 'text',
        to_purpose: 'text',
        assessment: 'integer',
        status: 'text',
        from_version: 'integer',
        to_version: 'integer',
        verdict: 'text',
        ground: 'text?',
        consent_not_reasonable: 'text?',
        reasoning: 'text',
        author: 'text',
        approver: 'text?',
        assessed_at: 'text',
        approved_at: 'text?',
        ended_at: 'text?',
        reason_code: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['from_purpose', 'to_purpose', 'assessment'],
      indexes: [['to_purpose', 'status']],
      history: true,
    },
  },
  handles: {
    CompatibilityAssessed: (event) => {
      const { data, occurredAt } = event;
      return [
        ...(data.replaces === undefined ? [] : [ended(data, data.replaces, 'replaced', occurredAt)]),
        insert('compatibility', {
          from_purpose: data.from,
          to_purpose: data.to,
          assessment: data.assessment,
          status: 'draft',
          from_version: data.fromVersion,
          to_version: data.toVersion,
          verdict: data.verdict,
          ground: data.ground ?? null,
          consent_not_reasonable: data.consentNotReasonable ?? null,
          reasoning: data.reasoning,
          author: data.author,
          approver: null,
          assessed_at: occurredAt,
          approved_at: null,
          ended_at: null,
          reason_code: null,
          event_id: event.id,
          position: event.position,
        }),
      ];
    },
    CompatibilityApproved: ({ data, occurredAt }) => [
      ...(data.supersedes === undefined ? [] : [ended(data, data.supersedes, 'superseded', occurredAt)]),
      update('compatibility', rowOf(data, data.assessment), {
        status: 'approved',
        approver: data.approver,
        approved_at: occurredAt,
      }),
    ],
    CompatibilityRevoked: ({ data, occurredAt }) => [
      ended(data, data.assessment, 'revoked', occurredAt, data.reasonCode),
    ],
  },
};

interface Pair {
  readonly from: string;
  readonly to: string;
}

const rowOf = ({ from, to }: Pair, assessment: number) => ({ from_purpose: from, to_purpose: to, assessment });

function ended(pair: Pair, assessment: number, status: string, at: string, reasonCode: string | null = null) {
  return update('compatibility', rowOf(pair, assessment), { status, ended_at: at, reason_code: reasonCode });
}

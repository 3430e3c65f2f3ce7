import { insert, update, type Projection } from '#kernel';
import type { PurposeEvent } from './purpose.events.js';

/**
 * `purposes`: every version, with who stands behind it (`status`: draft, replaced or approved) and when it is in force
 * (from `effective_from` until before `effective_to`); `review_by` is when it is to be reviewed, `review_raised_for` that
 * time once it has been raised. `purpose_standing`: what holds for a purpose in all its versions
 * (`status`: draft, approved, suspended or retired).
 */
export const purposesProjection: Projection<PurposeEvent> = {
  name: 'purposes',
  version: 2,
  tables: {
    purposes: {
      columns: {
        purpose_id: 'text',
        version: 'integer',
        status: 'text',
        title: 'text',
        service_line: 'text',
        commercial: 'integer',
        basis: 'text',
        dpv_iri: 'text',
        definition: 'text',
        author: 'text',
        approver: 'text?',
        defined_at: 'text',
        approved_at: 'text?',
        effective_from: 'text?',
        effective_to: 'text?',
        review_by: 'text?',
        review_raised_for: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['purpose_id', 'version'],
      indexes: [['service_line', 'purpose_id'], ['review_by']],
      history: true,
    },
    purpose_standing: {
      columns: {
        purpose_id: 'text',
        status: 'text',
        since: 'text',
        reason_code: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['purpose_id'],
      history: true,
    },
  },
  handles: {
    PurposeDefined: (event) => {
      const { purposeId, version, author, replaces, ...definition } = event.data;
      return [
        insert('purposes', {
          purpose_id: purposeId,
          version,
          status: 'draft',
          title: definition.title,
          service_line: definition.serviceLine,
          commercial: definition.commercial ? 1 : 0,
          basis: definition.basis,
          dpv_iri: definition.dpvIri,
          definition: JSON.stringify(definition),
          author,
          approver: null,
          defined_at: event.occurredAt,
          approved_at: null,
          effective_from: null,
          effective_to: null,
          review_by: null,
          review_raised_for: null,
          event_id: event.id,
          position: event.position,
        }),
        ...(replaces === undefined
          ? []
          : [update('purposes', { purpose_id: purposeId, version: replaces }, { status: 'replaced' })]),
        ...(version === 1
          ? [
              insert('purpose_standing', {
                purpose_id: purposeId,
                status: 'draft',
                since: event.occurredAt,
                reason_code: null,
                event_id: event.id,
                position: event.position,
              }),
            ]
          : []),
      ];
    },
    PurposeApproved: (event) => {
      const { purposeId, version, approver, effectiveFrom, supersedes, reviewBy } = event.data;
      const approval = {
        status: 'approved',
        approver,
        approved_at: event.occurredAt,
        effective_from: effectiveFrom,
        review_by: reviewBy ?? null,
      };
      return [
        update('purposes', { purpose_id: purposeId, version }, approval),
        supersedes === undefined
          ? standing(event, 'approved')
          : update('purposes', { purpose_id: purposeId, version: supersedes }, { effective_to: effectiveFrom }),
      ];
    },
    PurposeReviewDue: ({ data }) => [
      update('purposes', { purpose_id: data.purposeId, version: data.version }, { review_raised_for: data.due }),
    ],
    PurposeReviewed: ({ data }) => [
      update(
        'purposes',
        { purpose_id: data.purposeId, version: data.version },
        { review_by: data.reviewBy, review_raised_for: null },
      ),
    ],
    PurposeSuspended: (event) => [standing(event, 'suspended', event.data.reasonCode)],
    PurposeResumed: (event) => [standing(event, 'approved')],
    PurposeRetired: (event) => [
      standing(event, 'retired'),
      update('purposes', { purpose_id: event.data.purposeId }, { review_by: null }),
    ],
  },
};

function standing(
  event: {
    readonly data: { readonly purposeId: string };
    readonly id: string;
    readonly occurredAt: string;
    readonly position: number;
  },
  status: 'approved' | 'suspended' | 'retired',
  reasonCode: string | null = null,
) {
  const { data, id, occurredAt, position } = event;
  return update(
    'purpose_standing',
    { purpose_id: data.purposeId },
    { status, since: occurredAt, reason_code: reasonCode, event_id: id, position },
  );
}

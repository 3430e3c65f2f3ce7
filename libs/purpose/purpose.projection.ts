import { insert, update, type Projection } from '#kernel';
import type { PurposeEvent } from './purpose.events.js';

/**
 * `purposes`: every version, with who stands behind it (`status`: draft, replaced or approved) and when it is in force
 * (from `effective_from` until before `effective_to`). `purpose_standing`: what holds for a purpose in all its versions
 * (`status`: draft, approved, suspended or retired).
 */
export const purposesProjection: Projection<PurposeEvent> = {
  name: 'purposes',
  version: 1,
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
        event_id: 'text',
        position: 'integer',
      },
      key: ['purpose_id', 'version'],
      indexes: [['service_line', 'purpose_id']],
    },
    purpose_standing: {
      columns: { purpose_id: 'text', status: 'text', since: 'text', reason_code: 'text?', position: 'integer' },
      key: ['purpose_id'],
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
                position: event.position,
              }),
            ]
          : []),
      ];
    },
    PurposeApproved: (event) => {
      const { purposeId, version, approver, effectiveFrom, supersedes } = event.data;
      const approval = { status: 'approved', approver, approved_at: event.occurredAt, effective_from: effectiveFrom };
      return [
        update('purposes', { purpose_id: purposeId, version }, approval),
        supersedes === undefined
          ? standing(event, 'approved')
          : update('purposes', { purpose_id: purposeId, version: supersedes }, { effective_to: effectiveFrom }),
      ];
    },
    PurposeSuspended: (event) => [standing(event, 'suspended', event.data.reasonCode)],
    PurposeResumed: (event) => [standing(event, 'approved')],
    PurposeRetired: (event) => [standing(event, 'retired')],
  },
};

function standing(
  event: { readonly data: { readonly purposeId: string }; readonly occurredAt: string; readonly position: number },
  status: 'approved' | 'suspended' | 'retired',
  reasonCode: string | null = null,
) {
  const { data, occurredAt, position } = event;
  return update(
    'purpose_standing',
    { purpose_id: data.purposeId },
    { status, since: occurredAt, reason_code: reasonCode, position },
  );
}

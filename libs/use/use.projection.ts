import type { ConsentExpired, ConsentInvalidated, ConsentWithdrawn } from '#consent';
import { insert, update, type Projection, type Row } from '#kernel';
import type { ErasureStarted, ProcessingRestricted } from '#subject';
import type { MarketingObjectionReceived, UseAuthorised } from './use.events.js';

type AuthorisationEvent =
  | UseAuthorised
  | MarketingObjectionReceived
  | ConsentWithdrawn
  | ConsentExpired
  | ConsentInvalidated
  | ErasureStarted
  | ProcessingRestricted;

/** `UseAuthorisations`: every use that was allowed, and whether something has revoked it since (C05). */
export const authorisationsProjection: Projection<AuthorisationEvent> = {
  name: 'use-authorisations',
  version: 4,
  tables: {
    use_authorisations: {
      columns: {
        use_id: 'text',
        subject_id: 'text',
        purpose_id: 'text',
        purpose_version: 'integer',
        commercial: 'integer',
        channel: 'text?',
        items: 'text',
        basis: 'text',
        basis_ref: 'text?',
        actor_id: 'text',
        authorised_at: 'text',
        expires_at: 'text',
        revoked_at: 'text?',
        revoked_by: 'text?',
        position: 'integer',
      },
      key: ['use_id'],
      indexes: [['subject_id', 'position']],
      history: true,
    },
  },
  handles: {
    UseAuthorised: ({ data, occurredAt, actorId, position }) => [
      insert('use_authorisations', {
        use_id: data.useId,
        subject_id: data.subjectId,
        purpose_id: data.purposeId,
        purpose_version: data.purposeVersion,
        commercial: data.commercial ? 1 : 0,
        channel: data.channel ?? null,
        items: JSON.stringify(data.items),
        basis: data.basis,
        basis_ref: data.basisRef ?? null,
        actor_id: actorId,
        authorised_at: occurredAt,
        expires_at: data.expiresAt,
        revoked_at: null,
        revoked_by: null,
        position,
      }),
    ],
    ConsentWithdrawn: ({ data, occurredAt, type }) => [
      update('use_authorisations', resting(data), { revoked_at: occurredAt, revoked_by: type }),
    ],
    ConsentExpired: ({ data, occurredAt, type }) => [
      update('use_authorisations', resting(data), { revoked_at: occurredAt, revoked_by: type }),
    ],
    ConsentInvalidated: ({ data, occurredAt, type }) => [
      update('use_authorisations', resting(data), { revoked_at: occurredAt, revoked_by: type }),
    ],
    MarketingObjectionReceived: ({ data, occurredAt, type }) => [
      update(
        'use_authorisations',
        { subject_id: data.subjectId, commercial: 1, revoked_at: null },
        { revoked_at: occurredAt, revoked_by: type },
      ),
    ],
    ErasureStarted: ({ data, occurredAt, type }) =>
      data.scope === 'person'
        ? [
            update(
              'use_authorisations',
              { subject_id: data.subjectId, revoked_at: null },
              { revoked_at: occurredAt, revoked_by: type },
            ),
          ]
        : [],
    ProcessingRestricted: ({ data, occurredAt, type }) => [
      update(
        'use_authorisations',
        { subject_id: data.subjectId, revoked_at: null },
        { revoked_at: occurredAt, revoked_by: type },
      ),
    ],
  },
};

/** The uses that rest on the consent that ended, or on one that it had renewed: both have one purpose and channel. */
function resting({
  subjectId,
  purposeId,
  channel,
}: (ConsentWithdrawn | ConsentExpired | ConsentInvalidated)['data']): Row {
  return { subject_id: subjectId, purpose_id: purposeId, channel, basis: 'consent', revoked_at: null };
}

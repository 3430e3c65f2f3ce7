import { insert, remove, type Projection } from '#kernel';
import type { UseFinding, UseReported } from '#use';
import type { IncidentKind, IncidentReported } from './incident.events.js';

/** What a finding about a use is called as an incident. */
const KINDS: { readonly [finding in UseFinding]: IncidentKind } = {
  afterWithdrawal: 'USE_AFTER_WITHDRAWAL',
  afterObjection: 'USE_AFTER_OBJECTION',
  afterRestriction: 'USE_AFTER_RESTRICTION',
  afterErasure: 'USE_AFTER_ERASURE',
  afterExpiry: 'USE_AFTER_EXPIRY',
  basisGone: 'USE_WITHOUT_BASIS',
  otherCampaign: 'USE_FOR_OTHER_CAMPAIGN',
};

/** `IncidentRegister`, and `incidents_to_open`: findings for which no incident is on record yet. */
export const incidentRegisterProjection: Projection<UseReported | IncidentReported> = {
  name: 'incident-register',
  version: 1,
  tables: {
    incidents: {
      columns: {
        incident_id: 'text',
        kind: 'text',
        status: 'text',
        subject_id: 'text',
        purpose_id: 'text',
        use_id: 'text',
        reporter: 'text',
        happened_at: 'text',
        reported_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['incident_id'],
      indexes: [['kind'], ['subject_id']],
      history: true,
    },
    incidents_to_open: {
      columns: {
        incident_id: 'text',
        kind: 'text',
        subject_id: 'text',
        purpose_id: 'text',
        use_id: 'text',
        reporter: 'text',
        happened_at: 'text',
      },
      key: ['incident_id'],
    },
  },
  handles: {
    UseReported: ({ data, actorId, occurredAt }) =>
      data.finding === undefined || data.incidentId === undefined
        ? []
        : [
            insert('incidents_to_open', {
              incident_id: data.incidentId,
              kind: KINDS[data.finding],
              subject_id: data.subjectId,
              purpose_id: data.purposeId,
              use_id: data.useId,
              reporter: actorId,
              happened_at: occurredAt,
            }),
          ],
    IncidentReported: ({ data, occurredAt, recordedAt, id, position }) => [
      remove('incidents_to_open', { incident_id: data.incidentId }),
      insert('incidents', {
        incident_id: data.incidentId,
        kind: data.kind,
        status: 'reported',
        subject_id: data.subjectId,
        purpose_id: data.purposeId,
        use_id: data.useId,
        reporter: data.reporter,
        happened_at: occurredAt,
        reported_at: recordedAt,
        event_id: id,
        position,
      }),
    ],
  },
};

import { insertIfAbsent, update, type Projection } from '#kernel';
import type { ServiceDisruptionRecorded } from './disruption.events.js';

/** `ServiceDisruptions`: which services were not there, from when to when, and why (C08, UK GDPR Art 32(1)(b)). */
export const serviceDisruptionsProjection: Projection<ServiceDisruptionRecorded> = {
  name: 'service-disruptions',
  version: 1,
  tables: {
    service_disruptions: {
      columns: {
        disruption_id: 'text',
        /** JSON list of the ids of services. */
        services: 'text',
        began_at: 'text',
        /** Null while it goes on. */
        ended_at: 'text?',
        cause: 'text',
        personal_data_unavailable: 'integer',
        incident_ref: 'text?',
        recorded_by: 'text',
        recorded_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['disruption_id'],
      indexes: [['incident_ref']],
      history: true,
    },
  },
  handles: {
    ServiceDisruptionRecorded: ({ data, actorId, recordedAt, id, position }) => {
      const key = { disruption_id: data.disruptionId };
      const said = {
        services: JSON.stringify(data.services),
        began_at: data.from,
        ended_at: data.to ?? null,
        cause: data.cause,
        personal_data_unavailable: data.personalDataUnavailable ? 1 : 0,
        incident_ref: data.incidentRef ?? null,
        recorded_by: actorId,
        recorded_at: recordedAt,
        event_id: id,
        position,
      };
      return [insertIfAbsent('service_disruptions', { ...key, ...said }), update('service_disruptions', key, said)];
    },
  },
};

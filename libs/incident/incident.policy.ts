import type { TimedPolicy } from '#slice';
import { incidentRegisterProjection } from './incident.projection.js';

/** A use that was reported too late becomes an incident, once: its id follows from the report. */
export const openIncidentPolicy: TimedPolicy = {
  name: 'open-incident',
  projection: incidentRegisterProjection,
  table: 'incidents_to_open',
  where: {},
  groupBy: ['incident_id'],
  command: ([row]) => ({
    type: 'ReportIncident',
    body: {
      incidentId: row['incident_id'],
      kind: row['kind'],
      reporter: row['reporter'],
      subjectId: row['subject_id'],
      purposeId: row['purpose_id'],
      useId: row['use_id'],
      occurredAt: row['happened_at'],
    },
  }),
};

import { capability, slice, view } from '#slice';
import { incidentCodec } from './incident.codec.js';
import { ReportIncident } from './incident.commands.js';
import { incidentDecider, incidentStream } from './incident.decider.js';
import { openIncidentPolicy } from './incident.policy.js';
import { incidentRegisterProjection } from './incident.projection.js';

export const incidentCapability = capability({
  name: 'incident',
  codec: incidentCodec,
  slices: [
    slice({
      decider: incidentDecider,
      streamPrefix: 'incident-',
      stream: ({ incidentId }) => incidentStream(incidentId),
      facts: () => ({}),
      commands: [{ command: ReportIncident, roles: ['system'] }],
    }),
  ],
  projections: [incidentRegisterProjection],
  views: [
    view('register', 'incidents', incidentRegisterProjection, 'incidents', [
      'privacyOfficer',
      'legal',
      'securityOfficer',
      'auditor',
    ]),
  ],
  policies: [openIncidentPolicy],
});

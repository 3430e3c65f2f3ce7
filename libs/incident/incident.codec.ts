import type { EventCodec } from '#event-log';
import type { IncidentEvent } from './incident.events.js';

/** An incident names ids and codes; nothing in it is personal but the random ids. */
export const incidentCodec: EventCodec<IncidentEvent> = {
  capability: 'incident',
  events: { IncidentReported: { stored: 'incident-reported.v1' } },
};

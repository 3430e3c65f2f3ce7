import type { EventCodec } from '#event-log';
import type { ServiceDisruptionRecorded } from './disruption.events.js';
import type { ProjectionRebuilt } from './rebuild.events.js';

/** Services, read models and their times: nothing here is personal. */
export const resilienceCodec: EventCodec<ServiceDisruptionRecorded | ProjectionRebuilt> = {
  capability: 'resilience',
  events: {
    ServiceDisruptionRecorded: { stored: 'service-disruption-recorded.v1' },
    ProjectionRebuilt: { stored: 'projection-rebuilt.v1' },
  },
};

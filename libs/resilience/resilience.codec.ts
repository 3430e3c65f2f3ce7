import type { EventCodec } from '#event-log';
import type { ServiceDisruptionRecorded } from './disruption.events.js';

/** Services and their times: nothing here is personal. */
export const resilienceCodec: EventCodec<ServiceDisruptionRecorded> = {
  capability: 'resilience',
  events: { ServiceDisruptionRecorded: { stored: 'service-disruption-recorded.v1' } },
};

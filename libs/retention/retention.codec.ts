import type { EventCodec } from '#event-log';
import type { RetentionEvent } from './retention.events.js';

export const retentionCodec: EventCodec<RetentionEvent> = {
  capability: 'retention',
  events: {
    RelationshipClosed: { stored: 'relationship-closed.v1' },
    ServiceRequestClosed: { stored: 'service-request-closed.v1' },
    AccountingPeriodEnded: { stored: 'accounting-period-ended.v1' },
    RetentionScheduled: { stored: 'retention-scheduled.v1' },
  },
};

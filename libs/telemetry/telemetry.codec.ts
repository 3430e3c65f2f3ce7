import type { EventCodec } from '#event-log';
import type { TelemetryStreamEvent } from './telemetry-stream.events.js';
import type { UsageAccessAuthorised, UsageEvent } from './usage.events.js';

/** Usage is sealed batch by batch; what is said about streams is not personal. */
export const telemetryCodec: EventCodec<TelemetryStreamEvent | UsageEvent | UsageAccessAuthorised> = {
  capability: 'telemetry',
  events: {
    TelemetryStreamRegistered: { stored: 'telemetry-stream-registered.v1' },
    EssentialityApproved: { stored: 'essentiality-approved.v1' },
    EssentialityRejected: { stored: 'essentiality-rejected.v1' },
    EssentialityReviewDue: { stored: 'essentiality-review-due.v1' },
    TelemetryStreamSuspended: { stored: 'telemetry-stream-suspended.v1' },
    TelemetryStreamResumed: { stored: 'telemetry-stream-resumed.v1' },
    TelemetryStreamRetired: { stored: 'telemetry-stream-retired.v1' },
    UsageRecorded: { stored: 'usage-recorded.v1', personal: ['batch'] },
    UsageExpired: { stored: 'usage-expired.v1' },
    UsageDeferred: { stored: 'usage-deferred.v1' },
    UsageErased: { stored: 'usage-erased.v1' },
    UsageAccessAuthorised: { stored: 'usage-access-authorised.v1' },
  },
};

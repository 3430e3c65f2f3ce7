import type { EventCodec } from '#event-log';
import type { SuppressionEvent } from './suppression.events.js';
import type { UseEvent } from './use.events.js';

export const useCodec: EventCodec<UseEvent | SuppressionEvent> = {
  capability: 'use',
  events: {
    UseAuthorised: { stored: 'use-authorised.v1' },
    UseReported: { stored: 'use-reported.v1' },
    MarketingObjectionReceived: { stored: 'marketing-objection-received.v1' },
    MarketingObjectionWithdrawn: { stored: 'marketing-objection-withdrawn.v1' },
    SoftOptInRecorded: { stored: 'soft-opt-in-recorded.v1' },
    PreferenceScreened: { stored: 'preference-screened.v1' },
    AddressSuppressed: { stored: 'address-suppressed.v1' },
    SuppressionLifted: { stored: 'suppression-lifted.v1' },
    SuppressionRemoved: { stored: 'suppression-removed.v1' },
  },
};

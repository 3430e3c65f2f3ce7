import type { EventCodec } from '#event-log';
import type { ConsentEvent } from './consent.events.js';

export const consentCodec: EventCodec<ConsentEvent> = {
  capability: 'consent',
  events: {
    ConsentGiven: { stored: 'consent-given.v1' },
    ConsentWithdrawn: { stored: 'consent-withdrawn.v1' },
    ConsentExpired: { stored: 'consent-expired.v1' },
  },
};

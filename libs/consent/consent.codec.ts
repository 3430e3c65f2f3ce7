import type { EventCodec } from '#event-log';
import type { ConsentEvent } from './consent.events.js';

export const consentCodec: EventCodec<ConsentEvent> = {
  capability: 'consent',
  events: {
    ConsentRequested: { stored: 'consent-requested.v1' },
    ConsentGiven: { stored: 'consent-given.v1' },
    ConsentRenewed: { stored: 'consent-renewed.v1' },
    ConsentRefused: { stored: 'consent-refused.v1' },
    ConsentWithdrawn: { stored: 'consent-withdrawn.v1' },
    ConsentExpired: { stored: 'consent-expired.v1' },
    ConsentInvalidated: { stored: 'consent-invalidated.v1' },
    ConsentUpheld: { stored: 'consent-upheld.v1' },
  },
};

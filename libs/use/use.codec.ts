import type { EventCodec } from '#event-log';
import type { UseEvent } from './use.events.js';

export const useCodec: EventCodec<UseEvent> = {
  capability: 'use',
  events: {
    UseAuthorised: { stored: 'use-authorised.v1' },
    MarketingObjectionReceived: { stored: 'marketing-objection-received.v1' },
  },
};

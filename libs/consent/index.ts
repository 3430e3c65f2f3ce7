export { consentCapability } from './consent.capability.js';
export { consentCodec } from './consent.codec.js';
export { CONSENT_EVENTS, consentKey, evolveConsent, type ConsentsState, type ConsentState } from './consent.decider.js';
export * from './consent.events.js';
export { consentLedgerProjection } from './consent.projection.js';
export { outgrownBy, widenings, widens, type Widening } from './consent.widening.js';

export { consentCapability } from './consent.capability.js';
export { consentCodec } from './consent.codec.js';
export { consentKey, evolveConsent, type ConsentsState, type ConsentState } from './consent.decider.js';
export * from './consent.events.js';
export { consentLedgerProjection } from './consent.projection.js';

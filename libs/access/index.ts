export { accessCapability } from './access.capability.js';
export { LONGEST_PASSWORD, SHORTEST_PASSWORD, SignInBusy } from './accounts.js';
export * from './authentication.js';
export * from './guard.js';
export { IdentityProvider, IdentityProviderUnavailable, type IdentityProviderOptions } from './identity-provider.js';
export { csrfOf, LONGEST_SESSION } from './sessions.js';
export { AccessStore } from './store.js';
export { LONGEST_TOKEN_LIFE, type IssuedToken, type TokenEntry } from './tokens.js';
export { accessLogProjection, type PersonalDataViewed } from './view.js';

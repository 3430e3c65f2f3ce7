export { accessCapability } from './access.capability.js';
export * from './guard.js';
export * from './tokens.js';
export { accessLogProjection, type PersonalDataViewed } from './view.js';

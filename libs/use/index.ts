export { useCapability } from './use.capability.js';
export { suppressionListProjection } from './suppression.projection.js';
export { useCodec } from './use.codec.js';
export * from './use.events.js';
export { authorisationsProjection } from './use.projection.js';

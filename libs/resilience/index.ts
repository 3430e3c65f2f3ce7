export * from './disruption.events.js';
export { serviceDisruptionsProjection } from './disruption.projection.js';
export * from './rebuild.events.js';
export { projectionRebuildsProjection } from './rebuild.projection.js';
export { resilienceCapability } from './resilience.capability.js';

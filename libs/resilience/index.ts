export * from './disruption.events.js';
export { serviceDisruptionsProjection } from './disruption.projection.js';
export { resilienceCapability } from './resilience.capability.js';

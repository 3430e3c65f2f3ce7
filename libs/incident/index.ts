export { incidentCapability } from './incident.capability.js';
export * from './incident.events.js';
export { incidentRegisterProjection } from './incident.projection.js';

export * from './telemetry-stream.events.js';
export * from './telemetry-stream.register.js';
export { telemetryInventoryProjection } from './telemetry-stream.projection.js';
export { telemetryCapability } from './telemetry.capability.js';
export { telemetryCodec } from './telemetry.codec.js';
export * from './usage.events.js';
export { usageAccessesProjection, usageProjection } from './usage.projection.js';

export { retentionCapability } from './retention.capability.js';
export { retentionCodec } from './retention.codec.js';
export { KEYSTORE_BACKUP_HORIZON } from './retention.decider.js';
export * from './retention.events.js';
export { retentionScheduleProjection } from './retention.projection.js';

export * from './codec.js';
export { type Envelope } from './envelope.js';
export * from './event-log.js';
export { CannotFollow, type Follower, type Subscription } from './subscription.js';

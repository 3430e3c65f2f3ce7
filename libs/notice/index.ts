export * from './notice.capability.js';
export * from './notice.codec.js';
export * from './notice.commands.js';
export * from './notice.decider.js';
export * from './notice.events.js';
export * from './notice.projection.js';
export * from './notice.register.js';

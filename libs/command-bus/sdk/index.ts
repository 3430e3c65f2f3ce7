export * from './client.js';
export * from './cloud-event.js';
export * from './events.js';
export * from './message.js';
export * from './redis.js';
export * from './sealing.js';
export * from './transport.js';
export type * from './commands.js';

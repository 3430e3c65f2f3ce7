export * from './projector.js';
export * from './read-models.js';
export { physicalName } from './schema.js';

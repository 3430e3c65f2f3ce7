export { startEmbeddedEventStore, type EmbeddedEventStore, type EmbeddedEventStoreOptions } from './server.js';
export { FolderInUse } from './folder-lock.js';
export { CorruptLog } from './segments.js';

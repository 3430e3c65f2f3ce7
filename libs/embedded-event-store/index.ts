export { startEmbeddedEventStore, type EmbeddedEventStore, type EmbeddedEventStoreOptions } from './server.js';
export { addUser } from './auth.js';
export { FolderInUse } from './folder-lock.js';
export { CorruptLog } from './segments.js';

export { BlindIndexKeys } from './blind-index-keys.js';
export * from './errors.js';
export * from './key-vault.js';
export * from './master-key.js';
export { fromStored, isStoredSeal, toStored, type StoredSeal } from './seal.js';
export { SuppressionList, type SuppressionChange } from './suppression-list.js';

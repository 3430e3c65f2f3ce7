export {
  causeKeeping,
  evolveKeeping,
  KEEPING_FOLDS,
  nothingKept,
  type BlockingCause,
  type Keeping,
  type KeepingEvent,
} from './deferral.decider.js';
export { KEYSTORE_BACKUP_HORIZON } from './erasure.decider.js';
export { erasureLedgerProjection } from './erasure.projection.js';
export * from './legal-hold.events.js';
export type { ErasureRunEvent } from './erasure-run.events.js';
export { legalHoldsProjection } from './legal-hold.projection.js';
export { legalHoldRegister, legalHoldsAsOf, type LegalHoldRegisterState } from './legal-hold.register.js';
export { retentionCapability } from './retention.capability.js';
export { retentionCodec } from './retention.codec.js';
export * from './retention.events.js';
export { ErasureJournal, isTombstone, journalOf, type JournalEntry, type TombstoneEntry } from './erasure-journal.js';
export { retentionScheduleProjection } from './retention.projection.js';

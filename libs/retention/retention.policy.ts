import type { Row } from '#kernel';
import type { TimedPolicy } from '#slice';
import { rectificationsProjection } from '#subject';
import { erasureLedgerProjection } from './erasure.projection.js';
import { legalHoldsProjection } from './legal-hold.projection.js';
import { retentionScheduleProjection } from './retention.projection.js';

const subjectOf = ([row]: readonly [Row, ...Row[]]): string => String(row['subject_id']);

/** Whatever is past its date, and not deferred, is put beyond use (C16). */
export const retentionExpiryPolicy: TimedPolicy = {
  name: 'retention-expiry',
  projection: retentionScheduleProjection,
  table: 'retention_schedule',
  where: { status: 'kept', deferred_ref: null },
  dueColumn: 'due',
  groupBy: ['subject_id'],
  command: (rows) => ({ type: 'ExpireRetention', body: { subjectId: subjectOf(rows) } }),
};

/** What was held on a consent alone goes when no consent to its purpose stands any more (UK GDPR Art 17(1)(b)). */
export const consentedPurposePolicy: TimedPolicy = {
  name: 'consented-purpose',
  projection: retentionScheduleProjection,
  table: 'retention_purposes',
  where: { ended_at: null },
  dueColumn: 'consent_ended_at',
  groupBy: ['subject_id', 'purpose_id'],
  command: ([row]) => ({
    type: 'EndConsentedPurpose',
    body: { subjectId: row['subject_id'], purposeId: row['purpose_id'] },
  }),
};

/** Whatever is beyond use loses its keys, and that is stated (X5). */
export const erasurePolicy: TimedPolicy = {
  name: 'erasure',
  projection: erasureLedgerProjection,
  table: 'erasures',
  where: { status: 'started', suspended_ref: null },
  groupBy: ['subject_id'],
  command: (rows) => ({ type: 'ConfirmErasure', body: { subjectId: subjectOf(rows) } }),
};

/** What the person said is right goes when its case, or the dispute after it, is over, or the person is erased. */
export const reportedValuesPolicy: TimedPolicy = {
  name: 'reported-values',
  projection: rectificationsProjection,
  table: 'reported_values',
  where: { status: 'kept', deferred_ref: null },
  dueColumn: 'due',
  groupBy: ['request_id'],
  command: ([row]) => ({
    type: 'ConfirmReportedValuesErased',
    body: { subjectId: row['subject_id'], requestId: row['request_id'] },
  }),
};

/** An erasure is final when the last backup that could hold a key of it is gone. */
export const erasureFinalityPolicy: TimedPolicy = {
  name: 'erasure-finality',
  projection: erasureLedgerProjection,
  table: 'erasures',
  where: { status: 'erased' },
  dueColumn: 'backup_horizon',
  groupBy: ['erasure_id'],
  command: ([row]) => ({
    type: 'FinaliseErasure',
    body: { subjectId: row['subject_id'], erasureId: row['erasure_id'] },
  }),
};

/** A hold that stands on one person's word ends when its time is over. */
export const holdLapsePolicy: TimedPolicy = {
  name: 'hold-lapse',
  projection: legalHoldsProjection,
  table: 'legal_holds',
  where: { status: 'placed' },
  dueColumn: 'approve_by',
  groupBy: ['hold_id'],
  command: ([row]) => ({ type: 'LapseLegalHold', body: { holdId: row['hold_id'] } }),
};

/** A hold is looked at again when its review date comes. */
export const holdReviewPolicy: TimedPolicy = {
  name: 'hold-review',
  projection: legalHoldsProjection,
  table: 'legal_holds',
  where: { status: 'approved', review_raised_for: null },
  dueColumn: 'review_at',
  groupBy: ['hold_id'],
  command: ([row]) => ({
    type: 'RaiseHoldReview',
    body: { holdId: row['hold_id'], reviewAt: row['review_at'] },
  }),
};

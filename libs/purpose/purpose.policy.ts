import type { TimedPolicy } from '#slice';
import { purposesProjection } from './purpose.projection.js';

/**
 * The review of a purpose that has fallen due is raised once. The purpose stays in force: stopping a service that
 * people ordered is a decision, and somebody takes it with `SuspendPurpose`.
 */
export const purposeReviewPolicy: TimedPolicy = {
  name: 'purpose-review',
  projection: purposesProjection,
  table: 'purposes',
  where: { status: 'approved', effective_to: null, review_raised_for: null },
  dueColumn: 'review_by',
  groupBy: ['purpose_id', 'version'],
  command: ([row]) => ({
    type: 'RaisePurposeReview',
    body: { purposeId: row['purpose_id'], version: row['version'], due: row['review_by'] },
  }),
};

import type { TimedPolicy } from '#slice';
import { accessReviewsProjection } from './grant-review.projection.js';
import { accessMatrixProjection } from './grant.projection.js';

/** The end of a grant is stated when its window has passed; it opened nothing from then on already. */
const expiry = (status: 'granted' | 'requested'): TimedPolicy => ({
  name: `expiry of access ${status}`,
  projection: accessMatrixProjection,
  table: 'access_grants',
  where: { status },
  dueColumn: 'valid_to',
  groupBy: ['grant_id'],
  command: ([row]) => ({
    type: 'ExpireAccess',
    body: { granteeId: row['grantee_id'], grantId: row['grant_id'] },
  }),
});

/** A review that nobody did in time is on record as overdue. */
export const accessReviewPolicy: TimedPolicy = {
  name: 'reviews of access',
  projection: accessReviewsProjection,
  table: 'access_reviews',
  where: { status: 'due' },
  dueColumn: 'due_by',
  groupBy: ['kind', 'reviewed_id'],
  command: ([row]) => ({
    type: 'RaiseAccessReview',
    body: { granteeId: row['grantee_id'], kind: row['kind'], reviewedId: row['reviewed_id'], due: row['due_by'] },
  }),
};

export const grantExpiryPolicies: readonly TimedPolicy[] = [expiry('granted'), expiry('requested')];

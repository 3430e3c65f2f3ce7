import type { TimedPolicy } from '#slice';
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

export const grantExpiryPolicies: readonly TimedPolicy[] = [expiry('granted'), expiry('requested')];

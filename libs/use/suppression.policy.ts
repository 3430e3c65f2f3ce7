import type { TimedPolicy } from '#slice';
import { suppressionListProjection } from './suppression.projection.js';

/** What a lifted suppression has left in the vault goes. It counted for nothing already. */
export const suppressionRemovalPolicy: TimedPolicy = {
  name: 'suppression-removal',
  projection: suppressionListProjection,
  table: 'suppressions',
  where: { removed_at: null },
  dueColumn: 'lifted_at',
  groupBy: ['suppression_id'],
  command: ([row]) => ({ type: 'RemoveSuppression', body: { suppressionId: row['suppression_id'] } }),
};

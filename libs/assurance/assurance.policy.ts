import type { TimedPolicy } from '#slice';
import { assuranceProjection } from './assurance.projection.js';

/** `AssuranceExpiry`: warns before what is attested ends, and says so when it has ended. */
export const assuranceExpiryPolicy: TimedPolicy = {
  name: 'assurance-expiry',
  projection: assuranceProjection,
  table: 'attestations',
  where: {},
  dueColumn: 'check_due',
  groupBy: ['attestation_id'],
  command: ([row]) => ({ type: 'CheckAttestation', body: { attestationId: row['attestation_id'] } }),
};

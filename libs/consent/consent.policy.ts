import type { TimedPolicy } from '#slice';
import { consentLedgerProjection } from './consent.projection.js';

/** A consent ends when its agreed life is over. */
export const consentExpiryPolicy: TimedPolicy = {
  name: 'consent-expiry',
  projection: consentLedgerProjection,
  table: 'consents',
  where: { ended_at: null },
  dueColumn: 'expires_at',
  groupBy: ['consent_id'],
  command: ([row]) => ({
    type: 'ExpireConsent',
    body: { subjectId: row['subject_id'], purposeId: row['purpose_id'], channel: row['channel'] },
  }),
};

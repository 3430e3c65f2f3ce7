import type { Row } from '#kernel';
import type { TimedPolicy } from '#slice';
import { consentLedgerProjection } from './consent.projection.js';

const consentOf = ([row]: readonly [Row, ...Row[]]) => ({
  subjectId: row['subject_id'],
  purposeId: row['purpose_id'],
  channel: row['channel'],
});

/** A consent ends when its agreed life is over. */
export const consentExpiryPolicy: TimedPolicy = {
  name: 'consent-expiry',
  projection: consentLedgerProjection,
  table: 'consents',
  where: { status: 'given' },
  dueColumn: 'expires_at',
  groupBy: ['consent_id'],
  command: (rows) => ({ type: 'ExpireConsent', body: consentOf(rows) }),
};

/** A consent is held against every version of its purpose that takes effect while it stands. */
export const consentReviewPolicy: TimedPolicy = {
  name: 'consent-review',
  projection: consentLedgerProjection,
  table: 'consent_reviews',
  where: {},
  dueColumn: 'due',
  groupBy: ['consent_id'],
  command: (rows) => ({ type: 'ReviewConsent', body: consentOf(rows) }),
};

import type { EventCodec } from '#event-log';
import type { ErasureRunEvent } from './erasure-run.events.js';
import type { LegalHoldEvent } from './legal-hold.events.js';
import type { RetentionEvent } from './retention.events.js';

export const retentionCodec: EventCodec<RetentionEvent | LegalHoldEvent | ErasureRunEvent> = {
  capability: 'retention',
  events: {
    RelationshipClosed: { stored: 'relationship-closed.v1' },
    ServiceRequestClosed: { stored: 'service-request-closed.v1' },
    AccountingPeriodEnded: { stored: 'accounting-period-ended.v1' },
    RetentionScheduled: { stored: 'retention-scheduled.v1' },
    DeferralOpened: { stored: 'deferral-opened.v1' },
    DeferralClosed: { stored: 'deferral-closed.v1' },
    DataAnonymised: { stored: 'data-anonymised.v1' },
    ErasureFinalised: { stored: 'erasure-finalised.v1' },
    ErasureRunApproved: { stored: 'erasure-run-approved.v1' },
    LegalHoldPlaced: { stored: 'legal-hold-placed.v1' },
    LegalHoldApproved: { stored: 'legal-hold-approved.v1' },
    LegalHoldReviewDue: { stored: 'legal-hold-review-due.v1' },
    LegalHoldReviewed: { stored: 'legal-hold-reviewed.v1' },
    LegalHoldLifted: { stored: 'legal-hold-lifted.v1' },
  },
};

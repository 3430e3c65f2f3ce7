import type { EventCodec } from '#event-log';
import type { SubjectEvent } from './subject.events.js';

export const subjectCodec: EventCodec<SubjectEvent> = {
  capability: 'subject',
  events: {
    SubjectRegistered: { stored: 'subject-registered.v1' },
    NoticePresented: { stored: 'notice-presented.v1' },
    DataCollected: { stored: 'data-collected.v1', personal: ['items.*.value'] },
    DataCorrected: { stored: 'data-corrected.v1', personal: ['value'] },
    RectificationRefused: { stored: 'rectification-refused.v1' },
    RecipientNotified: { stored: 'recipient-notified.v2' },
    CorrectionCompleted: { stored: 'correction-completed.v1' },
    AccuracyConfirmed: { stored: 'accuracy-confirmed.v1' },
    AccuracyDoubtRaised: { stored: 'accuracy-doubt-raised.v1' },
    AccuracyCheckDue: { stored: 'accuracy-check-due.v1' },
    AccuracyCheckOverdue: { stored: 'accuracy-check-overdue.v1' },
    Art14NoticeOverdue: { stored: 'art14-notice-overdue.v1' },
    SubjectReportedChange: { stored: 'subject-reported-change.v1', personal: ['changes.*.value'] },
    RectificationRequested: { stored: 'rectification-requested.v1' },
    RectificationAnswered: { stored: 'rectification-answered.v1' },
    RectificationCompleted: { stored: 'rectification-completed.v1' },
    RectificationOverdue: { stored: 'rectification-overdue.v1' },
    ReportedValuesDeferred: { stored: 'reported-values-deferred.v1' },
    ReportedValuesErased: { stored: 'reported-values-erased.v1' },
    ProcessingRestricted: { stored: 'processing-restricted.v1' },
    RestrictionLifted: { stored: 'restriction-lifted.v1' },
    HeldForPurpose: { stored: 'held-for-purpose.v1' },
    PurposeEnded: { stored: 'purpose-ended.v1' },
    RetentionExpired: { stored: 'retention-expired.v1' },
    RetentionDeferred: { stored: 'retention-deferred.v1' },
    RetentionReviewDue: { stored: 'retention-review-due.v1' },
    RetentionReviewed: { stored: 'retention-reviewed.v1' },
    ErasureStarted: { stored: 'erasure-started.v1' },
    DataErased: { stored: 'data-erased.v1' },
  },
  upcasts: {
    // Told of corrections only, and of one item at a time.
    'recipient-notified.v1': {
      to: 'recipient-notified.v2',
      change: ({ itemId, version, ...rest }) => ({ ...rest, items: [{ itemId, version }] }),
    },
  },
};

import { insert, update, type RowChange, type Projection, type Recorded } from '#kernel';
import type { GrantEvent } from './grant.events.js';

/**
 * `AccessReviewStatus`: what is to be reviewed by when, and what became of it. One row for each grant and each
 * emergency. A row whose `due_by` has passed is late, whatever its status says: the steward states it a moment after.
 */
export const accessReviewsProjection: Projection<GrantEvent> = {
  name: 'access-reviews',
  version: 1,
  tables: {
    access_reviews: {
      columns: {
        /** grant or breakGlass. */
        kind: 'text',
        reviewed_id: 'text',
        grantee_id: 'text',
        /** due, overdue, done (an emergency that was judged) or ended (nothing is left to review). */
        status: 'text',
        due_by: 'text',
        overdue_at: 'text?',
        /** How often it was reviewed; each time by another person than the grantee. */
        last_reviewed_by: 'text?',
        last_reviewed_at: 'text?',
        /** Of an emergency: justified or unjustified. */
        outcome: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['kind', 'reviewed_id'],
      indexes: [['status', 'due_by'], ['grantee_id']],
      history: true,
    },
  },
  handles: {
    AccessRequested: () => [],
    AccessGranted: (event) => [task(event, 'grant', event.data.grantId, event.data.reviewBy)],
    AccessRevoked: ({ data }) => [ofGrant(data.grantId, { status: 'ended' })],
    AccessExpired: ({ data }) => [ofGrant(data.grantId, { status: 'ended' })],
    AccessReviewed: ({ data, occurredAt }) => [
      ofGrant(data.grantId, {
        status: 'due',
        due_by: data.reviewBy,
        overdue_at: null,
        last_reviewed_by: data.reviewedBy,
        last_reviewed_at: occurredAt,
      }),
    ],
    AccessReviewOverdue: ({ data, occurredAt }) => [
      update(
        'access_reviews',
        { kind: data.kind, reviewed_id: data.reviewedId },
        { status: 'overdue', overdue_at: occurredAt },
      ),
    ],
    BreakGlassUsed: (event) => [task(event, 'breakGlass', event.data.breakGlassId, event.data.reviewBy)],
    BreakGlassEnded: () => [],
    BreakGlassReviewed: ({ data, occurredAt }) => [
      update(
        'access_reviews',
        { kind: 'breakGlass', reviewed_id: data.breakGlassId },
        { status: 'done', last_reviewed_by: data.reviewedBy, last_reviewed_at: occurredAt, outcome: data.outcome },
      ),
    ],
  },
};

function task(event: Recorded<GrantEvent>, kind: 'grant' | 'breakGlass', reviewedId: string, due: string): RowChange {
  return insert('access_reviews', {
    kind,
    reviewed_id: reviewedId,
    grantee_id: event.data.granteeId,
    status: 'due',
    due_by: due,
    overdue_at: null,
    last_reviewed_by: null,
    last_reviewed_at: null,
    outcome: null,
    event_id: event.id,
    position: event.position,
  });
}

const ofGrant = (grantId: string, change: Parameters<typeof update>[2]): RowChange =>
  update('access_reviews', { kind: 'grant', reviewed_id: grantId }, change);

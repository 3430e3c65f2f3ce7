import { insert, update, type Projection } from '#kernel';
import type { LegalHoldEvent } from './legal-hold.events.js';

/** `LegalHolds`: what must not be erased, for which matter, on whose word, and when that is looked at again. */
export const legalHoldsProjection: Projection<LegalHoldEvent> = {
  name: 'legal-holds',
  version: 1,
  tables: {
    legal_holds: {
      columns: {
        hold_id: 'text',
        matter_ref: 'text',
        basis: 'text',
        /** `HoldScope` as JSON. */
        scope: 'text',
        /** `placed`, `approved` or `lifted`. */
        status: 'text',
        placed_by: 'text',
        placed_at: 'text',
        approve_by: 'text',
        approved_by: 'text?',
        approved_at: 'text?',
        review_at: 'text',
        review_raised_for: 'text?',
        reviewed_by: 'text?',
        reviewed_at: 'text?',
        lifted_at: 'text?',
        lifted_for: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['hold_id'],
      indexes: [
        ['status', 'review_at'],
        ['status', 'approve_by'],
      ],
      history: true,
    },
  },
  handles: {
    LegalHoldPlaced: ({ data, occurredAt, id, position }) => [
      insert('legal_holds', {
        hold_id: data.holdId,
        matter_ref: data.matterRef,
        basis: data.basis,
        scope: JSON.stringify(data.scope),
        status: 'placed',
        placed_by: data.placedBy,
        placed_at: occurredAt,
        approve_by: data.approveBy,
        approved_by: null,
        approved_at: null,
        review_at: data.reviewAt,
        review_raised_for: null,
        reviewed_by: null,
        reviewed_at: null,
        lifted_at: null,
        lifted_for: null,
        event_id: id,
        position,
      }),
    ],
    LegalHoldApproved: ({ data, occurredAt, id }) => [
      update(
        'legal_holds',
        { hold_id: data.holdId },
        { status: 'approved', approved_by: data.approvedBy, approved_at: occurredAt, event_id: id },
      ),
    ],
    LegalHoldReviewDue: ({ data, id }) => [
      update('legal_holds', { hold_id: data.holdId }, { review_raised_for: data.reviewAt, event_id: id }),
    ],
    LegalHoldReviewed: ({ data, occurredAt, id }) => [
      update(
        'legal_holds',
        { hold_id: data.holdId },
        {
          review_at: data.reviewAt,
          review_raised_for: null,
          reviewed_by: data.reviewedBy,
          reviewed_at: occurredAt,
          event_id: id,
        },
      ),
    ],
    LegalHoldLifted: ({ data, occurredAt, id }) => [
      update(
        'legal_holds',
        { hold_id: data.holdId },
        { status: 'lifted', lifted_at: occurredAt, lifted_for: data.reason, event_id: id },
      ),
    ],
  },
};

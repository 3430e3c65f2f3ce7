import { insert, insertIfAbsent, update, type Projection } from '#kernel';
import type { GrantEvent } from './grant.events.js';

/**
 * `AccessMatrix`: who may look at what, who opened it, and when it is to be reviewed. A grant
 * whose `valid_to` has passed opens nothing, whatever its status says: the steward states its end later.
 * `break_glass`: emergencies, and who judged them.
 */
export const accessMatrixProjection: Projection<GrantEvent> = {
  name: 'access-matrix',
  version: 2,
  tables: {
    access_grants: {
      columns: {
        grant_id: 'text',
        grantee_id: 'text',
        role: 'text',
        purpose_id: 'text',
        /** Words with blanks between them. */
        categories: 'text',
        case_ref: 'text?',
        /** requested, granted, revoked or expired. */
        status: 'text',
        valid_from: 'text',
        valid_to: 'text',
        requested_by: 'text',
        requested_at: 'text',
        approved_by: 'text?',
        approved_at: 'text?',
        reviewed_by: 'text?',
        reviewed_at: 'text?',
        review_by: 'text?',
        ended_at: 'text?',
        end_reason: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['grant_id'],
      indexes: [['grantee_id'], ['status', 'valid_to']],
      history: true,
    },
    break_glass: {
      columns: {
        break_glass_id: 'text',
        grantee_id: 'text',
        subject_id: 'text',
        reason: 'text',
        case_ref: 'text',
        used_at: 'text',
        until: 'text',
        review_by: 'text',
        ended_at: 'text?',
        reviewed_by: 'text?',
        reviewed_at: 'text?',
        outcome: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['break_glass_id'],
      indexes: [['subject_id'], ['grantee_id']],
      history: true,
    },
  },
  handles: {
    AccessRequested: ({ data, occurredAt, id, position }) => [
      insertIfAbsent('access_grants', {
        grant_id: data.grantId,
        grantee_id: data.granteeId,
        role: data.role,
        purpose_id: data.purposeId,
        categories: data.categories.join(' '),
        case_ref: data.caseRef ?? null,
        status: 'requested',
        valid_from: data.from,
        valid_to: data.to,
        requested_by: data.requestedBy,
        requested_at: occurredAt,
        approved_by: null,
        approved_at: null,
        reviewed_by: null,
        reviewed_at: null,
        review_by: null,
        ended_at: null,
        end_reason: null,
        event_id: id,
        position,
      }),
    ],
    AccessGranted: ({ data, occurredAt }) => [
      update(
        'access_grants',
        { grant_id: data.grantId },
        { status: 'granted', approved_by: data.approvedBy, approved_at: occurredAt, review_by: data.reviewBy },
      ),
    ],
    AccessRevoked: ({ data, occurredAt }) => [
      update(
        'access_grants',
        { grant_id: data.grantId },
        { status: 'revoked', ended_at: occurredAt, end_reason: data.reason, review_by: null },
      ),
    ],
    AccessExpired: ({ data, occurredAt }) => [
      update(
        'access_grants',
        { grant_id: data.grantId },
        { status: 'expired', ended_at: occurredAt, end_reason: 'expired', review_by: null },
      ),
    ],
    AccessReviewed: ({ data, occurredAt }) => [
      update(
        'access_grants',
        { grant_id: data.grantId },
        { reviewed_by: data.reviewedBy, reviewed_at: occurredAt, review_by: data.reviewBy },
      ),
    ],
    BreakGlassUsed: ({ data, occurredAt, id, position }) => [
      insert('break_glass', {
        break_glass_id: data.breakGlassId,
        grantee_id: data.granteeId,
        subject_id: data.subjectId,
        reason: data.reason,
        case_ref: data.caseRef,
        used_at: occurredAt,
        until: data.until,
        review_by: data.reviewBy,
        ended_at: null,
        reviewed_by: null,
        reviewed_at: null,
        outcome: null,
        event_id: id,
        position,
      }),
    ],
    AccessReviewOverdue: () => [],
    BreakGlassEnded: ({ data, occurredAt }) => [
      update('break_glass', { break_glass_id: data.breakGlassId }, { ended_at: occurredAt }),
    ],
    BreakGlassReviewed: ({ data, occurredAt }) => [
      update(
        'break_glass',
        { break_glass_id: data.breakGlassId },
        { reviewed_by: data.reviewedBy, reviewed_at: occurredAt, outcome: data.outcome },
      ),
    ],
  },
};

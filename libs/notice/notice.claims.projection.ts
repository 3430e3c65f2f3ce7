import { insert, update, type Projection } from '#kernel';
import type { NoticeEvent } from './notice.events.js';

/**
 * `ClaimsRegister`: what each notice version claims of the controller (C03).
 *
 * A row says what is claimed, not what it is worth: that follows from the attestations and from the day on which it
 * is asked, so it is worked out when it is asked (`GET /v1/claims`) and is never older than the question.
 */
export const noticeClaimsProjection: Projection<NoticeEvent> = {
  name: 'notice-claims',
  version: 1,
  tables: {
    claims: {
      columns: {
        notice_id: 'text',
        version: 'integer',
        claim_id: 'text',
        kind: 'text',
        scheme: 'text',
        edition: 'text?',
        claim_text: 'text',
        effective_from: 'text',
        superseded_at: 'text?',
        /** What it was worth when it was recorded, if no new version could have made it. */
        flagged: 'text?',
        flagged_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['notice_id', 'version', 'claim_id'],
      history: true,
    },
  },
  handles: {
    NoticePublished: ({ data, id, position }) => [
      ...(data.version === 1
        ? []
        : [
            update(
              'claims',
              { notice_id: data.noticeId, version: data.version - 1 },
              { superseded_at: data.effectiveFrom },
            ),
          ]),
      ...(data.claims ?? []).map(({ claimId, kind, scheme, edition, text }) =>
        insert('claims', {
          notice_id: data.noticeId,
          version: data.version,
          claim_id: claimId,
          kind,
          scheme,
          edition: edition ?? null,
          claim_text: text,
          effective_from: data.effectiveFrom,
          superseded_at: null,
          flagged: null,
          flagged_at: null,
          event_id: id,
          position,
        }),
      ),
    ],
    NoticeClaimFlagged: ({ data, occurredAt }) => [
      update(
        'claims',
        { notice_id: data.noticeId, version: data.version, claim_id: data.claimId },
        { flagged: data.status, flagged_at: occurredAt },
      ),
    ],
  },
};

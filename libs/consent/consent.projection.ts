import {
  insert,
  insertIfAbsent,
  remove,
  update,
  type Projection,
  type Recorded,
  type Row,
  type RowChange,
} from '#kernel';
import type { PurposeApproved } from '#purpose';
import type { ConsentEvent, ConsentGiven, ConsentKey, ConsentRenewed } from './consent.events.js';

/**
 * `ConsentLedger`: every consent with its evidence and where it stands (C05, UK GDPR Art 7(1)).
 *
 * `consents`: one row for each consent, from the question on. `status`: requested, given, refused, withdrawn, expired,
 * invalidated, renewed (another consent took its place) or lapsed (asked again before there was an answer).
 * `consent_events`: what happened to each, and who recorded it. The evidence holds no value. It is kept while the
 * consent is relied on, and six years after it ended, in which a claim can still be brought (Limitation Act 1980 s.5).
 *
 * `consent_reviews`: the consents that stand, and from when each is to be held against a later version of its purpose.
 * An approval that is stored while a consent is being decided may find no row yet: such a consent is held against that
 * version with the next one. The use gate asks the register and refuses at once.
 */
export const consentLedgerProjection: Projection<ConsentEvent | PurposeApproved> = {
  name: 'consent-ledger',
  version: 2,
  tables: {
    consents: {
      columns: {
        consent_id: 'text',
        subject_id: 'text',
        purpose_id: 'text',
        purpose_version: 'integer',
        channel: 'text',
        status: 'text',
        notice_id: 'text?',
        notice_version: 'integer?',
        statement_hash: 'text?',
        method: 'text?',
        affirmative_act: 'text?',
        given_by: 'text?',
        authority_ref: 'text?',
        recorded_by: 'text',
        requested_at: 'text?',
        given_at: 'text?',
        expires_at: 'text?',
        covers_version: 'integer?',
        renews: 'text?',
        renewed_by: 'text?',
        ended_at: 'text?',
        ended_by: 'text?',
        reason: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['consent_id'],
      indexes: [
        ['subject_id', 'purpose_id', 'channel'],
        ['status', 'expires_at'],
      ],
      history: true,
    },
    consent_events: {
      columns: {
        consent_id: 'text',
        subject_id: 'text',
        purpose_id: 'text',
        channel: 'text',
        type: 'text',
        method: 'text?',
        reason: 'text?',
        actor_id: 'text',
        occurred_at: 'text',
        recorded_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['consent_id', 'position'],
      indexes: [['subject_id', 'position']],
      history: true,
    },
    consent_reviews: {
      columns: { consent_id: 'text', subject_id: 'text', purpose_id: 'text', channel: 'text', due: 'text?' },
      key: ['consent_id'],
      indexes: [['subject_id', 'purpose_id', 'channel'], ['purpose_id', 'due'], ['due']],
    },
  },
  handles: {
    ConsentRequested: (event) => {
      const { data } = event;
      const asked = { ...about(data), status: 'requested' };
      return [
        update('consents', asked, { status: 'lapsed', ended_at: event.occurredAt, ended_by: 'lapsed' }),
        insert('consents', {
          ...unknown(event),
          status: 'requested',
          purpose_version: data.purposeVersion,
          notice_id: data.noticeId,
          notice_version: data.noticeVersion,
          statement_hash: data.statementHash,
          method: data.method,
          requested_at: event.occurredAt,
        }),
        happened(event, { method: data.method }),
      ];
    },
    ConsentGiven: (event) => agreed(event),
    ConsentRenewed: (event) => [
      update(
        'consents',
        { consent_id: event.data.renews, ended_at: null },
        { status: 'renewed', ended_at: event.occurredAt, ended_by: 'renewed' },
      ),
      update('consents', { consent_id: event.data.renews }, { renewed_by: event.data.consentId }),
      remove('consent_reviews', { consent_id: event.data.renews }),
      ...agreed(event, event.data.renews),
    ],
    ConsentRefused: (event) => {
      const { data } = event;
      return [
        insertIfAbsent('consents', {
          ...unknown(event),
          status: 'refused',
          purpose_version: data.purposeVersion,
        }),
        ...ended(event, 'refused', { method: data.method ?? null }),
      ];
    },
    ConsentWithdrawn: (event) => ended(event, 'withdrawn', { method: event.data.method ?? null }),
    ConsentExpired: (event) => ended(event, 'expired'),
    ConsentInvalidated: (event) => ended(event, 'invalidated', { reason: event.data.reason }),
    ConsentUpheld: (event) => {
      const { consentId, purposeVersion, reviewAt } = event.data;
      return [
        update('consents', { consent_id: consentId }, { covers_version: purposeVersion }),
        update('consent_reviews', { consent_id: consentId }, { due: reviewAt ?? null }),
        happened(event),
      ];
    },
    PurposeApproved: ({ data }) =>
      data.supersedes === undefined
        ? []
        : [update('consent_reviews', { purpose_id: data.purposeId, due: null }, { due: data.effectiveFrom })],
  },
};

const about = ({ subjectId, purposeId, channel }: ConsentKey) => ({
  subject_id: subjectId,
  purpose_id: purposeId,
  channel,
});

/** A consent of which nothing is known but that there is one. */
function unknown(event: Recorded<ConsentEvent>) {
  return {
    consent_id: event.data.consentId,
    ...about(event.data),
    notice_id: null,
    notice_version: null,
    statement_hash: null,
    method: null,
    affirmative_act: null,
    given_by: null,
    authority_ref: null,
    recorded_by: event.actorId,
    requested_at: null,
    given_at: null,
    expires_at: null,
    covers_version: null,
    renews: null,
    renewed_by: null,
    ended_at: null,
    ended_by: null,
    reason: null,
    event_id: event.id,
    position: event.position,
  };
}

function agreed(event: Recorded<ConsentGiven | ConsentRenewed>, renews: string | null = null): readonly RowChange[] {
  const { data, occurredAt } = event;
  const evidence = {
    status: 'given',
    purpose_version: data.purposeVersion,
    notice_id: data.noticeId,
    notice_version: data.noticeVersion,
    statement_hash: data.statementHash,
    method: data.method,
    affirmative_act: data.affirmativeAct,
    given_by: data.givenBy,
    authority_ref: data.authorityRef ?? null,
    recorded_by: event.actorId,
    given_at: occurredAt,
    expires_at: data.expiresAt ?? null,
    renews,
    event_id: event.id,
  };
  return [
    // Events of older versions of the product say `given` for a renewal.
    update(
      'consents',
      { ...about(data), status: 'given' },
      { status: 'renewed', ended_at: occurredAt, ended_by: 'renewed', renewed_by: data.consentId },
    ),
    remove('consent_reviews', about(data)),
    insertIfAbsent('consents', { ...unknown(event), ...evidence }),
    update('consents', { consent_id: data.consentId }, evidence),
    insert('consent_reviews', { consent_id: data.consentId, ...about(data), due: data.reviewAt ?? null }),
    happened(event, { method: data.method }),
  ];
}

function ended(
  event: Recorded<ConsentEvent>,
  status: 'refused' | 'withdrawn' | 'expired' | 'invalidated',
  how: { readonly method?: string | null; readonly reason?: string } = {},
): readonly RowChange[] {
  const { consentId } = event.data;
  return [
    update(
      'consents',
      { consent_id: consentId },
      { status, ended_at: event.occurredAt, ended_by: status, reason: how.reason ?? null },
    ),
    remove('consent_reviews', { consent_id: consentId }),
    happened(event, how),
  ];
}

function happened(
  { data, type, id, position, actorId, occurredAt, recordedAt }: Recorded<ConsentEvent>,
  how: { readonly method?: string | null; readonly reason?: string } = {},
): RowChange {
  const row: Row = {
    consent_id: data.consentId,
    ...about(data),
    type,
    method: how.method ?? null,
    reason: how.reason ?? null,
    actor_id: actorId,
    occurred_at: occurredAt,
    recorded_at: recordedAt,
    event_id: id,
    position,
  };
  return insert('consent_events', row);
}

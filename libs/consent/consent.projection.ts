import { insert, update, type Projection } from '#kernel';
import type { ConsentEvent } from './consent.events.js';

/** `ConsentLedger`: every consent with its evidence and how it ended (C05, UK GDPR Art 7(1)). */
export const consentLedgerProjection: Projection<ConsentEvent> = {
  name: 'consent-ledger',
  version: 1,
  tables: {
    consents: {
      columns: {
        consent_id: 'text',
        subject_id: 'text',
        purpose_id: 'text',
        purpose_version: 'integer',
        channel: 'text',
        notice_id: 'text',
        notice_version: 'integer',
        statement_hash: 'text',
        method: 'text',
        affirmative_act: 'text',
        given_by: 'text',
        given_at: 'text',
        expires_at: 'text?',
        ended_at: 'text?',
        ended_by: 'text?',
        position: 'integer',
      },
      key: ['consent_id'],
      indexes: [['subject_id'], ['expires_at']],
    },
  },
  handles: {
    ConsentGiven: ({ data, occurredAt, position }) => [
      // A renewed consent takes the place of the one before.
      update(
        'consents',
        { subject_id: data.subjectId, purpose_id: data.purposeId, channel: data.channel, ended_at: null },
        { ended_at: occurredAt, ended_by: 'renewed' },
      ),
      insert('consents', {
        consent_id: data.consentId,
        subject_id: data.subjectId,
        purpose_id: data.purposeId,
        purpose_version: data.purposeVersion,
        channel: data.channel,
        notice_id: data.noticeId,
        notice_version: data.noticeVersion,
        statement_hash: data.statementHash,
        method: data.method,
        affirmative_act: data.affirmativeAct,
        given_by: data.givenBy,
        given_at: occurredAt,
        expires_at: data.expiresAt ?? null,
        ended_at: null,
        ended_by: null,
        position,
      }),
    ],
    ConsentWithdrawn: ({ data, occurredAt }) => [
      update('consents', { consent_id: data.consentId }, { ended_at: occurredAt, ended_by: 'withdrawn' }),
    ],
    ConsentExpired: ({ data, occurredAt }) => [
      update('consents', { consent_id: data.consentId }, { ended_at: occurredAt, ended_by: 'expired' }),
    ],
  },
};

import { insert, isSealed, update, type Projection, type Protected } from '#kernel';
import type {
  AccuracyCheckDue,
  AccuracyConfirmed,
  AccuracyDoubtRaised,
  DataCollected,
  DataCorrected,
  DataErased,
  ProcessingRestricted,
  RestrictionLifted,
  RetentionExpired,
  SubjectRegistered,
} from './subject.events.js';

type HoldingsEvent =
  | SubjectRegistered
  | DataCollected
  | DataCorrected
  | AccuracyConfirmed
  | AccuracyDoubtRaised
  | AccuracyCheckDue
  | ProcessingRestricted
  | RestrictionLifted
  | RetentionExpired
  | DataErased;

/**
 * `Holdings`: every item version held about a person, its value under seal, and how it stands. A value opens only
 * on an authorised read, and never again once its key is destroyed.
 */
export const holdingsProjection: Projection<HoldingsEvent> = {
  name: 'holdings',
  version: 2,
  tables: {
    subjects: {
      columns: {
        subject_id: 'text',
        capacity: 'text',
        subscriber_type: 'text',
        division: 'text',
        opened_at: 'text',
        restricted_on: 'text?',
        position: 'integer',
      },
      key: ['subject_id'],
    },
    holdings: {
      columns: {
        subject_id: 'text',
        item_id: 'text',
        version: 'integer',
        category: 'text',
        key_id: 'text',
        sealed: 'text',
        purpose_id: 'text?',
        source: 'text?',
        source_recipient_id: 'text?',
        status: 'text',
        since: 'text',
        superseded_at: 'text?',
        expired_at: 'text?',
        erased_at: 'text?',
        disputed: 'integer',
        next_check_due: 'text?',
        check_raised_for: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['item_id', 'version'],
      indexes: [['subject_id'], ['next_check_due']],
    },
  },
  handles: {
    SubjectRegistered: ({ data, occurredAt, position }) => [
      insert('subjects', {
        subject_id: data.subjectId,
        capacity: data.capacity,
        subscriber_type: data.subscriberType,
        division: data.division,
        opened_at: occurredAt,
        restricted_on: null,
        position,
      }),
    ],
    DataCollected: ({ data, occurredAt, position, id }) =>
      data.items.map((item) =>
        insert('holdings', {
          subject_id: data.subjectId,
          item_id: item.itemId,
          version: item.version,
          category: item.category,
          key_id: item.keyId,
          sealed: sealedText(item.value),
          purpose_id: data.purposeId,
          source: data.source,
          source_recipient_id: data.sourceRecipientId ?? null,
          status: 'held',
          since: occurredAt,
          superseded_at: null,
          expired_at: null,
          erased_at: null,
          disputed: 0,
          next_check_due: item.nextCheckDue ?? null,
          check_raised_for: null,
          event_id: id,
          position,
        }),
      ),
    DataCorrected: ({ data, occurredAt, position, id }) => [
      update(
        'holdings',
        { item_id: data.itemId, version: data.fromVersion },
        { status: 'superseded', superseded_at: occurredAt, next_check_due: null },
      ),
      insert('holdings', {
        subject_id: data.subjectId,
        item_id: data.itemId,
        version: data.toVersion,
        category: data.category,
        key_id: data.keyId,
        sealed: sealedText(data.value),
        purpose_id: data.purposeId ?? null,
        source: null,
        source_recipient_id: null,
        status: 'held',
        since: occurredAt,
        superseded_at: null,
        expired_at: null,
        erased_at: null,
        disputed: 0,
        next_check_due: data.nextCheckDue ?? null,
        check_raised_for: null,
        event_id: id,
        position,
      }),
    ],
    AccuracyConfirmed: ({ data }) => [
      update(
        'holdings',
        { item_id: data.itemId, version: data.version },
        { disputed: 0, next_check_due: data.nextCheckDue ?? null, check_raised_for: null },
      ),
    ],
    AccuracyDoubtRaised: ({ data }) => [
      update('holdings', { item_id: data.itemId, version: data.version }, { disputed: 1 }),
    ],
    AccuracyCheckDue: ({ data }) => [
      update(
        'holdings',
        { item_id: data.itemId, version: data.version },
        {
          next_check_due: data.due,
          check_raised_for: data.due,
        },
      ),
    ],
    ProcessingRestricted: ({ data }) => [
      update('subjects', { subject_id: data.subjectId }, { restricted_on: data.ground }),
    ],
    RestrictionLifted: ({ data }) => [update('subjects', { subject_id: data.subjectId }, { restricted_on: null })],
    RetentionExpired: ({ data, occurredAt }) =>
      data.items.map((item) =>
        update(
          'holdings',
          { item_id: item.itemId, version: item.version },
          { status: 'expired', expired_at: occurredAt, next_check_due: null },
        ),
      ),
    DataErased: ({ data, occurredAt }) =>
      data.items.map((item) =>
        update(
          'holdings',
          { item_id: item.itemId, version: item.version },
          { status: 'erased', erased_at: occurredAt, next_check_due: null },
        ),
      ),
  },
};

/** A sealed value as a column holds it. Read models never see a value in the clear. */
function sealedText(value: Protected<string>): string {
  if (!isSealed(value)) throw new TypeError('a read model takes sealed values only');
  return JSON.stringify(value);
}

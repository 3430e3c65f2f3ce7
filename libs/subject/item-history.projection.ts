import { insert, type Projection, type Recorded, type RowChange } from '#kernel';
import type {
  AccuracyCheckDue,
  AccuracyCheckOverdue,
  AccuracyConfirmed,
  AccuracyDoubtRaised,
  CorrectionCompleted,
  DataCollected,
  DataCorrected,
  DataErased,
  RecipientNotified,
  RectificationRefused,
  RetentionExpired,
} from './subject.events.js';

type ItemEvent =
  | DataCollected
  | DataCorrected
  | RectificationRefused
  | RecipientNotified
  | CorrectionCompleted
  | AccuracyDoubtRaised
  | AccuracyCheckDue
  | AccuracyCheckOverdue
  | AccuracyConfirmed
  | RetentionExpired
  | DataErased;

interface Entry {
  readonly subjectId: string;
  readonly itemId: string;
  /** The version it was about or led to; the refusal of a correction names none. */
  readonly version?: number;
  readonly reason?: string | undefined;
  readonly requestId?: string | undefined;
  readonly recipientId?: string;
}

/** The history of each item: its versions, and why each came, was doubted, checked, refused or went. No values. */
export const itemHistoryProjection: Projection<ItemEvent> = {
  name: 'item-history',
  version: 2,
  tables: {
    item_history: {
      columns: {
        subject_id: 'text',
        item_id: 'text',
        version: 'integer?',
        what: 'text',
        reason: 'text?',
        request_id: 'text?',
        recipient_id: 'text?',
        occurred_at: 'text',
        recorded_at: 'text',
        actor_id: 'text',
        event_id: 'text',
        /** Place among the versions that the event was about. */
        number: 'integer',
        position: 'integer',
      },
      key: ['event_id', 'number'],
      indexes: [['subject_id', 'position'], ['item_id']],
      history: true,
    },
  },
  handles: {
    DataCollected: (event) => {
      const { subjectId, source, items } = event.data;
      return items.map(({ itemId, version }, n) => entry(event, { subjectId, itemId, version, reason: source }, n));
    },
    DataCorrected: (event) => {
      const { subjectId, itemId, toVersion, reasonCode, requestId } = event.data;
      return [entry(event, { subjectId, itemId, version: toVersion, reason: reasonCode, requestId })];
    },
    RectificationRefused: (event) => {
      const { subjectId, itemId, reasonCode, requestId } = event.data;
      return [entry(event, { subjectId, itemId, reason: reasonCode, requestId })];
    },
    RecipientNotified: (event) => {
      const { subjectId, items, outcome, recipientId } = event.data;
      return items.map(({ itemId, version }, n) =>
        entry(event, { subjectId, itemId, version, reason: outcome, recipientId }, n),
      );
    },
    CorrectionCompleted: (event) => [entry(event, event.data)],
    AccuracyDoubtRaised: (event) => {
      const { subjectId, itemId, version, cause, requestId } = event.data;
      return [entry(event, { subjectId, itemId, version, reason: cause, requestId })];
    },
    AccuracyCheckDue: (event) => {
      const { subjectId, itemId, version, cause } = event.data;
      return [entry(event, { subjectId, itemId, version, reason: cause ?? 'interval' })];
    },
    AccuracyCheckOverdue: (event) => {
      const { subjectId, itemId, version } = event.data;
      return [entry(event, { subjectId, itemId, version })];
    },
    AccuracyConfirmed: (event) => {
      const { subjectId, itemId, version, method } = event.data;
      return [entry(event, { subjectId, itemId, version, reason: method })];
    },
    RetentionExpired: (event) => {
      const { subjectId, items } = event.data;
      return items.map(({ itemId, version }, n) => entry(event, { subjectId, itemId, version }, n));
    },
    DataErased: (event) => {
      const { subjectId, items, cause } = event.data;
      return items.map(({ itemId, version }, n) => entry(event, { subjectId, itemId, version, reason: cause }, n));
    },
  },
};

function entry(
  { type, occurredAt, recordedAt, actorId, id, position }: Recorded<ItemEvent>,
  { subjectId, itemId, version, reason, requestId, recipientId }: Entry,
  number = 0,
): RowChange {
  return insert('item_history', {
    subject_id: subjectId,
    item_id: itemId,
    version: version ?? null,
    what: type,
    reason: reason ?? null,
    request_id: requestId ?? null,
    recipient_id: recipientId ?? null,
    occurred_at: occurredAt,
    recorded_at: recordedAt,
    actor_id: actorId,
    event_id: id,
    number,
    position,
  });
}

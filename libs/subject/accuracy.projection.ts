import { addPeriodToInstant } from '#calendar';
import { insertIfAbsent, parseInstant, update, type Projection, type Recorded, type RowChange } from '#kernel';
import { CHECK_GRACE } from './subject.decider.js';
import type {
  AccuracyCheckDue,
  AccuracyCheckOverdue,
  AccuracyConfirmed,
  AccuracyDoubtRaised,
  DataCorrected,
  DataErased,
  RetentionExpired,
} from './subject.events.js';

type AccuracyEvent =
  | AccuracyCheckDue
  | AccuracyCheckOverdue
  | AccuracyDoubtRaised
  | AccuracyConfirmed
  | DataCorrected
  | RetentionExpired
  | DataErased;

/**
 * `AccuracyBacklog`: what is to be looked at, by item: checks that are `due` or `overdue`, and items that are
 * `disputed`, since when and why (C14). It names no value. A row that is `settled` or `gone` stays until the item
 * needs attention again.
 */
export const accuracyBacklogProjection: Projection<AccuracyEvent> = {
  name: 'accuracy-backlog',
  version: 1,
  tables: {
    accuracy_backlog: {
      columns: {
        subject_id: 'text',
        item_id: 'text',
        kind: 'text',
        version: 'integer',
        category: 'text?',
        status: 'text',
        since: 'text',
        cause: 'text',
        due: 'text?',
        overdue_from: 'text?',
        settled_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['item_id', 'kind'],
      indexes: [['status', 'overdue_from'], ['status', 'category'], ['subject_id']],
      history: true,
    },
  },
  handles: {
    AccuracyCheckDue: (event) => {
      const { due, cause } = event.data;
      const from = parseInstant(due);
      return opened(event, 'check', {
        status: 'due',
        cause: cause ?? 'interval',
        due,
        overdue_from: from === undefined ? null : addPeriodToInstant(from, CHECK_GRACE),
      });
    },
    AccuracyCheckOverdue: ({ data, id, position }) => [
      update(
        'accuracy_backlog',
        { item_id: data.itemId, kind: 'check', due: data.due, status: 'due' },
        { status: 'overdue', event_id: id, position },
      ),
    ],
    AccuracyDoubtRaised: (event) =>
      opened(event, 'doubt', { status: 'disputed', cause: event.data.cause, due: null, overdue_from: null }),
    AccuracyConfirmed: (event) => closed(event, 'settled', { item_id: event.data.itemId }),
    DataCorrected: (event) => closed(event, 'settled', { item_id: event.data.itemId }),
    RetentionExpired: (event) =>
      event.data.items.flatMap(({ itemId, version }) => closed(event, 'gone', { item_id: itemId, version })),
    DataErased: (event) =>
      event.data.items.flatMap(({ itemId, version }) => closed(event, 'gone', { item_id: itemId, version })),
  },
};

function opened(
  { data, occurredAt, id, position }: Recorded<AccuracyCheckDue | AccuracyDoubtRaised>,
  kind: 'check' | 'doubt',
  state: {
    readonly status: string;
    readonly cause: string;
    readonly due: string | null;
    readonly overdue_from: string | null;
  },
): readonly RowChange[] {
  const key = { item_id: data.itemId, kind };
  const row = {
    ...key,
    subject_id: data.subjectId,
    version: data.version,
    category: data.category ?? null,
    since: occurredAt,
    settled_at: null,
    event_id: id,
    position,
    ...state,
  };
  return [insertIfAbsent('accuracy_backlog', row), update('accuracy_backlog', key, row)];
}

function closed(
  { occurredAt, id, position }: Recorded<AccuracyEvent>,
  status: 'settled' | 'gone',
  where: { readonly item_id: string; readonly version?: number },
): readonly RowChange[] {
  const set = { status, settled_at: occurredAt, event_id: id, position };
  return [update('accuracy_backlog', { ...where, settled_at: null }, set)];
}

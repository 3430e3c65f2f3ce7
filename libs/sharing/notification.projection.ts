import { addPeriodToInstant } from '#calendar';
import { insertIfAbsent, update, type Projection, type Recorded, type Row, type RowChange } from '#kernel';
import type {
  DataCorrected,
  NotificationOf,
  ProcessingRestricted,
  RecipientNotified,
  RestrictionLifted,
} from '#subject';
import type { DataShared } from './disclosure.events.js';
import { newest, REMINDER_PERIOD } from './notification.decider.js';
import type { ErasureView, NotificationEvent } from './notification.events.js';

type NoticeEvent =
  | NotificationEvent
  | DataCorrected
  | ProcessingRestricted
  | RestrictionLifted
  | ErasureView
  | DataShared
  | RecipientNotified;

/**
 * `RecipientNotificationStatus`: per person, recipient and item, whether the recipient was told of a correction, a
 * restriction or an erasure, and what it said (C21, UK GDPR Art 19).
 */
export const recipientNotificationsProjection: Projection<NoticeEvent> = {
  name: 'recipient-notifications',
  version: 2,
  tables: {
    recipient_notifications: {
      columns: {
        subject_id: 'text',
        recipient_id: 'text',
        /** `correction`, `restriction` or `erasure`. */
        what: 'text',
        /** Empty for a restriction, which is of everything about the person. */
        item_id: 'text',
        /** Of a correction: the version to be told of. Of an erasure: the newest that was given. 0 for a restriction. */
        version: 'integer',
        /** `due`, `notified`, `confirmed`, `unreachable`, `impossible`, `disproportionate`; `superseded`, `lifted`: moot. */
        status: 'text',
        reason: 'text?',
        reference: 'text?',
        due_at: 'text?',
        notified_at: 'text?',
        confirmed_at: 'text?',
        /** When it is raised next; null when nothing is waited for, or it was raised as overdue. */
        remind_at: 'text?',
        reminders: 'integer',
        overdue_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['subject_id', 'recipient_id', 'what', 'item_id', 'version'],
      indexes: [['remind_at'], ['recipient_id', 'status'], ['status']],
      history: true,
    },
  },
  handles: {
    DataCorrected: (event) =>
      due(event, event.data.subjectId, 'correction', event.data.recipientsToNotify, [
        { itemId: event.data.itemId, version: event.data.toVersion },
      ]),
    ProcessingRestricted: (event) =>
      due(event, event.data.subjectId, 'restriction', event.data.recipientsToNotify ?? [], [ALL]),
    RestrictionLifted: ({ data: { subjectId }, id, position }) => [
      update(
        'recipient_notifications',
        { subject_id: subjectId, what: 'restriction', status: 'due' },
        { status: 'lifted', remind_at: null, event_id: id, position },
      ),
      update('recipient_notifications', { subject_id: subjectId, what: 'restriction' }, { remind_at: null }),
    ],
    ErasureStarted: (event) =>
      event.data.recipients.flatMap(({ recipientId, items }) =>
        due(event, event.data.subjectId, 'erasure', [recipientId], newest(items)),
      ),
    DataShared: (event) => {
      const { subjectId, recipientId, recipientKind, items, restricted } = event.data;
      if (recipientKind === 'SELF') return [];
      const ofItems = items.flatMap(({ itemId, version, replacedBy }) =>
        replacedBy === undefined
          ? version === 1
            ? []
            : // Whoever is given the right value knows of it.
              [
                step(event, row(subjectId, recipientId, 'correction', { itemId, version }), told('correction'), {
                  status: 'due',
                }),
              ]
          : due(event, subjectId, 'correction', [recipientId], [{ itemId, version: replacedBy }]),
      );
      return restricted ? [...ofItems, ...due(event, subjectId, 'restriction', [recipientId], [ALL])] : ofItems;
    },
    RecipientNotified: (event) => {
      const { outcome, what } = event.data;
      const excused: Step = () => ({ status: outcome, remind_at: null });
      return settled(event, event.data, outcome === 'notified' ? told(what) : excused);
    },
    RecipientConfirmed: (event) =>
      settled(event, event.data, ({ occurredAt }) => ({
        status: 'confirmed',
        confirmed_at: occurredAt,
        reference: event.data.reference ?? null,
        remind_at: null,
      })),
    RecipientUnreachable: (event) =>
      settled(event, event.data, () => ({ status: 'unreachable', reason: event.data.reason, remind_at: null })),
    RecipientReminderRaised: (event) =>
      settled(event, event.data, ({ occurredAt }) => ({
        reminders: event.data.attempt,
        overdue_at: event.data.overdue ? occurredAt : null,
        remind_at: event.data.overdue ? null : addPeriodToInstant(occurredAt, REMINDER_PERIOD),
      })),
  },
};

type Item = RecipientNotified['data']['items'][number];
const ALL: Item = { itemId: '', version: 0 };
/** What a notice that is due has not come to; one that is due again begins anew. */
const FRESH = { reason: null, reference: null, notified_at: null, confirmed_at: null, overdue_at: null, reminders: 0 };

const row = (subjectId: string, recipientId: string, what: NotificationOf, { itemId, version }: Item): Row => ({
  subject_id: subjectId,
  recipient_id: recipientId,
  what,
  item_id: itemId,
  version,
});

type Step = (event: Recorded) => Row;
/** The law asks for word of a correction, and for no answer to it. */
const told =
  (what: NotificationOf): Step =>
  ({ occurredAt }) => ({
    status: 'notified',
    reason: null,
    notified_at: occurredAt,
    reminders: 0,
    remind_at: what === 'correction' ? null : addPeriodToInstant(occurredAt, REMINDER_PERIOD),
  });

const step = (event: Recorded, which: Row, change: Step, where: Row = {}): RowChange =>
  update(
    'recipient_notifications',
    { ...which, ...where },
    {
      ...change(event),
      event_id: event.id,
      position: event.position,
    },
  );

function due(
  event: Recorded,
  subjectId: string,
  what: NotificationOf,
  recipients: readonly string[],
  items: readonly Item[],
): readonly RowChange[] {
  const waiting = {
    ...FRESH,
    status: 'due',
    due_at: event.occurredAt,
    remind_at: addPeriodToInstant(event.occurredAt, REMINDER_PERIOD),
    event_id: event.id,
    position: event.position,
  };
  return recipients.flatMap((recipientId) =>
    items.flatMap((item) => {
      const which = row(subjectId, recipientId, what, item);
      return [
        insertIfAbsent('recipient_notifications', { ...which, ...waiting }),
        update('recipient_notifications', which, waiting),
        // A later correction takes the place of one that was not told yet.
        ...(what === 'correction' ? [superseded(event, which, item.version)] : []),
      ];
    }),
  );
}

/** Closes the notice of the version before, which nobody waits for any more. */
const superseded = (event: Recorded, which: Row, version: number): RowChange =>
  step(event, { ...which, version: version - 1 }, () => ({ status: 'superseded', remind_at: null }), { status: 'due' });

function settled(
  event: Recorded,
  {
    subjectId,
    recipientId,
    what,
    items,
  }: Pick<RecipientNotified['data'], 'subjectId' | 'recipientId' | 'what' | 'items'>,
  change: Step,
): readonly RowChange[] {
  return (what === 'restriction' ? [ALL] : items).flatMap((item) => {
    const which = row(subjectId, recipientId, what, item);
    return [
      // A copy that was recorded late was on no list; its holder is told all the same.
      insertIfAbsent('recipient_notifications', {
        ...which,
        ...FRESH,
        status: 'due',
        due_at: null,
        remind_at: null,
        event_id: event.id,
        position: event.position,
      }),
      step(event, which, change),
    ];
  });
}

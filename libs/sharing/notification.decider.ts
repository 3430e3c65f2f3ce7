import { addPeriodToInstant } from '#calendar';
import { accept, refuse, unchanged, type Decider, type Facts, type Instant, type Outcome } from '#kernel';
import type {
  DataCollected,
  DataCorrected,
  NotificationOf,
  ProcessingRestricted,
  RecipientNotified,
  RestrictionLifted,
} from '#subject';
import type { DataShared } from './disclosure.events.js';
import type { NotificationCommand, NotifyRecipient } from './notification.commands.js';
import type { ErasureView, NotificationEvent } from './notification.events.js';

/** How long a notice that is not given, or not confirmed, is left before it is raised (default of the product). */
export const REMINDER_PERIOD = 'P7D';
/** How often it is raised; the last time it counts as overdue. */
export const REMINDERS = 3;

type FoldedEvent =
  | NotificationEvent
  | DataCollected
  | DataCorrected
  | ProcessingRestricted
  | RestrictionLifted
  | ErasureView
  | DataShared
  | RecipientNotified;

/** `excused`: telling was impossible or out of proportion (UK GDPR Art 19). */
type Status = 'due' | 'notified' | 'confirmed' | 'unreachable' | 'excused';

/** One notice to one recipient. */
interface Notice {
  readonly what: NotificationOf;
  readonly recipientId: string;
  /** Absent for a restriction. */
  readonly item?: { readonly itemId: string; readonly version: number };
  readonly status: Status;
  /** Since when it has waited for the next step. */
  readonly since: Instant;
  readonly reminders: number;
}

export interface NotificationState {
  /** By item: its version, and the newest version each recipient was given or told of. */
  readonly items: ReadonlyMap<string, { readonly version: number; readonly known: ReadonlyMap<string, number> }>;
  /** By what, recipient and item. */
  readonly notices: ReadonlyMap<string, Notice>;
}

/** Whom to tell of a correction, a restriction or an erasure, and how far that has come. */
export const notificationDecider: Decider<NotificationCommand, FoldedEvent, NotificationState, Facts> = {
  initialState: { items: new Map(), notices: new Map() },
  folds: {
    DataCollected: true,
    DataCorrected: true,
    DataShared: true,
    ProcessingRestricted: true,
    RestrictionLifted: true,
    ErasureStarted: true,
    RecipientNotified: true,
    RecipientConfirmed: true,
    RecipientUnreachable: true,
    RecipientReminderRaised: true,
  },
  evolve(state, event, at) {
    switch (event.type) {
      case 'DataCollected':
        return event.data.items.reduce(
          (folded, { itemId, version }) => withItem(folded, itemId, { version, known: new Map() }),
          state,
        );
      case 'DataCorrected': {
        const { itemId, toVersion, recipientsToNotify } = event.data;
        const known = state.items.get(itemId)?.known ?? new Map<string, number>();
        const corrected = withItem(state, itemId, { version: toVersion, known });
        return due(corrected, 'correction', recipientsToNotify, [{ itemId, version: toVersion }], at);
      }
      case 'ProcessingRestricted':
        return due(state, 'restriction', event.data.recipientsToNotify ?? [], [undefined], at);
      case 'RestrictionLifted':
        return { ...state, notices: new Map([...state.notices].filter(([, { what }]) => what !== 'restriction')) };
      case 'ErasureStarted':
        return event.data.recipients.reduce(
          (folded, { recipientId, items }) => due(folded, 'erasure', [recipientId], newest(items), at),
          state,
        );
      case 'DataShared': {
        const { recipientId, recipientKind, items, restricted } = event.data;
        if (recipientKind === 'SELF') return state;
        const before = restricted ? due(state, 'restriction', [recipientId], [undefined], at) : state;
        return items.reduce((folded, { itemId, version, replacedBy }) => {
          const given = knows(folded, recipientId, itemId, version);
          if (replacedBy !== undefined)
            return due(given, 'correction', [recipientId], [{ itemId, version: replacedBy }], at);
          const notice = folded.notices.get(keyOf('correction', recipientId, { itemId, version }));
          // Whoever is given the right value knows of it.
          return notice?.item && notice.status === 'due' && notice.item.version <= version
            ? withNotice(given, { ...notice, status: 'notified', since: at })
            : given;
        }, before);
      }
      case 'RecipientNotified':
        return settle(state, event.data, event.data.outcome === 'notified' ? 'notified' : 'excused', at);
      case 'RecipientConfirmed':
        return settle(state, event.data, 'confirmed', at);
      case 'RecipientUnreachable':
        return settle(state, event.data, 'unreachable', at);
      case 'RecipientReminderRaised':
        return about(event.data).reduce((folded, item) => {
          const notice = folded.notices.get(keyOf(event.data.what, event.data.recipientId, item));
          return notice ? withNotice(folded, { ...notice, since: at, reminders: event.data.attempt }) : folded;
        }, state);
    }
  },
  decide(command, state, facts) {
    const { subjectId, recipientId } = command;
    const what = command.what ?? 'correction';
    if (command.type === 'NotifyRecipient' && what === 'correction') return notifyOfCorrection(command, state);
    const notices = noticesOf(state, what, recipientId, 'itemId' in command ? command.itemId : undefined);
    if (notices.length === 0)
      return command.type === 'RemindRecipient' ? unchanged : refuse('RECIPIENT_UNKNOWN', { recipientId, what });
    const some = (which: readonly Notice[]) => ({ subjectId, recipientId, what, items: itemsOf(which) });
    switch (command.type) {
      case 'NotifyRecipient': {
        const open = notices.filter(({ status }) => status === 'due' || status === 'unreachable');
        if (open.length === 0) return unchanged;
        return accept({ type: 'RecipientNotified', data: { ...some(open), outcome: command.outcome } });
      }
      case 'ConfirmRecipient': {
        const untold = notices.filter(({ status }) => status === 'due' || status === 'unreachable');
        if (untold.length > 0) return refuse('RECIPIENTS_NOT_NOTIFIED', { what, recipients: [recipientId] });
        const told = notices.filter(({ status }) => status === 'notified');
        if (told.length === 0) return unchanged;
        const { reference } = command;
        return accept({
          type: 'RecipientConfirmed',
          data: { ...some(told), ...(reference !== undefined && { reference }) },
        });
      }
      case 'MarkRecipientUnreachable': {
        const open = notices.filter(({ status }) => status === 'due' || status === 'notified');
        if (open.length === 0) return unchanged;
        return accept({ type: 'RecipientUnreachable', data: { ...some(open), reason: command.reason } });
      }
      case 'RemindRecipient':
        return remind(notices, some, facts);
    }
  },
};

function notifyOfCorrection(
  { subjectId, recipientId, outcome, ...command }: NotifyRecipient,
  state: NotificationState,
): Outcome<FoldedEvent> {
  // Of a correction both are asked for at the door.
  const itemId = command.itemId ?? '';
  const version = command.version ?? 0;
  const item = state.items.get(itemId);
  if (!item) return refuse('ITEM_UNKNOWN', { itemId });
  const known = item.known.get(recipientId);
  if (known === undefined) return refuse('RECIPIENT_UNKNOWN', { recipientId, itemId });
  if (version > item.version) return refuse('VERSION_CONFLICT', { itemId, version: item.version });
  const notice = state.notices.get(keyOf('correction', recipientId, { itemId, version }));
  const again = notice?.status === 'unreachable' && notice.item?.version === version;
  if (known >= version && !again) return unchanged;
  return accept({
    type: 'RecipientNotified',
    data: { subjectId, recipientId, what: 'correction', items: [{ itemId, version }], outcome },
  });
}

function remind(
  notices: readonly Notice[],
  some: (which: readonly Notice[]) => Pick<RecipientNotified['data'], 'subjectId' | 'recipientId' | 'what' | 'items'>,
  { now }: Facts,
): Outcome<FoldedEvent> {
  const late = notices.filter(
    ({ what, status, since, reminders }) =>
      // The law asks for word of a correction, and for no answer to it.
      (status === 'due' || (status === 'notified' && what !== 'correction')) &&
      reminders < REMINDERS &&
      addPeriodToInstant(since, REMINDER_PERIOD) <= now,
  );
  const attempts = [...new Set(late.map(({ reminders }) => reminders + 1))].sort();
  return accept(
    ...attempts.map((attempt): FoldedEvent => ({
      type: 'RecipientReminderRaised',
      data: {
        ...some(late.filter(({ reminders }) => reminders + 1 === attempt)),
        attempt,
        ...(attempt === REMINDERS && { overdue: true as const }),
      },
    })),
  );
}

type ItemOrAll = Notice['item'] | undefined;

/** A later correction takes the place of an earlier one; each version is erased on its own. */
const keyOf = (what: NotificationOf, recipientId: string, item: ItemOrAll): string =>
  [what, recipientId, item?.itemId, what === 'erasure' && item?.version].filter(Boolean).join(' ');

/** The items of an event; of a restriction, the one notice that names none. */
const about = ({ what, items }: Pick<RecipientNotified['data'], 'what' | 'items'>): readonly ItemOrAll[] =>
  what === 'restriction' ? [undefined] : items;

const itemsOf = (notices: readonly Notice[]): RecipientNotified['data']['items'] =>
  notices.flatMap(({ item }) => (item ? [item] : []));

const noticesOf = (
  { notices }: NotificationState,
  what: NotificationOf,
  recipientId: string,
  itemId: string | undefined,
): readonly Notice[] =>
  [...notices.values()].filter(
    (each) =>
      each.what === what &&
      each.recipientId === recipientId &&
      (itemId === undefined || what === 'restriction' || each.item?.itemId === itemId),
  );

/** Of several versions of an item, the newest. */
export function newest(
  items: readonly { readonly itemId: string; readonly version: number }[],
): readonly NonNullable<Notice['item']>[] {
  const versions = new Map<string, number>();
  for (const { itemId, version } of items) versions.set(itemId, Math.max(version, versions.get(itemId) ?? 0));
  return [...versions].map(([itemId, version]) => ({ itemId, version }));
}

function due(
  state: NotificationState,
  what: NotificationOf,
  recipients: readonly string[],
  items: readonly ItemOrAll[],
  since: Instant,
): NotificationState {
  const notices = new Map(state.notices);
  for (const recipientId of recipients)
    for (const item of items)
      notices.set(keyOf(what, recipientId, item), {
        what,
        recipientId,
        ...(item && { item: { itemId: item.itemId, version: item.version } }),
        status: 'due',
        since,
        reminders: 0,
      });
  return { ...state, notices };
}

function settle(
  state: NotificationState,
  event: Pick<RecipientNotified['data'], 'recipientId' | 'what' | 'items'>,
  status: Status,
  since: Instant,
): NotificationState {
  const { what, recipientId } = event;
  return about(event).reduce((folded, item) => {
    const before = folded.notices.get(keyOf(what, recipientId, item));
    // Word of an earlier correction does not settle a later one.
    if (item && before?.item && before.item.version > item.version)
      return knows(folded, recipientId, item.itemId, item.version);
    const settled = withNotice(folded, {
      what,
      recipientId,
      ...(item && { item: { itemId: item.itemId, version: item.version } }),
      status,
      since,
      reminders: status === before?.status ? before.reminders : 0,
    });
    return what === 'correction' && item ? knows(settled, recipientId, item.itemId, item.version) : settled;
  }, state);
}

function withItem(
  state: NotificationState,
  itemId: string,
  item: { readonly version: number; readonly known: ReadonlyMap<string, number> },
): NotificationState {
  return { ...state, items: new Map(state.items).set(itemId, item) };
}

function withNotice(state: NotificationState, notice: Notice): NotificationState {
  const key = keyOf(notice.what, notice.recipientId, notice.item);
  return { ...state, notices: new Map(state.notices).set(key, notice) };
}

function knows(state: NotificationState, recipientId: string, itemId: string, version: number): NotificationState {
  const item = state.items.get(itemId);
  if (!item) return state;
  const known = Math.max(version, item.known.get(recipientId) ?? 0);
  return withItem(state, itemId, { ...item, known: new Map(item.known).set(recipientId, known) });
}

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, type DomainEvent, type Row } from '#kernel';
import { factsAt, logbook, scenario, tablesOf } from '#kernel/testing';
import { readCommand, InvalidCommand } from '#slice';
import type { DataCollected, DataCorrected, RecipientNotified } from '#subject';
import type { DataShared } from './disclosure.events.js';
import {
  ConfirmRecipient,
  MarkRecipientUnreachable,
  NotifyRecipient,
  RemindRecipient,
  type NotificationCommand,
} from './notification.commands.js';
import { notificationDecider, type NotificationState } from './notification.decider.js';
import type {
  ErasureView,
  RecipientConfirmed,
  RecipientReminderRaised,
  RecipientUnreachable,
} from './notification.events.js';
import { recipientReminderPolicy } from './notification.policy.js';
import { recipientNotificationsProjection } from './notification.projection.js';

const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const phone = '22222222-2222-4222-8222-222222222222';
const email = '11111111-1111-4111-8111-111111111111';
const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
const MONDAY = '2026-11-23T09:00:00Z';

type Folded = Parameters<typeof notificationDecider.evolve>[1];
const collected = {
  type: 'DataCollected',
  data: { subjectId, items: [phone, email].map((itemId) => ({ itemId, version: 1, category: 'contact.phone' })) },
} as unknown as DataCollected;
const shared = (recipientId: string, version = 1, more: object = {}, itemId = phone) =>
  ({
    type: 'DataShared',
    data: {
      subjectId,
      recipientId,
      recipientKind: 'GROUP',
      items: [{ itemId, version, category: 'contact.phone', ...more }],
    },
  }) as unknown as DataShared;
const corrected = (recipients: readonly string[], toVersion = 2) =>
  ({
    type: 'DataCorrected',
    data: { subjectId, itemId: phone, fromVersion: toVersion - 1, toVersion, recipientsToNotify: recipients },
  }) as unknown as DataCorrected;
const restricted = (recipientsToNotify: readonly string[] = ['marine']) =>
  ({ type: 'ProcessingRestricted', data: { subjectId, ground: '18(1)(b)', recipientsToNotify } }) as const;
const lifted = { type: 'RestrictionLifted', data: { subjectId, informedAt: MONDAY } } as const;
const erasing = (...versions: readonly number[]): ErasureView => ({
  type: 'ErasureStarted',
  data: {
    subjectId,
    recipients: [
      {
        recipientId: 'marine',
        items: [...versions.map((version) => ({ itemId: phone, version })), { itemId: email, version: 1 }],
      },
    ],
  },
});
type What = RecipientNotified['data']['what'];
const COUNT: Readonly<Record<What, RecipientNotified['data']['items']>> = {
  correction: [{ itemId: phone, version: 2 }],
  restriction: [],
  erasure: [
    { itemId: phone, version: 2 },
    { itemId: email, version: 1 },
  ],
};
const about = (what: What, recipientId = 'marine') => ({ subjectId, recipientId, what, items: COUNT[what] });
const notified = (what: What = 'correction', recipientId = 'marine'): RecipientNotified => ({
  type: 'RecipientNotified',
  data: { ...about(what, recipientId), outcome: 'notified' },
});
const confirmed = (what: What = 'correction'): RecipientConfirmed => ({
  type: 'RecipientConfirmed',
  data: about(what),
});
const unreachable = (what: What = 'correction'): RecipientUnreachable => ({
  type: 'RecipientUnreachable',
  data: { ...about(what), reason: 'noAnswer' },
});
const reminded = (attempt: number, what: What = 'restriction'): RecipientReminderRaised => ({
  type: 'RecipientReminderRaised',
  data: { ...about(what), attempt, ...(attempt === 3 && { overdue: true as const }) },
});

const sent = { commandId, actor: factsAt().actor, subjectId, recipientId: 'marine' };
const notify = (more: object = {}) =>
  ({
    ...sent,
    type: 'NotifyRecipient',
    itemId: phone,
    version: 2,
    outcome: 'notified',
    ...more,
  }) as NotificationCommand;
const confirm = (more: object = {}) => ({ ...sent, type: 'ConfirmRecipient', ...more }) as NotificationCommand;
const mark = (more: object = {}) =>
  ({ ...sent, type: 'MarkRecipientUnreachable', reason: 'noAnswer', ...more }) as NotificationCommand;
const remind = (what: What) => ({ ...sent, type: 'RemindRecipient', what }) as NotificationCommand;

const { given } = scenario(notificationDecider, factsAt(MONDAY));
const wrong = [collected, shared('marine'), shared('pacific'), corrected(['marine', 'pacific'])];

describe('telling recipients of a correction (C21, Art 19)', () => {
  it('is recorded once', () => {
    given(...wrong)
      .when(notify())
      .then(notified());
    given(...wrong)
      .when(notify())
      .thenRepeatedNothing();
  });
  it('names why one could not be told', () =>
    expect(given(...wrong).when(notify({ outcome: 'impossible' })).outcome).toMatchObject({
      events: [{ data: { outcome: 'impossible' } }],
    }));
  it('is for whoever was given the value, and nobody else', () => {
    for (const recipientId of ['adtech', 'constructor'])
      given(...wrong)
        .when(notify({ recipientId }))
        .thenRefused('RECIPIENT_UNKNOWN', { recipientId, itemId: phone });
    given(...wrong)
      .when(notify({ itemId: subjectId }))
      .thenRefused('ITEM_UNKNOWN', { itemId: subjectId });
  });
  it('is of a version that exists', () =>
    given(...wrong)
      .when(notify({ version: 3 }))
      .thenRefused('VERSION_CONFLICT', { itemId: phone, version: 2 }));
  it('is not owed to who was given the new value', () =>
    given(...wrong, shared('marine', 2))
      .when(notify())
      .thenNothing());
  it('is owed to the holder of a copy that was entered late', () =>
    given(collected, corrected([]), shared('marine', 1, { replacedBy: 2 }))
      .when(notify())
      .then(notified()));
  it('of an earlier version does not settle a later one', () => {
    const twice = given(...wrong, corrected(['marine', 'pacific'], 3), notified());
    twice.when(notify({ version: 3 })).thenTypes('RecipientNotified');
    twice.when(confirm()).thenRefused('RECIPIENTS_NOT_NOTIFIED', { what: 'correction', recipients: ['marine'] });
  });
  it('is confirmed after it was told, once', () => {
    given(...wrong)
      .when(confirm())
      .thenRefused('RECIPIENTS_NOT_NOTIFIED', { what: 'correction', recipients: ['marine'] });
    given(...wrong, notified())
      .when(confirm())
      .then(confirmed());
    given(...wrong, notified())
      .when(confirm({ reference: 'r-1' }))
      .thenRepeatedNothing();
  });
  it('may fail for want of anybody there, and succeed later', () => {
    given(...wrong)
      .when(mark())
      .then(unreachable());
    given(...wrong)
      .when(mark())
      .thenRepeatedNothing();
    given(...wrong, unreachable())
      .when(notify())
      .then(notified());
    given(...wrong, notified(), confirmed())
      .when(mark())
      .thenNothing();
  });
});

describe('telling recipients of a restriction or an erasure (Art 19)', () => {
  it('of a restriction is about everything they have', () => {
    const under = given(collected, shared('marine'), restricted());
    under.when(notify({ what: 'restriction' })).then(notified('restriction'));
    under.when(notify({ what: 'restriction' })).thenRepeatedNothing();
    under
      .when(notify({ what: 'restriction', recipientId: 'pacific' }))
      .thenRefused('RECIPIENT_UNKNOWN', { recipientId: 'pacific', what: 'restriction' });
  });
  it('of a restriction is moot when it is lifted, and due again when it comes again', () => {
    given(collected, shared('marine'), restricted(), lifted)
      .when(notify({ what: 'restriction' }))
      .thenRefused('RECIPIENT_UNKNOWN');
    given(collected, shared('marine'), restricted(), notified('restriction'), lifted, restricted())
      .when(notify({ what: 'restriction' }))
      .then(notified('restriction'));
  });
  it('of a restriction is owed to who was given data while it stood', () => {
    const police = shared('police');
    const compelled = { ...police, data: { ...police.data, restricted: true as const } };
    given(collected, restricted([]), compelled)
      .when(notify({ what: 'restriction', recipientId: 'police' }))
      .then(notified('restriction', 'police'));
    given(collected, restricted([]), compelled, lifted)
      .when(notify({ what: 'restriction', recipientId: 'police' }))
      .thenRefused('RECIPIENT_UNKNOWN', { recipientId: 'police', what: 'restriction' });
  });
  it('of an erasure names the newest version of each item that was given', () => {
    const gone = given(collected, shared('marine'), erasing(1, 2));
    gone.when(notify({ what: 'erasure', itemId: undefined })).then(notified('erasure'));
    gone.when(notify({ what: 'erasure', itemId: email })).then({
      type: 'RecipientNotified',
      data: { ...about('erasure'), items: [{ itemId: email, version: 1 }], outcome: 'notified' },
    });
  });
  it('of each version that is erased on its own is owed on its own', () => {
    const both = given(collected, erasing(1), notify1, erasing(2));
    expect(both.when(notify({ what: 'erasure', itemId: phone })).outcome).toMatchObject({
      events: [{ data: { items: [{ itemId: phone, version: 2 }] } }],
    });
  });
  const notify1: RecipientNotified = {
    type: 'RecipientNotified',
    data: { ...about('erasure'), items: [{ itemId: phone, version: 1 }], outcome: 'notified' },
  };
});

describe('what is not told or not confirmed', () => {
  const at = (day: string) => ({ now: instant(`${day}T09:00:00Z`), occurredAt: instant(`${day}T09:00:00Z`) });
  const waiting = given(collected, shared('marine'), restricted());
  it('is raised after a week', () => {
    waiting.when(remind('restriction'), at('2026-11-29')).thenNothing();
    waiting.when(remind('restriction'), at('2026-11-30')).then(reminded(1));
  });
  it('is raised three times, the last time as overdue', () => {
    const twice = [collected, shared('marine'), restricted(), reminded(1), reminded(2)];
    given(...twice)
      .when(remind('restriction'), at('2026-12-31'))
      .then(reminded(3));
    given(...twice, reminded(3))
      .when(remind('restriction'), at('2027-12-31'))
      .thenNothing();
  });
  it('is raised anew when it was told and is not confirmed, but for a correction', () => {
    given(collected, restricted(), reminded(1), notified('restriction'))
      .when(remind('restriction'), at('2026-12-31'))
      .then(reminded(1));
    given(...wrong, notified())
      .when(remind('correction'), at('2026-12-31'))
      .thenNothing();
  });
  it('is nobody’s who was never to be told', () => given(collected).when(remind('erasure')).thenNothing());
  it('is read from the table by the steward', async () => {
    const [row] = rows(collected, shared('marine'), restricted());
    const { type, body } = recipientReminderPolicy.command([row!]);
    expect(await readCommand(RemindRecipient, { commandId, ...body })).toMatchObject({ type, recipientId: 'marine' });
  });
});

/** The table after these events, a day apart. */
function rows(...events: readonly DomainEvent[]): readonly Row[] {
  const log = logbook();
  events.forEach((event, day) => log.at(`2026-11-${String(10 + day)}T09:00:00Z`, event));
  return tablesOf(recipientNotificationsProjection, log.events)['recipient_notifications'] ?? [];
}

describe('the table of notices', () => {
  const short = (found: readonly Row[]) =>
    found.map((row) => [row['recipient_id'], row['what'], row['version'], row['status'], row['remind_at'] !== null]);

  it('follows a correction', () => {
    expect(short(rows(...wrong))).toEqual([
      ['marine', 'correction', 2, 'due', true],
      ['pacific', 'correction', 2, 'due', true],
    ]);
    expect(short(rows(...wrong, notified(), unreachable()))[0]).toEqual([
      'marine',
      'correction',
      2,
      'unreachable',
      false,
    ]);
    expect(short(rows(...wrong, notified()))[0]).toEqual(['marine', 'correction', 2, 'notified', false]);
    expect(short(rows(...wrong, shared('marine', 2)))[0]).toEqual(['marine', 'correction', 2, 'notified', false]);
    expect(short(rows(...wrong, corrected(['marine', 'pacific'], 3)))).toEqual([
      ['marine', 'correction', 2, 'superseded', false],
      ['pacific', 'correction', 2, 'superseded', false],
      ['marine', 'correction', 3, 'due', true],
      ['pacific', 'correction', 3, 'due', true],
    ]);
  });
  it('follows a restriction and an erasure', () => {
    expect(short(rows(restricted(), notified('restriction')))).toEqual([
      ['marine', 'restriction', 0, 'notified', true],
    ]);
    expect(short(rows(restricted(), reminded(3)))).toEqual([['marine', 'restriction', 0, 'due', false]]);
    expect(short(rows(restricted(), lifted))).toEqual([['marine', 'restriction', 0, 'lifted', false]]);
    expect(short(rows(restricted(), notified('restriction'), lifted, restricted()))).toEqual([
      ['marine', 'restriction', 0, 'due', true],
    ]);
    expect(short(rows(erasing(1, 2), notified('erasure'), confirmed('erasure')))).toEqual([
      ['marine', 'erasure', 2, 'confirmed', false],
      ['marine', 'erasure', 1, 'confirmed', false],
    ]);
  });

  /** Events as they can come: each is what the decider makes of a command, or what made a notice due. */
  const step = fc.oneof(
    fc.constantFrom<Folded>(
      shared('marine'),
      shared('pacific', 1, {}, email),
      restricted(),
      restricted(['marine', 'pacific']),
      lifted,
      { ...shared('marine'), data: { ...shared('marine').data, restricted: true as const } },
      erasing(1),
      erasing(2),
    ),
    fc.constantFrom<NotificationCommand>(
      notify(),
      notify({ what: 'restriction' }),
      notify({ what: 'erasure', itemId: undefined }),
      confirm({ what: 'erasure' }),
      confirm({ what: 'restriction' }),
      confirm(),
      mark({ what: 'erasure' }),
      mark({ what: 'restriction' }),
      mark(),
      remind('erasure'),
      remind('restriction'),
      remind('correction'),
    ),
    fc.constant('correct' as const),
  );
  const play = (steps: readonly (Folded | NotificationCommand | 'correct')[]) => {
    const log = logbook();
    let state: NotificationState = notificationDecider.initialState;
    let day = 0;
    const time = () => instant(new Date(Date.parse(MONDAY) + day * 3 * 86_400_000).toISOString());
    const happen = (event: Folded) => {
      log.at(time(), event);
      state = notificationDecider.evolve(state, event, time());
    };
    happen(collected);
    for (const each of steps) {
      day += 1;
      if (each === 'correct') {
        const item = state.items.get(phone)!;
        const toVersion = item.version + 1;
        happen(
          corrected(
            [...item.known].filter(([, known]) => known < toVersion).map(([id]) => id),
            toVersion,
          ),
        );
      } else if ('data' in each) happen(each);
      else {
        const decide = () =>
          notificationDecider.decide(each, state, { ...factsAt(time()), now: time(), occurredAt: time() });
        const outcome = decide();
        if (outcome.kind !== 'accepted') continue;
        outcome.events.forEach(happen);
        expect(decide()).toEqual({ kind: 'accepted', events: [] });
      }
    }
    return { log, state, end: time() };
  };

  it('changes nothing when a command is repeated', () =>
    fc.assert(fc.property(fc.array(step, { maxLength: 25 }), (steps) => void play(steps))));

  it('has nothing due for the steward that the decider would not raise', () =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const { log, state } = play(steps);
        const now = instant('2036-01-01T00:00:00Z');
        const found = tablesOf(recipientNotificationsProjection, log.events)['recipient_notifications'] ?? [];
        for (const row of found.filter(({ remind_at }) => remind_at !== null)) {
          const { body } = recipientReminderPolicy.command([row]);
          const command = { ...sent, type: 'RemindRecipient', ...body } as NotificationCommand;
          const outcome = notificationDecider.decide(command, state, { ...factsAt(), now, occurredAt: now });
          const raised = outcome.kind === 'accepted' ? outcome.events.map(({ type }) => type) : [];
          // One for each count of reminders at which items of the recipient stand.
          expect(new Set(raised)).toEqual(new Set(['RecipientReminderRaised']));
        }
      }),
    ));
});

describe('bodies of these commands', () => {
  const base = { commandId, subjectId, recipientId: 'marine' };
  const wrongFields = async (
    command: typeof NotifyRecipient | typeof ConfirmRecipient | typeof MarkRecipientUnreachable,
    body: object,
  ) => {
    const error: unknown = await readCommand<never>(command as never, body).catch((thrown: unknown) => thrown);
    return error instanceof InvalidCommand ? error.fields.map(({ field }) => field) : [];
  };
  it('are read', async () => {
    expect(await wrongFields(NotifyRecipient, { ...base, itemId: phone, version: 2, outcome: 'impossible' })).toEqual(
      [],
    );
    expect(await wrongFields(NotifyRecipient, { ...base, what: 'restriction', outcome: 'notified' })).toEqual([]);
    expect(
      await wrongFields(NotifyRecipient, { ...base, what: 'erasure', itemId: phone, outcome: 'notified' }),
    ).toEqual([]);
    expect(await wrongFields(ConfirmRecipient, { ...base, reference: 'r-1' })).toEqual([]);
    expect(await wrongFields(MarkRecipientUnreachable, { ...base, reason: 'dissolved' })).toEqual([]);
  });
  it('name the item and the version of a correction', async () => {
    expect(await wrongFields(NotifyRecipient, { ...base, outcome: 'notified' })).toEqual([
      'itemId',
      'version',
      'version',
    ]);
    expect(await wrongFields(NotifyRecipient, { ...base, itemId: phone, version: 1, outcome: 'told' })).toEqual([
      'version',
      'outcome',
    ]);
    expect(
      await wrongFields(NotifyRecipient, { ...base, what: 'nothing', recipientId: 'Marine Ltd', outcome: 'notified' }),
    ).toEqual(expect.arrayContaining(['recipientId', 'what']));
    expect(await wrongFields(MarkRecipientUnreachable, { ...base, reason: 'forgot' })).toEqual(['reason']);
  });
});

import { describe, expect, it } from '@jest/globals';
import { Personal, type DomainEvent, type Row } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { accuracyCheckPolicy, overdueCheckPolicy } from './accuracy.policy.js';
import { accuracyBacklogProjection } from './accuracy.projection.js';
import { art14NoticesProjection } from './art14-notices.projection.js';
import { holdingsProjection } from './holdings.projection.js';
import { itemHistoryProjection } from './item-history.projection.js';
import { whoWasToldWhatProjection } from './notice-told.projection.js';
import { rectificationsProjection } from './rectification.projection.js';
import type { SubjectEvent } from './subject.events.js';
import {
  ASHA,
  collected,
  corrected,
  doubted,
  EMAIL,
  erased,
  expired,
  lifted,
  PHONE,
  presented,
  registered,
  REQUEST,
  requested,
  restricted,
  sealed,
} from './testing/index.js';
import { timelineProjection } from './timeline.projection.js';

type Told = readonly (readonly [string, DomainEvent])[];
const logOf = (told: Told) => {
  const log = logbook(`subject-${ASHA}`);
  for (const [at, event] of told) log.at(at, event, '2026-11-23T09:00:00Z');
  return log.events;
};
const JANUARY = '2026-01-05T09:00:00Z';
const MARCH = '2026-03-02T09:00:00Z';
const subjectId = ASHA;

describe('Holdings', () => {
  const rows = (...told: Told) =>
    tablesOf(holdingsProjection, logOf([[JANUARY, registered], [JANUARY, collected()], ...told]));
  const holding = (version: number, ...told: Told): Row =>
    rows(...told)['holdings']!.find((row) => row['item_id'] === EMAIL && row['version'] === version)!;

  it('shows the person', () =>
    expect(rows()['subjects']).toEqual([
      {
        subject_id: ASHA,
        capacity: 'individual',
        subscriber_type: 'individual',
        division: 'england-and-wales',
        opened_at: '2026-01-05T09:00:00.000Z',
        restricted_on: null,
        position: 1,
      },
    ]));
  it('shows each item, its value under seal', () => {
    const [email, phone] = rows()['holdings']!;
    expect(email).toEqual({
      subject_id: ASHA,
      item_id: EMAIL,
      version: 1,
      category: 'contact.email',
      key_id: 'key of email',
      sealed: JSON.stringify(sealed('key of email')),
      purpose_id: 'support',
      source: 'subject',
      source_recipient_id: null,
      status: 'held',
      since: '2026-01-05T09:00:00.000Z',
      superseded_at: null,
      expired_at: null,
      erased_at: null,
      disputed: 0,
      next_check_due: '2027-01-05T09:00:00.000Z',
      check_raised_for: null,
      event_id: expect.any(String),
      position: 2,
    });
    expect(phone).toMatchObject({ item_id: PHONE, next_check_due: null });
  });
  it('takes no value in the clear', () => {
    const [item] = collected().data.items;
    const clear = new Personal('asha@example.test', { subjectId, keyId: 'k' });
    expect(() => rows([MARCH, collected({ items: [{ ...item!, value: clear }] })])).toThrow('sealed values only');
    expect(() => rows([MARCH, corrected({ value: clear })])).toThrow('sealed values only');
  });
  it('shows a corrected value beside the one before', () => {
    const correction = [MARCH, corrected({ nextCheckDue: '2027-03-02T09:00:00.000Z' })] as const;
    expect(holding(1, correction)).toMatchObject({
      status: 'superseded',
      superseded_at: '2026-03-02T09:00:00.000Z',
      next_check_due: null,
      key_id: 'key of email',
    });
    expect(holding(2, correction)).toMatchObject({
      status: 'held',
      since: '2026-03-02T09:00:00.000Z',
      key_id: 'second key of email',
      sealed: JSON.stringify(sealed('second key of email')),
      category: 'contact.email',
      purpose_id: 'support',
      next_check_due: '2027-03-02T09:00:00.000Z',
    });
  });
  it('shows a doubt until it is settled', () => {
    const confirmed: SubjectEvent = {
      type: 'AccuracyConfirmed',
      data: { subjectId, itemId: EMAIL, version: 1, method: 'contactMade', nextCheckDue: '2027-03-02T09:00:00.000Z' },
    };
    expect(holding(1, [MARCH, doubted()])).toMatchObject({ disputed: 1 });
    expect(holding(1, [MARCH, doubted()], [MARCH, confirmed])).toMatchObject({
      disputed: 0,
      next_check_due: '2027-03-02T09:00:00.000Z',
    });
    expect(holding(2, [MARCH, doubted()], [MARCH, corrected()])).toMatchObject({ disputed: 0 });
  });
  it('shows a raised check until it is done; only a check that was not raised awaits the steward', () => {
    const due = '2027-01-05T09:00:00.000Z';
    const raised: SubjectEvent = { type: 'AccuracyCheckDue', data: { subjectId, itemId: EMAIL, version: 1, due } };
    const confirmed: SubjectEvent = {
      type: 'AccuracyConfirmed',
      data: { subjectId, itemId: EMAIL, version: 1, method: 'contactMade' },
    };
    const awaits = (row: Row) => Object.entries(accuracyCheckPolicy.where).every(([name, cell]) => row[name] === cell);
    expect(awaits(holding(1))).toBe(true);
    expect(holding(1, [MARCH, raised])).toMatchObject({ check_raised_for: due });
    expect(awaits(holding(1, [MARCH, raised]))).toBe(false);
    expect(holding(1, [MARCH, raised], [MARCH, confirmed])).toMatchObject({
      check_raised_for: null,
      next_check_due: null,
    });
    expect(awaits(holding(1, [MARCH, expired()]))).toBe(false);
  });
  it('shows the restriction as long as it lasts', () => {
    expect(rows([MARCH, restricted('18(1)(c)')])['subjects']).toMatchObject([{ restricted_on: '18(1)(c)' }]);
    expect(rows([MARCH, restricted()], [MARCH, lifted(MARCH)])['subjects']).toMatchObject([{ restricted_on: null }]);
  });
  it('shows what has expired and what is erased, version by version', () => {
    expect(holding(1, [MARCH, expired()])).toMatchObject({
      status: 'expired',
      expired_at: '2026-03-02T09:00:00.000Z',
      erased_at: null,
      next_check_due: null,
    });
    expect(holding(1, [JANUARY, expired()], [MARCH, erased()])).toMatchObject({
      status: 'erased',
      expired_at: '2026-01-05T09:00:00.000Z',
      erased_at: '2026-03-02T09:00:00.000Z',
    });
    const oldOnly = [
      [JANUARY, corrected()],
      [MARCH, expired(EMAIL, 1)],
    ] as const;
    expect(holding(1, ...oldOnly)).toMatchObject({ status: 'expired' });
    expect(holding(2, ...oldOnly)).toMatchObject({ status: 'held' });
  });
});

describe('AccuracyBacklog', () => {
  const DUE = '2027-01-05T09:00:00.000Z';
  const due: SubjectEvent = {
    type: 'AccuracyCheckDue',
    data: { subjectId, itemId: EMAIL, version: 1, category: 'contact.email', due: DUE },
  };
  const overdue: SubjectEvent = {
    type: 'AccuracyCheckOverdue',
    data: { subjectId, itemId: EMAIL, version: 1, category: 'contact.email', due: DUE },
  };
  const confirmed: SubjectEvent = {
    type: 'AccuracyConfirmed',
    data: { subjectId, itemId: EMAIL, version: 1, method: 'contactMade' },
  };
  const rows = (...events: DomainEvent[]) =>
    tablesOf(accuracyBacklogProjection, logOf(events.map((event) => [MARCH, event])))['accuracy_backlog']!;

  it('lists a check that is due, then overdue, until it is done', () => {
    expect(rows(due)).toEqual([
      {
        subject_id: ASHA,
        item_id: EMAIL,
        kind: 'check',
        version: 1,
        category: 'contact.email',
        status: 'due',
        since: '2026-03-02T09:00:00.000Z',
        cause: 'interval',
        due: DUE,
        overdue_from: '2027-02-05T09:00:00.000Z',
        settled_at: null,
        event_id: expect.any(String),
        position: 1,
      },
    ]);
    expect(rows(due, overdue)).toMatchObject([{ status: 'overdue', position: 2 }]);
    expect(rows(due, overdue, confirmed)).toMatchObject([{ status: 'settled' }]);
    expect(rows(due, expired())).toMatchObject([{ status: 'gone' }]);
    expect(rows(due, confirmed, due)).toMatchObject([{ status: 'due', settled_at: null }]);
    expect(rows(confirmed)).toEqual([]);
  });
  it('lists a doubt beside it, with its cause', () => {
    expect(rows(due, doubted())).toMatchObject([
      { kind: 'check', status: 'due' },
      { kind: 'doubt', status: 'disputed', cause: 'bouncedEmail', due: null },
    ]);
    expect(rows(due, doubted(), corrected())).toMatchObject([{ status: 'settled' }, { status: 'settled' }]);
    expect(rows(doubted(), corrected(), expired(EMAIL, 1))).toMatchObject([{ status: 'settled' }]);
  });
  it('hands the steward what is due for the second time, once', () => {
    const awaits = (row: Row) => Object.entries(overdueCheckPolicy.where).every(([name, cell]) => row[name] === cell);
    expect(rows(due).filter(awaits)).toHaveLength(1);
    expect([...rows(due, overdue), ...rows(due, confirmed), ...rows(doubted())].filter(awaits)).toEqual([]);
  });
});

describe('the history of items', () => {
  it('has a row for each thing that happened to a version, and why', () =>
    expect(
      tablesOf(
        itemHistoryProjection,
        logOf([
          [JANUARY, collected()],
          [MARCH, doubted()],
          [MARCH, corrected({ requestId: REQUEST })],
          [MARCH, expired(EMAIL, 1)],
        ]),
      )['item_history']!.map(({ item_id, version, what, reason, request_id, number }) => [
        item_id,
        version,
        what,
        reason,
        request_id,
        number,
      ]),
    ).toEqual([
      [EMAIL, 1, 'DataCollected', 'subject', null, 0],
      [PHONE, 1, 'DataCollected', 'subject', null, 1],
      [EMAIL, 1, 'AccuracyDoubtRaised', 'bouncedEmail', null, 0],
      [EMAIL, 2, 'DataCorrected', 'outOfDate', REQUEST, 0],
      [EMAIL, 1, 'RetentionExpired', null, null, 0],
    ]));
});

describe('the board of rectifications', () => {
  const reported = (value = sealed('reported')): SubjectEvent => ({
    type: 'SubjectReportedChange',
    data: {
      subjectId,
      requestId: REQUEST,
      channel: 'letter',
      changes: [{ category: 'contact.phone' }, { category: 'contact.email', keyId: 'reported', value: value as never }],
    },
  });
  const done: SubjectEvent = {
    type: 'RectificationCompleted',
    data: {
      subjectId,
      requestId: REQUEST,
      outcome: 'corrected',
      items: [{ itemId: EMAIL, outcome: 'corrected' }],
      valuesUntil: '2026-03-02T09:00:00.000Z',
    },
  };
  const completed: SubjectEvent = { type: 'CorrectionCompleted', data: { subjectId, itemId: EMAIL, version: 2 } };
  const tables = (...events: DomainEvent[]) =>
    tablesOf(
      rectificationsProjection,
      logOf([reported(), requested({ notHeld: ['boat.name'] }), ...events].map((event) => [MARCH, event])),
    );

  it('shows an open case, and keeps what was reported under seal', () => {
    const { rectifications, rectification_items, reported_values } = tables();
    expect(rectifications).toEqual([
      {
        request_id: REQUEST,
        subject_id: ASHA,
        channel: 'letter',
        received_at: '2026-03-02T09:00:00.000Z',
        recorded_at: '2026-11-23T09:00:00.000Z',
        due: '2026-04-02T23:00:00.000Z',
        due_date: '2026-04-02',
        calendar_version: 'uk-bank-holidays-2026-08-07',
        not_held: '["boat.name"]',
        status: 'open',
        answered_at: null,
        overdue_at: null,
        completed_at: null,
        outcome: null,
        event_id: expect.any(String),
        position: 2,
      },
    ]);
    expect(rectification_items).toMatchObject([{ item_id: EMAIL, version: 1, status: 'open' }]);
    expect(reported_values).toMatchObject([
      { number: 1, category: 'contact.email', sealed: JSON.stringify(sealed('reported')), status: 'kept', due: null },
    ]);
    const clear = new Personal('asha@example.test', { subjectId, keyId: 'k' });
    expect(() => tablesOf(rectificationsProjection, logOf([[MARCH, reported(clear as never)]]))).toThrow(
      'sealed values only',
    );
  });
  it('follows each item to its end', () => {
    const itemsAfter = (...events: DomainEvent[]) => tables(...events)['rectification_items'];
    const refused = (requestId?: string): SubjectEvent => ({
      type: 'RectificationRefused',
      data: {
        subjectId,
        itemId: EMAIL,
        reasonCode: 'accurateAsHeld',
        complaintRoutes: [],
        ...(requestId !== undefined && { requestId }),
      },
    });
    expect(itemsAfter(corrected())).toMatchObject([{ status: 'recipientsToTell', corrected_version: 2 }]);
    expect(itemsAfter(corrected(), completed)).toMatchObject([{ status: 'corrected' }]);
    expect(itemsAfter(refused())).toMatchObject([{ status: 'refused' }]);
    expect(itemsAfter(refused(ASHA))).toMatchObject([{ status: 'open' }]);
    expect(itemsAfter(corrected(), completed, refused())).toMatchObject([{ status: 'corrected' }]);
  });
  it('shows how a case ended, and when what was reported goes', () => {
    const over = { type: 'RectificationOverdue', data: { subjectId, requestId: REQUEST, due: '' } };
    const answered = { type: 'RectificationAnswered', data: { subjectId, requestId: REQUEST, categories: [] } };
    const { rectifications, reported_values } = tables(over, answered, corrected(), completed, done);
    expect(rectifications).toMatchObject([
      {
        status: 'completed',
        outcome: 'corrected',
        overdue_at: '2026-03-02T09:00:00.000Z',
        answered_at: '2026-03-02T09:00:00.000Z',
        completed_at: '2026-03-02T09:00:00.000Z',
      },
    ]);
    expect(reported_values).toMatchObject([{ status: 'kept', due: '2026-03-02T09:00:00.000Z' }]);
    const erasedValues = {
      type: 'ReportedValuesErased',
      data: { subjectId, requestId: REQUEST, keyIds: ['reported'], method: 'keyDestruction' },
    };
    expect(tables(done, erasedValues)['reported_values']).toMatchObject([{ status: 'erased' }]);
  });
});

describe('the notices of Art 14', () => {
  const elsewhere = collected({ source: 'thirdParty', sourceRecipientId: 'example-agency' });
  const overdue: SubjectEvent = {
    type: 'Art14NoticeOverdue',
    data: { subjectId, noticeId: 'customer-privacy', due: '2026-02-06T00:00:00.000Z', itemIds: [EMAIL, PHONE] },
  };
  const rows = (...told: Told) => tablesOf(art14NoticesProjection, logOf(told))['art14_notices']!;

  it('are due a month after the data came, until the person is told', () => {
    expect(rows([JANUARY, collected()])).toEqual([]);
    expect(rows([JANUARY, elsewhere])).toMatchObject([
      {
        item_id: EMAIL,
        category: 'contact.email',
        notice_id: 'customer-privacy',
        source_recipient_id: 'example-agency',
        obtained_at: '2026-01-05T09:00:00.000Z',
        due: '2026-02-06T00:00:00.000Z',
        status: 'due',
      },
      { item_id: PHONE },
    ]);
    const telling = presented(1, 'customer-privacy', { toldOf: [EMAIL] });
    const told = { status: 'told', told_at: '2026-03-02T09:00:00.000Z' };
    expect(rows([JANUARY, elsewhere], [MARCH, telling])).toMatchObject([told, { status: 'due' }]);
    expect(rows([JANUARY, elsewhere], [MARCH, overdue])).toMatchObject([{ status: 'overdue' }, { status: 'overdue' }]);
    expect(rows([JANUARY, elsewhere], [MARCH, overdue], [MARCH, telling])).toMatchObject([
      { ...told, overdue_at: '2026-03-02T09:00:00.000Z' },
      { status: 'overdue' },
    ]);
  });
  it('are taken for given by a presentation from before they were recorded', () => {
    const old: SubjectEvent = {
      type: 'NoticePresented',
      data: { subjectId, noticeId: 'customer-privacy', version: 1, how: 'shown', channel: 'web' },
    };
    expect(rows([JANUARY, elsewhere], [MARCH, old])).toMatchObject([{ status: 'told' }, { status: 'told' }]);
    expect(rows([JANUARY, elsewhere], [MARCH, presented()])).toMatchObject([{ status: 'due' }, { status: 'due' }]);
  });
  it('are owed for nothing that has gone', () => {
    const correction = corrected();
    expect(rows([JANUARY, elsewhere], [MARCH, correction], [MARCH, expired(EMAIL, 1)])).toMatchObject([
      { status: 'due' },
      { status: 'due' },
    ]);
    expect(rows([JANUARY, elsewhere], [MARCH, expired()])).toMatchObject([{ status: 'gone' }, { status: 'due' }]);
  });
});

describe('WhoWasToldWhat', () => {
  const tables = (...told: Told) => tablesOf(whoWasToldWhatProjection, logOf(told));

  it('has every presentation, the first of a version and later ones', () =>
    expect(
      tables([JANUARY, presented()], [MARCH, presented(1, 'customer-privacy', { again: true, newestBefore: 1 })])[
        'notice_presentations'
      ],
    ).toMatchObject([
      {
        subject_id: ASHA,
        notice_id: 'customer-privacy',
        version: 1,
        occasion: 'first',
        how: 'shown',
        channel: 'web',
        presented_at: '2026-01-05T09:00:00.000Z',
        recorded_at: '2026-11-23T09:00:00.000Z',
        event_id: expect.any(String),
      },
      { occasion: 'later' },
    ]));
  it('knows the newest version, also when an older one is entered late', () => {
    const second = presented(2, 'customer-privacy', { newestBefore: 1 });
    const late = presented(1, 'customer-privacy', { newestBefore: 2 });
    expect(tables([JANUARY, presented()], [MARCH, second])['last_told']).toMatchObject([{ version: 2 }]);
    expect(tables([MARCH, presented(2)], [JANUARY, late])['last_told']).toMatchObject([
      { version: 2, told_at: '2026-03-02T09:00:00.000Z' },
    ]);
  });
  it('knows what is held under a notice', () => {
    const statuses = (...told: Told) => tables(...told)['collected_under']!.map(({ status }) => status);
    expect(statuses([JANUARY, collected()])).toEqual(['held', 'held']);
    expect(statuses([JANUARY, collected()], [MARCH, corrected()], [MARCH, expired(EMAIL, 1)])).toEqual([
      'held',
      'held',
    ]);
    expect(statuses([JANUARY, collected()], [MARCH, corrected()], [MARCH, erased(EMAIL, 2)])).toEqual(['gone', 'held']);
  });
});

describe('Timeline', () => {
  const rows = (told: Told) => tablesOf(timelineProjection, logOf(told))['timeline']!;

  it('tells everything in the stream of a person, with both times', () => {
    const unheardOf: DomainEvent = { type: 'SomethingNew', data: { purposeId: 'support' } };
    expect(
      rows([
        [JANUARY, registered],
        [MARCH, unheardOf],
      ]),
    ).toMatchObject([
      {
        subject_id: ASHA,
        position: 1,
        type: 'SubjectRegistered',
        occurred_at: '2026-01-05T09:00:00.000Z',
        recorded_at: '2026-11-23T09:00:00.000Z',
        actor_id: 'crm',
      },
      { position: 2, type: 'SomethingNew', facts: '{"purposeId":"support"}' },
    ]);
  });
  it('shows neither values nor what is sealed of them', () => {
    const text = JSON.stringify(
      rows([
        [JANUARY, collected()],
        [MARCH, corrected()],
      ]),
    );
    expect(text).toContain('[sealed]');
    expect(text).not.toMatch(/ciphertext|A256GCM|binding/);
  });
  it('stops at a value in the clear', () =>
    expect(() =>
      rows([[MARCH, corrected({ value: new Personal('asha@example.test', { subjectId, keyId: 'k' }) })]]),
    ).toThrow('outside a seal'));
  it('tells nothing of other streams', () => {
    const log = logbook('purpose-support');
    log.at(MARCH, registered);
    expect(tablesOf(timelineProjection, log.events)['timeline']).toEqual([]);
  });
});

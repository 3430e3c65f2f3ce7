import { describe, expect, it } from '@jest/globals';
import { Personal, type DomainEvent, type Row } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { accuracyCheckPolicy } from './accuracy.policy.js';
import { holdingsProjection } from './holdings.projection.js';
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
  registered,
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

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, instantOf, type CivilDate, type Instant } from '#kernel';
import { describeWithData } from '../../test/data.js';
import {
  addPeriod,
  addPeriodToInstant,
  daysBefore,
  BANK_HOLIDAYS,
  breachDeadline,
  CALENDAR_COVERS,
  CALENDAR_VERSION,
  complaintAcknowledgement,
  endOfLondonDay,
  isBeyondHorizon,
  isPeriod,
  isWorkingDay,
  londonDate,
  londonTime,
  parsePeriod,
  rightsRequestDeadline,
  rollForward,
  startOfLondonDay,
  thirdPartyNoticeDeadline,
  workingDaysAfter,
  type Division,
} from './index.js';

const ENGLAND: Division = 'england-and-wales';
const DAY = 86_400_000;
const moments: fc.Arbitrary<Instant> = fc
  .integer({ min: Date.UTC(2012, 0, 1), max: Date.UTC(2028, 8, 1) })
  .map(instantOf);
const dates: fc.Arbitrary<CivilDate> = moments.map(londonDate);
const divisions = fc.constantFrom<Division>('england-and-wales', 'scotland', 'northern-ireland');
const fieldsOf = (date: CivilDate) => date.split('-').map(Number) as [number, number, number];

type Vector =
  | {
      kind: 'rights-request';
      name: string;
      relevantTime: string;
      division: Division;
      extended: boolean;
      pauses: [string, string][];
      excludedDays: number;
      rawDate: string;
      dueDate: string;
      mustBeDoneBefore: string;
      extensionNoticeGate: string;
    }
  | {
      kind: 'complaint-acknowledgement';
      name: string;
      receivedAt: string;
      division: Division;
      strictLastDay: string;
      icoGuidanceDueDate: string;
    }
  | { kind: 'breach-72h'; name: string; awareAt: string; notifyBy: string; local: string }
  | { kind: 'retention'; name: string; trigger: string; period: string; expiresOn: string };

describeWithData('the deadline vectors', 'calendars/deadline-vectors.json', (text) => {
  const vectors = JSON.parse(text) as Vector[];

  it('are all of a known kind', () => {
    const kinds = new Set(vectors.map((vector) => vector.kind));
    expect(kinds).toEqual(new Set(['rights-request', 'complaint-acknowledgement', 'breach-72h', 'retention']));
    expect(vectors).toHaveLength(27);
  });

  it.each(vectors.map((vector) => [`${vector.kind}: ${vector.name}`, vector] as const))('%s', (_name, vector) => {
    switch (vector.kind) {
      case 'rights-request':
        expect(
          rightsRequestDeadline({
            relevantTime: instant(vector.relevantTime),
            division: vector.division,
            extended: vector.extended,
            pauses: vector.pauses.map(([from, to]) => ({ from: instant(from), to: instant(to) })),
          }),
        ).toEqual({
          excludedDays: vector.excludedDays,
          rawDate: vector.rawDate,
          dueDate: vector.dueDate,
          mustBeDoneBefore: instant(vector.mustBeDoneBefore),
          extensionNoticeGate: vector.extensionNoticeGate,
          pausedSince: null,
          calendarVersion: CALENDAR_VERSION,
          horizonExceeded: false,
        });
        break;
      case 'complaint-acknowledgement':
        expect(complaintAcknowledgement(instant(vector.receivedAt), vector.division)).toMatchObject({
          strictDate: vector.strictLastDay,
          dueDate: vector.icoGuidanceDueDate,
          horizonExceeded: false,
        });
        break;
      case 'breach-72h':
        expect(breachDeadline(instant(vector.awareAt))).toBe(instant(vector.notifyBy));
        expect(londonTime(instant(vector.notifyBy))).toBe(vector.local);
        break;
      case 'retention':
        expect(addPeriod(vector.trigger, vector.period)).toBe(vector.expiresOn);
    }
  });
});

describeWithData('the bank holidays', 'calendars/uk-bank-holidays.json', (text) => {
  const published = JSON.parse(text) as Record<Division, { events: { date: string }[] }>;

  it.each(Object.keys(published) as Division[])('of %s are those published', (division) => {
    expect([...BANK_HOLIDAYS[division]]).toEqual(published[division].events.map((event) => event.date));
  });

  it('are known for the same divisions', () => {
    expect(Object.keys(BANK_HOLIDAYS).sort()).toEqual(Object.keys(published).sort());
  });
});

describe('London and UTC', () => {
  it('differ by a day in the last hour of a UTC summer day', () => {
    expect(londonDate(instant('2026-06-30T22:59:59.999Z'))).toBe('2026-06-30');
    expect(londonDate(instant('2026-06-30T23:00:00Z'))).toBe('2026-07-01');
  });

  it('agree in winter', () => {
    expect(londonDate(instant('2026-12-31T23:59:59.999Z'))).toBe('2026-12-31');
    expect(londonDate(instant('2027-01-01T00:00:00Z'))).toBe('2027-01-01');
  });

  it('a day of the clock change has 23 or 25 hours', () => {
    expect(startOfLondonDay('2026-03-29')).toBe('2026-03-29T00:00:00.000Z');
    expect(endOfLondonDay('2026-03-29')).toBe('2026-03-29T23:00:00.000Z');
    expect(startOfLondonDay('2026-10-25')).toBe('2026-10-24T23:00:00.000Z');
    expect(endOfLondonDay('2026-10-25')).toBe('2026-10-26T00:00:00.000Z');
  });

  it('every moment lies within its London day', () => {
    fc.assert(
      fc.property(moments, (at) => {
        const day = londonDate(at);
        return startOfLondonDay(day) <= at && at < endOfLondonDay(day);
      }),
    );
  });

  it('a date that does not exist is an error', () => {
    expect(() => endOfLondonDay('2026-02-29')).toThrow(RangeError);
  });
});

describe('periods', () => {
  it('are read', () => {
    expect(parsePeriod('P6Y')).toEqual({ years: 6, months: 0, days: 0, hours: 0 });
    expect(parsePeriod('P1Y2M3D')).toEqual({ years: 1, months: 2, days: 3, hours: 0 });
    expect(parsePeriod('PT72H')).toEqual({ years: 0, months: 0, days: 0, hours: 72 });
    expect(parsePeriod('P1DT12H')).toEqual({ years: 0, months: 0, days: 1, hours: 12 });
    expect(parsePeriod('P2W')).toEqual({ years: 0, months: 0, days: 14, hours: 0 });
    expect(isPeriod('P0D')).toBe(true);
  });

  it.each(['', 'P', 'PT', 'P1DT', '6Y', 'P-1D', '-P1D', 'P1.5Y', 'P1M2W', 'P1W1D', 'P1D1M', 'PT5M', 'p1d', 'P1000Y'])(
    '%j is none',
    (text) => {
      expect(isPeriod(text)).toBe(false);
      expect(() => addPeriod('2026-01-31', text)).toThrow(RangeError);
      expect(() => addPeriodToInstant(instant('2026-01-31T00:00:00Z'), text)).toThrow(RangeError);
    },
  );

  it('counts days back on the calendar, over months, leap days and clock changes', () => {
    expect(daysBefore('2028-05-31', 90)).toBe('2028-03-02');
    expect(daysBefore('2028-03-01', 1)).toBe('2028-02-29');
    expect(daysBefore('2026-03-30', 2)).toBe('2026-03-28');
    expect(daysBefore('2026-01-01', 0)).toBe('2026-01-01');
  });

  it('are held to the end of the month', () => {
    expect(addPeriod('2024-02-29', 'P6Y')).toBe('2030-02-28');
    expect(addPeriod('2026-01-31', 'P13M')).toBe('2027-02-28');
    expect(addPeriod('2026-01-31', 'P1M1D')).toBe('2026-03-01');
  });

  it('with hours fit no date', () => {
    expect(() => addPeriod('2026-01-31', 'P1DT1H')).toThrow(RangeError);
  });

  it('keep the local time over a clock change, hours do not', () => {
    expect(addPeriodToInstant(instant('2026-03-28T22:00:00Z'), 'P1D')).toBe('2026-03-29T21:00:00.000Z');
    expect(addPeriodToInstant(instant('2026-03-28T22:00:00Z'), 'PT24H')).toBe('2026-03-29T22:00:00.000Z');
    expect(addPeriodToInstant(instant('2026-01-31T12:00:00Z'), 'P6M')).toBe('2026-07-31T11:00:00.000Z');
  });

  it('a time the clocks skip moves on, one they repeat is the first', () => {
    expect(addPeriodToInstant(instant('2026-03-28T01:30:00Z'), 'P1D')).toBe('2026-03-29T01:30:00.000Z');
    expect(addPeriodToInstant(instant('2026-10-24T00:30:00Z'), 'P1D')).toBe('2026-10-25T00:30:00.000Z');
  });

  it('months never overflow into the month after', () => {
    fc.assert(
      fc.property(dates, fc.integer({ min: 0, max: 240 }), (date, months) => {
        const [year, month, day] = fieldsOf(date);
        const [toYear, toMonth, toDay] = fieldsOf(addPeriod(date, `P${months}M`));
        expect(toYear * 12 + toMonth).toBe(year * 12 + month + months);
        expect(toDay).toBe(Math.min(day, new Date(Date.UTC(toYear, toMonth, 0)).getUTCDate()));
      }),
    );
  });

  it('on a date and on a moment of it agree', () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: 0, max: 60 }), (at, months) => {
        expect(londonDate(addPeriodToInstant(at, `P${months}M`))).toBe(addPeriod(londonDate(at), `P${months}M`));
      }),
    );
  });
});

describe('working days', () => {
  it('pass over weekends and the holidays of the division', () => {
    expect(rollForward('2026-12-25', ENGLAND)).toBe('2026-12-29');
    expect(workingDaysAfter('2026-12-24', 1, ENGLAND)).toBe('2026-12-29');
    expect(workingDaysAfter('2026-11-20', 3, ENGLAND)).toBe('2026-11-25');
    expect(isWorkingDay('2026-11-30', ENGLAND)).toBe(true);
    expect(isWorkingDay('2026-11-30', 'scotland')).toBe(false);
    expect(isWorkingDay('2026-07-13', 'northern-ireland')).toBe(false);
  });

  it('the table covers whole years', () => {
    expect(isBeyondHorizon('2012-01-01')).toBe(false);
    expect(isBeyondHorizon(CALENDAR_COVERS.to)).toBe(false);
    expect(isBeyondHorizon('2011-12-31')).toBe(true);
    expect(isBeyondHorizon('2029-01-01')).toBe(true);
    for (const holidays of Object.values(BANK_HOLIDAYS)) {
      expect(new Set([...holidays].map((date) => date.slice(0, 4))).size).toBe(17);
    }
  });
});

describe('the deadline of a rights request', () => {
  const due = (relevantTime: Instant, division: Division = ENGLAND, extended = false) =>
    rightsRequestDeadline({ relevantTime, division, extended, pauses: [] });

  it('does not exist while a clarification is outstanding', () => {
    const paused = rightsRequestDeadline({
      relevantTime: instant('2026-11-02T09:00:00Z'),
      division: ENGLAND,
      extended: false,
      pauses: [
        { from: instant('2026-11-04T09:00:00Z'), to: instant('2026-11-05T09:00:00Z') },
        { from: instant('2026-11-09T09:00:00Z'), to: null },
      ],
    });
    expect(paused).toEqual({
      excludedDays: null,
      rawDate: null,
      dueDate: null,
      mustBeDoneBefore: null,
      extensionNoticeGate: null,
      pausedSince: '2026-11-09',
      calendarVersion: CALENDAR_VERSION,
      horizonExceeded: false,
    });
  });

  it('is not moved by days before the relevant time', () => {
    expect(
      rightsRequestDeadline({
        relevantTime: instant('2026-11-10T09:00:00Z'),
        division: ENGLAND,
        extended: false,
        pauses: [{ from: instant('2026-11-05T09:00:00Z'), to: instant('2026-11-11T09:00:00Z') }],
      }),
    ).toMatchObject({ excludedDays: 2, rawDate: '2026-12-12', dueDate: '2026-12-14' });
  });

  it('beyond the table of holidays knows weekends only, and says so', () => {
    expect(due(instant('2028-11-26T09:00:00Z'))).toMatchObject({ dueDate: '2028-12-27', horizonExceeded: false });
    expect(due(instant('2028-12-01T09:00:00Z'))).toMatchObject({ dueDate: '2029-01-01', horizonExceeded: true });
    expect(due(instant('2028-12-06T09:00:00Z'))).toMatchObject({ dueDate: '2029-01-08', horizonExceeded: true });
  });

  it('is a working day, never before the raw date, and its end is in time', () => {
    fc.assert(
      fc.property(moments, divisions, fc.boolean(), (at, division, extended) => {
        const { rawDate, dueDate, mustBeDoneBefore } = due(at, division, extended);
        if (dueDate === null) throw new Error('paused without a pause');
        expect(isWorkingDay(dueDate, division)).toBe(true);
        expect(dueDate >= rawDate).toBe(true);
        expect(mustBeDoneBefore).toBe(endOfLondonDay(dueDate));
      }),
    );
  });

  it('never falls back when the request comes later', () => {
    fc.assert(
      fc.property(moments, fc.nat({ max: 400 * DAY }), divisions, fc.boolean(), (at, later, division, extended) => {
        const first = due(at, division, extended);
        const second = due(instantOf(Date.parse(at) + later), division, extended);
        expect(second.dueDate! >= first.dueDate!).toBe(true);
        expect(second.extensionNoticeGate! >= first.extensionNoticeGate!).toBe(true);
      }),
    );
  });

  it('pauses count each day once, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(90), fc.nat(20)), { maxLength: 5 }), (spans) => {
        const start = instant('2026-11-02T09:00:00Z');
        const pauses = spans.map(([after, days]) => ({
          from: addPeriodToInstant(start, `P${after}D`),
          to: addPeriodToInstant(start, `P${after + days}D`),
        }));
        const distinct = new Set(
          spans.flatMap(([after, days]) => [...Array(days + 1).keys()].map((day) => after + day)),
        );
        const clock = { relevantTime: start, division: ENGLAND, extended: false };
        const deadline = rightsRequestDeadline({ ...clock, pauses });
        expect(deadline.excludedDays).toBe(distinct.size);
        expect(deadline).toEqual(rightsRequestDeadline({ ...clock, pauses: [...pauses].reverse() }));
      }),
    );
  });
});

describe('the notice of data from elsewhere (UK GDPR Art 14)', () => {
  it.each([
    ['an ordinary month', '2026-11-23T09:00:00Z', '2026-12-23', '2026-12-24T00:00:00.000Z'],
    ['held to the end of a short month', '2026-01-31T09:00:00Z', '2026-02-28', '2026-03-01T00:00:00.000Z'],
    ['not rolled off Christmas Day', '2026-11-25T09:00:00Z', '2026-12-25', '2026-12-26T00:00:00.000Z'],
    ['by the date in London', '2026-06-30T23:30:00Z', '2026-08-01', '2026-08-01T23:00:00.000Z'],
  ])('is due a month later at the latest: %s', (_case, obtainedAt, dueDate, mustBeDoneBefore) =>
    expect(thirdPartyNoticeDeadline(instant(obtainedAt))).toEqual({ dueDate, mustBeDoneBefore }),
  );
});

import { plusMilliseconds, type CivilDate, type Instant } from '#kernel';
import { Temporal } from 'temporal-polyfill';
import { CALENDAR_VERSION, type Division } from './holidays.js';
import { endOfLondonDay, londonDate } from './london.js';
import { addPeriod } from './period.js';
import { isBeyondHorizon, rollForward } from './working-day.js';

/** The calendar a deadline was computed with; recorded beside it. */
interface Computed {
  readonly calendarVersion: string;
  /** The date lies outside the table of bank holidays: only weekends were rolled over (CALENDAR_HORIZON). */
  readonly horizonExceeded: boolean;
}

/** Time in which a clarification was outstanding, both days included; `to` is null while it still is. */
export interface Pause {
  readonly from: Instant;
  readonly to: Instant | null;
}

export interface RightsRequestClock {
  /** The latest of: request received, identity shown, authority shown, fee paid. */
  readonly relevantTime: Instant;
  readonly division: Division;
  /** Whether an extension was validly notified: three months instead of one. */
  readonly extended: boolean;
  /** Only an access request can be paused; the caller sees to that. */
  readonly pauses: readonly Pause[];
}

export type RightsRequestDeadline = RunningDeadline | PausedDeadline;

interface RunningDeadline extends Computed {
  /** Days that do not count, because a clarification was outstanding. */
  readonly excludedDays: number;
  /** The date before it is rolled to a working day. */
  readonly rawDate: CivilDate;
  /** The last day in time. */
  readonly dueDate: CivilDate;
  /** The end of the last day, exclusive. */
  readonly mustBeDoneBefore: Instant;
  /** The last day for the notice of an extension; not rolled to a working day. */
  readonly extensionNoticeGate: CivilDate;
  readonly pausedSince: null;
}

/** There is no date while a clarification is outstanding. */
interface PausedDeadline extends Computed {
  readonly excludedDays: null;
  readonly rawDate: null;
  readonly dueDate: null;
  readonly mustBeDoneBefore: null;
  readonly extensionNoticeGate: null;
  readonly pausedSince: CivilDate;
}

/**
 * When a rights request must be answered (UK GDPR Art 12(3), 12A): the same date one or three months after
 * the relevant time, held to the end of the month, plus the days paused, rolled to a working day. Overlapping
 * pauses count once; days before the relevant time are not part of the period and do not count.
 */
export function rightsRequestDeadline(clock: RightsRequestClock): RightsRequestDeadline {
  const start = londonDate(clock.relevantTime);
  const open = clock.pauses
    .filter((pause) => pause.to === null)
    .map((pause) => londonDate(pause.from))
    .sort();
  if (open[0] !== undefined) {
    return {
      excludedDays: null,
      rawDate: null,
      dueDate: null,
      mustBeDoneBefore: null,
      extensionNoticeGate: null,
      pausedSince: open[0],
      calendarVersion: CALENDAR_VERSION,
      horizonExceeded: false,
    };
  }
  const excludedDays = pausedDays(clock.pauses, start);
  const after = (months: string) => addPeriod(addPeriod(start, months), `P${excludedDays}D`);
  const rawDate = after(clock.extended ? 'P3M' : 'P1M');
  const dueDate = rollForward(rawDate, clock.division);
  return {
    excludedDays,
    rawDate,
    dueDate,
    mustBeDoneBefore: endOfLondonDay(dueDate),
    extensionNoticeGate: after('P1M'),
    pausedSince: null,
    ...computed(dueDate),
  };
}

/** Until when a person is to be told of data about them that came from elsewhere. */
export interface ThirdPartyNoticeDeadline {
  /** The last day in time. */
  readonly dueDate: CivilDate;
  /** The end of the last day, exclusive. */
  readonly mustBeDoneBefore: Instant;
}

/**
 * When a person must have been told of data that was obtained from elsewhere (UK GDPR Art 14(3)(a)): the end of the
 * same date one month after it was obtained, held to the end of the month. It is not rolled to a working day: the law
 * asks for a reasonable time and allows a month at the most. First contact and first disclosure may come earlier; they
 * are moments, not dates, and the rules that let nothing happen before the notice see to them.
 */
export function thirdPartyNoticeDeadline(obtainedAt: Instant): ThirdPartyNoticeDeadline {
  const dueDate = addPeriod(londonDate(obtainedAt), 'P1M');
  return { dueDate, mustBeDoneBefore: endOfLondonDay(dueDate) };
}

/** When a breach must be notified (UK GDPR Art 33(1)): 72 hours on the clock, weekends and clock changes included. */
export function breachDeadline(awareAt: Instant): Instant {
  return plusMilliseconds(awareAt, 72 * 60 * 60 * 1000);
}

export interface AcknowledgementDeadline extends Computed {
  /** 30 days that begin with the day of receipt, not rolled: the strict reading, and the target. */
  readonly strictDate: CivilDate;
  /** 30 days that begin the day after, rolled to a working day: the last day in time as the ICO reads it. */
  readonly dueDate: CivilDate;
}

/** When a complaint must be acknowledged (DPA 2018 s.164A), in both readings. */
export function complaintAcknowledgement(receivedAt: Instant, division: Division): AcknowledgementDeadline {
  const received = londonDate(receivedAt);
  const dueDate = rollForward(addPeriod(received, 'P30D'), division);
  return { strictDate: addPeriod(received, 'P29D'), dueDate, ...computed(dueDate) };
}

function pausedDays(pauses: readonly Pause[], start: CivilDate): number {
  const days = new Set<CivilDate>();
  for (const { from, to } of pauses) {
    if (to === null) continue;
    const last = londonDate(to);
    for (let day = londonDate(from); day <= last; day = dayAfter(day)) if (day >= start) days.add(day);
  }
  return days.size;
}

function dayAfter(date: CivilDate): CivilDate {
  return Temporal.PlainDate.from(date).add({ days: 1 }).toString();
}

function computed(dueDate: CivilDate): Computed {
  return { calendarVersion: CALENDAR_VERSION, horizonExceeded: isBeyondHorizon(dueDate) };
}

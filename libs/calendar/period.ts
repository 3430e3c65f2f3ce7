import type { CivilDate, Instant } from '#kernel';
import { Temporal } from 'temporal-polyfill';
import { inLondon, instantFrom } from './london.js';

/** A length of time as a person states it. Months and days are the calendar's, hours are elapsed. */
export interface Period {
  readonly years: number;
  readonly months: number;
  readonly days: number;
  readonly hours: number;
}

const SHAPE = /^P(?=.)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,6})D)?(?:T(\d{1,7})H)?$/;
const WEEKS = /^P(\d{1,5})W$/;

/**
 * Reads an ISO 8601 duration: `PnYnMnD`, with `TnH` for hours, or `PnW` alone (weeks mix with nothing else).
 * Whole numbers without a sign; at most 999 years, so that a date keeps its four-digit year.
 *
 * @returns the period, or `undefined` when the text is none.
 */
export function parsePeriod(text: string): Period | undefined {
  const weeks = WEEKS.exec(text)?.[1];
  if (weeks !== undefined) return { years: 0, months: 0, days: Number(weeks) * 7, hours: 0 };
  const match = SHAPE.exec(text);
  if (match === null) return undefined;
  const [years, months, days, hours] = [1, 2, 3, 4].map((part) => Number(match[part] ?? 0)) as Four;
  return { years, months, days, hours };
}

type Four = [number, number, number, number];

export function isPeriod(text: string): boolean {
  return parsePeriod(text) !== undefined;
}

/**
 * The date one period later. Years and months are added first and held to the end of the month (31 January
 * and a month is 28 or 29 February), then days.
 *
 * @throws RangeError when the text is no period, or has hours, which mean nothing to a date.
 */
export function addPeriod(date: CivilDate, isoPeriod: string): CivilDate {
  const { years, months, days, hours } = periodOf(isoPeriod);
  if (hours !== 0) throw new RangeError(`a period with hours cannot be added to a date: ${isoPeriod}`);
  return Temporal.PlainDate.from(date).add({ years, months, days }).toString();
}

/** The date that many days before. */
export function daysBefore(date: CivilDate, days: number): CivilDate {
  return Temporal.PlainDate.from(date).subtract({ days }).toString();
}

/**
 * The moment one period later: years, months and days on London's calendar with the clock showing the same
 * time, as in {@link addPeriod}; then hours as elapsed time. A time the spring change skips moves an hour on;
 * one the autumn change repeats is its first occurrence.
 *
 * @throws RangeError when the text is no period.
 */
export function addPeriodToInstant(at: Instant, isoPeriod: string): Instant {
  return instantFrom(inLondon(at).add(periodOf(isoPeriod)));
}

function periodOf(text: string): Period {
  const period = parsePeriod(text);
  if (period === undefined) throw new RangeError(`not an ISO 8601 period: ${text}`);
  return period;
}

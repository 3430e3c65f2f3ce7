import type { CivilDate } from '#kernel';
import { Temporal } from 'temporal-polyfill';
import { BANK_HOLIDAYS, CALENDAR_COVERS, type Division } from './holidays.js';

/** Neither Saturday, Sunday nor a bank holiday of the division. Beyond the table only weekends count. */
export function isWorkingDay(date: CivilDate, division: Division): boolean {
  return isWorking(Temporal.PlainDate.from(date), division);
}

/** The date itself when it is a working day, else the next one that is. */
export function rollForward(date: CivilDate, division: Division): CivilDate {
  let day = Temporal.PlainDate.from(date);
  while (!isWorking(day, division)) day = day.add({ days: 1 });
  return day.toString();
}

/** The `count`-th working day after a date; the date itself is never counted. `count` is at least 1. */
export function workingDaysAfter(date: CivilDate, count: number, division: Division): CivilDate {
  let day = Temporal.PlainDate.from(date);
  for (let counted = 0; counted < count;) {
    day = day.add({ days: 1 });
    if (isWorking(day, division)) counted += 1;
  }
  return day.toString();
}

/** Whether the table of bank holidays does not speak for this date: a deadline there carries CALENDAR_HORIZON. */
export function isBeyondHorizon(date: CivilDate): boolean {
  return date < CALENDAR_COVERS.from || date > CALENDAR_COVERS.to;
}

function isWorking(day: Temporal.PlainDate, division: Division): boolean {
  return day.dayOfWeek <= 5 && !BANK_HOLIDAYS[division].has(day.toString());
}

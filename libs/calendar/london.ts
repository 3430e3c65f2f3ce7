import { instantOf, type CivilDate, type Instant } from '#kernel';
import { Temporal } from 'temporal-polyfill';

const LONDON = 'Europe/London';

/** The moment as the clocks in London show it. */
export function inLondon(at: Instant): Temporal.ZonedDateTime {
  return Temporal.Instant.from(at).toZonedDateTimeISO(LONDON);
}

/** The date in London at that moment; between March and October it is a day ahead of UTC from 23:00Z. */
export function londonDate(at: Instant): CivilDate {
  return inLondon(at).toPlainDate().toString();
}

/** The moment with London's offset, to the second, for readers: `2026-03-31T23:00:00+01:00`. */
export function londonTime(at: Instant): string {
  return inLondon(at).toString({ timeZoneName: 'never', smallestUnit: 'second' });
}

/** The first moment of a date in London. */
export function startOfLondonDay(date: CivilDate): Instant {
  return instantFrom(Temporal.PlainDate.from(date).toZonedDateTime(LONDON));
}

/** The end of a date in London, exclusive: the first moment of the next one. */
export function endOfLondonDay(date: CivilDate): Instant {
  return instantFrom(Temporal.PlainDate.from(date).add({ days: 1 }).toZonedDateTime(LONDON));
}

export function instantFrom(moment: Temporal.ZonedDateTime): Instant {
  return instantOf(moment.epochMilliseconds);
}

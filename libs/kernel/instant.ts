/**
 * A point in time: an ISO 8601 instant in UTC with millisecond precision and a `Z`, for example
 * `2026-11-23T09:00:00.000Z`. Instants of this shape sort as text in the order of time, so they are
 * compared with `<` and `>`. Civil dates and durations belong to the calendar library.
 */
export type Instant = string & { readonly __instant: unique symbol };

/** An ISO 8601 civil date, `yyyy-mm-dd`, in Europe/London unless the field says otherwise. */
export type CivilDate = string;

const SHAPE = /^\d{4}-\d{2}-\d{2}T(?!24)\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
/** Beyond these years an instant has another shape, and no longer sorts as text. */
const FIRST = Date.parse('0000-01-01T00:00:00.000Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');

/**
 * Reads an RFC 3339 timestamp into an {@link Instant}.
 *
 * @returns the instant, or `undefined` when the text is not a timestamp that exists, in the years 0000 to 9999.
 */
export function parseInstant(text: string): Instant | undefined {
  if (!SHAPE.test(text)) return undefined;
  const milliseconds = Date.parse(text);
  if (!(milliseconds >= FIRST && milliseconds <= LAST)) return undefined;
  const day = Number(text.slice(8, 10));
  const lastDay = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0)).getUTCDate();
  return day > lastDay ? undefined : instantOf(milliseconds);
}

/** The instant of a literal that is known to be valid; throws a `RangeError` when it is not. */
export function instant(text: string): Instant {
  const parsed = parseInstant(text);
  if (parsed === undefined) throw new RangeError('not an RFC 3339 timestamp');
  return parsed;
}

/** The instant that many milliseconds after the Unix epoch. */
export function instantOf(milliseconds: number): Instant {
  return new Date(milliseconds).toISOString() as Instant;
}

/** Milliseconds since the Unix epoch. */
export function epochMilliseconds(at: Instant): number {
  return Date.parse(at);
}

/** The instant `milliseconds` after `at` (before it when negative). */
export function plusMilliseconds(at: Instant, milliseconds: number): Instant {
  return instantOf(epochMilliseconds(at) + milliseconds);
}

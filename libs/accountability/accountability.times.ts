import type { Instant } from '#kernel';
import { instantIn, InvalidCommand } from '#slice';

/**
 * A time that a question names. What will be recorded later is not known, so it has to have passed.
 *
 * @throws InvalidCommand when it is left out, is no RFC 3339 timestamp, or lies ahead.
 */
export function timePassed(field: string, text: string | undefined, now: Instant): Instant {
  const at = instantIn(field, text);
  if (at > now) throw new InvalidCommand([{ field, rule: 'hasPassed' }]);
  return at;
}

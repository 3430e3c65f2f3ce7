import { parseInstant, type CivilDate, type Instant } from '#kernel';
import { isCivilDate } from './fields.js';
import { InvalidCommand } from './validation.js';

/** The most rows of one page. */
export const LARGEST_PAGE = 500;

/** @throws InvalidCommand naming the parameter when it is no whole number. */
export function wholeNumber(field: string, text: string | undefined, otherwise = 0): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,15}$/.test(text)) throw new InvalidCommand([{ field, rule: 'isInt' }]);
  return Number(text);
}

/** How many rows a page has: 100 unless asked for otherwise, at least 1 and at most 500. */
export function limitOf(text: string | undefined): number {
  const limit = wholeNumber('limit', text, 100);
  if (limit === 0) throw new InvalidCommand([{ field: 'limit', rule: 'isInt' }]);
  return Math.min(limit, LARGEST_PAGE);
}

/** @throws InvalidCommand naming the parameter when it is no civil date that exists. */
export function dateOf(field: string, text: string | undefined): CivilDate | undefined {
  if (text === undefined) return undefined;
  if (!isCivilDate(text)) throw new InvalidCommand([{ field, rule: 'isCivilDate' }]);
  return text;
}

/** @throws InvalidCommand naming the parameter when it is no RFC 3339 timestamp. */
export function instantIn(field: string, text: unknown): Instant {
  const at = typeof text === 'string' ? parseInstant(text) : undefined;
  if (at === undefined) throw new InvalidCommand([{ field, rule: 'isInstant' }]);
  return at;
}

import { refuse, type Facts, type Outcome } from './decider.js';
import type { Instant } from './instant.js';

/**
 * Why nothing can be decided about a person: not registered, or the matter lies before they were.
 *
 * @param openedAt when the relationship was opened; `undefined` when the person is not registered.
 */
export function withoutStanding(openedAt: Instant | undefined, facts: Facts): Outcome<never> | undefined {
  if (openedAt === undefined) return refuse('SUBJECT_UNKNOWN');
  if (facts.occurredAt < openedAt) return refuse('OCCURRED_BEFORE_OPENING', { field: 'occurredAt' });
  return undefined;
}

import type { EventIndex } from './event-index.js';
import { MalformedMessage, type FilterRequest } from './wire.js';

/**
 * Whether events of $all are wanted, decided once per stream name or event type.
 *
 * @throws MalformedMessage when the pattern is not a regular expression
 */
export function compileFilter(index: EventIndex, filter: FilterRequest): (ordinal: number) => boolean {
  const matches = matcher(filter);
  const verdicts: boolean[] = [];
  return filter.on === 'stream'
    ? (ordinal) => (verdicts[index.streamId(ordinal)] ??= matches(index.streamName(ordinal)))
    : (ordinal) => (verdicts[index.typeId(ordinal)] ??= matches(index.typeName(ordinal)));
}

function matcher(filter: FilterRequest): (name: string) => boolean {
  if (filter.regex === '') return (name) => filter.prefixes.some((prefix) => name.startsWith(prefix));
  let pattern: RegExp;
  try {
    pattern = new RegExp(filter.regex);
  } catch {
    throw new MalformedMessage('the filter is not a regular expression');
  }
  return (name) => pattern.test(name);
}

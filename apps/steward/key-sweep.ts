import { isSealed, plusMilliseconds, subjectStream } from '#kernel';
import type { EventLog } from '#event-log';
import type { Clock } from '#slice';

/** A command that has not been recorded this long after its keys were made never will be: one day. */
const GRACE = 24 * 60 * 60 * 1000;

/**
 * Removes keys whose event never came into the log, and finishes what an erasure left to do. The log itself is
 * asked, not a read model: a read model that is being rebuilt would call every key unused. It is asked for the stream
 * that each key was made for (usage of a month stands in a stream of its own), and for the person's own.
 *
 * @returns how many keys were removed.
 */
export function sweepKeys(log: EventLog, clock: Clock): Promise<number> {
  return log.vault.sweep(plusMilliseconds(clock.now(), -GRACE), async (refs) => {
    const referenced = new Set<string>();
    const streams = new Set(refs.map(({ subjectId }) => subjectStream(subjectId)));
    for (const { stream } of refs) if (stream !== undefined) streams.add(stream);
    for (const stream of streams) for await (const event of log.readStream(stream)) collect(event.data, referenced);
    return referenced;
  });
}

function collect(value: unknown, into: Set<string>): void {
  if (isSealed(value)) into.add(value.kid);
  else if (typeof value === 'object' && value !== null) Object.values(value).forEach((member) => collect(member, into));
}

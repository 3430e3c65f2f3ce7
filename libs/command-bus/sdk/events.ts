import type { Redis } from 'ioredis';
import { readCloudEvent, type CloudEvent } from './cloud-event.js';
import { EVENTS } from './message.js';
import { connectRedis } from './redis.js';

/** Events after the position that was asked for are no longer in Redis: ask the engine, then go on from now. */
export class EventsTrimmed extends Error {
  override readonly name = 'EventsTrimmed';
  constructor(
    readonly after: number,
    /** The newest event that is gone. */
    readonly trimmedThrough: number,
  ) {
    super(`events up to ${trimmedThrough} are no longer kept; ${after} was asked for`);
  }
}

/** An integration event with the position to resume from once it has been dealt with. */
export interface PublishedEvent {
  readonly position: number;
  readonly event: CloudEvent<Readonly<Record<string, unknown>>>;
}

const BLOCK = 1_000;
const READ_AT_ONCE = 100;

/**
 * What happened, in the order of the log, from a position on and for ever. Keep the position of the last event that
 * was dealt with, in the same transaction as what was done about it, and resume after it: nothing is missed, and
 * nothing comes twice.
 *
 * @param after position of the last event that was dealt with; 0 for the beginning.
 * @throws EventsTrimmed when the events that follow are gone.
 */
export async function* events(redisUrl: string, after: number, signal: AbortSignal): AsyncGenerator<PublishedEvent> {
  const connection = connectRedis(redisUrl, false, () => undefined);
  signal.addEventListener('abort', () => connection.disconnect(), { once: true });
  let position = after;
  try {
    while (!signal.aborted) {
      let entries: readonly (readonly [string, readonly string[]])[];
      try {
        const id = `${position}-0`;
        const read = (await (connection as Redis).xread(
          'COUNT',
          READ_AT_ONCE,
          'BLOCK',
          BLOCK,
          'STREAMS',
          EVENTS,
          id,
        )) as [string, [string, string[]][]][] | null;
        entries = read?.[0]?.[1] ?? [];
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
        continue;
      }
      for (const [id, fields] of entries) {
        const event = readCloudEvent(JSON.parse(fields[1] ?? '')) as PublishedEvent['event'];
        // Each event names the one before it, so a gap shows.
        const previous = Number(event['previous'] ?? 0);
        if (previous > position) throw new EventsTrimmed(position, previous);
        position = Number(id.split('-')[0]);
        yield { position, event };
      }
    }
  } finally {
    connection.disconnect();
  }
}

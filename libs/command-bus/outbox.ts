import { setTimeout as wait } from 'node:timers/promises';
import type { EventLog, Subscription } from '#event-log';
import type { Recorded } from '#kernel';
import { integrationEventOf, type IntegrationEvents } from './integration-events.js';
import { trimAcknowledged, pairs } from './partition.js';
import { connectRedis, EVENTS, type Connection } from './sdk/index.js';

/** How many published events are kept at least, for consumers that were away; more while a group has not read them. */
export const EVENTS_KEPT = 100_000;
const TRIM_INTERVAL = 5_000;
/** Events of so many milliseconds are published in one write. */
const GATHER = 5;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/**
 * Adds entries if the stream ends where the publisher believes, else says where it ends. So two publishers add
 * nothing twice, and what Redis has lost is noticed at the next event.
 */
const PUBLISH = `
  local last = '0-0'
  if redis.call('EXISTS', KEYS[1]) == 1 then
    local info = redis.call('XINFO', 'STREAM', KEYS[1])
    for i = 1, #info, 2 do if info[i] == 'last-generated-id' then last = info[i + 1] end end
  end
  if last ~= ARGV[1] then return last end
  for i = 2, #ARGV, 2 do redis.call('XADD', KEYS[1], ARGV[i], 'event', ARGV[i + 1]) end
  return ARGV[#ARGV - 1]`;

/** The stream ends elsewhere than this publisher believed. */
class Moved extends Error {
  constructor(readonly position: number) {
    super('the stream of events ends elsewhere');
  }
}

/**
 * Publishes integration events from the log to `custos:events`, in the order of the log, each once. The id of an entry
 * is `<position in the log>-0`: the stream itself is the checkpoint, and cannot disagree with what it holds.
 */
export class Outbox {
  readonly #connection: Connection;
  #subscription: Subscription | undefined;
  #running: Promise<void> | undefined;
  readonly #stopping = new AbortController();
  /** Position of the last event that was published. */
  #published = 0;
  /** Position of the last event that was seen. */
  #seen = 0;
  #trimmed = 0;

  constructor(
    private readonly options: {
      readonly url: string;
      readonly events: IntegrationEvents;
      readonly prefixes: readonly string[];
      readonly log: EventLog;
      /** Told when publishing has ended for good. */
      readonly onStopped: (error: Error) => void;
    },
  ) {
    this.#connection = connectRedis(options.url, false, () => undefined);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Position up to which everything is published. */
  get position(): number {
    return this.#seen;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#connection.disconnect();
    await this.#subscription?.stop();
    await this.#running;
  }

  /** Follows the log from the end of the stream; begins anew when the stream turns out to end elsewhere. */
  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let from = await this.#end();
    while (!signal.aborted && from !== undefined) {
      this.#published = from;
      this.#seen = from;
      const stopped = await new Promise<Error | undefined>((resolve) => {
        if (signal.aborted) return resolve(undefined);
        signal.addEventListener('abort', () => resolve(undefined), { once: true });
        this.#subscription = this.options.log.follow(this.options.prefixes, {
          from: () => this.#seen,
          handle: (events) => this.#publish(events),
          gather: GATHER,
          onStopped: resolve,
        });
      });
      if (stopped === undefined) return;
      if (!(stopped instanceof Moved)) return this.options.onStopped(stopped);
      from = stopped.position;
    }
  }

  /** Where the stream ends, as a position in the log; waits for Redis. */
  async #end(): Promise<number | undefined> {
    return this.#persist(async () =>
      positionOf((await this.#connection.eval(PUBLISH, 1, EVENTS, 'unknown')) as string),
    );
  }

  async #publish(events: readonly Recorded[]): Promise<void> {
    let previous = this.#published;
    const entries = events.flatMap((event) => {
      const published = integrationEventOf(event, this.options.events);
      if (!published) return [];
      const text = JSON.stringify({ ...published, previous: String(previous) });
      previous = event.position;
      return [idOf(event.position), text];
    });
    if (entries.length > 0) {
      const last = entries.at(-2) ?? '';
      const end = await this.#persist(
        async () => (await this.#connection.eval(PUBLISH, 1, EVENTS, idOf(this.#published), ...entries)) as string,
      );
      if (end === undefined) return;
      if (end !== last) throw new Moved(positionOf(end));
      this.#published = positionOf(last);
      await this.#trim();
    }
    this.#seen = events.at(-1)?.position ?? this.#seen;
  }

  /** Until Redis takes it, however long it is away or full: the log keeps what is not published yet. */
  async #persist<T>(work: () => Promise<T>): Promise<T | undefined> {
    const { signal } = this.#stopping;
    for (let pause = FIRST_PAUSE; !signal.aborted; pause = Math.min(pause * 2, LONGEST_PAUSE))
      try {
        return await work();
      } catch {
        await wait(pause, undefined, { signal }).catch(() => undefined);
      }
    return undefined;
  }

  /** Keeps the newest events, and of the older ones those that some group has not acknowledged. */
  async #trim(): Promise<void> {
    if (performance.now() - this.#trimmed < TRIM_INTERVAL) return;
    this.#trimmed = performance.now();
    try {
      const info = pairs((await this.#connection.xinfo('STREAM', EVENTS)) as unknown[]);
      if (Number(info['length']) <= EVENTS_KEPT) return;
      const [[keepFrom] = []] = (await this.#connection.xrevrange(EVENTS, '+', '-', 'COUNT', EVENTS_KEPT)).slice(-1);
      if (keepFrom !== undefined) await trimAcknowledged(this.#connection, EVENTS, keepFrom);
    } catch {
      // It is tried again with the next event.
    }
  }
}

const idOf = (position: number): string => `${position}-0`;
const positionOf = (id: string): number => Number(id.split('-')[0]);

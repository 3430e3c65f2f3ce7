import { ErrorType, type AllStreamResolvedEvent, type AllStreamSubscription } from '@eventstore/db-client';
import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { Recorded } from '#kernel';

/** Who follows the log, and what it does with it. */
export interface Follower {
  /** Where to begin: everything after this position. Asked again at every reconnection. */
  from(): number;
  /** Handles events in the order of the log. The next batch waits for it. */
  handle(events: readonly Recorded[]): Promise<void> | void;
  /** Called once the stored events have been handled and new ones are awaited. */
  onCaughtUp?(): void;
  /** Called when following ended for good: an event could not be read, or a handler failed. */
  onStopped(error: Error): void;
  /** Most events in a batch; 512 unless told. */
  readonly batch?: number;
  /**
   * How long new events are gathered into one batch, in milliseconds; one turn of the event loop unless told. For a
   * handler whose cost is by batch rather than by event, such as one that commits.
   */
  readonly gather?: number;
}

export interface Subscription {
  /** Stops following; resolves when no handler is running any more. */
  stop(): Promise<void>;
}

/** The log refuses to be followed, and would refuse again. */
export class CannotFollow extends Error {
  override readonly name = 'CannotFollow';
}

const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 5_000;

/** @param open starts a subscription after a position (0: from the start). */
export function follow(
  open: (from: number) => AllStreamSubscription,
  decodeEvent: (resolved: AllStreamResolvedEvent) => Recorded | undefined,
  follower: Follower,
): Subscription {
  const limit = follower.batch ?? 512;
  let stopped = false;
  let current: AllStreamSubscription | undefined;
  const pauseEnded = new AbortController();
  const gathered = (): Promise<unknown> =>
    follower.gather === undefined
      ? nextTurn()
      : wait(follower.gather, undefined, { signal: pauseEnded.signal }).catch(() => undefined);

  const run = async (): Promise<void> => {
    let pause = FIRST_PAUSE;
    while (!stopped) {
      const from = follower.from();
      const subscription = open(from);
      current = subscription;
      let caughtUp = false;
      let idle = true;
      let announced = false;
      const announce = (): void => {
        if (!caughtUp || !idle || announced || subscription.readableLength > 0) return;
        announced = true;
        follower.onCaughtUp?.();
      };
      subscription.on('caughtUp', () => {
        caughtUp = true;
        setImmediate(announce);
      });
      let batch: Recorded[] = [];
      const failed = await consume(subscription, from, async (resolved) => {
        pause = FIRST_PAUSE;
        idle = false;
        const event = decodeEvent(resolved);
        if (event) batch.push(event);
        // What comes within the next turn of the event loop, or a little later, is handled together, and answers that
        // are ready go out first.
        if (batch.length < limit && subscription.readableLength === 0) await (caughtUp ? gathered() : nextTurn());
        if (batch.length >= limit || subscription.readableLength === 0) {
          const events = batch;
          batch = [];
          if (events.length > 0) await follower.handle(events);
          idle = subscription.readableLength === 0;
          announce();
        }
      });
      await subscription.unsubscribe().catch(() => undefined);
      if (failed) {
        if (!stopped) follower.onStopped(failed);
        return;
      }
      if (stopped) return;
      await wait(pause, undefined, { signal: pauseEnded.signal }).catch(() => undefined);
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  };

  const finished = run();
  return {
    async stop() {
      stopped = true;
      pauseEnded.abort();
      current?.destroy();
      await finished;
    },
  };
}

/** Feeds events one by one. Returns the handler's error, or nothing when the connection ended. */
async function consume(
  subscription: AllStreamSubscription,
  from: number,
  take: (resolved: AllStreamResolvedEvent) => Promise<void>,
): Promise<Error | undefined> {
  let failure: Error | undefined;
  try {
    for await (const resolved of subscription) {
      try {
        await take(resolved as AllStreamResolvedEvent);
      } catch (error) {
        failure = error instanceof Error ? error : new Error('the handler failed', { cause: error });
        break;
      }
    }
  } catch (error) {
    // Otherwise the connection ended, and the caller opens another one from where the follower stands.
    failure ??= refusalOf(error, from);
  }
  return failure;
}

function refusalOf(error: unknown, from: number): CannotFollow | undefined {
  const { type, code } = error as { type?: unknown; code?: unknown };
  if (type === ErrorType.INVALID_ARGUMENT || code === 3)
    return new CannotFollow(
      `the event log has no event at position ${from}, where this reader stands: its read models were made from another log; delete them and they are rebuilt`,
    );
  if (type === ErrorType.ACCESS_DENIED || code === 7 || code === 16)
    return new CannotFollow('the event log refuses access: check the credentials of EVENTSTORE_URL');
  return undefined;
}

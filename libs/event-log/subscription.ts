import type { AllStreamResolvedEvent, AllStreamSubscription } from '@eventstore/db-client';
import { setTimeout as wait } from 'node:timers/promises';
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
}

export interface Subscription {
  /** Stops following; resolves when no handler is running any more. */
  stop(): Promise<void>;
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

  const run = async (): Promise<void> => {
    let pause = FIRST_PAUSE;
    while (!stopped) {
      const subscription = open(follower.from());
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
      const failed = await consume(subscription, async (resolved) => {
        pause = FIRST_PAUSE;
        idle = false;
        const event = decodeEvent(resolved);
        if (event) batch.push(event);
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
  } catch {
    // The connection ended; the caller opens another one from where the follower stands.
  }
  return failure;
}

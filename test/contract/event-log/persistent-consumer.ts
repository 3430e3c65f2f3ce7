import {
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults,
  type EventStoreDBClient,
  type PersistentSubscriptionToAll,
  type PersistentSubscriptionToStream,
  type ResolvedEvent,
} from '@eventstore/db-client';
import { identifier, persistent, type Rpc, type Stub } from './rpc.js';
import { until } from './store.js';

type Subscription = PersistentSubscriptionToStream | PersistentSubscriptionToAll;

export interface Delivered extends ResolvedEvent {
  readonly retryCount: number;
}

/** What a consumer has received, and what became of it. It answers nothing by itself. */
export interface Watched {
  readonly subscription: Subscription;
  readonly delivered: Delivered[];
  /** The error types its call ended with. */
  readonly errors: string[];
  isConfirmed: boolean;
  /** `revision@stream`, with `#retries` where there are some. */
  names(): string[];
  /** Waits for so many deliveries in all. */
  count(count: number, timeoutMs?: number): Promise<Delivered[]>;
}

export function watch(subscription: Subscription): Watched {
  const watched: Watched = {
    subscription,
    delivered: [],
    errors: [],
    isConfirmed: false,
    names: () =>
      watched.delivered.map(({ event, retryCount }) => {
        const name = `${event?.revision}@${event?.streamId}`;
        return retryCount > 0 ? `${name}#${retryCount}` : name;
      }),
    count: async (count, timeoutMs = 8000) => {
      await until(
        () => watched.delivered.length >= count || watched.errors.length > 0,
        `${count} deliveries`,
        timeoutMs,
      ).catch((error: Error) => {
        throw new Error(`${error.message}; has ${watched.names().join(' ') || 'nothing'}`);
      });
      return watched.delivered;
    },
  };
  subscription.on('confirmation', () => (watched.isConfirmed = true));
  subscription.on('data', (event: Delivered) => watched.delivered.push(event));
  subscription.on('error', (error: Error) => watched.errors.push((error as Error & { type: string }).type));
  return watched;
}

/** Settings that start at the beginning and checkpoint every event at once, unless a test says otherwise. */
const eager = { checkPointLowerBound: 1, checkPointUpperBound: 1 } as const;

export const streamSettings = (
  changes: Parameters<typeof persistentSubscriptionToStreamSettingsFromDefaults>[0] = {},
) => persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: 'start', ...eager, ...changes });

export const allSettings = (changes: Parameters<typeof persistentSubscriptionToAllSettingsFromDefaults>[0] = {}) =>
  persistentSubscriptionToAllSettingsFromDefaults({ startFrom: 'start', ...eager, ...changes });

/** Waits until the group's information meets `check`, and returns it. */
export async function infoWhen(
  client: EventStoreDBClient,
  stream: string,
  group: string,
  check: (info: Awaited<ReturnType<EventStoreDBClient['getPersistentSubscriptionToStreamInfo']>>) => boolean,
) {
  const end = Date.now() + 8000;
  for (;;) {
    const info = await client.getPersistentSubscriptionToStreamInfo(stream, group);
    if (check(info)) return info;
    if (Date.now() > end)
      throw new Error(
        `the group stays as it is: ${JSON.stringify(info.stats, (_, v) => (typeof v === 'bigint' ? String(v) : v))}`,
      );
    await pause(25);
  }
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Creates a group by the name of its strategy, which the client's settings cannot say. */
export function createWithStrategy(rpc: Rpc, stream: string, group: string, strategy: string): Promise<void> {
  const { CreateReq } = persistent;
  const settings = new CreateReq.Settings()
    .setMessageTimeoutMs(30_000)
    .setMaxRetryCount(10)
    .setCheckpointAfterMs(2000)
    .setMinCheckpointCount(1)
    .setMaxCheckpointCount(10)
    .setHistoryBufferSize(500)
    .setLiveBufferSize(500)
    .setReadBatchSize(20)
    .setConsumerStrategy(strategy);
  const options: Stub = new CreateReq.Options()
    .setStreamIdentifier(identifier(stream))
    .setGroupName(group)
    .setSettings(settings);
  const request = new CreateReq().setOptions(options);
  return new Promise((resolve, reject) =>
    rpc.persistentSubscriptions.create(request, (error: Error | null) => (error ? reject(error) : resolve())),
  );
}

import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EventStoreDBClient, binaryEvent, jsonEvent, streamNameFilter } from '@eventstore/db-client';
import { startEmbeddedEventStore, type EmbeddedEventStore } from '../../../libs/embedded-event-store/index.js';
import { startChild, type ChildStore } from '../../faults/event-log.js';
import {
  allSettings,
  infoWhen,
  pause,
  streamSettings,
  watch,
  type Delivered,
  type Watched,
} from './persistent-consumer.js';
import { collect, events, refusal, streamName, until } from './store.js';

const GROUP = 'workers';
const PARKED = (stream: string) => `$persistentsubscription-${stream}::${GROUP}-parked`;

const dirs: string[] = [];
const running: EmbeddedEventStore[] = [];
const clients: EventStoreDBClient[] = [];
const children: ChildStore[] = [];
let dir: string;
let client: EventStoreDBClient;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'event-log-groups-'));
  dirs.push(dir);
  await start();
});
afterAll(async () => {
  await Promise.all(clients.map((each) => each.dispose().catch(() => undefined)));
  await Promise.all(running.map((store) => store.stop()));
  await Promise.all(children.map((child) => child.end('SIGKILL')));
  await Promise.all(dirs.map((each) => rm(each, { recursive: true, force: true })));
});

async function start(): Promise<void> {
  const store = await startEmbeddedEventStore({ dataDir: dir });
  running.push(store);
  client = EventStoreDBClient.connectionString(store.connectionString);
  clients.push(client);
}
/** A stop and a start; all consumers are gone. */
async function restart(): Promise<void> {
  await client.dispose();
  await (running.at(-1) as EmbeddedEventStore).stop();
  await start();
}
const consume = (stream: string, bufferSize = 10): Watched =>
  watch(client.subscribeToPersistentSubscriptionToStream(stream, GROUP, { bufferSize }));
const acknowledging = (watched: Watched): Watched => {
  watched.subscription.on('data', (event: Delivered) => void watched.subscription.ack(event as never));
  return watched;
};
async function given(count: number, settings: Parameters<typeof streamSettings>[0] = {}): Promise<string> {
  const stream = streamName();
  if (count > 0) await client.appendToStream(stream, events(count));
  await client.createPersistentSubscriptionToStream(stream, GROUP, streamSettings(settings));
  return stream;
}

describe('after a restart', () => {
  it('groups are there, with their settings', async () => {
    const settings = streamSettings({ maxRetryCount: 3, startFrom: 2n, consumerStrategyName: 'Pinned' });
    const stream = await given(0, settings);
    const gone = await given(0);
    await client.deletePersistentSubscriptionToStream(gone, GROUP);
    await restart();
    const listed = await client.listAllPersistentSubscriptions();
    expect(listed.map(({ eventSource }) => eventSource)).toEqual([stream]);
    expect(listed[0]?.settings).toEqual(settings);
  });

  it('a group goes on behind its checkpoint, and delivers again what is behind that', async () => {
    const stream = await given(5);
    const seen = consume(stream);
    await seen.count(5);
    await seen.subscription.ack(...([0, 1, 3] as const).map((at) => seen.delivered[at] as never));
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.lastCheckpointedEventRevision === 1n);
    await restart();
    const next = acknowledging(consume(stream));
    await next.count(3);
    expect(next.names()).toEqual([2, 3, 4].map((n) => `${n}@${stream}`));
    expect(await refusal(client.createPersistentSubscriptionToStream(stream, GROUP, streamSettings()))).toMatchObject({
      type: 'persistent-subscription-exists',
    });
  });

  it('a group on $all goes on behind its checkpoint, with its filter', async () => {
    const mine = streamName();
    await client.createPersistentSubscriptionToAll(GROUP, allSettings(), {
      filter: streamNameFilter({ prefixes: [mine] }),
    });
    await client.appendToStream(mine, events(2));
    const seen = watch(client.subscribeToPersistentSubscriptionToAll(GROUP));
    const [first] = await seen.count(2);
    await seen.subscription.ack(first as never);
    const at = async () => (await client.getPersistentSubscriptionToAllInfo(GROUP)).stats.lastCheckpointedEventPosition;
    for (let i = 0; i < 100 && (await at())?.commit !== first?.event?.position?.commit; i++) await pause(20);
    await restart();
    await client.appendToStream(streamName(), events(1));
    await client.appendToStream(mine, events(1, 2));
    const next = acknowledging(watch(client.subscribeToPersistentSubscriptionToAll(GROUP)));
    await next.count(2);
    await pause(50);
    expect(next.names()).toEqual([`1@${mine}`, `2@${mine}`]);
  });

  it('a group that began at the end still knows where that was', async () => {
    const stream = await given(2, { startFrom: 'end' });
    await client.appendToStream(stream, events(2, 2));
    await restart();
    const seen = acknowledging(consume(stream));
    await seen.count(2);
    expect(seen.names()).toEqual([2, 3].map((n) => `${n}@${stream}`));
  });

  it('what was parked is parked, and what was being replayed', async () => {
    const stream = await given(3);
    const seen = consume(stream);
    await seen.count(3);
    await seen.subscription.nack('park', 'later', ...(seen.delivered as never[]));
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.parkedMessageCount === 3n);
    await client.replayParkedMessagesToStream(stream, GROUP);
    await seen.count(6);
    await seen.subscription.ack(seen.delivered[3] as never);
    for (let i = 0; i < 100; i++) {
      if ((await client.getStreamMetadata(PARKED(stream))).metadata?.truncateBefore === 1) break;
      await pause(20);
    }
    await restart();
    const { stats } = await client.getPersistentSubscriptionToStreamInfo(stream, GROUP);
    expect(stats.parkedMessageCount).toBe(2n);
    const next = acknowledging(consume(stream));
    await client.replayParkedMessagesToStream(stream, GROUP);
    await next.count(2);
    expect(next.names()).toEqual([1, 2].map((n) => `${n}@${stream}`));
  });

  it('a group made anew begins anew, though the old one was deleted half', async () => {
    const stream = await given(3);
    acknowledging(consume(stream));
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.lastCheckpointedEventRevision === 2n);
    // What a crash between the two steps of a delete leaves behind: the configuration without the group.
    await client.appendToStream(
      '$persistentSubscriptionConfig',
      jsonEvent({ type: '$PersistentConfig', data: { version: '2', entries: [] } }),
    );
    await restart();
    await client.createPersistentSubscriptionToStream(stream, GROUP, streamSettings());
    const next = acknowledging(consume(stream));
    await next.count(3);
    expect(next.names()).toEqual([0, 1, 2].map((n) => `${n}@${stream}`));
  });

  it.each([
    ['no JSON', '{'],
    ['no entries', '{}'],
    ['an entry that is none', '{"entries":[{"stream":"a","group":"b"}]}'],
  ])('groups fail and streams do not when the configuration is %s', async (_case, text) => {
    const stream = await given(1);
    await client.appendToStream(
      '$persistentSubscriptionConfig',
      binaryEvent({ type: '$PersistentConfig', data: Buffer.from(text) }),
    );
    await restart();
    expect(await collect(client.readStream(stream))).toHaveLength(1);
    const failed = { type: 'persistent-subscription-failed' };
    expect(await refusal(client.getPersistentSubscriptionToStreamInfo(stream, GROUP))).toMatchObject(failed);
    expect(await refusal(client.createPersistentSubscriptionToStream(stream, 'b', streamSettings()))).toMatchObject(
      failed,
    );
    expect(await refusal(client.listAllPersistentSubscriptions())).toMatchObject(failed);
  });
});

describe('while it runs', () => {
  it('a stop ends consumers as cancelled', async () => {
    const stream = await given(1);
    const seen = consume(stream);
    await seen.count(1);
    const errors: unknown[] = seen.errors;
    await (running.at(-1) as EmbeddedEventStore).stop();
    await until(() => errors.length > 0, 'the end');
    expect(errors).toEqual(['cancelled']);
  });

  it('changes of many clients at once are all kept', async () => {
    const streams = Array.from({ length: 20 }, () => streamName());
    await Promise.all(
      streams.map((stream) => client.createPersistentSubscriptionToStream(stream, GROUP, streamSettings())),
    );
    await Promise.all(streams.slice(0, 10).map((stream) => client.deletePersistentSubscriptionToStream(stream, GROUP)));
    await restart();
    const listed = await client.listAllPersistentSubscriptions();
    expect(listed.map(({ eventSource }) => eventSource).sort()).toEqual(streams.slice(10).sort());
  });
});

describe('the process', () => {
  it('killed at random moments leaves no event out', async () => {
    const stream = streamName();
    const groupDir = await mkdtemp(join(tmpdir(), 'event-log-groups-'));
    dirs.push(groupDir);
    const processed = new Set<string>();
    for (let round = 0; round < 4; round++) {
      const child = await startChild({ dir: groupDir });
      children.push(child);
      const own = EventStoreDBClient.connectionString(child.url);
      if (round === 0) {
        await own.createPersistentSubscriptionToStream(stream, GROUP, streamSettings({ checkPointUpperBound: 3 }));
      }
      await own.appendToStream(stream, events(200, round * 200));
      const seen = watch(own.subscribeToPersistentSubscriptionToStream(stream, GROUP, { bufferSize: 20 }));
      const goal = (round + 1) * 200;
      seen.subscription.on('data', (event: Delivered) => {
        void seen.subscription.ack(event as never).then(
          () => processed.add(String(event.event?.revision)),
          () => undefined,
        );
      });
      const isLast = round === 3;
      const enough = isLast ? goal : round * 200 + 20 + Math.floor(Math.random() * 100);
      await until(() => processed.size >= enough, `${enough} events in round ${round}`, 15_000);
      await child.end('SIGKILL');
      await own.dispose().catch(() => undefined);
    }
    expect(processed.size).toBe(800);
  });

  it('holds little of what a group is behind with, and of what its consumer does not read', async () => {
    const groupDir = await mkdtemp(join(tmpdir(), 'event-log-groups-'));
    dirs.push(groupDir);
    const child = await startChild({ dir: groupDir });
    children.push(child);
    const own = EventStoreDBClient.connectionString(child.url);
    const stream = streamName();
    await own.createPersistentSubscriptionToStream(stream, GROUP, streamSettings());
    const data = Buffer.alloc(100_000, 'x');
    const batch = Array.from({ length: 10 }, () => binaryEvent({ type: 'Noted', data }));
    const fresh = () => batch.map((event) => ({ ...event, id: randomUUID() }));
    const before = await child.memory();
    const seen = watch(own.subscribeToPersistentSubscriptionToStream(stream, GROUP, { bufferSize: 10_000 }));
    await until(() => seen.isConfirmed, 'confirmation');
    seen.subscription.pause();
    for (let i = 0; i < 150; i++) await own.appendToStream(stream, fresh());
    await pause(300);
    const { stats } = await own.getPersistentSubscriptionToStreamInfo(stream, GROUP);
    expect(stats.totalInFlightMessages).toBeLessThan(1500);
    expect((await child.memory()) - before).toBeLessThan(110 * 1024 * 1024);
    const got: unknown[] = [];
    seen.subscription.on('data', (event: Delivered) => {
      got.push(event);
      void seen.subscription.ack(event as never);
    });
    seen.subscription.resume();
    await until(() => got.length === 1500, 'all events', 20_000);
    await own.dispose().catch(() => undefined);
  }, 60_000);
});

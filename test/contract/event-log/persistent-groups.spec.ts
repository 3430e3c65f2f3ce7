import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { streamNameFilter, type EventStoreDBClient, type Position } from '@eventstore/db-client';
import {
  allSettings,
  createWithStrategy,
  infoWhen,
  pause,
  streamSettings,
  watch,
  type Delivered,
  type Watched,
} from './persistent-consumer.js';
import { Empty, connect, identifier, persistent, type Failure, type Rpc, type Stub } from './rpc.js';
import { collect, embeddedOnly, events, openStore, streamName, until, type StoreUnderTest } from './store.js';

const GROUP = 'workers';
let store: StoreUnderTest;
let client: EventStoreDBClient;
let rpc: Rpc;
const open: Watched[] = [];

beforeAll(async () => {
  store = await openStore();
  client = store.client;
  rpc = connect(store.url);
});
afterAll(async () => {
  await Promise.all(open.map(({ subscription }) => subscription.unsubscribe()));
  rpc.close();
  await store.close();
});

async function given(count: number, settings: Parameters<typeof streamSettings>[0] = {}): Promise<string> {
  const stream = streamName();
  if (count > 0) await client.appendToStream(stream, events(count));
  await client.createPersistentSubscriptionToStream(stream, GROUP, streamSettings(settings));
  return stream;
}
const consume = (stream: string, bufferSize = 10): Watched => {
  const watched = watch(client.subscribeToPersistentSubscriptionToStream(stream, GROUP, { bufferSize }));
  open.push(watched);
  return watched;
};
const acknowledging = (watched: Watched): Watched => {
  watched.subscription.on('data', (event: Delivered) => void watched.subscription.ack(event as never));
  return watched;
};
const info = (stream: string) => client.getPersistentSubscriptionToStreamInfo(stream, GROUP);
const all = () => `all-${randomUUID()}`;
const checkpointStream = (stream: string) => `$persistentsubscription-${stream}::${GROUP}-checkpoint`;

/** The contract fields of the error a promise fails with. */
async function refusal(promise: Promise<unknown>): Promise<object> {
  const error = await promise.then(
    () => {
      throw new Error('expected a refusal, got success');
    },
    (reason: Record<string, unknown>) => reason,
  );
  const { type, streamName: stream, groupName } = error;
  return { type, streamName: stream, groupName };
}
const missing = (stream: string, groupName = GROUP) => ({
  type: 'persistent-subscription-does-not-exist',
  streamName: stream,
  groupName,
});
const failure = (call: (done: (error: Failure) => void) => void) => new Promise<Failure>((resolve) => call(resolve));

describe('a group', () => {
  it('exists once for a stream', async () => {
    const stream = await given(0);
    const again = client.createPersistentSubscriptionToStream(stream, GROUP, streamSettings());
    expect(await refusal(again)).toEqual({
      type: 'persistent-subscription-exists',
      streamName: stream,
      groupName: GROUP,
    });
    await client.createPersistentSubscriptionToStream(stream, 'others', streamSettings());
    expect(await client.listPersistentSubscriptionsToStream(stream)).toHaveLength(2);
  });

  it('exists once for $all', async () => {
    const name = all();
    await client.createPersistentSubscriptionToAll(name, allSettings());
    expect(await refusal(client.createPersistentSubscriptionToAll(name, allSettings()))).toEqual({
      type: 'persistent-subscription-exists',
      streamName: '$all',
      groupName: name,
    });
    await client.deletePersistentSubscriptionToAll(name);
  });

  it('that does not exist is said to be missing, whatever is asked of it', async () => {
    const stream = streamName();
    const asked = [
      client.updatePersistentSubscriptionToStream(stream, GROUP, streamSettings()),
      client.deletePersistentSubscriptionToStream(stream, GROUP),
      client.getPersistentSubscriptionToStreamInfo(stream, GROUP),
      client.replayParkedMessagesToStream(stream, GROUP),
    ];
    for (const each of asked) expect(await refusal(each)).toEqual(missing(stream));
    expect(await refusal(client.listPersistentSubscriptionsToStream(stream))).toEqual(missing(stream, ''));
    const name = all();
    expect(await refusal(client.deletePersistentSubscriptionToAll(name))).toEqual(missing('$all', name));
    expect(await refusal(client.getPersistentSubscriptionToAllInfo(name))).toEqual(missing('$all', name));
    const seen = consume(stream);
    await until(() => seen.errors.length > 0, 'an error');
    expect([seen.errors, seen.isConfirmed]).toEqual([['persistent-subscription-does-not-exist'], false]);
  });

  it('on a stream whose name is not ASCII is named in errors', async () => {
    const stream = streamName('tätig');
    const { streamName: named } = (await refusal(client.getPersistentSubscriptionToStreamInfo(stream, GROUP))) as {
      streamName: string;
    };
    expect(decodeURIComponent(named)).toBe(stream);
  });

  it('with a strategy nobody knows is refused', async () => {
    const stream = streamName();
    const error = (await createWithStrategy(rpc, stream, GROUP, 'Lottery').catch((e: Failure) => e)) as Failure;
    expect(error.code).toBe(13);
    expect(error.metadata.getMap()).toMatchObject({
      exception: 'persistent-subscription-failed',
      'stream-name': stream,
      'group-name': GROUP,
    });
    expect(error.metadata.getMap()['reason']).toContain('Lottery');
    expect(await refusal(info(stream))).toEqual(missing(stream));
  });

  it('that reads more at once than it buffers is refused', async () => {
    const stream = streamName();
    const settings = streamSettings({ readBatchSize: 20, historyBufferSize: 20 });
    expect(await refusal(client.createPersistentSubscriptionToStream(stream, GROUP, settings))).toEqual({
      type: 'persistent-subscription-failed',
      streamName: stream,
      groupName: GROUP,
    });
  });

  embeddedOnly('on $all whose filter is no pattern is refused, and not remembered', async () => {
    const [stream, name] = [await given(0), all()];
    const created = client.createPersistentSubscriptionToAll(name, allSettings(), {
      filter: streamNameFilter({ regex: '(' }),
    });
    await expect(created).rejects.toMatchObject({ message: expect.stringContaining('regular expression') });
    await client.restartPersistentSubscriptionSubsystem();
    expect(await refusal(client.getPersistentSubscriptionToAllInfo(name))).toEqual(missing('$all', name));
    expect((await info(stream)).groupName).toBe(GROUP);
  });

  it('on $all that begins behind the end of the log is refused', async () => {
    const name = all();
    const far = 2n ** 50n;
    const created = client.createPersistentSubscriptionToAll(
      name,
      allSettings({ startFrom: { commit: far, prepare: far } }),
    );
    expect(await refusal(created)).toEqual({
      type: 'persistent-subscription-failed',
      streamName: '$all',
      groupName: name,
    });
  });
});

describe('what a consumer may do', () => {
  it('is bounded by the number of consumers a group takes', async () => {
    const stream = await given(0, { maxSubscriberCount: 1 });
    const first = consume(stream);
    await until(() => first.isConfirmed, 'confirmation');
    const second = consume(stream);
    await until(() => second.errors.length > 0, 'an error');
    expect([second.errors, second.isConfirmed]).toEqual([['maximum-subscribers-reached'], false]);
    await first.subscription.unsubscribe();
    await infoWhen(client, stream, GROUP, ({ connections }) => connections.length === 0);
    const third = consume(stream);
    await until(() => third.isConfirmed, 'confirmation');
    expect(third.errors).toEqual([]);
  });

  it('names stream and group in the trailers when there are too many', async () => {
    const stream = await given(0, { maxSubscriberCount: 1 });
    const first = consume(stream);
    await until(() => first.isConfirmed, 'confirmation');
    const options = new persistent.ReadReq.Options()
      .setStreamIdentifier(identifier(stream))
      .setGroupName(GROUP)
      .setBufferSize(1)
      .setUuidOption(new persistent.ReadReq.Options.UUIDOption().setString(new Empty()));
    const call: Stub = rpc.persistentSubscriptions.read();
    call.on('data', () => undefined);
    const error = await failure((done) => {
      call.on('error', done);
      call.write(new persistent.ReadReq().setOptions(options));
    });
    expect(error.code).toBe(9);
    expect(error.metadata.getMap()).toMatchObject({
      exception: 'maximum-subscribers-reached',
      'stream-name': stream,
      'group-name': GROUP,
    });
  });

  embeddedOnly('begins with its options', async () => {
    const call: Stub = rpc.persistentSubscriptions.read();
    call.on('data', () => undefined);
    const error = await failure((done) => {
      call.on('error', done);
      call.write(new persistent.ReadReq().setAck(new persistent.ReadReq.Ack()));
    });
    expect(error.code).toBe(3);
  });

  it('gets ids as two numbers when it asks for them', async () => {
    const stream = await given(1);
    const [event] = await collect(client.readStream(stream));
    const options = new persistent.ReadReq.Options()
      .setStreamIdentifier(identifier(stream))
      .setGroupName(GROUP)
      .setBufferSize(1)
      .setUuidOption(new persistent.ReadReq.Options.UUIDOption().setStructured(new Empty()));
    const call: Stub = rpc.persistentSubscriptions.read();
    call.on('error', () => undefined);
    const id = await new Promise<Stub>((resolve) => {
      call.on('data', (message: Stub) => message.hasEvent() && resolve(message.getEvent().getEvent().getId()));
      call.write(new persistent.ReadReq().setOptions(options));
    });
    call.cancel();
    expect(id.hasStructured()).toBe(true);
    const half = (text: string) => BigInt.asUintN(64, BigInt(text)).toString(16).padStart(16, '0');
    const { mostSignificantBits, leastSignificantBits } = id.getStructured().toObject();
    expect(half(String(mostSignificantBits)) + half(String(leastSignificantBits))).toBe(
      event?.event?.id.replaceAll('-', ''),
    );
  });
});

describe('the information on a group', () => {
  it('says its settings as they were given', async () => {
    const settings = streamSettings({
      startFrom: 7n,
      resolveLinkTos: true,
      extraStatistics: true,
      messageTimeout: 12_345,
      maxRetryCount: 3,
      checkPointAfter: 4321,
      checkPointLowerBound: 11,
      checkPointUpperBound: 1111,
      maxSubscriberCount: 5,
      liveBufferSize: 222,
      readBatchSize: 33,
      historyBufferSize: 444,
      consumerStrategyName: 'Pinned',
    });
    const stream = await given(0, settings);
    const told = await info(stream);
    expect(told).toMatchObject({ eventSource: stream, groupName: GROUP, connections: [] });
    expect(told.settings).toEqual(settings);
  });

  it.each(['start', 'end', 5n] as const)('says that a group on a stream starts from %s', async (startFrom) => {
    const stream = await given(0, { startFrom });
    expect((await info(stream)).settings.startFrom).toBe(startFrom);
  });

  it.each(['start', 'end', 'position'] as const)('says that a group on $all starts from %s', async (from) => {
    const stream = streamName();
    await client.appendToStream(stream, events(1));
    const [event] = await collect(client.readStream(stream));
    const startFrom = from === 'position' ? (event?.event?.position as Position) : from;
    const name = all();
    await client.createPersistentSubscriptionToAll(name, allSettings({ startFrom }));
    expect((await client.getPersistentSubscriptionToAllInfo(name)).settings.startFrom).toEqual(startFrom);
    await client.deletePersistentSubscriptionToAll(name);
  });

  it('says nothing of positions before there are any', async () => {
    const { stats } = await info(await given(0));
    expect(stats.lastCheckpointedEventRevision).toBeUndefined();
    expect(stats.lastKnownEventRevision).toBeUndefined();
  });

  it('says that a group is behind when it holds as much as its buffer takes, and live when it has it all', async () => {
    const stream = await given(60, { historyBufferSize: 20, readBatchSize: 10 });
    const behind = await infoWhen(client, stream, GROUP, ({ stats }) => stats.readBufferCount > 0);
    expect(behind.stats.readBufferCount).toBeLessThanOrEqual(20);
    expect(behind.status).toContain('Behind');
    const seen = acknowledging(consume(stream));
    await seen.count(60);
    const live = await infoWhen(client, stream, GROUP, ({ stats }) => stats.totalInFlightMessages === 0);
    expect(live.status).toBe('Live');
  });

  it('says how far a group on a stream is', async () => {
    const stream = await given(4);
    const seen = consume(stream, 3);
    await seen.count(3);
    await seen.subscription.ack(seen.delivered[0] as never);
    await seen.count(4);
    const told = await infoWhen(
      client,
      stream,
      GROUP,
      ({ stats, status }) => stats.lastCheckpointedEventRevision === 0n && status === 'Live',
    );
    expect(told.stats).toMatchObject({
      lastKnownEventRevision: 3n,
      totalItems: 4n,
      totalInFlightMessages: 3,
      outstandingMessagesCount: 3,
      parkedMessageCount: 0n,
      readBufferCount: 0,
      retryBufferCount: 0,
    });
    expect(told.connections).toHaveLength(1);
    expect(told.connections[0]).toMatchObject({ availableSlots: 0, inFlightMessages: 3, totalItems: 4n });
    expect(told.connections[0]?.connectionName).toMatch(/./);
  });

  it('says how far a group on $all is, as positions', async () => {
    const stream = streamName();
    await client.appendToStream(stream, events(2));
    const [first, second] = (await collect(client.readStream(stream))).map(({ event }) => event?.position);
    const name = all();
    await client.createPersistentSubscriptionToAll(name, allSettings(), {
      filter: streamNameFilter({ prefixes: [stream] }),
    });
    const seen = watch(client.subscribeToPersistentSubscriptionToAll(name));
    open.push(seen);
    await seen.count(2);
    await seen.subscription.ack(seen.delivered[0] as never);
    const told = () => client.getPersistentSubscriptionToAllInfo(name).then(({ stats }) => stats);
    for (let i = 0; i < 100; i++) {
      if ((await told()).lastCheckpointedEventPosition?.commit === first?.commit) break;
      await pause(20);
    }
    expect(await told()).toMatchObject({ lastCheckpointedEventPosition: first, lastKnownEventPosition: second });
    await client.deletePersistentSubscriptionToAll(name);
  });

  it('measures consumers when it is told to', async () => {
    const stream = await given(5, { extraStatistics: true });
    const seen = acknowledging(consume(stream));
    await seen.count(5);
    const { connections } = await infoWhen(client, stream, GROUP, ({ stats }) => stats.totalInFlightMessages === 0);
    expect([...(connections[0]?.extraStatistics?.keys() ?? [])].sort()).toEqual(
      [
        ...['mean', 'median', 'fastest', 'highest', '90%', '95%', '99%', '99.5%', '99.9%'],
        ...[1, 2, 3, 4, 5].map((n) => `quintile ${n}`),
      ].sort(),
    );
    const { connections: [plain] = [] } = await (async () => {
      const other = await given(1);
      const watched = acknowledging(consume(other));
      await watched.count(1);
      return info(other);
    })();
    expect(plain?.extraStatistics).toBeUndefined();
  });
});

describe('the list of groups', () => {
  it('holds those of a stream', async () => {
    const stream = await given(0);
    await given(0);
    expect((await client.listPersistentSubscriptionsToStream(stream)).map(({ eventSource }) => eventSource)).toEqual([
      stream,
    ]);
  });

  it('holds those of $all, and all there are', async () => {
    const stream = await given(0);
    const name = all();
    await client.createPersistentSubscriptionToAll(name, allSettings());
    const ofAll = await client.listPersistentSubscriptionsToAll();
    expect(ofAll.map(({ groupName }) => groupName)).toContain(name);
    expect(new Set(ofAll.map(({ eventSource }) => eventSource))).toEqual(new Set(['$all']));
    const sources = (await client.listAllPersistentSubscriptions()).map(({ eventSource }) => eventSource);
    expect(sources).toEqual(expect.arrayContaining(['$all', stream]));
    await client.deletePersistentSubscriptionToAll(name);
  });
});

describe('updating a group', () => {
  it('drops its consumers and goes on with what was not acknowledged', async () => {
    const stream = await given(3);
    const seen = consume(stream);
    await seen.count(3);
    await seen.subscription.ack(seen.delivered[0] as never);
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.lastCheckpointedEventRevision === 0n);
    await client.updatePersistentSubscriptionToStream(stream, GROUP, streamSettings({ maxRetryCount: 99 }));
    await until(() => seen.errors.length > 0, 'the end');
    expect(seen.errors).toEqual(['persistent-subscription-dropped']);
    expect((await info(stream)).settings.maxRetryCount).toBe(99);
    const next = acknowledging(consume(stream));
    await next.count(2);
    expect(next.names()).toEqual([`1@${stream}`, `2@${stream}`]);
  });

  it('on $all keeps its filter', async () => {
    const [mine, other, name] = [streamName(), streamName(), all()];
    await client.createPersistentSubscriptionToAll(name, allSettings({ startFrom: 'end' }), {
      filter: streamNameFilter({ prefixes: [mine] }),
    });
    await client.updatePersistentSubscriptionToAll(name, allSettings({ startFrom: 'end' }));
    await client.appendToStream(other, events(1));
    await client.appendToStream(mine, events(1));
    const seen = watch(client.subscribeToPersistentSubscriptionToAll(name));
    open.push(seen);
    await seen.count(1);
    await pause(50);
    expect(seen.names()).toEqual([`0@${mine}`]);
    await client.deletePersistentSubscriptionToAll(name);
  });

  it('that cannot be is refused and changes nothing', async () => {
    const stream = await given(1);
    const seen = acknowledging(consume(stream));
    await seen.count(1);
    const bad = streamSettings({ readBatchSize: 500, historyBufferSize: 500, maxRetryCount: 99 });
    expect(await refusal(client.updatePersistentSubscriptionToStream(stream, GROUP, bad))).toMatchObject({
      type: 'persistent-subscription-failed',
    });
    expect((await info(stream)).settings.maxRetryCount).toBe(10);
    expect(seen.errors).toEqual([]);
  });
});

describe('deleting a group', () => {
  it('drops its consumers', async () => {
    const stream = await given(1);
    const seen = consume(stream);
    await seen.count(1);
    await client.deletePersistentSubscriptionToStream(stream, GROUP);
    await until(() => seen.errors.length > 0, 'the end');
    expect(seen.errors).toEqual(['persistent-subscription-dropped']);
    expect(await refusal(info(stream))).toEqual(missing(stream));
  });

  it('takes its checkpoint and its parked events along', async () => {
    const stream = await given(3);
    const seen = consume(stream);
    await seen.count(3);
    await seen.subscription.nack('park', 'later', seen.delivered[1] as never);
    await seen.subscription.ack(seen.delivered[0] as never, seen.delivered[2] as never);
    await infoWhen(
      client,
      stream,
      GROUP,
      ({ stats }) => stats.lastCheckpointedEventRevision === 2n && stats.parkedMessageCount === 1n,
    );
    await client.deletePersistentSubscriptionToStream(stream, GROUP);
    await pause(100);
    await client.createPersistentSubscriptionToStream(stream, GROUP, streamSettings());
    expect((await info(stream)).stats.parkedMessageCount).toBe(0n);
    const next = acknowledging(consume(stream));
    await next.count(3);
    expect(next.names()).toEqual([0, 1, 2].map((n) => `${n}@${stream}`));
  });
});

describe('a checkpoint', () => {
  const checkpoints = (stream: string) =>
    collect(client.readStream(checkpointStream(stream))).then(
      (found) => found.map(({ event }) => event?.data),
      () => [],
    );
  const acknowledgeAll = async (stream: string, count: number) => {
    const seen = acknowledging(consume(stream));
    await seen.count(count);
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.totalInFlightMessages === 0);
  };

  it('is an event that says the position as text, of which few are kept', async () => {
    const stream = await given(6);
    await acknowledgeAll(stream, 6);
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.lastCheckpointedEventRevision === 5n);
    const kept = await checkpoints(stream);
    expect(kept.at(-1)).toBe('5');
    expect(kept.length).toBeLessThanOrEqual(2);
  });

  it('is made when as many events are finished as the upper bound says', async () => {
    const stream = await given(7, { checkPointAfter: 0, checkPointLowerBound: 1, checkPointUpperBound: 5 });
    const seen = consume(stream, 7);
    await seen.count(7);
    await seen.subscription.ack(...(seen.delivered.slice(0, 4) as never[]));
    await pause(300);
    expect(await checkpoints(stream)).toEqual([]);
    await seen.subscription.ack(seen.delivered[4] as never);
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.lastCheckpointedEventRevision === 4n);
    expect(await checkpoints(stream)).toEqual(['4']);
  });

  it('is made after a time when as many are finished as the lower bound says', async () => {
    const stream = await given(3, { checkPointAfter: 100, checkPointLowerBound: 2, checkPointUpperBound: 1000 });
    const seen = consume(stream, 3);
    await seen.count(3);
    await seen.subscription.ack(seen.delivered[0] as never);
    await pause(1500);
    expect(await checkpoints(stream)).toEqual([]);
    await seen.subscription.ack(seen.delivered[1] as never);
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.lastCheckpointedEventRevision === 1n);
    expect(await checkpoints(stream)).toEqual(['1']);
  });

  it('does not pass an event that nobody has acknowledged', async () => {
    const stream = await given(5);
    const seen = consume(stream);
    await seen.count(5);
    await seen.subscription.ack(...([0, 1, 3, 4].map((at) => seen.delivered[at]) as never[]));
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.lastCheckpointedEventRevision === 1n);
    await pause(200);
    expect((await checkpoints(stream)).at(-1)).toBe('1');
    await seen.subscription.ack(seen.delivered[2] as never);
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.lastCheckpointedEventRevision === 4n);
  });
});

describe('restarting the subsystem', () => {
  it('ends the consumers; the groups go on from their checkpoints', async () => {
    const stream = await given(3);
    const seen = consume(stream);
    await seen.count(3);
    await seen.subscription.ack(seen.delivered[0] as never);
    await infoWhen(client, stream, GROUP, ({ stats }) => stats.lastCheckpointedEventRevision === 0n);
    await client.restartPersistentSubscriptionSubsystem();
    await until(() => seen.errors.length > 0, 'the end');
    let next: Watched;
    do {
      next = consume(stream);
      await until(() => next.isConfirmed || next.errors.length > 0, 'an answer');
    } while (next.errors.length > 0);
    await next.count(2);
    expect(next.names()).toEqual([`1@${stream}`, `2@${stream}`]);
  });
});

describe('the server', () => {
  it('advertises every method, for streams and for $all, so that no client falls back to HTTP', async () => {
    const { methodsList } = await new Promise<Stub>((resolve, reject) =>
      rpc.features.getSupportedMethods(new Empty(), (error: Error | null, answer: Stub) =>
        error ? reject(error) : resolve(answer.toObject()),
      ),
    );
    const service = 'event_store.client.persistent_subscriptions.persistentsubscriptions';
    const found = new Map(
      methodsList
        .filter((method: Stub) => method.serviceName === service)
        .map((method: Stub) => [method.methodName, method.featuresList]),
    );
    for (const method of [
      'create',
      'update',
      'delete',
      'read',
      'getinfo',
      'replayparked',
      'list',
      'restartsubsystem',
    ]) {
      expect([method, found.get(method)]).toEqual([method, expect.arrayContaining(['stream', 'all'])]);
    }
  });

  it('refuses a replay that stops before the beginning', async () => {
    const stream = await given(0);
    const options = new persistent.ReplayParkedReq.Options()
      .setStreamIdentifier(identifier(stream))
      .setGroupName(GROUP)
      .setStopAt('-1');
    const request = new persistent.ReplayParkedReq().setOptions(options);
    const error = await failure((done) => rpc.persistentSubscriptions.replayParked(request, done));
    expect([error.code, error.metadata.getMap()['exception']]).toEqual([13, 'persistent-subscription-failed']);
  });
});

import { compileFilter } from './filter.js';
import type { EventLog, WriteOutcome } from './event-log.js';
import { CallFailed, Code, type Call, type CallHandler, type Method, type Status } from './grpc.js';
import {
  Consumer,
  Group,
  append,
  checkpointStreamOf,
  cursorText,
  keyOf,
  limitToTwo,
  parkedStreamOf,
  type GroupConfig,
} from './persistent-group.js';
import {
  ALL,
  DONE,
  STRATEGIES,
  decodeConsumer,
  decodeDeleteGroup,
  decodeGetInfo,
  decodeGroup,
  decodeList,
  decodeReplay,
  encodeInfo,
  encodeList,
  type GroupName,
  type GroupRequest,
  type GroupSettings,
} from './persistent-wire.js';
import { decoded } from './streams.js';
import { ANY } from './wire.js';

const SERVICE = '/event_store.client.persistent_subscriptions.PersistentSubscriptions';
const CONFIG_STREAM = '$persistentSubscriptionConfig';
const TICK_MS = 100;

const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;

const statusOf = (code: number, exception: string, { source, group }: GroupName, message: string): Status => ({
  code,
  message: `the group '${group}' on '${source}' ${message}`,
  trailers: { exception, 'stream-name': source, 'group-name': group },
});

const missing = (name: GroupName): CallFailed =>
  new CallFailed(statusOf(NOT_FOUND, 'persistent-subscription-does-not-exist', name, 'does not exist'));

const dropped = (name: GroupName): Status =>
  statusOf(Code.CANCELLED, 'persistent-subscription-dropped', name, 'has dropped its consumers');

function failed(name: GroupName, reason: string): CallFailed {
  const status = statusOf(Code.INTERNAL, 'persistent-subscription-failed', name, `failed: ${reason}`);
  return new CallFailed({ ...status, trailers: { ...status.trailers, reason } });
}

/**
 * The groups of this server, and the RPCs on them. What groups there are is the last event of the configuration
 * stream: a change is made when it is durable, one after the other.
 */
export class PersistentSubscriptions {
  private groups = new Map<string, Group>();
  /** The last change, settled when it is over. */
  private changes: Promise<unknown> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;
  /** Why there are no groups, when their configuration makes no sense. */
  private unreadable: string | undefined;

  constructor(private readonly log: EventLog) {
    this.load();
    this.timer = setInterval(() => {
      const now = Date.now();
      for (const group of this.groups.values()) group.tick(now);
    }, TICK_MS);
    this.timer.unref();
  }

  methods(): [path: string, method: Method][] {
    return [
      [`${SERVICE}/Create`, unary((body) => this.create(decoded(() => decodeGroup(body))))],
      [`${SERVICE}/Update`, unary((body) => this.update(decoded(() => decodeGroup(body))))],
      [`${SERVICE}/Delete`, unary((body) => this.delete(decoded(() => decodeDeleteGroup(body))))],
      [`${SERVICE}/Read`, (call) => new ConsumerCall(call, (name) => this.find(name))],
      [`${SERVICE}/GetInfo`, unary((body) => encodeInfo(this.find(decoded(() => decodeGetInfo(body))).info()))],
      [`${SERVICE}/List`, unary((body) => this.list(decoded(() => decodeList(body))))],
      [`${SERVICE}/ReplayParked`, unary((body) => this.replay(body))],
      [`${SERVICE}/RestartSubsystem`, unary(() => this.restart())],
    ];
  }

  /** Nothing is delivered or written from now on. The calls of consumers are the server's to end. */
  stop(): void {
    clearInterval(this.timer);
    for (const group of this.groups.values()) group.suspend();
  }

  /** @throws CallFailed when there is no such group */
  private find(name: GroupName): Group {
    this.checkReadable(name);
    const group = this.groups.get(keyOf(name));
    if (!group) throw missing(name);
    return group;
  }

  private checkReadable(name: GroupName): void {
    if (this.unreadable !== undefined) throw failed(name, this.unreadable);
  }

  // -------------------------------------------------------------------------------------------- changes

  private create(request: GroupRequest): Promise<Buffer> {
    return this.change(async () => {
      this.checkReadable(request);
      const config = this.configFor(request, request);
      if (this.groups.has(keyOf(request))) {
        throw new CallFailed(statusOf(ALREADY_EXISTS, 'persistent-subscription-exists', request, 'exists already'));
      }
      // A delete that was cut short may have left the old group's streams.
      await this.removeStreams(request);
      await this.save([...this.configs(), config], request);
      this.groups.set(keyOf(config), new Group(this.log, config));
    });
  }

  private update(request: GroupRequest): Promise<Buffer> {
    return this.change(async () => {
      const old = this.find(request);
      const config = this.configFor(request, old.config);
      const configs = this.configs().map((other) => (keyOf(other) === keyOf(config) ? config : other));
      await this.save(configs, request);
      const next = new Group(this.log, config);
      old.stop(dropped(request));
      this.groups.set(keyOf(config), next);
    });
  }

  private delete(name: GroupName): Promise<Buffer> {
    return this.change(async () => {
      const group = this.find(name);
      await this.save(
        this.configs().filter((other) => keyOf(other) !== keyOf(name)),
        name,
      );
      this.groups.delete(keyOf(name));
      group.stop(dropped(name));
      await this.removeStreams(name);
    });
  }

  /** Ends all calls and starts all groups anew from their checkpoints. */
  private restart(): Promise<Buffer> {
    return this.change(async () => {
      for (const group of this.groups.values()) group.stop(dropped(group.config));
      this.load();
    });
  }

  /** Makes one change after the other. */
  private change(make: () => Promise<void>): Promise<Buffer> {
    const change = this.changes.then(make);
    this.changes = change.catch(() => undefined);
    return change.then(() => DONE);
  }

  private configs(): GroupConfig[] {
    return [...this.groups.values()].map(({ config }) => config);
  }

  /** @throws CallFailed when there can be no such group */
  private configFor(request: GroupRequest, { filter }: { filter: GroupConfig['filter'] }): GroupConfig {
    const { source, isAll, group, start, settings } = request;
    const { index } = this.log;
    if (source === '') throw failed(request, 'a group names no stream');
    if (source === ALL && !isAll) throw failed(request, 'a stream named $all cannot have groups');
    if (group === '') throw failed(request, 'a group has no name');
    const problem = problemWith(settings);
    if (problem !== undefined) throw failed(request, problem);
    if (filter) decoded(() => compileFilter(index, filter));
    const last = isAll ? index.position(index.count - 1) : (index.find(source)?.last ?? -1);
    if (isAll && typeof start === 'number' && start > last) {
      throw failed(request, 'the group begins behind the end of the log');
    }
    const after = start === 'start' ? -1 : start === 'end' ? last : start - 1;
    return { source, group, start, after, filter, settings };
  }

  /** @throws CallFailed when it is not durable */
  private async save(configs: readonly GroupConfig[], name: GroupName): Promise<void> {
    const data = Buffer.from(
      JSON.stringify({ version: '2', updated: new Date().toISOString(), entries: configs.map(entryOf) }),
    );
    limitToTwo(this.log, CONFIG_STREAM);
    const outcome = await new Promise<WriteOutcome>((settle) =>
      append(this.log, CONFIG_STREAM, { type: '$PersistentConfig', json: true, data }, settle),
    );
    if (outcome.kind === 'written') return;
    if (outcome.kind === 'stopping') {
      throw new CallFailed({ code: Code.UNAVAILABLE, message: 'the event store is stopping' });
    }
    throw failed(name, outcome.kind === 'failed' ? outcome.message : `not saved: ${outcome.kind}`);
  }

  private async removeStreams(name: GroupName): Promise<void> {
    for (const stream of [checkpointStreamOf(name), parkedStreamOf(name)]) {
      if ((this.log.index.find(stream)?.last ?? -1) < 0) continue;
      await this.log.write({ kind: 'delete', target: { stream, expected: ANY }, events: [], deadline: undefined });
    }
  }

  private load(): void {
    this.groups = new Map();
    this.unreadable = undefined;
    const stream = this.log.index.find(CONFIG_STREAM);
    if (!stream || stream.last < 0 || stream.softDeleted) return;
    const groups = new Map<string, Group>();
    try {
      const { entries } = JSON.parse(this.log.event(stream.events.get(stream.last)).data.toString('utf8'));
      for (const entry of entries as Entry[]) {
        const config = configOf(entry);
        groups.set(keyOf(config), new Group(this.log, config));
      }
      this.groups = groups;
    } catch (error) {
      for (const group of groups.values()) group.suspend();
      this.unreadable = `the configuration is not readable: ${(error as Error).message}`;
    }
  }

  // -------------------------------------------------------------------------------------------- the rest

  private list(source: string | undefined): Buffer {
    const name = { source: source ?? '', group: '' };
    this.checkReadable(name);
    const groups = [...this.groups.values()].filter(({ config }) => source === undefined || config.source === source);
    if (source !== undefined && groups.length === 0) throw missing(name);
    return encodeList(groups.map((group) => group.info()));
  }

  private replay(body: Buffer): Buffer {
    const request = decoded(() => decodeReplay(body));
    const { stopAt } = request;
    if (stopAt !== undefined && stopAt < 0) throw failed(request, 'a replay cannot stop at a negative number');
    this.find(request).replay(stopAt);
    return DONE;
  }
}

function problemWith(settings: GroupSettings): string | undefined {
  if (!(STRATEGIES as readonly string[]).includes(settings.strategy)) {
    return `there is no consumer strategy ${settings.strategy}`;
  }
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === 'number' && !(Number.isInteger(value) && value >= 0))
      return `${name} is not a number from 0 on`;
  }
  if (settings.readBatchSize >= settings.historyBufferSize) return 'readBatchSize is not below historyBufferSize';
  return undefined;
}

// ------------------------------------------------------------------------------------------------ configuration

/** A group in the configuration. `after` is this server's own: where a group that starts at the end has begun. */
interface Entry extends Omit<
  GroupSettings,
  'resolveLinks' | 'strategy' | 'checkpointAfter' | 'minCheckpointCount' | 'maxCheckpointCount'
> {
  readonly stream: string;
  readonly group: string;
  readonly filter: GroupConfig['filter'] | null;
  readonly startPosition: string;
  readonly after: number;
  readonly resolveLinkTos: boolean;
  readonly checkPointAfter: number;
  readonly minCheckPointCount: number;
  readonly maxCheckPointCount: number;
  readonly namedConsumerStrategy: string;
}

function entryOf(config: GroupConfig): Entry {
  const { source, group, filter = null, start, after } = config;
  const { resolveLinks, strategy, checkpointAfter, minCheckpointCount, maxCheckpointCount, ...settings } =
    config.settings;
  return {
    stream: source,
    group,
    filter,
    startPosition: cursorText(config, start === 'start' ? 0 : start === 'end' ? -1 : start),
    after,
    resolveLinkTos: resolveLinks,
    checkPointAfter: checkpointAfter,
    minCheckPointCount: minCheckpointCount,
    maxCheckPointCount: maxCheckpointCount,
    namedConsumerStrategy: strategy,
    ...settings,
  };
}

/** @throws Error when the entry is none */
function configOf(entry: Entry): GroupConfig {
  const {
    stream,
    group,
    filter,
    startPosition,
    after,
    resolveLinkTos,
    checkPointAfter,
    minCheckPointCount,
    maxCheckPointCount,
    namedConsumerStrategy,
    ...rest
  } = entry;
  const settings: GroupSettings = {
    ...rest,
    resolveLinks: resolveLinkTos,
    checkpointAfter: checkPointAfter,
    minCheckpointCount: minCheckPointCount,
    maxCheckpointCount: maxCheckPointCount,
    strategy: namedConsumerStrategy,
  };
  const match = /^(?:C:)?(-?\d+)(?:\/P:-?\d+)?$/.exec(startPosition);
  const problem =
    match && typeof stream === 'string' && typeof after === 'number' ? problemWith(settings) : 'an entry has no start';
  if (!match || problem !== undefined) throw new Error(problem);
  const start = Number(match[1]);
  return {
    source: stream,
    group,
    start: start < 0 ? 'end' : start === 0 ? 'start' : start,
    after,
    filter: filter ?? undefined,
    settings,
  };
}

// ------------------------------------------------------------------------------------------------ calls

/** The call of a consumer: first its options, then what it says of the events it gets. */
class ConsumerCall implements CallHandler {
  private joined: { readonly group: Group; readonly consumer: Consumer } | undefined;

  constructor(
    private readonly call: Call,
    private readonly find: (name: GroupName) => Group,
  ) {}

  message(body: Buffer): void {
    const message = decoded(() => decodeConsumer(body));
    if (message.kind === 'options') {
      if (this.joined) throw invalid('a consumer has its options twice');
      if (message.bufferSize <= 0) throw invalid('a consumer has no room for an event');
      const group = this.find(message.name);
      if (group.hasMaximumOfConsumers) {
        throw new CallFailed(
          statusOf(
            Code.FAILED_PRECONDITION,
            'maximum-subscribers-reached',
            message.name,
            'has the maximum of consumers',
          ),
        );
      }
      const consumer = new Consumer(this.call, message.bufferSize, message.structuredIds);
      this.joined = { group, consumer };
      group.join(consumer);
      return;
    }
    if (!this.joined) throw invalid('a consumer begins with its options');
    if (message.kind === 'ack') this.joined.group.acknowledge(message.ids);
    else this.joined.group.refuse(message.ids, message.action, message.reason);
  }

  drained(): void {
    this.joined?.group.drained(this.joined.consumer);
  }

  closed(): void {
    this.joined?.group.leave(this.joined.consumer);
  }
}

const invalid = (message: string): CallFailed => new CallFailed({ code: Code.INVALID_ARGUMENT, message });

const unary =
  (answer: (body: Buffer) => Buffer | Promise<Buffer>): Method =>
  (call) => ({
    message(body) {
      const settled = answer(body);
      if (Buffer.isBuffer(settled)) {
        call.send(settled);
        call.end();
        return;
      }
      settled.then(
        (message) => {
          call.send(message);
          call.end();
        },
        (error: Error) =>
          call.end(
            error instanceof CallFailed ? error.status : { code: Code.INTERNAL, message: `failed: ${error.message}` },
          ),
      );
    },
  });

import { randomUUID } from 'node:crypto';
import { metastreamOf, type Listener, type Stream } from './event-index.js';
import { FrameWindow, type EventLog, type WriteOutcome } from './event-log.js';
import { compileFilter } from './filter.js';
import { Code, framed, type Call, type Status } from './grpc.js';
import { pinBy, strategyNamed, type Candidate, type Strategy } from './persistent-strategies.js';
import {
  ALL,
  encodeDelivery,
  encodeSubscribed,
  type ConsumerInfo,
  type GroupInfo,
  type GroupName,
  type GroupSettings,
  type NackAction,
} from './persistent-wire.js';
import { linkTarget } from './reading.js';
import { ANY, decodeFrame, type FilterRequest, type ProposedEvent, type Start } from './wire.js';

export interface GroupConfig extends GroupName {
  readonly start: Start;
  /** The event before the first one to deliver, as a cursor: a revision, or a position in $all; -1: none. */
  readonly after: number;
  readonly filter: FilterRequest | undefined;
  readonly settings: GroupSettings;
}

/** What groups write; a group on $all is not given it, or it would feed on itself. */
const OWN_STREAMS = '$persistentsubscription-';
const OWN_METASTREAMS = metastreamOf(OWN_STREAMS);

export const keyOf = ({ source, group }: GroupName): string => `${source}::${group}`;
export const checkpointStreamOf = (name: GroupName): string => `${OWN_STREAMS}${keyOf(name)}-checkpoint`;
export const parkedStreamOf = (name: GroupName): string => `${OWN_STREAMS}${keyOf(name)}-parked`;

/** How many events a group looks at before others get their turn. */
const CHUNK_EVENTS = 4096;
const NOTHING = Buffer.alloc(0);

/** An event on its way through a group. */
interface Message {
  /** The number of events the group had looked at before this one. */
  readonly sequence: number;
  /** Where it is in the log: looked up again for each delivery. */
  readonly position: number;
  /** The cursor that makes this event the next one. */
  readonly before: number;
  /** The revision in the parked stream; -1 for an event that comes from the source. */
  readonly parkedAt: number;
  retries: number;
  pinKey: string | undefined;
  delivery: Delivery | undefined;
}

/** From the moment an event is sent until something is known of it. */
interface Delivery {
  readonly id: string;
  readonly consumer: Consumer;
  readonly sentAt: number;
  readonly expiresAt: number;
}

/** A connected client. Told what to send by its group. */
export class Consumer implements Candidate {
  readonly id = randomUUID();
  inFlight = 0;
  /** Bytes wait to be sent: no more until they are gone. */
  isBlocked = false;
  totalItems = 0;
  itemsAtLastInfo = 0;
  readonly durations: number[] = [];

  constructor(
    readonly call: Call,
    readonly bufferSize: number,
    readonly structuredIds: boolean,
  ) {}

  get hasRoom(): boolean {
    return !this.isBlocked && this.inFlight < this.bufferSize && !this.call.isOver;
  }
}

/**
 * One persistent subscription. It walks over its source, hands events to consumers and knows of each whether it is
 * finished: acknowledged, skipped or parked. The checkpoint is the last event before the first unfinished one, so that
 * after a restart an event may come again, but none is left out.
 *
 * In memory: what it has looked at and is not finished, at most the history buffer and the buffers of its consumers
 * together. Everything behind that is read from the log when there is room.
 */
export class Group implements Listener {
  private readonly strategy: Strategy<Consumer>;
  private readonly consumers = new Set<Consumer>();
  private readonly stream: Stream | undefined;
  private readonly wanted: ((ordinal: number) => boolean) | undefined;
  private readonly window = new FrameWindow();
  private readonly targetWindow = new FrameWindow();
  private stopped = false;
  private scheduled = false;

  /** The last event looked at: a revision, or a position in $all. */
  private cursor: number;
  /** The ordinal behind the cursor in $all. */
  private nextInAll = 0;
  private looked = 0;
  private lastKnown = -1;
  private caughtUp = false;

  /** By sequence, rising: what came from the source and is not finished. */
  private readonly unfinished = new Map<number, Message>();
  /** In order: not sent yet. */
  private readonly buffer = new Set<Message>();
  /** In order of delivery: to be sent again. */
  private retries: Message[] = [];
  /** By event id, in order of sending. */
  private readonly outstanding = new Map<string, Message>();

  private checkpointed = 0;
  private checkpoint: number | undefined;
  private checkpointAt = 0;
  private savingCheckpoint = false;

  /** By revision in the parked stream, rising: being replayed and not finished. */
  private readonly replaying = new Map<number, Message>();
  /** Parked events below this have been taken up again, those from here to `replayEnd` will be. */
  private replayNext = 0;
  private replayEnd = 0;
  private savingTruncation = false;

  private totalItems = 0;
  private itemsAtLastInfo = 0;
  private lastInfoAt = Date.now();

  /** @throws MalformedMessage when the filter is none */
  constructor(
    private readonly log: EventLog,
    readonly config: GroupConfig,
  ) {
    const { index } = log;
    this.strategy = strategyNamed(config.settings.strategy);
    this.stream = config.source === ALL ? undefined : index.streamNamed(config.source);
    this.wanted = config.filter && compileFilter(index, config.filter);
    this.checkpoint = storedCheckpoint(log, config);
    this.cursor = this.checkpoint ?? config.after;
    this.listeners.add(this);
    this.schedule();
  }

  private get listeners(): Set<Listener> {
    return this.stream?.listeners ?? this.log.index.listeners;
  }

  get hasMaximumOfConsumers(): boolean {
    const { maxSubscriberCount } = this.config.settings;
    return maxSubscriberCount > 0 && this.consumers.size >= maxSubscriberCount;
  }

  // -------------------------------------------------------------------------------------------- consumers

  join(consumer: Consumer): void {
    this.consumers.add(consumer);
    this.strategy.joined(consumer);
    consumer.call.send(encodeSubscribed(keyOf(this.config)));
    this.step();
  }

  /** What the consumer has not answered goes to others, or waits for one. */
  leave(consumer: Consumer): void {
    if (!this.consumers.delete(consumer)) return;
    this.strategy.left(consumer);
    const held = [...this.outstanding.values()].filter((message) => message.delivery?.consumer === consumer);
    for (const message of held) {
      this.release(message);
      this.retry(message);
    }
    this.step();
  }

  /** The consumer's call takes bytes again. */
  drained(consumer: Consumer): void {
    consumer.isBlocked = false;
    this.step();
  }

  /** Unknown ids are passed over: what they meant may have been retried meanwhile. */
  acknowledge(ids: readonly string[]): void {
    for (const message of this.taken(ids)) this.finish(message);
    this.step();
  }

  /** As for the real server, `stop` forgets the events like `skip`. */
  refuse(ids: readonly string[], action: NackAction, reason: string): void {
    for (const message of this.taken(ids)) {
      if (action === 'park') this.park(message, reason || 'parked by its consumer');
      else if (action === 'skip' || action === 'stop') this.finish(message);
      else this.retryOrPark(message);
    }
    this.step();
  }

  /** Ends the calls of all consumers; nothing is delivered or written from now on. */
  stop(status: Status): void {
    this.suspend();
    for (const { call } of this.consumers) call.end(status);
    this.consumers.clear();
  }

  /** As `stop`, but leaves the calls alone. */
  suspend(): void {
    this.stopped = true;
    this.listeners.delete(this);
  }

  /** To be called some times a second: timeouts and checkpoints by time. */
  tick(now: number): void {
    if (this.stopped) return;
    let any = false;
    for (const message of this.outstanding.values()) {
      if ((message.delivery as Delivery).expiresAt > now) break;
      any = true;
      this.release(message);
      this.retryOrPark(message);
    }
    if (any) this.step();
    this.saveCheckpoint(true);
    this.saveTruncation();
  }

  private *taken(ids: readonly string[]): Generator<Message> {
    for (const id of ids) {
      const message = this.outstanding.get(id);
      if (!message) continue;
      this.release(message);
      yield message;
    }
  }

  // -------------------------------------------------------------------------------------------- reading

  wake(): void {
    this.schedule();
  }

  private schedule(): void {
    if (this.scheduled || this.stopped) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.step();
    });
  }

  /** Reads, delivers and saves what can be. What goes wrong ends the calls of this group and nothing else. */
  private step(): void {
    if (this.stopped) return;
    try {
      this.read();
      this.takeUpParked();
      this.push();
      this.saveCheckpoint(false);
    } catch (error) {
      const { source, group } = this.config;
      const reason = (error as Error).message;
      const status: Status = {
        code: Code.INTERNAL,
        message: `the group failed: ${reason}`,
        trailers: {
          exception: 'persistent-subscription-failed',
          'stream-name': source,
          'group-name': group,
          reason,
        },
      };
      for (const consumer of [...this.consumers]) {
        consumer.call.end(status);
      }
    }
  }

  /** How many unfinished events the group may hold. */
  private get capacity(): number {
    let capacity = this.config.settings.historyBufferSize;
    for (const { bufferSize } of this.consumers) capacity += bufferSize;
    return capacity;
  }

  private read(): void {
    const { capacity } = this;
    const first = this.stream ? this.log.firstVisible(this.stream, Date.now()) : 0;
    for (let seen = 0; this.unfinished.size < capacity; seen++) {
      const { cursor: before } = this;
      const ordinal = this.nextOrdinal(first);
      this.caughtUp = ordinal < 0;
      if (ordinal < 0) return;
      if (!this.stream && isWrittenByGroups(this.log.index.streamName(ordinal))) continue;
      const sequence = this.looked++;
      if (!this.wanted || this.wanted(ordinal)) {
        const position = this.log.index.position(ordinal);
        const message: Message = {
          sequence,
          position,
          before,
          parkedAt: -1,
          retries: 0,
          pinKey: undefined,
          delivery: undefined,
        };
        this.unfinished.set(sequence, message);
        this.buffer.add(message);
        this.lastKnown = this.cursor;
      }
      if (seen >= CHUNK_EVENTS) {
        this.schedule();
        return;
      }
    }
    this.caughtUp = this.stream ? this.cursor >= this.stream.last : this.nextInAll >= this.log.index.count;
  }

  /** The stream has its tombstone: what is in it must not be read any more. */
  private get isSealed(): boolean {
    return (this.stream?.tombstone ?? -1) >= 0;
  }

  /** Moves the cursor. @param first revisions below are gone */
  private nextOrdinal(first: number): number {
    const { index } = this.log;
    if (this.stream) {
      const revision = Math.max(this.cursor + 1, first);
      if (this.isSealed || revision > this.stream.last) return -1;
      this.cursor = revision;
      return this.stream.events.get(revision);
    }
    if (this.nextInAll === 0 || index.position(this.nextInAll - 1) !== this.cursor) {
      this.nextInAll = index.atOrAfter(this.cursor + 1);
    }
    if (this.nextInAll >= index.count) return -1;
    this.cursor = index.position(this.nextInAll);
    return this.nextInAll++;
  }

  // -------------------------------------------------------------------------------------------- delivery

  /** Sends what consumers take: what is to be retried first, then what is new. */
  private push(): void {
    if (this.consumers.size === 0) return;
    let full = false;
    if (this.retries.length > 0) {
      this.retries = this.retries.filter((message) => {
        const fate = full ? 'full' : this.offer(message);
        full = fate === 'full';
        return fate !== 'gone';
      });
    }
    for (const message of this.buffer) {
      if (full) return;
      const fate = this.offer(message);
      if (fate === 'gone') this.buffer.delete(message);
      full = fate === 'full';
    }
  }

  /** @returns `gone`: sent, or there is nothing to send any more */
  private offer(message: Message): 'gone' | 'skip' | 'full' {
    const { index } = this.log;
    const ordinal = index.atOrAfter(message.position);
    const isGone = ordinal >= index.count || index.position(ordinal) !== message.position;
    if (isGone || (this.isSealed && message.parkedAt < 0)) {
      this.finish(message);
      this.schedule();
      return 'gone';
    }
    const consumer = this.strategy.choose(() => (message.pinKey ??= this.pinKeyOf(ordinal, message.parkedAt >= 0)));
    if (consumer === 'full' || consumer === 'skip') return consumer;

    const resolved = this.resolve(ordinal, message.parkedAt >= 0);
    const { id } = decodeFrame((resolved.link ?? resolved.event) as Buffer);
    // An answer names an id, so of two events that share one the second waits for the first.
    if (this.outstanding.has(id)) return 'skip';
    const now = Date.now();
    message.delivery = { id, consumer, sentAt: now, expiresAt: now + this.config.settings.messageTimeout };
    this.outstanding.set(id, message);
    consumer.inFlight++;
    consumer.totalItems++;
    this.totalItems++;
    const { event, link } = resolved;
    const body = encodeDelivery(event, link, message.position, message.retries, consumer.structuredIds);
    if (!consumer.call.sendFramed(framed(body))) consumer.isBlocked = true;
    return 'gone';
  }

  /** Frames that are valid until the next call. */
  private resolve(ordinal: number, isParked: boolean): { event: Buffer | undefined; link: Buffer | undefined } {
    const frame = this.log.frame(ordinal, this.window);
    if ((isParked || this.config.settings.resolveLinks) && this.log.index.typeName(ordinal) === '$>') {
      const target = linkTarget(this.log, frame, this.targetWindow, () => true);
      if (target) return { event: target.frame, link: frame };
    }
    return { event: frame, link: undefined };
  }

  /** The stream an event is from, also where only a link to it is left; or its correlation id, if that is pinned. */
  private pinKeyOf(ordinal: number, isParked: boolean): string {
    const { event, link } = this.resolve(ordinal, isParked);
    const { stream, type, data, metadata } = decodeFrame((event ?? link) as Buffer);
    if (pinBy(this.config.settings.strategy) === 'correlation') {
      const id = correlationIdOf(metadata);
      if (id !== undefined) return id;
    }
    if (type !== '$>') return stream;
    const text = data.toString('utf8');
    return text.slice(text.indexOf('@') + 1);
  }

  /** Takes a message back from the consumer that has it. */
  private release(message: Message): void {
    const { delivery } = message;
    if (!delivery) return;
    message.delivery = undefined;
    this.outstanding.delete(delivery.id);
    const { consumer, sentAt } = delivery;
    consumer.inFlight--;
    if (!this.config.settings.extraStatistics) return;
    consumer.durations.push(Date.now() - sentAt);
    if (consumer.durations.length > MEASURED_ITEMS) consumer.durations.shift();
  }

  private finish(message: Message): void {
    if (message.parkedAt < 0) {
      this.unfinished.delete(message.sequence);
    } else {
      this.replaying.delete(message.parkedAt);
      if (this.replaying.size === 0 && this.replayNext === this.replayEnd) this.saveTruncation();
    }
  }

  private retryOrPark(message: Message): void {
    const { maxRetryCount } = this.config.settings;
    if (message.retries < maxRetryCount) this.retry(message);
    else this.park(message, `not processed after ${maxRetryCount} retries`);
  }

  private retry(message: Message): void {
    message.retries++;
    this.requeue(message);
  }

  /** Puts a message among the retries: the source's in their order, replayed ones behind. */
  private requeue(message: Message): void {
    let at = this.retries.length;
    while (at > 0 && comesBefore(message, this.retries[at - 1] as Message)) at--;
    this.retries.splice(at, 0, message);
  }

  // -------------------------------------------------------------------------------------------- checkpoints

  private saveCheckpoint(byTime: boolean): void {
    if (this.savingCheckpoint || this.stopped) return;
    const [first] = this.unfinished.values();
    const finished = first ? first.sequence : this.looked;
    const cursor = first ? first.before : this.cursor;
    const progress = finished - this.checkpointed;
    if (progress === 0) return;
    const { minCheckpointCount, maxCheckpointCount, checkpointAfter } = this.config.settings;
    const now = Date.now();
    const isTime =
      byTime && checkpointAfter > 0 && progress >= minCheckpointCount && now - this.checkpointAt >= checkpointAfter;
    if (progress < maxCheckpointCount && !isTime) return;

    this.savingCheckpoint = true;
    const stream = checkpointStreamOf(this.config);
    limitToTwo(this.log, stream);
    const data = Buffer.from(JSON.stringify(cursorText(this.config, cursor)));
    append(this.log, stream, { type: '$SubscriptionCheckpoint', json: true, data }, (outcome) => {
      this.savingCheckpoint = false;
      if (outcome.kind !== 'written') return;
      this.checkpointed = finished;
      this.checkpoint = cursor;
      this.checkpointAt = now;
      this.schedule();
    });
  }

  // -------------------------------------------------------------------------------------------- parking

  /** The message stays unfinished until it is durably parked. */
  private park(message: Message, reason: string): void {
    const { index } = this.log;
    const ordinal = index.atOrAfter(message.position);
    if (ordinal >= index.count || index.position(ordinal) !== message.position) return this.finish(message);
    const { event, link } = this.resolve(ordinal, message.parkedAt >= 0);
    const original = decodeFrame((link ?? event) as Buffer);
    const data = link ? Buffer.from(original.data) : Buffer.from(`${original.revision}@${original.stream}`);
    const metadata = Buffer.from(
      JSON.stringify({
        added: new Date().toISOString(),
        reason,
        subscriptionEventNumber: original.revision,
      }),
    );
    append(this.log, parkedStreamOf(this.config), { type: '$>', json: false, data, metadata }, (outcome) => {
      if (outcome.kind === 'written') this.finish(message);
      else this.requeue(message);
      this.schedule();
    });
  }

  /** Takes up the parked events again, those below `stopAt` of the parked stream; the rest stays parked. */
  replay(stopAt: number | undefined): void {
    const parked = this.log.index.find(parkedStreamOf(this.config));
    if (!parked) return;
    const end = Math.min(stopAt ?? Infinity, parked.last + 1);
    const isReplaying = this.replaying.size > 0 || this.replayNext < this.replayEnd;
    if (!isReplaying) this.replayNext = Math.max(this.replayNext, this.log.firstVisible(parked, Date.now()));
    this.replayEnd = Math.max(this.replayNext, this.replayEnd, end);
    this.step();
  }

  private takeUpParked(): void {
    if (this.replayNext >= this.replayEnd) return;
    const { index } = this.log;
    const parked = index.find(parkedStreamOf(this.config)) as Stream;
    const { capacity } = this;
    while (this.replayNext < this.replayEnd && this.replaying.size < capacity) {
      const parkedAt = this.replayNext++;
      const message: Message = {
        sequence: -1,
        position: index.position(parked.events.get(parkedAt)),
        before: -1,
        parkedAt,
        retries: 0,
        pinKey: undefined,
        delivery: undefined,
      };
      this.replaying.set(parkedAt, message);
      this.requeue(message);
    }
  }

  /** Moves `$tb` of the parked stream behind what has been replayed and finished. */
  private saveTruncation(): void {
    if (this.savingTruncation || this.stopped || this.replayNext === 0) return;
    const name = parkedStreamOf(this.config);
    const [first = this.replayNext] = this.replaying.keys();
    const parked = this.log.index.find(name);
    if (!parked || parked.metadata.truncateBefore >= first) return;
    this.savingTruncation = true;
    setMetadata(this.log, name, { $tb: first }, () => (this.savingTruncation = false));
  }

  private get parkedCount(): number {
    const parked = this.log.index.find(parkedStreamOf(this.config));
    if (!parked) return 0;
    return parked.last + 1 - Math.max(this.log.firstVisible(parked, Date.now()), this.replayEnd);
  }

  // -------------------------------------------------------------------------------------------- information

  info(): GroupInfo {
    const now = Date.now();
    const seconds = Math.max(now - this.lastInfoAt, 1) / 1000;
    this.lastInfoAt = now;
    const sinceLast = this.totalItems - this.itemsAtLastInfo;
    this.itemsAtLastInfo = this.totalItems;
    const consumers = [...this.consumers].map((consumer): ConsumerInfo => {
      const items = consumer.totalItems - consumer.itemsAtLastInfo;
      consumer.itemsAtLastInfo = consumer.totalItems;
      return {
        connectionName: consumer.call.connectionName,
        averagePerSecond: Math.floor(items / seconds),
        totalItems: consumer.totalItems,
        countSinceLastMeasurement: items,
        measurements: this.config.settings.extraStatistics ? measurementsOf(consumer.durations) : [],
        availableSlots: consumer.bufferSize - consumer.inFlight,
        inFlight: consumer.inFlight,
      };
    });
    const { source, group, settings, start } = this.config;
    return {
      source,
      group,
      settings,
      consumers,
      status: this.status,
      averagePerSecond: Math.floor(sinceLast / seconds),
      totalItems: this.totalItems,
      countSinceLastMeasurement: sinceLast,
      lastCheckpoint: this.checkpoint === undefined ? '' : cursorText(this.config, this.checkpoint),
      lastKnown: this.lastKnown < 0 ? '' : cursorText(this.config, this.lastKnown),
      startFrom: cursorText(this.config, start === 'start' ? 0 : start === 'end' ? -1 : start),
      readBufferCount: this.buffer.size,
      liveBufferCount: this.caughtUp ? this.buffer.size : 0,
      retryBufferCount: this.retries.length,
      inFlight: consumers.reduce((sum, { inFlight }) => sum + inFlight, 0),
      outstanding: this.outstanding.size,
      parked: this.parkedCount,
    };
  }

  private get status(): string {
    const states = [
      ...(this.caughtUp ? [] : ['Behind']),
      ...(this.replayNext < this.replayEnd ? ['ReplayingParkedMessages'] : []),
      ...(this.caughtUp ? ['Live'] : []),
    ];
    return states.join(', ');
  }
}

const isWrittenByGroups = (stream: string): boolean =>
  stream.startsWith(OWN_STREAMS) || stream.startsWith(OWN_METASTREAMS);

const comesBefore = (one: Message, other: Message): boolean =>
  one.parkedAt < 0 ? other.parkedAt >= 0 || one.sequence < other.sequence : false;

/** A place in the source as clients and checkpoints spell it. */
export const cursorText = ({ source }: GroupName, cursor: number): string =>
  source === ALL ? `C:${cursor}/P:${cursor}` : String(cursor);

/** @throws Error when the last event of the checkpoint stream is not a checkpoint */
function storedCheckpoint(log: EventLog, name: GroupName): number | undefined {
  const stream = log.index.find(checkpointStreamOf(name));
  if (!stream || stream.last < 0 || stream.softDeleted || stream.tombstone >= 0) return undefined;
  const text: unknown = JSON.parse(log.event(stream.events.get(stream.last)).data.toString('utf8'));
  const match = (name.source === ALL ? /^C:(\d+)\/P:\d+$/ : /^(\d+)$/).exec(String(text));
  if (!match) throw new Error(`the checkpoint of ${keyOf(name)} is not readable`);
  return Number(match[1]);
}

function correlationIdOf(metadata: Buffer): string | undefined {
  if (metadata.length === 0) return undefined;
  try {
    const { $correlationId } = JSON.parse(metadata.toString('utf8')) as Record<string, unknown>;
    return typeof $correlationId === 'string' ? $correlationId : undefined;
  } catch {
    return undefined;
  }
}

// -------------------------------------------------------------------------------------------- measurements

const MEASURED_ITEMS = 1000;
const QUANTILES = [
  ['Quintile 1', 0.2],
  ['Quintile 2', 0.4],
  ['Quintile 3', 0.6],
  ['Quintile 4', 0.8],
  ['Quintile 5', 1],
  ['90%', 0.9],
  ['95%', 0.95],
  ['99%', 0.99],
  ['99.5%', 0.995],
  ['99.9%', 0.999],
  ['Highest', 1],
] as const;

/** Milliseconds from delivery to answer, of the last thousand. */
function measurementsOf(durations: readonly number[]): [key: string, value: number][] {
  const sorted = [...durations].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] ?? 0;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / Math.max(sorted.length, 1);
  return [
    ['Mean', Math.round(mean)],
    ['Median', at(0.5)],
    ['Fastest', at(0)],
    ...QUANTILES.map(([key, share]): [string, number] => [key, at(share)]),
  ];
}

// -------------------------------------------------------------------------------------------- writing

interface NewEvent {
  readonly type: string;
  readonly json: boolean;
  readonly data: Buffer;
  readonly metadata?: Buffer;
}

/** Appends to a stream of the server's own, whatever its revision. */
export function append(
  log: EventLog,
  stream: string,
  { type, json, data, metadata = NOTHING }: NewEvent,
  settle: (outcome: WriteOutcome) => void,
): void {
  const contentType = json ? 'application/json' : 'application/octet-stream';
  const event: ProposedEvent = { id: randomUUID(), type, contentType, data, metadata };
  log.enqueue({ kind: 'append', target: { stream, expected: ANY }, events: [event], deadline: undefined }, settle);
}

function setMetadata(log: EventLog, stream: string, document: object, settle: () => void = () => undefined): void {
  const data = Buffer.from(JSON.stringify(document));
  append(log, metastreamOf(stream), { type: '$metadata', json: true, data }, settle);
}

/** Of a stream whose last event counts, two are kept. */
export function limitToTwo(log: EventLog, stream: string): void {
  if (log.index.find(stream)?.metadata.maxCount === undefined) setMetadata(log, stream, { $maxCount: 2 });
}

import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import type { Cluster, Redis } from 'ioredis';
import { lastValueFrom } from 'rxjs';
import { AnswerWriter } from './answer-writer.js';
import { Partition, type BusCommand, type Handled, type PartitionParts } from './partition.js';
import { connectRedis, ENGINES, ownerOf, type Connection } from './sdk/index.js';

/** Partitions of the command stream. Fixed: with another number a person's messages would be in another order. */
export const PARTITIONS = 8;
/** The one pattern that a controller handles: every command of the bus. */
export const BUS_COMMAND = 'custos.command';

/** How long a process holds a partition without renewing it, in milliseconds. Counted by Redis's clock alone. */
const LEASE = 5_000;
/** Nothing is read in the last part of a lease: a read may take a second to come back. */
const MARGIN = 2_000;
const BEAT = 1_000;
/** Failed beats, a quarter of a second apart, after which Redis counts as away. */
const TOLD_AFTER = 6;
const LONGEST_PAUSE = 2_000;

/** Takes a free partition, or renews one's own. Only the renewal works when Redis is full, and it is enough. */
const HOLD = `
  local owner = redis.call('GET', KEYS[1])
  if owner == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  if owner then return 0 end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1`;
const LET_GO = `
  if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
  return 0`;
/** Says that this engine lives, forgets those that do not, and counts. */
const COUNT_ENGINES = `
  local now = redis.call('TIME')
  local at = now[1] * 1000 + math.floor(now[2] / 1000)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', at - ARGV[2])
  redis.pcall('ZADD', KEYS[1], at, ARGV[1])
  return redis.call('ZCARD', KEYS[1])`;

export interface CommandBusOptions extends Pick<PartitionParts, 'keys' | 'sealedFields' | 'isCommand' | 'now'> {
  /** See `parseRedisUrl`. */
  readonly url: string;
  /** Told once per outage of Redis, and when it is over. */
  readonly onState: (state: 'connected' | 'away', error?: Error) => void;
}

/**
 * Commands over Redis Streams, as a transport of Nest. Each partition is held by one engine at a time under a lease;
 * engines share the partitions evenly. `DESIGN.md` says why, and what happens when something dies.
 */
export class CommandBusServer extends Server implements CustomTransportStrategy {
  readonly #consumer = `engine-${process.pid}-${randomUUID()}`;
  /** When each held partition was last renewed, by this process's monotonic clock, before it asked. */
  readonly #held = new Map<number, number>();
  readonly #working = new Map<number, Promise<void>>();
  readonly #partitions = new Map<number, Partition>();
  #connection: Connection | undefined;
  #answers: AnswerWriter | undefined;
  #handler: MessageHandler | null = null;
  #beating: Promise<void> | undefined;
  #stopping = new AbortController();
  #connected: boolean | undefined;
  #failures = 0;
  /** Engines that lived when they were last counted. */
  #engines = 1;
  #lastError: Error | undefined;

  constructor(private readonly options: CommandBusOptions) {
    super();
  }

  listen(callback: () => void): void {
    this.#connection = connectRedis(this.options.url, false, (error) => (this.#lastError = error));
    this.#answers = new AnswerWriter(this.#connection);
    this.#beating = this.#beat();
    callback();
  }

  /** Reads nothing more, finishes what was begun, answers it, and lets the partitions go. A second call waits for the first. */
  async close(): Promise<void> {
    if (!this.#connection) return;
    this.#stopping.abort();
    for (const partition of this.#partitions.values()) partition.stop();
    await this.#beating;
    await Promise.all(this.#working.values());
    await this.#connection.zrem(ENGINES, this.#consumer).catch(() => undefined);
    this.#connection.disconnect();
    this.#connection = undefined;
  }

  on(): never {
    throw new Error('the command bus has no events of its own');
  }

  unwrap<T = Redis | Cluster | undefined>(): T {
    return this.#connection as T;
  }

  /** Partitions that this process holds now. */
  get held(): readonly number[] {
    return [...this.#held.keys()].filter((number) => this.#holds(number)).sort((a, b) => a - b);
  }

  #holds(number: number): boolean {
    const renewed = this.#held.get(number);
    return renewed !== undefined && performance.now() - renewed < LEASE - MARGIN;
  }

  async #beat(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#share().then(
        () => this.#state(true),
        () => this.#state(false),
      );
      await wait(this.#failures === 0 ? BEAT : BEAT / 4, undefined, { signal: this.#stopping.signal }).catch(
        () => undefined,
      );
    }
    // Leases are kept while what was begun is finished.
    while (this.#working.size > 0) {
      await failuresWithin(BEAT / 2, this.#renewals());
      await Promise.race([wait(BEAT), Promise.all(this.#working.values())]);
    }
  }

  /**
   * Renews what is held, and takes or gives back partitions until each engine has its share. Each partition by itself:
   * in a cluster a node that is away takes only its own along.
   */
  async #share(): Promise<void> {
    const failures = await failuresWithin(BEAT / 2, [this.#countEngines(), ...this.#renewals()]);
    const share = Math.ceil(PARTITIONS / this.#engines);
    const surplus = [...this.#held.keys()].slice(share);
    for (const number of surplus) this.#partitions.get(number)?.stop();
    const until = performance.now() + BEAT / 2;
    const first = randomInt(PARTITIONS);
    for (let index = 0; index < PARTITIONS && this.#held.size < share && performance.now() < until; index += 1) {
      const number = (first + index) % PARTITIONS;
      if (this.#held.has(number) || this.#working.has(number)) continue;
      failures.push(...(await failuresWithin(BEAT / 2, [this.#take(number)])));
    }
    if (failures.length > 0) throw failures[0];
  }

  async #countEngines(): Promise<void> {
    const engines = await this.#connection?.eval(COUNT_ENGINES, 1, ENGINES, this.#consumer, LEASE);
    this.#engines = Math.max(Number(engines ?? 1), 1);
  }

  #renewals(): Promise<void>[] {
    return [...this.#held.keys()].map(async (number) => {
      if (!(await this.#hold(number))) this.#held.delete(number);
    });
  }

  async #take(number: number): Promise<void> {
    if ((await this.#hold(number)) && !this.#working.has(number)) this.#begin(number);
  }

  async #hold(number: number): Promise<boolean> {
    const asked = performance.now();
    if ((await this.#connection?.eval(HOLD, 1, ownerOf(number), this.#consumer, LEASE)) !== 1) return false;
    this.#held.set(number, asked);
    return true;
  }

  /** Works on a partition until it is lost, given back, or the engine stops. */
  #begin(number: number): void {
    const connection = this.#connection;
    const answers = this.#answers;
    if (!connection || !answers) return;
    const partition = new Partition(number, {
      url: this.options.url,
      connection,
      answers,
      consumer: this.#consumer,
      partitions: PARTITIONS,
      keys: this.options.keys,
      sealedFields: this.options.sealedFields,
      isCommand: this.options.isCommand,
      now: this.options.now,
      handle: (command) => this.#handle(command),
      holds: (each) => this.#holds(each),
      onError: () => undefined,
    });
    this.#partitions.set(number, partition);
    const working = this.#work(number, partition).finally(() => {
      this.#partitions.delete(number);
      this.#working.delete(number);
    });
    this.#working.set(number, working);
  }

  async #work(number: number, partition: Partition): Promise<void> {
    let pause = 50;
    while (this.#held.has(number) && !partition.stopped) {
      try {
        await partition.work();
        pause = 50;
      } catch {
        // Redis went away, or answered an error: what is not acknowledged is taken up again.
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      }
      if (!partition.stopped) await wait(pause, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
    partition.stop();
    this.#held.delete(number);
    await this.#connection?.eval(LET_GO, 1, ownerOf(number), this.#consumer).catch(() => undefined);
  }

  async #handle(command: BusCommand): Promise<Handled> {
    this.#handler ??= this.getHandlerByPattern(BUS_COMMAND);
    if (!this.#handler) throw new Error(`no controller handles ${BUS_COMMAND}`);
    return lastValueFrom(this.transformToObservable(await this.#handler(command)));
  }

  /** An outage is told once it has lasted: a connection that is being made is none. */
  #state(connected: boolean): void {
    this.#failures = connected ? 0 : this.#failures + 1;
    if (connected === this.#connected || (!connected && this.#failures < TOLD_AFTER)) return;
    this.#connected = connected;
    this.options.onState(connected ? 'connected' : 'away', this.#lastError);
  }
}

/** Errors of what failed, and one for each that has not ended in time, in milliseconds. */
async function failuresWithin(time: number, asked: readonly Promise<unknown>[]): Promise<unknown[]> {
  const late = new AbortController();
  const inTime = wait(time, undefined, { signal: late.signal }).then(
    () => Promise.reject(new Error('Redis did not answer in time')),
    () => undefined,
  );
  inTime.catch(() => undefined);
  const ends = await Promise.allSettled(asked.map((each) => Promise.race([each, inTime])));
  late.abort();
  return ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
}

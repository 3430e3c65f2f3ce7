import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import {
  ANSWER_TYPE,
  COMMAND_GROUP,
  COMMAND_TYPE,
  commandsOf,
  connectRedis,
  DEAD_LETTERS,
  InvalidCloudEvent,
  openMessage,
  orderKeyOf,
  partitionOf,
  readCloudEvent,
  REPLIES,
  sealAnswer,
  SealBroken,
  SealingKeyUnknown,
  pathHeld,
  UUID,
  type CloudEvent,
  type CommandData,
  type Connection,
  type OpenedMessage,
} from './sdk/index.js';
import { isRefusal, type AnswerWriter, type Finished } from './answer-writer.js';
import type { SealingKeys } from './sealing-keys.js';

/** A command as it came out of its message: authenticated as untampered, trusted in nothing else. */
export interface BusCommand {
  readonly type: string;
  readonly commandId: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly token: string;
  /** Path of a personal field that lay in Redis in the clear. */
  readonly inClear?: string;
}

/** What became of a command: an answer with the status it has over HTTP, or a failure that may pass. */
export type Handled =
  | { readonly status: number; readonly body: object }
  /** `outage`: what the engine stands on is away, and the message is not to blame. */
  | { readonly failed: 'outage' | 'busy' | 'error' };

/** Why a message was set aside. */
export type DeadReason =
  | 'notJson'
  | 'notACloudEvent'
  | 'notACommand'
  | 'tooLarge'
  | 'sealBroken'
  | 'wrongPartition'
  | 'deliveredTooOften'
  | 'busy'
  | 'error';

export interface PartitionParts {
  readonly url: string;
  readonly connection: Connection;
  readonly answers: AnswerWriter;
  /** Unique to this process. */
  readonly consumer: string;
  readonly partitions: number;
  readonly keys: SealingKeys;
  readonly sealedFields: Readonly<Record<string, readonly string[]>>;
  /** Whether a command of this name exists: another name is the sender's word, and is not repeated. */
  readonly isCommand: (type: string) => boolean;
  readonly handle: (command: BusCommand) => Promise<Handled>;
  readonly now: () => string;
  /** Whether this process holds the partition at this moment. */
  readonly holds: (partition: number) => boolean;
  readonly onError: (error: Error) => void;
}

/** Most messages of a partition that were read and are not finished: what a slow person can hold up, and no more. */
export const WINDOW = 64;
/** Longest message in characters: a body of the HTTP limit (256 KiB), sealed, has as many. */
export const LONGEST_MESSAGE = 400 * 1024;
/** Attempts at one message before it is set aside. */
export const ATTEMPTS = 5;
/** Deliveries of one message, each to a process that died of something, before it is set aside. */
export const DELIVERIES = 5;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;
const BLOCK = 1_000;
const TRIM_INTERVAL = 500;
const LONGEST_DEAD_LETTERS = 100_000;

type Entry = readonly [id: string, fields: readonly string[] | null];

/** It cannot be read, and never will be. */
class Unreadable extends Error {
  constructor(
    readonly reason: DeadReason,
    readonly detail: string,
  ) {
    super(reason);
  }
}

/**
 * One partition of the command stream, as long as this process holds it: takes over what was left unfinished, then
 * reads on. Messages about one person are handled one after the other, those about different people side by side.
 *
 * A message leaves the group only when its answer is decided, or when it was set aside with the reason. An error of
 * Redis ends a round: what runs is finished, and the next round begins with what is not acknowledged.
 */
export class Partition {
  readonly #chains = new Map<string, Promise<void>>();
  readonly #reader: Connection;
  #unfinished = 0;
  #failure: unknown;
  #stopped = false;
  #trimmed = 0;
  #finished: () => void = () => undefined;

  constructor(
    readonly number: number,
    private readonly parts: PartitionParts,
  ) {
    this.#reader = connectRedis(parts.url, false, parts.onError);
  }

  /** Works until the partition is let go, or Redis fails. What was begun is finished when it returns. */
  async work(): Promise<void> {
    const key = commandsOf(this.number);
    this.#failure = undefined;
    try {
      await this.#makeGroup(key);
      await this.#takeOver(key);
      while (this.#goesOn()) {
        const room = WINDOW - this.#unfinished;
        if (room <= 0) {
          await new Promise<void>((resolve) => (this.#finished = resolve));
          continue;
        }
        const entries = await this.#read(key, room);
        // They came while the reader was being let go: whoever holds the partition next takes them over.
        if (this.#stopped) break;
        for (const entry of entries) this.#begin(entry, 1);
        // What was read is begun before more is asked for, and what comes meanwhile comes with the next read.
        if (entries.length > 0) await nextTurn();
        if (performance.now() - this.#trimmed < TRIM_INTERVAL) continue;
        await this.#trim(key);
        if (await this.#someAreLeft(key)) return;
      }
    } finally {
      await this.#drain();
      if (!this.#failure) await this.#trim(key).catch(() => undefined);
    }
    if (this.#failure) throw this.#failure;
  }

  /** Reads no more. */
  stop(): void {
    this.#stopped = true;
    this.#reader.disconnect();
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  #goesOn(): boolean {
    return !this.#stopped && !this.#failure && this.parts.holds(this.number);
  }

  async #makeGroup(key: string): Promise<void> {
    try {
      await this.parts.connection.xgroup('CREATE', key, COMMAND_GROUP, '0', 'MKSTREAM');
    } catch (error) {
      if (!String((error as Error).message).startsWith('BUSYGROUP')) throw error;
    }
  }

  /**
   * Whoever holds the partition owns every message of it that is not acknowledged. They are claimed one by one, in
   * order: so only a message that itself brings a process down is delivered again and again.
   */
  async #takeOver(key: string): Promise<void> {
    const { connection, consumer } = this.parts;
    let from = '0-0';
    while (this.#goesOn()) {
      const [next, entries] = (await connection.xautoclaim(
        key,
        COMMAND_GROUP,
        consumer,
        0,
        from,
        'COUNT',
        1,
      )) as unknown as [string, Entry[]];
      for (const entry of entries) {
        const pending = (await connection.xpending(key, COMMAND_GROUP, entry[0], entry[0], 1)) as [
          string,
          string,
          number,
          number,
        ][];
        this.#begin(entry, pending[0]?.[3] ?? 1);
        await this.#drain();
      }
      if (next === '0-0') break;
      from = next;
    }
    await this.#forgetTheDead(key);
  }

  /** Consumers of processes that are gone have nothing pending any more. */
  async #forgetTheDead(key: string): Promise<void> {
    const { connection, consumer } = this.parts;
    for (const fields of (await connection.xinfo('CONSUMERS', key, COMMAND_GROUP)) as unknown[][]) {
      const info = pairs(fields);
      const name = String(info['name']);
      if (name !== consumer && info['pending'] === 0) await connection.xgroup('DELCONSUMER', key, COMMAND_GROUP, name);
    }
  }

  /**
   * Whether a message was delivered that nobody works on: to a process that read while it lost the partition, or to
   * this one, over a connection that broke and was mended unseen. Then it is taken over anew.
   */
  async #someAreLeft(key: string): Promise<boolean> {
    const own = this.#unfinished;
    const [, , , consumers] = (await this.parts.connection.xpending(key, COMMAND_GROUP)) as [
      number,
      string | null,
      string | null,
      [string, string][] | null,
    ];
    return (consumers ?? []).some(([name, count]) => name !== this.parts.consumer || Number(count) > own);
  }

  async #read(key: string, count: number): Promise<readonly Entry[]> {
    const answer = (await (this.#reader as Redis).xreadgroup(
      'GROUP',
      COMMAND_GROUP,
      this.parts.consumer,
      'COUNT',
      count,
      'BLOCK',
      BLOCK,
      'STREAMS',
      key,
      '>',
    )) as [string, Entry[]][] | null;
    return answer?.[0]?.[1] ?? [];
  }

  /** Queues a message behind those about the same person. */
  #begin([id, fields]: Entry, deliveries: number): void {
    const text = textOf(fields);
    const event = parse(text);
    const chain = event instanceof Unreadable ? '' : orderKeyOf(event);
    this.#unfinished += 1;
    const before = this.#chains.get(chain) ?? Promise.resolve();
    const turn = before
      .then(async () => {
        // A message that is not begun when the partition is lost is left to who holds it now.
        if (!this.#failure && this.parts.holds(this.number)) await this.#finish(id, event, deliveries);
      })
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => {
        this.#unfinished -= 1;
        if (this.#chains.get(chain) === turn) this.#chains.delete(chain);
        this.#finished();
      });
    this.#chains.set(chain, turn);
  }

  async #drain(): Promise<void> {
    while (this.#chains.size > 0) await Promise.all(this.#chains.values());
  }

  /** From the message to its answer, or to the dead letters; acknowledged with the answer. */
  async #finish(id: string, event: CloudEvent<CommandData> | Unreadable, deliveries: number): Promise<void> {
    const reply = await this.#outcomeOf(id, event, deliveries).catch(async (error: unknown) => {
      if (!(error instanceof Unreadable)) throw error;
      await this.#setAside(id, event, error.reason, error.detail, deliveries);
      return event instanceof Unreadable
        ? undefined
        : this.#replyTo(event, undefined, {
            status: 400,
            body: { title: 'the message was set aside', status: 400, reason: error.reason },
          });
    });
    await this.parts.answers.finish({ partition: this.number, entry: id, ...(reply && { reply }) });
  }

  async #outcomeOf(
    id: string,
    event: CloudEvent<CommandData> | Unreadable,
    deliveries: number,
  ): Promise<Finished['reply']> {
    if (event instanceof Unreadable) throw event;
    if (deliveries > DELIVERIES) throw new Unreadable('deliveredTooOften', '');
    if (partitionOf(orderKeyOf(event), this.parts.partitions) !== this.number)
      throw new Unreadable('wrongPartition', 'subject');
    const keyOf = await this.parts.keys.valid();
    let opened: OpenedMessage;
    try {
      opened = openMessage(event, keyOf);
    } catch (error) {
      // A sender that has missed a rotation asks for the keys and sends the command again.
      if (error instanceof SealingKeyUnknown)
        return this.#replyTo(event, undefined, {
          status: 409,
          body: { title: 'the sealing key is not valid', status: 409, reason: 'sealingKeyUnknown' },
        });
      if (error instanceof SealBroken) throw new Unreadable('sealBroken', 'data.sealed');
      throw error;
    }
    // The answer repeats names the sender chose: it never lies in Redis in the clear.
    if (opened.answerKey.length !== 32) throw new Unreadable('notACommand', 'data.sealed');
    const command = this.#commandOf(event, opened);
    for (let attempt = 1; ; attempt += 1) {
      const handled = await this.parts.handle(command);
      if (!('failed' in handled)) return this.#replyTo(event, opened.answerKey, handled);
      // While the log is away no message fares better than this one: the partition waits with it.
      if (handled.failed === 'outage') attempt -= 1;
      else if (attempt >= ATTEMPTS) {
        await this.#setAside(id, event, handled.failed, '', deliveries);
        return this.#replyTo(event, opened.answerKey, {
          status: 503,
          body: { title: 'the command could not be decided and was set aside', status: 503, reason: handled.failed },
        });
      }
      if (!this.#goesOn()) throw new Error('the partition was let go while a message waited for another attempt');
      await wait(Math.min(FIRST_PAUSE * 3 ** Math.max(attempt - 1, 0), LONGEST_PAUSE));
    }
  }

  #commandOf(event: CloudEvent<CommandData>, { token, body }: OpenedMessage): BusCommand {
    const type = nameOf(event.type);
    const inClear = pathHeld(event.data?.body, this.parts.sealedFields[type] ?? []);
    return {
      type,
      commandId: event.id,
      token,
      body: { ...body, commandId: event.id },
      ...(inClear !== undefined && { inClear }),
    };
  }

  /** The answer as the sender's stream of replies takes it; nothing where no such stream is named. */
  #replyTo(
    event: CloudEvent<CommandData>,
    answerKey: Buffer | undefined,
    { status, body }: { readonly status: number; readonly body: object },
  ): Finished['reply'] {
    const to = event['replyto'];
    if (typeof to !== 'string' || !REPLIES.test(to)) return undefined;
    const time = this.parts.now();
    const attributes = {
      specversion: '1.0',
      id: `${event.id}/${time}`,
      source: '/custos/command-bus',
      type: ANSWER_TYPE,
      time,
      datacontenttype: 'application/json',
      causationid: event.id,
      status,
    };
    const data = answerKey ? { sealed: sealAnswer(answerKey, body, event.id) } : body;
    return { to, text: JSON.stringify({ ...attributes, data }) };
  }

  async #setAside(
    id: string,
    event: CloudEvent | Unreadable,
    reason: DeadReason,
    detail: string,
    deliveries: number,
  ): Promise<void> {
    const known = event instanceof Unreadable ? {} : this.#describe(event);
    const entry = { ...known, reason, detail, partition: this.number, entry: id, deliveries, time: this.parts.now() };
    const fields = Object.entries(entry).flatMap(([name, value]) => [name, String(value)]);
    for (let attempt = 1; ; attempt += 1)
      try {
        await this.parts.connection.xadd(DEAD_LETTERS, 'MAXLEN', '~', LONGEST_DEAD_LETTERS, '*', ...fields);
        return;
      } catch (error) {
        // A full Redis: nothing is dropped without its reason, so the message stays unacknowledged until there is room.
        if (!isRefusal(error) || !this.#goesOn()) throw error;
        await wait(Math.min(FIRST_PAUSE * attempt, LONGEST_PAUSE));
      }
  }

  /** What of an event may be told: ids and names of our own shape. All else is the sender's words. */
  #describe({ id, type, subject }: CloudEvent): Readonly<Record<string, string>> {
    const isKnown = this.parts.isCommand(nameOf(type));
    return { id, ...(isKnown && { type }), ...(subject !== undefined && { subject }) };
  }

  /** Removes what every group of the stream has acknowledged, and nothing else. */
  async #trim(key: string): Promise<void> {
    this.#trimmed = performance.now();
    if ((await this.parts.connection.xlen(key)) > 0) await trimAcknowledged(this.parts.connection, key);
  }
}

/**
 * Removes the entries of a stream that every one of its groups has acknowledged.
 *
 * @param keepFrom entries from this id on stay in any case; without it a stream that has no group keeps all.
 * @returns how many were removed.
 */
export async function trimAcknowledged(connection: Connection, key: string, keepFrom?: string): Promise<number> {
  const groups = (await connection.xinfo('GROUPS', key)) as unknown[][];
  for (const fields of groups) {
    const info = pairs(fields);
    const name = String(info['name']);
    const [, first] = (await connection.xpending(key, name)) as [number, string | null];
    const from = first ?? after(String(info['last-delivered-id']));
    if (keepFrom === undefined || isBefore(from, keepFrom)) keepFrom = from;
  }
  return keepFrom === undefined ? 0 : connection.xtrim(key, 'MINID', '=', keepFrom as never);
}

/** The smallest id of an entry that may come after this one. */
function after(id: string): string {
  const [time = '0', sequence = '0'] = id.split('-');
  return `${time}-${BigInt(sequence) + 1n}`;
}

function isBefore(a: string, b: string): boolean {
  const [timeA = '0', sequenceA = '0'] = a.split('-');
  const [timeB = '0', sequenceB = '0'] = b.split('-');
  return BigInt(timeA) !== BigInt(timeB) ? BigInt(timeA) < BigInt(timeB) : BigInt(sequenceA) < BigInt(sequenceB);
}

/** Redis tells about streams in lists of names and values in turn. */
export function pairs(fields: readonly unknown[]): Readonly<Record<string, unknown>> {
  const entries: [string, unknown][] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) entries.push([String(fields[index]), fields[index + 1]]);
  return Object.fromEntries(entries);
}

const nameOf = (type: string): string => type.slice(COMMAND_TYPE.length, -'.v1'.length);

const TYPE = /^com\.chersoft\.custos\.command\.[A-Za-z][A-Za-z0-9]{0,63}\.v1$/;

const textOf = (fields: readonly string[] | null): string | undefined => {
  const at = fields?.indexOf('event') ?? -1;
  return at >= 0 && at % 2 === 0 ? fields?.[at + 1] : undefined;
};

function parse(text: string | undefined): CloudEvent<CommandData> | Unreadable {
  if (text === undefined) return new Unreadable('notACloudEvent', 'event');
  if (text.length > LONGEST_MESSAGE) return new Unreadable('tooLarge', '');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return new Unreadable('notJson', '');
  }
  try {
    const event = readCloudEvent(value);
    const data = event.data as Partial<CommandData> | undefined;
    if (!UUID.test(event.id)) return new Unreadable('notACommand', 'id');
    if (!TYPE.test(event.type)) return new Unreadable('notACommand', 'type');
    if (event.subject !== undefined && !UUID.test(event.subject)) return new Unreadable('notACommand', 'subject');
    if (typeof data !== 'object' || data === null || typeof data.sealed !== 'string')
      return new Unreadable('notACommand', 'data.sealed');
    if (typeof data.body !== 'object' || data.body === null || Array.isArray(data.body))
      return new Unreadable('notACommand', 'data.body');
    if (data.body['subjectId'] !== event.subject) return new Unreadable('notACommand', 'subject');
    return event as CloudEvent<CommandData>;
  } catch (error) {
    if (!(error instanceof InvalidCloudEvent)) throw error;
    return new Unreadable('notACloudEvent', `${error.attribute} ${error.rule}`);
  }
}

import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { Redis } from 'ioredis';
import { AttemptFailed, RequestRefused, type ClientOptions, type Reply, type Transport } from './transport.js';
import { readCloudEvent } from './cloud-event.js';
import {
  ANSWER_TYPE,
  commandMessage,
  commandsOf,
  orderKeyOf,
  partitionOf,
  repliesOf,
  UUID,
  type BusDescription,
} from './message.js';
import { connectRedis, type Connection } from './redis.js';
import { openAnswer } from './sealing.js';

interface Waiting {
  readonly answerKey: Buffer;
  readonly answered: (reply: Reply) => void;
  readonly failed: (error: Error) => void;
}

const BLOCK = 1_000;
const LONGEST_MESSAGE = 400 * 1024;
const READ_AT_ONCE = 256;
/** How long replies that were read wait for others before they are removed, in milliseconds. */
const REMOVAL_PAUSE = 50;
/** How long a description is used before it is asked for again, in milliseconds: rotations are noticed at leisure. */
const DESCRIPTION_LIFE = 10 * 60 * 1000;

/** Commands over Redis Streams. Each client has a stream of replies of its own, removed when it is closed. */
export class BusTransport implements Transport {
  readonly #replies = repliesOf(randomUUID());
  readonly #sender: Connection;
  readonly #receiver: Connection;
  /** By command id. Two sends under one id wait for one answer each. */
  readonly #waiting = new Map<string, Set<Waiting>>();
  readonly #reading: Promise<void>;
  #ready: Promise<unknown> | undefined;
  #description: Promise<BusDescription> | undefined;
  #described = 0;
  #closed = false;
  /** Ids of replies that were read and are to be removed. */
  readonly #removed: string[] = [];
  #removal: NodeJS.Timeout | undefined;

  constructor(private readonly options: ClientOptions & { readonly redisUrl: string }) {
    this.#sender = connectRedis(options.redisUrl, false, () => undefined);
    this.#receiver = connectRedis(options.redisUrl, false, () => undefined);
    this.#reading = this.#read();
  }

  async attempt(
    type: string,
    body: Readonly<Record<string, unknown>>,
    commandId: string,
    patience: number,
  ): Promise<Reply> {
    if (this.#closed) throw new AttemptFailed('the client is closed');
    // Without these the engine could not tell the message for a command, and would set it aside without an answer.
    const fields = Object.entries({ commandId, subjectId: body['subjectId'] })
      .filter(([, id]) => id !== undefined && !(typeof id === 'string' && UUID.test(id)))
      .map(([field]) => ({ field, rule: 'isUuid' }));
    if (fields.length > 0)
      throw new RequestRefused(commandId, 400, { title: 'the request is not valid', status: 400, fields });
    const answerKey = randomBytes(32);
    const description = await this.#describe();
    const sender = {
      source: `/service/${this.options.name ?? 'client'}`,
      token: this.options.token,
      replyTo: this.#replies,
      answerKey,
    };
    const message = commandMessage(description, { type, body, commandId }, sender, new Date().toISOString());
    const text = JSON.stringify(message);
    if (text.length > LONGEST_MESSAGE) throw new RequestRefused(commandId, 413, { title: 'the body is too large' });
    const key = commandsOf(partitionOf(orderKeyOf(message), description.partitions));

    let waiting: Waiting | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = new Promise<Reply>((answered, failed) => {
        waiting = { answerKey, answered, failed };
        this.#waiting.set(commandId, (this.#waiting.get(commandId) ?? new Set()).add(waiting));
        timer = setTimeout(() => failed(new AttemptFailed('no answer in time')), patience);
      });
      answer.catch(() => undefined);
      await this.#connected(patience);
      await this.#sender.xadd(key, '*', 'event', text).catch((error: unknown) => {
        throw new AttemptFailed('Redis did not take the message', { cause: error });
      });
      const reply = await answer;
      if (reply.body['reason'] === 'sealingKeyUnknown') {
        this.#description = undefined;
        throw new AttemptFailed('the sealing key has been rotated');
      }
      if (reply.status >= 500) throw new AttemptFailed(`the engine answered ${reply.status}`);
      return reply;
    } finally {
      clearTimeout(timer);
      const all = this.#waiting.get(commandId);
      if (waiting) all?.delete(waiting);
      if (all?.size === 0) this.#waiting.delete(commandId);
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const all of this.#waiting.values())
      for (const { failed } of all) failed(new AttemptFailed('the client is closed'));
    this.#receiver.disconnect();
    await this.#reading;
    clearTimeout(this.#removal);
    await this.#sender.del(this.#replies).catch(() => undefined);
    this.#sender.disconnect();
  }

  /** Resolves in the order of asking, so that what was sent first goes first. */
  async #connected(patience: number): Promise<void> {
    if (this.#sender.status === 'ready') return;
    this.#ready ??= once(this.#sender, 'ready', { signal: AbortSignal.timeout(Math.ceil(patience)) })
      .catch((error: unknown) => {
        throw new AttemptFailed('Redis is not there', { cause: error });
      })
      .finally(() => (this.#ready = undefined));
    await this.#ready;
  }

  #describe(): Promise<BusDescription> {
    const { description, url, token } = this.options;
    if (description) return Promise.resolve(description);
    if (performance.now() - this.#described > DESCRIPTION_LIFE) this.#description = undefined;
    this.#described = this.#description ? this.#described : performance.now();
    this.#description ??= fetch(new URL('/v1/bus', url), {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(5_000),
    }).then(
      async (response) => {
        if (response.ok) return (await response.json()) as BusDescription;
        this.#description = undefined;
        if (response.status >= 500) throw new AttemptFailed(`the engine answered ${response.status}`);
        const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>;
        throw new RequestRefused('', response.status, problem);
      },
      (error: unknown) => {
        this.#description = undefined;
        throw new AttemptFailed('the engine does not describe its bus', { cause: error });
      },
    );
    return this.#description;
  }

  /** Reads replies for as long as the client lives; what was read is removed. */
  async #read(): Promise<void> {
    let from = '0';
    while (!this.#closed)
      try {
        const answer = (await (this.#receiver as Redis).xread(
          'COUNT',
          READ_AT_ONCE,
          'BLOCK',
          BLOCK,
          'STREAMS',
          this.#replies,
          from,
        )) as [string, [string, string[]][]][] | null;
        const entries = answer?.[0]?.[1] ?? [];
        for (const [, fields] of entries) this.#take(fields[1] ?? '');
        const last = entries.at(-1)?.[0];
        if (last === undefined) continue;
        from = last;
        this.#remove(entries.map(([id]) => id));
      } catch {
        if (this.#closed) return;
        // A Redis that has come back may number its entries anew: what is there is read from the beginning.
        from = '0';
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
  }

  /** Removes replies that were read, in one go with those of the next moment. */
  #remove(ids: readonly string[]): void {
    this.#removed.push(...ids);
    this.#removal ??= setTimeout(() => {
      this.#removal = undefined;
      this.#sender.xdel(this.#replies, ...this.#removed.splice(0)).catch(() => undefined);
    }, REMOVAL_PAUSE).unref();
  }

  #take(text: string): void {
    try {
      const event = readCloudEvent(JSON.parse(text));
      const commandId = event['causationid'];
      if (event.type !== ANSWER_TYPE || typeof commandId !== 'string') return;
      const status = Number(event['status']);
      const data = event.data as Record<string, unknown>;
      for (const { answerKey, answered } of this.#waiting.get(commandId) ?? [])
        if (typeof data['sealed'] === 'string') {
          const body = opened(data['sealed'], answerKey, commandId);
          if (body) answered({ status, body });
        } else if (data['accepted'] === undefined) answered({ status, body: data });
    } catch {
      // Not a reply of the engine: nobody waits for it.
    }
  }
}

/** The answer, if it was sealed for this attempt; that of another attempt at the same command has another key. */
function opened(sealed: string, answerKey: Buffer, commandId: string): Reply['body'] | undefined {
  try {
    return openAnswer(sealed, answerKey, commandId) as Reply['body'];
  } catch {
    return undefined;
  }
}

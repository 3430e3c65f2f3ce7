import { setTimeout as wait } from 'node:timers/promises';
import { Cluster } from 'ioredis';
import { COMMAND_GROUP, commandsOf, type Connection } from './sdk/index.js';

/** One message that is finished: to be acknowledged, and answered where its sender waits. */
export interface Finished {
  readonly partition: number;
  /** Id of the message's entry. */
  readonly entry: string;
  readonly reply?: { readonly to: string; readonly text: string };
}

const ANSWER_ATTEMPTS = 4;
const LONGEST_REPLIES = 10_000;
/** How long a reply waits for its reader, in milliseconds. */
export const REPLY_LIFE = 120_000;

type Step = readonly [command: string, ...args: (string | number)[]];

/**
 * Writes answers and acknowledgements. What is finished within one turn of the event loop leaves as one write, each
 * answer before the acknowledgement of its message: a write is dear, and the answer waits for nothing.
 *
 * An answer that Redis refuses (it is full, the key is another's) is tried again, then left out: the outcome stands in
 * the log, and the sender gets it by sending the command again.
 */
export class AnswerWriter {
  #gathered: { readonly finished: Finished; settle(error?: unknown): void }[] = [];

  constructor(private readonly connection: Connection) {}

  /** @throws the error of the connection; the message may then be unacknowledged, and comes again. */
  async finish(finished: Finished): Promise<void> {
    const written = await new Promise<unknown>((settle) => {
      this.#gathered.push({ finished, settle });
      // After everything that this turn brings to its end, and before the next piece of input.
      if (this.#gathered.length === 1) process.nextTick(() => void this.#write());
    });
    if (written === undefined) return;
    if (!isRefusal(written) || !finished.reply) throw written;
    await this.#answerAgain(finished.reply);
  }

  async #write(): Promise<void> {
    const gathered = this.#gathered;
    this.#gathered = [];
    const replies = gathered.flatMap(({ finished }) => finished.reply ?? []);
    const partitions = new Map<number, string[]>();
    for (const { finished } of gathered)
      partitions.set(finished.partition, [...(partitions.get(finished.partition) ?? []), finished.entry]);
    const steps: Step[] = [
      ...replies.map(({ to, text }): Step => ['xadd', to, 'MAXLEN', '~', LONGEST_REPLIES, '*', 'event', text]),
      ...[...new Set(replies.map(({ to }) => to))].map((to): Step => ['pexpire', to, REPLY_LIFE]),
      ...[...partitions].map(([number, ids]): Step => ['xack', commandsOf(number), COMMAND_GROUP, ...ids]),
    ];
    const errors = await this.#send(steps);
    const first = steps.length - partitions.size;
    const unacknowledged = new Map([...partitions.keys()].map((number, index) => [number, errors[first + index]]));
    let reply = 0;
    for (const { finished, settle } of gathered) {
      const refused = finished.reply ? errors[reply++] : undefined;
      settle(unacknowledged.get(finished.partition) ?? refused);
    }
  }

  /** @returns the error of each step, or nothing where it was done. */
  async #send(steps: readonly Step[]): Promise<readonly unknown[]> {
    if (this.connection instanceof Cluster) {
      // A pipeline of a cluster goes to one node: here each step finds its own.
      const { connection } = this;
      const sent = await Promise.allSettled(steps.map(([name, ...args]) => connection.call(name, ...args)));
      return sent.map((each) => (each.status === 'rejected' ? (each.reason as unknown) : undefined));
    }
    try {
      const results = await this.connection.pipeline(steps.map((step) => [...step])).exec();
      return steps.map((_step, index) => (results ? (results[index]?.[0] ?? undefined) : new Error('no results')));
    } catch (error) {
      return steps.map(() => error);
    }
  }

  async #answerAgain({ to, text }: NonNullable<Finished['reply']>): Promise<void> {
    for (let attempt = 2; attempt <= ANSWER_ATTEMPTS; attempt += 1)
      try {
        await wait(50 * (attempt - 1));
        await this.connection.xadd(to, 'MAXLEN', '~', LONGEST_REPLIES, '*', 'event', text);
        await this.connection.pexpire(to, REPLY_LIFE);
        return;
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
  }
}

/** An error of Redis itself, not of the way to it. */
export const isRefusal = (error: unknown): boolean =>
  /^(OOM|WRONGTYPE|MISCONF|READONLY|NOREPLICAS)/.test((error as Error).message);

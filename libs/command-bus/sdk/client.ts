import { randomUUID } from 'node:crypto';
import { BusTransport } from './bus-transport.js';
import type { CommandBodies, RefusalCode } from './commands.js';
import { HttpTransport } from './http-transport.js';
import { AttemptFailed, NoAnswer, RequestRefused, type ClientOptions, type Transport } from './transport.js';

/** The command took effect, now or when it was first sent. */
export interface Accepted {
  readonly accepted: true;
  readonly commandId: string;
  readonly events: readonly { readonly id: string; readonly type: string; readonly revision: number }[];
  readonly stream: string;
  /** Give it to a question as `min-position` to read what this command wrote. */
  readonly position: number;
}

/** A rule of the policy refused the command. The refusal is on record. */
export interface Refused {
  readonly accepted: false;
  readonly commandId: string;
  readonly code: RefusalCode;
  readonly clauses: readonly string[];
  readonly legalRef: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly remedy: string;
  /** Whether the same request may pass later, under a new command id. */
  readonly retryable: boolean;
  readonly refusalId: string;
  readonly position: number;
}

export type Answer = Accepted | Refused;

const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 1_000;

/**
 * Sends commands to Custos and brings their answers. At least once: an attempt without an answer is followed by
 * another under the same command id, which has one effect and one answer however often it arrives.
 *
 * What is sent about one person takes effect in the order of `send`: the next leaves when the one before has its answer
 * or has failed, so a command that must be sent again is not overtaken. Commands about nobody are one such row.
 */
export class CustosClient {
  readonly #transport: Transport;
  /** By person: the end of what was sent about them. */
  readonly #rows = new Map<string, Promise<unknown>>();
  #closed = false;

  constructor(private readonly options: ClientOptions) {
    this.#transport =
      options.redisUrl === undefined
        ? new HttpTransport(options)
        : new BusTransport({ ...options, redisUrl: options.redisUrl });
  }

  /**
   * Sends one command.
   *
   * @param body the command's fields; `commandId` is made when absent. Keep one of your own where a crash of the
   * sender must not lose track of the command.
   * @returns the answer: accepted, or refused with the clause, the law and the remedy.
   * @throws RequestRefused; NoAnswer when the time is over or the client is closed.
   */
  async send<T extends keyof CommandBodies>(
    type: T,
    body: CommandBodies[T] & { readonly commandId?: string },
  ): Promise<Answer> {
    const { commandId = randomUUID(), ...fields } = body as Record<string, unknown> & { commandId?: string };
    const until = performance.now() + (this.options.timeout ?? 30_000);
    const { subjectId } = fields;
    const row = typeof subjectId === 'string' ? subjectId : '';
    const work = (): Promise<Answer> => this.#attempt(type, fields, commandId, until);
    const turn = (this.#rows.get(row) ?? Promise.resolve()).then(work, work);
    this.#rows.set(row, turn);
    try {
      return await turn;
    } finally {
      if (this.#rows.get(row) === turn) this.#rows.delete(row);
    }
  }

  async #attempt(
    type: string,
    fields: Readonly<Record<string, unknown>>,
    commandId: string,
    until: number,
  ): Promise<Answer> {
    const { patience = 5_000 } = this.options;
    let last: unknown;
    for (let attempt = 1; ; attempt += 1) {
      const left = until - performance.now();
      if (left <= 0 || this.#closed) throw new NoAnswer(commandId, attempt - 1, { cause: last });
      try {
        const { status, body: said } = await this.#transport.attempt(type, fields, commandId, Math.min(patience, left));
        if (said['refusalId'] !== undefined || said['accepted'] === true) return said as unknown as Answer;
        throw new RequestRefused(commandId, status, said);
      } catch (error) {
        if (!(error instanceof AttemptFailed)) throw error;
        last = error;
        if (this.#closed) continue;
        const pause = Math.min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE, Math.max(until - performance.now(), 0));
        await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random() / 2)));
      }
    }
  }

  /** Ends the connection and removes this client's replies. What waits for an answer ends with {@link NoAnswer}. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#transport.close();
  }
}

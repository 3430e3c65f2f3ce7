import type { BusDescription } from './message.js';

/** Status and body of an answer, the same over both transports. */
export interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The request was turned away before any rule was asked: it is malformed, or its sender is not known. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  constructor(
    readonly commandId: string,
    readonly status: number,
    /** Title, and for a malformed command the fields with the rules they break. */
    readonly problem: Readonly<Record<string, unknown>>,
  ) {
    super(`${String(problem['title'] ?? 'refused')} (${status})`);
  }
}

/**
 * No answer came in time. Whether the command took effect is not known: send the same body under the same
 * `commandId` again, now or after a restart, and its one answer comes.
 */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  constructor(
    readonly commandId: string,
    readonly attempts: number,
    options?: ErrorOptions,
  ) {
    super(`no answer after ${attempts} attempts`, options);
  }
}

/** Takes one attempt at a command. */
export interface Transport {
  /**
   * @param patience how long to wait for this attempt's answer, in milliseconds.
   * @throws AttemptFailed when another attempt may succeed.
   */
  attempt(type: string, body: Readonly<Record<string, unknown>>, commandId: string, patience: number): Promise<Reply>;
  close(): Promise<void>;
}

/** This attempt brought no answer; the next may. */
export class AttemptFailed extends Error {
  override readonly name = 'AttemptFailed';
}

export interface ClientOptions {
  /** Address of the engine's HTTP interface, for example `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly token: string;
  /** Commands go over the bus when it is given, else over HTTP. The forms of `REDIS_URL`. */
  readonly redisUrl?: string;
  /** Name of this service, as messages carry it: lower-case words and hyphens. */
  readonly name?: string;
  /** How long `send` waits for its turn and tries, in milliseconds; 30,000 unless told. */
  readonly timeout?: number;
  /** How long one attempt waits before the next, in milliseconds; 5,000 unless told. */
  readonly patience?: number;
  /** What the engine publishes about its bus. Asked for over HTTP when absent; then there is no need of rotation by hand. */
  readonly description?: BusDescription;
}

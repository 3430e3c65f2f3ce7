import type { DomainEvent, Recorded, Register } from '#kernel';
import { LogUnavailable, type EventLog, type Subscription } from '#event-log';
import type { Registers } from './capability.js';

/** Keeps every register in memory, folded from the log, and says how far it has come. */
export class RegisterHost implements Registers {
  readonly #states = new Map<string, unknown>();
  readonly #revisions = new Map<string, number>();
  #position = 0;
  #waiting: { readonly position: number; readonly resume: () => void }[] = [];
  #subscription: Subscription | undefined;
  #failure: Error | undefined;

  constructor(private readonly registers: readonly Register<DomainEvent, unknown>[]) {
    for (const register of registers) {
      if (this.#states.has(register.name)) throw new Error(`the register ${register.name} is defined twice`);
      this.#states.set(register.name, register.initialState);
    }
  }

  get<E extends DomainEvent, S>(register: Register<E, S>): S {
    if (!this.#states.has(register.name)) throw new Error(`the register ${register.name} is not part of this engine`);
    return this.#states.get(register.name) as S;
  }

  /** Follows the log; resolves when all that was stored has been folded. */
  async start(log: EventLog, onStopped: (error: Error) => void): Promise<void> {
    if (this.registers.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#subscription = log.follow([...new Set(this.registers.map((register) => register.streamPrefix))], {
        from: () => this.#position,
        handle: (events) => events.forEach((event) => this.apply(event)),
        onCaughtUp: resolve,
        onStopped: (error) => {
          this.#fail(error);
          reject(error);
          onStopped(error);
        },
      });
    });
  }

  /** Folds one event. Events already folded, seen again after a reconnection, change nothing. */
  apply(event: Recorded): void {
    if (event.revision <= (this.#revisions.get(event.stream) ?? -1)) return;
    this.#revisions.set(event.stream, event.revision);
    for (const register of this.registers) {
      if (!event.stream.startsWith(register.streamPrefix) || !(event.type in register.folds)) continue;
      this.#states.set(register.name, register.evolve(this.#states.get(register.name), event));
    }
    this.#position = Math.max(this.#position, event.position);
    this.#waiting = this.#waiting.filter((waiting) => {
      if (waiting.position > this.#position) return true;
      waiting.resume();
      return false;
    });
  }

  /** Whether events of this stream are folded here. */
  folds(stream: string): boolean {
    return this.registers.some((register) => stream.startsWith(register.streamPrefix));
  }

  /**
   * Resolves once the event at this position has been folded.
   *
   * @throws LogUnavailable when the registers stop following first; the error that stopped them, if one did.
   */
  async reached(position: number): Promise<void> {
    if (position <= this.#position) return;
    if (!this.#failure) await new Promise<void>((resume) => this.#waiting.push({ position, resume }));
    if (this.#failure && position > this.#position) throw this.#failure;
  }

  async stop(): Promise<void> {
    await this.#subscription?.stop();
    this.#fail(new LogUnavailable(new Error('the registers follow the log no more')));
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#waiting.splice(0).forEach((waiting) => waiting.resume());
  }
}

import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Actor, Row } from '#kernel';
import type { EventLog } from '#event-log';
import type { ReadModels } from '#read-model';
import type { ErasureJournal } from '#retention';
import type { Answer, Clock, CommandDoor, PolicyCommand, TimedPolicy } from '#slice';
import { sweepKeys } from './key-sweep.js';

/** The steward acts in its own name. */
export const STEWARD: Actor = { id: 'steward', type: 'system', roles: ['system'] };

const ROWS_AT_ONCE = 1_000;
/** Commands that wait together share a sync of the log and a transaction of the vault. */
const COMMANDS_AT_ONCE = 64;
const SWEEP_INTERVAL = 60 * 60 * 1000;

/**
 * Does what has fallen due. Deadlines are rows of read models; the commands it sends are decided like any other, and
 * record nothing when the work is done already. It can be killed at any moment and simply begins again.
 */
export class Steward {
  #running: Promise<void> | undefined;
  #sweeping: Promise<unknown> | undefined;
  #again = false;
  #stopped = false;
  #timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly policies: readonly TimedPolicy[],
    private readonly parts: {
      readonly door: CommandDoor;
      readonly readModels: ReadModels;
      readonly log: EventLog;
      readonly clock: Clock;
      readonly logger: Logger;
    },
    /** Where destructions are noted for a restore. */
    private readonly journal?: ErasureJournal,
    /** How often it looks, in milliseconds. */
    private readonly interval = 1_000,
  ) {}

  start(): void {
    this.#timers = [setInterval(() => this.look(), this.interval), setInterval(() => this.#sweep(), SWEEP_INTERVAL)];
    this.look();
    this.#sweep();
  }

  /** Looks now rather than at the next interval. */
  look(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = this.round()
      .catch(this.#complain)
      .finally(() => {
        this.#running = undefined;
        if (this.#again) {
          this.#again = false;
          this.look();
        }
      });
  }

  #sweep(): void {
    this.#sweeping ??= sweepKeys(this.parts.log, this.parts.clock)
      .catch(this.#complain)
      .finally(() => (this.#sweeping = undefined));
  }

  /** What could not be done stays due, and is taken up again. */
  readonly #complain = (error: unknown): void => {
    this.parts.logger.warn({ error: error instanceof Error ? error.name : typeof error }, 'the steward will try again');
  };

  /** Does everything that is due now, of every policy. */
  async round(): Promise<void> {
    // One look at each in turn, so that what is much work keeps nothing else waiting.
    for (let more = true; more && !this.#stopped;) {
      more = false;
      for (const policy of this.policies) if ((await this.#work(policy)) === atOnce(policy)) more = true;
    }
    await this.journal?.write(this.parts.log.vault);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timers.forEach((timer) => clearInterval(timer));
    await this.#running;
    await this.#sweeping;
  }

  /** @returns how many rows were due; 0 when nothing could be done about them. */
  async #work(policy: TimedPolicy): Promise<number> {
    const { readModels, clock } = this.parts;
    const rows =
      policy.dueColumn === undefined
        ? readModels.page(policy.projection, policy.table, policy.where, 0, atOnce(policy)).rows
        : readModels.due<Row>(
            policy.projection,
            policy.table,
            policy.where,
            policy.dueColumn,
            clock.now(),
            atOnce(policy),
          );
    const groups = new Map<string, [Row, ...Row[]]>();
    for (const row of rows) {
      const key = policy.groupBy.map((column) => row[column]).join(' ');
      const group = groups.get(key);
      if (group) group.push(row);
      else groups.set(key, [row]);
    }
    let last = 0;
    let recorded = 0;
    const finish = async (group: readonly [Row, ...Row[]], answers: readonly Answer[]): Promise<void> => {
      const answer = await this.#submit(policy.command(group, answers));
      last = Math.max(last, answer.position);
      if (answer.accepted) recorded += answer.events.length;
    };
    const { before } = policy;
    if (before)
      for (const group of groups.values()) {
        const commands = before(group);
        const answers = new Map<number, Answer>();
        const submit = async (command: PolicyCommand, index: number): Promise<void> =>
          void answers.set(index, await this.#submit(command));
        await this.#inParallel(commands, submit);
        if (this.#stopped) break;
        await finish(
          group,
          commands.flatMap((_command, index) => answers.get(index) ?? []),
        );
      }
    else await this.#inParallel([...groups.values()], (group) => finish(group, []));
    // What was just done must be seen before the next look, or it would be found due again.
    if (last > 0) await readModels.reached(last, 30_000);
    return recorded > 0 ? rows.length : 0;
  }

  #submit({ type, body }: PolicyCommand): Promise<Answer> {
    return this.parts.door.submit(type, { commandId: randomUUID(), ...body }, STEWARD);
  }

  /** Does the work a bounded number at a time, until all of it is done or the steward is stopped. */
  async #inParallel<T>(pieces: readonly T[], work: (piece: T, index: number) => Promise<void>): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < pieces.length && !this.#stopped) {
        const index = next++;
        await work(pieces[index]!, index);
      }
    };
    await Promise.all(Array.from({ length: COMMANDS_AT_ONCE }, worker));
  }
}

const atOnce = ({ rowsAtOnce }: TimedPolicy): number => rowsAtOnce ?? ROWS_AT_ONCE;

import type { Projection, Row } from '#kernel';
import type { Answer } from './answer.js';

/**
 * What has to happen when a time comes, as data: which rows are due, and the command they call for. The steward
 * runs it, again and again: a command whose work is done already records nothing, so a crash at any point does no
 * harm.
 */
export interface TimedPolicy {
  readonly name: string;
  readonly projection: Projection<never>;
  readonly table: string;
  /** Equality on columns. */
  readonly where: Row;
  /** Column with the instant from which a row is due; every row is due when absent. */
  readonly dueColumn?: string;
  /** Rows with the same values here are one piece of work. */
  readonly groupBy: readonly string[];
  /** How many rows are read at once; 1000 when absent. Fewer where each is much work. */
  readonly rowsAtOnce?: number;
  /**
   * Commands to have answered before, so that `command` can say how they went. Their bodies hold command ids that
   * follow from the rows: work that is taken up again gets the answers it had.
   */
  readonly before?: (rows: readonly [Row, ...Row[]]) => readonly PolicyCommand[];
  /** @param answers to the commands of `before`, in their order; absent without it. */
  readonly command: (rows: readonly [Row, ...Row[]], answers?: readonly Answer[]) => PolicyCommand;
}

/** A command that a policy asks for; its id is random unless the body has one. */
export interface PolicyCommand {
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

import type { Projection, Row } from '#kernel';

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
  readonly command: (rows: readonly [Row, ...Row[]]) => {
    readonly type: string;
    readonly body: Readonly<Record<string, unknown>>;
  };
}

import type { DomainEvent } from './decider.js';
import type { Recorded } from './event.js';

/** A value a read model can hold. Structures are stored as JSON text; sealed values are structures. */
export type Cell = string | number | null;
export type Row = Readonly<Record<string, Cell>>;

/**
 * One change of a read model, as data. Conditions are equality on columns; `null` means IS NULL.
 * Changes are idempotent by position: the runner applies each event exactly once, with its checkpoint.
 */
export type RowChange =
  | { readonly change: 'insert'; readonly table: string; readonly row: Row }
  | { readonly change: 'insertIfAbsent'; readonly table: string; readonly row: Row }
  | { readonly change: 'update'; readonly table: string; readonly where: Row; readonly set: Row }
  | { readonly change: 'delete'; readonly table: string; readonly where: Row };

/** Columns and keys of a table of a read model. */
export interface TableShape {
  readonly columns: Readonly<Record<string, 'text' | 'integer' | 'text?' | 'integer?'>>;
  readonly key: readonly string[];
  /** Further indexes, each a list of columns. */
  readonly indexes?: readonly (readonly string[])[];
  /** Keeps what its rows were before, so that the table can be read as it stood at a time. Every listed table does. */
  readonly history?: true;
}

/**
 * A read model: a pure fold of the log into rows. It can be thrown away at any time.
 * To change it, raise `version`: it is built anew under the new name.
 */
export interface Projection<E extends DomainEvent = DomainEvent> {
  readonly name: string;
  readonly version: number;
  /** Tables by name; a table belongs to one projection. */
  readonly tables: Readonly<Record<string, TableShape>>;
  readonly handles: {
    readonly [type in E['type']]: (event: Recorded<Extract<E, { type: type }>>) => readonly RowChange[];
  };
  /** Called for every event of the log, whatever its type, before `handles`. */
  readonly every?: (event: Recorded) => readonly RowChange[];
}

export const insert = (table: string, row: Row): RowChange => ({ change: 'insert', table, row });
export const insertIfAbsent = (table: string, row: Row): RowChange => ({ change: 'insertIfAbsent', table, row });
export const update = (table: string, where: Row, set: Row): RowChange => ({ change: 'update', table, where, set });
export const remove = (table: string, where: Row): RowChange => ({ change: 'delete', table, where });

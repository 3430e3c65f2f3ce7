import { setTimeout as wait } from 'node:timers/promises';
import type { Database, SqliteStatement } from '#database';
import { type Cell, type Instant, type Projection, type Row } from '#kernel';
import { digestOf, digestsOf } from './digest.js';
import { checkpointName, pastName, physicalName, ROW, SINCE, UNTIL } from './schema.js';

/** The projection has not come as far as the question asked, in the time that was given. */
export class ReadModelBehind extends Error {
  override readonly name = 'ReadModelBehind';
  constructor(
    readonly wanted: number,
    readonly position: number,
  ) {
    super(`the read models stand at position ${position}, asked for ${wanted}`);
  }
}

/** What the read models hold, as one number: equal digests mean equal rows. */
export interface Digest {
  readonly position: number;
  /** SHA-256 over the digests of the projections, in hex. */
  readonly digest: string;
  readonly projections: Readonly<Record<string, string>>;
}

export interface PageOfRows {
  readonly rows: readonly Row[];
  /** Where the next page begins; absent at the end. */
  readonly next?: number;
}

/** The read side: rows by projection, how far they have come, and their digest. */
export class ReadModels {
  readonly #positions: SqliteStatement<[], { position: number }>;
  readonly #statements = new Map<string, SqliteStatement<Cell[]>>();

  constructor(
    private readonly database: Database<unknown>,
    private readonly projections: readonly Projection[],
  ) {
    this.#positions = database.sqlite.prepare('SELECT min(position) AS position FROM checkpoints');
  }

  /**
   * All rows of a table where these columns have these values, in the order of another column.
   *
   * @param asOf as in {@link page}.
   */
  rows<R>(projection: Projection<never>, table: string, where: Row, orderBy?: string, asOf?: Instant): readonly R[] {
    const order = orderBy === undefined ? '' : ` ORDER BY "${orderBy}"`;
    return asOf === undefined
      ? (this.#select(projection, table, where, order).all(...cellsOf(where)) as R[])
      : (this.#selectAsOf(projection, table, where, order).all(...asOfCells(where, asOf)) as R[]);
  }

  /**
   * Rows of a table in the order they came to be, after the one where the last page ended; at most `limit`.
   *
   * Page after page gives every row that stays exactly once, and no row twice. A row that comes while a listing runs
   * is in it too, unless the newest row was removed just before: then it may take that one's place.
   *
   * @param asOf gives the rows as they stood when everything up to then, inclusive, had been recorded. Only of a table
   * with a `history`.
   */
  page(
    projection: Projection<never>,
    table: string,
    where: Row,
    after: number,
    limit: number,
    asOf?: Instant,
  ): PageOfRows {
    const tail = ' ORDER BY row_number LIMIT ?';
    const found = (
      asOf === undefined
        ? this.#select(projection, table, where, tail, 'rowid > ?').all(...cellsOf(where), after, limit)
        : this.#selectAsOf(projection, table, where, tail, '> ?').all(...asOfCells(where, asOf, after), limit)
    ) as (Row & { row_number: number })[];
    const last = found.at(-1)?.row_number;
    return {
      rows: found.map(({ row_number: _number, ...row }) => row),
      ...(found.length === limit && last !== undefined && { next: last }),
    };
  }

  /** Rows whose time has come: a column holds an instant at or before `now`. The longest overdue first. */
  due<R>(
    projection: Projection<never>,
    table: string,
    where: Row,
    column: string,
    now: string,
    limit: number,
  ): readonly R[] {
    const statement = this.#select(projection, table, where, ` ORDER BY "${column}" LIMIT ?`, `"${column}" <= ?`);
    return statement.all(...cellsOf(where), now, limit) as R[];
  }

  /** Which of these values stand in a column of the rows that have those values in others: one look for all of them. */
  among(
    projection: Projection<never>,
    table: string,
    where: Row,
    column: string,
    values: readonly string[],
  ): ReadonlySet<string> {
    const conditions = [...whereOf(where), `"${column}" IN (SELECT value FROM json_each(?))`];
    const name = physicalName(projection, table);
    const found = this.#prepared(`SELECT DISTINCT "${column}" AS found FROM "${name}"${clause(conditions)}`).all(
      ...cellsOf(where),
      JSON.stringify(values),
    ) as { readonly found: string }[];
    return new Set(found.map((row) => row.found));
  }

  /** All rows that have one of these values in a column, and those values in others: one look for all of them. */
  rowsAmong<R>(
    projection: Projection<never>,
    table: string,
    where: Row,
    column: string,
    values: readonly string[],
  ): readonly R[] {
    if (values.length === 0) return [];
    const statement = this.#select(projection, table, where, '', `"${column}" IN (SELECT value FROM json_each(?))`);
    return statement.all(...cellsOf(where), JSON.stringify(values)) as R[];
  }

  /** The rows with the greatest values of a column, the greatest first; rows without one are left out. */
  latest<R>(projection: Projection<never>, table: string, where: Row, column: string, limit: number): readonly R[] {
    const statement = this.#select(
      projection,
      table,
      where,
      '',
      `"${column}" IS NOT NULL ORDER BY "${column}" DESC LIMIT ?`,
    );
    return statement.all(...cellsOf(where), limit) as R[];
  }

  /** How many rows have these values; with `due`, of those whose time has come. */
  count(
    projection: Projection<never>,
    table: string,
    where: Row,
    due?: { readonly column: string; readonly now: string },
  ): number {
    const statement = this.#select(
      projection,
      table,
      where,
      '',
      due && `"${due.column}" <= ?`,
      'count(*) AS row_number',
    );
    const found = statement.get(...cellsOf(where), ...(due ? [due.now] : [])) as { readonly row_number: number };
    return found.row_number;
  }

  #select(
    projection: Projection<never>,
    table: string,
    where: Row,
    tail: string,
    condition?: string,
    columns?: string,
  ): SqliteStatement<Cell[]> {
    const selected = columns ?? `${columnsOf(projection, table)}, rowid AS row_number`;
    const conditions = [...whereOf(where), ...(condition === undefined ? [] : [condition])];
    return this.#prepared(`SELECT ${selected} FROM "${physicalName(projection, table)}"${clause(conditions)}${tail}`);
  }

  /** The rows of the present that were so by then, and those of the past that were so then. */
  #selectAsOf(
    projection: Projection<never>,
    table: string,
    where: Row,
    tail: string,
    rowCondition?: string,
  ): SqliteStatement<Cell[]> {
    if (!(projection as Projection).tables[table]?.history) throw new Error(`the table ${table} has no history`);
    const columns = columnsOf(projection, table);
    const part = (name: string, row: string, times: readonly string[]): string =>
      `SELECT ${columns}, ${row} AS row_number FROM "${name}"` +
      clause([...whereOf(where), ...times, ...(rowCondition === undefined ? [] : [`${row} ${rowCondition}`])]);
    const present = part(physicalName(projection, table), 'rowid', [`${SINCE} <= ?`]);
    const past = part(pastName(projection, table), ROW, [`${SINCE} <= ?`, `${UNTIL} > ?`]);
    return this.#prepared(`SELECT * FROM (${present} UNION ALL ${past})${tail}`);
  }

  #prepared(sql: string): SqliteStatement<Cell[]> {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.database.sqlite.prepare<Cell[]>(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** Position of the last event that every projection has taken. */
  get position(): number {
    return this.#positions.get()?.position ?? 0;
  }

  /**
   * Waits until the read models include the event at a position.
   *
   * @param patience how long, in milliseconds.
   * @throws ReadModelBehind when they do not in that time.
   */
  async reached(position: number, patience = 2_000): Promise<void> {
    const deadline = Date.now() + patience;
    for (let pause = 1; this.position < position; pause = Math.min(pause * 2, 25)) {
      if (Date.now() >= deadline) throw new ReadModelBehind(position, this.position);
      await wait(pause);
    }
  }

  /** The digest, when every projection of this version is there and they all stand at one position; else `undefined`. */
  wholeDigest(): Digest | undefined {
    return this.database.sqlite.transaction(() => {
      const checkpoints = new Map(
        this.database.sqlite.prepare('SELECT projection, position FROM checkpoints').raw().all() as [string, number][],
      );
      const positions = new Set(this.projections.map((projection) => checkpoints.get(checkpointName(projection))));
      return positions.size === 1 && !positions.has(undefined) ? this.digest() : undefined;
    })();
  }

  /** The digest of all rows, read at one moment. Every row is read: a measure for audits, not for every day. */
  digest(): Digest {
    return this.database.sqlite.transaction(() => {
      const projections = digestsOf(this.database, this.projections);
      return { position: this.position, digest: digestOf(projections), projections };
    })();
  }
}

const cellsOf = (where: Row): Cell[] => Object.values(where).filter((cell) => cell !== null);

/** For {@link ReadModels.rows} and {@link ReadModels.page}: what their two halves ask for, in turn. */
function asOfCells(where: Row, asOf: Instant, after?: number): Cell[] {
  const row = after === undefined ? [] : [after];
  return [...cellsOf(where), asOf, ...row, ...cellsOf(where), asOf, asOf, ...row];
}

const whereOf = (where: Row): readonly string[] =>
  Object.entries(where).map(([name, cell]) => (cell === null ? `"${name}" IS NULL` : `"${name}" = ?`));

const clause = (conditions: readonly string[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;

function columnsOf(projection: Projection<never>, table: string): string {
  return Object.keys((projection as Projection).tables[table]?.columns ?? {})
    .map((name) => `"${name}"`)
    .join(', ');
}

import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Database, SqliteStatement } from '#database';
import { canonicalJson, type Cell, type Projection, type Row } from '#kernel';
import { checkpointName, physicalName } from './schema.js';

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

  /** All rows of a table where these columns have these values, in the order of another column. */
  rows<R>(projection: Projection<never>, table: string, where: Row, orderBy?: string): readonly R[] {
    const statement = this.#select(projection, table, where, orderBy === undefined ? '' : ` ORDER BY "${orderBy}"`);
    return statement.all(...cellsOf(where)) as R[];
  }

  /**
   * Rows of a table in the order they came to be, after the one where the last page ended; at most `limit`.
   *
   * Page after page gives every row that stays exactly once, and no row twice. A row that comes while a listing runs
   * is in it too, unless the newest row was removed just before: then it may take that one's place.
   */
  page(projection: Projection<never>, table: string, where: Row, after: number, limit: number): PageOfRows {
    const statement = this.#select(projection, table, where, '', 'rowid > ? ORDER BY rowid LIMIT ?');
    const found = statement.all(...cellsOf(where), after, limit) as (Row & { row_number: number })[];
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
    const statement = this.#select(projection, table, where, '', `"${column}" <= ? ORDER BY "${column}" LIMIT ?`);
    return statement.all(...cellsOf(where), now, limit) as R[];
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
    columns = '*, rowid AS row_number',
  ): SqliteStatement<Cell[]> {
    const conditions = [
      ...Object.entries(where).map(([name, cell]) => (cell === null ? `"${name}" IS NULL` : `"${name}" = ?`)),
      ...(condition === undefined ? [] : [condition]),
    ];
    const sql =
      `SELECT ${columns} FROM "${physicalName(projection, table)}"` +
      (conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`) +
      tail;
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

  /** The digest of all rows, read at one moment. Every row is read: a measure for audits, not for every day. */
  digest(): Digest {
    return this.database.sqlite.transaction(() => {
      const digests: Record<string, string> = {};
      for (const projection of [...this.projections].sort((a, b) => (checkpointName(a) < checkpointName(b) ? -1 : 1))) {
        const hash = createHash('sha256');
        for (const [table, shape] of Object.entries(projection.tables).sort(([a], [b]) => (a < b ? -1 : 1))) {
          hash.update(`${table}\n`);
          const order = shape.key.map((column) => `"${column}"`).join(', ');
          const rows = this.database.sqlite
            .prepare(`SELECT * FROM "${physicalName(projection, table)}" ORDER BY ${order}`)
            .iterate();
          for (const row of rows) hash.update(`${canonicalJson(row)}\n`);
        }
        digests[checkpointName(projection)] = hash.digest('hex');
      }
      const digest = createHash('sha256').update(canonicalJson(digests)).digest('hex');
      return { position: this.position, digest, projections: digests };
    })();
  }
}

const cellsOf = (where: Row): Cell[] => Object.values(where).filter((cell) => cell !== null);

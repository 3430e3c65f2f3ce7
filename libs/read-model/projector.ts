import type { Database, SqliteStatement } from '#database';
import type { EventLog, Subscription } from '#event-log';
import type { Cell, Projection, Recorded, Row, RowChange, TableShape } from '#kernel';
import { digestOf, digestsOf } from './digest.js';
import { checkpointName, pastName, physicalName, prepareTables, ROW, SINCE, UNTIL } from './schema.js';

/** A commit costs as much as the rows of several events: what comes within this time shares one, in milliseconds. */
const GATHER = 5;

/** Projections that were folded from the beginning of a log that was not empty. */
export interface Rebuild {
  /** Position of the last event they had taken then. */
  readonly through: number;
  /** SHA-256 over their digests, in hex: that of {@link ReadModels.digest} when all of them were. */
  readonly digest: string;
  /** Digest by name and version. */
  readonly projections: Readonly<Record<string, string>>;
}

/**
 * Folds the log into the read models. Rows and checkpoint commit in one transaction, so each event has its effect
 * exactly once, whenever the process dies. A change that touches an unknown column fails loudly and stops it.
 */
export class Projector {
  readonly #checkpoints = new Map<Projection, number>();
  /** By projection with a history: the latest time at which an event that changed its rows was recorded. */
  #moments = new Map<Projection, string>();
  readonly #statements = new Map<string, SqliteStatement<Cell[]>>();
  readonly #advance: SqliteStatement<[number, number]>;
  readonly #keepMoment: SqliteStatement<[string, string]>;
  #listeners: ((position: number) => void)[] = [];
  #subscription: Subscription | undefined;

  constructor(
    private readonly database: Database<unknown>,
    private readonly projections: readonly Projection[],
  ) {
    prepareTables(database, projections);
    for (const projection of projections) {
      const { position, moment } = database.sqlite
        .prepare('SELECT position, moment FROM checkpoints WHERE projection = ?')
        .get(checkpointName(projection)) as { readonly position: number; readonly moment: string };
      this.#checkpoints.set(projection, position);
      if (Object.values(projection.tables).some(({ history }) => history)) this.#moments.set(projection, moment);
    }
    this.#advance = database.sqlite.prepare('UPDATE checkpoints SET position = ? WHERE position < ?');
    this.#keepMoment = database.sqlite.prepare('UPDATE checkpoints SET moment = ? WHERE projection = ?');
  }

  /** Position of the last event that every projection has taken. */
  get position(): number {
    return Math.min(...this.#checkpoints.values());
  }

  /** Calls back after each committed batch with the position reached. */
  onAdvance(listener: (position: number) => void): void {
    this.#listeners.push(listener);
  }

  /** Follows the log; resolves when everything stored has been taken. */
  async start(log: EventLog, prefixes: readonly string[], onStopped: (error: Error) => void): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#subscription = log.follow(prefixes, {
        from: () => this.position,
        handle: (events) => this.apply(events),
        gather: GATHER,
        onCaughtUp: resolve,
        onStopped: (error) => {
          reject(error);
          onStopped(error);
        },
      });
    });
    this.#noteRebuilt();
  }

  /**
   * What was built anew and is not on record yet, the oldest first: the same until {@link rebuildRecorded} is told of
   * it, whenever the process dies. What was new on an empty log was not built anew.
   */
  rebuilds(): readonly Rebuild[] {
    const rows = this.database.sqlite
      .prepare(
        'SELECT projection, rebuilt_to AS through, rebuilt_digest AS digest FROM checkpoints WHERE rebuilt_to > 0 ' +
          'ORDER BY rebuilt_to, projection',
      )
      .all() as { readonly projection: string; readonly through: number; readonly digest: string }[];
    return [...new Set(rows.map(({ through }) => through))].map((through) => {
      const built = rows.filter((row) => row.through === through);
      const projections = Object.fromEntries(built.map(({ projection, digest }) => [projection, digest]));
      return { through, digest: digestOf(projections), projections };
    });
  }

  /** The rebuild up to that position is on record. */
  rebuildRecorded(through: number): void {
    this.database.sqlite
      .prepare('UPDATE checkpoints SET rebuilt_to = 0, rebuilt_digest = NULL WHERE rebuilt_to = ?')
      .run(through);
  }

  /** Keeps the digest of whatever has caught up for the first time. */
  #noteRebuilt(): void {
    this.database.transaction(() => {
      const fresh = this.database.sqlite
        .prepare('SELECT projection FROM checkpoints WHERE rebuilt_to IS NULL')
        .pluck()
        .all() as string[];
      const built = this.projections.filter((projection) => fresh.includes(checkpointName(projection)));
      const digests = this.position === 0 ? {} : digestsOf(this.database, built);
      const note = this.database.sqlite.prepare(
        'UPDATE checkpoints SET rebuilt_to = ?, rebuilt_digest = ? WHERE projection = ?',
      );
      for (const name of built.map(checkpointName)) note.run(this.position, digests[name] ?? null, name);
    });
  }

  /** Takes events in the order of the log; those a projection has taken before are passed over. */
  apply(events: readonly Recorded[]): void {
    const last = events.at(-1);
    if (!last) return;
    const moments = new Map(this.#moments);
    this.database.transaction(() => {
      for (const event of events)
        for (const projection of this.projections) {
          if (event.position <= (this.#checkpoints.get(projection) ?? 0)) continue;
          const changes = changesOf(projection, event);
          if (changes.length === 0) continue;
          const before = moments.get(projection);
          // Clocks of several engines differ: time never goes back, so that a time stands for one place in the log.
          const moment = before === undefined || event.recordedAt > before ? event.recordedAt : before;
          if (before !== undefined) moments.set(projection, moment);
          for (const change of changes) this.#execute(projection, change, moment);
        }
      this.#advance.run(last.position, last.position);
      for (const [projection, moment] of moments)
        if (moment !== this.#moments.get(projection)) this.#keepMoment.run(moment, checkpointName(projection));
    });
    this.#moments = moments;
    for (const [projection, position] of this.#checkpoints)
      if (position < last.position) this.#checkpoints.set(projection, last.position);
    this.#listeners.forEach((listener) => listener(last.position));
  }

  async stop(): Promise<void> {
    await this.#subscription?.stop();
  }

  /** @param moment when the change was recorded; rows with a history are as they are from then on. */
  #execute(projection: Projection, change: RowChange, moment: string): void {
    const shape = projection.tables[change.table];
    if (!shape) throw new Error(`the projection ${projection.name} has no table ${change.table}`);
    const table = physicalName(projection, change.table);
    const since = shape.history ? { [SINCE]: moment } : {};
    switch (change.change) {
      case 'insert':
      case 'insertIfAbsent': {
        const row = { ...change.row, ...since };
        this.#run(change, table, Object.keys(row), [], Object.values(row));
        return;
      }
      case 'update': {
        if (shape.history) this.#archive(projection, change, shape, moment);
        const set = { ...change.set, ...since };
        this.#run(change, table, Object.keys(set), whereOf(change.where), [
          ...Object.values(set),
          ...cellsOf(change.where),
        ]);
        return;
      }
      case 'delete':
        if (shape.history) this.#archive(projection, change, shape, moment);
        this.#run(change, table, [], whereOf(change.where), cellsOf(change.where));
    }
  }

  /** Keeps what these rows are until now. What was only just so, at the same moment, was never to be seen. */
  #archive(
    projection: Projection,
    { table, where }: Extract<RowChange, { readonly where: Row }>,
    shape: TableShape,
    moment: string,
  ): void {
    const conditions = whereOf(where);
    const key = `archive ${physicalName(projection, table)} ${conditions.join()}`;
    let statement = this.#statements.get(key);
    if (!statement) {
      const columns = Object.keys(shape.columns).map((name) => `"${name}"`);
      statement = this.database.sqlite.prepare<Cell[]>(
        `INSERT INTO "${pastName(projection, table)}" (${[...columns, ROW, SINCE, UNTIL].join()}) ` +
          `SELECT ${[...columns, 'rowid', SINCE, '?'].join()} FROM "${physicalName(projection, table)}" ` +
          `WHERE ${[...conditions, `${SINCE} < ?`].join(' AND ')}`,
      );
      this.#statements.set(key, statement);
    }
    statement.run(moment, ...cellsOf(where), moment);
  }

  /** One prepared statement per shape of change. */
  #run(
    { change }: RowChange,
    table: string,
    columns: readonly string[],
    where: readonly string[],
    cells: readonly Cell[],
  ): void {
    const key = `${change} ${table} ${columns.join()} ${where.join()}`;
    let statement = this.#statements.get(key);
    if (!statement) {
      const condition = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`;
      const sql = {
        insert: `INSERT INTO "${table}" (${columns.map((name) => `"${name}"`).join()}) VALUES (${columns.map(() => '?').join()})`,
        insertIfAbsent: `INSERT INTO "${table}" (${columns.map((name) => `"${name}"`).join()}) VALUES (${columns.map(() => '?').join()}) ON CONFLICT DO NOTHING`,
        update: `UPDATE "${table}" SET ${columns.map((name) => `"${name}" = ?`).join()}${condition}`,
        delete: `DELETE FROM "${table}"${condition}`,
      }[change];
      statement = this.database.sqlite.prepare<Cell[]>(sql);
      this.#statements.set(key, statement);
    }
    statement.run(...cells);
  }
}

const cellsOf = (where: Row): Cell[] => Object.values(where).filter((cell) => cell !== null);

function whereOf(where: Readonly<Record<string, Cell>>): string[] {
  return Object.entries(where).map(([name, cell]) => (cell === null ? `"${name}" IS NULL` : `"${name}" = ?`));
}

function changesOf(projection: Projection, event: Recorded): readonly RowChange[] {
  const handle = (projection.handles as Record<string, ((event: Recorded) => readonly RowChange[]) | undefined>)[
    event.type
  ];
  const every = projection.every?.(event) ?? [];
  return handle ? [...every, ...handle(event)] : every;
}

import type { Database, SqliteStatement } from '#database';
import type { EventLog, Subscription } from '#event-log';
import type { Cell, Projection, Recorded, RowChange } from '#kernel';
import { checkpointName, physicalName, prepareTables } from './schema.js';

/**
 * Folds the log into the read models. Rows and checkpoint commit in one transaction, so each event has its effect
 * exactly once, whenever the process dies. A change that touches an unknown column fails loudly and stops it.
 */
export class Projector {
  readonly #checkpoints = new Map<Projection, number>();
  readonly #statements = new Map<string, SqliteStatement<Cell[]>>();
  readonly #advance: SqliteStatement<[number, number]>;
  #listeners: ((position: number) => void)[] = [];
  #subscription: Subscription | undefined;

  constructor(
    private readonly database: Database<unknown>,
    private readonly projections: readonly Projection[],
  ) {
    prepareTables(database, projections);
    for (const projection of projections) {
      const position = database.sqlite
        .prepare('SELECT position FROM checkpoints WHERE projection = ?')
        .pluck()
        .get(checkpointName(projection));
      this.#checkpoints.set(projection, position as number);
    }
    this.#advance = database.sqlite.prepare('UPDATE checkpoints SET position = ? WHERE position < ?');
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
        onCaughtUp: resolve,
        onStopped: (error) => {
          reject(error);
          onStopped(error);
        },
      });
    });
  }

  /** Takes events in the order of the log; those a projection has taken before are passed over. */
  apply(events: readonly Recorded[]): void {
    const last = events.at(-1);
    if (!last) return;
    this.database.transaction(() => {
      for (const event of events)
        for (const projection of this.projections) {
          if (event.position <= (this.#checkpoints.get(projection) ?? 0)) continue;
          for (const change of changesOf(projection, event)) this.#execute(projection, change);
        }
      this.#advance.run(last.position, last.position);
    });
    for (const [projection, position] of this.#checkpoints)
      if (position < last.position) this.#checkpoints.set(projection, last.position);
    this.#listeners.forEach((listener) => listener(last.position));
  }

  async stop(): Promise<void> {
    await this.#subscription?.stop();
  }

  #execute(projection: Projection, change: RowChange): void {
    if (!(change.table in projection.tables))
      throw new Error(`the projection ${projection.name} has no table ${change.table}`);
    const table = physicalName(projection, change.table);
    switch (change.change) {
      case 'insert':
      case 'insertIfAbsent':
        this.#run(change, table, Object.keys(change.row), [], Object.values(change.row));
        return;
      case 'update':
        this.#run(change, table, Object.keys(change.set), whereOf(change.where), [
          ...Object.values(change.set),
          ...Object.values(change.where).filter((cell) => cell !== null),
        ]);
        return;
      case 'delete':
        this.#run(
          change,
          table,
          [],
          whereOf(change.where),
          Object.values(change.where).filter((cell) => cell !== null),
        );
    }
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

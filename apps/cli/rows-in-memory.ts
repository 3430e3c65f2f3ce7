import type { DomainEvent, Projection, Recorded, Row, RowChange, TableShape } from '#kernel';

interface Table {
  readonly shape: TableShape;
  /** By the cells of the key. */
  readonly rows: Map<string, Row>;
}

/**
 * The tables of one projection, in memory. What a change means is said here a second time, independently of the
 * database that the read models use, so that the two can be held against each other.
 */
export class RowsInMemory {
  readonly #tables: ReadonlyMap<string, Table>;
  readonly #projection: Projection;

  constructor(projection: Projection<never>) {
    this.#projection = projection;
    this.#tables = new Map(
      Object.entries(projection.tables).map(([name, shape]) => [name, { shape, rows: new Map<string, Row>() }]),
    );
  }

  /** The rows of a table, in the order they came to be. */
  rows(table: string): readonly Row[] {
    return [...this.#table(table).rows.values()];
  }

  /** Takes the next event of the log. @throws Error when a change does not fit the table. */
  apply(event: Recorded): void {
    const handles: Readonly<Record<string, ((event: Recorded<DomainEvent>) => readonly RowChange[]) | undefined>> =
      this.#projection.handles;
    const changes = [...(this.#projection.every?.(event) ?? []), ...(handles[event.type]?.(event) ?? [])];
    changes.forEach((change) => this.#change(change));
  }

  #change(change: RowChange): void {
    const table = this.#table(change.table);
    switch (change.change) {
      case 'insert':
        put(table, change.table, change.row);
        return;
      case 'insertIfAbsent':
        if (!table.rows.has(keyOf(table, change.row))) put(table, change.table, change.row);
        return;
      case 'update':
        for (const [key, row] of matching(table, change.where)) {
          const next = { ...row, ...change.set };
          if (keyOf(table, next) === key) table.rows.set(key, fitting(table, change.table, next));
          else {
            table.rows.delete(key);
            put(table, change.table, next);
          }
        }
        return;
      case 'delete':
        for (const [key] of matching(table, change.where)) table.rows.delete(key);
    }
  }

  #table(name: string): Table {
    const table = this.#tables.get(name);
    if (!table) throw new Error(`no projection owns the table ${name}`);
    return table;
  }
}

const keyOf = ({ shape }: Table, row: Row): string => JSON.stringify(shape.key.map((column) => row[column]));

function put(table: Table, name: string, row: Row): void {
  const key = keyOf(table, row);
  if (table.rows.has(key)) throw new Error(`a key twice in the table ${name}`);
  table.rows.set(key, fitting(table, name, row));
}

/** The row with every column of the table. */
function fitting({ shape }: Table, name: string, row: Row): Row {
  const unknown = Object.keys(row).find((column) => !(column in shape.columns));
  if (unknown !== undefined) throw new Error(`the table ${name} has no column ${unknown}`);
  return Object.fromEntries(
    Object.entries(shape.columns).map(([column, type]) => {
      const cell = row[column] ?? null;
      if (cell === null && !type.endsWith('?')) throw new Error(`${name}.${column} cannot be empty`);
      return [column, cell];
    }),
  );
}

/** The rows with these cells: at once when the whole key is given, else by looking at all of them. */
function matching(table: Table, where: Row): readonly (readonly [string, Row])[] {
  const matches = (row: Row): boolean => Object.entries(where).every(([column, cell]) => row[column] === cell);
  if (!table.shape.key.every((column) => column in where)) return [...table.rows].filter(([, row]) => matches(row));
  const key = keyOf(table, where);
  const row = table.rows.get(key);
  return row && matches(row) ? [[key, row]] : [];
}

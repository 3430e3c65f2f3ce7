import type { Database } from '#database';
import { canonicalJson, type Projection, type TableShape } from '#kernel';

/** The name a table has in the database. A new version of a projection gets tables of its own. */
export function physicalName(projection: Pick<Projection, 'version'>, table: string): string {
  return `${table}_v${projection.version}`;
}

/** The name a projection's checkpoint is kept under. */
export const checkpointName = ({ name, version }: Pick<Projection, 'name' | 'version'>): string =>
  `${name}.v${version}`;

/** The name of the table that keeps what the rows of a table with `history` were before. */
export const pastName = (projection: Pick<Projection, 'version'>, table: string): string =>
  `${physicalName(projection, table)}_past`;

/**
 * What a table with `history` has beside its own columns: since when a row is what it is, and in the table of its past
 * also until when it was, and which row it was. Times are those at which the log recorded the change.
 */
export const SINCE = '_since';
export const UNTIL = '_until';
export const ROW = '_row';

/**
 * Creates what is missing, and drops what no projection of this version owns or what has another shape than it is
 * declared with: read models can be thrown away, and are folded from the beginning again.
 *
 * @throws Error when two projections claim one table, or when the file holds tables and was never one of read models:
 * dropping those could destroy what nobody can rebuild, such as the keys of the vault.
 */
export function prepareTables(database: Database<unknown>, projections: readonly Projection[]): void {
  const owned = new Set(['checkpoints']);
  const tables = database.sqlite
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
    .pluck();
  database.transaction(() => {
    const found = tables.all() as string[];
    if (found.length > 0 && !found.includes('checkpoints'))
      throw new Error(`the file of the ${database.name} holds something else (${found.join(', ')}): name another file`);
    // Checkpoints of another shape are as good as none.
    if (found.length > 0 && !isShaped(database, 'checkpoints', CHECKPOINTS))
      for (const name of found) database.sqlite.exec(`DROP TABLE ${quoted(name)}`);
    database.sqlite.exec(createTable('checkpoints', CHECKPOINTS));
    for (const projection of projections) {
      const declared = Object.entries(projection.tables).flatMap(([table, shape]) =>
        tablesFor(projection, table, shape),
      );
      for (const { name } of declared) {
        if (owned.has(name)) throw new Error(`the table ${name} is claimed by two projections`);
        owned.add(name);
      }
      const existing = new Set(tables.all());
      if (declared.some(({ name, shape }) => existing.has(name) && !isShaped(database, name, shape))) {
        for (const { name } of declared) database.sqlite.exec(`DROP TABLE IF EXISTS ${quoted(name)}`);
        database.sqlite.prepare('DELETE FROM checkpoints WHERE projection = ?').run(checkpointName(projection));
      }
      for (const { name, shape } of declared) {
        database.sqlite.exec(createTable(name, shape));
        (shape.indexes ?? []).forEach((columns, index) =>
          database.sqlite.exec(
            `CREATE INDEX IF NOT EXISTS "${name}_${index}" ON "${name}" (${columns.map(quoted).join(', ')})`,
          ),
        );
      }
      database.sqlite
        .prepare(`INSERT OR IGNORE INTO checkpoints (projection, position, moment) VALUES (?, 0, '')`)
        .run(checkpointName(projection));
    }
    for (const name of tables.all() as string[])
      if (!owned.has(name)) database.sqlite.exec(`DROP TABLE ${quoted(name)}`);
    const known = new Set(projections.map(checkpointName));
    const recorded = database.sqlite.prepare('SELECT projection FROM checkpoints').pluck().all() as string[];
    for (const name of recorded)
      if (!known.has(name)) database.sqlite.prepare('DELETE FROM checkpoints WHERE projection = ?').run(name);
  });
}

/**
 * One row per projection: the position of the last event it took, and the latest time at which an event that changed
 * its rows was recorded. `rebuilt_to` is null until it has caught up for the first time; then, while its rebuilding is
 * not on record, the position up to which it was built from the beginning, with its digest there; 0 when there is
 * nothing to record.
 */
const CHECKPOINTS: TableShape = {
  columns: {
    projection: 'text',
    position: 'integer',
    moment: 'text',
    rebuilt_to: 'integer?',
    rebuilt_digest: 'text?',
  },
  key: ['projection'],
};

function tablesFor(
  projection: Projection,
  table: string,
  shape: TableShape,
): readonly { readonly name: string; readonly shape: TableShape }[] {
  const name = physicalName(projection, table);
  if (!shape.history) return [{ name, shape }];
  const past: TableShape = {
    columns: { ...shape.columns, [ROW]: 'integer', [SINCE]: 'text', [UNTIL]: 'text' },
    key: [ROW, SINCE],
    indexes: [shape.key, ...(shape.indexes ?? [])],
  };
  return [
    { name, shape: { ...shape, columns: { ...shape.columns, [SINCE]: 'text' } } },
    { name: pastName(projection, table), shape: past },
  ];
}

function createTable(name: string, shape: TableShape): string {
  const columns = columnsOf(shape).map(
    ({ column, type, required }) => `${quoted(column)} ${type}${required ? ' NOT NULL' : ''}`,
  );
  return `CREATE TABLE IF NOT EXISTS ${quoted(name)} (${columns.join(', ')}, PRIMARY KEY (${shape.key.map(quoted).join(', ')})) STRICT`;
}

/** Whether a table that exists has these columns and this key, in this order. */
function isShaped(database: Database<unknown>, name: string, shape: TableShape): boolean {
  const found = database.sqlite.prepare('SELECT name, type, "notnull", pk FROM pragma_table_info(?)').all(name);
  const wanted = columnsOf(shape).map(({ column, type, required }) => ({
    name: column,
    type,
    notnull: required ? 1 : 0,
    pk: shape.key.indexOf(column) + 1,
  }));
  return canonicalJson(found) === canonicalJson(wanted);
}

function columnsOf(shape: TableShape) {
  return Object.entries(shape.columns).map(([column, type]) => ({
    column,
    type: type.startsWith('text') ? 'TEXT' : 'INTEGER',
    required: !type.endsWith('?'),
  }));
}

const quoted = (name: string): string => `"${name}"`;

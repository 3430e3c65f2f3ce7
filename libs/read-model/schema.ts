import type { Database } from '#database';
import type { Projection, TableShape } from '#kernel';

/** The name a table has in the database. A new version of a projection gets tables of its own. */
export function physicalName(projection: Pick<Projection, 'version'>, table: string): string {
  return `${table}_v${projection.version}`;
}

/** The name a projection's checkpoint is kept under. */
export const checkpointName = ({ name, version }: Pick<Projection, 'name' | 'version'>): string =>
  `${name}.v${version}`;

/**
 * Creates what is missing and drops what no projection of this version owns: read models can be thrown away.
 *
 * @throws Error when two projections claim one table, or when the file holds tables and was never one of read models:
 * dropping those could destroy what nobody can rebuild, such as the keys of the vault.
 */
export function prepareTables(database: Database<unknown>, projections: readonly Projection[]): void {
  const owned = new Set(['checkpoints']);
  const tables = database.sqlite.prepare(
    `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
  );
  database.transaction(() => {
    const found = tables.pluck().all() as string[];
    if (found.length > 0 && !found.includes('checkpoints'))
      throw new Error(`the file of the ${database.name} holds something else (${found.join(', ')}): name another file`);
    database.sqlite.exec(
      'CREATE TABLE IF NOT EXISTS checkpoints (projection TEXT PRIMARY KEY, position INTEGER NOT NULL) STRICT, WITHOUT ROWID',
    );
    for (const projection of projections) {
      for (const [table, shape] of Object.entries(projection.tables)) {
        const name = physicalName(projection, table);
        if (owned.has(name)) throw new Error(`the table ${name} is claimed by two projections`);
        owned.add(name);
        database.sqlite.exec(createTable(name, shape));
        (shape.indexes ?? []).forEach((columns, index) =>
          database.sqlite.exec(
            `CREATE INDEX IF NOT EXISTS "${name}_${index}" ON "${name}" (${columns.map(quoted).join(', ')})`,
          ),
        );
      }
      database.sqlite
        .prepare('INSERT OR IGNORE INTO checkpoints (projection, position) VALUES (?, 0)')
        .run(checkpointName(projection));
    }
    for (const name of tables.pluck().all() as string[])
      if (!owned.has(name)) database.sqlite.exec(`DROP TABLE ${quoted(name)}`);
    const known = new Set(projections.map(checkpointName));
    const recorded = database.sqlite.prepare('SELECT projection FROM checkpoints').pluck().all() as string[];
    for (const name of recorded)
      if (!known.has(name)) database.sqlite.prepare('DELETE FROM checkpoints WHERE projection = ?').run(name);
  });
}

function createTable(name: string, shape: TableShape): string {
  const columns = Object.entries(shape.columns).map(
    ([column, type]) =>
      `${quoted(column)} ${type.startsWith('text') ? 'TEXT' : 'INTEGER'}${type.endsWith('?') ? '' : ' NOT NULL'}`,
  );
  return `CREATE TABLE IF NOT EXISTS ${quoted(name)} (${columns.join(', ')}, PRIMARY KEY (${shape.key.map(quoted).join(', ')})) STRICT`;
}

const quoted = (name: string): string => `"${name}"`;

import { createHash } from 'node:crypto';
import type { Database } from '#database';
import { canonicalJson, type Projection } from '#kernel';
import { checkpointName, pastName, physicalName, ROW, SINCE } from './schema.js';

/** SHA-256 over the rows of each projection, in hex, by name and version. To be called within a transaction. */
export function digestsOf(
  database: Database<unknown>,
  projections: readonly Projection[],
): Readonly<Record<string, string>> {
  const digests: Record<string, string> = {};
  for (const projection of [...projections].sort((a, b) => (checkpointName(a) < checkpointName(b) ? -1 : 1))) {
    const hash = createHash('sha256');
    const add = (heading: string, sql: string): void => {
      hash.update(`${heading}\n`);
      for (const row of database.sqlite.prepare(sql).iterate()) hash.update(`${canonicalJson(row)}\n`);
    };
    for (const [table, shape] of Object.entries(projection.tables).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const order = shape.key.map((column) => `"${column}"`).join(', ');
      add(table, `SELECT * FROM "${physicalName(projection, table)}" ORDER BY ${order}`);
      if (shape.history)
        add(`${table} past`, `SELECT * FROM "${pastName(projection, table)}" ORDER BY ${ROW}, ${SINCE}`);
    }
    digests[checkpointName(projection)] = hash.digest('hex');
  }
  return digests;
}

/** SHA-256 over the digests of projections, in hex. */
export function digestOf(digests: Readonly<Record<string, string>>): string {
  return createHash('sha256').update(canonicalJson(digests)).digest('hex');
}

import type SqliteDatabase from 'better-sqlite3';
import { sql, type Kysely } from 'kysely';

/** One step of a schema. Once released it is never edited, renamed or removed. */
export interface Migration {
  /** Unique within its list, for example `0001-keys`. */
  readonly name: string;
  /** Runs inside a transaction that also records the name: all of it happens, once, or nothing. */
  up(db: Kysely<unknown>): Promise<void>;
}

/** What {@link migrate} needs of a database. Nothing else may use it meanwhile. */
export interface Migratable {
  readonly sqlite: SqliteDatabase.Database;
  readonly kysely: Kysely<unknown>;
  /** Stands in error messages. */
  readonly name: string;
}

/** The recorded migrations are not the beginning of the known ones: the file belongs to a newer version, or to something else. */
export class DatabaseNotOurs extends Error {
  override readonly name = 'DatabaseNotOurs';
}

/**
 * Applies the migrations that table `migrations` has not recorded, in the order of the list, in one
 * transaction. Several processes may start at once: one applies, the others wait and find it done.
 *
 * @throws DatabaseNotOurs when a recorded migration is unknown or stands at another place of the list, and,
 *   for a database opened read-only, when a migration is missing.
 */
export async function migrate(database: Migratable, migrations: readonly Migration[]): Promise<void> {
  const { sqlite, name } = database;
  if (pending(database, migrations).length === 0) return;
  if (sqlite.readonly) throw new DatabaseNotOurs(`the ${name} was made by an older version and is open read-only`);
  sqlite.exec('BEGIN IMMEDIATE');
  try {
    await sql`CREATE TABLE IF NOT EXISTS migrations (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT`.execute(
      database.kysely,
    );
    for (const migration of pending(database, migrations)) {
      await migration.up(database.kysely);
      await sql`INSERT INTO migrations (name) VALUES (${migration.name})`.execute(database.kysely);
    }
    sqlite.exec('COMMIT');
  } catch (error) {
    if (sqlite.inTransaction) sqlite.exec('ROLLBACK');
    throw error;
  }
}

function pending({ sqlite, name }: Migratable, migrations: readonly Migration[]): readonly Migration[] {
  const exists = sqlite.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'`).get();
  if (exists === undefined) return migrations;
  const recorded = sqlite.prepare('SELECT name FROM migrations ORDER BY position').pluck().all() as string[];
  recorded.forEach((known, index) => {
    if (migrations[index]?.name !== known) {
      throw new DatabaseNotOurs(
        `the ${name} was made by a newer version: it records the migration ${known}, unknown here`,
      );
    }
  });
  return migrations.slice(recorded.length);
}

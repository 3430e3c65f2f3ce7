import { sql } from 'kysely';
import type { Migration } from '#database';
import { isUuid } from '#kernel';

/*
 * How the vault lies on disk.
 *
 * A row that holds a wrapped key is appended once, never deleted and never grown: destroying a key overwrites
 * `wrapped` with as many zeros, in place. SQLite's `secure_delete` alone is not enough: when deletions make it
 * merge pages it moves rows, and now and then a copy of a moved row stays in the slack of a page, out of reach
 * of a later delete. Rows that never move leave no copies. For the same reason these are rowid tables without
 * any variable-length column that changes, and the directory by id is a separate index that holds no key.
 */
export const migrations: readonly Migration[] = [
  {
    name: '0001-keys',
    async up(db) {
      // One row. `master_key_id` names the key that wraps every subject key and secret.
      await sql`CREATE TABLE vault (one INTEGER PRIMARY KEY CHECK (one = 1), master_key_id TEXT NOT NULL) STRICT`.execute(
        db,
      );
      await sql`CREATE TABLE secrets (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, wrapped BLOB NOT NULL) STRICT`.execute(
        db,
      );
      await sql`
        CREATE TABLE subject_keys (
          number INTEGER PRIMARY KEY,
          subject_id ANY NOT NULL UNIQUE,
          wrapped BLOB NOT NULL CHECK (length(wrapped) = 60),
          fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16)
        ) STRICT`.execute(db);
      await sql`
        CREATE TABLE item_keys (
          number INTEGER PRIMARY KEY,
          key_id ANY NOT NULL UNIQUE,
          subject INTEGER NOT NULL REFERENCES subject_keys (number),
          wrapped BLOB NOT NULL CHECK (length(wrapped) = 60),
          fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 16)
        ) STRICT`.execute(db);
      await sql`CREATE INDEX item_keys_of_subject ON item_keys (subject)`.execute(db);
      // Keys whose event is not known to be in the log. Small: a confirmed key leaves it.
      await sql`
        CREATE TABLE unconfirmed_keys (
          key INTEGER PRIMARY KEY REFERENCES item_keys (number),
          ensured_at INTEGER NOT NULL
        ) STRICT`.execute(db);
      // `sequence` rises by one with each destruction: processes that share the file follow it to drop cached keys.
      await sql`
        CREATE TABLE tombstones (
          sequence INTEGER PRIMARY KEY,
          kind TEXT NOT NULL CHECK (kind IN ('item', 'subject')),
          id ANY NOT NULL,
          destroyed_at INTEGER NOT NULL,
          cause TEXT NOT NULL,
          fingerprint BLOB,
          UNIQUE (id, kind)
        ) STRICT`.execute(db);
      // Erased subjects of whom wrapped item keys, unusable since, are still to be overwritten.
      await sql`CREATE TABLE remnants (subject INTEGER PRIMARY KEY REFERENCES subject_keys (number)) STRICT`.execute(
        db,
      );
    },
  },
  {
    name: '0002-streams-of-unconfirmed-keys',
    async up(db) {
      // The stream that the key's events go to, so that a sweep knows where to look; null for keys made before.
      await sql`ALTER TABLE unconfirmed_keys ADD COLUMN stream TEXT`.execute(db);
    },
  },
  {
    name: '0003-suppression',
    async up(db) {
      await sql`
        CREATE TABLE suppressed (
          hash TEXT NOT NULL,
          suppression_id TEXT NOT NULL,
          since INTEGER NOT NULL,
          PRIMARY KEY (hash, suppression_id)
        ) STRICT`.execute(db);
      await sql`CREATE INDEX suppressed_by_id ON suppressed (suppression_id)`.execute(db);
    },
  },
  {
    name: '0004-changes-of-suppression',
    async up(db) {
      // In their order, for the erasure journal: an older vault lacks the newest. `hash` is null where an id was lifted.
      await sql`
        CREATE TABLE suppression_changes (
          number INTEGER PRIMARY KEY AUTOINCREMENT,
          suppression_id TEXT NOT NULL,
          hash TEXT,
          at INTEGER NOT NULL
        ) STRICT`.execute(db);
      await sql`
        INSERT INTO suppression_changes (suppression_id, hash, at)
        SELECT suppression_id, hash, since FROM suppressed ORDER BY rowid`.execute(db);
      await sql`CREATE INDEX suppression_changes_by_id ON suppression_changes (suppression_id)`.execute(db);
    },
  },
];

/** An id as a column holds it: a UUID as its 16 bytes, any other text as it is. SQLite never takes one for the other. */
export type Column = Buffer | string;

export function toColumn(id: string): Column {
  return isUuid(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : id;
}

export function fromColumn(column: Column): string {
  if (typeof column === 'string') return column;
  const hex = column.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

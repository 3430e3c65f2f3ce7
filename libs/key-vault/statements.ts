import type { Sqlite, SqliteStatement } from '#database';
import type { Column } from './schema.js';

export interface SubjectRow {
  readonly number: number;
  readonly subject_id: Column;
  readonly wrapped: Buffer;
  readonly fingerprint: Buffer;
}

export interface ItemRow {
  readonly number: number;
  readonly subject: number;
  readonly wrapped: Buffer;
  readonly fingerprint: Buffer;
  readonly subject_id: Column;
  readonly subject_wrapped: Buffer;
  readonly unconfirmed: 0 | 1;
}

export interface TombstoneRow {
  readonly sequence: number;
  readonly kind: 'item' | 'subject';
  readonly id: Column;
  readonly destroyed_at: number;
  readonly cause: string;
  readonly fingerprint: Buffer | null;
}

export type Statements = ReturnType<typeof prepare>;

/** Every statement of the vault, compiled once. Rows that hold a wrapped key are set in place; see `schema.ts`. */
export function prepare(sqlite: Sqlite) {
  const query = <Parameters extends unknown[], Row>(text: string): SqliteStatement<Parameters, Row> =>
    sqlite.prepare<Parameters, Row>(text);
  const change = <Parameters extends unknown[]>(text: string): SqliteStatement<Parameters> =>
    sqlite.prepare<Parameters>(text);
  const single = <Parameters extends unknown[], Value>(text: string): SqliteStatement<Parameters, Value> =>
    sqlite.prepare<Parameters, Value>(text).pluck() as SqliteStatement<Parameters, Value>;
  const item = `
    SELECT i.number, i.key_id, i.subject, i.wrapped, i.fingerprint, s.subject_id, s.wrapped AS subject_wrapped,
      EXISTS (SELECT 1 FROM unconfirmed_keys u WHERE u.key = i.number) AS unconfirmed
    FROM item_keys i JOIN subject_keys s ON s.number = i.subject`;

  return {
    savepoint: change<[]>('SAVEPOINT job'),
    rollbackToSavepoint: change<[]>('ROLLBACK TO job'),
    releaseSavepoint: change<[]>('RELEASE job'),

    masterKeyId: single<[], string>('SELECT master_key_id FROM vault'),
    insertVault: change<[string]>('INSERT INTO vault (one, master_key_id) VALUES (1, ?)'),
    setMasterKeyId: change<[string]>('UPDATE vault SET master_key_id = ?'),

    secret: single<[string], Buffer>('SELECT wrapped FROM secrets WHERE name = ?'),
    secrets: query<[], { number: number; name: string; wrapped: Buffer }>('SELECT number, name, wrapped FROM secrets'),
    insertSecret: change<[string, Buffer]>('INSERT INTO secrets (name, wrapped) VALUES (?, ?)'),
    setSecret: change<[Buffer, number]>('UPDATE secrets SET wrapped = ? WHERE number = ?'),

    subject: query<[Column], SubjectRow>('SELECT * FROM subject_keys WHERE subject_id = ?'),
    subjectsAfter: query<[number, number], SubjectRow>(
      'SELECT * FROM subject_keys WHERE number > ? ORDER BY number LIMIT ?',
    ),
    insertSubject: change<[Column, Buffer, Buffer]>(
      'INSERT INTO subject_keys (subject_id, wrapped, fingerprint) VALUES (?, ?, ?)',
    ),
    setSubject: change<[Buffer, Buffer, number]>(
      'UPDATE subject_keys SET wrapped = ?, fingerprint = ? WHERE number = ?',
    ),

    item: query<[Column], ItemRow>(`${item} WHERE i.key_id = ?`),
    liveItemsOf: query<[number, Buffer, number], { number: number; fingerprint: Buffer }>(
      'SELECT number, fingerprint FROM item_keys WHERE subject = ? AND wrapped <> ? LIMIT ?',
    ),
    insertItem: change<[Column, number, Buffer, Buffer]>(
      'INSERT INTO item_keys (key_id, subject, wrapped, fingerprint) VALUES (?, ?, ?, ?)',
    ),
    setItem: change<[Buffer, Buffer, number]>('UPDATE item_keys SET wrapped = ?, fingerprint = ? WHERE number = ?'),

    unconfirmed: query<[number, number, number], ItemRow & { readonly key_id: Column; readonly stream: string | null }>(
      `SELECT item.*, w.stream FROM (${item}) item JOIN unconfirmed_keys w ON w.key = item.number
      WHERE item.number IN (
        SELECT key FROM unconfirmed_keys WHERE key > ? AND ensured_at < ? ORDER BY key LIMIT ?
      ) ORDER BY item.number`,
    ),
    insertUnconfirmed: change<[number, number, string | null]>(
      'INSERT INTO unconfirmed_keys (key, ensured_at, stream) VALUES (?, ?, ?)',
    ),
    touchUnconfirmed: change<[number, number]>('UPDATE unconfirmed_keys SET ensured_at = ? WHERE key = ?'),
    dropUnconfirmed: change<[Column]>(
      'DELETE FROM unconfirmed_keys WHERE key = (SELECT number FROM item_keys WHERE key_id = ?)',
    ),
    dropUnconfirmedNumber: change<[number]>('DELETE FROM unconfirmed_keys WHERE key = ?'),
    dropUnconfirmedBefore: change<[number, number]>('DELETE FROM unconfirmed_keys WHERE key = ? AND ensured_at < ?'),

    newestTombstone: single<[], number>('SELECT sequence FROM tombstones ORDER BY sequence DESC LIMIT 1'),
    tombstonesAfter: query<[number], TombstoneRow>('SELECT * FROM tombstones WHERE sequence > ? ORDER BY sequence'),
    tombstonesPage: query<[number, number], TombstoneRow>(
      'SELECT * FROM tombstones WHERE sequence > ? ORDER BY sequence LIMIT ?',
    ),
    tombstone: query<[Column, string], TombstoneRow>('SELECT * FROM tombstones WHERE id = ? AND kind = ?'),
    insertTombstone: change<[string, Column, number, string, Buffer | null]>(
      'INSERT INTO tombstones (kind, id, destroyed_at, cause, fingerprint) VALUES (?, ?, ?, ?, ?)',
    ),

    remnants: single<[], number>('SELECT subject FROM remnants'),
    insertRemnant: change<[number]>('INSERT INTO remnants (subject) VALUES (?)'),
    dropRemnant: change<[number]>('DELETE FROM remnants WHERE subject = ?'),
  };
}

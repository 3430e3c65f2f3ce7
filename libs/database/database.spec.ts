import { copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { DatabaseUnavailable, openDatabase, type Database, type Migration } from './index.js';

interface Tables {
  notes: { id: number; text: string };
}

const notes: Migration = {
  name: '0001-notes',
  async up(db) {
    await db.schema
      .createTable('notes')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('text', 'text', (column) => column.notNull())
      .execute();
  },
};
const authors: Migration = {
  name: '0002-authors',
  async up(db) {
    await sql`ALTER TABLE notes ADD COLUMN author TEXT`.execute(db);
  },
};

let folder: string;
let open: Database<unknown>[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'database-'));
  open = [];
});

afterEach(async () => {
  for (const database of open) await database.close();
  rmSync(folder, { recursive: true });
});

const opened = <DB = Tables>(...[url, options]: Parameters<typeof openDatabase>): Database<DB> => {
  const database = openDatabase<DB>(url, options);
  open.push(database as Database<unknown>);
  return database;
};
const url = (): string => `file:${folder}/deep/er/a.db`;

describe('opening', () => {
  it('makes the file and its folder for the owner alone', () => {
    opened(url());
    expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700);
    expect(statSync(join(folder, 'deep/er/a.db')).mode & 0o777).toBe(0o600);
  });

  it('takes relative paths, absolute paths and file URLs for the same file', () => {
    const path = join(folder, 'a b.db');
    const urls = [`file:${path}`, `file:${relative(process.cwd(), path)}`, pathToFileURL(path).href];
    expect(urls.map((one) => opened(one).file)).toEqual([path, path, path]);
  });

  it('sets durability, zeroing and the journal as asked', () => {
    const pragmas = (database: Database<Tables>): unknown[] =>
      ['journal_mode', 'synchronous', 'secure_delete', 'foreign_keys', 'busy_timeout'].map((name) =>
        database.sqlite.pragma(name, { simple: true }),
      );
    expect(pragmas(opened(url()))).toEqual(['wal', 1, 0, 1, 5000]);
    expect(pragmas(opened(url(), { secureDelete: true, synchronous: 'full', busyTimeout: 50 }))).toEqual([
      'wal',
      2,
      1,
      1,
      50,
    ]);
  });

  it.each([
    [
      'postgres://user:hunter2@db/custos',
      /^the URL of the key vault names PostgreSQL: PostgreSQL is not supported yet/,
    ],
    ['postgresql://db/custos', /PostgreSQL is not supported yet/],
    ['mysql://user:hunter2@db', /not of the form file:<path>/],
    ['file:', /not of the form/],
    ['./a.db', /not of the form/],
    ['file:a.db?mode=memory', /takes a path only/],
    ['file://host/a.db', /names a host/],
  ])('refuses %s in one line that shows no password', (refused, message) => {
    const failure = (() => {
      try {
        return opened(refused, { name: 'key vault' });
      } catch (error) {
        return error as Error;
      }
    })();
    expect(failure).toMatchObject({ name: 'DatabaseUrlRefused', message: expect.stringMatching(message) });
    expect((failure as Error).message).not.toMatch(/hunter2|\n/);
  });

  it('read-only makes nothing and changes nothing', async () => {
    expect(() => opened(url(), { readOnly: true })).toThrow();
    expect(existsSync(join(folder, 'deep'))).toBe(false);
    const writer = opened(url());
    const early = opened(url(), { readOnly: true });
    await expect(early.migrate([notes])).rejects.toMatchObject({ name: 'DatabaseNotOurs' });
    await writer.migrate([notes]);
    const reader = opened(url(), { readOnly: true });
    await reader.migrate([notes]);
    expect(await reader.kysely.selectFrom('notes').selectAll().execute()).toEqual([]);
    expect(() => reader.sqlite.exec(`INSERT INTO notes (text) VALUES ('x')`)).toThrow(/readonly/);
  });

  it('may be closed twice', async () => {
    const database = opened(url());
    await database.migrate([notes]);
    await database.close();
    await database.close();
  });
});

describe('a transaction', () => {
  const texts = (database: Database<Tables>): unknown =>
    database.sqlite.prepare('SELECT text FROM notes ORDER BY id').pluck().all();
  const add = (database: Database<Tables>, text: string): unknown =>
    database.sqlite.prepare('INSERT INTO notes (text) VALUES (?)').run(text);

  it('keeps all or nothing', async () => {
    const database = opened(url());
    await database.migrate([notes]);
    expect(database.transaction(() => (add(database, 'a'), add(database, 'b'), 7))).toBe(7);
    expect(() =>
      database.transaction(() => {
        add(database, 'c');
        throw new Error('planted');
      }),
    ).toThrow('planted');
    expect(texts(database)).toEqual(['a', 'b']);
    expect(await opened(url()).kysely.selectFrom('notes').select('text').execute()).toEqual([
      { text: 'a' },
      { text: 'b' },
    ]);
  });

  it('is not begun, nor kept, where another process or the file system is in the way', async () => {
    const database = opened(url(), { busyTimeout: 20 });
    await database.migrate([notes]);
    const other = opened(url());
    other.sqlite.exec('BEGIN IMMEDIATE');
    expect(() => database.transaction(() => add(database, 'a'))).toThrow(
      expect.objectContaining({ name: 'DatabaseUnavailable', message: 'the database cannot be written: SQLITE_BUSY' }),
    );
    other.sqlite.exec('ROLLBACK');
    database.sqlite.pragma('max_page_count = 1');
    expect(() => database.transaction(() => add(database, 'x'.repeat(100_000)))).toThrow(
      expect.objectContaining({ name: 'DatabaseUnavailable', message: 'the database cannot be written: SQLITE_FULL' }),
    );
    database.transaction(() => add(database, 'b'));
    expect(texts(database)).toEqual(['b']);
  });

  it('is not begun in a file that was moved away or replaced, and is when it is back', async () => {
    const database = opened(url());
    await database.migrate([notes]);
    const { file } = database;
    const away = new DatabaseUnavailable('database', 'its file is not where it was opened');
    renameSync(file, `${file}.away`);
    expect(() => database.transaction(() => add(database, 'a'))).toThrow(away);
    copyFileSync(`${file}.away`, file);
    expect(() => database.transaction(() => add(database, 'a'))).toThrow(away);
    renameSync(`${file}.away`, file);
    database.transaction(() => add(database, 'b'));
    expect(texts(database)).toEqual(['b']);
  });

  it('is never held open across an await', async () => {
    const database = opened(url());
    await database.migrate([notes]);
    expect(() => database.transaction(async () => add(database, 'a'))).toThrow(TypeError);
    expect(texts(database)).toEqual([]);
    expect(database.sqlite.inTransaction).toBe(false);
    await expect(database.kysely.transaction().execute(async () => 1)).rejects.toThrow(/Database.transaction/);
    database.transaction(() => add(database, 'b'));
    expect(texts(database)).toEqual(['b']);
  });
});

describe('migrations', () => {
  const recorded = (database: Database<Tables>): unknown =>
    database.sqlite.prepare('SELECT name FROM migrations ORDER BY position').pluck().all();

  it('are applied once each, in order, also by a later version', async () => {
    const database = opened(url());
    await database.migrate([notes]);
    await database.migrate([notes]);
    expect(recorded(database)).toEqual(['0001-notes']);
    const later = opened(url());
    await later.migrate([notes, authors]);
    expect(recorded(later)).toEqual(['0001-notes', '0002-authors']);
    expect(later.sqlite.prepare('SELECT author FROM notes').all()).toEqual([]);
  });

  it('happen all or not at all', async () => {
    const database = opened(url());
    const failing: Migration = {
      name: '0003-failing',
      async up(db) {
        await sql`CREATE TABLE half (id INTEGER)`.execute(db);
        throw new Error('planted');
      },
    };
    await expect(database.migrate([notes, failing])).rejects.toThrow('planted');
    expect(database.sqlite.prepare('SELECT name FROM sqlite_schema').all()).toEqual([]);
    await database.migrate([notes, authors]);
    expect(recorded(database)).toEqual(['0001-notes', '0002-authors']);
  });

  it('of a newer version are refused, as are those of another list', async () => {
    await opened(url()).migrate([notes, authors]);
    const older = opened(url(), { name: 'read models' });
    await expect(older.migrate([notes])).rejects.toMatchObject({
      name: 'DatabaseNotOurs',
      message: 'the read models was made by a newer version: it records the migration 0002-authors, unknown here',
    });
    await expect(older.migrate([authors, notes])).rejects.toMatchObject({ name: 'DatabaseNotOurs' });
  });
});

import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import SqliteDatabase from 'better-sqlite3';
import { Kysely, SqliteDialect, SqliteDriver, type Driver, type SqliteDialectConfig } from 'kysely';
import { migrate, type Migration } from './migrations.js';

/** The raw handle, for prepared statements on hot paths. */
export type Sqlite = SqliteDatabase.Database;
export type SqliteStatement<Parameters extends unknown[] = unknown[], Row = unknown> = SqliteDatabase.Statement<
  Parameters,
  Row
>;

export interface DatabaseOptions {
  /** What the database is for, as an operator would say it: `key vault`. Stands in error messages. */
  readonly name?: string;
  /** Opens an existing file without the right to write. Migrations are then only checked. */
  readonly readOnly?: boolean;
  /** Overwrites deleted content with zeros (`PRAGMA secure_delete`). */
  readonly secureDelete?: boolean;
  /**
   * `full`: a commit has reached the disk when it returns. `normal` (the default): a power cut may take
   * back the newest commits, whole and in order; right for what can be rebuilt.
   */
  readonly synchronous?: 'full' | 'normal';
  /** How long a statement waits for another process's write before it fails, in milliseconds; 5000 unless said otherwise. */
  readonly busyTimeout?: number;
}

/** A database URL that cannot be used. The message never repeats the URL: it may hold a password. */
export class DatabaseUrlRefused extends Error {
  override readonly name = 'DatabaseUrlRefused';
}

/** The file cannot be written for now: its disk is full or read-only, it was moved away, or another process has it. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  /** @param database what it is for, as an operator would say it. */
  constructor(
    readonly database: string,
    reason: string,
    options?: ErrorOptions,
  ) {
    super(`the ${database} cannot be written: ${reason}`, options);
  }
}

/**
 * One connection to one SQLite file, behind Kysely and, for hot paths, as the raw handle.
 *
 * Both are the same connection, and a transaction belongs to the connection: were one left open across an
 * `await`, statements of strangers would join it. So write transactions are synchronous ({@link transaction}),
 * and Kysely's own `transaction()` is refused. Single Kysely statements are fine at any time.
 */
export class Database<DB> {
  readonly kysely: Kysely<DB>;
  readonly #begin: SqliteStatement;
  readonly #commit: SqliteStatement;
  readonly #rollback: SqliteStatement;
  /** Which file was opened: what is written to one that was moved or removed is lost to whoever opens the path next. */
  readonly #opened: string | undefined;

  constructor(
    readonly sqlite: Sqlite,
    readonly name: string,
  ) {
    this.kysely = new Kysely<DB>({ dialect: new StatementDialect({ database: sqlite }) });
    this.#begin = sqlite.prepare('BEGIN IMMEDIATE');
    this.#commit = sqlite.prepare('COMMIT');
    this.#rollback = sqlite.prepare('ROLLBACK');
    this.#opened = identityOf(sqlite.name);
  }

  /** The absolute path of the file. */
  get file(): string {
    return this.sqlite.name;
  }

  /**
   * Runs `work` under the write lock: commits when it returns, rolls back when it throws.
   *
   * @param work synchronous; returning a promise rolls back and throws a `TypeError`. Not to be nested.
   * @throws DatabaseUnavailable when the file cannot be written for now; nothing of `work` has come to pass.
   */
  transaction<T>(work: () => T): T {
    if (identityOf(this.file) !== this.#opened)
      throw new DatabaseUnavailable(this.name, 'its file is not where it was opened');
    try {
      this.#begin.run();
      const result = work();
      if (isPromise(result)) throw new TypeError('a transaction cannot be held open across an await');
      this.#commit.run();
      return result;
    } catch (error) {
      // SQLite itself rolls back on some errors, such as a full disk.
      if (this.sqlite.inTransaction) this.#rollback.run();
      throw isUnavailable(error) ? new DatabaseUnavailable(this.name, codeOf(error), { cause: error }) : error;
    }
  }

  /** Brings the file to the newest of `migrations`; see {@link migrate}. Call it before anything else uses the database. */
  async migrate(migrations: readonly Migration[]): Promise<void> {
    await migrate({ sqlite: this.sqlite, kysely: this.kysely as Kysely<unknown>, name: this.name }, migrations);
  }

  /** Closes the connection. A second call does nothing. */
  async close(): Promise<void> {
    await this.kysely.destroy();
    if (this.sqlite.open) this.sqlite.close();
  }
}

/**
 * Opens the database of a URL: `file:` and a path (relative paths resolve against the working directory).
 * A missing file is created readable by its owner only, a missing folder likewise.
 *
 * The file is in WAL mode with foreign keys enforced, and temporary tables stay in memory.
 *
 * @throws DatabaseUrlRefused when the URL is of another kind.
 * @throws DatabaseUnavailable when the file cannot be written.
 */
export function openDatabase<DB = unknown>(url: string, options: DatabaseOptions = {}): Database<DB> {
  const {
    name = 'database',
    readOnly = false,
    secureDelete = false,
    synchronous = 'normal',
    busyTimeout = 5000,
  } = options;
  const file = fileOf(url, name);
  if (!readOnly)
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      closeSync(openSync(file, 'a', 0o600));
    } catch (error) {
      throw new DatabaseUnavailable(name, (error as Error).message, { cause: error });
    }
  const sqlite = new SqliteDatabase(file, { readonly: readOnly, fileMustExist: true, timeout: busyTimeout });
  try {
    if (!readOnly) enterWal(sqlite);
    sqlite.pragma(`synchronous = ${synchronous}`);
    sqlite.pragma(`secure_delete = ${secureDelete ? 'on' : 'off'}`);
    sqlite.pragma('foreign_keys = on');
    sqlite.pragma('temp_store = memory');
    return new Database<DB>(sqlite, name);
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

function fileOf(url: string, name: string): string {
  if (/^postgres(ql)?:/i.test(url)) {
    throw new DatabaseUrlRefused(
      `the URL of the ${name} names PostgreSQL: PostgreSQL is not supported yet, use file:<path>`,
    );
  }
  if (!url.startsWith('file:') || url.length === 'file:'.length) {
    throw new DatabaseUrlRefused(`the URL of the ${name} is not of the form file:<path>`);
  }
  if (/[?#]/.test(url)) {
    throw new DatabaseUrlRefused(`the URL of the ${name} has a query or a fragment; it takes a path only`);
  }
  if (!url.startsWith('file://')) return resolve(url.slice('file:'.length));
  try {
    return fileURLToPath(url);
  } catch {
    throw new DatabaseUrlRefused(`the URL of the ${name} names a host; it takes a local path only`);
  }
}

/** Two processes that open a new file at once compete for the switch, and SQLite does not wait there as it does elsewhere. */
function enterWal(sqlite: Sqlite): void {
  for (let attempt = 1; ; attempt++) {
    try {
      if (sqlite.pragma('journal_mode = wal', { simple: true }) === 'wal') return;
    } catch (error) {
      if (attempt === 50 || !isBusy(error)) throw error;
    }
    if (attempt === 50) throw new Error('the database cannot enter WAL mode');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
}

/** Told by its code: a module that is loaded twice, as test runners do, has two classes of the one error. */
const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | null)?.code ?? '');
const isBusy = (error: unknown): boolean => codeOf(error).startsWith('SQLITE_BUSY');
/** Whether the file system or another process is to blame, and not what was asked for. */
const isUnavailable = (error: unknown): boolean => /^SQLITE_(BUSY|FULL|IOERR|READONLY|CANTOPEN)/.test(codeOf(error));

/** Which file a path leads to; undefined when to none. */
function identityOf(file: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  return found && `${found.dev}:${found.ino}`;
}

const isPromise = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';

class StatementDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;

  constructor(config: SqliteDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new StatementDriver(this.#config);
  }
}

class StatementDriver extends SqliteDriver {
  override beginTransaction(): Promise<void> {
    throw new TypeError('use Database.transaction: a Kysely transaction stays open across awaits');
  }
}

/*
 * The index of identifiers
 * ========================
 *
 * Who is held under an e-mail address, a phone number or a customer's number, without any of them: a row per held value
 * that people are searched by. It is a read model of its own file, because it is made of opened values, and can be
 * thrown away like every other one: it is folded from the log again.
 *
 *   entries       generation, hash, category, subject_id, item_id, version, key_id; hidden_by: the erasure that has put
 *                 the value beyond use
 *   generations   generation, position: how far into the log its entries go
 *   marks         current: the generation that answers; tombstone: the destruction that was last taken notice of
 *
 *   hash          HMAC-SHA-256 of the identifier in its one spelling (`identifier.ts`), under a key of the vault for
 *                 this generation and field (`key-vault/blind-index-keys.ts`)
 *
 * Entries answer no more from the moment an erasure has begun, and again when something keeps the value after all. They
 * go when their item is corrected or erased, and when its key is destroyed, whatever for: the vault tells
 * (`afterDestruction`), and its tombstones are read before every answer, so that what another process has destroyed is
 * not found either.
 *
 * A rotation folds the log into the entries of a new generation, while the old one goes on following and answering.
 * When the new one has come as far, it takes over in one transaction; then the old entries and their secret go. A
 * process that dies at any moment goes on from there.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { openDatabase, type Database, type Migration, type SqliteStatement } from '#database';
import { CannotFollow, type LogReader, type Subscription } from '#event-log';
import { isSealed, type Recorded, type Sealed } from '#kernel';
import type { KeyVault } from '#key-vault';
import { ReadModelBehind } from '#read-model';
import type {
  DataCollected,
  DataCorrected,
  DataErased,
  ErasureStarted,
  RetentionDeferred,
  RetentionExpired,
} from '#subject';
import { normalised, searchFieldOf, type SearchField } from './identifier.js';

/** How long new events share a commit, in milliseconds; most of them change nothing here. */
const GATHER = 5;

/** Somebody an identifier belongs to, and the categories it is held as. */
export interface FoundSubject {
  readonly subjectId: string;
  readonly categories: readonly string[];
}

/** One generation as an operator sees it. */
export interface GenerationState {
  readonly generation: number;
  /** How far into the log its entries go. */
  readonly position: number;
  readonly entries: number;
  /** Whether it is the one that answers. */
  readonly current: boolean;
}

/** The index follows the log no more: it answers nothing until the process is started anew. */
export class SearchUnavailable extends Error {
  override readonly name = 'SearchUnavailable';
}

interface Entry {
  readonly category: string;
  readonly subjectId: string;
  readonly itemId: string;
  readonly version: number;
  readonly value: Sealed<string>;
}

type Change =
  | { readonly put: Entry }
  | { readonly dropItem: string; readonly version: number }
  | { readonly dropSubject: string }
  | { readonly hideItem: string; readonly version: number; readonly by: string | null }
  | { readonly hideSubject: string; readonly by: string | null; readonly hiddenBy: string | null };

/** What the entries are made of. */
type Indexed = DataCollected | DataCorrected | RetentionExpired | RetentionDeferred | ErasureStarted | DataErased;

/** Of an expiry from before erasures had ids, and until the erasure has begun. */
const EXPIRED = '';

const MIGRATIONS: readonly Migration[] = [
  {
    name: '0001-blind-index',
    async up(db) {
      await db.schema
        .createTable('generations')
        .addColumn('generation', 'integer', (column) => column.primaryKey())
        .addColumn('position', 'integer', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('entries')
        .addColumn('generation', 'integer', (column) => column.notNull())
        .addColumn('hash', 'blob', (column) => column.notNull())
        .addColumn('category', 'text', (column) => column.notNull())
        .addColumn('subject_id', 'text', (column) => column.notNull())
        .addColumn('item_id', 'text', (column) => column.notNull())
        .addColumn('version', 'integer', (column) => column.notNull())
        .addColumn('key_id', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('entries_key', ['generation', 'item_id', 'version'])
        .execute();
      await db.schema.createIndex('entries_by_hash').on('entries').columns(['generation', 'hash']).execute();
      await db.schema.createIndex('entries_by_key').on('entries').column('key_id').execute();
      await db.schema.createIndex('entries_by_subject').on('entries').column('subject_id').execute();
      await db.schema
        .createTable('marks')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('number', 'integer', (column) => column.notNull())
        .addColumn('id', 'text', (column) => column.notNull())
        .execute();
    },
  },
  {
    name: '0002-beyond-use',
    async up(db) {
      await db.schema.alterTable('entries').addColumn('hidden_by', 'text').execute();
    },
  },
];

const TOMBSTONES_AT_ONCE = 500;
const ENTRIES_AT_ONCE = 5_000;

export class BlindIndex {
  readonly #statements: ReturnType<typeof prepare>;
  readonly #following = new Map<number, Subscription>();
  readonly #caughtUp = new Set<number>();
  #source: { readonly log: LogReader; readonly prefixes: readonly string[] } | undefined;
  #onStopped: (error: Error) => void = () => undefined;
  #retiring: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #stopped = false;

  private constructor(
    private readonly database: Database<unknown>,
    private readonly vault: KeyVault,
  ) {
    this.#statements = prepare(database);
    vault.afterDestruction(() => (this.#stopped ? Promise.resolve() : this.purgeDestroyed()));
  }

  /** Opens the index, empty when the file is new. What was begun by a process that died is taken up. */
  static async open(url: string, vault: KeyVault): Promise<BlindIndex> {
    const database = openDatabase(url, { name: 'search index', secureDelete: true });
    await database.migrate(MIGRATIONS);
    const index = new BlindIndex(database, vault);
    await index.#settle();
    return index;
  }

  /**
   * Follows the log from where each generation stands.
   *
   * @param prefixes every stream of the engine, so that a position means the same here as in the read models.
   * @param onStopped called when it cannot follow any more. The engine goes on without search.
   */
  start(log: LogReader, prefixes: readonly string[], onStopped: (error: Error) => void): void {
    this.#source = { log, prefixes };
    this.#onStopped = onStopped;
    for (const generation of this.#statements.generations.all()) this.#follow(generation);
    this.#retire();
  }

  /**
   * Whose identifier this is, among what is held now; nobody for what is none.
   *
   * @param categories as which it may be held; nothing is looked for among others.
   * @throws SearchUnavailable, ReadModelBehind when the index is being built.
   */
  async find(
    field: SearchField,
    identifier: string,
    categories: readonly string[],
    limit: number,
  ): Promise<readonly FoundSubject[]> {
    const text = normalised(field, identifier);
    if (text === undefined) return [];
    await this.#whenBuilt();
    await this.purgeDestroyed();
    const hash = this.vault.blindIndex.hash(this.current, field, text);
    const found = new Map<string, string[]>();
    for (const { subject_id, category } of this.#statements.find.iterate(this.current, hash)) {
      if (!categories.includes(category)) continue;
      const known = found.get(subject_id);
      if (known) {
        if (!known.includes(category)) known.push(category);
      } else if (found.size === limit) break;
      else found.set(subject_id, [category]);
    }
    return [...found].map(([subjectId, as]) => ({ subjectId, categories: as }));
  }

  /**
   * Removes the entries of everything whose key is destroyed. Durable when it returns; a repeat does no harm. The vault
   * calls it with every destruction, so that an erasure needs no step of its own for it.
   *
   * @returns how many entries went.
   */
  async purgeDestroyed(): Promise<number> {
    let purged = 0;
    for (;;) {
      const since = this.#mark('tombstone').number;
      const tombstones = await this.vault.tombstonesAfter(since, TOMBSTONES_AT_ONCE);
      const last = tombstones.at(-1);
      if (!last) return purged;
      const removed = this.database.transaction(() => {
        const changes = tombstones.map(({ kind, id }) =>
          kind === 'item' ? this.#statements.dropKey.run(id).changes : this.#statements.dropSubject.run(id).changes,
        );
        this.#statements.setMark.run('tombstone', last.sequence, last.id);
        return changes.reduce((sum, each) => sum + each, 0);
      });
      if (removed > 0) this.database.sqlite.pragma('wal_checkpoint(TRUNCATE)');
      purged += removed;
    }
  }

  /**
   * Gives the index a new secret, and builds it anew under that one, in its own time. A second call while it does so
   * changes nothing.
   *
   * @returns the generation that will answer.
   */
  async rotate(): Promise<number> {
    const [newest] = [...this.#statements.generations.all()].reverse();
    if (newest !== undefined && newest > this.current) return newest;
    const generation = await this.vault.blindIndex.begin();
    this.#statements.insertGeneration.run(generation);
    this.#follow(generation);
    return generation;
  }

  state(): readonly GenerationState[] {
    return this.#statements.generations.all().map((generation) => ({
      generation,
      position: this.#position(generation),
      entries: this.#statements.count.get(generation) ?? 0,
      current: generation === this.current,
    }));
  }

  /** The generation that answers. */
  get current(): number {
    return this.#mark('current').number;
  }

  /** Position of the last event that the answers include. */
  get position(): number {
    return this.#position(this.current);
  }

  /**
   * Waits until answers include the event at a position.
   *
   * @throws ReadModelBehind when they do not in that time.
   */
  async reached(position: number, patience = 2_000): Promise<void> {
    await this.#until(() => this.position >= position, position, patience);
  }

  async close(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#following.values()].map((subscription) => subscription.stop()));
    await this.#retiring;
    await this.database.close();
  }

  async #whenBuilt(): Promise<void> {
    await this.#until(() => this.#caughtUp.has(this.current), this.position + 1, 2_000);
  }

  async #until(reached: () => boolean, wanted: number, patience: number): Promise<void> {
    const deadline = Date.now() + patience;
    for (let pause = 1; !reached(); pause = Math.min(pause * 2, 25)) {
      if (this.#failure)
        throw new SearchUnavailable('the search index follows the log no more', { cause: this.#failure });
      if (Date.now() >= deadline) throw new ReadModelBehind(wanted, this.position);
      await wait(pause);
    }
    if (this.#failure)
      throw new SearchUnavailable('the search index follows the log no more', { cause: this.#failure });
  }

  /** Makes file and vault agree on which generations there are. */
  async #settle(): Promise<void> {
    const alive = await this.vault.blindIndex.ensure();
    const newest = alive.at(-1) ?? 1;
    const [known] = await this.vault.tombstonesAfter(this.#mark('tombstone').number - 1, 1);
    const isOurs = known === undefined ? this.#mark('tombstone').number === 0 : known.id === this.#mark('tombstone').id;
    this.database.transaction(() => {
      // Another vault, or an older one: all its tombstones are news.
      if (!isOurs) this.#statements.setMark.run('tombstone', 0, '');
      for (const generation of this.#statements.generations.all())
        if (!alive.includes(generation)) {
          this.#statements.dropGeneration.run(generation);
          this.#statements.dropEntries.run(generation, Number.MAX_SAFE_INTEGER);
        }
      if (!this.#statements.generations.all().includes(this.current))
        this.#statements.setMark.run('current', newest, '');
      for (const generation of alive) if (generation >= this.current) this.#statements.insertGeneration.run(generation);
    });
  }

  #follow(generation: number): void {
    const { log, prefixes } = this.#source ?? {};
    if (!log || !prefixes || this.#stopped) return;
    const subscription = log.follow(prefixes, {
      from: () => this.#position(generation),
      handle: async (events) => {
        await this.#take(generation, events);
        this.#takeOver(generation);
      },
      gather: GATHER,
      onCaughtUp: () => {
        this.#caughtUp.add(generation);
        this.#takeOver(generation);
      },
      onStopped: (error) => {
        // The log is another one, or older: what was folded is of no use, and is folded again.
        if (error instanceof CannotFollow && this.#position(generation) > 0) {
          this.#startOver(generation);
          this.#follow(generation);
          return;
        }
        // One that does not answer yet may fail: the old one goes on.
        if (generation === this.current) this.#failure ??= error;
        this.#onStopped(error);
      },
    });
    this.#following.set(generation, subscription);
  }

  #startOver(generation: number): void {
    this.#caughtUp.delete(generation);
    this.database.transaction(() => {
      this.#statements.dropEntries.run(generation, Number.MAX_SAFE_INTEGER);
      this.#statements.setPosition.run(0, generation);
    });
  }

  /** Entries and position in one transaction: an event has its effect once, whenever the process dies. */
  async #take(generation: number, events: readonly Recorded[]): Promise<void> {
    const position = this.#position(generation);
    const fresh = events.filter((event) => event.position > position);
    const last = fresh.at(-1);
    if (!last) return;
    const changes = fresh.flatMap((event) => changesOf(event as Recorded<Indexed>));
    const before = this.#mark('tombstone');
    const puts = changes.flatMap((change) => ('put' in change ? [change.put] : []));
    const opened = await this.vault.open<string>(puts.map(({ value }) => value));
    const values = new Map(puts.map((entry, index) => [entry, opened[index]]));
    this.database.transaction(() => {
      for (const change of changes) {
        if ('dropItem' in change) this.#statements.dropItem.run(generation, change.dropItem, change.version);
        else if ('dropSubject' in change) this.#statements.dropSubject.run(change.dropSubject);
        else if ('hideItem' in change)
          this.#statements.hideItem.run(change.by, generation, change.hideItem, change.version);
        else if ('hideSubject' in change)
          this.#statements.hideSubject.run(change.by, generation, change.hideSubject, change.hiddenBy);
        else this.#put(generation, change.put, values.get(change.put));
      }
      this.#statements.setPosition.run(last.position, generation);
      // A key may have been destroyed, and its entries purged, since it was opened here: look at those once more.
      if (puts.length > 0) this.#statements.setMark.run('tombstone', before.number, before.id);
    });
    if (puts.length > 0) await this.purgeDestroyed();
  }

  #put(generation: number, entry: Entry, value: { readonly kind: string; readonly value?: string } | undefined): void {
    const field = searchFieldOf(entry.category);
    const text = field && value?.value !== undefined ? normalised(field, value.value) : undefined;
    if (field === undefined || text === undefined) return;
    const hash = this.vault.blindIndex.hash(generation, field, text);
    const { category, subjectId, itemId, version, value: sealed } = entry;
    this.#statements.put.run(generation, hash, category, subjectId, itemId, version, sealed.kid);
  }

  /** The new generation answers as soon as it has come as far as the old one. */
  #takeOver(generation: number): void {
    const current = this.current;
    if (generation <= current || !this.#caughtUp.has(generation)) return;
    if (this.#position(generation) < this.#position(current)) return;
    this.#statements.setMark.run('current', generation, '');
    this.#retire();
  }

  /** Removes what older generations have left, some at a time, and then their secrets. */
  #retire(): void {
    this.#retiring = this.#retiring
      .then(async () => {
        const current = this.current;
        for (const generation of this.vault.blindIndex.generations()) {
          if (generation >= current) continue;
          await this.#following.get(generation)?.stop();
          this.#following.delete(generation);
          while (!this.#stopped && this.#statements.dropEntries.run(generation, ENTRIES_AT_ONCE).changes > 0)
            await wait(1);
          if (this.#stopped) return;
          this.#statements.dropGeneration.run(generation);
          await this.vault.blindIndex.destroy(generation);
        }
      })
      .catch((error: unknown) => {
        this.#onStopped(error instanceof Error ? error : new Error('an old generation could not be removed'));
      });
  }

  #position(generation: number): number {
    return this.#statements.position.get(generation) ?? 0;
  }

  #mark(name: 'current' | 'tombstone'): { readonly number: number; readonly id: string } {
    return this.#statements.mark.get(name) ?? { number: 0, id: '' };
  }
}

function changesOf(event: Recorded<Indexed>): readonly Change[] {
  switch (event.type) {
    case 'DataCollected':
      return event.data.items.flatMap(({ itemId, version, category, value }) =>
        isSealed(value) && searchFieldOf(category) !== undefined
          ? [{ put: { subjectId: event.data.subjectId, itemId, version, category, value: value as Sealed<string> } }]
          : [],
      );
    case 'DataCorrected': {
      const { subjectId, itemId, category, fromVersion, toVersion, value } = event.data;
      const drop: Change = { dropItem: itemId, version: fromVersion };
      return isSealed(value) && searchFieldOf(category) !== undefined
        ? [drop, { put: { subjectId, itemId, version: toVersion, category, value: value as Sealed<string> } }]
        : [drop];
    }
    case 'RetentionExpired':
      return event.data.items.map(({ itemId, version }) => ({ hideItem: itemId, version, by: EXPIRED }));
    case 'ErasureStarted': {
      const { subjectId, erasureId, everything, items } = event.data;
      return everything
        ? [{ hideSubject: subjectId, by: erasureId, hiddenBy: null }]
        : items.map(({ itemId, version }) => ({ hideItem: itemId, version, by: erasureId }));
    }
    case 'RetentionDeferred': {
      const { subjectId, items, person } = event.data;
      return [
        ...items.map(({ itemId, version }) => ({ hideItem: itemId, version, by: null })),
        ...(person ? [{ hideSubject: subjectId, by: null, hiddenBy: person.erasureId }] : []),
      ];
    }
    case 'DataErased':
      return event.data.everything
        ? [{ dropSubject: event.data.subjectId }]
        : event.data.items.map(({ itemId, version }) => ({ dropItem: itemId, version }));
    default:
      return [];
  }
}

function prepare({ sqlite }: Database<unknown>) {
  const change = <Parameters extends unknown[]>(text: string): SqliteStatement<Parameters> =>
    sqlite.prepare<Parameters>(text);
  const single = <Parameters extends unknown[], Value>(text: string): SqliteStatement<Parameters, Value> =>
    sqlite.prepare<Parameters, Value>(text).pluck() as SqliteStatement<Parameters, Value>;
  return {
    generations: single<[], number>('SELECT generation FROM generations ORDER BY generation'),
    insertGeneration: change<[number]>('INSERT OR IGNORE INTO generations (generation, position) VALUES (?, 0)'),
    dropGeneration: change<[number]>('DELETE FROM generations WHERE generation = ?'),
    position: single<[number], number>('SELECT position FROM generations WHERE generation = ?'),
    setPosition: change<[number, number]>('UPDATE generations SET position = ? WHERE generation = ?'),
    mark: sqlite.prepare<[string], { number: number; id: string }>('SELECT number, id FROM marks WHERE name = ?'),
    setMark: change<[string, number, string]>('INSERT OR REPLACE INTO marks (name, number, id) VALUES (?, ?, ?)'),
    find: sqlite.prepare<[number, Buffer], { subject_id: string; category: string }>(
      `SELECT subject_id, category FROM entries
       WHERE generation = ? AND hash = ? AND hidden_by IS NULL ORDER BY rowid`,
    ),
    put: change<[number, Buffer, string, string, string, number, string]>(
      `INSERT OR REPLACE INTO entries (generation, hash, category, subject_id, item_id, version, key_id)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    dropItem: change<[number, string, number]>(
      'DELETE FROM entries WHERE generation = ? AND item_id = ? AND version <= ?',
    ),
    hideItem: change<[string | null, number, string, number]>(
      'UPDATE entries SET hidden_by = ? WHERE generation = ? AND item_id = ? AND version = ?',
    ),
    hideSubject: change<[string | null, number, string, string | null]>(
      'UPDATE entries SET hidden_by = ? WHERE generation = ? AND subject_id = ? AND hidden_by IS ?',
    ),
    dropKey: change<[string]>('DELETE FROM entries WHERE key_id = ?'),
    dropSubject: change<[string]>('DELETE FROM entries WHERE subject_id = ?'),
    dropEntries: change<[number, number]>(
      'DELETE FROM entries WHERE rowid IN (SELECT rowid FROM entries WHERE generation = ? LIMIT ?)',
    ),
    count: single<[number], number>('SELECT count(*) FROM entries WHERE generation = ?'),
  };
}

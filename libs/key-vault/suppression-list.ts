import type { Database, SqliteStatement } from '#database';

/** That an address was suppressed, or, without a hash, that an id was lifted. */
export interface SuppressionChange {
  readonly number: number;
  readonly suppressionId: string;
  /** The keyed hash of the address. */
  readonly hash?: string;
  readonly at: number;
}

/**
 * Addresses at which somebody does not want marketing, as keyed hashes: they outlive the erasure of the person, because
 * they are what keeps the promise to leave them alone (UK GDPR Art 21(3), 17(3)(b)). Hashes stand here and nowhere
 * else; without the vault's secret nobody can tell whose they are, or try addresses against them.
 */
export class SuppressionList {
  readonly #insert: SqliteStatement<[string, string, number]>;
  readonly #find: SqliteStatement<[string], string>;
  readonly #forget: SqliteStatement<[string]>;
  readonly #holds: SqliteStatement<[string], number>;
  readonly #count: SqliteStatement<[], number>;
  readonly #note: SqliteStatement<[string, string | null, number]>;
  readonly #unnote: SqliteStatement<[string]>;
  readonly #changes: SqliteStatement<
    [number, number],
    { number: number; suppression_id: string; hash: string | null; at: number }
  >;

  /**
   * @param write runs what it is given in a durable transaction of the vault.
   * @param hash the keyed hash of a normalised address.
   */
  constructor(
    { sqlite }: Database<unknown>,
    private readonly write: <T>(work: () => T) => Promise<T>,
    private readonly hash: (address: string) => string,
    private readonly now: () => number,
  ) {
    this.#insert = sqlite.prepare('INSERT OR IGNORE INTO suppressed (hash, suppression_id, since) VALUES (?, ?, ?)');
    this.#find = sqlite
      .prepare<[string], string>('SELECT suppression_id FROM suppressed WHERE hash = ? ORDER BY since, suppression_id')
      .pluck() as SqliteStatement<[string], string>;
    this.#forget = sqlite.prepare('DELETE FROM suppressed WHERE suppression_id = ?');
    this.#holds = sqlite
      .prepare<[string], number>('SELECT 1 FROM suppressed WHERE suppression_id = ? LIMIT 1')
      .pluck() as SqliteStatement<[string], number>;
    this.#note = sqlite.prepare('INSERT INTO suppression_changes (suppression_id, hash, at) VALUES (?, ?, ?)');
    this.#unnote = sqlite.prepare('DELETE FROM suppression_changes WHERE suppression_id = ? AND hash IS NOT NULL');
    this.#changes = sqlite.prepare('SELECT * FROM suppression_changes WHERE number > ? ORDER BY number LIMIT ?');
    this.#count = sqlite.prepare('SELECT count(*) FROM suppressed').pluck() as SqliteStatement<[], number>;
  }

  /**
   * Adds addresses under the id of the objection they rest on. Durable when it returns; a repeat changes nothing.
   *
   * @param addresses normalised, each with its kind: `email asha@example.test`.
   */
  async add(suppressionId: string, addresses: readonly string[]): Promise<void> {
    if (addresses.length === 0) return;
    await this.#suppress(suppressionId, addresses.map(this.hash));
  }

  /** Puts back what an older copy of the vault lacks: a hash as {@link changesAfter} gave it. */
  async restore(suppressionId: string, hash: string): Promise<void> {
    await this.#suppress(suppressionId, [hash]);
  }

  async #suppress(suppressionId: string, hashes: readonly string[]): Promise<void> {
    await this.write(() => {
      for (const each of hashes)
        if (this.#insert.run(each, suppressionId, this.now()).changes > 0)
          this.#note.run(suppressionId, each, this.now());
    });
  }

  /** The ids under which each address is suppressed, the oldest first; none for an address that is not. */
  suppressing(addresses: readonly string[]): readonly (readonly string[])[] {
    return addresses.map((address) => this.#find.all(this.hash(address)));
  }

  /** Whether anything is suppressed under an id. */
  holds(suppressionId: string): boolean {
    return this.#holds.get(suppressionId) !== undefined;
  }

  /** Removes what was added under an id. A repeat changes nothing. */
  async remove(suppressionId: string): Promise<void> {
    await this.write(() => {
      if (this.#forget.run(suppressionId).changes === 0) return;
      this.#unnote.run(suppressionId);
      this.#note.run(suppressionId, null, this.now());
    });
  }

  /** What was added and removed, in the order in which that came; `number` 0 is before the first. */
  changesAfter(number: number, limit: number): readonly SuppressionChange[] {
    return this.#changes.all(number, limit).map((row) => ({
      number: row.number,
      suppressionId: row.suppression_id,
      ...(row.hash !== null && { hash: row.hash }),
      at: row.at,
    }));
  }

  /** How many entries there are. */
  get size(): number {
    return this.#count.get() ?? 0;
  }
}

import type { Database, SqliteStatement } from '#database';

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
    this.#count = sqlite.prepare('SELECT count(*) FROM suppressed').pluck() as SqliteStatement<[], number>;
  }

  /**
   * Adds addresses under the id of the objection they rest on. Durable when it returns; a repeat changes nothing.
   *
   * @param addresses normalised, each with its kind: `email asha@example.test`.
   */
  async add(suppressionId: string, addresses: readonly string[]): Promise<void> {
    if (addresses.length === 0) return;
    const hashes = addresses.map(this.hash);
    await this.write(() => hashes.forEach((each) => this.#insert.run(each, suppressionId, this.now())));
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
    await this.write(() => this.#forget.run(suppressionId));
  }

  /** How many entries there are. */
  get size(): number {
    return this.#count.get() ?? 0;
  }
}

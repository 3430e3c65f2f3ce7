/**
 * The most recently used keys in the clear, at most `capacity` of them. What leaves is wiped: a holder uses a
 * key at once and keeps no reference to it across another call of the cache.
 */
export class KeyCache<Entry extends { readonly key: Buffer }> {
  readonly #entries = new Map<string, Entry>();

  constructor(readonly capacity: number) {}

  get(id: string): Entry | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry;
  }

  set(id: string, entry: Entry): void {
    const former = this.#entries.get(id);
    if (former !== entry) this.delete(id);
    this.#entries.set(id, entry);
    if (this.#entries.size > this.capacity) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.delete(oldest);
    }
  }

  delete(id: string): void {
    this.#entries.get(id)?.key.fill(0);
    this.#entries.delete(id);
  }

  deleteWhere(matches: (entry: Entry) => boolean): void {
    for (const [id, entry] of this.#entries) if (matches(entry)) this.delete(id);
  }

  clear(): void {
    this.deleteWhere(() => true);
  }
}

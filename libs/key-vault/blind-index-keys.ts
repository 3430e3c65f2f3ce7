import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { KeyDestroyed } from './errors.js';
import { KEY_BYTES, WRAPPED_BYTES } from './seal.js';
import type { Statements } from './statements.js';

const NAME = /^blind-index-(\d{1,9})$/;
const ZEROS = Buffer.alloc(WRAPPED_BYTES);

/** What the vault does for its parts. */
interface Vault {
  /** Runs what it is given in a durable transaction. */
  write<T>(work: () => T): Promise<T>;
  wrap(secret: Buffer, name: string): Buffer;
  unwrap(wrapped: Buffer, name: string): Buffer;
  /** Wrapped secrets were overwritten: no former content of a page may stay in the write-ahead log. */
  wiped(): void;
}

/**
 * What the index of identifiers is keyed by: a random secret per generation, wrapped by the master key like every other
 * one, and derived from it (HKDF-SHA-256) a key per field. Without the vault no entry can be guessed back or tried, and
 * entries of two fields, or of two generations, cannot be told to be of one value.
 *
 * A rotation makes a new generation, builds its entries beside the old ones, and destroys the old secret: what a copy
 * of the old index says is then lost, too.
 */
export class BlindIndexKeys {
  readonly #secrets = new Map<number, Buffer>();
  readonly #fieldKeys = new Map<string, Buffer>();

  constructor(
    private readonly statements: Statements,
    private readonly vault: Vault,
  ) {}

  /** The generations whose secret exists, the oldest first. */
  generations(): readonly number[] {
    return this.#rows()
      .filter(({ wrapped }) => !wrapped.equals(ZEROS))
      .map(({ generation }) => generation);
  }

  /** Makes the next generation, durable when it returns; a number is never used twice. */
  async begin(): Promise<number> {
    return this.vault.write(() => this.#mint());
  }

  /** The generations there are, the first made when there is none. Any number of processes make one. */
  async ensure(): Promise<readonly number[]> {
    await this.vault.write(() => {
      if (this.generations().length === 0) this.#mint();
    });
    return this.generations();
  }

  /** Destroys the secret of a generation. Final; a repeat does no harm. */
  async destroy(generation: number): Promise<void> {
    await this.vault.write(() => {
      const row = this.#rows().find((each) => each.generation === generation);
      if (row) this.statements.setSecret.run(ZEROS, row.number);
    });
    this.#forget(generation);
    this.vault.wiped();
  }

  /**
   * HMAC-SHA-256 of a text under the key of this generation and field.
   *
   * @throws KeyDestroyed when the generation has no secret any more, or never had one.
   */
  hash(generation: number, field: string, text: string): Buffer {
    const name = `${generation} ${field}`;
    let key = this.#fieldKeys.get(name);
    if (key === undefined) {
      key = Buffer.from(
        hkdfSync('sha256', this.#secretOf(generation), Buffer.alloc(0), `custos blind index ${field}`, KEY_BYTES),
      );
      this.#fieldKeys.set(name, key);
    }
    return createHmac('sha256', key).update(text, 'utf8').digest();
  }

  /** Wipes what is in memory. */
  wipe(): void {
    for (const generation of [...this.#secrets.keys()]) this.#forget(generation);
  }

  #secretOf(generation: number): Buffer {
    const known = this.#secrets.get(generation);
    if (known) return known;
    const row = this.#rows().find((each) => each.generation === generation);
    if (!row || row.wrapped.equals(ZEROS)) throw new KeyDestroyed(nameOf(generation));
    const secret = this.vault.unwrap(row.wrapped, nameOf(generation));
    this.#secrets.set(generation, secret);
    return secret;
  }

  #mint(): number {
    const generation = (this.#rows().at(-1)?.generation ?? 0) + 1;
    const secret = randomBytes(KEY_BYTES);
    this.statements.insertSecret.run(nameOf(generation), this.vault.wrap(secret, nameOf(generation)));
    secret.fill(0);
    return generation;
  }

  #rows(): readonly { readonly generation: number; readonly number: number; readonly wrapped: Buffer }[] {
    return this.statements.secrets
      .all()
      .flatMap(({ number, name, wrapped }) => {
        const generation = NAME.exec(name)?.[1];
        return generation === undefined ? [] : [{ generation: Number(generation), number, wrapped }];
      })
      .sort((a, b) => a.generation - b.generation);
  }

  #forget(generation: number): void {
    this.#secrets.get(generation)?.fill(0);
    this.#secrets.delete(generation);
    for (const [name, key] of this.#fieldKeys)
      if (name.startsWith(`${generation} `)) {
        key.fill(0);
        this.#fieldKeys.delete(name);
      }
  }
}

const nameOf = (generation: number): string => `blind-index-${generation}`;

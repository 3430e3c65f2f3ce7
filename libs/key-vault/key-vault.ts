import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { openDatabase, type Database } from '#database';
import {
  epochMilliseconds,
  instantOf,
  type Instant,
  type KeyRef,
  type Opened,
  type SealBinding,
  type Sealed,
} from '#kernel';
import {
  KeyDestroyed,
  KeyLost,
  KeyNotEnsured,
  KeyOfAnotherSubject,
  KeyVaultError,
  MasterKeyMissing,
  MasterKeyRefused,
  MasterKeyWrong,
  SubjectErased,
} from './errors.js';
import { BlindIndexKeys } from './blind-index-keys.js';
import { KeyCache } from './key-cache.js';
import { masterKeyId, type MasterKeyProvider } from './master-key.js';
import { fromColumn, migrations, toColumn } from './schema.js';
import { KEY_BYTES, openUnder, sealUnder, unwrapKey, WRAPPED_BYTES, wrapKey } from './seal.js';
import { SuppressionList } from './suppression-list.js';
import { prepare, type ItemRow, type Statements, type TombstoneRow } from './statements.js';

export interface KeyVaultOptions {
  /** `file:` and the path of the vault's own database. */
  readonly url: string;
  readonly masterKey: MasterKeyProvider;
  readonly clock: () => Instant;
  /** How many unwrapped item keys, and as many subject keys, stay in memory; 10,000 unless said otherwise. */
  readonly cachedKeys?: number;
}

/** What a destruction did. Repeating one is harmless and destroys nothing. */
export interface Destruction {
  readonly destroyed: number;
  readonly alreadyDestroyed: number;
  /** Ids the vault holds no key of. They are recorded as destroyed all the same, so they never get one. */
  readonly unknown: number;
  /**
   * Whether the wrapped keys are also gone from the files. False when another process's long read kept the
   * write-ahead log from being emptied: the keys open nothing, and the next destruction, sweep, close or open
   * empties it.
   */
  readonly wiped: boolean;
}

/** The record that a key was destroyed. It is never removed. */
export interface Tombstone {
  readonly kind: 'item' | 'subject';
  readonly id: string;
  readonly destroyedAt: Instant;
  /** A code or an opaque id, as the destroyer gave it. */
  readonly cause: string;
  /** The first 128 bits of SHA-256 of the key, hexadecimal; `undefined` when the vault never held it. */
  readonly fingerprint: string | undefined;
}

/** A key whose event is not known to be in the log. */
export interface UnconfirmedKey extends KeyRef {
  /** Where its event would stand; absent when whoever ensured it did not say. */
  readonly stream?: string;
}

/** How many wrapped item keys the destruction of a subject overwrites itself; it leaves the rest to a sweep. */
const ITEMS_WITH_SUBJECT = 16;
/** Rows per transaction of a sweep: the event loop and other processes wait no longer than for these. */
const REMNANTS_AT_ONCE = 250;
const SWEPT_AT_ONCE = 500;
/** How long emptying the write-ahead log waits for other processes' reads. */
const LOG_PATIENCE_MS = 200;
const INDEX_SECRET = 'index';
const ZEROS = Buffer.alloc(WRAPPED_BYTES);

interface ItemKey {
  readonly key: Buffer;
  readonly subjectId: string;
  /** Its event is known to be in the log: no sweep takes it. */
  confirmed: boolean;
}

interface SubjectKey {
  readonly key: Buffer;
  readonly number: number;
}

interface Job {
  run(): void;
  done(): void;
  failed(reason: unknown): void;
}

/**
 * Opens the vault, making it when the file is new.
 *
 * @throws MasterKeyMissing when the vault has keys and the provider has none.
 * @throws MasterKeyWrong when the provider's key is not the one this vault was made or rotated with.
 * @throws MasterKeyRefused when the provider refuses.
 */
export async function openKeyVault({ url, masterKey, clock, cachedKeys = 10_000 }: KeyVaultOptions): Promise<KeyVault> {
  const database = openDatabase(url, { name: 'key vault', secureDelete: true, synchronous: 'full' });
  try {
    await database.migrate(migrations);
    const statements = prepare(database.sqlite);
    const made = statements.masterKeyId.get() !== undefined;
    const master = (await masterKey.load()) ?? (made ? undefined : await masterKey.create());
    if (master === undefined) {
      throw new MasterKeyMissing(
        `the key vault ${database.file} has keys, but there is no master key in ${masterKey.description}`,
      );
    }
    const indexSecret = database.transaction(() => firstOrKnownSecret(statements, master, database, masterKey));
    return new KeyVault(database, statements, master, indexSecret, clock, cachedKeys);
  } catch (error) {
    await database.close();
    throw error;
  }
}

function firstOrKnownSecret(
  statements: Statements,
  master: Buffer,
  database: Database<unknown>,
  { description }: MasterKeyProvider,
): Buffer {
  const id = masterKeyId(master);
  const known = statements.masterKeyId.get();
  if (known === undefined) {
    const secret = randomBytes(KEY_BYTES);
    statements.insertVault.run(id);
    statements.insertSecret.run(INDEX_SECRET, wrapKey(master, secret, ['secret', INDEX_SECRET]));
    return secret;
  }
  if (known !== id) {
    throw new MasterKeyWrong(
      `the master key in ${description} (id ${id}) is not the one of the key vault ${database.file} (id ${known})`,
    );
  }
  const wrapped = statements.secret.get(INDEX_SECRET);
  if (wrapped === undefined) throw new KeyLost(INDEX_SECRET);
  return unwrapKey(master, wrapped, ['secret', INDEX_SECRET]);
}

/**
 * The keys of personal values: one per item version, wrapped by its subject's key, wrapped by the master key.
 * DESIGN.md says why; `seal.ts` says how values and keys are encrypted, `schema.ts` how they lie on disk.
 *
 * Several processes may share one vault file. What one has destroyed, no other opens or ensures from its memory.
 */
export class KeyVault {
  readonly #items: KeyCache<ItemKey>;
  readonly #subjects: KeyCache<SubjectKey>;
  readonly #purposeKeys = new Map<string, Buffer>();
  readonly #confirmations = new Set<string>();
  /** Subjects whose key the running or last transaction has made. */
  readonly #mintedSubjects = new Set<string>();
  #jobs: Job[] = [];
  /** The newest tombstone this process has taken notice of. */
  #seen: number;
  /** Whether destroyed bytes may still stand in the write-ahead log; at first, those of a process that died. */
  #logHoldsDestroyed = true;
  #closed = false;
  /** Where nobody is to be sent marketing; it stands with the keys because it outlives them. */
  readonly suppression: SuppressionList;
  /** What the index of identifiers is keyed by. */
  readonly blindIndex: BlindIndexKeys;
  readonly #afterDestruction: (() => Promise<unknown>)[] = [];

  /** Use {@link openKeyVault}. */
  constructor(
    private readonly database: Database<unknown>,
    private readonly statements: Statements,
    private master: Buffer,
    private readonly indexSecret: Buffer,
    private readonly clock: () => Instant,
    cachedKeys: number,
  ) {
    this.#items = new KeyCache(cachedKeys);
    this.#subjects = new KeyCache(cachedKeys);
    this.#seen = this.statements.newestTombstone.get() ?? 0;
    this.suppression = new SuppressionList(
      database,
      (work) => this.#write(work),
      (address) => this.hmac('suppression', address),
      () => this.#now(),
    );
    this.blindIndex = new BlindIndexKeys(this.statements, {
      write: (work) => this.#write(work),
      wrap: (secret, name) => {
        this.#assertMasterKey();
        return wrapKey(this.master, secret, ['secret', name]);
      },
      unwrap: (wrapped, name) => unwrapKey(this.master, wrapped, ['secret', name]),
      wiped: () => {
        this.#logHoldsDestroyed = true;
        this.#emptyLog();
      },
    });
    this.#emptyLog();
  }

  /**
   * Makes the keys of these refs that do not exist yet. When it returns all of them are durable; when it throws
   * none of them was made. Concurrent calls, in any number of processes, make one key per id.
   *
   * Call it before every seal, with keys that were made before too: a key whose event is not confirmed is
   * protected from {@link sweep} from now on.
   *
   * Calls of one turn of the event loop share one transaction.
   *
   * @param stream the stream whose events the keys will seal: {@link sweep} tells where to look for them. A key
   *   seals values of one stream only.
   * @throws SubjectErased, KeyDestroyed, KeyOfAnotherSubject: these never change on a repeat.
   * @throws KeyLost when the subject's own key is gone without a tombstone.
   */
  async ensureKeys(refs: readonly KeyRef[], stream?: string): Promise<void> {
    this.#assertOpen();
    this.#noticeDestroyed();
    const missing = refs.filter(({ keyId, subjectId }) => {
      const known = this.#items.get(keyId);
      return known === undefined || !known.confirmed || known.subjectId !== subjectId;
    });
    if (missing.length === 0) return;
    await this.#write(
      () => missing.map((ref) => [ref.keyId, this.#ensureKey(ref, stream)] as const),
      (keys) => keys.forEach(([keyId, key]) => this.#items.set(keyId, key)),
    );
  }

  /**
   * Seals a value for the place it will stand in the log.
   *
   * @param value what canonical JSON can hold.
   * @param key ensured before by {@link ensureKeys}.
   * @throws KeyNotEnsured, SubjectErased, KeyDestroyed, KeyOfAnotherSubject
   */
  seal<T>(value: T, { keyId, subjectId }: KeyRef, binding: SealBinding): Sealed<T> {
    this.#assertOpen();
    const known = this.#items.get(keyId) ?? this.#load(keyId);
    if (known === undefined) {
      if (this.#tombstone('subject', subjectId)) throw new SubjectErased(subjectId);
      if (this.#tombstone('item', keyId)) throw new KeyDestroyed(keyId);
      throw new KeyNotEnsured(keyId);
    }
    if (known.subjectId !== subjectId) throw new KeyOfAnotherSubject(keyId);
    return sealUnder(known.key, value, keyId, binding) as Sealed<T>;
  }

  /**
   * Opens sealed values, in their order. What was destroyed opens to `Forgotten`.
   *
   * @throws KeyLost when a key is neither there nor recorded as destroyed.
   * @throws SealBroken when a value was altered or is bound to another place.
   */
  async open<T = unknown>(sealed: readonly Sealed<T>[]): Promise<Opened<T>[]> {
    this.#assertOpen();
    this.#noticeDestroyed();
    return sealed.map((value) => {
      const known = this.#items.get(value.kid) ?? this.#load(value.kid);
      if (known !== undefined) return { kind: 'opened', value: openUnder(known.key, value) as T };
      const tombstone = this.#tombstoneOfKey(value.kid);
      if (tombstone === undefined) throw new KeyLost(value.kid);
      return { kind: 'forgotten', destroyedAt: instantOf(tombstone.destroyed_at) };
    });
  }

  /**
   * Destroys keys of items: what they seal is forgotten everywhere at once. Final.
   *
   * @param cause a code or an opaque id, kept for ever; never anything personal.
   */
  async destroyItemKeys(keyIds: readonly string[], cause: string): Promise<Destruction> {
    this.#assertOpen();
    const tally = { destroyed: 0, alreadyDestroyed: 0, unknown: 0 };
    await this.#write(() => {
      this.#logHoldsDestroyed = true;
      for (const keyId of keyIds) tally[this.#destroyItemKey(keyId, cause)] += 1;
    });
    await this.#tellDestroyed();
    return { ...tally, wiped: this.#emptyLog() };
  }

  /**
   * Destroys a subject's key, and with it the use of every item key of the subject, in one short transaction
   * however many they are. The wrapped item keys, which open nothing any more, are overwritten in the same
   * transaction as far as they are few, and by {@link sweep} beyond. Final.
   *
   * @param cause a code or an opaque id, kept for ever; never anything personal.
   */
  async destroySubject(subjectId: string, cause: string): Promise<Destruction> {
    this.#assertOpen();
    const tally = { destroyed: 0, alreadyDestroyed: 0, unknown: 0 };
    await this.#write(() => {
      this.#logHoldsDestroyed = true;
      tally[this.#destroySubjectKey(subjectId, cause)] += 1;
    });
    await this.#tellDestroyed();
    return { ...tally, wiped: this.#emptyLog() };
  }

  /**
   * Has what was derived from values removed together with their keys: a destruction answers when all of this is done,
   * and fails when it cannot be, to be repeated.
   */
  afterDestruction(remove: () => Promise<unknown>): void {
    this.#afterDestruction.push(remove);
  }

  async #tellDestroyed(): Promise<void> {
    for (const remove of this.#afterDestruction) await remove();
  }

  /** Those of the key ids whose key exists and can open what it seals, in the given order. */
  async liveKeys(keyIds: readonly string[]): Promise<string[]> {
    this.#assertOpen();
    return keyIds.filter((keyId) => {
      const row = this.statements.item.get(toColumn(keyId));
      return row !== undefined && isLive(row.wrapped) && isLive(row.subject_wrapped);
    });
  }

  /** Whether a person has an item key that is none of these and not destroyed. */
  async hasKeyBeside(subjectId: string, keyIds: readonly string[]): Promise<boolean> {
    this.#assertOpen();
    const known = new Set(keyIds);
    for (const keyId of this.statements.keysOf.iterate(toColumn(subjectId), ZEROS))
      if (!known.has(fromColumn(keyId))) return true;
    return false;
  }

  /** The tombstones of these key ids, their own or else their subject's; an id without one is left out. */
  async tombstonesOfKeys(keyIds: readonly string[]): Promise<Tombstone[]> {
    this.#assertOpen();
    return keyIds.flatMap((keyId) => {
      const row = this.#tombstoneOfKey(keyId);
      return row === undefined ? [] : [tombstoneOf(row)];
    });
  }

  /** The tombstone of a subject, if the subject was erased. */
  async tombstoneOfSubject(subjectId: string): Promise<Tombstone | undefined> {
    this.#assertOpen();
    const row = this.#tombstone('subject', subjectId);
    return row && tombstoneOf(row);
  }

  /** Tombstones in the order in which they came, after one of them; `sequence` 0 is before the first. */
  async tombstonesAfter(sequence: number, limit: number): Promise<(Tombstone & { readonly sequence: number })[]> {
    this.#assertOpen();
    return this.statements.tombstonesPage
      .all(sequence, limit)
      .map((row) => ({ ...tombstoneOf(row), sequence: row.sequence }));
  }

  /** Tombstones, the newest first, before one of them. */
  async tombstonesBefore(sequence: number, limit: number): Promise<(Tombstone & { readonly sequence: number })[]> {
    this.#assertOpen();
    return this.statements.tombstonesBefore
      .all(sequence, limit)
      .map((row) => ({ ...tombstoneOf(row), sequence: row.sequence }));
  }

  /**
   * Says that the events of these keys are in the log. Costs nothing now: it is written with the next change.
   * Forgetting to call it, or dying before it was written, only makes {@link sweep} ask the log.
   */
  confirm(keyIds: readonly string[]): void {
    for (const keyId of keyIds) {
      if (this.#items.get(keyId)?.confirmed !== true) this.#confirmations.add(keyId);
    }
  }

  /**
   * Removes keys whose event never came into the log, and finishes what {@link destroySubject} left. Such a key
   * leaves no tombstone: the same command, repeated later, may make it again.
   *
   * @param unconfirmedBefore earlier than the start of any command that may still append: a key that was
   *   ensured after it is not touched. Choose it an hour or more in the past.
   * @param isReferenced which of these keys seal something in the log. It must see every event that was
   *   appended before the call: a key it leaves out is destroyed.
   * @returns how many keys were removed.
   */
  async sweep(
    unconfirmedBefore: Instant,
    isReferenced: (refs: readonly UnconfirmedKey[]) => Promise<ReadonlySet<string>>,
  ): Promise<number> {
    this.#assertOpen();
    if (this.#confirmations.size > 0) await this.#write(() => undefined);
    const before = epochMilliseconds(unconfirmedBefore);
    let swept = 0;
    for (let after = 0; ;) {
      const rows = this.statements.unconfirmed.all(after, before, SWEPT_AT_ONCE);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.number;
      const refs = rows.map((row) => ({
        keyId: fromColumn(row.key_id),
        subjectId: fromColumn(row.subject_id),
        ...(row.stream !== null && { stream: row.stream }),
      }));
      const referenced = await isReferenced(refs);
      const removed = await this.#write(() => {
        this.#logHoldsDestroyed = true;
        return rows.flatMap((row) => {
          const keyId = fromColumn(row.key_id);
          // Ensured again, confirmed or destroyed while the log was asked: not ours any more.
          if (this.statements.dropUnconfirmedBefore.run(row.number, before).changes === 0) return [];
          if (referenced.has(keyId)) return [];
          this.statements.setItem.run(ZEROS, ZEROS.subarray(0, FINGERPRINT_BYTES), row.number);
          return [keyId];
        });
      });
      removed.forEach((keyId) => this.#items.delete(keyId));
      swept += removed.length;
    }
    await this.#removeRemnants();
    this.#emptyLog();
    return swept;
  }

  /**
   * Wraps every subject's key and the vault's secrets anew, in one transaction; item keys and everything sealed
   * stay as they are. Other processes that hold the old master key keep reading what they hold in memory and are
   * refused with {@link MasterKeyWrong} for all else until they start with the new one.
   *
   * The old master key opens old backups of the vault: destroy it when they have gone.
   */
  async rotateMasterKey(provider: MasterKeyProvider): Promise<void> {
    this.#assertOpen();
    const next = (await provider.load()) ?? (await provider.create());
    if (next.equals(this.master))
      throw new MasterKeyRefused(`the master key in ${provider.description} is the present one`);
    await this.#write(() => {
      this.#assertMasterKey();
      this.#logHoldsDestroyed = true;
      const rewrap = (wrapped: Buffer, label: readonly [string, string]): Buffer => {
        const key = unwrapKey(this.master, wrapped, label);
        const again = wrapKey(next, key, label);
        key.fill(0);
        return again;
      };
      for (const { number, name, wrapped } of this.statements.secrets.all()) {
        if (!isLive(wrapped)) continue;
        this.statements.setSecret.run(rewrap(wrapped, ['secret', name]), number);
      }
      for (let after = 0; ;) {
        const rows = this.statements.subjectsAfter.all(after, SWEPT_AT_ONCE);
        const last = rows.at(-1);
        if (last === undefined) break;
        after = last.number;
        for (const { number, subject_id, wrapped, fingerprint } of rows) {
          if (!isLive(wrapped)) continue;
          const again = rewrap(wrapped, ['subject-key', fromColumn(subject_id)]);
          this.statements.setSubject.run(again, fingerprint, number);
        }
      }
      this.statements.setMasterKeyId.run(masterKeyId(next));
    });
    this.master.fill(0);
    this.master = next;
    this.#emptyLog();
  }

  /**
   * HMAC-SHA-256 of a text, base64url, under a secret of this vault and purpose. The same text gives the same
   * answer for the life of the vault; without the vault it cannot be guessed back, even from a short text.
   */
  hmac(purpose: string, text: string): string {
    this.#assertOpen();
    let key = this.#purposeKeys.get(purpose);
    if (key === undefined) {
      key = Buffer.from(hkdfSync('sha256', this.indexSecret, Buffer.alloc(0), `custos hmac ${purpose}`, KEY_BYTES));
      this.#purposeKeys.set(purpose, key);
    }
    return createHmac('sha256', key).update(text, 'utf8').digest('base64url');
  }

  /**
   * 32 random bytes under a name: made when first asked for, durable when this returns, the same to every process
   * that shares the vault. For keys that belong to no person, such as those of a door.
   *
   * @throws KeyDestroyed when the secret was destroyed; its name is never used again.
   */
  async ensureSecret(name: string): Promise<Buffer> {
    this.#assertOpen();
    return this.#write(() => {
      this.#assertMasterKey();
      const wrapped = this.statements.secret.get(name);
      if (wrapped === undefined) {
        const secret = randomBytes(KEY_BYTES);
        this.statements.insertSecret.run(name, wrapKey(this.master, secret, ['secret', name]));
        return secret;
      }
      if (!isLive(wrapped)) throw new KeyDestroyed(name);
      return unwrapKey(this.master, wrapped, ['secret', name]);
    });
  }

  /**
   * Destroys every named secret that `doomed` picks; what was encrypted under it opens no more. Final.
   *
   * @returns how many there were.
   */
  async destroySecrets(doomed: (name: string) => boolean): Promise<number> {
    this.#assertOpen();
    const picked = this.statements.secrets
      .all()
      .filter(({ name, wrapped }) => name !== INDEX_SECRET && isLive(wrapped) && doomed(name));
    if (picked.length === 0) return 0;
    await this.#write(() => {
      this.#logHoldsDestroyed = true;
      for (const { number } of picked) this.statements.setSecret.run(ZEROS, number);
    });
    this.#emptyLog();
    return picked.length;
  }

  /** Writes what is pending, wipes the keys in memory and closes the file. A second call does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    // A lost confirmation is harmless, and each waiting caller is told of its own failure.
    await this.#write(() => undefined).catch(() => undefined);
    this.#closed = true;
    this.#emptyLog();
    this.#items.clear();
    this.#subjects.clear();
    for (const key of [this.master, this.indexSecret, ...this.#purposeKeys.values()]) key.fill(0);
    this.blindIndex.wipe();
    this.#purposeKeys.clear();
    await this.database.close();
  }

  /**
   * Moves the write-ahead log into the file and truncates it, so that no former content of a page is left in it.
   *
   * @returns whether nothing destroyed is left in it.
   */
  #emptyLog(): boolean {
    if (!this.#logHoldsDestroyed) return true;
    const { sqlite } = this.database;
    const patience = sqlite.pragma('busy_timeout', { simple: true }) as number;
    sqlite.pragma(`busy_timeout = ${LOG_PATIENCE_MS}`);
    try {
      const [outcome] = sqlite.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
      this.#logHoldsDestroyed = outcome?.busy !== 0;
    } finally {
      sqlite.pragma(`busy_timeout = ${patience}`);
    }
    return !this.#logHoldsDestroyed;
  }

  /**
   * Runs `work` with the other work of this turn of the event loop in one transaction: one wait for the disk.
   * What `work` throws as a `KeyVaultError` undoes this work alone; any other error undoes all of it.
   *
   * @param committed takes what `work` made into memory, once it is durable and before anything else runs.
   */
  #write<T>(work: () => T, committed: (result: T) => void = () => undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#jobs.length === 0) setImmediate(() => this.#commit());
      let result: T;
      this.#jobs.push({
        run: () => {
          result = work();
        },
        done: () => {
          committed(result);
          resolve(result);
        },
        failed: reject,
      });
    });
  }

  #commit(): void {
    const jobs = this.#jobs.splice(0);
    const confirmations = [...this.#confirmations];
    const refused = new Map<Job, KeyVaultError>();
    let confirmed: string[] = [];
    this.#mintedSubjects.clear();
    try {
      this.#assertOpen();
      this.database.transaction(() => {
        confirmed = confirmations.filter((keyId) => this.statements.dropUnconfirmed.run(toColumn(keyId)).changes > 0);
        for (const job of jobs) {
          this.statements.savepoint.run();
          try {
            job.run();
          } catch (error) {
            if (!(error instanceof KeyVaultError)) throw error;
            this.statements.rollbackToSavepoint.run();
            this.#forgetMintedSubjects();
            refused.set(job, error);
          }
          this.statements.releaseSavepoint.run();
        }
      });
    } catch (error) {
      this.#forgetMintedSubjects();
      jobs.forEach((job) => job.failed(error));
      return;
    }
    for (const keyId of confirmations) this.#confirmations.delete(keyId);
    for (const keyId of confirmed) {
      const known = this.#items.get(keyId);
      if (known !== undefined) known.confirmed = true;
    }
    for (const job of jobs) {
      const refusal = refused.get(job);
      if (refusal === undefined) job.done();
      else job.failed(refusal);
    }
    this.#noticeDestroyed();
  }

  /** What was minted in a transaction that is undone is no key: the next one makes another. */
  #forgetMintedSubjects(): void {
    for (const subjectId of this.#mintedSubjects) this.#subjects.delete(subjectId);
  }

  /** Within a transaction: the key of this ref, made or known, and not to be swept from now on. */
  #ensureKey({ keyId, subjectId }: KeyRef, stream: string | undefined): ItemKey {
    const id = toColumn(keyId);
    const row = this.statements.item.get(id);
    if (row !== undefined && isLive(row.wrapped)) {
      if (fromColumn(row.subject_id) !== subjectId) throw new KeyOfAnotherSubject(keyId);
      const key = this.#unwrapItem(keyId, row);
      if (key === undefined)
        throw this.#tombstone('subject', subjectId) ? new SubjectErased(subjectId) : new KeyLost(subjectId);
      const confirmed = this.statements.touchUnconfirmed.run(this.#now(), row.number).changes === 0;
      return { key, subjectId, confirmed };
    }
    const subject = this.#ensureSubject(subjectId);
    if (this.#tombstone('item', keyId)) throw new KeyDestroyed(keyId);
    if (row !== undefined && fromColumn(row.subject_id) !== subjectId) throw new KeyOfAnotherSubject(keyId);
    const key = randomBytes(KEY_BYTES);
    const wrapped = wrapKey(subject.key, key, ['item-key', keyId, subjectId]);
    let number = row?.number;
    if (number === undefined) {
      number = Number(this.statements.insertItem.run(id, subject.number, wrapped, fingerprintOf(key)).lastInsertRowid);
    } else {
      this.statements.setItem.run(wrapped, fingerprintOf(key), number);
    }
    this.statements.insertUnconfirmed.run(number, this.#now(), stream ?? null);
    return { key, subjectId, confirmed: false };
  }

  #ensureSubject(subjectId: string): SubjectKey {
    const id = toColumn(subjectId);
    const known = this.#subjects.get(subjectId);
    // Asked even when the key is in memory: another process may have destroyed it.
    const row = this.statements.subject.get(id);
    if (row !== undefined && isLive(row.wrapped)) return known ?? this.#unwrapSubject(subjectId, row);
    if (this.#tombstone('subject', subjectId)) throw new SubjectErased(subjectId);
    if (row !== undefined) throw new KeyLost(subjectId);
    this.#assertMasterKey();
    const key = randomBytes(KEY_BYTES);
    const wrapped = wrapKey(this.master, key, ['subject-key', subjectId]);
    const number = Number(this.statements.insertSubject.run(id, wrapped, fingerprintOf(key)).lastInsertRowid);
    const entry = { key, number };
    this.#mintedSubjects.add(subjectId);
    this.#subjects.set(subjectId, entry);
    return entry;
  }

  /** Reads the key of an id into memory; `undefined` when there is none that opens anything. */
  #load(keyId: string): ItemKey | undefined {
    const row = this.statements.item.get(toColumn(keyId));
    if (row === undefined || !isLive(row.wrapped)) return undefined;
    const key = this.#unwrapItem(keyId, row);
    if (key === undefined) return undefined;
    const entry: ItemKey = { key, subjectId: fromColumn(row.subject_id), confirmed: row.unconfirmed === 0 };
    this.#items.set(keyId, entry);
    return entry;
  }

  #unwrapItem(keyId: string, row: ItemRow): Buffer | undefined {
    if (!isLive(row.subject_wrapped)) return undefined;
    const subjectId = fromColumn(row.subject_id);
    const subject =
      this.#subjects.get(subjectId) ??
      this.#unwrapSubject(subjectId, { number: row.subject, wrapped: row.subject_wrapped });
    return unwrapKey(subject.key, row.wrapped, ['item-key', keyId, subjectId]);
  }

  #unwrapSubject(subjectId: string, { number, wrapped }: { number: number; wrapped: Buffer }): SubjectKey {
    let key: Buffer;
    try {
      key = unwrapKey(this.master, wrapped, ['subject-key', subjectId]);
    } catch (error) {
      this.#assertMasterKey();
      throw error;
    }
    const entry = { key, number };
    this.#subjects.set(subjectId, entry);
    return entry;
  }

  #destroyItemKey(keyId: string, cause: string): 'destroyed' | 'alreadyDestroyed' | 'unknown' {
    if (this.#tombstone('item', keyId)) return 'alreadyDestroyed';
    const id = toColumn(keyId);
    const row = this.statements.item.get(id);
    const live = row !== undefined && isLive(row.wrapped);
    if (live) this.statements.setItem.run(ZEROS, row.fingerprint, row.number);
    if (row !== undefined) {
      this.statements.dropUnconfirmed.run(id);
      if (this.#tombstone('subject', fromColumn(row.subject_id))) return 'alreadyDestroyed';
    }
    this.statements.insertTombstone.run('item', id, this.#now(), cause, live ? row.fingerprint : null);
    return live ? 'destroyed' : 'unknown';
  }

  #destroySubjectKey(subjectId: string, cause: string): 'destroyed' | 'alreadyDestroyed' | 'unknown' {
    if (this.#tombstone('subject', subjectId)) return 'alreadyDestroyed';
    const id = toColumn(subjectId);
    const row = this.statements.subject.get(id);
    this.statements.insertTombstone.run('subject', id, this.#now(), cause, row?.fingerprint ?? null);
    if (row === undefined) return 'unknown';
    this.statements.setSubject.run(ZEROS, row.fingerprint, row.number);
    if (this.#zeroItemsOf(row.number, ITEMS_WITH_SUBJECT) === ITEMS_WITH_SUBJECT)
      this.statements.insertRemnant.run(row.number);
    return 'destroyed';
  }

  /** Overwrites wrapped item keys of an erased subject, `atMost` so many, and says how many. */
  #zeroItemsOf(subject: number, atMost: number): number {
    const rows = this.statements.liveItemsOf.all(subject, ZEROS, atMost);
    for (const { number, fingerprint } of rows) {
      this.statements.setItem.run(ZEROS, fingerprint, number);
      this.statements.dropUnconfirmedNumber.run(number);
    }
    return rows.length;
  }

  async #removeRemnants(): Promise<void> {
    for (const subject of this.statements.remnants.all()) {
      for (let left = true; left;) {
        left = await this.#write(() => {
          this.#logHoldsDestroyed = true;
          if (this.#zeroItemsOf(subject, REMNANTS_AT_ONCE) === REMNANTS_AT_ONCE) return true;
          this.statements.dropRemnant.run(subject);
          return false;
        });
      }
    }
  }

  /** Drops from memory what any process has destroyed since this was last asked. */
  #noticeDestroyed(): void {
    const newest = this.statements.newestTombstone.get() ?? 0;
    if (newest === this.#seen) return;
    for (const { sequence, kind, id } of this.statements.tombstonesAfter.all(this.#seen)) {
      const destroyed = fromColumn(id);
      if (kind === 'item') {
        this.#items.delete(destroyed);
      } else {
        this.#subjects.delete(destroyed);
        this.#items.deleteWhere(({ subjectId }) => subjectId === destroyed);
      }
      this.#seen = sequence;
    }
  }

  #tombstone(kind: 'item' | 'subject', id: string): TombstoneRow | undefined {
    return this.statements.tombstone.get(toColumn(id), kind);
  }

  #tombstoneOfKey(keyId: string): TombstoneRow | undefined {
    const own = this.#tombstone('item', keyId);
    if (own !== undefined) return own;
    const row = this.statements.item.get(toColumn(keyId));
    return row && this.#tombstone('subject', fromColumn(row.subject_id));
  }

  /** Another process may have rotated the master key: nothing may be wrapped under the old one any more. */
  #assertMasterKey(): void {
    const known = this.statements.masterKeyId.get();
    if (known !== masterKeyId(this.master)) {
      throw new MasterKeyWrong(
        `the master key of ${this.database.file} has been rotated (now id ${known}): start again with it`,
      );
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('the key vault is closed');
  }

  #now(): number {
    return epochMilliseconds(this.clock());
  }
}

const FINGERPRINT_BYTES = 16;

const fingerprintOf = (key: Buffer): Buffer => createHash('sha256').update(key).digest().subarray(0, FINGERPRINT_BYTES);

const isLive = (wrapped: Buffer): boolean => !wrapped.equals(ZEROS);

const tombstoneOf = ({ kind, id, destroyed_at, cause, fingerprint }: TombstoneRow): Tombstone => ({
  kind,
  id: fromColumn(id),
  destroyedAt: instantOf(destroyed_at),
  cause,
  fingerprint: fingerprint?.toString('hex'),
});

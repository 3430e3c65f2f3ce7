import { randomUUID } from 'node:crypto';
import type { Database, SqliteStatement } from '#database';
import { plusMilliseconds, type Actor, type Instant } from '#kernel';
import { digest, secret } from './secret.js';
import type { AccessTables, TokenRow } from './tables.js';

/** A token that was just made. It is shown here and cannot be read again. */
export interface IssuedToken {
  /** Names the token in lists and to those who rotate or revoke it; opens nothing. */
  readonly tokenId: string;
  readonly token: string;
  readonly expiresAt: Instant;
}

/** What may be known of a token: everything but the token. */
export interface TokenEntry {
  readonly tokenId: string;
  readonly actorId: string;
  readonly actorType: Actor['type'];
  readonly roles: readonly string[];
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

const PREFIX = 'custos_';
const DAY = 24 * 60 * 60 * 1000;

/** How long a token lives unless it is said otherwise, and at most: 90 days and a year. */
export const TOKEN_LIFE = 90 * DAY;
export const LONGEST_TOKEN_LIFE = 366 * DAY;
/** How long a token is good after another one has taken its place: a day to hand the new one out. */
export const ROTATION_OVERLAP = DAY;

/**
 * Tokens of services and operators: 256 random bits, shown once, kept as a SHA-256 digest. There is no default token
 * and no default password. Each ends: by its date, by rotation, or at once by revocation.
 */
export class Tokens {
  /** Asked for every request: prepared once. */
  readonly #byHash: SqliteStatement<[string], TokenRow>;

  constructor(private readonly database: Database<AccessTables>) {
    this.#byHash = database.sqlite.prepare('SELECT * FROM tokens WHERE token_hash = ?');
  }

  /** @param expiresAt after `TOKEN_LIFE` when absent; never later than `LONGEST_TOKEN_LIFE` after `at`. */
  async issue(actor: Actor, at: Instant, expiresAt?: Instant): Promise<IssuedToken> {
    const token = PREFIX + secret();
    const tokenId = randomUUID();
    const last = plusMilliseconds(at, LONGEST_TOKEN_LIFE);
    const wanted = expiresAt ?? plusMilliseconds(at, TOKEN_LIFE);
    const end = wanted < last ? wanted : last;
    await this.database.kysely
      .insertInto('tokens')
      .values({
        token_hash: digest(token),
        token_id: tokenId,
        actor_id: actor.id,
        actor_type: actor.type,
        roles: actor.roles.join(' '),
        created_at: at,
        expires_at: end,
        revoked_at: null,
        subject_id: actor.subjectId ?? null,
      })
      .execute();
    return { tokenId, token, expiresAt: end };
  }

  /**
   * Makes a token that takes the place of another one, for the same holder, with the same roles and as long a life.
   * The old one is good for `ROTATION_OVERLAP` more, or until its own end.
   *
   * @returns `undefined` when there is no such token, or it is good no more.
   */
  async rotate(tokenId: string, at: Instant): Promise<IssuedToken | undefined> {
    const row = await this.#row(tokenId);
    if (!row || !isGood(row, at)) return undefined;
    const life = row.expires_at === null ? TOKEN_LIFE : Date.parse(row.expires_at) - Date.parse(row.created_at);
    const issued = await this.issue(actorOf(row), at, plusMilliseconds(at, life));
    const end = plusMilliseconds(at, ROTATION_OVERLAP);
    if (row.expires_at === null || end < row.expires_at)
      await this.database.kysely
        .updateTable('tokens')
        .set({ expires_at: end })
        .where('token_id', '=', tokenId)
        .execute();
    return issued;
  }

  /** Ends a token at once. @returns whether there was one to end. */
  async revoke(tokenId: string, at: Instant): Promise<boolean> {
    return this.#revoke('token_id', tokenId, at);
  }

  /** Ends all tokens of an actor at once. @returns whether there was one to end. */
  async revokeAll(actorId: string, at: Instant): Promise<boolean> {
    return this.#revoke('actor_id', actorId, at);
  }

  /** All tokens there ever were, the oldest first. */
  async list(): Promise<readonly TokenEntry[]> {
    const rows = await this.database.kysely.selectFrom('tokens').selectAll().orderBy('created_at').execute();
    return rows.map((row) => ({
      tokenId: row.token_id,
      actorId: row.actor_id,
      actorType: row.actor_type,
      roles: row.roles.split(' '),
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      revokedAt: row.revoked_at,
    }));
  }

  /** Who holds a token that is good at this time; `undefined` when nobody does. */
  async actorOf(token: string, at: Instant): Promise<Actor | undefined> {
    if (!token.startsWith(PREFIX)) return undefined;
    const row = this.#byHash.get(digest(token));
    return row && isGood(row, at) ? actorOf(row) : undefined;
  }

  #row(tokenId: string): Promise<TokenRow | undefined> {
    return this.database.kysely.selectFrom('tokens').selectAll().where('token_id', '=', tokenId).executeTakeFirst();
  }

  async #revoke(column: 'token_id' | 'actor_id', id: string, at: Instant): Promise<boolean> {
    const { numUpdatedRows } = await this.database.kysely
      .updateTable('tokens')
      .set({ revoked_at: at })
      .where(column, '=', id)
      .where('revoked_at', 'is', null)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }
}

const isGood = ({ expires_at, revoked_at }: TokenRow, at: Instant): boolean =>
  revoked_at === null && (expires_at === null || at < expires_at);

const actorOf = ({ actor_id, actor_type, roles, subject_id }: TokenRow): Actor => ({
  id: actor_id,
  type: actor_type,
  roles: roles.split(' '),
  authentication: { method: 'token' },
  ...(subject_id !== null && { subjectId: subject_id }),
});

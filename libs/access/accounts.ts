import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Database } from '#database';
import { plusMilliseconds, type Actor, type Instant } from '#kernel';
import { digest, secret } from './secret.js';
import type { AccessTables, AccountRow } from './tables.js';

/** Shortest and longest password, in characters. Length is what helps; nothing else is asked of one (NCSC). */
export const SHORTEST_PASSWORD = 12;
export const LONGEST_PASSWORD = 200;

/** How long the token is good with which the holder of a new account sets a password: three days. */
export const ENROLMENT_LIFE = 3 * 24 * 60 * 60 * 1000;
/** After so many wrong passwords in a row the account takes none for a while: ten, and a quarter of an hour. */
export const FAILURES_ALLOWED = 10;
export const LOCK = 15 * 60 * 1000;

/** Too many passwords wait to be checked. Nothing was checked; it may be tried again. */
export class SignInBusy extends Error {
  override readonly name = 'SignInBusy';
}

const COST = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };
const WAITING = 32;
const derive = promisify<string, Buffer, number, object, Buffer>(scrypt);

/**
 * Local accounts of people, for an installation without an identity provider. An account begins with a token that is
 * good once, by which its holder sets a password nobody else knows. Passwords are checked one at a time, and a wrong
 * name costs what a wrong password costs.
 */
export class Accounts {
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(private readonly database: Database<AccessTables>) {}

  /**
   * Opens an account, or lets its holder set a new password; roles are as given from now on.
   *
   * @returns the token by which the password is set; it cannot be read again, and an older one is void.
   */
  async invite(actorId: string, roles: readonly string[], at: Instant): Promise<{ token: string; expiresAt: Instant }> {
    const token = secret();
    const expiresAt = plusMilliseconds(at, ENROLMENT_LIFE);
    const invitation = { roles: roles.join(' '), enrolment_hash: digest(token), enrolment_expires_at: expiresAt };
    await this.database.kysely
      .insertInto('accounts')
      .values({
        actor_id: actorId,
        created_at: at,
        disabled_at: null,
        password: null,
        failures: 0,
        locked_until: null,
        ...invitation,
      })
      .onConflict((conflict) => conflict.column('actor_id').doUpdateSet({ ...invitation, disabled_at: null }))
      .execute();
    return { token, expiresAt };
  }

  /**
   * Sets the password of the account a token was made for, and uses the token up. Sessions are for the caller to end.
   *
   * @returns whose account it is; `undefined` when the token is not good (any more).
   */
  async enrol(token: string, password: string, at: Instant): Promise<string | undefined> {
    const found = await this.#enrolled(token, at);
    if (!found) return undefined;
    const hashed = await this.#inTurn(() => hash(password));
    // Used up in the same statement that sets the password: of two who come with it, one succeeds.
    const { numUpdatedRows } = await this.database.kysely
      .updateTable('accounts')
      .set({ password: hashed, enrolment_hash: null, enrolment_expires_at: null, failures: 0, locked_until: null })
      .where('enrolment_hash', '=', digest(token))
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n ? found.actor_id : undefined;
  }

  /**
   * Who signs in with this name and password; `undefined` for nobody, whatever the reason.
   *
   * @throws SignInBusy when too many wait.
   */
  async check(actorId: string, password: string, at: Instant): Promise<Actor | undefined> {
    return this.#inTurn(async () => {
      const row = await this.#row(actorId);
      const right = await matches(password, row?.password ?? (await nobody()));
      if (!row || row.password === null || row.disabled_at !== null) return undefined;
      if (row.locked_until !== null && at < row.locked_until) return undefined;
      if (right) {
        if (row.failures > 0) await this.#count(actorId, 0, null);
        return actorOf(row);
      }
      const failures = row.failures + 1;
      const locked = failures >= FAILURES_ALLOWED ? plusMilliseconds(at, LOCK) : null;
      await this.#count(actorId, locked === null ? failures : 0, locked);
      return undefined;
    });
  }

  /** The holder of an account that is in use. */
  async actorOf(actorId: string): Promise<Actor | undefined> {
    const row = await this.#row(actorId);
    return row && row.disabled_at === null ? actorOf(row) : undefined;
  }

  /** Closes an account at once. @returns whether there was one to close. */
  async disable(actorId: string, at: Instant): Promise<boolean> {
    const { numUpdatedRows } = await this.database.kysely
      .updateTable('accounts')
      .set({ disabled_at: at, password: null, enrolment_hash: null, enrolment_expires_at: null })
      .where('actor_id', '=', actorId)
      .where('disabled_at', 'is', null)
      .executeTakeFirstOrThrow();
    return numUpdatedRows > 0n;
  }

  #row(actorId: string): Promise<AccountRow | undefined> {
    return this.database.kysely.selectFrom('accounts').selectAll().where('actor_id', '=', actorId).executeTakeFirst();
  }

  async #enrolled(token: string, at: Instant): Promise<AccountRow | undefined> {
    const row = await this.database.kysely
      .selectFrom('accounts')
      .selectAll()
      .where('enrolment_hash', '=', digest(token))
      .executeTakeFirst();
    return row && row.disabled_at === null && at < (row.enrolment_expires_at ?? '') ? row : undefined;
  }

  async #count(actorId: string, failures: number, locked: Instant | null): Promise<void> {
    await this.database.kysely
      .updateTable('accounts')
      .set({ failures, locked_until: locked })
      .where('actor_id', '=', actorId)
      .execute();
  }

  /** Each check costs 32 MiB and some of a processor: one at a time, and only so many wait. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING) throw new SignInBusy();
    this.#waiting += 1;
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting -= 1;
    }
  }
}

const actorOf = ({ actor_id, roles }: AccountRow): Actor => ({
  id: actor_id,
  type: 'user',
  roles: roles.split(' '),
  authentication: { method: 'password', amr: ['pwd'] },
});

async function hash(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password.normalize('NFKC'), salt, 32, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

async function matches(password: string, hashed: string): Promise<boolean> {
  const [, N, r, p, salt = '', key = ''] = hashed.split('$');
  const cost = { ...COST, N: Number(N), r: Number(r), p: Number(p) };
  const wanted = Buffer.from(key, 'base64url');
  const given = await derive(password.normalize('NFKC'), Buffer.from(salt, 'base64url'), wanted.length, cost);
  return timingSafeEqual(given, wanted);
}

let nobodys: Promise<string> | undefined;
/** What the password of a name that nobody has is held against. */
const nobody = (): Promise<string> => (nobodys ??= hash(secret()));

import type { Database } from '#database';
import { plusMilliseconds, type Actor, type Instant } from '#kernel';
import type { Accounts } from './accounts.js';
import { digest, equals, secret } from './secret.js';
import type { AccessTables } from './tables.js';

/** A session ends when nothing was asked for half an hour, and after twelve hours in any case. */
export const IDLE = 30 * 60 * 1000;
export const LONGEST_SESSION = 12 * 60 * 60 * 1000;
/** How exactly it is remembered when a session was seen last. */
const SEEN = 60 * 1000;

/**
 * Sessions of the console. The cookie holds 256 random bits, the database a digest of them. Roles are those of the
 * account at each request, so that a change bites at once.
 */
export class Sessions {
  constructor(
    private readonly database: Database<AccessTables>,
    private readonly accounts: Accounts,
  ) {}

  /** @returns what goes into the cookie. */
  async start(actorId: string, at: Instant): Promise<string> {
    await this.#forgetEnded(at);
    const session = secret();
    await this.database.kysely
      .insertInto('sessions')
      .values({ session_hash: digest(session), actor_id: actorId, started_at: at, seen_at: at })
      .execute();
    return session;
  }

  /** Whose session it is; `undefined` when it has ended, or its account is closed. */
  async actorOf(session: string, at: Instant): Promise<Actor | undefined> {
    const row = await this.database.kysely
      .selectFrom('sessions')
      .selectAll()
      .where('session_hash', '=', digest(session))
      .executeTakeFirst();
    if (!row || row.seen_at <= plusMilliseconds(at, -IDLE) || row.started_at <= plusMilliseconds(at, -LONGEST_SESSION))
      return undefined;
    if (row.seen_at <= plusMilliseconds(at, -SEEN))
      await this.database.kysely
        .updateTable('sessions')
        .set({ seen_at: at })
        .where('session_hash', '=', row.session_hash)
        .execute();
    return this.accounts.actorOf(row.actor_id);
  }

  async end(session: string): Promise<void> {
    await this.database.kysely.deleteFrom('sessions').where('session_hash', '=', digest(session)).execute();
  }

  async endAll(actorId: string): Promise<void> {
    await this.database.kysely.deleteFrom('sessions').where('actor_id', '=', actorId).execute();
  }

  async #forgetEnded(at: Instant): Promise<void> {
    await this.database.kysely
      .deleteFrom('sessions')
      .where((row) =>
        row.or([
          row('seen_at', '<=', plusMilliseconds(at, -IDLE)),
          row('started_at', '<=', plusMilliseconds(at, -LONGEST_SESSION)),
        ]),
      )
      .execute();
  }
}

/**
 * What a page of the console has to send with each change, beside the cookie: a page of another site has neither the
 * cookie's content nor this. It follows from the cookie, so nothing has to be kept.
 */
export const csrfOf = (session: string): string => digest(`csrf ${session}`);

export const isCsrfOf = (session: string, given: string): boolean => equals(csrfOf(session), given);

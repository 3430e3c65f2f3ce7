import type { Database } from '#database';
import type { Instant } from '#kernel';
import type { AccessTables, PersonRow } from './tables.js';

/**
 * Who stands behind the id that somebody of an identity provider has in the log. The id is a keyed digest; the name is
 * here and nowhere else, so that it can go when a person leaves while what they did stays attributable to the id.
 */
export class Directory {
  readonly #known = new Set<string>();

  constructor(private readonly database: Database<AccessTables>) {}

  async remember(actorId: string, issuer: string, subject: string, at: Instant): Promise<void> {
    if (this.#known.has(actorId)) return;
    await this.database.kysely
      .insertInto('people')
      .values({ actor_id: actorId, issuer, subject, first_seen_at: at })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    this.#known.add(actorId);
  }

  /** Keeps somebody out whom the provider still lets in. */
  async bar(actorId: string, at: Instant): Promise<void> {
    await this.database.kysely
      .insertInto('barred')
      .values({ actor_id: actorId, barred_at: at })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }

  async isBarred(actorId: string): Promise<boolean> {
    const row = await this.database.kysely
      .selectFrom('barred')
      .select('actor_id')
      .where('actor_id', '=', actorId)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** @returns whether they were kept out. */
  async readmit(actorId: string): Promise<boolean> {
    const { numDeletedRows } = await this.database.kysely
      .deleteFrom('barred')
      .where('actor_id', '=', actorId)
      .executeTakeFirstOrThrow();
    return numDeletedRows > 0n;
  }

  find(actorId: string): Promise<PersonRow | undefined> {
    return this.database.kysely.selectFrom('people').selectAll().where('actor_id', '=', actorId).executeTakeFirst();
  }

  /** Forgets the name. It is remembered anew should its holder sign in again. */
  async forget(actorId: string): Promise<void> {
    await this.database.kysely.deleteFrom('people').where('actor_id', '=', actorId).execute();
    this.#known.delete(actorId);
  }
}

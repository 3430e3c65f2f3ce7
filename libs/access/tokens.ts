import { createHash, randomBytes } from 'node:crypto';
import { openDatabase, type Database, type Migration } from '#database';
import type { Actor, Instant } from '#kernel';

interface TokenRow {
  readonly token_hash: string;
  readonly actor_id: string;
  readonly actor_type: Actor['type'];
  readonly roles: string;
  readonly created_at: string;
}

const MIGRATIONS: readonly Migration[] = [
  {
    name: '0001-tokens',
    async up(db) {
      await db.schema
        .createTable('tokens')
        .addColumn('token_hash', 'text', (column) => column.primaryKey())
        .addColumn('actor_id', 'text', (column) => column.notNull())
        .addColumn('actor_type', 'text', (column) => column.notNull())
        .addColumn('roles', 'text', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .execute();
    },
  },
];

const PREFIX = 'custos_';

/**
 * Local tokens: 256 random bits, shown once, kept as a SHA-256 digest (which cannot be guessed back from so many
 * bits). There is no default token and no default password.
 */
export class Tokens {
  private constructor(private readonly database: Database<{ tokens: TokenRow }>) {}

  static async open(url: string): Promise<Tokens> {
    const database = openDatabase<{ tokens: TokenRow }>(url, { name: 'token store', synchronous: 'full' });
    await database.migrate(MIGRATIONS);
    return new Tokens(database);
  }

  /** Whether no token was ever issued: then the first one is made at start and printed once. */
  async isEmpty(): Promise<boolean> {
    return (await this.database.kysely.selectFrom('tokens').select('token_hash').limit(1).execute()).length === 0;
  }

  /** @returns the token; it cannot be read again. */
  async issue(actor: Actor, at: Instant): Promise<string> {
    const token = PREFIX + randomBytes(32).toString('base64url');
    await this.database.kysely
      .insertInto('tokens')
      .values({
        token_hash: digest(token),
        actor_id: actor.id,
        actor_type: actor.type,
        roles: actor.roles.join(' '),
        created_at: at,
      })
      .execute();
    return token;
  }

  /** Who holds a token; `undefined` when nobody does. */
  async actorOf(token: string): Promise<Actor | undefined> {
    if (!token.startsWith(PREFIX)) return undefined;
    const row = await this.database.kysely
      .selectFrom('tokens')
      .selectAll()
      .where('token_hash', '=', digest(token))
      .executeTakeFirst();
    return row && { id: row.actor_id, type: row.actor_type, roles: row.roles.split(' ') };
  }

  async close(): Promise<void> {
    await this.database.close();
  }
}

const digest = (token: string): string => createHash('sha256').update(token).digest('hex');

import type { Database, Migration } from '#database';
import type { Actor } from '#kernel';

export interface TokenRow {
  readonly token_hash: string;
  readonly token_id: string;
  readonly actor_id: string;
  readonly actor_type: Actor['type'];
  readonly roles: string;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  /** The person that a subject's or an agent's token is about. */
  readonly subject_id: string | null;
}

export interface AccountRow {
  readonly actor_id: string;
  readonly roles: string;
  readonly created_at: string;
  readonly disabled_at: string | null;
  /** `scrypt$N$r$p$salt$hash`, in base64url; null until its holder has chosen one. */
  readonly password: string | null;
  readonly enrolment_hash: string | null;
  readonly enrolment_expires_at: string | null;
  /** Wrong passwords in a row. */
  readonly failures: number;
  readonly locked_until: string | null;
}

export interface SessionRow {
  readonly session_hash: string;
  readonly actor_id: string;
  readonly started_at: string;
  readonly seen_at: string;
}

export interface PersonRow {
  readonly actor_id: string;
  readonly issuer: string;
  readonly subject: string;
  readonly first_seen_at: string;
}

/** Somebody of an identity provider who left: their tokens count no more, whatever the provider says. */
export interface BarredRow {
  readonly actor_id: string;
  readonly barred_at: string;
}

/** The tables of the access database. Who is deleted from the first four gets in no more; who is barred stays out. */
export interface AccessTables {
  readonly tokens: TokenRow;
  readonly accounts: AccountRow;
  readonly sessions: SessionRow;
  readonly people: PersonRow;
  readonly barred: BarredRow;
}

export const MIGRATIONS: readonly Migration[] = [
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
  {
    name: '0002-lives-of-tokens',
    async up(db) {
      await db.schema.alterTable('tokens').addColumn('token_id', 'text').execute();
      await db.schema.alterTable('tokens').addColumn('expires_at', 'text').execute();
      await db.schema.alterTable('tokens').addColumn('revoked_at', 'text').execute();
      // A token of before has no id of its own: part of its digest is one, and says nothing about the token.
      const old = db as never as Database<AccessTables>['kysely'];
      for (const { token_hash } of await old.selectFrom('tokens').select('token_hash').execute())
        await old
          .updateTable('tokens')
          .set({ token_id: token_hash.slice(0, 24) })
          .where('token_hash', '=', token_hash)
          .execute();
      await db.schema.createIndex('tokens_by_id').on('tokens').column('token_id').unique().execute();
    },
  },
  {
    name: '0003-accounts',
    async up(db) {
      await db.schema
        .createTable('accounts')
        .addColumn('actor_id', 'text', (column) => column.primaryKey())
        .addColumn('roles', 'text', (column) => column.notNull())
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('disabled_at', 'text')
        .addColumn('password', 'text')
        .addColumn('enrolment_hash', 'text', (column) => column.unique())
        .addColumn('enrolment_expires_at', 'text')
        .addColumn('failures', 'integer', (column) => column.notNull())
        .addColumn('locked_until', 'text')
        .execute();
      await db.schema
        .createTable('sessions')
        .addColumn('session_hash', 'text', (column) => column.primaryKey())
        .addColumn('actor_id', 'text', (column) => column.notNull())
        .addColumn('started_at', 'text', (column) => column.notNull())
        .addColumn('seen_at', 'text', (column) => column.notNull())
        .execute();
      await db.schema.createIndex('sessions_by_actor').on('sessions').column('actor_id').execute();
      await db.schema
        .createTable('people')
        .addColumn('actor_id', 'text', (column) => column.primaryKey())
        .addColumn('issuer', 'text', (column) => column.notNull())
        .addColumn('subject', 'text', (column) => column.notNull())
        .addColumn('first_seen_at', 'text', (column) => column.notNull())
        .execute();
    },
  },
  {
    name: '0004-tokens-about-one-person',
    async up(db) {
      await db.schema.alterTable('tokens').addColumn('subject_id', 'text').execute();
    },
  },
  {
    name: '0005-barred',
    async up(db) {
      await db.schema
        .createTable('barred')
        .addColumn('actor_id', 'text', (column) => column.primaryKey())
        .addColumn('barred_at', 'text', (column) => column.notNull())
        .execute();
    },
  },
];

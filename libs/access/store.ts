import { openDatabase, type Database } from '#database';
import { Accounts } from './accounts.js';
import { Directory } from './directory.js';
import { Sessions } from './sessions.js';
import { MIGRATIONS, type AccessTables } from './tables.js';
import { Tokens } from './tokens.js';

/**
 * Who may come in: tokens of services and operators, accounts with their sessions, and who stands behind the ids that
 * an identity provider's people have here. Its times are the machine's, never a simulated clock's: a credential ends
 * when it ends.
 */
export class AccessStore {
  readonly tokens: Tokens;
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly directory: Directory;

  private constructor(private readonly database: Database<AccessTables>) {
    this.tokens = new Tokens(database);
    this.accounts = new Accounts(database);
    this.sessions = new Sessions(database, this.accounts);
    this.directory = new Directory(database);
  }

  static async open(url: string): Promise<AccessStore> {
    const database = openDatabase<AccessTables>(url, {
      name: 'access database',
      synchronous: 'full',
      secureDelete: true,
    });
    await database.migrate(MIGRATIONS);
    return new AccessStore(database);
  }

  /** Whether nobody was ever given a way in: then the first token is made at start and printed once. */
  async isEmpty(): Promise<boolean> {
    const { kysely } = this.database;
    const [token] = await kysely.selectFrom('tokens').select('token_hash').limit(1).execute();
    const [account] = await kysely.selectFrom('accounts').select('actor_id').limit(1).execute();
    return token === undefined && account === undefined;
  }

  async close(): Promise<void> {
    await this.database.close();
  }
}

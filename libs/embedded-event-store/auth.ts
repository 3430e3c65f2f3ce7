/**
 * Who may come in: a file of users with hashed passwords, and HTTP's Basic scheme against it.
 *
 *     { "version": 1, "users": { "<name>": { "groups": ["<group>"], "password": "scrypt:N:r:p:<salt>:<hash>" } } }
 *
 * Salt and hash are base64. The file is read once, when the server starts.
 */
import { createHmac, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import { CallFailed, Code, type User } from './grpc.js';

interface StoredUser {
  readonly groups: readonly string[];
  readonly password: string;
}

interface Parameters {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

const VERSION = 1;
/** 32 MiB and some 80 ms for each guess. */
const PARAMETERS: Parameters = { N: 2 ** 15, r: 8, p: 1 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Headers that were right once are known by a keyed digest and not hashed again. */
const MAX_KNOWN = 1000;
/** Checks that may wait for their turn; there is one at a time, so that guessing does not take the thread pool. */
const MAX_WAITING = 16;

/**
 * Adds a user to the file, or gives one that is there another password and other groups. The file is made if need be,
 * readable by its owner only, and replaced as a whole. A running server does not notice. One call at a time.
 *
 * @param name without a colon, not beginning with `$`; in stream ACLs a name and a group of the same name are the same
 * @param groups `$admins` may do everything, `$ops` may operate the server
 * @throws RangeError on a name, password or group that cannot be used, Error when the file cannot be read or written
 */
export async function addUser(file: string, name: string, password: string, groups: readonly string[]): Promise<void> {
  if (!/^[^$:\p{Cc}][^:\p{Cc}]*$/u.test(name))
    throw new RangeError('a user name has no colon and does not begin with $');
  if (password === '') throw new RangeError('a password is not empty');
  if (groups.some((group) => group === '' || group === '$all')) throw new RangeError('a group has a name of its own');
  const users = await readUsers(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return new Map<string, StoredUser>();
    throw error;
  });
  const { N, r, p } = PARAMETERS;
  const salt = randomBytes(SALT_BYTES);
  const hash = await derive(password, salt, HASH_BYTES, PARAMETERS);
  users.set(name, {
    groups: [...groups],
    password: ['scrypt', N, r, p, salt.toString('base64'), hash.toString('base64')].join(':'),
  });
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify({ version: VERSION, users: Object.fromEntries(users) }, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
}

const derive = (password: string, salt: Buffer, bytes: number, { N, r, p }: Parameters): Promise<Buffer> =>
  new Promise((resolve, reject) =>
    scrypt(password, salt, bytes, { N, r, p, maxmem: 256 * N * r }, (error, hash) =>
      error ? reject(error) : resolve(hash),
    ),
  );

async function readUsers(file: string): Promise<Map<string, StoredUser>> {
  const text = await readFile(file, 'utf8');
  try {
    const { version, users } = JSON.parse(text) as { version: unknown; users: Record<string, StoredUser> };
    if (version !== VERSION) throw new Error();
    const all = new Map(Object.entries(users));
    for (const { groups, password } of all.values()) {
      if (!Array.isArray(groups) || groups.some((group) => typeof group !== 'string')) throw new Error();
      parsePassword(password);
    }
    return all;
  } catch {
    throw new Error(`${file} is not a file of users`);
  }
}

function parsePassword(stored: string): { parameters: Parameters; salt: Buffer; hash: Buffer } {
  const match = /^scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3}):([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/.exec(stored);
  if (!match) throw new Error('not a hashed password');
  const [N, r, p] = match.slice(1, 4).map(Number) as [number, number, number];
  const [salt, hash] = match.slice(4).map((text) => Buffer.from(text, 'base64')) as [Buffer, Buffer];
  if (hash.length < HASH_BYTES) throw new Error('not a hashed password');
  return { parameters: { N, r, p }, salt, hash };
}

const refused = (): CallFailed =>
  new CallFailed({ code: Code.UNAUTHENTICATED, message: 'the user name or the password is wrong' });

/** The users of a server. */
export class Users {
  private readonly known = new Map<string, User>();
  private readonly checking = new Map<string, Promise<User>>();
  private readonly digestKey = randomBytes(32);
  private turn: Promise<unknown> = Promise.resolve();

  /** @param absent what a name that is not there is checked against, so that it takes as long as one that is */
  private constructor(
    private readonly users: ReadonlyMap<string, StoredUser>,
    private readonly absent: StoredUser,
  ) {}

  /** @throws Error when the file is not there or is no file of users */
  static async load(file: string): Promise<Users> {
    const { N, r, p } = PARAMETERS;
    const noise = [SALT_BYTES, HASH_BYTES].map((bytes) => randomBytes(bytes).toString('base64'));
    const users = await readUsers(file);
    return new Users(users, { groups: [], password: ['scrypt', N, r, p, ...noise].join(':') });
  }

  /**
   * The user a header speaks for.
   *
   * @throws CallFailed with UNAUTHENTICATED, or RESOURCE_EXHAUSTED when too many checks are waiting
   */
  authenticate(authorization: string): Promise<User> | User {
    const digest = createHmac('sha256', this.digestKey).update(authorization).digest('base64');
    const user = this.known.get(digest);
    if (user) return user;
    const running = this.checking.get(digest);
    if (running) return running;
    const encoded = /^basic +([A-Za-z0-9+/]+=*) *$/i.exec(authorization)?.[1];
    const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? [];
    if (name === undefined || password === undefined) throw refused();
    if (this.checking.size >= MAX_WAITING) {
      throw new CallFailed({ code: Code.RESOURCE_EXHAUSTED, message: 'too many passwords are waiting to be checked' });
    }
    const checked = this.turn
      .then(() => this.check(name, password))
      .then((found) => {
        const [oldest] = this.known.keys();
        if (this.known.size >= MAX_KNOWN && oldest !== undefined) this.known.delete(oldest);
        this.known.set(digest, found);
        return found;
      })
      .finally(() => this.checking.delete(digest));
    this.turn = checked.catch(() => undefined);
    this.checking.set(digest, checked);
    return checked;
  }

  private async check(name: string, password: string): Promise<User> {
    const stored = this.users.get(name);
    const { parameters, salt, hash } = parsePassword((stored ?? this.absent).password);
    const given = await derive(password, salt, hash.length, parameters);
    if (!timingSafeEqual(given, hash) || !stored) throw refused();
    return { name, groups: stored.groups };
  }
}

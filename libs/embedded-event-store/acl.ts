/**
 * Who may do what to a stream. A stream's own list stands in its metadata:
 *
 *     { "$acl": { "$r": roles, "$w": roles, "$d": roles, "$mr": roles, "$mw": roles } }
 *
 * for reading, writing and deleting, and reading and writing the metadata. Roles are a string or a list of strings: names
 * of users or groups, or `$all` for everybody who has signed in. What the list leaves out is as without a list:
 * `$admins` for a stream whose name begins with `$` (so also for `$all`), everybody for others. `"$userStreamAcl"` and
 * `"$systemStreamAcl"` in place of a list name these two. `$admins` may do everything to every stream; a list that
 * cannot be understood leaves it to them.
 */
import type { Users } from './auth.js';
import { isMetastream, metastreamOf, type Stream } from './event-index.js';
import type { EventLog } from './event-log.js';
import { CallFailed, Code, type Admission, type Status, type User } from './grpc.js';

export type Operation = 'read' | 'write' | 'delete';

/** Whether a caller may do this to a stream, by the metadata that is durable now. */
export type Permits = (user: User | undefined, operation: Operation, stream: string) => boolean;

/** Where nobody has to sign in. */
export const everything: Permits = () => true;

export const accessDenied: Status = {
  code: Code.PERMISSION_DENIED,
  message: 'access denied',
  trailers: { exception: 'access-denied' },
};

type Right = '$r' | '$w' | '$d' | '$mr' | '$mw';
type Acl = (right: Right) => readonly string[];

const ADMINS = '$admins';
const OPERATORS = '$ops';
const EVERYBODY = '$all';

const RIGHTS: Readonly<Record<Operation, Right>> = { read: '$r', write: '$w', delete: '$d' };
/** A metastream has no list of its own. */
const METASTREAM_RIGHTS: Readonly<Record<Operation, Right>> = { read: '$mr', write: '$mw', delete: '$mw' };

const userStream: Acl = () => [EVERYBODY];
const systemStream: Acl = () => [ADMINS];
const NAMED: Readonly<Record<string, Acl>> = { $userStreamAcl: userStream, $systemStreamAcl: systemStream };

/** What a metadata document says about access; `byDefault` where it says nothing. */
export function parseAcl(document: Buffer, byDefault: Acl): Acl {
  let fields: unknown;
  try {
    fields = JSON.parse(document.toString('utf8'));
  } catch {
    return byDefault;
  }
  if (typeof fields !== 'object' || fields === null || !('$acl' in fields)) return byDefault;
  const { $acl } = fields;
  if (typeof $acl === 'string') return NAMED[$acl] ?? systemStream;
  if (typeof $acl !== 'object' || $acl === null || Array.isArray($acl)) return systemStream;
  const lists = new Map<string, readonly string[]>();
  for (const [right, roles] of Object.entries($acl)) {
    const list: unknown[] = Array.isArray(roles) ? roles : [roles];
    lists.set(
      right,
      list.filter((role) => typeof role === 'string'),
    );
  }
  return (right) => lists.get(right) ?? byDefault(right);
}

/** Permissions by the lists in a log. */
export function permitsBy(log: EventLog): Permits {
  /** By metastream: what its last event says. */
  const parsed = new WeakMap<Stream, { readonly revision: number; readonly acl: Acl }>();
  const aclOf = (name: string): Acl => {
    const byDefault = name.startsWith('$') ? systemStream : userStream;
    const metastream = log.index.find(metastreamOf(name));
    if (!metastream || metastream.last < 0) return byDefault;
    const known = parsed.get(metastream);
    if (known?.revision === metastream.last) return known.acl;
    const acl = parseAcl(log.event(metastream.events.get(metastream.last)).data, byDefault);
    parsed.set(metastream, { revision: metastream.last, acl });
    return acl;
  };
  return (user, operation, stream) => {
    if (!user) return false;
    if (user.groups.includes(ADMINS)) return true;
    const roles = isMetastream(stream)
      ? aclOf(stream.slice(2))(METASTREAM_RIGHTS[operation])
      : aclOf(stream)(RIGHTS[operation]);
    return roles.some((role) => role === EVERYBODY || role === user.name || user.groups.includes(role));
  };
}

/** Asked before a client has signed in, without credentials. */
const OPEN = /^\/event_store\.client\.(server_features|gossip)\./;
/** These look at the stream themselves. */
const BY_STREAM = /^\/event_store\.client\.streams\./;

/** Lets those in who say who they are; what is neither open nor about one stream is for `$ops` and `$admins`. */
export const signedIn =
  (users: Users): Admission =>
  (path, authorization) => {
    if (OPEN.test(path)) return undefined;
    if (authorization === undefined) throw new CallFailed(accessDenied);
    const user = users.authenticate(authorization);
    if (BY_STREAM.test(path)) return user;
    return user instanceof Promise ? user.then(operator) : operator(user);
  };

function operator(user: User): User {
  if (!user.groups.some((group) => group === ADMINS || group === OPERATORS)) throw new CallFailed(accessDenied);
  return user;
}

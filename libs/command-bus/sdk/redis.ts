import { Cluster, Redis } from 'ioredis';

/** One node, or a cluster that looks like one. */
export type Connection = Redis | Cluster;

/** The URL of Redis cannot be used. Never repeats it: it may hold a password. */
export class RedisUrlRefused extends Error {
  override readonly name = 'RedisUrlRefused';
}

/** Where Redis is, as it may be shown: without user and password. */
export function shownRedisUrl(url: string): string {
  return url.replace(/^([a-z+]+:\/\/).*@/i, '$1');
}

const FORM =
  /^(rediss?|rediss?\+sentinel|rediss?\+cluster):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/@\s]+)(?:\/([^/?#\s]*))?$/;
const HOST = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;

interface Target {
  readonly kind: 'node' | 'sentinel' | 'cluster';
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** The database, or the name of the sentinels' master. */
  readonly path: string;
  readonly options: { readonly username?: string; readonly password?: string; readonly tls?: object };
}

/**
 * The forms are `redis://host:6379/0`, `redis+sentinel://host:26379,host:26379/master-name` and
 * `redis+cluster://host:6379,host:6379`; `rediss` for TLS; `user:password@` before the hosts.
 *
 * @throws RedisUrlRefused
 */
export function parseRedisUrl(url: string): Target {
  const [, scheme = '', user, password, hosts = '', path = ''] = FORM.exec(url) ?? [];
  if (scheme === '')
    throw new RedisUrlRefused('none of redis://, redis+sentinel:// and redis+cluster:// (rediss for TLS)');
  const [protocol, form] = scheme.split('+');
  const kind = form === 'sentinel' || form === 'cluster' ? form : 'node';
  const parsed = hosts.split(',').map((text) => {
    const [, host, port] = HOST.exec(text) ?? [];
    if (host === undefined || Number(port ?? 0) > 65_535) throw new RedisUrlRefused('a host is malformed');
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? (kind === 'sentinel' ? 26_379 : 6_379)) };
  });
  if (kind === 'node' && parsed.length > 1) throw new RedisUrlRefused('redis:// takes one host');
  if (kind === 'node' && !/^\d{0,2}$/.test(path)) throw new RedisUrlRefused('the database is not a number');
  if (kind === 'sentinel' && path === '') throw new RedisUrlRefused('redis+sentinel:// needs /<name of the master>');
  if (kind === 'cluster' && path !== '') throw new RedisUrlRefused('a cluster has one database: no path');
  return {
    kind,
    hosts: parsed,
    path,
    options: {
      ...(user && { username: decoded(user) }),
      ...(password && { password: decoded(password) }),
      ...(protocol === 'rediss' && { tls: {} }),
    },
  };
}

/** Longest pause between two attempts to connect, in milliseconds. */
const LONGEST_PAUSE = 1_000;

/**
 * Opens a connection that comes back by itself.
 *
 * @param waits whether commands wait for Redis to come back; otherwise they fail when the connection does.
 * @throws RedisUrlRefused
 */
export function connectRedis(url: string, waits: boolean, onError: (error: Error) => void): Connection {
  const { kind, hosts, path, options } = parseRedisUrl(url);
  const common = {
    ...options,
    retryStrategy: (attempt: number) => Math.min(50 * attempt, LONGEST_PAUSE),
    maxRetriesPerRequest: waits ? null : 0,
    enableOfflineQueue: waits,
    autoResendUnfulfilledCommands: false,
    // A master that was replaced and still answers: the connection looks for its successor.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    connectTimeout: 5_000,
  };
  const connection =
    kind === 'cluster'
      ? new Cluster([...hosts], {
          redisOptions: common,
          enableOfflineQueue: waits,
          clusterRetryStrategy: (attempt) => Math.min(50 * attempt, LONGEST_PAUSE),
        })
      : kind === 'sentinel'
        ? new Redis({
            ...common,
            sentinels: [...hosts],
            name: path,
            ...(options.tls && { enableTLSForSentinelMode: true }),
          })
        : new Redis({ ...common, ...hosts[0]!, db: Number(path || 0) });
  connection.on('error', onError);
  return connection;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RedisUrlRefused('the user or the password is not percent-encoded');
  }
}

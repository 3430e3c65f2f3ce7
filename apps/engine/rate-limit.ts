import type { FastifyInstance, FastifyRequest } from 'fastify';
import rateLimit, { type FastifyRateLimitStore } from '@fastify/rate-limit';
import { sessionOf } from '#access';
import { connectRedis, type Connection } from '#command-bus/sdk';
import type { Actor } from '#kernel';

export interface RateLimits {
  /** Requests a minute with one credential. */
  readonly perCredential: number;
  /** Requests a minute from one address (IPv6: one /64) without a credential that is known to open anything. */
  readonly perAddress: number;
}

interface Parts extends RateLimits {
  /** A name for a credential or an address that nobody can turn back; the same in every engine. */
  readonly nameOf: (text: string) => string;
  /** Where several engines count together; each counts by itself when absent, and while Redis does not answer. */
  readonly redisUrl?: string;
}

const WINDOW = 60_000;
/** How long Redis may take to count a request before it is counted here, in milliseconds. */
const PATIENCE = 250;
/** Windows and credentials that one engine remembers; the oldest are forgotten first. */
const REMEMBERED = 20_000;
/** Probes come often, and must not fail because others ask too much. */
const PROBES = ['/health/live', '/health/ready'];
const CREDENTIAL = 'credential ';

/**
 * Limits how many requests are taken: by credential, once it has opened a door; by address until then, so that guessing
 * credentials is no way around. Over the limit the answer is 429 with `Retry-After`; every answer says in
 * `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds) how things stand.
 *
 * @returns closes the connection to Redis.
 */
export async function limitRates(fastify: FastifyInstance, parts: Parts): Promise<() => void> {
  const redis = parts.redisUrl === undefined ? undefined : connectRedis(parts.redisUrl, false, () => undefined);
  const known = new Set<string>();
  const credentialOf = ({ headers }: FastifyRequest): string | undefined => {
    // As the guard sees it: a bearer token, else the session.
    const brought = headers.authorization ?? sessionOf(headers.cookie);
    return brought === undefined ? undefined : `${CREDENTIAL}${parts.nameOf(brought)}`;
  };
  await fastify.register(rateLimit, {
    global: false,
    enableDraftSpec: true,
    timeWindow: WINDOW,
    max: (_request, key) => (key.startsWith(CREDENTIAL) ? parts.perCredential : parts.perAddress),
    keyGenerator: (request) => {
      const credential = credentialOf(request);
      return credential !== undefined && known.has(credential)
        ? credential
        : `address ${parts.nameOf(rateLimit.normalizeIP(request.ip))}`;
    },
    allowList: ({ url }) => PROBES.includes(url),
    store: storeIn(redis),
    errorResponseBuilder: () => Object.assign(new Error('too many requests'), { statusCode: 429 }),
  });
  // On the whole server rather than route by route: what is not found is counted too.
  fastify.addHook('onRequest', fastify.rateLimit());
  fastify.addHook('onResponse', (request, reply, done) => {
    const credential = credentialOf(request);
    if (credential !== undefined) {
      // A route that is open to anyone looks at no credential: only one that gave an actor has proved itself.
      if ((request as { actor?: Actor }).actor) {
        known.add(credential);
        forgetOldest(known);
      } else if (reply.statusCode === 401) known.delete(credential);
    }
    done();
  });
  return () => redis?.disconnect();
}

type Counted = (error: Error | null, result?: { current: number; ttl: number }) => void;

/** Counts in one step, so that a counter without an end cannot be left behind. */
const COUNT = `
  local current = redis.call('INCRBY', KEYS[1], ARGV[2])
  if current == tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
  return { current, redis.call('PTTL', KEYS[1]) }`;

/** A window that Redis counts, as far as this engine knows. */
interface SharedWindow {
  /** What Redis said last, and until when, in milliseconds of this process's clock. */
  current: number;
  ends: number;
  /** Requests that Redis is being told of, and those it is told of next. */
  telling: number;
  next: Counted[];
}

/**
 * Fixed windows, counted in Redis where there is one that answers, else in this process. Far from the limit nobody
 * waits for Redis: it is told of the request afterwards, of several at once. From half of the limit on every request
 * waits to be counted, so that several engines let through no more than the limit, and what each had begun by then.
 */
function storeIn(redis: Connection | undefined): new () => FastifyRateLimitStore {
  return class Store implements FastifyRateLimitStore {
    readonly #here = new Map<string, { current: number; ends: number }>();
    readonly #shared = new Map<string, SharedWindow>();

    incr(key: string, counted: Counted, window = WINDOW, max = 0): void {
      if (redis?.status !== 'ready') return counted(null, this.#countHere(key, window));
      let shared = this.#shared.get(key);
      if (!shared) {
        this.#shared.set(key, (shared = { current: 0, ends: 0, telling: 0, next: [] }));
        forgetOldest(this.#shared);
      }
      const now = performance.now();
      const current = shared.current + shared.telling + shared.next.length + 1;
      if (shared.ends > now && current * 2 <= max) {
        counted(null, { current, ttl: shared.ends - now });
        shared.next.push(() => undefined);
      } else shared.next.push(counted);
      if (shared.telling === 0) void this.#tell(redis, key, shared, window);
    }

    child(): FastifyRateLimitStore {
      return this;
    }

    async #tell(connection: Connection, key: string, shared: SharedWindow, window: number): Promise<void> {
      const name = `custos:rate:${key.replace(' ', ':')}`;
      while (shared.next.length > 0) {
        const told = shared.next;
        shared.next = [];
        shared.telling = told.length;
        const answer = await inTime(connection.eval(COUNT, 1, name, window, told.length)).catch(() => undefined);
        if (answer === undefined) told.forEach((counted) => counted(null, this.#countHere(key, window)));
        else {
          const [current, left] = answer as [number, number];
          const ttl = Math.max(left, 0);
          shared.current = current;
          shared.ends = performance.now() + ttl;
          told.forEach((counted, index) => counted(null, { current: current - told.length + index + 1, ttl }));
        }
        shared.telling = 0;
      }
    }

    #countHere(key: string, window: number): { current: number; ttl: number } {
      const now = performance.now();
      let found = this.#here.get(key);
      if (!found || found.ends <= now) {
        this.#here.delete(key);
        this.#here.set(key, (found = { current: 0, ends: now + window }));
        forgetOldest(this.#here);
      }
      found.current += 1;
      return { current: found.current, ttl: found.ends - now };
    }
  };
}

/** @throws Error when Redis has not answered in the time it may take. */
async function inTime<T>(asked: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(reject, PATIENCE, new Error('late'))));
  return Promise.race([asked, late]).finally(() => clearTimeout(timer));
}

function forgetOldest(among: Map<string, unknown> | Set<string>): void {
  if (among.size <= REMEMBERED) return;
  const oldest = among.keys().next();
  if (!oldest.done) among.delete(oldest.value);
}

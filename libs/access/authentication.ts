import { parseCookie } from 'cookie';
import type { Actor } from '#kernel';
import { systemClock, type Clock } from '#slice';
import type { IdentityProvider } from './identity-provider.js';
import { isCsrfOf } from './sessions.js';
import type { AccessStore } from './store.js';

/** The cookie of a session. The prefix lets no other host, path or cleartext page set it. */
export const SESSION_COOKIE = '__Host-custos';

/** What is looked at of a request. */
export interface Credentials {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export type Authenticated =
  | { readonly actor: Actor }
  /** `forged`: a change that a page of another site may have sent in somebody's name. */
  | { readonly actor?: undefined; readonly reason: 'nobody' | 'forged' };

const HARMLESS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Says who sends a request: by a bearer token of this installation or of its identity provider, or by the session of
 * the console. One door for all: a request that brings several is judged by its bearer token alone.
 */
export class Authentication {
  constructor(
    private readonly store: AccessStore,
    private readonly provider?: IdentityProvider,
    private readonly clock: Clock = systemClock,
  ) {}

  /**
   * @throws IdentityProviderUnavailable when the keys to judge by cannot be had.
   */
  async of({ method, headers }: Credentials): Promise<Authenticated> {
    const bearer = bearerOf(headers['authorization']);
    const actor = bearer === undefined ? undefined : await this.holderOf(bearer);
    if (headers['authorization'] !== undefined) return actor ? { actor } : { reason: 'nobody' };

    const session = sessionOf(headers['cookie']);
    if (session === undefined) return { reason: 'nobody' };
    const holder = await this.store.sessions.actorOf(session, this.clock.now());
    if (!holder) return { reason: 'nobody' };
    const csrf = headers['x-csrf-token'];
    if (!HARMLESS.has(method) && !(typeof csrf === 'string' && isCsrfOf(session, csrf))) return { reason: 'forged' };
    return { actor: holder };
  }

  /**
   * Who holds a bearer token, whatever way it came: over HTTP, or within a message of the bus.
   *
   * @throws IdentityProviderUnavailable when the keys to judge by cannot be had.
   */
  async holderOf(token: string): Promise<Actor | undefined> {
    const at = this.clock.now();
    if (token.split('.').length !== 3) return this.store.tokens.actorOf(token, at);
    const proved = await this.provider?.actorOf(token);
    if (!proved || (await this.store.directory.isBarred(proved.actor.id))) return undefined;
    await this.store.directory.remember(proved.actor.id, this.provider?.issuer ?? '', proved.subject, at);
    return proved.actor;
  }
}

function bearerOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? /^Bearer ([!-~]{1,8192})$/.exec(header)?.[1] : undefined;
}

/** The session a request brings; `undefined` when it brings none. */
export function sessionOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? parseCookie(header)[SESSION_COOKIE] : undefined;
}

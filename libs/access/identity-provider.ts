import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import type { Actor } from '#kernel';
import { EMPLOYED_ROLES } from '#slice';

/** What an installation trusts an identity provider with (OpenID Connect Discovery 1.0, RFC 9068). */
export interface IdentityProviderOptions {
  /** Exactly as tokens name it. */
  readonly issuer: string;
  /** What tokens for this engine name as their audience. */
  readonly audience: string;
  /** The claim that holds the roles: a list, or words with blanks between them. */
  readonly rolesClaim: string;
  /** A keyed digest: names of people must not stand in the log. */
  readonly pseudonym: (name: string) => string;
}

/** The identity provider does not answer. Nobody was judged; it may be tried again. */
export class IdentityProviderUnavailable extends Error {
  override readonly name = 'IdentityProviderUnavailable';
}

/** Signatures that prove who signed: none that a holder of the public key could make. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** How much clocks may differ, in seconds. */
const TOLERANCE = 60;
const PATIENCE = 5_000;
/** Roles that a provider may give. `system` is the engine's own, and no provider says which person a subject is here. */
const ROLES: readonly string[] = ['service', ...EMPLOYED_ROLES];

/** Access tokens of an identity provider, checked against the keys it publishes. */
export class IdentityProvider {
  #keys: Promise<JWTVerifyGetKey> | undefined;

  constructor(private readonly options: IdentityProviderOptions) {}

  get issuer(): string {
    return this.options.issuer;
  }

  /**
   * Whose token it is; `undefined` when it proves nothing: signed by another or not at all, for another audience, out
   * of its time, or without a role of this engine.
   *
   * @throws IdentityProviderUnavailable when its keys cannot be had.
   */
  async actorOf(token: string): Promise<{ readonly actor: Actor; readonly subject: string } | undefined> {
    const { issuer, audience, rolesClaim, pseudonym } = this.options;
    let claims;
    try {
      const { payload } = await jwtVerify(token, await this.#published(), {
        issuer,
        audience,
        algorithms: ALGORITHMS,
        clockTolerance: TOLERANCE,
        requiredClaims: ['sub', 'exp', 'iat'],
      });
      claims = payload;
    } catch (error) {
      if (error instanceof IdentityProviderUnavailable) throw error;
      if (error instanceof errors.JWKSTimeout) throw new IdentityProviderUnavailable();
      if (error instanceof errors.JOSEError) return undefined;
      throw new IdentityProviderUnavailable();
    }
    const subject = claims.sub ?? '';
    const roles = wordsOf(claims[rolesClaim]).filter((role) => ROLES.includes(role));
    if (subject === '' || roles.length === 0) return undefined;
    // What comes from outside is taken on only as far as it looks like what it should be.
    const amr = wordsOf(claims['amr']).filter((each) => /^[a-z0-9_-]{1,32}$/i.test(each));
    const acr =
      typeof claims['acr'] === 'string' && /^[\x21-\x7e]{1,128}$/.test(claims['acr']) ? claims['acr'] : undefined;
    return {
      subject,
      actor: {
        id: `oidc-${pseudonym(`${issuer} ${subject}`).slice(0, 32)}`,
        type: roles.includes('service') ? 'service_account' : 'user',
        roles,
        authentication: { method: 'oidc', ...(acr !== undefined && { acr }), ...(amr.length > 0 && { amr }) },
      },
    };
  }

  /** The provider's keys, found by its discovery document; asked for again when that failed. */
  async #published(): Promise<JWTVerifyGetKey> {
    this.#keys ??= this.#discover();
    try {
      return await this.#keys;
    } catch {
      this.#keys = undefined;
      throw new IdentityProviderUnavailable();
    }
  }

  async #discover(): Promise<JWTVerifyGetKey> {
    const { issuer } = this.options;
    const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
      signal: AbortSignal.timeout(PATIENCE),
      redirect: 'error',
    });
    const document = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
    if (!response.ok || document.issuer !== issuer || typeof document.jwks_uri !== 'string')
      throw new IdentityProviderUnavailable();
    const address = new URL(document.jwks_uri);
    if (!isTrustworthy(address)) throw new IdentityProviderUnavailable();
    return createRemoteJWKSet(address, {
      timeoutDuration: PATIENCE,
      [customFetch]: (url, options) => fetch(url, { ...options, redirect: 'error' }),
    });
  }
}

/** Whether keys fetched from there are those of whom they seem: by TLS, or without leaving the machine. */
function isTrustworthy(address: URL): boolean {
  const loopback = /^(localhost|\[::1\]|127(\.\d{1,3}){3})$/.test(address.hostname);
  return address.protocol === 'https:' || (address.protocol === 'http:' && loopback);
}

function wordsOf(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return claim.split(' ').filter((word) => word !== '');
  return Array.isArray(claim) ? claim.filter((word): word is string => typeof word === 'string') : [];
}

import { accessSync, constants } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseRedisUrl, RedisUrlRefused } from '#command-bus/sdk';
import { instant, parseInstant, type Instant } from '#kernel';

/** A setting cannot be used. One line, names the variable, never repeats its value. */
export class BadSetting extends Error {
  override readonly name = 'BadSetting';
  constructor(
    readonly variable: string,
    reason: string,
  ) {
    super(`${variable}: ${reason}`);
  }
}

/** The effective settings of a process. Read once at start, from the environment alone. */
export interface Configuration {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** `embedded`, or the connection string of a server. */
  readonly eventStore:
    { readonly kind: 'embedded'; readonly port: number } | { readonly kind: 'server'; readonly url: string };
  readonly databaseUrl: string;
  readonly keyVaultUrl: string;
  readonly accessUrl: string;
  readonly searchIndexUrl: string;
  readonly masterKey: string;
  /** The provider that says who people and services are; local tokens and accounts only when absent. */
  readonly identity?: { readonly issuer: string; readonly audience: string; readonly rolesClaim: string };
  /** Files of the certificate and its key; cleartext on loopback, or behind a proxy, when absent. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** The message bus; commands come over HTTP only when absent. */
  readonly bus?: { readonly url: string; readonly allowPlaintext: boolean };
  /** How HTTP is guarded. */
  readonly http: {
    /** Requests a minute. */
    readonly limits: { readonly perCredential: number; readonly perAddress: number };
    readonly corsOrigins: readonly string[];
    readonly trustedProxies: readonly string[];
  };
  /** Policy file to apply at start; the shipped one when absent. */
  readonly policyFile?: string;
  /** File that every destruction of a key is written to as well; kept apart from the backups. */
  readonly erasureJournal?: string;
  readonly clock: { readonly kind: 'system' } | { readonly kind: 'simulated'; readonly start: Instant };
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent';
}

/** What an environment variable is for: shown by `custos config`. */
export const SETTINGS = {
  DATA_DIR: 'folder of everything that is kept; ./data',
  HOST: 'address to listen on; 127.0.0.1',
  PORT: 'port of the HTTP API; 4000, 0 for a free one',
  EVENTSTORE_URL: 'esdb:// connection string; the embedded event log in DATA_DIR when absent',
  EVENTSTORE_PORT: 'port of the embedded event log on loopback; 0 (a free one)',
  DATABASE_URL: 'read models (may be deleted, they are rebuilt); file:DATA_DIR/read-models.db',
  KEY_VAULT_URL: 'keys and tombstones (never rebuilt, always backed up); file:DATA_DIR/vault.db',
  ACCESS_URL: 'local accounts and digests of tokens; file:DATA_DIR/access.db',
  SEARCH_INDEX_URL: 'search index (may be deleted, it is rebuilt); file:DATA_DIR/search-index.db',
  MASTER_KEY: 'file:<path> or env:<variable>; file:DATA_DIR/master.key, made at first start',
  REDIS_URL: 'message bus: redis://, redis+sentinel:// or redis+cluster://, rediss for TLS; HTTP only when absent',
  BUS_PLAINTEXT: 'refuse personal fields that come over the bus in the clear, or allow them; refuse',
  POLICY_FILE: 'policy file to apply at start; the shipped policy when absent',
  ERASURE_JOURNAL:
    'file that every destruction of a key is noted in, to be kept apart from the backups; none when absent',
  CLOCK: 'system, or simulated:<RFC 3339 timestamp> for demonstrations and tests',
  LOG_LEVEL: 'fatal, error, warn, info, debug or silent; warn',
  RATE_LIMIT: 'requests a minute with one credential; 12000',
  RATE_LIMIT_ADDRESS: 'requests a minute from one address without a credential that is known; 600',
  CORS_ORIGINS: 'origins whose pages may use the API, parted by commas; none',
  TRUSTED_PROXIES: 'addresses or networks of proxies whose X-Forwarded-For is believed, parted by commas; none',
  TLS_CERT: 'file of the certificate (chain) for HTTPS; cleartext when absent',
  TLS_KEY: 'file of the key of that certificate',
  OIDC_ISSUER: 'issuer of access tokens (OpenID Connect); local tokens and accounts only when absent',
  OIDC_AUDIENCE: 'what those tokens name as their audience; custos',
  OIDC_ROLES_CLAIM: 'claim of those tokens that holds the roles; roles',
  ALLOW_INSECURE_BIND:
    'yes-behind-a-proxy: listen beyond loopback without TLS or an identity provider of its own, because a proxy provides them',
} as const;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'silent'] as const;

/** @throws BadSetting naming the first variable that cannot be used. */
export function readConfiguration(environment: NodeJS.ProcessEnv): Configuration {
  const text = (name: keyof typeof SETTINGS): string | undefined => environment[name] || undefined;
  for (const name of Object.keys(environment))
    if (name.startsWith('CUSTOS_') && !CLIENT_VARIABLES.includes(name))
      throw new BadSetting(name, `unknown setting; known are ${Object.keys(SETTINGS).join(', ')}`);

  const dataDir = resolve(text('DATA_DIR') ?? 'data');
  const host = text('HOST') ?? '127.0.0.1';
  if (!/^[A-Za-z0-9.:_-]{1,253}$/.test(host)) throw new BadSetting('HOST', 'not a host name or address');
  const insecure = text('ALLOW_INSECURE_BIND');
  if (insecure !== undefined && insecure !== 'yes-behind-a-proxy')
    throw new BadSetting('ALLOW_INSECURE_BIND', "the only value is 'yes-behind-a-proxy'");
  const tls = tlsOf(text('TLS_CERT'), text('TLS_KEY'));
  const identity = identityOf(text('OIDC_ISSUER'), text('OIDC_AUDIENCE'), text('OIDC_ROLES_CLAIM'));
  if (!isLoopback(host) && insecure === undefined && !(tls && identity))
    throw new BadSetting(
      'HOST',
      `beyond loopback ${tls ? 'no identity provider' : 'no TLS'} would protect the API: set ${tls ? 'OIDC_ISSUER' : 'TLS_CERT and TLS_KEY'}`,
    );

  const eventStoreUrl = text('EVENTSTORE_URL');
  if (eventStoreUrl !== undefined && !/^esdb(\+discover)?:\/\/[^\s]+$/.test(eventStoreUrl))
    throw new BadSetting('EVENTSTORE_URL', 'not an esdb:// connection string');
  const clock = text('CLOCK') ?? 'system';
  const simulated = clock.startsWith('simulated:') ? parseInstant(clock.slice('simulated:'.length)) : undefined;
  if (clock !== 'system' && simulated === undefined)
    throw new BadSetting('CLOCK', 'neither system nor simulated:<RFC 3339 timestamp>');
  const logLevel = LOG_LEVELS.find((level) => level === (text('LOG_LEVEL') ?? 'warn'));
  if (!logLevel) throw new BadSetting('LOG_LEVEL', `one of ${LOG_LEVELS.join(', ')}`);
  const masterKey = text('MASTER_KEY') ?? `file:${resolve(dataDir, 'master.key')}`;
  if (!/^(file:.+|env:[A-Za-z_][A-Za-z0-9_]*)$/.test(masterKey))
    throw new BadSetting('MASTER_KEY', 'neither file:<path> nor env:<variable>');
  const policyFile = text('POLICY_FILE');
  const redisUrl = text('REDIS_URL');
  if (redisUrl !== undefined) checkRedisUrl(redisUrl);
  const plaintext = text('BUS_PLAINTEXT') ?? 'refuse';
  if (plaintext !== 'refuse' && plaintext !== 'allow')
    throw new BadSetting('BUS_PLAINTEXT', 'neither refuse nor allow');
  const erasureJournal = text('ERASURE_JOURNAL');

  return {
    dataDir,
    host,
    port: portOf('PORT', text('PORT') ?? '4000'),
    eventStore:
      eventStoreUrl === undefined
        ? { kind: 'embedded', port: portOf('EVENTSTORE_PORT', text('EVENTSTORE_PORT') ?? '0') }
        : { kind: 'server', url: eventStoreUrl },
    databaseUrl: databaseUrl('DATABASE_URL', text('DATABASE_URL'), dataDir, 'read-models.db'),
    keyVaultUrl: databaseUrl('KEY_VAULT_URL', text('KEY_VAULT_URL'), dataDir, 'vault.db'),
    accessUrl: databaseUrl('ACCESS_URL', text('ACCESS_URL'), dataDir, 'access.db'),
    searchIndexUrl: databaseUrl('SEARCH_INDEX_URL', text('SEARCH_INDEX_URL'), dataDir, 'search-index.db'),
    masterKey,
    ...(identity && { identity }),
    ...(tls && { tls }),
    ...(redisUrl !== undefined && { bus: { url: redisUrl, allowPlaintext: plaintext === 'allow' } }),
    http: {
      limits: {
        perCredential: countOf('RATE_LIMIT', text('RATE_LIMIT') ?? '12000'),
        perAddress: countOf('RATE_LIMIT_ADDRESS', text('RATE_LIMIT_ADDRESS') ?? '600'),
      },
      corsOrigins: listOf('CORS_ORIGINS', text('CORS_ORIGINS'), isOrigin, 'https://host[:port] each, parted by commas'),
      trustedProxies: listOf('TRUSTED_PROXIES', text('TRUSTED_PROXIES'), isNetwork, 'addresses or networks (CIDR)'),
    },
    ...(policyFile !== undefined && { policyFile: resolve(policyFile) }),
    ...(erasureJournal !== undefined && { erasureJournal: resolve(erasureJournal) }),
    clock: simulated === undefined ? { kind: 'system' } : { kind: 'simulated', start: instant(simulated) },
    logLevel,
  };
}

function tlsOf(certificate: string | undefined, key: string | undefined): Configuration['tls'] {
  if (certificate === undefined && key === undefined) return undefined;
  if (certificate === undefined) throw new BadSetting('TLS_CERT', 'missing: TLS_KEY names the key of a certificate');
  if (key === undefined) throw new BadSetting('TLS_KEY', 'missing: TLS_CERT names a certificate');
  for (const [name, file] of Object.entries({ TLS_CERT: certificate, TLS_KEY: key }))
    try {
      accessSync(resolve(file), constants.R_OK);
    } catch {
      throw new BadSetting(name, 'the file cannot be read');
    }
  return { certificate: resolve(certificate), key: resolve(key) };
}

function identityOf(issuer: string | undefined, audience = 'custos', rolesClaim = 'roles'): Configuration['identity'] {
  if (issuer === undefined) return undefined;
  const url = URL.canParse(issuer) && !/[?#@]/.test(issuer) ? new URL(issuer) : undefined;
  if (url?.protocol !== 'https:' && !(url?.protocol === 'http:' && isLoopback(url.hostname)))
    throw new BadSetting('OIDC_ISSUER', 'not an https: URL (http: on loopback only) without query and user');
  if (!/^[\x21-\x7e]{1,200}$/.test(audience)) throw new BadSetting('OIDC_AUDIENCE', 'not a word');
  if (!/^[A-Za-z0-9_:./-]{1,100}$/.test(rolesClaim))
    throw new BadSetting('OIDC_ROLES_CLAIM', 'not the name of a claim');
  return { issuer, audience, rolesClaim };
}

/** Variables of the command-line client and the demo, which are no settings of the engine. */
const CLIENT_VARIABLES: readonly string[] = ['CUSTOS_URL', 'CUSTOS_TOKEN'];

function databaseUrl(name: string, value: string | undefined, dataDir: string, file: string): string {
  if (value === undefined) return `file:${resolve(dataDir, file)}`;
  if (/^postgres(ql)?:/.test(value))
    throw new BadSetting(name, 'PostgreSQL is not supported by this version yet; use file:<path>');
  if (!/^file:[^?#]+$/.test(value)) throw new BadSetting(name, 'not of the form file:<path>');
  return value;
}

function checkRedisUrl(url: string): void {
  try {
    parseRedisUrl(url);
  } catch (error) {
    if (!(error instanceof RedisUrlRefused)) throw error;
    throw new BadSetting('REDIS_URL', error.message);
  }
}

function countOf(name: string, value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new BadSetting(name, 'not a whole number from 1 to 999999999');
  return Number(value);
}

function listOf(
  name: string,
  value: string | undefined,
  fits: (each: string) => boolean,
  form: string,
): readonly string[] {
  const list = value?.split(',').map((each) => each.trim()) ?? [];
  if (!list.every(fits)) throw new BadSetting(name, `not ${form}`);
  return list;
}

/** As a browser names it: no path, no wildcard; without TLS on this machine only. */
function isOrigin(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.origin === text && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname)));
}

function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^([0-9a-fA-F.:]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits ?? 8) >= 1 && Number(bits ?? 8) <= (version === 4 ? 32 : 128);
}

function portOf(name: string, value: string): number {
  const port = Number(value);
  if (!/^\d{1,5}$/.test(value) || port > 65_535) throw new BadSetting(name, 'not a port number');
  return port;
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);

import { SETTINGS, type Configuration } from '../configuration.js';

/**
 * The effective settings, one line each: `NAME=value  # what it is for; its default`. An empty value is an absent
 * one. Credentials within a connection string are masked.
 */
export function settingLines(configuration: Configuration, environment: NodeJS.ProcessEnv): readonly string[] {
  const { eventStore, clock } = configuration;
  const values: Readonly<Record<keyof typeof SETTINGS, string | number>> = {
    DATA_DIR: configuration.dataDir,
    HOST: configuration.host,
    PORT: configuration.port,
    EVENTSTORE_URL: eventStore.kind === 'server' ? masked(eventStore.url) : '',
    EVENTSTORE_PORT: eventStore.kind === 'embedded' ? eventStore.port : '',
    DATABASE_URL: masked(configuration.databaseUrl),
    KEY_VAULT_URL: masked(configuration.keyVaultUrl),
    ACCESS_URL: masked(configuration.accessUrl),
    SEARCH_INDEX_URL: masked(configuration.searchIndexUrl),
    MASTER_KEY: configuration.masterKey,
    REDIS_URL: configuration.bus ? masked(configuration.bus.url) : '',
    BUS_PLAINTEXT: configuration.bus?.allowPlaintext ? 'allow' : 'refuse',
    POLICY_FILE: configuration.policyFile ?? '',
    ERASURE_JOURNAL: configuration.erasureJournal ?? '',
    CLOCK: clock.kind === 'system' ? 'system' : `simulated:${clock.start}`,
    LOG_LEVEL: configuration.logLevel,
    RATE_LIMIT: configuration.http.limits.perCredential,
    RATE_LIMIT_ADDRESS: configuration.http.limits.perAddress,
    CORS_ORIGINS: configuration.http.corsOrigins.join(','),
    TRUSTED_PROXIES: configuration.http.trustedProxies.join(','),
    TLS_CERT: configuration.tls?.certificate ?? '',
    TLS_KEY: configuration.tls?.key ?? '',
    OIDC_ISSUER: configuration.identity?.issuer ?? '',
    OIDC_AUDIENCE: configuration.identity?.audience ?? '',
    OIDC_ROLES_CLAIM: configuration.identity?.rolesClaim ?? '',
    ALLOW_INSECURE_BIND: environment['ALLOW_INSECURE_BIND'] ?? '',
  };
  return Object.entries(SETTINGS).map(
    ([name, meaning]) => `${name}=${values[name as keyof typeof SETTINGS]}  # ${meaning}`,
  );
}

/** Everything before the last `@` may be part of a password. */
const masked = (url: string): string => url.replace(/^([a-z][a-z0-9+.-]*:\/\/).*@/is, '$1***@');

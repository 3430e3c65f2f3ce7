import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BadSetting, readConfiguration } from './configuration.js';

let folder: string;
let tls: { readonly TLS_CERT: string; readonly TLS_KEY: string };
const OIDC_ISSUER = 'https://id.example.test/realms/custos';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'configuration-'));
  tls = { TLS_CERT: join(folder, 'cert.pem'), TLS_KEY: join(folder, 'key.pem') };
  for (const file of Object.values(tls)) writeFileSync(file, '');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The variable that is wrong, with the line about it. */
function wrong(environment: NodeJS.ProcessEnv): readonly [string, string] | undefined {
  try {
    readConfiguration(environment);
    return undefined;
  } catch (error) {
    if (!(error instanceof BadSetting)) throw error;
    return [error.variable, error.message];
  }
}

describe('an address beyond loopback', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'custos.example.test', '127.0.0.1.example.test'])(
    '%s needs TLS and an identity provider',
    (HOST) => {
      expect(wrong({ HOST })?.[0]).toBe('HOST');
      expect(wrong({ HOST, OIDC_ISSUER })?.[1]).toContain('TLS_CERT and TLS_KEY');
      expect(wrong({ HOST, ...tls })?.[1]).toContain('OIDC_ISSUER');
      expect(wrong({ HOST, ...tls, OIDC_ISSUER })).toBeUndefined();
    },
  );

  it('may be left to a proxy, in so many words', () => {
    expect(wrong({ HOST: '0.0.0.0', ALLOW_INSECURE_BIND: 'yes-behind-a-proxy' })).toBeUndefined();
    for (const other of ['yes', 'true', '1'])
      expect(wrong({ HOST: '0.0.0.0', ALLOW_INSECURE_BIND: other })?.[0]).toBe('ALLOW_INSECURE_BIND');
  });

  it.each(['127.0.0.1', 'localhost', '::1', '127.1.2.3'])('is not %s', (HOST) =>
    expect(wrong({ HOST })).toBeUndefined(),
  );
});

describe('an identity provider', () => {
  it('is known with its audience and the claim of its roles', () => {
    expect(readConfiguration({ OIDC_ISSUER }).identity).toEqual({
      issuer: OIDC_ISSUER,
      audience: 'custos',
      rolesClaim: 'roles',
    });
    expect(
      readConfiguration({ OIDC_ISSUER, OIDC_AUDIENCE: 'api', OIDC_ROLES_CLAIM: 'https://a.example/roles' }).identity,
    ).toMatchObject({ audience: 'api', rolesClaim: 'https://a.example/roles' });
  });

  it.each([
    'http://id.example.test',
    'id.example.test',
    'ftp://127.0.0.1',
    'https://user:secret@id.example.test',
    'https://id.example.test/?tenant=1',
  ])('is not %s, and the line does not repeat it', (issuer) => {
    const found = wrong({ OIDC_ISSUER: issuer });
    expect(found?.[0]).toBe('OIDC_ISSUER');
    expect(found?.[1]).not.toContain('example.test');
  });

  it('may be on this machine without TLS', () =>
    expect(wrong({ OIDC_ISSUER: 'http://127.0.0.1:8080/realms/custos' })).toBeUndefined());
});

describe('TLS', () => {
  it('needs the certificate and its key', () => {
    expect(wrong({ TLS_CERT: tls.TLS_CERT })?.[0]).toBe('TLS_KEY');
    expect(wrong({ TLS_KEY: tls.TLS_KEY })?.[0]).toBe('TLS_CERT');
    expect(wrong({ ...tls, TLS_KEY: join(folder, 'none.pem') })).toEqual([
      'TLS_KEY',
      'TLS_KEY: the file cannot be read',
    ]);
  });
});

it('names a setting that is unknown', () => expect(wrong({ CUSTOS_PORT: '4000' })?.[0]).toBe('CUSTOS_PORT'));

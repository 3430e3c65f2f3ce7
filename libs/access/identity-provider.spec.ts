import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey, type JWTPayload } from 'jose';
import { IdentityProvider, IdentityProviderUnavailable } from './index.js';

/** A provider of identities on this machine: a discovery document, and the keys it publishes. */
let server: Server;
let issuer: string;
let published: {
  readonly kid: string;
  readonly key: { readonly publicKey: CryptoKey; readonly privateKey: CryptoKey };
}[];
let answers = true;
let asked = 0;

const keyNamed = async (kid: string, alg = 'ES256') => ({
  kid,
  key: await generateKeyPair(alg, { extractable: true }),
});

beforeAll(async () => {
  published = [await keyNamed('first')];
  server = createServer((request, response) => {
    asked += 1;
    const reply = async (): Promise<object> =>
      request.url === '/.well-known/openid-configuration'
        ? { issuer, jwks_uri: `${issuer}/keys` }
        : {
            keys: await Promise.all(
              published.map(async ({ kid, key }) => ({ ...(await exportJWK(key.publicKey)), kid, use: 'sig' })),
            ),
          };
    if (!answers) return void response.writeHead(503).end();
    void reply().then((body) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const provider = (more: object = {}) =>
  new IdentityProvider({
    issuer,
    audience: 'custos',
    rolesClaim: 'roles',
    pseudonym: (name) => createHmac('sha256', 'secret').update(name).digest('hex'),
    ...more,
  });

const CLAIMS: JWTPayload = { sub: 'asha@example.test', roles: ['staff'], acr: 'urn:example:mfa', amr: ['pwd', 'otp'] };
const NOW = () => Math.floor(Date.now() / 1000);

/** A token as the provider makes it, with changes. */
function token(changes: Record<string, unknown> = {}, by = published[0]!, alg = 'ES256'): Promise<string> {
  const claims = { iss: issuer, aud: 'custos', iat: NOW(), exp: NOW() + 300, ...CLAIMS, ...changes };
  return new SignJWT(Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined)))
    .setProtectedHeader({ alg, kid: by.kid })
    .sign(by.key.privateKey);
}

describe('a token of the identity provider', () => {
  it('says who sends it, under an id that says nothing, and how they proved it', async () => {
    const found = await provider().actorOf(await token());
    expect(found?.subject).toBe('asha@example.test');
    expect(found?.actor).toMatchObject({
      type: 'user',
      roles: ['staff'],
      authentication: { method: 'oidc', acr: 'urn:example:mfa', amr: ['pwd', 'otp'] },
    });
    expect(found?.actor.id).toMatch(/^oidc-[0-9a-f]{32}$/);
    expect((await provider().actorOf(await token()))?.actor.id).toBe(found?.actor.id);
    expect((await provider().actorOf(await token({ sub: 'other' })))?.actor.id).not.toBe(found?.actor.id);
  });

  it('brings the roles of this engine only, as a list or as words, and never the engine’s own', async () => {
    const rolesOf = async (roles: unknown) => (await provider().actorOf(await token({ roles })))?.actor.roles;
    expect(await rolesOf(['service', 'admin', 'system', 7])).toEqual(['service']);
    expect(await rolesOf('staff legal')).toEqual(['staff', 'legal']);
    for (const none of [[], ['system'], ['admin'], undefined, 7, { staff: true }])
      expect(await rolesOf(none)).toBeUndefined();
    const named = await provider({ rolesClaim: 'https://example.test/roles' }).actorOf(
      await token({ 'https://example.test/roles': ['auditor'] }),
    );
    expect(named?.actor.roles).toEqual(['auditor']);
  });

  it('is a service’s when it has that role', async () =>
    expect((await provider().actorOf(await token({ roles: ['service'] })))?.actor.type).toBe('service_account'));

  it('takes on nothing of acr and amr that does not look like them', async () => {
    const odd = await provider().actorOf(await token({ acr: 'a\nb', amr: ['pwd', 'x\ny', 3] }));
    expect(odd?.actor.authentication).toEqual({ method: 'oidc', amr: ['pwd'] });
  });

  it.each<[string, Record<string, unknown>]>([
    ['for another audience', { aud: 'payroll' }],
    ['for no audience', { aud: undefined }],
    ['of another issuer', { iss: 'https://id.example.test' }],
    ['that has expired', { iat: 1_000, exp: 2_000 }],
    ['without an end', { exp: undefined }],
    ['without a beginning', { iat: undefined }],
    ['that is not good yet', { nbf: 9_000_000_000 }],
    ['of nobody', { sub: undefined }],
    ['of nobody in particular', { sub: '' }],
  ])('%s opens nothing', async (_what, changes) =>
    expect(await provider().actorOf(await token(changes))).toBeUndefined(),
  );

  it('is good a minute more or less: clocks differ', async () => {
    expect(await provider().actorOf(await token({ exp: NOW() - 50 }))).toBeDefined();
    expect(await provider().actorOf(await token({ nbf: NOW() + 50 }))).toBeDefined();
    expect(await provider().actorOf(await token({ exp: NOW() - 70 }))).toBeUndefined();
  });

  describe('that is forged opens nothing', () => {
    const claims = () => ({ iss: issuer, aud: 'custos', iat: NOW(), exp: NOW() + 300, ...CLAIMS });

    it('not signed at all', async () => {
      expect(await provider().actorOf(new UnsecuredJWT(claims()).encode())).toBeUndefined();
      const [, payload] = (await token()).split('.');
      for (const alg of ['none', 'None', 'NONE', '']) {
        const header = Buffer.from(JSON.stringify({ alg, kid: 'first' })).toString('base64url');
        expect(await provider().actorOf(`${header}.${payload}.`)).toBeUndefined();
      }
    });

    it('signed by another key under the same name', async () =>
      expect(await provider().actorOf(await token({}, await keyNamed('first')))).toBeUndefined());

    it('signed by a key that is not published', async () =>
      expect(await provider().actorOf(await token({}, await keyNamed('unheard-of')))).toBeUndefined());

    it('signed with the public key as if it were a secret', async () => {
      const { key } = published[0]!;
      const spellings = [await exportSPKI(key.publicKey), JSON.stringify(await exportJWK(key.publicKey))];
      for (const spelling of spellings) {
        const forged = await new SignJWT(claims())
          .setProtectedHeader({ alg: 'HS256', kid: 'first' })
          .sign(Buffer.from(spelling));
        expect(await provider().actorOf(forged)).toBeUndefined();
      }
    });

    it('bringing its own key along', async () => {
      const own = await keyNamed('own');
      const jwk = await exportJWK(own.key.publicKey);
      for (const header of [{ jwk }, { jku: `${issuer}/keys` }, { kid: 'first', jwk }]) {
        const forged = await new SignJWT(claims())
          .setProtectedHeader({ alg: 'ES256', ...header })
          .sign(own.key.privateKey);
        expect(await provider().actorOf(forged)).toBeUndefined();
      }
    });

    it('changed after it was signed', async () => {
      const [header, payload = '', signature] = (await token()).split('.');
      const changed = { ...(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object), roles: ['operator'] };
      const forged = [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
      expect(await provider().actorOf(forged)).toBeUndefined();
    });

    it.each(['a.b.c', '..', 'eyJhbGciOiJFUzI1NiJ9..', 'é.é.é'])('not a token: %s', async (text) =>
      expect(await provider().actorOf(text)).toBeUndefined(),
    );
  });

  it('is judged by the keys that are published now', async () => {
    const mine = provider();
    expect(await mine.actorOf(await token())).toBeDefined();
    const next = await keyNamed('next');
    published = [...published, next];
    // Keys are asked for again when a token names an unknown one, half a minute apart at least: a new process asks at once.
    expect(await provider().actorOf(await token({}, next))).toBeDefined();
    published = [next];
    expect(await provider().actorOf(await token({}, await keyNamed('first')))).toBeUndefined();
  });

  it('is judged without asking the provider each time', async () => {
    const mine = provider();
    await mine.actorOf(await token());
    const before = asked;
    for (let use = 0; use < 20; use += 1) expect(await mine.actorOf(await token())).toBeDefined();
    expect(asked).toBe(before);
  });

  it('is neither good nor bad while the provider does not answer, and is judged when it does', async () => {
    const mine = provider();
    answers = false;
    await expect(mine.actorOf(await token())).rejects.toBeInstanceOf(IdentityProviderUnavailable);
    answers = true;
    expect(await mine.actorOf(await token())).toBeDefined();
  });

  it('of a provider that calls itself otherwise, or keeps its keys in the clear elsewhere, is not judged', async () => {
    await expect(provider({ issuer: `${issuer}/` }).actorOf(await token())).rejects.toBeInstanceOf(
      IdentityProviderUnavailable,
    );
    const own = issuer;
    const keysElsewhere = createServer((_request, response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ issuer: `http://127.0.0.1:${port}`, jwks_uri: 'http://192.0.2.1/keys' })),
    );
    await new Promise<void>((resolve) => keysElsewhere.listen(0, '127.0.0.1', resolve));
    const { port } = keysElsewhere.address() as AddressInfo;
    await expect(
      provider({ issuer: `http://127.0.0.1:${port}` }).actorOf(await token({ iss: own })),
    ).rejects.toBeInstanceOf(IdentityProviderUnavailable);
    await new Promise((resolve) => keysElsewhere.close(resolve));
  });
});

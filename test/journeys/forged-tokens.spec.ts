import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exportJWK, exportSPKI, generateKeyPair, UnsecuredJWT } from 'jose';
import { CustosClient, RequestRefused } from '#command-bus/sdk';
import { IdentityProviderServer } from '../identity-provider.js';
import { Installation } from '../installation.js';
import { describeWithRedis, RedisServer } from '../redis.js';

const AUDITOR = { sub: 'mallory', roles: ['auditor'] };
const part = (content: object): string => Buffer.from(JSON.stringify(content)).toString('base64url');
const now = (): number => Math.floor(Date.now() / 1000);

/** What an attacker who may read everything the provider publishes, and any token, may try (RFC 8725). */
async function forgeries(provider: IdentityProviderServer): Promise<readonly (readonly [string, string])[]> {
  const good = await provider.sign(AUDITOR);
  const [header = '', payload = '', signature = ''] = good.split('.');
  const own = await generateKeyPair('RS256', { extractable: true });
  const elliptic = await generateKeyPair('ES256', { extractable: true });
  const claims = { iss: provider.issuer, aud: 'custos-test', iat: now(), exp: now() + 300, ...AUDITOR };
  const spki = await exportSPKI(provider.publicKey);
  const jwk = await exportJWK(provider.publicKey);
  const asSecret = (spelling: string | Uint8Array, alg = 'HS256') =>
    provider.sign(AUDITOR, { alg }, typeof spelling === 'string' ? new TextEncoder().encode(spelling) : spelling);
  const unsigned = ['none', 'None', 'NONE', 'nOnE', ''].map(
    (alg) => [`alg ${alg || 'empty'}`, `${part({ alg, kid: 'one' })}.${payload}.`] as const,
  );
  const kids = [
    '../../../../dev/null',
    '/dev/null',
    "one' OR '1'='1",
    "x' UNION SELECT 'AA",
    'one\u0000',
    '__proto__',
    'http://127.0.0.1:1/keys',
    '',
  ];
  return [
    ['unsecured', new UnsecuredJWT(claims).encode()],
    ...unsigned,
    ['alg none with the signature left in place', `${part({ alg: 'none', kid: 'one' })}.${payload}.${signature}`],
    ['no signature', `${header}.${payload}.`],
    ['another signature', `${header}.${payload}.${(await provider.sign({ ...AUDITOR, sub: 'other' })).split('.')[2]}`],
    ['other claims', `${header}.${part({ ...claims, roles: ['operator'] })}.${signature}`],
    ['another key under the same kid', await provider.sign(AUDITOR, {}, own.privateKey)],
    ['a key of another kind under the same kid', await provider.sign(AUDITOR, { alg: 'ES256' }, elliptic.privateKey)],
    ['a kid that is not published', await provider.sign(AUDITOR, { kid: 'two' }, own.privateKey)],
    [
      'its own key brought along',
      await provider.sign(AUDITOR, { jwk: await exportJWK(own.publicKey) }, own.privateKey),
    ],
    ['its own key at an address', await provider.sign(AUDITOR, { jku: 'http://127.0.0.1:1/keys' }, own.privateKey)],
    [
      'its own certificate at an address',
      await provider.sign(AUDITOR, { x5u: 'http://127.0.0.1:1/c' }, own.privateKey),
    ],
    ['the public key as a secret, PEM', await asSecret(spki)],
    ['the public key as a secret, PEM without its last line break', await asSecret(spki.trimEnd())],
    ['the public key as a secret, JWK', await asSecret(JSON.stringify(jwk))],
    ['the modulus as a secret', await asSecret(Buffer.from(jwk.n ?? '', 'base64url'))],
    ['the public key as a secret, HS512', await asSecret(spki, 'HS512')],
    ['no secret at all', await asSecret(new Uint8Array(32))],
    ...(await Promise.all(
      kids.map(
        async (kid) => [`kid ${JSON.stringify(kid)}`, await provider.sign(AUDITOR, { kid }, own.privateKey)] as const,
      ),
    )),
    ...(await Promise.all(
      kids.map(
        async (kid) =>
          [
            `kid ${JSON.stringify(kid)}, HMAC`,
            await provider.sign(AUDITOR, { alg: 'HS256', kid }, new Uint8Array(32)),
          ] as const,
      ),
    )),
    ['expired', await provider.sign({ ...AUDITOR, iat: now() - 900, exp: now() - 600 })],
    ['no end', await provider.sign({ ...AUDITOR, exp: undefined })],
    ['an end that is no time', `${header}.${part({ ...claims, exp: 'never' })}.${signature}`],
    ['not good yet', await provider.sign({ ...AUDITOR, nbf: now() + 600 })],
    ['another audience', await provider.sign({ ...AUDITOR, aud: 'payroll' })],
    ['an audience that begins alike', await provider.sign({ ...AUDITOR, aud: 'custos-test2' })],
    ['no audience', await provider.sign({ ...AUDITOR, aud: undefined })],
    ['another issuer', await provider.sign({ ...AUDITOR, iss: 'https://id.example.test' })],
    ['an issuer that begins alike', await provider.sign({ ...AUDITOR, iss: `${provider.issuer}.example.test` })],
    ['nobody', await provider.sign({ ...AUDITOR, sub: undefined })],
    ['no role of this engine', await provider.sign({ sub: 'mallory', roles: ['root', 'system'] })],
    ['a person of ours', await provider.sign({ sub: 'mallory', roles: ['subject'], subjectId: 'x' })],
    ['two dots and nothing', '..'],
    ['rubbish', 'a.b.c'],
    ['an encrypted token', `${part({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`],
  ];
}

describeWithRedis('a forged token', () => {
  let provider: IdentityProviderServer;
  let redis: RedisServer;
  let custos: Installation;
  let forged: readonly (readonly [string, string])[];

  beforeAll(async () => {
    provider = await IdentityProviderServer.start();
    redis = await RedisServer.start();
    custos = await Installation.start('2026-11-23T09:00:00Z', {
      OIDC_ISSUER: provider.issuer,
      OIDC_AUDIENCE: 'custos-test',
      REDIS_URL: redis.url,
    });
    forged = await forgeries(provider);
  }, 120_000);

  afterAll(async () => {
    await custos?.remove();
    await redis?.remove();
    await provider?.stop();
  });

  const ask = async (token: string) => {
    const response = await fetch(`${custos.url}/v1/refusals`, { headers: { authorization: `Bearer ${token}` } });
    return { status: response.status, body: await response.text() };
  };

  it('opens nothing over HTTP, and is not repeated to its sender', async () => {
    expect((await ask(await provider.sign(AUDITOR))).status).toBe(200);
    expect(forged.length).toBeGreaterThan(45);
    const opened: unknown[] = [];
    for (const [what, token] of forged) {
      const { status, body } = await ask(token);
      if (status !== 401 || JSON.parse(body).code !== 'UNAUTHENTICATED_ACTOR' || body.includes(token))
        opened.push([what, status, body]);
    }
    expect(opened).toEqual([]);
    // The keys were not lost to it.
    expect((await ask(await provider.sign(AUDITOR))).status).toBe(200);
    expect(custos.output).not.toMatch(/mallory|error/i);
  });

  it('opens nothing in another header, and none of the old ways in', async () => {
    const [, token = ''] = forged[0] ?? [];
    const good = await provider.sign(AUDITOR);
    for (const headers of [
      { authorization: `bearer ${good}x` },
      { authorization: `Basic ${Buffer.from('operator:operator').toString('base64')}` },
      { authorization: `Basic ${Buffer.from('admin:changeit').toString('base64')}` },
      { authorization: '' },
      { cookie: `__Host-custos=${good}` },
      { 'x-forwarded-user': 'operator', 'x-roles': 'operator' },
      { authorization: `Bearer ${token}`, cookie: `__Host-custos=${good}` },
    ])
      expect((await fetch(`${custos.url}/v1/refusals`, { headers: headers as Record<string, string> })).status).toBe(
        401,
      );
    expect((await fetch(`${custos.url}/v1/refusals?access_token=${good}`)).status).toBe(401);
  });

  it('opens nothing over the bus, where a good one does what it does over HTTP', async () => {
    const description = (await custos.get('crm', '/v1/bus')).body;
    const as = (token: string) =>
      new CustosClient({ url: custos.url, redisUrl: redis.url, token, name: 'mallory', description });
    const command = { subjectId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', capacity: 'individual' } as const;
    const sent = async (token: string): Promise<unknown> => {
      const client = as(token);
      try {
        return await client.send('RegisterSubject', command);
      } catch (error) {
        return error instanceof RequestRefused ? error.status : error;
      } finally {
        await client.close();
      }
    };
    expect(await sent(await provider.sign({ sub: 'crm', roles: ['service'] }))).toMatchObject({ accepted: true });
    expect(await sent(await provider.sign(AUDITOR))).toMatchObject({ accepted: false, code: 'FORBIDDEN' });
    const kinds = ['alg none', 'the public key as a secret, PEM', 'expired', 'another audience', 'kid "/dev/null"'];
    for (const [what, token] of forged.filter(([each]) => kinds.includes(each)))
      expect([what, await sent(token)]).toEqual([what, 401]);
  });
});

describe('no secret of this product', () => {
  it('is the same in two installations', async () => {
    const [one, two] = [await Installation.start(), await Installation.start()];
    try {
      expect(one.token('operator')).not.toBe(two.token('operator'));
      const response = await fetch(`${two.url}/v1/tokens`, {
        headers: { authorization: `Bearer ${one.token('operator')}` },
      });
      expect(response.status).toBe(401);
    } finally {
      await one.remove();
      await two.remove();
    }
  });
});

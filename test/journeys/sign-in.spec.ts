import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IdentityProviderServer } from '../identity-provider.js';
import { Installation } from '../installation.js';
import { stranger } from './life.js';

const PASSWORD = 'correct horse battery';

describe('who comes in', () => {
  let custos: Installation;
  let provider: IdentityProviderServer;
  const sign = (claims: Record<string, unknown>): Promise<string> => provider.sign(claims);

  beforeAll(async () => {
    provider = await IdentityProviderServer.start();
    custos = await Installation.start('2026-11-23T09:00:00Z', {
      OIDC_ISSUER: provider.issuer,
      OIDC_AUDIENCE: 'custos-test',
    });
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
    await provider.stop();
  });

  const ask = async (method: string, path: string, headers: Record<string, string>, body?: object) => {
    const response = await fetch(`${custos.url}${path}`, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      cookie: response.headers.get('set-cookie') ?? '',
      // Bodies are checked below.
      // eslint-disable-next-line @typescript-eslint/no-explicit-any
      body: (text === '' ? undefined : JSON.parse(text)) as any,
    };
  };
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

  describe('with an account of this installation', () => {
    let cookie: string;
    let csrf: string;

    it('sets a password with the token the account came with, once, and signs in with it', async () => {
      const invited = await custos.post('operator', '/v1/accounts', { actorId: 'ada', roles: ['privacyOfficer'] });
      expect(invited.status).toBe(201);
      const enrol = { token: invited.body.token as string, password: PASSWORD };
      expect((await ask('POST', '/v1/session/enrol', {}, { ...enrol, password: 'short' })).body.fields).toEqual([
        { field: 'password', rule: 'minLength' },
      ]);
      expect((await ask('POST', '/v1/session/enrol', {}, enrol)).status).toBe(204);
      expect((await ask('POST', '/v1/session/enrol', {}, enrol)).status).toBe(401);

      expect((await ask('POST', '/v1/session', {}, { actorId: 'ada', password: 'a wrong password' })).status).toBe(401);
      const signedIn = await ask('POST', '/v1/session', {}, { actorId: 'ada', password: PASSWORD });
      expect(signedIn.status).toBe(200);
      expect(signedIn.body).toMatchObject({ actorId: 'ada', roles: ['privacyOfficer'] });
      for (const part of ['__Host-custos=', 'HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/'])
        expect(signedIn.cookie).toContain(part);
      expect(signedIn.cookie).not.toContain('Domain');
      cookie = signedIn.cookie.split(';')[0] ?? '';
      csrf = signedIn.body.csrfToken;
    });

    it('reads with the cookie alone, and changes something only with the mark against forgery', async () => {
      expect((await ask('GET', '/v1/session', { cookie })).body.csrfToken).toBe(csrf);
      expect((await ask('GET', '/v1/refusals', { cookie })).status).toBe(200);
      const subjectId = await stranger(custos);
      const restrict = (commandId: string, headers: Record<string, string>) =>
        ask('POST', '/v1/commands/RestrictProcessing', headers, { commandId, subjectId, ground: '18(1)(b)' });
      const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
      expect((await restrict(commandId, { cookie })).status).toBe(403);
      expect((await restrict(commandId, { cookie, 'x-csrf-token': 'f'.repeat(64) })).status).toBe(403);
      const done = await restrict(commandId, { cookie, 'x-csrf-token': csrf });
      expect(done.body.accepted).toBe(true);
      const { body } = await custos.get(
        'auditor',
        `/v1/subjects/${subjectId}/timeline?type=ProcessingRestricted`,
        done.body.position,
      );
      expect(body.rows).toMatchObject([{ actor_id: 'ada' }]);
    });

    it('is out when it signs out, and when it leaves', async () => {
      const other = await ask('POST', '/v1/session', {}, { actorId: 'ada', password: PASSWORD });
      const second = other.cookie.split(';')[0] ?? '';
      expect((await ask('DELETE', '/v1/session', { cookie, 'x-csrf-token': csrf })).status).toBe(204);
      expect((await ask('GET', '/v1/session', { cookie })).status).toBe(401);
      expect((await ask('GET', '/v1/session', { cookie: second })).status).toBe(200);
      const left = await ask('DELETE', '/v1/actors/ada', bearer(custos.token('operator')));
      expect(left.status).toBe(204);
      expect((await ask('GET', '/v1/session', { cookie: second })).status).toBe(401);
      expect((await ask('POST', '/v1/session', {}, { actorId: 'ada', password: PASSWORD })).status).toBe(401);
    });
  });

  describe('with a token of the identity provider', () => {
    it('may do what its roles may, under an id that is no name', async () => {
      const token = await sign({
        sub: 'asha@example.test',
        roles: ['privacyOfficer'],
        acr: 'mfa',
        amr: ['pwd', 'otp'],
      });
      const subjectId = await stranger(custos);
      const done = await ask('POST', '/v1/commands/RestrictProcessing', bearer(token), {
        commandId: '6b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87',
        subjectId,
        ground: '18(1)(b)',
      });
      expect(done.body.accepted).toBe(true);
      const { body } = await custos.get(
        'auditor',
        `/v1/subjects/${subjectId}/timeline?type=ProcessingRestricted`,
        done.body.position,
      );
      expect(body.rows[0].actor_id).toMatch(/^oidc-[0-9a-f]{32}$/);
      // How they proved it stands with what they did; their name does not.
      const events = join(custos.dataDir, 'events');
      const log = readdirSync(events, { recursive: true, withFileTypes: true })
        .filter((file) => file.isFile())
        .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
        .join('');
      expect(log).toContain('"authmethod":"oidc","authacr":"mfa","authamr":"pwd otp"');
      expect(log).not.toContain('asha@example.test');
      expect((await ask('GET', '/v1/tokens', bearer(token))).status).toBe(403);
    });

    it('is nobody when the token proves nothing', async () => {
      const good = { sub: 'asha', roles: ['auditor'] };
      for (const token of [
        await sign({ ...good, aud: 'payroll' }),
        await sign({ ...good, iss: 'https://id.example.test' }),
        await sign({ sub: 'asha' }),
        `${await sign(good)}x`,
      ])
        expect((await ask('GET', '/v1/refusals', bearer(token))).status).toBe(401);
      expect((await ask('GET', '/v1/refusals', bearer(await sign(good)))).status).toBe(200);
    });
  });

  describe('with a token of this installation', () => {
    it('is listed without it, goes on with the next one, and is out when it is revoked', async () => {
      const issued = await custos.post('operator', '/v1/tokens', {
        tokens: [{ actorId: 'billing', actorType: 'service_account', roles: ['service'] }],
      });
      const [{ token, tokenId }] = issued.body.tokens;
      const known = async (each: string) => (await ask('GET', '/v1/commands', bearer(each))).status;
      expect(await known(token)).toBe(200);
      const rotated = await custos.post('operator', `/v1/tokens/${tokenId}/rotate`, {});
      expect([await known(token), await known(rotated.body.token)]).toEqual([200, 200]);
      const revoke = (id: string) => ask('DELETE', `/v1/tokens/${id}`, bearer(custos.token('operator')));
      expect((await revoke(tokenId)).status).toBe(204);
      expect([await known(token), await known(rotated.body.token)]).toEqual([401, 200]);
      const { body } = await custos.get('operator', '/v1/tokens');
      expect(body.tokens.filter(({ actorId }: { actorId: string }) => actorId === 'billing')).toHaveLength(2);
      expect(JSON.stringify(body)).not.toContain(token);
      expect((await revoke('00000000-0000-4000-8000-000000000000')).status).toBe(404);
    });

    it('cannot be asked for a life of more than a year, or one that is over', async () => {
      for (const expiresAt of ['2020-01-01T00:00:00Z', '2999-01-01T00:00:00Z']) {
        const refused = await custos.post('operator', '/v1/tokens', {
          tokens: [{ actorId: 'billing', actorType: 'service_account', roles: ['service'], expiresAt }],
        });
        expect([refused.status, refused.body.fields]).toEqual([
          400,
          [{ field: 'tokens.0.expiresAt', rule: 'isWithinAYear' }],
        ]);
      }
    });
  });
});

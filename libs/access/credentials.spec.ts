import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openDatabase } from '#database';
import { instant, plusMilliseconds, type Actor, type Instant } from '#kernel';
import { ENROLMENT_LIFE, FAILURES_ALLOWED, LOCK, SignInBusy } from './accounts.js';
import { csrfOf, IDLE, isCsrfOf, LONGEST_SESSION } from './sessions.js';
import { AccessStore } from './store.js';
import { LONGEST_TOKEN_LIFE, ROTATION_OVERLAP, TOKEN_LIFE } from './tokens.js';

const AT = instant('2026-11-23T09:00:00Z');
const after = (milliseconds: number): Instant => plusMilliseconds(AT, milliseconds);
const ADA: Actor = { id: 'ada', type: 'user', roles: ['staff', 'privacyOfficer'] };
const CRM: Actor = { id: 'crm', type: 'service_account', roles: ['service'] };
const PASSWORD = 'correct horse battery';

let folder: string;
let store: AccessStore;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'credentials-'));
  store = await AccessStore.open(`file:${folder}/access.db`);
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** Every byte the store has written. */
const bytes = (): Buffer =>
  Buffer.concat(
    readdirSync(folder)
      .filter((name) => name.startsWith('access.db'))
      .map((name) => readFileSync(join(folder, name))),
  );

describe('a token', () => {
  it('says who holds it and how they proved it, also after a restart', async () => {
    expect(await store.isEmpty()).toBe(true);
    const [hers, its] = [await store.tokens.issue(ADA, AT), await store.tokens.issue(CRM, AT)];
    expect(await store.isEmpty()).toBe(false);
    await store.close();
    store = await AccessStore.open(`file:${folder}/access.db`);
    expect(await store.tokens.actorOf(hers.token, AT)).toEqual({ ...ADA, authentication: { method: 'token' } });
    expect(await store.tokens.actorOf(its.token, AT)).toEqual({ ...CRM, authentication: { method: 'token' } });
  });

  it('is new each time, and long enough not to be guessed', async () => {
    const issued = await Promise.all(Array.from({ length: 20 }, () => store.tokens.issue(CRM, AT)));
    expect(new Set(issued.map(({ token }) => token)).size).toBe(20);
    for (const { token, tokenId } of issued) {
      expect(token).toMatch(/^custos_[A-Za-z0-9_-]{43}$/);
      expect(token).not.toContain(tokenId);
    }
  });

  it('that was never issued opens nothing', async () => {
    const { token } = await store.tokens.issue(ADA, AT);
    const other = (token[7] === 'A' ? 'B' : 'A') + token.slice(8);
    for (const wrong of ['', 'custos_', token.slice(0, -1), token.slice(7), `custos_${other}`, `${token} `, `%`])
      expect(await store.tokens.actorOf(wrong, AT)).toBeUndefined();
  });

  it('is on the disk as a digest only', async () => {
    const { token } = await store.tokens.issue(ADA, AT);
    expect(bytes().includes('ada')).toBe(true);
    expect(bytes().includes(token)).toBe(false);
    expect(bytes().includes(token.slice('custos_'.length))).toBe(false);
    expect(bytes().includes(Buffer.from(token.slice('custos_'.length), 'base64url'))).toBe(false);
  });

  it('ends by itself, after 90 days unless it is said otherwise, and after a year at most', async () => {
    const { token, expiresAt } = await store.tokens.issue(ADA, AT);
    expect(expiresAt).toBe(after(TOKEN_LIFE));
    expect(await store.tokens.actorOf(token, after(TOKEN_LIFE - 1))).toBeDefined();
    expect(await store.tokens.actorOf(token, after(TOKEN_LIFE))).toBeUndefined();
    expect((await store.tokens.issue(ADA, AT, instant('2036-01-01T00:00:00Z'))).expiresAt).toBe(
      after(LONGEST_TOKEN_LIFE),
    );
  });

  it('is good for a day beside the one that takes its place', async () => {
    const old = await store.tokens.issue(CRM, AT);
    const fresh = await store.tokens.rotate(old.tokenId, after(1000));
    for (const token of [old.token, fresh?.token ?? ''])
      expect(await store.tokens.actorOf(token, after(ROTATION_OVERLAP))).toMatchObject(CRM);
    expect(await store.tokens.actorOf(old.token, after(1000 + ROTATION_OVERLAP))).toBeUndefined();
    expect(fresh?.expiresAt).toBe(after(1000 + TOKEN_LIFE));
    expect(await store.tokens.rotate(old.tokenId, after(1000 + ROTATION_OVERLAP))).toBeUndefined();
    expect(await store.tokens.rotate('nobody', AT)).toBeUndefined();
  });

  it('is not lengthened by its rotation', async () => {
    const old = await store.tokens.issue(CRM, AT, after(5000));
    await store.tokens.rotate(old.tokenId, after(1000));
    expect(await store.tokens.actorOf(old.token, after(5000))).toBeUndefined();
  });

  it('is revoked at once, alone or with all of its holder', async () => {
    const [one, two, other] = [
      await store.tokens.issue(CRM, AT),
      await store.tokens.issue(CRM, AT),
      await store.tokens.issue(ADA, AT),
    ];
    expect(await store.tokens.revoke(one.tokenId, AT)).toBe(true);
    expect(await store.tokens.revoke(one.tokenId, AT)).toBe(false);
    expect(await store.tokens.actorOf(one.token, AT)).toBeUndefined();
    expect(await store.tokens.actorOf(two.token, AT)).toBeDefined();
    await store.tokens.revokeAll('crm', AT);
    expect(await store.tokens.actorOf(two.token, AT)).toBeUndefined();
    expect(await store.tokens.actorOf(other.token, AT)).toBeDefined();
    expect((await store.tokens.list()).map(({ actorId, revokedAt }) => [actorId, revokedAt !== null]).sort()).toEqual([
      ['ada', false],
      ['crm', true],
      ['crm', true],
    ]);
  });

  it('of an older installation is good still, and can be named', async () => {
    await store.close();
    rmSync(`${folder}/access.db`);
    const old = openDatabase(`file:${folder}/access.db`);
    old.sqlite.exec(`
      CREATE TABLE migrations (position INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
      INSERT INTO migrations VALUES (1, '0001-tokens');
      CREATE TABLE tokens (token_hash text PRIMARY KEY, actor_id text NOT NULL, actor_type text NOT NULL,
        roles text NOT NULL, created_at text NOT NULL);
      INSERT INTO tokens VALUES ('${'2c'.repeat(32)}', 'crm', 'service_account', 'service', '${AT}');`);
    await old.close();
    store = await AccessStore.open(`file:${folder}/access.db`);
    const [entry] = await store.tokens.list();
    expect(entry).toMatchObject({ actorId: 'crm', roles: ['service'], expiresAt: null, revokedAt: null });
    expect(await store.tokens.revoke(entry?.tokenId ?? '', AT)).toBe(true);
  });
});

describe('an account', () => {
  const opened = async (actorId = 'ada'): Promise<void> => {
    const { token } = await store.accounts.invite(actorId, ['staff'], AT);
    expect(await store.accounts.enrol(token, PASSWORD, AT)).toBe(actorId);
  };

  it('begins with a token that is good once, by which its holder sets the password', async () => {
    const { token } = await store.accounts.invite('ada', ['staff'], AT);
    expect(await store.accounts.check('ada', '', AT)).toBeUndefined();
    expect(await store.accounts.check('ada', token, AT)).toBeUndefined();
    const both = await Promise.all([
      store.accounts.enrol(token, PASSWORD, AT),
      store.accounts.enrol(token, 'another long password', AT),
    ]);
    expect(both.filter((actorId) => actorId === 'ada')).toHaveLength(1);
    expect(await store.accounts.enrol(token, PASSWORD, AT)).toBeUndefined();
  });

  it('lets nobody in by a token whose time is over, or that another one has replaced', async () => {
    const first = await store.accounts.invite('ada', ['staff'], AT);
    expect(await store.accounts.enrol(first.token, PASSWORD, after(ENROLMENT_LIFE))).toBeUndefined();
    const second = await store.accounts.invite('ada', ['staff'], AT);
    expect(await store.accounts.enrol(first.token, PASSWORD, AT)).toBeUndefined();
    expect(await store.accounts.enrol(second.token, PASSWORD, after(ENROLMENT_LIFE - 1))).toBe('ada');
  });

  it('is opened by its password, and by nothing that is like it', async () => {
    await opened();
    expect(await store.accounts.check('ada', PASSWORD, AT)).toEqual({
      id: 'ada',
      type: 'user',
      roles: ['staff'],
      authentication: { method: 'password', amr: ['pwd'] },
    });
    for (const wrong of ['', PASSWORD.toUpperCase(), `${PASSWORD} `, PASSWORD.slice(1)])
      expect(await store.accounts.check('ada', wrong, AT)).toBeUndefined();
    expect(await store.accounts.check('nobody', PASSWORD, AT)).toBeUndefined();
    expect(bytes().includes(PASSWORD)).toBe(false);
  });

  it('takes no password for a while after ten wrong ones, the right one neither', async () => {
    await opened();
    for (let failure = 0; failure < FAILURES_ALLOWED; failure += 1) await store.accounts.check('ada', 'wrong', AT);
    expect(await store.accounts.check('ada', PASSWORD, after(LOCK - 1))).toBeUndefined();
    expect(await store.accounts.check('ada', PASSWORD, after(LOCK))).toBeDefined();
  });

  it('counts wrong passwords in a row: a right one begins anew', async () => {
    await opened();
    for (let round = 0; round < 2; round += 1) {
      for (let failure = 1; failure < FAILURES_ALLOWED; failure += 1) await store.accounts.check('ada', 'wrong', AT);
      expect(await store.accounts.check('ada', PASSWORD, AT)).toBeDefined();
    }
  });

  it('is closed at once, and opened again only by a new invitation', async () => {
    await opened();
    expect(await store.accounts.disable('ada', AT)).toBe(true);
    expect(await store.accounts.disable('ada', AT)).toBe(false);
    expect(await store.accounts.check('ada', PASSWORD, AT)).toBeUndefined();
    const { token } = await store.accounts.invite('ada', ['auditor'], AT);
    expect(await store.accounts.check('ada', PASSWORD, AT)).toBeUndefined();
    await store.accounts.enrol(token, PASSWORD, AT);
    expect((await store.accounts.check('ada', PASSWORD, AT))?.roles).toEqual(['auditor']);
  });

  it('is not guessed in a flood: only so many wait for their turn', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 40 }, () => store.accounts.check('ada', 'wrong', AT)));
    const turnedAway = tries.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(turnedAway).toHaveLength(8);
    for (const { reason } of turnedAway) expect(reason).toBeInstanceOf(SignInBusy);
  });
});

describe('a session', () => {
  const signedIn = async (): Promise<string> => {
    const { token } = await store.accounts.invite('ada', ['staff'], AT);
    await store.accounts.enrol(token, PASSWORD, AT);
    return store.sessions.start('ada', AT);
  };

  it('is its holder’s until nothing was asked for half an hour', async () => {
    const session = await signedIn();
    expect(await store.sessions.actorOf(session, after(IDLE - 1))).toMatchObject({ id: 'ada', roles: ['staff'] });
    expect(await store.sessions.actorOf(session, after(2 * IDLE - 2))).toBeDefined();
    expect(await store.sessions.actorOf(session, after(3 * IDLE - 2))).toBeUndefined();
  });

  it('ends after twelve hours, however much is asked', async () => {
    const session = await signedIn();
    for (let at = 0; at < LONGEST_SESSION; at += IDLE / 2)
      expect(await store.sessions.actorOf(session, after(at))).toBeDefined();
    expect(await store.sessions.actorOf(session, after(LONGEST_SESSION))).toBeUndefined();
  });

  it('ends when it is ended, with its account, and with all of its holder', async () => {
    const session = await signedIn();
    await store.sessions.end(session);
    expect(await store.sessions.actorOf(session, AT)).toBeUndefined();
    const [one, two] = [await store.sessions.start('ada', AT), await store.sessions.start('ada', AT)];
    await store.sessions.endAll('ada');
    for (const each of [one, two]) expect(await store.sessions.actorOf(each, AT)).toBeUndefined();
    const last = await store.sessions.start('ada', AT);
    await store.accounts.disable('ada', AT);
    expect(await store.sessions.actorOf(last, AT)).toBeUndefined();
  });

  it('has the roles that its account has now', async () => {
    const session = await signedIn();
    await store.accounts.invite('ada', ['auditor'], AT);
    expect((await store.sessions.actorOf(session, AT))?.roles).toEqual(['auditor']);
  });

  it('is on the disk as a digest only, and has a mark against forgery that no other has', async () => {
    const [one, two] = [await signedIn(), await signedIn()];
    expect(bytes().includes(one)).toBe(false);
    expect(isCsrfOf(one, csrfOf(one))).toBe(true);
    expect(isCsrfOf(one, csrfOf(two))).toBe(false);
    expect(csrfOf(one)).not.toContain(one);
  });
});

it('a name behind an id is kept until it is forgotten', async () => {
  await store.directory.remember('oidc-1', 'https://id.example.test', 'asha', AT);
  await store.directory.remember('oidc-1', 'https://id.example.test', 'asha', AT);
  expect(await store.directory.find('oidc-1')).toMatchObject({ subject: 'asha', first_seen_at: AT });
  await store.directory.forget('oidc-1');
  expect(await store.directory.find('oidc-1')).toBeUndefined();
  await store.directory.remember('oidc-1', 'https://id.example.test', 'asha', AT);
  expect(await store.directory.find('oidc-1')).toBeDefined();
});

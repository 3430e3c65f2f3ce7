import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Installation, type Reply, type ActorName } from '../installation.js';
import { ACCOUNT, acquaintance, itemsOf, purposeDraft, refuses, said, stranger, TICKET } from './life.js';

/** Stands wherever a value may stand, and must never come back. */
const MARK = 'Zq7-marked-value';

describe('input that is wrong', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const post = async (
    path: string,
    body: string | undefined,
    type: string | null = 'application/json',
    actor: ActorName = 'crm',
  ): Promise<Reply> => {
    const response = await fetch(`${custos.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${custos.token(actor)}`, ...(type !== null && { 'content-type': type }) },
      ...(body !== undefined && { body: Buffer.from(body) }),
    });
    const text = await response.text();
    expect(text).not.toContain(MARK);
    return { status: response.status, body: JSON.parse(text) };
  };
  const REGISTER = '/v1/commands/RegisterSubject';

  describe('in the shape of a body', () => {
    const nested = (depth: number): string => `${'{"a":'.repeat(depth)}"${MARK}"${'}'.repeat(depth)}`;
    it.each([
      ['malformed JSON', `{"capacity":"${MARK}`, '(body)'],
      ['no JSON at all', MARK, '(body)'],
      ['an array', `["${MARK}"]`, '(body)'],
      ['an empty array', '[]', '(body)'],
      ['a text', `"${MARK}"`, '(body)'],
      ['a number', '7', '(body)'],
      ['null', 'null', '(body)'],
      ['nothing', '', '(body)'],
      ['__proto__', `{"__proto__":{"capacity":"${MARK}"}}`, '(body)'],
      ['constructor', `{"constructor":{"prototype":{"capacity":"${MARK}"}}}`, '(body)'],
      ['__proto__ within', `{"a":{"__proto__":{"x":"${MARK}"}}}`, '(body)'],
      ['deep nesting', `{"a":${nested(40)}}`, 'a'],
    ])('%s', async (_what, body, field) => {
      const reply = await post(REGISTER, body);
      expect(reply.status).toBe(400);
      expect(reply.body.fields).toMatchObject([{ field }]);
    });

    it('thousands of levels deep', async () => {
      const reply = await post(REGISTER, `{"a":${nested(20_000)}}`);
      expect(reply.status).toBe(400);
      expect(reply.body.fields).toHaveLength(1);
    });

    it.each([
      ['text', 'text/plain'],
      ['a form', 'application/x-www-form-urlencoded'],
      ['a form with files', 'multipart/form-data; boundary=x'],
      ['XML', 'application/xml'],
      ['no type', 'nothing'],
    ])('%s for JSON', async (_what, type) => {
      const reply = await post(REGISTER, `{"capacity":"${MARK}"}`, type);
      expect(reply).toMatchObject({ status: 415, body: { title: 'send application/json' } });
    });

    it('more than a megabyte', async () => {
      const reply = await post(REGISTER, JSON.stringify({ capacity: MARK.repeat(80_000) }));
      expect(reply).toMatchObject({ status: 413, body: { title: 'the body is too large' } });
    });

    it('a command that nobody knows', async () => {
      for (const type of ['DestroyEverything', MARK, '__proto__', 'constructor', 'toString']) {
        const reply = await post(`/v1/commands/${type}`, JSON.stringify({ commandId: randomUUID() }));
        expect(reply).toMatchObject({ status: 400, body: { fields: [{ field: 'type', rule: 'isKnownCommand' }] } });
      }
    });
  });

  describe('in a field', () => {
    const subjectId = randomUUID();
    const collection = { ...TICKET, subjectId, items: itemsOf({ 'contact.email': MARK }) };
    const id = randomUUID();
    it.each<[string, string, object, string]>([
      ['an unknown field', 'RegisterSubject', { subjectId, capacity: 'individual', nickname: MARK }, 'nickname'],
      [
        'an unknown field with an odd name',
        'RegisterSubject',
        { subjectId, capacity: 'individual', [`${MARK} !`]: 1 },
        '(unnamed)',
      ],
      ['an actor', 'RegisterSubject', { subjectId, capacity: 'individual', actor: { id: MARK } }, 'actor'],
      ['a field that is missing', 'RegisterSubject', { subjectId }, 'capacity'],
      ['another word than the words known', 'RegisterSubject', { subjectId, capacity: MARK }, 'capacity'],
      ['no UUID', 'RegisterSubject', { subjectId: MARK, capacity: 'individual' }, 'subjectId'],
      ['no command id', 'RegisterSubject', { commandId: MARK, subjectId, capacity: 'individual' }, 'commandId'],
      [
        'a date that does not exist',
        'RegisterSubject',
        { subjectId, capacity: 'individual', occurredAt: '2026-02-30T09:00:00Z' },
        'occurredAt',
      ],
      [
        'a date for a time',
        'RegisterSubject',
        { subjectId, capacity: 'individual', occurredAt: '2026-02-28' },
        'occurredAt',
      ],
      [
        'a number for a time',
        'RegisterSubject',
        { subjectId, capacity: 'individual', occurredAt: 1_790_000_000 },
        'occurredAt',
      ],
      [
        'a case that is a sentence',
        'RegisterSubject',
        { subjectId, capacity: 'individual', caseRef: `${MARK} said so` },
        'caseRef',
      ],
      ['half a character', 'RegisterSubject', { subjectId, capacity: `\ud800${MARK}` }, 'capacity'],
      ['no items', 'CollectData', { ...collection, items: [] }, 'items'],
      ['items that are lists', 'CollectData', { ...collection, items: [[]] }, 'items'],
      ['items that are texts', 'CollectData', { ...collection, items: [MARK] }, 'items'],
      ['items that are null', 'CollectData', { ...collection, items: [null] }, 'items'],
      [
        'items that are no list',
        'CollectData',
        { ...collection, items: { category: 'contact.email', value: MARK } },
        'items',
      ],
      [
        'a category twice',
        'CollectData',
        { ...collection, items: [...collection.items, ...collection.items] },
        'items',
      ],
      [
        '101 items',
        'CollectData',
        { ...collection, items: Array.from({ length: 101 }, (_, n) => ({ category: `c${n}`, value: MARK })) },
        'items',
      ],
      [
        'a value of 64 KB',
        'CollectData',
        { ...collection, items: itemsOf({ 'ticket.text': MARK.repeat(4096) }) },
        'items.0.value',
      ],
      ['an empty value', 'CollectData', { ...collection, items: itemsOf({ 'ticket.text': '' }) }, 'items.0.value'],
      [
        'a value that is an object',
        'CollectData',
        { ...collection, items: [{ category: 'ticket.text', value: { $ne: MARK } }] },
        'items.0.value',
      ],
      [
        'a category that is an address',
        'CollectData',
        { ...collection, items: [{ category: `${MARK}@x`, value: 'v' }] },
        'items.0.category',
      ],
      [
        'an item with more than an item has',
        'CollectData',
        { ...collection, items: [{ category: 'ticket.text', value: 'v', note: MARK }] },
        'items.0.note',
      ],
      ['a version of none', 'CollectData', { ...collection, noticeVersion: 0 }, 'noticeVersion'],
      ['a version as text', 'CollectData', { ...collection, noticeVersion: '1' }, 'noticeVersion'],
      ['a purpose that is no id', 'CollectData', { ...collection, purposeId: `${MARK} Purpose` }, 'purposeId'],
      ['no items to use', 'AuthoriseUse', { subjectId, purposeId: 'product-news', itemIds: [] }, 'itemIds'],
      ['an item twice', 'AuthoriseUse', { subjectId, purposeId: 'product-news', itemIds: [id, id] }, 'itemIds'],
      [
        'a deferral that does not say what is open',
        'OpenDeferral',
        { subjectId, deferralId: id, cause: 'openAccessRequest' },
        'caseRef',
      ],
      ['a day that does not exist', 'EndGroupMembership', { recipientId: 'example-pacific', to: '2026-02-30' }, 'to'],
      ['an age that nobody has', 'GiveConsent', { ...collection, statedAge: 1000 }, 'statedAge'],
    ])('%s', async (_what, type, body, field) => {
      // To whom may not send it nothing is said of its fields.
      const sender = ['EndGroupMembership', 'OpenDeferral'].includes(type) ? 'dpo' : 'crm';
      const sent = JSON.stringify({ commandId: randomUUID(), ...body });
      const reply = await post(`/v1/commands/${type}`, sent, undefined, sender);
      expect(reply.status).toBe(400);
      const named = reply.body.fields.map((each: { field: string }) => each.field) as string[];
      expect(named.some((name) => name === field || name.startsWith(`${field}.`))).toBe(true);
    });

    it('leaves nothing behind', async () => {
      const log = await custos.get('auditor', `/v1/refusals?stream_ref=subject-${subjectId}`);
      expect(log.body.rows).toEqual([]);
      const timeline = await custos.get('auditor', `/v1/subjects/${subjectId}/timeline`);
      expect(timeline.body.rows).toEqual([]);
    });
  });

  describe('that a rule has to answer', () => {
    it('a time to come', async () => {
      await refuses(
        custos,
        'crm',
        'RegisterSubject',
        { subjectId: randomUUID(), capacity: 'individual', occurredAt: '2026-11-23T09:00:00.001Z' },
        said('OCCURRED_IN_FUTURE', '', 'engine rule', { field: 'occurredAt' }),
      );
    });

    it('a time before the relationship', async () => {
      const subjectId = await stranger(custos);
      await refuses(
        custos,
        'crm',
        'PresentNotice',
        {
          subjectId,
          noticeId: 'customer-privacy',
          version: 1,
          how: 'shown',
          channel: 'web',
          occurredAt: '2026-11-23T08:59:59Z',
        },
        said('OCCURRED_BEFORE_OPENING', '', 'engine rule', { field: 'occurredAt' }),
      );
    });

    it('a person who is not known, or known as somebody else', async () => {
      const collection = { ...TICKET, subjectId: randomUUID(), items: itemsOf({ 'contact.email': MARK }) };
      await refuses(custos, 'crm', 'CollectData', collection, said('SUBJECT_UNKNOWN', '', 'engine rule'));
      const subjectId = await stranger(custos);
      await refuses(
        custos,
        'crm',
        'RegisterSubject',
        { subjectId, capacity: 'soleTrader' },
        said('SUBJECT_EXISTS', '', 'engine rule'),
      );
    });

    it('an item that is not held', async () => {
      const subjectId = await acquaintance(custos);
      const itemId = randomUUID();
      const unknown = (details: object) => said('ITEM_UNKNOWN', '', 'engine rule', details);
      const correction = { subjectId, itemId, fromVersion: 1, value: MARK, reasonCode: 'inaccurate' };
      await refuses(custos, 'support', 'CorrectData', correction, unknown({ itemId }));
      const use = { subjectId, purposeId: 'service-account', itemIds: [itemId] };
      await refuses(custos, 'crm', 'AuthoriseUse', use, unknown({ items: [itemId] }));
      const extension = { subjectId, itemId, until: '2040-01-01T00:00:00Z' };
      await refuses(custos, 'crm', 'ExtendRetention', extension, unknown({ itemId }));
    });

    it('an entry of a register that is not there, or there already', async () => {
      await refuses(
        custos,
        'counsel',
        'WithdrawInstrument',
        { instrumentId: 'never-issued' },
        said('REGISTER_ENTRY_UNKNOWN', '', 'engine rule', { instrumentId: 'never-issued' }),
      );
      await refuses(
        custos,
        'dpo',
        'RegisterRecipient',
        { recipientId: 'example-pacific', kind: 'AUTHORITY', name: 'Another', legalForm: 'publicBody', country: 'GB' },
        said('REGISTER_ENTRY_EXISTS', '', 'engine rule', { recipientId: 'example-pacific' }),
      );
      await refuses(
        custos,
        'dpo',
        'DefinePurpose',
        purposeDraft('product-news', { version: 9 }),
        said('VERSION_CONFLICT', '', 'engine rule', { purposeId: 'product-news', version: 9, next: 2 }),
      );
    });

    it('a purpose that nobody defined', async () => {
      const subjectId = await acquaintance(custos);
      await refuses(
        custos,
        'crm',
        'CollectData',
        { ...ACCOUNT, subjectId, purposeId: 'whatever-we-like', items: itemsOf({ 'contact.email': MARK }) },
        said('PURPOSE_UNKNOWN', 'C01 C17', 'UK GDPR Art 5(1)(b)', { purposeId: 'whatever-we-like' }),
      );
    });
  });

  describe('in a question', () => {
    const subjectId = randomUUID();
    it.each([
      ['a position that is none', `/v1/refusals?min-position=${MARK}`, 400, 'min-position'],
      ['a negative position', '/v1/refusals?min-position=-1', 400, 'min-position'],
      ['two positions', '/v1/refusals?min-position=1&min-position=2', 400, 'min-position'],
      ['a page that is no number', `/v1/refusals?after=${MARK}`, 400, 'after'],
      ['a limit that is no number', `/v1/refusals?limit=${MARK}`, 400, 'limit'],
      ['two limits', '/v1/refusals?limit=1&limit=2', 400, 'query'],
      ['a column that is not there', `/v1/refusals?${MARK}=1`, 400, 'query'],
      ['SQL for a column', '/v1/refusals?code%22%20OR%201=1', 400, 'query'],
      ['a number column as text', `/v1/refusals?position=${MARK}`, 400, 'position'],
      ['a time that is none', `/v1/who-held-what?subject=${subjectId}&asOf=${MARK}`, 400, 'asOf'],
      ['a day for a time', `/v1/who-held-what?subject=${subjectId}&asOf=2026-11-23`, 400, 'asOf'],
      [
        'a time that does not exist',
        `/v1/who-held-what?subject=${subjectId}&knownAt=2026-02-30T00:00:00Z`,
        400,
        'knownAt',
      ],
    ])('%s', async (_what, path, status, field) => {
      const reply = await custos.get('auditor', path);
      expect(reply.status).toBe(status);
      expect(reply.body.fields).toMatchObject([{ field }]);
      expect(JSON.stringify(reply.body)).not.toContain(MARK);
    });

    it.each([
      ['a register', `/v1/registers/${MARK}`],
      ['a register by an inherited name', '/v1/registers/constructor'],
      ['a view of a person', `/v1/subjects/${subjectId}/${MARK}`],
      ['a view of a person among the registers', '/v1/registers/timeline'],
      ['a route', `/v1/${MARK}`],
    ])('%s that is not there', async (_what, path) => {
      const reply = await custos.get('auditor', path);
      expect(reply).toMatchObject({ status: 404, body: { title: 'not found', status: 404 } });
      expect(JSON.stringify(reply.body)).not.toContain(MARK);
    });

    it.each([`/v1/subjects/${MARK}`, `/v1/subjects/${MARK}/timeline`, `/v1/who-held-what?subject=${MARK}`])(
      'a person who is no UUID: %s',
      async (path) => {
        const reply = await custos.get('auditor', path);
        expect(reply.status).toBe(400);
        expect(JSON.stringify(reply.body)).not.toContain(MARK);
      },
    );

    it('a position that is not reached yet', async () => {
      const reply = await custos.get('auditor', '/v1/refusals', 999_999_999_999);
      expect(reply).toMatchObject({ status: 503, body: { asked: 999_999_999_999 } });
      expect(reply.body.position).toBeGreaterThan(0);
    });
  });

  describe('to the clock and the tokens', () => {
    it.each([
      ['a time that has passed', { now: '2026-11-23T08:59:59Z' }, 'now'],
      ['a time that does not exist', { now: '2026-02-30T00:00:00Z' }, 'now'],
      ['no time', { now: MARK }, 'now'],
      ['nothing', {}, 'now'],
    ])('%s', async (_what, body, field) => {
      const reply = await custos.post('operator', '/v1/clock', body);
      expect(reply.status).toBe(400);
      expect(reply.body.fields[0]).toMatchObject({ field });
      expect(JSON.stringify(reply.body)).not.toContain(MARK);
    });

    it.each([
      ['no tokens', { tokens: [] }, 'tokens'],
      [
        'a role that is not given out',
        { tokens: [{ actorId: 'x', actorType: 'user', roles: ['system'] }] },
        'tokens.0.roles',
      ],
      [
        'an actor with an address',
        { tokens: [{ actorId: `${MARK}@x`, actorType: 'user', roles: ['staff'] }] },
        'tokens.0.actorId',
      ],
    ])('%s', async (_what, body, field) => {
      const reply = await custos.post('operator', '/v1/tokens', body);
      expect(reply.status).toBe(400);
      expect(reply.body.fields[0]).toMatchObject({ field });
      expect(JSON.stringify(reply.body)).not.toContain(MARK);
    });
  });

  it('has stopped nothing', async () => {
    await acquaintance(custos);
    const { body } = await custos.get('auditor', '/health/ready');
    expect(body.status).toBe('ok');
  });
});

const MAIN = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'standalone', 'main.js');
const SHIPPED = join(import.meta.dirname, '..', '..', 'libs', 'policy', 'chersoft.policy.yaml');

describe('a setting that is wrong', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'custos-settings-'));
    writeFileSync(join(folder, 'odd.policy.yaml'), `${readFileSync(SHIPPED, 'utf8')}\nsurprise: ${MARK}\n`);
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  const BAD = [
    ['PORT', 'abc'],
    ['HOST', '0.0.0.0'],
    ['EVENTSTORE_URL', 'http://x'],
    ['MASTER_KEY', 'plain'],
    ['KEY_VAULT_URL', 'mysql://'],
    ['DATABASE_URL', 'postgres://x'],
    ['CLOCK', 'yesterday'],
    ['LOG_LEVEL', 'loud'],
    ['CUSTOS_NONSENSE', '1'],
    ['REDIS_URL', 'http://x'],
    ['RATE_LIMIT', '0'],
    ['RATE_LIMIT_ADDRESS', 'many'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://a.example.test, http://b.example.test'],
    ['TRUSTED_PROXIES', 'anybody'],
    ['TRUSTED_PROXIES', '10.0.0.0/0'],
    ['POLICY_FILE', '/nonexistent'],
    ['POLICY_FILE', 'odd.policy.yaml'],
  ] as const;
  const ends = new Map<string, Promise<{ readonly code: number; readonly output: string }>>();

  const start = async (name: string, value: string) => {
    const child = spawn(process.execPath, [MAIN], {
      cwd: folder,
      env: { PATH: process.env['PATH'], DATA_DIR: join(folder, 'data'), PORT: '0', [name]: value },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const collect = (chunk: Buffer): void => void (output += chunk.toString());
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const [code] = (await once(child, 'close')) as [number];
    return { code, output };
  };

  it.each(BAD)('ends the start with one line: %s=%s', async (name, value) => {
    // A few at a time: each start takes its second.
    const first = BAD.findIndex(([other, bad]) => other === name && bad === value);
    for (const [other, bad] of BAD.slice(first, first + 3)) {
      const key = `${other}=${bad}`;
      if (!ends.has(key)) ends.set(key, start(other, bad));
    }
    const { code, output } = (await ends.get(`${name}=${value}`))!;
    expect(code).toBe(2);
    expect(output.trimEnd().split('\n')).toEqual([expect.stringMatching(`^custos: ${name}: `)]);
    expect(output).not.toContain(MARK);
  });
});

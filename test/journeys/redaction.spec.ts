import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { randomInt, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PARTITIONS } from '#command-bus';
import { commandsOf, CustosClient, DEAD_LETTERS } from '#command-bus/sdk';
import type { OpenApiDocument } from '../../apps/engine/openapi.js';
import { Installation, type ActorName } from '../installation.js';
import { Requests, type Request } from '../openapi/requests.js';
import { tracesBelow, tracesIn, type Trace } from '../plaintext.js';
import { describeWithRedis, RedisServer } from '../redis.js';
import { ACCOUNT, acquaintance, collect, itemsOf, TICKET } from './life.js';
import { everyRole, isAboutNobody, isOfRegister, sendAll, sourceOf } from './odd-requests.js';

const SEED = Number(process.env['FUZZ_SEED'] ?? randomInt(2 ** 31));
/** What people say about themselves, and what opens a door: nothing of it may be found anywhere. */
const PERSON = {
  'contact.name': 'Ylva Mårkdotter-Ümlaut',
  'contact.email': 'Ylva.Markdotter@example.test',
  'contact.phone': '+44 20 7946 0164',
  'account.number': 'ACC-7731-YLVA',
};
const TEXT = 'My chart "Öresund 12" says <nothing> & Märkdotter is cross.';
const CORRECTED = '+44 20 7946 0165';
const PASSWORD = 'horse-battery-Mårkdotter';
const WRONG = 'not-the-battery-Mårkdotter';
const VALUES = [...Object.values(PERSON), TEXT, CORRECTED, PASSWORD, WRONG];
/** Times that every operation is asked over HTTP, and every command over the bus. */
const ROUNDS = 5;
const ROUNDS_OVER_BUS = 3;

/** Every door is given marked values; then all that the product writes and answers is searched for them. */
describeWithRedis('whatever comes through a door', () => {
  let redis: RedisServer;
  let custos: Installation;
  let temporary: string;
  let document: OpenApiDocument;
  let made: Requests;
  let roles: Readonly<Record<string, ActorName>>;
  let subjectId: string;
  const clients = new Map<string, CustosClient>();
  /** Tokens and passwords that were given out, and answers that came over the bus. */
  const secrets: string[] = [];
  const heardOverBus: string[] = [];
  /** Requests of which something was taken into a register. */
  const registered = new Set<number>();

  beforeAll(async () => {
    process.stdout.write(`FUZZ_SEED=${SEED}\n`);
    redis = await RedisServer.start();
    temporary = mkdtempSync(join(tmpdir(), 'custos-temporary-'));
    custos = await Installation.start(undefined, {
      ...{ LOG_LEVEL: 'debug', RATE_LIMIT: '999999999', RATE_LIMIT_ADDRESS: '999999999' },
      ...{ REDIS_URL: redis.url, TMPDIR: temporary },
    });
    const everybody = await everyRole(custos);
    ({ roles } = everybody);
    const source = await sourceOf(custos, SEED, everybody);
    ({ document } = source);
    made = new Requests(source);
    secrets.push(...Object.values(source.tokens));
    for (const [role, actor] of Object.entries(roles))
      clients.set(
        role,
        new CustosClient({
          url: custos.url,
          token: custos.token(actor),
          redisUrl: redis.url,
          name: actor,
          timeout: 10_000,
        }),
      );
  }, 120_000);

  afterAll(async () => {
    await Promise.all([...clients.values()].map((client) => client.close()));
    await custos?.remove();
    await redis?.remove();
    rmSync(temporary, { recursive: true, force: true });
  });

  const commands = (): readonly string[] =>
    Object.keys(document.paths).filter((path) => path.startsWith('/v1/commands/'));
  const post = async (path: string, body: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${custos.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  it('of a person: collected, refused, corrected, searched for, shown and shared', async () => {
    subjectId = await acquaintance(custos);
    const refused = itemsOf({ ...PERSON, religion: TEXT });
    await custos.refused('crm', 'CollectData', { ...ACCOUNT, subjectId, items: refused });
    const items = await collect(custos, subjectId, ACCOUNT, PERSON);
    await collect(custos, subjectId, TICKET, { 'contact.email': PERSON['contact.email'], 'ticket.text': TEXT });
    const phone = { subjectId, itemId: items['contact.phone'], fromVersion: 1 };
    await custos.accepted('support', 'CorrectData', { ...phone, value: CORRECTED, reasonCode: 'outOfDate' });
    const search = { field: 'email', purposeId: 'support-ticket', caseRef: 'CASE-1' };
    const found = await custos.post('support', '/v1/searches', { ...search, term: PERSON['contact.email'] });
    expect(found.body.subjects ?? found.body).not.toEqual([]);
    await custos.post('support', '/v1/searches', { ...search, term: `${TEXT}@example.test` });
    const file = await custos.get('support', `/v1/subjects/${subjectId}?purpose=support-ticket&caseRef=CASE-1`);
    expect(JSON.stringify(file.body)).toContain(CORRECTED.slice(1));
    // In an address, where a line of a log would show it.
    for (const value of VALUES)
      for (const path of [
        `/v1/subjects/${encodeURIComponent(value)}`,
        `/v1/registers/purposes?title=${encodeURIComponent(value)}`,
        `/v1/refusals?details=${encodeURIComponent(value)}`,
        `/v1/${encodeURIComponent(value)}`,
      ])
        expect((await custos.ask('auditor', 'GET', path)).status).toBeLessThan(500);
  });

  it('of who comes in: passwords, sessions and tokens', async () => {
    const invited = await custos.post('operator', '/v1/accounts', { actorId: 'ylva', roles: ['auditor'] });
    const token = invited.body.token as string;
    secrets.push(token);
    expect((await post('/v1/session/enrol', { token: `${token}x`, password: WRONG })).status).toBeLessThan(500);
    expect((await post('/v1/session/enrol', { token, password: PASSWORD })).status).toBe(204);
    expect((await post('/v1/session', { actorId: 'ylva', password: WRONG })).status).toBe(401);
    const signedIn = await post('/v1/session', { actorId: 'ylva', password: PASSWORD });
    expect(signedIn.status).toBe(200);
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? '';
    secrets.push(cookie.split('=')[1] ?? '', ((await signedIn.json()) as { csrfToken: string }).csrfToken);
    for (const session of [cookie, `${cookie}${encodeURIComponent(TEXT)}`])
      expect((await fetch(`${custos.url}/v1/clock`, { headers: { cookie: session } })).status).toBeLessThan(500);
    expect(secrets.every((secret) => secret.length > 20)).toBe(true);
  });

  it('over HTTP: every operation of the document, as wanted and odd, marked in body, address and headers', async () => {
    const { body } = await custos.get('operator', '/v1/commands');
    const known = (body as { type: string }[]).map(({ type }) => `/v1/commands/${type}`);
    expect(commands()).toEqual(expect.arrayContaining(known));
    const operations = Object.values(document.paths).reduce((sum, methods) => sum + Object.keys(methods).length, 0);
    const requests = Array.from({ length: ROUNDS * operations }, () => made.next());
    const sent = await sendAll(custos.url, requests);
    expect(sent.unanswered).toEqual([]);
    for (const outcome of sent.outcomes) if (isOfRegister(outcome)) registered.add(outcome.request.number);
    expect(sent.outcomes.filter(({ heard }) => heard.body.includes('"accepted":true')).length).toBeGreaterThan(20);
  }, 60_000);

  it('over the bus: every command by the SDK, and messages that are none', async () => {
    const bodies = new Map<string, Request[]>(commands().map((path) => [`post ${path}`, []]));
    while ([...bodies.values()].some((found) => found.length < ROUNDS_OVER_BUS)) {
      const request = made.next();
      const found = bodies.get(request.operation);
      const isObject = typeof request.body === 'object' && request.body !== null && !Array.isArray(request.body);
      if (found && isObject && request.bytes.length < 20_000) found.push(request);
    }
    const counted = { answered: 0, turnedAway: 0 };
    await Promise.all(
      [...bodies].map(async ([operation, found]) => {
        const path = operation.replace('post ', '');
        const open = (document.paths[path]?.['post']?.['x-roles'] ?? []) as readonly string[];
        const client = clients.get(open.find((role) => clients.has(role)) ?? 'service');
        for (const request of found.slice(0, ROUNDS_OVER_BUS)) {
          await client?.send(path.replace('/v1/commands/', '') as 'RegisterSubject', request.body as never).then(
            (answer) => {
              counted.answered += 1;
              heardOverBus.push(JSON.stringify(answer));
              if (answer.accepted && isAboutNobody(request)) registered.add(request.number);
            },
            (error: Error & { problem?: unknown }) => {
              counted.turnedAway += 1;
              heardOverBus.push(`${error.message} ${JSON.stringify(error.problem)}`);
            },
          );
        }
      }),
    );
    expect(counted.answered).toBeGreaterThan(50);
    expect(counted.turnedAway).toBeGreaterThan(50);

    const value = made.marks.value(0);
    const whole = {
      specversion: '1.0',
      id: randomUUID(),
      source: '/service/crm',
      type: 'com.chersoft.custos.command.v1',
    };
    const messages: readonly (readonly [string, string])[] = [
      ['event', JSON.stringify({ ...whole, id: value, source: TEXT, type: PERSON['contact.email'] })],
      ['event', JSON.stringify({ ...whole, subject: value, data: { value, items: itemsOf(PERSON) } })],
      ['event', JSON.stringify({ ...whole, type: `com.chersoft.custos.command.${value}.v1`, data: value })],
      ['event', JSON.stringify({ ...whole, [value]: TEXT, data_base64: Buffer.from(TEXT).toString('base64') })],
      ['event', `{"specversion":"1.0","id":"${value}`],
      ['event', value],
      ['event', '['.repeat(5_000) + TEXT],
      [value, TEXT],
    ];
    for (const [field, message] of messages) await redis.client.xadd(commandsOf(0), '*', field, message);
    await custos.eventually(
      async () => ({ status: 200, body: await redis.client.xlen(DEAD_LETTERS) }),
      ({ body }) => body >= messages.length,
    );
    await custos.eventually(
      async () => ({
        status: 200,
        body: await Promise.all(Array.from({ length: PARTITIONS }, (_, each) => redis.client.xlen(commandsOf(each)))),
      }),
      ({ body }) => body.every((left: number) => left === 0),
    );
  }, 60_000);

  /** Tokens are random, and kept as their digests only: that is how one is known. */
  const isDigestOfToken = ({ place, value, encoding }: Trace): boolean =>
    secrets.includes(value) && encoding === 'sha256 hex' && /\/access\.db(-wal|-shm)?$/.test(place);
  const traceIn = (folder: string): readonly Trace[] =>
    tracesBelow(folder, [...VALUES, ...secrets]).filter((trace) => !isDigestOfToken(trace));

  /** All that was left anywhere, but for what was said about nobody and taken into a register. */
  async function leftBehind(): Promise<readonly Trace[]> {
    const marksIn = (place: string, bytes: Buffer): readonly Trace[] =>
      made.marks
        .in(bytes.toString('latin1'))
        .filter(({ kind, number }) => kind === 'value' && !registered.has(number))
        .map(({ number }) => ({ place, value: `mark of ${number}`, encoding: 'plain' }));
    const within = (place: string, bytes: Buffer, also: readonly string[] = secrets): readonly Trace[] => [
      ...tracesIn(place, bytes, [...VALUES, ...also]),
      ...marksIn(place, bytes),
    ];
    // Redis drops what was read, and its log of changes with it once it is rewritten.
    await redis.client.bgrewriteaof();
    await custos.eventually(
      async () => ({ status: 200, body: await redis.client.info('persistence') }),
      ({ body }) => /aof_rewrite_in_progress:0/.test(body) && /aof_rewrite_scheduled:0/.test(body),
    );
    const answers: Trace[] = [];
    for (const path of [
      ...['/health/live', '/health/ready', '/v1/clock', '/v1/bus', '/v1/commands', '/v1/permissions', '/v1/digest'],
      ...['/v1/search-index', '/v1/tokens', '/docs/openapi.json', '/docs/asyncapi.json', '/v1/registers/access-log'],
      ...['/v1/registers/searches', '/v1/registers/incidents', `/v1/subjects/${subjectId}/timeline`],
    ]) {
      const actor = path === '/v1/tokens' ? 'operator' : 'dpo';
      const { status, body } = await custos.get(actor, path);
      expect([path, status]).toEqual([path, 200]);
      answers.push(...within(path, Buffer.from(JSON.stringify(body))));
    }
    let refusals = 0;
    for (let after = 0, next: number | undefined = 0; next !== undefined; after = next ?? 0) {
      const { body } = await custos.get('auditor', `/v1/refusals?limit=500&after=${after}`);
      next = body.next;
      refusals += body.rows.length;
      answers.push(...within('/v1/refusals', Buffer.from(JSON.stringify(body))));
    }
    expect(refusals).toBeGreaterThan(100);
    const dead = await redis.client.xrange(DEAD_LETTERS, '-', '+');
    const keys = await redis.client.keys('*');
    const inRedis = await Promise.all(keys.map(async (key) => [key, await redis.client.dumpBuffer(key)] as const));
    const folders = [custos.dataDir, temporary, redis.folder];
    const files = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)),
    );
    // The first token is shown once, on the terminal.
    const [output = '', ...rest] = custos.output.split(/^First token.*\n.*$/m);
    return [
      ...within('output', Buffer.from(output + rest.join(''))),
      ...within('answers over the bus', Buffer.from(heardOverBus.join('\n'))),
      ...within('dead letters', Buffer.from(JSON.stringify(dead))),
      ...inRedis.flatMap(([key, bytes]) => within(key, Buffer.concat([Buffer.from(key), bytes ?? Buffer.alloc(0)]))),
      ...folders.flatMap(traceIn),
      ...files.flatMap((file) => marksIn(file, readFileSync(file))),
      ...answers,
    ];
  }

  it('is nowhere: not in what the engine writes and answers, nor in files, refusals, dead letters or Redis', async () => {
    expect(custos.output.length).toBeGreaterThan(1_000);
    expect(await leftBehind()).toEqual([]);
  }, 60_000);

  it('would be found: in a file, in Redis and in every disguise', async () => {
    const planted = join(custos.dataDir, 'planted');
    const mark = made.marks.value(0xffffff);
    try {
      writeFileSync(
        planted,
        `${Buffer.from(TEXT).toString('base64')} ${Buffer.from(secrets[0] ?? '').toString('hex')} ${mark}`,
      );
      await redis.client.set('planted', encodeURIComponent(PERSON['contact.name']));
      const found = await leftBehind();
      const seen = found.map(({ place, encoding }) => `${place.split('/').at(-1)} ${encoding}`);
      expect(seen).toEqual(
        expect.arrayContaining(['planted base64 +0', 'planted hex', 'planted plain', 'planted URL-encoded']),
      );
    } finally {
      rmSync(planted);
      await redis.client.del('planted');
    }
  }, 60_000);

  it('shows in no metrics and no traces, because the product has none', async () => {
    expect(Object.keys(document.paths).filter((path) => /metric|trac(e|ing)|prometheus|status/i.test(path))).toEqual(
      [],
    );
    for (const path of ['/metrics', '/v1/metrics', '/health/metrics', '/status', '/v1/traces', '/debug'])
      expect((await fetch(`${custos.url}${path}`)).status).toBe(404);
    const { dependencies } = JSON.parse(
      readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8'),
    ) as {
      dependencies: object;
    };
    expect(Object.keys(dependencies).filter((name) => /opentelemetry|prom-client|statsd|sentry/.test(name))).toEqual(
      [],
    );
  });

  it('is not in the lines about what fails, and stays out when the process ends', async () => {
    await Promise.all([...clients.values()].map((client) => client.close()));
    await redis.kill();
    await custos.eventually(
      async () => ({ status: 200, body: custos.output }),
      ({ body }) => body.includes('Redis does not answer'),
    );
    await redis.launch();
    await custos.eventually(
      async () => ({ status: 200, body: custos.output.split('Redis does not answer').at(-1) }),
      ({ body }) => body.includes('Redis answers'),
    );
    await custos.stop();
    expect(tracesIn('output', Buffer.from(custos.output), VALUES)).toEqual([]);
    expect(made.marks.in(custos.output)).toEqual([]);
    expect(traceIn(custos.dataDir)).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
  });
});

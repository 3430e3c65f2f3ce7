import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Installation } from '../installation.js';
import { describeWithRedis, RedisServer } from '../redis.js';

/** Stands wherever a value may stand, and must never come back. */
const MARK = 'Zq7-marked-value';
const MEGABYTE = 1024 * 1024;

/** A connection that says what it wants, byte by byte. */
class Wire {
  received = '';
  closed = false;
  failure: NodeJS.ErrnoException | undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString('latin1')));
    socket.on('error', (error) => (this.failure = error));
    socket.on('close', () => (this.closed = true));
  }

  static async to(url: string): Promise<Wire> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Wire(socket);
  }

  async write(bytes: string | Buffer): Promise<void> {
    if (this.closed || this.socket.write(bytes)) return;
    const waiting = new AbortController();
    const { signal } = waiting;
    // A connection that breaks is closed too, and what broke it is kept in `failure`.
    await Promise.race(['drain', 'close'].map((event) => once(this.socket, event, { signal }))).catch(() => undefined);
    waiting.abort();
  }

  /** Waits until what has been received is as wanted. */
  async until(wanted: (wire: Wire) => boolean, patience: number): Promise<void> {
    const deadline = Date.now() + patience;
    while (!wanted(this)) {
      if (Date.now() > deadline) throw new Error(`it did not come: ${this.received.slice(0, 300)}`);
      await wait(20);
    }
  }

  get statuses(): readonly number[] {
    return [...this.received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]));
  }
}

describe('the door', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const head = (more: string): string =>
    [
      'POST /v1/commands/RegisterSubject HTTP/1.1',
      'host: custos',
      `authorization: Bearer ${custos.token('crm')}`,
      'content-type: application/json',
      more,
      '',
      '',
    ].join('\r\n');
  const chunked = (bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);

  describe('when a body is too large', () => {
    const piece = Buffer.alloc(64 * 1024, MARK);

    it.each([
      ['of a stated length', `content-length: ${4 * MEGABYTE}`, (bytes: Buffer) => bytes],
      ['that comes in chunks', 'transfer-encoding: chunked', chunked],
    ])('answers while it is still being sent, and reads on: one %s', async (_what, length, framed) => {
      const wire = await Wire.to(custos.url);
      await wire.write(head(length));
      for (let sent = 0; sent < 4 * MEGABYTE; sent += piece.length) {
        await wire.write(framed(piece));
        // The answer is there long before the body is.
        if (sent === 2 * MEGABYTE) await wire.until(({ statuses }) => statuses.length > 0, 5_000);
      }
      if (length.startsWith('transfer')) await wire.write('0\r\n\r\n');
      await wire.write('GET /health/live HTTP/1.1\r\nhost: custos\r\n\r\n');
      await wire.until(({ statuses }) => statuses.length > 1, 5_000);
      expect(wire.failure).toBeUndefined();
      expect(wire.statuses).toEqual([413, 200]);
      expect(wire.received).toContain('"title":"the body is too large"');
      expect(wire.received).not.toContain(MARK);
      wire.socket.destroy();
    });

    it('does not read for ever', async () => {
      const wire = await Wire.to(custos.url);
      await wire.write(head(`content-length: ${1024 * MEGABYTE}`));
      let sent = 0;
      while (!wire.closed && sent < 64 * MEGABYTE) {
        await wire.write(piece);
        sent += piece.length;
      }
      expect(wire.closed).toBe(true);
      expect(sent).toBeGreaterThan(4 * MEGABYTE);
    });

    it('waits for the rest no longer than a while', async () => {
      const wire = await Wire.to(custos.url);
      await wire.write(head(`content-length: ${4 * MEGABYTE}`));
      await wire.write(piece);
      await wire.until(({ statuses }) => statuses.length > 0, 5_000);
      await wire.until(({ closed }) => closed, 15_000);
      expect(wire.statuses).toEqual([413]);
    });
  });

  describe('when a sender is slow', () => {
    it('closes what never comes to an end, and goes on answering others meanwhile', async () => {
      const began = Date.now();
      const headers = await Promise.all(Array.from({ length: 50 }, () => Wire.to(custos.url)));
      const bodies = await Promise.all(Array.from({ length: 50 }, () => Wire.to(custos.url)));
      const silent = await Wire.to(custos.url);
      await Promise.all(headers.map((wire) => wire.write('POST /v1/commands/RegisterSubject HTTP/1.1\r\nhost: a\r\n')));
      await Promise.all(bodies.map((wire) => wire.write(`${head('content-length: 1000')}{"a":"${MARK}`)));
      const drip = async (wires: readonly Wire[], bytes: string): Promise<void> => {
        while (wires.some(({ closed }) => !closed) && Date.now() - began < 45_000) {
          await Promise.all(wires.map((wire) => (wire.closed ? undefined : wire.write(bytes))));
          await wait(500);
        }
      };
      const dripping = [drip(headers, 'x: y\r\n'), drip(bodies, 'x')];
      const others: number[] = [];
      while (headers.some(({ closed }) => !closed) && Date.now() - began < 45_000) {
        others.push((await custos.get('operator', '/v1/clock')).status);
        await wait(200);
      }
      const ofHeaders = Date.now() - began;
      await Promise.all(dripping);
      const ofBodies = Date.now() - began;
      expect(new Set(others)).toEqual(new Set([200]));
      expect(ofHeaders).toBeGreaterThan(9_000);
      expect(ofHeaders).toBeLessThan(20_000);
      expect(ofBodies).toBeGreaterThan(25_000);
      expect(ofBodies).toBeLessThan(40_000);
      for (const wire of [...headers, ...bodies]) {
        expect(wire.statuses).toEqual([408]);
        expect(wire.received).toContain('content-type: application/problem+json');
        expect(wire.received).toMatch(/\r\n\r\n\{"title":"the request took too long","status":408\}$/);
      }
      // Whoever says nothing at all is let go as well.
      await silent.until(({ closed }) => closed, 10_000);
    });
  });

  describe('when a request is no HTTP', () => {
    it.each([
      ['another protocol', `SSH-2.0-${MARK}\r\n\r\n`, 400],
      ['a header with a bare line feed', `GET /health/live HTTP/1.1\r\nhost: a\r\nx: a\nb: ${MARK}\r\n\r\n`, 400],
      ['a space in a header name', `GET /health/live HTTP/1.1\r\nhost: a\r\nx y: ${MARK}\r\n\r\n`, 400],
      ['a zero in a header', `GET /health/live HTTP/1.1\r\nhost: a\r\nx: \0${MARK}\r\n\r\n`, 400],
      [
        'two lengths',
        `POST /v1/clock HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}${MARK}`,
        400,
      ],
      [
        'a length and chunks',
        `POST /v1/clock HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}${MARK}`,
        400,
      ],
      [
        'no chunk, after a path that is answered at once',
        `GET /v1/%zz HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz${MARK}\r\n`,
        400,
      ],
      ['a path with a line break', `GET /v1/x\r\nset-cookie:${MARK} HTTP/1.1\r\nhost: a\r\n\r\n`, 404],
      ['headers of 20 kB', `GET /health/live HTTP/1.1\r\nhost: a\r\nx: ${MARK.repeat(1_300)}\r\n\r\n`, 431],
    ])('says so, repeats nothing, and closes: %s', async (_what, bytes, status) => {
      const wire = await Wire.to(custos.url);
      await wire.write(bytes);
      await wire.until(({ closed }) => closed, 5_000);
      expect(wire.statuses[0]).toBe(status);
      expect(wire.statuses).toHaveLength(1);
      expect(wire.received).toContain('content-type: application/problem+json');
      expect(wire.received).not.toContain(MARK);
    });
  });

  it('answers what is no HTTP also behind a body that nobody wanted', async () => {
    const wire = await Wire.to(custos.url);
    const unwanted = 'a'.repeat(300_000);
    await wire.write(
      `POST /v1/nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: ${unwanted.length}\r\n\r\n${unwanted}${MARK}\r\n\r\n`,
    );
    await wire.until(({ closed }) => closed, 5_000);
    expect(wire.statuses).toEqual([404, 400]);
    expect(wire.received).not.toContain(MARK);
  });

  describe('whatever a path or a header holds', () => {
    it.each([
      '/v1/subjects/..%2f..%2f..%2fetc%2fpasswd',
      '/v1/../../etc/passwd',
      '//etc/passwd',
      '/docs/..%2f..%2fpackage.json',
      '/docs/%2e%2e/%2e%2e/package.json',
      '/v1/registers/%00',
      `/v1/registers/${MARK}%0d%0aset-cookie:a=b`,
      `/v1/notices/${MARK}%0d%0aset-cookie:a=b`,
      `/v1/collection-points/%0d%0a${MARK}`,
      '/v1/registers/__proto__',
      '/v1/registers/constructor',
      '/v1/registers/toString',
      `/v1/registers/${'a'.repeat(5_000)}`,
      `/v1/subjects/${MARK}%2f..%2ftimeline/timeline`,
      '/v1/%zz',
      '/v1/%c0%ae%c0%ae',
      `/v1/registers/purposes?__proto__=${MARK}`,
      `/v1/registers/purposes?toString=${MARK}`,
      `/v1/registers/purposes?constructor.prototype=${MARK}`,
      `/v1/registers/purposes?purpose_id[$ne]=${MARK}`,
      `/v1/registers/purposes?%22;drop%20table=${MARK}`,
      `/v1/registers/purposes?purpose_id='%20or%20'1'='1`,
      `/v1/registers/purposes?purpose_id=a&purpose_id=b`,
    ])('it stays within its answer: %#', async (path) => {
      const wire = await Wire.to(custos.url);
      await wire.write(
        `GET ${path} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${custos.token('auditor')}\r\nconnection: close\r\n\r\n`,
      );
      await wire.until(({ closed }) => closed, 5_000);
      expect(wire.statuses).toHaveLength(1);
      expect(wire.statuses[0]).toBeLessThan(500);
      expect(wire.received).not.toMatch(/^set-cookie/im);
      expect(wire.received).not.toContain(MARK);
      expect(wire.received).not.toMatch(/root:|"devDependencies"/);
      const [, body = ''] = wire.received.split('\r\n\r\n');
      if (wire.statuses[0] === 200) expect(JSON.parse(body)).toMatchObject({ rows: [] });
      else expect(JSON.parse(body)).toMatchObject({ status: wire.statuses[0] });
    });

    it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])(
      '%s on a route that has no such method is not found',
      async (method) => {
        const wire = await Wire.to(custos.url);
        await wire.write(`${method} /v1/nowhere HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx: ${MARK}\r\n\r\n`);
        await wire.until(({ closed }) => closed, 5_000);
        expect([400, 404]).toContain(wire.statuses[0]);
        expect(wire.received).not.toContain(MARK);
      },
    );

    it('a host, a forwarded address and a referrer change nothing', async () => {
      const wire = await Wire.to(custos.url);
      const headers = [
        'x-forwarded-for',
        'x-forwarded-host',
        'x-forwarded-proto',
        'x-original-url',
        'referer',
        'origin',
      ]
        .map((name) => `${name}: https://${MARK}`)
        .join('\r\n');
      await wire.write(`GET /v1/clock HTTP/1.1\r\nhost: ${MARK}\r\n${headers}\r\nconnection: close\r\n\r\n`);
      await wire.until(({ closed }) => closed, 5_000);
      expect(wire.statuses).toEqual([401]);
      expect(wire.received).not.toContain(MARK);
    });

    it('no prototype is reached by any body', async () => {
      const subjectId = randomUUID();
      const bodies = [
        `{"__proto__":{"roles":["operator"],"capacity":"${MARK}"}}`,
        `{"commandId":"${randomUUID()}","subjectId":"${subjectId}","capacity":"individual","__proto__":{"accepted":true}}`,
        `{"constructor":{"prototype":{"isAdmin":"${MARK}"}}}`,
        `{"commandId":"${randomUUID()}","items":[{"__proto__":{"value":"${MARK}"}}]}`,
        `{"a":{"b":{"constructor":{"prototype":{"x":"${MARK}"}}}}}`,
        `{"\\u005f\\u005fproto\\u005f\\u005f":{"x":"${MARK}"}}`,
        `{"tokens":[{"__proto__":{"roles":["operator"]}}]}`,
        `{"now":{"__proto__":"${MARK}"}}`,
        `{"content":{"constructor":"${MARK}"}}`,
      ];
      const paths = [
        '/v1/commands/RegisterSubject',
        '/v1/commands/CollectData',
        '/v1/tokens',
        '/v1/clock',
        '/v1/notices/assessment',
      ];
      for (const path of paths)
        for (const actor of ['crm', 'operator', 'auditor'] as const)
          for (const body of bodies) {
            const response = await fetch(`${custos.url}${path}`, {
              method: 'POST',
              headers: { authorization: `Bearer ${custos.token(actor)}`, 'content-type': 'application/json' },
              body,
            });
            const text = await response.text();
            expect([400, 403]).toContain(response.status);
            expect(text).not.toContain(MARK);
          }
      // What an object inherits would show in every answer.
      const clock = await custos.get('crm', '/v1/clock');
      expect(Object.keys(clock.body as object).sort()).toEqual(['now', 'simulated']);
      expect((await custos.post('crm', '/v1/tokens', { tokens: [] })).status).toBe(403);
      expect((await custos.get('auditor', `/v1/subjects/${subjectId}/timeline`)).body.rows).toEqual([]);
    });
  });

  it('is closed to pages of other origins', async () => {
    const asked = await fetch(`${custos.url}/v1/clock`, {
      method: 'OPTIONS',
      headers: { origin: 'https://console.example.test', 'access-control-request-method': 'GET' },
    });
    expect(asked.status).toBe(404);
    const answer = await fetch(`${custos.url}/v1/clock`, {
      headers: { origin: 'https://console.example.test', authorization: `Bearer ${custos.token('crm')}` },
    });
    expect(answer.status).toBe(200);
    for (const headers of [asked.headers, answer.headers])
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('says with every answer how a browser has to treat it', async () => {
    const token = { authorization: `Bearer ${custos.token('crm')}`, 'content-type': 'application/json' };
    const answers: readonly (readonly [number, string, RequestInit])[] = [
      [200, '/v1/clock', { headers: token }],
      [200, '/health/live', {}],
      [400, '/v1/commands/RegisterSubject', { method: 'POST', headers: token, body: '{' }],
      [401, '/v1/clock', {}],
      [403, '/v1/refusals', { headers: token }],
      [404, '/v1/nowhere', {}],
      [413, '/v1/commands/RegisterSubject', { method: 'POST', headers: token, body: ' '.repeat(MEGABYTE + 1) }],
    ];
    for (const [status, path, init] of answers) {
      const { headers, ...answer } = await fetch(`${custos.url}${path}`, init).then((response) => ({
        status: response.status,
        headers: response.headers,
      }));
      expect([path, answer.status]).toEqual([path, status]);
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none';script-src 'self';style-src 'self';img-src 'self';connect-src 'self';base-uri 'none';form-action 'none';frame-ancestors 'none'",
      );
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}/);
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('server')).toBeNull();
    }
  });
});

describe('pages of another origin', () => {
  const ORIGIN = 'https://console.example.test';
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z', {
      CORS_ORIGINS: `${ORIGIN}, https://other.example.test:8443`,
    });
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const ask = (origin: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${custos.url}/v1/clock`, {
      ...init,
      headers: { origin, 'access-control-request-method': 'POST', authorization: `Bearer ${custos.token('crm')}` },
    });

  it('may ask when they are named', async () => {
    for (const origin of [ORIGIN, 'https://other.example.test:8443']) {
      const preflight = await ask(origin, { method: 'OPTIONS' });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
      expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization, content-type');
      expect(preflight.headers.get('access-control-allow-credentials')).toBeNull();
      expect((await ask(origin)).headers.get('access-control-allow-origin')).toBe(origin);
      expect((await ask(origin)).headers.get('vary')).toMatch(/origin/i);
    }
  });

  it.each(['https://evil.example.test', `${ORIGIN}.evil.test`, 'http://console.example.test', 'null', `${ORIGIN}:444`])(
    'may not when they are not: %s',
    async (origin) => {
      for (const method of ['OPTIONS', 'GET'])
        expect((await ask(origin, { method })).headers.get('access-control-allow-origin')).toBeNull();
    },
  );
});

describe('how often may be asked', () => {
  const LIMITS = { RATE_LIMIT: '30', RATE_LIMIT_ADDRESS: '40' };

  const ask = async (custos: Installation, authorization?: string, path = '/v1/clock', more: object = {}) => {
    const response = await fetch(`${custos.url}${path}`, {
      headers: { ...(authorization !== undefined && { authorization }), ...more },
    });
    const of = (name: string): string | null => response.headers.get(name);
    return {
      status: response.status,
      type: of('content-type'),
      body: JSON.parse(await response.text()) as unknown,
      limit: Number(of('ratelimit-limit')),
      remaining: Number(of('ratelimit-remaining')),
      reset: Number(of('ratelimit-reset')),
      retryAfter: of('retry-after'),
    };
  };
  /** Asks until it is told to wait. @returns how often there was an answer before. */
  const exhaust = async (times: number, asking: () => ReturnType<typeof ask>) => {
    for (let answered = 0; answered < times; answered += 1) {
      const reply = await asking();
      if (reply.status === 429) return { answered, reply };
    }
    throw new Error(`${times} requests were answered`);
  };

  describe('of one engine', () => {
    let custos: Installation;

    beforeAll(async () => {
      custos = await Installation.start('2026-11-23T09:00:00Z', { ...LIMITS, TRUSTED_PROXIES: '127.0.0.1/32' });
    }, 90_000);

    afterAll(async () => {
      await custos.remove();
    });

    const from = (address: string) => ({ 'x-forwarded-for': address });

    it('is told with every answer, and over it the answer is a problem that says when to come back', async () => {
      const token = `Bearer ${custos.token('auditor')}`;
      await ask(custos, token);
      const first = await ask(custos, token);
      expect(first).toMatchObject({ status: 200, limit: 30, remaining: 29, retryAfter: null });
      const { answered, reply } = await exhaust(40, () => ask(custos, token));
      expect(answered).toBe(29);
      expect(reply).toMatchObject({ limit: 30, remaining: 0, body: { title: 'too many requests', status: 429 } });
      expect(reply.type).toMatch(/^application\/problem\+json/);
      expect(Number(reply.retryAfter)).toBeGreaterThan(0);
      expect(Number(reply.retryAfter)).toBeLessThanOrEqual(60);
      expect(reply.reset).toBe(Number(reply.retryAfter));
    });

    it('counts every credential by itself, wherever it comes from', async () => {
      expect((await ask(custos, `Bearer ${custos.token('auditor')}`, '/v1/clock', from('192.0.2.77'))).status).toBe(
        429,
      );
      expect((await ask(custos, `Bearer ${custos.token('counsel')}`)).status).toBe(200);
    });

    it('counts by address who brings nothing, or what opens nothing: guessing does not help', async () => {
      const guesses = await exhaust(60, () =>
        ask(custos, `Bearer custos_${randomUUID()}`, '/v1/clock', from('192.0.2.1')),
      );
      expect(guesses.answered).toBe(40);
      expect(guesses.reply).toMatchObject({ status: 429, limit: 40 });
      // Not even with a route that is open to anyone, which looks at no credential.
      const bogus = `Bearer custos_${randomUUID()}`;
      const open = await exhaust(60, () => ask(custos, bogus, '/v1/notices/customer-privacy', from('192.0.2.2')));
      expect(open.answered).toBe(40);
      const lost = await exhaust(60, () => ask(custos, undefined, `/v1/${randomUUID()}`, from('192.0.2.3')));
      expect(lost.answered).toBe(40);
    });

    it('counts one network of IPv6 as one address', async () => {
      let host = 0;
      const { answered } = await exhaust(60, () =>
        ask(custos, undefined, '/v1/clock', from(`2001:db8:7:1::${(host += 1).toString(16)}`)),
      );
      expect(answered).toBe(40);
      expect((await ask(custos, undefined, '/v1/clock', from('2001:db8:7:2::1'))).status).toBe(401);
    });

    it('leaves probes alone', async () => {
      for (let asked = 0; asked < 60; asked += 1)
        expect((await ask(custos, undefined, '/health/live', from('192.0.2.1'))).status).toBe(200);
    });
  });

  it('believes no forwarded address of a proxy that is not trusted', async () => {
    const custos = await Installation.start('2026-11-23T09:00:00Z', LIMITS);
    try {
      let host = 0;
      const { answered } = await exhaust(60, () =>
        ask(custos, undefined, '/v1/clock', { 'x-forwarded-for': `192.0.2.${(host += 1)}` }),
      );
      expect(answered).toBeLessThanOrEqual(40);
    } finally {
      await custos.remove();
    }
  });

  describeWithRedis('of several engines over one Redis', () => {
    let redis: RedisServer;
    let engines: readonly Installation[];

    beforeAll(async () => {
      redis = await RedisServer.start();
      engines = [await Installation.start(undefined, { ...LIMITS, REDIS_URL: redis.url })];
    }, 120_000);

    afterAll(async () => {
      for (const engine of engines) await engine.remove();
      await redis.remove();
    });

    it('is counted in Redis, under names that nobody can turn back, and for a minute', async () => {
      const [one] = engines as [Installation];
      const token = one.token('auditor');
      const { answered } = await exhaust(60, () => ask(one, `Bearer ${token}`));
      expect(answered).toBeLessThanOrEqual(31);
      const keys = (await redis.client.keys('custos:rate:*')).sort();
      const named = (kind: string): readonly string[] =>
        keys.filter((key) => new RegExp(`^custos:rate:${kind}:[\\w-]{43,64}$`).test(key));
      expect(named('address')).toHaveLength(1);
      // One of each who has asked by now: the installation has given its actors what they may look at.
      expect(named('credential').length).toBeGreaterThan(0);
      expect(named('address').length + named('credential').length).toBe(keys.length);
      const text = keys.join(' ');
      expect(text).not.toContain(token);
      expect(text).not.toContain('127.0.0.1');
      for (const key of keys) {
        const left = await redis.client.pttl(key);
        expect(left).toBeGreaterThan(0);
        expect(left).toBeLessThanOrEqual(60_000);
      }
      // What another engine has counted counts here.
      for (const key of named('credential')) await redis.client.set(key, '1', 'PX', 60_000);
      expect((await ask(one, `Bearer ${token}`)).remaining).toBe(28);
    });

    it('lets no more through than the limit when many ask at once', async () => {
      const [one] = engines as [Installation];
      const token = `Bearer ${one.token('dpo')}`;
      for (const key of await redis.client.keys('custos:rate:credential:*')) await redis.client.del(key);
      const replies = await Promise.all(Array.from({ length: 100 }, () => ask(one, token)));
      const answered = replies.filter(({ status }) => status === 200).length;
      expect(answered).toBeGreaterThan(20);
      expect(answered).toBeLessThanOrEqual(30);
      expect(replies.filter(({ status }) => status === 429)).toHaveLength(100 - answered);
    });

    it('goes on when Redis is gone, and counts by itself then', async () => {
      const [one] = engines as [Installation];
      await redis.kill();
      const { answered, reply } = await exhaust(60, () => ask(one, `Bearer ${one.token('counsel')}`));
      expect(answered).toBeGreaterThan(20);
      expect(answered).toBeLessThanOrEqual(31);
      expect(reply.status).toBe(429);
    });
  });
});

import { createPrivateKey, generateKeyPairSync, randomBytes, type JsonWebKey } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { compactDecrypt, CompactEncrypt, importJWK } from 'jose';
import {
  commandMessage,
  contextOf,
  CustosClient,
  NoAnswer,
  openAnswer,
  openMessage,
  openSealed,
  parseRedisUrl,
  partitionOf,
  readCloudEvent,
  sealAnswer,
  sealTo,
  shownRedisUrl,
  type SealingKey,
} from './sdk/index.js';

const pair = generateKeyPairSync('x25519');
const published = { ...pair.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'enc' } as unknown as SealingKey;
const keyOf = (kid: string) => (kid === 'k1' ? pair.privateKey : undefined);

const event = { specversion: '1.0', id: '1', source: '/service/crm', type: 'a.b.v1' };
const wrong = (value: unknown): string => {
  try {
    readCloudEvent(value);
    return 'valid';
  } catch (error) {
    return (error as Error).message.replace('no CloudEvent: ', '');
  }
};

describe('a CloudEvent', () => {
  it.each([
    event,
    { ...event, data: null, subject: null },
    { ...event, data: 1, datacontenttype: 'application/json; charset="utf-8"', time: '2026-02-28T23:59:60.5+01:00' },
    { ...event, data_base64: 'AAE=', dataschema: 'urn:a', ext1: true, ext2: -2147483648, ext3: 'ü' },
  ])('is taken: %j', (value) => expect(wrong(value)).toBe('valid'));

  // The first six pass the public JSON schema.
  it.each([
    [{ ...event, specversion: '0.3' }, 'specversion (isOnePointZero)'],
    [{ ...event, datacontenttype: 'json' }, 'datacontenttype (isMediaType)'],
    [{ ...event, Upper: 'a' }, '(unnamed) (isLowerCaseAlphanumeric)'],
    [{ ...event, 'a.b': 'a' }, '(unnamed) (isLowerCaseAlphanumeric)'],
    [{ ...event, ext: 1.5 }, '(extension) (isInteger32)'],
    [{ ...event, data: 1, data_base64: 'AAE=' }, 'data_base64 (isAlone)'],
    [{ ...event, ext: 2 ** 31 }, '(extension) (isInteger32)'],
    [{ ...event, ext: {} }, '(extension) (isTextIntegerOrBoolean)'],
    [{ ...event, ext: 'a\u0000' }, '(extension) (isPlainText)'],
    [{ ...event, id: '' }, 'id (isNonEmptyText)'],
    [{ ...event, source: undefined }, 'source (isTextIntegerOrBoolean)'],
    [{ specversion: '1.0', id: '1', source: '/a' }, 'type (isRequired)'],
    [{ ...event, source: 'a b' }, 'source (isUriReference)'],
    [{ ...event, dataschema: '/relative' }, 'dataschema (isUri)'],
    [{ ...event, time: '2026-02-30T00:00:00Z' }, 'time (isTimestamp)'],
    [{ ...event, data_base64: '!' }, 'data_base64 (isBase64)'],
    [{ ...event, ashafictional: {} }, '(extension) (isTextIntegerOrBoolean)'],
    [[event], '(event) (isObject)'],
  ])('is refused, with the attribute and the rule: %j', (value, rule) => expect(wrong(value)).toBe(rule));
});

describe('a seal', () => {
  it('is a JWE: another implementation opens it, and it opens what that one sealed', async () => {
    const key = await importJWK({ ...pair.privateKey.export({ format: 'jwk' }), alg: 'ECDH-ES' } as never);
    const { plaintext } = await compactDecrypt(sealTo(published, { token: 'ü' }, 'ctx'), key);
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({ token: 'ü' });
    const header = JSON.parse(Buffer.from(sealTo(published, 1, 'ctx').split('.')[0] ?? '', 'base64url').toString()) as {
      ctx: string;
    };
    const theirs = await new CompactEncrypt(new TextEncoder().encode('{"a":1}'))
      .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: 'k1', ctx: header.ctx })
      .encrypt(await importJWK({ ...published, alg: 'ECDH-ES' } as never));
    expect(openSealed(theirs, keyOf, 'ctx')).toEqual({ a: 1 });
  });

  it('opens beside what it was sealed with, and nowhere else', () => {
    const sealed = sealTo(published, 'value', 'ctx');
    expect(openSealed(sealed, keyOf, 'ctx')).toBe('value');
    expect(() => openSealed(sealed, keyOf, 'other')).toThrow('was changed');
    expect(() => openSealed(sealed, () => undefined, 'ctx')).toThrow('not known');
    const parts = sealed.split('.');
    const flipped = [
      ...parts.slice(0, 3),
      `${parts[3]?.startsWith('A') ? 'B' : 'A'}${parts[3]?.slice(1)}`,
      parts[4],
    ].join('.');
    expect(() => openSealed(flipped, keyOf, 'ctx')).toThrow('does not open');
    for (const broken of ['', 'a.b.c.d.e', '....', `${parts[0]}....`, sealed.replace('..', '.x.')])
      expect(() => openSealed(broken, keyOf, 'ctx')).toThrow();
    const key = randomBytes(32);
    expect(openAnswer(sealAnswer(key, { a: 1 }, 'id'), key, 'id')).toEqual({ a: 1 });
    expect(() => openAnswer(sealAnswer(key, { a: 1 }, 'id'), key, 'other id')).toThrow();
    expect(() => openAnswer(sealAnswer(key, { a: 1 }, 'id'), randomBytes(32), 'id')).toThrow();
    expect(
      createPrivateKey({ key: pair.privateKey.export({ format: 'jwk' }) as JsonWebKey, format: 'jwk' }),
    ).toBeDefined();
  });
});

describe("a command's message", () => {
  const body = {
    subjectId: 'a3b1c6de-0000-4000-8000-000000000001',
    items: [{ category: 'c', value: 'secret' }],
    note: 'secret',
  };
  const description = { partitions: 8, keys: [published], sealed: { Keep: ['items.*.value', 'note', 'missing.x'] } };
  const sender = {
    source: '/service/crm',
    token: 'custos_t',
    replyTo: 'custos:replies:{x}',
    answerKey: randomBytes(32),
  };
  const message = commandMessage(description, { type: 'Keep', body, commandId: 'c-1' }, sender, '2026-11-23T10:00:00Z');

  it('holds token and personal fields under seal only, and comes out whole', () => {
    expect(JSON.stringify(message)).not.toMatch(/secret|custos_t/);
    expect(message.subject).toBe(body.subjectId);
    const opened = openMessage(readCloudEvent(JSON.parse(JSON.stringify(message))), keyOf);
    expect(opened).toEqual({ token: 'custos_t', answerKey: sender.answerKey, body });
  });

  it.each([
    ['another reply stream', { ...message, replyto: 'custos:replies:{y}' }],
    ['another person', { ...message, subject: 'other' }],
    [
      'another field in the clear',
      { ...message, data: { ...message.data, body: { ...message.data?.body, extra: 1 } } },
    ],
  ])('does not open with %s', (_name, changed) =>
    expect(() => openMessage(changed as typeof message, keyOf)).toThrow('was changed'),
  );

  it('keeps a person in one partition', () => {
    expect(partitionOf('a', 8)).toBe(partitionOf('a', 8));
    const used = new Set(Array.from({ length: 200 }, (_, index) => partitionOf(`person ${index}`, 8)));
    expect(used.size).toBe(8);
    expect(contextOf({ ...event, b: 1, a: 2 } as never, { y: 1, x: 2 })).toBe(
      contextOf({ a: 2, ...event, b: 1 } as never, { x: 2, y: 1 }),
    );
  });
});

describe('where Redis is', () => {
  it.each([
    ['redis://localhost', 'node', [{ host: 'localhost', port: 6379 }], ''],
    ['rediss://u:p%40@h:1/2', 'node', [{ host: 'h', port: 1 }], '2'],
    [
      'redis+sentinel://a,b:1/main',
      'sentinel',
      [
        { host: 'a', port: 26379 },
        { host: 'b', port: 1 },
      ],
      'main',
    ],
    [
      'redis+cluster://:pw@[::1]:7000,b',
      'cluster',
      [
        { host: '::1', port: 7000 },
        { host: 'b', port: 6379 },
      ],
      '',
    ],
  ])('is read from %s', (url, kind, hosts, path) => expect(parseRedisUrl(url)).toMatchObject({ kind, hosts, path }));

  it.each(['http://a', 'redis://a,b', 'redis+sentinel://a', 'redis+cluster://a/1', 'redis://a:99999', 'redis://a/x'])(
    'is refused without repeating it: %s',
    (url) =>
      expect(() => parseRedisUrl(url)).toThrow(
        expect.objectContaining({ name: 'RedisUrlRefused', message: expect.not.stringContaining(url) }),
      ),
  );

  it('is shown without a password', () => expect(shownRedisUrl('redis://u:p@h:1')).toBe('redis://h:1'));
});

describe('a client', () => {
  /** An engine that fails each command's first attempt, and says in which order it got them. */
  async function failing(work: (url: string, got: string[]) => Promise<void>): Promise<void> {
    const got: string[] = [];
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { commandId } = JSON.parse(Buffer.concat(chunks).toString()) as { commandId: string };
        const isFirst = !got.includes(commandId);
        got.push(commandId);
        response.statusCode = isFirst ? 503 : 200;
        response.end(JSON.stringify({ accepted: true, commandId, events: [], stream: 's', position: 1 }));
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, got);
    } finally {
      server.close();
    }
  }

  it('keeps the order of what it is told about one person, also when the first has to be sent again', () =>
    failing(async (url, got) => {
      const client = new CustosClient({ url, token: 't' });
      const send = (subjectId: string, commandId: string) =>
        client.send('RegisterSubject', { subjectId, commandId, capacity: 'individual' });
      await Promise.all([send('one', 'a'), send('one', 'b'), send('other', 'c')]);
      expect(got.filter((id) => id !== 'c')).toEqual(['a', 'a', 'b', 'b']);
      // Nobody waits for somebody else's.
      expect(got.indexOf('c')).toBeLessThan(got.indexOf('b'));
      await client.close();
    }));

  it('goes on with the next when the one before has failed, and says when it was closed that there is no answer', () =>
    failing(async (url) => {
      const client = new CustosClient({ url: 'http://127.0.0.1:9', token: 't', timeout: 300 });
      const send = () => client.send('RecordRenewal', { subjectId: 'one' }).catch((error: unknown) => error);
      expect((await Promise.all([send(), send()])).every((error) => error instanceof NoAnswer)).toBe(true);
      await client.close();
      const closed = new CustosClient({ url, token: 't' });
      await closed.close();
      await expect(closed.send('RecordRenewal', { subjectId: 'one' })).rejects.toThrow(NoAnswer);
    }));
});

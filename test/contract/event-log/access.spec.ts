import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventStoreDBClient, jsonEvent, type Credentials } from '@eventstore/db-client';
import { signedIn } from '../../../libs/embedded-event-store/acl.js';
import { Users } from '../../../libs/embedded-event-store/auth.js';
import { addUser, startEmbeddedEventStore, type EmbeddedEventStore } from '../../../libs/embedded-event-store/index.js';
import { describeWithOpenssl, type Certificate } from './certificate.js';
import { Empty, chunk, connect, identifier, streams, type Failure, type Rpc, type Stub } from './rpc.js';
import { collect, events, refusal, revisions, streamName, until } from './store.js';

const scratch = mkdtempSync(join(tmpdir(), 'event-log-access-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const users = join(scratch, 'users.json');
const basic = ({ username, password }: Credentials): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
const root = { username: 'root', password: 'root: secret' };
const ann = { username: 'ann', password: 'ännchen' };
const ben = { username: 'ben', password: 'ben-secret' };
const olga = { username: 'olga', password: 'olga-secret' };
const denied = { type: 'access-denied' };

beforeAll(async () => {
  await addUser(users, root.username, root.password, ['$admins']);
  await addUser(users, ann.username, ann.password, ['clerks']);
  await addUser(users, ben.username, ben.password, []);
  await addUser(users, olga.username, olga.password, ['$ops']);
});

describe('the file of users', () => {
  it('is its owner’s alone, holds no password, and is replaced as a whole', async () => {
    const file = join(scratch, 'changing.json');
    await addUser(file, 'cid', 'first password', ['clerks']);
    await addUser(file, 'dora', 'same password', []);
    await addUser(file, 'cid', 'same password', []);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('password": "same');
    expect(text).not.toMatch(/(first|same) password/);
    const stored = (JSON.parse(text) as { users: Record<string, { password: string }> }).users;
    expect(Object.keys(stored)).toEqual(['cid', 'dora']);
    expect(stored['cid']?.password).not.toBe(stored['dora']?.password);
    const known = await Users.load(file);
    expect(await known.authenticate(basic({ username: 'cid', password: 'same password' }))).toEqual({
      name: 'cid',
      groups: [],
    });
    await expect(
      (async () => known.authenticate(basic({ username: 'cid', password: 'first password' })))(),
    ).rejects.toMatchObject({ status: { code: 16 } });
  });

  it.each(['', 'a:b', '$admins', 'a\nb'])('does not take %j for a name', async (name) => {
    await expect(addUser(join(scratch, 'unused.json'), name, 'secret', [])).rejects.toThrow(RangeError);
  });

  it('takes neither an empty password nor a group of everybody', async () => {
    await expect(addUser(join(scratch, 'unused.json'), 'cid', '', [])).rejects.toThrow(RangeError);
    await expect(addUser(join(scratch, 'unused.json'), 'cid', 'secret', ['$all'])).rejects.toThrow(RangeError);
  });

  it.each([
    '',
    '{}',
    '{"version":2,"users":{}}',
    '{"version":1,"users":{"a":{"groups":[],"password":"plain"}}}',
    '{"version":1,"users":{"a":{"groups":"$admins","password":"scrypt:2:8:1:AA==:AA=="}}}',
  ])('is neither read nor overwritten when it is damaged: %s', async (text) => {
    const file = join(scratch, 'damaged.json');
    writeFileSync(file, text);
    await expect(Users.load(file)).rejects.toThrow(`${file} is not a file of users`);
    await expect(addUser(file, 'cid', 'secret', [])).rejects.toThrow(`${file} is not a file of users`);
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('is checked one password at a time; when many wait, only those who were known get in', async () => {
    const known = await Users.load(users);
    expect(await known.authenticate(basic(ben))).toMatchObject({ name: 'ben' });
    const guess = async (n: number) => known.authenticate(basic({ username: 'ann', password: String(n) }));
    const guesses = Array.from({ length: 20 }, (_, n) => guess(n).catch((error: Stub) => error.status.code));
    expect(known.authenticate(basic(ben))).toEqual({ name: 'ben', groups: [] });
    expect((await Promise.all(guesses)).filter((code) => code === 8)).toHaveLength(4);
    expect(await known.authenticate(basic(ann))).toMatchObject({ name: 'ann' });
  });
});

describe('a server without users', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', '127.example.org'])('does not listen on %s', async (host) => {
    await expect(startEmbeddedEventStore({ dataDir: join(scratch, 'never'), host })).rejects.toThrow(
      `without users the event store listens on loopback only, not on ${host}`,
    );
  });
});

it('a server with users does not start without a certificate, or without its file of users', async () => {
  const start = startEmbeddedEventStore({ dataDir: join(scratch, 'never'), users });
  await expect(start).rejects.toThrow('users need a certificate');
});

describe('what is not about one stream', () => {
  const path = '/event_store.client.persistent_subscriptions.PersistentSubscriptions/Create';
  const code = async (user: Credentials | undefined) => {
    const admit = signedIn(await Users.load(users));
    return (async () => admit(path, user && basic(user)))().then(
      (admitted) => admitted?.name,
      (error: Stub) => error.status.code,
    );
  };

  it('is for operators and administrators', async () => {
    expect([await code(olga), await code(root), await code(ben), await code(undefined)]).toEqual([
      'olga',
      'root',
      7,
      7,
    ]);
  });
});

describeWithOpenssl('a server with users', (make) => {
  let certificate: Certificate;
  let server: EmbeddedEventStore;
  let client: EventStoreDBClient;

  const urlFor = ({ username, password }: Credentials): string =>
    `${server.connectionString}&tlsCAFile=${encodeURIComponent(certificate.certFile)}`.replace(
      '://',
      `://${encodeURIComponent(username)}:${encodeURIComponent(password)}@`,
    );

  beforeAll(async () => {
    certificate = make();
    server = await startEmbeddedEventStore({ dataDir: join(scratch, 'data'), tls: certificate, users });
    client = EventStoreDBClient.connectionString(urlFor(ann));
  });
  afterAll(async () => {
    await client.dispose();
    await server.stop();
  });

  const as = (credentials: Credentials) => ({ credentials });
  const read = (stream: string, user: Credentials = ann) => collect(client.readStream(stream, as(user)));
  const append = (stream: string, user: Credentials = ann) => client.appendToStream(stream, events(1), as(user));
  /** A stream of one event with these rights, which `root` has set. */
  const given = async (acl: object): Promise<string> => {
    const stream = streamName();
    await client.appendToStream(stream, events(1));
    const metadata = jsonEvent({ type: '$metadata', data: { $acl: acl } as never });
    await client.appendToStream(`$$${stream}`, metadata, as(root));
    return stream;
  };
  const outcome = (attempt: Promise<unknown>) =>
    attempt.then(
      () => 'done',
      (error: { type: string }) => error.type,
    );

  const withRpc = async <T>(authorization: string | undefined, use: (rpc: Rpc) => Promise<T>): Promise<T> => {
    const rpc = connect(`esdb://127.0.0.1:${server.port}?tls=true`, {
      ca: certificate.ca,
      ...(authorization !== undefined && { authorization }),
    });
    try {
      return await use(rpc);
    } finally {
      rpc.close();
    }
  };
  const failure = (call: Stub): Promise<Failure> =>
    new Promise((resolve) => call.on('error', resolve).on('data', () => undefined));
  const readRequest = () => {
    const { Options } = streams.ReadReq;
    const options = new Options().setStream(
      new Options.StreamOptions().setStreamIdentifier(identifier('s')).setStart(new Empty()),
    );
    return new streams.ReadReq().setOptions(options.setCount('1').setNoFilter(new Empty()));
  };

  it('lets somebody in who has signed in by the connection string, through both append calls', async () => {
    const stream = streamName();
    await client.appendToStream(stream, events(1));
    await append(stream);
    expect(revisions(await collect(client.readStream(stream)))).toEqual([0, 1]);
  });

  it('tells an anonymous client how to connect, and nothing else', async () => {
    await withRpc(undefined, async (rpc) => {
      const open: [Stub, string][] = [
        [rpc.features, 'getSupportedMethods'],
        [rpc.gossip, 'read'],
      ];
      for (const [stub, method] of open) {
        const answer = await new Promise((resolve) => stub[method](new Empty(), resolve));
        expect(answer).toBeNull();
      }
      const remove = new streams.DeleteReq().setOptions(
        new streams.DeleteReq.Options().setStreamIdentifier(identifier('s')).setAny(new Empty()),
      );
      const tombstone = new streams.TombstoneReq().setOptions(
        new streams.TombstoneReq.Options().setStreamIdentifier(identifier('s')).setAny(new Empty()),
      );
      const unary = (method: string, ...request: Stub[]) =>
        new Promise<Failure>((resolve) => rpc.streams[method](...request, resolve));
      const failures = await Promise.all([
        failure(rpc.streams.read(readRequest())),
        failure(rpc.streams.batchAppend()),
        unary('append'),
        unary('delete', remove),
        unary('tombstone', tombstone),
      ]);
      for (const { code, metadata } of failures) {
        expect([code, metadata.getMap()['exception']]).toEqual([7, 'access-denied']);
      }
    });
  });

  it.each([
    ['a wrong password', basic({ ...ann, password: 'wrong' })],
    ['the password of somebody else', basic({ ...ann, password: ben.password })],
    ['a name that is not there', basic({ ...ann, username: 'nobody' })],
    ['no colon', `Basic ${Buffer.from('ann').toString('base64')}`],
    ['another scheme', 'Bearer abc'],
    ['nothing behind the scheme', 'Basic'],
  ])('answers UNAUTHENTICATED to %s', async (_, authorization) => {
    const { code, details } = await withRpc(authorization, (rpc) => failure(rpc.streams.read(readRequest())));
    expect([code, details]).toEqual([16, 'the user name or the password is wrong']);
  });

  it('is an access-denied to the client when the password is wrong', async () => {
    expect(await refusal(read('s', { ...ann, password: 'wrong' }))).toEqual(denied);
  });

  it('keeps streams that begin with $, and $all, for administrators', async () => {
    const stream = `$${streamName()}`;
    await append(stream, root);
    expect(await outcome(read(stream, root))).toBe('done');
    for (const user of [ann, olga]) {
      expect(await outcome(append(stream, user))).toBe('access-denied');
      expect(await outcome(read(stream, user))).toBe('access-denied');
      expect(await outcome(read(`$$${stream}`, user))).toBe('access-denied');
      expect(await outcome(collect(client.readAll(as(user))))).toBe('access-denied');
    }
    expect(await outcome(collect(client.readAll({ ...as(root), maxCount: 1 })))).toBe('done');
  });

  it('refuses a subscription like a read', async () => {
    const endings: string[] = [];
    for (const subscription of [client.subscribeToAll(), client.subscribeToStream('$log')]) {
      subscription.on('error', (error) => endings.push((error as unknown as { type: string }).type));
    }
    await until(() => endings.length === 2, 'two refusals');
    expect(endings).toEqual(['access-denied', 'access-denied']);
  });

  it('opens $all to whom its own metadata names', async () => {
    await client.setStreamMetadata('$all', { acl: { readRoles: ['ben'] } }, as(root));
    expect(await outcome(collect(client.readAll({ ...as(ben), maxCount: 1 })))).toBe('done');
    expect(await outcome(collect(client.readAll(as(ann))))).toBe('access-denied');
  });

  describe.each([
    ['a user', 'ann'],
    ['a group', 'clerks'],
    ['a list', ['olga', 'clerks']],
  ])('a right given to %s', (_, roles) => {
    const attempts: [string, (stream: string, user: Credentials) => Promise<unknown>][] = [
      ['$r', (stream, user) => read(stream, user)],
      ['$w', (stream, user) => append(stream, user)],
      ['$mr', (stream, user) => read(`$$${stream}`, user)],
      ['$mw', (stream, user) => client.setStreamMetadata(stream, {}, as(user))],
      ['$d', (stream, user) => client.deleteStream(stream, as(user))],
    ];
    it.each(attempts)('%s is that right, and theirs and the administrators’ alone', async (right, attempt) => {
      const stream = await given({ [right]: roles });
      for (const [other, otherAttempt] of attempts.slice(0, 3)) {
        if (other !== right) expect(await outcome(otherAttempt(stream, ben))).toBe('done');
      }
      expect(await outcome(attempt(stream, ben))).toBe('access-denied');
      expect(await outcome(attempt(stream, ann))).toBe('done');
      const again = await given({ [right]: roles });
      expect(await outcome(attempt(again, root))).toBe('done');
    });
  });

  it('takes the right to tombstone from the right to delete', async () => {
    const stream = await given({ $d: 'ann' });
    expect(await outcome(client.tombstoneStream(stream, as(ben)))).toBe('access-denied');
    expect(await outcome(client.tombstoneStream(stream, as(ann)))).toBe('done');
  });

  it.each([
    ['an empty list', { $r: [] }],
    ['a number', { $r: 5 }],
    ['no list at all', 5],
    ['a list of lists', []],
    ['an unknown name', '$nothing'],
    ['the system list', '$systemStreamAcl'],
  ])('lets only administrators read when the rights are %s', async (_, acl) => {
    const stream = await given(acl as object);
    expect(await outcome(read(stream, ann))).toBe('access-denied');
    expect(await outcome(read(stream, root))).toBe('done');
  });

  it('knows the two lists by name, and $all as everybody', async () => {
    const stream = `$${streamName()}`;
    await append(stream, root);
    for (const acl of ['$userStreamAcl', { $r: '$all' }]) {
      const metadata = jsonEvent({ type: '$metadata', data: { $acl: acl } as never });
      await client.appendToStream(`$$${stream}`, metadata, as(root));
      expect(await outcome(read(stream, ben))).toBe('done');
    }
    expect(await outcome(append(stream, ben))).toBe('access-denied');
  });

  it('lets nobody give themselves rights through the metadata of metadata', async () => {
    const stream = await given({ $mr: 'ann', $mw: 'ann' });
    const metadata = jsonEvent({ type: '$metadata', data: { $acl: { $r: '$all', $w: '$all' } } as never });
    expect(await outcome(client.appendToStream(`$$$$${stream}`, metadata, as(ben)))).toBe('access-denied');
    await client.appendToStream(`$$$$${stream}`, metadata, as(root));
    expect(await outcome(read(`$$${stream}`, ben))).toBe('access-denied');
  });

  it('keeps the rights of a stream that is deleted and comes back', async () => {
    const stream = await given({ $r: 'ann', $mw: 'root' });
    await client.deleteStream(stream, as(ben));
    await append(stream, ben);
    expect(await outcome(read(stream, ben))).toBe('access-denied');
    expect(await outcome(client.setStreamMetadata(stream, {}, as(ben)))).toBe('access-denied');
    expect(revisions(await read(stream, ann))).toEqual([1]);
  });

  it('does not resolve a link to what the reader may not read', async () => {
    const secret = await given({ $r: 'ann' });
    const links = streamName();
    const link = { ...jsonEvent({ type: '$>', data: {} }), contentType: 'application/octet-stream' as const };
    await client.appendToStream(links, { ...link, data: Buffer.from(`0@${secret}`) } as never, as(ben));
    const resolved = async (user: Credentials) =>
      (await collect(client.readStream(links, { ...as(user), resolveLinkTos: true }))).map(
        ({ event }) => event?.streamId,
      );
    expect(await resolved(ann)).toEqual([secret]);
    expect(await resolved(ben)).toEqual([undefined]);
  });

  it('refuses one append of a batch call and takes the others', async () => {
    const open = streamName();
    await withRpc(basic(ann), async (rpc) => {
      const call = rpc.streams.batchAppend();
      const answers: [string, string][] = [];
      call.on('data', (response: Stub) => {
        const { streamIdentifier, error } = response.toObject();
        const name = Buffer.from(streamIdentifier.streamName, 'base64').toString();
        answers.push([name, error?.details.typeUrl.split('.').at(-1) ?? 'success']);
      });
      call.on('error', () => undefined);
      for (const [stream, isFinal] of [
        ['$closed', true],
        ['$closed', false],
        [open, true],
      ] as const) {
        const deadline = new Date(Date.now() + 1000);
        const list = [{ id: crypto.randomUUID(), type: 'T' }];
        call.write(chunk({ correlationId: crypto.randomUUID(), stream, deadline, events: list, isFinal }));
      }
      await until(() => answers.length === 3, 'three answers');
      expect(answers).toEqual([
        ['$closed', 'AccessDenied'],
        ['$closed', 'AccessDenied'],
        [open, 'success'],
      ]);
      call.cancel();
    });
    expect(revisions(await read(open))).toEqual([0]);
  });
});

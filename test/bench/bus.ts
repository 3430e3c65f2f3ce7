/**
 * A command over the bus and over HTTP, against the sum of its parts: `npm run bench bus [-- --rounds N]` (goal G2).
 *
 * Parts, each measured in the same rounds: a request that does nothing; for the bus a message through a stream to
 * another process, which blocks on it as a group's consumer, answers and acknowledges, and back; and the raw command:
 * an append of the very event that the command stores, conditional on the revision, through the unmodified client.
 *
 * Three commands, because the raw command differs:
 * - `warm`: consent given and withdrawn, about people the engine remembers. Raw: the append.
 * - `cold`: a person registered, whom it has never seen. It must read that the stream is empty before it decides. Raw:
 *   the append alone, and with that read (as goal G1 has it for cold commands).
 * - `sealed`: a value collected. Its key must be durable in the vault before its event is in the log. Raw: the append
 *   alone, and with the commit of one row to a database of the vault's settings.
 *
 * `p50` compares one sender's median with the sum of the parts' medians, goal <= 1.3; `rate` compares 64 senders with
 * the slowest part, goal >= 0.5. Every round measures all figures, in another order each time, and gives one ratio;
 * a row is void when its baseline spreads by more than twofold. What is measured is warm: each figure is made often
 * enough for the code to be compiled before it counts. Every command must be accepted and store one event.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  EventStoreDBClient,
  jsonEvent,
  NO_STREAM,
  type JSONEventType,
  type ResolvedEvent,
} from '@eventstore/db-client';
import SqliteDatabase from 'better-sqlite3';
import { Redis } from 'ioredis';
import { CustosClient } from '../../libs/command-bus/sdk/index.js';
import { comparisonOf, median, row, table, type Comparison } from './rounds.js';

const { values: options } = parseArgs({
  args: process.argv.slice(3),
  options: { rounds: { type: 'string', default: '7' }, warm: { type: 'string', default: '1000' } },
});
const ROUNDS = Math.max(3, Number(options.rounds));
const WARM = Number(options.warm);
const ONE = 100;
const MANY = 640;
const SENDERS = 64;
const folder = mkdtempSync(join(tmpdir(), 'bench-bus-'));

/** Starts a program and waits for a line of its output. */
function start(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  ready: RegExp,
): Promise<[ChildProcess, string]> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (ready.test(output)) resolve([child, output]);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${program} did not start:\n${output}`)));
  });
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const port = 20_000 + Math.floor(Math.random() * 20_000);
const redisUrl = `redis://127.0.0.1:${port}`;
const [redis] = await start(
  'redis-server',
  ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', ''],
  {},
  /Ready to accept/,
);
const [echo] = await start(process.execPath, [here('./bus-echo.js'), redisUrl], {}, /ready/);
const [custos, output] = await start(
  process.execPath,
  [here('../../apps/standalone/main.js')],
  {
    PATH: process.env['PATH'],
    ...{ DATA_DIR: join(folder, 'data'), PORT: '0', REDIS_URL: redisUrl },
    ...{ RATE_LIMIT: '10000000', RATE_LIMIT_ADDRESS: '10000000' },
  },
  /^ {2}custos_\S+$/m,
);
const url = /API +(\S+)\/v1$/m.exec(output)?.[1] ?? '';
const operator = /^ {2}(custos_\S+)$/m.exec(output)?.[1] ?? '';
const issued = (await (
  await fetch(`${url}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      tokens: [
        { actorId: 'crm', actorType: 'service_account', roles: ['service'] },
        { actorId: 'officer', actorType: 'user', roles: ['privacyOfficer'] },
        { actorId: 'second-officer', actorType: 'user', roles: ['privacyOfficer'] },
      ],
    }),
  })
).json()) as { tokens: { token: string }[] };
const [token = '', ...officers] = issued.tokens.map((each) => each.token);
const { eventStoreUrl } = JSON.parse(readFileSync(join(folder, 'data', 'standalone.json'), 'utf8')) as {
  eventStoreUrl: string;
};
const store = EventStoreDBClient.connectionString(eventStoreUrl);
const WAYS = ['bus', 'http'] as const;
const KINDS = ['warm', 'cold', 'sealed'] as const;
type Kind = (typeof KINDS)[number];
const clients = { bus: new CustosClient({ url, token, redisUrl }), http: new CustosClient({ url, token }) };

/** @throws unless the command was accepted and stored one event. @returns the stream. */
async function sent(client: CustosClient, type: string, body: object): Promise<string> {
  const answer = await client.send(type as 'RegisterSubject', body as never);
  if (!answer.accepted) throw new Error(`wrong answer to ${type}: ${answer.code}`);
  if (answer.events.length !== 1) throw new Error(`${type} stored ${answer.events.length} events`);
  return answer.stream;
}

const contract = {
  ...{ serviceId: 'crm', purposes: ['product-news', 'support-ticket'], categories: ['contact.email'] },
  collectionPoints: ['support-form'],
};
const [officer, second] = officers.map((held) => new CustosClient({ url, token: held }));
await sent(officer!, 'DraftServiceContract', contract);
await sent(second!, 'ApproveServiceContract', { serviceId: contract.serviceId, version: 1 });

const NOTICE = { noticeId: 'customer-privacy', noticeVersion: 1 };
const people = await Promise.all(
  Array.from({ length: SENDERS }, async () => {
    const subjectId = randomUUID();
    await sent(clients.http, 'RegisterSubject', { subjectId, capacity: 'individual' });
    const shown = { noticeId: 'customer-privacy', version: 1, how: 'shown', channel: 'web' };
    await sent(clients.http, 'PresentNotice', { subjectId, ...shown });
    return { subjectId, gave: false };
  }),
);
/** One command of a kind by one of the senders. */
const commands: Readonly<Record<Kind, (client: CustosClient, sender: number) => Promise<string>>> = {
  warm(client, sender) {
    const person = people[sender]!;
    person.gave = !person.gave;
    const consent = { subjectId: person.subjectId, purposeId: 'product-news', channel: 'email' };
    const how = { statementHash: '5c'.repeat(32), method: 'webForm', affirmativeAct: 'tickedBox', givenBy: 'subject' };
    return person.gave
      ? sent(client, 'GiveConsent', { ...consent, ...NOTICE, ...how })
      : sent(client, 'WithdrawConsent', consent);
  },
  cold: (client) => sent(client, 'RegisterSubject', { subjectId: randomUUID(), capacity: 'individual' }),
  sealed: (client, sender) =>
    sent(client, 'CollectData', {
      subjectId: people[sender]!.subjectId,
      ...{ purposeId: 'support-ticket', collectionPointId: 'support-form', ...NOTICE, serviceRequestRef: 'ticket-1' },
      items: [{ category: 'contact.email', value: `person-${randomUUID()}@example.test` }],
    }),
};

/** The event that a command of a kind stores, to be appended again as it is. */
async function stored(kind: Kind): Promise<JSONEventType> {
  const stream = await commands[kind](clients.http, 0);
  let last: ResolvedEvent | undefined;
  for await (const event of store.readStream(stream)) last = event as ResolvedEvent;
  if (!last?.event) throw new Error('the command stored nothing');
  const { data, metadata } = last.event;
  return { type: 'bench.v1', data, metadata } as JSONEventType;
}

interface Stream {
  name: string;
  revision: bigint;
}
const freshStream = (): Stream => ({ name: `bench-${randomUUID()}`, revision: -1n });
async function append(event: JSONEventType, stream: Stream): Promise<void> {
  const expectedRevision = stream.revision < 0n ? NO_STREAM : stream.revision;
  const result = await store.appendToStream(stream.name, [jsonEvent(event)], { expectedRevision });
  stream.revision = result.nextExpectedRevision;
}
async function readNothing({ name }: Stream): Promise<void> {
  try {
    for await (const _ of store.readStream(name)) throw new Error('wrong answer: the stream is not empty');
  } catch (error) {
    if ((error as { type?: string }).type !== 'stream-not-found') throw error;
  }
}

/** A database of the vault's settings: a row is one key, and is on the disk when the commit returns. */
const vault = new SqliteDatabase(join(folder, 'keys.db'));
vault.pragma('journal_mode = wal');
vault.pragma('synchronous = full');
vault.pragma('secure_delete = on');
vault.exec('CREATE TABLE keys (id BLOB PRIMARY KEY, subject BLOB, wrapped BLOB) STRICT, WITHOUT ROWID');
const insert = vault.prepare('INSERT INTO keys VALUES (?, ?, ?)');
let keys: { settle(): void }[] = [];
/** As the vault does it: keys that are wanted in one turn of the event loop are committed together. */
const commitKey = (): Promise<void> =>
  new Promise((settle) => {
    keys.push({ settle });
    if (keys.length > 1) return;
    setImmediate(() => {
      const gathered = keys;
      keys = [];
      vault.transaction(() => gathered.forEach(() => insert.run(randomBytes(16), randomBytes(16), randomBytes(60))))();
      gathered.forEach((each) => each.settle());
    });
  });

const nothing = async (): Promise<void> => {
  const response = await fetch(`${url}/health/live`);
  if ((await response.text()) !== '{"status":"ok"}') throw new Error('wrong answer: not alive');
};

const [writer, reader] = [new Redis(redisUrl), new Redis(redisUrl)];
const echoes = new Map<string, () => void>();
const message = 'a'.repeat(900);
const roundTrip = async (): Promise<void> => {
  const id = randomUUID();
  const back = new Promise<void>((resolve) => echoes.set(id, resolve));
  await writer.xadd('bench:there', '*', 'id', id, 'event', message);
  await back;
};
void (async () => {
  let from = '0';
  for (;;) {
    const read = await reader.xread('COUNT', 256, 'BLOCK', 1000, 'STREAMS', 'bench:back', from).catch(() => null);
    if (reader.status === 'end') return;
    for (const [entry, fields] of read?.[0]?.[1] ?? []) {
      from = entry;
      echoes.get(fields[1] ?? '')?.();
      echoes.delete(fields[1] ?? '');
    }
  }
})();

const events = { warm: await stored('warm'), cold: await stored('cold'), sealed: await stored('sealed') };
const streams = people.map(freshStream);
/** Everything that is measured, by name: one unit of work of one of the senders. */
const works: Readonly<Record<string, (sender: number) => Promise<unknown>>> = {
  nothing,
  'round trip': roundTrip,
  ...Object.fromEntries(
    KINDS.map((kind) => [
      `append ${kind}`,
      (sender: number) => append(events[kind], kind === 'cold' ? freshStream() : streams[sender]!),
    ]),
  ),
  read: () => readNothing(freshStream()),
  'read and append': async () => {
    const stream = freshStream();
    await readNothing(stream);
    await append(events.cold, stream);
  },
  key: commitKey,
  'key and append': async (sender) => {
    await commitKey();
    await append(events.sealed, streams[sender]!);
  },
  ...Object.fromEntries(
    WAYS.flatMap((way) =>
      KINDS.map((kind) => [`${way} ${kind}`, (sender: number) => commands[kind](clients[way], sender)] as const),
    ),
  ),
};

async function p50(work: (sender: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < ONE; index += 1) {
    const from = performance.now();
    await work(0);
    times.push(performance.now() - from);
  }
  return median(times);
}

async function rate(work: (sender: number) => Promise<unknown>, many = MANY): Promise<number> {
  let next = 0;
  const from = performance.now();
  await Promise.all(
    Array.from({ length: SENDERS }, async (_, sender) => {
      while (next++ < many) await work(sender);
    }),
  );
  return (many / (performance.now() - from)) * 1000;
}

/** By name of the work: one figure per round. */
async function rounds(measure: (work: (sender: number) => Promise<unknown>) => Promise<number>) {
  const figures: Record<string, number[]> = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  const names = Object.keys(works);
  for (let round = 0; round < ROUNDS; round += 1) {
    const shift = (round * 5) % names.length;
    for (const name of [...names.slice(shift), ...names.slice(0, shift)])
      figures[name]!.push(await measure(works[name]!));
  }
  return (name: string, round: number): number => figures[name]![round]!;
}

function compared(
  name: string,
  unit: string,
  subject: (round: number) => number,
  baseline: (round: number) => number,
): Comparison {
  const all = Array.from({ length: ROUNDS }, (_, round) => round);
  return comparisonOf(name, unit, all.map(subject), all.map(baseline));
}

/** Raw commands that a kind is compared with: the append alone, and with what else it must do. */
const RAW: Readonly<Record<Kind, readonly (readonly [string, string])[]>> = {
  warm: [['', 'append warm']],
  cold: [
    ['', 'append cold'],
    [', read stated', 'read and append'],
  ],
  sealed: [
    ['', 'append sealed'],
    [', key stated', 'key and append'],
  ],
};

try {
  for (const work of Object.values(works)) await rate(work, WARM);
  const took = await rounds(p50);
  const rates = await rounds((work) => rate(work));
  const results: Comparison[] = [];
  for (const way of WAYS)
    for (const kind of KINDS)
      for (const [stated, raw] of RAW[kind]) {
        const parts = ['nothing', ...(way === 'bus' ? ['round trip'] : []), raw];
        results.push(
          compared(
            `G2 p50 ${way} ${kind}${stated}`,
            'ms',
            (round) => took(`${way} ${kind}`, round),
            (round) => parts.reduce((sum, part) => sum + took(part, round), 0),
          ),
          compared(
            `G2 rate ${way} ${kind}${stated}`,
            '/s',
            (round) => rates(`${way} ${kind}`, round),
            (round) => Math.min(...parts.map((part) => rates(part, round))),
          ),
        );
      }
  const all = Array.from({ length: ROUNDS }, (_, round) => round);
  const parts = Object.keys(works).map((name) => ({
    name,
    p50: median(all.map((round) => took(name, round))),
    rate: median(all.map((round) => rates(name, round))),
  }));
  const told = parts.map(({ name, p50: time, rate: pace }) => [
    name,
    `${time.toFixed(2)} ms`,
    `${Math.round(pace)} /s`,
  ]);
  process.stdout.write(
    `${table([['measured', 'p50 of one', 'rate of 64'], ...told])}\n\n` +
      `${table([['', 'command', 'parts', 'unit', 'ratio'], ...results.map(row)])}\n` +
      `${JSON.stringify({ bench: 'bus', parts, results })}\n`,
  );
} finally {
  await Promise.all(Object.values(clients).map((client) => client.close()));
  [writer, reader].forEach((connection) => connection.disconnect());
  vault.close();
  await store.dispose();
  custos.removeAllListeners('exit').kill('SIGTERM');
  await new Promise((resolve) => custos.once('close', resolve));
  [echo, redis].forEach((child) => child.removeAllListeners('exit').kill('SIGTERM'));
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

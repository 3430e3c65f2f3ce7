/**
 * A command over the bus and over HTTP, against the sum of its parts: `npm run bench bus [-- --rounds N]` (goal G2).
 *
 * The parts, measured in the same run: a request that does nothing; for the bus a message through a Redis stream to a
 * blocking reader and back; a conditional append through the unmodified client. `p50` compares one sender's median
 * with the sum of the parts' medians, goal <= 1.3; `rate` compares 64 senders with the slowest part, goal >= 0.5.
 * Sides take turns; a run is void when its baseline spreads by more than twofold. Every command must be accepted.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { EventStoreDBClient, jsonEvent, NO_STREAM } from '@eventstore/db-client';
import { Redis } from 'ioredis';
import { CustosClient } from '../../libs/command-bus/sdk/index.js';
import { compare, median, row, table, type Comparison } from './rounds.js';

const { values: options } = parseArgs({
  args: process.argv.slice(3),
  options: { rounds: { type: 'string', default: '5' } },
});
const ROUNDS = Math.max(5, Number(options.rounds));
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

const port = 20_000 + Math.floor(Math.random() * 20_000);
const redisUrl = `redis://127.0.0.1:${port}`;
const [redis] = await start(
  'redis-server',
  ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes', '--save', ''],
  {},
  /Ready to accept/,
);
const MAIN = fileURLToPath(new URL('../../apps/standalone/main.js', import.meta.url));
const [custos, output] = await start(
  process.execPath,
  [MAIN],
  { PATH: process.env['PATH'], DATA_DIR: join(folder, 'data'), PORT: '0', REDIS_URL: redisUrl },
  /^ {2}custos_\S+$/m,
);
const url = /API +(\S+)\/v1$/m.exec(output)?.[1] ?? '';
const operator = /^ {2}(custos_\S+)$/m.exec(output)?.[1] ?? '';
const issued = (await (
  await fetch(`${url}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}`, 'content-type': 'application/json' },
    body: JSON.stringify({ tokens: [{ actorId: 'crm', actorType: 'service_account', roles: ['service'] }] }),
  })
).json()) as { tokens: { token: string }[] };
const token = issued.tokens[0]?.token ?? '';
const { eventStoreUrl } = JSON.parse(readFileSync(join(folder, 'data', 'standalone.json'), 'utf8')) as {
  eventStoreUrl: string;
};
const store = EventStoreDBClient.connectionString(eventStoreUrl);
const clients = { bus: new CustosClient({ url, token, redisUrl }), http: new CustosClient({ url, token }) };
const [writer, reader] = [new Redis(redisUrl), new Redis(redisUrl)];

const command = (way: 'bus' | 'http') => async (): Promise<void> => {
  const answer = await clients[way].send('RegisterSubject', { subjectId: randomUUID(), capacity: 'individual' });
  if (!answer.accepted) throw new Error(`wrong answer: ${answer.code}`);
};
const nothing = async (): Promise<void> => {
  const response = await fetch(`${url}/health/live`);
  if ((await response.text()) !== '{"status":"ok"}') throw new Error('wrong answer: not alive');
};
const append = async (): Promise<void> => {
  const event = jsonEvent({ type: 'bench.v1', data: { padding: 'a'.repeat(400) } });
  await store.appendToStream(`bench-${randomUUID()}`, [event], { expectedRevision: NO_STREAM });
};
const echo = async (): Promise<void> => {
  for (const key of ['bench:there', 'bench:back']) {
    const id = await writer.xadd(key, 'MAXLEN', '~', 1000, '*', 'event', 'a'.repeat(900));
    if (!(await reader.xread('BLOCK', 1000, 'STREAMS', key, previous.get(key) ?? '0'))) throw new Error('wrong answer');
    previous.set(key, id ?? '0');
  }
};
const previous = new Map<string, string>();

async function p50(work: () => Promise<void>): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < ONE; index += 1) {
    const from = performance.now();
    await work();
    times.push(performance.now() - from);
  }
  return median(times);
}

async function rate(work: () => Promise<void>): Promise<number> {
  let next = 0;
  const from = performance.now();
  await Promise.all(
    Array.from({ length: SENDERS }, async () => {
      while (next++ < MANY) await work();
    }),
  );
  return (MANY / (performance.now() - from)) * 1000;
}

try {
  const results: Comparison[] = [];
  for (const way of ['http', 'bus'] as const) {
    const parts = async () => (await p50(nothing)) + (way === 'bus' ? await p50(echo) : 0) + (await p50(append));
    results.push(await compare(`G2 p50 ${way} / sum of parts`, 'ms', ROUNDS, () => p50(command(way)), parts));
    const slowest = async () => Math.min(await rate(nothing), await rate(append));
    results.push(await compare(`G2 rate ${way} / slowest part`, '/s', ROUNDS, () => rate(command(way)), slowest));
  }
  process.stdout.write(
    `${table([['', 'command', 'parts', 'unit', 'ratio'], ...results.map(row)])}\n${JSON.stringify({ bench: 'bus', results })}\n`,
  );
} finally {
  await Promise.all(Object.values(clients).map((client) => client.close()));
  [writer, reader].forEach((connection) => connection.disconnect());
  await store.dispose();
  custos.removeAllListeners('exit').kill('SIGTERM');
  redis.removeAllListeners('exit').kill('SIGTERM');
  await new Promise((resolve) => custos.once('close', resolve));
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);

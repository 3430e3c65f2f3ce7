import { afterEach, describe, expect, it } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startEmbeddedEventStore } from '#embedded-event-store';
import { ACTORS, Installation, type ActorName } from '../installation.js';
import { tracesIn } from '../plaintext.js';
import { describeWithRedis, RedisServer } from '../redis.js';

const CLI = join(import.meta.dirname, '..', '..', 'dist', 'apps', 'cli', 'main.js');

/** A process and everything it has started, by what their command lines say: everybody on the machine can read them. */
function commandLines(pid: number): readonly string[] {
  const parentOf = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((name) => {
        try {
          // The name of the program stands in brackets, and may hold any.
          const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
          return [Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])];
        } catch {
          return [Number(name), 0];
        }
      }),
  );
  const within = (each: number): boolean => each === pid || (each > 1 && within(parentOf.get(each) ?? 0));
  return [...parentOf.keys()]
    .filter(within)
    .map((each) => readFileSync(`/proc/${each}/cmdline`, 'utf8').replaceAll('\0', ' '));
}

const secret = (): string => randomBytes(24).toString('base64url');

/** What the installation knows and must not show. */
const secretsOf = (custos: Installation): readonly string[] => [
  ...(Object.keys(ACTORS) as ActorName[]).map((actor) => custos.token(actor)),
  /^ {2}(custos_\S+)$/m.exec(custos.output)?.[1] ?? '',
];
const pidOf = (custos: Installation): number => (JSON.parse(custos.file('standalone.json')) as { pid: number }).pid;

const linux = existsSync('/proc/self/cmdline');
if (!linux) process.stderr.write('skipped: arguments of the running processes: this system has no /proc\n');
const itOnLinux = linux ? it : it.skip;

describe('secrets among arguments', () => {
  const closing: (() => unknown)[] = [];

  afterEach(async () => {
    for (let close = closing.pop(); close; close = closing.pop()) await close();
  });

  describeWithRedis('where there is an event log of its own and a message bus', () => {
    itOnLinux('stand in those of no process', async () => {
      const [masterKey, password, session] = [randomBytes(32).toString('hex'), secret(), secret()];
      const redis = await RedisServer.start('--requirepass', password);
      closing.push(() => redis.remove());
      const custos = await Installation.start(undefined, {
        MASTER_KEY: 'env:THE_MASTER_KEY',
        THE_MASTER_KEY: masterKey,
        REDIS_URL: `redis://:${password}@127.0.0.1:${redis.port}`,
      });
      closing.push(() => custos.remove());
      const invited = await custos.post('operator', '/v1/accounts', { actorId: 'ada', roles: ['auditor'] });
      const enrol = { token: invited.body.token as string, password: session };
      expect((await custos.post('operator', '/v1/session/enrol', enrol)).status).toBe(204);
      const secrets = [masterKey, password, session, enrol.token, ...secretsOf(custos)];
      expect(secrets.every((each) => each.length >= 32)).toBe(true);
      const lines = commandLines(pidOf(custos));
      expect(lines.length).toBeGreaterThanOrEqual(2);
      expect(lines.some((line) => line.includes('embedded-event-store/main.js --data'))).toBe(true);
      expect(tracesIn('arguments', Buffer.from(lines.join('\n')), secrets)).toEqual([]);
      const planted = spawn(process.execPath, ['-e', 'setTimeout(() => undefined, 60_000)', masterKey]);
      closing.push(() => planted.kill());
      await once(planted, 'spawn');
      const found = tracesIn('arguments', Buffer.from(commandLines(process.pid).join('\n')), secrets);
      expect(found).toContainEqual({ place: 'arguments', value: masterKey, encoding: 'plain' });
      expect(tracesIn('output', Buffer.from(custos.output), [masterKey, password, session])).toEqual([]);
    });
  });

  itOnLinux('stand in those of no process where the event log is a server with a password', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'custos-events-'));
    const store = await startEmbeddedEventStore({ dataDir: folder, host: '127.0.0.1', port: 0 });
    closing.push(async () => {
      await store.stop();
      rmSync(folder, { recursive: true });
    });
    const password = secret();
    const custos = await Installation.start(undefined, {
      EVENTSTORE_URL: `esdb://custos:${password}@127.0.0.1:${store.port}?tls=false`,
    });
    closing.push(() => custos.remove());
    const lines = commandLines(pidOf(custos));
    expect(lines).toHaveLength(1);
    expect(tracesIn('arguments', Buffer.from(lines.join('\n')), [password, ...secretsOf(custos)])).toEqual([]);
    expect(tracesIn('output', Buffer.from(custos.output), [password])).toEqual([]);
  });

  describe('of commands', () => {
    /** Options and arguments that take a value, as the help of a command and of all below it says. */
    async function takenBy(command: readonly string[]): Promise<readonly string[]> {
      const { stdout } = await promisify(execFile)(process.execPath, [CLI, ...command, '--help']);
      const section = (title: string): readonly string[] =>
        (new RegExp(`^${title}:\n((?: .*\n)+)`, 'm').exec(stdout)?.[1] ?? '').split('\n');
      const taken = section('Options').flatMap(
        (line) => /^ {2}(?:-\w, )?(--[\w-]+ [<[][^\s]+[>\]]\s+.*)$/.exec(line)?.[1] ?? [],
      );
      const named = [...(/^Usage:.*$/m.exec(stdout)?.[0].matchAll(/<[\w ]+>/g) ?? [])].map(([name]) => name);
      const below = section('Commands').flatMap((line) => /^ {2}([a-z][\w-]*)/.exec(line)?.[1] ?? []);
      const theirs = below.filter((name) => name !== 'help').map((name) => takenBy([...command, name]));
      return [...taken, ...named].map((each) => `${command.join(' ')} ${each}`).concat(...(await Promise.all(theirs)));
    }
    /** A file may hold a secret: what is in it is not among the arguments. */
    const asksForSecret = (option: string): boolean =>
      /token|password|passphrase|secret|credential|api-?key|\bkey\b|\burl\b|connection/i.test(option) &&
      !/--[\w-]+ [<[](file|path|dir|journal)[>\]]/.test(option) &&
      !/^token --actor/.test(option);

    it('are asked for by none: passwords come by standard input, all else by environment or file', async () => {
      const taken = await takenBy([]);
      expect(taken.length).toBeGreaterThan(25);
      for (const known of ['token --actor <id>', 'eventstore serve --tls-key <file>', 'restore <folder>'])
        expect(taken.some((each) => each.startsWith(known))).toBe(true);
      expect(taken.filter(asksForSecret)).toEqual([]);
      for (const planted of [
        'replay --token <token>  of an operator',
        'x --redis <url>  where',
        'x --pass <p>  password',
      ])
        expect(asksForSecret(planted)).toBe(true);
    }, 60_000);

    it('are not asked for by the process of the event log', () => {
      const source = readFileSync(
        join(import.meta.dirname, '..', '..', 'libs', 'embedded-event-store', 'main.ts'),
        'utf8',
      );
      const options = [
        ...(/options: \{\n([\s\S]*?)\n {4}\}/.exec(source)?.[1] ?? '').matchAll(/^ +'?([\w-]+)'?: \{/gm),
      ];
      expect(options.map(([, name]) => name)).toEqual([
        ...[
          'data',
          'port',
          'host',
          'sync',
          'segment-bytes',
          'tls-cert',
          'tls-key',
          'users',
          'health-port',
          'health-host',
        ],
      ]);
    });
  });
});

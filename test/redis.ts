import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describeWith } from './requirements.js';

const PROGRAM = 'redis-server';
const SENTINEL_FILE = 'sentinel.conf';

/** A `describe` over a real Redis. */
export const describeWithRedis = describeWith(PROGRAM);

/** A Redis of its own: a process on a free port of loopback, its files in a folder that goes with it. */
export class RedisServer {
  #process: ChildProcess | undefined;
  #probe: Redis | undefined;

  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly options: readonly string[],
  ) {}

  /** @param options of `redis-server`, in pairs such as `--appendfsync always`. The log of changes is on. */
  static async start(...options: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(mkdtempSync(join(tmpdir(), 'custos-redis-')), await freePort(), options);
    await server.launch();
    return server;
  }

  /** A sentinel; `settings` is its configuration, which it rewrites. */
  static async sentinel(settings: string): Promise<RedisServer> {
    const folder = mkdtempSync(join(tmpdir(), 'custos-sentinel-'));
    const server = new RedisServer(folder, await freePort(), []);
    writeFileSync(join(folder, SENTINEL_FILE), `port ${server.port}\nbind 127.0.0.1\ndir ${folder}\n${settings}\n`);
    await server.#run([join(folder, SENTINEL_FILE), '--sentinel'], 'Sentinel ID is');
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** A connection for the test itself, which waits for the server to come back. */
  get client(): Redis {
    this.#probe ??= new Redis(this.url, { maxRetriesPerRequest: null }).on('error', () => undefined);
    return this.#probe;
  }

  /** @param more options for this launch alone. */
  async launch(...more: readonly string[]): Promise<void> {
    const fixed = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.folder, '--appendonly', 'yes'];
    await this.#run([...fixed, '--save', '', ...this.options, ...more], 'Ready to accept connections');
  }

  async #run(args: readonly string[], ready: string): Promise<void> {
    const child = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const deadline = Date.now() + 20_000;
    while (!output.includes(ready)) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Redis did not start:\n${output}`);
      await wait(20);
    }
    child.stdout?.removeAllListeners('data').resume();
  }

  /** Ends it as a power cut would end the process. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#probe?.disconnect();
    this.#probe = undefined;
    await this.#end('SIGTERM');
  }

  /** Stops it and removes its files. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

import { execFile } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort, RedisServer } from './redis.js';

const run = promisify(execFile);
const PATIENCE = 30_000;

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it did not come about: ${what}`);
    await wait(50);
  }
}

/** A master with a replica, watched by three sentinels of which two must agree. */
export class WatchedRedis {
  private constructor(
    private readonly nodes: readonly RedisServer[],
    private readonly sentinels: readonly RedisServer[],
  ) {}

  static async start(...options: readonly string[]): Promise<WatchedRedis> {
    const all = ['--repl-diskless-sync-delay', '0', ...options];
    const master = await RedisServer.start(...all);
    const replica = await RedisServer.start(...all);
    await replica.client.replicaof('127.0.0.1', master.port);
    await until('the replica follows', () => hasReplica(master));
    const settings = [
      `sentinel monitor main 127.0.0.1 ${master.port} 2`,
      'sentinel down-after-milliseconds main 1000',
      'sentinel failover-timeout main 6000',
    ].join('\n');
    const sentinels = await Promise.all([1, 2, 3].map(() => RedisServer.sentinel(settings)));
    const watched = new WatchedRedis([master, replica], sentinels);
    await until('the sentinels know each other and the replica', async () => {
      const known = await Promise.all(sentinels.map(({ client }) => client.call('SENTINEL', 'MASTER', 'main')));
      return known.every((each) => {
        const text = (each as string[]).join(' ');
        return text.includes('num-other-sentinels 2') && text.includes('num-slaves 1');
      });
    });
    return watched;
  }

  get url(): string {
    return `redis+sentinel://${this.sentinels.map(({ port }) => `127.0.0.1:${port}`).join()}/main`;
  }

  /** Kills the master, and returns once another stands in its place with the old one behind it. */
  async failOver(): Promise<void> {
    const old = await this.#master();
    await old.kill();
    await until('another master is chosen', async () => (await this.#master()) !== old);
    const master = await this.#master();
    await until('it accepts writes', async () => /role:master/.test(await master.client.info('replication')));
    await old.launch('--replicaof', '127.0.0.1', String(master.port));
    await until('the old master follows the new one', () => hasReplica(master));
  }

  async #master(): Promise<RedisServer> {
    const said = await Promise.all(
      this.sentinels.map(({ client }) => client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')),
    );
    const ports = said.map((each) => Number((each as [string, string])[1]));
    const [port] = ports;
    // Until all of them say the same, nothing has been decided.
    const agreed = ports.every((each) => each === port) ? port : undefined;
    const named = this.nodes.find((node) => node.port === agreed);
    return named ?? (await wait(50), this.#master());
  }

  async remove(): Promise<void> {
    await Promise.all([...this.sentinels, ...this.nodes].map((each) => each.remove()));
  }
}

const hasReplica = async (master: RedisServer): Promise<boolean> =>
  /slave0:.*state=online/.test(await master.client.info('replication'));

/** A cluster of three masters. */
export class ClusteredRedis {
  private constructor(private readonly nodes: readonly RedisServer[]) {}

  static async start(...options: readonly string[]): Promise<ClusteredRedis> {
    const nodes = await Promise.all(
      [1, 2, 3].map(async () =>
        RedisServer.start(
          ...['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())],
          ...['--cluster-node-timeout', '1000', ...options],
        ),
      ),
    );
    const cluster = new ClusteredRedis(nodes);
    await cluster.#cli('create', ...nodes.map(({ port }) => `127.0.0.1:${port}`), '--cluster-yes');
    await cluster.#isWhole();
    return cluster;
  }

  get url(): string {
    return `redis+cluster://${this.nodes.map(({ port }) => `127.0.0.1:${port}`).join()}`;
  }

  /** Kills one master and starts it again. */
  async restart(number: number): Promise<void> {
    const node = this.nodes[number % this.nodes.length]!;
    await node.kill();
    // Longer than the others need to notice.
    await wait(1_500);
    await node.launch();
    await this.#isWhole();
  }

  /** Moves a number of slots, lowest first, with what stands in them, from one master to another. */
  async moveSlots(count: number, from: number, to: number): Promise<void> {
    const [source, target] = [this.nodes[from]!, this.nodes[to]!];
    const ids = await Promise.all([source, target].map(({ client }) => client.call('CLUSTER', 'MYID')));
    const how = ['--cluster-from', String(ids[0]), '--cluster-to', String(ids[1]), '--cluster-yes'];
    const slots = ['--cluster-slots', String(count), '--cluster-pipeline', '100'];
    await this.#cli('reshard', `127.0.0.1:${source.port}`, ...how, ...slots);
    await this.#isWhole();
  }

  /** How many of these keys each master holds. */
  async keysOf(pattern: string): Promise<readonly number[]> {
    return Promise.all(this.nodes.map(async ({ client }) => (await client.keys(pattern)).length));
  }

  async #cli(...args: readonly string[]): Promise<void> {
    await run('redis-cli', ['--cluster', ...args], { maxBuffer: 64 * 1024 * 1024 });
  }

  async #isWhole(): Promise<void> {
    await until('the cluster is whole', async () => {
      const infos = await Promise.all(this.nodes.map(({ client }) => client.call('CLUSTER', 'INFO')));
      return infos.every((each) => /cluster_state:ok/.test(String(each)) && /cluster_size:[23]/.test(String(each)));
    });
  }

  async remove(): Promise<void> {
    await Promise.all(this.nodes.map((each) => each.remove()));
  }
}

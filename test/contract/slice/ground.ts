import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventLog, type CodecRegistry } from '#event-log';
import { startEmbeddedEventStore, type EmbeddedEventStore } from '#embedded-event-store';
import { instant, type Actor } from '#kernel';
import { masterKeyFrom, openKeyVault, type KeyVault } from '#key-vault';
import { SimulatedClock } from '#slice';

export const SERVICE: Actor = { id: 'crm', type: 'service_account', roles: ['service'] };

/** What every capability stands on: a real event store, a real vault, the client as it is, in a folder of its own. */
export class Ground {
  readonly clock = new SimulatedClock(instant('2026-11-23T09:00:00Z'));
  #server: EmbeddedEventStore | undefined;
  #log: EventLog | undefined;

  private constructor(
    readonly folder: string,
    readonly vault: KeyVault,
    readonly url: string,
    private readonly port: number,
  ) {}

  static async open(codecs: CodecRegistry): Promise<Ground> {
    const folder = mkdtempSync(join(tmpdir(), 'custos-ground-'));
    const clock = (): SimulatedClock => ground.clock;
    const vault = await openKeyVault({
      url: `file:${folder}/vault.db`,
      masterKey: masterKeyFrom(`file:${folder}/master.key`),
      clock: () => clock().now(),
    });
    const server = await startEmbeddedEventStore({ dataDir: join(folder, 'events') });
    const ground = new Ground(folder, vault, server.connectionString, server.port);
    ground.#server = server;
    ground.#log = new EventLog(server.connectionString, codecs, vault);
    return ground;
  }

  get log(): EventLog {
    if (!this.#log) throw new Error('the log is closed');
    return this.#log;
  }

  /** Another client over the same events, with other codecs. */
  async reopen(codecs: CodecRegistry): Promise<EventLog> {
    await this.#log?.close();
    this.#log = new EventLog(this.url, codecs, this.vault);
    return this.#log;
  }

  async stopServer(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }

  /** Starts the event store again, on the same port and the same events. */
  async startServer(): Promise<void> {
    this.#server = await startEmbeddedEventStore({ dataDir: join(this.folder, 'events'), port: this.port });
  }

  /** Every byte of every file below the folder, but for the master key. */
  bytes(): Buffer {
    const files = readdirSync(this.folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name !== 'master.key')
      .map((name) => join(this.folder, name))
      .filter((file) => statSync(file).isFile());
    return Buffer.concat(files.map((file) => readFileSync(file)));
  }

  async close(): Promise<void> {
    await this.#log?.close();
    await this.stopServer();
    await this.vault.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Waits until `check` holds. */
export async function until(check: () => boolean, what: string, patience = 10_000): Promise<void> {
  for (const deadline = Date.now() + patience; !check();) {
    if (Date.now() > deadline) throw new Error(`still waiting after ${patience} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

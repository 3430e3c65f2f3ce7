import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { openAdmin } from './admin.js';
import { clusterInfo, supportedMethods } from './discovery.js';
import { EventLog } from './event-log.js';
import { lockFolder } from './folder-lock.js';
import { Code, GrpcServer, type Method } from './grpc.js';
import { PersistentSubscriptions } from './persistent-subscriptions.js';
import { read } from './reading.js';
import { append, batchAppend, remove } from './streams.js';

export interface EmbeddedEventStoreOptions {
  /** Created if need be; for this server alone as long as it runs. */
  readonly dataDir: string;
  /** The address to listen on and to tell clients. Default 127.0.0.1: there is no authentication. */
  readonly host?: string;
  /** Default 0: a free one. */
  readonly port?: number;
  /** A segment file is closed before it would grow beyond this. Default 256 MiB. */
  readonly segmentBytes?: number;
  /**
   * Where a write waits for the disk. `loop` (default) blocks the server meanwhile and is quickest on a quick disk;
   * `threadpool` goes on answering readers, for disks that take milliseconds.
   */
  readonly sync?: 'loop' | 'threadpool';
}

export interface EmbeddedEventStore {
  readonly port: number;
  readonly host: string;
  /** For `EventStoreDBClient.connectionString`. */
  readonly connectionString: string;
  /** Finishes and acknowledges the writes that have arrived, ends all subscriptions, closes the log. Idempotent. */
  stop(): Promise<void>;
}

export const SEGMENT_BYTES = 256 * 1024 * 1024;
const STOP_GRACE_MS = 1000;
const STREAMS = '/event_store.client.streams.Streams';

/**
 * Starts an event store on a folder. Ready when it returns.
 *
 * @throws FolderInUse, CorruptLog, or the error of the listening socket
 */
export async function startEmbeddedEventStore(options: EmbeddedEventStoreOptions): Promise<EmbeddedEventStore> {
  const { host = '127.0.0.1', port = 0, segmentBytes = SEGMENT_BYTES, sync = 'loop' } = options;
  const dir = resolve(options.dataDir);
  mkdirSync(dir, { recursive: true });
  const unlock = lockFolder(dir);
  let log: EventLog | undefined;
  let groups: PersistentSubscriptions | undefined;
  try {
    log = await EventLog.open({ dir, segmentBytes, sync });
    groups = new PersistentSubscriptions(log);
    const methods = new Map<string, Method>([
      [`${STREAMS}/Append`, append(log)],
      [`${STREAMS}/BatchAppend`, batchAppend(log)],
      [`${STREAMS}/Delete`, remove(log, 'delete')],
      [`${STREAMS}/Tombstone`, remove(log, 'tombstone')],
      [`${STREAMS}/Read`, read(log)],
      ...groups.methods(),
      ['/event_store.client.gossip.Gossip/Read', clusterInfo(host, () => server.port)],
    ]);
    const features = '/event_store.client.server_features.ServerFeatures/GetSupportedMethods';
    methods.set(features, supportedMethods([...methods.keys(), features]));
    const closeAdmin = await openAdmin(dir, log);
    const server: GrpcServer = await GrpcServer.listen(methods, host, port).catch(async (error: unknown) => {
      await closeAdmin();
      throw error;
    });
    return running(server, log, groups, host, closeAdmin, unlock);
  } catch (error) {
    groups?.stop();
    log?.close();
    unlock();
    throw error;
  }
}

function running(
  server: GrpcServer,
  log: EventLog,
  groups: PersistentSubscriptions,
  host: string,
  closeAdmin: () => Promise<void>,
  unlock: () => void,
): EmbeddedEventStore {
  const { port } = server;
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    server.drain();
    groups.stop();
    await log.finishWrites();
    await closeAdmin();
    await server.close({ code: Code.CANCELLED, message: 'the event store is stopping' }, STOP_GRACE_MS);
    log.close();
    unlock();
  };
  return {
    port,
    host,
    connectionString: `esdb://${host.includes(':') ? `[${host}]` : host}:${port}?tls=false`,
    stop: () => (stopped ??= stop()),
  };
}

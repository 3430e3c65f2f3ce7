import { mkdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { everything, permitsBy, signedIn } from './acl.js';
import { openAdmin } from './admin.js';
import { Users } from './auth.js';
import { clusterInfo, supportedMethods } from './discovery.js';
import { EventLog } from './event-log.js';
import { lockFolder } from './folder-lock.js';
import { Code, GrpcServer, TIMINGS, type Method, type Timings } from './grpc.js';
import { serveHealth, type HealthServer } from './health.js';
import { PersistentSubscriptions } from './persistent-subscriptions.js';
import { read } from './reading.js';
import { append, batchAppend, remove } from './streams.js';

export interface EmbeddedEventStoreOptions {
  /** Created if need be; for this server alone as long as it runs. */
  readonly dataDir: string;
  /** The address to listen on and to tell clients. Default 127.0.0.1; one that others can reach needs `users`. */
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
  /** PEM files; read at the start. Without them the connection is cleartext. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
  /**
   * The file of those who may come in (see `addUser`); read at the start. Needs `tls`, without which clients send no
   * password. Without it everybody who reaches the port may do everything.
   */
  readonly users?: string | undefined;
  /** Where to tell supervisors how it is (health.ts); 0: a free port. Default: nowhere. */
  readonly healthPort?: number | undefined;
  /** Default 127.0.0.1. */
  readonly healthHost?: string;
  /** When connections are given up. */
  readonly timings?: Partial<Timings>;
}

export interface EmbeddedEventStore {
  readonly port: number;
  readonly host: string;
  /** Of the health answers, if there are any. */
  readonly healthPort: number | undefined;
  /** For `EventStoreDBClient.connectionString`; credentials and a CA file are the caller's to add. */
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
 * @throws FolderInUse, CorruptLog, the error of a listening socket, or an Error that says which option cannot be
 */
export async function startEmbeddedEventStore(options: EmbeddedEventStoreOptions): Promise<EmbeddedEventStore> {
  const { host = '127.0.0.1', port = 0, segmentBytes = SEGMENT_BYTES, sync = 'loop' } = options;
  const { healthPort, healthHost = '127.0.0.1' } = options;
  if (options.users === undefined && !isLoopback(host)) {
    throw new Error(`without users the event store listens on loopback only, not on ${host}`);
  }
  if (options.users !== undefined && !options.tls) {
    throw new Error('users need a certificate: clients send no password without TLS');
  }
  const tls = options.tls && certificate(options.tls.certFile, options.tls.keyFile);
  const users = options.users === undefined ? undefined : await Users.load(options.users);
  const dir = resolve(options.dataDir);
  mkdirSync(dir, { recursive: true });
  const unlock = lockFolder(dir);
  let log: EventLog | undefined;
  let server: GrpcServer | undefined;
  let groups: PersistentSubscriptions | undefined;
  let closeAdmin: (() => Promise<void>) | undefined;
  try {
    const opened = await EventLog.open({ dir, segmentBytes, sync });
    log = opened;
    groups = new PersistentSubscriptions(log);
    const permits = users ? permitsBy(log) : everything;
    const methods = new Map<string, Method>([
      [`${STREAMS}/Append`, append(log, permits)],
      [`${STREAMS}/BatchAppend`, batchAppend(log, permits)],
      [`${STREAMS}/Delete`, remove(log, 'delete', permits)],
      [`${STREAMS}/Tombstone`, remove(log, 'tombstone', permits)],
      [`${STREAMS}/Read`, read(log, permits)],
      ...groups.methods(),
      ['/event_store.client.gossip.Gossip/Read', clusterInfo(host, () => server?.port ?? port)],
    ]);
    const features = '/event_store.client.server_features.ServerFeatures/GetSupportedMethods';
    methods.set(features, supportedMethods([...methods.keys(), features]));
    const timings = { ...TIMINGS, ...options.timings };
    closeAdmin = await openAdmin(dir, log);
    server = await GrpcServer.listen(methods, { host, port, tls, timings, ...(users && { admit: signedIn(users) }) });
    const health =
      healthPort === undefined ? undefined : await serveHealth(healthHost, healthPort, () => opened.health);
    return running({ server, log, groups, closeAdmin, host, secure: tls !== undefined, health, unlock });
  } catch (error) {
    groups?.stop();
    await server?.close({ code: Code.UNAVAILABLE }, 0);
    await closeAdmin?.();
    log?.close();
    unlock();
    throw error;
  }
}

/** @throws Error when one of the files cannot be read or they do not belong together */
function certificate(certFile: string, keyFile: string): { cert: Buffer; key: Buffer } {
  try {
    const files = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    createSecureContext(files);
    return files;
  } catch (error) {
    throw new Error(`the certificate ${certFile} with the key ${keyFile} is of no use: ${(error as Error).message}`);
  }
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

interface Parts {
  readonly server: GrpcServer;
  readonly log: EventLog;
  readonly groups: PersistentSubscriptions;
  readonly closeAdmin: () => Promise<void>;
  readonly host: string;
  readonly secure: boolean;
  readonly health: HealthServer | undefined;
  readonly unlock: () => void;
}

function running({ server, log, groups, closeAdmin, host, secure, health, unlock }: Parts): EmbeddedEventStore {
  const { port } = server;
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    server.drain();
    groups.stop();
    await log.finishWrites();
    await closeAdmin();
    await server.close({ code: Code.CANCELLED, message: 'the event store is stopping' }, STOP_GRACE_MS);
    await health?.close();
    log.close();
    unlock();
  };
  return {
    port,
    host,
    healthPort: health?.port,
    connectionString: `esdb://${host.includes(':') ? `[${host}]` : host}:${port}?tls=${secure}`,
    stop: () => (stopped ??= stop()),
  };
}

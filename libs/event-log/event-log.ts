import {
  ANY,
  BACKWARDS,
  END,
  ErrorType,
  EventStoreDBClient,
  FORWARDS,
  jsonEvent,
  NO_STREAM,
  START,
  streamNameFilter,
  type AllStreamResolvedEvent,
  type ResolvedEvent,
  type StreamingRead,
} from '@eventstore/db-client';
import type { DomainEvent, Recorded } from '#kernel';
import type { KeyVault } from '#key-vault';
import type { CodecRegistry } from './codec.js';
import { decode, encode, keysOf, type Envelope, type RawRecord } from './envelope.js';
import { follow, type Follower, type Subscription } from './subscription.js';

/** The stream moved since it was read: read again and decide anew. */
export class RevisionConflict extends Error {
  override readonly name = 'RevisionConflict';
  constructor(readonly stream: string) {
    super(`the stream ${stream} moved since it was read`);
  }
}

/**
 * The log did not answer. Whether the events were stored is not known; the same events may be sent again, because
 * their ids make the append idempotent.
 */
export class LogUnavailable extends Error {
  override readonly name = 'LogUnavailable';
  constructor(cause: unknown) {
    super('the event log does not answer', { cause });
  }
}

/** Where an append landed. */
export interface Appended {
  /** Revision of the last event. */
  readonly revision: number;
  /** Position of the last event. */
  readonly position: number;
  /** What was stored, as it will be read: personal values are under seal. */
  readonly events: readonly DomainEvent[];
}

/** An event together with the id it is stored under. */
export type Identified = DomainEvent & { readonly id: string };

const STREAM = /^[a-z]+-[a-z0-9][a-z0-9.-]{0,199}$/;
const OUTAGES: readonly unknown[] = [
  ErrorType.UNAVAILABLE,
  ErrorType.CANCELLED,
  ErrorType.TIMEOUT,
  ErrorType.DEADLINE_EXCEEDED,
  ErrorType.NOT_LEADER,
];

let clients = 0;

/** The log, to be read, through `@eventstore/db-client`. Personal values stay sealed: reading needs no key. */
export class LogReader {
  protected readonly client: EventStoreDBClient;
  #closed = false;

  /**
   * @throws Error when the process has another open log: the client keeps one table of pending appends per process,
   * and a late reply to one client can crash the other (DESIGN.md).
   */
  constructor(
    connectionString: string,
    readonly registry: CodecRegistry,
  ) {
    if (clients > 0) throw new Error('this process already has an open event log');
    this.client = EventStoreDBClient.connectionString(connectionString);
    clients += 1;
  }

  /** The events of a stream from a revision on, in order; none when the stream does not exist. */
  async *readStream(stream: string, fromRevision = 0): AsyncGenerator<Recorded> {
    const events = this.client.readStream(stream, { fromRevision: BigInt(fromRevision), direction: FORWARDS });
    try {
      for await (const resolved of eachOf(events)) {
        const record = raw(resolved);
        if (record) yield decode(this.registry, record);
      }
    } catch (error) {
      if (errorType(error) === ErrorType.STREAM_NOT_FOUND) return;
      throw translate(error);
    } finally {
      letGo(events);
    }
  }

  /** Position of the last event of the log, of any stream; 0 when it is empty. */
  async head(): Promise<number> {
    const last = this.client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 });
    try {
      for await (const resolved of eachOf(last))
        return Number(resolved.event?.position.commit ?? resolved.commitPosition ?? 0);
      return 0;
    } catch (error) {
      throw translate(error);
    } finally {
      letGo(last);
    }
  }

  /**
   * Every event of the engine's streams in the order of the log, up to and including a position.
   *
   * @param through the last position to read; later events are not read.
   */
  async *readAll(through: number, belongs: (stream: string) => boolean): AsyncGenerator<Recorded> {
    const events = this.client.readAll({ direction: FORWARDS, fromPosition: START });
    try {
      for await (const resolved of eachOf(events)) {
        const record = raw(resolved);
        if (!record) continue;
        if (record.position > through) return;
        if (belongs(record.stream)) yield decode(this.registry, record);
      }
    } catch (error) {
      throw translate(error);
    } finally {
      letGo(events);
    }
  }

  /**
   * Follows the log in batches: all that was stored after `follower.from()`, then what is new, for ever. Reconnects
   * by itself. An event that cannot be decoded, or a handler that fails, stops it for good through `onStopped`.
   */
  follow(prefixes: readonly string[], follower: Follower): Subscription {
    return follow(
      (from) =>
        this.client.subscribeToAll(
          {
            fromPosition: from === 0 ? START : { commit: BigInt(from), prepare: BigInt(from) },
            filter: streamNameFilter({ prefixes: [...prefixes], checkpointInterval: 16 }),
          },
          { highWaterMark: 1024 },
        ),
      (resolved: AllStreamResolvedEvent) => {
        const record = raw(resolved);
        return record && decode(this.registry, record);
      },
      follower,
    );
  }

  /** Whether the log answers now. */
  async isAvailable(): Promise<boolean> {
    return this.head().then(
      () => true,
      () => false,
    );
  }

  /** A second call does nothing. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.client.dispose();
    clients -= 1;
  }
}

/** The log, to be read and written. Appends are conditional and idempotent; personal values are sealed on the way in. */
export class EventLog extends LogReader {
  constructor(
    connectionString: string,
    registry: CodecRegistry,
    readonly vault: KeyVault,
  ) {
    super(connectionString, registry);
  }

  /**
   * Appends the events of one command at the revision that was read.
   *
   * @param expected revision of the last event that was read, -1 for a stream without events, or 'any'.
   * @throws RevisionConflict when the stream moved; PlaintextPersonalData; LogUnavailable when the outcome is unknown.
   */
  async append(
    stream: string,
    expected: number | 'any',
    events: readonly Identified[],
    envelope: Envelope,
  ): Promise<Appended> {
    if (!STREAM.test(stream)) throw new RangeError('not a stream name');
    if (events.length === 0) throw new RangeError('nothing to append');
    const keys = keysOf(events);
    if (keys.length > 0) await this.vault.ensureKeys(keys, stream);
    const seal = this.vault.seal.bind(this.vault);
    const records = events.map((event) => encode(this.registry, seal, event, event.id, stream, envelope));
    try {
      const result = await this.client.appendToStream(
        stream,
        records.map((record) =>
          jsonEvent({ id: record.id, type: record.type, data: record.data, metadata: record.metadata }),
        ),
        { expectedRevision: expected === 'any' ? ANY : expected === -1 ? NO_STREAM : BigInt(expected) },
      );
      if (!result.position) throw new LogUnavailable(new Error('the log gave no position'));
      this.vault.confirm(keys.map(({ keyId }) => keyId));
      const revision = Number(result.nextExpectedRevision);
      const position = Number(result.position.commit);
      const stored = records.map((record) => {
        const { type, data } = decode(this.registry, { ...record, stream, revision, position });
        return { type, data };
      });
      return { revision, position, events: stored };
    } catch (error) {
      if (errorType(error) === ErrorType.WRONG_EXPECTED_VERSION) throw new RevisionConflict(stream);
      throw translate(error);
    }
  }
}

/** The events of a read, whose call stays open when the reader turns away before the end: see {@link letGo}. */
function eachOf<E>(read: StreamingRead<E>): AsyncIterable<E> {
  return read.iterator({ destroyOnReturn: false }) as AsyncIterable<E>;
}

/**
 * Ends a read that was not read to its end. The client remembers a call until its last message was taken, and waits
 * for it when it is closed; and an error that comes when nobody listens any more would end the process.
 */
function letGo(read: StreamingRead<unknown>): void {
  if (read.destroyed || read.readableEnded) return;
  read.on('error', () => undefined).resume();
  read.cancel().catch(() => undefined);
}

function raw(resolved: ResolvedEvent | AllStreamResolvedEvent): RawRecord | undefined {
  const event = resolved.event;
  if (!event || event.type.startsWith('$')) return undefined;
  const position = Number(event.position?.commit ?? resolved.commitPosition);
  if (!Number.isSafeInteger(position)) throw new RangeError('the log gave a position out of range');
  return {
    id: event.id,
    type: event.type,
    stream: event.streamId,
    revision: Number(event.revision),
    position,
    data: event.data,
    metadata: event.metadata,
  };
}

const errorType = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'type' in error ? error.type : undefined;

function translate(error: unknown): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return OUTAGES.includes(errorType(error)) || code === 14 || code === 1 || code === 4
    ? new LogUnavailable(error)
    : error;
}

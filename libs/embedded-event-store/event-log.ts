import { randomUUID } from 'node:crypto';
import { decideAppend, decideDelete, type Decision, type StreamFacts } from './append-rules.js';
import { EventIndex, isMetastream, metastreamOf, parseMetadata, type Listener, type Stream } from './event-index.js';
import { finishRedaction } from './redaction-journal.js';
import {
  CorruptLog,
  HEADER_BYTES,
  KIND_EVENTS,
  MAX_RECORD_BYTES,
  RECORD_HEADER_BYTES,
  Segments,
  StaleKnowledge,
  type RecordVisitor,
} from './segments.js';
import { BLOCK_EVENTS, BadBlock, MIN_EVENTS, SnapshotWriter, loadSnapshot, type Remembered } from './snapshot.js';
import {
  ANY,
  TOMBSTONE_REVISION,
  decodeFrame,
  encodeFrame,
  frameBound,
  frameLength,
  type NewFrame,
  type ProposedEvent,
  type RecordedFrame,
  type WriteTarget,
} from './wire.js';

/** A request to change a stream. */
export interface Write {
  readonly kind: 'append' | 'delete' | 'tombstone';
  readonly target: WriteTarget;
  /** Every event has a type and a content type. Empty unless `kind` is `append`. */
  readonly events: readonly ProposedEvent[];
  /** Milliseconds since the epoch; a write that is still waiting then is not made. */
  readonly deadline: number | undefined;
}

export type WriteOutcome =
  /** Durable. `revision`: -1 when the stream has no event; `position`: of the last event, absent for an empty append. */
  | { readonly kind: 'written'; readonly revision: number; readonly position: number | undefined }
  | { readonly kind: 'wrong-version'; readonly current: number }
  /** `too-large`: no record can hold it. */
  | { readonly kind: 'deleted' | 'timeout' | 'stopping' | 'too-large' }
  /** Nothing has been written. `full`: there is no room, a later write may succeed. */
  | { readonly kind: 'failed'; readonly full: boolean; readonly message: string };

interface PendingWrite extends Write {
  settle(outcome: WriteOutcome): void;
}

export interface EventLogOptions {
  readonly dir: string;
  readonly segmentBytes: number;
  /** Where a write waits for the disk: `loop` blocks this thread, `threadpool` does not. */
  readonly sync: 'loop' | 'threadpool';
}

const BATCH_BYTES = 16 * 1024 * 1024;
/** Bounds what a steady stream of small writes can add to the latency of the first of them. */
const MAX_GATHER_TURNS = 16;
const TAIL_CACHE_BYTES = 8 * 1024 * 1024;
/** Leaves room in a record for the metadata events a write may bring along. */
const MAX_WRITE_BYTES = MAX_RECORD_BYTES / 2;
const SMALL_BATCH_BYTES = 32 * 1024;
const JSON_TYPE = Buffer.from('application/json');
const BINARY_TYPE = Buffer.from('application/octet-stream');
const METADATA_TYPE = Buffer.from('$metadata');
const TOMBSTONE_TYPE = Buffer.from('$streamDeleted');
const NOTHING = Buffer.alloc(0);

/**
 * The log: one writer, any number of readers on the same thread.
 *
 * Writes queue up; each batch is decided, encoded into one buffer, written and synced once. Only then does it reach the
 * index, then the callers, then the listeners: nobody sees an event that a crash could take back.
 */
export class EventLog {
  private readonly queue: PendingWrite[] = [];
  private readonly tail: { position: number; bytes: Buffer }[] = [];
  private tailBytes = 0;
  private scheduled = false;
  private writing = false;
  private stopping = false;
  private lastCreated = 0;
  /** Set when the disk has failed in a way that leaves its content unknown: no more writes until a restart. */
  private broken: string | undefined;
  private lastFailure: string | undefined;
  private idle: (() => void) | undefined;
  private resting: (() => void)[] = [];
  private snapshot: SnapshotWriter | undefined;
  /** No snapshot is written before there are so many events. */
  private snapshotFrom = 0;
  private maintenance: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly index: EventIndex,
    readonly segments: Segments,
    private readonly options: EventLogOptions,
  ) {}

  /**
   * Opens the log of a folder, or creates it with one system event.
   *
   * @throws CorruptLog
   */
  static async open(options: EventLogOptions): Promise<EventLog> {
    finishRedaction(options.dir);
    const known = remembered(options.dir);
    try {
      return await EventLog.openWith(options, known.index, known.remembered);
    } catch (error) {
      if (!(error instanceof StaleKnowledge)) throw error;
      return await EventLog.openWith(options, new EventIndex(), undefined);
    }
  }

  /** @param index what is remembered of the log, to be completed from the log itself */
  private static async openWith(
    options: EventLogOptions,
    index: EventIndex,
    memory: Remembered | undefined,
  ): Promise<EventLog> {
    const taken = { events: index.count, streams: index.allStreams().length, types: index.typeCount };
    let created = memory?.created ?? 0;
    const visit: RecordVisitor = (_kind, payload, payloadPosition) => {
      for (let at = 0; at < payload.length;) {
        const length = frameLength(payload, at);
        const frame = decodeFrame(payload.subarray(at, at + length));
        if (frame.position !== payloadPosition + at) {
          throw new CorruptLog(`an event at position ${payloadPosition + at} says it is at ${frame.position}`);
        }
        created = frame.created;
        index.add(frame, length);
        at += length;
      }
    };
    const segments = Segments.open(options.dir, visit, memory?.segments, memory?.end);
    const log = new EventLog(index, segments, options);
    if (memory && !log.agreesWith(memory, taken.events)) {
      segments.close();
      throw new StaleKnowledge();
    }
    segments.starting = false;
    log.snapshot = new SnapshotWriter(options.dir, index, segments, memory, taken);
    log.lastCreated = created;
    if (index.count === 0) {
      const outcome = await log.write({
        kind: 'append',
        target: { stream: '$log', expected: ANY },
        events: [
          {
            id: randomUUID(),
            type: '$log-created',
            contentType: 'application/json',
            data: Buffer.from(JSON.stringify({ logId: segments.logId.toString('hex') })),
            metadata: NOTHING,
          },
        ],
        deadline: undefined,
      });
      if (outcome.kind !== 'written') {
        segments.close();
        throw new Error(outcome.kind === 'failed' ? outcome.message : `the first event was refused: ${outcome.kind}`);
      }
    }
    return log;
  }

  /** Resolves when the write is durable or has been refused; never rejects. */
  write(write: Write): Promise<WriteOutcome> {
    return new Promise((settle) => this.enqueue(write, settle));
  }

  /** As `write`, without a promise per write. */
  enqueue(write: Write, settle: (outcome: WriteOutcome) => void): void {
    if (this.stopping) {
      settle({ kind: 'stopping' });
      return;
    }
    if (writeBound(write) > MAX_WRITE_BYTES) {
      settle({ kind: 'too-large' });
      return;
    }
    this.queue.push({ ...write, settle });
    this.schedule();
  }

  get dir(): string {
    return this.options.dir;
  }

  /** Whether maintenance should come to an end. */
  get isStopping(): boolean {
    return this.stopping;
  }

  /** Does work on the files that must not meet other such work; it waits for its turn. */
  maintain<T>(work: () => Promise<T>): Promise<T> {
    const result = this.maintenance.then(() => {
      if (this.stopping) throw new Error('the event store is stopping');
      return work();
    });
    this.maintenance = result.catch(() => undefined);
    return result;
  }

  /** Does something to the end of the log while nothing is being written to it. */
  atRest<T>(action: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const act = (): void => {
        try {
          resolve(action());
        } catch (error) {
          reject(error as Error);
        }
      };
      if (this.writing) this.resting.push(act);
      else act();
    });
  }

  /** What is held in memory beside the index. */
  get cacheUse(): { readonly tailCacheBytes: number; readonly tailCacheLimit: number } {
    return { tailCacheBytes: this.tailBytes, tailCacheLimit: TAIL_CACHE_BYTES };
  }

  /** To be called when bytes on disk have changed. */
  forgetCached(): void {
    this.tail.length = 0;
    this.tailBytes = 0;
    this.segments.generation++;
  }

  /** To be called before events are removed: what is remembered of the log would no longer be right. */
  forgetSnapshot(): void {
    this.snapshot?.forget();
  }

  /**
   * Writes down a part of what the next start would have to read the log for, if `atLeast` so many events are missing.
   * What fails here costs that start time, no more.
   *
   * @returns whether something has been written
   */
  saveSnapshot(atLeast: number): boolean {
    if (!this.snapshot || this.snapshot.missing < atLeast || this.writing || this.broken !== undefined) return false;
    try {
      this.snapshot.save(this.segments.end, this.lastCreated);
      return true;
    } catch {
      this.snapshotFrom = this.index.count + BLOCK_EVENTS;
      return false;
    }
  }

  /** Whether the last event that is remembered is the one that stands there. */
  private agreesWith({ logId }: Remembered, events: number): boolean {
    if (!logId.equals(this.segments.logId) || events === 0) return false;
    const last = events - 1;
    try {
      const { position, stream, type } = this.event(last);
      const { index } = this;
      return position === index.position(last) && stream === index.streamName(last) && type === index.typeName(last);
    } catch {
      return false;
    }
  }

  /** Finishes the writes that are queued and refuses new ones; reads go on. */
  async finishWrites(): Promise<void> {
    this.stopping = true;
    await this.maintenance;
    if (this.queue.length > 0 || this.writing) await new Promise<void>((resolve) => (this.idle = resolve));
  }

  /** Why no write can succeed any more, and why the last one that had to reach the disk did not. */
  get health(): { readonly refusal: string | undefined; readonly failure: string | undefined } {
    return { refusal: this.stopping ? 'the event store is stopping' : this.broken, failure: this.lastFailure };
  }

  /** Closes the files. Nothing may be read or written any more. */
  close(): void {
    while (this.saveSnapshot(MIN_EVENTS));
    this.segments.close();
  }

  /** The bytes of a frame; a view that is valid until the next call on the same `reader`. */
  frame(ordinal: number, reader: FrameWindow): Buffer {
    const position = this.index.position(ordinal);
    const length = this.index.length(ordinal);
    return this.cached(position, length) ?? reader.read(this.segments, position, length);
  }

  /** The bytes of a single frame, read on their own. */
  frameOf(ordinal: number): Buffer {
    return this.frame(ordinal, new FrameWindow());
  }

  /** Decodes an event. */
  event(ordinal: number): RecordedFrame {
    return decodeFrame(this.frameOf(ordinal));
  }

  /** The first revision of a stream a reader may see; `last + 1` when there is none. @param now ms since the epoch */
  firstVisible(stream: Stream, now: number): number {
    const { truncateBefore, maxCount, maxAge } = stream.metadata;
    const end = stream.last + 1;
    let first = Math.max(truncateBefore, stream.events.first);
    if (maxCount !== undefined) first = Math.max(first, end - maxCount);
    if (maxAge !== undefined) {
      const oldest = now - maxAge * 1000;
      let low = Math.min(first, end);
      let high = end;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (this.event(stream.events.get(middle)).created < oldest) low = middle + 1;
        else high = middle;
      }
      first = low;
    }
    return Math.min(first, end);
  }

  /**
   * Whether an event that has been removed may have had this position: somebody remembers it, and goes on from there.
   *
   * @param ordinal the first one whose position is not below it
   */
  mayHaveBeen(position: number, ordinal: number): boolean {
    if (!this.segments.mayHaveGapAt(position)) return false;
    return ordinal === 0 || position >= this.index.position(ordinal - 1) + this.index.length(ordinal - 1);
  }

  private cached(position: number, length: number): Buffer | undefined {
    let low = 0;
    let high = this.tail.length - 1;
    if (high < 0 || position < (this.tail[0] as { position: number }).position) return undefined;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.tail[middle] as { position: number }).position <= position) low = middle;
      else high = middle - 1;
    }
    const entry = this.tail[low] as { position: number; bytes: Buffer };
    const from = position - entry.position;
    return entry.bytes.subarray(from, from + length);
  }

  private remember(position: number, written: Buffer): void {
    // A small batch would hold on to a buffer many times its size.
    let bytes = written;
    if (written.length < SMALL_BATCH_BYTES) {
      bytes = Buffer.allocUnsafeSlow(written.length);
      written.copy(bytes);
    }
    this.tail.push({ position, bytes });
    this.tailBytes += bytes.buffer.byteLength;
    let drop = 0;
    while (this.tailBytes > TAIL_CACHE_BYTES && drop < this.tail.length) {
      this.tailBytes -= (this.tail[drop++] as { bytes: Buffer }).bytes.buffer.byteLength;
    }
    if (drop > 0) this.tail.splice(0, drop);
  }

  // -------------------------------------------------------------------------------------------- the writer

  private schedule(): void {
    if (this.scheduled || this.writing) return;
    this.scheduled = true;
    this.gather(0, 0);
  }

  /** Lets a turn of the event loop go by as long as each brings more writes: they share one sync. */
  private gather(seen: number, turns: number): void {
    setImmediate(() => {
      if (this.queue.length > seen && turns < MAX_GATHER_TURNS) {
        this.gather(this.queue.length, turns + 1);
        return;
      }
      this.scheduled = false;
      this.pump();
    });
  }

  private pump(): void {
    let batch: Batch;
    try {
      batch = this.plan();
    } catch (error) {
      const outcome: WriteOutcome = {
        kind: 'failed',
        full: isFull(error),
        message: `not written: ${(error as Error).message}`,
      };
      for (const write of this.queue.splice(0)) write.settle(outcome);
      this.idle?.();
      return;
    }
    if (batch.length === 0) {
      this.finish(batch);
    } else if (this.options.sync === 'loop') {
      let failure: unknown;
      try {
        this.segments.appendSync(batch.bytes);
      } catch (error) {
        failure = error;
      }
      this.finish(batch, failure);
    } else {
      this.writing = true;
      void this.segments.append(batch.bytes).then(
        () => this.finish(batch),
        (error: unknown) => this.finish(batch, error),
      );
    }
  }

  /** Decides and encodes as much of the queue as goes into one write. */
  private plan(): Batch {
    const now = Date.now();
    this.lastCreated = Math.max(this.lastCreated, now);
    let batch = this.newBatch();
    let taken = 0;
    for (const write of this.queue) {
      if (write.deadline !== undefined && write.deadline <= now) {
        batch.outcomes.push({ kind: 'timeout' });
      } else if (this.broken !== undefined) {
        batch.outcomes.push({ kind: 'failed', full: false, message: this.broken });
      } else {
        const bound = writeBound(write);
        const used = this.segments.lastSize + batch.length;
        if (used + bound > this.options.segmentBytes && used > HEADER_BYTES) {
          if (batch.length > 0) break;
          this.segments.roll();
          const outcomes = batch.outcomes;
          batch = this.newBatch();
          batch.outcomes.push(...outcomes);
        } else if (batch.length > BATCH_BYTES) {
          break;
        }
        batch.outcomes.push(this.planWrite(batch, write));
      }
      taken++;
    }
    batch.writes = this.queue.splice(0, taken);
    return batch;
  }

  private newBatch(): Batch {
    return new Batch(this, this.segments, this.lastCreated);
  }

  private planWrite(batch: Batch, write: Write): WriteOutcome {
    const { stream: name, expected } = write.target;
    const facts = batch.stream(name);
    const decision: Decision =
      write.kind === 'append'
        ? decideAppend(
            facts,
            expected,
            write.events.map((event) => event.id),
          )
        : decideDelete(facts, expected, write.kind === 'tombstone');
    if (decision.kind === 'repeat') {
      return { kind: 'written', revision: decision.last, position: facts.positionAt(decision.last) };
    }
    if (decision.kind !== 'write') return decision;

    if (write.kind === 'tombstone') {
      const position = batch.record(() => batch.tombstone(facts));
      return { kind: 'written', revision: facts.last, position };
    }
    if (write.kind === 'delete') {
      const position = batch.record(() => batch.metadata(name, deletedMetadata(facts.rawMetadata())));
      return { kind: 'written', revision: facts.last, position };
    }
    if (write.events.length === 0) return { kind: 'written', revision: facts.last, position: undefined };
    const position = batch.record(() => {
      const before = facts.last;
      const original = isMetastream(name) ? batch.stream(name.slice(2)) : undefined;
      const keepsDeleted = original?.softDeleted ?? false;
      let last = 0;
      for (const event of write.events) last = batch.event(facts, event);
      if (decision.revives) batch.metadata(name, truncatedAt(facts.rawMetadata(), before + 1));
      if (original && keepsDeleted)
        batch.metadata(original.name, truncatedAt(original.rawMetadata(), original.last + 1));
      return last;
    });
    return { kind: 'written', revision: facts.last, position };
  }

  private finish(batch: Batch, failure?: unknown): void {
    this.writing = false;
    const resting = this.resting;
    this.resting = [];
    if (failure !== undefined) {
      this.fail(batch, failure);
    } else {
      if (batch.length > 0) {
        this.remember(batch.start, batch.bytes);
        this.lastFailure = undefined;
      }
      const woken = new Set<Listener>();
      for (const { frame, length } of batch.added) {
        const stream = this.index.add(frame, length);
        if (stream.hasListeners) for (const listener of stream.listeners) woken.add(listener);
      }
      if (batch.added.length > 0) for (const listener of this.index.listeners) woken.add(listener);
      for (const [i, write] of batch.writes.entries()) write.settle(batch.outcomes[i] as WriteOutcome);
      for (const listener of woken) listener.wake();
    }
    for (const act of resting) act();
    if (this.index.count >= this.snapshotFrom) this.saveSnapshot(BLOCK_EVENTS);
    if (this.queue.length > 0) this.schedule();
    else this.idle?.();
  }

  private fail(batch: Batch, failure: unknown): void {
    const { syscall, message } = failure as NodeJS.ErrnoException;
    this.lastFailure = message;
    try {
      this.segments.cut();
      // After a failed sync the kernel may have dropped the data and report success next time.
      if (syscall === 'fdatasync') this.broken = `the disk failed: ${message}; restart the event store`;
    } catch (error) {
      this.broken = `the disk failed: ${(error as Error).message}; restart the event store`;
    }
    for (const [i, write] of batch.writes.entries()) {
      const outcome = batch.outcomes[i] as WriteOutcome;
      // A refusal may have been decided against events of this very batch, so only a timeout stands on its own.
      write.settle(
        outcome.kind === 'timeout'
          ? outcome
          : { kind: 'failed', full: isFull(failure), message: `not written: ${message}` },
      );
    }
  }
}

/** What the snapshot knows, up to its first bad block. */
function remembered(dir: string): { readonly index: EventIndex; readonly remembered: Remembered | undefined } {
  const index = new EventIndex();
  try {
    return { index, remembered: loadSnapshot(dir, index) };
  } catch (error) {
    if (error instanceof BadBlock && error.remembered) return { index, remembered: error.remembered };
    return { index: new EventIndex(), remembered: undefined };
  }
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG';
}

/** No write is longer than this in the log, extra metadata events included. */
function writeBound(write: Write): number {
  let bound = RECORD_HEADER_BYTES + 4096 + 16 * write.target.stream.length;
  for (const event of write.events) {
    bound += 512 + 4 * (write.target.stream.length + (event.type?.length ?? 0) + (event.contentType?.length ?? 0));
    bound += event.data.length + event.metadata.length;
  }
  return bound;
}

/** The metadata of a deleted stream: who may do what stays, or a deletion would open what comes back. */
function deletedMetadata(document: Buffer): Buffer {
  let acl: unknown;
  try {
    acl = (JSON.parse(document.toString('utf8')) as { $acl?: unknown } | null)?.$acl;
  } catch {
    acl = undefined;
  }
  return Buffer.from(`{${acl === undefined ? '' : `"$acl":${JSON.stringify(acl)},`}"$tb":9223372036854775807}`);
}

/** A metadata document with another `$tb`; the rest stays. */
function truncatedAt(document: Buffer, revision: number): Buffer {
  let fields: unknown;
  try {
    fields = JSON.parse(document.toString('utf8'));
  } catch {
    fields = {};
  }
  return Buffer.from(JSON.stringify({ ...(fields as object), $tb: revision }));
}

/** A stream as it will be once the batch is durable. */
class PendingStream implements StreamFacts {
  last: number;
  tombstoned: boolean;
  softDeleted: boolean;
  hasMetadata: boolean;
  metadataDocument: Buffer | undefined;
  private readonly added: { readonly id: string; readonly position: number }[] = [];
  private readonly addedIds = new Map<string, number>();

  constructor(
    private readonly log: EventLog,
    readonly name: string,
    private readonly durable: Stream | undefined,
  ) {
    this.last = durable?.last ?? -1;
    this.tombstoned = (durable?.tombstone ?? -1) >= 0;
    this.softDeleted = durable?.softDeleted ?? false;
    this.hasMetadata = log.index.hasMetadata(name);
  }

  revisionOf(id: string): number {
    const pending = this.addedIds.get(id);
    if (pending !== undefined) return pending;
    if (!this.durable || this.durable.last < 0) return -1;
    for (const ordinal of this.log.index.candidates(this.durable, id)) {
      const event = this.log.event(ordinal);
      if (event.id === id) return event.revision;
    }
    return -1;
  }

  hasIdAt(revision: number, id: string): boolean {
    const durable = this.durable?.last ?? -1;
    if (revision > durable) return this.added[revision - durable - 1]?.id === id;
    if (revision < (this.durable as Stream).events.first) return false;
    return this.log.event((this.durable as Stream).events.get(revision)).id === id;
  }

  positionAt(revision: number): number | undefined {
    const durable = this.durable?.last ?? -1;
    if (revision > durable) return this.added[revision - durable - 1]?.position;
    return this.log.index.position((this.durable as Stream).events.get(revision));
  }

  /** The newest metadata document of this stream; empty without one. */
  rawMetadata(): Buffer {
    if (this.metadataDocument) return this.metadataDocument;
    const metastream = this.log.index.find(metastreamOf(this.name));
    if (!metastream || metastream.last < 0) return NOTHING;
    return this.log.event(metastream.events.get(metastream.last)).data;
  }

  add(id: string, position: number): void {
    this.last++;
    this.added.push({ id, position });
    this.addedIds.set(id, this.last);
  }
}

/** Writes that go to disk together. */
class Batch {
  writes: readonly PendingWrite[] = [];
  readonly outcomes: WriteOutcome[] = [];
  readonly added: { readonly frame: RecordedFrame; readonly length: number }[] = [];
  /** The position of the first byte. */
  readonly start: number;
  length = 0;
  private buffer = Buffer.allocUnsafeSlow(64 * 1024);
  private readonly streams = new Map<string, PendingStream>();

  constructor(
    private readonly log: EventLog,
    private readonly segments: Segments,
    /** Milliseconds since the epoch; never goes back. */
    private readonly created: number,
  ) {
    this.start = segments.end;
  }

  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length);
  }

  stream(name: string): PendingStream {
    let stream = this.streams.get(name);
    if (!stream) {
      stream = new PendingStream(this.log, name, this.log.index.find(name));
      this.streams.set(name, stream);
    }
    return stream;
  }

  /** One record around the frames that `frames` adds. */
  record<T>(frames: () => T): T {
    const start = this.length;
    this.reserve(RECORD_HEADER_BYTES);
    this.buffer[start + 8] = KIND_EVENTS;
    this.length += RECORD_HEADER_BYTES;
    const result = frames();
    this.segments.seal(this.buffer, start, this.length, this.start + start);
    return result;
  }

  /** @returns the position of the event */
  event(stream: PendingStream, event: ProposedEvent): number {
    const { id, type = '', contentType = '', data, metadata } = event;
    const position = this.frame(stream, stream.last + 1, { id, type, contentType, data, metadata });
    stream.add(id, position);
    if (isMetastream(stream.name)) {
      const original = this.stream(stream.name.slice(2));
      original.metadataDocument = Buffer.from(data);
      original.hasMetadata = true;
      original.softDeleted = parseMetadata(data).truncateBefore >= TOMBSTONE_REVISION;
    }
    return position;
  }

  /** Sets the metadata of `name`. @returns the position of the metadata event */
  metadata(name: string, document: Buffer): number {
    return this.event(this.stream(metastreamOf(name)), {
      id: randomUUID(),
      type: METADATA_TYPE.toString(),
      contentType: JSON_TYPE.toString(),
      data: document,
      metadata: NOTHING,
    });
  }

  /** @returns the position of the tombstone */
  tombstone(stream: PendingStream): number {
    stream.tombstoned = true;
    return this.frame(stream, TOMBSTONE_REVISION, {
      id: randomUUID(),
      type: TOMBSTONE_TYPE.toString(),
      contentType: BINARY_TYPE.toString(),
      data: NOTHING,
      metadata: NOTHING,
    });
  }

  private frame(
    stream: PendingStream,
    revision: number,
    event: { id: string; type: string; contentType: string; data: Buffer; metadata: Buffer },
  ): number {
    const position = this.start + this.length;
    const frame: NewFrame = {
      id: event.id,
      stream: Buffer.from(stream.name, 'utf8'),
      revision,
      type: Buffer.from(event.type, 'utf8'),
      contentType: Buffer.from(event.contentType, 'utf8'),
      created: `${this.created}0000`,
      data: event.data,
      metadata: event.metadata,
    };
    this.reserve(frameBound(frame));
    const end = encodeFrame(this.buffer, this.length, frame, position);
    const length = end - this.length;
    this.length = end;
    const { id, type, data } = event;
    // The index reads the data of metadata events only; what it is given must not outlive the request's buffer.
    this.added.push({
      frame: { id, stream: stream.name, revision, position, type, created: this.created, data },
      length,
    });
    return position;
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + bytes));
    this.buffer.copy(grown, 0, 0, this.length);
    this.buffer = grown;
  }
}

const MIN_WINDOW = 4 * 1024;
const MAX_WINDOW = 256 * 1024;

/**
 * Reads frames through a window that grows while the reader walks through neighbouring frames, in either direction,
 * and shrinks when it jumps.
 */
export class FrameWindow {
  private bytes: Buffer = NOTHING;
  private start = 0;
  private end = 0;
  private size = MIN_WINDOW;
  private generation = 0;

  read(segments: Segments, position: number, length: number): Buffer {
    if (this.generation !== segments.generation) {
      this.generation = segments.generation;
      this.start = this.end = 0;
    }
    if (position < this.start || position + length > this.end) this.load(segments, position, length);
    const from = position - this.start;
    return this.bytes.subarray(from, from + length);
  }

  private load(segments: Segments, position: number, length: number): void {
    const backwards = position < this.start;
    const distance = backwards ? this.start - position - length : position - this.end;
    const near = this.end > 0 && Math.abs(distance) < MAX_WINDOW;
    this.size = near ? Math.min(this.size * 2, MAX_WINDOW) : MIN_WINDOW;
    const wanted = Math.max(this.size, length);
    const start = backwards && near ? Math.max(segments.baseOf(position), position + length - wanted) : position;
    if (this.bytes.length < wanted) this.bytes = Buffer.allocUnsafeSlow(wanted);
    const read = segments.read(start, this.bytes, wanted);
    this.start = start;
    this.end = start + read;
    if (position + length > this.end) {
      this.start = this.end = 0;
      throw new CorruptLog(`the log ends within the event at position ${position}`);
    }
  }
}

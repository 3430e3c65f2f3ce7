import { randomUUID } from 'node:crypto';
import { everything, type Permits } from './acl.js';
import type { Listener, Stream } from './event-index.js';
import { FrameWindow, type EventLog } from './event-log.js';
import { compileFilter } from './filter.js';
import { CallFailed, Code, framed, type Call, type CallHandler } from './grpc.js';
import { decoded, ensure, streamDeleted } from './streams.js';
import {
  MalformedMessage,
  decodeFrame,
  decodeRead,
  encodeCaughtUp,
  encodeCheckpoint,
  encodeConfirmation,
  encodeResolved,
  encodeStreamNotFound,
  type ReadRequest,
} from './wire.js';

/** What a reader sends before it looks whether the client keeps up. */
const CHUNK_BYTES = 64 * 1024;
/** How many events a filter looks at before others get their turn. */
const CHUNK_EVENTS = 4096;

/** A walk over the log that can go on when more has been added. */
interface Source {
  /** The next event, or -1 when there is none (now). */
  next(): number;
  /** No event can follow: the stream has its tombstone, and `next` has returned it. */
  readonly sealed: boolean;
  /** Where to be told of more. */
  readonly listeners: Set<Listener>;
}

class AllForwards implements Source {
  readonly sealed = false;

  constructor(
    private readonly log: EventLog,
    private ordinal: number,
  ) {}

  get listeners(): Set<Listener> {
    return this.log.index.listeners;
  }

  next(): number {
    const { index } = this.log;
    while (this.ordinal < index.count && index.isRemoved(this.ordinal)) this.ordinal++;
    return this.ordinal < index.count ? this.ordinal++ : -1;
  }
}

class StreamForwards implements Source {
  sealed = false;

  constructor(
    private readonly stream: Stream,
    private revision: number,
  ) {}

  get listeners(): Set<Listener> {
    return this.stream.listeners;
  }

  next(): number {
    this.revision = Math.max(this.revision, this.stream.events.first);
    if (this.revision <= this.stream.last) return this.stream.events.get(this.revision++);
    if (this.sealed || this.stream.tombstone < 0) return -1;
    this.sealed = true;
    return this.stream.tombstone;
  }
}

/** A walk back, which never has more. */
class Backwards implements Source {
  readonly sealed = false;
  readonly listeners = new Set<Listener>();

  /**
   * @param first the last number to return
   * @param ordinalOf gives -1 for a number whose event has been removed
   */
  constructor(
    private number: number,
    private readonly first: number,
    private readonly ordinalOf: (number: number) => number,
  ) {}

  next(): number {
    while (this.number >= this.first) {
      const ordinal = this.ordinalOf(this.number--);
      if (ordinal >= 0) return ordinal;
    }
    return -1;
  }
}

/** A walk over what a stream has now. */
class StreamOnce implements Source {
  readonly sealed = false;
  readonly listeners = new Set<Listener>();

  constructor(
    private readonly stream: Stream,
    private revision: number,
  ) {}

  next(): number {
    this.revision = Math.max(this.revision, this.stream.events.first);
    return this.revision <= this.stream.last ? this.stream.events.get(this.revision++) : -1;
  }
}

/**
 * A read or a subscription. It holds a place in the log and at most one chunk of bytes: a client that does not read
 * makes it stand still, not grow. A subscription is the same walk, told when there is more.
 */
class Reading implements CallHandler, Listener {
  private source: Source | undefined;
  private request: ReadRequest | undefined;
  private wanted: ((ordinal: number) => boolean) | undefined;
  private remaining = Infinity;
  private live = false;
  private waitsForRoom = false;
  private scheduled = false;
  private considered = 0;
  private consideredPosition = 0;
  private checkpointPosition = -1;
  private readonly window = new FrameWindow();
  private readonly targetWindow = new FrameWindow();

  constructor(
    private readonly log: EventLog,
    private readonly call: Call,
    private readonly permits: Permits,
  ) {}

  message(body: Buffer): void {
    if (this.request) throw new CallFailed({ code: Code.INVALID_ARGUMENT, message: 'a read is one message' });
    const request = decoded(() => decodeRead(body));
    ensure(this.permits, this.call, 'read', request.stream ?? '$all');
    this.request = request;
    const { filter } = request;
    if (filter) this.wanted = decoded(() => compileFilter(this.log.index, filter));
    this.remaining = request.count ?? Infinity;
    const source = decoded(() =>
      request.stream === undefined ? this.allSource(request) : this.streamSource(request, request.stream),
    );
    if (!source) {
      this.call.send(encodeStreamNotFound(request.stream as string));
      this.call.end();
      return;
    }
    this.source = source;
    if (request.count === undefined) this.call.send(encodeConfirmation(randomUUID()));
    this.turn();
  }

  drained(): void {
    this.waitsForRoom = false;
    this.turn();
  }

  wake(): void {
    if (!this.waitsForRoom && !this.scheduled) this.step();
  }

  closed(): void {
    this.source?.listeners.delete(this);
  }

  private allSource(request: ReadRequest): Source {
    const { index } = this.log;
    const { start, backwards, count } = request;
    let ordinal: number;
    if (start === 'start' || start === 0) {
      ordinal = 0;
    } else if (start === 'end') {
      ordinal = index.count;
    } else {
      ordinal = index.atOrAfter(start);
      const found = ordinal < index.count && index.position(ordinal) === start;
      if (!found && !this.log.mayHaveBeen(start, ordinal)) {
        throw new MalformedMessage(`no event has the position ${start}`);
      }
      // A subscription goes on behind the position it was given.
      if (found && count === undefined) ordinal++;
    }
    this.consideredPosition = ordinal === 0 ? 0 : index.position(ordinal - 1);
    return backwards && count !== undefined
      ? new Backwards(ordinal - 1, 0, (number) => (index.isRemoved(number) ? -1 : number))
      : new AllForwards(this.log, ordinal);
  }

  /** @returns undefined when there is no such stream to read */
  private streamSource(request: ReadRequest, name: string): Source | undefined {
    const { index } = this.log;
    const { start, backwards, count } = request;
    if (name === '') throw new MalformedMessage('a read names no stream');
    const stream = index.find(name);
    // With its tombstone a stream takes its metastream along.
    const original = name.startsWith('$$') ? index.find(name.slice(2)) : undefined;
    if ((stream?.tombstone ?? -1) >= 0 || (original?.tombstone ?? -1) >= 0) throw new CallFailed(streamDeleted(name));

    if (count === undefined) {
      const known = index.streamNamed(name);
      const first = this.log.firstVisible(known, Date.now());
      const from = start === 'start' ? 0 : start === 'end' ? known.last + 1 : start + 1;
      return new StreamForwards(known, Math.max(from, first));
    }
    if (count === 0 || (start === 'end' && !backwards)) {
      throw new CallFailed({ code: Code.UNKNOWN, message: 'a read has nothing to return' });
    }
    if (!stream || stream.last < 0 || stream.softDeleted) return undefined;
    const first = this.log.firstVisible(stream, Date.now());
    if (!backwards) return new StreamOnce(stream, Math.max(start === 'start' ? 0 : (start as number), first));
    const from = start === 'start' ? 0 : start === 'end' ? stream.last : Math.min(start, stream.last);
    return new Backwards(from, first, (revision) => {
      return revision < stream.events.first ? -1 : stream.events.get(revision);
    });
  }

  /** Sends a chunk, then waits: for room, for its next turn, or for more events. */
  private turn(): void {
    this.scheduled = false;
    const { source } = this;
    if (!source || this.call.isOver) return;
    const chunk: Buffer[] = [];
    let bytes = 0;
    let looked = 0;
    let exhausted = this.remaining <= 0;
    while (!exhausted && bytes < CHUNK_BYTES && looked < CHUNK_EVENTS) {
      const ordinal = source.next();
      if (ordinal < 0) {
        exhausted = true;
        break;
      }
      looked++;
      if (!this.wanted || this.wanted(ordinal)) {
        const message = this.messageFor(ordinal);
        chunk.push(message);
        bytes += message.length;
        if (--this.remaining <= 0) exhausted = true;
      }
      if (this.wanted) this.consider(ordinal, chunk);
    }
    if (exhausted && !this.live && this.request?.count === undefined) this.goLive(source, chunk);
    const room =
      chunk.length === 0 || this.call.sendFramed(chunk.length === 1 ? (chunk[0] as Buffer) : Buffer.concat(chunk));

    if (source.sealed && exhausted) this.call.end(streamDeleted(this.request?.stream as string));
    else if (exhausted && this.request?.count !== undefined) this.call.end();
    else if (!room) this.waitsForRoom = true;
    else if (!exhausted) this.schedule();
  }

  private schedule(): void {
    this.scheduled = true;
    setImmediate(() => this.step());
  }

  /** A turn outside of the call's own events: what goes wrong ends this call and nothing else. */
  private step(): void {
    try {
      this.turn();
    } catch (error) {
      this.call.end({ code: Code.INTERNAL, message: `the read failed: ${(error as Error).message}` });
    }
  }

  private goLive(source: Source, chunk: Buffer[]): void {
    this.live = true;
    if (this.wanted && this.checkpointPosition !== this.consideredPosition) this.checkpoint(chunk);
    chunk.push(framed(encodeCaughtUp()));
    source.listeners.add(this);
  }

  /** Counts an event a filter has looked at; every so many of them the client gets a checkpoint. */
  private consider(ordinal: number, chunk: Buffer[]): void {
    this.consideredPosition = this.log.index.position(ordinal);
    if (this.request?.count !== undefined) return;
    if (++this.considered % (this.request?.filter?.checkpointEvery ?? 1) === 0) this.checkpoint(chunk);
  }

  private checkpoint(chunk: Buffer[]): void {
    this.checkpointPosition = this.consideredPosition;
    chunk.push(framed(encodeCheckpoint(this.consideredPosition)));
  }

  /** A copy of what the client is to receive for an event: windows and caches move on. */
  private messageFor(ordinal: number): Buffer {
    const { index } = this.log;
    const frame = this.log.frame(ordinal, this.window);
    const { resolveLinks = false, structuredIds = false } = this.request ?? {};
    if (resolveLinks && index.typeName(ordinal) === '$>') {
      const target = linkTarget(this.log, frame, this.targetWindow, (stream) =>
        this.permits(this.call.user, 'read', stream),
      );
      if (target) return framed(encodeResolved(target.frame, frame, index.position(ordinal), structuredIds));
    }
    if (structuredIds) return framed(encodeResolved(frame, undefined, index.position(ordinal), true));
    return Buffer.from(frame);
  }
}

/**
 * What a link points at; `undefined` when its data is not a link, without a frame when the target cannot be read.
 *
 * @param mayRead whether the reader may read the stream of the target
 */
export function linkTarget(
  log: EventLog,
  link: Buffer,
  window: FrameWindow,
  mayRead: (stream: string) => boolean,
): { readonly frame: Buffer | undefined } | undefined {
  const match = /^(\d+)@(.+)$/s.exec(decodeFrame(link).data.toString('utf8'));
  if (!match) return undefined;
  const revision = Number(match[1]);
  const stream = log.index.find(match[2] as string);
  const gone =
    !stream ||
    !mayRead(stream.name) ||
    stream.tombstone >= 0 ||
    revision > stream.last ||
    revision < log.firstVisible(stream, Date.now());
  return { frame: gone ? undefined : log.frame(stream.events.get(revision), window) };
}

export const read =
  (log: EventLog, permits: Permits = everything) =>
  (call: Call): CallHandler =>
    new Reading(log, call, permits);

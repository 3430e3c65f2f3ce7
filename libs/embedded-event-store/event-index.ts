import { TOMBSTONE_REVISION, type RecordedFrame } from './wire.js';

/** The stream metadata this server acts on; the rest of the document is the client's own. */
export interface StreamMetadata {
  /** Revisions below this are gone; `TOMBSTONE_REVISION`: the stream is (softly) deleted. */
  readonly truncateBefore: number;
  readonly maxCount: number | undefined;
  /** Seconds. */
  readonly maxAge: number | undefined;
}

const NO_METADATA: StreamMetadata = { truncateBefore: 0, maxCount: undefined, maxAge: undefined };
const METASTREAM_METADATA: StreamMetadata = { truncateBefore: 0, maxCount: 1, maxAge: undefined };

export const isMetastream = (name: string): boolean => name.startsWith('$$');
export const metastreamOf = (name: string): string => `$$${name}`;

/** What a `$metadata` document means. A document that is not a JSON object means nothing. */
export function parseMetadata(document: Buffer): StreamMetadata {
  let fields: unknown;
  try {
    fields = JSON.parse(document.toString('utf8'));
  } catch {
    return NO_METADATA;
  }
  if (typeof fields !== 'object' || fields === null) return NO_METADATA;
  const { $tb, $maxCount, $maxAge } = fields as Record<string, unknown>;
  const count = (value: unknown): number | undefined =>
    typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
  return {
    truncateBefore: Math.min(count($tb) ?? 0, TOMBSTONE_REVISION),
    maxCount: count($maxCount) || undefined,
    maxAge: count($maxAge) || undefined,
  };
}

/** A part of the index: consecutive events, and what has come with them. */
export interface IndexPart {
  readonly positions: Float64Array<ArrayBuffer>;
  readonly lengths: Uint32Array<ArrayBuffer>;
  readonly streamIds: Uint32Array<ArrayBuffer>;
  readonly typeIds: Uint32Array<ArrayBuffer>;
  readonly hashes: Uint32Array<ArrayBuffer>;
  /** Names that are new, in the order of their ids. */
  readonly streams: readonly string[];
  readonly types: readonly string[];
  readonly metadata: readonly (readonly [streamId: number, metadata: StreamMetadata])[];
  /** Streams whose first event here is not the one behind the last before, and its revision. */
  readonly firsts: readonly (readonly [streamId: number, revision: number])[];
  /** Which of the events are tombstones, counted from the first. */
  readonly tombstones: readonly number[];
}

/** Told when something it waits for has been added. */
export interface Listener {
  wake(): void;
}

/** A stream that has events, metadata, or someone waiting for it. */
export class Stream {
  /** The ordinal of each event, by revision; revisions before `events.first` have been removed. */
  readonly events = new OrdinalList();
  /** The ordinal of the tombstone, or -1. */
  tombstone = -1;
  metadata: StreamMetadata;
  private waiting: Set<Listener> | undefined;

  constructor(
    readonly id: number,
    readonly name: string,
  ) {
    this.metadata = isMetastream(name) ? METASTREAM_METADATA : NO_METADATA;
  }

  get listeners(): Set<Listener> {
    return (this.waiting ??= new Set());
  }

  /** Whether anybody has ever waited. Asking so makes no set: most streams never have a listener. */
  get hasListeners(): boolean {
    return this.waiting !== undefined;
  }

  /** The last revision, -1 without an event. A tombstone does not count. */
  get last(): number {
    return this.events.length - 1;
  }

  get softDeleted(): boolean {
    return this.metadata.truncateBefore >= TOMBSTONE_REVISION;
  }
}

/**
 * Where everything is: 28 bytes per event in columns, and a list of ordinals per stream. An *ordinal* numbers the events
 * of the whole log from 0. Holds durable events only. A removed event keeps its ordinal until the next start.
 */
export class EventIndex {
  count = 0;
  /** How many of `count` have been removed. */
  removed = 0;
  readonly listeners = new Set<Listener>();
  private readonly streams: Stream[] = [];
  private readonly streamsByName = new Map<string, Stream>();
  /** Among the events taken in and not settled. */
  private readonly tombstones = new Set<number>();
  private readonly types: string[] = [];
  private readonly typeIds = new Map<string, number>();
  private readonly positions = new Column((length) => new Float64Array(length));
  private readonly lengths = new Column((length) => new Uint32Array(length));
  private readonly streamIds = new Column((length) => new Uint32Array(length));
  private readonly eventTypes = new Column((length) => new Uint32Array(length));
  private readonly hashes = new Column((length) => new Uint32Array(length));
  private readonly nextWithHash = new Column((length) => new Int32Array(length));
  /** Hash table over event ids: the newest ordinal per bucket, chained through `nextWithHash`. */
  private buckets = new Int32Array(1 << 12).fill(-1);

  add(frame: RecordedFrame, length: number): Stream {
    const ordinal = this.count;
    const stream = this.streamNamed(frame.stream);
    this.positions.set(ordinal, frame.position);
    this.lengths.set(ordinal, length);
    this.streamIds.set(ordinal, stream.id);
    this.eventTypes.set(ordinal, this.typeIdOf(frame.type));
    this.addId(ordinal, frame.id);
    this.count = ordinal + 1;
    if (frame.revision === TOMBSTONE_REVISION) {
      stream.tombstone = ordinal;
    } else {
      if (frame.revision > stream.events.length) this.skipTo(stream, frame.revision);
      stream.events.push(ordinal);
      if (isMetastream(frame.stream)) this.streamNamed(frame.stream.slice(2)).metadata = parseMetadata(frame.data);
    }
    return stream;
  }

  get typeCount(): number {
    return this.types.length;
  }

  /** The events from ordinal `from` to before `to` without those that are removed, and names from the given ids on. */
  part(from: number, to: number, streamId: number, typeId: number): IndexPart {
    const kept: number[] = [];
    for (let ordinal = from; ordinal < to; ordinal++) if (!this.isRemoved(ordinal)) kept.push(ordinal);
    const tombstones: number[] = [];
    const changed = new Set<Stream>();
    for (const [i, ordinal] of kept.entries()) {
      const stream = this.streams[this.streamIds.get(ordinal)] as Stream;
      if (stream.tombstone === ordinal) tombstones.push(i);
      else if (isMetastream(stream.name)) changed.add(this.streamNamed(stream.name.slice(2)));
    }
    const firsts = from > 0 ? [] : this.streams.filter(({ events }) => events.first > 0);
    return {
      positions: Float64Array.from(kept, (ordinal) => this.positions.get(ordinal)),
      lengths: Uint32Array.from(kept, (ordinal) => this.lengths.get(ordinal)),
      streamIds: Uint32Array.from(kept, (ordinal) => this.streamIds.get(ordinal)),
      typeIds: Uint32Array.from(kept, (ordinal) => this.eventTypes.get(ordinal)),
      hashes: Uint32Array.from(kept, (ordinal) => this.hashes.get(ordinal)),
      streams: this.streams.slice(streamId).map(({ name }) => name),
      types: this.types.slice(typeId),
      metadata: [...changed].map(({ id, metadata }) => [id, metadata]),
      firsts: firsts.map(({ id, events }) => [id, events.first]),
      tombstones,
    };
  }

  /** Adds a part that begins where this index ends. `settle` has to follow the last one. */
  takeIn(part: IndexPart): void {
    for (const name of part.streams) this.streamNamed(name);
    for (const type of part.types) this.typeIdOf(type);
    for (const [id, revision] of part.firsts) (this.streams[id] as Stream).events.startAt(revision);
    const from = this.count;
    const { length } = part.positions;
    this.positions.setAll(from, part.positions);
    this.lengths.setAll(from, part.lengths);
    this.streamIds.setAll(from, part.streamIds);
    this.eventTypes.setAll(from, part.typeIds);
    this.hashes.setAll(from, part.hashes);
    for (const i of part.tombstones) {
      (this.streams[part.streamIds[i] as number] as Stream).tombstone = from + i;
      this.tombstones.add(from + i);
    }
    this.count = from + length;
    for (const [id, metadata] of part.metadata) {
      (this.streams[id] as Stream).metadata = { ...NO_METADATA, ...metadata };
    }
  }

  /** Sorts what was taken in to its streams and ids, all at once: the lists of all streams share one array. */
  settle(): void {
    const ends = new Uint32Array(this.streams.length);
    const listed = (ordinal: number): boolean => this.tombstones.size === 0 || !this.tombstones.has(ordinal);
    for (let ordinal = 0; ordinal < this.count; ordinal++) if (listed(ordinal)) ends[this.streamIds.get(ordinal)]!++;
    const counts = ends.slice();
    for (let id = 1; id < ends.length; id++) ends[id]! += ends[id - 1]!;
    const lists = new Uint32Array(this.count);
    const next = ends.map((end, id) => end - counts[id]!);
    for (let ordinal = 0; ordinal < this.count; ordinal++) {
      if (listed(ordinal)) lists[next[this.streamIds.get(ordinal)]!++] = ordinal;
    }
    for (const [id, { events }] of this.streams.entries()) {
      if (counts[id]! > 0) events.take(lists, ends[id]! - counts[id]!, counts[id]!);
    }
    let size = this.buckets.length;
    while (this.count > size * 2) size *= 4;
    this.rehash(size);
    this.tombstones.clear();
  }

  find(name: string): Stream | undefined {
    return this.streamsByName.get(name);
  }

  /** The stream of that name, made known if need be. */
  streamNamed(name: string): Stream {
    let stream = this.streamsByName.get(name);
    if (!stream) {
      stream = new Stream(this.streams.length, name);
      this.streams.push(stream);
      this.streamsByName.set(name, stream);
    }
    return stream;
  }

  hasMetadata(name: string): boolean {
    return (this.streamsByName.get(metastreamOf(name))?.last ?? -1) >= 0;
  }

  position(ordinal: number): number {
    return this.positions.get(ordinal);
  }

  length(ordinal: number): number {
    return this.lengths.get(ordinal);
  }

  /** Whether the event has been removed from the log since the start: its frame cannot be read. */
  isRemoved(ordinal: number): boolean {
    return this.lengths.get(ordinal) === 0;
  }

  /** Forgets an event whose frame is gone. Of its stream, all events before it have to be forgotten as well. */
  remove(ordinal: number): void {
    const stream = this.streams[this.streamIds.get(ordinal)] as Stream;
    this.lengths.set(ordinal, 0);
    this.removed++;
    if (stream.events.length > stream.events.first && stream.events.get(stream.events.first) === ordinal) {
      stream.events.dropFirst();
    }
  }

  /** Events before `revision` have been removed; any that are still there were meant to be. */
  private skipTo(stream: Stream, revision: number): void {
    while (stream.events.first < stream.events.length) this.remove(stream.events.get(stream.events.first));
    stream.events.startAt(revision);
  }

  /** All streams, by id. */
  allStreams(): readonly Stream[] {
    return this.streams;
  }

  idHash(ordinal: number): number {
    return this.hashes.get(ordinal);
  }

  streamId(ordinal: number): number {
    return this.streamIds.get(ordinal);
  }

  streamName(ordinal: number): string {
    return (this.streams[this.streamIds.get(ordinal)] as Stream).name;
  }

  typeId(ordinal: number): number {
    return this.eventTypes.get(ordinal);
  }

  typeName(ordinal: number): string {
    return this.types[this.eventTypes.get(ordinal)] as string;
  }

  /** The first ordinal whose position is not below `position`; `count` when there is none. */
  atOrAfter(position: number): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.positions.get(middle) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Events of `stream` that may have this id, newest first: the id itself is not in memory. */
  *candidates(stream: Stream, id: string): Generator<number> {
    const hash = hashOf(id);
    for (
      let ordinal = this.buckets[hash & (this.buckets.length - 1)] as number;
      ordinal >= 0;
      ordinal = this.nextWithHash.get(ordinal)
    ) {
      if (this.hashes.get(ordinal) !== hash || this.streamIds.get(ordinal) !== stream.id) continue;
      if (!this.isRemoved(ordinal)) yield ordinal;
    }
  }

  private addId(ordinal: number, id: string): void {
    if (ordinal >= this.buckets.length * 2) this.rehash(this.buckets.length * 4);
    const hash = hashOf(id);
    this.hashes.set(ordinal, hash);
    this.link(ordinal, hash);
  }

  private link(ordinal: number, hash: number): void {
    const bucket = hash & (this.buckets.length - 1);
    this.nextWithHash.set(ordinal, this.buckets[bucket] as number);
    this.buckets[bucket] = ordinal;
  }

  private rehash(size: number): void {
    this.buckets = new Int32Array(size).fill(-1);
    for (let ordinal = 0; ordinal < this.count; ordinal++) this.link(ordinal, this.hashes.get(ordinal));
  }

  private typeIdOf(type: string): number {
    let id = this.typeIds.get(type);
    if (id === undefined) {
      id = this.types.length;
      this.types.push(type);
      this.typeIds.set(type, id);
    }
    return id;
  }
}

/** FNV-1a over the text of a UUID. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

const PAGE_BITS = 16;
const PAGE_MASK = (1 << PAGE_BITS) - 1;

/** A column of numbers that grows by pages: nothing is copied, nothing is more than a page too large. */
class Column<A extends Float64Array | Uint32Array | Int32Array> {
  private readonly pages: A[] = [];

  constructor(private readonly allocate: (length: number) => A) {}

  get(index: number): number {
    return (this.pages[index >>> PAGE_BITS] as A)[index & PAGE_MASK] as number;
  }

  /** Sets the values from `index` on. */
  setAll(index: number, values: A): void {
    for (let done = 0; done < values.length;) {
      const at = (index + done) & PAGE_MASK;
      const page = (index + done) >>> PAGE_BITS;
      const part = values.subarray(done, done + (1 << PAGE_BITS) - at);
      (this.pages[page] ??= this.allocate(1 << PAGE_BITS)).set(part, at);
      done += part.length;
    }
  }

  set(index: number, value: number): void {
    const page = index >>> PAGE_BITS;
    (this.pages[page] ??= this.allocate(1 << PAGE_BITS))[index & PAGE_MASK] = value;
  }
}

const SMALL = 16;

/** Ordinals by revision: most streams are short, a few are very long. */
class OrdinalList {
  /** The revision after the last. */
  length = 0;
  /** The first revision that is there. */
  first = 0;
  /** The revision that stands first in the arrays. */
  private base = 0;
  /** The first `taken` ordinals stand in an array that others use as well, from `takenFrom` on. */
  private shared: Uint32Array | undefined;
  private takenFrom = 0;
  private taken = 0;
  private small: number[] | undefined;
  private large: Uint32Array | undefined;

  push(ordinal: number): void {
    const used = this.length - this.base - this.taken;
    if (!this.large && used < SMALL) {
      (this.small ??= []).push(ordinal);
    } else {
      if (!this.large || used === this.large.length) {
        const grown = new Uint32Array(used * 2);
        grown.set(this.large ?? (this.small as number[]));
        this.large = grown;
        this.small = undefined;
      }
      this.large[used] = ordinal;
    }
    this.length++;
  }

  /** Adds, to a list without ordinals, `count` of those in `array`. */
  take(array: Uint32Array, from: number, count: number): void {
    this.shared = array;
    this.takenFrom = from;
    this.taken = count;
    this.length += count;
  }

  /** @param revision between `first` and `length - 1` */
  get(revision: number): number {
    const at = revision - this.base;
    if (at < this.taken) return (this.shared as Uint32Array)[this.takenFrom + at] as number;
    return (this.large ?? (this.small as number[]))[at - this.taken] as number;
  }

  /** Empties the list; the next ordinal is that of `revision`. */
  startAt(revision: number): void {
    this.length = this.first = this.base = revision;
    this.taken = 0;
    this.shared = this.small = this.large = undefined;
  }

  /** Forgets the first ordinal. */
  dropFirst(): void {
    this.first++;
    const dropped = this.first - this.base - this.taken;
    if (!this.large || dropped <= this.large.length / 2) return;
    const rest = this.large.slice(dropped);
    const { length } = this;
    this.startAt(this.first);
    this.length = length;
    if (rest.length > 0) this.large = rest;
  }
}

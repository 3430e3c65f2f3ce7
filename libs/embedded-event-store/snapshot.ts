/**
 * The index snapshot: what a start would otherwise find out by reading the whole log. `index.snapshot` is a file that
 * only grows, a block at a time; each block is about the events since the block before it. This comment is the format
 * specification, version 1; numbers are little endian.
 *
 *     snapshot  =  header block*
 *     header    =  magic "CUSTOSIX" 8 bytes, version u32 = 1, crc32 u32 of log id, log id 16 bytes
 *     block     =  len u32, of the body; crc32 u32, of log id, offset of the block u64, len u32 and body; body
 *     body      =  size of the JSON u32, JSON in UTF-8, blanks up to a multiple of 8, then the columns of `count` events:
 *                  positions f64[], lengths u32[], stream ids u32[], type ids u32[], id hashes u32[]
 *
 * The JSON says what the columns are about: `BlockHead`. Streams and types get their ids in the order of all blocks.
 *
 * It is never needed and never trusted further than its checksums: from the first block on that is damaged, unfinished
 * or not about the files that are there, a start reads the log instead. A block is written after the events it is about
 * are durable. Before a segment is rewritten the file is removed, durably: what it says would no longer be right.
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { EventIndex, StreamMetadata } from './event-index.js';
import { RECORD_HEADER_BYTES, syncFolder, type Extents, type KnownSegment, type Segments } from './segments.js';

export const SNAPSHOT = 'index.snapshot';
const MAGIC = 'CUSTOSIX';
const VERSION = 1;
const HEADER_BYTES = 32;
const BLOCK_HEADER_BYTES = 8;
/** Of the columns, per event. */
const EVENT_BYTES = 24;
/** Events that are not in a block yet and would make one. */
export const BLOCK_EVENTS = 65_536;
/** Fewer than these are read from the log faster than anybody notices. */
export const MIN_EVENTS = 1000;

interface BlockHead {
  readonly count: number;
  /** The position up to which the log has been taken in. */
  readonly end: number;
  /** Of the newest event, milliseconds since the epoch. */
  readonly created: number;
  /** Names. */
  readonly streams: readonly string[];
  readonly types: readonly string[];
  /** Stream id and metadata, of streams whose metadata is not what it was. */
  readonly metadata: readonly (readonly [id: number, metadata: StreamMetadata])[];
  /** Stream id and first revision, of streams that have lost their first events. */
  readonly firsts: readonly (readonly [id: number, revision: number])[];
  /** Which of the events are tombstones. */
  readonly tombstones: readonly number[];
  /** Segments that hold these events. */
  readonly segments: readonly {
    readonly base: number;
    readonly headerCrc: number;
    readonly size: number;
    readonly extents: Extents;
  }[];
}

/** What a snapshot says of a log. */
export interface Remembered {
  readonly logId: Buffer;
  readonly end: number;
  readonly created: number;
  readonly segments: ReadonlyMap<number, KnownSegment>;
  /** Bytes of the file that are good. */
  readonly bytes: number;
}

/** A block of a snapshot, damaged. */
export class BadBlock extends Error {
  constructor(
    readonly offset: number,
    readonly remembered: Remembered | undefined,
  ) {
    super('the block does not match its checksum, or is unfinished');
  }
}

/**
 * Takes what a snapshot knows into an empty index.
 *
 * @returns undefined when there is no snapshot
 * @throws BadBlock at the first block that is not good; what is before it has been taken in
 */
export function loadSnapshot(dir: string, index: EventIndex): Remembered | undefined {
  let fd: number;
  try {
    fd = fs.openSync(join(dir, SNAPSHOT), 'r');
  } catch {
    return undefined;
  }
  try {
    return read(fd, index);
  } finally {
    index.settle();
    fs.closeSync(fd);
  }
}

function read(fd: number, index: EventIndex): Remembered {
  const header = Buffer.alloc(HEADER_BYTES);
  const size = fs.fstatSync(fd).size;
  if (
    fs.readSync(fd, header, 0, HEADER_BYTES, 0) < HEADER_BYTES ||
    header.toString('latin1', 0, 8) !== MAGIC ||
    header.readUInt32LE(8) !== VERSION ||
    header.readUInt32LE(12) !== crc32(header.subarray(16))
  ) {
    throw new BadBlock(0, undefined);
  }
  const logId = header.subarray(16);
  const segments = new Map<number, KnownSegment>();
  let remembered: Remembered = { logId, end: 0, created: 0, segments, bytes: HEADER_BYTES };
  const frame = Buffer.alloc(BLOCK_HEADER_BYTES);
  for (let offset = HEADER_BYTES; offset < size;) {
    const bad = (): BadBlock => new BadBlock(offset, remembered.end > 0 ? remembered : undefined);
    if (fs.readSync(fd, frame, 0, BLOCK_HEADER_BYTES, offset) < BLOCK_HEADER_BYTES) throw bad();
    const length = frame.readUInt32LE(0);
    if (length < 8 || offset + BLOCK_HEADER_BYTES + length > size) throw bad();
    const body = Buffer.from(new ArrayBuffer(length));
    fs.readSync(fd, body, 0, length, offset + BLOCK_HEADER_BYTES);
    if (checksum(logId, offset, body) !== frame.readUInt32LE(4)) throw bad();
    const head = take(body, index);
    for (const { base, ...known } of head.segments) segments.set(base, known);
    offset += BLOCK_HEADER_BYTES + length;
    remembered = { logId, end: head.end, created: head.created, segments, bytes: offset };
  }
  if (remembered.end === 0) throw new BadBlock(HEADER_BYTES, undefined);
  return remembered;
}

function take(body: Buffer, index: EventIndex): BlockHead {
  const size = body.readUInt32LE(0);
  const head = JSON.parse(body.toString('utf8', 4, 4 + size)) as BlockHead;
  let at = aligned(4 + size);
  const next = (bytes: number): [ArrayBuffer, number] => {
    const from = at;
    at += bytes * head.count;
    return [body.buffer as ArrayBuffer, from];
  };
  index.takeIn({
    ...head,
    positions: new Float64Array(...next(8), head.count),
    lengths: new Uint32Array(...next(4), head.count),
    streamIds: new Uint32Array(...next(4), head.count),
    typeIds: new Uint32Array(...next(4), head.count),
    hashes: new Uint32Array(...next(4), head.count),
  });
  return head;
}

/** Stretches that begin before `size`, or all there is of a segment that ends there. */
function extentsUpTo({ starts, offsets }: Extents, size: number): Extents {
  const count = starts.filter((start) => start <= size).length;
  return { starts: starts.slice(0, count), offsets: offsets.slice(0, count) };
}

const aligned = (bytes: number): number => Math.ceil(bytes / 8) * 8;

function checksum(logId: Buffer, offset: number, body: Buffer): number {
  const seed = Buffer.alloc(12);
  seed.writeBigUInt64LE(BigInt(offset));
  seed.writeUInt32LE(body.length, 8);
  return crc32(body, crc32(seed, crc32(logId)));
}

/** Writes the snapshot of one log, block by block. */
export class SnapshotWriter {
  private bytes: number;
  private saved: number;
  private savedEnd: number;
  private savedStreams: number;
  private savedTypes: number;

  /** @param remembered what the file holds already, and `index` has taken in */
  constructor(
    private readonly dir: string,
    private readonly index: EventIndex,
    private readonly segments: Segments,
    remembered: Remembered | undefined,
    taken: { readonly events: number; readonly streams: number; readonly types: number },
  ) {
    this.bytes = remembered?.bytes ?? 0;
    this.saved = remembered ? taken.events : 0;
    this.savedEnd = remembered?.end ?? 0;
    this.savedStreams = remembered ? taken.streams : 0;
    this.savedTypes = remembered ? taken.types : 0;
  }

  /** Events that are not in the file. */
  get missing(): number {
    return this.index.count - this.saved;
  }

  /** Removes the file, durably: it is about to be wrong. */
  forget(): void {
    this.saved = this.savedEnd = this.savedStreams = this.savedTypes = this.bytes = 0;
    fs.rmSync(join(this.dir, SNAPSHOT), { force: true });
    syncFolder(this.dir);
  }

  /**
   * Adds a block about the next events that are missing. A failure leaves at most a block that is not good, which the
   * next one overwrites.
   *
   * @param end the position up to which the index knows the log
   */
  save(end: number, created: number): void {
    const { index } = this;
    // A block ends where a record ends.
    let to = Math.min(this.saved + BLOCK_EVENTS, index.count);
    while (to < index.count && index.position(to - 1) + index.length(to - 1) === index.position(to)) to++;
    const upTo = to === index.count ? end : index.position(to) - RECORD_HEADER_BYTES;
    const offset = this.bytes === 0 ? HEADER_BYTES : this.bytes;
    const body = this.body(to, upTo, created);
    const frame = Buffer.alloc(BLOCK_HEADER_BYTES);
    frame.writeUInt32LE(body.length, 0);
    frame.writeUInt32LE(checksum(this.segments.logId, offset, body), 4);
    const fd = fs.openSync(join(this.dir, SNAPSHOT), this.bytes === 0 ? 'w' : 'r+', 0o600);
    try {
      const all = Buffer.concat(this.bytes === 0 ? [this.header(), frame, body] : [frame, body]);
      for (let done = 0; done < all.length;) {
        done += fs.writeSync(fd, all, done, all.length - done, this.bytes + done);
      }
      fs.ftruncateSync(fd, this.bytes + all.length);
      fs.fdatasyncSync(fd);
      this.bytes += all.length;
    } finally {
      fs.closeSync(fd);
    }
    this.saved = to;
    this.savedEnd = upTo;
    this.savedStreams = index.allStreams().length;
    this.savedTypes = index.typeCount;
  }

  private header(): Buffer {
    const header = Buffer.alloc(HEADER_BYTES);
    header.write(MAGIC, 'latin1');
    header.writeUInt32LE(VERSION, 8);
    this.segments.logId.copy(header, 16);
    header.writeUInt32LE(crc32(header.subarray(16)), 12);
    return header;
  }

  private body(to: number, end: number, created: number): Buffer {
    const part = this.index.part(this.saved, to, this.savedStreams, this.savedTypes);
    const head: BlockHead = {
      count: part.positions.length,
      end,
      created,
      streams: part.streams,
      types: part.types,
      metadata: part.metadata,
      firsts: part.firsts,
      tombstones: part.tombstones,
      segments: this.segments
        .list()
        .filter(({ base, size }) => base < end && base + size > this.savedEnd)
        .map(({ base, size, extents, header }) => ({
          base,
          headerCrc: header.readUInt32LE(60),
          size: Math.min(size, end - base),
          extents: extentsUpTo(extents, end - base),
        })),
    };
    const json = Buffer.from(JSON.stringify(head));
    const body = Buffer.alloc(aligned(4 + json.length) + EVENT_BYTES * head.count, 0x20);
    body.writeUInt32LE(json.length, 0);
    json.copy(body, 4);
    let at = aligned(4 + json.length);
    for (const column of [part.positions, part.lengths, part.streamIds, part.typeIds, part.hashes]) {
      Buffer.from(column.buffer, column.byteOffset, column.byteLength).copy(body, at);
      at += column.byteLength;
    }
    return body;
  }
}

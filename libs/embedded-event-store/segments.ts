/**
 * The log on disk. This comment is the format specification, versions 1 and 2.
 *
 * The log is one sequence of bytes cut into segment files. A *position* is an offset in that sequence; the file that
 * holds it is the one with the greatest base not above it. Files are named `<base, 16 decimal digits>.log`, lie in one
 * folder, and follow each other without a gap: base of a segment = base + size of the one before. Numbers in headers
 * are little endian.
 *
 *     segment  =  header record*
 *     header   =  magic "CUSTOSEL"   8 bytes
 *                 version            u32; 1: as it was written, 2: rewritten
 *                 salt               u32, random, one per segment
 *                 base               u64
 *                 log id             16 bytes, the same in all segments of a log
 *                 reserved           20 bytes, zero
 *                 crc32              u32, of the 60 bytes before it
 *     record   =  len                u32, bytes after the crc
 *                 crc32              u32, of: salt u32, position of the record u64, len u32, kind, frames
 *                 kind               u8; 1 = events, 2 = gap (in a rewritten segment only)
 *                 frames             one or more, see wire.ts; each says its own length and its own position
 *     gap      =  len, crc32, kind   as above, in place of `frames`:
 *                 skipped            u64, how many positions follow that hold nothing
 *
 * The header takes the first 64 bytes, so no event ever has position 0. A record is one append: it is there as a whole
 * or not at all. The position of an event is the position of its frame.
 *
 * The checksum covers salt and position, so bytes that happen to look like a record (a stored copy of a segment, for
 * one) are not a record anywhere but in their own place. That makes it possible to tell the two kinds of damage apart:
 * a bad record with no good one behind it is the end of an unfinished write and is cut; a bad record with a good one
 * behind it is corruption, and the log does not open.
 *
 * A new segment is written under a temporary name, synced and renamed: a header is never half there. The segment before
 * it was synced before: only the last one can have an unfinished end.
 *
 * A *rewritten* segment has lost events and nothing else: base, salt and log id are those of the original, and so are the
 * positions of all that was kept. What was left out is a gap record, which takes 17 bytes of the file and `skipped`
 * positions of the log; every other byte takes one of each. A record kept whole is the same bytes with the same
 * checksum. Of a record kept in part each run of frames becomes a record whose header lies in the positions just before
 * its first frame, where something was left out. A rewritten segment is written under a temporary name, synced and
 * renamed over the original: it is there as a whole or not at all. The last segment is never rewritten.
 *
 * The data of an event may be overwritten in place, at the same length; the file header of redaction-journal.ts says how.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export const HEADER_BYTES = 64;
export const RECORD_HEADER_BYTES = 9;
export const KIND_EVENTS = 1;
const KIND_GAP = 2;
const GAP_BYTES = RECORD_HEADER_BYTES + 8;

const MAGIC = Buffer.from('CUSTOSEL', 'latin1');
const VERSION = 1;
const REWRITTEN = 2;
const SCAN_BYTES = 4 * 1024 * 1024;
const DRAFT_BYTES = 1024 * 1024;
/** No record is longer: the writer sees to it, recovery relies on it. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;
const FILE_NAME = /^(\d{16})\.log$/;

/** The log is damaged in a way that a crash cannot explain. The message names file and offset. */
export class CorruptLog extends Error {}

/** Where the bytes of a segment are: stretches without a gap, as offsets from the base and offsets in the file. */
export interface Extents {
  readonly starts: readonly number[];
  readonly offsets: readonly number[];
}

const WHOLE: Extents = { starts: [0], offsets: [0] };

export interface Segment {
  readonly base: number;
  readonly path: string;
  readonly fd: number;
  readonly seed: Buffer;
  readonly header: Buffer;
  readonly extents: Extents;
  /** Positions in use, all of them durable. In a segment that was not rewritten that is the length of the file. */
  size: number;
}

export const isRewritten = (segment: Segment): boolean => segment.header.readUInt32LE(8) === REWRITTEN;

/** Bytes of the file that hold the positions in use. */
export function fileBytes({ extents: { starts, offsets }, size }: Segment): number {
  const last = starts.length - 1;
  return (offsets[last] as number) + size - (starts[last] as number);
}

/** What is known of a segment without reading its records. */
export interface KnownSegment {
  readonly headerCrc: number;
  readonly size: number;
  readonly extents: Extents;
}

/** What was remembered of the log does not fit the files. */
export class StaleKnowledge extends Error {}

/** Called for each record in order. `payload` is only valid during the call. */
export type RecordVisitor = (kind: number, payload: Buffer, payloadPosition: number) => void;

export class Segments {
  /** Rises when bytes that were read before may have changed. */
  generation = 0;
  /** Whether a start is still finding out if what it remembers fits: it reads a few bytes without checking them. */
  starting = true;

  /** @param unread by base: what a start has taken on trust, to be checked before any of it is read */
  private constructor(
    readonly dir: string,
    readonly logId: Buffer,
    private readonly segments: Segment[],
    private readonly unread = new Map<number, KnownSegment>(),
  ) {}

  /**
   * Opens the log of a folder, or creates an empty one, and walks all its records.
   *
   * @param known segments, by base, of which records up to position `knownEnd` need no visit
   * @throws CorruptLog on damage other than an unfinished end
   * @throws StaleKnowledge when `known` is not about these files
   */
  static open(
    dir: string,
    visit: RecordVisitor,
    known: ReadonlyMap<number, KnownSegment> = new Map(),
    knownEnd = 0,
  ): Segments {
    for (const name of fs.readdirSync(dir)) if (name.endsWith('.log.tmp')) fs.unlinkSync(join(dir, name));
    const bases = segmentBases(dir);
    const opened: Segment[] = [];
    const unread = new Map<number, KnownSegment>();
    try {
      if (bases.length === 0) {
        const logId = randomBytes(16);
        return new Segments(dir, logId, [createSegment(dir, 0, logId)]);
      }
      let logId: Buffer | undefined;
      let expectedBase = 0;
      for (const [i, base] of bases.entries()) {
        const path = join(dir, fileName(base));
        if (base !== expectedBase) throw new CorruptLog(`${path}: a segment that begins at ${expectedBase} is missing`);
        const fd = fs.openSync(path, 'r+');
        let segment: Segment;
        try {
          segment = segmentOf(fd, path, base);
        } catch (error) {
          fs.closeSync(fd);
          throw error;
        }
        opened.push(segment);
        logId ??= logIdOf(segment);
        if (!logId.equals(logIdOf(segment))) throw new CorruptLog(`${path}: this segment belongs to another log`);
        const from = known.get(base);
        if (from === undefined && base < knownEnd) throw new StaleKnowledge();
        opened[i] = recover(segment, i === bases.length - 1, visit, from);
        if (from) unread.set(base, from);
        expectedBase = base + (opened[i] as Segment).size;
      }
      if (expectedBase < knownEnd) throw new StaleKnowledge();
      return new Segments(dir, logId as Buffer, opened, unread);
    } catch (error) {
      for (const { fd } of opened) fs.closeSync(fd);
      throw error;
    }
  }

  /** The position after the last durable byte. */
  get end(): number {
    const last = this.last;
    return last.base + last.size;
  }

  /** Bytes in use in the segment that is written to. */
  get lastSize(): number {
    return this.last.size;
  }

  /** Begins a new segment. What was written before is durable already. */
  roll(): void {
    this.segments.push(createSegment(this.dir, this.end, this.logId));
  }

  /** Fills in `len` and `crc32` of a record laid out in `buffer`; its kind and frames are in place. */
  seal(buffer: Buffer, start: number, end: number, recordPosition: number): void {
    sealRecord(this.last.seed, buffer, start, end, recordPosition);
  }

  /** Writes at the end and makes it durable; blocks. On an error nothing has been added (see `cut`). */
  appendSync(bytes: Buffer): void {
    const { fd, size } = this.last;
    for (let done = 0; done < bytes.length;) {
      done += fs.writeSync(fd, bytes, done, bytes.length - done, size + done);
    }
    fs.fdatasyncSync(fd);
    this.last.size += bytes.length;
  }

  /** As `appendSync`, in the thread pool. One at a time. */
  async append(bytes: Buffer): Promise<void> {
    const segment = this.last;
    for (let done = 0; done < bytes.length;) {
      const from = done;
      done += await new Promise<number>((resolve, reject) =>
        fs.write(segment.fd, bytes, from, bytes.length - from, segment.size + from, (error, written) =>
          error ? reject(error) : resolve(written),
        ),
      );
    }
    await new Promise<void>((resolve, reject) =>
      fs.fdatasync(segment.fd, (error) => (error ? reject(error) : resolve())),
    );
    segment.size += bytes.length;
  }

  /** Removes what a failed append has left behind the durable end. */
  cut(): void {
    fs.ftruncateSync(this.last.fd, this.last.size);
  }

  /**
   * Reads durable bytes; they do not cross a gap or a segment's end. The first read of a segment that the start took
   * on trust checks all its records.
   *
   * @returns how many were read, at most `length`
   * @throws CorruptLog when a record of the segment does not match its checksum: none of it is handed out
   */
  read(position: number, into: Buffer, length: number): number {
    const segment = this.segmentAt(position);
    const known = this.unread.get(segment.base);
    if (known && !this.starting && position < segment.base + known.size) {
      const records = new Records(segment, fileBytes({ ...segment, ...known }));
      while (records.next());
      if (!records.complete)
        throw new CorruptLog(`${segment.path}: the record at offset ${records.offset} does not match its checksum`);
      this.unread.delete(segment.base);
    }
    const place = placeOf(segment, position);
    return fs.readSync(segment.fd, into, 0, Math.min(length, place.following), place.offset);
  }

  /** The position where the gapless stretch that holds `position` begins. */
  baseOf(position: number): number {
    const segment = this.segmentAt(position);
    return segment.base + (segment.extents.starts[extentAt(segment, position)] as number);
  }

  /** Whether events that stood around `position` may have been removed. */
  mayHaveGapAt(position: number): boolean {
    return position < this.end && isRewritten(this.segmentAt(position));
  }

  /** Which file holds the byte at `position`, and where. Only as long as nothing is rewritten. */
  locate(position: number): { readonly segment: Segment; readonly offset: number } {
    const segment = this.segmentAt(position);
    return { segment, offset: placeOf(segment, position).offset };
  }

  /** All segments, oldest first; the last one is written to. */
  list(): readonly Segment[] {
    return this.segments;
  }

  /** Puts a finished draft in the place of its original, not yet durably; what has been read has to be forgotten. */
  replace(draft: SegmentDraft): void {
    const at = this.segments.indexOf(draft.original);
    if (at < 0 || at === this.segments.length - 1) throw new Error('only a finished segment is rewritten');
    fs.renameSync(draft.path, draft.original.path);
    this.segments[at] = draft.segment;
    this.unread.delete(draft.original.base);
    fs.closeSync(draft.original.fd);
  }

  close(): void {
    for (const { fd } of this.segments) fs.closeSync(fd);
  }

  private get last(): Segment {
    return this.segments[this.segments.length - 1] as Segment;
  }

  private segmentAt(position: number): Segment {
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.segments[middle] as Segment).base <= position) low = middle;
      else high = middle - 1;
    }
    return this.segments[low] as Segment;
  }
}

/**
 * A segment being rewritten: kept bytes go in, in the order of their positions, with gaps where something is missing
 * between them. Holds at most `DRAFT_BYTES` and one record in memory.
 */
export class SegmentDraft {
  readonly path: string;
  segment: Segment;
  private readonly fd: number;
  private readonly starts = [0];
  private readonly offsets = [0];
  private parts: Buffer[] = [];
  private buffered = 0;
  private written = 0;
  private next = HEADER_BYTES;

  constructor(readonly original: Segment) {
    this.path = `${original.path}.tmp`;
    const header = Buffer.from(original.header);
    header.writeUInt32LE(REWRITTEN, 8);
    header.writeUInt32LE(crc32(header.subarray(0, 60)), 60);
    this.fd = fs.openSync(this.path, 'w+');
    this.segment = { ...original, fd: this.fd, header };
    this.put(header);
  }

  /** Keeps a record as it is. `bytes` may be reused after the call. */
  keep(position: number, bytes: Buffer): void {
    this.skipTo(position - this.original.base);
    this.put(Buffer.from(bytes));
    this.next += bytes.length;
  }

  /** Keeps a run of frames that begins at `position`, as a record of its own. */
  keepFrames(position: number, frames: Buffer): void {
    const record = Buffer.alloc(RECORD_HEADER_BYTES + frames.length);
    record[8] = KIND_EVENTS;
    frames.copy(record, RECORD_HEADER_BYTES);
    sealRecord(this.original.seed, record, 0, record.length, position - RECORD_HEADER_BYTES);
    this.keep(position - RECORD_HEADER_BYTES, record);
  }

  /** Completes the file and makes it durable, still under its temporary name. */
  async finish(): Promise<void> {
    this.skipTo(this.original.size);
    this.flush();
    await new Promise<void>((resolve, reject) => fs.fsync(this.fd, (error) => (error ? reject(error) : resolve())));
    this.segment = { ...this.segment, extents: { starts: this.starts, offsets: this.offsets } };
  }

  /** Gives the draft up; the original is as it was. */
  discard(): void {
    fs.closeSync(this.fd);
    fs.rmSync(this.path, { force: true });
  }

  private skipTo(offset: number): void {
    const skipped = offset - this.next;
    if (skipped === 0) return;
    const gap = Buffer.alloc(GAP_BYTES);
    gap[8] = KIND_GAP;
    gap.writeBigUInt64LE(BigInt(skipped), RECORD_HEADER_BYTES);
    sealRecord(this.original.seed, gap, 0, GAP_BYTES, this.original.base + this.next);
    this.put(gap);
    this.next = offset;
    this.starts.push(offset);
    this.offsets.push(this.written + this.buffered);
  }

  private put(bytes: Buffer): void {
    this.parts.push(bytes);
    this.buffered += bytes.length;
    if (this.buffered >= DRAFT_BYTES) this.flush();
  }

  private flush(): void {
    const bytes = Buffer.concat(this.parts);
    for (let done = 0; done < bytes.length;) {
      done += fs.writeSync(this.fd, bytes, done, bytes.length - done, this.written + done);
    }
    this.written += bytes.length;
    this.parts = [];
    this.buffered = 0;
  }
}

export const fileName = (base: number): string => `${String(base).padStart(16, '0')}.log`;

/** The bases of the segments in a folder, rising. */
export function segmentBases(dir: string): number[] {
  const bases: number[] = [];
  for (const name of fs.readdirSync(dir)) {
    const match = FILE_NAME.exec(name);
    if (match) bases.push(Number(match[1]));
  }
  return bases.sort((a, b) => a - b);
}

export const logIdOf = (segment: Segment): Buffer => segment.header.subarray(24, 40);

/** Makes new names and removals in a folder durable. */
export function syncFolder(dir: string): void {
  const folder = fs.openSync(dir, 'r');
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}

function extentAt({ base, extents: { starts } }: Segment, position: number): number {
  const offset = position - base;
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The offset of `position` in the file, and how many bytes without a gap there are from it on. */
function placeOf(segment: Segment, position: number): { readonly offset: number; readonly following: number } {
  const extent = extentAt(segment, position);
  const { starts, offsets } = segment.extents;
  const offset = position - segment.base - (starts[extent] as number) + (offsets[extent] as number);
  const next = offsets[extent + 1];
  return { offset, following: (next === undefined ? fileBytes(segment) : next - GAP_BYTES) - offset };
}

function createSegment(dir: string, base: number, logId: Buffer): Segment {
  const path = join(dir, fileName(base));
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, 8);
  randomBytes(4).copy(header, 12);
  header.writeBigUInt64LE(BigInt(base), 16);
  logId.copy(header, 24);
  header.writeUInt32LE(crc32(header.subarray(0, 60)), 60);
  const temporary = `${path}.tmp`;
  const fd = fs.openSync(temporary, 'w+');
  try {
    fs.writeSync(fd, header, 0, HEADER_BYTES, 0);
    fs.fsyncSync(fd);
    fs.renameSync(temporary, path);
    syncFolder(dir);
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  return { base, path, fd, seed: seedOf(header), header, extents: WHOLE, size: HEADER_BYTES };
}

/** A segment by its header; its records have not been looked at. @throws CorruptLog */
export function segmentOf(fd: number, path: string, base: number): Segment {
  const header = Buffer.alloc(HEADER_BYTES);
  const read = fs.readSync(fd, header, 0, HEADER_BYTES, 0);
  if (read < HEADER_BYTES || !header.subarray(0, 8).equals(MAGIC)) throw new CorruptLog(`${path}: not a log segment`);
  if (header.readUInt32LE(60) !== crc32(header.subarray(0, 60))) {
    throw new CorruptLog(`${path}: the header does not match its checksum`);
  }
  const version = header.readUInt32LE(8);
  if (version !== VERSION && version !== REWRITTEN) {
    throw new CorruptLog(`${path}: format version ${version}, this program reads ${VERSION} and ${REWRITTEN}`);
  }
  if (header.readBigUInt64LE(16) !== BigInt(base)) throw new CorruptLog(`${path}: the file has been renamed`);
  return { base, path, fd, seed: seedOf(header), header, extents: WHOLE, size: 0 };
}

/** What the checksum of a record starts with: salt, then room for position and length. */
function seedOf(header: Buffer): Buffer {
  const seed = Buffer.alloc(16);
  header.copy(seed, 0, 12, 16);
  return seed;
}

function checksum(seed: Buffer, position: number, buffer: Buffer, start: number, end: number): number {
  seed.writeUInt32LE(position % 2 ** 32, 4);
  seed.writeUInt32LE(Math.floor(position / 2 ** 32), 8);
  seed.writeUInt32LE(end - start - 8, 12);
  return crc32(buffer.subarray(start + 8, end), crc32(seed));
}

/** Fills in `len` and `crc32` of a record whose kind and content are in place. */
export function sealRecord(seed: Buffer, buffer: Buffer, start: number, end: number, position: number): void {
  buffer.writeUInt32LE(end - start - 8, start);
  buffer.writeUInt32LE(checksum(seed, position, buffer, start, end), start + 4);
}

/** The end of the record at `at`, or -1 when there is no good record that ends within `buffer`. */
function recordEnd(segment: Segment, buffer: Buffer, at: number, position: number): number {
  if (at + RECORD_HEADER_BYTES > buffer.length) return -1;
  const length = buffer.readUInt32LE(at);
  const end = at + 8 + length;
  if (length < 2 || length > MAX_RECORD_BYTES || end > buffer.length) return -1;
  const kind = buffer[at + 8];
  const isGap = kind === KIND_GAP && length === GAP_BYTES - 8 && isRewritten(segment);
  if (kind !== KIND_EVENTS && !isGap) return -1;
  return checksum(segment.seed, position, buffer, at, end) === buffer.readUInt32LE(at + 4) ? end : -1;
}

/** A record of events as it stands in a file. */
export interface StoredRecord {
  readonly position: number;
  /** Of the record in the file. */
  readonly offset: number;
  /** Valid until the next record is asked for. */
  readonly bytes: Buffer;
}

/** A walk over the good records of a segment, up to the first bad one or the end of the file. */
export class Records {
  /** In the file, of the next record. */
  offset: number;
  private at = 0;
  private window: Buffer = Buffer.alloc(0);
  private place: number;
  private readonly starts: number[];
  private readonly offsets: number[];

  /** @param from where to begin, when what is before is known */
  constructor(
    private readonly segment: Segment,
    private readonly bytesInFile: number,
    from: { readonly size: number; readonly extents: Extents } = { size: HEADER_BYTES, extents: WHOLE },
  ) {
    this.place = from.size;
    this.offset = fileBytes({ ...segment, ...from });
    this.starts = [...from.extents.starts];
    this.offsets = [...from.extents.offsets];
  }

  /** Whether every byte of the file is part of a good record. */
  get complete(): boolean {
    return this.offset === this.bytesInFile;
  }

  /** Positions covered so far. */
  get size(): number {
    return this.place;
  }

  /** The stretches without a gap, as far as they have been walked. */
  get extents(): Extents {
    return { starts: this.starts, offsets: this.offsets };
  }

  next(): StoredRecord | undefined {
    while (this.offset < this.bytesInFile) {
      const position = this.segment.base + this.place;
      let end = recordEnd(this.segment, this.window, this.at, position);
      if (end < 0 && (this.at > 0 || this.window.length < this.bytesInFile - this.offset)) {
        const length = this.window.length - this.at >= 4 ? this.window.readUInt32LE(this.at) : 0;
        this.load(Math.max(SCAN_BYTES, Math.min(length, MAX_RECORD_BYTES) + 8));
        end = recordEnd(this.segment, this.window, this.at, position);
        if (end < 0 && this.window.length >= 4 && this.window.readUInt32LE(0) + 8 > this.window.length) {
          this.load(Math.min(this.window.readUInt32LE(0), MAX_RECORD_BYTES) + 8);
          end = recordEnd(this.segment, this.window, this.at, position);
        }
      }
      if (end < 0) return undefined;
      const bytes = this.window.subarray(this.at, end);
      const offset = this.offset;
      this.at = end;
      this.offset += bytes.length;
      if (bytes[8] === KIND_EVENTS) {
        this.place += bytes.length;
        return { position, offset, bytes };
      }
      this.place += Number(bytes.readBigUInt64LE(RECORD_HEADER_BYTES));
      this.starts.push(this.place);
      this.offsets.push(this.offset);
    }
    return undefined;
  }

  private load(bytes: number): void {
    const window = Buffer.allocUnsafe(Math.min(bytes, this.bytesInFile - this.offset));
    this.window = window.subarray(0, fs.readSync(this.segment.fd, window, 0, window.length, this.offset));
    this.at = 0;
  }
}

/** Walks the records of a segment and cuts an unfinished end if it is the last one. @returns the segment with its size */
function recover(segment: Segment, isLast: boolean, visit: RecordVisitor, known?: KnownSegment): Segment {
  const bytesInFile = fs.fstatSync(segment.fd).size;
  if (
    known &&
    (known.headerCrc !== segment.header.readUInt32LE(60) || bytesInFile < fileBytes({ ...segment, ...known }))
  ) {
    throw new StaleKnowledge();
  }
  const records = new Records(segment, bytesInFile, known);
  for (let record = records.next(); record; record = records.next()) {
    visit(KIND_EVENTS, record.bytes.subarray(RECORD_HEADER_BYTES), record.position + RECORD_HEADER_BYTES);
  }
  const { offset, size, extents } = records;
  if (records.complete) return { ...segment, size, extents };
  const behind = isLast ? findRecord(segment, offset + 1, bytesInFile) : undefined;
  if (!isLast || behind !== undefined) {
    const evidence = behind === undefined ? 'in a finished segment' : `and the one at offset ${behind} is good`;
    throw new CorruptLog(
      `${segment.path}: the record at offset ${offset} does not match its checksum, ${evidence}; ` +
        'the log is damaged, restore it from a backup',
    );
  }
  fs.ftruncateSync(segment.fd, offset);
  fs.fdatasyncSync(segment.fd);
  return { ...segment, size, extents };
}

/** The offset of the first good record from `from` on, in a segment that was not rewritten. */
function findRecord(segment: Segment, from: number, size: number): number | undefined {
  const rest = Buffer.allocUnsafe(size - from);
  const length = fs.readSync(segment.fd, rest, 0, rest.length, from);
  const buffer = rest.subarray(0, length);
  for (let at = 0; at + RECORD_HEADER_BYTES < length; at++) {
    if (buffer[at + 8] === KIND_EVENTS && recordEnd(segment, buffer, at, segment.base + from + at) >= 0)
      return from + at;
  }
  return undefined;
}

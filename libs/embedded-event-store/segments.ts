/**
 * The log on disk. This comment is the format specification, version 1.
 *
 * The log is one sequence of bytes cut into segment files. A *position* is an offset in that sequence; the file that
 * holds it is the one with the greatest base not above it. Files are named `<base, 16 decimal digits>.log`, lie in one
 * folder, and follow each other without a gap: base of a segment = base + size of the one before. Numbers in headers
 * are little endian.
 *
 *     segment  =  header record*
 *     header   =  magic "CUSTOSEL"   8 bytes
 *                 version            u32, 1
 *                 salt               u32, random, one per segment
 *                 base               u64
 *                 log id             16 bytes, the same in all segments of a log
 *                 reserved           20 bytes, zero
 *                 crc32              u32, of the 60 bytes before it
 *     record   =  len                u32, bytes after the crc
 *                 crc32              u32, of: salt u32, position of the record u64, len u32, kind, frames
 *                 kind               u8; 1 = events
 *                 frames             one or more, see wire.ts; each says its own length and its own position
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
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

export const HEADER_BYTES = 64;
export const RECORD_HEADER_BYTES = 9;
export const KIND_EVENTS = 1;

const MAGIC = Buffer.from('CUSTOSEL', 'latin1');
const VERSION = 1;
const SCAN_BYTES = 4 * 1024 * 1024;
/** No record is longer: the writer sees to it, recovery relies on it. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;
const FILE_NAME = /^(\d{16})\.log$/;

/** The log is damaged in a way that a crash cannot explain. The message names file and offset. */
export class CorruptLog extends Error {}

interface Segment {
  readonly base: number;
  readonly path: string;
  readonly fd: number;
  readonly seed: Buffer;
  /** Bytes in use, all of them durable. */
  size: number;
}

/** Called for each record in order. `payload` is only valid during the call. */
export type RecordVisitor = (kind: number, payload: Buffer, payloadPosition: number) => void;

export class Segments {
  private constructor(
    private readonly dir: string,
    readonly logId: Buffer,
    private readonly segments: Segment[],
  ) {}

  /**
   * Opens the log of a folder, or creates an empty one, and walks all its records.
   *
   * @throws CorruptLog on damage other than an unfinished end
   */
  static open(dir: string, visit: RecordVisitor): Segments {
    const bases: number[] = [];
    for (const name of fs.readdirSync(dir)) {
      const match = FILE_NAME.exec(name);
      if (match) bases.push(Number(match[1]));
      else if (name.endsWith('.log.tmp')) fs.unlinkSync(join(dir, name));
    }
    bases.sort((a, b) => a - b);
    const opened: Segment[] = [];
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
        const header = readHeader(fd, path, base);
        const segment = { base, path, fd, seed: header.seed, size: 0 };
        opened.push(segment);
        logId ??= header.logId;
        if (!logId.equals(header.logId)) throw new CorruptLog(`${path}: this segment belongs to another log`);
        recover(segment, i === bases.length - 1, visit);
        expectedBase = base + segment.size;
      }
      return new Segments(dir, logId as Buffer, opened);
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
    buffer.writeUInt32LE(end - start - 8, start);
    buffer.writeUInt32LE(checksum(this.last.seed, recordPosition, buffer, start, end), start + 4);
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

  /** Reads durable bytes; they do not cross a segment's end. @returns how many were read, at most `length` */
  read(position: number, into: Buffer, length: number): number {
    const segment = this.segmentAt(position);
    const offset = position - segment.base;
    return fs.readSync(segment.fd, into, 0, Math.min(length, segment.size - offset), offset);
  }

  /** The position where the segment that holds `position` begins. */
  baseOf(position: number): number {
    return this.segmentAt(position).base;
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

const fileName = (base: number): string => `${String(base).padStart(16, '0')}.log`;

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
    const folder = fs.openSync(dir, 'r');
    try {
      fs.fsyncSync(folder);
    } finally {
      fs.closeSync(folder);
    }
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  return { base, path, fd, seed: seedOf(header), size: HEADER_BYTES };
}

function readHeader(fd: number, path: string, base: number): { logId: Buffer; seed: Buffer } {
  const header = Buffer.alloc(HEADER_BYTES);
  const read = fs.readSync(fd, header, 0, HEADER_BYTES, 0);
  if (read < HEADER_BYTES || !header.subarray(0, 8).equals(MAGIC)) throw new CorruptLog(`${path}: not a log segment`);
  if (header.readUInt32LE(60) !== crc32(header.subarray(0, 60))) {
    throw new CorruptLog(`${path}: the header does not match its checksum`);
  }
  const version = header.readUInt32LE(8);
  if (version !== VERSION) throw new CorruptLog(`${path}: format version ${version}, this program reads ${VERSION}`);
  if (header.readBigUInt64LE(16) !== BigInt(base)) throw new CorruptLog(`${path}: the file has been renamed`);
  return { logId: header.subarray(24, 40), seed: seedOf(header) };
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

/** The end of the record at `at`, or -1 when there is no good record that ends within `buffer`. */
function recordEnd(segment: Segment, buffer: Buffer, at: number, offset: number): number {
  if (at + RECORD_HEADER_BYTES > buffer.length) return -1;
  const length = buffer.readUInt32LE(at);
  const end = at + 8 + length;
  if (length < 2 || length > MAX_RECORD_BYTES || end > buffer.length || buffer[at + 8] !== KIND_EVENTS) return -1;
  const crc = checksum(segment.seed, segment.base + offset, buffer, at, end);
  return crc === buffer.readUInt32LE(at + 4) ? end : -1;
}

/** Walks the records of a segment, sets its size, and cuts an unfinished end if it is the last segment. */
function recover(segment: Segment, isLast: boolean, visit: RecordVisitor): void {
  const size = fs.fstatSync(segment.fd).size;
  let window: Buffer = Buffer.alloc(0);
  let at = 0;
  let offset = HEADER_BYTES;
  const load = (bytes: number): void => {
    window = Buffer.allocUnsafe(Math.min(bytes, size - offset));
    window = window.subarray(0, fs.readSync(segment.fd, window, 0, window.length, offset));
    at = 0;
  };
  load(SCAN_BYTES);
  while (offset < size) {
    let end = recordEnd(segment, window, at, offset);
    if (end < 0 && (at > 0 || window.length < size - offset)) {
      const length = window.length - at >= 4 ? window.readUInt32LE(at) : 0;
      load(Math.max(SCAN_BYTES, Math.min(length, MAX_RECORD_BYTES) + 8));
      end = recordEnd(segment, window, at, offset);
    }
    if (end < 0) break;
    visit(window[at + 8] as number, window.subarray(at + RECORD_HEADER_BYTES, end), segment.base + offset + 9);
    offset += end - at;
    at = end;
  }
  segment.size = offset;
  if (offset === size) return;
  const behind = isLast ? findRecord(segment, offset + 1, size) : undefined;
  if (!isLast || behind !== undefined) {
    const evidence = behind === undefined ? 'in a finished segment' : `and the one at offset ${behind} is good`;
    throw new CorruptLog(
      `${segment.path}: the record at offset ${offset} does not match its checksum, ${evidence}; ` +
        'the log is damaged, restore it from a backup',
    );
  }
  fs.ftruncateSync(segment.fd, offset);
  fs.fdatasyncSync(segment.fd);
}

/** The offset of the first good record from `from` on. */
function findRecord(segment: Segment, from: number, size: number): number | undefined {
  const rest = Buffer.allocUnsafe(size - from);
  const length = fs.readSync(segment.fd, rest, 0, rest.length, from);
  const buffer = rest.subarray(0, length);
  for (let at = 0; at + RECORD_HEADER_BYTES < length; at++) {
    if (buffer[at + 8] === KIND_EVENTS && recordEnd(segment, buffer, at, from + at) >= 0) return from + at;
  }
  return undefined;
}

/**
 * Redaction: the data of one event is overwritten where it stands; id, type, position, metadata and length stay.
 *
 * What a reader gets from then on has the same length as before. JSON: `{"$redacted":true}` and blanks; `{}` and blanks
 * where that has no room (under 18 bytes); `0` in a single byte. Anything else: zero bytes.
 *
 * Or only the values under seal in it: every string `iv`, `ct` and `tag` that follows `"enc":"A256GCM","kid":…` in JSON
 * becomes as many `A`. The data stay JSON of the same shape, which nothing can open.
 *
 * Data and checksum of a record cannot change in one step, so what is to be done is written down first: `redaction`, a
 * file of 80 bytes, is written under a temporary name, synced and renamed. Then data and checksum are overwritten and
 * synced, then the file is removed. A start finds the file and does the rest again. It holds no data of any event.
 *
 *     redaction  =  magic "CUSTOSRD"   8 bytes
 *                   version            u32, 1
 *                   crc32              u32, what the record's checksum will be
 *                   log id             16 bytes
 *                   base               u64, of the segment
 *                   position           u64, of the record
 *                   record             u64, offset in the file
 *                   data               u64, offset in the record
 *                   length             u32, of the data
 *                   json               u32, 1: the content type is JSON; 2: and only its seals
 *                   reserved           4 bytes, zero
 *                   crc32              u32, of the 76 bytes before it
 */
import fs from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import {
  CorruptLog,
  RECORD_HEADER_BYTES,
  fileName,
  logIdOf,
  sealRecord,
  segmentOf,
  syncFolder,
  type Segment,
} from './segments.js';
import { dataWithin } from './wire.js';

const MAGIC = 'CUSTOSRD';
const JOURNAL = 'redaction';
const JOURNAL_BYTES = 80;
const MARK = '{"$redacted":true}';

/** A redaction, written down. */
export interface Journal {
  readonly crc: number;
  readonly logId: Buffer;
  readonly base: number;
  readonly position: number;
  readonly record: number;
  readonly data: number;
  readonly length: number;
  readonly json: boolean;
  /** Only the values under seal. */
  readonly seals: boolean;
}

/** Replaces data by what readers are to find in its place. */
export function blank(data: Buffer, json: boolean): void {
  data.fill(json ? 0x20 : 0);
  if (!json || data.length === 0) return;
  data.write(data.length >= MARK.length ? MARK : data.length >= 2 ? '{}' : '0', 'latin1');
}

/** A value under seal, as the engine writes it. */
const SEAL = /"enc":"A256GCM","kid":"[^"\\]*","iv":"([\w-]*)","ct":"([\w-]*)","tag":"([\w-]*)"/g;

/** Makes the seals in JSON data unreadable for good, at the same length. */
export function blankSeals(data: Buffer): void {
  const text = data.toString('latin1');
  for (const seal of text.matchAll(SEAL)) {
    let from = seal.index;
    for (const [name, value] of [
      ['iv', seal[1]!],
      ['ct', seal[2]!],
      ['tag', seal[3]!],
    ] as const) {
      from = text.indexOf(`"${name}":"`, from) + name.length + 4;
      data.fill(0x41, from, from + value.length);
      from += value.length;
    }
  }
}

/** As `blank`, for the data within a frame. @returns the length of the data; 0 when nothing has changed */
export function blankFrame(frame: Buffer, seals = false): number {
  const { start, end, json } = dataWithin(frame);
  const before = Buffer.from(frame.subarray(start, end));
  if (seals) blankSeals(frame.subarray(start, end));
  else blank(frame.subarray(start, end), json);
  return before.equals(frame.subarray(start, end)) ? 0 : end - start;
}

/**
 * Does what is left of a redaction that a crash has interrupted.
 *
 * @throws CorruptLog when what was written down is not about the record it names
 */
export function finishRedaction(dir: string): void {
  fs.rmSync(join(dir, `${JOURNAL}.tmp`), { force: true });
  const journal = pendingRedaction(dir);
  if (!journal) return;
  const path = join(dir, fileName(journal.base));
  const fd = fs.openSync(path, 'r+');
  try {
    apply(segmentOf(fd, path, journal.base), journal);
  } finally {
    fs.closeSync(fd);
  }
  removeJournal(dir);
}

/** What has been written down and not been done. @throws CorruptLog */
export function pendingRedaction(dir: string): Journal | undefined {
  const path = join(dir, JOURNAL);
  if (!fs.existsSync(path)) return undefined;
  const bytes = fs.readFileSync(path);
  if (
    bytes.length !== JOURNAL_BYTES ||
    bytes.toString('latin1', 0, 8) !== MAGIC ||
    bytes.readUInt32LE(8) !== 1 ||
    bytes.readUInt32LE(76) !== crc32(bytes.subarray(0, 76))
  ) {
    throw new CorruptLog(`${path}: an unfinished redaction does not match its checksum`);
  }
  const place = (at: number): number => Number(bytes.readBigUInt64LE(at));
  return {
    crc: bytes.readUInt32LE(12),
    logId: bytes.subarray(16, 32),
    base: place(32),
    position: place(40),
    record: place(48),
    data: place(56),
    length: bytes.readUInt32LE(64),
    json: bytes.readUInt32LE(68) >= 1,
    seals: bytes.readUInt32LE(68) === 2,
  };
}

export function writeJournal(dir: string, journal: Journal): void {
  const bytes = Buffer.alloc(JOURNAL_BYTES);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt32LE(1, 8);
  bytes.writeUInt32LE(journal.crc, 12);
  journal.logId.copy(bytes, 16);
  for (const [i, value] of [journal.base, journal.position, journal.record, journal.data].entries()) {
    bytes.writeBigUInt64LE(BigInt(value), 32 + 8 * i);
  }
  bytes.writeUInt32LE(journal.length, 64);
  bytes.writeUInt32LE(journal.seals ? 2 : journal.json ? 1 : 0, 68);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 76)), 76);
  const temporary = join(dir, `${JOURNAL}.tmp`);
  const fd = fs.openSync(temporary, 'w', 0o600);
  try {
    fs.writeSync(fd, bytes, 0, JOURNAL_BYTES, 0);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
  fs.renameSync(temporary, join(dir, JOURNAL));
  syncFolder(dir);
}

/** Durable before anything else happens: found again, it would be done to whatever stands there by then. */
export function removeJournal(dir: string): void {
  fs.unlinkSync(join(dir, JOURNAL));
  syncFolder(dir);
}

/** Overwrites data and checksum; the same again when it was done before. */
export function apply(segment: Segment, journal: Journal): void {
  const { crc, logId, position, record: offset, data, length, json, seals } = journal;
  const record = logIdOf(segment).equals(logId) ? readRecord(segment, offset) : Buffer.alloc(0);
  const content = record.subarray(data, data + length);
  if (seals) blankSeals(content);
  else blank(content, json);
  if (content.length === length) sealRecord(segment.seed, record, 0, record.length, position);
  if (content.length !== length || record.readUInt32LE(4) !== crc) {
    throw new CorruptLog(`${segment.path}: the record at offset ${offset} is not the one that was to be redacted`);
  }
  write(segment.fd, content, offset + data);
  write(segment.fd, record.subarray(4, 8), offset + 4);
  fs.fdatasyncSync(segment.fd);
}

export function readRecord(segment: Segment, offset: number): Buffer {
  const header = Buffer.alloc(RECORD_HEADER_BYTES);
  fs.readSync(segment.fd, header, 0, RECORD_HEADER_BYTES, offset);
  const length = 8 + header.readUInt32LE(0);
  if (offset + length > fs.fstatSync(segment.fd).size) return Buffer.alloc(0);
  const record = Buffer.alloc(length);
  fs.readSync(segment.fd, record, 0, length, offset);
  return record;
}

function write(fd: number, bytes: Buffer, offset: number): void {
  for (let done = 0; done < bytes.length;) {
    done += fs.writeSync(fd, bytes, done, bytes.length - done, offset + done);
  }
}

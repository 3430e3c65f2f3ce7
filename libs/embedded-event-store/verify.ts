import fs from 'node:fs';
import { join } from 'node:path';
import { readManifest, MANIFEST } from './backup-manifest.js';
import { EventIndex, type Stream } from './event-index.js';
import { lockFolder } from './folder-lock.js';
import { pendingRedaction } from './redaction-journal.js';
import {
  CorruptLog,
  RECORD_HEADER_BYTES,
  Records,
  fileBytes,
  fileName,
  isRewritten,
  logIdOf,
  segmentBases,
  segmentOf,
  type Extents,
  type Segment,
  type StoredRecord,
} from './segments.js';
import { BadBlock, SNAPSHOT, loadSnapshot, type Remembered } from './snapshot.js';
import { TOMBSTONE_REVISION, decodeFrame, frameLength } from './wire.js';

export interface Problem {
  readonly file: string;
  /** In the file: of the record, frame or block that is bad. */
  readonly offset: number;
  readonly reason: string;
}

export interface VerifyReport {
  /** The first thing that is wrong; what is behind it has not been looked at. `undefined`: everything is right. */
  readonly problem: Problem | undefined;
  readonly segments: number;
  readonly records: number;
  readonly events: number;
  /** Of the segment files. */
  readonly bytes: number;
  /** The position behind the last byte. */
  readonly end: number;
}

const TURN_RECORDS = 2000;

class Bad extends Error {
  constructor(readonly problem: Problem) {
    super(problem.reason);
  }
}

/**
 * Checks a log that no server uses, or a backup: every byte of the segments is in a header or record whose checksum is
 * right, every frame decodes and stands at the position it names, revisions follow each other, and what the index
 * snapshot remembers is what the log says. Changes nothing; an end that a crash has left unfinished is a problem too, and
 * the next start of the server cuts it.
 *
 * @throws FolderInUse when a server uses the folder
 */
export async function verify(dir: string): Promise<VerifyReport> {
  const unlock = fs.existsSync(join(dir, 'lock.db')) ? lockFolder(dir) : () => undefined;
  const check = new Check(dir);
  try {
    await check.run();
    return { ...check.counts, problem: undefined };
  } catch (error) {
    if (!(error instanceof Bad)) throw error;
    return { ...check.counts, problem: error.problem };
  } finally {
    unlock();
  }
}

class Check {
  readonly counts = { segments: 0, records: 0, events: 0, bytes: 0, end: 0 };
  private readonly index = new EventIndex();
  private logId: Buffer | undefined;
  private rewritten = false;
  private readonly extents = new Map<number, Extents>();

  constructor(private readonly dir: string) {}

  async run(): Promise<void> {
    if (!fs.existsSync(this.dir)) throw new Bad({ file: this.dir, offset: 0, reason: 'there is no such folder' });
    this.redaction();
    const bases = segmentBases(this.dir);
    if (bases.length === 0) throw new Bad({ file: this.dir, offset: 0, reason: 'there is no event log' });
    for (const base of bases) await this.segment(base);
    this.manifest();
    this.snapshot();
  }

  private redaction(): void {
    const file = join(this.dir, 'redaction');
    let pending: unknown;
    try {
      pending = pendingRedaction(this.dir);
    } catch (error) {
      throw corrupt(error, file);
    }
    if (!pending) return;
    throw new Bad({ file, offset: 0, reason: 'a redaction is unfinished: the next start of the event store ends it' });
  }

  private async segment(base: number): Promise<void> {
    const file = join(this.dir, fileName(base));
    if (base !== this.counts.end) {
      throw new Bad({ file, offset: 0, reason: `a segment that begins at ${this.counts.end} is missing` });
    }
    const fd = fs.openSync(file, 'r');
    try {
      let segment: Segment;
      try {
        segment = segmentOf(fd, file, base);
      } catch (error) {
        throw corrupt(error, file);
      }
      this.logId ??= logIdOf(segment);
      if (!this.logId.equals(logIdOf(segment))) {
        throw new Bad({ file, offset: 0, reason: 'this segment belongs to another log' });
      }
      this.rewritten ||= isRewritten(segment);
      this.counts.segments++;
      await this.records(segment, fs.fstatSync(fd).size);
    } finally {
      fs.closeSync(fd);
    }
  }

  private async records(segment: Segment, bytesInFile: number): Promise<void> {
    const records = new Records(segment, bytesInFile);
    for (let record = records.next(); record; record = records.next()) {
      this.frames(segment.path, record);
      if (++this.counts.records % TURN_RECORDS === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    this.counts.bytes += fileBytes({ ...segment, size: records.size, extents: records.extents });
    this.counts.end = segment.base + records.size;
    this.extents.set(segment.base, records.extents);
    if (!records.complete) {
      throw new Bad({
        file: segment.path,
        offset: records.offset,
        reason: 'the record does not match its checksum, or is unfinished',
      });
    }
  }

  private frames(file: string, { position, offset, bytes }: StoredRecord): void {
    for (let at = RECORD_HEADER_BYTES; at < bytes.length;) {
      const bad = (reason: string): Bad => new Bad({ file, offset: offset + at, reason });
      const length = at + 5 <= bytes.length ? frameLength(bytes, at) : Infinity;
      if (at + length > bytes.length) throw bad('the event runs past the end of its record');
      let frame;
      try {
        frame = decodeFrame(bytes.subarray(at, at + length));
      } catch {
        throw bad('the event cannot be decoded');
      }
      if (frame.position !== position + at) {
        throw bad(`the event says it is at position ${frame.position}, and is at ${position + at}`);
      }
      const last = this.index.find(frame.stream)?.last ?? -1;
      const follows = frame.revision === last + 1 || (this.rewritten && frame.revision > last);
      if (frame.revision !== TOMBSTONE_REVISION && !follows) {
        throw bad(`revision ${frame.revision} of '${frame.stream}' does not follow ${last}`);
      }
      this.index.add(frame, length);
      this.counts.events++;
      at += length;
    }
  }

  /** Every entry of the snapshot against what the log has said. */
  private snapshot(): void {
    const file = join(this.dir, SNAPSHOT);
    const told = new EventIndex();
    let remembered: Remembered | undefined;
    try {
      remembered = loadSnapshot(this.dir, told);
    } catch (error) {
      if (!(error instanceof BadBlock)) throw error;
      throw new Bad({ file, offset: error.offset, reason: `${error.message}; the log itself is sound` });
    }
    if (!remembered) return;
    const bad = (what: string): Bad =>
      new Bad({ file, offset: 0, reason: `${what} is not what the log says; the log itself is sound` });
    if (!remembered.logId.equals(this.logId as Buffer)) throw bad('the log it is about');
    if (told.count > this.index.count || remembered.end > this.counts.end) throw bad('the end');
    for (let ordinal = 0; ordinal < told.count; ordinal++) {
      const entry = (index: EventIndex): string =>
        `${index.position(ordinal)} ${index.length(ordinal)} ${index.idHash(ordinal)} ${index.typeName(ordinal)} ${index.streamName(ordinal)}`;
      if (entry(told) !== entry(this.index)) throw bad(`the entry of event ${ordinal}`);
    }
    for (const stream of told.allStreams()) {
      const own = this.index.find(stream.name);
      const facts = ({ events, tombstone, metadata }: Stream): string =>
        JSON.stringify([events.length, tombstone, metadata]);
      const events = stream.last >= stream.events.first;
      if (events && own?.events.first !== stream.events.first) throw bad(`the start of '${stream.name}'`);
      if (events && told.count === this.index.count && own && facts(own) !== facts(stream)) {
        throw bad(`the entry of '${stream.name}'`);
      }
    }
    for (const [base, { size, extents }] of remembered.segments) {
      const { starts, offsets } = this.extents.get(base) ?? { starts: [], offsets: [] };
      const agrees = extents.starts.every((start, i) => start === starts[i] && extents.offsets[i] === offsets[i]);
      if (!agrees || base + size > this.counts.end) throw bad(`the segment at ${base}`);
    }
  }

  private manifest(): void {
    const file = join(this.dir, MANIFEST);
    if (!fs.existsSync(file)) return;
    const told = readManifest(this.dir);
    if (!told) throw new Bad({ file, offset: 0, reason: 'what the backup says of itself is damaged' });
    const { end, events, bytes, segments } = this.counts;
    if (told.end !== end || told.events !== events || told.bytes !== bytes || told.segments !== segments) {
      const reason = `the backup was made of ${told.events} events up to position ${told.end}, and holds ${events} up to ${end}`;
      throw new Bad({ file, offset: 0, reason });
    }
  }
}

const corrupt = (error: unknown, file: string): unknown =>
  error instanceof CorruptLog
    ? new Bad({ file, offset: 0, reason: error.message.replace(`${file}: `, '') })
    : (error as Error);

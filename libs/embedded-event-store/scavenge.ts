/**
 * Scavenging: what no reader of a stream can see any more leaves the disk. The log goes on being read and written.
 *
 * Removed are the events of a tombstoned stream (the tombstone stays) and, of any other, those that `$tb`, `$maxCount`
 * or `$maxAge` hide, save the last one: its revision says where the stream goes on. When that one is hidden too, as in
 * a deleted stream, its data is overwritten as by a redaction. They also leave $all, where they were still visible.
 *
 * Each segment that holds such events is written anew beside the old one, synced, and renamed over it; a crash leaves
 * either. What is hidden when a scavenge begins is what it removes.
 */
import { type EventLog } from './event-log.js';
import { blankFrame } from './redaction-journal.js';
import {
  CorruptLog,
  RECORD_HEADER_BYTES,
  Records,
  SegmentDraft,
  fileBytes,
  sealRecord,
  syncFolder,
  type Segment,
  type StoredRecord,
} from './segments.js';
import { MIN_EVENTS } from './snapshot.js';
import { frameLength } from './wire.js';

export interface ScavengeReport {
  readonly removedEvents: number;
  /** Last events of streams of which nothing is visible: they stay, without their data. */
  readonly emptiedEvents: number;
  readonly rewrittenSegments: number;
  /** Of all segment files. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

const KEEP = 0;
const REMOVE = 1;
const EMPTY = 2;
/** How much is done before others get their turn. */
const TURN_BYTES = 1024 * 1024;
const TURN_STREAMS = 1000;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Removes what is hidden. One at a time; other maintenance waits.
 *
 * @param now milliseconds since the epoch, for `$maxAge`
 * @throws CorruptLog when a segment is damaged; Error when there is no room or the store stops. What is finished by
 *   then stays removed, nothing else is changed.
 */
export const scavenge = (log: EventLog, now: number): Promise<ScavengeReport> =>
  log.maintain(() => scavengeNow(log, now));

async function scavengeNow(log: EventLog, now: number): Promise<ScavengeReport> {
  const { segments, index } = log;
  const total = (): number => segments.list().reduce((sum, segment) => sum + fileBytes(segment), 0);
  const bytesBefore = total();
  const verdicts = await judge(log, now);
  const from = (segment: Segment): number => index.atOrAfter(segment.base);
  const last = segments.list().at(-1) as Segment;
  if (verdicts.subarray(from(last)).some((verdict) => verdict !== KEEP)) await log.atRest(() => segments.roll());

  const report = { removedEvents: 0, emptiedEvents: 0, rewrittenSegments: 0, bytesBefore };
  for (const segment of segments.list().slice(0, -1)) {
    const first = from(segment);
    const mine = verdicts.subarray(first, index.atOrAfter(segment.base + segment.size));
    if (mine.every((verdict) => verdict === KEEP)) continue;
    await rewrite(log, segment, verdicts);
    for (const [i, verdict] of mine.entries()) {
      if (verdict === REMOVE) report.removedEvents++;
      if (verdict === EMPTY) report.emptiedEvents++;
      if (verdict === REMOVE) index.remove(first + i);
    }
    report.rewrittenSegments++;
    syncFolder(log.dir);
  }
  if (report.rewrittenSegments > 0) while (log.saveSnapshot(MIN_EVENTS)) await turn();
  return { ...report, bytesAfter: total() };
}

/** What is to become of each event, by ordinal. */
async function judge(log: EventLog, now: number): Promise<Uint8Array> {
  const { index } = log;
  const verdicts = new Uint8Array(index.count);
  const known = index.allStreams().length;
  for (let id = 0; id < known; id++) {
    if (id % TURN_STREAMS === TURN_STREAMS - 1) await turn();
    const stream = index.allStreams()[id];
    if (!stream || stream.last < stream.events.first) continue;
    const gone = stream.tombstone >= 0;
    const end = gone ? stream.last + 1 : log.firstVisible(stream, now);
    for (let revision = stream.events.first; revision < end; revision++) {
      const ordinal = stream.events.get(revision);
      if (ordinal >= verdicts.length) break;
      if (gone || revision < stream.last) verdicts[ordinal] = REMOVE;
      else if (!index.typeName(ordinal).startsWith('$') && holdsData(log, ordinal)) verdicts[ordinal] = EMPTY;
    }
  }
  return verdicts;
}

const holdsData = (log: EventLog, ordinal: number): boolean => blankFrame(Buffer.from(log.frameOf(ordinal))) > 0;

/** Puts a segment without what is to go into the place of `segment`. */
async function rewrite(log: EventLog, segment: Segment, verdicts: Uint8Array): Promise<void> {
  const draft = new SegmentDraft(segment);
  try {
    const records = new Records(segment, fileBytes(segment));
    let done = 0;
    for (let record = records.next(); record; record = records.next()) {
      copy(log, record, draft, verdicts);
      done += record.bytes.length;
      if (done < TURN_BYTES) continue;
      done = 0;
      await turn();
      if (log.isStopping) throw new Error('the event store is stopping');
    }
    if (!records.complete || records.size !== segment.size) {
      throw new CorruptLog(`${segment.path}: the record at offset ${records.offset} does not match its checksum`);
    }
    await draft.finish();
    log.forgetSnapshot();
    log.segments.replace(draft);
    log.forgetCached();
  } catch (error) {
    if (log.segments.list().includes(segment)) draft.discard();
    throw error;
  }
}

/** Puts what is kept of a record into the draft. */
function copy(log: EventLog, { position, bytes }: StoredRecord, draft: SegmentDraft, verdicts: Uint8Array): void {
  const { index, segments } = log;
  let ordinal = index.atOrAfter(position);
  let record = bytes;
  let runStart = -1;
  const runs: [start: number, end: number][] = [];
  for (let at = RECORD_HEADER_BYTES; at < bytes.length; ordinal++) {
    const end = at + frameLength(bytes, at);
    while (index.position(ordinal) < position + at) ordinal++;
    const verdict = verdicts[ordinal];
    if (verdict === EMPTY) {
      if (record === bytes) record = Buffer.from(bytes);
      blankFrame(record.subarray(at, end));
    }
    if (verdict === REMOVE) {
      if (runStart >= 0) runs.push([runStart, at]);
      runStart = -1;
    } else if (runStart < 0) {
      runStart = at;
    }
    at = end;
  }
  if (runStart === RECORD_HEADER_BYTES && runs.length === 0) {
    const { segment } = segments.locate(position);
    if (record !== bytes) sealRecord(segment.seed, record, 0, record.length, position);
    draft.keep(position, record);
    return;
  }
  if (runStart >= 0) runs.push([runStart, bytes.length]);
  for (const [start, end] of runs) draft.keepFrames(position + start, record.subarray(start, end));
}

import type { EventLog } from './event-log.js';
import {
  apply,
  blankFrame,
  finishRedaction,
  readRecord,
  removeJournal,
  writeJournal,
  type Journal,
} from './redaction-journal.js';
import { RECORD_HEADER_BYTES, sealRecord } from './segments.js';
import { dataWithin } from './wire.js';

/** Which event: by stream and revision, or by position. */
export type EventReference = (
  { readonly stream: string; readonly revision: number } | { readonly position: number }
) & {
  /** Overwrites only the values under seal in the data. */
  readonly seals?: boolean;
};

/** There is no such event, or it is one the server itself lives by. Nothing has been changed. */
export class NotRedactable extends Error {}

export interface RedactionReport {
  readonly stream: string;
  readonly revision: number;
  readonly position: number;
  readonly type: string;
  /** How many bytes of data have been overwritten: 0 when there were none, or when that had been done before. */
  readonly bytes: number;
}

/**
 * Overwrites the data of an event. On disk when it returns; readers that come later, or are under way, get the new data.
 *
 * @throws NotRedactable
 */
export async function redact(log: EventLog, reference: EventReference): Promise<RedactionReport> {
  return log.maintain(() => Promise.resolve(redactNow(log, reference)));
}

function redactNow(log: EventLog, reference: EventReference): RedactionReport {
  const { index, segments } = log;
  const ordinal = ordinalOf(log, reference);
  const { stream, revision, position, type } = log.event(ordinal);
  // The server acts on the content of these: metadata, links, checkpoints.
  if (type.startsWith('$')) throw new NotRedactable(`an event of type ${type} is the event store's own`);
  finishRedaction(log.dir);

  let first = ordinal;
  while (first > 0 && index.position(first - 1) + index.length(first - 1) === index.position(first)) first--;
  const start = index.position(first) - RECORD_HEADER_BYTES;
  const { segment, offset } = segments.locate(start);
  const record = readRecord(segment, offset);
  const within = position - start;
  const frame = record.subarray(within, within + index.length(ordinal));
  const data = dataWithin(frame);
  const seals = reference.seals === true;
  if (seals && !data.json) throw new NotRedactable('the data of this event are not JSON');
  const bytes = blankFrame(frame, seals);
  const report = { stream, revision, position, type, bytes };
  if (bytes === 0) return report;
  sealRecord(segment.seed, record, 0, record.length, start);
  const journal: Journal = {
    crc: record.readUInt32LE(4),
    logId: segments.logId,
    base: segment.base,
    position: start,
    record: offset,
    data: within + data.start,
    length: data.end - data.start,
    json: data.json,
    seals,
  };
  writeJournal(log.dir, journal);
  apply(segment, journal);
  log.forgetCached();
  removeJournal(log.dir);
  return report;
}

function ordinalOf({ index }: EventLog, reference: EventReference): number {
  if ('position' in reference) {
    const ordinal = index.atOrAfter(reference.position);
    if (ordinal < index.count && index.position(ordinal) === reference.position && !index.isRemoved(ordinal)) {
      return ordinal;
    }
    throw new NotRedactable(`no event has the position ${reference.position}`);
  }
  const stream = index.find(reference.stream);
  const { revision } = reference;
  if (!stream || !Number.isInteger(revision) || revision < stream.events.first || revision > stream.last) {
    throw new NotRedactable(`the stream '${reference.stream}' has no event with the revision ${revision}`);
  }
  return stream.events.get(revision);
}

import { ANY, NO_STREAM, STREAM_EXISTS } from './wire.js';

/** What the rules need to know of a stream, including what is being written to it right now. */
export interface StreamFacts {
  /** The last revision, -1 without an event. */
  readonly last: number;
  readonly tombstoned: boolean;
  readonly softDeleted: boolean;
  readonly hasMetadata: boolean;
  /** The newest revision of this stream that has the id, or -1. */
  revisionOf(id: string): number;
  /** Whether the event at this revision has the id; false for a revision that does not exist. */
  hasIdAt(revision: number, id: string): boolean;
}

export type Decision =
  /** `revives`: the stream was softly deleted and comes back. */
  | { readonly kind: 'write'; readonly revives: boolean }
  /** The same append has been made before; `last` is the revision it ended at. */
  | { readonly kind: 'repeat'; readonly last: number }
  | { readonly kind: 'wrong-version'; readonly current: number }
  | { readonly kind: 'deleted' };

/** Whether an append may happen, has happened already, or must be refused. */
export function decideAppend(stream: StreamFacts, expected: number, ids: readonly string[]): Decision {
  if (stream.tombstoned) return { kind: 'deleted' };
  const wrongVersion: Decision = { kind: 'wrong-version', current: stream.last };
  const write: Decision = { kind: 'write', revives: stream.softDeleted };

  if (expected === STREAM_EXISTS) {
    if (stream.softDeleted) return { kind: 'deleted' };
    if (stream.last < 0 && !stream.hasMetadata) return wrongVersion;
  }
  if (expected === ANY || expected === STREAM_EXISTS) {
    let last = -1;
    for (const [i, id] of ids.entries()) {
      const known = stream.revisionOf(id);
      if (known < 0) return i === 0 ? write : wrongVersion;
      last = known;
    }
    return last < 0 ? write : { kind: 'repeat', last };
  }
  if (expected > stream.last) return wrongVersion;
  if (expected === stream.last) return write;

  for (const [i, id] of ids.entries()) {
    if (stream.hasIdAt(expected + 1 + i, id)) continue;
    return i === 0 && expected === NO_STREAM && stream.softDeleted ? write : wrongVersion;
  }
  return ids.length === 0 ? wrongVersion : { kind: 'repeat', last: expected + ids.length };
}

/**
 * Whether a soft delete or a tombstone may happen.
 *
 * @param tombstone a tombstone may also be set on a stream that never was
 */
export function decideDelete(stream: StreamFacts, expected: number, tombstone: boolean): Decision {
  if (stream.tombstoned) return { kind: 'deleted' };
  if (expected === STREAM_EXISTS && stream.softDeleted) return { kind: 'deleted' };
  const absent = stream.last < 0 && !stream.hasMetadata;
  if (absent && (!tombstone || expected === STREAM_EXISTS)) return { kind: 'wrong-version', current: -1 };
  if (expected >= NO_STREAM && expected !== stream.last && !(expected === NO_STREAM && stream.softDeleted)) {
    return { kind: 'wrong-version', current: stream.last };
  }
  return { kind: 'write', revives: false };
}

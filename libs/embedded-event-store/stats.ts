import type { EventLog } from './event-log.js';
import { fileBytes, isRewritten } from './segments.js';

export interface Stats {
  readonly logId: string;
  /** The position behind the last event. */
  readonly end: number;
  readonly events: number;
  /** Names that have events, metadata or somebody waiting for them. */
  readonly streams: number;
  readonly segments: number;
  readonly rewrittenSegments: number;
  /** Of the segment files. */
  readonly bytes: number;
  /** Of recent events, in memory; never more than `tailCacheLimit`. */
  readonly tailCacheBytes: number;
  readonly tailCacheLimit: number;
  /** Resident memory of the process. */
  readonly memoryBytes: number;
}

export function stats(log: EventLog): Stats {
  const { segments, index } = log;
  const all = segments.list();
  return {
    logId: segments.logId.toString('hex'),
    end: segments.end,
    events: index.count - index.removed,
    streams: index.allStreams().length,
    segments: all.length,
    rewrittenSegments: all.filter(isRewritten).length,
    bytes: all.reduce((sum, segment) => sum + fileBytes(segment), 0),
    ...log.cacheUse,
    memoryBytes: process.memoryUsage.rss(),
  };
}

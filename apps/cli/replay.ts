import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '#database';
import type { LogReader } from '#event-log';
import { subjectStream, type Instant, type Recorded } from '#kernel';
import { Projector, ReadModels, type Digest } from '#read-model';
import {
  WHO_HELD_WHAT_TABLES,
  whoHeldWhat,
  whoHeldWhatProjection,
  type HolderAsOf,
  type WhoHeldWhatRows,
} from '#sharing';
import { followedPrefixes } from '#slice';
import { capabilities } from '../capabilities.js';
import { RowsInMemory } from './rows-in-memory.js';

export interface ReplayedAnswer {
  readonly subject: string;
  readonly asOf: Instant;
  /** As `GET /v1/who-held-what` answers those who may know of every disclosure. */
  readonly rows: readonly HolderAsOf[];
  /** Position of the last event of the person; 0 when there is none. */
  readonly position: number;
}

/**
 * Who held what about a person at a time, from the person's stream alone: no read model is asked, no value opened.
 *
 * @throws UnknownStoredType when the stream holds what no codec names.
 */
export async function replaySubject(log: LogReader, subject: string, at: Instant): Promise<ReplayedAnswer> {
  const held = new RowsInMemory(whoHeldWhatProjection);
  let position = 0;
  for await (const event of log.readStream(subjectStream(subject))) {
    held.apply(event);
    position = event.position;
  }
  const tables = Object.fromEntries(WHO_HELD_WHAT_TABLES.map((table) => [table, held.rows(table)]));
  const rows = whoHeldWhat(tables as unknown as WhoHeldWhatRows, { at, ended: true });
  return { subject, asOf: at, rows, position };
}

const EVENTS_AT_ONCE = 1_000;

/**
 * The digest that the read models must have, from the whole log: they are built anew in the temporary folder, and
 * removed again. Memory is bounded; the disk holds one copy of the read models meanwhile.
 *
 * @param through the last position to take; the end of the log, as it is now, when absent.
 * @throws UnknownStoredType when the engine's streams hold what no codec names.
 */
export async function replayDigest(log: LogReader, through?: number): Promise<Digest> {
  const prefixes = followedPrefixes(capabilities);
  const projections = capabilities.flatMap((each) => each.projections);
  const belongs = (stream: string): boolean => prefixes.some((prefix) => stream.startsWith(prefix));
  const end = through ?? (await log.head());
  const folder = mkdtempSync(join(tmpdir(), 'custos-replay-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const database = openDatabase(`file:${join(folder, 'read-models.db')}`, { name: 'replay' });
  try {
    const projector = new Projector(database, projections);
    let batch: Recorded[] = [];
    for await (const event of log.readAll(end, belongs)) {
      if (batch.push(event) < EVENTS_AT_ONCE) continue;
      projector.apply(batch);
      batch = [];
    }
    projector.apply(batch);
    return new ReadModels(database, projections).digest();
  } finally {
    await database.close();
    process.off('exit', remove);
    remove();
  }
}

import { join } from 'node:path';
import { redact } from '#embedded-event-store';
import { addPeriodToInstant } from '#calendar';
import { LogReader } from '#event-log';
import type { Instant } from '#kernel';
import { KEYSTORE_BACKUP_HORIZON, type ErasureFinalised } from '#retention';
import { followedPrefixes } from '#slice';
import type { DataErased, ReportedValuesErased } from '#subject';
import type { UsageErased } from '#telemetry';
import { capabilities } from '../capabilities.js';
import { BadSetting, type Configuration } from '../configuration.js';
import { clockOf, withLog } from './installation.js';

export interface CiphertextRemoved {
  /** Events whose encrypted values are overwritten now. */
  readonly events: number;
  /** Events that had been overwritten before. */
  readonly before: number;
  /** Events that also hold a value whose erasure is not final: they wait for it. */
  readonly waiting: number;
  readonly bytes: number;
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

/**
 * Overwrites the encrypted values of final erasures in the log, where they stand: every event, its place, its facts and
 * its length stay, so replays and read models are what they were. It can be killed and begun again.
 *
 * @throws BadSetting when the log is on a server.
 */
export async function removeCiphertext(configuration: Configuration): Promise<CiphertextRemoved> {
  if (configuration.eventStore.kind === 'server')
    throw new BadSetting('EVENTSTORE_URL', 'only the embedded event log can overwrite what it holds');
  const prefixes = followedPrefixes(capabilities);
  const belongs = (stream: string): boolean => prefixes.some((prefix) => stream.startsWith(prefix));
  const events = join(configuration.dataDir, 'events');
  // The log's own server overwrites: the one that runs, or the one that serves it for this.
  return withLog(configuration, async (log) => {
    const end = await log.head();
    const { keys, people } = await final(log, end, belongs, clockOf(configuration).now());
    const tally = { events: 0, before: 0, waiting: 0, bytes: 0 };
    if (keys.size + people.size === 0) return tally;
    for await (const event of log.readAll(end, belongs)) {
      const sealed = LogReader.keysIn(event);
      const person = UUID.exec(event.stream)?.[0] ?? '';
      const gone = sealed.filter((key) => people.has(person) || keys.has(key)).length;
      if (gone === 0) continue;
      if (gone < sealed.length) {
        tally.waiting += 1;
        continue;
      }
      const { bytes } = await redact(events, { stream: event.stream, revision: event.revision, seals: true });
      if (bytes > 0) tally.events += 1;
      else tally.before += 1;
      tally.bytes += bytes;
    }
    return tally;
  });
}

/**
 * The keys of erasures that are final, and the people all of whose keys are. Usage and reported values have no statement
 * of their finality: their erasure is final when the backups of its time are gone.
 */
async function final(log: LogReader, end: number, belongs: (stream: string) => boolean, now: Instant) {
  const finalised = new Set<string>();
  const erased: DataErased['data'][] = [];
  const keys = new Set<string>();
  for await (const event of log.readAll(end, belongs)) {
    if (event.type === 'DataErased') erased.push((event as unknown as DataErased).data);
    if (event.type === 'UsageErased') {
      const usage = (event as unknown as UsageErased).data;
      if (usage.keystoreBackupHorizon <= now) usage.keys.forEach((key) => keys.add(key));
    }
    if (event.type === 'ReportedValuesErased' && addPeriodToInstant(event.recordedAt, KEYSTORE_BACKUP_HORIZON) <= now)
      (event as unknown as ReportedValuesErased).data.keyIds.forEach((key) => keys.add(key));
    if (event.type === 'ErasureFinalised') finalised.add((event as unknown as ErasureFinalised).data.erasureId);
  }
  const people = new Set<string>();
  for (const { erasureId, items, everything, subjectId } of erased) {
    if (erasureId === undefined || !finalised.has(erasureId)) continue;
    if (everything) people.add(subjectId);
    items.forEach(({ keyId }) => keys.add(keyId));
  }
  return { keys, people };
}

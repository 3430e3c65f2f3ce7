import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogReader } from '#event-log';
import { codecsOf, SimulatedClock, systemClock, type Clock } from '#slice';
import { capabilities } from '../capabilities.js';
import { BadSetting, type Configuration } from '../configuration.js';
import { startEventLogProcess } from '../standalone/event-log-process.js';
import { RUNTIME_FILE } from '../standalone/standalone.js';

/**
 * Gives the connection string of an installation's log for as long as `use` runs: the server of `EVENTSTORE_URL`;
 * else the event log of the Custos that runs over DATA_DIR; else the stored events themselves, served for the duration.
 *
 * @throws BadSetting when DATA_DIR has no event log. None is made: an empty answer from the wrong folder would lie.
 */
export async function withEventStore<T>(
  { eventStore, dataDir }: Configuration,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const url = eventStore.kind === 'server' ? eventStore.url : urlOfRunning(dataDir);
  if (url !== undefined) return use(url);
  const events = join(dataDir, 'events');
  if (!existsSync(events))
    throw new BadSetting(
      'DATA_DIR',
      'no event log is there; name the folder of an installation, or set EVENTSTORE_URL',
    );
  // Should the server be lost, the reads fail.
  const server = await startEventLogProcess(events, 0, () => undefined);
  try {
    return await use(server.url);
  } finally {
    await server.stop();
  }
}

/** Reads the log of an installation. No key is needed for it. @throws LogUnavailable */
export function withLog<T>(configuration: Configuration, use: (log: LogReader) => Promise<T>): Promise<T> {
  return withEventStore(configuration, async (url) => {
    const log = new LogReader(url, codecsOf(capabilities));
    try {
      // A subscription would wait for a server that is not there.
      await log.head();
      return await use(log);
    } finally {
      await log.close();
    }
  });
}

/**
 * The event log of a Custos that runs over the folder; `undefined` when none runs. One that was killed leaves its file
 * behind.
 */
function urlOfRunning(dataDir: string): string | undefined {
  let running: { readonly pid: number; readonly eventStoreUrl?: string };
  try {
    running = JSON.parse(readFileSync(join(dataDir, RUNTIME_FILE), 'utf8')) as typeof running;
    process.kill(running.pid, 0);
  } catch {
    return undefined;
  }
  if (running.eventStoreUrl === undefined)
    throw new BadSetting('EVENTSTORE_URL', 'the Custos that runs over DATA_DIR uses a server; name it here too');
  return running.eventStoreUrl;
}

/** A simulated clock stands where the settings start it: how far an engine's has moved is not known here. */
export const clockOf = ({ clock }: Configuration): Clock =>
  clock.kind === 'system' ? systemClock : new SimulatedClock(clock.start);

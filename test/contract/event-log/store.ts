import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { it } from '@jest/globals';
import { EventStoreDBClient, jsonEvent, type JSONEventType, type ResolvedEvent } from '@eventstore/db-client';
import { startEmbeddedEventStore } from '../../../libs/embedded-event-store/index.js';

const named = process.env['EVENTSTORE_TEST_URL'];

/** A test of what only the embedded server promises. Of another it is not asked, and the output says so on a line. */
export function embeddedOnly(name: string, test: () => Promise<void>): void {
  if (!named) {
    it(name, test);
    return;
  }
  process.stderr.write(`skipped: ${name}: only the embedded server promises it\n`);
  it.skip(name, test);
}

/** The store under test: the one `EVENTSTORE_TEST_URL` names, or an embedded one in a folder of its own. */
export interface StoreUnderTest {
  readonly url: string;
  readonly client: EventStoreDBClient;
  close(): Promise<void>;
}

/** One per spec file: the client keeps its pending appends in one table per process. */
export async function openStore(): Promise<StoreUnderTest> {
  if (named) {
    const client = EventStoreDBClient.connectionString(named);
    return { url: named, client, close: () => client.dispose() };
  }
  const dir = await mkdtemp(join(tmpdir(), 'event-log-'));
  const store = await startEmbeddedEventStore({ dataDir: dir });
  const client = EventStoreDBClient.connectionString(store.connectionString);
  return {
    url: store.connectionString,
    client,
    close: async () => {
      await client.dispose();
      await store.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

const [username = '', password = ''] = (process.env['EVENTSTORE_TEST_CREDENTIALS'] ?? 'admin:changeit').split(':');

/** The two RPCs behind `appendToStream`: credentials on the call make the client leave BatchAppend for Append. */
export const doors = [
  { rpc: 'BatchAppend', via: {} },
  { rpc: 'Append', via: { credentials: { username, password } } },
] as const;

/** A stream name no other test uses. */
export const streamName = (prefix = 'contract'): string => `${prefix}-${randomUUID()}`;

export type Noted = JSONEventType<string, { n: number }>;

/** Events `Noted` with n = from, from + 1, ... */
export const events = (count: number, from = 0, type = 'Noted') =>
  Array.from({ length: count }, (_, i) => jsonEvent<Noted>({ id: randomUUID(), type, data: { n: from + i } }));

export async function collect(read: AsyncIterable<ResolvedEvent>): Promise<ResolvedEvent[]> {
  const all: ResolvedEvent[] = [];
  for await (const event of read) all.push(event);
  return all;
}

export const revisions = (all: readonly ResolvedEvent[]): number[] => all.map(({ event }) => Number(event?.revision));

/** The error a promise fails with, by its contract fields; fails when it succeeds. */
export async function refusal(promise: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) throw new Error('expected a refusal, got success');
  const fields = error as Record<string, unknown>;
  const known = ['type', 'streamName', 'expectedVersion', 'actualVersion', 'maxAppendSize'];
  return Object.fromEntries(known.filter((key) => fields[key] !== undefined).map((key) => [key, fields[key]]));
}

/** Waits until `check` holds. */
export async function until(check: () => boolean, what: string, timeoutMs = 5000): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!check()) {
    if (Date.now() > end) throw new Error(`still waiting after ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

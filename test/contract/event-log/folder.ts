import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { jest } from '@jest/globals';
import { EventLog, FrameWindow, type WriteOutcome } from '../../../libs/embedded-event-store/event-log.js';
import { ANY } from '../../../libs/embedded-event-store/wire.js';

/** Data folders of one spec file; `remove` when it is done. */
export function scratch() {
  const root = fs.mkdtempSync(join(tmpdir(), 'event-log-'));
  return {
    newDir: (): string => fs.mkdtempSync(join(root, 'log-')),
    remove: (): void => fs.rmSync(root, { recursive: true, force: true }),
  };
}

export const openLog = (dir: string, segmentBytes = 1 << 28, sync: 'loop' | 'threadpool' = 'loop'): Promise<EventLog> =>
  EventLog.open({ dir, segmentBytes, sync });

export async function closeLog(log: EventLog): Promise<void> {
  await log.finishWrites();
  log.close();
}

export interface Told {
  readonly id?: string;
  readonly type?: string;
  readonly contentType?: string;
  readonly data?: Buffer | string;
  readonly metadata?: Buffer;
}

export const append = (log: EventLog, stream: string, told: readonly Told[], expected = ANY): Promise<WriteOutcome> =>
  log.write({
    kind: 'append',
    target: { stream, expected },
    deadline: undefined,
    events: told.map(
      ({
        id = randomUUID(),
        type = 'Noted',
        contentType = 'application/json',
        data = '{"name":"somebody"}',
        metadata = Buffer.alloc(0),
      }) => ({ id, type, contentType, data: Buffer.from(data), metadata }),
    ),
  });

export const setMetadata = (log: EventLog, stream: string, document: object): Promise<WriteOutcome> =>
  append(log, `$$${stream}`, [{ type: '$metadata', data: JSON.stringify(document) }]);

export const removeStream = (log: EventLog, kind: 'delete' | 'tombstone', stream: string): Promise<WriteOutcome> =>
  log.write({ kind, target: { stream, expected: ANY }, deadline: undefined, events: [] });

/** Every frame a reader of $all can get, by position. */
export function content(log: EventLog): Map<number, string> {
  const window = new FrameWindow();
  const all = new Map<number, string>();
  for (let ordinal = 0; ordinal < log.index.count; ordinal++) {
    if (log.index.isRemoved(ordinal)) continue;
    all.set(log.index.position(ordinal), log.frame(ordinal, window).toString('latin1'));
  }
  return all;
}

/** What a reader of a stream can get: revision and frame. */
export function visible(log: EventLog, name: string, now = 0): [number, string][] {
  const stream = log.index.find(name);
  if (!stream || stream.tombstone >= 0) return [];
  const all: [number, string][] = [];
  for (let revision = log.firstVisible(stream, now); revision <= stream.last; revision++) {
    all.push([revision, log.frameOf(stream.events.get(revision)).toString('latin1')]);
  }
  return all;
}

export const segmentsIn = (dir: string): string[] =>
  fs
    .readdirSync(dir)
    .filter((name) => name.endsWith('.log'))
    .sort()
    .map((name) => join(dir, name));

const STEPS = ['writeSync', 'fsyncSync', 'fdatasyncSync', 'renameSync', 'unlinkSync', 'rmSync', 'openSync'] as const;

/**
 * Does something to a folder, and copies the folder before each call that may change the disk: what a process that is
 * killed at that moment leaves behind.
 *
 * @returns the copies, in order, and a last one made afterwards
 */
export async function imagesOf(dir: string, newDir: () => string, action: () => Promise<unknown>): Promise<string[]> {
  const images: string[] = [];
  let copying = false;
  const image = (): void => {
    if (copying) return;
    copying = true;
    const copy = newDir();
    for (const name of fs.readdirSync(dir)) {
      if (name !== 'lock.db' && name !== 'admin.sock') fs.copyFileSync(join(dir, name), join(copy, name));
    }
    images.push(copy);
    copying = false;
  };
  const spies = STEPS.map((step) => {
    const original = fs[step] as (...args: unknown[]) => unknown;
    return jest.spyOn(fs, step).mockImplementation(((...args: unknown[]) => {
      image();
      return original(...args);
    }) as never);
  });
  try {
    await action();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  image();
  return images;
}

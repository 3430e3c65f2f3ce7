import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  CodecRegistry,
  EventLog,
  LogUnavailable,
  PlaintextPersonalData,
  RevisionConflict,
  UnknownStoredType,
  type Envelope,
  type EventCodec,
  type Identified,
  type Subscription,
} from '#event-log';
import { instant, Personal, type KeyRef, type Recorded, type Sealed } from '#kernel';
import { collect, Ground, SERVICE, until } from './ground.js';

const codec: EventCodec = {
  capability: 'note',
  events: { Noted: { stored: 'noted.v1' }, Written: { stored: 'written.v1', personal: ['text'] } },
};
const before: EventCodec = { capability: 'note', events: { Noted: { stored: 'noted.v1' } } };

const envelope = (): Envelope => ({
  commandId: randomUUID(),
  actor: SERVICE,
  occurredAt: instant('2026-11-23T08:00:00Z'),
  recordedAt: instant('2026-11-23T09:00:00Z'),
  fingerprint: 'digest',
});
const noted = (n: number): Identified => ({ type: 'Noted', data: { n }, id: randomUUID() });
const numbers = (events: readonly Recorded[]): unknown[] => events.map(({ data }) => (data as { n: unknown }).n);
/** The client comes back by itself, after a pause of its own. */
const untilAvailable = async (): Promise<void> => {
  for (const deadline = Date.now() + 10_000; !(await log.isAvailable());)
    if (Date.now() > deadline) throw new Error('the log does not answer again');
};
const newStream = (kind = 'note'): string => `${kind}-${randomUUID()}`;

let ground: Ground;
let log: EventLog;

beforeAll(async () => {
  ground = await Ground.open(new CodecRegistry([codec]));
  log = ground.log;
});
afterAll(() => ground.close());

describe('an append', () => {
  it('lands at the revision that was read, and says where', async () => {
    const stream = newStream();
    const first = await log.append(stream, -1, [noted(0), noted(1)], envelope());
    const second = await log.append(stream, 1, [noted(2)], envelope());
    expect(first.revision).toBe(1);
    expect(second.revision).toBe(2);
    expect(second.position).toBeGreaterThan(first.position);
    const events = await collect(log.readStream(stream));
    expect(numbers(events)).toEqual([0, 1, 2]);
    expect(events.map(({ revision }) => revision)).toEqual([0, 1, 2]);
    expect(events[1]?.position).toBe(first.position);
    expect(events[2]?.position).toBe(second.position);
    expect(numbers(await collect(log.readStream(stream, 2)))).toEqual([2]);
    expect(await log.head()).toBe(second.position);
  });

  it.each([
    ['behind', 0],
    ['ahead', 5],
    ['at a stream that exists as if it did not', -1],
  ])('at a revision that is %s changes nothing', async (_name, expected) => {
    const stream = newStream();
    await log.append(stream, -1, [noted(0), noted(1)], envelope());
    await expect(log.append(stream, expected, [noted(2)], envelope())).rejects.toThrow(RevisionConflict);
    expect(numbers(await collect(log.readStream(stream)))).toEqual([0, 1]);
  });

  it.each([-1, 0, 'any'] as const)('repeated with the same ids (expecting %s) is answered alike', async (expected) => {
    const stream = newStream();
    if (expected === 0) await log.append(stream, -1, [noted(0)], envelope());
    const events = [noted(1), noted(2)];
    const around = envelope();
    const once = await log.append(stream, expected, events, around);
    expect(await log.append(stream, expected, events, around)).toEqual(once);
    expect(await collect(log.readStream(stream, once.revision - 1))).toMatchObject(once.events);
    await expect(log.append(stream, expected, [...events, noted(3)], envelope())).rejects.toThrow(RevisionConflict);
    expect(numbers(await collect(log.readStream(stream)))).toEqual(expected === 0 ? [0, 1, 2] : [1, 2]);
  });

  it('of one event by 32 writers happens once; the others are told to read again', async () => {
    const stream = newStream();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 32 }, (_, n) => log.append(stream, -1, [noted(n)], envelope())),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(RevisionConflict);
    expect(await collect(log.readStream(stream))).toHaveLength(1);
  });

  it.each(['Subject-1', 'subject', 'subject-', 'subject-Ä', '$all', 'subject-1\n', `subject-${'x'.repeat(201)}`])(
    'never reaches a stream named %j',
    async (stream) => {
      await expect(log.append(stream, 'any', [noted(1)], envelope())).rejects.toThrow(RangeError);
    },
  );

  it('of nothing is a mistake', async () =>
    expect(log.append(newStream(), 'any', [], envelope())).rejects.toThrow('nothing to append'));
});

describe('a personal value', () => {
  const VALUE = 'Asha Ó Briain, 7 Harbour Row';
  const key = (): KeyRef => ({ subjectId: randomUUID(), keyId: randomUUID() });
  const written = (text: unknown): Identified => ({ type: 'Written', data: { text }, id: randomUUID() });

  it('is read back sealed, and opens', async () => {
    const stream = newStream();
    await log.append(stream, -1, [written(new Personal(VALUE, key()))], envelope());
    const [event] = await collect(log.readStream(stream));
    const { text } = event?.data as { text: Sealed<string> };
    expect(text).toMatchObject({ kind: 'sealed', binding: { eventId: event?.id, type: 'written.v1', stream } });
    expect(await ground.vault.open([text])).toEqual([{ kind: 'opened', value: VALUE }]);
  });

  it('stands nowhere on the disk', async () => {
    const marker = `marker${randomUUID()}`;
    await log.append(newStream(), -1, [noted(1), written(new Personal(marker, key()))], {
      ...envelope(),
      fingerprint: 'a-fingerprint-that-is-found',
    });
    expect(ground.bytes().includes('a-fingerprint-that-is-found')).toBe(true);
    for (const spelling of [marker, Buffer.from(marker).toString('base64').slice(2, 40), encodeURI(marker)])
      expect(ground.bytes().includes(spelling)).toBe(false);
  });

  it('in the clear, or where none is declared, is not appended, and leaves no stream', async () => {
    const stream = newStream();
    await expect(log.append(stream, -1, [written(VALUE)], envelope())).rejects.toThrow(PlaintextPersonalData);
    const undeclared: Identified = { type: 'Noted', data: { n: new Personal(VALUE, key()) }, id: randomUUID() };
    await expect(log.append(stream, -1, [noted(1), undeclared], envelope())).rejects.toThrow(
      'noted.v1: the field n is personal',
    );
    expect(await collect(log.readStream(stream))).toEqual([]);
  });

  it('leaves a key that no sweep takes once its event is stored', async () => {
    const stored = key();
    await log.append(newStream(), -1, [written(new Personal(VALUE, stored))], envelope());
    const lost = key();
    await ground.vault.ensureKeys([lost]);
    const asked: string[] = [];
    ground.clock.advanceTo(instant('2026-11-24T09:00:00Z'));
    await ground.vault.sweep(instant('2026-11-23T10:00:00Z'), (refs) => {
      asked.push(...refs.map(({ keyId }) => keyId));
      return Promise.resolve(new Set<string>());
    });
    expect(asked).toContain(lost.keyId);
    expect(asked).not.toContain(stored.keyId);
    expect(await ground.vault.liveKeys([stored.keyId, lost.keyId])).toEqual([stored.keyId]);
  });
});

describe('a reader of everything', () => {
  it('stops at the position it was given, and sees the streams that belong', async () => {
    const [mine, other] = [newStream('mine'), newStream('other')];
    await log.append(mine, -1, [noted(1)], envelope());
    await log.append(other, -1, [noted(2)], envelope());
    const { position } = await log.append(mine, 0, [noted(3)], envelope());
    await log.append(mine, 1, [noted(4)], envelope());
    const events = await collect(log.readAll(position, (stream) => stream === mine));
    expect(numbers(events)).toEqual([1, 3]);
  });
});

describe('a follower', () => {
  /** Follows one kind of stream, from the start, and remembers everything. */
  function following(kind: string, options: { batch?: number; fail?: (n: unknown) => boolean } = {}) {
    const seen: unknown[] = [];
    const batches: number[] = [];
    const stopped: Error[] = [];
    let position = 0;
    let caughtUp = 0;
    const subscription: Subscription = ground.log.follow([`${kind}-`], {
      from: () => position,
      handle: async (events) => {
        await Promise.resolve();
        if (numbers(events).some((n) => options.fail?.(n))) throw new Error('cannot be folded');
        seen.push(...numbers(events));
        batches.push(events.length);
        position = events.at(-1)?.position ?? position;
      },
      onCaughtUp: () => (caughtUp += 1),
      onStopped: (error) => stopped.push(error),
      ...(options.batch !== undefined && { batch: options.batch }),
    });
    return {
      seen,
      batches,
      stopped,
      subscription,
      caughtUp: () => caughtUp,
      position: () => position,
    };
  }
  const fill = async (stream: string, from: number, count: number): Promise<void> => {
    for (let n = from; n < from + count; n += 50)
      await log.append(
        stream,
        n - 1,
        Array.from({ length: Math.min(50, from + count - n) }, (_, i) => noted(n + i)),
        envelope(),
      );
  };
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

  it('takes what was stored, says so, then takes what is new', async () => {
    await fill('past-1', 0, 120);
    await log.append(newStream('present'), -1, [noted(-1)], envelope());
    const follower = following('past');
    await until(() => follower.caughtUp() === 1, 'caught up');
    expect(follower.seen).toEqual(upTo(120));
    await fill('past-1', 120, 3);
    await until(() => follower.seen.length === 123, 'live events');
    expect(follower.seen).toEqual(upTo(123));
    await follower.subscription.stop();
    await fill('past-1', 123, 1);
    expect(follower.seen).toHaveLength(123);
    expect(follower.stopped).toEqual([]);
  });

  it('has caught up with nothing at once', async () => {
    const follower = following('silence');
    await until(() => follower.caughtUp() === 1, 'caught up');
    await follower.subscription.stop();
  });

  it('gets batches no larger than it asked for', async () => {
    await fill('lot-1', 0, 500);
    const follower = following('lot', { batch: 64 });
    await until(() => follower.caughtUp() === 1, 'caught up');
    expect(follower.seen).toEqual(upTo(500));
    expect(Math.max(...follower.batches)).toBeLessThanOrEqual(64);
    await follower.subscription.stop();
  });

  it('goes on where it stood after the event store went away and came back', async () => {
    await fill('outage-1', 0, 200);
    const follower = following('outage', { batch: 7 });
    await until(() => follower.seen.length > 0, 'the first batch');
    await ground.stopServer();
    await ground.startServer();
    await untilAvailable();
    await fill('outage-1', 200, 20);
    await until(() => follower.seen.length >= 220, 'everything');
    expect(follower.seen).toEqual(upTo(220));
    expect(follower.stopped).toEqual([]);
    await follower.subscription.stop();
  });

  it('stops for good when its handler fails, and leaves its position alone', async () => {
    await fill('poison-1', 0, 20);
    const follower = following('poison', { batch: 5, fail: (n) => n === 12 });
    await until(() => follower.stopped.length > 0, 'the end');
    expect(follower.stopped.map(({ message }) => message)).toEqual(['cannot be folded']);
    const folded = follower.seen.length;
    expect(folded).toBeLessThanOrEqual(12);
    expect(follower.seen).toEqual(upTo(folded));
    await fill('poison-1', 20, 1);
    await follower.subscription.stop();
    expect(follower.seen).toHaveLength(folded);
  });

  it('stops for good at a stored type that no codec knows, naming the codec to extend', async () => {
    await log.append('riddle-1', -1, [noted(1)], envelope());
    await log.append('riddle-1', 0, [{ type: 'Written', data: {}, id: randomUUID() }], envelope());
    await log.append('riddle-1', 1, [noted(3)], envelope());
    log = await ground.reopen(new CodecRegistry([before]));
    const follower = following('riddle');
    await until(() => follower.stopped.length > 0, 'the end');
    expect(follower.stopped[0]).toBeInstanceOf(UnknownStoredType);
    expect(follower.stopped[0]?.message).toContain("'written.v1' in stream 'riddle-1'");
    expect(follower.seen.filter((n) => n !== 1)).toEqual([]);
    await expect(collect(log.readStream('riddle-1'))).rejects.toThrow(UnknownStoredType);
    await follower.subscription.stop();
    log = await ground.reopen(new CodecRegistry([codec]));
  });
});

describe('a log without its event store', () => {
  it('says that it does not answer, ends, and answers again when the store is back', async () => {
    const stream = newStream();
    await log.append(stream, -1, [noted(0)], envelope());
    await ground.stopServer();
    const event = noted(1);
    const mine = envelope();
    await expect(log.append(stream, 0, [event], mine)).rejects.toThrow(LogUnavailable);
    await expect(collect(log.readStream(stream))).rejects.toThrow(LogUnavailable);
    await expect(log.head()).rejects.toThrow(LogUnavailable);
    expect(await log.isAvailable()).toBe(false);
    const follower = log.follow(['note-'], { from: () => 0, handle: () => undefined, onStopped: () => undefined });
    await follower.stop();
    await ground.startServer();
    await untilAvailable();
    expect(await log.append(stream, 0, [event], mine)).toMatchObject({ revision: 1 });
  });

  it('leaves no append without an answer, whenever its store goes', async () => {
    for (let round = 0; round < 6; round += 1) {
      const streams = Array.from({ length: 40 }, () => newStream('inflight'));
      const appends = streams.map(async (stream, n) => {
        await new Promise((resolve) => setTimeout(resolve, n / 4));
        const event = noted(n);
        const outcome = await log.append(stream, -1, [event], envelope()).catch((error: unknown) => error);
        return { stream, event, outcome };
      });
      await new Promise((resolve) => setTimeout(resolve, 1 + round * 2));
      await ground.stopServer();
      const settled = await Promise.all(appends);
      await ground.startServer();
      await untilAvailable();
      for (const { stream, event, outcome } of settled) {
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(LogUnavailable);
        expect(await log.append(stream, -1, [event], envelope())).toMatchObject({ revision: 0 });
        expect(await collect(log.readStream(stream))).toHaveLength(1);
      }
    }
  });

  it('survives readers that had turned away before its store went', async () => {
    const stream = newStream('long');
    for (let n = 0; n < 4_000; n += 500)
      await log.append(
        stream,
        n - 1,
        Array.from({ length: 500 }, (_, i) => noted(n + i)),
        envelope(),
      );
    const surprises: unknown[] = [];
    const surprise = (error: unknown): unknown => surprises.push(error);
    process.on('uncaughtException', surprise);
    for await (const event of log.readStream(stream)) if (event.revision === 3) break;
    for await (const event of log.readAll(Number.MAX_SAFE_INTEGER, () => true)) if (event.revision === 0) break;
    await ground.stopServer();
    await ground.startServer();
    await new Promise((resolve) => setTimeout(resolve, 100));
    process.off('uncaughtException', surprise);
    expect(surprises).toEqual([]);
    await untilAvailable();
  });
});

describe('a second log in one process', () => {
  it('is refused: the client keeps one table of pending appends for all', () => {
    expect(() => new EventLog(ground.url, log.registry, ground.vault)).toThrow('already has an open event log');
  });

  it('is refused also after the first was closed twice and opened again', async () => {
    await log.close();
    await log.close();
    log = await ground.reopen(new CodecRegistry([codec]));
    expect(() => new EventLog(ground.url, log.registry, ground.vault)).toThrow('already has an open event log');
    expect(await log.isAvailable()).toBe(true);
  });
});

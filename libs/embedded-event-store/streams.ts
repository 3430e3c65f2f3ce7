import { accessDenied, everything, type Operation, type Permits } from './acl.js';
import type { EventLog, Write, WriteOutcome } from './event-log.js';
import { CallFailed, Code, type Call, type CallHandler, type Status } from './grpc.js';
import {
  MalformedMessage,
  decodeAppend,
  decodeBatchAppend,
  decodeDelete,
  encodeAppendSuccess,
  encodeAppendWrongVersion,
  encodeBatchFailure,
  encodeBatchSuccess,
  encodeDeleteResponse,
  type BatchFailure,
  type ProposedEvent,
  type WriteTarget,
} from './wire.js';

/** Data bytes of one append, all events together; metadata and types do not count. */
export const MAX_APPEND_BYTES = 1024 * 1024;
/** What unfinished appends of one call may take in memory, metadata, names and types included. */
const MAX_COLLECTED_BYTES = 64 * 1024 * 1024;
/** A batch-append call with more than this waiting for the disk is not read any further. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

const invalid = (message: string): CallFailed => new CallFailed({ code: Code.INVALID_ARGUMENT, message });

/** @throws CallFailed with INVALID_ARGUMENT */
export function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw error instanceof MalformedMessage ? invalid(error.message) : error;
  }
}

export const streamDeleted = (stream: string): Status => ({
  code: Code.FAILED_PRECONDITION,
  message: `the stream '${stream}' is deleted`,
  trailers: { exception: 'stream-deleted', 'stream-name': stream },
});

/** @throws CallFailed when the caller may not do this to the stream */
export function ensure(permits: Permits, call: Call, operation: Operation, stream: string): void {
  if (!permits(call.user, operation, stream)) throw new CallFailed(accessDenied);
}

const appendTooLarge: Status = {
  code: Code.INVALID_ARGUMENT,
  message: `the append exceeds the maximum of ${MAX_APPEND_BYTES} bytes`,
  trailers: { exception: 'maximum-append-size-exceeded', 'maximum-append-size': String(MAX_APPEND_BYTES) },
};

/** The status of an outcome other than `written`. */
function failure(target: WriteTarget, outcome: Exclude<WriteOutcome, { kind: 'written' }>): Status {
  switch (outcome.kind) {
    case 'deleted':
      return streamDeleted(target.stream);
    case 'wrong-version':
      return {
        code: Code.FAILED_PRECONDITION,
        message: `the stream '${target.stream}' is at revision ${outcome.current}, expected was ${target.expected}`,
        trailers: {
          exception: 'wrong-expected-version',
          'stream-name': target.stream,
          'expected-version': String(target.expected),
          'actual-version': String(outcome.current),
        },
      };
    case 'timeout':
      return { code: Code.DEADLINE_EXCEEDED, message: 'the deadline has passed' };
    case 'too-large':
      return appendTooLarge;
    case 'stopping':
      return { code: Code.UNAVAILABLE, message: 'the event store is stopping' };
    case 'failed':
      return { code: outcome.full ? Code.RESOURCE_EXHAUSTED : Code.INTERNAL, message: outcome.message };
  }
}

// -------------------------------------------------------------------------------------------- Append

export const append =
  (log: EventLog, permits: Permits = everything) =>
  (call: Call): CallHandler => {
    let target: WriteTarget | undefined;
    let bytes = 0;
    let received = 0;
    const events: ProposedEvent[] = [];
    return {
      message(body) {
        received += body.length;
        if (received > MAX_COLLECTED_BYTES) throw new CallFailed(appendTooLarge);
        const request = decoded(() => decodeAppend(body));
        if (request.kind === 'options') {
          if (target) throw invalid('an append has its options twice');
          if (request.target.stream === '') throw invalid('an append names no stream');
          ensure(permits, call, 'write', request.target.stream);
          target = request.target;
          return;
        }
        if (!target) throw invalid('an append begins with its options');
        const { type, contentType, data } = request.event;
        if (type === undefined || contentType === undefined) {
          throw new CallFailed({
            code: Code.INVALID_ARGUMENT,
            message: 'an event has no type or no content type',
            trailers: {
              exception: 'missing-required-metadata-property',
              'required-metadata-properties': 'type,content-type',
            },
          });
        }
        if (type === '') throw invalid('an event has an empty type');
        bytes += data.length;
        if (bytes > MAX_APPEND_BYTES) throw new CallFailed(appendTooLarge);
        events.push(request.event);
      },
      halfClosed() {
        if (!target) throw invalid('an append begins with its options');
        const { expected } = target;
        write(log, call, { kind: 'append', target, events, deadline: call.deadline }, (outcome) => {
          if (outcome.kind === 'written') return encodeAppendSuccess(outcome.revision, outcome.position);
          return outcome.kind === 'wrong-version' ? encodeAppendWrongVersion(outcome.current, expected) : undefined;
        });
      },
    };
  };

/** Answers with what `encode` makes of the outcome, or with an error status when it makes nothing. */
function write(log: EventLog, call: Call, request: Write, encode: (outcome: WriteOutcome) => Buffer | undefined): void {
  log.enqueue(request, (outcome) => {
    const answer = encode(outcome);
    if (answer) {
      call.send(answer);
      call.end();
    } else if (outcome.kind !== 'written') {
      call.end(failure(request.target, outcome));
    }
  });
}

// -------------------------------------------------------------------------------------------- Delete, Tombstone

export const remove =
  (log: EventLog, kind: 'delete' | 'tombstone', permits: Permits = everything) =>
  (call: Call): CallHandler => ({
    message(body) {
      const target = decoded(() => decodeDelete(body));
      if (target.stream === '') throw invalid('a delete names no stream');
      ensure(permits, call, 'delete', target.stream);
      write(log, call, { kind, target, events: [], deadline: call.deadline }, (outcome) =>
        outcome.kind === 'written' && outcome.position !== undefined
          ? encodeDeleteResponse(outcome.position)
          : undefined,
      );
    },
  });

// -------------------------------------------------------------------------------------------- BatchAppend

interface Collected {
  readonly target: WriteTarget;
  readonly deadline: number | undefined;
  readonly events: ProposedEvent[];
  /** Of data. */
  bytes: number;
  /** Of all messages. */
  received: number;
  timer: NodeJS.Timeout | undefined;
}

const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Many appends over one call, each in one or more chunks. Every correlation id is answered exactly once: a second
 * answer kills the client's process. An id that was answered before its last chunk came is remembered until then.
 */
class BatchAppendCall implements CallHandler {
  private readonly collecting = new Map<string, Collected>();
  private readonly answeredEarly = new Set<string>();
  private waiting = 0;
  private waitingBytes = 0;
  private collectedBytes = 0;
  private paused = false;
  private full = false;
  private halfClosedByClient = false;

  constructor(
    private readonly log: EventLog,
    private readonly call: Call,
    private readonly permits: Permits,
  ) {}

  message(body: Buffer): void {
    const now = Date.now();
    const request = decoded(() => decodeBatchAppend(body, now));
    const { correlationId: id, isFinal } = request;
    if (this.answeredEarly.has(id)) {
      if (isFinal) this.answeredEarly.delete(id);
      return;
    }
    let collected = this.collecting.get(id);
    if (!collected) {
      if (!request.target) throw invalid('a batch append begins with its options');
      collected = {
        target: request.target,
        deadline: request.deadline,
        events: [],
        bytes: 0,
        received: 0,
        timer: undefined,
      };
      this.collecting.set(id, collected);
    }
    collected.received += body.length;
    this.collectedBytes += body.length;
    if (this.collectedBytes > MAX_COLLECTED_BYTES) {
      throw new CallFailed({ code: Code.RESOURCE_EXHAUSTED, message: 'too much is waiting for its last chunk' });
    }
    const problem = this.collect(collected, request.events);
    if (problem) {
      this.refuse(id, collected, problem, isFinal);
    } else if (isFinal) {
      this.forget(id, collected);
      this.submit(id, collected);
    } else {
      this.expire(id, collected, now);
    }
  }

  halfClosed(): void {
    this.halfClosedByClient = true;
    this.endWhenDone();
  }

  drained(): void {
    this.full = false;
    this.resumeWhenReady();
  }

  closed(): void {
    for (const { timer } of this.collecting.values()) clearTimeout(timer);
    this.collecting.clear();
  }

  private collect(collected: Collected, events: readonly ProposedEvent[]): BatchFailure | undefined {
    if (collected.target.stream === '') return { kind: 'bad-request', message: 'an append names no stream' };
    if (!this.permits(this.call.user, 'write', collected.target.stream)) return { kind: 'access-denied' };
    for (const event of events) {
      if (!event.type || event.contentType === undefined) {
        return { kind: 'bad-request', message: 'an event has no type or no content type' };
      }
      collected.bytes += event.data.length;
      if (collected.bytes > MAX_APPEND_BYTES) return { kind: 'too-large', limit: MAX_APPEND_BYTES };
      collected.events.push(event);
    }
    return undefined;
  }

  /** Answers an append with a timeout when its deadline comes before its last chunk. */
  private expire(id: string, collected: Collected, now: number): void {
    if (collected.timer || collected.deadline === undefined) return;
    const wait = Math.min(Math.max(collected.deadline - now, 0), MAX_TIMER_MS);
    collected.timer = setTimeout(() => this.refuse(id, collected, { kind: 'timeout' }, false), wait);
  }

  private refuse(id: string, collected: Collected, failure: BatchFailure, isFinal: boolean): void {
    this.forget(id, collected);
    if (!isFinal) this.answeredEarly.add(id);
    this.answer(encodeBatchFailure(id, collected.target.stream, failure));
    this.endWhenDone();
  }

  private forget(id: string, collected: Collected): void {
    clearTimeout(collected.timer);
    this.collectedBytes -= collected.received;
    this.collecting.delete(id);
  }

  private submit(id: string, { target, events, deadline, received: bytes }: Collected): void {
    this.waiting++;
    this.waitingBytes += bytes;
    if (this.waitingBytes > MAX_WAITING_BYTES) this.pause();
    this.log.enqueue({ kind: 'append', target, events, deadline }, (outcome) => {
      this.waiting--;
      this.waitingBytes -= bytes;
      this.settle(id, target, outcome);
      this.resumeWhenReady();
      this.endWhenDone();
    });
  }

  private settle(id: string, target: WriteTarget, outcome: WriteOutcome): void {
    switch (outcome.kind) {
      case 'written':
        return this.answer(encodeBatchSuccess(id, target.stream, outcome.revision, outcome.position));
      case 'wrong-version':
        return this.answer(
          encodeBatchFailure(id, target.stream, {
            kind: 'wrong-version',
            current: outcome.current,
            expected: target.expected,
          }),
        );
      case 'deleted':
      case 'timeout':
        return this.answer(encodeBatchFailure(id, target.stream, { kind: outcome.kind }));
      case 'too-large':
        return this.answer(encodeBatchFailure(id, target.stream, { kind: 'too-large', limit: MAX_APPEND_BYTES }));
      case 'stopping':
        // Ending the call rejects everything the client still waits for, once.
        return this.call.end({ code: Code.UNAVAILABLE, message: 'the event store is stopping' });
      case 'failed':
        return this.answer(encodeBatchFailure(id, target.stream, { kind: 'failed', message: outcome.message }));
    }
  }

  private answer(message: Buffer): void {
    if (!this.call.send(message) && !this.call.isOver) {
      this.full = true;
      this.pause();
    }
  }

  private pause(): void {
    if (!this.paused) this.call.pause();
    this.paused = true;
  }

  private resumeWhenReady(): void {
    if (!this.paused || this.full || this.waitingBytes > MAX_WAITING_BYTES / 2) return;
    this.paused = false;
    this.call.resume();
  }

  private endWhenDone(): void {
    if (this.halfClosedByClient && this.waiting === 0 && this.collecting.size === 0) this.call.end();
  }
}

export const batchAppend =
  (log: EventLog, permits: Permits = everything) =>
  (call: Call): CallHandler =>
    new BatchAppendCall(log, call, permits);

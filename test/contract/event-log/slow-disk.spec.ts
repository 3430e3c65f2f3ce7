import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { EventLog, WriteOutcome } from '../../../libs/embedded-event-store/event-log.js';
import type { Call } from '../../../libs/embedded-event-store/grpc.js';
import { batchAppend } from '../../../libs/embedded-event-store/streams.js';
import { chunk } from './rpc.js';

/** A batch-append call over a disk that answers when it is told to. */
function slowDisk() {
  const waiting: ((outcome: WriteOutcome) => void)[] = [];
  const flow: string[] = [];
  const answers: Buffer[] = [];
  const log = { enqueue: (_write: unknown, settle: (outcome: WriteOutcome) => void) => waiting.push(settle) };
  const call = {
    isOver: false,
    send: (message: Buffer) => answers.push(message) > 0,
    pause: () => flow.push('pause'),
    resume: () => flow.push('resume'),
    end: () => flow.push('end'),
  };
  const handler = batchAppend(log as unknown as EventLog)(call as unknown as Call);
  const data = new Uint8Array(1_000_000);
  const append = (isFinal = true): void => {
    const events = [{ id: randomUUID(), type: 'T', data }];
    const message = chunk({ correlationId: randomUUID(), stream: 's', events, isFinal });
    handler.message(Buffer.from(message.serializeBinary()));
  };
  const settle = (): void => waiting.shift()?.({ kind: 'written', revision: 0, position: 73 });
  return { append, settle, waiting, flow, answers };
}

describe('a batch append over a slow disk', () => {
  it('stops taking messages when much is waiting, and takes more when half of it is done', () => {
    const { append, settle, waiting, flow, answers } = slowDisk();
    for (let i = 0; i < 16; i++) append();
    expect(flow).toEqual([]);
    append();
    expect(flow).toEqual(['pause']);
    while (flow.length === 1) settle();
    expect(flow).toEqual(['pause', 'resume']);
    expect(waiting).toHaveLength(8);
    expect(answers).toHaveLength(9);
  });

  it('refuses to collect ever more unfinished appends', () => {
    const { append } = slowDisk();
    expect(() => {
      for (let i = 0; i < 100; i++) append(false);
    }).toThrow('too much is waiting for its last chunk');
  });
});

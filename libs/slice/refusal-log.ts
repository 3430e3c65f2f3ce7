import type { EventCodec } from '#event-log';
import type { Refusal, RefusalCode } from '#kernel';
import { insertIfAbsent, uuidV5, type Projection, type Recorded, type RowChange } from '#kernel';

/** A command was refused. Names and ids only: never the payload. */
export interface CommandRefused {
  readonly type: 'CommandRefused';
  readonly data: {
    readonly commandType: string;
    readonly code: RefusalCode;
    readonly clauses: readonly string[];
    readonly legalRef: string;
    readonly details: Refusal['details'];
    /** The stream the command was about. */
    readonly streamRef: string;
    readonly caseRef?: string;
  };
}

export const refusalCodec: EventCodec<CommandRefused> = {
  capability: 'refusal',
  events: { CommandRefused: { stored: 'command-refused.v1' } },
};

export const REFUSAL_STREAM_PREFIX = 'refusal-';

/** Every refusal, newest last, by what it was about: the evidence that the rules work. */
export const refusalsProjection: Projection<CommandRefused> = {
  name: 'refusals',
  version: 1,
  tables: {
    refusals: {
      columns: {
        refusal_id: 'text',
        command_id: 'text',
        command_type: 'text',
        code: 'text',
        clauses: 'text',
        legal_ref: 'text',
        details: 'text',
        stream_ref: 'text',
        actor_id: 'text',
        occurred_at: 'text',
        recorded_at: 'text',
        position: 'integer',
      },
      key: ['refusal_id'],
      indexes: [['stream_ref', 'position'], ['code', 'position'], ['position']],
      history: true,
    },
  },
  handles: {
    // Two engines may record one refusal on both sides of midnight: in two streams, under one id.
    CommandRefused: (event) => [
      insertIfAbsent('refusals', {
        refusal_id: event.id,
        command_id: event.commandId,
        command_type: event.data.commandType,
        code: event.data.code,
        clauses: event.data.clauses.join(' '),
        legal_ref: event.data.legalRef,
        details: JSON.stringify(event.data.details),
        stream_ref: event.data.streamRef,
        actor_id: event.actorId,
        occurred_at: event.occurredAt,
        recorded_at: event.recordedAt,
        position: event.position,
      }),
    ],
  },
};

/** The id of the n-th event that a command records. */
export const eventId = (commandId: string, index: number): string => uuidV5(commandId, `event ${index}`);

/**
 * The id under which a command's refusal is recorded; a reused id is told apart by what it was reused for, and on
 * which day, because refusals of another day stand in another stream.
 */
export const refusalEventId = (commandId: string, reusedFor?: string): string =>
  uuidV5(commandId, reusedFor === undefined ? 'refused' : `reused ${reusedFor}`);

/**
 * One row per command that was answered, so that a command id stands for one command for ever, whatever stream it
 * was about.
 */
export const commandLedgerProjection: Projection<never> & { every(event: Recorded): readonly RowChange[] } = {
  name: 'command-ledger',
  version: 1,
  tables: {
    commands: {
      columns: {
        command_id: 'text',
        stream: 'text',
        fingerprint: 'text',
        answer_event: 'text',
        revision: 'integer',
        position: 'integer',
      },
      key: ['command_id'],
    },
  },
  handles: {},
  every: (event) =>
    event.id === eventId(event.commandId, 0) || event.id === refusalEventId(event.commandId)
      ? [
          insertIfAbsent('commands', {
            command_id: event.commandId,
            stream: event.stream,
            fingerprint: event.fingerprint,
            answer_event: event.id,
            revision: event.revision,
            position: event.position,
          }),
        ]
      : [],
};

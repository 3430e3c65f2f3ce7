import type { DomainEvent } from './decider.js';
import type { Instant } from './instant.js';

/** An event as it was read from the log. */
export type Recorded<E extends DomainEvent = DomainEvent> = E & {
  readonly id: string;
  readonly stream: string;
  /** Place in its stream, from 0. */
  readonly revision: number;
  /** Place in the log: rises over all streams, never reused. Comes from the log, never computed. */
  readonly position: number;
  /** When it happened: legal clocks run from here. */
  readonly occurredAt: Instant;
  /** When the engine wrote it: integrity rests here. */
  readonly recordedAt: Instant;
  readonly commandId: string;
  readonly actorId: string;
  /** Keyed digest of the command that caused it; tells a repeat from another command under the same id. */
  readonly fingerprint: string;
  /** The versioned name it was stored under, before any upcast. */
  readonly storedType: string;
};

/** The stream of everything decided about one person: the consistency boundary. */
export const subjectStream = (subjectId: string): string => `subject-${subjectId}`;

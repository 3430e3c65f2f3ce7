import type { DomainEvent, Instant, Recorded, Register } from '#kernel';
import {
  collectionPointRegister,
  purposeRegister,
  type CollectionPointRegisterState,
  type PurposeRegisterState,
} from '#purpose';
import {
  agreementRegister,
  recipientRegister,
  type AgreementRegisterState,
  type RecipientRegisterState,
} from '#sharing';
import { controllerRegister, type ControllerRegisterState } from './data-controller.register.js';

/** A row of `register_facts`. */
export interface RegisterFactRow {
  readonly position: number;
  readonly event_id: string;
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly data: string;
  readonly occurred_at: string;
  readonly recorded_at: string;
}

/** The registers as some of their events made them. */
export interface KnownRegisters {
  readonly controllers: ControllerRegisterState;
  readonly purposes: PurposeRegisterState;
  readonly points: CollectionPointRegisterState;
  readonly recipients: RecipientRegisterState;
  readonly agreements: AgreementRegisterState;
  /** What they were folded from, in the order of the log. */
  readonly events: readonly Recorded[];
}

/** Folds the registers by their own rules. @param rows in any order. */
export function registersFrom(rows: readonly RegisterFactRow[]): KnownRegisters {
  const events = rows.map(recorded).sort((a, b) => a.position - b.position);
  const fold = <E extends DomainEvent, S>(register: Register<E, S>): S =>
    events
      .filter(({ type }) => type in register.folds)
      .reduce((state, event) => register.evolve(state, event as Recorded<E>), register.initialState);
  return {
    controllers: fold(controllerRegister),
    purposes: fold(purposeRegister),
    points: fold(collectionPointRegister),
    recipients: fold(recipientRegister),
    agreements: fold(agreementRegister),
    events,
  };
}

function recorded(row: RegisterFactRow): Recorded {
  return {
    type: row.type,
    data: JSON.parse(row.data) as object,
    id: row.event_id,
    stream: row.stream,
    revision: row.revision,
    position: row.position,
    occurredAt: row.occurred_at as Instant,
    recordedAt: row.recorded_at as Instant,
    commandId: '',
    actorId: '',
    fingerprint: '',
    storedType: '',
  };
}

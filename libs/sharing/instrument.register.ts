import { londonDate } from '#calendar';
import type { Instant, Register } from '#kernel';
import type { InstrumentEvent, StatutoryInstrumentRecorded } from './instrument.events.js';

/** An instrument as it was recorded, and when it ceased to compel. */
export interface Instrument {
  readonly recorded: StatutoryInstrumentRecorded['data'];
  readonly withdrawnAt?: Instant;
  readonly answeredAt?: Instant;
}

/** By instrument id. */
export type InstrumentRegisterState = ReadonlyMap<string, Instrument>;

export function evolveInstrument(
  instrument: Instrument | undefined,
  event: InstrumentEvent,
  at: Instant,
): Instrument | undefined {
  switch (event.type) {
    case 'StatutoryInstrumentRecorded':
      return { recorded: event.data };
    case 'InstrumentWithdrawn':
      return instrument && { ...instrument, withdrawnAt: at };
    case 'InstrumentAnswered':
      return instrument && { ...instrument, answeredAt: at };
  }
}

export const instrumentRegister: Register<InstrumentEvent, InstrumentRegisterState> = {
  name: 'instruments',
  streamPrefix: 'instrument-',
  initialState: new Map(),
  folds: { StatutoryInstrumentRecorded: true, InstrumentWithdrawn: true, InstrumentAnswered: true },
  evolve(state, event) {
    const { instrumentId } = event.data;
    const instrument = evolveInstrument(state.get(instrumentId), event, event.occurredAt);
    return instrument ? new Map(state).set(instrumentId, instrument) : state;
  },
};

/**
 * Why the instrument compels nothing at that moment; `undefined` while it does: from the day it was issued to its
 * last day in London, both included, unless it was withdrawn or answered before (I-19d).
 */
export function notInForce(
  { recorded, withdrawnAt, answeredAt }: Instrument,
  at: Instant,
): 'notIssued' | 'lapsed' | 'withdrawn' | 'answered' | undefined {
  const date = londonDate(at);
  if (date < recorded.issuedOn) return 'notIssued';
  if (withdrawnAt !== undefined && withdrawnAt <= at) return 'withdrawn';
  if (answeredAt !== undefined && answeredAt <= at) return 'answered';
  return recorded.validUntil !== undefined && recorded.validUntil < date ? 'lapsed' : undefined;
}

/** The instruments that compel at that moment. */
export function instrumentsAsOf(state: InstrumentRegisterState, at: Instant): readonly Instrument[] {
  return [...state.values()].filter((instrument) => notInForce(instrument, at) === undefined);
}

import { accept, canonicalJson, refuse, unchanged, type Decider, type Facts, type Outcome } from '#kernel';
import type { InstrumentCommand, RecordStatutoryInstrument } from './instrument.commands.js';
import type { InstrumentEvent, InstrumentScope, StatutoryInstrumentRecorded } from './instrument.events.js';
import { evolveInstrument, type Instrument } from './instrument.register.js';

/** The stream of one statutory instrument. */
export const instrumentStream = (instrumentId: string): string => `instrument-${instrumentId}`;

export const instrumentDecider: Decider<InstrumentCommand, InstrumentEvent, Instrument | undefined, Facts> = {
  initialState: undefined,
  folds: { StatutoryInstrumentRecorded: true, InstrumentWithdrawn: true, InstrumentAnswered: true },
  evolve: evolveInstrument,
  decide(command, instrument, facts) {
    const { instrumentId } = command;
    if (command.type === 'RecordStatutoryInstrument') return record(command, instrument, facts);
    if (!instrument) return refuse('REGISTER_ENTRY_UNKNOWN', { instrumentId });
    switch (command.type) {
      case 'WithdrawInstrument':
        if (instrument.withdrawnAt !== undefined) return unchanged;
        return accept({ type: 'InstrumentWithdrawn', data: { instrumentId } });
      case 'MarkInstrumentAnswered':
        if (instrument.answeredAt !== undefined) return unchanged;
        return accept({ type: 'InstrumentAnswered', data: { instrumentId } });
    }
  },
};

function record(
  command: RecordStatutoryInstrument,
  instrument: Instrument | undefined,
  facts: Facts,
): Outcome<InstrumentEvent> {
  const { instrumentId } = command;
  const data = complete(command, facts.actor.id);
  if ('missing' in data) return refuse('COMPULSION_INCOMPLETE', { instrumentId, missing: data.missing });
  if (!instrument) return accept({ type: 'StatutoryInstrumentRecorded', data });
  return canonicalJson(instrument.recorded) === canonicalJson(data)
    ? unchanged
    : refuse('REGISTER_ENTRY_EXISTS', { instrumentId });
}

/** The instrument with all that I-19b asks for, or the names of what it lacks. */
function complete(
  command: RecordStatutoryInstrument,
  requester: string,
): StatutoryInstrumentRecorded['data'] | { readonly missing: readonly string[] } {
  const { instrumentId, instrumentKind, issuedOn, validUntil, documentHash } = command;
  const enactment = stated(command.enactment);
  const section = stated(command.section);
  const reference = stated(command.reference);
  const issuer = stated(command.issuer);
  const scope = command.scope && command.scope.categories.length > 0 ? scopeOf(command.scope) : undefined;
  const reviewedBy = command.reviewedBy === requester ? undefined : command.reviewedBy;
  const mandatory = command.mandatory === true ? command.mandatory : undefined;
  if (
    enactment === undefined ||
    section === undefined ||
    instrumentKind === undefined ||
    reference === undefined ||
    issuer === undefined ||
    issuedOn === undefined ||
    scope === undefined ||
    mandatory === undefined ||
    reviewedBy === undefined ||
    documentHash === undefined
  ) {
    const parts = {
      enactment,
      section,
      instrumentKind,
      reference,
      issuer,
      issuedOn,
      scope,
      mandatory,
      reviewedBy,
      documentHash,
    };
    return { missing: Object.entries(parts).flatMap(([name, part]) => (part === undefined ? [name] : [])) };
  }
  return {
    instrumentId,
    enactment,
    section,
    instrumentKind,
    reference,
    issuer,
    issuedOn,
    ...(validUntil !== undefined && { validUntil }),
    scope,
    mandatory,
    reviewedBy,
    noTippingOff: command.noTippingOff ?? false,
    documentHash,
  };
}

const stated = (text: string | undefined): string | undefined => text?.trim() || undefined;

function scopeOf({ categories, subjectIds, recipientIds, from, to }: InstrumentScope): InstrumentScope {
  return {
    categories,
    ...(subjectIds !== undefined && { subjectIds }),
    ...(recipientIds !== undefined && { recipientIds }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  };
}

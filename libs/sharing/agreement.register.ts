import type { CivilDate, Register } from '#kernel';
import type { AgreementEvent, AgreementRecorded } from './agreement.events.js';

/** An agreement as it was recorded, and when it was brought to an end. */
export interface Agreement {
  readonly recorded: AgreementRecorded['data'];
  readonly endedOn?: CivilDate;
}

/** By agreement id. */
export type AgreementRegisterState = ReadonlyMap<string, Agreement>;

export function evolveAgreement(agreement: Agreement | undefined, event: AgreementEvent): Agreement | undefined {
  switch (event.type) {
    case 'AgreementRecorded':
      return { recorded: event.data };
    case 'AgreementEnded':
      return agreement && { ...agreement, endedOn: event.data.to };
  }
}

export const agreementRegister: Register<AgreementEvent, AgreementRegisterState> = {
  name: 'agreements',
  streamPrefix: 'agreement-',
  initialState: new Map(),
  folds: { AgreementRecorded: true, AgreementEnded: true },
  evolve(state, event) {
    const { agreementId } = event.data;
    const agreement = evolveAgreement(state.get(agreementId), event);
    return agreement ? new Map(state).set(agreementId, agreement) : state;
  },
};

/** Whether the agreement is in force on that date in London: from its first day until its end, exclusive. */
export function agreementInForce({ recorded, endedOn }: Agreement, date: CivilDate): boolean {
  const to = endedOn ?? recorded.to;
  return recorded.from <= date && (to === undefined || date < to);
}

/** The agreements in force on that date in London (I-22a). */
export function agreementsAsOf(state: AgreementRegisterState, date: CivilDate): readonly Agreement[] {
  return [...state.values()].filter((agreement) => agreementInForce(agreement, date));
}

/** All agreements with a recipient, whenever in force. */
export function agreementsWith(state: AgreementRegisterState, recipientId: string): readonly Agreement[] {
  return [...state.values()].filter(({ recorded }) => recorded.recipientId === recipientId);
}

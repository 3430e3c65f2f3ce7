import type { CivilDate, Register } from '#kernel';
import {
  ART28_TERMS,
  type AgreementAmended,
  type AgreementEvent,
  type AgreementRecorded,
  type AgreementTerms,
  type Art28Term,
} from './agreement.events.js';

/** An agreement as it was recorded, how it was amended, oldest first, and when it was brought to an end. */
export interface Agreement {
  readonly recorded: AgreementRecorded['data'];
  readonly amendments: readonly AgreementAmended['data'][];
  readonly endedOn?: CivilDate;
}

/** By agreement id. */
export type AgreementRegisterState = ReadonlyMap<string, Agreement>;

export function evolveAgreement(agreement: Agreement | undefined, event: AgreementEvent): Agreement | undefined {
  switch (event.type) {
    case 'AgreementRecorded':
      return { recorded: event.data, amendments: [] };
    case 'AgreementAmended':
      return agreement && { ...agreement, amendments: [...agreement.amendments, event.data] };
    case 'AgreementEnded':
      return agreement && { ...agreement, endedOn: event.data.to };
  }
}

export const agreementRegister: Register<AgreementEvent, AgreementRegisterState> = {
  name: 'agreements',
  streamPrefix: 'agreement-',
  initialState: new Map(),
  folds: { AgreementRecorded: true, AgreementAmended: true, AgreementEnded: true },
  evolve(state, event) {
    const { agreementId } = event.data;
    const agreement = evolveAgreement(state.get(agreementId), event);
    return agreement ? new Map(state).set(agreementId, agreement) : state;
  },
};

/** Every version of an agreement, oldest first, with its number. */
export function versionsOf({
  recorded,
  amendments,
}: Agreement): readonly [AgreementVersion, ...(readonly AgreementVersion[])] {
  return [{ ...recorded, version: 1 }, ...amendments];
}

export type AgreementVersion = AgreementTerms & { readonly version: number };

/** First day on which the agreement is no longer in force, as agreed last; open while `undefined`. */
export function endOf(agreement: Agreement): CivilDate | undefined {
  return agreement.endedOn ?? versionsOf(agreement).at(-1)?.to;
}

/**
 * What the agreement says on that date in London; `undefined` when it is not in force: it is from its first day until
 * its end, exclusive.
 */
export function termsOn(agreement: Agreement, date: CivilDate): AgreementVersion | undefined {
  const terms = versionsOf(agreement).findLast(({ from }) => from <= date);
  const to = agreement.endedOn ?? terms?.to;
  return to === undefined || date < to ? terms : undefined;
}

/** Whether the agreement is in force on that date in London. */
export const agreementInForce = (agreement: Agreement, date: CivilDate): boolean =>
  termsOn(agreement, date) !== undefined;

/** What UK GDPR Art 28(3) asks of a contract with a processor and these terms lack; nothing of any other agreement. */
export const termsMissing = ({ recorded: { kind } }: Agreement, { checklist }: AgreementTerms): readonly Art28Term[] =>
  kind === 'art28' ? ART28_TERMS.filter((term) => !checklist.includes(term)) : [];

/** The agreements in force on that date in London (I-22a). */
export function agreementsAsOf(state: AgreementRegisterState, date: CivilDate): readonly Agreement[] {
  return [...state.values()].filter((agreement) => agreementInForce(agreement, date));
}

/** All agreements with a recipient, whenever in force. */
export function agreementsWith(state: AgreementRegisterState, recipientId: string): readonly Agreement[] {
  return [...state.values()].filter(({ recorded }) => recorded.recipientId === recipientId);
}

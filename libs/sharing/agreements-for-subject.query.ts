import { londonDate } from '#calendar';
import type { CivilDate, Instant } from '#kernel';
import {
  endOf,
  termsMissing,
  versionsOf,
  type Agreement,
  type AgreementRegisterState,
  type AgreementVersion,
} from './agreement.register.js';
import type { AgreementKind, TransferMechanism } from './agreement.events.js';
import type { InstrumentRegisterState } from './instrument.register.js';
import type { RecipientKind } from './recipient.events.js';
import type { RecipientRegisterState } from './recipient.register.js';

/** Days in London, both included. */
export interface Period {
  readonly from: CivilDate;
  readonly to: CivilDate;
}

/** One row of the disclosures of a person. */
export interface DisclosureRow {
  readonly disclosure_id: string;
  readonly recipient_id: string;
  readonly recipient_kind: string;
  readonly category: string;
  readonly agreement_id: string | null;
  readonly instrument_id: string | null;
  readonly occurred_at: string;
}

/** A purpose for which something of the person was held, and since when until when. */
export interface ActivePurpose {
  readonly purposeId: string;
  readonly category: string;
  readonly from: Instant;
  /** Exclusive; held on while absent. */
  readonly to?: Instant;
}

/** An agreement in force in the period under which the person's data was, or may be, passed on. */
export interface AgreementForSubject {
  readonly agreementId: string;
  readonly version: number;
  readonly kind: AgreementKind;
  readonly recipientId: string;
  readonly recipientKind: RecipientKind;
  readonly recipientName: string | null;
  readonly recipientCountry: string | null;
  /** In plain words. */
  readonly publicSummary: string;
  readonly from: CivilDate;
  /** First day on which this version is not in force. */
  readonly to: CivilDate | null;
  readonly transferMechanism: TransferMechanism | null;
  /** What of the person it may be used for, and on which data: purposes and categories active in the period. */
  readonly purposes: readonly string[];
  readonly categories: readonly string[];
  /** How often data of the person was passed on under it in the period. */
  readonly disclosures: number;
}

/** A statute that compelled a disclosure of the person's data. */
export interface StatutoryDisclosure {
  readonly instrumentId: string;
  readonly enactment: string;
  readonly section: string;
  readonly recipientId: string;
  readonly recipientKind: string;
  readonly disclosures: number;
}

export interface Actual {
  readonly recipientId: string;
  readonly recipientKind: string;
  readonly recipientName: string | null;
  readonly disclosures: number;
}

export interface AgreementsForSubject {
  readonly agreements: readonly AgreementForSubject[];
  /** Every recipient that was given data in the period, whatever it rested on; not the person. */
  readonly recipients: readonly Actual[];
  /** How many disclosures went outside the group and its processors; those that are withheld are not among them. */
  readonly thirdPartyDisclosures: number;
  readonly statutory: readonly StatutoryDisclosure[];
  /** What must not be told to the person (I-22c): to be left out of an answer to them, and never counted as none. */
  readonly withheld: readonly (StatutoryDisclosure & { readonly exemption: string })[];
}

/** The exemption under which a disclosure that must not be told of is left out of an answer. */
export const NO_TIPPING_OFF = 'DPA 2018 Sch 2';

/**
 * The agreements that concern one person: in force on a day of the period, and either used for their data in it or
 * covering a purpose and a category of data that was held for it in it (I-22a).
 */
export function agreementsForSubject(
  registers: {
    readonly agreements: AgreementRegisterState;
    readonly recipients: RecipientRegisterState;
    readonly instruments: InstrumentRegisterState;
  },
  period: Period,
  disclosures: readonly DisclosureRow[],
  active: readonly ActivePurpose[],
): AgreementsForSubject {
  const nameOf = (recipientId: string) => registers.recipients.get(recipientId)?.registered.name ?? null;
  const made = disclosures.filter(
    ({ occurred_at, recipient_kind }) => recipient_kind !== 'SELF' && within(period, occurred_at as Instant),
  );
  const secret = (row: DisclosureRow): boolean =>
    row.instrument_id !== null && registers.instruments.get(row.instrument_id)?.recorded.noTippingOff === true;
  const told = made.filter((row) => !secret(row));
  // What ended on a day was still held on it.
  const purposes = active.filter(
    ({ from, to }) => londonDate(from) <= period.to && (to === undefined || period.from <= londonDate(to)),
  );

  const agreements = [...registers.agreements.values()].flatMap((agreement) =>
    versionsInForce(agreement, period).flatMap(({ terms, until }): AgreementForSubject[] => {
      const { agreementId, kind, recipientId } = agreement.recorded;
      const recipient = registers.recipients.get(recipientId)?.registered;
      const used = told.filter(({ agreement_id, occurred_at }) => {
        const date = londonDate(occurred_at as Instant);
        return agreement_id === agreementId && terms.from <= date && (until === undefined || date < until);
      });
      // Nothing may be passed on under terms that are not whole.
      const covered =
        termsMissing(agreement, terms).length > 0
          ? []
          : purposes.filter(
              ({ purposeId, category }) => terms.purposes.includes(purposeId) && terms.categories.includes(category),
            );
      if (used.length === 0 && covered.length === 0) return [];
      return [
        {
          agreementId,
          version: terms.version,
          kind,
          recipientId,
          recipientKind: recipient?.kind ?? 'THIRD_PARTY',
          recipientName: recipient?.name ?? null,
          recipientCountry: recipient?.country ?? null,
          publicSummary: terms.publicSummary,
          from: terms.from,
          to: until ?? null,
          transferMechanism: terms.transferMechanism ?? null,
          purposes: [...new Set(covered.map(({ purposeId }) => purposeId))].sort(),
          categories: [...new Set([...covered, ...used].map(({ category }) => category))].sort(),
          disclosures: count(used),
        },
      ];
    }),
  );

  const statutes = (rows: readonly DisclosureRow[]): readonly StatutoryDisclosure[] =>
    [...grouped(rows.filter(isStatutory), (row) => `${row.instrument_id} ${row.recipient_id}`).values()].map(
      (group) => {
        const instrumentId = group[0].instrument_id ?? '';
        const recorded = registers.instruments.get(instrumentId)?.recorded;
        return {
          instrumentId,
          enactment: recorded?.enactment ?? '',
          section: recorded?.section ?? '',
          recipientId: group[0].recipient_id,
          recipientKind: group[0].recipient_kind,
          disclosures: count(group),
        };
      },
    );

  return {
    agreements: agreements.sort((a, b) => compare(a.agreementId, b.agreementId) || a.version - b.version),
    recipients: [...grouped(told, (row) => row.recipient_id).values()].map((group) => ({
      recipientId: group[0].recipient_id,
      recipientKind: group[0].recipient_kind,
      recipientName: nameOf(group[0].recipient_id),
      disclosures: count(group),
    })),
    thirdPartyDisclosures: count(told.filter(({ recipient_kind }) => OUTSIDE.includes(recipient_kind))),
    statutory: statutes(told),
    withheld: statutes(made.filter(secret)).map((each) => ({ ...each, exemption: NO_TIPPING_OFF })),
  };
}

/** Recipients that are neither the person nor of the group nor act for us. */
const OUTSIDE: readonly string[] = ['AUTHORITY', 'THIRD_PARTY'];

const isStatutory = ({ instrument_id }: DisclosureRow): boolean => instrument_id !== null;

/** The versions of an agreement that were in force on a day of the period, each with its own end, exclusive. */
function versionsInForce(
  agreement: Agreement,
  period: Period,
): readonly { readonly terms: AgreementVersion; readonly until: CivilDate | undefined }[] {
  const versions = versionsOf(agreement);
  const end = endOf(agreement);
  return versions.flatMap((terms, index) => {
    const ends = [versions[index + 1]?.from, agreement.endedOn ?? terms.to, end].filter((date) => date !== undefined);
    const until = ends.sort()[0];
    return (until === undefined || terms.from < until) && overlaps(period, terms.from, until) ? [{ terms, until }] : [];
  });
}

/** @param to exclusive. */
const overlaps = (period: Period, from: CivilDate, to: CivilDate | undefined): boolean =>
  from <= period.to && (to === undefined || period.from < to || (period.from === to && from === to));

const within = (period: Period, at: Instant): boolean => overlaps(period, londonDate(at), londonDate(at));

const count = (rows: readonly DisclosureRow[]): number => new Set(rows.map((row) => row.disclosure_id)).size;

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function grouped<T>(rows: readonly T[], keyOf: (row: T) => string): ReadonlyMap<string, readonly [T, ...T[]]> {
  const groups = new Map<string, [T, ...T[]]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}

import type { CivilDate } from '#kernel';

/** What a statute compels us to disclose: the only key to the closed door (C19). Stands in `instrument-<id>`. */
export type InstrumentEvent = StatutoryInstrumentRecorded | InstrumentWithdrawn | InstrumentAnswered;

export const INSTRUMENT_KINDS = ['order', 'warrant', 'productionOrder', 'statutoryNotice', 'statutoryReturn'] as const;
export type InstrumentKind = (typeof INSTRUMENT_KINDS)[number];

/** How far an instrument reaches. What it leaves open it does not limit, but for third parties. */
export interface InstrumentScope {
  readonly categories: readonly string[];
  readonly subjectIds?: readonly string[];
  /** To whom. A third party must be named here; an authority only if the instrument names the addressee. */
  readonly recipientIds?: readonly string[];
  /** Period of the data asked for, both days included: a version counts by the day it came to be held, in London. */
  readonly from?: CivilDate;
  readonly to?: CivilDate;
}

/** A statutory instrument was recorded whole, and reviewed by another person than its recorder (I-19b). */
export interface StatutoryInstrumentRecorded {
  readonly type: 'StatutoryInstrumentRecorded';
  readonly data: {
    readonly instrumentId: string;
    readonly enactment: string;
    readonly section: string;
    readonly instrumentKind: InstrumentKind;
    readonly reference: string;
    readonly issuer: string;
    readonly issuedOn: CivilDate;
    /** Last day in force, in London; open while absent. */
    readonly validUntil?: CivilDate;
    readonly scope: InstrumentScope;
    readonly mandatory: true;
    readonly reviewedBy: string;
    /** Telling the person is forbidden: an answer to them withholds it with an exemption (I-22c). */
    readonly noTippingOff: boolean;
    /** SHA-256 of the document, in hex. */
    readonly documentHash: string;
  };
}

/** The issuer withdrew the instrument, or a court set it aside. */
export interface InstrumentWithdrawn {
  readonly type: 'InstrumentWithdrawn';
  readonly data: { readonly instrumentId: string };
}

/** All that was asked for has been given: the instrument opens nothing any more (I-19d). */
export interface InstrumentAnswered {
  readonly type: 'InstrumentAnswered';
  readonly data: { readonly instrumentId: string };
}

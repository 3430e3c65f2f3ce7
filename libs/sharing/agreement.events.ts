import type { CivilDate } from '#kernel';

/** Under which contract a recipient is given data. Stands in `agreement-<id>`. */
export type AgreementEvent = AgreementRecorded | AgreementAmended | AgreementEnded;

export const AGREEMENT_KINDS = ['art28', 'jointController', 'intraGroup'] as const;
export type AgreementKind = (typeof AGREEMENT_KINDS)[number];

/** What carries a transfer out of the United Kingdom (UK GDPR Art 45, 46, 47, 49). */
export const TRANSFER_MECHANISMS = ['adequacy', 'idta', 'addendum', 'bindingRules', 'derogation'] as const;
export type TransferMechanism = (typeof TRANSFER_MECHANISMS)[number];

/** The terms a contract with a processor must hold: UK GDPR Art 28(3)(a) to (h), in that order. */
export const ART28_TERMS = [
  'instructions',
  'confidentiality',
  'security',
  'subProcessors',
  'rightsRequests',
  'assistance',
  'deleteOrReturn',
  'audit',
] as const;
export type Art28Term = (typeof ART28_TERMS)[number];

/** An agreement was recorded, with what the public is told about it (C22, UK GDPR Art 15(1)(c)). */
export interface AgreementRecorded {
  readonly type: 'AgreementRecorded';
  readonly data: {
    readonly agreementId: string;
    readonly recipientId: string;
    readonly kind: AgreementKind;
    readonly purposes: readonly string[];
    readonly categories: readonly string[];
    /** First day in force, in London. */
    readonly from: CivilDate;
    /** First day no longer in force; open while absent. */
    readonly to?: CivilDate;
    readonly transferMechanism?: TransferMechanism;
    /** In plain words, for everyone. */
    readonly publicSummary: string;
    /** SHA-256 of the signed document, in hex. */
    readonly documentHash: string;
    /** Terms of Art 28(3) that were found in it. */
    readonly checklist: readonly Art28Term[];
  };
}

/** What an agreement says; each version of it says all of this. */
export type AgreementTerms = Omit<AgreementRecorded['data'], 'agreementId' | 'recipientId' | 'kind'>;

/** The agreement says something else from a day on; version 1 is the one recorded first. */
export interface AgreementAmended {
  readonly type: 'AgreementAmended';
  readonly data: AgreementTerms & {
    readonly agreementId: string;
    readonly recipientId: string;
    readonly version: number;
  };
}

/** The agreement was brought to an end; sharing under it stops. */
export interface AgreementEnded {
  readonly type: 'AgreementEnded';
  readonly data: {
    readonly agreementId: string;
    readonly recipientId: string;
    /** First day no longer in force. */
    readonly to: CivilDate;
  };
}

import type { TransferMechanism } from './agreement.events.js';
import type { RecipientKind } from './recipient.events.js';

/** How a disclosure about many people goes (I-19g). Stands in `disclosure-<uuid>`; each `DataShared` with the person. */
export type BulkDisclosureEvent = BulkDisclosureAccepted | BulkDisclosureProgressed | BulkDisclosureCompleted;

/** The door is open for the recipient; each person is still to be decided about. */
export interface BulkDisclosureAccepted {
  readonly type: 'BulkDisclosureAccepted';
  readonly data: {
    readonly disclosureId: string;
    readonly recipientId: string;
    readonly recipientKind: RecipientKind;
    readonly purposeId: string;
    readonly purposeVersion: number;
    readonly categories: readonly string[];
    readonly basis?: string;
    readonly agreementId?: string;
    readonly instrumentId?: string;
    readonly transferMechanism?: TransferMechanism;
    readonly medium: string;
    readonly subjectCount: number;
    /** In the order of the parts, each of `BATCH` people but the last. */
    readonly subjectIds: readonly string[];
  };
}

/** How many people one part of a bulk disclosure is about. */
export const BATCH = 500;

/** A part is done: every person in it has an outcome. */
export interface BulkDisclosureProgressed {
  readonly type: 'BulkDisclosureProgressed';
  readonly data: {
    readonly disclosureId: string;
    readonly batch: number;
    readonly shared: number;
    /** Who was left out, and the code of the refusal, which stands among the refusals. */
    readonly refused: readonly { readonly subjectId: string; readonly code: string }[];
    readonly sharedSoFar: number;
    readonly refusedSoFar: number;
  };
}

/** Every person has an outcome. */
export interface BulkDisclosureCompleted {
  readonly type: 'BulkDisclosureCompleted';
  readonly data: {
    readonly disclosureId: string;
    readonly shared: number;
    readonly refused: readonly { readonly code: string; readonly count: number }[];
  };
}

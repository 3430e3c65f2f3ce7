import type { CivilDate } from '#kernel';
import type { TransferMechanism } from './agreement.events.js';
import type { RecipientKind } from './recipient.events.js';

/** Item versions of one person were given to a recipient (C19). Stands in the person's stream. */
export interface DataShared {
  readonly type: 'DataShared';
  readonly data: {
    /** May span several people: one event for each of them. */
    readonly disclosureId: string;
    readonly subjectId: string;
    readonly recipientId: string;
    /** As it was when the data was given. */
    readonly recipientKind: RecipientKind;
    readonly purposeId: string;
    readonly purposeVersion: number;
    /** The items' categories, each once, in order. */
    readonly categories: readonly string[];
    readonly items: readonly SharedItem[];
    readonly basis: string;
    readonly agreementId?: string;
    /** The statutory instrument that compelled it. */
    readonly instrumentId?: string;
    /** The membership that made it a disclosure within the group. */
    readonly groupCompanyNumber?: string;
    /** First day of that membership. */
    readonly groupMemberSince?: CivilDate;
    readonly transferMechanism?: TransferMechanism;
    readonly medium: string;
    /** Processing was restricted when this was recorded: the recipient has yet to be told of it (Art 19). */
    readonly restricted?: true;
    /** How many people the disclosure is about. */
    readonly subjectCount: number;
  };
}

export interface SharedItem {
  readonly itemId: string;
  /** The version in use when the data was given. */
  readonly version: number;
  readonly category: string;
  /** The version that had taken its place when this was recorded: the recipient has yet to be told of it (Art 19). */
  readonly replacedBy?: number;
}

import type { CivilDate } from '#kernel';

/** Who may be given data, and which of them belong to the group when. Stands in `recipient-<id>`. */
export type RecipientEvent = RecipientRegistered | GroupMembershipStarted | GroupMembershipEnded;

/**
 * `SELF`: the person or their agent. `GROUP`: a member of the group on the date. `PROCESSOR`: acts on instructions
 * only (UK GDPR Art 4(8), 28). `AUTHORITY` and `THIRD_PARTY`: everyone else, behind the closed door (C19).
 */
export const RECIPIENT_KINDS = ['SELF', 'GROUP', 'PROCESSOR', 'AUTHORITY', 'THIRD_PARTY'] as const;
export type RecipientKind = (typeof RECIPIENT_KINDS)[number];

/** Forms whose names are not personal data. A sole trader's name is, and is not supported. */
export const LEGAL_FORMS = ['company', 'publicBody', 'partnership'] as const;
export type LegalForm = (typeof LEGAL_FORMS)[number];

/** A recipient was entered in the register. */
export interface RecipientRegistered {
  readonly type: 'RecipientRegistered';
  readonly data: {
    readonly recipientId: string;
    readonly kind: RecipientKind;
    /** Of the organisation; absent for `SELF`, as are its form and country. */
    readonly name?: string;
    readonly legalForm?: LegalForm;
    /** ISO 3166-1 alpha-2. */
    readonly country?: string;
  };
}

/** A company joined the group. */
export interface GroupMembershipStarted {
  readonly type: 'GroupMembershipStarted';
  readonly data: {
    readonly recipientId: string;
    readonly companyNumber: string;
    /** First day of membership. */
    readonly from: CivilDate;
  };
}

/** The company left the group; data it holds is to be retrieved or deleted (C19). */
export interface GroupMembershipEnded {
  readonly type: 'GroupMembershipEnded';
  readonly data: {
    readonly recipientId: string;
    /** First day on which it is no member. */
    readonly to: CivilDate;
  };
}

/** What a refusal cites: the clause of the policy, the law behind it, and what would make the command pass. */
export interface Rule {
  /** Clauses of the policy, `C01` to `C30`; empty for the engine's own rules. */
  readonly clauses: readonly string[];
  readonly law: string;
  readonly remedy: string;
  /** Whether the same command may pass later without being changed. */
  readonly retryable?: true;
}

const rule = (clauses: string, law: string, remedy: string, retryable?: 'retryable'): Rule => ({
  clauses: clauses === '' ? [] : clauses.split(' '),
  law,
  remedy,
  ...(retryable && { retryable: true }),
});

/**
 * Every code a command can be refused with. Codes are part of the API: they are never renamed or reused.
 */
export const REFUSALS = {
  FORBIDDEN: rule('C08 C15', 'UK GDPR Art 32', 'ask for a role that may send this command'),
  UNAUTHENTICATED_ACTOR: rule('C02', 'UK GDPR Art 32', 'send a valid token of a known actor'),
  PLAINTEXT_PERSONAL_DATA: rule('C02', 'UK GDPR Art 32', 'declare the field personal in its codec and seal it'),

  PURPOSE_NOT_STATED: rule('C15', 'UK GDPR Art 5(1)(f), 32', 'state the purpose and the case of the view'),
  AUDITOR_NO_PLAINTEXT: rule('C15', 'UK GDPR Art 5(1)(f), 32', 'none: auditors see no values'),

  ACCESS_NOT_GRANTED: rule('C15', 'UK GDPR Art 5(1)(f), 32', 'ask for access and have it granted', 'retryable'),
  ACCESS_EXPIRED: rule('C15', 'UK GDPR Art 5(1)(f), 32', 'ask for access anew, for a year at most', 'retryable'),
  OUTSIDE_SERVICE_CONTRACT: rule(
    'C08 C15',
    'UK GDPR Art 5(1)(b), 32',
    'have the contract of the service widened and approved',
    'retryable',
  ),
  VIEW_BUDGET_EXCEEDED: rule(
    'C15',
    'UK GDPR Art 5(1)(f), 32',
    'go on tomorrow, or have a bulk view approved by a second person',
    'retryable',
  ),
  SELF_APPROVAL: rule('C15', 'UK GDPR Art 5(1)(f), 32', 'have another person decide it'),

  PURPOSE_UNKNOWN: rule('C01 C17', 'UK GDPR Art 5(1)(b)', 'define the purpose and have it approved'),
  PURPOSE_NOT_APPROVED: rule('C01 C17', 'UK GDPR Art 5(1)(b)', 'have another person approve the purpose', 'retryable'),
  PURPOSE_SUSPENDED: rule('C01 C17', 'UK GDPR Art 5(1)(b)', 'resume the purpose or use another one', 'retryable'),
  PURPOSE_OUT_OF_SCOPE: rule('C01', 'UK GDPR Art 5(1)(b)', 'name a service line that the policy covers'),
  PURPOSE_MISCLASSIFIED: rule('C17', 'UK GDPR Art 5(1)(b)', 'declare the purpose commercial'),
  PURPOSE_INCOMPATIBLE: rule('C13', 'UK GDPR Art 8A', 'have the reuse assessed and approved, or obtain consent'),
  LAWFUL_BASIS_NOT_AVAILABLE: rule('C04', 'UK GDPR Art 6(1)', 'use a purpose whose basis fits this person'),
  NO_SERVICE_REQUEST: rule('C04', 'UK GDPR Art 6(1)(b)', 'name the service request that the collection serves'),
  DPIA_MISSING: rule('C04', 'UK GDPR Art 35', 'record the data protection impact assessment'),

  DATA_EXCESSIVE: rule('C12', 'UK GDPR Art 5(1)(c)', 'leave out the fields that the purpose does not list'),
  FIELD_NOT_REQUIRED_FOR_PURPOSE: rule('C04', 'UK GDPR Art 5(1)(c)', 'ask for the field as optional, or justify it'),
  FREE_TEXT_NOT_DECLARED: rule('C12', 'UK GDPR Art 5(1)(c)', 'declare the free text and its greatest length'),
  SPECIAL_CATEGORY_NOT_PERMITTED: rule('C12', 'UK GDPR Art 9, 10', 'record the condition that permits the category'),
  FOUR_EYES_REQUIRED: rule('C12 C15 C16', 'UK GDPR Art 25', 'have a second person approve it'),

  COLLECTION_POINT_UNKNOWN: rule('C11', 'UK GDPR Art 13, 25', 'register the collection point'),
  COLLECTION_POINT_RETIRED: rule('C11', 'UK GDPR Art 13, 25', 'collect through a collection point in service'),
  COLLECTION_POINT_NOT_BOUND: rule('C11', 'UK GDPR Art 13, 25', 'bind the purpose and fields to the collection point'),
  EXPLANATION_MISSING: rule('C28', 'UK GDPR Art 13, 25', 'explain in plain words what the collection is for'),

  NOTICE_UNKNOWN: rule('C13 C30', 'UK GDPR Art 13', 'publish the notice version'),
  NOTICE_NOT_PRESENTED: rule('C13', 'UK GDPR Art 13', 'present the notice to the person first', 'retryable'),
  NOTICE_DOES_NOT_COVER_PURPOSE: rule('C13', 'UK GDPR Art 13', 'present a notice version that covers the purpose'),
  NOTICE_NOT_IN_FORCE: rule('C13', 'UK GDPR Art 13', 'use the notice version in force at that time'),
  NOTICE_IMMUTABLE: rule('C30', 'UK GDPR Art 5(1)(a)', 'publish a new version'),
  NOTICE_INCOMPLETE: rule(
    'C13 C30',
    'UK GDPR Art 13, 14',
    'state the missing parts in the text and declare where they stand',
  ),
  CLAIM_SUPERSEDED: rule('C03 C10', 'UK GDPR Art 5(1)(a)', 'drop the claim, or name what is in force'),
  CLAIM_UNBACKED: rule(
    'C03 C09 C10',
    'UK GDPR Art 5(1)(a)',
    'record an attestation in force, or drop the claim',
    'retryable',
  ),
  ATTESTATION_PERIOD_EXCEEDED: rule(
    'C03 C10',
    'UK GDPR Art 5(2)',
    'give the dates that the certificate or entry states',
  ),
  TESTER_NOT_INDEPENDENT: rule(
    'C09',
    'UK GDPR Art 32(1)(d)',
    'have the test done by an organisation outside the group',
  ),
  RESTORE_NOT_SHOWN: rule(
    'C08',
    'UK GDPR Art 32(1)(c)-(d)',
    'give equal digests from before and after the restore, or record the test as failed',
  ),
  BREACH_REFERENCE_MISSING: rule(
    'C08',
    'UK GDPR Art 4(12), 33(5)',
    'name the incident under which the loss of availability is documented',
  ),
  ART14_NOTICE_DUE: rule('C13', 'UK GDPR Art 14', 'tell the person first', 'retryable'),

  CONSENT_NOT_GIVEN: rule('C05 C17', 'UK GDPR Art 6(1)(a), 7', 'ask the person for consent', 'retryable'),
  CONSENT_WITHDRAWN: rule('C05 C17', 'UK GDPR Art 7(3)', 'stop; only the person can consent anew', 'retryable'),
  CONSENT_EXPIRED: rule('C05 C17', 'UK GDPR Art 7', 'ask the person to renew the consent', 'retryable'),
  CONSENT_INVALIDATED: rule('C05 C17', 'UK GDPR Art 7', 'ask for consent to the purpose as it is now', 'retryable'),
  CONSENT_CHANNEL_MISMATCH: rule('C05 C17', 'UK GDPR Art 6(1)(a)', 'use the channel consented to', 'retryable'),
  CONSENT_NOT_UNAMBIGUOUS: rule('C05 C17', 'UK GDPR Art 4(11)', 'take consent by a clear affirmative act'),
  CONSENT_BUNDLED: rule('C05 C17', 'UK GDPR Art 7(2), recital 43', 'ask for each purpose on its own'),
  CONSENT_CONDITIONAL: rule('C05 C17', 'UK GDPR Art 7(4)', 'do not tie the service to the consent'),
  CONSENT_NOT_INFORMED: rule('C05 C17', 'UK GDPR Art 4(11), 7', 'present the notice and keep the statement shown'),
  CONSENT_AGE: rule('C05 C17', 'UK GDPR Art 8; DPA 2018 s.9', 'obtain the authority of a parent'),
  NO_MARKETING_BASIS: rule('C05 C17', 'UK GDPR Art 6(1)', 'obtain consent, or have the interest assessed', 'retryable'),
  LIA_MISSING: rule(
    'C05 C17',
    'UK GDPR Art 6(1)(f)',
    'assess the legitimate interest and have it approved',
    'retryable',
  ),
  LIA_EXPIRED: rule('C05 C17', 'UK GDPR Art 6(1)(f)', 'assess the interest anew and have it approved', 'retryable'),
  LIA_OUTCOME_AGAINST: rule('C05 C17', 'UK GDPR Art 6(1)(f)', 'none: the people concerned prevail'),
  SUPPRESSED_ADDRESS: rule('C05', 'UK GDPR Art 21(2)-(3)', 'none: somebody objected to marketing at this address'),
  PECR_CONSENT_REQUIRED: rule('C05', 'PECR regs 19, 21, 22', 'obtain consent to this channel', 'retryable'),
  SOFT_OPT_IN_NOT_MET: rule('C05', 'PECR reg 22(3)', 'obtain consent, or meet every condition of the soft opt-in'),
  TPS_SCREEN_STALE: rule('C05', 'PECR reg 21', 'screen the number against the preference service', 'retryable'),
  USE_UNKNOWN: rule('C05', 'UK GDPR Art 5(2)', 'name a use that was authorised for this person'),
  MARKETING_OBJECTION: rule('C05 C17', 'UK GDPR Art 21(2)-(3)', 'none: the objection is absolute'),
  PROCESSING_RESTRICTED: rule('C05 C19', 'UK GDPR Art 18', 'wait until the restriction is lifted', 'retryable'),
  RESTRICTION_LIFT_NOT_NOTIFIED: rule('C05 C19', 'UK GDPR Art 18(3)', 'tell the person before lifting'),
  ITEM_NOT_HELD_FOR_PURPOSE: rule('C13 C17', 'UK GDPR Art 5(1)(b)', 'use only data held for this purpose'),

  TELEMETRY_STREAM_UNKNOWN: rule('C06', 'UK GDPR Art 5(1)(b)-(c)', 'register the stream of telemetry', 'retryable'),
  ANONYMITY_NOT_ASSESSED: rule('C06', 'UK GDPR Art 4(1), recital 26', 'record how nobody can be recognised'),
  NOT_ESSENTIAL: rule('C07', 'UK GDPR Art 5(1)(c); PECR reg 6', 'show why the service needs it, and have it approved'),
  FIELD_NOT_ESSENTIAL: rule(
    'C07',
    'UK GDPR Art 5(1)(c); PECR reg 6',
    'send only fields that were approved as essential',
  ),
  ESSENTIALITY_REVIEW_OVERDUE: rule('C07', 'UK GDPR Art 5(1)(c), 5(2)', 'review the stream first', 'retryable'),
  USAGE_SECONDARY_USE: rule(
    'C07 C17',
    'policy; UK GDPR Art 5(1)(b)',
    'none: usage serves delivery of the service only',
  ),

  ACCURACY_CHECK_OVERDUE: rule('C05 C14', 'UK GDPR Art 5(1)(d)', 'check the data and confirm it', 'retryable'),
  ITEM_DISPUTED: rule('C14', 'UK GDPR Art 5(1)(d)', 'settle the doubt: correct or confirm the data', 'retryable'),

  RETENTION_RULE_MISSING: rule('C16', 'UK GDPR Art 5(1)(e)', 'give every category a retention rule'),
  RETENTION_EXTENSION_FORBIDDEN: rule('C16', 'UK GDPR Art 5(1)(e)', 'change the rule for the future, with approval'),
  RETENTION_NOT_DUE: rule('C16', 'UK GDPR Art 5(1)(e)', 'wait until the retention period has ended', 'retryable'),
  DATA_ERASED: rule('C16', 'UK GDPR Art 5(1)(e), 17', 'none: the data no longer exists'),
  ERASURE_INCOMPLETE: rule('C16', 'UK GDPR Art 17', 'destroy every key of the data first', 'retryable'),
  LEGAL_HOLD_IN_FORCE: rule('C16', 'UK GDPR Art 17(3)(b), (e)', 'wait until the legal hold is lifted', 'retryable'),
  DEFERRED_OPEN_ACCESS_REQUEST: rule(
    'C16 C20',
    'UK GDPR Art 15; DPA 2018 s.173',
    'answer the open access request first',
    'retryable',
  ),
  ERASURE_EXCEPTION_APPLIES: rule(
    'C16',
    'UK GDPR Art 17(3)',
    'wait until the reason to keep it has ended',
    'retryable',
  ),

  RECIPIENT_UNKNOWN: rule('C19', 'UK GDPR Art 5(1)(f)', 'register the recipient'),
  NOT_COMPELLED: rule('C19', 'policy; UK GDPR Art 6(1)(c)', 'share only what a statute compels'),
  COMPULSION_INCOMPLETE: rule('C19', 'policy; UK GDPR Art 6(1)(c)', 'record the whole statutory instrument'),
  INSTRUMENT_NOT_IN_FORCE: rule('C19', 'policy; UK GDPR Art 6(1)(c)', 'name an instrument in force'),
  DISCLOSURE_EXCEEDS_SCOPE: rule('C19', 'policy; UK GDPR Art 5(1)(c)', 'trim the disclosure to the scope'),
  NOT_GROUP_MEMBER: rule('C19', 'policy', 'share only with a member of the group on that date'),
  AGREEMENT_MISSING: rule('C19 C22', 'UK GDPR Art 28', 'record the agreement with the processor'),
  AGREEMENT_EXPIRED: rule('C19 C22', 'UK GDPR Art 28', 'record an agreement in force'),
  AGREEMENT_DOES_NOT_COVER: rule('C19 C22', 'UK GDPR Art 28', 'share only what the agreement covers'),
  AGREEMENT_SUMMARY_MISSING: rule('C22', 'UK GDPR Art 15(1)(c)', 'give the agreement a summary in plain words'),
  TRANSFER_MECHANISM_MISSING: rule('C19', 'UK GDPR Art 44-49', 'record the transfer mechanism and its assessment'),

  RECIPIENTS_NOT_NOTIFIED: rule('C21', 'UK GDPR Art 19', 'notify every recipient of the old value', 'retryable'),
  RESPONSE_INCOMPLETE: rule('C18 C21', 'UK GDPR Art 12(3), 16', 'deal with every part of what was asked', 'retryable'),
  REFUSAL_INFORMATION_MISSING: rule('C21', 'UK GDPR Art 12(4)', 'give the reason and the ways to complain'),

  SUBJECT_UNKNOWN: rule('', 'engine rule', 'register the person first', 'retryable'),
  SUBJECT_EXISTS: rule('', 'engine rule', 'use a fresh subject id'),
  ITEM_UNKNOWN: rule('', 'engine rule', 'name an item that is held about this person'),
  REGISTER_ENTRY_UNKNOWN: rule('', 'engine rule', 'name an entry of the register'),
  REGISTER_ENTRY_EXISTS: rule('', 'engine rule', 'use another id, or a new version'),
  VERSION_CONFLICT: rule('', 'engine rule', 'read the current version and decide again'),
  OCCURRED_IN_FUTURE: rule('', 'engine rule', 'give a time that has passed'),
  OCCURRED_BEFORE_OPENING: rule('', 'engine rule', 'give a time after the person was registered'),
  COMMAND_ID_REUSED: rule('', 'engine rule', 'give every command its own id'),
} as const satisfies Record<string, Rule>;

export type RefusalCode = keyof typeof REFUSALS;

/** A refusal as a decider states it: a code, and names or ids that explain it, never a value. */
export interface Refusal {
  readonly code: RefusalCode;
  /** Names and ids only: fields, categories, purposes, versions. */
  readonly details: Readonly<Record<string, string | number | readonly string[]>>;
}

// Made from the commands of the engine by `npm run sdk`; a test fails when it is behind.

/** The fields of every command, by its name. What a field means stands in the AsyncAPI document of the engine. */
export interface CommandBodies {
  ViewPersonalData: {
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly occurredAt?: string;
    readonly purposeId?: string;
    readonly categories: readonly string[];
  };
  DefinePurpose: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly purposeId: string;
    readonly version?: number;
    readonly title: string;
    readonly plainWords: string;
    readonly serviceLine: string;
    readonly commercial: boolean;
    readonly basis:
      | 'consent'
      | 'contract'
      | 'legalObligation'
      | 'vitalInterests'
      | 'publicTask'
      | 'recognisedLegitimateInterest'
      | 'legitimateInterests';
    readonly rliCondition?: 'publicTaskRequest' | 'nationalSecurity' | 'emergency' | 'crime' | 'safeguarding';
    readonly liaRef?: string;
    readonly dpiaRequired?: boolean;
    readonly dpiaRef?: string;
    readonly dpvIri: string;
    readonly fields: readonly {
      readonly category: string;
      readonly necessity: 'required' | 'optional';
      readonly justification: string;
      readonly freeText?: {
        readonly expectation: string;
        readonly maxLength: number;
      };
      readonly special?: boolean;
      readonly checkInterval?: string;
    }[];
    readonly specialCategoryCondition?: string;
    readonly retention: readonly {
      readonly category: string;
      readonly trigger:
        'collected' | 'relationshipClosed' | 'serviceRequestClosed' | 'accountingPeriodEnded' | 'lastReliedOn';
      readonly period: string;
      readonly action: 'erase' | 'anonymise' | 'review';
      readonly legalRef: string;
    }[];
    readonly recipientKindsAllowed: readonly ('SELF' | 'GROUP' | 'PROCESSOR' | 'AUTHORITY' | 'THIRD_PARTY')[];
    readonly effectiveFrom?: string;
  };
  ApprovePurpose: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly purposeId: string;
    readonly version: number;
  };
  SuspendPurpose: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly purposeId: string;
    readonly reasonCode: string;
  };
  ResumePurpose: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly purposeId: string;
  };
  RetirePurpose: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly purposeId: string;
  };
  RegisterCollectionPoint: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly collectionPointId: string;
    readonly kind: 'webForm' | 'api' | 'phone' | 'paper' | 'email' | 'inProduct';
    readonly title: string;
    readonly explanation?: string;
    readonly purposes: readonly string[];
    readonly fields: readonly string[];
    readonly noticeId: string;
  };
  RetireCollectionPoint: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly collectionPointId: string;
  };
  PublishNotice: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly noticeId: string;
    readonly version: number;
    readonly language: string;
    readonly title: string;
    readonly content: string;
    readonly purposes: readonly string[];
    readonly effectiveFrom?: string;
  };
  RegisterSubject: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly capacity: 'individual' | 'soleTrader' | 'corporateContact';
    readonly subscriberType?: 'individual' | 'corporate';
    readonly division?: 'england-and-wales' | 'scotland' | 'northern-ireland';
  };
  PresentNotice: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly noticeId: string;
    readonly version: number;
    readonly how: 'shown' | 'sent' | 'read-out' | 'handed-over';
    readonly channel: string;
  };
  CollectData: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly collectionPointId: string;
    readonly noticeId: string;
    readonly noticeVersion: number;
    readonly serviceRequestRef?: string;
    readonly source?: 'subject' | 'thirdParty' | 'derived';
    readonly items: readonly {
      readonly category: string;
      readonly value: string;
      readonly required?: boolean;
    }[];
  };
  CorrectData: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly fromVersion: number;
    readonly value: string;
    readonly reasonCode: 'inaccurate' | 'incomplete' | 'outOfDate';
  };
  RefuseCorrection: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly reasonCode?: 'accurateAsHeld' | 'manifestlyUnfounded' | 'manifestlyExcessive' | 'identityNotShown';
    readonly complaintRoutes?: readonly ('controller' | 'commissioner' | 'court')[];
  };
  NotifyRecipient: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly recipientId: string;
    readonly version: number;
    readonly outcome: 'notified' | 'impossible' | 'disproportionate';
  };
  CompleteCorrection: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly version: number;
  };
  ConfirmAccuracy: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly method: 'subjectConfirmed' | 'documentSeen' | 'contactMade' | 'registerChecked';
  };
  DoubtAccuracy: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly cause: 'bouncedEmail' | 'returnedPost' | 'subjectNotice' | 'other';
  };
  RaiseAccuracyCheck: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly due: string;
  };
  RestrictProcessing: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly ground: '18(1)(a)' | '18(1)(b)' | '18(1)(c)' | '18(1)(d)';
  };
  LiftRestriction: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly informedAt?: string;
  };
  GiveConsent: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly channel: string;
    readonly noticeId: string;
    readonly noticeVersion: number;
    readonly statementHash?: string;
    readonly method: 'webForm' | 'phone' | 'paper' | 'inPerson' | 'inProduct' | 'email';
    readonly affirmativeAct: 'tickedBox' | 'pressedButton' | 'signed' | 'said' | 'replied' | 'preTickedBox' | 'none';
    readonly givenBy: 'subject' | 'parent' | 'agent';
    readonly bundled?: boolean;
    readonly conditional?: boolean;
    readonly statedAge?: number;
    readonly expiresAt?: string;
  };
  WithdrawConsent: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly channel: string;
  };
  ExpireConsent: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly channel: string;
  };
  AuthoriseUse: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly channel?: string;
    readonly itemIds: readonly string[];
  };
  ObjectToMarketing: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
  };
  RegisterRecipient: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly recipientId: string;
    readonly kind: 'SELF' | 'GROUP' | 'PROCESSOR' | 'AUTHORITY' | 'THIRD_PARTY';
    readonly name?: string;
    readonly legalForm?: 'company' | 'publicBody' | 'partnership';
    readonly country?: string;
  };
  StartGroupMembership: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly recipientId: string;
    readonly companyNumber: string;
    readonly from: string;
  };
  EndGroupMembership: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly recipientId: string;
    readonly to: string;
  };
  RecordAgreement: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly agreementId: string;
    readonly recipientId: string;
    readonly kind: 'art28' | 'jointController' | 'intraGroup';
    readonly purposes: readonly string[];
    readonly categories: readonly string[];
    readonly from: string;
    readonly to?: string;
    readonly transferMechanism?: 'adequacy' | 'idta' | 'addendum' | 'bindingRules' | 'derogation';
    readonly publicSummary?: string;
    readonly documentHash: string;
    readonly checklist: readonly (
      | 'instructions'
      | 'confidentiality'
      | 'security'
      | 'subProcessors'
      | 'rightsRequests'
      | 'assistance'
      | 'deleteOrReturn'
      | 'audit'
    )[];
  };
  EndAgreement: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly agreementId: string;
    readonly to: string;
  };
  RecordStatutoryInstrument: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly instrumentId: string;
    readonly enactment?: string;
    readonly section?: string;
    readonly instrumentKind?: 'order' | 'warrant' | 'productionOrder' | 'statutoryNotice' | 'statutoryReturn';
    readonly reference?: string;
    readonly issuer?: string;
    readonly issuedOn?: string;
    readonly validUntil?: string;
    readonly scope?: {
      readonly categories: readonly string[];
      readonly subjectIds?: readonly string[];
      readonly recipientIds?: readonly string[];
      readonly from?: string;
      readonly to?: string;
    };
    readonly mandatory?: boolean;
    readonly reviewedBy?: string;
    readonly noTippingOff?: boolean;
    readonly documentHash?: string;
  };
  WithdrawInstrument: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly instrumentId: string;
  };
  MarkInstrumentAnswered: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly instrumentId: string;
  };
  ShareData: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly disclosureId?: string;
    readonly subjectId: string;
    readonly recipientId: string;
    readonly purposeId: string;
    readonly itemIds: readonly string[];
    readonly basis?:
      | 'consent'
      | 'contract'
      | 'legalObligation'
      | 'vitalInterests'
      | 'publicTask'
      | 'recognisedLegitimateInterest'
      | 'legitimateInterests';
    readonly instrumentId?: string;
    readonly agreementId?: string;
    readonly consentRef?: string;
    readonly medium: string;
    readonly transferMechanism?: 'adequacy' | 'idta' | 'addendum' | 'bindingRules' | 'derogation';
  };
  CloseRelationship: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly reasonCode: 'contractEnded' | 'subjectLeft' | 'inactive' | 'other';
  };
  CloseServiceRequest: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly serviceRequestRef: string;
  };
  EndAccountingPeriod: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
  };
  ExpireRetention: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemIds?: readonly string[];
  };
  ConfirmErasure: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
  };
  ExtendRetention: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly until: string;
  };
}

/** Why a command may be refused. New reasons come; a code never changes its meaning. */
export type RefusalCode =
  | 'ACCURACY_CHECK_OVERDUE'
  | 'AGREEMENT_DOES_NOT_COVER'
  | 'AGREEMENT_EXPIRED'
  | 'AGREEMENT_MISSING'
  | 'AGREEMENT_SUMMARY_MISSING'
  | 'ART14_NOTICE_DUE'
  | 'AUDITOR_NO_PLAINTEXT'
  | 'COLLECTION_POINT_NOT_BOUND'
  | 'COLLECTION_POINT_RETIRED'
  | 'COLLECTION_POINT_UNKNOWN'
  | 'COMMAND_ID_REUSED'
  | 'COMPULSION_INCOMPLETE'
  | 'CONSENT_AGE'
  | 'CONSENT_BUNDLED'
  | 'CONSENT_CHANNEL_MISMATCH'
  | 'CONSENT_CONDITIONAL'
  | 'CONSENT_EXPIRED'
  | 'CONSENT_INVALIDATED'
  | 'CONSENT_NOT_GIVEN'
  | 'CONSENT_NOT_INFORMED'
  | 'CONSENT_NOT_UNAMBIGUOUS'
  | 'CONSENT_WITHDRAWN'
  | 'DATA_ERASED'
  | 'DATA_EXCESSIVE'
  | 'DISCLOSURE_EXCEEDS_SCOPE'
  | 'DPIA_MISSING'
  | 'ERASURE_INCOMPLETE'
  | 'EXPLANATION_MISSING'
  | 'FIELD_NOT_REQUIRED_FOR_PURPOSE'
  | 'FORBIDDEN'
  | 'FOUR_EYES_REQUIRED'
  | 'FREE_TEXT_NOT_DECLARED'
  | 'INSTRUMENT_NOT_IN_FORCE'
  | 'ITEM_DISPUTED'
  | 'ITEM_NOT_HELD_FOR_PURPOSE'
  | 'ITEM_UNKNOWN'
  | 'LAWFUL_BASIS_NOT_AVAILABLE'
  | 'LIA_MISSING'
  | 'MARKETING_OBJECTION'
  | 'NOTICE_DOES_NOT_COVER_PURPOSE'
  | 'NOTICE_IMMUTABLE'
  | 'NOTICE_NOT_IN_FORCE'
  | 'NOTICE_NOT_PRESENTED'
  | 'NOTICE_UNKNOWN'
  | 'NOT_COMPELLED'
  | 'NOT_GROUP_MEMBER'
  | 'NO_MARKETING_BASIS'
  | 'NO_SERVICE_REQUEST'
  | 'OCCURRED_BEFORE_OPENING'
  | 'OCCURRED_IN_FUTURE'
  | 'PLAINTEXT_PERSONAL_DATA'
  | 'PROCESSING_RESTRICTED'
  | 'PURPOSE_MISCLASSIFIED'
  | 'PURPOSE_NOT_APPROVED'
  | 'PURPOSE_NOT_STATED'
  | 'PURPOSE_OUT_OF_SCOPE'
  | 'PURPOSE_SUSPENDED'
  | 'PURPOSE_UNKNOWN'
  | 'RECIPIENTS_NOT_NOTIFIED'
  | 'RECIPIENT_UNKNOWN'
  | 'REFUSAL_INFORMATION_MISSING'
  | 'REGISTER_ENTRY_EXISTS'
  | 'REGISTER_ENTRY_UNKNOWN'
  | 'RESTRICTION_LIFT_NOT_NOTIFIED'
  | 'RETENTION_EXTENSION_FORBIDDEN'
  | 'RETENTION_NOT_DUE'
  | 'RETENTION_RULE_MISSING'
  | 'SPECIAL_CATEGORY_NOT_PERMITTED'
  | 'SUBJECT_EXISTS'
  | 'SUBJECT_UNKNOWN'
  | 'TRANSFER_MECHANISM_MISSING'
  | 'UNAUTHENTICATED_ACTOR'
  | 'VERSION_CONFLICT';

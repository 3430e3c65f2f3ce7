// Made from the commands of the engine by `npm run sdk`; a test fails when it is behind.

/** The fields of every command, by its name. What a field means stands in the AsyncAPI document of the engine. */
export interface CommandBodies {
  RequestAccess: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly granteeId: string;
    readonly grantId: string;
    readonly role: 'staff' | 'privacyOfficer' | 'legal';
    readonly purposeId: string;
    readonly categories: readonly string[];
    readonly from?: string;
    readonly to: string;
  };
  GrantAccess: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly granteeId: string;
    readonly grantId: string;
  };
  RevokeAccess: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly granteeId: string;
    readonly grantId: string;
    readonly reason: 'refused' | 'noLongerNeeded' | 'roleChanged' | 'left' | 'misused' | 'reviewed';
  };
  RevokeAllAccess: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly granteeId: string;
    readonly reason: 'refused' | 'noLongerNeeded' | 'roleChanged' | 'left' | 'misused' | 'reviewed';
  };
  ReviewAccess: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly granteeId: string;
    readonly grantId: string;
  };
  ExpireAccess: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly granteeId: string;
    readonly grantId: string;
  };
  RaiseAccessReview: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly granteeId: string;
    readonly kind: 'grant' | 'breakGlass';
    readonly reviewedId: string;
    readonly due: string;
  };
  BreakGlass: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly granteeId: string;
    readonly subjectId: string;
    readonly reason: 'riskToLife' | 'securityIncident' | 'serviceOutage' | 'legalDeadline';
    readonly hours?: number;
  };
  ReviewBreakGlass: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly granteeId: string;
    readonly breakGlassId: string;
    readonly outcome: 'justified' | 'unjustified';
  };
  DraftServiceContract: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly serviceId: string;
    readonly purposes: readonly string[];
    readonly categories: readonly string[];
    readonly collectionPoints: readonly string[];
  };
  ApproveServiceContract: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly serviceId: string;
    readonly version: number;
  };
  EndServiceContract: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly serviceId: string;
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
    readonly rliNecessity?: string;
    readonly liaRef?: string;
    readonly dpiaRequired?: boolean;
    readonly dpiaRef?: string;
    readonly dpvIri: string;
    readonly dataSubjects?: readonly string[];
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
    readonly reviewPeriod?: string;
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
  ReviewPurpose: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly purposeId: string;
    readonly version: number;
  };
  RaisePurposeReview: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly purposeId: string;
    readonly version: number;
    readonly due: string;
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
  AssessCompatibility: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly from: string;
    readonly to: string;
    readonly fromVersion: number;
    readonly toVersion: number;
    readonly verdict: 'compatible' | 'needsConsent' | 'incompatible';
    readonly ground: unknown;
    readonly consentNotReasonable?: string;
    readonly reasoning: string;
  };
  ApproveCompatibility: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly from: string;
    readonly to: string;
    readonly assessment: number;
  };
  RevokeCompatibility: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly from: string;
    readonly to: string;
    readonly assessment: number;
    readonly reasonCode: string;
  };
  DraftLia: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly liaId: string;
    readonly purposeId: string;
    readonly purposeVersion: number;
    readonly subjectClasses: readonly ('individual' | 'soleTrader' | 'corporateContact')[];
    readonly purposeTest: string;
    readonly necessityTest: string;
    readonly balance: string;
    readonly safeguards: readonly string[];
    readonly outcome: 'interestsPrevail' | 'subjectPrevails';
    readonly reviewPeriod?: unknown;
  };
  ApproveLia: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly liaId: string;
    readonly version: number;
  };
  RejectLia: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly liaId: string;
    readonly version: number;
    readonly reasonCode: string;
  };
  ExpireLia: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly liaId: string;
    readonly version: number;
  };
  RecordRegistration: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly attestationId: string;
    readonly scheme: 'ico-dp-fee';
    readonly reference: string;
    readonly tier: number;
    readonly validFrom: string;
    readonly validTo: string;
  };
  RecordCertificate: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly attestationId: string;
    readonly scheme: string;
    readonly edition: string;
    readonly body: string;
    readonly number: string;
    readonly scope: string;
    readonly validFrom: string;
    readonly validTo: string;
    readonly documentHash: string;
  };
  WithdrawCertificate: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly attestationId: string;
    readonly withdrawnOn: string;
    readonly reasonCode: string;
  };
  RecordIndependentTest: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly attestationId: string;
    readonly testKind: 'penetrationTest' | 'vulnerabilityScan' | 'audit';
    readonly tester: string;
    readonly testerCompanyNumber: string;
    readonly scope: string;
    readonly performedOn: string;
    readonly reportHash: string;
  };
  RaiseFinding: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly attestationId: string;
    readonly findingId: string;
    readonly severity: 'critical' | 'high' | 'medium' | 'low';
    readonly dueOn?: string;
  };
  CloseFinding: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly attestationId: string;
    readonly findingId: string;
    readonly closure: 'remedied' | 'riskAccepted' | 'notAFinding';
    readonly evidenceHash?: string;
  };
  RecordRestoreTest: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly attestationId: string;
    readonly backupHash: string;
    readonly environment: 'temporaryFolder' | 'testSystem' | 'standbySystem' | 'production';
    readonly performedOn: string;
    readonly outcome: 'passed' | 'failed';
    readonly digestBefore?: string;
    readonly digestAfter?: string;
    readonly durationSeconds: number;
  };
  CheckAttestation: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly attestationId: string;
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
    readonly statements?: readonly {
      readonly part:
        | 'controllerIdentity'
        | 'contact'
        | 'dataProtectionContact'
        | 'purposes'
        | 'lawfulBases'
        | 'legitimateInterests'
        | 'recipients'
        | 'transfers'
        | 'retentionPeriods'
        | 'rightOfAccess'
        | 'rightToRectification'
        | 'rightToErasure'
        | 'rightToRestriction'
        | 'rightToObject'
        | 'rightToPortability'
        | 'rightToWithdrawConsent'
        | 'complaintToController'
        | 'complaintToAuthority'
        | 'whetherRequired'
        | 'automatedDecisions'
        | 'source';
      readonly passage: string;
      readonly purposes?: readonly string[];
      readonly basis?:
        | 'consent'
        | 'contract'
        | 'legalObligation'
        | 'vitalInterests'
        | 'publicTask'
        | 'recognisedLegitimateInterest'
        | 'legitimateInterests';
      readonly period?: string;
      readonly categories?: readonly string[];
      readonly recipientKinds?: readonly string[];
    }[];
    readonly claims?: readonly {
      readonly passage: string;
      readonly kind: 'registration' | 'certificate' | 'independentTest' | 'restoreTest' | 'wording';
      readonly scheme: string;
      readonly edition?: string;
    }[];
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
    readonly sourceRecipientId?: string;
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
    readonly requestId?: string;
  };
  RefuseCorrection: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly reasonCode?: 'accurateAsHeld' | 'manifestlyUnfounded' | 'manifestlyExcessive' | 'identityNotShown';
    readonly complaintRoutes?: readonly ('controller' | 'commissioner' | 'court')[];
    readonly requestId?: string;
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
    readonly itemId: unknown;
    readonly useId: unknown;
    readonly cause: 'bouncedEmail' | 'returnedPost' | 'subjectNotice' | 'other';
  };
  RaiseAccuracyCheck: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly due: string;
  };
  RaiseOverdueCheck: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly due: string;
  };
  RecordRenewal: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
  };
  RaiseArt14NoticeOverdue: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly noticeId: string;
    readonly due: string;
  };
  ReportChange: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly channel: string;
    readonly changes: readonly {
      readonly category: string;
      readonly itemId?: string;
      readonly value?: string;
    }[];
  };
  AnswerRectification: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly requestId: string;
  };
  RaiseRectificationOverdue: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly requestId: string;
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
  RequestConsent: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly channel: string;
    readonly noticeId: string;
    readonly noticeVersion: number;
    readonly statementHash: string;
    readonly method: 'webForm' | 'phone' | 'paper' | 'inPerson' | 'inProduct' | 'email';
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
    readonly authorityRef?: string;
    readonly bundled?: boolean;
    readonly conditional?: boolean;
    readonly statedAge?: number;
    readonly expiresAt?: string;
  };
  RefuseConsent: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly channel: string;
    readonly method?: 'webForm' | 'phone' | 'paper' | 'inPerson' | 'inProduct' | 'email';
  };
  WithdrawConsent: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly channel: string;
    readonly method?: 'webForm' | 'phone' | 'paper' | 'inPerson' | 'inProduct' | 'email';
  };
  InvalidateConsent: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly channel: string;
    readonly reason: 'noticeWrong' | 'statementWrong' | 'notFreelyGiven' | 'notUnambiguous' | 'notAuthorised';
  };
  ExpireConsent: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly channel: string;
  };
  ReviewConsent: {
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
    readonly campaignRef?: string;
    readonly itemIds: readonly string[];
  };
  ReportUse: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly useId: string;
    readonly outcome: 'done' | 'failed' | 'notDone';
    readonly campaignRef?: string;
  };
  ObjectToMarketing: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
  };
  WithdrawMarketingObjection: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
  };
  RecordSoftOptIn: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly purposeId: string;
    readonly obtainedInSale: boolean;
    readonly ownSimilarProducts: boolean;
    readonly refusalOfferedAtCollection: boolean;
    readonly refusalOfferedInEveryMessage: boolean;
  };
  RecordPreferenceScreening: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemId: string;
    readonly register: 'TPS' | 'CTPS';
    readonly listed: boolean;
  };
  SuppressAddress: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly suppressionId: string;
    readonly kind: 'email' | 'phone' | 'post';
    readonly address: string;
    readonly source: 'person' | 'preferenceService' | 'bounce' | 'regulator';
  };
  LiftSuppression: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly suppressionId: string;
  };
  RemoveSuppression: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly suppressionId: string;
  };
  ReportIncident: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly incidentId: string;
    readonly kind:
      | 'USE_AFTER_WITHDRAWAL'
      | 'USE_AFTER_OBJECTION'
      | 'USE_AFTER_RESTRICTION'
      | 'USE_AFTER_ERASURE'
      | 'USE_AFTER_EXPIRY'
      | 'USE_WITHOUT_BASIS'
      | 'USE_FOR_OTHER_CAMPAIGN';
    readonly reporter: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly useId: string;
  };
  RecordServiceDisruption: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly disruptionId: string;
    readonly services: readonly string[];
    readonly from: string;
    readonly to?: string;
    readonly cause:
      | 'hardware'
      | 'software'
      | 'network'
      | 'power'
      | 'supplier'
      | 'humanError'
      | 'attack'
      | 'plannedMaintenance'
      | 'unknown';
    readonly personalDataUnavailable: boolean;
    readonly incidentRef?: string;
  };
  RecordProjectionRebuild: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly rebuildId: string;
    readonly through: number;
    readonly digest: string;
    readonly projections: readonly {
      readonly projection: string;
      readonly digest: string;
    }[];
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
    readonly recipientId: string;
    readonly kind: 'art28' | 'jointController' | 'intraGroup';
  };
  AmendAgreement: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly agreementId: string;
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
    readonly version: number;
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
    readonly recipientId: string;
    readonly purposeId: string;
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
    readonly medium: string;
    readonly transferMechanism?: 'adequacy' | 'idta' | 'addendum' | 'bindingRules' | 'derogation';
    readonly disclosureId?: string;
    readonly subjectId: string;
    readonly itemIds: readonly string[];
    readonly consentRef?: string;
  };
  ShareCategories: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly recipientId: string;
    readonly purposeId: string;
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
    readonly medium: string;
    readonly transferMechanism?: 'adequacy' | 'idta' | 'addendum' | 'bindingRules' | 'derogation';
    readonly disclosureId: string;
    readonly subjectId: string;
    readonly categories: readonly string[];
    readonly subjectCount: number;
  };
  ShareDataInBulk: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly recipientId: string;
    readonly purposeId: string;
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
    readonly medium: string;
    readonly transferMechanism?: 'adequacy' | 'idta' | 'addendum' | 'bindingRules' | 'derogation';
    readonly disclosureId: string;
    readonly categories: readonly string[];
    readonly subjectIds: readonly string[];
  };
  RecordBulkProgress: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly disclosureId: string;
    readonly batch: number;
    readonly shared: number;
    readonly refused: readonly {
      readonly subjectId: string;
      readonly code: string;
    }[];
  };
  NotifyRecipient: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly recipientId: string;
    readonly what?: 'correction' | 'restriction' | 'erasure';
    readonly itemId?: string;
    readonly version?: number;
    readonly outcome: 'notified' | 'impossible' | 'disproportionate';
  };
  ConfirmRecipient: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly recipientId: string;
    readonly what?: 'correction' | 'restriction' | 'erasure';
    readonly itemId?: string;
    readonly reference?: string;
  };
  MarkRecipientUnreachable: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly recipientId: string;
    readonly what?: 'correction' | 'restriction' | 'erasure';
    readonly itemId?: string;
    readonly reason: 'noAnswer' | 'addressUnknown' | 'dissolved' | 'refused';
  };
  RemindRecipient: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly recipientId: string;
    readonly what?: 'correction' | 'restriction' | 'erasure';
  };
  EndCopies: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly recipientId: string;
    readonly taskId: string;
    readonly reason: 'groupExit' | 'agreementEnded';
    readonly ground: string;
    readonly since: string;
    readonly outcome: 'returned' | 'deleted';
    readonly reference: string;
  };
  OpenReturnOrDelete: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly recipientId: string;
    readonly reason: 'groupExit' | 'agreementEnded';
    readonly reference: string;
    readonly since: string;
  };
  ConfirmReturnOrDelete: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly recipientId: string;
    readonly taskId: string;
    readonly outcome: 'returned' | 'deleted' | 'keptByLaw' | 'continued';
    readonly reference: string;
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
  HoldForPurpose: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly itemIds: readonly string[];
    readonly assessmentRef: string;
    readonly serviceRequestRef?: string;
  };
  EndPurposeForItem: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly itemIds: readonly string[];
    readonly reason: 'fulfilled' | 'consentWithdrawn' | 'objection' | 'purposeRetired' | 'other';
  };
  EndConsentedPurpose: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
  };
  OpenDeferral: {
    readonly occurredAt?: string;
    readonly subjectId: string;
    readonly deferralId: string;
    readonly cause: 'openAccessRequest' | 'openComplaint' | 'openIncident';
    readonly caseRef: string;
    readonly itemIds?: readonly string[];
    readonly categories?: readonly string[];
  };
  CloseDeferral: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly deferralId: string;
  };
  ExpireRetention: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemIds?: readonly string[];
  };
  DecideRetentionReview: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly itemIds: readonly string[];
    readonly outcome: 'erase' | 'keep';
  };
  EraseData: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly cause: 'request' | 'consentWithdrawn' | 'unlawful' | 'objection';
    readonly itemIds?: readonly string[];
    readonly exceptions?: readonly {
      readonly itemId: string;
      readonly exception:
        'freedomOfExpression' | 'legalObligation' | 'publicHealth' | 'archivingResearch' | 'legalClaims';
      readonly until: string;
    }[];
  };
  ConfirmErasure: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
  };
  ConfirmReportedValuesErased: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly requestId: string;
  };
  FinaliseErasure: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly erasureId: string;
  };
  RestateErasure: {
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
  ApproveErasureRun: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly runId: string;
    readonly at: string;
    readonly digest: string;
    readonly items: readonly {
      readonly subjectId: string;
      readonly itemId: string;
      readonly version: number;
      readonly action: 'erase' | 'anonymise' | 'review';
    }[];
    readonly exceptions: readonly {
      readonly cause: 'legalHold' | 'restriction' | 'openAccessRequest' | 'openComplaint' | 'openIncident';
      readonly versions: number;
    }[];
  };
  PlaceLegalHold: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly holdId: string;
    readonly scope: {
      readonly subjectIds?: readonly string[];
      readonly categories?: readonly string[];
      readonly purposes?: readonly string[];
    };
    readonly matterRef: string;
    readonly basis: 'legalClaims' | 'courtOrder' | 'statutoryDuty' | 'regulatoryInvestigation';
    readonly reviewAt?: string;
  };
  ApproveLegalHold: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly holdId: string;
  };
  ReviewLegalHold: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly holdId: string;
    readonly reviewAt?: string;
  };
  LiftLegalHold: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly holdId: string;
    readonly reason: 'matterClosed' | 'scopeExcluded';
  };
  RaiseHoldReview: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly holdId: string;
    readonly reviewAt: string;
  };
  LapseLegalHold: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly holdId: string;
  };
  DescribeController: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly controllerId: string;
    readonly name: string;
    readonly postalAddress: string;
    readonly email: string;
    readonly dataProtectionOfficer?: {
      readonly role: string;
      readonly email: string;
    };
    readonly authority: string;
    readonly security: string;
    readonly effectiveFrom?: string;
  };
  RegisterTelemetryStream: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly streamId: string;
    readonly version?: number;
    readonly service: string;
    readonly purposeId: string;
    readonly noticeId: string;
    readonly traceability: 'direct' | 'indirect' | 'none';
    readonly anonymityAssessmentRef?: string;
    readonly readsDevice: boolean;
    readonly strictlyNecessary?: string;
    readonly fields: readonly {
      readonly name: string;
      readonly type: 'text' | 'number' | 'boolean';
      readonly essentialFor?: string;
      readonly justification?: string;
      readonly traceability: 'direct' | 'indirect' | 'none';
    }[];
  };
  ApproveEssentiality: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly streamId: string;
    readonly version: number;
    readonly reviewAfter?: unknown;
  };
  RejectEssentiality: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly streamId: string;
    readonly version: number;
    readonly reasonCode: 'notEssential' | 'lessWouldDo' | 'justificationMissing' | 'other';
  };
  SuspendTelemetryStream: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly streamId: string;
    readonly reasonCode: 'incident' | 'underReview' | 'defect' | 'other';
  };
  ResumeTelemetryStream: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly streamId: string;
  };
  RetireTelemetryStream: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly streamId: string;
  };
  RaiseEssentialityReview: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly streamId: string;
    readonly version: number;
    readonly reviewBy: string;
  };
  RecordUsage: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly streamId: string;
    readonly subjectId: string;
    readonly batchRef: string;
    readonly entries: readonly {
      readonly at: string;
      readonly values: object;
    }[];
  };
  ExpireUsage: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly month: string;
  };
  ConfirmUsageErasure: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly month: string;
  };
  AuthoriseUsageAccess: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly purposeId: string;
    readonly streamIds: readonly string[];
  };
  ViewPersonalData: {
    readonly caseRef?: string;
    readonly subjectId: string;
    readonly occurredAt: string;
    readonly purposeId?: string;
    readonly categories: readonly string[];
    readonly bulkViewId?: string;
  };
  DrawViewBudget: {
    readonly caseRef?: string;
    readonly occurredAt: string;
    readonly subjectId: string;
  };
  RecordSearch: {
    readonly caseRef?: string;
    readonly occurredAt: string;
    readonly field: 'email' | 'phone' | 'customerNumber';
    readonly purposeId?: string;
    readonly found: readonly {
      readonly subjectId: string;
      readonly categories: readonly string[];
    }[];
  };
  RequestBulkView: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly bulkViewId: string;
    readonly purposeId: string;
    readonly categories: readonly string[];
    readonly subjectIds: readonly string[];
    readonly hours: number;
  };
  ApproveBulkView: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly bulkViewId: string;
  };
  CloseBulkView: {
    readonly occurredAt?: string;
    readonly caseRef?: string;
    readonly bulkViewId: string;
  };
}

/** Why a command may be refused. New reasons come; a code never changes its meaning. */
export type RefusalCode =
  | 'ACCESS_EXPIRED'
  | 'ACCESS_NOT_GRANTED'
  | 'ACCURACY_CHECK_OVERDUE'
  | 'AGREEMENT_DOES_NOT_COVER'
  | 'AGREEMENT_EXPIRED'
  | 'AGREEMENT_MISSING'
  | 'AGREEMENT_SUMMARY_MISSING'
  | 'ANONYMITY_NOT_ASSESSED'
  | 'ART14_NOTICE_DUE'
  | 'ATTESTATION_PERIOD_EXCEEDED'
  | 'AUDITOR_NO_PLAINTEXT'
  | 'BREACH_REFERENCE_MISSING'
  | 'CLAIM_SUPERSEDED'
  | 'CLAIM_UNBACKED'
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
  | 'DEFERRED_OPEN_ACCESS_REQUEST'
  | 'DISCLOSURE_EXCEEDS_SCOPE'
  | 'DPIA_MISSING'
  | 'ERASURE_EXCEPTION_APPLIES'
  | 'ERASURE_INCOMPLETE'
  | 'ESSENTIALITY_REVIEW_OVERDUE'
  | 'EXPLANATION_MISSING'
  | 'FIELD_NOT_ESSENTIAL'
  | 'FIELD_NOT_REQUIRED_FOR_PURPOSE'
  | 'FORBIDDEN'
  | 'FOUR_EYES_REQUIRED'
  | 'FREE_TEXT_NOT_DECLARED'
  | 'INSTRUMENT_NOT_IN_FORCE'
  | 'ITEM_DISPUTED'
  | 'ITEM_NOT_HELD_FOR_PURPOSE'
  | 'ITEM_UNKNOWN'
  | 'LAWFUL_BASIS_NOT_AVAILABLE'
  | 'LEGAL_HOLD_IN_FORCE'
  | 'LIA_EXPIRED'
  | 'LIA_MISSING'
  | 'LIA_OUTCOME_AGAINST'
  | 'MARKETING_OBJECTION'
  | 'NOTICE_DOES_NOT_COVER_PURPOSE'
  | 'NOTICE_IMMUTABLE'
  | 'NOTICE_INCOMPLETE'
  | 'NOTICE_NOT_IN_FORCE'
  | 'NOTICE_NOT_PRESENTED'
  | 'NOTICE_UNKNOWN'
  | 'NOT_COMPELLED'
  | 'NOT_ESSENTIAL'
  | 'NOT_GROUP_MEMBER'
  | 'NO_MARKETING_BASIS'
  | 'NO_SERVICE_REQUEST'
  | 'OCCURRED_BEFORE_OPENING'
  | 'OCCURRED_IN_FUTURE'
  | 'OUTSIDE_SERVICE_CONTRACT'
  | 'PECR_CONSENT_REQUIRED'
  | 'PLAINTEXT_PERSONAL_DATA'
  | 'PROCESSING_RESTRICTED'
  | 'PURPOSE_INCOMPATIBLE'
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
  | 'RESPONSE_INCOMPLETE'
  | 'RESTORE_NOT_SHOWN'
  | 'RESTRICTION_LIFT_NOT_NOTIFIED'
  | 'RETENTION_EXTENSION_FORBIDDEN'
  | 'RETENTION_NOT_DUE'
  | 'RETENTION_RULE_MISSING'
  | 'SELF_APPROVAL'
  | 'SOFT_OPT_IN_NOT_MET'
  | 'SPECIAL_CATEGORY_NOT_PERMITTED'
  | 'SUBJECT_EXISTS'
  | 'SUBJECT_UNKNOWN'
  | 'SUPPRESSED_ADDRESS'
  | 'TELEMETRY_STREAM_UNKNOWN'
  | 'TESTER_NOT_INDEPENDENT'
  | 'TPS_SCREEN_STALE'
  | 'TRANSFER_MECHANISM_MISSING'
  | 'UNAUTHENTICATED_ACTOR'
  | 'USAGE_SECONDARY_USE'
  | 'USE_UNKNOWN'
  | 'VERSION_CONFLICT'
  | 'VIEW_BUDGET_EXCEEDED';

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { isCommercialTerm } from '#purpose';
import { readPolicy, SHIPPED_POLICY } from './policy-file.js';

/** The purposes of the Data Privacy Vocabulary 2.3 (W3C Community Group): the terms below `dpv:Purpose`. */
const DPV_PURPOSES = new Set(
  `AcademicResearch AccountManagement Advertising AgeVerification CombatClimateChange CommercialPurpose CommercialResearch CommunicationForCustomerCare CommunicationManagement CounterMoneyLaundering Counterterrorism CustomerCare CustomerClaimsManagement CustomerManagement CustomerOrderManagement CustomerRelationshipManagement CustomerSolvencyMonitoring DataAltruism DeliveryOfGoods DirectMarketing DisputeManagement EnforceAccessControl EnforceSecurity EstablishContractualAgreement FraudPreventionAndDetection FulfilmentOfContractualObligation FulfilmentOfObligation HumanResourceManagement IdentityAuthentication IdentityVerification ImproveExistingProductsAndServices ImproveHealthcare ImproveInternalCRMProcesses ImprovePublicServices ImproveTransportMobility IncreaseServiceRobustness InternalResourceOptimisation LegalCompliance MaintainFraudDatabase Marketing MemberPartnerManagement MisusePreventionAndDetection NonCommercialPurpose NonCommercialResearch OptimisationForConsumer OptimisationForController OptimiseUserInterface OrganisationComplianceManagement OrganisationGovernance OrganisationRiskManagement PaymentManagement Personalisation PersonalisedAdvertising PersonalisedBenefits PersonnelBehaviourMonitoring PersonnelHiring PersonnelManagement PersonnelMonitoring PersonnelOffboarding PersonnelOnboarding PersonnelPayment PersonnelPerformanceEvaluation PersonnelPerformanceManagement PersonnelPerformanceMonitoring PersonnelPerformancePrediction PersonnelPromotionManagement PersonnelTerminationManagement PersonnelWorkloadManagement PoliticalCampaign ProtectionOfIPR ProtectionOfNationalSecurity ProtectionOfPublicSecurity ProvideEventRecommendations ProvideOfficialStatistics ProvidePersonalisedRecommendations ProvideProductRecommendations PublicBenefit PublicPolicyMaking PublicRelations RecordManagement RecruitmentAdvertising RecruitmentApplicantBackgroundCheck RecruitmentApplicantCriminalBackgroundCheck RecruitmentApplicantInformationAuthentication RecruitmentApplicantSelection RecruitmentApplicationAnalysis RecruitmentApplicationManagement RecruitmentApplicationScreening RecruitmentInterviewAnalysis RecruitmentInterviewAssessment RecruitmentInterviewManagement RecruitmentInterviewScheduling RecruitmentManagement RecruitmentTargetedAdvertising RepairImpairments RequestedServiceProvision ResearchAndDevelopment RightsFulfilment ScientificResearch SearchFunctionalities SellDataToThirdParties SellInsightsFromData SellProducts SellProductsToDataSubject ServiceAccessDetermination ServiceManagement ServiceMonitoring ServiceOptimisation ServicePersonalisation ServiceProvision ServiceRegistration ServiceUsageAnalytics SocialMediaMarketing TargetedAdvertising TechnicalServiceProvision UserInterfacePersonalisation VendorManagement VendorPayment VendorRecordsManagement VendorSelectionAssessment Verification`.split(
    /\s+/,
  ),
);

const { purposes } = readPolicy(readFileSync(SHIPPED_POLICY, 'utf8'));
/** A term under `dpv:` that is no purpose there. */
const invented = (iri: string): boolean => iri.startsWith('dpv:') && !DPV_PURPOSES.has(iri.slice(4));

describe('the terms that name the shipped purposes', () => {
  it.each(purposes.map(({ id, dpvIri }) => [id, dpvIri] as const))(
    'are purposes of the vocabulary: %s, %s',
    (_id, iri) => expect(invented(iri)).toBe(false),
  );

  it.each(purposes.map(({ id, dpvIri, commercial }) => [id, dpvIri, commercial] as const))(
    'say whether a purpose is commercial: %s, %s',
    (_id, iri, commercial) => {
      if (isCommercialTerm(iri)) expect(commercial).toBe(true);
      expect(isCommercialTerm(iri) || !commercial).toBe(true);
    },
  );

  it('would be found out if they were invented, or named something else', () => {
    for (const iri of ['dpv:ComplaintHandling', 'dpv:AuditLog', 'dpv:DataSubjectRightsManagement', 'dpv:Collect'])
      expect(invented(iri)).toBe(true);
    expect(invented('https://custos.example/terms#ComplaintHandling')).toBe(false);
  });
});

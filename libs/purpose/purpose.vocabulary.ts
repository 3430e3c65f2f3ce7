/**
 * Purposes of the Data Privacy Vocabulary 2.3 (W3C) that are commercial whatever their author says (I-17a): everything
 * below Marketing (which holds Advertising), Personalisation, SellProducts and CommercialPurpose.
 */
const COMMERCIAL = new Set([
  'Advertising',
  'CommercialPurpose',
  'CommercialResearch',
  'DirectMarketing',
  'Marketing',
  'Personalisation',
  'PersonalisedAdvertising',
  'PersonalisedBenefits',
  'PoliticalCampaign',
  'ProvideEventRecommendations',
  'ProvidePersonalisedRecommendations',
  'ProvideProductRecommendations',
  'PublicRelations',
  'RecruitmentAdvertising',
  'RecruitmentTargetedAdvertising',
  'SellDataToThirdParties',
  'SellInsightsFromData',
  'SellProducts',
  'SellProductsToDataSubject',
  'ServicePersonalisation',
  'SocialMediaMarketing',
  'TargetedAdvertising',
  'UserInterfacePersonalisation',
]);

/** A term of the vocabulary, as `dpv:Term` or as an IRI of any of its versions and serialisations. */
const DPV_TERM = /^(?:dpv:|https?:\/\/w3id\.org\/dpv(?:\/[\w./-]*)?#)(\w+)$/;

/** Whether a purpose named by this IRI is commercial by its name. A term of another vocabulary never is. */
export function isCommercialTerm(dpvIri: string): boolean {
  return COMMERCIAL.has(DPV_TERM.exec(dpvIri)?.[1] ?? '');
}

/**
 * Names that make a category special (UK GDPR Art 9) or criminal offence data (Art 10), in lower case. `special`
 * marks any other one: `special.anything`.
 */
const SPECIAL = new Set([
  'special',
  'race',
  'racialorigin',
  'ethnicity',
  'ethnicorigin',
  'political',
  'politics',
  'politicalopinion',
  'politicalopinions',
  'religion',
  'religious',
  'religiousbelief',
  'religiousbeliefs',
  'philosophicalbelief',
  'philosophicalbeliefs',
  'tradeunion',
  'tradeunionmembership',
  'genetic',
  'geneticdata',
  'biometric',
  'biometrics',
  'biometricdata',
  'health',
  'healthdata',
  'medical',
  'diagnosis',
  'disability',
  'sexlife',
  'sexuality',
  'sexualorientation',
  'criminal',
  'criminaloffence',
  'criminaloffences',
  'criminalconviction',
  'criminalconvictions',
  'criminalrecord',
  'conviction',
  'convictions',
  'offence',
  'offences',
]);

/** Whether a category is special by its name: one of its parts is, as in `crew.health`. */
export function isSpecialCategory(category: string): boolean {
  return category.split('.').some((part) => SPECIAL.has(part.toLowerCase()));
}

/** The category of what is captured of the use of a service (C06). It has registered streams instead of forms (C07). */
export const USAGE = 'usage';

/** Whether a category is usage, or a part of it such as `usage.charts`. */
export const isUsage = (category: string): boolean => category.split('.')[0] === USAGE;

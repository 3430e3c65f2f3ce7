import type { CivilDate } from '#kernel';
import { RESTORE_SCHEME, TEST_SCHEME } from './assurance.register.js';

export const CLAIM_KINDS = ['registration', 'certificate', 'independentTest', 'restoreTest', 'wording'] as const;
export type ClaimKind = (typeof CLAIM_KINDS)[number];

/** What a public text says the controller holds or has had done, so that an attestation has to stand behind it (I-03a). */
export interface Claim {
  /** The scheme, with the edition if the text names one: `iso-27001:2013`. A text makes each claim once. */
  readonly claimId: string;
  readonly kind: ClaimKind;
  readonly scheme: string;
  /** Of a certificate; for a registration the Act that the text names, when it is not the one in force. */
  readonly edition?: string;
  /** The words by which the text makes it, in its first place. */
  readonly text: string;
}

/** What a claim must no longer name, whoever attests it. */
export interface Superseded {
  readonly scheme: string;
  readonly edition?: string;
  /** First day on which it is over. */
  readonly from: CivilDate;
  readonly why: 'repealedLaw' | 'withdrawnEdition' | 'wording';
}

/**
 * Repealed law, withdrawn editions, and words that were never right.
 *
 * - The Data Protection Act 1998 was repealed on 25 May 2018 by the Act of 2018.
 * - Certificates of ISO/IEC 27001:2013 ceased to be valid on 31 October 2025 (IAF MD 26).
 * - An organisation is certified; accreditation is what a certification body has.
 */
export const SUPERSEDED: readonly Superseded[] = [
  { scheme: 'ico-dp-fee', edition: 'dpa-1998', from: '2018-05-25', why: 'repealedLaw' },
  { scheme: 'iso-27001', edition: '2013', from: '2025-10-31', why: 'withdrawnEdition' },
  { scheme: 'accreditation', from: '0000-01-01', why: 'wording' },
];

interface ClaimRule {
  readonly kind: ClaimKind;
  readonly pattern: RegExp;
  readonly scheme: (found: RegExpExecArray) => string;
  readonly edition?: (found: RegExpExecArray) => string | undefined;
}

/**
 * The phrases by which English texts make claims. A text that mentions a scheme is read as claiming it: readers take
 * it so.
 */
const RULES: readonly ClaimRule[] = [
  {
    kind: 'registration',
    pattern: /\b(?:Data Protection Act,? 1998|DPA 1998)\b/gi,
    scheme: () => 'ico-dp-fee',
    edition: () => 'dpa-1998',
  },
  {
    kind: 'registration',
    pattern:
      /\bregist(?:ered|ration) (?:with|by|at) (?:the )?(?:UK )?(?:Information Commission\w*|ICO)\b|\bdata protection fee\b|\b(?:data protection|ICO|fee payers?['’]?) (?:public )?register\b|\bregister of fee payers\b/gi,
    scheme: () => 'ico-dp-fee',
  },
  {
    kind: 'certificate',
    pattern:
      /\bISO(?: ?\/ ?IEC)?[ -]?(27001|27701|27017|27018|22301|9001|20000)(?:-1)?(?: ?: ?(\d{4})|-(\d{4}))?(?!\d)/gi,
    scheme: (found) => `iso-${found[1]}`,
    edition: (found) => found[2] ?? found[3],
  },
  {
    kind: 'certificate',
    pattern: /\bCyber[ -]Essentials( Plus)?\b/gi,
    scheme: (found) => (found[1] === undefined ? 'cyber-essentials' : 'cyber-essentials-plus'),
  },
  // A body that certifies may well be accredited; whoever is certified is not.
  {
    kind: 'wording',
    pattern: /(?<!UKAS[ -])\baccredit\w*\b(?! (?:certification |conformity )?(?:bod(?:y|ies)|certifiers?)\b)/gi,
    scheme: () => 'accreditation',
  },
  {
    kind: 'independentTest',
    pattern:
      /\bindependent(?:ly)? (?:(?:security|penetration) )?(?:test\w*|audit\w*|assess\w*)|\bpenetration[ -]test\w*/gi,
    scheme: () => TEST_SCHEME,
  },
  {
    kind: 'restoreTest',
    pattern:
      /\btest(?:s|ed|ing)? (?:our |the |all )?(?:backups?|restores?)\b|\b(?:backups?|restores?) (?:are|is|have been|has been) (?:regularly )?tested\b/gi,
    scheme: () => RESTORE_SCHEME,
  },
];

/**
 * The claims that the rules find in a text, each once, in the order of their rules. Underscores and line ends count as
 * spaces. What is said in other words or another language is not found: the publisher declares it.
 */
export function detectClaims(content: string): readonly Claim[] {
  const text = content.replace(/[_\s]+/g, ' ');
  const claims = RULES.flatMap(({ kind, pattern, scheme, edition }) =>
    [...text.matchAll(pattern)].map((found) =>
      claimOf(kind, scheme(found as RegExpExecArray), edition?.(found as RegExpExecArray), found[0]),
    ),
  );
  return firstOfEach(claims);
}

export function claimOf(kind: ClaimKind, scheme: string, edition: string | undefined, text: string): Claim {
  const claimId = edition === undefined ? scheme : `${scheme}:${edition}`;
  return { claimId, kind, scheme, ...(edition !== undefined && { edition }), text };
}

/** Each claim once, by its first place. */
export function firstOfEach(claims: readonly Claim[]): readonly Claim[] {
  return claims.filter(({ claimId }, index) => claims.findIndex((each) => each.claimId === claimId) === index);
}

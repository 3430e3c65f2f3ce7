import { detectClaims, type Claim } from '#assurance';
import { parsePeriod } from '#calendar';
import type { LawfulBasis } from '#purpose';

/**
 * The parts that UK GDPR Art 13 asks for, each with the place that asks, and the complaint to the controller that DPA
 * 2018 s.164A has added. Codes are part of the API: they are never renamed.
 */
export const NOTICE_PARTS = {
  controllerIdentity: 'Art 13(1)(a)',
  contact: 'Art 13(1)(a)',
  dataProtectionContact: 'Art 13(1)(b)',
  purposes: 'Art 13(1)(c)',
  lawfulBases: 'Art 13(1)(c)',
  legitimateInterests: 'Art 13(1)(d)',
  recipients: 'Art 13(1)(e)',
  transfers: 'Art 13(1)(f)',
  retentionPeriods: 'Art 13(2)(a)',
  rightOfAccess: 'Art 13(2)(b)',
  rightToRectification: 'Art 13(2)(b)',
  rightToErasure: 'Art 13(2)(b)',
  rightToRestriction: 'Art 13(2)(b)',
  rightToObject: 'Art 13(2)(b)',
  rightToPortability: 'Art 13(2)(b)',
  rightToWithdrawConsent: 'Art 13(2)(c)',
  complaintToController: 'DPA 2018 s.164A',
  complaintToAuthority: 'Art 13(2)(d)',
  whetherRequired: 'Art 13(2)(e)',
  automatedDecisions: 'Art 13(2)(f)',
  source: 'Art 14(2)(f)',
} as const;

export type NoticePart = keyof typeof NOTICE_PARTS;
export const NOTICE_PART_NAMES = Object.keys(NOTICE_PARTS) as readonly NoticePart[];

/** Parts that the law asks for under a condition, which a text alone does not settle. */
export const CONDITIONAL_PARTS: readonly NoticePart[] = [
  'legitimateInterests',
  'rightToWithdrawConsent',
  'automatedDecisions',
  'source',
];

/** Where in the text a part stands, declared by whoever publishes it. */
export interface NoticeStatement {
  readonly part: NoticePart;
  /** Words of the text; line ends and runs of spaces make no difference. */
  readonly passage: string;
  /** The purposes it speaks of: for `purposes`, `lawfulBases` and `retentionPeriods`. */
  readonly purposes?: readonly string[];
  /** For `lawfulBases`. */
  readonly basis?: LawfulBasis;
  /** For `retentionPeriods`: an ISO 8601 duration, and the categories kept that long; all of its purposes when absent. */
  readonly period?: string;
  readonly categories?: readonly string[];
  /** For `recipients`: the kinds of recipient it tells of. */
  readonly recipientKinds?: readonly string[];
}

/**
 * Words by which an English text says a part. They are broad: each alternative is a way in which notices say it. What
 * belongs together stands within one sentence, and not further apart than 200 characters: a long text is read in time
 * that grows with its length.
 */
const SAID: Readonly<Record<NoticePart, RegExp>> = {
  controllerIdentity:
    /\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b|\b(?:registered office|postal address|our address|write to us at|our office is at)\b/i,
  contact: /\S@\S+\.\S|\b(?:tele)?phone (?:number|us)\b|\bcall us\b|\+\d[\d ()-]{8,}/i,
  dataProtectionContact:
    /\b(?:data protection|privacy) (?:officer|lead|manager|contact|team)\b|\bresponsible for (?:data protection|privacy)\b/i,
  purposes: /\bus(?:e|es|ed|ing)\b[^.]{0,200}\b(?:to|for|because|only|where)\b|\bpurposes?\b/i,
  lawfulBases: /\b(?:lawful|legal) (?:basis|bases|ground)|\bArt(?:icle|\.)? ?6\b|\b6\(1\)/i,
  legitimateInterests: /\b(?:legitimate )?interests? (?:is|are|in|that we|which we|we pursue|pursued)\b/i,
  recipients:
    /\bthird part(?:y|ies)\b|\brecipients?\b|\b(?:passed|disclosed?|hand(?:ed)?|shared?|given?|gets?) (?:on |over )?(?:to|with)\b|\b(?:work|act)s? for us\b|\bgroup\b/i,
  transfers:
    /\b(?:outside|beyond|out of) (?:of )?(?:the )?(?:UK|United Kingdom|EEA|EU|European|country)\b|\b(?:international|cross-border) transfers?\b|\b(?:another|other|third) countr(?:y|ies)\b|\babroad\b/i,
  retentionPeriods: new RegExp(`\\b(?:\\d+|${numberWords()}) (?:calendar )?(?:day|week|month|year)s?\\b`, 'i'),
  rightOfAccess:
    /\b(?:find out|see|know|told) what (?:information )?we hold\b|\ba copy of\b|\bget a copy\b|\b(?:right of|right to|ask for) access\b/i,
  rightToRectification: /\bcorrect|\brectif/i,
  rightToErasure: /\beras(?:e|ed|ure|ing)\b|\bdelet(?:e|ed|ion|ing)\b/i,
  rightToRestriction: /\brestrict/i,
  rightToObject: /\bobject(?:ion|ing|s)?\b/i,
  rightToPortability: /\bportab|\bmachine-readable\b|\bmachines? can read\b|\btransmit[^.]{0,200} to another\b/i,
  rightToWithdrawConsent: /\bwithdraw|\btake back\b|\bchange your mind\b|\brevoke/i,
  complaintToController:
    /\bcomplaints? (?:procedure|process|form)\b|\bcomplain to us\b|\btell us what is wrong\b|\b(?:log|make) a complaint\b/i,
  complaintToAuthority:
    /\b(?:complain|complaint|turn|write|report|lodge|contact)\b[^.]{0,200}\b(?:Information Commission\w*|ICO|supervisory authority)\b/i,
  whetherRequired:
    /\brequired to provide\b|\b(?:needed|need|necessary|required|must)\b[^.]{0,200}\b(?:for it|to (?:supply|provide|deliver|answer)|without)\b|\bwithout (?:it|them|this)\b|\bup to you\b|\byou (?:do not|need not) have to\b|\boptional\b/i,
  automatedDecisions: /\bautomat|\bby a machine\b|\bprofiling\b/i,
  source:
    /\bwhere (?:your|the|we get your) data comes? from\b|\b(?:gives?|given|get|obtained?|collected|receive|comes?)\b[^.]{0,200}\bfrom (?:you|others|other|somebody|another|public)\b|\bsomebody else gives\b|\bFrom you\./i,
};

const BASIS_SAID: Readonly<Record<LawfulBasis, RegExp>> = {
  consent: /\bconsent|\bagree|\b6\(1\)\(a\)/i,
  contract: /\bcontract|\b6\(1\)\(b\)/i,
  legalObligation: /\boblig|\b(?:law|statute)[^.]{0,200} (?:requires|tells)|\brequired by law\b|\b6\(1\)\(c\)/i,
  vitalInterests: /\bvital interest|\b6\(1\)\(d\)/i,
  publicTask: /\bpublic (?:task|interest)|\b6\(1\)\(e\)/i,
  recognisedLegitimateInterest: /\brecognised legitimate interest|\b6\(1\)\(ea\)/i,
  legitimateInterests: /\blegitimate interest|\b6\(1\)\(f\)/i,
};

/** Whether the rules read this language; in another one a declared passage is only looked for. */
export const isEnglish = (language: string): boolean => /^en(?:-|$)/i.test(language);

/** Whether these English words say the part. */
export const says = (part: NoticePart, words: string): boolean => SAID[part].test(plain(words));

/** Whether these English words name the lawful basis. */
export const saysBasis = (basis: LawfulBasis, words: string): boolean => BASIS_SAID[basis].test(plain(words));

/** Whether these English words state the period, in figures or in words: `P2Y` is two years, 2 years or 24 months. */
export function saysPeriod(isoPeriod: string, words: string): boolean {
  const period = parsePeriod(isoPeriod);
  if (!period) return false;
  const text = plain(words);
  const { years, months, days, hours } = period;
  const states = (count: number, unit: string) =>
    count > 0 && new RegExp(`${NOT_WITHIN}(?:${count}|${inWords(count)})(?: calendar)? ${unit}s?\\b`, 'i').test(text);
  if (years + months + days + hours === 0) return /\bnot (?:kept|stored)\b|\bat once\b/i.test(text);
  const inMonths = years * 12 + months;
  if (days === 0 && hours === 0)
    return (
      states(inMonths, 'month') ||
      (inMonths % 12 === 0 ? states(inMonths / 12, 'year') : states(years, 'year') && states(months, 'month'))
    );
  const said = [
    inMonths === 0 || saysPeriod(`P${inMonths}M`, words),
    days === 0 || states(days, 'day') || (days % 7 === 0 && states(days / 7, 'week')),
    hours === 0 || states(hours, 'hour'),
  ];
  return said.every(Boolean);
}

/** Whether a passage stands in a text: line ends and runs of spaces make no difference. */
export const standsIn = (passage: string, text: string): boolean => plain(text).includes(plain(passage));

/** A text with each run of white space as one space. */
export const plain = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** What an examination of a text alone has found. */
export interface NoticeAssessment {
  /** Parts the text says something about. */
  readonly stated: readonly NoticePart[];
  /** Parts that every notice has to have and this one has not. */
  readonly missing: readonly NoticePart[];
  /** Parts it does not have, and has to have only under a condition: {@link CONDITIONAL_PARTS}. */
  readonly conditional: readonly NoticePart[];
  /** What it claims of the controller; what each is worth follows from the attestations. */
  readonly claims: readonly Claim[];
}

/**
 * Examines an English text that comes without declarations.
 *
 * What it can know: whether one of a documented set of phrases occurs for each part. What it cannot: whether what is
 * said is right, clear, or said of every purpose. A part it finds may still be badly stated; a part it does not find
 * may be stated in words it does not know. It points a person to where to look; it decides nothing by itself but what
 * goes on record about a version of the past.
 */
export function assessNotice(text: string): NoticeAssessment {
  const stated = NOTICE_PART_NAMES.filter((part) => says(part, text));
  const absent = NOTICE_PART_NAMES.filter((part) => !stated.includes(part));
  return {
    stated,
    missing: absent.filter((part) => !CONDITIONAL_PARTS.includes(part)),
    conditional: absent.filter((part) => CONDITIONAL_PARTS.includes(part)),
    claims: detectClaims(text),
  };
}

/** The two of twenty-two is no two. */
const NOT_WITHIN = '(?<![\\w.,-]|\\b(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety) )';

function numberWords(): string {
  return Array.from({ length: 99 }, (_number, index) => inWords(99 - index)).join('|');
}

/** A whole number below a hundred as a pattern of its English words; larger ones are written in figures only. */
function inWords(count: number): string {
  const small =
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
      ' ',
    );
  const tens = 'twenty thirty forty fifty sixty seventy eighty ninety'.split(' ');
  if (count < 20) return small[count] ?? String(count);
  if (count >= 100) return String(count);
  const ten = tens[Math.floor(count / 10) - 2] ?? '';
  return count % 10 === 0 ? ten : `${ten}[ -]${small[count % 10]}`;
}

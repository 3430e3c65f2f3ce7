import type { Claim } from '#assurance';
import { addPeriodToInstant, isPeriod } from '#calendar';
import { instant, type Instant } from '#kernel';
import type { PurposeDefinition, PurposeEntry, PurposeRegisterState } from '#purpose';
import {
  assessNotice,
  CONDITIONAL_PARTS,
  isEnglish,
  NOTICE_PART_NAMES,
  plain,
  says,
  saysBasis,
  saysPeriod,
  type NoticePart,
  type NoticeStatement,
} from './notice.vocabulary.js';

/** A text that is about to be published, with what is declared about it. */
export interface NoticeDraft {
  readonly language: string;
  readonly content: string;
  readonly purposes: readonly string[];
  readonly statements: readonly NoticeStatement[];
  readonly claims: readonly Claim[];
}

/**
 * `missing`: no statement says where it stands. `notInText`: the passage does not occur. `notSaid`: it occurs, and
 * does not say it. `disagrees`: the register says otherwise. `unknownPurpose`: nobody has defined the purpose.
 * `notExamined`: the text is in a language the rules do not read, and came without declarations.
 */
type Why = 'missing' | 'notInText' | 'notSaid' | 'disagrees' | 'unknownPurpose' | 'notExamined';

export interface Completeness {
  /** Empty when the notice is complete. Each as `part: why`, or `part/purpose: why`, or `part/purpose/category: why`. */
  readonly gaps: readonly string[];
  /** The version of each purpose that the statements were compared with. */
  readonly purposeVersions: Readonly<Record<string, number>>;
}

/**
 * Whether a notice says what UK GDPR Art 13 asks for (I-30b).
 *
 * Nobody can have a machine read a text for its meaning; so whoever publishes it declares, part by part, where it
 * stands. What is checked: each declared passage occurs in the text and, in English, has the words of its part; each
 * purpose has its aim, its lawful basis and the period of each of its categories, and they are those of the register;
 * the kinds of recipient are those the purposes allow. What is not: whether the passage is true, clear, and enough. A
 * person answers for that, and stands in the log as its publisher.
 *
 * A purpose is compared as it will be in force at `at` or, for people may be told first, as it was last drafted:
 * whichever the statements agree with.
 */
export function gapsOf(draft: NoticeDraft, purposes: PurposeRegisterState, at: Instant): Completeness {
  const text = plain(draft.content);
  // Each passage is looked for once, however many purposes and categories it speaks of.
  const statements = draft.statements.map((statement): Judged => ({
    ...statement,
    unfit: unfit(statement, text, draft.language),
    length: statement.period === undefined ? undefined : lengthOf(statement.period),
  }));
  const gaps: string[] = [];
  const told: PurposeDefinition[] = [];
  const purposeVersions: Record<string, number> = {};
  for (const purposeId of draft.purposes) {
    const judged = versionsOf(purposes.get(purposeId), at).map((each) => ({
      ...each,
      gaps: gapsOfPurpose(statements, purposeId, each.definition),
    }));
    const best = judged.find((each) => each.gaps.length === 0) ?? judged[0];
    if (!best) {
      gaps.push(`purposes/${purposeId}: unknownPurpose`);
      continue;
    }
    gaps.push(...best.gaps);
    told.push(best.definition);
    purposeVersions[purposeId] = best.version;
  }
  if (draft.purposes.length === 0) gaps.push('purposes: missing');
  for (const part of NOTICE_PART_NAMES) {
    if (PER_PURPOSE.includes(part) || !applies(part, told)) continue;
    const why = worst(
      statements.filter((each) => each.part === part),
      (each) => each.unfit,
    );
    if (why) gaps.push(`${part}: ${why}`);
  }
  const kinds = new Set(told.flatMap(({ recipientKindsAllowed }) => recipientKindsAllowed));
  const named = new Set(
    draft.statements.flatMap(({ part, recipientKinds }) => (part === 'recipients' ? (recipientKinds ?? []) : [])),
  );
  // The person is no recipient that the person has to be told of.
  for (const kind of kinds) if (kind !== 'SELF' && !named.has(kind)) gaps.push(`recipients/${kind}: missing`);
  const spaced = plain(text.replaceAll('_', ' '));
  for (const { claimId, text: words } of draft.claims)
    if (!spaced.includes(plain(words.replaceAll('_', ' ')))) gaps.push(`claims/${claimId}: notInText`);
  return { gaps, purposeVersions };
}

/**
 * What goes on record about a version that people were shown before the installation: what its statements leave open
 * or, when it comes without any, what an examination of the text alone does not find.
 */
export function gapsOfHistory(draft: NoticeDraft, purposes: PurposeRegisterState, at: Instant): Completeness {
  const compared = gapsOf(draft, purposes, at);
  if (draft.statements.length > 0) return compared;
  const gaps = isEnglish(draft.language)
    ? assessNotice(draft.content).missing.map((part) => `${part}: missing`)
    : NOTICE_PART_NAMES.filter((part) => !CONDITIONAL_PARTS.includes(part)).map((part) => `${part}: notExamined`);
  return { ...compared, gaps };
}

const PER_PURPOSE: readonly NoticePart[] = ['purposes', 'lawfulBases', 'retentionPeriods'];

/**
 * Whether a new version has to have the part. Where no register settles the condition, it has to say that there is
 * nothing to say: that no decision is automated, that data comes from nobody else.
 */
function applies(part: NoticePart, told: readonly PurposeDefinition[]): boolean {
  if (part === 'legitimateInterests')
    return told.some(({ basis }) => basis === 'legitimateInterests' || basis === 'recognisedLegitimateInterest');
  if (part === 'rightToWithdrawConsent') return told.some(({ basis }) => basis === 'consent');
  return true;
}

/** As it will be in force, and the newest draft if that is another one. */
function versionsOf(
  entry: PurposeEntry | undefined,
  at: Instant,
): readonly { readonly version: number; readonly definition: PurposeDefinition }[] {
  if (!entry) return [];
  const inForce = entry.approved.findLast(({ effectiveFrom }) => effectiveFrom <= at);
  const newest = Math.max(...entry.defined.keys());
  return [...new Set([...(inForce ? [inForce.version] : []), newest])].flatMap((version) => {
    const definition = entry.defined.get(version);
    return definition ? [{ version, definition }] : [];
  });
}

function gapsOfPurpose(
  statements: readonly Judged[],
  purposeId: string,
  definition: PurposeDefinition,
): readonly string[] {
  const about = (part: NoticePart) =>
    statements.filter((each) => each.part === part && each.purposes?.includes(purposeId));
  const aim = worst(about('purposes'), (each) => each.unfit);
  const basis = worst(about('lawfulBases'), (each) => (each.basis === definition.basis ? each.unfit : 'disagrees'));
  const retention = about('retentionPeriods');
  const periods = definition.retention.map((rule) => {
    const kept = retention.filter(({ categories }) => categories?.includes(rule.category) ?? true);
    const length = lengthOf(rule.period);
    return { rule, why: worst(kept, (each) => (each.length === length ? each.unfit : 'disagrees')) };
  });
  const open = periods.filter(({ why }) => why !== undefined);
  const [first] = open;
  const alike = first && open.length === periods.length && open.every(({ why }) => why === first.why);
  return [
    ...(aim ? [`purposes/${purposeId}: ${aim}`] : []),
    ...(basis ? [`lawfulBases/${purposeId}: ${basis}`] : []),
    ...(alike
      ? [`retentionPeriods/${purposeId}: ${first.why}`]
      : open.map(({ rule, why }) => `retentionPeriods/${purposeId}/${rule.category}: ${why}`)),
  ];
}

/** Why these statements do not do: none, or the first that does not hold. A text that says two things says neither. */
function worst(statements: readonly Judged[], judge: (statement: Judged) => Why | undefined): Why | undefined {
  if (statements.length === 0) return 'missing';
  return statements.map(judge).find((why) => why !== undefined);
}

/** A statement with why its passage does not do, and how long its period is. */
interface Judged extends NoticeStatement {
  readonly unfit: Why | undefined;
  readonly length: string | undefined;
}

/** @param text as `plain` gives it. */
function unfit(statement: NoticeStatement, text: string, language: string): Why | undefined {
  const { part, passage, basis, period } = statement;
  if (!text.includes(plain(passage))) return 'notInText';
  if (!isEnglish(language)) return undefined;
  switch (part) {
    // What a purpose is for can be said in any words.
    case 'purposes':
      return undefined;
    case 'lawfulBases':
      return basis && saysBasis(basis, passage) ? undefined : 'notSaid';
    case 'retentionPeriods':
      return period !== undefined && saysPeriod(period, passage) ? undefined : 'notSaid';
    default:
      return says(part, passage) ? undefined : 'notSaid';
  }
}

const ANY_DAY = instant('2026-01-01T12:00:00Z');

/** Equal for periods of one length: `P24M` is as long as `P2Y`. What is no period is only as long as itself. */
const lengthOf = (period: string): string => (isPeriod(period) ? addPeriodToInstant(ANY_DAY, period) : period);

import { parsePeriod } from '#calendar';
import type { Instant } from '#kernel';
import type { PurposeDefinition, PurposeField, PurposeRegisterState, RetentionRule } from '#purpose';

/** In which respect a version of a purpose asks for more than another one. */
export type Widening =
  | 'purposeExplained'
  | 'serviceLine'
  | 'commercial'
  | 'basis'
  | 'category'
  | 'fieldAdded'
  | 'fieldRequired'
  | 'freeText'
  | 'specialCategory'
  | 'retention'
  | 'recipients'
  | 'unknown';

/**
 * In which respects `newer` asks for more than `older`, so that a consent to the older one does not cover it (UK GDPR
 * Art 4(11): consent is specific and informed). None when it only asks for less: fewer fields, fewer of them required,
 * fewer recipients, shorter retention, on the same basis and in the same words.
 *
 * What a program cannot judge counts as more: any change of the title, the explanation or the expectation of a free
 * text, white space apart; another basis, category or line; periods that cannot be compared. Justifications, legal
 * references, checks of accuracy and assessments are not what a person agrees to, and change nothing.
 */
export function widenings(older: PurposeDefinition, newer: PurposeDefinition): readonly Widening[] {
  const before = new Map(older.fields.map((field) => [field.category, field]));
  const kept = newer.fields.filter(({ category }) => before.has(category));
  const some = (wider: (field: PurposeField, was: PurposeField) => boolean): boolean =>
    kept.some((field) => wider(field, before.get(field.category) as PurposeField));
  const found: readonly (readonly [Widening, boolean])[] = [
    ['purposeExplained', !sameWords(older.title, newer.title) || !sameWords(older.plainWords, newer.plainWords)],
    ['serviceLine', older.serviceLine !== newer.serviceLine],
    ['commercial', newer.commercial && !older.commercial],
    ['basis', older.basis !== newer.basis || older.rliCondition !== newer.rliCondition],
    ['category', older.dpvIri !== newer.dpvIri],
    ['fieldAdded', kept.length < newer.fields.length],
    ['fieldRequired', some((field, was) => field.necessity === 'required' && was.necessity === 'optional')],
    ['freeText', some((field, was) => moreText(was.freeText, field.freeText))],
    [
      'specialCategory',
      some((field, was) => field.special === true && was.special !== true) ||
        (newer.fields.some(({ special }) => special === true) &&
          older.specialCategoryCondition !== newer.specialCategoryCondition),
    ],
    ['retention', some(({ category }) => keptLonger(ruleFor(older, category), ruleFor(newer, category)))],
    ['recipients', newer.recipientKindsAllowed.some((kind) => !older.recipientKindsAllowed.includes(kind))],
  ];
  return found.filter(([, widens]) => widens).map(([widening]) => widening);
}

/** Whether a consent to `older` does not cover `newer`; see {@link widenings}. */
export function widens(older: PurposeDefinition, newer: PurposeDefinition): boolean {
  return widenings(older, newer).length > 0;
}

/**
 * The first version in force since the one agreed to that asks for more than it did, whatever came after: a consent
 * that was overtaken once does not come back. A version agreed to that the register does not know covers nothing.
 *
 * @param at until when; versions that take effect later are not asked.
 * @returns `undefined` while the consent covers the purpose.
 */
export function outgrownBy(
  purposes: PurposeRegisterState,
  purposeId: string,
  agreedVersion: number,
  at: Instant,
): { readonly version: number; readonly widenings: readonly Widening[] } | undefined {
  const entry = purposes.get(purposeId);
  const agreed = entry?.defined.get(agreedVersion);
  const inForce = entry?.approved.filter(({ effectiveFrom }) => effectiveFrom <= at) ?? [];
  if (!agreed) return { version: inForce.at(-1)?.version ?? agreedVersion, widenings: ['unknown'] };
  for (const later of inForce) {
    if (later.version <= agreedVersion) continue;
    const found = widenings(agreed, later);
    if (found.length > 0) return { version: later.version, widenings: found };
  }
  return undefined;
}

/** When the first approved version after this one takes effect; `undefined` when none was approved. */
export function nextVersionFrom(
  purposes: PurposeRegisterState,
  purposeId: string,
  version: number,
): Instant | undefined {
  return purposes.get(purposeId)?.approved.find((later) => later.version > version)?.effectiveFrom;
}

const sameWords = (one: string, other: string): boolean => collapsed(one) === collapsed(other);
const collapsed = (text: string): string => text.trim().replaceAll(/\s+/g, ' ');

type FreeText = PurposeField['freeText'];
const moreText = (was: FreeText, is: FreeText): boolean =>
  is !== undefined &&
  (was === undefined || is.maxLength > was.maxLength || !sameWords(was.expectation, is.expectation));

const ruleFor = ({ retention }: PurposeDefinition, category: string): RetentionRule | undefined =>
  retention.find((rule) => rule.category === category);

/** From the end that says least of the data to the one that leaves most of it. */
const ENDS: readonly RetentionRule['action'][] = ['erase', 'anonymise', 'review'];

function keptLonger(was: RetentionRule | undefined, is: RetentionRule | undefined): boolean {
  if (was === undefined) return false;
  if (is === undefined) return true;
  return (
    is.trigger !== was.trigger ||
    ENDS.indexOf(is.action) > ENDS.indexOf(was.action) ||
    !surelyNoLonger(is.period, was.period)
  );
}

/** Whether one period never lasts longer than the other, whatever day it starts. In doubt it does. */
function surelyNoLonger(one: string, other: string): boolean {
  const [a, b] = [parsePeriod(one), parsePeriod(other)];
  if (!a || !b) return false;
  const [monthsA, monthsB] = [a.years * 12 + a.months, b.years * 12 + b.months];
  const [hoursA, hoursB] = [a.days * 24 + a.hours, b.days * 24 + b.hours];
  if (monthsA <= monthsB && hoursA <= hoursB) return true;
  return hoursIn(monthsA, 366, 31) + hoursA <= hoursIn(monthsB, 365, 28) + hoursB;
}

const hoursIn = (months: number, daysOfYear: number, daysOfMonth: number): number =>
  (Math.floor(months / 12) * daysOfYear + (months % 12) * daysOfMonth) * 24;

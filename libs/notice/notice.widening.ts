import { addPeriodToInstant } from '#calendar';
import { instant } from '#kernel';
import type { PurposeDefinition, PurposeRegisterState } from '#purpose';

/** What a notice version tells of: its purposes, and the version of each that it was compared with. */
export interface NoticeCoverage {
  readonly purposes: readonly string[];
  readonly purposeVersions?: Readonly<Record<string, number>>;
}

export interface Widening {
  /** Whether somebody who was shown the one has to be told again before the other applies to their data (I-30c). */
  readonly widens: boolean;
  /** Purposes that the first did not cover. */
  readonly added: readonly string[];
  /** Purposes that go further than when the first was published. */
  readonly widened: readonly string[];
}

/**
 * How a notice version widens use compared with one that a person was shown; the two need not be neighbours.
 *
 * A purpose of which the version that was told is not on record counts as widened when it is another one now: where
 * it cannot be known, the person is told once too often.
 */
export function noticeWidens(shown: NoticeCoverage, next: NoticeCoverage, purposes: PurposeRegisterState): Widening {
  const added = next.purposes.filter((purposeId) => !shown.purposes.includes(purposeId));
  const widened = next.purposes.filter((purposeId) => {
    const [told, now] = [shown.purposeVersions?.[purposeId], next.purposeVersions?.[purposeId]];
    if (added.includes(purposeId) || now === undefined || told === now) return false;
    const defined = purposes.get(purposeId)?.defined;
    const [before, after] = [told === undefined ? undefined : defined?.get(told), defined?.get(now)];
    return !before || !after || purposeWidens(before, after);
  });
  return { widens: added.length + widened.length > 0, added, widened };
}

/**
 * Whether a version of a purpose goes further than another one: another basis or aim, commercial where it was not, a
 * category more, one required that was optional, a kind of recipient more, a longer retention or one that starts
 * elsewhere. Words may change; what they mean is not looked into.
 */
export function purposeWidens(told: PurposeDefinition, now: PurposeDefinition): boolean {
  const wasAsked = new Map(told.fields.map((field) => [field.category, field]));
  const wasKept = new Map(told.retention.map((rule) => [rule.category, rule]));
  return (
    now.basis !== told.basis ||
    now.dpvIri !== told.dpvIri ||
    (now.commercial && !told.commercial) ||
    now.fields.some(({ category, necessity }) => {
      const before = wasAsked.get(category);
      return !before || (necessity === 'required' && before.necessity === 'optional');
    }) ||
    now.recipientKindsAllowed.some((kind) => !told.recipientKindsAllowed.includes(kind)) ||
    now.retention.some(({ category, trigger, period }) => {
      const before = wasKept.get(category);
      return before !== undefined && (before.trigger !== trigger || isLonger(period, before.period));
    })
  );
}

const ANY_DAY = instant('2026-01-01T12:00:00Z');
const isLonger = (period: string, than: string): boolean =>
  addPeriodToInstant(ANY_DAY, period) > addPeriodToInstant(ANY_DAY, than);

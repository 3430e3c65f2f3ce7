import { addPeriod, daysBefore, endOfLondonDay, startOfLondonDay } from '#calendar';
import type { CivilDate, Instant } from '#kernel';

export type AttestationKind = 'registration' | 'certificate' | 'independentTest' | 'restoreTest';

/**
 * How many days before the end a warning is due, the first one first (defaults of C03 and C10). A test ends
 * without one: its end is no date that somebody else has set.
 */
export const WARNING_DAYS: Readonly<Record<AttestationKind, readonly number[]>> = {
  registration: [60, 30, 7],
  certificate: [90, 30, 7],
  independentTest: [],
  restoreTest: [],
};

/** How long a test speaks for the protection, or for the backups (I-09b, C08, defaults). */
const TEST_LIFE = 'P12M';

/** Longest validity of what is known to last twelve months: the fee is annual (C03), as is Cyber Essentials (C10). */
const LONGEST: Readonly<Record<string, string>> = {
  'ico-dp-fee': 'P12M',
  'cyber-essentials': 'P12M',
  'cyber-essentials-plus': 'P12M',
};

/** Last day on which a test counts: the same date twelve months later. */
export function lastDayOfTest(performedOn: CivilDate): CivilDate {
  return addPeriod(performedOn, TEST_LIFE);
}

/** Whether the dates give an attestation of this scheme a longer life than the scheme does. */
export function exceedsScheme(scheme: string, validFrom: CivilDate, validTo: CivilDate): boolean {
  const longest = Object.hasOwn(LONGEST, scheme) ? LONGEST[scheme] : undefined;
  return longest !== undefined && validTo > addPeriod(validFrom, longest);
}

/** A step on the way to the end: days left, 0 once the last day is over, and when it is reached. */
export interface Step {
  readonly daysLeft: number;
  readonly at: Instant;
}

/** The steps of an attestation in the order of time. */
export function stepsOf(kind: AttestationKind, lastDay: CivilDate): readonly [Step, ...Step[]] {
  const warnings = WARNING_DAYS[kind].map((daysLeft) => ({
    daysLeft,
    at: startOfLondonDay(daysBefore(lastDay, daysLeft)),
  }));
  return [...warnings, { daysLeft: 0, at: endOfLondonDay(lastDay) }] as unknown as readonly [Step, ...Step[]];
}

/** When the next step is reached, after the one with that many days left; `null` when there is none. */
export function nextStep(kind: AttestationKind, lastDay: CivilDate, after = Infinity): Instant | null {
  return stepsOf(kind, lastDay).find(({ daysLeft }) => daysLeft < after)?.at ?? null;
}

import type { Instant, Register } from '#kernel';
import type {
  CompatibilityAssessment,
  CompatibilityEvent,
  CompatibilityGround,
  CompatibilityVerdict,
} from './compatibility.events.js';

/** One assessment with what became of it. */
export interface AssessedCompatibility extends CompatibilityAssessment {
  readonly from: string;
  readonly to: string;
  readonly assessment: number;
  readonly author: string;
  /** From when it holds; absent until it is approved. */
  readonly approvedAt?: Instant;
  /** When another assessment of the same versions took its place, as a draft or in force. */
  readonly supersededAt?: Instant;
  readonly revokedAt?: Instant;
}

/** The assessments by the two purposes they are about ({@link compatibilityStream}), oldest first. */
export type CompatibilityRegisterState = ReadonlyMap<string, readonly AssessedCompatibility[]>;

/** Where the assessments of these two purposes stand. No register id holds a dot. */
export const compatibilityStream = (from: string, to: string): string => `compatibility-${from}.${to}`;

/** Whether data collected for one purpose may serve another: the assessments with their history (UK GDPR Art 8A). */
export const compatibilityRegister: Register<CompatibilityEvent, CompatibilityRegisterState> = {
  name: 'compatibility',
  streamPrefix: 'compatibility-',
  initialState: new Map(),
  folds: { CompatibilityAssessed: true, CompatibilityApproved: true, CompatibilityRevoked: true },
  evolve(state, event) {
    const key = compatibilityStream(event.data.from, event.data.to);
    return new Map(state).set(key, evolveAssessments(state.get(key) ?? [], event, event.occurredAt));
  },
};

/** The assessments of one pair of purposes after an event about them. */
export function evolveAssessments(
  assessments: readonly AssessedCompatibility[],
  event: CompatibilityEvent,
  at: Instant,
): readonly AssessedCompatibility[] {
  const changed = (number: number | undefined, change: Partial<AssessedCompatibility>) =>
    assessments.map((each) => (each.assessment === number ? { ...each, ...change } : each));
  switch (event.type) {
    case 'CompatibilityAssessed': {
      const { replaces, ...assessed } = event.data;
      return [...changed(replaces, { supersededAt: at }), assessed];
    }
    case 'CompatibilityApproved': {
      const { assessment, supersedes } = event.data;
      return changed(supersedes, { supersededAt: at }).map((each) =>
        each.assessment === assessment ? { ...each, approvedAt: at } : each,
      );
    }
    case 'CompatibilityRevoked':
      return changed(event.data.assessment, { revokedAt: at });
  }
}

/** What holds for data of one purpose that shall serve another. */
export type Compatibility =
  | {
      readonly verdict: 'compatible';
      readonly ground: CompatibilityGround;
      /** Number of the assessment it rests on; recorded with the decision that relies on it. */
      readonly assessment: number;
    }
  | { readonly verdict: 'needsConsent' | 'incompatible'; readonly assessment: number }
  | { readonly verdict: 'notAssessed' };

/**
 * What had been approved about these purposes at a time: `notAssessed` when nothing had, or nothing that still held.
 *
 * A verdict is about purpose limitation only. `compatible` gives no lawful basis: the new purpose needs its own, and
 * the person has to be told of it first (UK GDPR Art 5(1)(b), 5(3), 13(3); I-13c).
 *
 * @param query.fromVersion the version the data was collected under. When it is left out, the strictest verdict over
 * all versions that were assessed is given, as an assessment says nothing for data collected on another basis.
 * @param query.at when the matter happened, not when it is decided.
 */
export function compatibilityFor(
  state: CompatibilityRegisterState,
  query: {
    readonly from: string;
    readonly fromVersion?: number;
    readonly to: string;
    readonly toVersion: number;
    readonly at: Instant;
  },
): Compatibility {
  const { from, fromVersion, to, toVersion, at } = query;
  const strictest = (state.get(compatibilityStream(from, to)) ?? [])
    .filter((each) => each.toVersion === toVersion && (fromVersion === undefined || each.fromVersion === fromVersion))
    .filter((each) => holds(each, at))
    .reduce<AssessedCompatibility | undefined>(
      (strict, each) => (strict && STRICTNESS[strict.verdict] > STRICTNESS[each.verdict] ? strict : each),
      undefined,
    );
  if (!strictest) return { verdict: 'notAssessed' };
  const { verdict, ground, assessment } = strictest;
  if (verdict !== 'compatible') return { verdict, assessment };
  return ground ? { verdict, ground, assessment } : { verdict: 'notAssessed' };
}

const STRICTNESS: { readonly [verdict in CompatibilityVerdict]: number } = {
  compatible: 0,
  needsConsent: 1,
  incompatible: 2,
};

function holds({ approvedAt, supersededAt, revokedAt }: AssessedCompatibility, at: Instant): boolean {
  if (approvedAt === undefined || at < approvedAt) return false;
  return (supersededAt === undefined || at < supersededAt) && (revokedAt === undefined || at < revokedAt);
}

import { londonDate } from '#calendar';
import type { Instant } from '#kernel';
import { collectionPointAsOf, purposeAsOf, type PurposeEntry } from '#purpose';
import type { FieldTrace } from './minimisation.projection.js';
import type { KnownRegisters } from './register-facts.query.js';

/** A row of `minimisation`. */
export interface FieldTraceRow {
  readonly purpose_id: string;
  readonly category: string;
  /** `yyyy-mm`. */
  readonly month: string;
  readonly trace: FieldTrace;
}

/** A field that a purpose may ask for, and whether anybody needed it (C12). */
export interface FieldNeed {
  readonly purposeId: string;
  readonly purposeVersion: number;
  readonly category: string;
  readonly necessity: 'required' | 'optional';
  /** Collection points that ask for it, for this purpose among others. */
  readonly askedAt: readonly string[];
  /** The last month in which it was collected, `yyyy-mm`; null when it never was. */
  readonly lastCollected: string | null;
  /** The last month in which it was used or disclosed; null when it never was. */
  readonly lastUsed: string | null;
  /** Since when the engine would have seen a use: the purpose lists it without a break, and is on record. */
  readonly watchedSince: Instant;
  /** Watched for the whole window and not used in it: justify it anew, or ask for it no more. */
  readonly candidateForRemoval: boolean;
}

/**
 * The fields of every purpose in force, and which of them nobody has used for some months.
 *
 * @param months the window: that many whole months before the month of `at`, and the month of `at` so far.
 * @param known the registers, and `traces` what had been recorded, up to `at`.
 */
export function fieldNeeds(
  known: KnownRegisters,
  traces: readonly FieldTraceRow[],
  at: Instant,
  months: number,
): readonly FieldNeed[] {
  const windowStart = monthsBefore(londonDate(at).slice(0, 7), months);
  const last = new Map<string, string>();
  for (const { purpose_id, category, month, trace } of traces) {
    const key = keyOf(purpose_id, category, trace === 'collected' ? 'collected' : 'used');
    if (month > (last.get(key) ?? '')) last.set(key, month);
  }
  const points = [...known.points.keys()].flatMap((id) => {
    const found = collectionPointAsOf(known.points, id, at);
    return found.status === 'active' ? [found.point] : [];
  });
  return [...known.purposes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([purposeId, entry]) => {
      const found = purposeAsOf(known.purposes, purposeId, at);
      if (found.status !== 'inForce') return [];
      return found.purpose.fields.map(({ category, necessity }) => {
        const lastUsed = last.get(keyOf(purposeId, category, 'used')) ?? null;
        const watchedSince = watched(known, purposeId, entry, category, at);
        return {
          purposeId,
          purposeVersion: found.purpose.version,
          category,
          necessity,
          askedAt: points
            .filter(({ purposes, fields }) => purposes.includes(purposeId) && fields.includes(category))
            .map(({ collectionPointId }) => collectionPointId)
            .sort(),
          lastCollected: last.get(keyOf(purposeId, category, 'collected')) ?? null,
          lastUsed,
          watchedSince,
          candidateForRemoval:
            londonDate(watchedSince).slice(0, 7) <= windowStart && (lastUsed === null || lastUsed < windowStart),
        };
      });
    });
}

const keyOf = (purposeId: string, category: string, what: 'collected' | 'used'): string =>
  `${purposeId} ${category} ${what}`;

/** The later of: the purpose lists the category from then on without a break, and that was recorded. */
function watched(
  { events }: KnownRegisters,
  purposeId: string,
  { approved }: PurposeEntry,
  category: string,
  at: Instant,
): Instant {
  const past = approved.filter(({ effectiveFrom }) => effectiveFrom <= at);
  const interrupted = past.findLastIndex(({ fields }) => !fields.some((field) => field.category === category));
  const first = past[interrupted + 1]!;
  const approval = events.find(
    ({ type, data }) =>
      type === 'PurposeApproved' &&
      'purposeId' in data &&
      data.purposeId === purposeId &&
      'version' in data &&
      data.version === first.version,
  );
  return approval && approval.recordedAt > first.effectiveFrom ? approval.recordedAt : first.effectiveFrom;
}

/** `2026-02`, 3 → `2025-11`. */
export function monthsBefore(month: string, months: number): string {
  const count = Number(month.slice(0, 4)) * 12 + Number(month.slice(5)) - 1 - months;
  return `${String(Math.floor(count / 12)).padStart(4, '0')}-${String((count % 12) + 1).padStart(2, '0')}`;
}

import { plusMilliseconds, type Instant } from '#kernel';
import { noticeAsOf, type NoticeRegisterState, type NoticeVersion } from '#notice';
import { purposeAsOf, type Purpose, type PurposeRegisterState } from '#purpose';

/** A notice version that no longer tells all: whoever was told nothing newer has to be told again (I-30c). */
export interface OutdatedVersion {
  readonly version: number;
  /** When the first newer version that says more took effect. */
  readonly since: Instant;
  /** Purposes that the version in force covers and this one does not. */
  readonly added: readonly string[];
  /** Purposes both cover, which have come to mean more since this version was replaced. */
  readonly widened: readonly string[];
}

export interface Renotification {
  readonly inForce: NoticeVersion;
  /** In rising order. */
  readonly outdated: readonly OutdatedVersion[];
}

/**
 * Which versions of a notice say less than the one in force: it covers more purposes, or a purpose that has widened
 * since. A version in force that says nothing new asks nobody to be told again.
 *
 * @returns `undefined` when no version is in force.
 */
export function renotification(
  notices: NoticeRegisterState,
  purposes: PurposeRegisterState,
  noticeId: string,
  at: Instant,
): Renotification | undefined {
  const inForce = noticeAsOf(notices, noticeId, at);
  if (!inForce) return undefined;
  const versions = (notices.get(noticeId) ?? []).filter(({ version }) => version <= inForce.version);
  const outdated = versions.slice(0, -1).flatMap((told, index): OutdatedVersion[] => {
    const { added, widened } = gain(told, inForce, purposes, at);
    if (added.length + widened.length === 0) return [];
    const newer = versions.slice(index + 1);
    const first = newer.find((each) => {
      const more = gain(told, each, purposes, each === inForce ? at : lastMoment(each, at));
      return more.added.length + more.widened.length > 0;
    });
    return [{ version: told.version, since: (first ?? inForce).effectiveFrom, added, widened }];
  });
  return { inForce, outdated };
}

/** What `newer`, as it is at a time, tells of that `told` did not while it was in force. */
function gain(told: NoticeVersion, newer: NoticeVersion, purposes: PurposeRegisterState, at: Instant) {
  const then = lastMoment(told, at);
  const added = newer.purposes.filter((purposeId) => !told.purposes.includes(purposeId));
  const widened = newer.purposes.filter((purposeId) => {
    if (!told.purposes.includes(purposeId)) return false;
    const [before, now] = [then, at].map((when) => purposeAsOf(purposes, purposeId, when));
    if (now?.status !== 'inForce') return false;
    return before?.status !== 'inForce' || isWider(before.purpose, now.purpose);
  });
  return { added, widened };
}

/** The last moment at which a version was in force; now for one that still is. */
function lastMoment({ effectiveFrom, supersededAt }: NoticeVersion, now: Instant): Instant {
  if (supersededAt === undefined) return now;
  const before = plusMilliseconds(supersededAt, -1);
  return before < effectiveFrom ? effectiveFrom : before;
}

/** Whether a purpose has come to take more data, to reach more kinds of recipient, to sell, or to rest on another basis. */
function isWider(before: Purpose, now: Purpose): boolean {
  const categories = new Set(before.fields.map(({ category }) => category));
  return (
    now.fields.some(({ category }) => !categories.has(category)) ||
    now.recipientKindsAllowed.some((kind) => !before.recipientKindsAllowed.includes(kind)) ||
    (now.commercial && !before.commercial) ||
    now.basis !== before.basis
  );
}

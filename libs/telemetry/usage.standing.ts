import type { Instant } from '#kernel';
import { evolveKeeping, KEEPING_FOLDS, nothingKept, type Keeping, type KeepingEvent } from '#retention';
import type { Capacity, ErasureCause, ErasureStarted, NoticePresented, SubjectRegistered } from '#subject';

/** What the rules about usage know of the person, from the person's own stream. */
export interface UsageStanding {
  readonly openedAt?: Instant;
  readonly capacity?: Capacity;
  readonly restricted: boolean;
  /** What keeps data of the person from being erased. */
  readonly keeping: Keeping;
  /** The erasure of the person: nothing more is captured, and what is held goes now. */
  readonly ended?: { readonly erasureId: string; readonly cause: ErasureCause };
  /** When each notice version was first shown, in the order of the log. */
  readonly presented: readonly { readonly noticeId: string; readonly version: number; readonly at: Instant }[];
}

export type StandingEvent = SubjectRegistered | NoticePresented | KeepingEvent | ErasureStarted;

export const nobody: UsageStanding = { restricted: false, keeping: nothingKept, presented: [] };

/** The events of a person's stream that bear on usage. */
export const STANDING_FOLDS: { readonly [type in StandingEvent['type']]: true } = {
  SubjectRegistered: true,
  NoticePresented: true,
  ...KEEPING_FOLDS,
  ErasureStarted: true,
};

export function evolveStanding<S extends UsageStanding>(standing: S, event: StandingEvent, at: Instant): S {
  switch (event.type) {
    case 'SubjectRegistered':
      return { ...standing, openedAt: at, capacity: event.data.capacity };
    case 'NoticePresented': {
      const { noticeId, version } = event.data;
      const known = standing.presented.find((each) => each.noticeId === noticeId && each.version === version);
      if (known && known.at <= at) return standing;
      return {
        ...standing,
        presented: [...standing.presented.filter((each) => each !== known), { noticeId, version, at }],
      };
    }
    case 'ProcessingRestricted':
      return { ...standing, restricted: true, keeping: evolveKeeping(standing.keeping, event) };
    case 'RestrictionLifted':
      return { ...standing, restricted: false, keeping: evolveKeeping(standing.keeping, event) };
    case 'DeferralOpened':
    case 'DeferralClosed':
      return { ...standing, keeping: evolveKeeping(standing.keeping, event) };
    case 'ErasureStarted': {
      const { scope, erasureId, cause } = event.data;
      return scope === 'person' ? { ...standing, ended: { erasureId, cause } } : standing;
    }
  }
}

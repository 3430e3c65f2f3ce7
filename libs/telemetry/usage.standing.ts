import type { Instant } from '#kernel';
import type { Capacity, NoticePresented, ProcessingRestricted, RestrictionLifted, SubjectRegistered } from '#subject';

/** What the rules about usage know of the person, from the person's own stream. */
export interface UsageStanding {
  readonly openedAt?: Instant;
  readonly capacity?: Capacity;
  readonly restricted: boolean;
  /** When each notice version was first shown, in the order of the log. */
  readonly presented: readonly { readonly noticeId: string; readonly version: number; readonly at: Instant }[];
}

export type StandingEvent = SubjectRegistered | NoticePresented | ProcessingRestricted | RestrictionLifted;

export const nobody: UsageStanding = { restricted: false, presented: [] };

/** The events of a person's stream that bear on usage. */
export const STANDING_FOLDS: { readonly [type in StandingEvent['type']]: true } = {
  SubjectRegistered: true,
  NoticePresented: true,
  ProcessingRestricted: true,
  RestrictionLifted: true,
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
      return { ...standing, restricted: true };
    case 'RestrictionLifted':
      return { ...standing, restricted: false };
  }
}

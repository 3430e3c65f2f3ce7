import type { Instant, Register } from '#kernel';
import type { NoticePublished } from './notice.events.js';
import type { NoticeCoverage } from './notice.widening.js';

/** A published version. Its text stands in the read model, under the hash. */
export interface NoticeVersion extends NoticeCoverage {
  readonly noticeId: string;
  readonly version: number;
  readonly language: string;
  readonly title: string;
  readonly contentHash: string;
  /** Ids of the purposes it covers. */
  readonly purposes: readonly string[];
  /** The version of each purpose that its text was compared with when it was published. */
  readonly purposeVersions?: Readonly<Record<string, number>>;
  /** Whether it told of a wider use than the version before it (I-30c); for others see `noticeWidens`. */
  readonly widens?: true;
  readonly effectiveFrom: Instant;
  /** When the next version takes effect: no longer in force from then on. */
  readonly supersededAt?: Instant;
}

/** Versions by notice id, in rising order. */
export type NoticeRegisterState = ReadonlyMap<string, readonly NoticeVersion[]>;

/**
 * The notices with their history.
 *
 * Version 1 may take effect before it was published here: it was shown to people before the engine was installed.
 * Later versions never reach back, so that no publication changes which version was in force before it.
 */
export const noticeRegister: Register<NoticePublished, NoticeRegisterState> = {
  name: 'notices',
  streamPrefix: 'notice-',
  initialState: new Map(),
  folds: { NoticePublished: true },
  evolve(state, event) {
    const { noticeId, version, language, title, contentHash, purposes, purposeVersions, widens, effectiveFrom } =
      event.data;
    const published: NoticeVersion = {
      noticeId,
      version,
      language,
      title,
      contentHash,
      purposes,
      ...(purposeVersions && { purposeVersions }),
      ...(widens && { widens }),
      effectiveFrom,
    };
    const before = state.get(noticeId) ?? [];
    const superseded = before.map((each) =>
      each.supersededAt === undefined ? { ...each, supersededAt: effectiveFrom } : each,
    );
    return new Map(state).set(noticeId, [...superseded, published]);
  },
};

/** The version in force at a time; `undefined` when there was none. */
export function noticeAsOf(state: NoticeRegisterState, noticeId: string, at: Instant): NoticeVersion | undefined {
  return state.get(noticeId)?.findLast((version) => version.effectiveFrom <= at);
}

/** A version by its number, in force or not; `undefined` when it was never published. */
export function noticeVersion(
  state: NoticeRegisterState,
  noticeId: string,
  version: number,
): NoticeVersion | undefined {
  return state.get(noticeId)?.find((published) => published.version === version);
}

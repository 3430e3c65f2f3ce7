import type { Instant } from '#kernel';

/** What is decided about a notice. Stands in `notice-<id>`. */
export type NoticeEvent = NoticePublished;

/**
 * A version of a notice was published; its text never changes. It supersedes the version before it from its own
 * `effectiveFrom` on: no event of its own says so, because it could say nothing that this one does not.
 */
export interface NoticePublished {
  readonly type: 'NoticePublished';
  readonly data: {
    readonly noticeId: string;
    /** From 1, without gaps. */
    readonly version: number;
    /** BCP 47 tag. A translation is a notice of its own. */
    readonly language: string;
    readonly title: string;
    /** The text as it is shown: public, without personal data. */
    readonly content: string;
    /** SHA-256 of the content's UTF-8 bytes, in lower-case hex. */
    readonly contentHash: string;
    /** Ids of the purposes it explains. */
    readonly purposes: readonly string[];
    /** When it takes effect. Before it was published only for version 1. */
    readonly effectiveFrom: Instant;
  };
}

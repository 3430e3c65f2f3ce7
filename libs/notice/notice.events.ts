import type { Claim, ClaimStatus } from '#assurance';
import type { Instant } from '#kernel';
import type { NoticeStatement } from './notice.vocabulary.js';

/** What is decided about a notice. Stands in `notice-<id>`. */
export type NoticeEvent = NoticePublished | NoticeClaimFlagged;

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
    /** Where in the text the parts of Art 13 stand, as the publisher declared. */
    readonly statements?: readonly NoticeStatement[];
    /** What the text claims of the controller, found by rule or declared (I-03a). */
    readonly claims?: readonly Claim[];
    /** What the check of completeness found missing, as in {@link gapsOf}; only history has any (I-30b). */
    readonly gaps?: readonly string[];
    /** The version of each purpose that it was compared with; without those that nobody had defined. */
    readonly purposeVersions?: Readonly<Record<string, number>>;
    /** It tells of a wider use than the version before it: people have to be told again (I-30c). */
    readonly widens?: true;
    /** Purposes that the version before it did not cover. */
    readonly purposesAdded?: readonly string[];
    /** Purposes that go further than they did when the version before it was published. */
    readonly purposesWidened?: readonly string[];
  };
}

/** A version recorded as history makes a claim that no new version could make (I-03b). */
export interface NoticeClaimFlagged {
  readonly type: 'NoticeClaimFlagged';
  readonly data: {
    readonly noticeId: string;
    readonly version: number;
    readonly claimId: string;
    /** The words of the text. */
    readonly text: string;
    /** What the claim was worth when it was flagged; the register of claims says what it is worth now. */
    readonly status: ClaimStatus;
  };
}

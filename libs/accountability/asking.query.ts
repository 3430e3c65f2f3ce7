import type { Instant } from '#kernel';
import { noticeAsOf, type NoticeRegisterState, type NoticeVersion } from '#notice';
import {
  purposeAsOf,
  type CollectionPoint,
  type CollectionPointEntry,
  type CollectionPointKind,
  type PurposeRegisterState,
} from '#purpose';

/** What a page that asks for personal data has to show (C28, UK GDPR Art 13). */
export interface Asking {
  readonly collectionPointId: string;
  readonly version: number;
  readonly kind: CollectionPointKind;
  readonly title: string;
  readonly explanation: string;
  /** The purposes that may be collected for at this moment; one that is suspended is left out. */
  readonly purposes: readonly { readonly purposeId: string; readonly title: string; readonly plainWords: string }[];
  /** What may be asked for, for those purposes. */
  readonly fields: readonly AskedField[];
  /** The notice in force; null when there is none yet. */
  readonly notice: AskingNotice | null;
}

export interface AskedField {
  readonly category: string;
  /** Purposes that cannot be served without it; empty when giving it is up to the person (Art 13(2)(e)). */
  readonly requiredFor: readonly string[];
  /** Present when people may write what they like. */
  readonly freeText?: { readonly expectation: string; readonly maxLength: number };
}

/** A notice version by name and hash; its text is published under both. */
export type AskingNotice = Pick<NoticeVersion, 'noticeId' | 'version' | 'language' | 'title' | 'contentHash'>;

/** What is to be shown at a collection point at a time. */
export function askingAt(
  point: CollectionPoint,
  purposes: PurposeRegisterState,
  notices: NoticeRegisterState,
  at: Instant,
): Asking {
  const inForce = point.purposes.flatMap((purposeId) => {
    const found = purposeAsOf(purposes, purposeId, at);
    return found.status === 'inForce' ? [found.purpose] : [];
  });
  const notice = noticeAsOf(notices, point.noticeId, at);
  return {
    collectionPointId: point.collectionPointId,
    version: point.version,
    kind: point.kind,
    title: point.title,
    explanation: point.explanation,
    purposes: inForce.map(({ purposeId, title, plainWords }) => ({ purposeId, title, plainWords })),
    fields: point.fields.flatMap((category) => {
      const listed = inForce.flatMap(({ purposeId, fields }) =>
        fields.filter((field) => field.category === category).map((field) => ({ purposeId, ...field })),
      );
      if (listed.length === 0) return [];
      const freeText = listed.find((field) => field.freeText)?.freeText;
      const requiredFor = listed.filter(({ necessity }) => necessity === 'required').map(({ purposeId }) => purposeId);
      return [{ category, requiredFor, ...(freeText && { freeText }) }];
    }),
    notice: notice ? named(notice) : null,
  };
}

/** A version of a collection point with every notice version that was in force while it was in service (I-11b). */
export interface AskedVersion extends CollectionPoint {
  /** Until when it was in service; null while it is. */
  readonly until: Instant | null;
  readonly notices: readonly (AskingNotice & {
    /** From when it was the one to be shown there. */
    readonly from: Instant;
    readonly until: Instant | null;
  })[];
}

/** The history of a collection point, oldest version first. */
export function askedVersions(
  { versions, retiredAt }: CollectionPointEntry,
  notices: NoticeRegisterState,
): readonly AskedVersion[] {
  return versions.map((point, index) => {
    const until = versions[index + 1]?.registeredAt ?? retiredAt ?? null;
    const shown = (notices.get(point.noticeId) ?? []).flatMap((notice) => {
      const from = notice.effectiveFrom > point.registeredAt ? notice.effectiveFrom : point.registeredAt;
      const end = earlier(notice.supersededAt ?? null, until);
      return end !== null && end <= from ? [] : [{ ...named(notice), from, until: end }];
    });
    return { ...point, until, notices: shown };
  });
}

const named = ({ noticeId, version, language, title, contentHash }: NoticeVersion): AskingNotice => ({
  noticeId,
  version,
  language,
  title,
  contentHash,
});

const earlier = (a: Instant | null, b: Instant | null): Instant | null => (a === null || (b !== null && b < a) ? b : a);

import {
  accept,
  canonicalJson,
  parseInstant,
  refuse,
  unchanged,
  type Decider,
  type Facts,
  type Instant,
} from '#kernel';
import type { PublishNotice } from './notice.commands.js';
import type { NoticeEvent } from './notice.events.js';

export interface PublishedNotice {
  readonly language: string;
  readonly title: string;
  readonly contentHash: string;
  readonly purposes: readonly string[];
  readonly publishedAt: Instant;
  readonly effectiveFrom: Instant;
}

/** The published versions: version 1 comes first. */
export type NoticeState = readonly PublishedNotice[];

export interface NoticeFacts extends Facts {
  /** Lower-case hex of the SHA-256 of a text's UTF-8 bytes. */
  contentHash(content: string): string;
}

/** The versions of a notice, each of them immutable. */
export const noticeDecider: Decider<PublishNotice, NoticeEvent, NoticeState, NoticeFacts> = {
  initialState: [],
  folds: { NoticePublished: true },

  evolve(state, event, at) {
    const { language, title, contentHash, purposes, effectiveFrom } = event.data;
    return [...state, { language, title, contentHash, purposes, publishedAt: at, effectiveFrom }];
  },

  decide(command, state, facts) {
    const { noticeId, version, content } = command;
    const published = state[version - 1];
    const text = {
      language: command.language,
      title: command.title,
      contentHash: facts.contentHash(content),
      purposes: [...command.purposes],
    };
    const wanted = parseInstant(command.effectiveFrom ?? '');
    const before = state[version - 2];

    if (published) {
      const { publishedAt, effectiveFrom, ...same } = published;
      const sameTime = wanted === undefined || takesEffect(wanted, before, publishedAt) === effectiveFrom;
      return sameTime && canonicalJson(same) === canonicalJson(text)
        ? unchanged
        : refuse('NOTICE_IMMUTABLE', { noticeId, version });
    }
    const next = state.length + 1;
    if (version !== next) return refuse('VERSION_CONFLICT', { noticeId, version, next });
    return accept({
      type: 'NoticePublished',
      data: { noticeId, version, ...text, content, effectiveFrom: takesEffect(wanted, before, facts.occurredAt) },
    });
  },
};

/** What was in force stays so: only version 1 may reach back before its publication. */
function takesEffect(wanted: Instant | undefined, before: PublishedNotice | undefined, publishedAt: Instant): Instant {
  if (!before) return wanted ?? publishedAt;
  return [publishedAt, before.effectiveFrom].reduce((last, each) => (each > last ? each : last), wanted ?? publishedAt);
}

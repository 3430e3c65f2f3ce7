import {
  claimOf,
  claimStanding,
  detectClaims,
  firstOfEach,
  type AttestationRegisterState,
  type Claim,
  type ClaimStanding,
} from '#assurance';
import { londonDate } from '#calendar';
import {
  accept,
  canonicalJson,
  parseInstant,
  refuse,
  unchanged,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import type { PurposeRegisterState } from '#purpose';
import type { PublishNotice } from './notice.commands.js';
import { gapsOf, gapsOfHistory } from './notice.completeness.js';
import type { NoticeClaimFlagged, NoticeEvent, NoticePublished } from './notice.events.js';
import type { NoticeStatement } from './notice.vocabulary.js';
import { noticeWidens } from './notice.widening.js';

export interface PublishedNotice {
  readonly language: string;
  readonly title: string;
  readonly contentHash: string;
  readonly purposes: readonly string[];
  readonly statements: readonly NoticeStatement[];
  readonly claims: readonly Claim[];
  readonly purposeVersions: Readonly<Record<string, number>>;
  readonly publishedAt: Instant;
  readonly effectiveFrom: Instant;
}

/** The published versions: version 1 comes first. */
export type NoticeState = readonly PublishedNotice[];

export interface NoticeFacts extends Facts {
  /** Lower-case hex of the SHA-256 of a text's UTF-8 bytes. */
  contentHash(content: string): string;
  readonly purposes: PurposeRegisterState;
  readonly attestations: AttestationRegisterState;
}

/**
 * The versions of a notice, each of them immutable.
 *
 * A new version is refused while it claims what is over or what nothing in force attests, and while it lacks a part
 * that UK GDPR Art 13 asks for. A first version that took effect before it was published is history: people were
 * shown it, so it is recorded as it was, with its gaps and with a flag at each claim that no new version could make.
 */
export const noticeDecider: Decider<PublishNotice, NoticeEvent, NoticeState, NoticeFacts> = {
  initialState: [],
  folds: { NoticePublished: true, NoticeClaimFlagged: true },

  evolve(state, event, at) {
    if (event.type === 'NoticeClaimFlagged') return state;
    const { language, title, contentHash, purposes, effectiveFrom } = event.data;
    const { statements = [], claims = [], purposeVersions = {} } = event.data;
    const published = { language, title, contentHash, purposes, statements, claims, purposeVersions, effectiveFrom };
    return [...state, { ...published, publishedAt: at }];
  },

  decide(command, state, facts) {
    const { noticeId, version } = command;
    const published = state[version - 1];
    const before = state[version - 2];
    const wanted = parseInstant(command.effectiveFrom ?? '');
    const text = {
      language: command.language,
      title: command.title,
      contentHash: facts.contentHash(command.content),
      purposes: [...command.purposes],
      statements: statementsOf(command),
    };
    if (published) {
      const { publishedAt, effectiveFrom, claims, purposeVersions: _versions, ...same } = published;
      const sameTime = wanted === undefined || takesEffect(wanted, before, publishedAt) === effectiveFrom;
      // What the rules find is not compared: they may have learned since.
      const known = new Set(claims.map(({ claimId }) => claimId));
      const sameClaims = declaredClaims(command).every(({ claimId }) => known.has(claimId));
      return sameTime && sameClaims && canonicalJson(same) === canonicalJson(text)
        ? unchanged
        : refuse('NOTICE_IMMUTABLE', { noticeId, version });
    }
    const next = state.length + 1;
    if (version !== next) return refuse('VERSION_CONFLICT', { noticeId, version, next });
    return publish(command, text, before, takesEffect(wanted, before, facts.occurredAt), facts);
  },
};

function publish(
  command: PublishNotice,
  text: Omit<NoticePublished['data'], 'noticeId' | 'version' | 'content' | 'effectiveFrom'> & {
    readonly statements: readonly NoticeStatement[];
  },
  before: PublishedNotice | undefined,
  effectiveFrom: Instant,
  facts: NoticeFacts,
): Outcome<NoticeEvent> {
  const { noticeId, version, content } = command;
  const claims = claimsOf(command);
  const isHistory = before === undefined && effectiveFrom < facts.occurredAt;
  // Whenever it was published: what is in force today is judged by today, and what is not yet by its first day.
  const date = londonDate(effectiveFrom > facts.now ? effectiveFrom : facts.now);
  const untenable = claims
    .map((claim) => ({ claim, standing: claimStanding(claim, facts.attestations.values(), date) }))
    .filter(({ standing }) => standing.status !== 'valid' && standing.status !== 'expiring');
  const draft = { language: command.language, content, purposes: text.purposes, statements: text.statements, claims };
  const { gaps, purposeVersions } = (isHistory ? gapsOfHistory : gapsOf)(draft, facts.purposes, effectiveFrom);
  if (!isHistory) {
    // What is false comes before what is missing.
    const superseded = untenable.filter(({ standing }) => standing.status === 'superseded');
    if (superseded.length > 0) return refuse('CLAIM_SUPERSEDED', { noticeId, version, claims: idsOf(superseded) });
    if (untenable.length > 0) return refuse('CLAIM_UNBACKED', { noticeId, version, claims: idsOf(untenable) });
    if (gaps.length > 0) return refuse('NOTICE_INCOMPLETE', { noticeId, version, gaps });
  }
  const widening = before && noticeWidens(before, { purposes: text.purposes, purposeVersions }, facts.purposes);
  const published: NoticePublished = {
    type: 'NoticePublished',
    data: {
      noticeId,
      version,
      ...text,
      content,
      effectiveFrom,
      claims,
      gaps,
      purposeVersions,
      ...(widening?.widens && {
        widens: true,
        purposesAdded: widening.added,
        purposesWidened: widening.widened,
      }),
    },
  };
  return accept<NoticeEvent>(
    published,
    ...untenable.map(({ claim: { claimId, text: words }, standing }): NoticeClaimFlagged => ({
      type: 'NoticeClaimFlagged',
      data: { noticeId, version, claimId, text: words, status: standing.status },
    })),
  );
}

const idsOf = (claims: readonly { readonly claim: Claim; readonly standing: ClaimStanding }[]): readonly string[] =>
  claims.map(({ claim }) => claim.claimId);

/** As they are stored: without members that were left out. */
function statementsOf({ statements = [] }: PublishNotice): readonly NoticeStatement[] {
  return statements.map(({ part, passage, purposes, basis, period, categories, recipientKinds }) => ({
    part,
    passage,
    ...(purposes !== undefined && { purposes }),
    ...(basis !== undefined && { basis }),
    ...(period !== undefined && { period }),
    ...(categories !== undefined && { categories }),
    ...(recipientKinds !== undefined && { recipientKinds }),
  }));
}

/** What the rules find in the text, and what is declared beside it. */
function claimsOf(command: PublishNotice): readonly Claim[] {
  return firstOfEach([...detectClaims(command.content), ...declaredClaims(command)]);
}

function declaredClaims({ claims = [] }: PublishNotice): readonly Claim[] {
  return claims.map(({ kind, scheme, edition, passage }) => claimOf(kind, scheme, edition, passage));
}

/** What was in force stays so: only version 1 may reach back before its publication. */
function takesEffect(wanted: Instant | undefined, before: PublishedNotice | undefined, publishedAt: Instant): Instant {
  if (!before) return wanted ?? publishedAt;
  return [publishedAt, before.effectiveFrom].reduce((last, each) => (each > last ? each : last), wanted ?? publishedAt);
}

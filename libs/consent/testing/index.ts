import { instant } from '#kernel';
import { factsAt, registerOf, scenario } from '#kernel/testing';
import { noticeRegister, type NoticePublished } from '#notice';
import { purposeRegister, type PurposeDefined, type PurposeDefinition, type PurposeEvent } from '#purpose';
import type { NoticePresented, SubjectRegistered } from '#subject';
import type { ConsentDomainCommand, GiveConsent, RequestConsent } from '../consent.commands.js';
import { consentDecider, type ConsentFacts, type ConsentsState } from '../consent.decider.js';
import type {
  ConsentEvent,
  ConsentEvidence,
  ConsentExpired,
  ConsentGiven,
  ConsentInvalidated,
  ConsentRefused,
  ConsentRenewed,
  ConsentRequested,
  ConsentUpheld,
  ConsentWithdrawn,
} from '../consent.events.js';

export const OPENED = '2026-01-05T09:00:00Z';
export const TODAY = '2026-03-02T09:00:00Z';
export const LATER = '2026-11-23T09:00:00Z';
/** Version 2 of the newsletter takes effect here: without the phone. */
export const REVISED = '2026-06-01T00:00:00Z';
/** Version 3 of the newsletter takes effect here: with the postal address. */
export const WIDENED = '2026-10-01T00:00:00Z';
export const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
export const news = { subjectId, purposeId: 'news', channel: 'email' };
export const STATEMENT = 'a'.repeat(64);

const CATEGORIES: readonly (readonly string[])[] = [
  ['contact.email', 'contact.phone'],
  ['contact.email'],
  ['contact.email', 'contact.address'],
];
export const definition = (changes: Partial<PurposeDefinition> = {}): PurposeDefinition => ({
  title: 'News',
  plainWords: 'We write to you about new charts.',
  serviceLine: 'B2C',
  commercial: true,
  basis: 'consent',
  dpiaRequired: false,
  dpvIri: 'dpv:DirectMarketing',
  fields: [],
  retention: [],
  recipientKindsAllowed: [],
  ...changes,
});
export const defined = (purposeId: string, version = 1, changes: Partial<PurposeDefinition> = {}): PurposeDefined => ({
  type: 'PurposeDefined',
  data: {
    purposeId,
    version,
    author: 'ada',
    ...definition({
      fields: (CATEGORIES[version - 1] ?? []).map((category) => ({
        category,
        necessity: 'optional',
        justification: 'News goes there.',
      })),
      ...changes,
    }),
  },
});
export const approved = (purposeId: string, version = 1, from = '2020-01-01T00:00:00Z'): PurposeEvent => ({
  type: 'PurposeApproved',
  data: { purposeId, version, approver: 'ben', effectiveFrom: instant(from) },
});
export const published = (
  noticeId: string,
  version: number,
  purposes: readonly string[],
  from: string,
): NoticePublished => ({
  type: 'NoticePublished',
  data: {
    noticeId,
    version,
    language: 'en-GB',
    title: 'How we use your data',
    content: 'We write to you.',
    contentHash: 'b'.repeat(64),
    purposes,
    effectiveFrom: instant(from),
  },
});
export const registers = {
  purposes: registerOf<PurposeEvent, typeof purposeRegister.initialState>(
    purposeRegister,
    defined('news'),
    approved('news'),
    defined('news', 2),
    approved('news', 2, REVISED),
    defined('news', 3),
    approved('news', 3, WIDENED),
    defined('invoices', 1, { basis: 'contract', commercial: false, dpvIri: 'dpv:RequestedServiceProvision' }),
    approved('invoices'),
    defined('offers', 1, { basis: 'legitimateInterests' }),
    approved('offers'),
    defined('drafted'),
    defined('stopped'),
    approved('stopped'),
    { type: 'PurposeSuspended', data: { purposeId: 'stopped', reasonCode: 'underReview' } },
  ),
  notices: registerOf(
    noticeRegister,
    published('privacy', 1, ['news', 'invoices', 'offers'], '2020-01-01T00:00:00Z'),
    published('privacy', 2, ['news'], REVISED),
    published('leaflet', 1, ['news'], '2020-01-01T00:00:00Z'),
    published('cookies', 1, [], '2020-01-01T00:00:00Z'),
  ),
};
export const facts = (at: string, overrides: Partial<ConsentFacts> = {}): ConsentFacts => ({
  ...factsAt(at),
  ...registers,
  ...overrides,
});
export const happened = (at: string, decided = LATER) => ({ occurredAt: instant(at), now: instant(decided) });

export const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: factsAt().actor };
export const give = (changes: Partial<GiveConsent> = {}): ConsentDomainCommand => ({
  ...sent,
  type: 'GiveConsent',
  ...news,
  noticeId: 'privacy',
  noticeVersion: 1,
  statementHash: STATEMENT,
  method: 'webForm',
  affirmativeAct: 'tickedBox',
  givenBy: 'subject',
  ...changes,
});
export const request = (changes: Partial<RequestConsent> = {}): ConsentDomainCommand => ({
  ...sent,
  type: 'RequestConsent',
  ...news,
  noticeId: 'privacy',
  noticeVersion: 1,
  statementHash: STATEMENT,
  method: 'webForm',
  ...changes,
});
export const sayNo = (changes: object = {}): ConsentDomainCommand => ({
  ...sent,
  type: 'RefuseConsent',
  ...news,
  ...changes,
});
export const invalidate = (changes: object = {}): ConsentDomainCommand => ({
  ...sent,
  type: 'InvalidateConsent',
  ...news,
  reason: 'noticeWrong',
  ...changes,
});
export const review = (changes: object = {}): ConsentDomainCommand => ({
  ...sent,
  type: 'ReviewConsent',
  ...news,
  ...changes,
});
export const withdraw = (changes: object = {}): ConsentDomainCommand => ({
  ...sent,
  type: 'WithdrawConsent',
  ...news,
  ...changes,
});
export const expireOf = (changes: object = {}): ConsentDomainCommand => ({
  ...sent,
  type: 'ExpireConsent',
  ...news,
  ...changes,
});
export const expire = expireOf();

export const registered: SubjectRegistered = {
  type: 'SubjectRegistered',
  data: { subjectId, capacity: 'individual', subscriberType: 'individual', division: 'england-and-wales' },
};
export const presented = (version = 1, noticeId = 'privacy'): NoticePresented => ({
  type: 'NoticePresented',
  data: { subjectId, noticeId, version, how: 'shown', channel: 'web' },
});
export const consentId = facts(TODAY).id('consent');
/** When the version after the one agreed to takes effect, as the register knows. */
const REVIEWS: Readonly<Record<number, string>> = { 1: REVISED, 2: WIDENED };
const evidence = (changes: Partial<ConsentEvidence>): ConsentEvidence => {
  const { purposeId = 'news', purposeVersion = 1 } = changes;
  const next = purposeId === 'news' ? REVIEWS[purposeVersion] : undefined;
  return {
    ...news,
    consentId,
    purposeVersion,
    noticeId: 'privacy',
    noticeVersion: 1,
    statementHash: STATEMENT,
    method: 'webForm',
    affirmativeAct: 'tickedBox',
    givenBy: 'subject',
    ...(next !== undefined && { reviewAt: instant(next) }),
    ...changes,
  };
};
export const given = (changes: Partial<ConsentEvidence> = {}): ConsentGiven => ({
  type: 'ConsentGiven',
  data: evidence(changes),
});
/** A consent that takes the place of another one. */
export const OLDER = '44444444-4444-4444-8444-444444444444';
export const renewed = (changes: Partial<ConsentRenewed['data']> = {}): ConsentRenewed => ({
  type: 'ConsentRenewed',
  data: { renews: OLDER, ...evidence(changes) },
});
export const requested = (changes: Partial<ConsentRequested['data']> = {}): ConsentRequested => ({
  type: 'ConsentRequested',
  data: {
    ...news,
    consentId,
    purposeVersion: 1,
    noticeId: 'privacy',
    noticeVersion: 1,
    statementHash: STATEMENT,
    method: 'webForm',
    ...changes,
  },
});
const about = { ...news, consentId };
/** The last consent to its purpose, over the one channel that there was. */
export const ended = { ...about, endsPurpose: true } as const;
export const refused = (changes: Partial<ConsentRefused['data']> = {}): ConsentRefused => ({
  type: 'ConsentRefused',
  data: { ...about, purposeVersion: 1, ...changes },
});
/** What the person was told, as a refusal of what was asked repeats it. */
export const TOLD = { noticeId: 'privacy', noticeVersion: 1, statementHash: STATEMENT };
export const withdrawn: ConsentWithdrawn = { type: 'ConsentWithdrawn', data: ended };
export const expired: ConsentExpired = { type: 'ConsentExpired', data: ended };
export const invalidated = (changes: Partial<ConsentInvalidated['data']> = {}): ConsentInvalidated => ({
  type: 'ConsentInvalidated',
  data: { ...ended, reason: 'noticeWrong', ...changes },
});
export const upheld = (changes: Partial<ConsentUpheld['data']> = {}): ConsentUpheld => ({
  type: 'ConsentUpheld',
  data: { ...about, purposeVersion: 2, reviewAt: instant(WIDENED), ...changes },
});

export type Folded = ConsentEvent | SubjectRegistered | NoticePresented;
export const fold = (history: readonly (readonly [string, Folded])[]): ConsentsState =>
  history.reduce((state, [at, event]) => consentDecider.evolve(state, event, instant(at)), consentDecider.initialState);
/** A scenario that takes place after these events, each with the time it happened. */
export const after = (...history: readonly (readonly [string, Folded])[]) =>
  scenario({ ...consentDecider, initialState: fold(history) }, facts(TODAY));
export const informed = after([OPENED, registered], [OPENED, presented()]);

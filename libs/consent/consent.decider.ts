import {
  accept,
  parseInstant,
  refuse,
  unchanged,
  withoutStanding,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import { noticeAsOf, noticeVersion, type NoticeRegisterState } from '#notice';
import { purposeAsOf, purposeRefusal, type Purpose, type PurposeRegisterState } from '#purpose';
import type { NoticePresented, SubjectRegistered } from '#subject';
import type {
  ConsentDomainCommand,
  GiveConsent,
  RefuseConsent,
  RequestConsent,
  WithdrawConsent,
} from './consent.commands.js';
import type {
  ConsentEvent,
  ConsentEvidence,
  ConsentExpired,
  ConsentInformation,
  ConsentInvalidated,
  ConsentKey,
  ConsentRefused,
  ConsentRequested,
  ConsentWithdrawn,
} from './consent.events.js';
import { nextVersionFrom, outgrownBy } from './consent.widening.js';

/** Where a consent stands. There is no state "given" without the evidence that goes with it. */
export type ConsentState =
  | {
      readonly status: 'given';
      readonly consentId: string;
      /** The version of the purpose that was agreed to. */
      readonly purposeVersion: number;
      /** The latest version that the consent was found to cover, where it was held against a later one. */
      readonly covers?: number;
      readonly noticeId: string;
      readonly noticeVersion: number;
      readonly statementHash: string;
      readonly expiresAt?: Instant;
    }
  | { readonly status: 'refused'; readonly consentId: string; readonly at: Instant }
  | { readonly status: 'withdrawn'; readonly consentId: string; readonly at: Instant }
  | { readonly status: 'expired'; readonly consentId: string; readonly at: Instant }
  | {
      readonly status: 'invalidated';
      readonly consentId: string;
      readonly at: Instant;
      readonly reason: ConsentInvalidated['data']['reason'];
      /** The version of the purpose that was not agreed to, where that is the reason. */
      readonly purposeVersion?: number;
    };

/** What the person was asked, and when. */
export type Question = ConsentRequested['data'] & { readonly at: Instant };

export interface ConsentsState {
  readonly openedAt?: Instant;
  readonly presented: Readonly<Record<string, Instant>>;
  /** By `purpose/channel`. Who was only asked has no entry: a question is no consent. */
  readonly consents: Readonly<Record<string, ConsentState>>;
  /** The question that was asked last and has not been answered, by `purpose/channel`. */
  readonly asked: Readonly<Record<string, Question>>;
}

export interface ConsentFacts extends Facts {
  readonly purposes: PurposeRegisterState;
  readonly notices: NoticeRegisterState;
}

/** Key of a consent within a person's stream. */
export const consentKey = (purposeId: string, channel: string): string => `${purposeId}/${channel}`;

/** Youngest age at which a person consents to an online service alone (UK GDPR Art 8; DPA 2018 s.9). */
const AGE_OF_CONSENT = 13;

/** Everything that {@link evolveConsent} folds. */
export const CONSENT_EVENTS: { readonly [type in ConsentEvent['type']]: true } = {
  ConsentRequested: true,
  ConsentGiven: true,
  ConsentRenewed: true,
  ConsentRefused: true,
  ConsentWithdrawn: true,
  ConsentExpired: true,
  ConsentInvalidated: true,
  ConsentUpheld: true,
};

/** Folds consent events; shared with the use gate, which must see the same state. */
export function evolveConsent(
  consents: ConsentsState['consents'],
  event: ConsentEvent,
  at: Instant,
): ConsentsState['consents'] {
  const key = consentKey(event.data.purposeId, event.data.channel);
  const { consentId } = event.data;
  const before = consents[key];
  switch (event.type) {
    case 'ConsentRequested':
      return consents;
    case 'ConsentGiven':
    case 'ConsentRenewed':
      return {
        ...consents,
        [key]: {
          status: 'given',
          consentId,
          purposeVersion: event.data.purposeVersion,
          noticeId: event.data.noticeId,
          noticeVersion: event.data.noticeVersion,
          statementHash: event.data.statementHash,
          ...(event.data.expiresAt !== undefined && { expiresAt: event.data.expiresAt as Instant }),
        },
      };
    case 'ConsentRefused':
      return { ...consents, [key]: { status: 'refused', consentId, at: latestNo(before, at) } };
    case 'ConsentWithdrawn':
      return { ...consents, [key]: { status: 'withdrawn', consentId, at } };
    case 'ConsentExpired':
      return { ...consents, [key]: { status: 'expired', consentId, at } };
    case 'ConsentInvalidated': {
      const { reason, purposeVersion } = event.data;
      return {
        ...consents,
        [key]: {
          status: 'invalidated',
          consentId,
          at,
          reason,
          ...(purposeVersion !== undefined && { purposeVersion }),
        },
      };
    }
    case 'ConsentUpheld':
      return before?.status === 'given' && before.consentId === consentId
        ? { ...consents, [key]: { ...before, covers: event.data.purposeVersion } }
        : consents;
  }
}

/** When the person said no last, whichever of their answers was entered last. */
const latestNo = (before: ConsentState | undefined, at: Instant): Instant =>
  (before?.status === 'refused' || before?.status === 'withdrawn') && before.at > at ? before.at : at;

export const consentDecider: Decider<
  ConsentDomainCommand,
  ConsentEvent | SubjectRegistered | NoticePresented,
  ConsentsState,
  ConsentFacts
> = {
  initialState: { presented: {}, consents: {}, asked: {} },
  folds: { SubjectRegistered: true, NoticePresented: true, ...CONSENT_EVENTS },
  evolve(state, event, at) {
    switch (event.type) {
      case 'SubjectRegistered':
        return { ...state, openedAt: at };
      case 'NoticePresented': {
        const key = `${event.data.noticeId}@${event.data.version}`;
        const first = state.presented[key];
        return first !== undefined && first <= at ? state : { ...state, presented: { ...state.presented, [key]: at } };
      }
      case 'ConsentRequested':
        return {
          ...state,
          asked: { ...state.asked, [consentKey(event.data.purposeId, event.data.channel)]: { ...event.data, at } },
        };
      case 'ConsentGiven':
      case 'ConsentRenewed':
      case 'ConsentRefused': {
        const key = consentKey(event.data.purposeId, event.data.channel);
        const { [key]: question, ...others } = state.asked;
        const answered = question?.consentId === event.data.consentId;
        return {
          ...state,
          asked: answered ? others : state.asked,
          consents: evolveConsent(state.consents, event, at),
        };
      }
      case 'ConsentWithdrawn':
      case 'ConsentExpired':
      case 'ConsentInvalidated':
      case 'ConsentUpheld':
        return { ...state, consents: evolveConsent(state.consents, event, at) };
    }
  },
  decide(command, state, facts) {
    const unfit = withoutStanding(state.openedAt, facts);
    if (unfit) return unfit;
    const { purposeId, channel } = command;
    const consent = state.consents[consentKey(purposeId, channel)];
    switch (command.type) {
      case 'RequestConsent':
        return request(command, state, facts);
      case 'GiveConsent':
        return give(command, consent, state, facts);
      case 'RefuseConsent':
        return sayNo(command, consent, state, facts);
      case 'WithdrawConsent':
        if (!consent) return refuse('CONSENT_NOT_GIVEN', { purposeId, channel });
        return consent.status === 'given' ? accept(withdrawal(command, consent, state)) : unchanged;
      case 'ExpireConsent':
        return consent?.status === 'given' && consent.expiresAt !== undefined && consent.expiresAt <= facts.now
          ? accept({ type: 'ConsentExpired', data: endOf(command, consent, state) })
          : unchanged;
      case 'InvalidateConsent':
        if (!consent) return refuse('CONSENT_NOT_GIVEN', { purposeId, channel });
        return consent.status === 'given'
          ? accept({ type: 'ConsentInvalidated', data: { ...endOf(command, consent, state), reason: command.reason } })
          : unchanged;
      case 'ReviewConsent':
        return consent?.status === 'given' ? review(command, consent, state, facts) : unchanged;
    }
  },
};

const keyOf = (
  { subjectId, purposeId, channel }: Omit<ConsentKey, 'consentId'>,
  { consentId }: ConsentState,
): ConsentKey => ({ subjectId, consentId, purposeId, channel });

/** The end of a consent, and whether it was the last one to its purpose. */
function endOf(
  about: Omit<ConsentKey, 'consentId'>,
  consent: ConsentState,
  { consents }: ConsentsState,
): ConsentExpired['data'] {
  const standsElsewhere = Object.entries(consents).some(
    ([key, { status }]) =>
      status === 'given' &&
      key.startsWith(consentKey(about.purposeId, '')) &&
      key !== consentKey(about.purposeId, about.channel),
  );
  return { ...keyOf(about, consent), ...(!standsElsewhere && { endsPurpose: true }) };
}

const withdrawal = (
  command: WithdrawConsent | RefuseConsent,
  consent: ConsentState,
  state: ConsentsState,
): ConsentWithdrawn => ({
  type: 'ConsentWithdrawn',
  data: { ...endOf(command, consent, state), ...(command.method !== undefined && { method: command.method }) },
});

/** The question that something of this time may answer. */
function questionAt(state: ConsentsState, purposeId: string, channel: string, at: Instant): Question | undefined {
  const question = state.asked[consentKey(purposeId, channel)];
  return question && question.at <= at ? question : undefined;
}

/** The purpose as it was when the matter happened, if consent can be asked for it at all. */
function purposeToAgreeTo(
  { purposeId }: { readonly purposeId: string },
  facts: ConsentFacts,
): Purpose | Outcome<never> {
  const found = purposeAsOf(facts.purposes, purposeId, facts.occurredAt);
  if (found.status !== 'inForce') return refuse(purposeRefusal(found.status), { purposeId });
  const { basis, commercial } = found.purpose;
  // Whoever is asked for consent is told that the choice is theirs: it is not, where the data is used anyway. Marketing
  // may need consent under PECR regs 19-22 whatever basis it has under the UK GDPR.
  if (basis !== 'consent' && !commercial) return refuse('LAWFUL_BASIS_NOT_AVAILABLE', { purposeId, basis });
  return found.purpose;
}

function request(command: RequestConsent, state: ConsentsState, facts: ConsentFacts): Outcome<ConsentEvent> {
  const { subjectId, purposeId, channel, noticeId, statementHash, method } = command;
  const version = command.noticeVersion;
  const consentId = facts.id('consent');
  const key = consentKey(purposeId, channel);
  if (state.asked[key]?.consentId === consentId) return unchanged;
  const purpose = purposeToAgreeTo(command, facts);
  if ('kind' in purpose) return purpose;
  const notice = noticeVersion(facts.notices, noticeId, version);
  if (!notice) return refuse('NOTICE_UNKNOWN', { noticeId, version });
  if (!notice.purposes.includes(purposeId))
    return refuse('NOTICE_DOES_NOT_COVER_PURPOSE', { noticeId, version, purposeId });
  if (noticeAsOf(facts.notices, noticeId, facts.occurredAt) !== notice)
    return refuse('NOTICE_NOT_IN_FORCE', { noticeId, version });
  return accept({
    type: 'ConsentRequested',
    data: {
      subjectId,
      consentId,
      purposeId,
      purposeVersion: purpose.version,
      channel,
      noticeId,
      noticeVersion: version,
      statementHash,
      method,
    },
  });
}

/**
 * A no ends the consent that stands and answers the question that was asked. Without either it is on record for itself,
 * as a no to the purpose as it is.
 */
function sayNo(
  command: RefuseConsent,
  consent: ConsentState | undefined,
  state: ConsentsState,
  facts: ConsentFacts,
): Outcome<ConsentEvent> {
  const { subjectId, purposeId, channel, method } = command;
  const asked = questionAt(state, purposeId, channel, facts.occurredAt);
  const refusal = (consentId: string, purposeVersion: number, told: Partial<ConsentInformation>): ConsentRefused => ({
    type: 'ConsentRefused',
    data: {
      subjectId,
      consentId,
      purposeId,
      purposeVersion,
      channel,
      ...told,
      ...(method !== undefined && { method }),
    },
  });
  const answers: readonly ConsentEvent[] = asked
    ? [
        refusal(asked.consentId, asked.purposeVersion, {
          noticeId: asked.noticeId,
          noticeVersion: asked.noticeVersion,
          statementHash: asked.statementHash,
        }),
      ]
    : [];
  if (consent?.status === 'given') return accept(...answers, withdrawal(command, consent, state));
  if (asked) return accept(...answers);
  if ((consent?.status === 'refused' || consent?.status === 'withdrawn') && consent.at >= facts.occurredAt)
    return unchanged;
  const purpose = purposeToAgreeTo(command, facts);
  if ('kind' in purpose) return purpose;
  return accept(refusal(facts.id('consent'), purpose.version, {}));
}

/** Holds a consent against the versions of its purpose that took effect since it was given, or held last. */
function review(
  about: Omit<ConsentKey, 'consentId'>,
  consent: Extract<ConsentState, { status: 'given' }>,
  state: ConsentsState,
  { purposes, now }: ConsentFacts,
): Outcome<ConsentEvent> {
  const { purposeId } = about;
  const outgrown = outgrownBy(purposes, purposeId, consent.purposeVersion, now);
  if (outgrown)
    return accept({
      type: 'ConsentInvalidated',
      data: {
        ...endOf(about, consent, state),
        reason: 'purposeChanged',
        purposeVersion: outgrown.version,
        widenings: outgrown.widenings,
      },
    });
  const current = purposes.get(purposeId)?.approved.findLast(({ effectiveFrom }) => effectiveFrom <= now)?.version ?? 0;
  if (current <= (consent.covers ?? consent.purposeVersion)) return unchanged;
  const reviewAt = nextVersionFrom(purposes, purposeId, current);
  return accept({
    type: 'ConsentUpheld',
    data: { ...keyOf(about, consent), purposeVersion: current, ...(reviewAt !== undefined && { reviewAt }) },
  });
}

function give(
  command: GiveConsent,
  consent: ConsentState | undefined,
  state: ConsentsState,
  facts: ConsentFacts,
): Outcome<ConsentEvent> {
  const { subjectId, purposeId, channel, noticeId, statementHash, affirmativeAct, authorityRef } = command;
  const version = command.noticeVersion;
  const asked = questionAt(state, purposeId, channel, facts.occurredAt);
  const purpose = purposeToAgreeTo(command, facts);
  if ('kind' in purpose) return purpose;
  if (affirmativeAct === 'preTickedBox' || affirmativeAct === 'none')
    return refuse('CONSENT_NOT_UNAMBIGUOUS', { purposeId, field: 'affirmativeAct' });
  if (command.bundled === true) return refuse('CONSENT_BUNDLED', { purposeId, field: 'bundled' });
  if (command.conditional === true) return refuse('CONSENT_CONDITIONAL', { purposeId, field: 'conditional' });
  if (command.statedAge !== undefined && command.statedAge < AGE_OF_CONSENT && command.givenBy !== 'parent')
    return refuse('CONSENT_AGE', { purposeId, field: 'givenBy' });
  // The indication is the person's own only if whoever gives it was authorised by them.
  if (command.givenBy === 'agent' && authorityRef === undefined)
    return refuse('CONSENT_NOT_UNAMBIGUOUS', { purposeId, field: 'authorityRef' });
  if (statementHash === undefined) return refuse('CONSENT_NOT_INFORMED', { purposeId, field: 'statementHash' });
  const notice = noticeVersion(facts.notices, noticeId, version);
  if (!notice) return refuse('NOTICE_UNKNOWN', { noticeId, version });
  if (!notice.purposes.includes(purposeId))
    return refuse('NOTICE_DOES_NOT_COVER_PURPOSE', { noticeId, version, purposeId });
  const presentedAt = state.presented[`${noticeId}@${version}`];
  if (presentedAt === undefined || presentedAt > facts.occurredAt)
    return refuse('CONSENT_NOT_INFORMED', { purposeId, noticeId, version });
  // A no stands against every consent given before it, also one that is entered later.
  if ((consent?.status === 'withdrawn' || consent?.status === 'refused') && consent.at > facts.occurredAt)
    return refuse('CONSENT_WITHDRAWN', { purposeId, channel, since: consent.at });
  if (consent?.status === 'invalidated' && consent.at > facts.occurredAt)
    return refuse('CONSENT_INVALIDATED', { purposeId, channel, since: consent.at });
  const expiresAt = command.expiresAt === undefined ? undefined : parseInstant(command.expiresAt);
  if (expiresAt !== undefined && expiresAt <= facts.occurredAt)
    return refuse('CONSENT_EXPIRED', { purposeId, field: 'expiresAt' });

  const same =
    consent?.status === 'given' &&
    consent.purposeVersion === purpose.version &&
    consent.noticeId === noticeId &&
    consent.noticeVersion === version &&
    consent.statementHash === statementHash &&
    consent.expiresAt === expiresAt;
  // Whoever is asked once more and says yes once more has renewed the consent, even in the same words.
  if (same && !asked) return unchanged;
  const reviewAt = nextVersionFrom(facts.purposes, purposeId, purpose.version);
  const evidence: ConsentEvidence = {
    subjectId,
    consentId: asked?.consentId ?? facts.id('consent'),
    purposeId,
    purposeVersion: purpose.version,
    channel,
    noticeId,
    noticeVersion: version,
    statementHash,
    method: command.method,
    affirmativeAct,
    givenBy: command.givenBy,
    ...(authorityRef !== undefined && { authorityRef }),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(reviewAt !== undefined && { reviewAt }),
  };
  return consent === undefined || consent.status === 'refused' || consent.status === 'withdrawn'
    ? accept({ type: 'ConsentGiven', data: evidence })
    : accept({ type: 'ConsentRenewed', data: { ...evidence, renews: consent.consentId } });
}

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
import { noticeVersion, type NoticeRegisterState } from '#notice';
import { purposeAsOf, purposeRefusal, type PurposeRegisterState } from '#purpose';
import type { NoticePresented, SubjectRegistered } from '#subject';
import type { ConsentDomainCommand, GiveConsent } from './consent.commands.js';
import type { ConsentEvent } from './consent.events.js';

/** Where a consent stands. There is no state "given" without the evidence that goes with it. */
export type ConsentState =
  | {
      readonly status: 'given';
      readonly consentId: string;
      readonly purposeVersion: number;
      readonly noticeId: string;
      readonly noticeVersion: number;
      readonly statementHash: string;
      readonly expiresAt?: Instant;
    }
  | { readonly status: 'withdrawn'; readonly consentId: string; readonly at: Instant }
  | { readonly status: 'expired'; readonly consentId: string; readonly at: Instant };

export interface ConsentsState {
  readonly openedAt?: Instant;
  readonly presented: Readonly<Record<string, Instant>>;
  /** By `purpose/channel`. */
  readonly consents: Readonly<Record<string, ConsentState>>;
}

export interface ConsentFacts extends Facts {
  readonly purposes: PurposeRegisterState;
  readonly notices: NoticeRegisterState;
}

/** Key of a consent within a person's stream. */
export const consentKey = (purposeId: string, channel: string): string => `${purposeId}/${channel}`;

/** Youngest age at which a person consents to an online service alone (UK GDPR Art 8; DPA 2018 s.9). */
const AGE_OF_CONSENT = 13;

/** Folds consent events; shared with the use gate, which must see the same state. */
export function evolveConsent(
  consents: ConsentsState['consents'],
  event: ConsentEvent,
  at: Instant,
): ConsentsState['consents'] {
  const key = consentKey(event.data.purposeId, event.data.channel);
  const { consentId } = event.data;
  switch (event.type) {
    case 'ConsentGiven':
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
    case 'ConsentWithdrawn':
      return { ...consents, [key]: { status: 'withdrawn', consentId, at } };
    case 'ConsentExpired':
      return { ...consents, [key]: { status: 'expired', consentId, at } };
  }
}

export const consentDecider: Decider<
  ConsentDomainCommand,
  ConsentEvent | SubjectRegistered | NoticePresented,
  ConsentsState,
  ConsentFacts
> = {
  initialState: { presented: {}, consents: {} },
  folds: {
    SubjectRegistered: true,
    NoticePresented: true,
    ConsentGiven: true,
    ConsentWithdrawn: true,
    ConsentExpired: true,
  },
  evolve(state, event, at) {
    switch (event.type) {
      case 'SubjectRegistered':
        return { ...state, openedAt: at };
      case 'NoticePresented': {
        const key = `${event.data.noticeId}@${event.data.version}`;
        const first = state.presented[key];
        return first !== undefined && first <= at ? state : { ...state, presented: { ...state.presented, [key]: at } };
      }
      case 'ConsentGiven':
      case 'ConsentWithdrawn':
      case 'ConsentExpired':
        return { ...state, consents: evolveConsent(state.consents, event, at) };
    }
  },
  decide(command, state, facts) {
    const unfit = withoutStanding(state.openedAt, facts);
    if (unfit) return unfit;
    const { subjectId, purposeId, channel } = command;
    const consent = state.consents[consentKey(purposeId, channel)];
    switch (command.type) {
      case 'GiveConsent':
        return give(command, consent, state, facts);
      case 'WithdrawConsent':
        if (!consent) return refuse('CONSENT_NOT_GIVEN', { purposeId, channel });
        return consent.status === 'given'
          ? accept({ type: 'ConsentWithdrawn', data: { subjectId, consentId: consent.consentId, purposeId, channel } })
          : unchanged;
      case 'ExpireConsent':
        return consent?.status === 'given' && consent.expiresAt !== undefined && consent.expiresAt <= facts.now
          ? accept({ type: 'ConsentExpired', data: { subjectId, consentId: consent.consentId, purposeId, channel } })
          : unchanged;
    }
  },
};

function give(
  command: GiveConsent,
  consent: ConsentState | undefined,
  state: ConsentsState,
  facts: ConsentFacts,
): Outcome<ConsentEvent> {
  const { subjectId, purposeId, channel, noticeId, statementHash, affirmativeAct } = command;
  const version = command.noticeVersion;
  const consentId = facts.id('consent');
  const found = purposeAsOf(facts.purposes, purposeId, facts.occurredAt);
  if (found.status !== 'inForce') return refuse(purposeRefusal(found.status), { purposeId });
  if (affirmativeAct === 'preTickedBox' || affirmativeAct === 'none')
    return refuse('CONSENT_NOT_UNAMBIGUOUS', { purposeId, field: 'affirmativeAct' });
  if (command.bundled === true) return refuse('CONSENT_BUNDLED', { purposeId, field: 'bundled' });
  if (command.conditional === true) return refuse('CONSENT_CONDITIONAL', { purposeId, field: 'conditional' });
  if (command.statedAge !== undefined && command.statedAge < AGE_OF_CONSENT && command.givenBy !== 'parent')
    return refuse('CONSENT_AGE', { purposeId, field: 'givenBy' });
  if (statementHash === undefined) return refuse('CONSENT_NOT_INFORMED', { purposeId, field: 'statementHash' });
  const notice = noticeVersion(facts.notices, noticeId, version);
  if (!notice) return refuse('NOTICE_UNKNOWN', { noticeId, version });
  if (!notice.purposes.includes(purposeId))
    return refuse('NOTICE_DOES_NOT_COVER_PURPOSE', { noticeId, version, purposeId });
  const presentedAt = state.presented[`${noticeId}@${version}`];
  if (presentedAt === undefined || presentedAt > facts.occurredAt)
    return refuse('CONSENT_NOT_INFORMED', { purposeId, noticeId, version });
  // A withdrawal stands against every consent given before it, also one that is entered later.
  if (consent?.status === 'withdrawn' && consent.at > facts.occurredAt)
    return refuse('CONSENT_WITHDRAWN', { purposeId, channel, since: consent.at });
  const expiresAt = command.expiresAt === undefined ? undefined : parseInstant(command.expiresAt);
  if (expiresAt !== undefined && expiresAt <= facts.occurredAt)
    return refuse('CONSENT_EXPIRED', { purposeId, field: 'expiresAt' });

  const same =
    consent?.status === 'given' &&
    consent.purposeVersion === found.purpose.version &&
    consent.noticeId === noticeId &&
    consent.noticeVersion === version &&
    consent.statementHash === statementHash &&
    consent.expiresAt === expiresAt;
  if (same) return unchanged;
  return accept({
    type: 'ConsentGiven',
    data: {
      subjectId,
      consentId,
      purposeId,
      purposeVersion: found.purpose.version,
      channel,
      noticeId,
      noticeVersion: version,
      statementHash,
      method: command.method,
      affirmativeAct,
      givenBy: command.givenBy,
      ...(expiresAt !== undefined && { expiresAt }),
    },
  });
}

import { describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import type { ConsentDomainCommand } from './consent.commands.js';
import { CONSENT_EVENTS, consentDecider, type ConsentState } from './consent.decider.js';
import type { ConsentEvent } from './consent.events.js';
import {
  expire,
  expired,
  facts,
  fold,
  give,
  given,
  invalidate,
  invalidated,
  LATER,
  OLDER,
  OPENED,
  presented,
  refused,
  registered,
  renewed,
  request,
  requested,
  review,
  sayNo,
  TODAY,
  upheld,
  withdraw,
  withdrawn,
  type Folded,
} from './testing/index.js';

/*
 * Every state, every command: what is recorded, or which code refuses it (X8). The commands come in November, to a
 * consent that was given in spring, may have lived until summer, and whose purpose asks for more since October.
 */

const COMMANDS = {
  RequestConsent: request({ noticeVersion: 2 }),
  GiveConsent: give(),
  RefuseConsent: sayNo(),
  WithdrawConsent: withdraw(),
  ExpireConsent: expire,
  InvalidateConsent: invalidate(),
  ReviewConsent: review(),
} satisfies { readonly [type in ConsentDomainCommand['type']]: ConsentDomainCommand };
type CommandType = keyof typeof COMMANDS;

const until = { expiresAt: '2026-07-01T00:00:00.000Z' };
const older = { consentId: OLDER };
const STATES: Readonly<Record<string, readonly Folded[]>> = {
  'never asked': [],
  asked: [requested(older)],
  given: [given({ ...older, ...until })],
  'given and asked again': [given({ ...older, ...until }), requested({ consentId: '5'.repeat(8) })],
  renewed: [given({ consentId: '6'.repeat(8) }), renewed({ ...older, ...until, renews: '6'.repeat(8) })],
  upheld: [given({ ...older, ...until }), upheld(older)],
  refused: [refused(older)],
  withdrawn: [given(older), { ...withdrawn, data: { ...withdrawn.data, ...older } }],
  expired: [given(older), { ...expired, data: { ...expired.data, ...older } }],
  invalidated: [given(older), invalidated(older)],
};

/** What answers each command in each state: types of events, `nothing`, or a code. */
const TABLE: Readonly<Record<string, Readonly<Record<CommandType, string>>>> = {
  'never asked': {
    RequestConsent: 'ConsentRequested',
    GiveConsent: 'ConsentGiven',
    RefuseConsent: 'ConsentRefused',
    WithdrawConsent: 'CONSENT_NOT_GIVEN',
    ExpireConsent: 'nothing',
    InvalidateConsent: 'CONSENT_NOT_GIVEN',
    ReviewConsent: 'nothing',
  },
  asked: {
    RequestConsent: 'ConsentRequested',
    GiveConsent: 'ConsentGiven',
    RefuseConsent: 'ConsentRefused',
    WithdrawConsent: 'CONSENT_NOT_GIVEN',
    ExpireConsent: 'nothing',
    InvalidateConsent: 'CONSENT_NOT_GIVEN',
    ReviewConsent: 'nothing',
  },
  given: {
    RequestConsent: 'ConsentRequested',
    GiveConsent: 'ConsentRenewed',
    RefuseConsent: 'ConsentWithdrawn',
    WithdrawConsent: 'ConsentWithdrawn',
    ExpireConsent: 'ConsentExpired',
    InvalidateConsent: 'ConsentInvalidated',
    ReviewConsent: 'ConsentInvalidated',
  },
  'given and asked again': {
    RequestConsent: 'ConsentRequested',
    GiveConsent: 'ConsentRenewed',
    RefuseConsent: 'ConsentRefused ConsentWithdrawn',
    WithdrawConsent: 'ConsentWithdrawn',
    ExpireConsent: 'ConsentExpired',
    InvalidateConsent: 'ConsentInvalidated',
    ReviewConsent: 'ConsentInvalidated',
  },
  renewed: {
    RequestConsent: 'ConsentRequested',
    GiveConsent: 'ConsentRenewed',
    RefuseConsent: 'ConsentWithdrawn',
    WithdrawConsent: 'ConsentWithdrawn',
    ExpireConsent: 'ConsentExpired',
    InvalidateConsent: 'ConsentInvalidated',
    ReviewConsent: 'ConsentInvalidated',
  },
  upheld: {
    RequestConsent: 'ConsentRequested',
    GiveConsent: 'ConsentRenewed',
    RefuseConsent: 'ConsentWithdrawn',
    WithdrawConsent: 'ConsentWithdrawn',
    ExpireConsent: 'ConsentExpired',
    InvalidateConsent: 'ConsentInvalidated',
    ReviewConsent: 'ConsentInvalidated',
  },
  refused: {
    RequestConsent: 'ConsentRequested',
    GiveConsent: 'ConsentGiven',
    RefuseConsent: 'ConsentRefused',
    WithdrawConsent: 'nothing',
    ExpireConsent: 'nothing',
    InvalidateConsent: 'nothing',
    ReviewConsent: 'nothing',
  },
  withdrawn: {
    RequestConsent: 'ConsentRequested',
    GiveConsent: 'ConsentGiven',
    RefuseConsent: 'ConsentRefused',
    WithdrawConsent: 'nothing',
    ExpireConsent: 'nothing',
    InvalidateConsent: 'nothing',
    ReviewConsent: 'nothing',
  },
  expired: {
    RequestConsent: 'ConsentRequested',
    GiveConsent: 'ConsentRenewed',
    RefuseConsent: 'ConsentRefused',
    WithdrawConsent: 'nothing',
    ExpireConsent: 'nothing',
    InvalidateConsent: 'nothing',
    ReviewConsent: 'nothing',
  },
  invalidated: {
    RequestConsent: 'ConsentRequested',
    GiveConsent: 'ConsentRenewed',
    RefuseConsent: 'ConsentRefused',
    WithdrawConsent: 'nothing',
    ExpireConsent: 'nothing',
    InvalidateConsent: 'nothing',
    ReviewConsent: 'nothing',
  },
};

const reached = (history: readonly Folded[]) =>
  fold([[OPENED, registered], [OPENED, presented()], ...history.map((event) => [TODAY, event] as const)]);
const answer = (state: string, type: CommandType): string => {
  const outcome = consentDecider.decide(COMMANDS[type], reached(STATES[state]!), facts(LATER));
  if (outcome.kind === 'refused') return outcome.refusal.code;
  return outcome.events.map((event) => event.type).join(' ') || 'nothing';
};

describe('the life of a consent', () => {
  it('has an answer to every command in every state', () => {
    expect(Object.keys(TABLE)).toEqual(Object.keys(STATES));
    for (const row of Object.values(TABLE)) expect(Object.keys(row)).toEqual(Object.keys(COMMANDS));
  });

  it.each(
    Object.entries(TABLE).flatMap(([state, row]) =>
      Object.entries(row).map(([type, expected]) => [state, type as CommandType, expected] as const),
    ),
  )('%s, %s: %s', (state, type, expected) => expect(answer(state, type)).toBe(expected));

  it('records every event somewhere in the table, or where a version asks for less', () => {
    const recorded = new Set(
      Object.values(TABLE).flatMap((row) => Object.values(row).flatMap((cell) => cell.split(' '))),
    );
    const missing = Object.keys(CONSENT_EVENTS).filter((type) => !recorded.has(type));
    expect(missing).toEqual(['ConsentUpheld']);
  });
});

/** Where every event leads, from every state; `same` where it changes nothing. */
const LEADS: { readonly [type in ConsentEvent['type']]: ConsentState['status'] | 'same' } = {
  ConsentRequested: 'same',
  ConsentGiven: 'given',
  ConsentRenewed: 'given',
  ConsentRefused: 'refused',
  ConsentWithdrawn: 'withdrawn',
  ConsentExpired: 'expired',
  ConsentInvalidated: 'invalidated',
  ConsentUpheld: 'same',
};
const EVENTS: readonly ConsentEvent[] = [
  requested(),
  given(),
  renewed(),
  refused(),
  withdrawn,
  expired,
  invalidated(),
  upheld(),
];

describe('what has happened', () => {
  it.each(Object.keys(STATES).flatMap((state) => EVENTS.map((event) => [state, event] as const)))(
    'leads on from "%s": $type',
    (state, event) => {
      const before = reached(STATES[state]!);
      const after = consentDecider.evolve(before, event, instant(LATER));
      const lead = LEADS[event.type];
      expect(after.consents['news/email']?.status).toBe(lead === 'same' ? before.consents['news/email']?.status : lead);
      expect(after.openedAt).toBe(before.openedAt);
    },
  );
  it('is known by all of its types', () =>
    expect(EVENTS.map(({ type }) => type).sort()).toEqual(Object.keys(CONSENT_EVENTS).sort()));
});

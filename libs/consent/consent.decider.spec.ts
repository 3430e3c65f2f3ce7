import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { epochMilliseconds, instant, instantOf, uuidV5 } from '#kernel';
import { factsAt, registerOf, scenario } from '#kernel/testing';
import { noticeRegister, type NoticePublished } from '#notice';
import { purposeRegister, type PurposeDefined, type PurposeEvent } from '#purpose';
import type { NoticePresented, SubjectRegistered } from '#subject';
import type { ConsentDomainCommand, GiveConsent } from './consent.commands.js';
import { consentDecider, type ConsentFacts, type ConsentsState } from './consent.decider.js';
import type { ConsentEvent, ConsentExpired, ConsentGiven, ConsentWithdrawn } from './consent.events.js';

const OPENED = '2026-01-05T09:00:00Z';
const TODAY = '2026-03-02T09:00:00Z';
const LATER = '2026-11-23T09:00:00Z';
/** Version 2 of the newsletter takes effect here. */
const REVISED = '2026-06-01T00:00:00Z';
const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const news = { subjectId, purposeId: 'news', channel: 'email' };
const STATEMENT = 'a'.repeat(64);

const defined = (purposeId: string, version = 1): PurposeDefined => ({
  type: 'PurposeDefined',
  data: {
    purposeId,
    version,
    author: 'ada',
    title: purposeId,
    plainWords: 'We write to you about new charts.',
    serviceLine: 'B2C',
    commercial: true,
    basis: 'consent',
    dpiaRequired: false,
    dpvIri: 'dpv:DirectMarketing',
    fields: [],
    retention: [],
    recipientKindsAllowed: [],
  },
});
const approved = (purposeId: string, version = 1, from = '2020-01-01T00:00:00Z'): PurposeEvent => ({
  type: 'PurposeApproved',
  data: { purposeId, version, approver: 'ben', effectiveFrom: instant(from) },
});
const published = (noticeId: string, version: number, purposes: readonly string[], from: string): NoticePublished => ({
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
const registers = {
  purposes: registerOf<PurposeEvent, typeof purposeRegister.initialState>(
    purposeRegister,
    defined('news'),
    approved('news'),
    defined('news', 2),
    approved('news', 2, REVISED),
    defined('drafted'),
    defined('stopped'),
    approved('stopped'),
    { type: 'PurposeSuspended', data: { purposeId: 'stopped', reasonCode: 'underReview' } },
  ),
  notices: registerOf(
    noticeRegister,
    published('privacy', 1, ['news'], '2020-01-01T00:00:00Z'),
    published('privacy', 2, ['news'], REVISED),
    published('leaflet', 1, ['news'], '2020-01-01T00:00:00Z'),
    published('cookies', 1, [], '2020-01-01T00:00:00Z'),
  ),
};
const facts = (at: string, overrides: Partial<ConsentFacts> = {}): ConsentFacts => ({
  ...factsAt(at),
  ...registers,
  ...overrides,
});
const happened = (at: string, decided = LATER) => ({ occurredAt: instant(at), now: instant(decided) });

const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: factsAt().actor };
const give = (changes: Partial<GiveConsent> = {}): ConsentDomainCommand => ({
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
const withdraw = (changes: object = {}): ConsentDomainCommand => ({
  ...sent,
  type: 'WithdrawConsent',
  ...news,
  ...changes,
});
const expireOf = (changes: object = {}): ConsentDomainCommand => ({
  ...sent,
  type: 'ExpireConsent',
  ...news,
  ...changes,
});
const expire = expireOf();

const registered: SubjectRegistered = {
  type: 'SubjectRegistered',
  data: { subjectId, capacity: 'individual', subscriberType: 'individual', division: 'england-and-wales' },
};
const presented = (version = 1, noticeId = 'privacy'): NoticePresented => ({
  type: 'NoticePresented',
  data: { subjectId, noticeId, version, how: 'shown', channel: 'web' },
});
const consentId = facts(TODAY).id('consent');
const given = (changes: Partial<ConsentGiven['data']> = {}): ConsentGiven => ({
  type: 'ConsentGiven',
  data: {
    ...news,
    consentId,
    purposeVersion: 1,
    noticeId: 'privacy',
    noticeVersion: 1,
    statementHash: STATEMENT,
    method: 'webForm',
    affirmativeAct: 'tickedBox',
    givenBy: 'subject',
    ...changes,
  },
});
const ended = { ...news, consentId };
const withdrawn: ConsentWithdrawn = { type: 'ConsentWithdrawn', data: ended };
const expired: ConsentExpired = { type: 'ConsentExpired', data: ended };

type Folded = ConsentEvent | SubjectRegistered | NoticePresented;
const fold = (history: readonly (readonly [string, Folded])[]): ConsentsState =>
  history.reduce((state, [at, event]) => consentDecider.evolve(state, event, instant(at)), consentDecider.initialState);
/** A scenario that takes place after these events, each with the time it happened. */
const after = (...history: readonly (readonly [string, Folded])[]) =>
  scenario({ ...consentDecider, initialState: fold(history) }, facts(TODAY));
const informed = after([OPENED, registered], [OPENED, presented()]);

describe('giving consent (C05)', () => {
  it('keeps who, when, how and what they were told', () => informed.when(give()).then(given()));
  it('happens once', () => informed.when(give()).thenRepeatedNothing());
  it('keeps the end of its agreed life in one spelling', () => {
    const until = { expiresAt: '2027-03-02T10:00:00+01:00' };
    informed.when(give(until)).then(given({ expiresAt: '2027-03-02T09:00:00.000Z' }));
    informed.when(give(until)).thenRepeatedNothing();
  });
  it('keeps nothing of the age that was stated', () => informed.when(give({ statedAge: 13 })).then(given()));
  it('is renewed by a consent that differs', () => {
    const renewed = informed.given(given());
    renewed.when(give({ expiresAt: '2027-01-01T00:00:00Z' })).then(given({ expiresAt: '2027-01-01T00:00:00.000Z' }));
    renewed.when(give({ statementHash: 'c'.repeat(64) })).then(given({ statementHash: 'c'.repeat(64) }));
    informed
      .given(presented(1, 'leaflet'), given())
      .when(give({ noticeId: 'leaflet' }))
      .then(given({ noticeId: 'leaflet' }));
    informed
      .given(given({ expiresAt: '2027-01-01T00:00:00.000Z' }))
      .when(give())
      .then(given());
  });
  it('is for the purpose as it was when the person gave it', () => {
    informed.when(give(), happened('2026-05-31T23:59:59Z')).then(given());
    informed.when(give(), happened(REVISED)).then(given({ purposeVersion: 2 }));
    informed
      .given(given())
      .when(give(), happened(REVISED))
      .then(given({ purposeVersion: 2 }));
  });
  it('is for one channel', () =>
    informed
      .given(given())
      .when(give({ channel: 'sms' }))
      .then(given({ channel: 'sms' })));

  it.each<readonly [string, Partial<GiveConsent>, string, object]>([
    ['an unknown purpose', { purposeId: 'nothing' }, 'PURPOSE_UNKNOWN', { purposeId: 'nothing' }],
    ['a draft', { purposeId: 'drafted' }, 'PURPOSE_NOT_APPROVED', { purposeId: 'drafted' }],
    ['a suspended purpose', { purposeId: 'stopped' }, 'PURPOSE_SUSPENDED', { purposeId: 'stopped' }],
    [
      'a box ticked beforehand',
      { affirmativeAct: 'preTickedBox' },
      'CONSENT_NOT_UNAMBIGUOUS',
      { purposeId: 'news', field: 'affirmativeAct' },
    ],
    ['silence', { affirmativeAct: 'none' }, 'CONSENT_NOT_UNAMBIGUOUS', { purposeId: 'news', field: 'affirmativeAct' }],
    ['one act for several things', { bundled: true }, 'CONSENT_BUNDLED', { purposeId: 'news', field: 'bundled' }],
    [
      'a condition of the service',
      { conditional: true },
      'CONSENT_CONDITIONAL',
      { purposeId: 'news', field: 'conditional' },
    ],
    ['a child', { statedAge: 12 }, 'CONSENT_AGE', { purposeId: 'news', field: 'givenBy' }],
    [
      'a child, by an agent',
      { statedAge: 12, givenBy: 'agent' },
      'CONSENT_AGE',
      { purposeId: 'news', field: 'givenBy' },
    ],
    [
      'no statement',
      { statementHash: undefined as never },
      'CONSENT_NOT_INFORMED',
      { purposeId: 'news', field: 'statementHash' },
    ],
    ['an unknown notice', { noticeVersion: 3 }, 'NOTICE_UNKNOWN', { noticeId: 'privacy', version: 3 }],
    [
      'a notice about something else',
      { noticeId: 'cookies' },
      'NOTICE_DOES_NOT_COVER_PURPOSE',
      { noticeId: 'cookies', version: 1, purposeId: 'news' },
    ],
    [
      'a notice the person was not shown',
      { noticeId: 'leaflet' },
      'CONSENT_NOT_INFORMED',
      { purposeId: 'news', noticeId: 'leaflet', version: 1 },
    ],
    ['a life that is over', { expiresAt: TODAY }, 'CONSENT_EXPIRED', { purposeId: 'news', field: 'expiresAt' }],
  ])('is refused for %s', (_what, changes, code, details) =>
    informed.when(give(changes)).thenRefused(code as 'CONSENT_AGE', details as Record<string, string>),
  );
  it('is taken for a child from a parent, and for a box not said to be bundled or conditional', () => {
    informed.when(give({ statedAge: 12, givenBy: 'parent' })).then(given({ givenBy: 'parent' }));
    informed.when(give({ bundled: false, conditional: false })).then(given());
  });
  it('is refused when the notice was shown only afterwards', () =>
    after([OPENED, registered], [LATER, presented()])
      .when(give(), happened(TODAY))
      .thenRefused('CONSENT_NOT_INFORMED', { purposeId: 'news', noticeId: 'privacy', version: 1 }));
  it('counts a showing from its first time', () =>
    after([OPENED, registered], [LATER, presented()], [OPENED, presented()], [LATER, presented()])
      .when(give(), happened(TODAY))
      .then(given()));

  it('answers with the first rule that fails', () => {
    const steps: readonly (readonly [Partial<GiveConsent>, string])[] = [
      [{ purposeId: 'news' }, 'PURPOSE_UNKNOWN'],
      [{ affirmativeAct: 'signed' }, 'CONSENT_NOT_UNAMBIGUOUS'],
      [{ bundled: false }, 'CONSENT_BUNDLED'],
      [{ conditional: false }, 'CONSENT_CONDITIONAL'],
      [{ givenBy: 'parent' }, 'CONSENT_AGE'],
      [{ statementHash: STATEMENT }, 'CONSENT_NOT_INFORMED'],
      [{ noticeVersion: 1 }, 'NOTICE_UNKNOWN'],
      [{ noticeId: 'leaflet' }, 'NOTICE_DOES_NOT_COVER_PURPOSE'],
      [{ noticeId: 'privacy' }, 'CONSENT_NOT_INFORMED'],
      [{ expiresAt: LATER }, 'CONSENT_EXPIRED'],
    ];
    let command: Partial<GiveConsent> = {
      purposeId: 'nothing',
      affirmativeAct: 'none',
      bundled: true,
      conditional: true,
      statedAge: 9,
      statementHash: undefined as never,
      noticeId: 'cookies',
      noticeVersion: 9,
      expiresAt: OPENED,
    };
    for (const [mended, code] of steps) {
      informed.when(give(command)).thenRefused(code as 'CONSENT_AGE');
      command = { ...command, ...mended };
    }
    informed.when(give(command)).thenTypes('ConsentGiven');
  });
});

describe('withdrawing consent (Art 7(3))', () => {
  it('takes effect at once, and once', () => {
    informed.given(given()).when(withdraw()).then(withdrawn);
    informed.given(given()).when(withdraw()).thenRepeatedNothing();
    informed.given(given(), expired).when(withdraw()).thenNothing();
  });
  it('needs no purpose in force', () =>
    informed
      .given(given({ purposeId: 'stopped' }))
      .when(withdraw({ purposeId: 'stopped' }))
      .then({ type: 'ConsentWithdrawn', data: { ...ended, purposeId: 'stopped' } }));
  it('ends the consent over that channel', () => {
    informed
      .given(given())
      .when(withdraw({ channel: 'sms' }))
      .thenRefused('CONSENT_NOT_GIVEN', {
        purposeId: 'news',
        channel: 'sms',
      });
    informed.when(withdraw()).thenRefused('CONSENT_NOT_GIVEN', { purposeId: 'news', channel: 'email' });
  });
  it('is followed by a new consent only if the person gives one', () =>
    informed.given(given(), withdrawn).when(give()).then(given()));
  it('is not undone by an older consent that is entered later', () => {
    const late = after([OPENED, registered], [OPENED, presented()], [OPENED, given()], [TODAY, withdrawn]);
    late.when(give(), happened('2026-03-02T08:59:59.999Z')).thenRefused('CONSENT_WITHDRAWN', {
      purposeId: 'news',
      channel: 'email',
      since: '2026-03-02T09:00:00.000Z',
    });
    late.when(give(), happened('2026-03-02T09:00:00.001Z')).then(given());
  });
});

describe('the end of a consent', () => {
  const until = given({ expiresAt: '2026-06-01T09:00:00.000Z' });

  it('comes when its agreed life is over, once', () => {
    informed.given(until).when(expire, happened('2026-06-01T09:00:00Z', '2026-06-01T09:00:00Z')).then(expired);
    informed.given(until).when(expire, happened(LATER)).thenRepeatedNothing();
  });
  it('does not come before, or without one', () => {
    informed.given(until).when(expire, happened('2026-06-01T08:59:59Z', '2026-06-01T08:59:59.999Z')).thenNothing();
    informed.given(given()).when(expire, happened(LATER)).thenNothing();
    informed.given(until, withdrawn).when(expire, happened(LATER)).thenNothing();
    informed.when(expire, happened(LATER)).thenNothing();
  });
  it('is put off by a renewal', () => informed.given(until, given()).when(expire, happened(LATER)).thenNothing());
  it('is followed by a consent that was given before it and entered later', () =>
    after([OPENED, registered], [OPENED, presented()], [OPENED, until], [LATER, expired])
      .when(give(), happened(TODAY))
      .then(given()));
});

it.each([give(), withdraw(), expire])('without a relationship, $type is refused', (command) => {
  scenario(consentDecider, facts(TODAY)).when(command).thenRefused('SUBJECT_UNKNOWN', {});
  informed
    .when(command, happened('2026-01-05T08:59:59Z'))
    .thenRefused('OCCURRED_BEFORE_OPENING', { field: 'occurredAt' });
});

describe('over random histories', () => {
  const about = fc.record({
    purposeId: fc.constantFrom('news', 'constructor'),
    channel: fc.constantFrom('email', 'sms'),
  });
  const command: fc.Arbitrary<ConsentDomainCommand> = fc.oneof(
    fc
      .record(
        {
          about,
          noticeVersion: fc.integer({ min: 1, max: 2 }),
          noticeId: fc.constantFrom('privacy', 'leaflet'),
          expiresAt: fc.constantFrom('2026-07-01T00:00:00Z', '2026-09-01T02:00:00+02:00'),
        },
        { requiredKeys: ['about'] },
      )
      .map(({ about: each, ...changes }) => give({ ...each, ...changes })),
    about.map(withdraw),
    about.map(expireOf),
  );
  const step = fc.record({
    command,
    days: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 30 })),
    late: fc.nat({ max: 30 }),
  });
  const shown = [presented(), presented(2), presented(1, 'leaflet')].map((each) => [OPENED, each] as const);

  it('an accepted command sent again yields nothing, and no consent is older than a withdrawal', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        let state = fold([[OPENED, registered], ...shown]);
        let now = epochMilliseconds(instant(TODAY));
        const withdrawals = new Map<string, string>();
        steps.forEach((each, index) => {
          now += each.days * 86_400_000;
          const at = instantOf(now - each.late * 86_400_000);
          const known = facts(instantOf(now), {
            occurredAt: at,
            id: (name) => uuidV5(sent.commandId, `${index} ${name}`),
          });
          const outcome = consentDecider.decide(each.command, state, known);
          if (outcome.kind === 'refused') return;
          const next = outcome.events.reduce((folded, event) => consentDecider.evolve(folded, event, at), state);
          expect(consentDecider.decide(each.command, next, known)).toEqual({ kind: 'accepted', events: [] });
          const key = `${each.command.purposeId} ${each.command.channel}`;
          for (const event of outcome.events) {
            seen.add(event.type);
            if (event.type === 'ConsentGiven') expect(at >= (withdrawals.get(key) ?? '')).toBe(true);
            if (event.type === 'ConsentWithdrawn') withdrawals.set(key, at);
            if (event.type === 'ConsentGiven') withdrawals.delete(key);
          }
          state = next;
        });
      }),
      { numRuns: 300 },
    );
    expect(seen).toEqual(new Set(['ConsentGiven', 'ConsentWithdrawn', 'ConsentExpired']));
  });

  it('folds any events in any order', () => {
    const event = fc.oneof(
      fc.constantFrom<Folded>(registered, presented(), presented(2, 'constructor')),
      fc
        .record({ about, of: fc.constantFrom<ConsentEvent>(given(), withdrawn, expired) })
        .map(({ about: each, of }) => ({ ...of, data: { ...of.data, ...each } }) as ConsentEvent),
    );
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const state = fold(events.map((each) => [TODAY, each]));
        const last = events.findLast((each): each is ConsentEvent => each.type.startsWith('Consent'));
        if (!last) return;
        const standing = state.consents[`${last.data.purposeId}/${last.data.channel}`];
        expect(`Consent${standing?.status}`).toBe(last.type.replace(/[GWE]/, (letter) => letter.toLowerCase()));
      }),
    );
  });
});

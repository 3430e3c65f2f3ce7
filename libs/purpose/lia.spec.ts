import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, plusMilliseconds, type Actor, type Row } from '#kernel';
import { factsAt, logbook, scenario, tablesOf } from '#kernel/testing';
import { readCommand } from '#slice';
import { DraftLia, type LiaDomainCommand } from './lia.commands.js';
import { liaDecider, type LiaFacts } from './lia.decider.js';
import type {
  LiaApproved,
  LiaContent,
  LiaDrafted,
  LiaEvent,
  LiaExpired,
  LiaRejected,
  LiaSubjectClass,
} from './lia.events.js';
import { liasProjection } from './lia.projection.js';
import { liaFor, liaRegister, type LiaRegisterState } from './lia.register.js';
import type { PurposeDefinition } from './purpose.events.js';

const NOW = instant('2026-11-23T09:00:00Z');
const REVIEW = instant('2027-11-23T09:00:00Z');
const ADA: Actor = { id: 'ada', type: 'user', roles: ['privacyOfficer'] };
const BEN: Actor = { id: 'ben', type: 'user', roles: ['privacyOfficer'] };
const liaId = 'offers-to-customers';

const content: LiaContent = {
  purposeId: 'offers',
  purposeVersion: 1,
  subjectClasses: ['corporateContact', 'individual'],
  purposeTest: 'We tell customers of products like those they bought.',
  necessityTest: 'They cannot be told otherwise.',
  balance: 'It is expected, rare, and ends with one word.',
  safeguards: ['an opt-out in every message'],
  outcome: 'interestsPrevail',
  reviewPeriod: 'P12M',
};
const definition = { basis: 'legitimateInterests' } as PurposeDefinition;
const purposes: LiaFacts['purposes'] = new Map([
  ['offers', { defined: new Map([[1, definition]]), approved: [], suspensions: [] }],
  ['news', { defined: new Map([[1, { ...definition, basis: 'consent' }]]), approved: [], suspensions: [] }],
]);
const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: ADA, liaId };
const draft = (changes: Partial<LiaContent> = {}): LiaDomainCommand => ({
  ...sent,
  type: 'DraftLia',
  ...content,
  ...changes,
});
const approve = (version = 1): LiaDomainCommand => ({ ...sent, type: 'ApproveLia', version });
const reject: LiaDomainCommand = { ...sent, type: 'RejectLia', version: 1, reasonCode: 'notNecessary' };
const expire: LiaDomainCommand = { ...sent, type: 'ExpireLia', version: 1 };
const drafted = (version = 1, changes: Partial<LiaContent> = {}): LiaDrafted => ({
  type: 'LiaDrafted',
  data: { liaId, version, author: 'ada', ...content, ...changes },
});
const approved = (version = 1, changes: Partial<LiaApproved['data']> = {}): LiaApproved => ({
  type: 'LiaApproved',
  data: { liaId, version, outcome: 'interestsPrevail', approver: 'ben', reviewBy: REVIEW, ...changes },
});
const rejected: LiaRejected = {
  type: 'LiaRejected',
  data: { liaId, version: 1, rejectedBy: 'ben', reasonCode: 'notNecessary' },
};
const expired: LiaExpired = { type: 'LiaExpired', data: { liaId, version: 1, reviewBy: REVIEW } };

const { given, when } = scenario(liaDecider, { ...factsAt(NOW, { actor: ADA }), purposes });
const byBen = { actor: BEN };

describe('drafting an assessment of a legitimate interest', () => {
  it('states the three tests, the safeguards and the outcome', () => when(draft()).then(drafted()));
  it('happens once', () => given(drafted()).when(draft()).thenNothing());
  it('is anew for a year unless it says less', () => {
    const { reviewPeriod: _year, ...rest } = draft() as DraftLia;
    when(rest as DraftLia).then(drafted());
    when(draft({ reviewPeriod: 'P3M' })).then(drafted(1, { reviewPeriod: 'P3M' }));
  });
  it('is the review once the version before was decided, even in the same words', () => {
    given(drafted(), approved()).when(draft()).then(drafted(2));
    given(drafted(), rejected).when(draft()).then(drafted(2));
  });
  it.each([
    ['that nobody defined', { purposeId: 'constructor' }, 'PURPOSE_UNKNOWN', { purposeId: 'constructor' }],
    ['in a version that nobody defined', { purposeVersion: 2 }, 'PURPOSE_UNKNOWN', { purposeId: 'offers', version: 2 }],
    [
      'that rests on something else',
      { purposeId: 'news' },
      'LAWFUL_BASIS_NOT_AVAILABLE',
      { purposeId: 'news', basis: 'consent' },
    ],
  ] as const)('is refused for a purpose %s', (_what, changes, code, details) =>
    when(draft(changes)).thenRefused(code, details),
  );
});

describe('approving an assessment', () => {
  it('is for another person, and sets the date of the review', () => {
    given(drafted()).when(approve(), byBen).then(approved());
    given(drafted()).when(approve()).thenRefused('FOUR_EYES_REQUIRED', { liaId, version: 1 });
  });
  it('counts the period from the approval on', () =>
    given(drafted(1, { reviewPeriod: 'P3M' }))
      .when(approve(), byBen)
      .then(approved(1, { reviewBy: instant('2027-02-23T09:00:00Z') })));
  it('approves an outcome against us as well', () =>
    given(drafted(1, { outcome: 'subjectPrevails' }))
      .when(approve(), byBen)
      .then(approved(1, { outcome: 'subjectPrevails' })));
  it('takes the place of the version before', () =>
    given(drafted(), approved(), drafted(2))
      .when(approve(2), byBen)
      .then(approved(2, { supersedes: 1 })));
  it('happens once', () => given(drafted(), approved()).when(approve(), byBen).thenNothing());
  it('is of the newest draft', () => {
    given(drafted(), drafted(2, { balance: 'Otherwise.' }))
      .when(approve(), byBen)
      .thenRefused('VERSION_CONFLICT', { liaId, version: 1, newest: 2 });
    given(drafted(), rejected)
      .when(approve(), byBen)
      .thenRefused('VERSION_CONFLICT', { liaId, version: 1, status: 'rejected' });
    when(approve(), byBen).thenRefused('REGISTER_ENTRY_UNKNOWN', { liaId, version: 1 });
  });
});

describe('rejecting an assessment', () => {
  it('is for another person, and happens once', () => {
    given(drafted()).when(reject, byBen).then(rejected);
    given(drafted()).when(reject).thenRefused('FOUR_EYES_REQUIRED', { liaId, version: 1 });
    given(drafted(), rejected).when(reject, byBen).thenNothing();
  });
  it('takes nothing back that was approved', () =>
    given(drafted(), approved())
      .when(reject, byBen)
      .thenRefused('VERSION_CONFLICT', { liaId, version: 1, status: 'approved' }));
});

describe('the end of an assessment', () => {
  const overdue = { now: REVIEW };
  it('is stated when its review is overdue, once', () => {
    given(drafted(), approved()).when(expire, overdue).then(expired);
    given(drafted(), approved(), expired).when(expire, overdue).thenNothing();
  });
  it('is not stated before, nor of one that was made anew', () => {
    given(drafted(), approved())
      .when(expire, { now: plusMilliseconds(REVIEW, -1) })
      .thenNothing();
    given(drafted(), approved(), drafted(2), approved(2)).when(expire, overdue).thenNothing();
  });
});

describe('what an interest is worth', () => {
  type Dated = readonly [string, LiaEvent];
  const fold = (...events: readonly Dated[]): LiaRegisterState => {
    const log = logbook();
    return events.reduce(
      (state, [at, event]) => liaRegister.evolve(state, log.at(at, event)),
      liaRegister.initialState,
    );
  };
  const found = (
    state: LiaRegisterState,
    at: string = NOW,
    subjectClass: LiaSubjectClass = 'individual',
    purpose: object = {},
  ) => liaFor(state, { purposeId: 'offers', version: 1, ...purpose }, subjectClass, instant(at));
  const live = fold([NOW, drafted()], [NOW, approved()]);

  it('is what was approved', () =>
    expect(found(live)).toEqual({ status: 'prevails', liaId, version: 1, reviewBy: REVIEW }));
  it('is nothing from the date of the review on, whether or not that was stated', () => {
    for (const state of [live, fold([NOW, drafted()], [NOW, approved()], [REVIEW, expired])])
      expect(found(state, REVIEW)).toEqual({ status: 'expired', liaId, reviewBy: REVIEW });
    expect(found(live, plusMilliseconds(REVIEW, -1)).status).toBe('prevails');
  });
  it.each<[string, LiaRegisterState, Parameters<typeof found> extends [unknown, ...infer Rest] ? Rest : never]>([
    ['before it was approved', live, ['2026-11-23T08:59:59Z']],
    ['as a draft', fold([NOW, drafted()]), [NOW]],
    ['for another version of the purpose', live, [NOW, 'individual', { version: 2 }]],
    ['for another purpose', live, [NOW, 'individual', { purposeId: 'news' }]],
    ['for people nobody thought of', live, [NOW, 'soleTrader']],
    ['when the purpose names another assessment', live, [NOW, 'individual', { liaRef: 'another' }]],
  ])('is nothing %s', (_what, state, asked) => expect(found(state, ...asked)).toEqual({ status: 'missing' }));
  it('is against us when that was found, whatever another assessment says', () => {
    const against = fold(
      [NOW, drafted()],
      [NOW, approved()],
      [NOW, { ...drafted(), data: { ...drafted().data, liaId: 'second', outcome: 'subjectPrevails' } }],
      [NOW, { ...approved(), data: { ...approved().data, liaId: 'second', outcome: 'subjectPrevails' } }],
    );
    expect(found(against)).toEqual({ status: 'against', liaId: 'second' });
    expect(found(against, NOW, 'individual', { liaRef: liaId }).status).toBe('prevails');
  });
  it('is that of the newest version', () => {
    const worse = fold(
      [NOW, drafted()],
      [NOW, approved()],
      ['2027-01-01T00:00:00Z', drafted(2, { outcome: 'subjectPrevails' })],
      ['2027-01-02T00:00:00Z', approved(2, { outcome: 'subjectPrevails', supersedes: 1 })],
    );
    expect(found(worse, '2027-01-01T12:00:00Z').status).toBe('prevails');
    expect(found(worse, '2027-01-02T00:00:00Z').status).toBe('against');
  });
});

describe('LiaRegister', () => {
  const rows = (...events: readonly LiaEvent[]): readonly Row[] => {
    const log = logbook();
    events.forEach((event) => log.at(NOW, event));
    return tablesOf(liasProjection, log.events)['lias']!;
  };
  it('says what was assessed, who stands behind it and when it is due again', () =>
    expect(rows(drafted(), approved(), drafted(2), approved(2, { supersedes: 1 }))).toMatchObject([
      { lia_id: liaId, version: 1, status: 'superseded', author: 'ada', decided_by: 'ben' },
      { version: 2, status: 'approved', review_by: REVIEW, outcome: 'interestsPrevail', purpose_id: 'offers' },
    ]));
  it('says how one ended', () => {
    expect(rows(drafted(), rejected)).toMatchObject([{ status: 'rejected', reason_code: 'notNecessary' }]);
    expect(rows(drafted(), approved(), expired)).toMatchObject([{ status: 'expired' }]);
  });
});

describe('a body', () => {
  const body = { commandId: sent.commandId, liaId, ...content };
  it('is read', async () => expect(await readCommand(DraftLia, body)).toMatchObject(content));
  it.each(['P12M', 'P1Y', 'P365D', 'P3M', 'PT24H'])('takes a review after %s', async (reviewPeriod) =>
    expect((await readCommand(DraftLia, { ...body, reviewPeriod })).reviewPeriod).toBe(reviewPeriod),
  );
  it.each([
    ['reviewPeriod', 'P13M'],
    ['reviewPeriod', 'P366D'],
    ['reviewPeriod', 'P11M30D'],
    ['reviewPeriod', 'P0D'],
    ['reviewPeriod', 'soon'],
    ['subjectClasses', []],
    ['subjectClasses', ['everybody']],
    ['balance', ' '],
    ['outcome', 'fine'],
    ['safeguards', ['']],
  ])('is not read when %s is %j', async (field, value) =>
    expect(readCommand(DraftLia, { ...body, [field]: value })).rejects.toThrow(field),
  );
});

it('has two people behind every approval, and changes nothing when a command comes again', () => {
  const command = fc.oneof(
    fc.constantFrom('Fair.', 'Otherwise.').map((balance) => draft({ balance })),
    fc.integer({ min: 1, max: 3 }).map(approve),
    fc.constant(reject),
    fc.constant(expire),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(command, fc.constantFrom(ADA, BEN), fc.nat(300)), { maxLength: 10 }), (steps) => {
      let history: LiaEvent[] = [];
      let at = NOW;
      for (const [each, actor, days] of steps) {
        at = plusMilliseconds(at, days * 86_400_000);
        const { outcome, thenRepeatedNothing } = given(...history).when(each, { actor, now: at, occurredAt: at });
        if (outcome.kind === 'refused') continue;
        thenRepeatedNothing();
        history = [...history, ...outcome.events];
      }
      const authors = new Map(
        history.flatMap((event) =>
          event.type === 'LiaDrafted' ? [[event.data.version, event.data.author] as const] : [],
        ),
      );
      for (const event of history)
        if (event.type === 'LiaApproved') expect(event.data.approver).not.toBe(authors.get(event.data.version));
    }),
  );
});

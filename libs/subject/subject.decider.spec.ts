import { describe, expect, it } from '@jest/globals';
import { instant, Personal } from '#kernel';
import { scenario } from '#kernel/testing';
import { subjectDecider } from './subject.decider.js';
import type { DataShareView, SubjectEvent, UnreachableView, UseView } from './subject.events.js';
import {
  ASHA,
  collect,
  collected,
  corrected,
  doubted,
  EMAIL,
  erased,
  expired,
  facts,
  idsOf,
  item,
  lifted,
  PHONE,
  presented,
  registered,
  restricted,
  REVISED,
  send,
  shared,
  USE,
  used,
} from './testing/index.js';

const OPENED = '2026-01-05T09:00:00Z';
const TODAY = '2026-03-02T09:00:00Z';
const LATER = '2026-11-23T09:00:00Z';
const subjectId = ASHA;
const itemId = EMAIL;
type Folded = SubjectEvent | DataShareView | UnreachableView | UseView;

/** A scenario that takes place after these events, each with the time it happened. */
const after = (...history: readonly (readonly [string, Folded])[]) =>
  scenario(
    {
      ...subjectDecider,
      initialState: history.reduce(
        (state, [at, event]) => subjectDecider.evolve(state, event, instant(at)),
        subjectDecider.initialState,
      ),
    },
    facts(TODAY),
  );
/** It happened at one time and is decided at another. */
const happened = (at: string, decided = LATER) => ({ occurredAt: instant(at), now: instant(decided) });

const nobody = scenario(subjectDecider, facts(TODAY));
const { given } = after([OPENED, registered]);
const known = given(presented());
const holding = given(presented(), collected());

describe('opening a relationship (C01)', () => {
  const register = (changes: object = {}) => send({ type: 'RegisterSubject', capacity: 'individual', ...changes });

  it('takes the person for an individual subscriber in England unless told otherwise', () => {
    nobody.when(register()).then(registered);
    nobody.when(register({ capacity: 'corporateContact', subscriberType: 'corporate', division: 'scotland' })).then({
      type: 'SubjectRegistered',
      data: { subjectId, capacity: 'corporateContact', subscriberType: 'corporate', division: 'scotland' },
    });
  });
  it('happens once', () => {
    given().when(register()).thenNothing();
  });
  it.each([{ capacity: 'soleTrader' }, { subscriberType: 'corporate' }, { division: 'northern-ireland' }])(
    'does not make another person of an id: %j',
    (changes) => given().when(register(changes)).thenRefused('SUBJECT_EXISTS', {}),
  );
});

describe('without a relationship', () => {
  const commands = [
    collect(),
    send({ type: 'PresentNotice', noticeId: 'customer-privacy', version: 1, how: 'shown', channel: 'web' }),
    send({ type: 'RestrictProcessing', ground: '18(1)(a)' }),
    send({ type: 'LiftRestriction' }),
    send({ type: 'CorrectData', itemId, fromVersion: 1, value: 'x', reasonCode: 'inaccurate' }),
  ];
  it.each(commands.map((command) => [command.type, command] as const))('%s is refused', (_type, command) => {
    nobody.when(command).thenRefused('SUBJECT_UNKNOWN', {});
    given()
      .when(command, happened('2026-01-05T08:59:59Z'))
      .thenRefused('OCCURRED_BEFORE_OPENING', { field: 'occurredAt' });
  });
});

describe('presenting a notice (C13)', () => {
  const present = (version = 1, noticeId = 'customer-privacy') =>
    send({ type: 'PresentNotice', noticeId, version, how: 'shown', channel: 'web' });

  it('records what the person was shown', () => given().when(present()).then(presented()));
  it('records it once', () => given(presented()).when(present()).thenNothing());
  it('records an earlier showing that is entered later', () =>
    given(presented())
      .when(present(), happened('2026-02-01T09:00:00Z', TODAY))
      .then(presented(1, 'customer-privacy', { again: true, newestBefore: 1 })));
  it('says which version was the newest before', () => {
    given(presented())
      .when(present(2), happened(REVISED))
      .then(presented(2, 'customer-privacy', { newestBefore: 1 }));
    after([OPENED, registered], [REVISED, presented(2)])
      .when(present(1), happened('2026-02-01T09:00:00Z'))
      .then(presented(1, 'customer-privacy', { newestBefore: 2 }));
  });
  it('needs a published version', () => {
    given().when(present(3)).thenRefused('NOTICE_UNKNOWN', { noticeId: 'customer-privacy', version: 3 });
    given().when(present(1, 'constructor')).thenRefused('NOTICE_UNKNOWN', { noticeId: 'constructor', version: 1 });
  });
  it('needs the version in force when it was shown', () => {
    given().when(present(2)).thenRefused('NOTICE_NOT_IN_FORCE', { noticeId: 'customer-privacy', version: 2 });
    given()
      .when(present(1), happened(REVISED))
      .thenRefused('NOTICE_NOT_IN_FORCE', { noticeId: 'customer-privacy', version: 1 });
    given().when(present(1), happened('2026-05-31T22:59:59Z')).then(presented());
    given().when(present(2), happened(REVISED)).then(presented(2));
  });

  it('records the same version anew once data came from elsewhere, so that the person can be told (Art 14)', () => {
    const told = after([OPENED, registered], [OPENED, presented()], [TODAY, collected({ source: 'thirdParty' })]);
    const now = presented(1, 'customer-privacy', { again: true, newestBefore: 1, toldOf: [EMAIL, PHONE] });
    told.when(present(), happened('2026-03-03T09:00:00Z', LATER)).then(now);
    told.when(present(), happened('2026-03-03T09:00:00Z', LATER)).thenRepeatedNothing();
    // Neither a showing before that, nor another notice, tells them.
    told.when(present(), happened('2026-03-01T09:00:00Z', LATER)).thenNothing();
    told.given(presented(1, 'another')).when(present()).then(now);
    told.given(presented(1, 'another')).when(present(1, 'another')).thenNothing();
    told.given(presented()).when(present()).thenNothing();
  });
  it('tells of everything that came from elsewhere up to then, and of nothing later', () => {
    const name = { ...collected().data.items[0]!, itemId: ASHA };
    const twice = after(
      [OPENED, registered],
      [OPENED, presented()],
      [TODAY, collected({ source: 'thirdParty' })],
      ['2026-02-01T09:00:00Z', collected({ source: 'thirdParty', items: [name] })],
    );
    const telling = (...toldOf: string[]) => presented(1, 'customer-privacy', { again: true, newestBefore: 1, toldOf });
    twice.when(present(), happened('2026-01-31T09:00:00Z')).thenNothing();
    twice.when(present(), happened('2026-02-15T09:00:00Z')).then(telling(ASHA));
    twice.when(present(), happened('2026-02-15T09:00:00Z')).thenRepeatedNothing();
    twice.when(present(), happened(TODAY)).then(telling(EMAIL, PHONE, ASHA));
  });
});

describe('collecting data (C04, C11 to C13)', () => {
  const fields = { purposeId: 'support' };
  const many = [item('contact.phone', '1'), item('contact.email', 'asha@example.test', true)];
  const value = (text: string, index: number) => {
    const keyId = facts(TODAY).id(`key ${index}`);
    return new Personal(text, { subjectId, keyId });
  };

  it('keeps each value under a key of its own, with the rules of the purpose as it was then', () =>
    known.when(collect({ items: many })).then({
      type: 'DataCollected',
      data: {
        subjectId,
        purposeId: 'support',
        purposeVersion: 1,
        basis: 'contract',
        noticeId: 'customer-privacy',
        noticeVersion: 1,
        collectionPointId: 'contact-form',
        collectionPointVersion: 1,
        serviceRequestRef: 'ticket-1',
        source: 'subject',
        items: [
          {
            itemId: facts(TODAY).id('item 0'),
            version: 1,
            category: 'contact.phone',
            necessity: 'optional',
            keyId: facts(TODAY).id('key 0'),
            value: value('1', 0),
            retention: { trigger: 'serviceRequestClosed', period: 'P2Y' },
          },
          {
            itemId: facts(TODAY).id('item 1'),
            version: 1,
            category: 'contact.email',
            necessity: 'required',
            keyId: facts(TODAY).id('key 1'),
            value: value('asha@example.test', 1),
            retention: { trigger: 'serviceRequestClosed', period: 'P2Y' },
            nextCheckDue: '2027-03-02T09:00:00.000Z',
          },
        ],
      },
    }));
  it('holds nothing twice', () => known.when(collect({ items: many })).thenRepeatedNothing());

  it('goes by the purpose version in force when it happened, not when it is entered', () => {
    const items = (at: string, noticeVersion: number) =>
      given(presented(1), presented(2)).when(collect({ noticeVersion }), happened(at)).outcome;
    expect(items('2026-05-31T23:59:59.999Z', 1)).toMatchObject({
      events: [
        {
          data: {
            purposeVersion: 1,
            items: [
              {
                retention: { period: 'P2Y' },
                nextCheckDue: '2027-05-31T23:59:59.999Z',
              },
            ],
          },
        },
      ],
    });
    expect(items(REVISED, 2)).toMatchObject({
      events: [{ data: { purposeVersion: 2, items: [{ retention: { period: 'P1Y' } }] } }],
    });
  });

  it.each([
    [
      'an unknown collection point',
      { collectionPointId: 'gate' },
      'COLLECTION_POINT_UNKNOWN',
      { collectionPointId: 'gate' },
    ],
    [
      'a late message of a retired one',
      { collectionPointId: 'old-form' },
      'COLLECTION_POINT_RETIRED',
      { collectionPointId: 'old-form' },
    ],
    ['an unknown purpose', { purposeId: 'constructor' }, 'PURPOSE_UNKNOWN', { purposeId: 'constructor' }],
    ['a draft', { purposeId: 'drafted' }, 'PURPOSE_NOT_APPROVED', { purposeId: 'drafted' }],
    ['a suspended purpose', { purposeId: 'stopped' }, 'PURPOSE_SUSPENDED', { purposeId: 'stopped' }],
    ['a purpose given up', { purposeId: 'given-up' }, 'PURPOSE_SUSPENDED', { purposeId: 'given-up' }],
    [
      'a purpose the point is not for',
      { purposeId: 'elsewhere' },
      'COLLECTION_POINT_NOT_BOUND',
      { collectionPointId: 'contact-form', purposeId: 'elsewhere' },
    ],
    ['a contract without a request', { serviceRequestRef: undefined }, 'NO_SERVICE_REQUEST', fields],
    [
      'what the purpose does not list',
      { items: [item('religion'), item('contact.email'), item('birth.date')] },
      'DATA_EXCESSIVE',
      { purposeId: 'support', fields: ['religion', 'birth.date'] },
    ],
    [
      'what is not asked for at this point',
      { items: [item('contact.address')] },
      'COLLECTION_POINT_NOT_BOUND',
      { collectionPointId: 'contact-form', fields: ['contact.address'] },
    ],
    [
      'an optional field as required',
      { items: [item('contact.phone', '1', true), item('contact.email', 'e', true)] },
      'FIELD_NOT_REQUIRED_FOR_PURPOSE',
      { purposeId: 'support', fields: ['contact.phone'] },
    ],
    [
      'a long text where none is declared',
      { items: [item('contact.email', 'x'.repeat(321))] },
      'FREE_TEXT_NOT_DECLARED',
      { purposeId: 'support', fields: ['contact.email'] },
    ],
    [
      'more text than was declared',
      { items: [item('ticket.message', 'x'.repeat(1001))] },
      'FREE_TEXT_NOT_DECLARED',
      { purposeId: 'support', fields: ['ticket.message'] },
    ],
    [
      'special data without a condition',
      { items: [item('crew.health')] },
      'SPECIAL_CATEGORY_NOT_PERMITTED',
      { purposeId: 'support', fields: ['crew.health'] },
    ],
    ['an unknown notice', { noticeVersion: 9 }, 'NOTICE_UNKNOWN', { noticeId: 'customer-privacy', version: 9 }],
    [
      'a notice not yet in force',
      { noticeVersion: 2 },
      'NOTICE_NOT_IN_FORCE',
      { noticeId: 'customer-privacy', version: 2 },
    ],
    [
      'a notice the point does not show',
      { noticeId: 'another' },
      'COLLECTION_POINT_NOT_BOUND',
      { collectionPointId: 'contact-form', noticeId: 'another' },
    ],
    [
      'a field without a retention rule',
      { items: [item('contact.fax')] },
      'RETENTION_RULE_MISSING',
      { purposeId: 'support', fields: ['contact.fax'] },
    ],
  ] as const)('refuses %s', (_what, changes, code, details) =>
    known.when(collect(changes as Parameters<typeof collect>[0])).thenRefused(code, details),
  );

  it('takes as much text as is declared', () =>
    known
      .when(collect({ items: [item('ticket.message', 'x'.repeat(1000)), item('contact.email', 'x'.repeat(320))] }))
      .thenTypes('DataCollected'));
  it('takes special data under a condition', () =>
    known.when(collect({ purposeId: 'keep-in-touch', items: [item('crew.health')] })).thenTypes('DataCollected'));
  it('does not rest on a contract with the contact of a company', () =>
    after([OPENED, { ...registered, data: { ...registered.data, capacity: 'corporateContact' } } as SubjectEvent])
      .given(presented())
      .when(collect())
      .thenRefused('LAWFUL_BASIS_NOT_AVAILABLE', { purposeId: 'support', basis: 'contract' }));
  it('needs no request where the basis is another one', () => {
    const { serviceRequestRef: _none, ...unasked } = collect({ purposeId: 'keep-in-touch' }) as {
      serviceRequestRef?: string;
    };
    known.when(unasked as ReturnType<typeof collect>).thenTypes('DataCollected');
  });

  it('comes after the notice was shown', () => {
    given().when(collect()).thenRefused('NOTICE_NOT_PRESENTED', { noticeId: 'customer-privacy', version: 1 });
    known
      .when(collect(), happened('2026-03-02T08:59:59Z'))
      .thenRefused('NOTICE_NOT_PRESENTED', { noticeId: 'customer-privacy', version: 1 });
    known
      .when(collect({ noticeVersion: 2 }), happened(LATER))
      .thenRefused('NOTICE_NOT_PRESENTED', { noticeId: 'customer-privacy', version: 2 });
  });
  it('goes by the first showing', () =>
    after([OPENED, registered], [TODAY, presented()], [OPENED, presented()])
      .when(collect(), happened('2026-02-01T09:00:00Z'))
      .thenTypes('DataCollected'));
  it('needs a notice that covers the purpose', () => {
    const { notices } = facts(TODAY);
    const uncovering = new Map(
      [...notices].map(([id, versions]) => [id, versions.map((each) => ({ ...each, purposes: ['keep-in-touch'] }))]),
    );
    known.when(collect(), { notices: uncovering }).thenRefused('NOTICE_DOES_NOT_COVER_PURPOSE', {
      noticeId: 'customer-privacy',
      version: 1,
      purposeId: 'support',
    });
  });
  it.each(['thirdParty', 'derived'] as const)('stores data that is %s before the person is told', (source) =>
    expect(given().when(collect({ source })).outcome).toMatchObject({ events: [{ data: { source } }] }),
  );

  it('answers with the first rule that fails', () => {
    const ever = { items: [item('religion', 'x'.repeat(999), true), item('contact.fax', '1', true)] };
    const worst = { ...ever, collectionPointId: 'gate', purposeId: 'nothing', noticeId: 'nothing' };
    const answers = [
      worst,
      { ...worst, collectionPointId: 'contact-form' },
      { ...ever, purposeId: 'elsewhere', noticeId: 'nothing' },
      { ...ever, serviceRequestRef: undefined, noticeId: 'nothing' },
      { ...ever, noticeId: 'nothing' },
      { items: [item('contact.address', 'x'.repeat(999), true)], noticeId: 'nothing' },
      { items: [item('contact.fax', 'x'.repeat(999), true)], noticeId: 'nothing' },
      { items: [item('crew.health', 'x'.repeat(999))] },
      { items: [item('crew.health')], noticeVersion: 9 },
      { items: [item('contact.fax')], noticeVersion: 9 },
      { items: [item('contact.fax')], noticeVersion: 2 },
      { items: [item('contact.fax')] },
    ].map((changes) => given().when(collect(changes as Parameters<typeof collect>[0])).outcome);
    expect(answers.map((answer) => (answer.kind === 'refused' ? answer.refusal.code : answer.kind))).toEqual([
      'COLLECTION_POINT_UNKNOWN',
      'PURPOSE_UNKNOWN',
      'COLLECTION_POINT_NOT_BOUND',
      'NO_SERVICE_REQUEST',
      'DATA_EXCESSIVE',
      'COLLECTION_POINT_NOT_BOUND',
      'FIELD_NOT_REQUIRED_FOR_PURPOSE',
      'FREE_TEXT_NOT_DECLARED',
      'SPECIAL_CATEGORY_NOT_PERMITTED',
      'NOTICE_UNKNOWN',
      'NOTICE_NOT_IN_FORCE',
      'NOTICE_NOT_PRESENTED',
    ]);
  });
});

describe('correcting data (C21)', () => {
  const correct = (changes: object = {}) =>
    send({ type: 'CorrectData', itemId, fromVersion: 1, value: 'a@b.test', reasonCode: 'outOfDate', ...changes });
  const keyId = facts(TODAY).id('key');
  const correction = corrected({
    keyId,
    value: new Personal('a@b.test', { subjectId, keyId }),
    nextCheckDue: '2027-03-02T09:00:00.000Z',
  });

  it('supersedes the value, which goes its own short way', () => holding.when(correct()).then(correction));
  it('happens once', () => holding.when(correct()).thenRepeatedNothing());
  it('happens once also when the item has gone since', () =>
    given(collected(), correction, expired(EMAIL, 2)).when(correct()).thenNothing());
  it('names everyone who holds an older value', () =>
    expect(
      given(collected(), shared('group-b'), shared('group-a'), shared('self', 1, 'SELF'), shared('constructor')).when(
        correct(),
      ).outcome,
    ).toMatchObject({ events: [{ data: { recipientsToNotify: ['constructor', 'group-a', 'group-b'] } }] }));
  it('counts from the version the sender saw', () => {
    holding.when(correct({ fromVersion: 2 })).thenRefused('VERSION_CONFLICT', { itemId, version: 1 });
    given(collected(), corrected()).when(correct()).thenRefused('VERSION_CONFLICT', { itemId, version: 2 });
    expect(given(collected(), corrected()).when(correct({ fromVersion: 2 })).outcome).toMatchObject({
      events: [{ data: { fromVersion: 2, toVersion: 3, supersededKeyId: 'second key of email' } }],
    });
  });
  it('checks accuracy again by the purpose as it was then, or not at all', () => {
    const due = (outcome: unknown) =>
      (outcome as { events: [{ data: { nextCheckDue?: string } }] }).events[0].data.nextCheckDue;
    expect(due(holding.when(correct(), happened(REVISED)).outcome)).toBe('2026-12-01T01:00:00.000Z');
    expect(due(holding.when(correct({ itemId: PHONE })).outcome)).toBeUndefined();
    expect(due(given(collected({ purposeId: 'stopped' })).when(correct()).outcome)).toBeUndefined();
  });
  it('settles a doubt', () =>
    given(collected(), doubted(), corrected())
      .when(send({ type: 'DoubtAccuracy', itemId, cause: 'other' }))
      .then({
        type: 'AccuracyDoubtRaised',
        data: { subjectId, itemId, version: 2, category: 'contact.email', cause: 'other' },
      }));
});

describe('what has gone', () => {
  const commands = (id: string) => [
    send({ type: 'CorrectData', itemId: id, fromVersion: 1, value: 'x', reasonCode: 'inaccurate' }),
    send({ type: 'RefuseCorrection', itemId: id }),
    send({ type: 'ConfirmAccuracy', itemId: id, method: 'contactMade' }),
    send({ type: 'DoubtAccuracy', itemId: id, cause: 'other' }),
  ];
  it.each(commands(EMAIL).map((command, index) => [command.type, index] as const))(
    'no longer takes %s',
    (_type, index) => {
      given(collected(), expired()).when(commands(EMAIL)[index]!).thenRefused('DATA_ERASED', { itemId });
      given(collected(), expired(), erased()).when(commands(EMAIL)[index]!).thenRefused('DATA_ERASED', { itemId });
      given(collected()).when(commands(ASHA)[index]!).thenRefused('ITEM_UNKNOWN', { itemId: ASHA });
    },
  );
  it('is the item only when its current version goes', () => {
    const doubt = send({ type: 'DoubtAccuracy', itemId, cause: 'bouncedEmail' });
    given(collected(), corrected(), expired(EMAIL, 1), erased(EMAIL, 1)).when(doubt).then(doubted(2));
    given(collected(), corrected(), expired(EMAIL, 2)).when(doubt).thenRefused('DATA_ERASED', { itemId });
  });
});

describe('refusing a correction (C21)', () => {
  const refuseIt = (changes: object) => send({ type: 'RefuseCorrection', itemId, ...changes });
  const whole = { reasonCode: 'accurateAsHeld', complaintRoutes: ['court', 'controller', 'commissioner'] };

  it('says why and where to complain', () =>
    holding.when(refuseIt(whole)).then({
      type: 'RectificationRefused',
      data: {
        subjectId,
        itemId,
        reasonCode: 'accurateAsHeld',
        complaintRoutes: ['court', 'controller', 'commissioner'],
      },
    }));
  it.each([
    [{}, ['reasonCode', 'complaintRoutes.controller', 'complaintRoutes.commissioner', 'complaintRoutes.court']],
    [{ ...whole, reasonCode: undefined }, ['reasonCode']],
    [{ ...whole, complaintRoutes: ['court'] }, ['complaintRoutes.controller', 'complaintRoutes.commissioner']],
  ])('needs both: %j', (changes, fields) =>
    holding.when(refuseIt(changes)).thenRefused('REFUSAL_INFORMATION_MISSING', { fields }),
  );
  it('is recorded once for one reason, as long as the value stands', () => {
    holding.when(refuseIt(whole)).thenRepeatedNothing();
    const again: SubjectEvent = {
      type: 'RectificationRefused',
      data: { subjectId, itemId, reasonCode: 'accurateAsHeld', complaintRoutes: [] },
    };
    given(collected(), again)
      .when(refuseIt({ ...whole, reasonCode: 'manifestlyUnfounded' }))
      .thenTypes('RectificationRefused');
    given(collected(), again, corrected()).when(refuseIt(whole)).thenTypes('RectificationRefused');
  });
});

describe('telling recipients of a correction (C21, Art 19)', () => {
  const complete = (changes: object = {}) => send({ type: 'CompleteCorrection', itemId, version: 2, ...changes });
  const notified = (
    recipientId = 'marine',
    version = 2,
    what: 'correction' | 'erasure' = 'correction',
  ): SubjectEvent => ({
    type: 'RecipientNotified',
    data: { subjectId, recipientId, what, items: [{ itemId, version }], outcome: 'notified' },
  });
  const completed: SubjectEvent = { type: 'CorrectionCompleted', data: { subjectId, itemId, version: 2 } };
  const wrong = given(collected(), shared('marine'), shared('pacific'), corrected());

  it('knows of no version to come', () =>
    wrong.when(complete({ version: 3 })).thenRefused('VERSION_CONFLICT', { itemId, version: 2 }));
  it('asks nobody who was given the new value to be told', () =>
    given(collected(), shared('marine'), corrected(), shared('marine', 2)).when(complete()).then(completed));
  it('takes a recipient that cannot be reached for dealt with', () =>
    given(collected(), shared('marine'), corrected(), {
      type: 'RecipientUnreachable',
      data: { recipientId: 'marine', what: 'correction', items: [{ itemId, version: 2 }] },
    })
      .when(complete())
      .then(completed));
  it('is not completed by what was told of something else', () =>
    given(collected(), shared('marine'), corrected(), notified('marine', 2, 'erasure'))
      .when(complete())
      .thenRefused('RECIPIENTS_NOT_NOTIFIED', { itemId, recipients: ['marine'] }));

  it('names nobody whom only a statute gave the value, and counts them', () => {
    const police = shared('police', 1, 'AUTHORITY');
    const compelled = { ...police, data: { ...police.data, instrumentId: 'order-1' } };
    const named = (...recipients: string[]) => ({ itemId, recipients });
    given(collected(), compelled, shared('marine'), corrected())
      .when(complete())
      .thenRefused('RECIPIENTS_NOT_NOTIFIED', { ...named('marine'), compelled: 1 });
    // Who was given it otherwise too is no secret, in whatever order it came.
    for (const shares of [
      [police, compelled],
      [compelled, police],
    ])
      given(collected(), ...shares, corrected())
        .when(complete())
        .thenRefused('RECIPIENTS_NOT_NOTIFIED', named('police'));
  });
  it('does not complete before everyone has been told', () => {
    wrong.when(complete()).thenRefused('RECIPIENTS_NOT_NOTIFIED', { itemId, recipients: ['marine', 'pacific'] });
    given(collected(), shared('marine'), shared('pacific'), corrected(), notified())
      .when(complete())
      .thenRefused('RECIPIENTS_NOT_NOTIFIED', { itemId, recipients: ['pacific'] });
  });
  it('completes then, once', () => {
    const told = given(collected(), shared('marine'), shared('pacific'), corrected(), notified(), notified('pacific'));
    told.when(complete()).then(completed);
    told.when(complete()).thenRepeatedNothing();
    given(collected(), corrected()).when(complete()).then(completed);
  });
  it('needs an item', () => {
    wrong.when(complete({ itemId: ASHA })).thenRefused('ITEM_UNKNOWN', { itemId: ASHA });
  });
});

describe('accuracy (C14)', () => {
  const confirmOf = (id: string) => send({ type: 'ConfirmAccuracy', itemId: id, method: 'subjectConfirmed' });
  const confirm = confirmOf(EMAIL);
  const doubt = send({ type: 'DoubtAccuracy', itemId, cause: 'bouncedEmail' });
  const raise = (due = '2027-01-05T09:00:00.000Z') => send({ type: 'RaiseAccuracyCheck', itemId, due });
  const confirmed = (nextCheckDue?: string): SubjectEvent => ({
    type: 'AccuracyConfirmed',
    data: {
      subjectId,
      itemId,
      version: 1,
      method: 'subjectConfirmed',
      ...(nextCheckDue !== undefined && { nextCheckDue }),
    },
  });
  const raised: SubjectEvent = {
    type: 'AccuracyCheckDue',
    data: { subjectId, itemId, version: 1, category: 'contact.email', due: '2027-01-05T09:00:00.000Z' },
  };

  it('confirmed puts the next check off', () => {
    holding.when(confirm).then(confirmed('2027-03-02T09:00:00.000Z'));
    holding.when(confirm).thenRepeatedNothing();
  });
  it('confirmed earlier than the check before changes nothing', () =>
    holding.when(confirm, happened(OPENED)).thenNothing());
  it('confirmed of an item that is not checked changes nothing, unless it was doubted', () => {
    holding.when(confirmOf(PHONE)).thenNothing();
    given(collected({ purposeId: 'stopped' }), doubted())
      .when(confirm)
      .then(confirmed());
    given(collected({ purposeId: 'stopped' }), doubted())
      .when(confirm)
      .thenRepeatedNothing();
  });
  it('doubted is recorded once', () => {
    holding.when(doubt).then(doubted());
    given(collected(), doubted()).when(doubt).thenNothing();
  });
  it('confirmed settles a doubt', () =>
    given(collected(), doubted(), confirmed('2027-03-02T09:00:00.000Z')).when(doubt).then(doubted()));
  it('confirmed by a check from before the doubt does not settle it', () =>
    after([OPENED, registered], [OPENED, collected()], [TODAY, doubted()])
      .when(confirm, happened('2026-03-01T09:00:00Z'))
      .thenRefused('ITEM_DISPUTED', { itemId }));

  it('is raised when it falls due, once', () => {
    const on = happened('2027-01-05T09:00:00Z', '2027-01-05T09:00:00Z');
    holding.when(raise(), on).then(raised);
    holding.when(raise(), on).thenRepeatedNothing();
    holding.when(raise(), happened('2027-01-05T08:59:59Z', '2027-01-05T08:59:59.999Z')).thenNothing();
  });
  it('is not raised for a check that was done, or for what has gone', () => {
    const on = happened('2028-01-01T09:00:00Z', '2028-01-01T09:00:00Z');
    given(collected(), confirmed('2027-03-02T09:00:00.000Z')).when(raise(), on).thenNothing();
    given(collected(), corrected()).when(raise(), on).thenNothing();
    given(collected(), expired()).when(raise(), on).thenNothing();
    given().when(raise(), on).thenRefused('ITEM_UNKNOWN', { itemId });
  });
  it('is raised again for the next due date', () =>
    given(collected(), raised, confirmed('2027-03-02T09:00:00.000Z'))
      .when(raise('2027-03-02T09:00:00.000Z'), happened('2027-03-03T09:00:00Z', '2027-03-03T09:00:00Z'))
      .thenTypes('AccuracyCheckDue'));
});

describe('what came back (I-14c)', () => {
  const bounce = (cause: 'bouncedEmail' | 'returnedPost' | 'other' = 'bouncedEmail', useId = USE) =>
    send({ type: 'DoubtAccuracy', useId, cause });
  const doubtOf = (id: string, category: string, cause: 'bouncedEmail' | 'other' = 'bouncedEmail'): SubjectEvent => ({
    type: 'AccuracyDoubtRaised',
    data: { subjectId, itemId: id, version: 1, category, cause, useId: USE },
  });
  const email = doubtOf(EMAIL, 'contact.email');

  it('is named by the use it was sent under, and is about the address it was sent to', () => {
    given(collected(), used()).when(bounce()).then(email);
    given(collected(), used()).when(bounce()).thenRepeatedNothing();
  });
  it('is about everything that was used when no address of that kind was', () => {
    given(collected(), used()).when(bounce('returnedPost')).thenTypes('AccuracyDoubtRaised', 'AccuracyDoubtRaised');
    given(collected(), used())
      .when(bounce('other'))
      .then(doubtOf(EMAIL, 'contact.email', 'other'), doubtOf(PHONE, 'contact.phone', 'other'));
  });
  it('says nothing about a value that was put right, doubted or gone since', () => {
    given(collected(), used(), corrected()).when(bounce()).thenNothing();
    given(collected(), used(), doubted()).when(bounce()).thenNothing();
    given(collected(), used(), expired()).when(bounce()).thenNothing();
  });
  it('names a use of this person, one of the last hundred', () => {
    given(collected()).when(bounce()).thenRefused('ITEM_UNKNOWN', { useId: USE });
    const later = Array.from({ length: 99 }, (_, index) => used(1, idsOf(USE)(`use ${index}`)));
    given(collected(), used(), ...later)
      .when(bounce())
      .then(email);
    given(collected(), used(), ...later, used(1, ASHA))
      .when(bounce())
      .thenRefused('ITEM_UNKNOWN', { useId: USE });
  });
});

describe('a check that is not done (C14)', () => {
  const DUE = '2027-01-05T09:00:00.000Z';
  const overdue = (due = DUE) => send({ type: 'RaiseOverdueCheck', itemId, due });
  const on = (at: string) => happened(at, at);
  const due: SubjectEvent = {
    type: 'AccuracyCheckDue',
    data: { subjectId, itemId, version: 1, category: 'contact.email', due: DUE },
  };
  const raised: SubjectEvent = {
    type: 'AccuracyCheckOverdue',
    data: { subjectId, itemId, version: 1, category: 'contact.email', due: DUE },
  };
  const confirmed: SubjectEvent = {
    type: 'AccuracyConfirmed',
    data: { subjectId, itemId, version: 1, method: 'contactMade', nextCheckDue: '2028-01-10T09:00:00.000Z' },
  };

  it('is raised once more after a month', () => {
    given(collected(), due).when(overdue(), on('2027-02-05T08:59:59Z')).thenNothing();
    given(collected(), due).when(overdue(), on('2027-02-05T09:00:00Z')).then(raised);
    given(collected(), due).when(overdue(), on('2027-02-05T09:00:00Z')).thenRepeatedNothing();
  });
  it('is not raised when it was done, never fell due, or its item has gone', () => {
    const late = on('2027-06-01T09:00:00Z');
    given(collected(), due, confirmed).when(overdue(), late).thenNothing();
    given(collected()).when(overdue(), late).thenNothing();
    given(collected(), due, expired()).when(overdue(), late).thenNothing();
    given(collected(), due, corrected()).when(overdue(), late).thenNothing();
    given().when(overdue(), late).thenRefused('ITEM_UNKNOWN', { itemId });
  });

  it('falls due at every renewal, for what is checked at all', () => {
    const renew = send({ type: 'RecordRenewal' });
    const brought: SubjectEvent = {
      type: 'AccuracyCheckDue',
      data: {
        subjectId,
        itemId,
        version: 1,
        category: 'contact.email',
        due: '2026-03-02T09:00:00.000Z',
        cause: 'renewal',
      },
    };
    holding.when(renew).then(brought);
    holding.when(renew).thenRepeatedNothing();
    given(collected(), due).when(renew, on('2027-02-01T09:00:00Z')).thenNothing();
    given(collected(), brought)
      .when(send({ type: 'ConfirmAccuracy', itemId, method: 'subjectConfirmed' }))
      .thenTypes('AccuracyConfirmed');
    given(collected(), expired()).when(renew).thenNothing();
  });
});

describe('data from elsewhere (Art 14)', () => {
  const DUE = '2026-04-02T23:00:00.000Z';
  const raise = (due = DUE, noticeId = 'customer-privacy') => send({ type: 'RaiseArt14NoticeOverdue', noticeId, due });
  const late = happened('2026-04-03T09:00:00Z', '2026-04-03T09:00:00Z');
  const elsewhere = after([OPENED, registered], [TODAY, collected({ source: 'thirdParty', art14Due: DUE })]);
  const overdue = (...itemIds: string[]): SubjectEvent => ({
    type: 'Art14NoticeOverdue',
    data: { subjectId, noticeId: 'customer-privacy', due: DUE, itemIds },
  });

  it('has a month to be told of, from the day it came', () => {
    const third = given().when(collect({ source: 'thirdParty', sourceRecipientId: 'example-agency' })).outcome;
    expect(third).toMatchObject({ events: [{ data: { art14Due: DUE, sourceRecipientId: 'example-agency' } }] });
    for (const source of ['subject', 'derived'] as const) {
      const { outcome } = known.when(collect({ source }));
      expect(JSON.stringify(outcome.kind === 'accepted' && Object.keys(outcome.events[0]!.data))).not.toMatch(/art14/);
    }
  });
  it('is raised once when the person was not told in time', () => {
    elsewhere.when(raise(), happened('2026-04-02T22:59:59Z', '2026-04-02T22:59:59.999Z')).thenNothing();
    elsewhere.when(raise(), late).then(overdue(EMAIL, PHONE));
    elsewhere.when(raise(), late).thenRepeatedNothing();
    elsewhere.given(overdue(EMAIL, PHONE)).when(raise(), late).thenNothing();
  });
  it('has the same date when the event is from before dates were stored', () =>
    after([OPENED, registered], [TODAY, collected({ source: 'thirdParty' })])
      .when(raise(), late)
      .then(overdue(EMAIL, PHONE)));
  it('is not raised once the person was told, nor for what has gone', () => {
    after([OPENED, registered], [TODAY, collected({ source: 'thirdParty' })], ['2026-03-03T09:00:00Z', presented()])
      .when(raise(), late)
      .thenNothing();
    elsewhere.given(expired()).when(raise(), late).then(overdue(PHONE));
    elsewhere.given(expired(), expired(PHONE)).when(raise(), late).thenNothing();
    elsewhere.when(raise(DUE, 'another'), late).thenNothing();
    elsewhere.when(raise('2026-04-01T23:00:00.000Z'), late).thenNothing();
  });
});

describe('restricting (Art 18)', () => {
  const restrict = (ground: '18(1)(a)' | '18(1)(c)' = '18(1)(a)') => send({ type: 'RestrictProcessing', ground });
  const lift = (informedAt?: string) =>
    send({ type: 'LiftRestriction', ...(informedAt !== undefined && { informedAt }) } as never);

  it('is recorded once for its ground', () => {
    given().when(restrict()).then(restricted());
    given(restricted()).when(restrict()).thenNothing();
    given(restricted()).when(restrict('18(1)(c)')).then(restricted('18(1)(c)'));
  });
  it('names those who were given data and must know of it, and not twice', () => {
    const copies = [collected(), shared('pacific'), shared('marine'), shared('asha', 1, 'SELF')];
    given(...copies)
      .when(restrict())
      .then({
        type: 'ProcessingRestricted',
        data: { subjectId, ground: '18(1)(a)', recipientsToNotify: ['marine', 'pacific'] },
      });
    given(...copies, restricted())
      .when(restrict('18(1)(c)'))
      .then(restricted('18(1)(c)'));
  });
  it('is lifted after the person was told, once', () => {
    const under = after([OPENED, registered], [OPENED, restricted()]);
    under.when(lift('2026-03-01T10:00:00+01:00')).then(lifted('2026-03-01T09:00:00Z'));
    under.when(lift(TODAY)).then(lifted(TODAY));
    under.when(lift(TODAY)).thenRepeatedNothing();
    given().when(lift()).thenNothing();
  });
  it.each([undefined, '2026-03-02T09:00:01Z', '2026-03-01', '2026-01-05T08:59:59Z'])(
    'is not lifted on %j: the person was not told before, or not of this restriction',
    (informedAt) =>
      after([OPENED, registered], [OPENED, restricted()])
        .when(lift(informedAt))
        .thenRefused('RESTRICTION_LIFT_NOT_NOTIFIED', { field: 'informedAt' }),
  );
  it('is not lifted a second time on what the person was told the first time', () =>
    after(
      [OPENED, registered],
      [OPENED, restricted()],
      ['2026-02-02T09:00:00Z', lifted('2026-02-01T09:00:00Z')],
      [TODAY, restricted()],
    )
      .when(lift('2026-02-01T09:00:00Z'), happened(LATER))
      .thenRefused('RESTRICTION_LIFT_NOT_NOTIFIED', { field: 'informedAt' }));
});

it('draws ids from the command, so that another command collects other items', () => {
  const other = { id: idsOf('9b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87') };
  const first = known.when(collect());
  if (first.outcome.kind === 'refused') throw new Error('refused');
  const second = given(presented(), ...first.outcome.events).when(collect(), other).outcome;
  expect(second).toMatchObject({ kind: 'accepted', events: [{ type: 'DataCollected' }] });
});

import { describe, expect, it } from '@jest/globals';
import { instant, uuidV5, type Instant } from '#kernel';
import { logbook, registerOf, scenario, tablesOf } from '#kernel/testing';
import { purposeRegister, type PurposeEvent, type RetentionRule } from '#purpose';
import type { ConsentEndView, RetentionReviewDue } from '#subject';
import { legalHoldRegister } from './legal-hold.register.js';
import { retentionDecider } from './retention.decider.js';
import { retentionScheduleProjection } from './retention.projection.js';
import { itemDue } from './retention.state.js';
import {
  closeDeferral,
  collected,
  confirmErasure,
  corrected,
  decide,
  EMAIL,
  endPurpose,
  erase,
  expire,
  factsOfRetention,
  holdFor,
  OPENED,
  openDeferral,
  PHONE,
  placed,
  ref,
  registered,
  subjectId,
  usedItem,
} from './testing/index.js';

type Folded = Parameters<typeof retentionDecider.evolve>[1];

/** Two years after the collection. */
const DUE = '2028-01-05T09:00:00Z';
const due = instant(DUE);
const BOUND = '2028-02-05T09:00:00Z';
const at = (moment: string): { readonly now: Instant; readonly occurredAt: Instant } => ({
  now: instant(moment),
  occurredAt: instant(moment),
});
/** Everything happens one after the other, at its own time. */
const after = (...history: readonly (readonly [string, Folded])[]) => {
  const fold = (then: readonly Folded[], moment: string, from: typeof retentionDecider.initialState) =>
    then.reduce((state, event) => retentionDecider.evolve(state, event, instant(moment)), from);
  const initialState = history.reduce(
    (state, [moment, event]) => fold([event], moment, state),
    fold([registered], OPENED, retentionDecider.initialState),
  );
  return { ...scenario({ ...retentionDecider, initialState }, factsOfRetention(DUE)), state: initialState };
};
const eventsOf = (outcome: ReturnType<typeof retentionDecider.decide>): readonly Folded[] => {
  if (outcome.kind === 'refused') throw new Error(outcome.refusal.code);
  return outcome.events;
};
/** A purpose whose version in force has this rule for the e-mail address. */
const ruled = (rule: Partial<RetentionRule>) => {
  const definition = {
    title: 'Support',
    plainWords: 'We answer you.',
    serviceLine: 'SUPPORT',
    commercial: false,
    basis: 'contract',
    dpiaRequired: false,
    dpvIri: 'dpv:CustomerCare',
    fields: [{ category: 'contact.email', necessity: 'required', justification: 'To answer.' }],
    retention: [
      { category: 'contact.email', trigger: 'collected', period: 'P2Y', action: 'review', legalRef: 'Art 5', ...rule },
    ],
    recipientKindsAllowed: [],
  } as const;
  const events: readonly PurposeEvent[] = [
    { type: 'PurposeDefined', data: { purposeId: 'support', version: 2, author: 'ada', ...definition } },
    {
      type: 'PurposeApproved',
      data: { purposeId: 'support', version: 2, approver: 'ben', effectiveFrom: instant('2020-01-01T00:00:00Z') },
    },
  ];
  return { purposes: registerOf(purposeRegister, ...events) };
};
const held = { legalHolds: registerOf(legalHoldRegister, placed({ categories: ['contact.email'] })) };

describe('what is to be reviewed at its end', () => {
  const reviewable = [OPENED, collected(EMAIL, 'collected', { action: 'review' })] as const;
  const raised: RetentionReviewDue = {
    type: 'RetentionReviewDue',
    data: { subjectId, items: [{ ...ref(EMAIL), due, decideBy: instant(BOUND) }], part: factsOfRetention().id('part') },
  };
  /** As it was raised by the steward's command of that day. */
  const asked: RetentionReviewDue = { ...raised, data: { ...raised.data, part: 'an earlier one' } };
  const inReview = after(reviewable, [DUE, asked]);

  it('is not erased then: somebody is asked, once, and has a month', () => {
    after(reviewable).when(expire(), at('2028-01-05T08:59:59.999Z')).thenNothing();
    after(reviewable).when(expire(), at(DUE)).then(raised);
    inReview.when(expire(), at('2028-02-05T08:59:59.999Z')).thenNothing();
    inReview.when(expire([EMAIL]), at('2028-02-05T08:59:59.999Z')).thenRefused('RETENTION_NOT_DUE');
  });
  it('is erased when nobody has decided by then, and that is on record', () => {
    const outcome = inReview.when(expire(), at(BOUND)).outcome;
    expect(eventsOf(outcome)).toMatchObject([
      { type: 'RetentionExpired', data: { items: [{ itemId: EMAIL, undecided: true }] } },
      { type: 'ErasureStarted' },
    ]);
  });
  it('is erased at once when that is decided, with its older versions', () => {
    const later = after(
      reviewable,
      ['2027-12-01T09:00:00Z', corrected(EMAIL)],
      [DUE, { ...asked, data: { ...asked.data, items: [{ ...asked.data.items[0]!, ...ref(EMAIL, 2) }] } }],
    );
    later
      .when(decide('erase', EMAIL), at('2028-01-10T09:00:00Z'))
      .thenTypes('RetentionReviewed', 'RetentionExpired', 'ErasureStarted');
    const events = eventsOf(later.when(decide('erase', EMAIL), at('2028-01-10T09:00:00Z')).outcome);
    expect(events.at(-1)).toMatchObject({ data: { items: [{ version: 1 }, { version: 2 }] } });
    expect(JSON.stringify(events)).not.toContain('undecided');
  });
  it('is kept only under a rule in force that runs on, from its trigger and not from the decision', () => {
    const when = at('2028-01-10T09:00:00Z');
    inReview
      .when(decide('keep', EMAIL), { ...when, ...ruled({ period: 'P2Y' }) })
      .thenRefused('RETENTION_EXTENSION_FORBIDDEN', { items: [EMAIL] });
    inReview.when(decide('keep', EMAIL), when).thenRefused('RETENTION_EXTENSION_FORBIDDEN', { items: [EMAIL] });
    inReview
      .when(decide('keep', EMAIL), { ...when, ...ruled({ trigger: 'accountingPeriodEnded' }) })
      .thenRefused('RETENTION_EXTENSION_FORBIDDEN');
    const longer = { ...when, ...ruled({ period: 'P3Y' }) };
    const kept = eventsOf(inReview.when(decide('keep', EMAIL), longer).outcome);
    expect(kept).toMatchObject([
      {
        type: 'RetentionReviewed',
        data: {
          items: [
            {
              itemId: EMAIL,
              outcome: 'keep',
              holds: [{ purposeId: 'support', purposeVersion: 2, due: '2029-01-05T09:00:00.000Z' }],
              itemDue: '2029-01-05T09:00:00.000Z',
            },
          ],
        },
      },
    ]);
    const again = after(reviewable, [DUE, asked], [when.now, kept[0]!]);
    again.when(expire(), at(BOUND)).thenNothing();
    again.when(expire(), at('2029-01-05T09:00:00Z')).thenTypes('RetentionReviewDue');
  });
  it('is kept by a hold without a rule, and erased when that is lifted', () => {
    const when = at('2028-01-10T09:00:00Z');
    const events = eventsOf(inReview.when(decide('keep', EMAIL), { ...when, ...held }).outcome);
    expect(events.map(({ type }) => type)).toEqual(['RetentionReviewed', 'RetentionDeferred']);
    const deferred = after(reviewable, [DUE, asked], ...events.map((event) => [when.now, event] as const));
    deferred.when(expire(), { ...when, ...held }).thenNothing();
    deferred.when(expire(), when).thenTypes('RetentionExpired', 'ErasureStarted');
  });
  it('is not decided any more when the time for that is over, though something keeps it', () => {
    const late = { ...at(BOUND), ...held, ...ruled({ period: 'P9Y' }) };
    inReview.when(decide('keep', EMAIL), late).thenRefused('RETENTION_EXTENSION_FORBIDDEN', { items: [EMAIL] });
    inReview.when(decide('erase', EMAIL), late).thenTypes('RetentionReviewed', 'RetentionDeferred');
  });
  it('is not asked about while something keeps it, and then it is', () => {
    after(reviewable)
      .when(expire(), { ...at(DUE), ...held })
      .thenTypes('RetentionDeferred');
    const opened = eventsOf(after(reviewable).when(openDeferral(), at(OPENED)).outcome);
    const open = after(reviewable, [OPENED, opened[0]!]);
    open.when(expire(), at(DUE)).thenTypes('RetentionDeferred');
    const closed = eventsOf(open.when(closeDeferral, at(DUE)).outcome);
    after(reviewable, [OPENED, opened[0]!], [DUE, closed[0]!]).when(expire(), at(DUE)).then(raised);
  });
  it('is decided once, and only when it is due', () => {
    after(reviewable)
      .when(decide('erase', EMAIL))
      .thenRefused('RETENTION_NOT_DUE', { items: [EMAIL] });
    after(reviewable)
      .when(decide('erase', PHONE))
      .thenRefused('ITEM_UNKNOWN', { items: [PHONE] });
    inReview.when(decide('keep', EMAIL), { ...at(DUE), ...ruled({ period: 'P9Y' }) }).thenRepeatedNothing();
  });
  it('is erased for a person who asks for it, review or not', () =>
    inReview.when(erase({ itemIds: [EMAIL] })).thenTypes('ErasureStarted'));
  it('finds no further purpose meanwhile', () =>
    inReview
      .when(holdFor('support', [EMAIL]), ruled({ period: 'P9Y' }))
      .thenRefused('RETENTION_EXTENSION_FORBIDDEN', { items: [EMAIL] }));
  it('finds none either where its time is over and something keeps it', () =>
    after([OPENED, collected(EMAIL, 'collected')])
      .when(holdFor('support', [EMAIL]), { ...held, ...ruled({ period: 'P9Y' }) })
      .thenRefused('RETENTION_EXTENSION_FORBIDDEN', { items: [EMAIL] }));
  it('goes with the purpose that asks for the review', () => {
    const [ended] = eventsOf(inReview.when(endPurpose('support', [EMAIL]), at('2028-01-10T09:00:00Z')).outcome);
    after(reviewable, [DUE, asked], ['2028-01-10T09:00:00Z', ended!])
      .when(expire(), at('2028-01-10T09:00:00Z'))
      .thenTypes('RetentionExpired', 'ErasureStarted');
  });
  it('stands in a view with since when, until when and what came of it', () => {
    const { at: tell, events } = logbook();
    const history: readonly (readonly [string, Folded])[] = [reviewable, [DUE, asked]];
    for (const [moment, event] of history) tell(moment, event);
    const rows = () => tablesOf(retentionScheduleProjection, events)['retention_reviews'];
    expect(rows()).toMatchObject([
      { item_id: EMAIL, since: due, due, decide_by: instant(BOUND), outcome: null, decided_by: null },
    ]);
    for (const event of eventsOf(inReview.when(decide('erase', EMAIL), at('2028-01-10T09:00:00Z')).outcome))
      tell('2028-01-10T09:00:00Z', event);
    const deferred = logbook();
    const kept = eventsOf(inReview.when(expire(), { ...at(BOUND), ...held }).outcome);
    for (const [moment, event] of [...history, ...kept.map((event) => [BOUND, event] as const)])
      deferred.at(moment, event);
    expect(tablesOf(retentionScheduleProjection, deferred.events)).toMatchObject({
      retention_reviews: [{ outcome: 'deferred', decided_by: null }],
      retention_schedule: [{ status: 'kept', deferred_by: 'legalHold', review_since: null }],
    });
    expect(rows()).toMatchObject([{ outcome: 'erase', decided_by: 'crm', decided_at: '2028-01-10T09:00:00.000Z' }]);
  });
});

describe('what is to be anonymised at its end', () => {
  const countable = (itemId: string, moment = OPENED) =>
    [moment, collected(itemId, 'collected', { action: 'anonymise' })] as const;
  const gone = (...history: readonly (readonly [string, Folded])[]) => {
    const expired = eventsOf(after(...history).when(expire(), at(DUE)).outcome);
    const begun = [...history, ...expired.map((event) => [DUE, event] as const)];
    return { begun, erased: eventsOf(after(...begun).when(confirmErasure, { ...at(DUE), liveKeys: [] }).outcome) };
  };

  it('loses its key like everything else, and leaves a category and a year', () => {
    const { erased } = gone(countable(EMAIL));
    expect(erased).toMatchObject([
      { type: 'DataErased', data: { items: [{ itemId: EMAIL }], method: 'keyDestruction' } },
      { type: 'DataAnonymised', data: { counted: [{ category: 'contact.email', year: 2026 }] } },
    ]);
    expect(Object.keys(erased[1]!.data).sort()).toEqual(['counted', 'erasureId', 'subjectId']);
  });
  it('counts a person once in a category and year', () => {
    const both = gone(countable(EMAIL), countable(PHONE));
    expect(both.erased.filter(({ type }) => type === 'DataAnonymised')).toMatchObject([
      { data: { counted: [{ category: 'contact.email', year: 2026 }] } },
    ]);
    const later = [
      ...gone(countable(EMAIL)).begun,
      ...both.erased.map((event) => [DUE, event] as const),
      [OPENED, collected(PHONE, 'collected', { action: 'anonymise' })] as const,
    ];
    const another = { ...at(DUE), liveKeys: [], id: (name: string) => uuidV5(subjectId, name) };
    const expired = eventsOf(after(...later).when(expire(), another).outcome);
    after(...later, ...expired.map((event) => [DUE, event] as const))
      .when(confirmErasure, another)
      .thenTypes('DataErased');
  });
  it('is not counted where the person has it erased', () => {
    const [begun] = eventsOf(after(countable(EMAIL)).when(erase(), at(DUE)).outcome);
    after(countable(EMAIL), [DUE, begun!])
      .when(confirmErasure, { ...at(DUE), liveKeys: [] })
      .thenTypes('DataErased');
  });
  it('is erased where a purpose that ends with it says so', () => {
    const events = eventsOf(after([OPENED, collected(EMAIL, 'collected')]).when(expire(), at(DUE)).outcome);
    expect(JSON.stringify(events)).not.toContain('anonymise');
  });
});

describe('a period that counts from the last reliance', () => {
  const relied = [OPENED, collected(EMAIL, 'lastReliedOn')] as const;
  const USED = '2027-03-01T09:00:00Z';
  const MOVED = '2029-03-01T09:00:00.000Z';
  const dueAfter = (...history: readonly (readonly [string, Folded])[]) =>
    itemDue(after(...history).state.items[EMAIL]!);

  it('runs from the collection until there is one', () => {
    expect(dueAfter(relied)).toBe(due);
    after(relied).when(expire(), at(DUE)).thenTypes('RetentionExpired', 'ErasureStarted');
  });
  it('runs anew from every authorised use for its purpose, without an event of its own', () => {
    expect(dueAfter(relied, [USED, usedItem(EMAIL)])).toBe(MOVED);
    expect(dueAfter(relied, [USED, usedItem(PHONE)])).toBe(due);
    const other = usedItem(EMAIL);
    expect(dueAfter(relied, [USED, { ...other, data: { ...other.data, purposeId: 'billing' } }])).toBe(due);
  });
  it('takes the last one, in whatever order they are entered', () =>
    expect(dueAfter(relied, [USED, usedItem(EMAIL)], ['2026-06-01T09:00:00Z', usedItem(EMAIL)])).toBe(MOVED));
  it('is not prolonged by what comes after its end', () => {
    expect(dueAfter(relied, ['2028-01-05T08:59:59.999Z', usedItem(EMAIL)])).toBe('2030-01-05T08:59:59.999Z');
    expect(dueAfter(relied, [DUE, usedItem(EMAIL)])).toBe(due);
  });
  it('is written down anew when the old date comes, and ends on the new one', () => {
    const history = [relied, [USED, usedItem(EMAIL)]] as const;
    const scheduled: Folded = {
      type: 'RetentionScheduled',
      data: { subjectId, items: [{ itemId: EMAIL, version: 1, due: MOVED, purposeId: 'support', itemDue: MOVED }] },
    };
    after(...history)
      .when(expire(), at('2028-01-05T08:59:59.999Z'))
      .thenNothing();
    after(...history)
      .when(expire(), at(DUE))
      .then(scheduled);
    const written = after(...history, [DUE, scheduled]);
    written.when(expire(), at('2029-03-01T08:59:59.999Z')).thenNothing();
    written.when(expire(), at(MOVED)).thenTypes('RetentionExpired', 'ErasureStarted');
  });
  it('of a consent runs from its end', () => {
    const ends: ConsentEndView = { type: 'ConsentWithdrawn', data: { subjectId, purposeId: 'support' } };
    expect(dueAfter([OPENED, collected(EMAIL, 'lastReliedOn', { basis: 'consent' })], [USED, ends])).toBe(MOVED);
    expect(dueAfter(relied, [USED, ends])).toBe(due);
  });
  it('runs from a disclosure for its purpose, and not from what the person is told', () => {
    const shared = (recipientKind: string): Folded => ({
      type: 'DataShared',
      data: { recipientId: 'cloud', recipientKind, purposeId: 'support', items: [ref(EMAIL)] },
    });
    expect(dueAfter(relied, [USED, shared('PROCESSOR')])).toBe(MOVED);
    expect(dueAfter(relied, [USED, shared('SELF')])).toBe(due);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, instantOf, uuidV5, type Cell, type Instant, type Row } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import type { RetentionDomainCommand } from './retention.commands.js';
import { retentionDecider } from './retention.decider.js';
import { itemDue, versionsOf, type KeptVersion, type RetentionFacts, type RetentionState } from './retention.state.js';
import { retentionScheduleProjection } from './retention.projection.js';
import {
  close,
  closeRequest,
  collected,
  confirmErasure,
  corrected,
  EMAIL,
  endPeriod,
  expire,
  closeDeferral,
  decide,
  erase,
  extend,
  factsOfRetention,
  openDeferral,
  OPENED,
  ref,
  registered,
  subjectId,
  usedItem,
} from './testing/index.js';

type Folded = Parameters<typeof retentionDecider.evolve>[1];
const DAY = 86_400_000;
const START = Date.parse(OPENED);
const itemId = (index: number): string => uuidV5(subjectId, `item ${index}`);

/** The version of an item that is in use. */
const current = (state: RetentionState, item: string): number | undefined =>
  state.items[item]?.versions.find((kept) => kept.current)?.version;

/** Until when a version may be kept by itself. */
const dueOf = (state: RetentionState, { itemId, current, supersededDue }: KeptVersion): Instant | undefined =>
  current ? itemDue(state.items[itemId]!) : supersededDue;
const find = (state: RetentionState, itemId: string, version: number | undefined): KeptVersion | undefined =>
  state.items[itemId]?.versions.find((each) => each.version === version);

type Build = (state: RetentionState, fresh: string, about: string) => RetentionDomainCommand | Folded | undefined;
const build: fc.Arbitrary<Build> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record({
        trigger: fc.constantFrom(
          'collected',
          'relationshipClosed',
          'serviceRequestClosed',
          'accountingPeriodEnded',
          'lastReliedOn',
        ),
        period: fc.constantFrom('P1M', 'P6M', 'P13M', 'P2Y', 'P90D'),
        serviceRequestRef: fc.constantFrom('ticket-1', 'ticket-2'),
        action: fc.constantFrom(undefined, undefined, 'anonymise' as const, 'review' as const),
      })
      .map(
        ({ trigger, action, ...changes }): Build =>
          (_state, fresh) =>
            collected(fresh, trigger, { ...changes, ...(action && { action }) }),
      ),
  },
  {
    weight: 3,
    arbitrary: fc.constant<Build>((state, _fresh, about) => {
      const version = current(state, about);
      const held = version !== undefined && find(state, about, version)?.status === 'kept';
      return held ? corrected(about, version + 1) : undefined;
    }),
  },
  {
    weight: 5,
    arbitrary: fc.constantFrom<Build>(
      () => close,
      () => closeRequest(),
      () => closeRequest('ticket-2'),
      () => endPeriod,
      () => expire(),
      () => expire(),
      (_state, _fresh, about) => expire([about]),
      () => confirmErasure,
      (_state, _fresh, about) => extend(about),
      (_state, _fresh, about) => erase({ itemIds: [about] }),
      (_state, _fresh, about) => decide('erase', about),
      (_state, _fresh, about) => (find(_state, about, 1)?.status === 'kept' ? usedItem(about) : undefined),
      () => openDeferral(),
      () => closeDeferral,
    ),
  },
);
const history = fc.array(
  fc.record({
    build,
    about: fc.nat({ max: 9 }),
    days: fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 200 })),
    late: fc.oneof(fc.constant(0), fc.nat({ max: 90 })),
  }),
  { maxLength: 40, size: 'max' },
);
type Step = typeof history extends fc.Arbitrary<readonly (infer S)[]> ? S : never;

/** Plays a history and hands on each moment of it. */
function play(
  steps: readonly Step[],
  moment: (told: {
    readonly before: RetentionState;
    readonly after: RetentionState;
    readonly events: readonly Folded[];
    readonly now: Instant;
  }) => void = () => undefined,
) {
  const log = logbook(`subject-${subjectId}`);
  const tell = (state: RetentionState, event: Folded, at: Instant) => {
    log.at(at, event);
    return retentionDecider.evolve(state, event, at);
  };
  let state = tell(retentionDecider.initialState, registered, instant(OPENED));
  let now = START;
  let items = 0;
  let moments = 0;
  for (const step of steps) {
    now += step.days * DAY;
    moments += 1;
    const at = instantOf(Math.max(now - step.late * DAY, START));
    const built = step.build(state, itemId(items), itemId(step.about % Math.max(items, 1)));
    if (!built) continue;
    let events: readonly Folded[] = [];
    if ('data' in built) {
      events = [built];
      if (built.type === 'DataCollected') items += 1;
    } else {
      const known: RetentionFacts = {
        ...factsOfRetention(),
        now: instantOf(now),
        occurredAt: at,
        liveKeys: [],
        id: (name) => uuidV5(itemId(moments), name),
      };
      const outcome = retentionDecider.decide(built, state, known);
      if (outcome.kind === 'refused') continue;
      events = outcome.events;
      const then = events.reduce((folded, event) => retentionDecider.evolve(folded, event, at), state);
      expect(retentionDecider.decide(built, then, known)).toEqual({ kind: 'accepted', events: [] });
    }
    const before = state;
    state = events.reduce((folded, event) => tell(folded, event, at), state);
    moment({ before, after: state, events, now: instantOf(now) });
  }
  return { state, log };
}

describe('over random histories', () => {
  it('an accepted command sent again yields nothing', () => {
    fc.assert(
      fc.property(history, (steps) => {
        play(steps);
      }),
      { numRuns: 200 },
    );
  });

  it('nothing expires that is not due, unless its current version is', () => {
    let listed = 0;
    let taken = 0;
    fc.assert(
      fc.property(history, (steps) => {
        play(steps, ({ before, events, now }) => {
          // What somebody has decided to erase goes before the end of the time for it.
          if (events.some(({ type }) => type === 'RetentionReviewed')) return;
          for (const event of events)
            if (event.type === 'RetentionExpired')
              for (const item of event.data.items) {
                const dueAt = (version: number | undefined) => {
                  const found = find(before, item.itemId, version);
                  return (found && dueOf(before, found)) ?? '9999';
                };
                const own = dueAt(item.version) <= now;
                expect(own || dueAt(current(before, item.itemId)) <= now).toBe(true);
                expect(item.due).toBe(dueAt(item.version));
                listed += 1;
                if (!own) taken += 1;
              }
        });
      }),
      { numRuns: 200 },
    );
    expect(listed).toBeGreaterThan(0);
    expect(taken).toBeGreaterThan(0);
  });

  it('after an expiry nothing that is due is left, and no old version outlives its item', () => {
    fc.assert(
      fc.property(history, (steps) => {
        play(steps, ({ after, events, now }) => {
          for (const event of events)
            if (event.type === 'RetentionExpired')
              for (const { itemId: item } of event.data.items) {
                const versions = after.items[item]!.versions;
                const kept = versions.filter(({ status }) => status === 'kept');
                expect(kept.every((each) => (dueOf(after, each) ?? '9999') > now)).toBe(true);
                if (kept.length > 0) expect(kept.some((each) => each.current)).toBe(true);
              }
        });
      }),
    );
  });

  it('what is gone stays gone, and no date moves once it is set, except by a correction, a use or a review', () => {
    const rank = { kept: 0, beyondUse: 1, erased: 2 };
    fc.assert(
      fc.property(history, (steps) => {
        play(steps, ({ before, after, events }) => {
          const used = events.some(({ type }) => type === 'UseAuthorised');
          const reviewed = events.some(({ type }) => type === 'RetentionReviewDue' || type === 'RetentionReviewed');
          for (const was of versionsOf(before)) {
            const is = find(after, was.itemId, was.version)!;
            expect(rank[is.status]).toBeGreaterThanOrEqual(rank[was.status]);
            const due = dueOf(before, was);
            if (due === undefined || !is.current || reviewed) continue;
            if (used) expect((dueOf(after, is) ?? '') >= due).toBe(true);
            else expect(dueOf(after, is)).toBe(due);
          }
        });
      }),
    );
  });

  it('the read model knows the same dates, keys and states as the decider', () => {
    fc.assert(
      fc.property(history, (steps) => {
        const { state, log } = play(steps);
        const rows = tablesOf(retentionScheduleProjection, log.events)['retention_schedule']!;
        const dueByState = new Map(
          versionsOf(state).map((kept) => [`${kept.itemId}@${kept.version}`, dueOf(state, kept) ?? null]),
        );
        const told = rows.map((row) => [
          `${row['item_id']}@${row['version']}`,
          dueTold(row, dueByState),
          row['key_id'],
          row['status'],
        ]);
        const known = versionsOf(state).map((kept) => [
          `${kept.itemId}@${kept.version}`,
          dueOf(state, kept) ?? null,
          kept.keyId,
          kept.status,
        ]);
        expect(told.sort()).toEqual(known.sort());
      }),
      { numRuns: 200 },
    );
  });
});

/** What moved with a reliance is written later: the row may say an earlier date, and says that it has moved. */
function dueTold(row: Row, known: ReadonlyMap<string, string | null>): Cell | undefined {
  const due = known.get(`${row['item_id']}@${row['version']}`) ?? null;
  return row['reliance'] === 'moved' && due !== null && String(row['due']) <= due ? due : row['due'];
}

it('folds any events in any order', () => {
  const event = fc.constantFrom<Folded>(
    registered,
    collected(EMAIL, 'collected'),
    collected(EMAIL, 'lastReliedOn'),
    corrected(EMAIL),
    corrected(EMAIL, 3),
    corrected(subjectId),
    { type: 'RelationshipClosed', data: { subjectId, reasonCode: 'other' } },
    { type: 'ServiceRequestClosed', data: { subjectId, serviceRequestRef: 'constructor' } },
    { type: 'AccountingPeriodEnded', data: { subjectId } },
    { type: 'RetentionScheduled', data: { subjectId, items: [{ itemId: EMAIL, version: 2, due: OPENED }] } },
    { type: 'RetentionExpired', data: { subjectId, items: [{ ...ref(EMAIL), due: OPENED }] } },
    {
      type: 'DataErased',
      data: {
        subjectId,
        items: [ref(EMAIL), ref(subjectId)],
        cause: 'retention',
        method: 'keyDestruction',
        keystoreBackupHorizon: OPENED,
      },
    },
  );
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const state = events.reduce(
        (folded, each) => retentionDecider.evolve(folded, each, instant(OPENED)),
        retentionDecider.initialState,
      );
      expect(versionsOf(state).every((kept) => kept.itemId === EMAIL)).toBe(true);
    }),
  );
});

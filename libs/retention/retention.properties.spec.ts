import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, instantOf, uuidV5, type Instant } from '#kernel';
import { factsAt, logbook, tablesOf } from '#kernel/testing';
import type { RetentionDomainCommand } from './retention.commands.js';
import { retentionDecider, type RetentionFacts, type RetentionState } from './retention.decider.js';
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
  extend,
  OPENED,
  ref,
  registered,
  subjectId,
} from './testing/index.js';

type Folded = Parameters<typeof retentionDecider.evolve>[1];
const DAY = 86_400_000;
const START = Date.parse(OPENED);
const itemId = (index: number): string => uuidV5(subjectId, `item ${index}`);

/** The version of an item that is in use. */
const current = (state: RetentionState, item: string): number | undefined =>
  Object.values(state.versions).find((kept) => kept.itemId === item && kept.current)?.version;

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
      })
      .map(
        ({ trigger, ...changes }): Build =>
          (_state, fresh) =>
            collected(fresh, trigger, changes),
      ),
  },
  {
    weight: 3,
    arbitrary: fc.constant<Build>((state, _fresh, about) => {
      const version = current(state, about);
      const held = version !== undefined && state.versions[`${about}@${version}`]?.status === 'kept';
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
  for (const step of steps) {
    now += step.days * DAY;
    const at = instantOf(Math.max(now - step.late * DAY, START));
    const built = step.build(state, itemId(items), itemId(step.about % Math.max(items, 1)));
    if (!built) continue;
    let events: readonly Folded[] = [];
    if ('data' in built) {
      events = [built];
      if (built.type === 'DataCollected') items += 1;
    } else {
      const known: RetentionFacts = { ...factsAt(), now: instantOf(now), occurredAt: at, liveKeys: [] };
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
          for (const event of events)
            if (event.type === 'RetentionExpired')
              for (const item of event.data.items) {
                const dueAt = (version: number | undefined) =>
                  before.versions[`${item.itemId}@${version}`]?.due ?? '9999';
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
                const versions = Object.values(after.versions).filter((kept) => kept.itemId === item);
                const kept = versions.filter(({ status }) => status === 'kept');
                expect(kept.every(({ due }) => due === undefined || due > now)).toBe(true);
                if (kept.length > 0) expect(kept.some((each) => each.current)).toBe(true);
              }
        });
      }),
    );
  });

  it('what is gone stays gone, and no date moves once it is set, except by a correction', () => {
    const rank = { kept: 0, expired: 1, erased: 2 };
    fc.assert(
      fc.property(history, (steps) => {
        play(steps, ({ before, after }) => {
          for (const [key, was] of Object.entries(before.versions)) {
            const is = after.versions[key]!;
            expect(rank[is.status]).toBeGreaterThanOrEqual(rank[was.status]);
            if (was.due !== undefined && is.current) expect(is.due).toBe(was.due);
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
        const told = rows.map((row) => [
          `${row['item_id']}@${row['version']}`,
          row['due'],
          row['key_id'],
          row['status'],
        ]);
        const known = Object.entries(state.versions).map(([key, kept]) => [
          key,
          kept.due ?? null,
          kept.keyId,
          kept.status,
        ]);
        expect(told.sort()).toEqual(known.sort());
      }),
      { numRuns: 200 },
    );
  });
});

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
      expect(Object.values(state.versions).every((kept) => kept.itemId === EMAIL)).toBe(true);
    }),
  );
});

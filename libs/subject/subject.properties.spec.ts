import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instantOf, epochMilliseconds, instant, type Instant } from '#kernel';
import type { SubjectDomainCommand } from './subject.commands.js';
import { subjectDecider, type SubjectState } from './subject.decider.js';
import type { DataShareView, SubjectEvent, UseView } from './subject.events.js';
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
  REQUEST,
  requested,
  restricted,
  send,
  shared,
  USE,
  used,
} from './testing/index.js';

type Folded = SubjectEvent | DataShareView | UseView;
const START = epochMilliseconds(instant('2026-01-05T09:00:00Z'));
const DAY = 86_400_000;

/** A command of a history; `item` stands for one of the items that are held by then. */
type Step = { readonly about: number; readonly days: number; readonly late: number; readonly command: number } & {
  readonly build: (itemId: string, state: SubjectState, at: Instant) => SubjectDomainCommand | Folded;
};

const version = (state: SubjectState, itemId: string): number => state.items[itemId]?.version ?? 1;
const caseOf = (state: SubjectState, number: number): string => [...state.cases.keys()][number] ?? ASHA;
const build: fc.Arbitrary<Step['build']> = fc.oneof(
  fc.constantFrom('individual', 'soleTrader').map((capacity) => () => send({ type: 'RegisterSubject', capacity })),
  fc.record({ number: fc.integer({ min: 1, max: 2 }), noticeId: fc.constantFrom('customer-privacy', 'another') }).map(
    (notice) => () =>
      send({
        type: 'PresentNotice',
        noticeId: notice.noticeId,
        version: notice.number,
        how: 'sent',
        channel: 'post',
      }),
  ),
  fc
    .record({
      purposeId: fc.constantFrom('support', 'keep-in-touch'),
      noticeVersion: fc.integer({ min: 1, max: 2 }),
      source: fc.constantFrom('subject' as const, 'thirdParty' as const),
      categories: fc.uniqueArray(fc.constantFrom('contact.email', 'contact.phone', 'ticket.message'), { minLength: 1 }),
    })
    .map(
      ({ categories, ...collection }) =>
        () =>
          collect({ items: categories.map((category) => item(category)), ...collection }),
    ),
  fc.constant((itemId: string, state: SubjectState) =>
    send({
      type: 'CorrectData',
      itemId,
      fromVersion: version(state, itemId),
      value: 'new',
      reasonCode: 'outOfDate',
    }),
  ),
  fc.constant((itemId: string) =>
    send({
      type: 'RefuseCorrection',
      itemId,
      reasonCode: 'accurateAsHeld',
      complaintRoutes: ['controller', 'commissioner', 'court'],
    }),
  ),
  fc.constantFrom('marine', 'constructor').map((recipientId) => (itemId: string, state: SubjectState): Folded => ({
    type: 'RecipientNotified',
    data: {
      subjectId: ASHA,
      recipientId,
      what: 'correction',
      items: [{ itemId, version: version(state, itemId) }],
      outcome: 'notified',
    },
  })),
  fc.constant((itemId: string, state: SubjectState) =>
    send({ type: 'CompleteCorrection', itemId, version: version(state, itemId) }),
  ),
  fc.constant((itemId: string) => send({ type: 'ConfirmAccuracy', itemId, method: 'contactMade' })),
  fc.constant((itemId: string) => send({ type: 'DoubtAccuracy', itemId, cause: 'bouncedEmail' })),
  fc
    .constantFrom('bouncedEmail' as const, 'returnedPost' as const)
    .map((cause) => () => send({ type: 'DoubtAccuracy', useId: USE, cause })),
  fc.constant((itemId: string, state: SubjectState): Folded => ({
    type: 'UseAuthorised',
    data: { useId: USE, purposeId: 'newsletter', items: [{ itemId, version: version(state, itemId) }] },
  })),
  fc.constant((itemId: string, state: SubjectState) =>
    send({ type: 'RaiseOverdueCheck', itemId, due: state.items[itemId]?.raisedFor ?? '2026-01-01T00:00:00.000Z' }),
  ),
  fc.constant(() => send({ type: 'RecordRenewal' })),
  fc.constant((_itemId: string, state: SubjectState) => {
    const { noticeId, due } = state.untold[0] ?? { noticeId: 'another', due: '2026-01-01T00:00:00.000Z' };
    return send({ type: 'RaiseArt14NoticeOverdue', noticeId, due });
  }),
  fc.uniqueArray(fc.constantFrom('contact.email', 'contact.phone', 'boat.name'), { minLength: 1 }).map(
    (categories) => () =>
      send({
        type: 'ReportChange',
        channel: 'phone',
        changes: categories.map((category) => ({ category, value: 'new' })),
      }),
  ),
  fc.nat({ max: 3 }).chain((number) =>
    fc.constantFrom(
      (_itemId: string, state: SubjectState) => send({ type: 'AnswerRectification', requestId: caseOf(state, number) }),
      (_itemId: string, state: SubjectState) =>
        send({
          type: 'RaiseRectificationOverdue',
          requestId: caseOf(state, number),
          due: state.cases.get(caseOf(state, number))?.due ?? '',
        }),
      (itemId: string, state: SubjectState) =>
        send({
          type: 'RefuseCorrection',
          itemId,
          requestId: caseOf(state, number),
          reasonCode: 'accurateAsHeld',
          complaintRoutes: ['controller', 'commissioner', 'court'],
        }),
    ),
  ),
  fc.constant((itemId: string, state: SubjectState) =>
    send({ type: 'RaiseAccuracyCheck', itemId, due: state.items[itemId]?.nextCheckDue ?? '2026-01-01T00:00:00.000Z' }),
  ),
  fc
    .constantFrom('18(1)(a)' as const, '18(1)(c)' as const)
    .map((ground) => () => send({ type: 'RestrictProcessing', ground })),
  fc.constant((_itemId: string, _state: SubjectState, at: Instant) =>
    send({ type: 'LiftRestriction', informedAt: at }),
  ),
  // What other capabilities decide in the same stream.
  fc.constantFrom('marine', 'constructor').map((recipientId) => (itemId: string, state: SubjectState): Folded => ({
    type: 'DataShared',
    data: {
      recipientId,
      recipientKind: 'GROUP',
      purposeId: 'newsletter',
      items: [{ itemId, version: version(state, itemId) }],
    },
  })),
  fc
    .constantFrom(expired, erased)
    .map((end) => (itemId: string, state: SubjectState) => end(itemId, version(state, itemId))),
);
const history = fc.array(
  fc.record({
    about: fc.nat({ max: 5 }),
    days: fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 120 })),
    late: fc.oneof(fc.constant(0), fc.nat({ max: 60 })),
    command: fc.nat({ max: 0xffff }),
    build,
  }),
  { maxLength: 40, size: 'max' },
);

/** Plays a history, telling of every command that was accepted and of every change. */
function play(
  steps: readonly Step[],
  accepted: (
    command: SubjectDomainCommand,
    again: ReturnType<typeof subjectDecider.decide>,
    before: SubjectState,
  ) => void,
  changed: (before: SubjectState, after: SubjectState) => void = () => undefined,
): void {
  let state = subjectDecider.evolve(subjectDecider.initialState, registered, instantOf(START));
  let now = START;
  for (const step of steps) {
    now += step.days * DAY;
    const at = instantOf(now - step.late * DAY);
    const ids = Object.keys(state.items);
    const built = step.build(ids[step.about % Math.max(ids.length, 1)] ?? ASHA, state, at);
    const known = facts(instantOf(now), {
      occurredAt: at,
      id: idsOf(`00000000-0000-4000-8000-00000000${step.command.toString(16).padStart(4, '0')}`),
    });
    const outcome =
      'data' in built ? { kind: 'accepted' as const, events: [built] } : subjectDecider.decide(built, state, known);
    if (outcome.kind === 'refused') continue;
    const after = outcome.events.reduce((folded, event) => subjectDecider.evolve(folded, event, at), state);
    if (!('data' in built)) accepted(built, subjectDecider.decide(built, after, known), state);
    changed(state, after);
    state = after;
  }
}

describe('over random histories', () => {
  it('an accepted command sent again yields nothing', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(history, (steps) =>
        play(steps, (command, again) => {
          seen.add(command.type);
          expect(again).toEqual({ kind: 'accepted', events: [] });
        }),
      ),
      { numRuns: 300 },
    );
    expect(seen.size).toBeGreaterThan(14);
  });

  it('what has gone never comes back, and no version returns', () => {
    fc.assert(
      fc.property(history, (steps) =>
        play(
          steps,
          () => undefined,
          (before, after) => {
            for (const [itemId, was] of Object.entries(before.items)) {
              const is = after.items[itemId];
              expect(is?.version).toBeGreaterThanOrEqual(was.version);
              if (was.status !== 'held') expect(is?.status).not.toBe('held');
            }
          },
        ),
      ),
    );
  });

  it('a case is complete only with nothing open in it, and once', () => {
    let completed = 0;
    fc.assert(
      fc.property(history, (steps) =>
        play(
          steps,
          () => undefined,
          (before, after) => {
            for (const [requestId, is] of after.cases) {
              const was = before.cases.get(requestId);
              if (was?.valuesUntil !== undefined) expect(is.valuesUntil).toBe(was.valuesUntil);
              if (is.valuesUntil === undefined || was?.valuesUntil !== undefined) continue;
              completed += 1;
              expect(is.notHeld.length === 0 || is.answered).toBe(true);
              for (const [itemId, part] of is.items) {
                const held = after.items[itemId];
                const right = held?.completed.some((each) => each > part.version);
                expect(right || part.refused || (held?.status !== 'held' && is.answered)).toBe(true);
              }
            }
          },
        ),
      ),
      { numRuns: 300 },
    );
    expect(completed).toBeGreaterThan(0);
  });

  it('a restriction ends only after the person was told, while it was in force', () => {
    fc.assert(
      fc.property(history, (steps) =>
        play(steps, (command, _again, before) => {
          if (command.type === 'LiftRestriction' && before.restriction)
            expect((command.informedAt ?? '') >= before.restriction.since).toBe(true);
        }),
      ),
    );
  });
});

it('folds any events in any order', () => {
  const event: fc.Arbitrary<Folded> = fc.oneof(
    fc.constantFrom<Folded>(
      registered,
      collected(),
      collected({ source: 'thirdParty' }),
      corrected(),
      corrected({ itemId: ASHA }),
      doubted(),
      restricted(),
      lifted('2026-01-01T00:00:00Z'),
      expired(),
      erased(PHONE),
      expired(ASHA),
      presented(),
      presented(2, 'constructor'),
      { type: 'CorrectionCompleted', data: { subjectId: ASHA, itemId: EMAIL, version: 2 } },
      { type: 'AccuracyConfirmed', data: { subjectId: ASHA, itemId: PHONE, version: 1, method: 'contactMade' } },
      used(),
      requested(),
      requested({ requestId: ASHA, notHeld: ['boat.name'] }),
      { type: 'RectificationAnswered', data: { subjectId: ASHA, requestId: REQUEST, categories: [] } },
      { type: 'RectificationOverdue', data: { subjectId: ASHA, requestId: EMAIL, due: '2026-01-01' } },
      { type: 'Art14NoticeOverdue', data: { subjectId: ASHA, noticeId: 'another', due: '', itemIds: [] } },
      {
        type: 'RectificationCompleted',
        data: { subjectId: ASHA, requestId: REQUEST, outcome: 'refused', items: [], valuesUntil: '2026-01-01' },
      },
      {
        type: 'RectificationRefused',
        data: { subjectId: ASHA, itemId: EMAIL, reasonCode: 'accurateAsHeld', complaintRoutes: [] },
      },
      { type: 'AccuracyCheckDue', data: { subjectId: ASHA, itemId: ASHA, version: 1, due: '2026-01-01' } },
    ),
    fc.nat({ max: 9 }).map((number) => shared('constructor', number)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(event, fc.nat({ max: 9 }))), (events) => {
      const state = events.reduce(
        (folded, [each, day]) => subjectDecider.evolve(folded, each, instantOf(START + day * DAY)),
        subjectDecider.initialState,
      );
      for (const held of Object.values(state.items))
        for (const told of held.recipients.values()) expect(told).toBeGreaterThanOrEqual(0);
    }),
  );
});

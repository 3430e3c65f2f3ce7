import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { addPeriodToInstant } from '#calendar';
import { instant, instantOf, uuidV5 } from '#kernel';
import { factsAt, logbook, tablesOf } from '#kernel/testing';
import type { TelemetryStreamDomainCommand } from './telemetry-stream.commands.js';
import { telemetryStreamDecider, type TelemetryStreamFacts } from './telemetry-stream.decider.js';
import { telemetryInventoryProjection } from './telemetry-stream.projection.js';
import { telemetryStreamAsOf, telemetryStreamRegister } from './telemetry-stream.register.js';
import {
  about,
  access,
  approve,
  ada,
  asha,
  ben,
  COMMAND,
  confirm,
  entry,
  expire,
  facts,
  field,
  lifted,
  notices,
  opened,
  presented,
  purposes,
  register,
  restricted,
  stored,
  use,
} from './testing/index.js';
import { usageAccessDecider } from './usage-access.decider.js';
import { usageDecider } from './usage.decider.js';
import { endOfMonth, type UsageRecorded } from './usage.events.js';
import { usageProjection } from './usage.projection.js';

const HOUR = 3_600_000;
const START = Date.parse('2026-03-01T00:00:00Z');
const idsAt = (index: number) => (name: string) => uuidV5(COMMAND, `${index} ${name}`);

describe('over random histories', () => {
  it('a stream captures only what a second person found essential, and never past its review', () => {
    const back = fc.constantFrom(0, 0, 0, 1);
    /** A command onto the newest version, or onto the one before. */
    const command: fc.Arbitrary<(newest: number) => TelemetryStreamDomainCommand> = fc.oneof(
      {
        weight: 4,
        arbitrary: fc
          .subarray(['licence', 'chart', 'port'], { minLength: 1 })
          .map((names) => () => register({ fields: names.map((name) => field(name)) })),
      },
      {
        weight: 6,
        arbitrary: fc
          .record({ back, reviewAfter: fc.constantFrom('P1M', 'P6M', 'P12M') })
          .map((said) => (newest: number) => approve(Math.max(1, newest - said.back), said.reviewAfter)),
      },
      {
        weight: 1,
        arbitrary: back.map(
          (less) => (newest: number) =>
            about('RejectEssentiality', { version: Math.max(1, newest - less), reasonCode: 'other' }),
        ),
      },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          () => about('SuspendTelemetryStream', { reasonCode: 'other' }),
          () => about('ResumeTelemetryStream'),
          () => about('ResumeTelemetryStream'),
        ),
      },
      {
        weight: 1,
        arbitrary: fc.nat({ max: 9 }).map((n) => () => (n === 0 ? about('RetireTelemetryStream') : register())),
      },
    );
    const step = fc.record({ command, actor: fc.constantFrom(ada, ben), hours: fc.integer({ min: 0, max: 1500 }) });
    let approvals = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
        const log = logbook('telemetrystream-charts');
        let state = telemetryStreamDecider.initialState;
        let registered = telemetryStreamRegister.initialState;
        let now = START;
        const authors = new Map<number, string>();
        steps.forEach(({ command: build, actor, hours }, index) => {
          now += hours * HOUR;
          const sent = build(state.versions.length);
          const at = instantOf(now);
          const known: TelemetryStreamFacts = { ...factsAt(at, { actor, id: idsAt(index) }), purposes, notices };
          const outcome = telemetryStreamDecider.decide(sent, state, known);
          if (outcome.kind === 'refused') return;
          for (const event of outcome.events) {
            state = telemetryStreamDecider.evolve(state, event, at);
            registered = telemetryStreamRegister.evolve(registered, log.at(at, event));
            if (event.type === 'TelemetryStreamRegistered') authors.set(event.data.version, event.data.author);
            if (event.type === 'EssentialityApproved') {
              approvals += 1;
              expect(event.data.approver).not.toBe(authors.get(event.data.version));
              expect(event.data.reviewBy <= addPeriodToInstant(at, 'P12M')).toBe(true);
            }
          }
          expect(telemetryStreamDecider.decide(sent, state, known)).toEqual({ kind: 'accepted', events: [] });
          const inUse = state.versions.filter(({ status }) => status === 'approved');
          expect(inUse.length).toBeLessThanOrEqual(1);
          const found = telemetryStreamAsOf(registered, 'charts', at);
          const capturing = found.status === 'approved' ? found.stream.version : undefined;
          const open = !state.retired && state.suspendedAt === undefined && (inUse[0]?.reviewBy ?? at) > at;
          expect(capturing).toBe(open ? inUse[0]?.version : undefined);
        });
        const rows = tablesOf(telemetryInventoryProjection, log.events)['telemetry_streams']!;
        expect(rows.filter(({ status }) => status === 'approved').map((row) => row['version'])).toEqual(
          state.retired ? [] : state.versions.filter(({ status }) => status === 'approved').map((each) => each.version),
        );
      }),
      { numRuns: 200 },
    );
    expect(approvals).toBeGreaterThan(0);
  });

  it('a month of usage is counted whole, kept until the period of its last entry, and then closed', () => {
    const step = fc.record({
      command: fc.oneof(
        {
          weight: 8,
          arbitrary: fc
            .record({
              streamId: fc.constantFrom('charts', 'upkeep', 'halted', 'overdue'),
              ages: fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 3 }),
            })
            .map(
              (said) => (now: number) =>
                use({
                  streamId: said.streamId,
                  entries: said.ages.map((age) => entry(instantOf(Math.max(START, now - age * HOUR)))),
                }),
            ),
        },
        {
          weight: 1,
          arbitrary: fc.constantFrom(
            () => expire,
            () => confirm,
          ),
        },
      ),
      hours: fc.oneof(fc.nat({ max: 30 }), fc.nat({ max: 900 })),
      held: fc.boolean(),
      curbed: fc.boolean(),
    });
    let recorded = 0;
    let erasures = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        const log = logbook();
        let state = usageDecider.initialState;
        let now = START;
        let entries = 0;
        let over = false;
        const due: string[] = [endOfMonth('2026-03')];
        steps.forEach(({ command: build, hours, held, curbed }, index) => {
          now += hours * HOUR;
          const command = build(now);
          const at = instantOf(now);
          const known = facts(at, {
            id: idsAt(index),
            // Held by a restriction under which data has to be kept.
            person: {
              ...asha,
              restricted: curbed,
              keeping: { ...asha.keeping, ...(held && { restrictedOn: '18(1)(c)' }) },
            },
          });
          // The stream of this state is that of March.
          if (
            command.type === 'RecordUsage' &&
            command.entries.some((each) => instant(each.at) >= endOfMonth('2026-03'))
          )
            return;
          const outcome = usageDecider.decide(command, state, known);
          if (outcome.kind === 'refused') return;
          for (const event of outcome.events) {
            state = usageDecider.evolve(state, event, at);
            log.at(at, stored(event));
            if (event.type === 'UsageRecorded') {
              recorded += 1;
              entries += event.data.count;
              due.push(addPeriodToInstant(event.data.to, 'P90D'));
              expect([over, curbed]).toEqual([false, false]);
              expect(event.data.held.entries).toBe(entries);
              expect(event.data.due).toBe(due.toSorted().at(-1));
            } else if (event.type === 'UsageDeferred') {
              expect(held).toBe(true);
            } else {
              over = true;
              expect(held).toBe(false);
              expect(due.every((end) => end <= at)).toBe(true);
              if (event.type === 'UsageErased') erasures += 1;
            }
          }
          expect(usageDecider.decide(command, state, known)).toEqual({ kind: 'accepted', events: [] });
        });
        const tables = tablesOf(usageProjection, log.events);
        const batches = log.events.filter(
          (event): event is typeof event & UsageRecorded => event.type === 'UsageRecorded',
        );
        expect(tables['usage_batches']).toHaveLength(state.status === 'erased' ? 0 : batches.length);
        expect(tables['usage_months']!.map((row) => [row['status'], row['entries'], row['due']])).toEqual(
          state.status === 'none' ? [] : [[state.status, entries, state.due]],
        );
      }),
      { numRuns: 300 },
    );
    expect(recorded).toBeGreaterThan(0);
    expect(erasures).toBeGreaterThan(0);
  });

  it('usage serves its own purpose or an answer to the person, and no other, restricted or not', () => {
    const step = fc.oneof(
      fc.constantFrom(restricted, lifted, presented(), presented()),
      // What may be allowed comes often enough for chance to find it allowed.
      fc
        .constantFrom(['delivery', 'charts'] as const, ['upkeep', 'upkeep'] as const, ['rights', 'charts'] as const)
        .map(([purposeId, stream]) => access({ purposeId, streamIds: [stream] })),
      fc
        .record({
          purposeId: fc.constantFrom('delivery', 'upkeep', 'news', 'rights', 'website'),
          streamIds: fc.uniqueArray(fc.constantFrom('charts', 'upkeep', 'halted'), { minLength: 1 }),
        })
        .map(access),
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let state = usageAccessDecider.evolve(usageAccessDecider.initialState, opened(), instantOf(START));
        let curbed = false;
        steps.forEach((each, index) => {
          const at = instantOf(START + index * HOUR);
          if ('data' in each) {
            state = usageAccessDecider.evolve(state, each, at);
            if (each.type !== 'NoticePresented') curbed = each.type === 'ProcessingRestricted';
            return;
          }
          const known = facts(at, { id: idsAt(index) });
          const outcome = usageAccessDecider.decide(each, state, known);
          if (outcome.kind === 'refused') return;
          const answering = each.purposeId === 'rights';
          if (!answering) {
            expect(curbed).toBe(false);
            expect(each.streamIds).toEqual([each.purposeId === 'delivery' ? 'charts' : 'upkeep']);
          }
          seen.add(each.purposeId);
          for (const event of outcome.events) state = usageAccessDecider.evolve(state, event, at);
          expect(usageAccessDecider.decide(each, state, known)).toEqual({ kind: 'accepted', events: [] });
        });
      }),
      { numRuns: 300 },
    );
    expect([...seen].sort()).toEqual(['delivery', 'rights', 'upkeep']);
  });
});

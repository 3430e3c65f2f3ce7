import { describe, expect, it } from '@jest/globals';
import { instant, type DomainEvent, type Recorded, type Row } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { readCommand, type Command, type LookUps } from '#slice';
import {
  ApproveEssentiality,
  RaiseEssentialityReview,
  RegisterTelemetryStream,
  RejectEssentiality,
  ResumeTelemetryStream,
  RetireTelemetryStream,
  SuspendTelemetryStream,
} from './telemetry-stream.commands.js';
import { essentialityReviewPolicy } from './telemetry-stream.policy.js';
import { telemetryInventoryProjection } from './telemetry-stream.projection.js';
import { telemetryCapability } from './telemetry.capability.js';
import {
  AuthoriseUsageAccess,
  ConfirmUsageErasure,
  ExpireUsage,
  LARGEST_BATCH,
  RecordUsage,
} from './usage.commands.js';
import { usageDecider } from './usage.decider.js';
import { usageErasurePolicy, usageExpiryPolicy } from './usage.policy.js';
import { usageAccessesProjection, usageProjection } from './usage.projection.js';
import {
  accessed,
  approved,
  ASHA,
  asha,
  COMMAND,
  confirm,
  entry,
  erased,
  expire,
  expired,
  field,
  idsOf,
  KEY,
  OPENED,
  opened,
  presented,
  registered,
  rejected,
  restricted,
  retired,
  reviewDue,
  stored,
  suspended,
  TODAY,
  use,
  used,
} from './testing/index.js';

const ofStream = { commandId: COMMAND, streamId: 'chart-cloud' };
const ofMonth = { commandId: COMMAND, subjectId: ASHA, month: '2026-03' };
const registration = {
  ...ofStream,
  service: 'chart-cloud',
  purposeId: 'service-usage',
  noticeId: 'customer-privacy',
  traceability: 'direct',
  readsDevice: true,
  fields: [field('licence')],
};
const batch = { commandId: COMMAND, streamId: 'chart-cloud', subjectId: ASHA, batchRef: 'b/1', entries: [entry()] };

const good: readonly (readonly [new () => Command, object])[] = [
  [RegisterTelemetryStream, registration],
  [RegisterTelemetryStream, { ...registration, version: 2, strictlyNecessary: 'It is stored there.' }],
  [ApproveEssentiality, { ...ofStream, version: 1 }],
  [ApproveEssentiality, { ...ofStream, version: 1, reviewAfter: 'P1Y' }],
  [RejectEssentiality, { ...ofStream, version: 1, reasonCode: 'notEssential' }],
  [RaiseEssentialityReview, { ...ofStream, version: 1, reviewBy: TODAY }],
  [SuspendTelemetryStream, { ...ofStream, reasonCode: 'incident' }],
  [ResumeTelemetryStream, ofStream],
  [RetireTelemetryStream, ofStream],
  [RecordUsage, batch],
  [ExpireUsage, ofMonth],
  [ConfirmUsageErasure, ofMonth],
  [AuthoriseUsageAccess, { commandId: COMMAND, subjectId: ASHA, purposeId: 'delivery', streamIds: ['charts'] }],
];

describe('bodies of commands', () => {
  it.each(good.map(([command, body]) => [command.name, command, body] as const))(
    '%s is read (%#)',
    async (name, command, body) => {
      expect(await readCommand(command, body)).toMatchObject({ ...body, type: name });
    },
  );

  const values = (each: unknown) => ({ entries: [{ at: TODAY, values: each }] });
  it.each<readonly [string, new () => Command, object]>([
    ['streamId', RetireTelemetryStream, { streamId: 'Chart Cloud' }],
    ['traceability', RegisterTelemetryStream, { traceability: 'some' }],
    ['fields', RegisterTelemetryStream, { fields: [] }],
    ['fields', RegisterTelemetryStream, { fields: [field('a'), field('a')] }],
    ['fields.0.name', RegisterTelemetryStream, { fields: [field('asha@example.test')] }],
    ['fields.0.type', RegisterTelemetryStream, { fields: [{ ...field('a'), type: 'date' }] }],
    ['reviewAfter', ApproveEssentiality, { reviewAfter: 'P13M' }],
    ['reviewAfter', ApproveEssentiality, { reviewAfter: 'P366D' }],
    ['reviewAfter', ApproveEssentiality, { reviewAfter: 'P0D' }],
    ['reviewAfter', ApproveEssentiality, { reviewAfter: 'PT5H' }],
    ['reviewAfter', ApproveEssentiality, { reviewAfter: 'soon' }],
    ['month', ExpireUsage, { month: '2026-13' }],
    ['subjectId', RecordUsage, { subjectId: 'asha' }],
    ['batchRef', RecordUsage, { batchRef: 'asha@example.test' }],
    ['entries', RecordUsage, { entries: [] }],
    ['entries', RecordUsage, { entries: Array.from({ length: 1001 }, () => entry()) }],
    [
      'entries',
      RecordUsage,
      { entries: Array.from({ length: LARGEST_BATCH / 200 }, () => entry(TODAY, { a: 'x'.repeat(200) })) },
    ],
    ['entries', RecordUsage, { entries: [entry('2026-03-31T22:59:59Z'), entry('2026-03-31T23:00:00Z')] }],
    ['entries.0.at', RecordUsage, { entries: [entry('today')] }],
    ['entries.0.values', RecordUsage, values({})],
    ['entries.0.values', RecordUsage, values('L-77')],
    ['entries.0.values', RecordUsage, values({ licence: { number: 77 } })],
    ['entries.0.values', RecordUsage, values({ licence: 'L'.repeat(201) })],
    ['entries.0.values', RecordUsage, values({ 'L-77': true })],
    ['entries.0.values', RecordUsage, values(Object.fromEntries(Array.from({ length: 51 }, (_f, n) => [`f${n}`, n])))],
    ['streamIds', AuthoriseUsageAccess, { streamIds: [] }],
    ['streamIds', AuthoriseUsageAccess, { streamIds: ['charts', 'charts'] }],
  ])('are not read: %s of %p (%#)', async (path, command, change) => {
    const [, body] = good.find(([each]) => each === command)!;
    await expect(readCommand(command, { ...body, ...change })).rejects.toThrow(`${path} (`);
  });
});

describe('the capability', () => {
  const sliceOf = (command: new () => Command) =>
    telemetryCapability.slices.find((each) => each.commands.some((bound) => bound.command === command))!;
  const rolesOf = (command: new () => Command) =>
    sliceOf(command).commands.find((bound) => bound.command === command)?.roles;

  it('decides usage in a stream of the person and the month in London, its use in the stream of the person', () => {
    expect(sliceOf(RecordUsage).stream(use({ entries: [entry('2026-03-31T23:00:00Z')] }))).toBe(
      `usage-${ASHA}-2026-04`,
    );
    expect(sliceOf(ExpireUsage).stream(expire)).toBe(`usage-${ASHA}-2026-03`);
    const access = Object.assign(new AuthoriseUsageAccess(), { subjectId: ASHA });
    expect(sliceOf(AuthoriseUsageAccess).stream(access)).toBe(`subject-${ASHA}`);
    const retire = Object.assign(new RetireTelemetryStream(), ofStream);
    expect(sliceOf(RetireTelemetryStream).stream(retire)).toBe('telemetrystream-chart-cloud');
  });

  it('lets services record, and only the steward state what it has done', () => {
    expect(rolesOf(RecordUsage)).toEqual(['service']);
    expect(rolesOf(ConfirmUsageErasure)).toEqual(['system']);
    expect(rolesOf(RaiseEssentialityReview)).toEqual(['system']);
    expect(rolesOf(ApproveEssentiality)).not.toContain('service');
  });

  it('looks up the person in the log, tombstones of the person and the month, and keys that are left', async () => {
    const read: string[] = [];
    const log = logbook();
    const told: Recorded[] = [
      log.at(OPENED, opened()),
      log.at('2026-02-01T09:00:00Z', presented()),
      log.at(OPENED, presented()),
      log.at(TODAY, { type: 'ConsentGiven', data: {} }),
    ];
    const lookUps = (erasedSubject: boolean, destroyed: readonly string[], more: readonly Recorded[] = []) =>
      ({
        vault: {
          tombstoneOfSubject: () => Promise.resolve(erasedSubject ? {} : undefined),
          tombstonesOfKeys: (keys: readonly string[]) => Promise.resolve(keys.filter((key) => destroyed.includes(key))),
          liveKeys: (keys: readonly string[]) => Promise.resolve(keys),
        },
        async *events(stream: string) {
          read.push(stream);
          yield* [...told, ...more];
        },
      }) as unknown as LookUps;
    const state = usageDecider.evolve(usageDecider.initialState, used(), TODAY);
    const { lookUp } = sliceOf(RecordUsage);
    expect(await lookUp!(use(), state, lookUps(false, []))).toEqual({ person: asha, erased: false });
    expect(read).toEqual([`subject-${ASHA}`]);
    expect(await lookUp!(use(), state, lookUps(false, [KEY], [log.at(TODAY, restricted)]))).toEqual({
      person: { ...asha, restricted: true, keeping: { ...asha.keeping, restrictedOn: '18(1)(a)' } },
      erased: true,
    });
    expect(await lookUp!(use(), state, lookUps(true, []))).toMatchObject({ erased: true });
    expect(await lookUp!(expire, state, lookUps(false, []))).toEqual({ person: asha });
    expect(await lookUp!(confirm, state, lookUps(false, []))).toEqual({ person: asha, liveKeys: [KEY] });
  });
});

describe('read models', () => {
  const rows = (projection: object, table: string, ...told: readonly (readonly [string, DomainEvent])[]) => {
    const log = logbook();
    told.forEach(([at, event]) => log.at(at, stored(event)));
    return tablesOf(projection, log.events)[table]!;
  };

  it('TelemetryInventory shows versions, their judges and reviews', () => {
    const told = [
      [OPENED, registered()],
      [OPENED, registered({ version: 2, replaces: 1 })],
      [OPENED, approved({ version: 2, reviewBy: TODAY })],
      [TODAY, reviewDue(TODAY)],
    ] as const;
    const versions = (...more: readonly (readonly [string, DomainEvent])[]) =>
      rows(telemetryInventoryProjection, 'telemetry_streams', ...told, ...more).map((row) => [
        row['version'],
        row['status'],
        row['review_by'],
      ]);
    expect(versions()).toEqual([
      [1, 'replaced', null],
      [2, 'approved', TODAY],
    ]);
    expect(
      versions([TODAY, registered({ version: 3 })], [TODAY, approved({ version: 3, supersedes: 2 })]).slice(1),
    ).toEqual([
      [2, 'superseded', TODAY],
      [3, 'approved', '2027-03-02T09:00:00.000Z'],
    ]);
    expect(versions([TODAY, rejected(2)])[1]).toEqual([2, 'rejected', null]);
    expect(versions([TODAY, retired])[1]).toEqual([2, 'retired', TODAY]);
    expect(rows(telemetryInventoryProjection, 'telemetry_fields', ...told)).toHaveLength(6);
    expect(rows(telemetryInventoryProjection, 'telemetry_standing', ...told, [TODAY, suspended])).toMatchObject([
      { stream_id: 'charts', status: 'suspended', reason_code: 'incident', since: TODAY },
    ]);
  });

  it('usage_months says what is held and until when, and batches go with their month', () => {
    const second = used({ batchId: 'b2', held: { batches: 2, entries: 5 }, due: instant('2026-06-01T09:00:00Z') });
    const told = [
      [TODAY, used()],
      [TODAY, second],
      [TODAY, expired],
      [TODAY, erased],
    ] as const;
    const month = (count: number) => rows(usageProjection, 'usage_months', ...told.slice(0, count));
    expect(month(2)).toMatchObject([
      { month: '2026-03', status: 'held', batches: 2, entries: 5, due: '2026-06-01T09:00:00.000Z' },
    ]);
    expect(month(3)).toMatchObject([{ status: 'expired', expired_at: TODAY, erased_at: null }]);
    expect(month(4)).toMatchObject([{ status: 'erased', erased_at: TODAY, entries: 5 }]);
    expect(rows(usageProjection, 'usage_batches', ...told.slice(0, 3))).toHaveLength(2);
    expect(rows(usageProjection, 'usage_batches', ...told)).toEqual([]);
    expect(rows(usageAccessesProjection, 'usage_accesses', [TODAY, accessed()])).toMatchObject([
      { access_id: idsOf(COMMAND)('access'), streams: 'charts', actor_id: 'crm' },
    ]);
  });

  it('usage_months are due at once with the erasure of their person, and say what defers them', () => {
    const erasing = { type: 'ErasureStarted', data: { subjectId: ASHA, scope: 'person' } } as DomainEvent;
    const kept = (cause: string, ref: string): DomainEvent => ({
      type: 'UsageDeferred',
      data: { subjectId: ASHA, month: '2026-03', cause, ref },
    });
    const month = (...told: readonly DomainEvent[]) =>
      rows(usageProjection, 'usage_months', [OPENED, used()], ...told.map((event) => [TODAY, event] as const))[0];
    expect(month(erasing)).toMatchObject({ status: 'held', due: TODAY, deferred_ref: null });
    const passed: readonly (readonly [string, string, DomainEvent])[] = [
      ['legalHold', 'matter-1', { type: 'LegalHoldLifted', data: { holdId: 'matter-1' } }],
      ['openComplaint', 'case', { type: 'DeferralClosed', data: { subjectId: ASHA, deferralId: 'case' } }],
      ['restriction', 'restriction', { type: 'RestrictionLifted', data: { subjectId: ASHA } }],
    ];
    for (const [cause, ref, end] of passed) {
      expect(month(erasing, kept(cause, ref))).toMatchObject({ deferred_by: cause, deferred_ref: ref });
      expect(month(erasing, kept(cause, ref), end)).toMatchObject({ status: 'held', deferred_ref: null });
    }
  });

  it('keep the past of every table that is listed, and list no sealed value', () => {
    for (const { projection, table } of telemetryCapability.views) {
      expect([table, projection.tables[table]?.history]).toEqual([table, true]);
      expect(Object.keys(projection.tables[table]?.columns ?? {})).not.toContain('sealed');
    }
  });
});

describe('policies', () => {
  const row: Row = { subject_id: ASHA, month: '2026-03', keys: JSON.stringify([KEY, 'second']), due: TODAY };
  it('end a month, then state its erasure, and leave what is deferred alone', () => {
    const body = { subjectId: ASHA, month: '2026-03' };
    expect(usageExpiryPolicy).toMatchObject({ where: { status: 'held', deferred_ref: null }, dueColumn: 'due' });
    expect(usageExpiryPolicy.command([row])).toEqual({ type: 'ExpireUsage', body });
    expect(usageErasurePolicy).toMatchObject({ where: { status: 'expired', deferred_ref: null } });
    expect(usageErasurePolicy.command([row])).toEqual({ type: 'ConfirmUsageErasure', body });
  });
  it('raise a review', () => {
    expect(essentialityReviewPolicy.command([{ stream_id: 'charts', version: 1, review_by: TODAY }])).toEqual({
      type: 'RaiseEssentialityReview',
      body: { streamId: 'charts', version: 1, reviewBy: TODAY },
    });
  });
});

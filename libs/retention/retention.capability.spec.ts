import { describe, expect, it } from '@jest/globals';
import { instant, type DomainEvent, type Row } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { readCommand, type Command, type LookUps, type TimedPolicy } from '#slice';
import { retentionCapability } from './retention.capability.js';
import {
  CloseRelationship,
  CloseServiceRequest,
  ConfirmErasure,
  EndAccountingPeriod,
  ExpireRetention,
  ExtendRetention,
  FinaliseErasure,
} from './retention.commands.js';
import { retentionDecider } from './retention.decider.js';
import { erasureFinalityPolicy, erasurePolicy, retentionExpiryPolicy } from './retention.policy.js';
import { erasureLedgerProjection } from './erasure.projection.js';
import { retentionScheduleProjection } from './retention.projection.js';
import {
  collected,
  confirmErasure,
  corrected,
  deferred,
  EMAIL,
  ERASURE,
  erasedAt,
  expire,
  OPENED,
  PHONE,
  ref,
  registered,
  started,
  subjectId,
} from './testing/index.js';

const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
const about = { commandId, subjectId };

const good: readonly (readonly [new () => Command, object])[] = [
  [CloseRelationship, { ...about, reasonCode: 'contractEnded' }],
  [CloseServiceRequest, { ...about, serviceRequestRef: 'ticket/2026:1' }],
  [EndAccountingPeriod, about],
  [ExpireRetention, about],
  [ExpireRetention, { ...about, itemIds: [EMAIL, PHONE] }],
  [ConfirmErasure, about],
  [ExtendRetention, { ...about, itemId: EMAIL, until: '2040-01-01T00:00:00Z' }],
];

describe('bodies of commands', () => {
  it.each(good.map(([command, body]) => [command.name, command, body] as const))(
    '%s is read',
    async (name, command, body) => {
      expect(await readCommand(command, body)).toMatchObject({ ...body, type: name });
    },
  );
  it('take an optional field that is null for one left out', async () => {
    expect((await readCommand(ExpireRetention, { ...about, itemIds: null })).itemIds).toBeUndefined();
  });
  it.each<readonly [string, new () => Command, object]>([
    ['subjectId', EndAccountingPeriod, { subjectId: 'asha' }],
    ['subjectId', ConfirmErasure, { subjectId: subjectId.toUpperCase() }],
    ['reasonCode', CloseRelationship, { reasonCode: 'bored' }],
    ['reasonCode', CloseRelationship, { reasonCode: undefined }],
    ['serviceRequestRef', CloseServiceRequest, { serviceRequestRef: 'asha@example.test' }],
    ['serviceRequestRef', CloseServiceRequest, { serviceRequestRef: 'x'.repeat(65) }],
    ['itemIds', ExpireRetention, { itemIds: [] }],
    ['itemIds', ExpireRetention, { itemIds: [EMAIL, EMAIL] }],
    ['itemIds', ExpireRetention, { itemIds: ['all'] }],
    ['itemIds', ExpireRetention, { itemIds: [[]] }],
    ['itemIds', ExpireRetention, { itemIds: EMAIL }],
    ['liveKeys', ConfirmErasure, { liveKeys: [] }],
    ['itemId', ExtendRetention, { itemId: 'it' }],
    ['until', ExtendRetention, { until: '2040-01-01' }],
  ])('are not read: %s of %p (%#)', async (path, command, change) => {
    const [, body] = good.find(([each]) => each === command)!;
    await expect(readCommand(command, { ...body, ...change })).rejects.toThrow(`${path} (`);
  });
});

describe('the capability', () => {
  const [slice] = retentionCapability.slices;

  it('decides in the stream of the person; only the steward states an erasure', () => {
    for (const { command } of slice!.commands)
      expect(slice!.stream(Object.assign(new command(), about))).toBe(`subject-${subjectId}`);
    expect(slice!.commands.find(({ command }) => command === ConfirmErasure)?.roles).toEqual(['system']);
  });
  it('looks for the keys of what is beyond use, and only before an erasure is stated', async () => {
    const asked: (readonly string[])[] = [];
    const vault = { liveKeys: (keys: readonly string[]) => (asked.push(keys), Promise.resolve(['still there'])) };
    const state = (
      [
        registered,
        collected(EMAIL, 'collected'),
        collected(PHONE, 'collected'),
        { type: 'RetentionExpired', data: { subjectId, items: [{ ...ref(EMAIL), due: OPENED }] } },
        started([ref(EMAIL)]),
      ] as const
    ).reduce((folded, event) => retentionDecider.evolve(folded, event, instant(OPENED)), retentionDecider.initialState);
    const lookUps = { vault } as unknown as LookUps;
    expect(await slice!.lookUp!(expire(), state, lookUps)).toEqual({});
    expect(await slice!.lookUp!(confirmErasure, state, lookUps)).toEqual({ liveKeys: ['still there'] });
    expect(asked).toEqual([[`key 1 of ${EMAIL}`]]);
  });
  it('destroys keys before it states that, and states nothing when one outlives it', async () => {
    const done: unknown[] = [];
    let alive: readonly string[] = [];
    const vault = {
      destroyItemKeys: (keys: readonly string[], cause: string) => Promise.resolve(done.push([keys, cause])),
      destroySubject: (id: string) => Promise.resolve(done.push(id)),
      liveKeys: () => Promise.resolve(alive),
    };
    const lookUps = { vault } as unknown as LookUps;
    await slice!.beforeAppend!([started([ref(EMAIL)]), erasedAt(OPENED, [ref(EMAIL)])], lookUps);
    await slice!.beforeAppend!([erasedAt(OPENED, [], { everything: true, person: true })], lookUps);
    expect(done).toEqual([[[`key 1 of ${EMAIL}`], 'retention'], subjectId]);
    alive = [`key 1 of ${EMAIL}`];
    await expect(slice!.beforeAppend!([erasedAt(OPENED, [ref(EMAIL)])], lookUps)).rejects.toThrow('outlived');
  });
});

describe('RetentionSchedule', () => {
  const rows = (...told: readonly (readonly [string, DomainEvent])[]): readonly Row[] => {
    const log = logbook();
    for (const [at, event] of told) log.at(at, event);
    return tablesOf(retentionScheduleProjection, log.events)['retention_schedule']!;
  };
  const MARCH = '2026-03-02T09:00:00Z';
  const email = [OPENED, collected(EMAIL, 'collected')] as const;
  const ticket = [OPENED, collected(PHONE, 'serviceRequestClosed', { serviceRequestRef: 'ticket-1' })] as const;
  const expired: DomainEvent = {
    type: 'RetentionExpired',
    data: { subjectId, items: [{ ...ref(EMAIL), due: OPENED }] },
  };
  const erased: DomainEvent = { type: 'DataErased', data: { subjectId, items: [ref(EMAIL)] } };

  it('shows until when each item may be kept, once that is known', () =>
    expect(rows(email, ticket)).toEqual([
      {
        subject_id: subjectId,
        item_id: EMAIL,
        version: 1,
        category: 'contact.email',
        key_id: `key 1 of ${EMAIL}`,
        trigger_event: 'collected',
        period: 'P2Y',
        due: '2028-01-05T09:00:00.000Z',
        status: 'kept',
        deferred_by: null,
        deferred_ref: null,
        deferred_since: null,
        review_since: null,
        reliance: null,
        erasure_id: null,
        event_id: expect.any(String),
        position: 1,
      },
      expect.objectContaining({ item_id: PHONE, trigger_event: 'serviceRequestClosed', due: null }),
    ]));
  it('takes up the date a trigger has fixed', () => {
    const due = '2028-03-02T09:00:00.000Z';
    const scheduled: DomainEvent = {
      type: 'RetentionScheduled',
      data: { subjectId, items: [{ itemId: PHONE, version: 1, due }] },
    };
    expect(rows(email, ticket, [MARCH, scheduled])).toMatchObject([{ item_id: EMAIL }, { item_id: PHONE, due }]);
  });
  it('gives a corrected value the time of the old one, and the old one a short time', () =>
    expect(rows(email, [MARCH, corrected(EMAIL)])).toMatchObject([
      { version: 2, key_id: `key 2 of ${EMAIL}`, period: 'P2Y', due: '2028-01-05T09:00:00.000Z' },
      {
        version: 1,
        key_id: `key 1 of ${EMAIL}`,
        trigger_event: 'corrected',
        period: 'P12M',
        due: '2027-03-02T09:00:00.000Z',
      },
    ]));
  it('shows what has expired and what is erased', () => {
    expect(rows(email, [MARCH, expired])).toMatchObject([{ status: 'beyondUse' }]);
    expect(rows(email, [MARCH, expired], [MARCH, erased])).toMatchObject([{ status: 'erased' }]);
  });

  const awaiting = ({ where }: TimedPolicy, found: readonly Row[]) =>
    found.filter((row) => Object.entries(where).every(([name, cell]) => row[name] === cell));
  it('hands what is kept past its date to the steward, and then its erasure', async () => {
    const old = rows(email, ticket, [MARCH, corrected(EMAIL)], [MARCH, expired]);
    expect(awaiting(retentionExpiryPolicy, old)).toMatchObject([{ item_id: EMAIL, version: 2 }, { item_id: PHONE }]);
    const expiry = retentionExpiryPolicy.command([old[0]!]);
    expect(await readCommand(ExpireRetention, { commandId, ...expiry.body })).toMatchObject({
      type: expiry.type,
      subjectId,
    });

    const ledger = logbook();
    ledger.at(MARCH, started([ref(EMAIL)]));
    const erasures = tablesOf(erasureLedgerProjection, ledger.events)['erasures']!;
    const [begun] = awaiting(erasurePolicy, erasures);
    const erasure = erasurePolicy.command([begun!]);
    expect(await readCommand(ConfirmErasure, { commandId, ...erasure.body })).toMatchObject({
      type: erasure.type,
      subjectId,
    });
    ledger.at(MARCH, erasedAt(OPENED, [ref(EMAIL)]));
    const erased = tablesOf(erasureLedgerProjection, ledger.events)['erasures']!;
    expect(awaiting(erasurePolicy, erased)).toEqual([]);
    const final = erasureFinalityPolicy.command([awaiting(erasureFinalityPolicy, erased)[0]!]);
    expect(await readCommand(FinaliseErasure, { commandId, ...final.body })).toMatchObject({
      type: final.type,
      erasureId: ERASURE,
    });
  });
  it('hands over nothing that is deferred, until its cause has passed', () => {
    const held = deferred([ref(EMAIL)], 'legalHold', 'matter-1');
    const lifted: DomainEvent = { type: 'LegalHoldLifted', data: { holdId: 'matter-1', reason: 'matterClosed' } };
    expect(awaiting(retentionExpiryPolicy, rows(email, [MARCH, held]))).toEqual([]);
    expect(awaiting(retentionExpiryPolicy, rows(email, [MARCH, held], [MARCH, lifted]))).toHaveLength(1);
  });
});

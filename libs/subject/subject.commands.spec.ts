import { describe, expect, it } from '@jest/globals';
import type { Row, TableShape } from '#kernel';
import { readCommand, type Command } from '#slice';
import { accuracyCheckPolicy, overdueCheckPolicy } from './accuracy.policy.js';
import { art14NoticePolicy } from './art14-notice.policy.js';
import { AnswerRectification, RaiseRectificationOverdue, ReportChange } from './rectification.commands.js';
import { rectificationOverduePolicy } from './rectification.policy.js';
import { subjectCapability } from './subject.capability.js';
import {
  CollectData,
  CompleteCorrection,
  ConfirmAccuracy,
  CorrectData,
  DoubtAccuracy,
  LiftRestriction,
  PresentNotice,
  RaiseAccuracyCheck,
  RaiseArt14NoticeOverdue,
  RaiseOverdueCheck,
  RecordRenewal,
  RefuseCorrection,
  RegisterSubject,
  RestrictProcessing,
} from './subject.commands.js';

const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const itemId = '11111111-1111-4111-8111-111111111111';
const about = { commandId, subjectId };
const aboutItem = { ...about, itemId };
const requestId = '55555555-5555-4555-8555-555555555555';
const aboutCase = { ...about, requestId };
const changes = [
  { category: 'contact.phone', value: '+44 20 7946 0199' },
  { category: 'boat.name', itemId },
];

const email = { category: 'contact.email', value: 'asha@example.test' };
const good: readonly (readonly [new () => Command, object])[] = [
  [RegisterSubject, { ...about, capacity: 'soleTrader' }],
  [RegisterSubject, { ...about, capacity: 'individual', subscriberType: 'corporate', division: 'scotland' }],
  [PresentNotice, { ...about, noticeId: 'customer-privacy', version: 1, how: 'shown', channel: 'web' }],
  [
    CollectData,
    {
      ...about,
      purposeId: 'support',
      collectionPointId: 'contact-form',
      noticeId: 'customer-privacy',
      noticeVersion: 1,
      serviceRequestRef: 'ticket-1',
      source: 'thirdParty',
      sourceRecipientId: 'example-agency',
      items: [{ ...email, required: true }],
    },
  ],
  [CorrectData, { ...aboutItem, fromVersion: 1, value: 'new', reasonCode: 'outOfDate', requestId }],
  [RefuseCorrection, { ...aboutItem, reasonCode: 'accurateAsHeld', complaintRoutes: ['court'] }],
  [RefuseCorrection, { ...aboutItem, requestId }],
  [CompleteCorrection, { ...aboutItem, version: 2 }],
  [ConfirmAccuracy, { ...aboutItem, method: 'documentSeen' }],
  [DoubtAccuracy, { ...aboutItem, cause: 'returnedPost' }],
  [DoubtAccuracy, { ...about, useId: requestId, cause: 'bouncedEmail' }],
  [RaiseAccuracyCheck, { ...aboutItem, due: '2027-01-05T09:00:00.000Z' }],
  [RaiseOverdueCheck, { ...aboutItem, due: '2027-01-05T09:00:00.000Z' }],
  [RecordRenewal, about],
  [RaiseArt14NoticeOverdue, { ...about, noticeId: 'customer-privacy', due: '2027-01-05T09:00:00.000Z' }],
  [ReportChange, { ...about, channel: 'letter', changes }],
  [AnswerRectification, aboutCase],
  [RaiseRectificationOverdue, { ...aboutCase, due: '2027-01-05T09:00:00.000Z' }],
  [RestrictProcessing, { ...about, ground: '18(1)(d)' }],
  [LiftRestriction, { ...about, informedAt: '2026-11-23T09:00:00+01:00' }],
  [LiftRestriction, about],
];
const bodyOf = (command: new () => Command): object => good.find(([each]) => each === command)![1];

describe('bodies of commands', () => {
  it.each(good.map(([command, body]) => [command.name, command, body] as const))(
    '%s is read',
    async (name, command, body) => {
      expect(await readCommand(command, { ...body, type: 'Nonsense' })).toMatchObject({ ...body, type: name });
    },
  );

  it('take an optional field that is null for one left out', async () => {
    const nothing = { serviceRequestRef: null, source: null, sourceRecipientId: null };
    const read = await readCommand(CollectData, { ...bodyOf(CollectData), ...nothing });
    expect([read.serviceRequestRef, read.source]).toEqual([undefined, undefined]);
    expect((await readCommand(RefuseCorrection, { ...aboutItem, reasonCode: null })).reasonCode).toBeUndefined();
  });

  it.each<readonly [string, new () => Command, object]>([
    ['commandId', RegisterSubject, { commandId: 'once' }],
    ['subjectId', RegisterSubject, { subjectId: 'asha@example.test' }],
    ['subjectId', RegisterSubject, { subjectId: undefined }],
    ['subjectId', RegisterSubject, { subjectId: subjectId.toUpperCase() }],
    ['capacity', RegisterSubject, { capacity: 'robot' }],
    ['subscriberType', RegisterSubject, { subscriberType: 'both' }],
    ['division', RegisterSubject, { division: 'wales' }],
    ['actor', RegisterSubject, { actor: { id: 'root' } }],
    ['noticeId', PresentNotice, { noticeId: 'Customer Privacy' }],
    ['version', PresentNotice, { version: 0 }],
    ['version', PresentNotice, { version: 1.5 }],
    ['how', PresentNotice, { how: 'guessed' }],
    ['channel', PresentNotice, { channel: undefined }],
    ['purposeId', CollectData, { purposeId: 'x'.repeat(65) }],
    ['collectionPointId', CollectData, { collectionPointId: 7 }],
    ['noticeVersion', CollectData, { noticeVersion: '1' }],
    ['serviceRequestRef', CollectData, { serviceRequestRef: 'about Asha' }],
    ['source', CollectData, { source: 'gossip' }],
    ['sourceRecipientId', CollectData, { sourceRecipientId: 'Example Ltd' }],
    ['sourceRecipientId', CollectData, { source: undefined }],
    ['sourceRecipientId', CollectData, { source: 'derived' }],
    ['items', CollectData, { items: [] }],
    ['items', CollectData, { items: [[]] }],
    ['items', CollectData, { items: [[email]] }],
    ['items', CollectData, { items: [null] }],
    ['items', CollectData, { items: ['contact.email'] }],
    ['items', CollectData, { items: email }],
    ['items', CollectData, { items: undefined }],
    ['items', CollectData, { items: [email, email] }],
    ['items', CollectData, { items: Array.from({ length: 101 }, (_, index) => ({ ...email, category: `c${index}` })) }],
    ['items.0.category', CollectData, { items: [{ ...email, category: 'e-mail' }] }],
    ['items.0.value', CollectData, { items: [{ ...email, value: '' }] }],
    ['items.0.value', CollectData, { items: [{ ...email, value: 'x'.repeat(20_001) }] }],
    ['items.0.value', CollectData, { items: [{ ...email, value: ['x'] }] }],
    ['items.0.required', CollectData, { items: [{ ...email, required: 'yes' }] }],
    ['items.0.purposeId', CollectData, { items: [{ ...email, purposeId: 'other' }] }],
    ['items.0.value', CollectData, { items: [{ ...email, value: '\ud800' }] }],
    ['itemId', CorrectData, { itemId: '1' }],
    ['fromVersion', CorrectData, { fromVersion: 0 }],
    ['value', CorrectData, { value: undefined }],
    ['reasonCode', CorrectData, { reasonCode: 'because' }],
    ['reasonCode', RefuseCorrection, { reasonCode: 'because' }],
    ['complaintRoutes', RefuseCorrection, { complaintRoutes: ['court', 'court'] }],
    ['complaintRoutes', RefuseCorrection, { complaintRoutes: ['pub'] }],
    ['version', CompleteCorrection, { version: 1 }],
    ['method', ConfirmAccuracy, { method: 'felt right' }],
    ['cause', DoubtAccuracy, { cause: 'hunch' }],
    ['itemId', DoubtAccuracy, { itemId: undefined }],
    ['useId', DoubtAccuracy, { itemId: undefined }],
    ['useId', DoubtAccuracy, { useId: requestId }],
    ['itemId', DoubtAccuracy, { itemId: 'asha@example.test' }],
    ['useId', DoubtAccuracy, { itemId: undefined, useId: 'the last one' }],
    ['due', RaiseAccuracyCheck, { due: '2027-01-05' }],
    ['due', RaiseOverdueCheck, { due: '2027-01-05' }],
    ['noticeId', RaiseArt14NoticeOverdue, { noticeId: 'Notice 1' }],
    ['requestId', CorrectData, { requestId: 'the letter' }],
    ['channel', ReportChange, { channel: 'asha@example.test' }],
    ['channel', ReportChange, { channel: undefined }],
    ['changes', ReportChange, { changes: [] }],
    ['changes', ReportChange, { changes: [changes[0], changes[0]] }],
    ['changes', ReportChange, { changes: 'my phone' }],
    ['changes.0.category', ReportChange, { changes: [{ category: 'my phone' }] }],
    ['changes.0.value', ReportChange, { changes: [{ category: 'contact.phone', value: '' }] }],
    ['changes.0.itemId', ReportChange, { changes: [{ category: 'contact.phone', itemId: '7' }] }],
    ['changes.0.reason', ReportChange, { changes: [{ category: 'contact.phone', reason: 'moved' }] }],
    ['requestId', AnswerRectification, { requestId: undefined }],
    ['ground', RestrictProcessing, { ground: '18(1)' }],
    ['informedAt', LiftRestriction, { informedAt: 'yesterday' }],
    ['informedAt', LiftRestriction, { informedAt: '2026-11-23' }],
    ['informedAt', LiftRestriction, { informedAt: '2026-02-30T09:00:00Z' }],
  ])('are not read: %s of %p (%#)', async (path, command, change) => {
    await expect(readCommand(command, { ...bodyOf(command), ...change })).rejects.toThrow(`${path} (`);
  });
});

describe('the capability', () => {
  const [slice] = subjectCapability.slices;

  it('reads every command it is sent, and decides it in the stream of the person', () => {
    const bound = slice!.commands.map(({ command }) => command);
    expect(new Set<unknown>(good.map(([command]) => command))).toEqual(new Set<unknown>(bound));
    for (const command of bound) {
      const made = Object.assign(new command(), { subjectId });
      expect(made.type).toBe(command.name);
      expect(slice!.stream(made)).toBe(`subject-${subjectId}`);
    }
  });
  it('lets only the privacy officer refuse a correction or lift a restriction, and only the steward raise a check', () => {
    const rolesOf = (command: unknown) => slice!.commands.find((each) => each.command === command)?.roles;
    expect(rolesOf(RefuseCorrection)).toEqual(['privacyOfficer']);
    expect(rolesOf(LiftRestriction)).toEqual(['privacyOfficer']);
    expect(rolesOf(RaiseAccuracyCheck)).toEqual(['system']);
  });
  it('has no field for a fee, a penalty, a form or a reason in the report of a change (I-18b)', async () => {
    const read = await readCommand(ReportChange, bodyOf(ReportChange));
    const known = ['commandId', 'occurredAt', 'caseRef', 'actor', 'subjectId', 'channel', 'changes'];
    expect(Object.keys(read).filter((name) => !known.includes(name))).toEqual([]);
    expect(read.changes.flatMap((change) => Object.keys(change))).toEqual(['category', 'value', 'category', 'itemId']);
    for (const field of ['fee', 'penalty', 'charge', 'form', 'reason', 'reasonCode', 'identityProof'])
      await expect(readCommand(ReportChange, { ...bodyOf(ReportChange), [field]: 1 })).rejects.toThrow(`${field} (`);
    const rolesOf = slice!.commands.find(({ command }) => command === ReportChange)?.roles;
    expect(rolesOf).toEqual(['service', 'staff', 'privacyOfficer', 'legal', 'subject', 'agent']);
  });
  it('does what has fallen due by commands that can be read, and that only the steward may send', async () => {
    const due = '2027-01-05T09:00:00.000Z';
    const row: Row = {
      subject_id: subjectId,
      item_id: itemId,
      notice_id: 'customer-privacy',
      request_id: requestId,
      due,
    };
    const sent = [
      [overdueCheckPolicy, RaiseOverdueCheck, { itemId, due }],
      [art14NoticePolicy, RaiseArt14NoticeOverdue, { noticeId: 'customer-privacy', due }],
      [rectificationOverduePolicy, RaiseRectificationOverdue, { requestId, due }],
    ] as const;
    for (const [policy, command, content] of sent) {
      const { type, body } = policy.command([row]);
      expect(await readCommand(command as new () => Command, { commandId, ...body })).toMatchObject({
        type,
        ...content,
      });
      expect(slice!.commands.find((each) => each.command === command)?.roles).toEqual(['system']);
      const { tables } = policy.projection as unknown as { readonly tables: Readonly<Record<string, TableShape>> };
      const columns = Object.keys(tables[policy.table]!.columns);
      expect(columns).toEqual(
        expect.arrayContaining([...Object.keys(policy.where), policy.dueColumn, ...policy.groupBy]),
      );
    }
  });
  it('raises a check by a command that can be read', async () => {
    const row: Row = { subject_id: subjectId, item_id: itemId, next_check_due: '2027-01-05T09:00:00.000Z' };
    const { type, body } = accuracyCheckPolicy.command([row]);
    expect(await readCommand(RaiseAccuracyCheck, { commandId, ...body })).toMatchObject({
      type,
      subjectId,
      itemId,
      due: '2027-01-05T09:00:00.000Z',
    });
  });
});

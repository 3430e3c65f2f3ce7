import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CodecRegistry } from '#event-log';
import { instant, type DomainEvent, type Projection, type Recorded, type RowChange } from '#kernel';
import { readCommand } from '#slice';
import { RegisterCollectionPoint } from './collection-point.commands.js';
import { collectionPointDecider } from './collection-point.decider.js';
import { collectionPointsProjection } from './collection-point.projection.js';
import { AssessCompatibility } from './compatibility.commands.js';
import { compatibilityDecider } from './compatibility.decider.js';
import { liaDecider } from './lia.decider.js';
import { purposeCapability } from './purpose.capability.js';
import { purposeCodec } from './purpose.codec.js';
import { DefinePurpose, RaisePurposeReview, ReviewPurpose, SuspendPurpose } from './purpose.commands.js';
import { purposeDecider } from './purpose.decider.js';
import { purposesProjection } from './purpose.projection.js';

const AT = instant('2026-11-23T09:00:00Z');

const samples = JSON.parse(readFileSync(new URL('./purpose.golden.json', import.meta.url), 'utf8')) as {
  readonly type: string;
  readonly data: object;
}[];
const registry = new CodecRegistry([purposeCodec]);
const decode = ({ type, data }: (typeof samples)[number]): DomainEvent => ({
  type: registry.resolve(type)!.type,
  data,
});

const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
const field = { category: 'contact.email', necessity: 'required', justification: 'the answer is sent to it' };
const rule = {
  category: 'contact.email',
  trigger: 'serviceRequestClosed',
  period: 'P2Y',
  action: 'erase',
  legalRef: 'UK GDPR Art 5(1)(e)',
};
const purpose = {
  commandId,
  purposeId: 'answer-support-tickets',
  title: 'Answer support tickets',
  plainWords: 'We use it to answer you.',
  serviceLine: 'SUPPORT',
  commercial: false,
  basis: 'contract',
  dpvIri: 'dpv:CustomerCare',
  fields: [field],
  retention: [rule],
  recipientKindsAllowed: ['GROUP', 'PROCESSOR'],
};
const point = {
  commandId,
  collectionPointId: 'contact-form',
  kind: 'webForm',
  title: 'Contact us',
  explanation: 'We use what you write to answer you.',
  purposes: ['answer-support-tickets'],
  fields: ['contact.email'],
  noticeId: 'customer-privacy',
};

describe('the command to define a purpose', () => {
  it.each([
    ['nothing more', {}],
    ['a service line that no policy covers, for a rule to refuse', { serviceLine: 'BROKERAGE' }],
    ['free text that says what is expected', { fields: [{ ...field, freeText: { expectation: 'a', maxLength: 9 } }] }],
    [
      'the condition of a recognised interest',
      { basis: 'recognisedLegitimateInterest', rliCondition: 'crime', rliNecessity: 'Forgers are found no other way.' },
    ],
    ['the people it is about', { dataSubjects: ['customer', 'customerContact'] }],
    ['a period between reviews', { reviewPeriod: 'P12M' }],
    ['a term of our own', { dpvIri: 'https://custos.example/terms#ComplaintHandling' }],
    ['a time to take effect', { effectiveFrom: '2018-05-25T00:00:00+01:00' }],
    ['an interval between checks', { fields: [{ ...field, checkInterval: 'P12M' }] }],
    ['no personal data', { fields: [], retention: [] }],
  ])('is read with %s', async (_what, more) => {
    expect(await readCommand(DefinePurpose, { ...purpose, ...more })).toMatchObject({ ...purpose, ...more });
  });

  it.each([
    ['purposeId', { purposeId: 'Answer' }],
    ['title', { title: ' ' }],
    ['basis', { basis: 'because' }],
    ['commercial', { commercial: 'no' }],
    ['rliCondition', { basis: 'recognisedLegitimateInterest' }],
    ['rliCondition', { rliCondition: 'whatever' }],
    ['rliNecessity', { basis: 'recognisedLegitimateInterest', rliCondition: 'crime' }],
    ['rliNecessity', { rliNecessity: ' ' }],
    ['dataSubjects', { dataSubjects: [] }],
    ['dataSubjects', { dataSubjects: ['Asha Fictional'] }],
    ['reviewPeriod', { reviewPeriod: 'P0D' }],
    ['dpvIri', { dpvIri: 'CustomerCare' }],
    ['effectiveFrom', { effectiveFrom: '2018-05-25' }],
    ['author', { author: 'ben' }],
    ['fields', { fields: undefined }],
    ['fields', { fields: [field, field] }],
    ['fields', { fields: [[]] }],
    ['fields', { fields: Array.from({ length: 201 }, (_, index) => ({ ...field, category: `c${index}` })) }],
    ['fields.0.category', { fields: [{ ...field, category: 'e-mail' }] }],
    ['fields.0.justification', { fields: [{ ...field, justification: undefined }] }],
    ['fields.0.justification', { fields: [{ ...field, justification: ' ' }] }],
    ['fields.0.freeText.maxLength', { fields: [{ ...field, freeText: { expectation: 'a message' } }] }],
    ['fields.0.freeText.expectation', { fields: [{ ...field, freeText: { maxLength: 9 } }] }],
    ['fields.0.freeText', { fields: [{ ...field, freeText: [] }] }],
    ['fields.0.checkInterval', { fields: [{ ...field, checkInterval: 'yearly' }] }],
    ['fields.0.checkInterval', { fields: [{ ...field, checkInterval: 'P0D' }] }],
    ['retention.0.period', { retention: [{ ...rule, period: 'long' }] }],
    ['retention.0.trigger', { retention: [{ ...rule, trigger: 'someday' }] }],
    ['retention.0.action', { retention: [{ ...rule, action: 'keep' }] }],
    ['recipientKindsAllowed', { recipientKindsAllowed: ['FRIENDS'] }],
  ])('is not read: %s (%#)', async (path, change) => {
    await expect(readCommand(DefinePurpose, { ...purpose, ...change })).rejects.toThrow(`${path} (`);
  });
});

describe('the command to register a collection point', () => {
  it('is read, also without an explanation, for a rule to refuse', async () => {
    const { explanation: _none, ...unexplained } = point;
    expect(await readCommand(RegisterCollectionPoint, unexplained)).toMatchObject(unexplained);
  });

  it.each([
    ['kind', { kind: 'carrierPigeon' }],
    ['purposes', { purposes: [] }],
    ['purposes', { purposes: ['Answer'] }],
    ['fields', { fields: ['e-mail'] }],
    ['noticeId', { noticeId: '' }],
    ['explanation', { explanation: 7 }],
  ])('is not read: %s (%#)', async (path, change) => {
    await expect(readCommand(RegisterCollectionPoint, { ...point, ...change })).rejects.toThrow(`${path} (`);
  });
});

describe('the command to assess compatibility', () => {
  const assessment = {
    commandId,
    from: 'answer-support-tickets',
    fromVersion: 1,
    to: 'prevent-fraud',
    toVersion: 1,
    verdict: 'compatible',
    ground: 'crime',
    reasoning: 'Only what is needed is looked at.',
  };

  it('is read', async () => {
    expect(await readCommand(AssessCompatibility, assessment)).toMatchObject(assessment);
    const { ground: _none, ...barred } = { ...assessment, verdict: 'incompatible' };
    expect(await readCommand(AssessCompatibility, barred)).toMatchObject(barred);
  });

  it.each([
    ['from', { from: 'Answer' }],
    ['to', { to: 'answer-support-tickets' }],
    ['toVersion', { toVersion: 0 }],
    ['verdict', { verdict: 'fine' }],
    ['ground', { ground: undefined }],
    ['ground', { ground: 'curiosity' }],
    ['ground', { verdict: 'needsConsent' }],
    ['reasoning', { reasoning: ' ' }],
    ['consentNotReasonable', { consentNotReasonable: ' ' }],
  ])('is not read: %s (%#)', async (path, change) => {
    await expect(readCommand(AssessCompatibility, { ...assessment, ...change })).rejects.toThrow(`${path} (`);
  });
});

describe('the slices', () => {
  const [purposes, points, compatibility] = purposeCapability.slices;

  it('decide in the stream of the purpose and of the collection point', () => {
    expect(purposes!.stream(Object.assign(new SuspendPurpose(), { purposeId: 'answer' }))).toBe('purpose-answer');
    expect(points!.stream(Object.assign(new RegisterCollectionPoint(), point))).toBe('collectionpoint-contact-form');
    const pair = { from: 'answer', to: 'improve' };
    expect(compatibility!.stream(Object.assign(new AssessCompatibility(), pair))).toBe('compatibility-answer.improve');
  });

  it('take no command from a service or from staff', () => {
    for (const { command, roles } of [purposes!, points!].flatMap(({ commands }) => commands))
      expect(roles).toEqual(
        command === RaisePurposeReview
          ? ['system']
          : command === ReviewPurpose
            ? ['privacyOfficer', 'legal']
            : ['privacyOfficer'],
      );
    for (const { roles } of compatibility!.commands) expect(roles).toEqual(['privacyOfficer', 'legal']);
  });
});

describe('stored events', () => {
  it('have a sample of every name', () =>
    expect(samples.map(({ type }) => type).sort()).toEqual(registry.storedTypes()));

  it('decode to the events that the deciders fold', () => {
    const types = samples.map((sample) => registry.resolve(sample.type));
    expect(types.every((resolved) => resolved?.upcasts.length === 0)).toBe(true);
    expect(types.map((resolved) => resolved?.type).sort()).toEqual(
      Object.keys({
        ...purposeDecider.folds,
        ...collectionPointDecider.folds,
        ...compatibilityDecider.folds,
        ...liaDecider.folds,
      }).sort(),
    );
  });

  it('fold to the state they stood for', () => {
    const events = samples.map(decode) as never[];
    expect(
      events.slice(0, 5).reduce((state, event) => purposeDecider.evolve(state, event, AT), purposeDecider.initialState),
    ).toMatchObject({
      versions: [{ version: 2, author: 'ada', inForceFrom: '2018-05-25T00:00:00.000Z' }],
      retired: true,
    });
    expect(
      events
        .slice(5, 7)
        .reduce((state, event) => collectionPointDecider.evolve(state, event, AT), collectionPointDecider.initialState),
    ).toMatchObject({ status: 'retired', version: 1, definition: { noticeId: 'customer-privacy' } });
  });
});

describe('the read models', () => {
  const project = (projection: Projection<never>, type: string, changes: object = {}): readonly RowChange[] => {
    const sample = decode(samples.find((each) => registry.resolve(each.type)?.type === type)!);
    const handle = (projection.handles as Record<string, (event: Recorded) => readonly RowChange[]>)[type]!;
    const envelope = { id: 'event', actorId: 'ada', occurredAt: AT, position: 7 };
    return handle({ ...sample, data: { ...sample.data, ...changes }, ...envelope } as Recorded);
  };
  const purposeId = 'answer-support-tickets';

  it('show a draft with its author, and that it replaces another', () => {
    const changes = project(purposesProjection, 'PurposeDefined');
    expect(changes).toMatchObject([
      {
        change: 'insert',
        table: 'purposes',
        row: { purpose_id: purposeId, version: 2, status: 'draft', author: 'ada' },
      },
      {
        change: 'update',
        table: 'purposes',
        where: { purpose_id: purposeId, version: 1 },
        set: { status: 'replaced' },
      },
    ]);
  });

  it('open the standing of a purpose with its first version', () =>
    expect(project(purposesProjection, 'PurposeDefined', { version: 1, replaces: undefined })).toMatchObject([
      { change: 'insert', table: 'purposes' },
      { change: 'insert', table: 'purpose_standing', row: { purpose_id: purposeId, status: 'draft', since: AT } },
    ]));

  it('show who approved a version, from when, and until when the one before was in force', () => {
    const from = '2018-05-25T00:00:00.000Z';
    const approval = {
      change: 'update',
      table: 'purposes',
      where: { purpose_id: purposeId, version: 2 },
      set: { status: 'approved', approver: 'ben', approved_at: AT, effective_from: from, review_by: null },
    };
    expect(project(purposesProjection, 'PurposeApproved')).toEqual([
      approval,
      {
        change: 'update',
        table: 'purposes',
        where: { purpose_id: purposeId, version: 1 },
        set: { effective_to: from },
      },
    ]);
    expect(project(purposesProjection, 'PurposeApproved', { supersedes: undefined })).toMatchObject([
      approval,
      { table: 'purpose_standing', where: { purpose_id: purposeId }, set: { status: 'approved' } },
    ]);
  });

  it.each([
    ['PurposeSuspended', 'suspended', 'underReview'],
    ['PurposeResumed', 'approved', null],
    ['PurposeRetired', 'retired', null],
  ])('show the standing after %s', (type, status, reason) =>
    expect(project(purposesProjection, type)[0]).toEqual({
      change: 'update',
      table: 'purpose_standing',
      where: { purpose_id: purposeId },
      set: { status, since: AT, reason_code: reason, event_id: 'event', position: 7 },
    }),
  );

  it('show when a version is to be reviewed, that it was raised, and that it was done', () => {
    const version = { purpose_id: purposeId, version: 2 };
    const set = (type: string, changes: object = {}) => project(purposesProjection, type, changes)[0];
    expect(set('PurposeApproved', { reviewBy: '2027-11-23T09:00:00.000Z' })).toMatchObject({
      where: version,
      set: { review_by: '2027-11-23T09:00:00.000Z' },
    });
    expect(set('PurposeReviewDue')).toMatchObject({
      where: version,
      set: { review_raised_for: '2027-11-23T09:00:00.000Z' },
    });
    expect(set('PurposeReviewed')).toMatchObject({
      where: version,
      set: { review_by: '2028-11-23T09:00:00.000Z', review_raised_for: null },
    });
    expect(project(purposesProjection, 'PurposeRetired')[1]).toMatchObject({
      where: { purpose_id: purposeId },
      set: { review_by: null },
    });
  });

  it('show collection points with the versions before', () => {
    const ended = (version: number, status: string) => ({
      change: 'update',
      table: 'collection_points',
      where: { collection_point_id: 'contact-form', version },
      set: { status, in_service_to: AT },
    });
    expect(project(collectionPointsProjection, 'CollectionPointRegistered')).toMatchObject([
      { change: 'insert', row: { version: 1, status: 'active', fields: '["contact.email"]', in_service_to: null } },
    ]);
    expect(project(collectionPointsProjection, 'CollectionPointRegistered', { version: 2 })).toMatchObject([
      ended(1, 'replaced'),
      { change: 'insert', row: { version: 2 } },
    ]);
    expect(project(collectionPointsProjection, 'CollectionPointRetired')).toEqual([ended(1, 'retired')]);
  });

  it('have exactly the columns they declare', () => {
    const inserts = [
      ...project(purposesProjection, 'PurposeDefined', { version: 1 }),
      ...project(collectionPointsProjection, 'CollectionPointRegistered'),
    ].flatMap((change) => (change.change === 'insert' ? [change] : []));
    const tables = { ...purposesProjection.tables, ...collectionPointsProjection.tables };
    for (const { table, row } of inserts)
      expect(Object.keys(row).sort()).toEqual(Object.keys(tables[table]!.columns).sort());
    expect(inserts.map(({ table }) => table).sort()).toEqual(Object.keys(tables).sort());
  });
});

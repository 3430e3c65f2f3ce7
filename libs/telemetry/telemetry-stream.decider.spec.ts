import { describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { factsAt, logbook, scenario } from '#kernel/testing';
import { telemetryStreamDecider, type TelemetryStreamFacts } from './telemetry-stream.decider.js';
import type { TelemetryStreamEvent } from './telemetry-stream.events.js';
import { telemetryStreamAsOf, telemetryStreamRegister } from './telemetry-stream.register.js';
import {
  about,
  ada,
  approve,
  approved,
  ben,
  field,
  notices,
  purposes,
  register,
  registered,
  rejected,
  resumed,
  retired,
  reviewDue,
  suspended,
  TODAY,
} from './testing/index.js';

const facts: TelemetryStreamFacts = { ...factsAt(TODAY, { actor: ada }), purposes, notices };
const { given, when } = scenario(telemetryStreamDecider, facts);
const bySecond = { actor: ben };
const streamId = 'charts';
const review = (reviewBy = '2027-03-02T09:00:00.000Z') => about('RaiseEssentialityReview', { version: 1, reviewBy });
const reject = (version = 1) => about('RejectEssentiality', { version, reasonCode: 'notEssential' });

describe('registering a stream', () => {
  it('proposes its first version, once', () => {
    when(register()).then(registered());
    when(register()).thenRepeatedNothing();
  });

  it('proposes new fields as a version of its own, which takes the place of a proposal', () => {
    const fields = [field('licence')];
    given(registered(), approved())
      .when(register({ fields }))
      .then(registered({ version: 2, fields }));
    given(registered())
      .when(register({ fields, version: 2 }))
      .then(registered({ version: 2, fields, replaces: 1 }));
    given(registered())
      .when(register({ fields, version: 3 }))
      .thenRefused('VERSION_CONFLICT', { streamId, version: 3, next: 2 });
  });

  it('may propose again what was rejected, under a new number', () => {
    given(registered(), rejected())
      .when(register())
      .then(registered({ version: 2 }));
    given(registered(), rejected())
      .when(register({ version: 1 }))
      .thenNothing();
  });

  it('needs a purpose that delivers a service, lists usage, and says when it ends', () => {
    when(register({ purposeId: 'nothing' })).thenRefused('PURPOSE_UNKNOWN', { streamId, purposeId: 'nothing' });
    when(register({ purposeId: 'drafted' })).thenRefused('PURPOSE_NOT_APPROVED');
    when(register({ purposeId: 'stopped' })).thenRefused('PURPOSE_SUSPENDED');
    for (const purposeId of ['news', 'website', 'rights'])
      when(register({ purposeId })).thenRefused('USAGE_SECONDARY_USE', { purposeId });
    when(register({ purposeId: 'by-choice' })).thenRefused('LAWFUL_BASIS_NOT_AVAILABLE');
    when(register({ purposeId: 'without-usage' })).thenRefused('DATA_EXCESSIVE', {
      purposeId: 'without-usage',
      fields: ['usage'],
    });
    when(register({ purposeId: 'without-end' })).thenRefused('RETENTION_RULE_MISSING');
    when(register({ purposeId: 'to-be-reviewed' })).thenRefused('RETENTION_RULE_MISSING');
    when(register({ noticeId: 'nowhere' })).thenRefused('NOTICE_UNKNOWN', { noticeId: 'nowhere' });
  });

  it('turns nothing that was captured to another purpose', () =>
    given(registered(), approved())
      .when(register({ purposeId: 'upkeep' }))
      .thenRefused('USAGE_SECONDARY_USE', { streamId, purposeId: 'upkeep' }));

  it('takes no field without a function of the service and a reason (I-07a)', () => {
    const fields = [
      field('licence'),
      { ...field('clicks'), essentialFor: 'productImprovement' },
      { ...field('wishes'), justification: '' },
    ];
    when(register({ fields })).thenRefused('NOT_ESSENTIAL', { streamId, fields: ['clicks', 'wishes'] });
  });

  it('reads the device only where that is strictly necessary (I-07e)', () => {
    when(register({ readsDevice: true })).thenRefused('NOT_ESSENTIAL', { streamId, field: 'strictlyNecessary' });
    when(register({ readsDevice: true, strictlyNecessary: ' ' })).thenRefused('NOT_ESSENTIAL');
    const named = { readsDevice: true, strictlyNecessary: 'The licence is stored there.' };
    when(register(named)).then(registered(named));
  });

  it('calls nothing less traceable than its fields, and nothing anonymous without an assessment (I-06b)', () => {
    for (const traceability of ['indirect', 'none'] as const)
      when(register({ traceability })).thenRefused('ANONYMITY_NOT_ASSESSED', { streamId, fields: ['licence'] });
    const none = { traceability: 'none', fields: [field('action', { traceability: 'none' })] } as const;
    when(register(none)).thenRefused('ANONYMITY_NOT_ASSESSED', { streamId, field: 'anonymityAssessmentRef' });
    const assessed = { ...none, anonymityAssessmentRef: 'a-1' };
    when(register(assessed)).then(registered(assessed));
  });
});

describe('judging essentiality', () => {
  it('is done by a second person, for twelve months at most', () => {
    given(registered()).when(approve()).thenRefused('FOUR_EYES_REQUIRED', { streamId, version: 1 });
    given(registered()).when(approve(), bySecond).then(approved());
    given(registered()).when(approve(), bySecond).thenRepeatedNothing();
    given(registered())
      .when(approve(1, 'P6M'), bySecond)
      .then(approved({ reviewBy: instant('2026-09-02T08:00:00Z') }));
    given(registered()).when(reject()).thenRefused('FOUR_EYES_REQUIRED');
    when(approve(), bySecond).thenRefused('TELEMETRY_STREAM_UNKNOWN', { streamId });
    given(registered()).when(approve(2), bySecond).thenRefused('TELEMETRY_STREAM_UNKNOWN', { streamId, version: 2 });
  });

  it('ends the version in use when a new one is approved, and not before', () => {
    const both = [registered(), approved(), registered({ version: 2, fields: [field('licence')] })];
    given(...both)
      .when(approve(2), bySecond)
      .then(approved({ version: 2, supersedes: 1 }));
    given(...both, approved({ version: 2, supersedes: 1 }))
      .when(approve(1), bySecond)
      .thenRefused('VERSION_CONFLICT', { streamId, version: 1, newest: 2 });
  });

  it('renews an approval at its review, and never shortens it', () => {
    given(registered(), approved({ reviewBy: TODAY }))
      .when(approve(), bySecond)
      .then(approved());
    given(registered(), approved()).when(approve(1, 'P1M'), bySecond).thenNothing();
  });

  it('rejects a proposal, and what was approved before', () => {
    given(registered()).when(reject(), bySecond).then(rejected());
    given(registered(), approved()).when(reject(), bySecond).then(rejected());
    given(registered(), rejected()).when(reject(), bySecond).thenNothing();
    given(registered(), approved(), registered({ version: 2 }))
      .when(reject(), bySecond)
      .thenRepeatedNothing();
    given(registered(), rejected())
      .when(approve(), bySecond)
      .thenRefused('NOT_ESSENTIAL', { streamId, version: 1, status: 'rejected' });
  });

  it('raises a review once for each date, when it is due', () => {
    const due = '2026-03-02T09:00:00.000Z';
    const overdue = [registered(), approved({ reviewBy: TODAY })];
    given(...overdue)
      .when(review(due))
      .then(reviewDue(TODAY));
    given(...overdue)
      .when(review(due))
      .thenRepeatedNothing();
    given(registered(), approved()).when(review()).thenNothing();
    given(...overdue, approved())
      .when(review(due))
      .thenNothing();
    given(...overdue, rejected())
      .when(review(due))
      .thenNothing();
    given(...overdue, suspended)
      .when(review(due))
      .then(reviewDue(TODAY));
    given(...overdue, retired)
      .when(review(due))
      .thenNothing();
  });
});

describe('stopping a stream', () => {
  const suspend = about('SuspendTelemetryStream', { reasonCode: 'incident' });
  const resume = about('ResumeTelemetryStream');
  const retire = about('RetireTelemetryStream');
  it('suspends and resumes it', () => {
    given(registered()).when(suspend).then(suspended);
    given(registered(), suspended).when(suspend).thenNothing();
    given(registered(), suspended).when(resume).then(resumed);
    given(registered()).when(resume).thenNothing();
    given(registered(), suspended)
      .when(resume, { occurredAt: instant('2026-03-01T09:00:00Z') })
      .thenRefused('VERSION_CONFLICT', { streamId, field: 'occurredAt' });
  });
  it('retires it for good', () => {
    given(registered()).when(retire).then(retired);
    const over = given(registered(), retired);
    over.when(retire).thenNothing();
    for (const command of [suspend, resume, register({ fields: [field('a')] })])
      over.when(command).thenRefused('NOT_ESSENTIAL', { streamId, status: 'retired' });
    over.when(approve(), bySecond).thenRefused('NOT_ESSENTIAL');
  });
});

describe('the register', () => {
  const at = (time: string, ...told: readonly (readonly [string, TelemetryStreamEvent])[]) => {
    const log = logbook();
    const state = told.reduce(
      (folded, [when_, event]) => telemetryStreamRegister.evolve(folded, log.at(when_, event)),
      telemetryStreamRegister.initialState,
    );
    const found = telemetryStreamAsOf(state, 'charts', instant(time));
    return 'stream' in found ? `${found.status} ${found.stream.version}` : found.status;
  };
  const reviewBy = instant('2026-04-01T09:00:00Z');
  const life = [
    ['2026-01-01T09:00:00Z', registered()],
    ['2026-02-01T09:00:00Z', approved({ reviewBy })],
    ['2026-04-02T09:00:00Z', reviewDue(reviewBy)],
    ['2026-04-10T09:00:00Z', approved()],
    ['2026-05-01T09:00:00Z', suspended],
    ['2026-05-02T09:00:00Z', resumed],
    ['2026-05-03T09:00:00Z', registered({ version: 2 })],
    ['2026-05-04T09:00:00Z', approved({ version: 2, supersedes: 1 })],
    ['2026-05-05T09:00:00Z', registered({ version: 3 })],
    ['2026-05-06T09:00:00Z', rejected(3)],
    ['2026-06-01T09:00:00Z', rejected(2)],
    ['2026-07-01T09:00:00Z', retired],
  ] as const;
  it.each([
    ['2025-12-31T09:00:00Z', 'notApproved'],
    ['2026-01-31T09:00:00Z', 'notApproved'],
    ['2026-02-01T09:00:00Z', 'approved 1'],
    ['2026-04-01T08:59:59.999Z', 'approved 1'],
    ['2026-04-01T09:00:00Z', 'reviewOverdue 1'],
    ['2026-04-10T09:00:00Z', 'approved 1'],
    ['2026-05-01T09:00:00Z', 'suspended'],
    ['2026-05-02T09:00:00Z', 'approved 1'],
    ['2026-05-04T09:00:00Z', 'approved 2'],
    ['2026-05-06T09:00:00Z', 'approved 2'],
    ['2026-06-01T09:00:00Z', 'notApproved'],
    ['2026-07-01T09:00:00Z', 'retired'],
  ])('knows at %s: %s', (time, status) => expect(at(time, ...life)).toBe(status));
  it('knows nothing of a stream that nobody registered', () => expect(at('2026-01-01T09:00:00Z')).toBe('unknown'));
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant } from '#kernel';
import { factsAt, NOW, scenario } from '#kernel/testing';
import type { DefinePurpose, FieldToDefine, PurposeDomainCommand } from './purpose.commands.js';
import { purposeDecider } from './purpose.decider.js';
import type {
  PurposeApproved,
  PurposeDefined,
  PurposeEvent,
  PurposeResumed,
  PurposeReviewDue,
  PurposeReviewed,
  PurposeRetired,
  PurposeSuspended,
  RetentionRule,
} from './purpose.events.js';

const ada = { id: 'ada', type: 'user', roles: ['privacyOfficer'] } as const;
const ben = { id: 'ben', type: 'user', roles: ['privacyOfficer'] } as const;
const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: ada };
const purposeId = 'answer-support-tickets';

const email: FieldToDefine = {
  category: 'contact.email',
  necessity: 'required',
  justification: 'the answer is sent to it',
};
const message: FieldToDefine = {
  category: 'ticket.message',
  necessity: 'required',
  justification: 'it says what is wrong',
  freeText: { expectation: 'what happened, and where', maxLength: 4000 },
};
const keep = (category: string): RetentionRule => ({
  category,
  trigger: 'serviceRequestClosed',
  period: 'P2Y',
  action: 'erase',
  legalRef: 'UK GDPR Art 5(1)(e)',
});

const define = (changes: Partial<DefinePurpose> = {}): DefinePurpose => ({
  ...sent,
  type: 'DefinePurpose',
  purposeId,
  title: 'Answer support tickets',
  plainWords: 'We use it to answer you.',
  serviceLine: 'SUPPORT',
  commercial: false,
  basis: 'contract',
  dpvIri: 'dpv:CustomerCare',
  fields: [email, message],
  retention: [keep('contact.email'), keep('ticket.message')],
  recipientKindsAllowed: ['GROUP'],
  ...changes,
});
const approve = (version = 1): PurposeDomainCommand => ({ ...sent, type: 'ApprovePurpose', purposeId, version });
const suspend = (reasonCode = 'underReview'): PurposeDomainCommand => ({
  ...sent,
  type: 'SuspendPurpose',
  purposeId,
  reasonCode,
});
const resume: PurposeDomainCommand = { ...sent, type: 'ResumePurpose', purposeId };
const retire: PurposeDomainCommand = { ...sent, type: 'RetirePurpose', purposeId };

const defined = (changes: Partial<PurposeDefined['data']> = {}): PurposeDefined => ({
  type: 'PurposeDefined',
  data: {
    purposeId,
    version: 1,
    author: 'ada',
    title: 'Answer support tickets',
    plainWords: 'We use it to answer you.',
    serviceLine: 'SUPPORT',
    commercial: false,
    basis: 'contract',
    dpiaRequired: false,
    dpvIri: 'dpv:CustomerCare',
    fields: [email, message],
    retention: [keep('contact.email'), keep('ticket.message')],
    recipientKindsAllowed: ['GROUP'],
    ...changes,
  },
});
const approved = (changes: Partial<PurposeApproved['data']> = {}): PurposeApproved => ({
  type: 'PurposeApproved',
  data: { purposeId, version: 1, approver: 'ben', effectiveFrom: NOW, ...changes },
});
const suspended: PurposeSuspended = { type: 'PurposeSuspended', data: { purposeId, reasonCode: 'underReview' } };
const resumed: PurposeResumed = { type: 'PurposeResumed', data: { purposeId } };
const retired: PurposeRetired = { type: 'PurposeRetired', data: { purposeId } };

const asAda = factsAt(NOW, { actor: ada });
const asBen = { actor: ben };
const { given, when } = scenario(purposeDecider, asAda);

describe('defining a purpose', () => {
  it('drafts version 1', () => when(define()).then(defined()));

  it('drafts it once', () => {
    given(defined()).when(define()).thenNothing();
    given(defined(), approved()).when(define()).thenNothing();
    given(defined(), approved(), retired).when(define()).thenNothing();
  });

  it('takes an optional field sent as null for one that was left out', () =>
    given(defined())
      .when(define({ liaRef: null as never, effectiveFrom: null as never, dpiaRequired: null as never }))
      .thenNothing());

  it('reads every spelling of a time as the same time', () =>
    given(defined({ effectiveFrom: instant('2018-05-24T23:00:00Z') }))
      .when(define({ effectiveFrom: '2018-05-25T00:00:00+01:00' }))
      .thenNothing());

  it('drafts another content as the next version', () => {
    given(defined(), approved())
      .when(define({ title: 'Help' }))
      .then(defined({ version: 2, title: 'Help' }));
    given(defined(), approved())
      .when(define({ title: 'Help', version: 2 }))
      .then(defined({ version: 2, title: 'Help' }));
  });

  it('replaces a draft that was not approved', () =>
    given(defined())
      .when(define({ title: 'Help' }))
      .then(defined({ version: 2, title: 'Help', replaces: 1 })));

  it('never changes a version that exists', () => {
    given(defined(), approved())
      .when(define({ version: 1, title: 'Help' }))
      .thenRefused('VERSION_CONFLICT', { purposeId, version: 1, next: 2 });
    given(defined(), approved(), defined({ version: 2, title: 'Help' }))
      .when(define({ version: 1 }))
      .thenNothing();
  });

  it('leaves out no version', () =>
    when(define({ version: 2 })).thenRefused('VERSION_CONFLICT', { purposeId, version: 2, next: 1 }));

  it('covers only the lines of the policy (I-01a)', () => {
    when(define({ serviceLine: 'BROKERAGE' })).thenRefused('PURPOSE_OUT_OF_SCOPE', {
      purposeId,
      serviceLine: 'BROKERAGE',
    });
    for (const serviceLine of ['B2B', 'B2C', 'SUPPORT', 'WEBSITE', 'GOVERNANCE'])
      when(define({ serviceLine })).thenTypes('PurposeDefined');
  });

  it('gives no commercial purpose usage, whatever its basis (I-07c)', () => {
    const usage: FieldToDefine = {
      category: 'usage.charts',
      necessity: 'optional',
      justification: 'it tells who buys',
    };
    const change = { fields: [usage], retention: [keep('usage.charts')] };
    when(define({ ...change, commercial: true, basis: 'consent' })).thenRefused('USAGE_SECONDARY_USE', {
      purposeId,
      fields: ['usage.charts'],
    });
    when(define(change)).thenTypes('PurposeDefined');
  });

  it.each([
    'dpv:DirectMarketing',
    'dpv:TargetedAdvertising',
    'dpv:SellInsightsFromData',
    'dpv:ProvideProductRecommendations',
    'https://w3id.org/dpv#Personalisation',
    'https://w3id.org/dpv/owl#SocialMediaMarketing',
    'http://w3id.org/dpv/2.3/dpv#CommercialResearch',
  ])('takes %s for commercial (I-17a)', (dpvIri) => {
    when(define({ dpvIri })).thenRefused('PURPOSE_MISCLASSIFIED', { purposeId, dpvIri });
    when(define({ dpvIri, commercial: true })).thenTypes('PurposeDefined');
  });

  it('takes other terms as they are declared', () => {
    when(define({ dpvIri: 'dpv:ServiceUsageAnalytics' })).thenTypes('PurposeDefined');
    when(define({ dpvIri: 'https://custos.example/terms#Marketing' })).thenTypes('PurposeDefined');
  });

  it('gives every category a retention rule (I-16a)', () =>
    when(define({ retention: [keep('ticket.message')] })).thenRefused('RETENTION_RULE_MISSING', {
      purposeId,
      fields: ['contact.email'],
    }));

  it.each(['religion', 'crew.health', 'special.diet', 'person.sexualOrientation', 'check.criminalRecord'])(
    'takes %s for a special category by its name (I-12b)',
    (category) => {
      const asked = { fields: [{ ...email, category }], retention: [keep(category)] };
      when(define(asked)).thenRefused('SPECIAL_CATEGORY_NOT_PERMITTED', { purposeId, fields: [category] });
      when(define({ ...asked, specialCategoryCondition: 'Art 9(2)(c)' })).then(
        defined({
          ...asked,
          fields: [{ ...email, category, special: true }],
          specialCategoryCondition: 'Art 9(2)(c)',
        }),
      );
    },
  );

  it('takes a category for special that is declared so', () =>
    when(define({ fields: [{ ...email, special: true }, message] })).thenRefused('SPECIAL_CATEGORY_NOT_PERMITTED', {
      purposeId,
      fields: ['contact.email'],
    }));

  it('takes no other category for special', () => {
    const category = 'training.healthAndSafety';
    when(define({ fields: [{ ...email, category }], retention: [keep(category)] })).thenTypes('PurposeDefined');
  });

  it('keeps why a recognised interest calls for it, and whom it is about', () => {
    const said = {
      basis: 'recognisedLegitimateInterest',
      rliCondition: 'crime',
      rliNecessity: 'Forged tickets are found no other way.',
      dataSubjects: ['customer'],
    } as const;
    when(define(said)).then(defined(said));
  });

  it('does not bring a retired purpose back', () =>
    given(defined(), approved(), retired)
      .when(define({ title: 'Help' }))
      .thenRefused('PURPOSE_SUSPENDED', { purposeId, status: 'retired' }));
});

describe('approving a purpose', () => {
  it('takes effect when another person approves it', () => given(defined()).when(approve(), asBen).then(approved()));

  it('is never done by the author (I-12d)', () =>
    given(defined()).when(approve()).thenRefused('FOUR_EYES_REQUIRED', { purposeId, version: 1 }));

  it('happens once', () => given(defined(), approved()).when(approve(), asBen).thenNothing());

  it('needs a version that was defined', () => {
    when(approve(), asBen).thenRefused('PURPOSE_UNKNOWN', { purposeId, version: 1 });
    given(defined()).when(approve(2), asBen).thenRefused('PURPOSE_UNKNOWN', { purposeId, version: 2 });
  });

  it('does not revive a draft that was replaced', () =>
    given(defined(), defined({ version: 2, title: 'Help', replaces: 1 }))
      .when(approve(1), asBen)
      .thenRefused('VERSION_CONFLICT', { purposeId, version: 1, newest: 2 }));

  it('needs the impact assessment that is required', () => {
    given(defined({ dpiaRequired: true }))
      .when(approve(), asBen)
      .thenRefused('DPIA_MISSING', { purposeId, version: 1 });
    given(defined({ dpiaRequired: true, dpiaRef: 'DPIA-7' }))
      .when(approve(), asBen)
      .then(approved());
  });

  it('of the first version may reach back: people were told of it before the engine came', () => {
    const effectiveFrom = instant('2018-05-25T00:00:00Z');
    given(defined({ effectiveFrom })).when(approve(), asBen).then(approved({ effectiveFrom }));
  });

  it('of a later version never reaches back', () => {
    const effectiveFrom = instant('2018-05-25T00:00:00Z');
    given(
      defined({ effectiveFrom }),
      approved({ effectiveFrom }),
      defined({ version: 2, title: 'Help', effectiveFrom }),
    )
      .when(approve(2), asBen)
      .then(approved({ version: 2, effectiveFrom: NOW, supersedes: 1 }));
  });

  it('may lie before the time it takes effect', () => {
    const effectiveFrom = instant('2027-01-01T00:00:00Z');
    given(defined(), approved(), defined({ version: 2, title: 'Help', effectiveFrom }))
      .when(approve(2), asBen)
      .then(approved({ version: 2, effectiveFrom, supersedes: 1 }));
    given(
      defined(),
      approved(),
      defined({ version: 2, title: 'Help', effectiveFrom }),
      approved({ version: 2, effectiveFrom, supersedes: 1 }),
      defined({ version: 3, title: 'Aid' }),
    )
      .when(approve(3), asBen)
      .then(approved({ version: 3, effectiveFrom, supersedes: 2 }));
  });

  it('does not bring a retired purpose back', () =>
    given(defined(), retired)
      .when(approve(), asBen)
      .thenRefused('PURPOSE_SUSPENDED', { purposeId, status: 'retired' }));
});

describe('reviewing a purpose', () => {
  const due = instant('2027-11-23T09:00:00Z');
  const reviewed = (reviewBy: string): PurposeReviewed => ({
    type: 'PurposeReviewed',
    data: { purposeId, version: 1, reviewer: 'ada', reviewBy: instant(reviewBy) },
  });
  const raised: PurposeReviewDue = { type: 'PurposeReviewDue', data: { purposeId, version: 1, due } };
  const raise = (at = '2027-11-23T09:00:00Z', version = 1): PurposeDomainCommand => ({
    ...sent,
    type: 'RaisePurposeReview',
    purposeId,
    version,
    due: at,
  });
  const review: PurposeDomainCommand = { ...sent, type: 'ReviewPurpose', purposeId, version: 1 };
  const yearly = defined({ reviewPeriod: 'P1Y' });
  const inForce = [yearly, approved({ reviewBy: due })];

  it('falls due a period after the approval', () =>
    given(yearly)
      .when(approve(), asBen)
      .then(approved({ reviewBy: due })));

  it('is raised when it is due, once', () => {
    given(...inForce)
      .when(raise(), { now: due })
      .then(raised);
    given(...inForce, raised)
      .when(raise(), { now: due })
      .thenNothing();
  });

  it('is not raised before, nor for what no longer is to be reviewed', () => {
    given(...inForce)
      .when(raise())
      .thenNothing();
    given(...inForce)
      .when(raise('2027-11-22T09:00:00Z'), { now: due })
      .thenNothing();
    given(...inForce, retired)
      .when(raise(), { now: due })
      .thenNothing();
    given(...inForce, defined({ version: 2, title: 'Help' }), approved({ version: 2, supersedes: 1 }))
      .when(raise(), { now: due })
      .thenNothing();
    when(raise(), { now: due }).thenRefused('PURPOSE_UNKNOWN', { purposeId });
  });

  it('leaves the purpose in force until somebody suspends it', () =>
    given(...inForce, raised)
      .when(suspend(), { now: due })
      .then(suspended));

  it('sets the next one a period later, once', () => {
    const later = { occurredAt: instant('2027-12-01T09:00:00Z'), now: instant('2027-12-01T09:00:00Z') };
    given(...inForce, raised)
      .when(review, later)
      .then(reviewed('2028-12-01T09:00:00Z'));
    given(...inForce, raised, reviewed('2028-12-01T09:00:00Z'))
      .when(review, later)
      .thenNothing();
    given(...inForce, raised, reviewed('2028-12-01T09:00:00Z'))
      .when(raise('2028-12-01T09:00:00Z'), { now: instant('2028-12-01T09:00:00Z') })
      .thenTypes('PurposeReviewDue');
  });

  it('is about the version that is approved, with a period', () => {
    when(review).thenRefused('PURPOSE_UNKNOWN', { purposeId });
    given(yearly).when(review).thenRefused('PURPOSE_NOT_APPROVED', { purposeId });
    given(...inForce, defined({ version: 2, title: 'Help' }), approved({ version: 2, supersedes: 1 }))
      .when(review)
      .thenRefused('VERSION_CONFLICT', { purposeId, version: 1 });
    given(defined(), approved())
      .when(review)
      .thenRefused('REGISTER_ENTRY_UNKNOWN', { purposeId, version: 1, field: 'reviewPeriod' });
  });
});

describe('suspending, resuming and retiring a purpose', () => {
  it('suspends an approved purpose, once', () => {
    given(defined(), approved()).when(suspend()).then(suspended);
    given(defined(), approved(), suspended).when(suspend('anotherReason')).thenNothing();
  });

  it('resumes a suspended purpose, once', () => {
    given(defined(), approved(), suspended).when(resume).then(resumed);
    given(defined(), approved(), suspended, resumed).when(resume).thenNothing();
  });

  it('does not resume it before it was suspended', () =>
    given(defined(), approved(), suspended)
      .when(resume, { occurredAt: instant('2026-11-22T09:00:00Z') })
      .thenRefused('VERSION_CONFLICT', { purposeId, field: 'occurredAt' }));

  it('retires a purpose or a draft, once', () => {
    given(defined(), approved()).when(retire).then(retired);
    given(defined()).when(retire).then(retired);
    given(defined(), approved(), retired).when(retire).thenNothing();
  });

  it('needs a purpose', () => {
    for (const command of [suspend(), resume, retire]) when(command).thenRefused('PURPOSE_UNKNOWN', { purposeId });
  });

  it('suspends and resumes only what was approved', () => {
    for (const command of [suspend(), resume])
      given(defined()).when(command).thenRefused('PURPOSE_NOT_APPROVED', { purposeId });
  });

  it('suspends and resumes nothing that is retired', () => {
    for (const command of [suspend(), resume])
      given(defined(), approved(), retired)
        .when(command)
        .thenRefused('PURPOSE_SUSPENDED', { purposeId, status: 'retired' });
  });
});

it('does nothing when an accepted command is sent again', () => {
  const command = fc.oneof(
    fc
      .record(
        {
          title: fc.constantFrom('Answer', 'Help'),
          version: fc.integer({ min: 1, max: 4 }),
          effectiveFrom: fc.constantFrom('2018-05-25T00:00:00Z', '2027-01-01T00:00:00Z'),
          dpiaRequired: fc.boolean(),
          reviewPeriod: fc.constantFrom('PT1H', 'P1D'),
          commercial: fc.boolean(),
        },
        { requiredKeys: ['title'] },
      )
      .map(define),
    fc.integer({ min: 1, max: 4 }).map(approve),
    fc
      .integer({ min: 1, max: 4 })
      .map((version): PurposeDomainCommand => ({ ...sent, type: 'ReviewPurpose', purposeId, version })),
    fc.constantFrom(suspend(), suspend('anotherReason'), resume, retire),
  );
  const step = fc.record({ command, actor: fc.constantFrom(ada, ben), hours: fc.integer({ min: 0, max: 23 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let history: PurposeEvent[] = [];
      for (const { command, actor, hours } of steps) {
        const facts = factsAt(`2026-11-23T${String(hours).padStart(2, '0')}:00:00Z`, { actor });
        const state = history.reduce(
          (folded, event) => purposeDecider.evolve(folded, event, facts.occurredAt),
          purposeDecider.initialState,
        );
        const outcome = purposeDecider.decide(command, state, facts);
        if (outcome.kind === 'refused') continue;
        const after = outcome.events.reduce(
          (folded, event) => purposeDecider.evolve(folded, event, facts.occurredAt),
          state,
        );
        expect(purposeDecider.decide(command, after, facts)).toEqual({ kind: 'accepted', events: [] });
        history = [...history, ...outcome.events];
      }
    }),
  );
});

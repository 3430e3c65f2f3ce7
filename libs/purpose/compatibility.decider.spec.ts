import { describe, it } from '@jest/globals';
import { instant } from '#kernel';
import { factsAt, registerOf, scenario } from '#kernel/testing';
import type { AssessCompatibility, CompatibilityDomainCommand } from './compatibility.commands.js';
import { compatibilityDecider, type CompatibilityFacts } from './compatibility.decider.js';
import {
  ANNEX_2_CONDITIONS,
  type CompatibilityApproved,
  type CompatibilityAssessed,
  type CompatibilityRevoked,
} from './compatibility.events.js';
import type { LawfulBasis, PurposeEvent } from './purpose.events.js';
import { purposeRegister } from './purpose.register.js';

const ada = { id: 'ada', type: 'user', roles: ['privacyOfficer'] } as const;
const ben = { id: 'ben', type: 'user', roles: ['privacyOfficer'] } as const;
const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: ada };
const pair = { from: 'answer', to: 'improve' };

const purpose = (
  purposeId: string,
  version: number,
  basis: LawfulBasis,
  approved: boolean,
): readonly PurposeEvent[] => [
  {
    type: 'PurposeDefined',
    data: {
      purposeId,
      version,
      author: 'ada',
      title: 'A purpose',
      plainWords: 'We use it.',
      serviceLine: 'SUPPORT',
      commercial: false,
      basis,
      dpiaRequired: false,
      dpvIri: 'dpv:CustomerCare',
      fields: [],
      retention: [],
      recipientKindsAllowed: [],
    },
  },
  ...(approved
    ? [
        {
          type: 'PurposeApproved' as const,
          data: { purposeId, version, approver: 'ben', effectiveFrom: instant('2020-01-01T00:00:00Z') },
        },
      ]
    : []),
];

const purposes = registerOf(
  purposeRegister,
  ...purpose('answer', 1, 'contract', true),
  ...purpose('answer', 2, 'contract', true),
  ...purpose('answer', 3, 'contract', false),
  ...purpose('hear-from-us', 1, 'consent', true),
  ...purpose('improve', 1, 'legitimateInterests', false),
  ...purpose('improve', 2, 'legitimateInterests', true),
);

const assess = (changes: Partial<AssessCompatibility> = {}): AssessCompatibility => ({
  ...sent,
  type: 'AssessCompatibility',
  ...pair,
  fromVersion: 1,
  toVersion: 2,
  verdict: 'compatible',
  ground: 'assessed',
  reasoning: 'Those who write to us expect us to learn from it; figures only.',
  ...changes,
});
const without = ({ ground: _none, ...rest }: AssessCompatibility) => rest as AssessCompatibility;
const approve = (assessment = 1): CompatibilityDomainCommand => ({
  ...sent,
  type: 'ApproveCompatibility',
  ...pair,
  assessment,
});
const revoke = (assessment = 1): CompatibilityDomainCommand => ({
  ...sent,
  type: 'RevokeCompatibility',
  ...pair,
  assessment,
  reasonCode: 'purposeChanged',
});

const assessed = (changes: Partial<CompatibilityAssessed['data']> = {}): CompatibilityAssessed => ({
  type: 'CompatibilityAssessed',
  data: {
    ...pair,
    assessment: 1,
    author: 'ada',
    fromVersion: 1,
    toVersion: 2,
    verdict: 'compatible',
    ground: 'assessed',
    reasoning: 'Those who write to us expect us to learn from it; figures only.',
    ...changes,
  },
});
const approved = (changes: Partial<CompatibilityApproved['data']> = {}): CompatibilityApproved => ({
  type: 'CompatibilityApproved',
  data: { ...pair, assessment: 1, approver: 'ben', ...changes },
});
const revoked = (assessment = 1): CompatibilityRevoked => ({
  type: 'CompatibilityRevoked',
  data: { ...pair, assessment, reasonCode: 'purposeChanged' },
});

const facts: CompatibilityFacts = { ...factsAt(undefined, { actor: ada }), purposes };
const asBen = { actor: ben };
const { given, when } = scenario(compatibilityDecider, facts);

describe('assessing whether data of one purpose may serve another (I-13c)', () => {
  it('is recorded with its ground and reasons', () => when(assess()).then(assessed()));

  it('happens once', () => {
    given(assessed()).when(assess()).thenNothing();
    given(assessed(), approved()).when(assess()).thenNothing();
    given(assessed())
      .when(assess({ consentNotReasonable: null as never }))
      .thenNothing();
  });

  it('may find that only consent opens the way, or nothing does', () => {
    for (const verdict of ['needsConsent', 'incompatible'] as const) {
      const { ground: _none, ...data } = assessed({ verdict }).data;
      when(without(assess({ verdict }))).then({ type: 'CompatibilityAssessed', data });
    }
  });

  it('is about purposes and versions that exist', () => {
    when(assess({ from: 'sell-data' })).thenRefused('PURPOSE_UNKNOWN', { purposeId: 'sell-data', version: 1 });
    when(assess({ from: 'constructor' })).thenRefused('PURPOSE_UNKNOWN', { purposeId: 'constructor', version: 1 });
    when(assess({ fromVersion: 4 })).thenRefused('PURPOSE_UNKNOWN', { purposeId: 'answer', version: 4 });
    when(assess({ toVersion: 3 })).thenRefused('PURPOSE_UNKNOWN', { purposeId: 'improve', version: 3 });
  });

  it('is about data that can have been collected', () =>
    when(assess({ fromVersion: 3 })).thenRefused('PURPOSE_NOT_APPROVED', { purposeId: 'answer', version: 3 }));

  it('may come before the new purpose is approved', () =>
    when(assess({ toVersion: 1 })).then(assessed({ toVersion: 1 })));

  it('replaces a draft about the same versions, and no other', () => {
    given(assessed())
      .when(assess({ ground: 'statistics' }))
      .then(assessed({ assessment: 2, replaces: 1, ground: 'statistics' }));
    given(assessed())
      .when(assess({ fromVersion: 2 }))
      .then(assessed({ assessment: 2, fromVersion: 2 }));
    given(assessed(), approved())
      .when(assess({ ground: 'statistics' }))
      .then(assessed({ assessment: 2, ground: 'statistics' }));
  });

  it('may be made anew after it was revoked', () =>
    given(assessed(), approved(), revoked())
      .when(assess())
      .then(assessed({ assessment: 2 })));
});

describe('data that rests on consent (UK GDPR Art 8A(4))', () => {
  const from = 'hear-from-us';

  it.each(['assessed', 'research', 'archiving', 'statistics'] as const)('is not opened by %s', (ground) =>
    when(assess({ from, ground, consentNotReasonable: 'They cannot be reached.' })).thenRefused(
      'PURPOSE_INCOMPATIBLE',
      { from, to: 'improve', basis: 'consent', ground, field: 'ground' },
    ),
  );

  it.each([...ANNEX_2_CONDITIONS, 'publicInterestObjective'] as const)(
    'is opened by %s only where nobody can reasonably be asked',
    (ground) => {
      when(assess({ from, ground })).thenRefused('PURPOSE_INCOMPATIBLE', {
        from,
        to: 'improve',
        basis: 'consent',
        ground,
        field: 'consentNotReasonable',
      });
      const consentNotReasonable = 'Asking would warn those who are looked for.';
      when(assess({ from, ground, consentNotReasonable })).then(assessed({ from, ground, consentNotReasonable }));
    },
  );

  it('may be used to comply with the principles', () =>
    when(assess({ from, ground: 'complianceWithPrinciples' })).then(
      assessed({ from, ground: 'complianceWithPrinciples' }),
    ));

  it('serves another purpose with consent, or not at all', () => {
    for (const verdict of ['needsConsent', 'incompatible'] as const)
      when(without(assess({ from, verdict }))).thenTypes('CompatibilityAssessed');
  });

  it('alone may be disclosed for archiving under Annex 2', () =>
    when(assess({ ground: 'archivingDisclosure' })).thenRefused('PURPOSE_INCOMPATIBLE', {
      ...pair,
      basis: 'contract',
      ground: 'archivingDisclosure',
      field: 'ground',
    }));
});

describe('approving an assessment', () => {
  it('is done by another person', () => {
    given(assessed()).when(approve(), asBen).then(approved());
    given(assessed())
      .when(approve())
      .thenRefused('FOUR_EYES_REQUIRED', { ...pair, assessment: 1 });
  });

  it('happens once', () => given(assessed(), approved()).when(approve(), asBen).thenNothing());

  it('ends the one before about the same versions, and no other', () => {
    given(assessed(), approved(), assessed({ assessment: 2, ground: 'statistics' }))
      .when(approve(2), asBen)
      .then(approved({ assessment: 2, supersedes: 1 }));
    given(assessed(), approved(), assessed({ assessment: 2, fromVersion: 2 }))
      .when(approve(2), asBen)
      .then(approved({ assessment: 2 }));
    given(assessed(), approved(), revoked(), assessed({ assessment: 2 }))
      .when(approve(2), asBen)
      .then(approved({ assessment: 2 }));
  });

  it('needs a draft', () => {
    when(approve(), asBen).thenRefused('REGISTER_ENTRY_UNKNOWN', { ...pair, assessment: 1 });
    given(assessed(), assessed({ assessment: 2, replaces: 1, ground: 'statistics' }))
      .when(approve(1), asBen)
      .thenRefused('VERSION_CONFLICT', { ...pair, assessment: 1, status: 'replaced' });
    given(assessed(), revoked())
      .when(approve(1), asBen)
      .thenRefused('VERSION_CONFLICT', { ...pair, assessment: 1, status: 'revoked' });
  });
});

describe('revoking an assessment', () => {
  it('ends it, approved or not, once', () => {
    given(assessed(), approved()).when(revoke()).then(revoked());
    given(assessed()).when(revoke()).then(revoked());
    given(assessed(), approved(), revoked()).when(revoke()).thenNothing();
  });

  it('leaves alone what ended before', () =>
    given(
      assessed(),
      approved(),
      assessed({ assessment: 2, ground: 'statistics' }),
      approved({ assessment: 2, supersedes: 1 }),
    )
      .when(revoke(1))
      .thenNothing());

  it('needs an assessment', () => when(revoke()).thenRefused('REGISTER_ENTRY_UNKNOWN', { ...pair, assessment: 1 }));

  it('does not make it never have been', () =>
    given(assessed(), approved())
      .when(revoke(), { occurredAt: instant('2026-11-22T09:00:00Z') })
      .thenRefused('VERSION_CONFLICT', { ...pair, assessment: 1, field: 'occurredAt' }));
});

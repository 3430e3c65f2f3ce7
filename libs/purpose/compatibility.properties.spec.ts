import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, type Recorded } from '#kernel';
import { factsAt, logbook, registerOf } from '#kernel/testing';
import type { AssessCompatibility, CompatibilityDomainCommand } from './compatibility.commands.js';
import { compatibilityDecider, type CompatibilityFacts } from './compatibility.decider.js';
import type { CompatibilityEvent } from './compatibility.events.js';
import { compatibilityFor, compatibilityRegister } from './compatibility.register.js';
import type { PurposeEvent } from './purpose.events.js';
import { purposeRegister } from './purpose.register.js';

const ada = { id: 'ada', type: 'user', roles: ['privacyOfficer'] } as const;
const ben = { id: 'ben', type: 'user', roles: ['privacyOfficer'] } as const;
const pair = { from: 'answer', to: 'improve' };

const defined = (purposeId: string, version: number): readonly PurposeEvent[] => [
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
      basis: version === 1 ? 'consent' : 'contract',
      dpiaRequired: false,
      dpvIri: 'dpv:CustomerCare',
      fields: [],
      retention: [],
      recipientKindsAllowed: [],
    },
  },
  {
    type: 'PurposeApproved',
    data: { purposeId, version, approver: 'ben', effectiveFrom: instant('2020-01-01T00:00:00Z') },
  },
];
const purposes = registerOf(
  purposeRegister,
  ...[1, 2].flatMap((version) => [...defined('answer', version), ...defined('improve', version)]),
);

const version = fc.constantFrom(1, 2);
const number = fc.integer({ min: 1, max: 4 });
const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: ada, ...pair };
const command: fc.Arbitrary<CompatibilityDomainCommand> = fc.oneof(
  fc
    .record({
      fromVersion: version,
      toVersion: version,
      finding: fc.constantFrom<Pick<AssessCompatibility, 'verdict' | 'ground'>>(
        { verdict: 'compatible', ground: 'assessed' },
        { verdict: 'compatible', ground: 'complianceWithPrinciples' },
        { verdict: 'needsConsent' },
        { verdict: 'incompatible' },
      ),
    })
    .map(({ finding, ...rest }) => ({
      ...sent,
      type: 'AssessCompatibility' as const,
      ...rest,
      ...finding,
      reasoning: 'It was weighed.',
    })),
  number.map((assessment) => ({ ...sent, type: 'ApproveCompatibility' as const, assessment })),
  number.map((assessment) => ({
    ...sent,
    type: 'RevokeCompatibility' as const,
    assessment,
    reasonCode: 'purposeChanged',
  })),
);
const steps = fc.array(fc.record({ command, actor: fc.constantFrom(ada, ben) }), { maxLength: 14 });

/** Decides one command an hour. @returns what was recorded; `again` is asked to decide each accepted command anew. */
function live(
  commands: readonly { readonly command: CompatibilityDomainCommand; readonly actor: typeof ada | typeof ben }[],
  again: (outcome: ReturnType<typeof compatibilityDecider.decide>) => void,
): readonly Recorded<CompatibilityEvent>[] {
  const { at, events } = logbook();
  let state = compatibilityDecider.initialState;
  commands.forEach(({ command: each, actor }, hour) => {
    const time = `2026-11-23T${String(hour).padStart(2, '0')}:00:00.000Z`;
    const facts: CompatibilityFacts = { ...factsAt(time, { actor }), purposes };
    const outcome = compatibilityDecider.decide(each, state, facts);
    if (outcome.kind === 'refused') return;
    for (const event of outcome.events) {
      at(time, event);
      state = compatibilityDecider.evolve(state, event, instant(time));
    }
    again(compatibilityDecider.decide(each, state, facts));
  });
  return events as readonly Recorded<CompatibilityEvent>[];
}

it('does nothing when an accepted command is sent again', () => {
  fc.assert(
    fc.property(steps, (commands) => {
      live(commands, (outcome) => expect(outcome).toEqual({ kind: 'accepted', events: [] }));
    }),
  );
});

it('calls nothing compatible that one person alone wanted, or whose approval was revoked', () => {
  fc.assert(
    fc.property(steps, (commands) => {
      const events = live(commands, () => undefined);
      const state = events.reduce(compatibilityRegister.evolve, compatibilityRegister.initialState);
      for (const fromVersion of [1, 2])
        for (const toVersion of [1, 2]) {
          const query = { ...pair, fromVersion, toVersion, at: instant('2026-11-24T00:00:00Z') };
          const found = compatibilityFor(state, query);
          if (found.verdict === 'notAssessed') continue;
          const about = events.filter(({ data }) => data.assessment === found.assessment);
          const [first, ...later] = about;
          expect(first).toMatchObject({ type: 'CompatibilityAssessed', data: { fromVersion, toVersion } });
          expect(later.map(({ type }) => type)).toEqual(['CompatibilityApproved']);
          const author = first?.type === 'CompatibilityAssessed' ? first.data.author : undefined;
          expect(later[0]).not.toMatchObject({ data: { approver: author } });
        }
    }),
  );
});

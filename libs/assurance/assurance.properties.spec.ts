import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant } from '#kernel';
import { factsAt, scenario } from '#kernel/testing';
import type { AssuranceCommand } from './assurance.commands.js';
import { assuranceDecider, type AssuranceFacts } from './assurance.decider.js';
import type { AssuranceEvent } from './assurance.events.js';

const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: factsAt().actor, attestationId: 'one' };
const facts: AssuranceFacts = { ...factsAt(), attestations: new Map(), group: new Map() };
const { given } = scenario(assuranceDecider, facts);
const hash = 'a'.repeat(64);
const day = fc.constantFrom('2026-01-01', '2026-06-30', '2026-11-20');
const findingId = fc.constantFrom('F-1', 'F-2');

const command: fc.Arbitrary<AssuranceCommand> = fc.oneof(
  fc.record({ validFrom: day, validTo: fc.constantFrom('2026-12-31', '2026-12-01') }).map((dates) => ({
    ...sent,
    type: 'RecordRegistration' as const,
    scheme: 'ico-dp-fee' as const,
    reference: 'ZA1',
    tier: 1,
    ...dates,
  })),
  fc.record({ validFrom: day, validTo: fc.constantFrom('2026-12-31', '2027-06-30') }).map((dates) => ({
    ...sent,
    type: 'RecordCertificate' as const,
    scheme: 'iso-27001',
    edition: '2022',
    body: 'Body',
    number: '1',
    scope: 'All.',
    documentHash: hash,
    ...dates,
  })),
  day.map((performedOn) => ({
    ...sent,
    type: 'RecordIndependentTest' as const,
    testKind: 'audit' as const,
    tester: 'Tester',
    testerCompanyNumber: '1',
    scope: 'All.',
    performedOn,
    reportHash: hash,
  })),
  fc
    .record({
      performedOn: day,
      outcome: fc.constantFrom('passed' as const, 'failed' as const),
      digestAfter: fc.constantFrom(hash, 'b'.repeat(64)),
    })
    .map((restore) => ({
      ...sent,
      type: 'RecordRestoreTest' as const,
      backupHash: hash,
      environment: 'temporaryFolder' as const,
      digestBefore: hash,
      durationSeconds: 1,
      ...restore,
    })),
  day.map((withdrawnOn) => ({ ...sent, type: 'WithdrawCertificate' as const, withdrawnOn, reasonCode: 'a' })),
  fc
    .record({ findingId, severity: fc.constantFrom('high' as const, 'low' as const) })
    .map((finding) => ({ ...sent, type: 'RaiseFinding' as const, ...finding })),
  fc
    .record({ findingId, closure: fc.constantFrom('remedied' as const, 'riskAccepted' as const) })
    .map((finding) => ({ ...sent, type: 'CloseFinding' as const, ...finding })),
  fc.constant({ ...sent, type: 'CheckAttestation' as const }),
);
const now = fc
  .constantFrom('2026-11-23', '2026-12-25', '2027-01-01', '2027-07-01')
  .map((date) => instant(`${date}T09:00:00Z`));

it('does nothing when an accepted command is sent again, and says every step once', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ command, now }), { maxLength: 20 }), (steps) => {
      let history: AssuranceEvent[] = [];
      for (const step of steps) {
        const { outcome, thenRepeatedNothing } = given(...history).when(step.command, { now: step.now });
        if (outcome.kind === 'refused') continue;
        thenRepeatedNothing();
        history = [...history, ...outcome.events];
      }
      const steady = history.map((event) =>
        JSON.stringify([
          event.type,
          'daysLeft' in event.data && event.data.daysLeft,
          'findingId' in event.data && event.data.findingId,
        ]),
      );
      expect(new Set(steady).size).toBe(steady.length);
      expect(history.filter(({ type }) => /Recorded$|^RestoreTested$/.test(type)).length).toBeLessThanOrEqual(1);
      for (const { type, data } of history)
        if (type === 'RestoreTested' && data.outcome === 'passed') expect(data.digestAfter).toBe(data.digestBefore);
    }),
    { numRuns: 300 },
  );
});

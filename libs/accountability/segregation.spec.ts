import { expect, it } from '@jest/globals';
import { instant, type DomainEvent } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { segregationProjection } from './segregation.projection.js';

const drafted = { type: 'ServiceContractDrafted', data: { serviceId: 'crm', version: 1 } };
const approved = { type: 'ServiceContractApproved', data: { serviceId: 'crm', version: 1 } };
const grantId = '44444444-4444-4444-8444-444444444444';
const asked = { type: 'AccessRequested', data: { grantId, granteeId: 'support' } };
const granted = { type: 'AccessGranted', data: { grantId, granteeId: 'support' } };

function report(...events: readonly (readonly [by: string, event: DomainEvent])[]) {
  const log = logbook();
  const recorded = events.map(([by, event]) => ({
    ...log.at<DomainEvent>(instant('2026-11-23T09:00:00Z'), event),
    actorId: by,
  }));
  return tablesOf(segregationProjection, recorded as never)['segregation'];
}

it('shows who stood on either side of a decision', () => {
  expect(report(['ada', drafted])).toMatchObject([
    { kind: 'serviceContract', entry_id: 'crm', first_by: 'ada', second_by: null, separated: null },
  ]);
  expect(report(['ada', drafted], ['ben', approved])).toMatchObject([
    { first_by: 'ada', second_by: 'ben', outcome: 'approved', separated: 1 },
  ]);
});

it('would show a decision that one person made alone', () => {
  expect(report(['ada', drafted], ['ada', approved])).toMatchObject([{ separated: 0 }]);
  // Asked for by another, and granted by whom it is for.
  expect(report(['dpo', asked], ['support', granted])).toMatchObject([{ first_by: 'support', separated: 0 }]);
  expect(report(['dpo', asked], ['dpo', granted])).toMatchObject([{ first_by: 'support', separated: 1 }]);
});

it('keeps the decision that was made first', () => {
  expect(report(['ada', drafted], ['ben', approved], ['cem', approved])).toMatchObject([
    { second_by: 'ben', separated: 1 },
  ]);
});

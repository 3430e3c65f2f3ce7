import { expect, it } from '@jest/globals';
import { logbook, tablesOf } from '#kernel/testing';
import { marketingDecisionsProjection } from './marketing-decisions.projection.js';
import { authorised, subjectId } from './testing/index.js';

it('MarketingDecisions has every ask of the gate with its answer and reason, and no other refusal', () => {
  const log = logbook();
  const refused = (commandType: string, details: object) => ({
    type: 'CommandRefused' as const,
    data: { commandType, code: 'CONSENT_NOT_GIVEN', details, streamRef: `subject-${subjectId}` },
  });
  log.at('2026-03-02T09:00:00Z', authorised());
  log.at('2026-03-02T09:01:00Z', refused('AuthoriseUse', { purposeId: 'news', channel: 'email' }));
  log.at('2026-03-02T09:02:00Z', refused('AuthoriseUse', { items: ['a'] }));
  log.at('2026-03-02T09:03:00Z', refused('ShareData', { purposeId: 'news' }));
  expect(tablesOf(marketingDecisionsProjection, log.events)['marketing_decisions']).toMatchObject([
    { answer: 'authorised', subject_id: subjectId, purpose_id: 'news', channel: 'email', commercial: 1, code: null },
    { answer: 'refused', subject_id: subjectId, purpose_id: 'news', channel: 'email', code: 'CONSENT_NOT_GIVEN' },
    { answer: 'refused', purpose_id: null, details: '{"items":["a"]}', commercial: null },
  ]);
});

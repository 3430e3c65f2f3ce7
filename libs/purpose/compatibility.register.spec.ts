import { describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import type { CompatibilityAssessed, CompatibilityEvent } from './compatibility.events.js';
import { compatibilityProjection } from './compatibility.projection.js';
import { compatibilityFor, compatibilityRegister } from './compatibility.register.js';

const pair = { from: 'answer', to: 'improve' };
const assessed = (assessment: number, changes: Partial<CompatibilityAssessed['data']> = {}): CompatibilityEvent => ({
  type: 'CompatibilityAssessed',
  data: {
    ...pair,
    assessment,
    author: 'ada',
    fromVersion: 1,
    toVersion: 1,
    verdict: 'compatible',
    ground: 'assessed',
    reasoning: 'It was weighed.',
    ...changes,
  },
});
const approved = (assessment: number, supersedes?: number): CompatibilityEvent => ({
  type: 'CompatibilityApproved',
  data: { ...pair, assessment, approver: 'ben', ...(supersedes !== undefined && { supersedes }) },
});
const revoked = (assessment: number): CompatibilityEvent => ({
  type: 'CompatibilityRevoked',
  data: { ...pair, assessment, reasonCode: 'purposeChanged' },
});

function history(...dated: readonly (readonly [string, CompatibilityEvent])[]) {
  const { at } = logbook('compatibility-answer.improve');
  return dated.map(([time, event]) => at(time, event));
}

const events = history(
  ['2026-01-01T00:00:00Z', assessed(1)],
  ['2026-02-01T00:00:00Z', approved(1)],
  ['2026-03-01T00:00:00Z', { ...assessed(2, { verdict: 'needsConsent' }) }],
  ['2026-04-01T00:00:00Z', approved(2, 1)],
  ['2026-05-01T00:00:00Z', revoked(2)],
);
const state = events.reduce(compatibilityRegister.evolve, compatibilityRegister.initialState);

describe('what may serve another purpose', () => {
  it.each([
    ['2026-01-31T23:59:59.999Z', 'notAssessed'],
    ['2026-02-01T00:00:00Z', 'compatible'],
    ['2026-03-31T23:59:59.999Z', 'compatible'],
    ['2026-04-01T00:00:00Z', 'needsConsent'],
    ['2026-04-30T23:59:59.999Z', 'needsConsent'],
    ['2026-05-01T00:00:00Z', 'notAssessed'],
  ])('is known at every time: at %s it is %s', (at, verdict) =>
    expect(compatibilityFor(state, { ...pair, toVersion: 1, at: instant(at) }).verdict).toBe(verdict),
  );

  it('is told with the ground and the number of the assessment', () =>
    expect(compatibilityFor(state, { ...pair, toVersion: 1, at: instant('2026-02-01T00:00:00Z') })).toEqual({
      verdict: 'compatible',
      ground: 'assessed',
      assessment: 1,
    }));

  it('is about one version of each, one way', () => {
    const at = instant('2026-02-01T00:00:00Z');
    const none = { verdict: 'notAssessed' };
    expect(compatibilityFor(state, { ...pair, toVersion: 2, at })).toEqual(none);
    expect(compatibilityFor(state, { ...pair, fromVersion: 2, toVersion: 1, at })).toEqual(none);
    expect(compatibilityFor(state, { from: 'improve', to: 'answer', toVersion: 1, at })).toEqual(none);
    expect(compatibilityFor(state, { from: 'constructor', to: 'answer', toVersion: 1, at })).toEqual(none);
    expect(compatibilityFor(state, { ...pair, fromVersion: 1, toVersion: 1, at }).verdict).toBe('compatible');
  });

  it('is the strictest of all versions where it is not known under which the data came', () => {
    const both = history(
      ['2026-01-01T00:00:00Z', assessed(1, { verdict: 'incompatible' })],
      ['2026-01-01T00:00:00Z', assessed(2, { fromVersion: 2 })],
      ['2026-01-02T00:00:00Z', approved(1)],
      ['2026-01-03T00:00:00Z', approved(2)],
    ).reduce(compatibilityRegister.evolve, compatibilityRegister.initialState);
    const query = { ...pair, toVersion: 1, at: instant('2026-02-01T00:00:00Z') };
    expect(compatibilityFor(both, query).verdict).toBe('incompatible');
    expect(compatibilityFor(both, { ...query, fromVersion: 2 }).verdict).toBe('compatible');
  });

  it('leaves the old state as it was', () => expect(compatibilityRegister.initialState.size).toBe(0));
});

describe('the view of assessments', () => {
  it('shows each with what became of it', () =>
    expect(tablesOf(compatibilityProjection, events)['compatibility']).toMatchObject([
      { assessment: 1, status: 'superseded', approver: 'ben', ended_at: '2026-04-01T00:00:00.000Z' },
      {
        assessment: 2,
        status: 'revoked',
        verdict: 'needsConsent',
        approved_at: '2026-04-01T00:00:00.000Z',
        ended_at: '2026-05-01T00:00:00.000Z',
        reason_code: 'purposeChanged',
      },
    ]));

  it('shows a draft that another took the place of', () =>
    expect(
      tablesOf(
        compatibilityProjection,
        history(['2026-01-01T00:00:00Z', assessed(1)], ['2026-01-02T00:00:00Z', assessed(2, { replaces: 1 })]),
      )['compatibility'],
    ).toMatchObject([{ status: 'replaced' }, { status: 'draft' }]));
});

import { describe, expect, it } from '@jest/globals';
import { instant, type DomainEvent, type Recorded } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { minimisationProjection } from './minimisation.projection.js';
import { fieldNeeds, monthsBefore, type FieldNeed, type FieldTraceRow } from './minimisation.query.js';
import { registerFactsProjection } from './register-facts.projection.js';
import { registersFrom, type RegisterFactRow } from './register-facts.query.js';

const purposeId = 'answer';
const defined = (version: number, ...categories: readonly string[]): DomainEvent => ({
  type: 'PurposeDefined',
  data: {
    purposeId,
    version,
    author: 'ada',
    title: 'Answer',
    plainWords: 'We answer you.',
    serviceLine: 'SUPPORT',
    commercial: false,
    basis: 'contract',
    dpiaRequired: false,
    dpvIri: 'dpv:CustomerCare',
    fields: categories.map((category) => ({ category, necessity: 'optional', justification: 'it helps' })),
    retention: [],
    recipientKindsAllowed: [],
  },
});
const approved = (version: number, from: string): DomainEvent => ({
  type: 'PurposeApproved',
  data: { purposeId, version, approver: 'ben', effectiveFrom: instant(from) },
});
const form: DomainEvent = {
  type: 'CollectionPointRegistered',
  data: {
    collectionPointId: 'form',
    version: 1,
    kind: 'webForm',
    title: 'Form',
    explanation: 'We answer you.',
    purposes: [purposeId],
    fields: ['email', 'phone'],
    noticeId: 'notice',
  },
};
const items = (...categories: readonly string[]) =>
  categories.map((category) => ({ itemId: 'i', version: 1, category }));
const collected = (...categories: readonly string[]): DomainEvent => ({
  type: 'DataCollected',
  data: { purposeId, items: items(...categories) },
});
const used = (...categories: readonly string[]): DomainEvent => ({
  type: 'UseAuthorised',
  data: { purposeId, items: items(...categories) },
});
const shared = (...categories: readonly string[]): DomainEvent => ({
  type: 'DataShared',
  data: { purposeId, categories },
});

type Entry = readonly [happened: string, event: DomainEvent];
const recorded = (log: readonly Entry[]): readonly Recorded[] => {
  const { at } = logbook();
  return log.map(([happened, event]) => at(happened, event));
};
const tracesOf = (events: readonly Recorded[]) =>
  tablesOf(minimisationProjection, events)['minimisation'] as unknown as readonly FieldTraceRow[];

function needs(log: readonly Entry[], at: string, months = 12): readonly FieldNeed[] {
  const events = recorded(log);
  const rows = tablesOf(registerFactsProjection, events)['register_facts'] as unknown as readonly RegisterFactRow[];
  return fieldNeeds(registersFrom(rows), tracesOf(events), instant(at), months);
}
const candidates = (log: readonly Entry[], at: string, months?: number): readonly string[] =>
  needs(log, at, months)
    .filter(({ candidateForRemoval }) => candidateForRemoval)
    .map(({ category }) => category);

const log: readonly Entry[] = [
  ['2025-01-10T09:00:00Z', defined(1, 'email', 'phone', 'fax')],
  ['2025-01-10T09:00:00Z', approved(1, '2018-05-25T00:00:00Z')],
  ['2025-01-10T09:00:00Z', form],
  ['2025-02-01T09:00:00Z', collected('email', 'phone', 'fax')],
  ['2025-03-01T09:00:00Z', used('email', 'phone')],
  ['2025-09-01T09:00:00Z', shared('phone')],
  ['2026-01-31T23:30:00Z', used('email')],
];

describe('the months in which a field was needed', () => {
  it('are counted once, on the London calendar, whatever the number of people', () => {
    const busy = Array.from({ length: 50 }, (_person, day): Entry => [
      `2026-06-${String((day % 28) + 1).padStart(2, '0')}T09:00:00Z`,
      collected('email', 'email'),
    ]);
    expect(tracesOf(recorded(busy))).toHaveLength(1);
    expect(tracesOf(recorded([['2026-06-30T23:30:00Z', used('email')]]))).toMatchObject([
      { month: '2026-07', trace: 'used' },
    ]);
  });
});

describe('whether a field is needed (C12)', () => {
  it('is told with where it is asked for and when it was collected and used last', () =>
    expect(needs(log, '2026-02-15T09:00:00Z')).toEqual([
      {
        purposeId,
        purposeVersion: 1,
        category: 'email',
        necessity: 'optional',
        askedAt: ['form'],
        lastCollected: '2025-02',
        lastUsed: '2026-01',
        watchedSince: '2025-01-10T09:00:00.000Z',
        candidateForRemoval: false,
      },
      expect.objectContaining({
        category: 'phone',
        askedAt: ['form'],
        lastUsed: '2025-09',
        candidateForRemoval: false,
      }),
      expect.objectContaining({ category: 'fax', askedAt: [], lastUsed: null, candidateForRemoval: true }),
    ]));

  it('depends on the window that is asked about', () => {
    expect(candidates(log, '2026-02-15T09:00:00Z', 3)).toEqual(['phone', 'fax']);
    expect(candidates(log, '2026-09-15T09:00:00Z', 12)).toEqual(['fax']);
    expect(candidates(log, '2026-10-15T09:00:00Z', 12)).toEqual(['phone', 'fax']);
  });

  it('cannot be told before the engine has watched for the whole window', () => {
    expect(candidates(log, '2025-12-31T09:00:00Z', 12)).toEqual([]);
    const later: readonly Entry[] = [
      ...log,
      ['2026-02-01T09:00:00Z', defined(2, 'email', 'phone', 'fax', 'pager')],
      ['2026-02-01T09:00:00Z', approved(2, '2026-02-01T09:00:00Z')],
    ];
    expect(candidates(later, '2026-10-15T09:00:00Z')).toEqual(['phone', 'fax']);
    expect(candidates(later, '2027-02-15T09:00:00Z')).toEqual(['email', 'phone', 'fax', 'pager']);
  });

  it('is asked of fields in force only', () =>
    expect(
      needs(
        [...log, ['2026-02-01T09:00:00Z', { type: 'PurposeRetired', data: { purposeId } }]],
        '2026-02-15T09:00:00Z',
      ),
    ).toEqual([]));

  it.each([
    ['2026-02', 1, '2026-01'],
    ['2026-02', 2, '2025-12'],
    ['2026-12', 12, '2025-12'],
    ['2026-02', 120, '2016-02'],
  ])('counts months: %s, %i before is %s', (month, months, expected) =>
    expect(monthsBefore(month, months)).toBe(expected),
  );
});

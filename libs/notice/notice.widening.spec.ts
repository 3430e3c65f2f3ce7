import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PurposeDefinition } from '#purpose';
import { noticeWidens, purposeWidens } from './notice.widening.js';
import { enquiries, purposesWith, versions } from './testing/index.js';

const rule = enquiries.retention[0]!;
const field = enquiries.fields[0]!;

describe('a purpose', () => {
  it.each<readonly [string, Partial<PurposeDefinition>]>([
    ['another basis', { basis: 'consent' }],
    ['another aim', { dpvIri: 'dpv:DirectMarketing' }],
    ['a commercial turn', { commercial: true }],
    ['a category more', { fields: [field, { ...field, category: 'contact.phone', necessity: 'optional' }] }],
    ['a kind of recipient more', { recipientKindsAllowed: ['SELF', 'PROCESSOR', 'GROUP'] }],
    ['a longer retention', { retention: [{ ...rule, period: 'P25M' }] }],
    ['a retention that starts elsewhere', { retention: [{ ...rule, trigger: 'relationshipClosed' }] }],
  ])('widens by %s', (_what, change) => expect(purposeWidens(enquiries, { ...enquiries, ...change })).toBe(true));

  it('widens by what was optional and is required', () => {
    const optional = { ...enquiries, fields: [{ ...field, necessity: 'optional' as const }] };
    expect(purposeWidens(optional, enquiries)).toBe(true);
    expect(purposeWidens(enquiries, optional)).toBe(false);
  });

  it.each<readonly [string, Partial<PurposeDefinition>]>([
    ['other words', { title: 'Answers', plainWords: 'We reply.' }],
    ['a category less', { fields: [], retention: [] }],
    ['a recipient less', { recipientKindsAllowed: ['SELF'] }],
    ['a shorter retention', { retention: [{ ...rule, period: 'P1Y' }] }],
    ['the same period in other units', { retention: [{ ...rule, period: 'P24M' }] }],
  ])('does not widen by %s', (_what, change) =>
    expect(purposeWidens(enquiries, { ...enquiries, ...change })).toBe(false),
  );

  it('is never wider than itself, and no two purposes with shorter periods are both wider', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), (one, other) => {
        const kept = (months: number) => ({ ...enquiries, retention: [{ ...rule, period: `P${months}M` }] });
        expect(purposeWidens(kept(one), kept(one))).toBe(false);
        expect(purposeWidens(kept(one), kept(other))).toBe(other > one);
      }),
    ));
});

describe('a notice', () => {
  const longer = { ...enquiries, retention: [{ ...rule, period: 'P3Y' }] };
  const register = purposesWith(
    ...versions('answer-enquiries', [enquiries, longer]),
    ...versions('send-newsletter', [enquiries]),
  );
  const covers = (purposeVersions: Readonly<Record<string, number>>) => ({
    purposes: Object.keys(purposeVersions),
    purposeVersions,
  });

  it('widens by a purpose that the shown version did not cover', () =>
    expect(
      noticeWidens(
        covers({ 'answer-enquiries': 1 }),
        covers({ 'answer-enquiries': 1, 'send-newsletter': 1 }),
        register,
      ),
    ).toEqual({ widens: true, added: ['send-newsletter'], widened: [] }));

  it('widens by a purpose that goes further now, and not by one that goes less far', () => {
    const [first, second] = [covers({ 'answer-enquiries': 1 }), covers({ 'answer-enquiries': 2 })];
    expect(noticeWidens(first, second, register)).toEqual({ widens: true, added: [], widened: ['answer-enquiries'] });
    expect(noticeWidens(second, first, register)).toEqual({ widens: false, added: [], widened: [] });
  });

  it('widens nothing by saying less', () =>
    expect(
      noticeWidens(
        covers({ 'answer-enquiries': 1, 'send-newsletter': 1 }),
        covers({ 'answer-enquiries': 1 }),
        register,
      ),
    ).toEqual({ widens: false, added: [], widened: [] }));

  it('counts as widened where it is not on record what was told', () =>
    expect(noticeWidens({ purposes: ['answer-enquiries'] }, covers({ 'answer-enquiries': 1 }), register)).toMatchObject(
      {
        widened: ['answer-enquiries'],
      },
    ));
});

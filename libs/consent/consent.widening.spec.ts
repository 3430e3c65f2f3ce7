import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant } from '#kernel';
import type { PurposeDefinition, PurposeField, RetentionRule } from '#purpose';
import { definition, LATER, registers, REVISED, TODAY, WIDENED } from './testing/index.js';
import { nextVersionFrom, outgrownBy, widenings, widens } from './consent.widening.js';

const field = (category: string, changes: Partial<PurposeField> = {}): PurposeField => ({
  category,
  necessity: 'optional',
  justification: 'News goes there.',
  ...changes,
});
const rule = (category: string, changes: Partial<RetentionRule> = {}): RetentionRule => ({
  category,
  trigger: 'collected',
  period: 'P2Y',
  action: 'erase',
  legalRef: 'UK GDPR Art 5(1)(e)',
  ...changes,
});
const agreed = definition({
  fields: [
    field('contact.email'),
    field('contact.phone'),
    field('ticket.text', { freeText: { expectation: 'What you wish.', maxLength: 100 } }),
  ],
  retention: [rule('contact.email'), rule('contact.phone'), rule('ticket.text')],
  recipientKindsAllowed: ['SELF', 'PROCESSOR'],
});
const change = (changes: Partial<PurposeDefinition>): PurposeDefinition => ({ ...agreed, ...changes });
const changedField = (changes: Partial<PurposeField>): PurposeDefinition =>
  change({ fields: [{ ...agreed.fields[0]!, ...changes }, ...agreed.fields.slice(1)] });
const changedText = (freeText: PurposeField['freeText']): PurposeDefinition =>
  change({
    fields: agreed.fields.map((each) =>
      each.freeText ? field(each.category, { ...(freeText && { freeText }) }) : each,
    ),
  });
const changedRule = (changes: Partial<RetentionRule>): PurposeDefinition =>
  change({ retention: [rule('contact.email', changes), ...agreed.retention.slice(1)] });

describe('a version of a purpose asks for more', () => {
  it.each<readonly [string, string, PurposeDefinition]>([
    ['another title', 'purposeExplained', change({ title: 'News and offers' })],
    ['another explanation', 'purposeExplained', change({ plainWords: 'We and others write to you.' })],
    ['another line of service', 'serviceLine', change({ serviceLine: 'B2B' })],
    ['another basis', 'basis', change({ basis: 'legitimateInterests' })],
    ['another recognised interest', 'basis', change({ rliCondition: 'crime' })],
    ['another category of purpose', 'category', change({ dpvIri: 'dpv:TargetedAdvertising' })],
    ['a field', 'fieldAdded', change({ fields: [...agreed.fields, field('contact.address')] })],
    ['a field in place of another', 'fieldAdded', change({ fields: [field('contact.address')] })],
    ['a field that is required now', 'fieldRequired', changedField({ necessity: 'required' })],
    [
      'free text where there was none',
      'freeText',
      changedField({ freeText: { expectation: 'Anything.', maxLength: 1 } }),
    ],
    ['longer free text', 'freeText', changedText({ expectation: 'What you wish.', maxLength: 101 })],
    ['other free text', 'freeText', changedText({ expectation: 'What you think.', maxLength: 100 })],
    ['a field that is special now', 'specialCategory', changedField({ special: true })],
    [
      'another condition for a special field',
      'specialCategory',
      change({ specialCategoryCondition: 'Art 9(2)(a)', fields: [field('special.x', { special: true })] }),
    ],
    ['a longer period', 'retention', changedRule({ period: 'P25M' })],
    ['a period from another day', 'retention', changedRule({ trigger: 'lastReliedOn' })],
    ['an end that leaves more', 'retention', changedRule({ action: 'review' })],
    ['no end at all', 'retention', change({ retention: agreed.retention.slice(1) })],
    ['more recipients', 'recipients', change({ recipientKindsAllowed: ['SELF', 'PROCESSOR', 'GROUP'] })],
  ])('%s', (_what, widening, newer) => {
    expect(widenings(agreed, newer)).toContain(widening);
    expect(widens(agreed, newer)).toBe(true);
  });
  it('when it turns commercial', () => {
    expect(widenings(change({ commercial: false }), agreed)).toEqual(['commercial']);
    expect(widens(agreed, change({ commercial: false }))).toBe(false);
  });
  it('says everything in which it does', () =>
    expect(widenings(agreed, change({ title: 'More', basis: 'contract', recipientKindsAllowed: ['GROUP'] }))).toEqual([
      'purposeExplained',
      'basis',
      'recipients',
    ]));
});

describe('a version of a purpose asks for no more', () => {
  it.each<readonly [string, PurposeDefinition]>([
    ['the same', agreed],
    ['fewer fields', change({ fields: agreed.fields.slice(1), retention: agreed.retention.slice(1) })],
    ['none', change({ fields: [], retention: [] })],
    ['fewer recipients', change({ recipientKindsAllowed: ['SELF'] })],
    [
      'a field of its own choice',
      change({ fields: agreed.fields.map((each) => ({ ...each, necessity: 'optional' })) }),
    ],
    ['shorter free text', changedText({ expectation: 'What you wish.', maxLength: 99 })],
    ['no free text', changedText(undefined)],
    ['a shorter period', changedRule({ period: 'P23M' })],
    ['the same period in other words', changedRule({ period: 'P24M' })],
    ['a period that is shorter every year', changedRule({ period: 'P730D' })],
    ['an end that leaves less', change({ retention: agreed.retention.map((each) => ({ ...each, action: 'erase' })) })],
    ['other white space', change({ plainWords: ' We write to you\n about new  charts. ' })],
    ['another justification', changedField({ justification: 'It is read there.' })],
    ['another check of accuracy', changedField({ checkInterval: 'P6M' })],
    ['another source in law', changedRule({ legalRef: 'UK GDPR Art 17' })],
    ['an assessment', change({ dpiaRequired: true, dpiaRef: 'dpia-1' })],
  ])('%s', (_what, newer) => expect(widenings(agreed, newer)).toEqual([]));
  it('when a field that was required is left to choice', () =>
    expect(widens(changedField({ necessity: 'required' }), agreed)).toBe(false));
});

describe('periods', () => {
  const longer = (was: string, is: string): boolean =>
    widens(
      change({ retention: [rule('contact.email', { period: was })], fields: [field('contact.email')] }),
      change({ retention: [rule('contact.email', { period: is })], fields: [field('contact.email')] }),
    );
  it.each([
    ['P1M', 'P28D', false],
    ['P1M', 'P29D', true],
    ['P30D', 'P1M', true],
    ['P31D', 'P1M', false],
    ['P1Y', 'P365D', false],
    ['P365D', 'P1Y', true],
    ['P366D', 'P1Y', false],
    ['P1Y6M', 'P18M', false],
    ['P18M', 'P1Y6M', false],
    ['P2W', 'P14D', false],
    ['P1D', 'P1DT1H', true],
    ['P1M1D', 'P1M', false],
    ['nonsense', 'P1D', true],
  ])('%s to %s: longer is %s', (was, is, expected) => expect(longer(was, is)).toBe(expected));
});

it('dropping things from any version widens nothing, and getting them back does', () => {
  const subset = fc.record({
    fields: fc.subarray([...agreed.fields]),
    recipientKindsAllowed: fc.subarray([...agreed.recipientKindsAllowed]),
  });
  fc.assert(
    fc.property(subset, (less) => {
      const narrow = change(less);
      expect(widens(agreed, narrow)).toBe(false);
      expect(widens(narrow, narrow)).toBe(false);
      const dropped =
        less.fields.length < agreed.fields.length ||
        less.recipientKindsAllowed.length < agreed.recipientKindsAllowed.length;
      expect(widens(narrow, agreed)).toBe(dropped);
    }),
  );
});

describe('a consent is outgrown', () => {
  const at = (agreedVersion: number, when: string, purposeId = 'news') =>
    outgrownBy(registers.purposes, purposeId, agreedVersion, instant(when));
  const third = { version: 3, widenings: ['fieldAdded'] };

  it('by the first version that asks for more, from when it takes effect', () => {
    expect(at(1, TODAY)).toBeUndefined();
    expect(at(1, REVISED)).toBeUndefined();
    expect(at(1, WIDENED)).toEqual(third);
    expect(at(2, LATER)).toEqual(third);
    expect(at(3, LATER)).toBeUndefined();
  });
  it('by a version nobody knows, and by a purpose nobody knows', () => {
    expect(at(9, LATER)).toEqual({ version: 3, widenings: ['unknown'] });
    expect(at(1, LATER, 'nothing')).toEqual({ version: 1, widenings: ['unknown'] });
  });
  it('for good, also when a later version asks for less again', () => {
    const entry = registers.purposes.get('news')!;
    const [first, , last] = entry.approved;
    const fourth = { ...first!, version: 4, effectiveFrom: instant('2026-11-01T00:00:00Z') };
    const purposes = new Map([
      ['news', { ...entry, defined: new Map(entry.defined).set(4, first!), approved: [first!, last!, fourth] }],
    ]);
    expect(widens(first!, fourth)).toBe(false);
    expect(outgrownBy(purposes, 'news', 1, instant(LATER))).toEqual(third);
  });
  it('no sooner than the next version takes effect', () => {
    expect(nextVersionFrom(registers.purposes, 'news', 1)).toBe(instant(REVISED));
    expect(nextVersionFrom(registers.purposes, 'news', 2)).toBe(instant(WIDENED));
    expect(nextVersionFrom(registers.purposes, 'news', 3)).toBeUndefined();
    expect(nextVersionFrom(registers.purposes, 'nothing', 1)).toBeUndefined();
  });
});

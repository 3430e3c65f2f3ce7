import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeWithData, sharedPath } from '../../test/data.js';
import {
  canonicalJson,
  instant,
  instantOf,
  isUuid,
  parseInstant,
  Personal,
  plusMilliseconds,
  refuse,
  REFUSALS,
  uuidV5,
  withoutStanding,
  type Rule,
} from './index.js';
import { factsAt } from './testing/index.js';

const VALUE = 'asha@example.org';
const personal = new Personal(VALUE, { subjectId: 'a', keyId: 'k' });

describeWithData('the published vectors of RFC 8785', 'jcs/input/arrays.json', () => {
  const vector = (side: 'input' | 'output', name: string): string =>
    readFileSync(sharedPath(`jcs/${side}/${name}.json`) ?? '', 'utf8');

  it.each(['arrays', 'french', 'structures', 'unicode', 'values', 'weird'])('%s come out byte for byte', (name) =>
    expect(canonicalJson(JSON.parse(vector('input', name)))).toBe(vector('output', name).trimEnd()),
  );
});

describe('canonical JSON', () => {
  /** JSON has one zero. */
  const values = fc.jsonValue({ maxDepth: 5 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);

  it('is read back to what was written, and written the same again', () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('does not depend on the order in which members were set', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), values), (members) => {
        const reversed = Object.fromEntries(Object.entries(members).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(members));
      }),
    );
  });

  it('leaves out members without a value, and has null for such items', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, 1] })).toBe('{"a":[null,1]}');
    expect(canonicalJson([1, , 2])).toBe('[1,null,2]');
  });

  it('writes a date as JSON does', () => expect(canonicalJson([new Date(0)])).toBe('["1970-01-01T00:00:00.000Z"]'));

  it.each([
    ['NaN', NaN],
    ['infinity', -Infinity],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a name', { '\udc00': 1 }],
    ['a function', () => 1],
    ['a big integer', 1n],
    ['a personal value', { email: personal }],
  ])('does not exist for %s', (_name, value) => expect(() => canonicalJson(value)).toThrow(TypeError));
});

describe('an instant', () => {
  it.each([
    ['2026-11-23T09:00:00Z', '2026-11-23T09:00:00.000Z'],
    ['2026-11-23T10:30:00.123456+01:30', '2026-11-23T09:00:00.123Z'],
    ['2024-02-29T23:59:59.999Z', '2024-02-29T23:59:59.999Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is read', (text, expected) => expect(parseInstant(text)).toBe(expected));

  it.each([
    ['a day that does not exist', '2026-02-30T00:00:00Z'],
    ['a leap day of a common year', '2026-02-29T00:00:00Z'],
    ['lower case', '2026-11-23t09:00:00z'],
    ['no zone', '2026-11-23T09:00:00'],
    ['no time', '2026-11-23'],
    ['a month too many', '2026-13-01T00:00:00Z'],
    ['hour 24, which is the next day', '2026-11-23T24:00:00Z'],
    ['a leap second, which this clock does not have', '2016-12-31T23:59:60Z'],
    ['a week date', '2026-W48-1T09:00:00Z'],
    ['a line after it', '2026-11-23T09:00:00Z\n'],
    ['an offset that leads before the year 0', '0000-01-01T00:00:00+01:00'],
    ['an offset that leads beyond the year 9999', '9999-12-31T23:59:59-01:00'],
  ])('is not read from %s', (_name, text) => expect(parseInstant(text)).toBeUndefined());

  it('sorts as text in the order of time, whatever was read', () => {
    const offset = fc
      .integer({ min: -23 * 60, max: 23 * 60 })
      .map(
        (minutes) =>
          `${minutes < 0 ? '-' : '+'}${[Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((part) => String(part).padStart(2, '0')).join(':')}`,
      );
    const text = fc
      .tuple(fc.date({ min: new Date('0000-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z') }), offset)
      .filter(([date]) => !Number.isNaN(date.getTime()))
      .map(([date, zone]) => date.toISOString().replace('Z', zone));
    fc.assert(
      fc.property(text, text, (a, b) => {
        const [first, second] = [parseInstant(a), parseInstant(b)];
        if (first === undefined || second === undefined) return;
        expect(first < second).toBe(Date.parse(a) < Date.parse(b));
      }),
    );
  });

  it('moves by milliseconds', () => {
    expect(plusMilliseconds(instant('2026-03-01T00:00:00Z'), -1)).toBe('2026-02-28T23:59:59.999Z');
    expect(instantOf(0)).toBe('1970-01-01T00:00:00.000Z');
    expect(() => instant('soon')).toThrow(RangeError);
  });
});

describe('ids', () => {
  it('of version 5 are those of RFC 9562, appendix A.4', () =>
    expect(uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    ));

  it('are the same for the same name, others for other names, and UUIDs', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string(), fc.string(), (namespace, a, b) => {
        expect(isUuid(uuidV5(namespace, a))).toBe(true);
        expect(uuidV5(namespace, a) === uuidV5(namespace, b)).toBe(a === b);
      }),
    );
  });

  it('have one spelling', () => {
    expect(isUuid('2ed6657d-e927-568b-95e1-2665a8aea6a2')).toBe(true);
    expect(isUuid('2ED6657D-E927-568B-95E1-2665A8AEA6A2')).toBe(false);
    expect(isUuid('ffffffff-ffff-ffff-ffff-ffffffffffff')).toBe(false);
    expect(isUuid('{2ed6657d-e927-568b-95e1-2665a8aea6a2}')).toBe(false);
  });
});

describe('a personal value in the clear', () => {
  it('has no JSON form, however deep it stands', () => {
    expect(() => JSON.stringify(personal)).toThrow(TypeError);
    expect(() => JSON.stringify({ items: [{ value: personal }] })).toThrow('outside a seal');
  });

  it.each([
    ['as text', () => String(personal)],
    ['in a template', () => `${personal as unknown as string}`],
    ['joined', () => [personal, personal].join()],
    ['inspected', () => inspect(personal)],
    ['inspected within something', () => inspect({ items: [{ value: personal }] }, { depth: 9, showHidden: true })],
    ['in an error', () => inspect(new Error('failed', { cause: personal }))],
  ])('shows nothing %s', (_name, print) => {
    expect(print()).toContain('[personal]');
    expect(print()).not.toContain(VALUE);
  });
});

describe('a refusal', () => {
  it.each(Object.entries(REFUSALS) as [string, Rule][])('%s cites clauses, law and a remedy', (_code, rule) => {
    for (const clause of rule.clauses) expect(clause).toMatch(/^C(0[1-9]|[12]\d|30)$/);
    expect(rule.law).not.toBe('');
    expect(rule.remedy).not.toBe('');
    expect(rule.clauses.length === 0).toBe(rule.law === 'engine rule');
  });

  it('keeps its code: none is renamed or goes', () =>
    expect(Object.keys(REFUSALS)).toEqual(
      expect.arrayContaining(['FORBIDDEN', 'COMMAND_ID_REUSED', 'CONSENT_WITHDRAWN', 'DATA_ERASED', 'NOT_COMPELLED']),
    ));
});

describe('standing', () => {
  const openedAt = instant('2026-11-01T00:00:00Z');

  it('has whoever is registered, from then on', () => {
    expect(withoutStanding(openedAt, factsAt('2026-11-01T00:00:00Z'))).toBeUndefined();
    expect(withoutStanding(undefined, factsAt())).toEqual(refuse('SUBJECT_UNKNOWN'));
    expect(withoutStanding(openedAt, factsAt('2026-10-31T23:59:59Z'))).toEqual(
      refuse('OCCURRED_BEFORE_OPENING', { field: 'occurredAt' }),
    );
  });
});

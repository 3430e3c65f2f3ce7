import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { normalised, SEARCH_FIELDS, searchFieldOf } from './identifier.js';

describe('an identifier has one spelling', () => {
  it.each([
    ['email', ' Asha@Example.TEST\n', 'Asha@example.test'],
    ['email', 'asha@example.test.', 'asha@example.test'],
    ['email', 'asha@bu\u0308cher.example', 'asha@xn--bcher-kva.example'],
    ['email', 'ASHA@BÜCHER.example', 'ASHA@xn--bcher-kva.example'],
    ['email', 'jose\u0301@example.test', 'josé@example.test'],
    ['email', '"a@b"@example.test', '"a@b"@example.test'],
    ['phone', '020 7946 0101', '+442079460101'],
    ['phone', '+44 (0)20 7946-0101', '+442079460101'],
    ['phone', '+44 020 7946 0101', '+442079460101'],
    ['phone', '00 44 20 7946 0101', '+442079460101'],
    ['phone', '44 20 7946 0101', '+442079460101'],
    ['phone', 'tel:+442079460101', '+442079460101'],
    ['phone', '020 7946 0101 ext. 12', '+442079460101'],
    ['phone', '07700 900123', '+447700900123'],
    ['phone', '+49 (0)30 123456', '+4930123456'],
    ['phone', '\uff10\uff12\uff10 7946 0101', '+442079460101'],
    ['customerNumber', ' acc-2047 / asha ', 'ACC2047ASHA'],
    ['customerNumber', '\uff21CC 2047', 'ACC2047'],
  ] as const)('%s %j is %j', (field, value, spelling) => expect(normalised(field, value)).toBe(spelling));

  it.each([
    ['email', 'asha'],
    ['email', '@example.test'],
    ['email', 'asha@'],
    ['email', 'asha at example.test'],
    ['email', 'as ha@example.test'],
    ['email', 'asha@exa mple.test'],
    ['email', 'asha@example.test/path'],
    ['email', `${'x'.repeat(65)}@example.test`],
    ['phone', '12'],
    ['phone', 'asha'],
    ['phone', '+0123456789'],
    ['phone', '1'.repeat(16)],
    ['customerNumber', ' -/ '],
    ['customerNumber', '7'.repeat(65)],
  ] as const)('%s %j is none', (field, value) => expect(normalised(field, value)).toBeUndefined());

  it('which is its own', () =>
    fc.assert(
      fc.property(fc.constantFrom(...SEARCH_FIELDS), fc.oneof(fc.emailAddress(), fc.string()), (field, value) => {
        const once = normalised(field, value);
        if (once !== undefined) expect(normalised(field, once)).toBe(once);
      }),
    ));
});

it.each([
  ['contact.email', 'email'],
  ['billing.email', 'email'],
  ['contact.phone', 'phone'],
  ['contact.mobile', 'phone'],
  ['account.number', 'customerNumber'],
  ['passport.number', undefined],
  ['contact.name', undefined],
  ['ticket.text', undefined],
  ['toString', undefined],
] as const)('%s is searched by as %s', (category, field) => expect(searchFieldOf(category)).toBe(field));

import { domainToASCII } from 'node:url';

/** What people can be found by. */
export const SEARCH_FIELDS = ['email', 'phone', 'customerNumber'] as const;
export type SearchField = (typeof SEARCH_FIELDS)[number];

/** The categories a customer's number is held as. */
const CUSTOMER_NUMBERS: readonly string[] = ['account.number', 'customer.number'];
/** The last part of a category says what it is: `contact.email`, `billing.email`. */
const BY_LAST_PART: Readonly<Record<string, SearchField>> = { email: 'email', phone: 'phone', mobile: 'phone' };

/** What a value of this category can be found by; `undefined` when it is nothing to search by. */
export function searchFieldOf(category: string): SearchField | undefined {
  if (CUSTOMER_NUMBERS.includes(category)) return 'customerNumber';
  const last = category.slice(category.lastIndexOf('.') + 1);
  return Object.hasOwn(BY_LAST_PART, last) ? BY_LAST_PART[last] : undefined;
}

/**
 * An identifier in the one spelling under which it is indexed and searched for; `undefined` when it is none.
 *
 * - An e-mail address: Unicode NFC, the domain in lower case and as ASCII (IDNA). The local part as it is: whether its
 *   case counts is for the host to say (RFC 5321, section 2.4).
 * - A phone number: E.164, a British one when it names no country.
 * - A customer's number: NFKC, capitals, without spaces and punctuation.
 */
export function normalised(field: SearchField, value: string): string | undefined {
  switch (field) {
    case 'email':
      return emailOf(value.normalize('NFC').trim());
    case 'phone':
      return phoneOf(value.normalize('NFKC').trim());
    case 'customerNumber': {
      const number = value
        .normalize('NFKC')
        .toUpperCase()
        .replaceAll(/[\p{P}\p{S}\p{Z}\p{C}]/gu, '');
      return number.length === 0 || number.length > 64 ? undefined : number;
    }
  }
}

function emailOf(text: string): string | undefined {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  const named = text.slice(at + 1).replace(/\.$/, '');
  if (local === '' || local.length > 64 || /[\s\p{C}]/u.test(local) || !/^[^\s/\\?#:@%[\]]+$/u.test(named))
    return undefined;
  const domain = domainToASCII(named).toLowerCase();
  return domain === '' || domain.length > 253 ? undefined : `${local}@${domain}`;
}

/** The code of the country of numbers that name none: the United Kingdom. */
const HOME = '44';

function phoneOf(text: string): string | undefined {
  const written = text.replace(/^tel:/i, '').replace(/\s*(;\s*ext=|ext\.?|x|#)\s*\d{1,8}$/i, '');
  if (!/^\+?[\d\s().\-/\u2010-\u2015]+$/.test(written)) return undefined;
  const digits = written.replaceAll('(0)', '').replaceAll(/\D/g, '');
  let number: string;
  if (written.startsWith('+')) number = digits;
  else if (digits.startsWith('00')) number = digits.slice(2);
  else if (digits.startsWith('0')) number = HOME + digits.slice(1);
  // Whoever writes the country's code and forgets the sign writes as many digits as the country has.
  else number = digits.startsWith(HOME) && digits.length === 12 ? digits : HOME + digits;
  // The 0 that is dialled within the country stays when the code is put before it.
  if (number.startsWith(`${HOME}0`)) number = HOME + number.slice(HOME.length + 1);
  return /^[1-9]\d{6,14}$/.test(number) ? `+${number}` : undefined;
}

/** A way to reach somebody, in the one spelling under which it is suppressed. */
export interface Address {
  readonly kind: AddressKind;
  /** Kind and address, for example `email asha@example.test`. */
  readonly text: string;
}

export const ADDRESS_KINDS = ['email', 'phone', 'post'] as const;
export type AddressKind = (typeof ADDRESS_KINDS)[number];

/** The last part of a category says what kind of address it is: `contact.email`, `billing.address`. */
const KINDS: Readonly<Record<string, AddressKind>> = {
  email: 'email',
  phone: 'phone',
  mobile: 'phone',
  fax: 'phone',
  address: 'post',
};

export function addressKindOf(category: string): AddressKind | undefined {
  const last = category.slice(category.lastIndexOf('.') + 1);
  return Object.hasOwn(KINDS, last) ? KINDS[last] : undefined;
}

/**
 * An address in its one spelling: e-mail without regard to case, numbers as digits with the country's (the United
 * Kingdom's when there is none), postal addresses without regard to case, punctuation and line breaks.
 */
export function normalised(kind: AddressKind, value: string): Address {
  const text = value.normalize('NFKC').trim().toLowerCase();
  switch (kind) {
    case 'email':
      return { kind, text: `email ${text}` };
    case 'phone':
      return { kind, text: `phone ${numberOf(text)}` };
    case 'post':
      return { kind, text: `post ${text.replaceAll(/[\p{P}\p{S}\s]+/gu, ' ').trim()}` };
  }
}

function numberOf(text: string): string {
  const digits = text.replaceAll(/\(0\)/g, '').replaceAll(/\D/g, '');
  if (text.startsWith('+')) return digits;
  if (digits.startsWith('00')) return digits.slice(2);
  return digits.startsWith('0') ? `44${digits.slice(1)}` : digits;
}

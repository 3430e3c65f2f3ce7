import type { AddressKind } from './address.js';

/** What is decided about one suppressed address. Stands in `suppression-<id>`; the address, as a hash, in the vault. */
export type SuppressionEvent = AddressSuppressed | SuppressionLifted | SuppressionRemoved;

/** Nobody is to be sent marketing at an address, whoever it stands with (UK GDPR Art 21(3)). */
export interface AddressSuppressed {
  readonly type: 'AddressSuppressed';
  readonly data: {
    readonly suppressionId: string;
    readonly kind: AddressKind;
    readonly source: 'person' | 'preferenceService' | 'bounce' | 'regulator';
  };
}

/** The person at the address asked for it to be lifted. */
export interface SuppressionLifted {
  readonly type: 'SuppressionLifted';
  readonly data: { readonly suppressionId: string };
}

/** The hash of a lifted suppression is gone from the vault. */
export interface SuppressionRemoved {
  readonly type: 'SuppressionRemoved';
  readonly data: { readonly suppressionId: string };
}

import { inspect } from 'node:util';

/**
 * A personal value in the clear, and the key that will seal it. It lives in memory only, between a door
 * and a seal: turning it into JSON throws, and printing it shows no value (clause C02, UK GDPR Art 32).
 */
export class Personal<T = unknown> {
  readonly kind = 'personal';

  /**
   * @param value the value in the clear; JSON when it is sealed.
   * @param key the item version this value belongs to; one key seals one item version.
   */
  constructor(
    readonly value: T,
    readonly key: KeyRef,
  ) {}

  toJSON(): never {
    throw new TypeError('a personal value has no JSON form outside a seal');
  }

  toString(): string {
    return '[personal]';
  }

  [inspect.custom](): string {
    return '[personal]';
  }
}

/** Names one key of the vault: whose it is, and the random, opaque id it is filed under. */
export interface KeyRef {
  readonly subjectId: string;
  readonly keyId: string;
}

/** Where a sealed value stands in the log. It is authenticated with the ciphertext, so no value can be moved. */
export interface SealBinding {
  readonly eventId: string;
  /** The stored, versioned type name of the event, for example `data-collected.v1`. */
  readonly type: string;
  readonly stream: string;
  /** The field within the event's data, for example `items.0.value`. */
  readonly path: string;
}

/** A personal value under seal, as the log and the read models hold it. The format is specified in `key-vault/seal.ts`. */
export interface Sealed<T = unknown> {
  readonly kind: 'sealed';
  readonly enc: 'A256GCM';
  readonly kid: string;
  readonly iv: string;
  readonly ct: string;
  readonly tag: string;
  readonly binding: SealBinding;
  /** Never present; carries the type of the value within. */
  readonly __value?: T;
}

/** What stands where a value was, once its key has been destroyed. */
export interface Forgotten {
  readonly kind: 'forgotten';
  /** When the key was destroyed, as an ISO 8601 instant. */
  readonly destroyedAt: string;
}

/** A personal field of an event: in the clear when a decider has just made it, sealed when it was read. */
export type Protected<T> = Personal<T> | Sealed<T>;

/** A sealed value after opening: every reader says what it does with the forgotten. */
export type Opened<T> = { readonly kind: 'opened'; readonly value: T } | Forgotten;

export function isSealed(value: unknown): value is Sealed {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'sealed';
}

/*
 * Seal format `A256GCM`
 * =====================
 *
 * A sealed value is a JSON object of exactly these members, all strings:
 *
 *   enc   "A256GCM": AES with a 256-bit key in Galois/counter mode (NIST SP 800-38D)
 *   kid   the id of the item key in the vault; opaque
 *   iv    the nonce: 96 random bits, new for every seal
 *   ct    the ciphertext, as long as the plaintext
 *   tag   the authentication tag, 128 bits
 *
 * `iv`, `ct` and `tag` are base64url without padding (RFC 4648, section 5), and only in the one spelling an
 * encoder writes: stray characters and stray trailing bits are refused.
 *
 *   plaintext   the UTF-8 bytes of the canonical JSON (RFC 8785) of the value
 *   AAD         the UTF-8 bytes of the canonical JSON of the array
 *               [event id, stored type, stream, field path]
 *
 * The AAD is not stored: it is where the value stands. A value moved to another event, type, stream or field
 * does not open. The type is the name the event was stored under, before any upcast.
 *
 * One key seals the fields of one item version, or the batches of usage of one month (at most 2^16, DESIGN.md):
 * far below the 2^32 random nonces that SP 800-38D allows per key.
 *
 * A format that differs in anything gets another `enc`; this one is never edited.
 *
 * Wrapped keys (in the vault only) are 60 bytes: nonce (12), encrypted key (32), tag (16), AES-256-GCM under
 * the wrapping key, with the canonical JSON of a label array as AAD: ["subject-key", subject id],
 * ["item-key", key id, subject id] or ["secret", name].
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { canonicalJson, type SealBinding, type Sealed } from '#kernel';
import { KeyBroken, SealBroken } from './errors.js';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const TAG = { authTagLength: TAG_BYTES };

export const KEY_BYTES = 32;
export const WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

/** A sealed value as an event holds it: without its binding, which is where it stands. */
export type StoredSeal = Pick<Sealed, 'enc' | 'kid' | 'iv' | 'ct' | 'tag'>;

export function toStored({ enc, kid, iv, ct, tag }: Sealed): StoredSeal {
  return { enc, kid, iv, ct, tag };
}

/** @param binding where the seal was found, not where it claims to be from. */
export function fromStored<T = unknown>({ enc, kid, iv, ct, tag }: StoredSeal, binding: SealBinding): Sealed<T> {
  return { kind: 'sealed', enc, kid, iv, ct, tag, binding };
}

/** Whether a value read from the log has the shape of a seal. It says nothing about whether it opens. */
export function isStoredSeal(value: unknown): value is StoredSeal {
  if (typeof value !== 'object' || value === null) return false;
  const { enc, kid, iv, ct, tag, ...rest } = value as Record<string, unknown>;
  return (
    enc === 'A256GCM' &&
    [kid, iv, ct, tag].every((member) => typeof member === 'string') &&
    Object.keys(rest).length === 0
  );
}

/**
 * @param value what JSON can hold.
 * @param nonce given by the known-answer test only: a nonce used twice under one key betrays both values.
 */
export function sealUnder(
  key: Buffer,
  value: unknown,
  kid: string,
  binding: SealBinding,
  nonce: Buffer = randomBytes(NONCE_BYTES),
): Sealed {
  const cipher = createCipheriv(CIPHER, key, nonce, TAG);
  cipher.setAAD(aadOf(binding));
  // In this mode all of the ciphertext comes from `update`, as wide as what went in.
  const ciphertext = cipher.update(canonicalJson(value), 'utf8');
  cipher.final();
  return {
    kind: 'sealed',
    enc: 'A256GCM',
    kid,
    iv: nonce.toString('base64url'),
    ct: ciphertext.toString('base64url'),
    tag: cipher.getAuthTag().toString('base64url'),
    binding,
  };
}

/** @throws SealBroken when it does not authenticate under this key at the place it is bound to. */
export function openUnder(key: Buffer, { enc, kid, iv, ct, tag, binding }: Sealed): unknown {
  try {
    if (enc !== 'A256GCM') throw new SealBroken(kid);
    const decipher = createDecipheriv(CIPHER, key, bytesOf(iv, kid), TAG);
    decipher.setAAD(aadOf(binding));
    decipher.setAuthTag(bytesOf(tag, kid));
    const plaintext = decipher.update(bytesOf(ct, kid));
    decipher.final();
    return JSON.parse(plaintext.toString('utf8'));
  } catch {
    throw new SealBroken(kid);
  }
}

/** @param label the purpose and the ids the key is filed under; authenticated, so that no key can be passed for another. */
export function wrapKey(wrapping: Buffer, key: Buffer, label: readonly string[]): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, wrapping, nonce, TAG);
  cipher.setAAD(Buffer.from(canonicalJson(label)));
  const encrypted = cipher.update(key);
  cipher.final();
  return Buffer.concat([nonce, encrypted, cipher.getAuthTag()]);
}

/** @throws KeyBroken, naming the second part of the label, when it does not authenticate. */
export function unwrapKey(wrapping: Buffer, wrapped: Buffer, label: readonly [string, string, ...string[]]): Buffer {
  try {
    const decipher = createDecipheriv(CIPHER, wrapping, wrapped.subarray(0, NONCE_BYTES), TAG);
    decipher.setAAD(Buffer.from(canonicalJson(label)));
    decipher.setAuthTag(wrapped.subarray(NONCE_BYTES + KEY_BYTES));
    const key = decipher.update(wrapped.subarray(NONCE_BYTES, NONCE_BYTES + KEY_BYTES));
    decipher.final();
    return key;
  } catch {
    throw new KeyBroken(label[1]);
  }
}

function aadOf({ eventId, type, stream, path }: SealBinding): Buffer {
  return Buffer.from(canonicalJson([eventId, type, stream, path]));
}

function bytesOf(text: string, kid: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) throw new SealBroken(kid);
  return bytes;
}

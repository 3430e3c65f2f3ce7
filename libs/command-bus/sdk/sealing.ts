/*
 * How the parts of a message that must not lie in Redis are sealed.
 *
 * A sealed part is a JSON Web Encryption in compact form (RFC 7516) with additional authenticated data: `ECDH-ES` over
 * X25519 with `A256GCM` from a sender to the engine, `dir` with `A256GCM` from the engine back, under a key that the
 * sender made for this one answer. Both are built from Node's own primitives, synchronously: a key agreement on
 * the thread pool took ten times as long as the agreement itself.
 *
 * In the compact form only the protected header is authenticated beside the text. What else must not be changed, the
 * attributes and the clear part of the message, is named in the header by its digest, `cty` aside: the member `ctx`
 * is the SHA-256 of the canonical text of all of them. Nothing personal is in it.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto';

/** A public key of the engine, as JWK (RFC 8037). */
export interface SealingKey {
  readonly kty: 'OKP';
  readonly crv: 'X25519';
  readonly x: string;
  readonly kid: string;
  readonly use: 'enc';
}

/** The sealed part does not open: it was made for another key, or something was changed. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

/** It was sealed to a key that the engine has not, or no longer. */
export class SealingKeyUnknown extends Error {
  override readonly name = 'SealingKeyUnknown';
}

const CIPHER = 'aes-256-gcm';
const TAG = { authTagLength: 16 };
const BASE64URL = /^[A-Za-z0-9_-]*$/;

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** Seals a JSON value to the engine. @param context what must be the same when it is opened. */
export function sealTo(key: SealingKey, value: unknown, context: string): string {
  const ephemeral = generateKeyPairSync('x25519');
  const { kty, crv, x } = ephemeral.publicKey.export({ format: 'jwk' });
  const header = { alg: 'ECDH-ES', enc: 'A256GCM', kid: key.kid, epk: { kty, crv, x }, ctx: digest(context) };
  const shared = diffieHellman({
    privateKey: ephemeral.privateKey,
    publicKey: publicKeyOf(key.x),
  });
  return encrypt(header, contentKey(shared), value);
}

/**
 * @param keyOf the private key of a key id.
 * @throws SealingKeyUnknown; SealBroken.
 */
export function openSealed(sealed: string, keyOf: (kid: string) => KeyObject | undefined, context: string): unknown {
  const header = headerOf(sealed);
  const { alg, enc, kid, epk, ctx, ...rest } = header;
  if (alg !== 'ECDH-ES' || enc !== 'A256GCM' || typeof kid !== 'string' || Object.keys(rest).length > 0)
    throw new SealBroken('the header is not one of ours');
  const privateKey = keyOf(kid);
  if (!privateKey) throw new SealingKeyUnknown('the key is not known');
  if (ctx !== digest(context)) throw new SealBroken('what it was sealed with was changed');
  let shared: Buffer;
  try {
    const { kty, crv, x } = epk as Readonly<Record<string, unknown>>;
    if (kty !== 'OKP' || crv !== 'X25519' || typeof x !== 'string') throw new SealBroken('the ephemeral key is none');
    shared = diffieHellman({ privateKey, publicKey: publicKeyOf(x) });
  } catch {
    throw new SealBroken('the ephemeral key is none');
  }
  return decrypt(sealed, contentKey(shared));
}

/** Seals an answer under the key that its receiver made for it. */
export function sealAnswer(key: Buffer, value: unknown, context: string): string {
  return encrypt({ alg: 'dir', enc: 'A256GCM', ctx: digest(context) }, key, value);
}

/** @throws SealBroken when it was not sealed under this key, or for another command. */
export function openAnswer(sealed: string, key: Buffer, context: string): unknown {
  const { alg, enc, ctx } = headerOf(sealed);
  if (alg !== 'dir' || enc !== 'A256GCM' || ctx !== digest(context)) throw new SealBroken('not the answer to this');
  return decrypt(sealed, key);
}

/** @param x the key's 32 bytes, base64url. Throws when they are not so many. */
const publicKeyOf = (x: string): KeyObject => createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });

/** Concat KDF (NIST SP 800-56A) as RFC 7518, section 4.6, uses it: one round gives the 256 bits. */
function contentKey(shared: Buffer): Buffer {
  const text = Buffer.from('A256GCM');
  const number = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  const info = [number(text.length), text, number(0), number(0), number(256)];
  return createHash('sha256')
    .update(Buffer.concat([number(1), shared, ...info]))
    .digest();
}

function encrypt(header: object, key: Buffer, value: unknown): string {
  const protectedHeader = base64url(JSON.stringify(header));
  const iv = randomBytes(12);
  const cipher = createCipheriv(CIPHER, key, iv, TAG);
  cipher.setAAD(Buffer.from(protectedHeader, 'ascii'));
  const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
  const [nonce, ciphertext, tag] = [iv, text, cipher.getAuthTag()].map((bytes) => bytes.toString('base64url'));
  return `${protectedHeader}..${nonce}.${ciphertext}.${tag}`;
}

function decrypt(sealed: string, key: Buffer): unknown {
  const [header = '', , iv = '', text = '', tag = ''] = sealed.split('.');
  try {
    const decipher = createDecipheriv(CIPHER, key, Buffer.from(iv, 'base64url'), TAG);
    decipher.setAAD(Buffer.from(header, 'ascii'));
    decipher.setAuthTag(Buffer.from(tag, 'base64url'));
    const plain = Buffer.concat([decipher.update(Buffer.from(text, 'base64url')), decipher.final()]);
    return JSON.parse(plain.toString('utf8'));
  } catch {
    throw new SealBroken('it does not open');
  }
}

function headerOf(sealed: string): Record<string, unknown> {
  const parts = sealed.split('.');
  if (parts.length !== 5 || parts[1] !== '' || !parts.every((part) => BASE64URL.test(part)))
    throw new SealBroken('no compact JWE');
  try {
    const header: unknown = JSON.parse(Buffer.from(parts[0] ?? '', 'base64url').toString('utf8'));
    if (typeof header === 'object' && header !== null) return header as Record<string, unknown>;
  } catch {
    // Not JSON: as broken as no object.
  }
  throw new SealBroken('no header');
}

const digest = (context: string): string => createHash('sha256').update(context, 'utf8').digest('base64url');

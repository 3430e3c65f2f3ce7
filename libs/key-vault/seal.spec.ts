import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson, type SealBinding, type Sealed } from '#kernel';
import {
  fromStored,
  isStoredSeal,
  openUnder,
  sealUnder,
  toStored,
  unwrapKey,
  wrapKey,
  type StoredSeal,
} from './seal.js';

const KEY = Buffer.from(Array.from({ length: 32 }, (_, byte) => byte));
const NONCE = Buffer.from(Array.from({ length: 12 }, (_, byte) => 0xa0 + byte));
const AT: SealBinding = {
  eventId: 'b7c54f0a-54b7-4f0c-9d55-8f1d1e7d9a11',
  type: 'data-collected.v1',
  stream: 'subject-0b9f4c1e-6a53-4d52-9a77-0a4f6f6d1c01',
  path: 'items.0.value',
};
const VALUE = { post: ['8001', null], city: 'Zürich' };

/** Computed by another implementation (WebCrypto) from the specification at the top of `seal.ts`. */
const KNOWN: StoredSeal = {
  enc: 'A256GCM',
  kid: 'k-1',
  iv: 'oKGio6Slpqeoqaqr',
  ct: 'nTofRDGyIIVAP0RvdROjtlKAe2D9xDZOplUEvk-bRCP-GDKTw38u',
  tag: 'gjY1mLNTwBHSUc-SVImcrA',
};

const SEALED = fromStored(KNOWN, AT);
const broken = expect.objectContaining({ name: 'SealBroken', keyId: 'k-1' });

describe('the seal format', () => {
  it('gives the known answer', () => {
    expect(toStored(sealUnder(KEY, VALUE, 'k-1', AT, NONCE))).toEqual(KNOWN);
  });

  it('opens the known answer', () => {
    expect(openUnder(KEY, SEALED)).toEqual(VALUE);
  });

  it('opens whatever JSON holds to the same canonical text', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const { binding, ...seal } = sealUnder(KEY, value, 'k-1', AT);
        const stored: unknown = JSON.parse(JSON.stringify(toStored({ ...seal, binding })));
        if (!isStoredSeal(stored)) throw new Error('not a stored seal');
        expect(canonicalJson(openUnder(KEY, fromStored(stored, AT)))).toBe(canonicalJson(value));
      }),
    );
  });

  it('takes a new nonce for every seal', () => {
    const nonces = Array.from({ length: 500 }, () => sealUnder(KEY, 'same', 'k-1', AT).iv);
    expect(new Set(nonces).size).toBe(500);
  });
});

describe('a sealed value', () => {
  it.each(['eventId', 'type', 'stream', 'path'] as const)('does not open under another %s', (part) => {
    expect(() => openUnder(KEY, { ...SEALED, binding: { ...AT, [part]: `${AT[part]}0` } })).toThrow(broken);
  });

  it('does not open where the parts of its place are cut differently', () => {
    const shifted = { ...AT, type: `${AT.type}","${AT.stream}`, stream: AT.path, path: '' };
    expect(() => openUnder(KEY, { ...SEALED, binding: shifted })).toThrow(broken);
  });

  it('does not open under another key', () => {
    expect(() => openUnder(Buffer.alloc(32), SEALED)).toThrow(broken);
  });

  it('does not open when a bit of it has changed', () => {
    const part = fc.constantFrom('iv' as const, 'ct' as const, 'tag' as const);
    fc.assert(
      fc.property(part, fc.nat(), (name, at) => {
        const bytes = Buffer.from(SEALED[name], 'base64url');
        const bit = at % (bytes.length * 8);
        bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        expect(() => openUnder(KEY, { ...SEALED, [name]: bytes.toString('base64url') })).toThrow(broken);
      }),
    );
  });

  it('does not open when a character of it is other, missing or added', () => {
    const part = fc.constantFrom('iv' as const, 'ct' as const, 'tag' as const);
    const change = fc.constantFrom('other', 'missing', 'added');
    fc.assert(
      fc.property(
        part,
        change,
        fc.nat(),
        fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
        (name, how, n, to) => {
          const text = SEALED[name];
          const at = n % text.length;
          fc.pre(how !== 'other' || text[at] !== to);
          const insert = how === 'missing' ? '' : to;
          const changed = text.slice(0, at) + insert + text.slice(how === 'added' ? at : at + 1);
          expect(() => openUnder(KEY, { ...SEALED, [name]: changed })).toThrow(broken);
        },
      ),
    );
  });

  it('does not open with a shortened tag', () => {
    for (const bytes of [0, 4, 8, 12, 15]) {
      const tag = Buffer.from(SEALED.tag, 'base64url').subarray(0, bytes).toString('base64url');
      expect(() => openUnder(KEY, { ...SEALED, tag })).toThrow(broken);
    }
  });

  it('does not open when it names another algorithm', () => {
    expect(() => openUnder(KEY, { ...SEALED, enc: 'A128GCM' } as unknown as Sealed)).toThrow(broken);
  });
});

describe('a stored seal', () => {
  it('is exactly the five members', () => {
    expect(isStoredSeal(KNOWN)).toBe(true);
    expect(toStored(SEALED)).toEqual(KNOWN);
    expect(fromStored(KNOWN, AT)).toEqual({ kind: 'sealed', ...KNOWN, binding: AT });
  });

  it.each([
    ['null', null],
    ['a text', 'A256GCM'],
    ['an array', [KNOWN]],
    ['another algorithm', { ...KNOWN, enc: 'A128GCM' }],
    ['a missing member', { ...KNOWN, tag: undefined }],
    ['a member of another kind', { ...KNOWN, ct: 1 }],
    ['a further member', { ...KNOWN, value: 'x' }],
  ])('is not %s', (_, value) => {
    expect(isStoredSeal(value)).toBe(false);
  });
});

describe('a wrapped key', () => {
  const wrapping = Buffer.alloc(32, 7);

  it('is 60 bytes and unwraps under its label only', () => {
    const wrapped = wrapKey(wrapping, KEY, ['item-key', 'k-1', 's-1']);
    expect(wrapped).toHaveLength(60);
    expect(unwrapKey(wrapping, wrapped, ['item-key', 'k-1', 's-1'])).toEqual(KEY);
    const refused = expect.objectContaining({ name: 'KeyBroken' });
    expect(() => unwrapKey(wrapping, wrapped, ['item-key', 'k-2', 's-1'])).toThrow(refused);
    expect(() => unwrapKey(wrapping, wrapped, ['item-key', 'k-1', 's-2'])).toThrow(refused);
    expect(() => unwrapKey(wrapping, wrapped, ['subject-key', 'k-1'])).toThrow(refused);
    expect(() => unwrapKey(KEY, wrapped, ['item-key', 'k-1', 's-1'])).toThrow(refused);
  });

  it('does not unwrap when a bit of it has changed', () => {
    const wrapped = wrapKey(wrapping, KEY, ['secret', 'index']);
    for (let bit = 0; bit < wrapped.length * 8; bit++) {
      const changed = Buffer.from(wrapped);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => unwrapKey(wrapping, changed, ['secret', 'index'])).toThrow(
        expect.objectContaining({ name: 'KeyBroken' }),
      );
    }
  });
});

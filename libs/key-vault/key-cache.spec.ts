import { describe, expect, it } from '@jest/globals';
import { KeyCache } from './key-cache.js';

const entry = (byte: number) => ({ key: Buffer.alloc(32, byte) });
const WIPED = Buffer.alloc(32);

describe('the keys in memory', () => {
  it('are bounded: the least recently used leaves, and is wiped', () => {
    const cache = new KeyCache(2);
    const [a, b, c] = [entry(1), entry(2), entry(3)];
    cache.set('a', a);
    cache.set('b', b);
    cache.get('a');
    cache.set('c', c);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([a, undefined, c]);
    expect([a.key, b.key, c.key]).toEqual([Buffer.alloc(32, 1), WIPED, Buffer.alloc(32, 3)]);
  });

  it('are wiped when deleted, replaced or cleared', () => {
    const cache = new KeyCache<{ key: Buffer; of?: string }>(9);
    const [a, b, c, d] = [entry(1), entry(2), { ...entry(3), of: 's' }, entry(4)];
    cache.set('a', a);
    cache.delete('a');
    cache.set('b', b);
    cache.set('b', entry(5));
    cache.set('c', c);
    cache.deleteWhere(({ of }) => of === 's');
    cache.set('d', d);
    expect([a.key, b.key, c.key, d.key]).toEqual([WIPED, WIPED, WIPED, Buffer.alloc(32, 4)]);
    cache.clear();
    expect(d.key).toEqual(WIPED);
  });

  it('survive being set again under their own id', () => {
    const cache = new KeyCache(1);
    const a = entry(1);
    cache.set('a', a);
    cache.set('a', a);
    expect(cache.get('a')?.key).toEqual(Buffer.alloc(32, 1));
  });
});

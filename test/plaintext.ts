import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** A trace of a value: where it was found, and in which disguise. */
export interface Trace {
  readonly place: string;
  readonly value: string;
  readonly encoding: string;
}

/**
 * The forms in which a value could hide: plain in every case, URL-encoded, hex, base64 and base64url at each of the
 * three byte offsets, JSON-escaped, UTF-16, and its MD5, SHA-1 and SHA-256 digests (hex and base64).
 */
export function disguisesOf(value: string): readonly (readonly [encoding: string, bytes: Buffer])[] {
  const utf8 = Buffer.from(value, 'utf8');
  const forms: [string, Buffer][] = [
    ['plain', utf8],
    ['lower case', Buffer.from(value.toLowerCase())],
    ['upper case', Buffer.from(value.toUpperCase())],
    ['URL-encoded', Buffer.from(encodeURIComponent(value))],
    ['form-encoded', Buffer.from(new URLSearchParams([['', value]]).toString().slice(1))],
    ['JSON', Buffer.from(JSON.stringify(value).slice(1, -1))],
    ['UTF-16', Buffer.from(value, 'utf16le')],
    ['hex', Buffer.from(utf8.toString('hex'))],
    ['HEX', Buffer.from(utf8.toString('hex').toUpperCase())],
  ];
  for (const offset of [0, 1, 2]) {
    const shifted = Buffer.concat([Buffer.alloc(offset), utf8]);
    // Only the characters that depend on the value alone.
    const from = offset === 0 ? 0 : offset + 1;
    const whole = Math.floor((shifted.length * 8) / 6);
    forms.push([`base64 +${offset}`, Buffer.from(shifted.toString('base64').slice(from, whole))]);
    forms.push([`base64url +${offset}`, Buffer.from(shifted.toString('base64url').slice(from, whole))]);
  }
  for (const algorithm of ['md5', 'sha1', 'sha256']) {
    for (const text of new Set([value, value.toLowerCase(), value.trim().toLowerCase()])) {
      const digest = createHash(algorithm).update(text).digest();
      forms.push([`${algorithm} raw`, digest], [`${algorithm} hex`, Buffer.from(digest.toString('hex'))]);
      forms.push([`${algorithm} base64`, Buffer.from(digest.toString('base64').replace(/=+$/, ''))]);
      forms.push([`${algorithm} base64url`, Buffer.from(digest.toString('base64url'))]);
    }
  }
  return forms;
}

/** Every trace of these values in some bytes. */
export function tracesIn(place: string, bytes: Buffer, values: readonly string[]): readonly Trace[] {
  return values.flatMap((value) =>
    disguisesOf(value)
      .filter(([, form]) => bytes.includes(form))
      .map(([encoding]) => ({ place, value, encoding })),
  );
}

/** Every trace of these values in every file below a folder. */
export function tracesBelow(folder: string, values: readonly string[]): readonly Trace[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      return tracesIn(path, readFileSync(path), values);
    });
}

/** The same of an installation that was killed: the process of its event log lets go of its files in its own time. */
export async function tracesAfterKill(folder: string, values: readonly string[]): Promise<readonly Trace[]> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      return tracesBelow(folder, values);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await wait(50);
    }
  }
}

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits as 43 characters of base64url. */
export const secret = (): string => randomBytes(32).toString('base64url');

/** SHA-256 in hex. Enough for what has 256 random bits: it cannot be guessed back. Never for a password. */
export const digest = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** Whether two texts are equal, in a time that does not say where they differ. */
export function equals(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(digest(a)), Buffer.from(digest(b))];
  return timingSafeEqual(left, right);
}

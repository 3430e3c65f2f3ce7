import { createHash } from 'node:crypto';
import { canonicalJson } from '#kernel';
import type { ErasureRun } from './erasure-run.events.js';

/** SHA-256 of the canonical JSON (RFC 8785) of `{at, items, exceptions}`, in hex. */
export const digestOfRun = ({ at, items, exceptions }: ErasureRun): string =>
  createHash('sha256').update(canonicalJson({ at, items, exceptions }), 'utf8').digest('hex');

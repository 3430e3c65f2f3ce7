import fs from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** What a backup says of itself, written last: a folder without it is no finished backup. */
export interface Manifest {
  readonly logId: string;
  /** The position behind the last event. */
  readonly end: number;
  readonly events: number;
  readonly segments: number;
  /** Of the segment files. */
  readonly bytes: number;
}

export const MANIFEST = 'backup.json';

/** The one text a manifest is written as, with its checksum in it. */
export function manifestText({ logId, end, events, segments, bytes }: Manifest): string {
  const content = { format: 1, logId, end, events, segments, bytes };
  return `${JSON.stringify({ ...content, crc32: crc32(JSON.stringify(content)) })}\n`;
}

/** @returns undefined when there is none, or it is damaged */
export function readManifest(dir: string): Manifest | undefined {
  try {
    const text = fs.readFileSync(join(dir, MANIFEST), 'utf8');
    const manifest = JSON.parse(text) as Manifest;
    return manifestText(manifest) === text ? manifest : undefined;
  } catch {
    return undefined;
  }
}

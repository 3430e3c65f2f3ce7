/**
 * Backup and restore: the segments of a log up to one position, and `backup.json`, which says what they are and is
 * written last. A backup holds neither the lock nor the index snapshot; the first start on a restored folder makes both.
 */
import fs from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { MANIFEST, manifestText, readManifest, type Manifest } from './backup-manifest.js';
import type { EventLog } from './event-log.js';
import { fileBytes, fileName, segmentBases, syncFolder } from './segments.js';
import { verify, type VerifyReport } from './verify.js';

/** The folders are not what they have to be. Nothing has been written. */
export class NotPossible extends Error {}

const CHUNK_BYTES = 1024 * 1024;

/**
 * Copies a log, which goes on being read and written, as it is at one moment: with every append acknowledged before the
 * call, and none in part. Durable when it returns. Events that are redacted or removed afterwards stay in the copy.
 *
 * @param to an absolute path; a folder that is empty or does not exist
 * @throws NotPossible
 */
export const backup = (log: EventLog, to: string): Promise<Manifest> =>
  log.maintain(async () => {
    if (!isAbsolute(to)) throw new NotPossible(`the folder for the backup is not an absolute path: ${to}`);
    prepare(to);
    const { segments, index } = log;
    const { parts, manifest } = await log.atRest(() => {
      const parts = segments.list().map((segment) => ({ segment, bytes: fileBytes(segment) }));
      const manifest: Manifest = {
        logId: segments.logId.toString('hex'),
        end: segments.end,
        events: index.count - index.removed,
        segments: parts.length,
        bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
      };
      return { parts, manifest };
    });
    for (const { segment, bytes } of parts) {
      await copy(segment.fd, bytes, join(to, fileName(segment.base)), () => {
        if (log.isStopping) throw new Error('the event store is stopping');
      });
    }
    await writeDurably(join(to, MANIFEST), manifestText(manifest));
    syncFolder(to);
    return manifest;
  });

/**
 * Puts a backup into an empty folder, for a server to be started on. The backup is checked before, the copy after.
 *
 * A crash leaves a folder that no server opens as a log: the oldest segment is put there last.
 *
 * @throws NotPossible when `from` is not a sound backup or `to` is not empty
 */
export async function restore(from: string, to: string): Promise<VerifyReport> {
  const manifest = readManifest(from);
  if (!manifest) throw new NotPossible(`${from} is not a finished backup: it has no sound ${MANIFEST}`);
  refuseProblem(await verify(from));
  prepare(to);
  for (const base of segmentBases(from).reverse()) {
    const path = join(to, fileName(base));
    const fd = fs.openSync(join(from, fileName(base)), 'r');
    try {
      await copy(fd, fs.fstatSync(fd).size, `${path}.tmp`, () => undefined);
    } finally {
      fs.closeSync(fd);
    }
    fs.renameSync(`${path}.tmp`, path);
    syncFolder(to);
  }
  const report = await verify(to);
  refuseProblem(report);
  if (report.end !== manifest.end || report.events !== manifest.events) {
    throw new NotPossible(`${to} does not hold what the backup holds`);
  }
  return report;
}

function refuseProblem({ problem }: VerifyReport): void {
  if (problem) throw new NotPossible(`${problem.file}: offset ${problem.offset}: ${problem.reason}`);
}

function prepare(dir: string): void {
  fs.mkdirSync(dir, { recursive: true, mode: 0o700 });
  if (fs.readdirSync(dir).length > 0) throw new NotPossible(`the folder ${dir} is not empty`);
}

/** Copies the first `bytes` of a file to a new, durable one. */
async function copy(from: number, bytes: number, to: string, check: () => void): Promise<void> {
  const file = await fs.promises.open(to, 'wx', 0o600);
  try {
    const chunk = Buffer.allocUnsafe(Math.min(bytes, CHUNK_BYTES));
    for (let done = 0; done < bytes;) {
      check();
      const length = Math.min(chunk.length, bytes - done);
      const read = await new Promise<number>((resolve, reject) =>
        fs.read(from, chunk, 0, length, done, (error, count) => (error ? reject(error) : resolve(count))),
      );
      if (read === 0) throw new Error(`${to}: the original ends too soon`);
      await file.writeFile(chunk.subarray(0, read));
      done += read;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await fs.promises.open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

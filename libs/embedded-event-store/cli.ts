/**
 * What an operator does with an event store, as functions of plain values. Those that take a data folder ask the server
 * that owns it; when there is none, they own the folder themselves for as long as they take.
 */
import fs from 'node:fs';
import { resolve } from 'node:path';
import { NobodyThere, ask } from './admin.js';
import * as copies from './backup.js';
import type { Manifest } from './backup-manifest.js';
import { EventLog } from './event-log.js';
import { lockFolder } from './folder-lock.js';
import * as redaction from './redaction.js';
import type { EventReference, RedactionReport } from './redaction.js';
import * as scavenging from './scavenge.js';
import type { ScavengeReport } from './scavenge.js';
import { segmentBases } from './segments.js';
import { SEGMENT_BYTES, startEmbeddedEventStore, type EmbeddedEventStore } from './server.js';
import * as statistics from './stats.js';
import type { Stats } from './stats.js';
import * as verification from './verify.js';
import type { VerifyReport } from './verify.js';

/** Starts a server. @throws FolderInUse, CorruptLog, or the error of the listening socket */
export const serve = (data: string, host?: string, port?: number): Promise<EmbeddedEventStore> =>
  startEmbeddedEventStore({
    dataDir: data,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
  });

/** Checks a stopped server's folder, or a backup; changes nothing. @throws FolderInUse */
export const verify = (folder: string): Promise<VerifyReport> => verification.verify(resolve(folder));

/** Copies the log into an empty folder and checks the copy. @throws NotPossible */
export async function backup(data: string, to: string): Promise<Manifest & { readonly verified: VerifyReport }> {
  const target = resolve(to);
  const manifest = await inOwner<Manifest>(data, 'POST', '/backup', { to: target }, (log) =>
    copies.backup(log, target),
  );
  const verified = await verification.verify(target);
  if (verified.problem) throw new copies.NotPossible(`the copy is damaged: ${verified.problem.reason}`);
  return { ...manifest, verified };
}

/** Puts a backup into an empty folder, checked. @throws NotPossible */
export const restore = (from: string, data: string): Promise<VerifyReport> =>
  copies.restore(resolve(from), resolve(data));

/** Removes what is truncated, expired or deleted. @throws CorruptLog */
export const scavenge = (data: string): Promise<ScavengeReport> =>
  inOwner(data, 'POST', '/scavenge', {}, (log) => scavenging.scavenge(log, Date.now()));

/** Overwrites the data of one event. @throws NotRedactable or NotPossible when there is no such event */
export const redact = (data: string, event: EventReference): Promise<RedactionReport> =>
  inOwner(data, 'POST', '/redact', event, (log) => redaction.redact(log, event));

export const stats = (data: string): Promise<Stats> =>
  inOwner(data, 'GET', '/stats', {}, (log) => Promise.resolve(statistics.stats(log)));

async function inOwner<T>(
  data: string,
  method: 'GET' | 'POST',
  path: string,
  body: object,
  alone: (log: EventLog) => Promise<T>,
): Promise<T> {
  const dir = resolve(data);
  try {
    return await ask<T>(dir, method, path, body);
  } catch (error) {
    if (!(error instanceof NobodyThere)) throw error;
  }
  if (!fs.existsSync(dir) || segmentBases(dir).length === 0) {
    throw new copies.NotPossible(`there is no event log in ${dir}`);
  }
  const unlock = lockFolder(dir);
  try {
    const log = await EventLog.open({ dir, segmentBytes: SEGMENT_BYTES, sync: 'loop' });
    try {
      return await alone(log);
    } finally {
      await log.finishWrites();
      log.close();
    }
  } finally {
    unlock();
  }
}

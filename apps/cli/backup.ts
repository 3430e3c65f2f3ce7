/**
 * Backup and restore of a whole installation. A backup is a folder:
 *
 *   events/         the log, as `custos eventstore backup` copies it
 *   vault.db        keys and tombstones, copied after the log, so that no event lacks its key
 *   access.db       local accounts and digests of tokens
 *   policy.yaml     the policy file, where one is configured
 *   custos-backup.json   what the folder must hold, with the SHA-256 of every file, and the digest of the read models;
 *                        written last
 *
 * The master key is not in it: with it the backup would be readable by whoever finds it.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createReadStream, existsSync, fsyncSync, mkdtempSync, openSync, closeSync, rmSync } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { RestoreTested } from '#assurance';
import { londonDate } from '#calendar';
import { openDatabase } from '#database';
import * as eventStore from '#embedded-event-store';
import { masterKeyFrom, openKeyVault } from '#key-vault';
import { ReadModels, type Digest } from '#read-model';
import { ErasureJournal, isTombstone, journalOf, type TombstoneEntry } from '#retention';
import { BadSetting, type Configuration } from '../configuration.js';
import { UNFINISHED_RESTORE } from '../standalone/standalone.js';
import { capabilities } from '../capabilities.js';
import { clockOf, withLog } from './installation.js';
import { replayDigest } from './replay.js';
import { settingLines } from './settings.js';

const MANIFEST = 'custos-backup.json';
const DESTROYED_AT_ONCE = 1_000;

export interface InstallationManifest {
  readonly format: 1;
  readonly madeAt: string;
  /** Position behind the last event of the log. */
  readonly logEnd: number;
  readonly events: number;
  /** The settings it was made under, without secrets. */
  readonly settings: readonly string[];
  /** Of the read models just before the log was copied; absent where there were none of this version. */
  readonly readModels?: Digest;
  /** SHA-256 by path. */
  readonly files: Readonly<Record<string, string>>;
}

/**
 * Copies a running or a stopped installation into an empty folder, and checks the copy.
 *
 * @throws BadSetting when its log is on a server, which has backups of its own.
 */
export async function backupInstallation(
  configuration: Configuration,
  environment: NodeJS.ProcessEnv,
  to: string,
): Promise<InstallationManifest> {
  const folder = resolve(to);
  if (configuration.eventStore.kind === 'server')
    throw new BadSetting('EVENTSTORE_URL', 'the log is on a server: back that up there, and the vault with it');
  await emptyFolder(folder);
  const readModels = await readModelsDigest(configuration);
  const log = await eventStore.backup(join(configuration.dataDir, 'events'), join(folder, 'events'));
  await copyDatabase(configuration.keyVaultUrl, 'key vault', join(folder, 'vault.db'));
  await copyDatabase(configuration.accessUrl, 'token store', join(folder, 'access.db'));
  if (configuration.policyFile !== undefined) await copyFile(configuration.policyFile, join(folder, 'policy.yaml'));
  const manifest: InstallationManifest = {
    format: 1,
    madeAt: clockOf(configuration).now(),
    logEnd: log.end,
    events: log.events,
    settings: settingLines(configuration, environment).map((line) => line.split('  # ')[0] ?? ''),
    ...(readModels && { readModels }),
    files: await digestsBelow(folder),
  };
  const file = await open(join(folder, MANIFEST), 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(manifest, undefined, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  syncFolder(folder);
  return manifest;
}

export interface Restored {
  readonly events: number;
  readonly destroyed: number;
  readonly alreadyDestroyed: number;
  /** SHA-256 of the manifest: the backup's name in a record of the restore. */
  readonly backupHash: string;
  /** What the read models were at the backup: `custos replay --digest --through` that position must give it again. */
  readonly readModels?: { readonly position: number; readonly digest: string };
}

/**
 * Puts a backup into an empty DATA_DIR and repeats every destruction and every suppression that the journal knows of, so
 * that nobody who was erased since is there again, and nobody who objected since is written to. Until it is finished, nothing starts on the folder.
 *
 * @param journal the file of ERASURE_JOURNAL; `undefined` when the operator says that there is none.
 */
export async function restoreInstallation(
  configuration: Configuration,
  from: string,
  journal: string | undefined,
): Promise<Restored> {
  const folder = resolve(from);
  const { dataDir } = configuration;
  const { manifest, backupHash } = await checked(folder);
  const entries = journal === undefined ? [] : journalOf(await readFile(journal, 'utf8'));
  // The master key is put there first: it is not in the backup.
  await emptyFolder(dataDir, ['master.key']);
  const marker = await open(join(dataDir, UNFINISHED_RESTORE), 'wx', 0o600);
  await marker.close();
  syncFolder(dataDir);
  await eventStore.restore(join(folder, 'events'), join(dataDir, 'events'));
  await putFile(join(folder, 'vault.db'), pathOf(configuration.keyVaultUrl));
  await putFile(join(folder, 'access.db'), pathOf(configuration.accessUrl));
  let destroyed = 0;
  let alreadyDestroyed = 0;
  const vault = await openKeyVault({
    url: configuration.keyVaultUrl,
    masterKey: masterKeyFrom(configuration.masterKey),
    clock: () => clockOf(configuration).now(),
  });
  try {
    const tombstones: readonly TombstoneEntry[] = entries.filter(isTombstone);
    for (const entry of tombstones.filter(({ kind }) => kind === 'subject')) {
      const done = await vault.destroySubject(entry.id, entry.cause);
      destroyed += done.destroyed;
      alreadyDestroyed += done.alreadyDestroyed;
    }
    const items = tombstones.filter(({ kind }) => kind === 'item');
    for (let at = 0; at < items.length; at += DESTROYED_AT_ONCE) {
      const some = items.slice(at, at + DESTROYED_AT_ONCE);
      for (const cause of new Set(some.map((entry) => entry.cause))) {
        const done = await vault.destroyItemKeys(
          some.filter((entry) => entry.cause === cause).map(({ id }) => id),
          cause,
        );
        destroyed += done.destroyed;
        alreadyDestroyed += done.alreadyDestroyed;
      }
    }
    for (const entry of entries) {
      if (entry.kind === 'suppressed' && entry.hash !== undefined)
        await vault.suppression.restore(entry.id, entry.hash);
      if (entry.kind === 'lifted') await vault.suppression.remove(entry.id);
    }
  } finally {
    await vault.close();
  }
  await rm(join(dataDir, UNFINISHED_RESTORE));
  syncFolder(dataDir);
  const { position, digest } = manifest.readModels ?? {};
  return {
    ...{ events: manifest.events, destroyed, alreadyDestroyed, backupHash },
    ...(position !== undefined && digest !== undefined && { readModels: { position, digest } }),
  };
}

/** The body of `RecordRestoreTest`. */
export type RestoreTestRecord = { readonly commandId: string } & RestoreTested['data'];

/**
 * Restores a backup into a temporary folder, opens its vault with the master key, and compares the read models that its
 * log gives with those the backup was made of (UK GDPR Art 32(1)(c)-(d)). The folder is removed; nothing starts on it.
 *
 * @returns the command that records the test, and why it failed if it did.
 * @throws Error when there is nothing to compare: no finished backup, or one of another version of Custos.
 */
export async function testRestore(
  configuration: Configuration,
  from: string,
): Promise<{ readonly record: RestoreTestRecord; readonly problem?: string }> {
  const folder = resolve(from);
  const began = performance.now();
  const { manifest, backupHash } = await manifestOf(folder);
  const before = manifest.readModels;
  if (before === undefined) throw new Error(`${folder}: holds no digest of read models; make a backup anew`);
  const performedOn = londonDate(clockOf(configuration).now());
  let after: Digest | undefined;
  let problem: string | undefined;
  const place = mkdtempSync(join(tmpdir(), 'custos-restore-test-'));
  const remove = (): void => rmSync(place, { recursive: true, force: true });
  process.once('exit', remove);
  try {
    const dataDir = join(place, 'data');
    const restored: Configuration = {
      ...configuration,
      ...{ dataDir, eventStore: { kind: 'embedded', port: 0 } },
      ...{ keyVaultUrl: `file:${join(dataDir, 'vault.db')}`, accessUrl: `file:${join(dataDir, 'access.db')}` },
    };
    await restoreInstallation(restored, folder, undefined);
    after = await withLog(restored, (log) => replayDigest(log, before.position));
  } catch (error) {
    problem = error instanceof Error ? error.message : 'it could not be restored';
  } finally {
    process.off('exit', remove);
    remove();
  }
  if (after && Object.keys(after.projections).join() !== Object.keys(before.projections).join())
    throw new Error(`${folder}: was made by another version of Custos; test it with that one`);
  if (after && after.digest !== before.digest) problem = 'the read models are not what they were at the backup';
  const record: RestoreTestRecord = {
    commandId: randomUUID(),
    attestationId: `restore-${performedOn}-${randomBytes(4).toString('hex')}`,
    ...{ backupHash, environment: 'temporaryFolder', performedOn },
    outcome: problem === undefined ? 'passed' : 'failed',
    digestBefore: before.digest,
    ...(after && { digestAfter: after.digest }),
    durationSeconds: Math.ceil((performance.now() - began) / 1_000),
  };
  return { record, ...(problem !== undefined && { problem }) };
}

/** Writes the vault's tombstones to a file: what an installation without ERASURE_JOURNAL can still take away. */
export async function exportErasures(configuration: Configuration, to: string): Promise<number> {
  const vault = await openKeyVault({
    url: configuration.keyVaultUrl,
    masterKey: masterKeyFrom(configuration.masterKey),
    clock: () => clockOf(configuration).now(),
  });
  try {
    await new ErasureJournal(resolve(to)).write(vault);
  } finally {
    await vault.close();
  }
  return journalOf(await readFile(resolve(to), 'utf8').catch(() => '')).length;
}

/** The manifest of a backup whose files are all there and unchanged. */
async function checked(folder: string): Promise<Manifest> {
  const { manifest, backupHash } = await manifestOf(folder);
  const found = await digestsBelow(folder);
  const names = [...new Set([...Object.keys(found), ...Object.keys(manifest.files)])];
  const wrong = names.find((name) => found[name] !== manifest.files[name]);
  if (wrong !== undefined) throw new Error(`${folder}: ${wrong} is not what the manifest says`);
  return { manifest, backupHash };
}

interface Manifest {
  readonly manifest: InstallationManifest;
  /** SHA-256 of the file. */
  readonly backupHash: string;
}

async function manifestOf(folder: string): Promise<Manifest> {
  const text = await readFile(join(folder, MANIFEST), 'utf8').catch(() => undefined);
  if (text === undefined) throw new Error(`${folder} is not a finished backup: it has no ${MANIFEST}`);
  const manifest = JSON.parse(text) as InstallationManifest;
  if (manifest.format !== 1) throw new Error(`${folder}: a backup of another format`);
  return { manifest, backupHash: createHash('sha256').update(text).digest('hex') };
}

/** What the read models hold; `undefined` where there are none of this version, or they are just being built anew. */
async function readModelsDigest({ databaseUrl }: Configuration): Promise<Digest | undefined> {
  if (!existsSync(pathOf(databaseUrl))) return undefined;
  const projections = capabilities.flatMap((each) => each.projections);
  const database = openDatabase(databaseUrl, { name: 'read models', readOnly: true });
  try {
    return new ReadModels(database, projections).wholeDigest();
  } finally {
    await database.close();
  }
}

async function digestsBelow(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const digests: Record<string, string> = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (!entry.isFile() || name === MANIFEST) continue;
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    digests[name] = hash.digest('hex');
  }
  return Object.fromEntries(Object.entries(digests).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A copy of a database in use, as it is at one moment. */
async function copyDatabase(url: string, name: string, to: string): Promise<void> {
  const database = openDatabase(url, { name, readOnly: true });
  try {
    await database.sqlite.backup(to);
  } finally {
    await database.close();
  }
  await syncFile(to);
}

const pathOf = (url: string): string => url.slice('file:'.length);

async function putFile(from: string, to: string): Promise<void> {
  if (existsSync(to)) throw new Error(`${to} is there already`);
  await copyFile(from, to);
  await syncFile(to);
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.chmod(0o600);
    await file.sync();
  } finally {
    await file.close();
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

async function emptyFolder(path: string, besides: readonly string[] = []): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (!(await stat(path)).isDirectory()) throw new Error(`${path} is no folder`);
  const found = (await readdir(path)).filter((name) => !besides.includes(name));
  if (found.length > 0) throw new Error(`the folder ${path} is not empty`);
}

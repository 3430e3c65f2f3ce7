import { hkdfSync, randomBytes } from 'node:crypto';
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MasterKeyRefused } from './errors.js';
import { KEY_BYTES } from './seal.js';

/**
 * Where the master key comes from: 32 bytes that wrap every subject's key.
 *
 * A provider for a key-management service keeps the master key encrypted by the service: `load` has the
 * service decrypt it, `create` has the service make and encrypt one. The vault calls it when it opens and when
 * it rotates, never in between.
 */
export interface MasterKeyProvider {
  /** Where it looks, as an operator would say it; no secret. Stands in error messages. */
  readonly description: string;
  /**
   * @returns a copy the vault may wipe, or `undefined` when there is none yet.
   * @throws MasterKeyRefused when there is one that must not be used.
   */
  load(): Promise<Buffer | undefined>;
  /**
   * Makes a new key, durably, and returns it; called for a vault without keys only. When another process makes
   * one at the same time, both get the same.
   *
   * @throws MasterKeyRefused when this provider cannot make keys.
   */
  create(): Promise<Buffer>;
}

/**
 * The provider of a setting: `file:<path>` (or a bare path) or `env:<NAME>`.
 *
 * A file holds 64 hexadecimal digits and must be closed to group and others. An environment variable holds the
 * same digits.
 */
export function masterKeyFrom(setting: string): MasterKeyProvider {
  const [, scheme, rest = ''] = /^(?:([a-z]+):)?(.*)$/s.exec(setting) ?? [];
  if (rest === '') throw new MasterKeyRefused('the master key setting is empty: use file:<path> or env:<NAME>');
  if (scheme === 'env') return new EnvironmentMasterKey(rest);
  if (scheme === 'file' || scheme === undefined) return new FileMasterKey(resolve(rest.replace(/^\/\/(?=\/)/, '')));
  throw new MasterKeyRefused(
    `the master key setting names ${scheme}:, which is unknown: use file:<path> or env:<NAME>`,
  );
}

/** Names a master key without telling anything about it. */
export function masterKeyId(key: Buffer): string {
  return Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'custos master key id', 8)).toString('hex');
}

class EnvironmentMasterKey implements MasterKeyProvider {
  readonly description: string;

  constructor(readonly variable: string) {
    this.description = `environment variable ${variable}`;
  }

  async load(): Promise<Buffer | undefined> {
    const text = process.env[this.variable];
    return text === undefined || text === '' ? undefined : keyOf(text, this.description);
  }

  async create(): Promise<Buffer> {
    throw new MasterKeyRefused(`the master key is missing: set the ${this.description} to 64 hexadecimal digits`);
  }
}

class FileMasterKey implements MasterKeyProvider {
  readonly description: string;

  constructor(readonly path: string) {
    this.description = `file ${path}`;
  }

  async load(): Promise<Buffer | undefined> {
    let file: number;
    try {
      file = openSync(this.path, constants.O_RDONLY);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new MasterKeyRefused(`the master key ${this.description} cannot be read`);
    }
    try {
      const stat = fstatSync(file);
      if (!stat.isFile()) throw new MasterKeyRefused(`the master key ${this.description} is not a file`);
      if ((stat.mode & 0o077) !== 0) {
        throw new MasterKeyRefused(`the master key ${this.description} is open to others than its owner: chmod 600 it`);
      }
      return keyOf(readFileSync(file, 'ascii'), this.description);
    } finally {
      closeSync(file);
    }
  }

  /** Written aside and linked into place: the name appears once, with its whole content, and never replaces another. */
  async create(): Promise<Buffer> {
    const folder = dirname(this.path);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const key = randomBytes(KEY_BYTES);
    const aside = `${this.path}.${process.pid}-${randomBytes(6).toString('hex')}`;
    const file = openSync(aside, 'wx', 0o600);
    try {
      writeSync(file, `${key.toString('hex')}\n`);
      fsyncSync(file);
      linkSync(aside, this.path);
    } catch (error) {
      key.fill(0);
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      closeSync(file);
      unlinkSync(aside);
    }
    syncFolder(folder);
    key.fill(0);
    const kept = await this.load();
    if (kept === undefined) throw new MasterKeyRefused(`the master key ${this.description} vanished while it was made`);
    return kept;
  }
}

function keyOf(text: string, description: string): Buffer {
  if (!/^[0-9a-f]{64}\s*$/i.test(text)) {
    throw new MasterKeyRefused(`the master key in ${description} is not 64 hexadecimal digits`);
  }
  return Buffer.from(text.slice(0, 64), 'hex');
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

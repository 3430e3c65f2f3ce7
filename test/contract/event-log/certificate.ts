import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { describeWith } from '../../requirements.js';

/** A certificate for 127.0.0.1 that is its own authority. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly ca: Buffer;
}

const describeWithProgram = describeWith('openssl', 'version');

/** A `describe` whose tests make certificates. */
export const describeWithOpenssl = (name: string, tests: (make: () => Certificate) => void): void =>
  describeWithProgram(name, () => {
    const dir = mkdtempSync(join(tmpdir(), 'event-log-certificate-'));
    afterAll(() => rmSync(dir, { recursive: true, force: true }));
    let made = 0;
    tests(() => makeCertificate(join(dir, String(made++))));
  });

function makeCertificate(path: string): Certificate {
  const [certFile, keyFile] = [`${path}.crt`, `${path}.key`];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', keyFile];
  const names = ['-subj', '/CN=event-log', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const { status, stderr } = spawnSync('openssl', ['req', '-x509', '-days', '2', '-out', certFile, ...key, ...names]);
  if (status !== 0) throw new Error(`openssl: ${stderr.toString()}`);
  return { certFile, keyFile, ca: readFileSync(certFile) };
}

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import semver from 'semver';

const ROOT = join(import.meta.dirname, '..');
const read = <T>(...path: string[]): T => JSON.parse(readFileSync(join(ROOT, ...path), 'utf8')) as T;

interface Locked {
  readonly version: string;
  readonly dev?: boolean;
  readonly deprecated?: string;
  readonly resolved?: string;
}
interface KnownBad {
  readonly package: string;
  readonly versions: string;
  readonly advisory: string;
  readonly reason: string;
}
interface Component {
  readonly name: string;
  readonly version: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly ({ readonly license: { readonly id: string } } | { readonly expression: string })[];
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const locked = Object.entries(read<{ packages: Record<string, Locked> }>('package-lock.json').packages)
  .filter(([path]) => path.includes('node_modules/'))
  .map(([path, entry]) => ({ name: nameOf(path), ...entry }));
const knownBad = read<readonly KnownBad[]>('test', 'known-bad-versions.json');

const badAmong = (packages: readonly { readonly name: string; readonly version: string }[]): readonly string[] =>
  packages.flatMap(({ name, version }) =>
    knownBad
      .filter((bad) => bad.package === name && semver.satisfies(version, bad.versions))
      .map((bad) => `${name}@${version}: ${bad.reason} (${bad.advisory})`),
  );

/** Licences under which the engine may be passed on with its parts. */
const LICENCES = /^(?:0BSD|Apache-2\.0|BSD-[23]-Clause|ISC|MIT)$/;

describe('what the engine is made of', () => {
  it('has no version that is known to be bad', () => {
    expect(badAmong(locked)).toEqual([]);
    expect(badAmong([{ name: 'chalk', version: '5.6.1' }])).toEqual([
      'chalk@5.6.1: malicious code (release of 8 September 2025)',
    ]);
    expect(badAmong([{ name: 'protobufjs', version: '7.2.4' }])).toHaveLength(1);
    for (const { versions } of knownBad) expect(semver.validRange(versions)).not.toBeNull();
  });

  it('has no part at work that its makers have given up', () =>
    expect(locked.filter(({ dev, deprecated }) => !dev && deprecated !== undefined).map(({ name }) => name)).toEqual(
      [],
    ));

  it('comes from wherever the registry is, by its digest', () =>
    expect(locked.filter(({ resolved }) => resolved !== undefined).map(({ name }) => name)).toEqual([]));

  it('is listed as CycloneDX by `npm run sbom`: every part, with its digest, and what is at work with a licence to pass it on', () => {
    const sbom = JSON.parse(
      execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }),
    ) as { readonly bomFormat: string; readonly components: readonly Component[] };
    expect(sbom.bomFormat).toBe('CycloneDX');
    const listed = new Set(sbom.components.map(({ name, version }) => `${name}@${version}`));
    const atWork = locked.filter(({ dev }) => !dev).map(({ name, version }) => `${name}@${version}`);
    expect(atWork.length).toBeGreaterThan(100);
    expect(atWork.filter((each) => !listed.has(each))).toEqual([]);
    for (const { name, version, hashes, licenses } of sbom.components) {
      expect([name, hashes?.[0]?.alg]).toEqual([name, 'SHA-512']);
      if (!atWork.includes(`${name}@${version}`)) continue;
      const terms = (licenses ?? []).map((each) => ('license' in each ? each.license.id : each.expression));
      const alternatives = terms.flatMap((term) => term.replaceAll(/[()]/g, '').split(' OR '));
      const fit = alternatives.some((term) => term.split(' AND ').every((part) => LICENCES.test(part)));
      expect([name, fit]).toEqual([name, true]);
    }
  });
});

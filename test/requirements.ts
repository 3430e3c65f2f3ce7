import { spawnSync } from 'node:child_process';
import { describe, it } from '@jest/globals';

/**
 * A `describe` for tests that need something which may not be there. Without it they fail where `CI` is `true`;
 * elsewhere one line says what is missing, and they are skipped.
 *
 * @param missing what is missing, in words; nothing when all is there.
 */
export function describeUnless(missing: string | undefined, name: string, tests: () => void): void {
  if (missing === undefined) {
    describe(name, tests);
    return;
  }
  if (process.env['CI'] === 'true') {
    it(name, () => {
      throw new Error(missing);
    });
    return;
  }
  process.stderr.write(`skipped: ${name}: ${missing}\n`);
  describe(name, () => {
    it.skip(`skipped: ${missing}`, () => undefined);
  });
}

/**
 * A `describe` for tests that need a program of the machine.
 *
 * @param version what makes it tell its version.
 */
export function describeWith(program: string, version = '--version'): (name: string, tests: () => void) => void {
  const missing = spawnSync(program, [version]).status === 0 ? undefined : `${program} is not installed`;
  return (name, tests) => describeUnless(missing, name, tests);
}

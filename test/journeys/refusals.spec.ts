import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFUSALS } from '#kernel';

const ROOT = join(import.meta.dirname, '..', '..');
/** Specs that list codes without asserting that a command is refused with them. */
const LISTS = /^libs\/policy\/|^libs\/kernel\/|\/refusals\.spec\.ts$/;

/** Journeys, contract tests, and the tests of deciders and of what stands around them. */
const specs = ['libs', 'test']
  .flatMap((folder) =>
    (readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }) as string[]).map((path) =>
      join(folder, path),
    ),
  )
  .filter((path) => path.endsWith('.spec.ts') && !LISTS.test(path))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

const assertedIn = (code: string, among: typeof specs): readonly string[] =>
  among.filter(({ text }) => new RegExp(`['"\`]${code}['"\`]`).test(text)).map(({ path }) => path);

/** Codes that no command can be refused with over HTTP, and why: their tests are those of the rule itself. */
const OUT_OF_REACH = {
  ERASURE_INCOMPLETE: 'only the steward states erasures, and it destroys the keys first',
};

describe('the catalogue of refusals', () => {
  it('has no code that no test asserts', () => {
    const idle = Object.keys(REFUSALS).filter((code) => assertedIn(code, specs).length === 0);
    expect(idle).toEqual([]);
  });

  it('has no code in reach of a sender that no journey asserts', () => {
    const journeys = specs.filter(({ path }) => path.startsWith(join('test', 'journeys')));
    expect(journeys.length).toBeGreaterThan(12);
    const idle = Object.keys(REFUSALS).filter((code) => assertedIn(code, journeys).length === 0);
    expect(idle).toEqual(Object.keys(OUT_OF_REACH));
  });

  it('would find a code that is asserted nowhere', () => {
    expect(assertedIn('NO_SUCH_CODE'.toLowerCase(), specs)).toEqual([]);
    expect(assertedIn('DATA_EXCESSIVE', specs)).toContain(join('test', 'journeys', 'c12-minimisation.spec.ts'));
  });
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { accessCapability } from '#access';
import { assuranceCapability } from '#assurance';
import { accountabilityCapability } from '#accountability';
import { consentCapability } from '#consent';
import { incidentCapability } from '#incident';
import { REFUSALS } from '#kernel';
import { noticeCapability } from '#notice';
import { purposeCapability } from '#purpose';
import { resilienceCapability } from '#resilience';
import { retentionCapability } from '#retention';
import { sharingCapability } from '#sharing';
import { refusalCapability } from '#slice';
import { subjectCapability } from '#subject';
import { telemetryCapability } from '#telemetry';
import { useCapability } from '#use';
import { viewingCapability } from '#viewing';
import { clauseCoverage, clauseRegister } from './clause-register.js';
import { ISO_CONTROLS } from './iso-controls.js';
import { readPolicy, SHIPPED_POLICY, type TestReference } from './policy-file.js';

const ROOT = new URL('../../', import.meta.url);
const LIBS = new URL('../', import.meta.url);
const CLAUSES = clauseRegister(readPolicy(readFileSync(SHIPPED_POLICY, 'utf8')));
const TABLES = new Set(
  [
    accessCapability,
    assuranceCapability,
    accountabilityCapability,
    consentCapability,
    incidentCapability,
    noticeCapability,
    purposeCapability,
    refusalCapability,
    resilienceCapability,
    retentionCapability,
    sharingCapability,
    subjectCapability,
    telemetryCapability,
    useCapability,
    viewingCapability,
  ].flatMap(({ projections }) => projections.flatMap(({ tables }) => Object.keys(tables))),
);

/** Clauses the engine does not keep yet. The list only ever gets shorter. */
const PLANNED = ['C20', 'C23', 'C24', 'C25', 'C26', 'C27', 'C29'];

/** Clauses the engine keeps in part. An entry leaves the list when its clause is enforced. */
const PARTIAL: readonly string[] = [];

/** Why a reference to a test proves nothing; `undefined` when it does. */
function broken({ file, title }: TestReference, root = ROOT): string | undefined {
  const url = new URL(file, root);
  if (!existsSync(url)) return `${file} does not exist`;
  // A long title stands on a line of its own.
  const text = readFileSync(url, 'utf8').replaceAll(/\b(it|test)\(\s+/g, '$1(');
  const quoted = [`'${title}'`, `"${title}"`, `\`${title}\``];
  return quoted.some((name) => text.includes(`it(${name}`) || text.includes(`test(${name}`))
    ? undefined
    : `${file} has no test named "${title}"`;
}

describe('the clause register', () => {
  it('says what is planned and what is partial', () => {
    const { byStatus } = clauseCoverage(CLAUSES);
    expect(byStatus.planned).toEqual(PLANNED);
    expect(byStatus.partial).toEqual(PARTIAL);
    expect(byStatus.enforced).toHaveLength(30 - PLANNED.length - PARTIAL.length);
  });

  it('has a rule, a read model and a test for every enforced clause', () => {
    expect(clauseCoverage(CLAUSES).unwired).toEqual([]);
  });

  it('finds an enforced clause that is not wired', () => {
    const [first] = CLAUSES;
    expect(clauseCoverage([{ ...first!, status: 'enforced', readModels: [], tests: [] }]).unwired).toEqual([
      { clause: 'C01', lacks: 'readModels' },
      { clause: 'C01', lacks: 'tests' },
    ]);
  });

  it('names tables that read models have', () => {
    const unknown = CLAUSES.flatMap(({ id, readModels }) =>
      readModels.filter((name) => !TABLES.has(name)).map((name) => `${id}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  it('names tests that exist', () => {
    const missing = CLAUSES.flatMap(({ id, tests }) =>
      tests.flatMap((test) => {
        const reason = broken(test);
        return reason === undefined ? [] : [{ id, reason }];
      }),
    );
    expect(missing).toEqual([]);
  });

  it('names rules that the engine applies', () => {
    const sources = (readdirSync(LIBS, { recursive: true, encoding: 'utf8' }) as string[])
      .filter((path) => /\.ts$/.test(path) && !/\.spec\.ts$|^policy\/|^kernel\/refusal\.ts$/.test(path))
      .map((path) => readFileSync(new URL(path, LIBS), 'utf8'))
      .join('\n');
    const idle = CLAUSES.flatMap(({ rules }) => rules.map(({ code }) => code)).filter(
      (code) => !sources.includes(`'${code}'`),
    );
    expect(idle).toEqual([]);
  });

  it('finds a test that does not exist', () => {
    const file = 'libs/policy/clause-register.spec.ts';
    expect(broken({ file, title: 'names tests that exist' })).toBeUndefined();
    expect(broken({ file, title: 'names tests' })).toBe(`${file} has no test named "names tests"`);
    expect(broken({ file: 'test/journeys/none.spec.ts', title: 'a' })).toBe(
      'test/journeys/none.spec.ts does not exist',
    );
  });

  it('gives every rule its law and remedy, every control its title', () => {
    for (const { rules, isoControls } of CLAUSES) {
      for (const { code, law, remedy } of rules)
        expect([law, remedy]).toEqual([REFUSALS[code].law, REFUSALS[code].remedy]);
      for (const { id, title } of isoControls) expect(title).toBe(ISO_CONTROLS[id]);
    }
  });

  it('counts no planned clause as evidence for a control', () => {
    const { controls } = clauseCoverage(CLAUSES);
    expect(controls.find(({ id }) => id === '8.10')).toEqual({
      id: '8.10',
      title: 'Information deletion',
      clauses: ['C16'],
    });
    expect(controls.flatMap(({ clauses }) => clauses).filter((id) => PLANNED.includes(id))).toEqual([]);
  });
});

import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

/*
 * The rules of .dependency-cruiser.cjs, eslint.config.js and of the folders below, on the real tree and on a
 * tree of planted violations. A rule without a plant, and a plant that fires no rule, fail the test.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TREES = ['apps', 'libs', 'test'];

type Files = Readonly<Record<string, string>>;

/** A violation as both tools report it: which rule, in which file. */
interface Violation {
  readonly rule: string;
  readonly file: string;
}

const LIBRARIES = [
  'access',
  'calendar',
  'command-bus',
  'consent',
  'database',
  'embedded-event-store',
  'event-log',
  'kernel',
  'key-vault',
  'purpose',
  'read-model',
  'slice',
  'subject',
  'visitor-statistics',
];

/** One violation per rule of dependency-cruiser; the files carry the rule's name, and nothing else may fire in them. */
const FORBIDDEN_IMPORTS: Readonly<Record<string, Files>> = {
  'kernel-imports-only-what-is-below': { 'libs/kernel/~.ts': `import '#calendar';` },
  'calendar-imports-only-what-is-below': { 'libs/calendar/~.ts': `import '#database';` },
  'embedded-event-store-imports-only-what-is-below': { 'libs/embedded-event-store/~.ts': `import '#kernel';` },
  'database-imports-only-what-is-below': { 'libs/database/~.ts': `import '#key-vault';` },
  'key-vault-imports-only-what-is-below': { 'libs/key-vault/~.ts': `import '#event-log';` },
  'event-log-imports-only-what-is-below': { 'libs/event-log/~.ts': `import type { a } from '#read-model';` },
  'read-model-imports-only-what-is-below': { 'libs/read-model/~.ts': `import '#slice';` },
  'access-imports-only-what-is-below': { 'libs/access/~.ts': `import '#consent';` },
  'slice-imports-only-what-is-below': { 'libs/slice/~.ts': `import '#consent';` },
  'command-bus-imports-only-what-is-below': { 'libs/command-bus/~.ts': `import '#consent';` },
  'libs-import-no-app': { 'libs/consent/~.ts': `import '../../apps/standalone/planted.js';` },
  'product-imports-no-test': { 'libs/consent/~.ts': `import '../../test/planted.js';` },
  'capabilities-know-no-door': { 'libs/consent/~.ts': `import '#command-bus';` },
  'libs-meet-at-their-index': { 'libs/consent/~.ts': `import '../purpose/planted.js';` },
  'libs-meet-by-name': { 'libs/consent/~.ts': `import '../purpose/index.js';` },
  'rules-import-only-rules': { 'libs/consent/~.decider.ts': `import '#slice';` },
  'rules-know-no-rim': {
    'libs/consent/~.register.ts': `import './~.controller.js';`,
    'libs/consent/~.controller.ts': `export {};`,
  },
  'visitors-lead-to-no-person': {
    'libs/visitor-statistics/~.ts': `import '#telemetry';`,
    'libs/telemetry/index.ts': `import './way.js';`,
    'libs/telemetry/way.ts': `import '#subject';`,
  },
  'only-the-event-log-speaks-to-the-event-store': { 'libs/slice/~.ts': `import '@eventstore/db-client';` },
  'only-stores-open-sqlite': { 'libs/event-log/~.ts': `import 'better-sqlite3';` },
  'only-stores-build-sql': { 'libs/slice/~.ts': `import 'kysely';` },
  'no-circles': { 'libs/consent/~.ts': `import './~.back.js';`, 'libs/consent/~.back.ts': `import './~.js';` },
  'imports-resolve': { 'libs/consent/~.ts': `import '#nowhere';` },
};

/** What the rules leave alone: the ways in which the parts do meet. */
const ALLOWED_IMPORTS: Files = {
  'libs/consent/allowed.decider.ts': `import '#kernel'; import '#calendar'; import type { a } from '#purpose'; export type b = a;`,
  'libs/consent/allowed.module.ts': `import '#slice'; import { a } from '#purpose'; import '#kernel/testing'; a;`,
  'libs/event-log/allowed.ts': `import '@eventstore/db-client'; import '#key-vault';`,
  'libs/read-model/allowed.ts': `import 'kysely'; import '#event-log'; import '#database';`,
  'libs/consent/allowed.spec.ts': `import '../../test/planted.js';`,
  'apps/standalone/allowed.ts': `import '#consent'; import '#embedded-event-store'; import '#command-bus';`,
  'test/contract/event-log/allowed.ts': `import '@eventstore/db-client';`,
};

const PURE_FILES = ['decider', 'projection', 'policy', 'register'];

/** One violation per rule, or per message of a rule that has several. */
const FORBIDDEN_CODE: Readonly<Record<string, string>> = {
  '@typescript-eslint/no-floating-promises': `Promise.resolve();`,
  '@typescript-eslint/no-unused-vars': `const unused = 1;`,
  'no-console': `console.log('planted');`,
  'no-restricted-syntax: time is an argument: no new Date': `export const at = new Date();`,
  'no-restricted-syntax: time is an argument: no Date()': `export const at = Date();`,
  'no-restricted-syntax: nothing waits here: no await': `await Promise.resolve(); export {};`,
  'no-restricted-syntax: nothing waits here: no async': `export const later = async () => 1;`,
  'no-restricted-properties: time is an argument: no Date.now': `export const at = Date.now();`,
  'no-restricted-properties: time is an argument: no Temporal.Now': `import { Temporal } from 'temporal-polyfill'; export const at = Temporal.Now.instant();`,
  'no-restricted-properties: chance is an argument: no Math.random': `export const dice = Math.random();`,
  'no-restricted-globals: configuration is an argument: no process': `export const ci = process.env.CI;`,
  'no-restricted-globals: time is an argument: no performance': `export const at = performance.timeOrigin;`,
  'no-restricted-globals: identity is an argument: no crypto': `export const id = crypto.randomUUID();`,
  'no-restricted-imports: no node module in a rule of the domain': `import { cpus } from 'os'; export { cpus };`,
  'no-restricted-imports: Nest stays at the rim': `import { Module } from '@nestjs/common'; export { Module };`,
  'no-restricted-imports: rules know no database': `import { sql } from 'kysely'; export { sql };`,
};

/** Rules that hold everywhere; the others hold in the files of {@link PURE_FILES}. */
const EVERYWHERE = Object.keys(FORBIDDEN_CODE).filter((rule) => !rule.startsWith('no-restricted'));

/** What the rules leave alone. */
const ALLOWED_CODE: Files = {
  'apps/cli/allowed.ts': `console.log('answer');`,
  'apps/standalone/main.ts': `console.log('listening');`,
  'libs/consent/allowed.module.ts': `export const at = async () => new Date(await Promise.resolve(Date.now()));`,
};

describe('imports', () => {
  let real: Cruise;
  let planted: Cruise;
  let rules: string[];
  const tree = temporaryTree();
  const files = (rule: string): Files =>
    Object.fromEntries(
      Object.entries(FORBIDDEN_IMPORTS[rule]!).map(([path, code]) => [
        path.replace('~', `planted-${rule}`),
        code.replaceAll('~', `planted-${rule}`),
      ]),
    );

  beforeAll(async () => {
    for (const name of LIBRARIES) tree.write({ [`libs/${name}/index.ts`]: 'export const a = 1;' });
    tree.write({
      'libs/kernel/testing/index.ts': 'export {};',
      'libs/purpose/planted.ts': 'export {};',
      'apps/standalone/planted.ts': 'export {};',
      'test/planted.ts': 'export {};',
    });
    for (const rule of Object.keys(FORBIDDEN_IMPORTS)) tree.write(files(rule));
    tree.write(ALLOWED_IMPORTS);
    tree.copy('.dependency-cruiser.cjs');
    [real, planted] = await Promise.all([cruise(ROOT), cruise(tree.root)]);
    const config = (await import(pathToFileURL(join(ROOT, '.dependency-cruiser.cjs')).href)) as {
      default: { forbidden: { name: string }[] };
    };
    rules = config.default.forbidden.map((rule) => rule.name);
  }, 240_000);
  afterAll(() => tree.remove());

  it('of the real tree break no rule', () => {
    expect(real.violations.map(({ rule, file, to }) => `${rule}: ${file} -> ${to}`)).toEqual([]);
  });

  it('by name are followed to the sources', () => {
    expect(real.edges).toContain('libs/calendar/london.ts -> libs/kernel/index.ts');
    expect(real.edges).toContain('libs/calendar/calendar.spec.ts -> test/data.ts');
  });

  it('have a planted violation for every rule', () => {
    expect(Object.keys(FORBIDDEN_IMPORTS).sort()).toEqual([...rules].sort());
  });

  it.each(Object.keys(FORBIDDEN_IMPORTS))('%s fires where it is planted, and nothing else does', (rule) => {
    const fired = planted.violations.filter(({ file }) => file in files(rule)).map((violation) => violation.rule);
    expect(new Set(fired)).toEqual(new Set([rule]));
  });

  it('of the planted tree break rules nowhere else', () => {
    const expected = Object.keys(FORBIDDEN_IMPORTS).flatMap((rule) => Object.keys(files(rule)));
    expect(planted.violations.filter(({ file }) => !expected.includes(file))).toEqual([]);
  });
});

describe('code', () => {
  let real: Violation[];
  let planted: Violation[];
  let rules: string[];
  const tree = temporaryTree();
  const suffixes = (rule: string) => (EVERYWHERE.includes(rule) ? ['module'] : PURE_FILES);
  const file = (rule: string, suffix: string) =>
    `libs/consent/planted-${Object.keys(FORBIDDEN_CODE).indexOf(rule)}.${suffix}.ts`;

  beforeAll(async () => {
    for (const [rule, code] of Object.entries(FORBIDDEN_CODE)) {
      for (const suffix of suffixes(rule)) tree.write({ [file(rule, suffix)]: `${code}\nexport {};\n` });
    }
    tree.write(ALLOWED_CODE);
    tree.copy('eslint.config.js');
    [real, planted, rules] = await Promise.all([lint(ROOT), lint(tree.root), lintRules()]);
  }, 240_000);
  afterAll(() => tree.remove());

  it('of the real tree breaks no rule', () => {
    expect(real.map(({ rule, file }) => `${rule}: ${file}`)).toEqual([]);
  });

  it('has a planted violation for every rule', () => {
    expect(Object.keys(FORBIDDEN_CODE).sort()).toEqual([...new Set(rules)].sort());
  });

  const plants = Object.keys(FORBIDDEN_CODE).flatMap((rule) => suffixes(rule).map((suffix) => [rule, suffix] as const));
  it.each(plants)('%s fires in a %s, and nothing else does', (rule, suffix) => {
    const fired = planted.filter((violation) => violation.file === file(rule, suffix));
    expect(new Set(fired.map((violation) => violation.rule))).toEqual(new Set([rule]));
  });

  it('of the planted tree breaks rules nowhere else', () => {
    const expected = new Set(plants.map(([rule, suffix]) => file(rule, suffix)));
    expect(planted.filter((violation) => !expected.has(violation.file))).toEqual([]);
  });
});

describe('folders', () => {
  const tree = temporaryTree();
  afterAll(() => tree.remove());

  it('have names that say what is in them', () => {
    expect(vagueFolders(ROOT)).toEqual([]);
    const planted = ['common', 'shared', 'utils', 'core', 'helpers'].map((name) => `libs/consent/${name}`);
    for (const folder of planted) tree.write({ [`${folder}/planted.ts`]: 'export {};' });
    expect(vagueFolders(tree.root).sort()).toEqual([...planted].sort());
  });

  it('hold every project of nest-cli.json', () => {
    expect(missingProjects(ROOT)).toEqual([]);
    tree.write({ 'nest-cli.json': readFileSync(join(ROOT, 'nest-cli.json'), 'utf8'), 'apps/cli/main.ts': '' });
    expect(missingProjects(tree.root)).toEqual(['standalone']);
    tree.write({ 'apps/standalone/start.ts': '' });
    expect(missingProjects(tree.root)).toEqual(['standalone']);
  });
});

function vagueFolders(root: string): string[] {
  const visit = (folder: string): string[] =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
      .flatMap((entry) => {
        const path = `${folder}/${entry.name}`;
        return /^(common|shared|utils|core|helpers)$/.test(entry.name) ? [path] : visit(path);
      });
  return TREES.filter((top) => existsSync(join(root, top))).flatMap(visit);
}

/** Projects whose root, or (of an application) whose entry file, is not there. */
function missingProjects(root: string): string[] {
  const { projects } = JSON.parse(readFileSync(join(root, 'nest-cli.json'), 'utf8')) as {
    projects: Record<string, { type: string; root: string; entryFile: string; sourceRoot: string }>;
  };
  return Object.entries(projects)
    .filter(([, { type, root: folder, sourceRoot, entryFile }]) => {
      const entry = type === 'application' ? join(sourceRoot, `${entryFile}.ts`) : sourceRoot;
      return ![folder, entry].every((path) => existsSync(join(root, path)));
    })
    .map(([name]) => name);
}

/** A folder with the settings and the packages of this repository, and what is written into it. */
function temporaryTree() {
  const root = mkdtempSync(join(tmpdir(), 'custos-planted-'));
  for (const name of ['package.json', 'tsconfig.json']) cpSync(join(ROOT, name), join(root, name));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  return {
    root,
    copy: (name: string) => cpSync(join(ROOT, name), join(root, name)),
    remove: () => rmSync(root, { recursive: true, force: true }),
    write(files: Files) {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(join(root, dirname(path)), { recursive: true });
        writeFileSync(join(root, path), text);
      }
    },
  };
}

interface Cruise {
  readonly violations: (Violation & { to: string })[];
  readonly edges: string[];
}

async function cruise(root: string): Promise<Cruise> {
  const trees = TREES.filter((tree) => existsSync(join(root, tree)));
  const bin = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs';
  const output = await run(root, [bin, ...trees, '--config', '.dependency-cruiser.cjs', '--output-type', 'json']);
  const { modules, summary } = JSON.parse(output) as {
    modules: { source: string; dependencies: { resolved: string }[] }[];
    summary: { violations: { rule: { name: string }; from: string; to: string }[] };
  };
  return {
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, file: from, to })),
    edges: modules.flatMap(({ source, dependencies }) =>
      dependencies.map(({ resolved }) => `${source} -> ${resolved}`),
    ),
  };
}

async function lint(root: string): Promise<Violation[]> {
  const results = JSON.parse(await run(root, ['node_modules/eslint/bin/eslint.js', '.', '--format', 'json'])) as {
    filePath: string;
    messages: { ruleId: string | null; message: string }[];
  }[];
  return results.flatMap(({ filePath, messages }) =>
    messages.map(({ ruleId, message }) => ({
      file: relative(root, filePath),
      rule: ruleId === null ? message : named(ruleId, message),
    })),
  );
}

/** A rule with several messages is one rule per message; the tool puts its own sentence before ours. */
function named(ruleId: string, message: string): string {
  const own = Object.keys(FORBIDDEN_CODE).find(
    (rule) => rule.startsWith(`${ruleId}: `) && message.endsWith(rule.slice(ruleId.length + 2)),
  );
  return own ?? ruleId;
}

/** Every rule of the blocks of eslint.config.js that are ours, with each message of those that have several. */
async function lintRules(): Promise<string[]> {
  const script = `import config from './eslint.config.js';
    console.log(JSON.stringify(config.filter(({ name }) => name?.startsWith('custos/')).map(({ rules }) => rules)));`;
  const blocks = JSON.parse(await run(ROOT, ['--input-type=module', '--eval', script])) as Record<string, Setting>[];
  return blocks.flatMap((rules) =>
    Object.entries(rules).flatMap(([rule, setting]) => {
      if (!rule.startsWith('no-restricted')) return [rule];
      const [, ...options] = setting as [string, ...Option[]];
      return options
        .flatMap((option) => ('patterns' in option ? option.patterns : [option]))
        .map(({ message }) => `${rule}: ${message}`);
    }),
  );
}

type Setting = string | [string, ...unknown[]];
type Option = { message: string } | { patterns: { message: string }[] };

/** What a script of node prints. Both tools end with an error when there are violations; output is what counts. */
function run(cwd: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, env: { ...process.env, NODE_OPTIONS: '' } });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (errors += String(chunk)));
    child.on('error', reject);
    child.on('close', () => {
      if (output === '') reject(new Error(`${basename(args[0] ?? '')} printed nothing: ${errors}`));
      else resolve(output);
    });
  });
}

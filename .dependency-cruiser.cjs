/*
 * apps -> capabilities -> slice -> read-model, event-log -> key-vault -> database -> kernel
 *
 * Every rule is proved by a planted violation in test/architecture.spec.ts.
 */

const CAPABILITIES = [
  'accountability',
  'assurance',
  'complaint',
  'consent',
  'incident',
  'notice',
  'purpose',
  'request',
  'resilience',
  'retention',
  'sharing',
  'subject',
  'telemetry',
  'use',
  'viewing',
  'visitor-statistics',
];

const BELOW_READ_MODEL = ['kernel', 'calendar', 'database', 'key-vault', 'event-log'];
const BELOW_SLICE = [...BELOW_READ_MODEL, 'read-model', 'access'];

/** What each library below the capabilities may import. */
const MAY_IMPORT = {
  kernel: [],
  calendar: ['kernel'],
  'embedded-event-store': [],
  database: ['kernel'],
  'key-vault': ['kernel', 'database'],
  'event-log': ['kernel', 'database', 'key-vault'],
  'read-model': BELOW_READ_MODEL,
  access: [...BELOW_READ_MODEL, 'read-model', 'slice'],
  slice: BELOW_SLICE,
  'command-bus': [...BELOW_SLICE, 'slice'],
};

const anyOf = (names) => `(${names.join('|')})`;
const library = (...names) => `^libs/${anyOf(names)}/`;
const package_ = (name) => `(^|/)node_modules/${name}/`;
/** Deciders, projections and registers: pure functions over plain data. */
const PURE = '[.](decider|projection|register)[.]ts$';

const layers = Object.entries(MAY_IMPORT).map(([name, below]) => ({
  name: `${name}-imports-only-what-is-below`,
  comment: below.length === 0 ? `${name} imports no other library` : `${name} imports only ${below.join(', ')}`,
  severity: 'error',
  from: { path: library(name) },
  to: { path: '^(libs|apps)/', pathNot: library(name, ...below) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'libs-import-no-app',
      severity: 'error',
      from: { path: '^libs/', pathNot: library(...Object.keys(MAY_IMPORT)) },
      to: { path: '^apps/' },
    },
    {
      name: 'product-imports-no-test',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: '[.]spec[.]tsx?$' },
      to: { path: '^test/' },
    },
    {
      name: 'capabilities-know-no-door',
      comment: 'commands reach a capability through the command bus of Nest, whatever door they came in by',
      severity: 'error',
      from: { path: library(...CAPABILITIES) },
      to: { path: library('command-bus', 'embedded-event-store') },
    },
    {
      name: 'libs-meet-at-their-index',
      comment: 'one library sees of another what its index.ts exports (or the index.ts of its testing or sdk folder)',
      severity: 'error',
      from: { path: '^(libs|apps)/([^/]+)/' },
      to: { path: '^libs/', pathNot: ['^$1/$2/', '^libs/[^/]+/((testing|sdk)/)?index[.]ts$'] },
    },
    {
      name: 'libs-meet-by-name',
      comment: 'another library is imported by its name: #consent, never ../consent/index.js',
      severity: 'error',
      from: { path: '^(libs|apps)/([^/]+)/' },
      to: {
        path: '^libs/[^/]+/((testing|sdk)/)?index[.]ts$',
        pathNot: '^$1/$2/',
        dependencyTypesNot: ['aliased-subpath-import'],
      },
    },
    {
      name: 'rules-import-only-rules',
      comment:
        'deciders, projections and registers import the kernel, the calendar, their own folder, capabilities and access',
      severity: 'error',
      from: { path: `^libs/([^/]+)/.*${PURE}` },
      to: { pathNot: ['^libs/$1/', library('kernel', 'calendar', 'access', ...CAPABILITIES)] },
    },
    {
      name: 'rules-know-no-rim',
      severity: 'error',
      from: { path: PURE },
      to: { path: '[.](capability|controller|module)[.]ts$' },
    },
    {
      name: 'visitors-lead-to-no-person',
      comment: 'no import path from anonymous statistics to identified people (clauses C26, C27)',
      severity: 'error',
      from: { path: library('visitor-statistics') },
      to: { path: library('subject'), reachable: true },
    },
    {
      name: 'only-the-event-log-speaks-to-the-event-store',
      severity: 'error',
      from: { pathNot: '^((libs|test/contract)/event-log|test/bench)/|^test/faults/event-log[.]' },
      to: { path: package_('@eventstore/db-client') },
    },
    {
      name: 'only-stores-open-sqlite',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: library('database', 'key-vault', 'embedded-event-store') },
      to: { path: package_('better-sqlite3') },
    },
    {
      name: 'only-stores-build-sql',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: library('database', 'key-vault', 'read-model', 'access') },
      to: { path: package_('kysely') },
    },
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'imports-resolve', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
    },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|data|coverage)/' },
  },
};

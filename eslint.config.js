import { builtinModules } from 'node:module';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

const SOURCES = ['**/*.{ts,tsx,mts}'];

/** What a rule of the domain may not reach for: time, chance and the world come in as arguments. */
const PURE = ['decider', 'projection', 'policy', 'register'].map((role) => `libs/**/*.${role}.ts`);

const pure = {
  'no-restricted-syntax': [
    'error',
    { selector: 'NewExpression[callee.name="Date"]', message: 'time is an argument: no new Date' },
    { selector: 'CallExpression[callee.name="Date"]', message: 'time is an argument: no Date()' },
    { selector: 'AwaitExpression, ForOfStatement[await=true]', message: 'nothing waits here: no await' },
    { selector: ':function[async=true]', message: 'nothing waits here: no async' },
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'time is an argument: no Date.now' },
    { object: 'Temporal', property: 'Now', message: 'time is an argument: no Temporal.Now' },
    { object: 'Math', property: 'random', message: 'chance is an argument: no Math.random' },
  ],
  'no-restricted-globals': [
    'error',
    { name: 'process', message: 'configuration is an argument: no process' },
    { name: 'performance', message: 'time is an argument: no performance' },
    { name: 'crypto', message: 'identity is an argument: no crypto' },
  ],
  'no-restricted-imports': [
    'error',
    {
      patterns: [
        { regex: `^(node:.*|(${builtinModules.join('|')})(/.*)?)$`, message: 'no node module in a rule of the domain' },
        { regex: '^@nestjs/', message: 'Nest stays at the rim' },
        { regex: '^kysely(/|$)', message: 'rules know no database' },
      ],
    },
  ],
};

/** Every rule of a block named `custos/` is proved by a planted violation in test/architecture.spec.ts. */
export default tseslint.config(
  { ignores: ['dist', 'data', 'coverage', '**/dist'] },
  ...tseslint.configs.recommended,
  {
    name: 'custos/sources',
    files: SOURCES,
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },
  {
    name: 'custos/console',
    files: SOURCES,
    ignores: ['apps/cli/**', 'apps/**/demo/**', '**/demo.ts', '**/main.ts'],
    rules: { 'no-console': 'error' },
  },
  { name: 'custos/pure', files: PURE, rules: pure },
  prettier,
);

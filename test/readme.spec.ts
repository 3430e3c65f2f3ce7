import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS } from '../apps/configuration.js';
import { Installation } from './installation.js';

const ROOT = join(import.meta.dirname, '..');
const TEXTS = ['README.md', 'CONTRIBUTING.md', ...designs()];
const README = text('README.md');
const { scripts: SCRIPTS } = JSON.parse(text('package.json')) as { scripts: Record<string, string> };

function text(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function designs(): string[] {
  return readdirSync(join(ROOT, 'libs'))
    .map((library) => join('libs', library, 'DESIGN.md'))
    .filter((path) => existsSync(join(ROOT, path)));
}

const examples = [...README.matchAll(/```sh example\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');

describe('the documentation', () => {
  it.each(TEXTS)('%s names only scripts that exist', (path) => {
    const named = [...text(path).matchAll(/\bnpm (?:run (?:-s |--silent )?([a-z:]+)|(start|test))/g)].map(
      (match) => match[1] ?? match[2] ?? '',
    );
    expect(named.filter((script) => SCRIPTS[script] === undefined)).toEqual([]);
  });

  it.each(TEXTS)('%s names only files that exist', (path) => {
    const folder = join(ROOT, path, '..');
    const links = [...text(path).matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => join(folder, match[1] ?? ''));
    const specs = [...text(path).matchAll(/`((?:libs|test|apps)\/[\w./-]+\.[a-z]+)`/g)].map((match) =>
      join(ROOT, match[1] ?? ''),
    );
    expect([...links, ...specs].filter((file) => !existsSync(file))).toEqual([]);
  });

  it('has a DESIGN.md for every infrastructure library', () => {
    for (const library of [
      'access',
      'command-bus',
      'embedded-event-store',
      'event-log',
      'key-vault',
      'read-model',
      'slice',
    ])
      expect(designs()).toContain(join('libs', library, 'DESIGN.md'));
  });

  it('lists exactly the settings that the product knows', () => {
    const rows = README.slice(README.indexOf('## Settings'), README.indexOf('In a container'));
    const named = new Set([...rows.matchAll(/`([A-Z]+_?[A-Z]+(?:_[A-Z]+)*)(?:=[^`]*)?`/g)].map((match) => match[1]));
    expect([...named].sort()).toEqual(Object.keys(SETTINGS).sort());
  });
});

describe('the first conversation of the README', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start();
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  it('goes as it is written', () => {
    expect(examples).toHaveLength(2);
    const run = spawnSync('bash', ['-euo', 'pipefail', '-c', examples.join('\n')], {
      cwd: ROOT,
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        URL: custos.url,
        OPERATOR: custos.token('operator'),
        DATA_DIR: custos.dataDir,
      },
    });
    expect(run.stderr).not.toMatch(/error|not found/i);
    expect(run.status).toBe(0);
    const answers = run.stdout
      .split('\n')
      .filter((line) => line.startsWith('{"accepted"'))
      .map((line) => JSON.parse(line) as { accepted: boolean; code?: string });
    expect(answers.map(({ accepted, code }) => (accepted ? 'accepted' : code))).toEqual([
      'accepted',
      'accepted',
      'accepted',
      'NOTICE_NOT_PRESENTED',
      'accepted',
      'accepted',
    ]);
    const printed = JSON.parse(/```json\n([\s\S]*?)```/.exec(README)?.[1] ?? '{}') as object;
    expect(answers[3]).toMatchObject(printed);
    expect(run.stdout.match(/"category": ?"contact\.email"/g)).toHaveLength(2);
  });
});

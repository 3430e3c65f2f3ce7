import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { Ajv } from 'ajv';
import { DockerfileParser, type Instruction, type JSONInstruction } from 'dockerfile-ast';
import { parse } from 'yaml';

/*
 * What can be checked of docker/ without an engine. Each check gives problems by name, and each is proved by a
 * planted violation: the real text with one change.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

const DOCKERFILE = read('docker/Dockerfile');
const IGNORED = read('.dockerignore');
const COMPOSE = read('docker/compose.yaml');

const DOCKERFILE_PROBLEMS = [
  'runs as root',
  'image without a tag',
  'has one stage',
  'installs in the final stage',
  'secret in ENV',
  'secret in ARG',
  'no npm ci',
  'copies what is not there',
  'copies what .dockerignore keeps out',
  'copies from an unknown stage',
  'starts no app',
  'no health check',
] as const;

const COMPOSE_PROBLEMS = [
  'outside the schema',
  'depends on an unknown service',
  'waits for a service without a health check',
  'volume is not declared',
  'volume is not used',
  'image without a tag',
  'port open beyond loopback',
  'builds from a file that is not there',
  'publishes a port the image does not expose',
] as const;

/** Whether a path of the repository exists. Plants are judged as if the app stood there already. */
type Exists = (path: string) => boolean;
const inRepository: Exists = (path) => existsSync(join(ROOT, path));
const withTheApp: Exists = (path) => path === 'apps/standalone/main.ts' || inRepository(path);

type Change = readonly [from: string | RegExp, to: string];
/** A problem, the change that brings it, and further problems the same change cannot avoid. */
type Plant = readonly [problem: string, change: Change, ...more: string[]];

/** The text with one change; a change that changes nothing proves nothing. */
function changed(text: string, [from, to]: Change): string {
  const result = text.replace(from, to);
  if (result === text) throw new Error(`nothing to change: ${String(from)}`);
  return result;
}

describe('the Dockerfile', () => {
  const planted: readonly Plant[] = [
    ['runs as root', ['USER node\n', '']],
    ['runs as root', ['USER node\n', 'USER root\n']],
    ['runs as root', ['USER node\n', 'USER 0:0\n']],
    ['image without a tag', [/node:20-bookworm-slim$/m, 'node']],
    ['image without a tag', [/node:20-bookworm-slim AS/, 'node:latest AS']],
    ['has one stage', [/FROM node:20-bookworm-slim\n/, ''], 'installs in the final stage'],
    ['installs in the final stage', ['USER node\n', 'RUN apt-get install --yes curl\nUSER node\n']],
    ['secret in ENV', ['ENV NODE_ENV=production', 'ENV NODE_ENV=production MASTER_KEY=planted']],
    ['secret in ARG', ['WORKDIR /app\nCOPY package.json', 'ARG NPM_TOKEN\nWORKDIR /app\nCOPY package.json']],
    ['no npm ci', ['RUN npm ci\n', 'RUN npm install\n']],
    ['copies what is not there', ['COPY libs ./libs', 'COPY libs/planted ./libs']],
    ['copies what .dockerignore keeps out', ['COPY libs ./libs', 'COPY libs test ./libs']],
    ['copies from an unknown stage', ['--from=build /app/dist', '--from=builder /app/dist']],
    ['starts no app', ['dist/apps/standalone/main.js', 'dist/apps/standalone/start.js']],
    ['starts no app', [/CMD \["node", "dist.*\n/, 'CMD node dist/apps/standalone/main.js\n']],
    ['no health check', [/HEALTHCHECK [^]*?CMD/, 'CMD']],
  ];

  it('has no problem', () => {
    expect(dockerfileProblems(DOCKERFILE, inRepository)).toEqual([]);
  });

  it.each(planted)('%s: is found where it is planted (%j)', (problem, change, ...more) => {
    expect(new Set(dockerfileProblems(changed(DOCKERFILE, change), withTheApp))).toEqual(new Set([problem, ...more]));
  });

  it('has a planted violation for every check', () => {
    expect(new Set(planted.map(([problem]) => problem))).toEqual(new Set(DOCKERFILE_PROBLEMS));
  });
});

describe('the compose file', () => {
  const planted: readonly Plant[] = [
    ['outside the schema', ['    init: true', '    privileged: true']],
    ['outside the schema', ["PORT: '4000'", 'PORT: 4000']],
    ['depends on an unknown service', [/depends_on:\n {6}eventstore:/, 'depends_on:\n      event-store:']],
    ['waits for a service without a health check', [/ {4}healthcheck:\n {6}test: \[CMD, redis[^]*?12\n/, '']],
    ['volume is not declared', ['  redis-data: {}\n', '']],
    ['volume is not used', ['  redis-data: {}\n', '  redis-data: {}\n  planted-data: {}\n']],
    ['image without a tag', ['redis:7.4-bookworm', 'redis']],
    ['image without a tag', ['redis:7.4-bookworm', 'redis:latest']],
    ['port open beyond loopback', ['127.0.0.1:2113:2113', '2113:2113']],
    ['port open beyond loopback', ['127.0.0.1:4000:4000', '0.0.0.0:4000:4000']],
    ['builds from a file that is not there', ['docker/Dockerfile\n    image', 'docker/Containerfile\n    image']],
    ['publishes a port the image does not expose', ['127.0.0.1:4000:4000', '127.0.0.1:4000:4001']],
  ];

  it('has no problem', () => {
    expect(composeProblems(COMPOSE)).toEqual([]);
  });

  it.each(planted)('%s: is found where it is planted (%j)', (problem, change, ...more) => {
    expect(new Set(composeProblems(changed(COMPOSE, change)))).toEqual(new Set([problem, ...more]));
  });

  it('has a planted violation for every check', () => {
    expect(new Set(planted.map(([problem]) => problem))).toEqual(new Set(COMPOSE_PROBLEMS));
  });
});

function dockerfileProblems(text: string, exists: Exists): string[] {
  const file = DockerfileParser.parse(text);
  const instructions = file.getInstructions();
  const final = instructions.slice(instructions.findLastIndex((one) => one.getKeyword() === 'FROM'));
  const all = (keyword: string, within = instructions) => within.filter((one) => one.getKeyword() === keyword);
  const argumentsOf = (one: Instruction) => one.getArguments().map((argument) => argument.getValue());
  const runs = (within: Instruction[]) => all('RUN', within).map((one) => one.getArgumentsContent() ?? '');
  const stages = file.getFROMs().map((one) => one.getBuildStage());

  const user = all('USER', final).at(-1)?.getArgumentsContent()?.split(':')[0] ?? 'root';
  const copies = file.getCOPYs().map((one) => ({
    from: one.getFromFlag()?.getValue() ?? null,
    sources: argumentsOf(one).slice(0, -1),
  }));
  const sources = copies.filter(({ from }) => from === null).flatMap((copy) => copy.sources);
  const command = (all('CMD', final).at(-1) as JSONInstruction | undefined)
    ?.getJSONStrings()
    .map((text) => text.getJSONValue());
  const entry = /^dist\/(apps\/.+)\.js$/.exec(command?.[1] ?? '')?.[1];

  const problems: Record<(typeof DOCKERFILE_PROBLEMS)[number], boolean> = {
    'runs as root': /^(root|0)$/.test(user),
    'image without a tag': file.getFROMs().some((one) => !isPinned(one.getImage() ?? '')),
    'has one stage': stages.length < 2,
    'installs in the final stage': runs(final).some((run) => /apt-get|npm (ci|install)/.test(run)),
    'secret in ENV': file.getENVs().some((one) => one.getProperties().some((property) => isSecret(property.getName()))),
    'secret in ARG': file.getARGs().some((one) => isSecret(one.getProperty()?.getName() ?? '')),
    'no npm ci':
      !runs(instructions).some((run) => /\bnpm ci\b/.test(run)) ||
      runs(instructions).some((run) => /npm install/.test(run)),
    'copies what is not there': sources.some((source) => !exists(source)),
    'copies what .dockerignore keeps out': sources.some(
      (source) => !IGNORED.split('\n').includes(`!${source.split('/')[0]}`),
    ),
    'copies from an unknown stage': copies.some(({ from }) => from !== null && !stages.includes(from)),
    'starts no app': command?.[0] !== 'node' || entry === undefined || !exists(`${entry}.ts`),
    'no health check': all('HEALTHCHECK', final).length === 0,
  };
  return namesOf(problems);
}

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
}

function composeProblems(text: string): string[] {
  const compose = parse(text) as { services: Record<string, Service>; volumes: Record<string, object> };
  const matches = new Ajv({ allErrors: true }).compile(JSON.parse(read('test/compose.schema.json')) as object);
  const services = Object.values(compose.services);
  const awaited = services.flatMap((service) => Object.entries(service.depends_on ?? {}));
  const used = services.flatMap((service) => service.volumes ?? []).map((mount) => mount.split(':')[0] ?? '');
  const built = services.filter((service) => service.build !== undefined);
  const exposed = DockerfileParser.parse(DOCKERFILE)
    .getInstructions()
    .filter((one) => one.getKeyword() === 'EXPOSE')
    .map((one) => one.getArgumentsContent());

  const problems: Record<(typeof COMPOSE_PROBLEMS)[number], boolean> = {
    'outside the schema': !matches(compose),
    'depends on an unknown service': awaited.some(([name]) => !(name in compose.services)),
    'waits for a service without a health check': awaited.some(
      ([name, { condition }]) =>
        condition === 'service_healthy' &&
        name in compose.services &&
        compose.services[name]?.healthcheck === undefined,
    ),
    'volume is not declared': used.some((name) => !(name in compose.volumes)),
    'volume is not used': Object.keys(compose.volumes).some((name) => !used.includes(name)),
    'image without a tag': services.some((service) => !isPinned(service.image)),
    'port open beyond loopback': services.some((service) =>
      service.ports?.some((port) => !port.startsWith('127.0.0.1:')),
    ),
    'builds from a file that is not there': built.some(
      ({ build }) => build !== undefined && !existsSync(join(ROOT, 'docker', build.context, build.dockerfile)),
    ),
    'publishes a port the image does not expose': built.some((service) =>
      service.ports?.some((port) => !exposed.includes(port.split(':').at(-1) ?? '')),
    ),
  };
  return namesOf(problems);
}

function namesOf(problems: Record<string, boolean>): string[] {
  return Object.entries(problems)
    .filter(([, found]) => found)
    .map(([name]) => name);
}

const isPinned = (image: string) => /:[^/]+$/.test(image) && !image.endsWith(':latest');
const isSecret = (name: string) => /PASSWORD|SECRET|TOKEN|CREDENTIAL|(^|_)KEY$/i.test(name);

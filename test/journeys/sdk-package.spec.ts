import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Installation } from '../installation.js';
import { describeWithRedis, RedisServer } from '../redis.js';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');
const SDK = join(ROOT, 'libs', 'command-bus', 'sdk');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');

/** A package of `node_modules` and all that it depends on, by folder. */
function withDependencies(name: string, found = new Map<string, string>()): Map<string, string> {
  if (found.has(name)) return found;
  const folder = join(ROOT, 'node_modules', name);
  found.set(name, folder);
  const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>;
  };
  for (const each of Object.keys(dependencies)) withDependencies(each, found);
  return found;
}

const SCRIPT = `
import { CustosClient, type Answer, type RefusalCode } from 'custos-client';

const [url = '', token = '', redisUrl = '', subjectId = ''] = process.argv.slice(2);
const custos = new CustosClient({ url, token, ...(redisUrl !== '' && { redisUrl }), name: 'stranger' });
const wrong = () =>
  // @ts-expect-error a capacity that nobody has
  custos.send('RegisterSubject', { subjectId, capacity: 'king' });
// @ts-expect-error a command that nobody knows
const unknown = () => custos.send('InventData', {});
if (process.argv.length > 9) await Promise.all([wrong(), unknown()]);
const codeOf = (answer: Answer): RefusalCode | undefined => (answer.accepted ? undefined : answer.code);
const answers = [
  await custos.send('RegisterSubject', { subjectId, capacity: 'individual' }),
  await custos.send('AuthoriseUse', { subjectId, purposeId: 'product-news', channel: 'email', itemIds: [subjectId] }),
];
console.log(JSON.stringify(answers.map((answer) => codeOf(answer) ?? 'accepted')));
await custos.close();
`;

/** The SDK as another project gets it: packed, installed into an empty folder, compiled and run there. */
describeWithRedis('the package of the SDK', () => {
  const folder = mkdtempSync(join(tmpdir(), 'custos-sdk-'));
  const [built, project] = [join(folder, 'sdk'), join(folder, 'project')];
  let redis: RedisServer;
  let custos: Installation;

  beforeAll(async () => {
    [redis, custos] = await RedisServer.start().then(
      async (server) => [server, await Installation.start(undefined, { REDIS_URL: server.url })] as const,
    );
  }, 90_000);

  afterAll(async () => {
    await custos?.remove();
    await redis?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it('holds what a project needs, and nothing of the engine', async () => {
    await run(process.execPath, [TSC, '-p', SDK, '--outDir', built]);
    for (const file of ['package.json', 'README.md']) copyFileSync(join(SDK, file), join(built, file));
    copyFileSync(join(ROOT, 'LICENSE'), join(built, 'LICENSE'));
    const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: built });
    const [packed] = JSON.parse(stdout) as [{ files: { path: string }[] }];
    const files = packed.files.map(({ path }) => path);
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'index.js', 'index.d.ts']));
    const sources = files.filter((path) => path.endsWith('.js')).map((path) => readFileSync(join(built, path), 'utf8'));
    const imported = sources.flatMap((text) => [...text.matchAll(/from '([^.'][^']*)'/g)].map(([, name]) => name));
    expect(new Set(imported)).toEqual(new Set(['node:crypto', 'node:events', 'ioredis']));
  }, 120_000);

  it('is installed into an empty project, and a script compiles against its types', async () => {
    mkdirSync(project);
    writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }));
    writeFileSync(join(project, 'script.ts'), SCRIPT);
    // What it depends on is packed from here: the test asks no registry.
    const needed = [...withDependencies('@types/node', withDependencies('ioredis')).values()];
    const packs = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, ...needed]);
    const tarballs = (JSON.parse(packs.stdout) as { filename: string }[]).map(({ filename }) => join(folder, filename));
    const { version } = JSON.parse(readFileSync(join(SDK, 'package.json'), 'utf8')) as { version: string };
    const all = [join(folder, `custos-client-${version}.tgz`), ...tarballs];
    await run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...all], { cwd: project });
    const settings = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
    await run(process.execPath, [TSC, ...settings, '--exactOptionalPropertyTypes', 'script.ts'], { cwd: project });
  }, 180_000);

  it.each(['bus', 'http'])(
    'and sends typed commands over %s',
    async (way) => {
      const subjectId = crypto.randomUUID();
      const redisUrl = way === 'bus' ? redis.url : '';
      const args = ['script.js', custos.url, custos.token('crm'), redisUrl, subjectId];
      const { stdout } = await run(process.execPath, args, { cwd: project });
      expect(JSON.parse(stdout)).toEqual(['accepted', expect.stringMatching(/^[A-Z_]+$/)]);
    },
    60_000,
  );
});

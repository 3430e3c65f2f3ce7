/**
 * Makes a checkout ready with nothing but Node and npm: installs what the lock file names when it is not installed,
 * and builds what is older than its source. Does nothing, quickly, when all is ready.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const INSTALLED = join(ROOT, 'node_modules', '.custos-lock');
const BUILT = join(ROOT, 'dist', '.built');

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`Custos needs Node 20.19 or newer; this is ${process.versions.node}.\n`);
  process.exit(1);
}

const lock = createHash('sha256')
  .update(readFileSync(join(ROOT, 'package-lock.json')))
  .digest('hex');
if (!existsSync(INSTALLED) || readFileSync(INSTALLED, 'utf8') !== lock) {
  process.stderr.write('Installing packages (better-sqlite3 is compiled, which takes a minute or two) ...\n');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(INSTALLED, lock);
}

if (!existsSync(BUILT) || newest(['apps', 'libs', '.swcrc', 'package-lock.json']) > statSync(BUILT).mtimeMs) {
  process.stderr.write('Building ...\n');
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  run('npm', ['run', '--silent', 'build']);
  mkdirSync(join(ROOT, 'dist'), { recursive: true });
  writeFileSync(BUILT, '');
}

/** Runs a program to its end; its failure is ours. */
function run(program, args) {
  const { status, error } = spawnSync(program, args, {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (error) process.stderr.write(`${program}: ${error.message}\n`);
  if (status !== 0) process.exit(1);
}

/** When the newest of these files, and of the files in these folders, was changed: milliseconds since the epoch. */
function newest(paths) {
  return Math.max(
    ...paths.map((path) => {
      const file = join(ROOT, path);
      const stat = statSync(file);
      return stat.isDirectory()
        ? Math.max(stat.mtimeMs, newest(readdirSync(file).map((name) => join(path, name))))
        : stat.mtimeMs;
    }),
    0,
  );
}

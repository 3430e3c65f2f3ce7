import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const LIBRARY = 'libs/embedded-event-store';

const modifiedAt = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );

/** The built entry of the event store; builds what is missing or older than its source. */
async function builtMain(): Promise<string> {
  const out = join(root, 'dist', LIBRARY);
  await mkdir(out, { recursive: true });
  for (const name of await readdir(join(root, LIBRARY))) {
    if (!name.endsWith('.ts') || name.endsWith('.spec.ts')) continue;
    const source = join(root, LIBRARY, name);
    const target = join(out, name.replace(/ts$/, 'js'));
    if ((await modifiedAt(target)) > (await modifiedAt(source))) continue;
    const { code } = await transformFile(source, { configFile: join(root, '.swcrc'), sourceMaps: false });
    const temporary = `${target}.${process.pid}`;
    await writeFile(temporary, code);
    await rename(temporary, target);
  }
  return join(out, 'main.js');
}

/** An event store in a process of its own. */
export interface ChildStore {
  readonly process: ChildProcess;
  readonly port: number;
  readonly url: string;
  /** Resident memory in bytes. */
  memory(): Promise<number>;
  /** Sends the signal and waits for the end. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<Exit>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ChildOptions {
  readonly dir: string;
  readonly args?: readonly string[];
  /** No file may grow beyond this; the kernel refuses the write. Multiple of 1024. */
  readonly maxFileBytes?: number;
  /** Connects the two processes as `fork` does. */
  readonly ipc?: boolean;
}

/** Starts the event store; `exit` resolves when it ends, `ready` when it serves. */
export async function spawnStore(options: ChildOptions): Promise<{
  readonly process: ChildProcess;
  readonly ready: Promise<ChildStore>;
  readonly exit: Promise<Exit>;
}> {
  const main = await builtMain();
  const args = ['--enable-source-maps', main, '--data', options.dir, ...(options.args ?? [])];
  const stdio: ('ignore' | 'pipe' | 'ipc')[] = ['ignore', 'pipe', 'pipe', ...(options.ipc ? (['ipc'] as const) : [])];
  // What a test runner has put there for its own children would confuse this one.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_')));
  const child =
    options.maxFileBytes === undefined
      ? spawn(process.execPath, args, { stdio, env })
      : spawn('bash', ['-c', `ulimit -f ${options.maxFileBytes / 1024}; exec "$0" "$@"`, process.execPath, ...args], {
          stdio,
          env,
        });
  let stdout = '';
  let stderr = '';
  child.stderr?.on('data', (data: Buffer) => (stderr += data.toString()));
  // Not 'close': it does not come when the parent has disconnected first.
  const said = [child.stdout, child.stderr].map((stream) => new Promise((resolve) => stream?.once('end', resolve)));
  const exit = new Promise<Exit>((resolve) =>
    child.once('exit', (code, signal) => void Promise.all(said).then(() => resolve({ code, signal, stdout, stderr }))),
  );
  const ready = new Promise<ChildStore>((resolve, reject) => {
    child.stdout?.on('data', (data: Buffer) => {
      stdout += data.toString();
      if (!stdout.includes('\n')) return;
      const { port } = JSON.parse(stdout.split('\n')[0] as string) as { port: number };
      resolve({
        process: child,
        port,
        url: `esdb://127.0.0.1:${port}?tls=false`,
        memory: async () => {
          const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
          return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
        },
        end: (signal) => {
          child.kill(signal);
          return exit;
        },
      });
    });
    void exit.then(() => reject(new Error(`the event store did not start: ${stderr}`)));
  });
  ready.catch(() => undefined);
  return { process: child, ready, exit };
}

export const startChild = async (options: ChildOptions): Promise<ChildStore> => (await spawnStore(options)).ready;

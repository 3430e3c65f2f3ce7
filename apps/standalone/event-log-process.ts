import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The embedded event log in a process of its own: its crash is not ours, and its memory neither. */
export interface EventLogProcess {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

const PAUSE_BEFORE_RESTART = 200;
/** How long a predecessor that was killed may take to give the folder back, in milliseconds. */
const PATIENCE_WITH_PREDECESSOR = 10_000;

/**
 * Starts the embedded event log over a folder and keeps it running: when it dies, it is started again on the same
 * port, and the client reconnects.
 *
 * @param onLost called when it cannot be started again.
 * @throws Error with the child's own one-line reason when it does not start.
 */
export async function startEventLogProcess(
  dataDir: string,
  port: number,
  onLost: (error: Error) => void,
): Promise<EventLogProcess> {
  let stopping = false;
  let child: ChildProcess;
  const launch = async (wanted: number): Promise<number> => {
    const entry = entryPoint();
    const started = fork(entry, ['--data', dataDir, '--port', String(wanted)], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    child = started;
    let complaint = '';
    started.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2_000)));
    const bound = await Promise.race([
      once(started, 'message').then(([message]) => (message as { port: number }).port),
      once(started, 'exit').then(() => {
        throw new Error(complaint.trim() || 'the embedded event log did not start');
      }),
    ]);
    started.on('exit', () => {
      if (stopping) return;
      setTimeout(() => {
        if (!stopping) launch(bound).catch(onLost);
      }, PAUSE_BEFORE_RESTART);
    });
    return bound;
  };
  const deadline = Date.now() + PATIENCE_WITH_PREDECESSOR;
  const launchWhenFree = (wanted: number): Promise<number> =>
    launch(wanted).catch(async (error: Error) => {
      if (!error.message.includes('in use') || stopping || Date.now() > deadline) throw error;
      await wait(PAUSE_BEFORE_RESTART);
      return launchWhenFree(wanted);
    });
  const bound = await launchWhenFree(port);
  return {
    url: `esdb://127.0.0.1:${bound}?tls=false`,
    port: bound,
    async stop() {
      stopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** The built entry. When the sources run themselves (tests), the build stands in `dist` beside them. */
function entryPoint(): string {
  const built = ['../../libs/embedded-event-store/main.js', '../../dist/libs/embedded-event-store/main.js']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(path));
  if (built === undefined) throw new Error('the embedded event log is not built: run `npm run build`');
  return built;
}

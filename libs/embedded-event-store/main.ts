/**
 * The event store as a process of its own: `node main.js --data DIR [--port N] [--host H] [--sync loop|threadpool]`.
 *
 * Ready: one line `{"ready":true,"port":N}` on stdout, and the same object to a parent that has forked it. SIGTERM,
 * SIGINT or the parent's going away stop it gracefully with exit code 0. A start that fails says why in one line on
 * stderr and exits with code 1.
 */
import { parseArgs } from 'node:util';
import { startEmbeddedEventStore } from './server.js';

try {
  const { values } = parseArgs({
    options: {
      data: { type: 'string' },
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      sync: { type: 'string', default: 'loop' },
      'segment-bytes': { type: 'string', default: String(256 * 1024 * 1024) },
    },
  });
  const { data, host, sync } = values;
  const number = (name: 'port' | 'segment-bytes', max: number): number => {
    const value = Number(values[name]);
    if (!/^\d+$/.test(values[name]) || value > max)
      throw new Error(`--${name} ${values[name]} is not a number up to ${max}`);
    return value;
  };
  if (data === undefined) throw new Error('--data DIR is missing');
  if (sync !== 'loop' && sync !== 'threadpool') throw new Error(`--sync ${sync} is neither loop nor threadpool`);
  const store = await startEmbeddedEventStore({
    dataDir: data,
    host,
    port: number('port', 65_535),
    segmentBytes: number('segment-bytes', Number.MAX_SAFE_INTEGER),
    sync,
  });
  const stop = (): void => {
    store.stop().then(
      () => process.exit(0),
      (error: Error) => fail(error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('disconnect', stop);
  const ready = { ready: true, port: store.port };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  process.send?.(ready);
} catch (error) {
  fail(error as Error);
}

function fail(error: Error): void {
  process.stderr.write(`event store: ${error.message.replaceAll('\n', ' ')}\n`);
  process.exit(1);
}

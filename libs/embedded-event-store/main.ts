/**
 * The event store as a process of its own: `node main.js --data DIR [--port N] [--host H] [--sync loop|threadpool]
 * [--tls-cert FILE --tls-key FILE [--users FILE]] [--health-port N [--health-host H]]`.
 *
 * Ready: one line `{"ready":true,"port":N}` on stdout, with `healthPort` if there is one, and the same object to a
 * parent that has forked it. SIGTERM, SIGINT or the parent's going away stop it gracefully with exit code 0. A start
 * that fails says why in one line on stderr and exits with code 1.
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
      'tls-cert': { type: 'string' },
      'tls-key': { type: 'string' },
      users: { type: 'string' },
      'health-port': { type: 'string' },
      'health-host': { type: 'string', default: '127.0.0.1' },
    },
  });
  const { data, host, sync } = values;
  const number = (name: 'port' | 'segment-bytes' | 'health-port', max: number): number => {
    const given = values[name] ?? '';
    if (!/^\d+$/.test(given) || Number(given) > max) throw new Error(`--${name} ${given} is not a number up to ${max}`);
    return Number(given);
  };
  if (data === undefined) throw new Error('--data DIR is missing');
  if (sync !== 'loop' && sync !== 'threadpool') throw new Error(`--sync ${sync} is neither loop nor threadpool`);
  const { 'tls-cert': certFile, 'tls-key': keyFile } = values;
  if ((certFile === undefined) !== (keyFile === undefined)) throw new Error('--tls-cert and --tls-key go together');
  const store = await startEmbeddedEventStore({
    dataDir: data,
    host,
    port: number('port', 65_535),
    segmentBytes: number('segment-bytes', Number.MAX_SAFE_INTEGER),
    sync,
    tls: certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile },
    users: values.users,
    healthPort: values['health-port'] === undefined ? undefined : number('health-port', 65_535),
    healthHost: values['health-host'],
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
  const { port, healthPort } = store;
  const ready = { ready: true, port, ...(healthPort !== undefined && { healthPort }) };
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  process.send?.(ready);
} catch (error) {
  fail(error as Error);
}

function fail(error: Error): void {
  process.stderr.write(`event store: ${error.message.replaceAll('\n', ' ')}\n`);
  process.exit(1);
}

/**
 * Health over plain HTTP/1.1 on a port of its own, for supervisors that speak nothing else. Nothing in the answers is
 * about what is stored.
 *
 *     GET /health/live    200 {"live":true} as long as the process answers
 *     GET /health/ready   200 {"ready":true}, 503 {"ready":false,"reason":"..."}
 *
 * Ready: appends are taken. A full disk leaves a server ready, because reads are served and the next append is tried;
 * its answer then has the reason in `lastAppend`.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** `refusal`: why no append can succeed. `failure`: why the last one did not reach the disk. */
export type Readiness = () => { readonly refusal?: string | undefined; readonly failure?: string | undefined };

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

const PATIENCE_MS = 5000;

/** @throws the error of the listening socket */
export async function serveHealth(host: string, port: number, readiness: Readiness): Promise<HealthServer> {
  const server = http.createServer(
    { headersTimeout: PATIENCE_MS, requestTimeout: PATIENCE_MS, maxHeaderSize: 8192, keepAliveTimeout: PATIENCE_MS },
    (request, response) => {
      const [status, body] = answer(request.method ?? '', request.url ?? '', readiness);
      const text = `${JSON.stringify(body)}\n`;
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : text);
      request.resume();
    },
  );
  server.maxConnections = 100;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(method: string, url: string, readiness: Readiness): [status: number, body: object] {
  const path = url.split('?')[0];
  if (path !== '/health/live' && path !== '/health/ready') return [404, { error: 'no such path' }];
  if (method !== 'GET' && method !== 'HEAD') return [405, { error: 'GET only' }];
  if (path === '/health/live') return [200, { live: true }];
  const { refusal, failure } = readiness();
  if (refusal !== undefined) return [503, { ready: false, reason: refusal }];
  return [200, failure === undefined ? { ready: true } : { ready: true, lastAppend: failure }];
}

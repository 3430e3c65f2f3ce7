/**
 * What an operator asks of a running event store: HTTP over the socket `admin.sock` in its data folder.
 *
 * The folder belongs to one process, so only that process can change it. It is asked there and not on its port because
 * whoever may read the folder may do all this anyway: the mode of the socket, 0600, is the authorisation, and a client of
 * the log has no way to it. HTTP because both ends of it come with Node.
 *
 *     GET  /stats
 *     POST /backup    {"to": absolute path}
 *     POST /scavenge  {}
 *     POST /redact    {"stream": name, "revision": n} or {"position": n}
 *
 * 200 with the report; 422 with `{"error"}` for what cannot be done as asked; 500 with `{"error"}` when it has failed.
 */
import fs from 'node:fs';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { backup, NotPossible } from './backup.js';
import type { EventLog } from './event-log.js';
import { NotRedactable, redact, type EventReference } from './redaction.js';
import { scavenge } from './scavenge.js';
import { stats } from './stats.js';

const SOCKET = 'admin.sock';
/** What an address of a socket has room for, on any system. */
const MAX_ADDRESS_BYTES = 100;
const MAX_REQUEST_BYTES = 64 * 1024;

type Answer = (log: EventLog, body: Record<string, unknown>) => Promise<unknown>;

const ANSWERS: Readonly<Record<string, Answer>> = {
  'GET /stats': (log) => Promise.resolve(stats(log)),
  'POST /backup': (log, { to }) => backup(log, String(to)),
  'POST /scavenge': (log) => scavenge(log, Date.now()),
  'POST /redact': (log, body) => redact(log, body as EventReference),
};

/** Nobody answers at the folder's socket. */
export class NobodyThere extends Error {}

/** Opens the socket; the caller owns the folder. @returns closes it, after the answers under way */
export async function openAdmin(dir: string, log: EventLog): Promise<() => Promise<void>> {
  // There are no such sockets: an operator stops the server, and the folder's next owner does the work.
  if (process.platform === 'win32') return () => Promise.resolve();
  // What a process that was killed has left behind.
  fs.rmSync(join(dir, SOCKET), { force: true });
  const server = createServer((incoming, response) => void serve(log, incoming, response));
  server.requestTimeout = 0;
  await atAddress(dir, (path) => listen(server, path));
  server.on('error', () => undefined);
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeIdleConnections();
    });
}

/** The socket is never there with another mode than 0600: binding takes place before `listen` returns. */
async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const umask = process.umask(0o177);
    try {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}

async function serve(log: EventLog, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  let status = 200;
  let report: unknown;
  try {
    const answer = ANSWERS[`${incoming.method} ${incoming.url}`];
    if (!answer) throw new NotPossible('there is no such request');
    report = await answer(log, await bodyOf(incoming));
  } catch (error) {
    status = error instanceof NotPossible || error instanceof NotRedactable ? 422 : 500;
    report = { error: (error as Error).message };
  }
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify(report));
}

async function bodyOf(incoming: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of incoming) {
    text += String(chunk);
    if (text.length > MAX_REQUEST_BYTES) throw new NotPossible('the request is too long');
  }
  try {
    return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  } catch {
    throw new NotPossible('the request is not JSON');
  }
}

/**
 * Asks the process that owns a folder.
 *
 * @throws NobodyThere; NotPossible with the reason when it cannot be done as asked; Error when it has failed
 */
export async function ask<T>(dir: string, method: 'GET' | 'POST', path: string, body: object = {}): Promise<T> {
  const { status, text } = await atAddress(dir, (socketPath) => send(socketPath, method, path, body)).catch(
    (error: NodeJS.ErrnoException) => {
      const nobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR';
      throw nobody ? new NobodyThere(`no event store answers for ${dir}`) : error;
    },
  );
  const report = JSON.parse(text) as T & { error?: string };
  if (status === 200) return report;
  throw status === 422 ? new NotPossible(report.error) : new Error(report.error);
}

const send = (socketPath: string, method: string, path: string, body: object) =>
  new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode, text }));
    });
    outgoing.on('error', reject);
    outgoing.end(method === 'GET' ? undefined : JSON.stringify(body));
  });

/** The socket's address; by way of an open folder when the path is longer than an address may be. */
async function atAddress<T>(dir: string, use: (path: string) => Promise<T>): Promise<T> {
  const path = join(dir, SOCKET);
  if (Buffer.byteLength(path) <= MAX_ADDRESS_BYTES) return use(path);
  const folder = fs.openSync(dir, 'r');
  try {
    return await use(`/proc/self/fd/${folder}/${SOCKET}`);
  } finally {
    fs.closeSync(folder);
  }
}

import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import helmet from '@fastify/helmet';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { limitRates, type RateLimits } from './rate-limit.js';

/** What the door needs to know of the world outside. */
export interface HttpSettings {
  readonly limits: RateLimits;
  /** Origins whose pages may ask; none when empty. */
  readonly corsOrigins: readonly string[];
  /** Addresses whose `X-Forwarded-For` is believed; nobody's when empty. */
  readonly trustedProxies: readonly string[];
}

interface Parts extends HttpSettings {
  readonly redisUrl?: string;
  /** See `limitRates`. */
  readonly nameOf: (text: string) => string;
}

/** As large as an append to the event log: a disclosure about 10,000 people names each of them (390 kB). */
export const LARGEST_BODY = 1024 * 1024;

/** How long a sender may take, in milliseconds; looked at every second. */
const TIMES = {
  /** Until the headers are there. */
  headers: 10_000,
  /** Until the whole request is there. */
  request: 30_000,
  /** Between two requests of a connection. */
  keepAlive: 65_000,
};

/** How much of a body that nobody wants is read, and for how long, so that its sender comes to read the answer. */
const MOST_DRAINED = 16 * LARGEST_BODY;
const LONGEST_DRAIN = 10_000;

/** Requests that are read on after their answer was sent, by their connection. */
const draining = new WeakMap<Socket, IncomingMessage>();

/** @param tls files of the certificate and its key; cleartext when absent. */
export function httpAdapter({
  trustedProxies,
  tls,
}: Pick<HttpSettings, 'trustedProxies'> & {
  readonly tls?: { readonly certificate: string; readonly key: string };
}): FastifyAdapter {
  const slow = { headersTimeout: TIMES.headers, connectionsCheckingInterval: 1_000 };
  const adapter = new FastifyAdapter({
    bodyLimit: LARGEST_BODY,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    requestTimeout: TIMES.request,
    keepAliveTimeout: TIMES.keepAlive,
    ...(tls
      ? {
          https: {
            ...slow,
            cert: readFileSync(tls.certificate),
            key: readFileSync(tls.key),
            minVersion: 'TLSv1.2' as const,
          },
        }
      : { http: slow }),
    clientErrorHandler: turnAway,
    // Fastify would repeat the path.
    frameworkErrors: ({ statusCode = 400 }: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      answeredEarly(request, reply);
      void reply
        .status(statusCode)
        .headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
        .type('application/problem+json')
        .send({ title: statusCode === 414 ? TOO_LONG_A_PATH : NOT_VALID, status: statusCode });
    },
  });
  // Fastify takes plain text: a body is JSON.
  adapter.getInstance().removeContentTypeParser('text/plain');
  return adapter;
}

/**
 * What every answer carries and every request is held to, before any rule is asked.
 *
 * @returns closes what was opened for it.
 */
export async function guardDoor(app: NestFastifyApplication, parts: Parts): Promise<() => void> {
  const fastify = app.getHttpAdapter().getInstance();
  if (parts.corsOrigins.length > 0)
    app.enableCors({
      origin: [...parts.corsOrigins],
      methods: ['GET', 'POST', 'DELETE'],
      allowedHeaders: ['authorization', 'content-type'],
      exposedHeaders: ['retry-after', 'ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
      maxAge: 600,
    });
  await fastify.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    frameguard: { action: 'deny' },
  });
  const close = await limitRates(fastify, {
    ...parts.limits,
    nameOf: parts.nameOf,
    ...(parts.redisUrl !== undefined && { redisUrl: parts.redisUrl }),
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    // Answers are about people: no cache keeps them.
    if (!reply.hasHeader('cache-control')) void reply.header('cache-control', 'no-store');
    answeredEarly(request, reply);
    done(null, payload);
  });
  return close;
}

/** Sees to what is left of a request that is answered before its end. */
function answeredEarly({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.complete || raw.destroyed) return;
  // Closing now would reset the connection while the sender writes, and the answer would be lost with it.
  void reply.removeHeader('connection');
  drain(raw);
}

/** Reads on to the end of a request that was answered before it; the connection is closed when that takes too much. */
function drain(request: IncomingMessage): void {
  const { socket } = request;
  let left = MOST_DRAINED;
  const giveUp = (): void => void socket.destroy();
  const timer = setTimeout(giveUp, LONGEST_DRAIN);
  draining.set(socket, request);
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) giveUp();
  });
  request.once('close', () => {
    clearTimeout(timer);
    if (draining.get(socket) === request) draining.delete(socket);
  });
  request.resume();
}

const NOT_VALID = 'the request is not valid';
const TOO_LONG_A_PATH = 'a part of the path is too long';
const TOO_SLOW = [408, 'Request Timeout', 'the request took too long'] as const;
const TOO_LONG = [431, 'Request Header Fields Too Large', 'the headers are too large'] as const;
const MALFORMED = [400, 'Bad Request', NOT_VALID] as const;

/** What is no HTTP, or comes too slowly, is answered with a problem document too; nothing of it is repeated. */
function turnAway(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  // The request at fault has its answer: a second one would be taken for that of the next.
  if (draining.get(socket)?.complete === false) return socket.destroySoon();
  const [status, reason, title] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? TOO_SLOW : error.code === 'HPE_HEADER_OVERFLOW' ? TOO_LONG : MALFORMED;
  const body = JSON.stringify({ title, status });
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    'content-type: application/problem+json',
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

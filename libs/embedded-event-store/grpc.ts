/**
 * gRPC over HTTP/2, cleartext or TLS, framed by hand: all this server knows of the transport is in this file.
 *
 * A message on the wire is `u8 0 (not compressed), u32 length big endian, body`. Answers that have begun end with
 * trailers; answers that have not are trailers only.
 */
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

export interface Status {
  readonly code: number;
  readonly message?: string;
  /** Extra trailers; values are percent-encoded where they are not printable ASCII. */
  readonly trailers?: Readonly<Record<string, string>>;
}

/** Thrown by a method to end its call with this status. */
export class CallFailed extends Error {
  constructor(readonly status: Status) {
    super(status.message);
  }
}

/** What a method makes of a call. A `CallFailed` thrown by one of these ends the call with its status. */
export interface CallHandler {
  /** A message of the client; the buffer stays as it is until the handler lets go of it. */
  message(body: Buffer): void;
  /** The client has sent its last message. */
  halfClosed?(): void;
  /** There is room again after `send` has returned false. */
  drained?(): void;
  /** The call is over, however it ended. Called once. */
  closed?(): void;
}

export type Method = (call: Call) => CallHandler;

/** Who makes a call. */
export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

/**
 * Decides whether a call may begin, before anything of it is read. `undefined`: nobody in particular.
 *
 * @param authorization the header of that name
 * @throws CallFailed, or rejects with it, to end the call with this status
 */
export type Admission = (path: string, authorization: string | undefined) => Promise<User> | User | undefined;

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** PEM. Without it: cleartext. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** Default: everybody may call anything. */
  readonly admit?: Admission;
  readonly timings: Timings;
}

/** When a connection is given up. Milliseconds. */
export interface Timings {
  /**
   * Each connection is pinged this often. One that has not answered three pings in a row is cut, and so is one that
   * has not sent its greeting by the second.
   */
  readonly ping: number;
  /** A connection without a call for so long is closed; clients open another when they need one. */
  readonly idle: number;
}

export const TIMINGS: Timings = { ping: 10_000, idle: 300_000 };

/** A message of the client may be this long; longer ones end the call. */
export const MAX_RECEIVE_BYTES = 17 * 1024 * 1024;
const WINDOW_BYTES = 8 * 1024 * 1024;
/** A call whose unsent answers exceed this is told to wait. */
const SEND_BUFFER_BYTES = 256 * 1024;
const MESSAGE_PREFIX = 5;
/** More calls of one connection wait for their turn on the client's side. */
const MAX_CALLS_PER_CONNECTION = 1000;
/** A stranger who breaks off in the middle keeps one until the sweep finds it, at most three pings later. */
const MAX_CONNECTIONS = 10_000;
const MAX_UNANSWERED_PINGS = 3;
/** What all calls together may have sent of messages that are not complete. */
const MAX_PARTIAL_BYTES = 256 * 1024 * 1024;
const MAX_TIMER_MS = 2 ** 31 - 1;
const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc+proto' } as const;

export const framed = (body: Buffer): Buffer => {
  const message = Buffer.allocUnsafe(MESSAGE_PREFIX + body.length);
  message[0] = 0;
  message.writeUInt32BE(body.length, 1);
  body.copy(message, MESSAGE_PREFIX);
  return message;
};

/** One call. Everything sent in one turn of the event loop leaves as one write. */
export class Call {
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private flushing = false;
  private ended: Status | undefined;
  private over = false;
  private handler: CallHandler | undefined;
  private partial: Buffer[] = [];
  private partialBytes = 0;
  /** Bytes needed before anything can be done with what has arrived. */
  private awaited = MESSAGE_PREFIX;
  private timer: NodeJS.Timeout | undefined;
  private deadlineAt: number | undefined;
  private caller: User | undefined;

  /**
   * @param partials the bytes of incomplete messages, of all calls together
   * @param connectionName what the client calls its connection
   */
  constructor(
    private readonly stream: http2.ServerHttp2Stream,
    private readonly partials: { bytes: number },
    readonly connectionName = '<unknown>',
  ) {}

  /** Who calls; `undefined` where nobody has to say. */
  get user(): User | undefined {
    return this.caller;
  }

  /** Milliseconds since the epoch; the call ends with DEADLINE_EXCEEDED then. */
  get deadline(): number | undefined {
    return this.deadlineAt;
  }

  /** No answer reaches the client any more. */
  get isOver(): boolean {
    return this.over || this.ended !== undefined;
  }

  private get isGone(): boolean {
    return this.stream.destroyed || this.stream.closed;
  }

  /** Sends one message. @returns false when the caller should wait for `drained` before it sends more */
  send(body: Buffer): boolean {
    return this.sendFramed(framed(body));
  }

  /** Sends messages that carry their length prefixes already. The bytes must not change afterwards. */
  sendFramed(messages: Buffer): boolean {
    if (this.isOver) return false;
    this.pending.push(messages);
    this.pendingBytes += messages.length;
    if (!this.flushing) {
      this.flushing = true;
      queueMicrotask(() => this.flush());
    }
    return this.pendingBytes + this.stream.writableLength < SEND_BUFFER_BYTES;
  }

  /** Ends the call after what has been sent. Later sends are dropped. */
  end(status: Status = { code: Code.OK }): void {
    if (this.isOver) return;
    this.flush();
    this.ended = status;
    this.keepPartial([]);
    if (this.isGone) return;
    if (this.stream.headersSent) {
      this.stream.end();
    } else {
      this.stream.respond({ ...RESPONSE_HEADERS, ...trailersOf(status) }, { endStream: true });
      this.settleRequest();
    }
  }

  /** Stops taking messages from the client until `resume`. */
  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    if (!this.over) this.stream.resume();
  }

  /**
   * @internal Connects the call to its method as soon as it is admitted; until then nothing of it is read.
   *
   * @param timeout the header `grpc-timeout`
   */
  run(timeout: string | undefined, admit: () => Promise<User> | User | undefined, method: Method): void {
    const { stream } = this;
    stream.on('error', () => undefined);
    stream.on('close', () => {
      this.over = true;
      clearTimeout(this.timer);
      this.pending = [];
      this.keepPartial([]);
      this.handler?.closed?.();
    });
    stream.on('wantTrailers', () => {
      if (this.isGone) return;
      stream.sendTrailers(trailersOf(this.ended ?? { code: Code.OK }));
      this.settleRequest();
    });
    this.guard(() => {
      if (timeout !== undefined) this.limit(timeoutOf(timeout));
      const user = admit();
      if (user instanceof Promise) {
        user.then(
          (admitted) => this.begin(admitted, method),
          (error: unknown) => this.fail(error),
        );
      } else {
        this.begin(user, method);
      }
    });
  }

  private begin(user: User | undefined, method: Method): void {
    if (this.isOver) return;
    const { stream } = this;
    this.caller = user;
    stream.on('drain', () => {
      if (!this.isOver) this.guard(() => this.handler?.drained?.());
    });
    stream.on('data', (chunk: Buffer) => {
      if (!this.isOver) this.guard(() => this.receive(chunk));
    });
    stream.on('end', () => {
      if (!this.isOver) this.guard(() => this.handler?.halfClosed?.());
    });
    this.guard(() => (this.handler = method(this)));
  }

  private limit(ms: number): void {
    this.deadlineAt = Date.now() + ms;
    this.timer = setTimeout(
      () => this.end({ code: Code.DEADLINE_EXCEEDED, message: 'the deadline has passed' }),
      Math.min(ms, MAX_TIMER_MS),
    );
  }

  /** The answer is complete: what the client still sends is of no interest. */
  private settleRequest(): void {
    if (this.stream.readableEnded) return;
    this.stream.resume();
    setImmediate(() => {
      if (!this.isGone && !this.stream.readableEnded) this.stream.close(http2.constants.NGHTTP2_NO_ERROR);
    });
  }

  private guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.end(
      error instanceof CallFailed
        ? error.status
        : { code: Code.INTERNAL, message: `the event store failed: ${(error as Error).message}` },
    );
  }

  private flush(): void {
    this.flushing = false;
    if (this.pending.length === 0 || this.isGone) return;
    if (!this.stream.headersSent) this.stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    const bytes = this.pending.length === 1 ? (this.pending[0] as Buffer) : Buffer.concat(this.pending);
    this.pending = [];
    this.pendingBytes = 0;
    this.stream.write(bytes);
  }

  private receive(chunk: Buffer): void {
    let bytes = chunk;
    if (this.partialBytes > 0) {
      this.partial.push(chunk);
      this.keepPartial(this.partial, this.partialBytes + chunk.length);
      if (this.partialBytes < this.awaited) return;
      bytes = Buffer.concat(this.partial);
      this.keepPartial([]);
    }
    let at = 0;
    this.awaited = MESSAGE_PREFIX;
    while (bytes.length - at >= MESSAGE_PREFIX) {
      if (bytes[at] !== 0) {
        throw new CallFailed({ code: Code.UNIMPLEMENTED, message: 'compressed messages are not supported' });
      }
      const length = bytes.readUInt32BE(at + 1);
      if (length > MAX_RECEIVE_BYTES) {
        throw new CallFailed({
          code: Code.RESOURCE_EXHAUSTED,
          message: `a message of ${length} bytes is larger than the limit of ${MAX_RECEIVE_BYTES}`,
        });
      }
      const end = at + MESSAGE_PREFIX + length;
      if (end > bytes.length) {
        this.awaited = end - at;
        break;
      }
      this.handler?.message(bytes.subarray(at + MESSAGE_PREFIX, end));
      if (this.isOver) return;
      at = end;
    }
    if (at < bytes.length) this.keepPartial([bytes.subarray(at)], bytes.length - at);
  }

  private keepPartial(partial: Buffer[], bytes = 0): void {
    this.partials.bytes += bytes - this.partialBytes;
    this.partial = partial;
    this.partialBytes = bytes;
    if (bytes > 0 && this.partials.bytes > MAX_PARTIAL_BYTES) {
      throw new CallFailed({ code: Code.RESOURCE_EXHAUSTED, message: 'too much is waiting for its last bytes' });
    }
  }
}

const TIMEOUT_UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** The value of `grpc-timeout` in milliseconds. */
function timeoutOf(header: string): number {
  const match = /^(\d{1,8})([HMSmun])$/.exec(header);
  if (!match) throw new CallFailed({ code: Code.INVALID_ARGUMENT, message: 'grpc-timeout is not a duration' });
  return Number(match[1]) * (TIMEOUT_UNITS[match[2] as string] as number);
}

/** The gRPC encoding of `grpc-message`: only what is not printable ASCII, and the percent sign itself. */
const percentEncoded = (text: string): string =>
  Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(/[^\x20-\x24\x26-\x7e]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);

function trailersOf({ code, message, trailers }: Status): Record<string, string> {
  const all: Record<string, string> = { 'grpc-status': String(code) };
  if (message !== undefined) all['grpc-message'] = percentEncoded(message);
  for (const [name, value] of Object.entries(trailers ?? {})) all[name] = percentEncoded(value);
  return all;
}

/** What is known of a connection. */
interface Connection {
  readonly socket: Duplex;
  calls: number;
  greeted: boolean;
  unanswered: number;
  /** Of the last moment a call was open, ms since the start of the process. */
  usedAt: number;
}

/** A listening gRPC server. */
export class GrpcServer {
  private readonly sessions = new Map<http2.ServerHttp2Session, Connection>();
  private readonly calls = new Set<Call>();
  private readonly partials = { bytes: 0 };
  private readonly sweeper: NodeJS.Timeout;
  private draining = false;

  private constructor(
    private readonly server: http2.Http2Server | http2.Http2SecureServer,
    private readonly methods: ReadonlyMap<string, Method>,
    private readonly admit: Admission,
    private readonly timings: Timings,
  ) {
    this.sweeper = setInterval(() => this.sweep(), timings.ping);
  }

  /** @param methods by path, `/package.Service/Method` */
  static async listen(methods: ReadonlyMap<string, Method>, options: ListenOptions): Promise<GrpcServer> {
    const { host, port, tls, admit = () => undefined, timings } = options;
    const settings = {
      settings: {
        initialWindowSize: WINDOW_BYTES,
        maxFrameSize: 1024 * 1024,
        maxConcurrentStreams: MAX_CALLS_PER_CONNECTION,
      },
      maxSessionMemory: 256,
    };
    const server = tls
      ? http2.createSecureServer({ ...settings, ...tls, minVersion: 'TLSv1.2', handshakeTimeout: timings.ping })
      : http2.createServer(settings);
    server.maxConnections = MAX_CONNECTIONS;
    const grpc = new GrpcServer(server, methods, admit, timings);
    // The session hides its socket, and does not always close it when it fails.
    let socket: Duplex;
    server.prependListener(tls ? 'secureConnection' : 'connection', (accepted: Duplex) => (socket = accepted));
    server.on('session', (session) => grpc.connected(session, socket));
    server.on('sessionError', (_error: Error, session: http2.ServerHttp2Session) => grpc.cut(session));
    // Whoever listens has to hang up: a handshake that fails, or is not finished in time.
    server.on('clientError', (_error: Error, socket: Duplex) => socket.destroy());
    server.on('stream', (stream, headers) => grpc.accept(stream, headers));
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => {
          server.off('error', reject);
          resolve();
        });
      });
    } catch (error) {
      clearInterval(grpc.sweeper);
      throw error;
    }
    return grpc;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Refuses new calls with UNAVAILABLE from now on. */
  drain(): void {
    this.draining = true;
    this.server.close();
  }

  /** Ends every call with `status`, lets what was sent reach the clients, and closes the connections. */
  async close(status: Status, graceMs: number): Promise<void> {
    this.drain();
    for (const call of this.calls) call.end(status);
    const closed = [...this.sessions.keys()].map((session) => new Promise<void>((resolve) => session.close(resolve)));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([Promise.all(closed), new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)))]);
    clearTimeout(timer);
    clearInterval(this.sweeper);
    for (const session of this.sessions.keys()) this.cut(session);
  }

  private connected(session: http2.ServerHttp2Session, socket: Duplex): void {
    const connection: Connection = { socket, calls: 0, greeted: false, unanswered: 0, usedAt: performance.now() };
    this.sessions.set(session, connection);
    session.setLocalWindowSize(2 * WINDOW_BYTES);
    session.once('remoteSettings', () => (connection.greeted = true));
    session.on('error', () => undefined);
    session.on('close', () => {
      this.cut(session);
      this.sessions.delete(session);
    });
  }

  private cut(session: http2.ServerHttp2Session): void {
    session.destroy();
    this.sessions.get(session)?.socket.destroy();
  }

  /**
   * Pings every connection and gives up the dead, the silent and the idle. It counts its own turns instead of looking
   * at the clock: a server that was held up itself finds the answers before it comes round again.
   */
  private sweep(): void {
    for (const [session, connection] of this.sessions) {
      if (session.destroyed || connection.unanswered >= (connection.greeted ? MAX_UNANSWERED_PINGS : 1)) {
        this.cut(session);
      } else if (connection.calls === 0 && performance.now() - connection.usedAt > this.timings.idle) {
        session.close();
      } else {
        connection.unanswered++;
        session.ping((error) => {
          if (!error) connection.unanswered = 0;
        });
      }
    }
  }

  private accept(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    const call = new Call(stream, this.partials, headers['connection-name']?.toString());
    this.calls.add(call);
    const connection = this.sessions.get(stream.session as http2.ServerHttp2Session);
    if (connection) connection.calls++;
    stream.once('close', () => {
      this.calls.delete(call);
      if (!connection) return;
      connection.calls--;
      connection.usedAt = performance.now();
    });
    const path = headers[':path'] ?? '';
    const method = this.methods.get(path);
    const admit = (): Promise<User> | User | undefined => {
      if (this.draining) throw new CallFailed({ code: Code.UNAVAILABLE, message: 'the event store is stopping' });
      if (!method) throw new CallFailed({ code: Code.UNIMPLEMENTED, message: `no such method: ${path}` });
      return this.admit(path, headers.authorization);
    };
    call.run(headers['grpc-timeout']?.toString(), admit, method as Method);
  }
}

/**
 * gRPC over cleartext HTTP/2, framed by hand: all this server knows of the transport is in this file.
 *
 * A message on the wire is `u8 0 (not compressed), u32 length big endian, body`. Answers that have begun end with
 * trailers; answers that have not are trailers only.
 */
import * as http2 from 'node:http2';
import type { AddressInfo } from 'node:net';

export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
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

/** A message of the client may be this long; longer ones end the call. */
export const MAX_RECEIVE_BYTES = 17 * 1024 * 1024;
const WINDOW_BYTES = 8 * 1024 * 1024;
/** A call whose unsent answers exceed this is told to wait. */
const SEND_BUFFER_BYTES = 256 * 1024;
const MESSAGE_PREFIX = 5;
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

  /** @param connectionName what the client calls its connection */
  constructor(
    private readonly stream: http2.ServerHttp2Stream,
    readonly connectionName = '<unknown>',
  ) {}

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

  /** @internal Connects the call to its method. */
  run(method: Method): void {
    const { stream } = this;
    stream.on('error', () => undefined);
    stream.on('close', () => {
      this.over = true;
      this.pending = [];
      this.partial = [];
      this.handler?.closed?.();
    });
    stream.on('wantTrailers', () => {
      if (this.isGone) return;
      stream.sendTrailers(trailersOf(this.ended ?? { code: Code.OK }));
      this.settleRequest();
    });
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
      this.end(
        error instanceof CallFailed
          ? error.status
          : { code: Code.INTERNAL, message: `the event store failed: ${(error as Error).message}` },
      );
    }
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
      this.partialBytes += chunk.length;
      if (this.partialBytes < this.awaited) return;
      bytes = Buffer.concat(this.partial);
      this.partial = [];
      this.partialBytes = 0;
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
    if (at < bytes.length) {
      this.partial.push(bytes.subarray(at));
      this.partialBytes = bytes.length - at;
    }
  }
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

/** A listening gRPC server. */
export class GrpcServer {
  private readonly sessions = new Set<http2.ServerHttp2Session>();
  private readonly calls = new Set<Call>();
  private draining = false;

  private constructor(private readonly server: http2.Http2Server) {}

  /** @param methods by path, `/package.Service/Method` */
  static async listen(methods: ReadonlyMap<string, Method>, host: string, port: number): Promise<GrpcServer> {
    const server = http2.createServer({
      settings: { initialWindowSize: WINDOW_BYTES, maxFrameSize: 1024 * 1024 },
      maxSessionMemory: 256,
    });
    const grpc = new GrpcServer(server);
    server.on('session', (session) => {
      grpc.sessions.add(session);
      session.setLocalWindowSize(2 * WINDOW_BYTES);
      session.on('error', () => undefined);
      session.on('close', () => grpc.sessions.delete(session));
    });
    server.on('sessionError', () => undefined);
    server.on('clientError', () => undefined);
    server.on('stream', (stream, headers) => grpc.accept(stream, headers, methods));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve();
      });
    });
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
    const closed = [...this.sessions].map((session) => new Promise<void>((resolve) => session.close(resolve)));
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([Promise.all(closed), new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)))]);
    clearTimeout(timer);
    for (const session of this.sessions) session.destroy();
  }

  private accept(
    stream: http2.ServerHttp2Stream,
    headers: http2.IncomingHttpHeaders,
    methods: ReadonlyMap<string, Method>,
  ): void {
    const call = new Call(stream, headers['connection-name']?.toString());
    this.calls.add(call);
    stream.once('close', () => this.calls.delete(call));
    const path = headers[':path'] ?? '';
    const method = methods.get(path);
    call.run(() => {
      if (this.draining) throw new CallFailed({ code: Code.UNAVAILABLE, message: 'the event store is stopping' });
      if (!method) throw new CallFailed({ code: Code.UNIMPLEMENTED, message: `no such method: ${path}` });
      return method(call);
    });
  }
}

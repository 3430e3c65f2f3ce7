import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** An answer as it came, byte by byte; what the sender could read of it. */
export interface Heard {
  readonly status: number;
  readonly contentType: string;
  /** Status line and headers. */
  readonly head: string;
  readonly body: string;
}

const HEAD_ENDS = '\r\n\r\n';

/**
 * A connection that sends bytes as they are, valid HTTP or not, and is used again until either side ends it. Bytes that
 * come though nothing was asked are an error: somebody else's answer.
 */
export class Connection {
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #wake: () => void = () => undefined;

  constructor(private readonly url: string) {}

  /**
   * @param last nothing follows: the answer is what comes until the other side closes.
   * @throws Error without an answer in time, or with more than one.
   */
  async exchange(bytes: Buffer, last: boolean, patience: number): Promise<Heard> {
    const socket = await this.#open();
    if (this.#received.length > 0) throw new Error('an answer came that nobody asked for');
    socket.write(bytes);
    const timer = setTimeout(() => socket.destroy(new Error('no answer in time')), patience);
    try {
      const heard = await this.#answer(socket);
      if (last) while (!socket.closed) await this.#more();
      if (this.#received.length > 0) {
        const second = /^HTTP\/1\.1 \d{3}/.exec(this.#received.toString('latin1'))?.[0] ?? 'no HTTP';
        throw new Error(`after the answer ${heard.status} came ${second}`);
      }
      if (last || /^connection: close\r?$/im.test(heard.head)) this.close();
      return heard;
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#received = Buffer.alloc(0);
  }

  async #open(): Promise<Socket> {
    if (this.#socket && !this.#socket.closed && this.#socket.writable) return this.#socket;
    this.close();
    const { hostname, port } = new URL(this.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    for (const event of ['close', 'error']) socket.on(event, () => this.#wake());
    return (this.#socket = socket);
  }

  #more(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  async #answer(socket: Socket): Promise<Heard> {
    const head = await this.#until(socket, () => this.#received.indexOf(HEAD_ENDS));
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    this.#received = this.#received.subarray(head.length + HEAD_ENDS.length);
    if (status < 200) return this.#answer(socket);
    const of = (name: string): string => new RegExp(`^${name}: (.*)$`, 'im').exec(head)?.[1] ?? '';
    const length = status === 204 ? 0 : Number(of('content-length') || NaN);
    if (Number.isNaN(length)) throw new Error(`an answer of ${status} does not say how long it is`);
    const body = await this.#until(socket, () => (this.#received.length >= length ? length : -1));
    this.#received = this.#received.subarray(length);
    return { status, contentType: of('content-type'), head, body: Buffer.from(body, 'latin1').toString() };
  }

  /** The bytes up to a place that is there once enough has come, as Latin-1. */
  async #until(socket: Socket, end: () => number): Promise<string> {
    for (;;) {
      const at = end();
      if (at >= 0) return this.#received.subarray(0, at).toString('latin1');
      if (socket.closed)
        throw new Error(`the connection ended without an answer: ${socket.errored?.message ?? 'closed'}`);
      await this.#more();
    }
  }
}

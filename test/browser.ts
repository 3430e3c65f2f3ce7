import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { describeWith } from './requirements.js';

const PROGRAM = 'chromium';

/** A `describe` over a real browser. */
export const describeWithBrowser = describeWith(PROGRAM);

type Message = Readonly<Record<string, unknown>>;

/** Something that a page reported: an error on its console, an exception, a request. */
export interface Reported {
  readonly method: string;
  readonly params: Message;
}

/** A headless Chromium with one page, spoken to over a pipe in the DevTools protocol; its profile goes with it. */
export class Browser {
  /** All that the page has reported, in order. */
  readonly reported: Reported[] = [];
  #session: string | undefined;
  #calls = 0;
  readonly #waiting = new Map<number, (message: Message) => void>();

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {
    let received = '';
    (process.stdio[4] as Readable).setEncoding('utf8').on('data', (chunk: string) => {
      received += chunk;
      const messages = received.split('\0');
      received = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message) as Message);
    });
  }

  static async launch(): Promise<Browser> {
    const folder = mkdtempSync(join(tmpdir(), 'custos-browser-'));
    const options = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--window-size=1280,1400'];
    const child = spawn(PROGRAM, [...options, '--remote-debugging-pipe', `--user-data-dir=${folder}`], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    const browser = new Browser(child, folder);
    const { targetId } = await browser.call('Target.createTarget', { url: 'about:blank' });
    const attached = await browser.call('Target.attachToTarget', { targetId, flatten: true });
    browser.#session = attached['sessionId'] as string;
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await browser.call(`${domain}.enable`);
    return browser;
  }

  /** @throws Error with what the protocol says. */
  async call(method: string, params: Message = {}): Promise<Message> {
    const id = (this.#calls += 1);
    const answered = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    const message = { id, method, params, ...(this.#session !== undefined && { sessionId: this.#session }) };
    (this.process.stdio[3] as Writable).write(`${JSON.stringify(message)}\0`);
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result as Message;
  }

  /** What an expression gives within the page, as far as JSON can say it. */
  async evaluate(expression: string): Promise<unknown> {
    const said = await this.call('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (said['exceptionDetails'] !== undefined) throw new Error(JSON.stringify(said['exceptionDetails']));
    return (said['result'] as Message)['value'];
  }

  /** Opens an address, and waits until an expression holds within the page. */
  async open(url: string, until: string): Promise<void> {
    await this.call('Page.navigate', { url });
    await this.until(until);
  }

  async until(expression: string): Promise<void> {
    for (const deadline = Date.now() + 15_000; (await this.evaluate(expression)) !== true;) {
      if (Date.now() > deadline) throw new Error(`it did not come about: ${expression}`);
      await wait(25);
    }
  }

  async close(): Promise<void> {
    const gone = once(this.process, 'exit');
    this.process.kill();
    await gone;
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }

  #take(message: Message): void {
    const { id, method, params } = message;
    if (typeof id === 'number') {
      this.#waiting.get(id)?.(message);
      this.#waiting.delete(id);
    } else if (typeof method === 'string') this.reported.push({ method, params: params as Message });
  }
}

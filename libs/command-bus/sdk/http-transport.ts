import { AttemptFailed, type ClientOptions, type Reply, type Transport } from './transport.js';

/** Commands over HTTP. */
export class HttpTransport implements Transport {
  readonly #ended = new AbortController();

  constructor(private readonly options: Pick<ClientOptions, 'url' | 'token'>) {}

  async attempt(
    type: string,
    body: Readonly<Record<string, unknown>>,
    commandId: string,
    patience: number,
  ): Promise<Reply> {
    let status: number;
    let text: string;
    try {
      const response = await fetch(new URL(`/v1/commands/${encodeURIComponent(type)}`, this.options.url), {
        method: 'POST',
        headers: { authorization: `Bearer ${this.options.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, commandId }),
        signal: AbortSignal.any([AbortSignal.timeout(Math.ceil(patience)), this.#ended.signal]),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      throw new AttemptFailed('the engine did not answer', { cause: error });
    }
    if (status >= 500) throw new AttemptFailed(`the engine answered ${status}`);
    return { status, body: JSON.parse(text) as Reply['body'] };
  }

  async close(): Promise<void> {
    this.#ended.abort();
  }
}

import { CustosClient, events, type ClientOptions, type CloudEvent } from '#command-bus/sdk';

/**
 * A service as others would write it: it asks before it writes to somebody, and stops when it hears of a withdrawal.
 * It knows Custos by its SDK alone, over the bus or over HTTP.
 */
export class MailingService {
  readonly #custos: CustosClient;
  readonly #stopping = new AbortController();
  readonly #stopped = new Set<string>();
  readonly sent: string[] = [];
  #listening: Promise<void> | undefined;
  /** Position of the last event that was dealt with. A real service keeps it with what it did. */
  position = 0;

  constructor(
    private readonly options: ClientOptions,
    position = 0,
  ) {
    this.#custos = new CustosClient(options);
    this.position = position;
  }

  /** Writes to a person if it may. @returns why not, in the refusal's own words, or `undefined` when it did. */
  async write(subjectId: string, addressId: string): Promise<string | undefined> {
    if (this.#stopped.has(subjectId)) return 'told to stop';
    const answer = await this.#custos.send('AuthoriseUse', {
      subjectId,
      purposeId: 'product-news',
      channel: 'email',
      itemIds: [addressId],
    });
    if (!answer.accepted) return `${answer.code} (${answer.clauses.join(', ')}; ${answer.legalRef})`;
    this.sent.push(subjectId);
    return undefined;
  }

  /** Follows what happens, from the last position on. */
  listen(redisUrl: string, heard: (event: CloudEvent) => void = () => undefined): void {
    this.#listening = (async () => {
      for await (const { position, event } of events(redisUrl, this.position, this.#stopping.signal)) {
        if (event.type.endsWith('.consent-withdrawn.v1') && event.subject !== undefined)
          this.#stopped.add(event.subject);
        this.position = position;
        heard(event);
      }
    })();
  }

  hasStopped(subjectId: string): boolean {
    return this.#stopped.has(subjectId);
  }

  get name(): string {
    return this.options.name ?? 'mailing-service';
  }

  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#listening;
    await this.#custos.close();
  }
}

import type { DomainEvent } from '#kernel';

/** Event data as JSON holds it. */
export type StoredData = Readonly<Record<string, unknown>>;

/** How one event stands in the log. */
export interface StoredEvent {
  /** Explicit, versioned, never edited and never removed, for example `consent-given.v1`. */
  readonly stored: string;
  /** Paths of the personal fields within the data; `*` stands for every index of a list. */
  readonly personal?: readonly string[];
}

/** Turns an older stored form into a newer one. Seals pass through it closed. */
export interface Upcast {
  readonly to: string;
  readonly change: (data: StoredData) => StoredData;
}

/**
 * The names and personal fields of a capability's events. The name on disk is not the name in the code: it is
 * spelled here and nowhere else.
 */
export interface EventCodec<E extends DomainEvent = DomainEvent> {
  readonly capability: string;
  readonly events: { readonly [type in E['type']]: StoredEvent };
  /** By older stored name. */
  readonly upcasts?: Readonly<Record<string, Upcast>>;
}

/** A personal field was about to be stored in the clear, or a sealed one was not declared (clause C02). */
export class PlaintextPersonalData extends Error {
  override readonly name = 'PlaintextPersonalData';
  constructor(
    readonly storedType: string,
    readonly path: string,
  ) {
    super(`${storedType}: the field ${path} is personal and must be declared and sealed`);
  }
}

/** The log holds an event that no codec names. The reader stops here: skipping could hide a withdrawal. */
export class UnknownStoredType extends Error {
  override readonly name = 'UnknownStoredType';
  constructor(
    readonly storedType: string,
    readonly stream: string,
    readonly position: number,
    codecs: readonly string[],
  ) {
    super(
      `unknown stored event type '${storedType}' in stream '${stream}' at position ${position}: ` +
        `extend the codec of the capability that owns it (known codecs: ${codecs.join(', ')})`,
    );
  }
}

export interface ResolvedType {
  readonly type: string;
  readonly upcasts: readonly Upcast[];
}

/** All codecs of an application, by both names. Built once at start; a name spelled twice is a mistake. */
export class CodecRegistry {
  readonly #byType = new Map<string, StoredEvent & { capability: string; patterns: readonly string[][] }>();
  readonly #byStored = new Map<string, ResolvedType>();
  readonly capabilities: readonly string[];

  constructor(codecs: readonly EventCodec[]) {
    this.capabilities = codecs.map((codec) => codec.capability);
    for (const codec of codecs) {
      for (const [type, event] of Object.entries(codec.events) as [string, StoredEvent][]) {
        if (this.#byType.has(type) || this.#byStored.has(event.stored))
          throw new Error(`the event ${type} (${event.stored}) is declared by two codecs`);
        const patterns = (event.personal ?? []).map((path) => path.split('.'));
        this.#byType.set(type, { ...event, capability: codec.capability, patterns });
        this.#byStored.set(event.stored, { type, upcasts: [] });
      }
      for (const stored of Object.keys(codec.upcasts ?? {})) {
        if (this.#byStored.has(stored))
          throw new Error(`${stored} is declared twice: once as it is, once with an upcast`);
        const upcasts: Upcast[] = [];
        let name = stored;
        for (let next = codec.upcasts?.[name]; next; next = codec.upcasts?.[name]) {
          if (upcasts.includes(next)) throw new Error(`the upcast of ${stored} goes in a circle`);
          upcasts.push(next);
          name = next.to;
        }
        const current = this.#byStored.get(name);
        if (!current) throw new Error(`the upcast of ${stored} ends at ${name}, which no codec stores`);
        this.#byStored.set(stored, { type: current.type, upcasts: [...upcasts, ...current.upcasts] });
      }
    }
  }

  /** How events of this type are stored. @throws Error when no codec declares the type. */
  storedAs(type: string): StoredEvent & { readonly capability: string; readonly patterns: readonly string[][] } {
    const event = this.#byType.get(type);
    if (!event) throw new Error(`no codec declares the event ${type}`);
    return event;
  }

  /** The current type of a stored name, with the upcasts that lead there; `undefined` when no codec knows it. */
  resolve(storedType: string): ResolvedType | undefined {
    return this.#byStored.get(storedType);
  }

  /** Every stored name the codecs can read, old versions included, in order. */
  storedTypes(): readonly string[] {
    return [...this.#byStored.keys()].sort();
  }
}

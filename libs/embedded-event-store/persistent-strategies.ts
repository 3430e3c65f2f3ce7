/** Which consumer of a group gets an event: the named strategies, over nothing but capacities and keys. */

/** A consumer as a strategy sees it. */
export interface Candidate {
  /** Whether it takes another event now. */
  readonly hasRoom: boolean;
  /** Tells it from the others of its group, for as long as it is connected. */
  readonly id: string;
}

/** `full`: nobody takes any event now. `skip`: the one it belongs to does not, others may take the events behind it. */
export type Choice<C> = C | 'skip' | 'full';

export interface Strategy<C extends Candidate> {
  joined(consumer: C): void;
  left(consumer: C): void;
  /** @param key what events that belong together share; asked for by strategies that pin */
  choose(key: () => string): Choice<C>;
}

/** `correlation` falls back to the stream where an event has no `$correlationId`. */
export type PinBy = 'stream' | 'correlation';

export const pinBy = (strategy: string): PinBy | undefined =>
  strategy === 'Pinned' ? 'stream' : strategy === 'PinnedByCorrelation' ? 'correlation' : undefined;

export function strategyNamed<C extends Candidate>(name: string): Strategy<C> {
  return pinBy(name) ? new PinnedStrategy() : new TurnsStrategy(name === 'RoundRobin');
}

/** Consumers in a row: each takes its turn (round robin), or the first is served until it has no room. */
class TurnsStrategy<C extends Candidate> implements Strategy<C> {
  private row: C[] = [];

  constructor(private readonly everyEvent: boolean) {}

  joined(consumer: C): void {
    this.row.push(consumer);
  }

  left(consumer: C): void {
    this.row = this.row.filter((other) => other !== consumer);
  }

  choose(): Choice<C> {
    const at = this.row.findIndex((consumer) => consumer.hasRoom);
    const chosen = this.row[at];
    if (!chosen) return 'full';
    const passed = this.everyEvent ? at + 1 : at;
    if (passed > 0) this.row.push(...this.row.splice(0, passed));
    return chosen;
  }
}

/**
 * Events with one key go to one consumer: the one whose id, hashed together with the key, weighs most. A consumer that
 * joins takes its share of keys from all others; the keys of one that leaves are spread over the rest; no other moves.
 */
class PinnedStrategy<C extends Candidate> implements Strategy<C> {
  private readonly consumers = new Set<C>();

  joined(consumer: C): void {
    this.consumers.add(consumer);
  }

  left(consumer: C): void {
    this.consumers.delete(consumer);
  }

  choose(key: () => string): Choice<C> {
    let anyRoom = false;
    for (const { hasRoom } of this.consumers) anyRoom ||= hasRoom;
    if (!anyRoom) return 'full';
    let owner: C | undefined;
    let heaviest = -1;
    const wanted = key();
    for (const consumer of this.consumers) {
      const weight = weightOf(wanted, consumer.id);
      if (weight > heaviest) {
        heaviest = weight;
        owner = consumer;
      }
    }
    return owner?.hasRoom ? owner : 'skip';
  }
}

/** FNV-1a with a final mix: without it the last characters hardly reach the high bits. */
function weightOf(key: string, id: string): number {
  let hash = 0x811c9dc5;
  for (const text of [key, id]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

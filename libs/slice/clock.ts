import { instantOf, type Instant } from '#kernel';

/** Where time comes from. The only place beside it that may ask the machine for the time is the event log. */
export interface Clock {
  now(): Instant;
}

export const CLOCK = Symbol('Clock');

export const systemClock: Clock = { now: () => instantOf(Date.now()) };

/** A clock that stands still until it is told otherwise, for demonstrations and tests. It never goes back. */
export class SimulatedClock implements Clock {
  #now: Instant;

  constructor(start: Instant) {
    this.#now = start;
  }

  now(): Instant {
    return this.#now;
  }

  /** @throws RangeError when the time lies before the present one. */
  advanceTo(at: Instant): void {
    if (at < this.#now) throw new RangeError('a clock does not go back');
    this.#now = at;
  }
}

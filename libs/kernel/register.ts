import type { DomainEvent } from './decider.js';
import type { Recorded } from './event.js';

/**
 * A register: small, effective-dated, folded from the log into memory by every engine (purposes, notices,
 * recipients and the like). Decisions look versions up as of a time and record which version they used.
 */
export interface Register<E extends DomainEvent, S> {
  readonly name: string;
  /** Prefix of the streams it folds, for example `purpose-`. */
  readonly streamPrefix: string;
  readonly initialState: S;
  readonly folds: { readonly [type in E['type']]: true };
  /** Total; returns the new state and leaves the old one as it was. */
  evolve(state: S, event: Recorded<E>): S;
}

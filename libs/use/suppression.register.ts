import type { Register } from '#kernel';
import type { SuppressionEvent } from './suppression.events.js';

/** Ids of suppressions that were lifted: their hashes in the vault count for nothing, until they are removed. */
export type LiftedSuppressions = ReadonlySet<string>;

/** Small: an objection that is taken back is the exception. What is suppressed stands in the vault, not here. */
export const liftedSuppressionRegister: Register<SuppressionEvent, LiftedSuppressions> = {
  name: 'lifted-suppressions',
  streamPrefix: 'suppression-',
  initialState: new Set(),
  folds: { AddressSuppressed: true, SuppressionLifted: true, SuppressionRemoved: true },
  evolve(state, event) {
    const { suppressionId } = event.data;
    switch (event.type) {
      case 'AddressSuppressed':
        return state;
      case 'SuppressionLifted':
        return new Set(state).add(suppressionId);
      case 'SuppressionRemoved':
        return new Set([...state].filter((each) => each !== suppressionId));
    }
  },
};

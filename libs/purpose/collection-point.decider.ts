import { accept, canonicalJson, refuse, unchanged, type Decider, type Facts, type Outcome } from '#kernel';
import type {
  CollectionPointDomainCommand,
  RegisterCollectionPoint,
  RetireCollectionPoint,
} from './collection-point.commands.js';
import type { CollectionPointDefinition, CollectionPointEvent } from './collection-point.events.js';
import type { PurposeRegisterState } from './purpose.register.js';
import { isUsage } from './purpose.vocabulary.js';

export type CollectionPointState =
  | { readonly status: 'unknown' }
  | {
      readonly status: 'active' | 'retired';
      readonly version: number;
      readonly definition: CollectionPointDefinition;
    };

/** What the rules about collection points look up. */
export interface CollectionPointFacts extends Facts {
  readonly purposes: PurposeRegisterState;
}

type CollectionPointOutcome = Outcome<CollectionPointEvent>;

const initialState: CollectionPointState = { status: 'unknown' };

function evolve(state: CollectionPointState, event: CollectionPointEvent): CollectionPointState {
  switch (event.type) {
    case 'CollectionPointRegistered': {
      const { collectionPointId: _id, version, ...definition } = event.data;
      return { status: 'active', version, definition };
    }
    case 'CollectionPointRetired':
      return state.status === 'unknown' ? state : { ...state, status: 'retired' };
  }
}

function decide(
  command: CollectionPointDomainCommand,
  state: CollectionPointState,
  facts: CollectionPointFacts,
): CollectionPointOutcome {
  switch (command.type) {
    case 'RegisterCollectionPoint':
      return register(command, state, facts);
    case 'RetireCollectionPoint':
      return retire(command, state);
  }
}

/** Where people are asked for data, and what they are told there. Retirement is final, so that no repeat undoes it. */
export const collectionPointDecider: Decider<
  CollectionPointDomainCommand,
  CollectionPointEvent,
  CollectionPointState,
  CollectionPointFacts
> = {
  initialState,
  folds: { CollectionPointRegistered: true, CollectionPointRetired: true },
  evolve,
  decide,
};

function register(
  command: RegisterCollectionPoint,
  state: CollectionPointState,
  facts: CollectionPointFacts,
): CollectionPointOutcome {
  const { collectionPointId, kind, title, purposes, fields, noticeId } = command;
  const explanation = command.explanation ?? '';
  if (state.status === 'retired') return refuse('COLLECTION_POINT_RETIRED', { collectionPointId });
  if (explanation.trim() === '') return refuse('EXPLANATION_MISSING', { collectionPointId, kind });

  const definition = { kind, title, explanation, purposes: [...purposes], fields: [...fields], noticeId };
  if (state.status === 'active' && canonicalJson(state.definition) === canonicalJson(definition)) return unchanged;
  const unknown = purposes.filter((purposeId) => !facts.purposes.has(purposeId));
  if (unknown.length > 0) return refuse('PURPOSE_UNKNOWN', { collectionPointId, purposes: unknown });

  // Usage comes in through a registered stream of telemetry, never by a form (C06).
  const usage = fields.filter(isUsage);
  if (usage.length > 0) return refuse('TELEMETRY_STREAM_UNKNOWN', { collectionPointId, fields: usage });

  const version = state.status === 'active' ? state.version + 1 : 1;
  return accept({ type: 'CollectionPointRegistered', data: { collectionPointId, version, ...definition } });
}

function retire(command: RetireCollectionPoint, state: CollectionPointState): CollectionPointOutcome {
  const { collectionPointId } = command;
  switch (state.status) {
    case 'unknown':
      return refuse('COLLECTION_POINT_UNKNOWN', { collectionPointId });
    case 'retired':
      return unchanged;
    case 'active':
      return accept({ type: 'CollectionPointRetired', data: { collectionPointId, version: state.version } });
  }
}

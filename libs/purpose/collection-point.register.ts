import type { Instant, Register } from '#kernel';
import type { CollectionPointDefinition, CollectionPointEvent } from './collection-point.events.js';

/** A version of a collection point. */
export interface CollectionPoint extends CollectionPointDefinition {
  readonly collectionPointId: string;
  readonly version: number;
  /** When this version was put into service. */
  readonly registeredAt: Instant;
}

export interface CollectionPointEntry {
  /** In rising order. */
  readonly versions: readonly CollectionPoint[];
  readonly retiredAt?: Instant;
}

/** Collection points by id. */
export type CollectionPointRegisterState = ReadonlyMap<string, CollectionPointEntry>;

export type CollectionPointFound =
  { readonly status: 'active'; readonly point: CollectionPoint } | { readonly status: 'unknown' | 'retired' };

/** The collection points with their history. */
export const collectionPointRegister: Register<CollectionPointEvent, CollectionPointRegisterState> = {
  name: 'collection-points',
  streamPrefix: 'collectionpoint-',
  initialState: new Map(),
  folds: { CollectionPointRegistered: true, CollectionPointRetired: true },
  evolve(state, event) {
    const { collectionPointId } = event.data;
    const entry = state.get(collectionPointId) ?? { versions: [] };
    switch (event.type) {
      case 'CollectionPointRegistered': {
        const version: CollectionPoint = { ...event.data, registeredAt: event.occurredAt };
        return new Map(state).set(collectionPointId, { ...entry, versions: [...entry.versions, version] });
      }
      case 'CollectionPointRetired':
        return new Map(state).set(collectionPointId, { ...entry, retiredAt: event.occurredAt });
    }
  },
};

/**
 * The collection point as decisions see it: its newest version, or `retired` once it has been retired.
 *
 * There is no time to ask for. Nobody looks after a retired point, so what it sends is refused however long before
 * its retirement it claims to have happened (C11).
 */
export function collectionPointNow(
  state: CollectionPointRegisterState,
  collectionPointId: string,
): CollectionPointFound {
  const entry = state.get(collectionPointId);
  const point = entry?.versions.at(-1);
  if (!entry || !point) return { status: 'unknown' };
  return entry.retiredAt === undefined ? { status: 'active', point } : { status: 'retired' };
}

/**
 * The collection point as it was in service at a time: for evidence about the past. Decisions ask
 * {@link collectionPointNow}, which lets no late message of a retired point through.
 */
export function collectionPointAsOf(
  state: CollectionPointRegisterState,
  collectionPointId: string,
  at: Instant,
): CollectionPointFound {
  const entry = state.get(collectionPointId);
  const point = entry?.versions.findLast((version) => version.registeredAt <= at);
  if (!entry || !point) return { status: 'unknown' };
  return entry.retiredAt !== undefined && entry.retiredAt <= at ? { status: 'retired' } : { status: 'active', point };
}

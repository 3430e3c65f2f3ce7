import { addPeriodToInstant } from '#calendar';
import {
  accept,
  refuse,
  unchanged,
  withoutStanding,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import type {
  DataCollected,
  DataCorrected,
  DataErased,
  ItemVersionRef,
  RetentionExpired,
  RetentionTerm,
  SubjectRegistered,
} from '#subject';
import type { ExpireRetention, RetentionDomainCommand } from './retention.commands.js';
import type { RetentionEvent } from './retention.events.js';

/** How long backups of the key store are kept: until then an erasure is not final (C16). */
export const KEYSTORE_BACKUP_HORIZON = 'P30D';

interface KeptVersion extends ItemVersionRef {
  readonly term: RetentionTerm;
  readonly collectedAt: Instant;
  readonly serviceRequestRef?: string;
  /** Until when it may be kept; absent while its trigger has not happened. */
  readonly due?: Instant;
  readonly current: boolean;
  readonly status: 'kept' | 'expired' | 'erased';
}

export interface RetentionState {
  readonly openedAt?: Instant;
  readonly closed: boolean;
  readonly closedRequests: readonly string[];
  /** By `item@version`. */
  readonly versions: Readonly<Record<string, KeptVersion>>;
}

export interface RetentionFacts extends Facts {
  /** Keys of expired versions that still exist. Looked up for `ConfirmErasure` only. */
  readonly liveKeys?: readonly string[];
}

type FoldedEvent = RetentionEvent | SubjectRegistered | DataCollected | DataCorrected | RetentionExpired | DataErased;
type RetentionOutcome = Outcome<FoldedEvent>;

const versionKey = (itemId: string, version: number): string => `${itemId}@${version}`;

function evolve(state: RetentionState, event: FoldedEvent, at: Instant): RetentionState {
  switch (event.type) {
    case 'SubjectRegistered':
      return { ...state, openedAt: at, closed: false };
    case 'DataCollected': {
      const versions: Record<string, KeptVersion> = { ...state.versions };
      for (const { itemId, version, category, keyId, retention } of event.data.items)
        versions[versionKey(itemId, version)] = {
          itemId,
          version,
          category,
          keyId,
          term: retention,
          collectedAt: at,
          ...(event.data.serviceRequestRef !== undefined && { serviceRequestRef: event.data.serviceRequestRef }),
          ...(retention.trigger === 'collected' && { due: addPeriodToInstant(at, retention.period) }),
          current: true,
          status: 'kept',
        };
      return { ...state, versions };
    }
    case 'DataCorrected': {
      const { itemId, fromVersion, toVersion, keyId, category, supersededPeriod } = event.data;
      const old = state.versions[versionKey(itemId, fromVersion)];
      if (!old) return state;
      return {
        ...state,
        versions: {
          ...state.versions,
          [versionKey(itemId, fromVersion)]: { ...old, current: false, due: addPeriodToInstant(at, supersededPeriod) },
          [versionKey(itemId, toVersion)]: { ...old, version: toVersion, keyId, category },
        },
      };
    }
    case 'RelationshipClosed':
      return { ...state, closed: true };
    case 'ServiceRequestClosed':
      return { ...state, closedRequests: [...state.closedRequests, event.data.serviceRequestRef] };
    case 'AccountingPeriodEnded':
      return state;
    case 'RetentionScheduled':
      return event.data.items.reduce(
        (folded, { itemId, version, due }) => withVersion(folded, itemId, version, { due: due as Instant }),
        state,
      );
    case 'RetentionExpired':
      return event.data.items.reduce(
        (folded, { itemId, version }) => withVersion(folded, itemId, version, { status: 'expired' }),
        state,
      );
    case 'DataErased':
      return event.data.items.reduce(
        (folded, { itemId, version }) => withVersion(folded, itemId, version, { status: 'erased' }),
        state,
      );
  }
}

function decide(command: RetentionDomainCommand, state: RetentionState, facts: RetentionFacts): RetentionOutcome {
  const unfit = withoutStanding(state.openedAt, facts);
  if (unfit) return unfit;
  const { subjectId } = command;
  switch (command.type) {
    case 'CloseRelationship':
      return close(
        { type: 'RelationshipClosed', data: { subjectId, reasonCode: command.reasonCode } },
        state.closed,
        schedule(subjectId, state, facts, (kept) => kept.term.trigger === 'relationshipClosed'),
      );
    case 'CloseServiceRequest': {
      const { serviceRequestRef } = command;
      return close(
        { type: 'ServiceRequestClosed', data: { subjectId, serviceRequestRef } },
        state.closedRequests.includes(serviceRequestRef),
        schedule(
          subjectId,
          state,
          facts,
          (kept) => kept.term.trigger === 'serviceRequestClosed' && kept.serviceRequestRef === serviceRequestRef,
        ),
      );
    }
    case 'EndAccountingPeriod': {
      // What was collected after it belongs to the next period, also when the end of this one is entered late.
      const scheduled = schedule(
        subjectId,
        state,
        facts,
        (kept) => kept.term.trigger === 'accountingPeriodEnded' && kept.collectedAt <= facts.occurredAt,
      );
      return scheduled.length === 0
        ? unchanged
        : accept<FoldedEvent>({ type: 'AccountingPeriodEnded', data: { subjectId } }, ...scheduled);
    }
    case 'ExpireRetention':
      return expire(command, state, facts);
    case 'ConfirmErasure': {
      const expired = Object.values(state.versions).filter((kept) => kept.status === 'expired');
      if (expired.length === 0) return unchanged;
      const live = facts.liveKeys ?? expired.map((kept) => kept.keyId);
      if (live.length > 0) return refuse('ERASURE_INCOMPLETE', { keys: live.length });
      return accept({
        type: 'DataErased',
        data: {
          subjectId,
          items: expired.map(reference),
          cause: 'retention',
          method: 'keyDestruction',
          keystoreBackupHorizon: addPeriodToInstant(facts.now, KEYSTORE_BACKUP_HORIZON),
        },
      });
    }
    case 'ExtendRetention': {
      const { itemId } = command;
      const known = Object.values(state.versions).some((kept) => kept.itemId === itemId);
      return known ? refuse('RETENTION_EXTENSION_FORBIDDEN', { itemId }) : refuse('ITEM_UNKNOWN', { itemId });
    }
  }
}

/** When what is held must go. An item ends with its last purpose, and takes its superseded versions with it. */
export const retentionDecider: Decider<RetentionDomainCommand, FoldedEvent, RetentionState, RetentionFacts> = {
  initialState: { closed: false, closedRequests: [], versions: {} },
  folds: {
    SubjectRegistered: true,
    DataCollected: true,
    DataCorrected: true,
    RelationshipClosed: true,
    ServiceRequestClosed: true,
    AccountingPeriodEnded: true,
    RetentionScheduled: true,
    RetentionExpired: true,
    DataErased: true,
  },
  evolve,
  decide,
};

/** Closing anew what is closed ends what came in since; else it would be kept for ever. */
function close(closed: RetentionEvent, before: boolean, scheduled: readonly RetentionEvent[]): RetentionOutcome {
  if (before && scheduled.length === 0) return unchanged;
  return accept<FoldedEvent>(...(before ? [] : [closed]), ...scheduled);
}

function expire(command: ExpireRetention, state: RetentionState, facts: RetentionFacts): RetentionOutcome {
  const kept = Object.values(state.versions).filter((each) => each.status === 'kept');
  const isDue = (each: KeptVersion): boolean => each.due !== undefined && each.due <= facts.now;
  const ended = new Set(kept.filter((each) => each.current && isDue(each)).map((each) => each.itemId));
  const due = kept.filter((each) => ended.has(each.itemId) || isDue(each));
  const chosen = command.itemIds === undefined ? due : due.filter((each) => command.itemIds?.includes(each.itemId));
  // An item is due with its current version; an older one that is due goes with everything that is.
  const early = (command.itemIds ?? []).filter((itemId) =>
    kept.some((each) => each.itemId === itemId && each.current && !isDue(each)),
  );
  if (early.length > 0) return refuse('RETENTION_NOT_DUE', { items: early });
  if (chosen.length === 0) return unchanged;
  return accept({
    type: 'RetentionExpired',
    data: {
      subjectId: command.subjectId,
      items: chosen.map((each) => ({ ...reference(each), due: each.due ?? facts.now })),
    },
  });
}

function schedule(
  subjectId: string,
  state: RetentionState,
  facts: RetentionFacts,
  belongs: (kept: KeptVersion) => boolean,
): RetentionEvent[] {
  const items = Object.values(state.versions)
    .filter((kept) => kept.status === 'kept' && kept.due === undefined && belongs(kept))
    .map(({ itemId, version, term }) => ({
      itemId,
      version,
      due: addPeriodToInstant(facts.occurredAt, term.period),
    }));
  return items.length === 0 ? [] : [{ type: 'RetentionScheduled', data: { subjectId, items } }];
}

function reference({ itemId, version, category, keyId }: KeptVersion): ItemVersionRef {
  return { itemId, version, category, keyId };
}

function withVersion(
  state: RetentionState,
  itemId: string,
  version: number,
  change: Partial<KeptVersion>,
): RetentionState {
  const key = versionKey(itemId, version);
  const kept = state.versions[key];
  return kept ? { ...state, versions: { ...state.versions, [key]: { ...kept, ...change } } } : state;
}

import type { Register } from '#kernel';
import type { BulkViewApproved, BulkViewClosed, BulkViewRequested, BulkViewScope } from './view.events.js';

export type BulkViewEvent = BulkViewRequested | BulkViewApproved | BulkViewClosed;

export interface BulkView {
  readonly scope: BulkViewScope;
  readonly requestedBy: string;
  readonly status: 'requested' | 'approved' | 'closed';
  /** Until when it is open; absent as long as nobody approved it. */
  readonly until?: string;
}

export type BulkViewRegisterState = ReadonlyMap<string, BulkView>;

/** Folds what happened to one bulk view; shared with the decider, which must see the same. */
export function evolveBulkView(bulk: BulkView | undefined, event: BulkViewEvent): BulkView | undefined {
  switch (event.type) {
    case 'BulkViewRequested': {
      const { bulkViewId: _id, requestedBy, ...scope } = event.data;
      return { scope, requestedBy, status: 'requested' };
    }
    case 'BulkViewApproved':
      return bulk && { ...bulk, status: 'approved', until: event.data.until };
    case 'BulkViewClosed':
      return bulk && { ...bulk, status: 'closed' };
  }
}

/**
 * Bulk views by id. Whom one was about is dropped when its time is over, but for the first, in whose stream a refusal
 * that comes late stands.
 */
export const bulkViewRegister: Register<BulkViewEvent, BulkViewRegisterState> = {
  name: 'bulk-views',
  streamPrefix: 'bulkview-',
  initialState: new Map(),
  folds: { BulkViewRequested: true, BulkViewApproved: true, BulkViewClosed: true },
  evolve(state, event) {
    const { bulkViewId } = event.data;
    const evolved = evolveBulkView(state.get(bulkViewId), event);
    const next = new Map(
      [...state].map(([id, bulk]) => [id, isOver(bulk, event.recordedAt) ? withoutPeople(bulk) : bulk]),
    );
    return evolved ? next.set(bulkViewId, evolved) : next;
  },
};

const isOver = ({ status, until }: BulkView, at: string): boolean =>
  status === 'closed' || (until !== undefined && until <= at);

const withoutPeople = (bulk: BulkView): BulkView =>
  bulk.scope.subjectIds.length <= 1
    ? bulk
    : { ...bulk, scope: { ...bulk.scope, subjectIds: bulk.scope.subjectIds.slice(0, 1) } };

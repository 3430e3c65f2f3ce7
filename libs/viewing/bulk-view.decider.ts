import { accept, canonicalJson, plusMilliseconds, refuse, unchanged, type Decider } from '#kernel';
import type { BulkViewDomainCommand } from './bulk-view.commands.js';
import { evolveBulkView, type BulkView, type BulkViewEvent } from './bulk-view.register.js';

const HOUR = 60 * 60 * 1000;

export interface BulkViewState {
  readonly bulk?: BulkView;
}

/** The stream of one bulk view. */
export const bulkViewStream = (bulkViewId: string): string => `bulkview-${bulkViewId}`;

/** Looking at many people takes two, and ends by itself (C15). */
export const bulkViewDecider: Decider<BulkViewDomainCommand, BulkViewEvent, BulkViewState> = {
  initialState: {},
  folds: { BulkViewRequested: true, BulkViewApproved: true, BulkViewClosed: true },
  evolve(state, event) {
    const bulk = evolveBulkView(state.bulk, event);
    return bulk ? { bulk } : state;
  },
  decide(command, { bulk }, facts) {
    const { bulkViewId } = command;
    if (command.type === 'RequestBulkView') {
      const { purposeId, caseRef, categories, subjectIds, hours } = command;
      if (caseRef === undefined) return refuse('PURPOSE_NOT_STATED', { fields: ['caseRef'] });
      const scope = { purposeId, caseRef, categories: [...categories], subjectIds: [...subjectIds], hours };
      if (bulk)
        return bulk.requestedBy === facts.actor.id && canonicalJson(bulk.scope) === canonicalJson(scope)
          ? unchanged
          : refuse('REGISTER_ENTRY_EXISTS', { bulkViewId });
      return accept({ type: 'BulkViewRequested', data: { bulkViewId, ...scope, requestedBy: facts.actor.id } });
    }
    if (!bulk) return refuse('REGISTER_ENTRY_UNKNOWN', { bulkViewId });
    if (command.type === 'CloseBulkView') {
      if (bulk.status === 'closed') return unchanged;
      const may = facts.actor.id === bulk.requestedBy || facts.actor.roles.includes('privacyOfficer');
      return may
        ? accept({ type: 'BulkViewClosed', data: { bulkViewId, closedBy: facts.actor.id } })
        : refuse('ACCESS_NOT_GRANTED', { bulkViewId });
    }
    if (facts.actor.id === bulk.requestedBy) return refuse('SELF_APPROVAL', { bulkViewId });
    if (bulk.status === 'approved') return unchanged;
    if (bulk.status === 'closed') return refuse('ACCESS_NOT_GRANTED', { bulkViewId, status: bulk.status });
    return accept({
      type: 'BulkViewApproved',
      data: {
        bulkViewId,
        requestedBy: bulk.requestedBy,
        approvedBy: facts.actor.id,
        until: plusMilliseconds(facts.now, bulk.scope.hours * HOUR),
      },
    });
  },
};

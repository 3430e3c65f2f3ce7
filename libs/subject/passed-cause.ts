import { update, type Projection, type Row } from '#kernel';
import type { CausePassedView, ProcessingRestricted, RestrictionLifted } from './subject.events.js';

/**
 * How rows of a table that a hold, a case or a restriction has deferred are due again once that has passed.
 *
 * @param notDeferred the columns that say by what a row was deferred, empty; `deferred_by` and `deferred_ref` are two
 *   of them.
 */
export function dueWhenCausePasses(
  table: string,
  notDeferred: Row,
): Projection<CausePassedView | ProcessingRestricted | RestrictionLifted>['handles'] {
  const dueAgain = (where: Row) => [update(table, where, notDeferred)];
  return {
    LegalHoldLifted: ({ data }) => dueAgain({ deferred_by: 'legalHold', deferred_ref: data.holdId }),
    DeferralClosed: ({ data }) => dueAgain({ subject_id: data.subjectId, deferred_ref: data.deferralId }),
    // Of another ground it may not keep them any more: they are asked about again.
    ProcessingRestricted: ({ data }) => dueAgain({ subject_id: data.subjectId, deferred_ref: 'restriction' }),
    RestrictionLifted: ({ data }) => dueAgain({ subject_id: data.subjectId, deferred_ref: 'restriction' }),
  };
}

import type { ViewAsked } from '#access';
import { londonDate } from '#calendar';
import {
  accept,
  instant,
  refuse,
  unchanged,
  type Actor,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import { purposeAsOf, purposeRefusal, type PurposeRegisterState } from '#purpose';
import type { PersonalDataSearched, ViewBudgetDrawn } from './view.events.js';
import { categoriesOf, type Opened } from './view.decider.js';
import { searchFieldOf, type SearchField } from './identifier.js';
import type { ViewerDomainCommand } from './viewer.commands.js';

/**
 * What one holder of credentials may do in a day, all of them together: open so many people, or search so many times.
 * Enough for a day at a help desk; what needs more is a bulk view, and takes two.
 */
export const VIEW_BUDGET = 200;

export type ViewerEvent = ViewBudgetDrawn | PersonalDataSearched;

export interface ViewerState {
  readonly opened: ReadonlySet<string>;
  readonly searches: ReadonlySet<string>;
}

/** What somebody wants to search by. */
export type SearchAsked = Omit<ViewAsked, 'subjectId'>;

export interface ViewerFacts extends Facts {
  readonly purposes: PurposeRegisterState;
  /** What is open to somebody about anybody: by grants, never in an emergency, which is about one person. */
  openedToSearch(asked: SearchAsked, at: Instant): Opened;
}

/** What somebody did on one day, of London's calendar: as long as a day's budget, and no longer. */
export const viewerStream = (actorId: string, at: string): string => `viewer-${actorId}-${londonDate(instant(at))}`;

export const viewerDecider: Decider<ViewerDomainCommand, ViewerEvent, ViewerState, ViewerFacts> = {
  initialState: { opened: new Set(), searches: new Set() },
  folds: { ViewBudgetDrawn: true, PersonalDataSearched: true },
  evolve(state, event) {
    return event.type === 'ViewBudgetDrawn'
      ? { ...state, opened: new Set(state.opened).add(event.data.subjectId) }
      : { ...state, searches: new Set(state.searches).add(event.data.searchId) };
  },
  decide(command, state, facts) {
    const isSpent = state.opened.size + state.searches.size >= VIEW_BUDGET;
    const spent = () => refuse('VIEW_BUDGET_EXCEEDED', { limit: VIEW_BUDGET, day: londonDate(facts.occurredAt) });
    if (command.type === 'DrawViewBudget') {
      const { subjectId } = command;
      if (state.opened.has(subjectId)) return unchanged;
      return isSpent ? spent() : accept({ type: 'ViewBudgetDrawn', data: { subjectId } });
    }
    const { field, found } = command;
    const searchId = facts.id('search');
    if (state.searches.has(searchId)) return unchanged;
    const opened = openToSearch(command, facts.actor, facts);
    if ('kind' in opened) return opened;
    // What was looked up a moment ago may have been taken away since.
    const closed = found.flatMap(({ categories }) => categories).filter((each) => !opened.open.includes(each));
    if (closed.length > 0) return refuse('ACCESS_NOT_GRANTED', { purposeId: opened.purposeId, categories: closed });
    if (isSpent) return spent();
    return accept({
      type: 'PersonalDataSearched',
      data: {
        searchId,
        field,
        purposeId: opened.purposeId,
        caseRef: opened.caseRef,
        role: opened.role,
        by: [...opened.by],
        found: found.map(({ subjectId, categories }) => ({ subjectId, categories: [...categories] })),
      },
    });
  },
};

/** A search that may be made, and within which categories. */
export interface OpenSearch {
  readonly purposeId: string;
  readonly caseRef: string;
  readonly open: readonly string[];
  readonly by: readonly string[];
  readonly role: string;
}

/** Within which categories somebody may search now, or why they may not. */
export function openToSearch(
  {
    field,
    purposeId,
    caseRef,
  }: { readonly field: SearchField; readonly purposeId?: string; readonly caseRef?: string },
  { id, roles }: Actor,
  { purposes, openedToSearch, now }: Pick<ViewerFacts, 'purposes' | 'openedToSearch' | 'now'>,
): OpenSearch | Outcome<never> {
  if (roles.includes('auditor')) return refuse('AUDITOR_NO_PLAINTEXT');
  const missing = [...(purposeId === undefined ? ['purpose'] : []), ...(caseRef === undefined ? ['caseRef'] : [])];
  if (purposeId === undefined || caseRef === undefined) return refuse('PURPOSE_NOT_STATED', { fields: missing });
  const found = purposeAsOf(purposes, purposeId, now);
  if (found.status !== 'inForce') return refuse(purposeRefusal(found.status), { purposeId });
  const listed = categoriesOf(found.purpose);
  const categories = (listed === 'all' ? everyCategory(purposes) : listed).filter(
    (category) => searchFieldOf(category) === field,
  );
  if (categories.length === 0) return refuse('DATA_EXCESSIVE', { purposeId, fields: [field] });
  const { open, by, role, lapsed } = openedToSearch({ actorId: id, roles, purposeId, caseRef, categories }, now);
  if (open.length === 0 || role === undefined)
    return refuse(lapsed ? 'ACCESS_EXPIRED' : 'ACCESS_NOT_GRANTED', { purposeId, categories });
  return { purposeId, caseRef, open, by, role };
}

/** Every category that some purpose has ever listed. */
function everyCategory(purposes: PurposeRegisterState): readonly string[] {
  const fields = [...purposes.values()].flatMap(({ approved }) => approved.flatMap((version) => version.fields));
  return [...new Set(fields.map(({ category }) => category))];
}

import type { Opening, ViewAsked } from '#access';
import { accept, refuse, unchanged, type Decider, type Facts, type Instant, type Outcome } from '#kernel';
import { answersThePerson, purposeAsOf, purposeRefusal, type PurposeRegisterState } from '#purpose';
import type { BulkViewRegisterState } from './bulk-view.register.js';
import type { ViewPersonalData } from './view.commands.js';
import type { PersonalDataViewed } from './view.events.js';

/** What of it grants, or an emergency, open at a moment. */
export interface Opened extends Opening {
  /** The role in which it opens; absent when nothing does. */
  readonly role?: string;
  readonly emergency: boolean;
}

/** How the person stands, as their own stream has it. */
export interface Standing {
  readonly known: boolean;
  readonly restricted: boolean;
}

export interface ViewFacts extends Facts {
  readonly purposes: PurposeRegisterState;
  readonly bulkViews: BulkViewRegisterState;
  /** What is open to somebody at a moment. */
  opened(asked: ViewAsked, at: Instant): Opened;
  readonly standing: Standing;
}

export interface ViewState {
  /** The newest ones, by which a repeat is known. */
  readonly views: readonly string[];
}

/** Views of one person in one month stand in a stream of their own, which may grow without holding up decisions. */
export const accessStream = (subjectId: string, at: string): string => `access-${subjectId}-${at.slice(0, 7)}`;

/** Who looks at restricted data: those who answer for it (I-15e). */
const OVER_RESTRICTION: readonly string[] = ['privacyOfficer', 'legal'];

/** Whether a value may be opened. Everything that was asked for must be open: what may not be seen is not half seen. */
export const viewDecider: Decider<ViewPersonalData, PersonalDataViewed, ViewState, ViewFacts> = {
  initialState: { views: [] },
  folds: { PersonalDataViewed: true },
  evolve: (state, event) => ({ views: [...state.views, event.data.viewId].slice(-100) }),
  decide(command, state, facts) {
    const { subjectId, purposeId, caseRef, categories, bulkViewId } = command;
    const viewId = facts.id('view');
    if (state.views.includes(viewId)) return unchanged;
    const { actor, now } = facts;
    if (actor.roles.includes('auditor')) return refuse('AUDITOR_NO_PLAINTEXT');
    const missing = [...(purposeId === undefined ? ['purpose'] : []), ...(caseRef === undefined ? ['caseRef'] : [])];
    if (purposeId === undefined || caseRef === undefined) return refuse('PURPOSE_NOT_STATED', { fields: missing });
    if (!facts.standing.known) return refuse('SUBJECT_UNKNOWN');

    const asked = { actorId: actor.id, roles: actor.roles, subjectId, purposeId, caseRef, categories };
    const opened = facts.opened(asked, now);
    const found = purposeAsOf(facts.purposes, purposeId, now);
    if (found.status !== 'inForce') return refuse(purposeRefusal(found.status), { purposeId });
    const listed = categoriesOf(found.purpose);
    // An emergency opens what a person's life may hang on, whatever a purpose was written for.
    const beyond = opened.emergency || listed === 'all' ? [] : categories.filter((each) => !listed.includes(each));
    if (beyond.length > 0) return refuse('DATA_EXCESSIVE', { purposeId, fields: beyond });
    if (facts.standing.restricted && !OVER_RESTRICTION.some((role) => actor.roles.includes(role)))
      return refuse('PROCESSING_RESTRICTED', { purposeId });
    if (opened.closed.length > 0 || opened.role === undefined)
      return refuse(opened.lapsed ? 'ACCESS_EXPIRED' : 'ACCESS_NOT_GRANTED', { purposeId, categories: opened.closed });
    const apart = bulkViewId === undefined ? undefined : bulkRefusal(bulkViewId, asked, facts);
    if (apart) return apart;
    return accept({
      type: 'PersonalDataViewed',
      data: {
        subjectId,
        viewId,
        categories,
        purposeId,
        caseRef,
        role: opened.role,
        by: [...opened.by],
        ...(opened.emergency && { emergency: true as const }),
        ...(bulkViewId !== undefined && { bulkViewId }),
      },
    });
  },
};

/**
 * The categories that a purpose may show; all of them when it is there to answer the person, who may see everything
 * that is held (UK GDPR Art 15).
 */
export function categoriesOf(purpose: Parameters<typeof answersThePerson>[0]): readonly string[] | 'all' {
  return answersThePerson(purpose) ? 'all' : purpose.fields.map(({ category }) => category);
}

/** Why a bulk view does not open this; `undefined` when it does. */
export function bulkRefusal(
  bulkViewId: string,
  asked: ViewAsked,
  facts: Pick<ViewFacts, 'bulkViews' | 'now'>,
): Outcome<never> | undefined {
  const bulk = facts.bulkViews.get(bulkViewId);
  if (!bulk) return refuse('REGISTER_ENTRY_UNKNOWN', { bulkViewId });
  if (bulk.requestedBy !== asked.actorId) return refuse('ACCESS_NOT_GRANTED', { bulkViewId });
  if (bulk.status === 'requested') return refuse('FOUR_EYES_REQUIRED', { bulkViewId });
  if (bulk.status === 'closed' || bulk.until === undefined) return refuse('ACCESS_NOT_GRANTED', { bulkViewId });
  if (bulk.until <= facts.now) return refuse('ACCESS_EXPIRED', { bulkViewId, until: bulk.until });
  const fits =
    bulk.scope.purposeId === asked.purposeId &&
    bulk.scope.caseRef === asked.caseRef &&
    bulk.scope.subjectIds.includes(asked.subjectId) &&
    asked.categories.every((each) => bulk.scope.categories.includes(each));
  return fits ? undefined : refuse('ACCESS_NOT_GRANTED', { bulkViewId });
}

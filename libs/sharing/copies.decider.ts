import { accept, unchanged, type Decider, type Facts } from '#kernel';
import type { DataShared } from './disclosure.events.js';
import type { EndCopies } from './return-or-delete.commands.js';
import type { CopiesEnded, EndedGround } from './return-or-delete.events.js';

/** How many disclosures one command ends: what is more is taken up by the next. Bounds the size of an event. */
export const COPIES_AT_ONCE = 1_000;

/** What one person's data was given on. */
interface Given {
  readonly recipientId: string;
  readonly agreementId?: string;
  readonly groupCompanyNumber?: string;
  readonly groupMemberSince?: string;
}

export interface CopiesState {
  /** Disclosures to recipients whose copies have not ended, by id. */
  readonly given: ReadonlyMap<string, Given>;
  /** The last command that took only a part of its work, so that its repeat takes none. */
  readonly part?: string;
}

/** The copies of one person's data that are gone because the ground they were given on is (UK GDPR Art 28(3)(g)). */
export const copiesDecider: Decider<
  EndCopies & { readonly type: 'EndCopies' },
  DataShared | CopiesEnded,
  CopiesState,
  Facts
> = {
  initialState: { given: new Map() },
  folds: { DataShared: true, CopiesEnded: true },
  evolve(state, event) {
    const given = new Map(state.given);
    if (event.type === 'DataShared') {
      const { disclosureId, recipientKind, ...about } = event.data;
      return recipientKind === 'SELF' ? state : { ...state, given: given.set(disclosureId, about) };
    }
    event.data.disclosureIds.forEach((disclosureId) => given.delete(disclosureId));
    return { ...state, given, ...(event.data.part !== undefined && { part: event.data.part }) };
  },
  decide({ subjectId, recipientId, taskId, reason, ground, since, outcome, reference }, state, facts) {
    const part = facts.id('part');
    if (state.part === part) return unchanged;
    const all = [...state.given]
      .filter(([, given]) => given.recipientId === recipientId && wasGivenOn(given, reason, ground, since))
      .map(([disclosureId]) => disclosureId);
    const disclosureIds = all.slice(0, COPIES_AT_ONCE);
    if (disclosureIds.length === 0) return unchanged;
    return accept({
      type: 'CopiesEnded',
      data: {
        ...{ subjectId, recipientId, taskId, outcome, reference, disclosureIds },
        ...(disclosureIds.length < all.length && { part }),
      },
    });
  },
};

/** What was stored before the membership was named counts for the one that ended. */
const wasGivenOn = (given: Given, reason: EndedGround, ground: string, since: string): boolean =>
  reason === 'agreementEnded'
    ? given.agreementId === ground
    : given.groupCompanyNumber === ground && (given.groupMemberSince ?? '') < since;

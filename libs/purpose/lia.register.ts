import type { Instant, Register } from '#kernel';
import type { LiaContent, LiaEvent, LiaSubjectClass } from './lia.events.js';
import type { Purpose } from './purpose.register.js';

/** A version of an assessment with what became of it. */
export interface LiaVersion extends LiaContent {
  readonly liaId: string;
  readonly version: number;
  readonly author: string;
  /** When it was approved; absent until then. */
  readonly approvedAt?: Instant;
  readonly reviewBy?: Instant;
  readonly rejected?: true;
  /** It was stated that its review is overdue; that it is follows from the time. */
  readonly expired?: true;
}

/** Versions by id of the assessment, in rising order. */
export type LiaRegisterState = ReadonlyMap<string, readonly LiaVersion[]>;

/** Folds what happened to one assessment; shared with the decider. */
export function evolveLia(versions: readonly LiaVersion[], event: LiaEvent, at: Instant): readonly LiaVersion[] {
  const changed = (change: Partial<LiaVersion>) =>
    versions.map((each) => (each.version === event.data.version ? { ...each, ...change } : each));
  switch (event.type) {
    case 'LiaDrafted':
      return [...versions, event.data];
    case 'LiaApproved':
      return changed({ approvedAt: at, reviewBy: event.data.reviewBy });
    case 'LiaRejected':
      return changed({ rejected: true });
    case 'LiaExpired':
      return changed({ expired: true });
  }
}

/** The assessments of legitimate interests with their history. */
export const liaRegister: Register<LiaEvent, LiaRegisterState> = {
  name: 'lias',
  streamPrefix: 'lia-',
  initialState: new Map(),
  folds: { LiaDrafted: true, LiaApproved: true, LiaRejected: true, LiaExpired: true },
  evolve(state, event) {
    const { liaId } = event.data;
    return new Map(state).set(liaId, evolveLia(state.get(liaId) ?? [], event, event.occurredAt));
  },
};

/** What a use on the basis of a legitimate interest finds. */
export type LiaFound =
  /** Somebody weighed the interest, and it prevails: the use may rest on it. */
  | { readonly status: 'prevails'; readonly liaId: string; readonly version: number; readonly reviewBy: Instant }
  /** The newest assessment says that the people concerned prevail. */
  | { readonly status: 'against'; readonly liaId: string }
  /** Its review is overdue. */
  | { readonly status: 'expired'; readonly liaId: string; readonly reviewBy: Instant }
  /** None was approved for this version of the purpose and such people. */
  | { readonly status: 'missing' };

/**
 * What was found about the interest that a purpose pursues, at a time: by the newest approved version of the
 * assessment that the purpose names, or of any assessment of it when it names none. One that says the people concerned
 * prevail outweighs every other; an overdue one is as good as none.
 *
 * @param subjectClass of the person whose data is to be used; people who were not thought of are not covered.
 */
export function liaFor(
  state: LiaRegisterState,
  purpose: Pick<Purpose, 'purposeId' | 'version' | 'liaRef'>,
  subjectClass: LiaSubjectClass,
  at: Instant,
): LiaFound {
  const named = purpose.liaRef === undefined ? [...state.values()] : [state.get(purpose.liaRef) ?? []];
  const fitting = named.flatMap((versions) => {
    const newest = versions.findLast(
      ({ approvedAt, purposeId }) => approvedAt !== undefined && approvedAt <= at && purposeId === purpose.purposeId,
    );
    const covers = newest?.purposeVersion === purpose.version && newest.subjectClasses.includes(subjectClass);
    return newest && covers ? [newest] : [];
  });
  const against = fitting.find(({ outcome }) => outcome === 'subjectPrevails');
  if (against) return { status: 'against', liaId: against.liaId };
  const [latest] = [...fitting].sort((a, b) => ((a.reviewBy ?? '') > (b.reviewBy ?? '') ? -1 : 1));
  if (latest?.reviewBy === undefined) return { status: 'missing' };
  const { liaId, version, reviewBy } = latest;
  return at < reviewBy ? { status: 'prevails', liaId, version, reviewBy } : { status: 'expired', liaId, reviewBy };
}

import type { Instant, Recorded, RefusalCode, Register } from '#kernel';
import type { PurposeDefinition, PurposeEvent } from './purpose.events.js';

/** A purpose version in force. */
export interface Purpose extends PurposeDefinition {
  readonly purposeId: string;
  readonly version: number;
  /** When this version took effect. */
  readonly effectiveFrom: Instant;
}

/** One purpose with its history. */
export interface PurposeEntry {
  /** Every version by number, drafts included. */
  readonly defined: ReadonlyMap<number, PurposeDefinition>;
  /** Approved versions in rising order, each in force from its time until the next one's. */
  readonly approved: readonly Purpose[];
  /** In the order in which they were decided. */
  readonly suspensions: readonly { readonly from: Instant; readonly to?: Instant }[];
  readonly retiredAt?: Instant;
}

/** Purposes by id. */
export type PurposeRegisterState = ReadonlyMap<string, PurposeEntry>;

/** What a purpose is at some time. */
export type PurposeStatus = 'inForce' | 'unknown' | 'notApproved' | 'suspended' | 'retired';

/**
 * The purpose register with its history.
 *
 * A version is in force from the `effectiveFrom` of its approval. That may lie before the approval for a purpose's
 * first approved version only: a policy that people were told of years ago is entered when the engine is installed,
 * and what was collected under it since then has its purpose. Later versions never reach back, so that no approval
 * changes which version was in force before it.
 */
export const purposeRegister: Register<PurposeEvent, PurposeRegisterState> = {
  name: 'purposes',
  streamPrefix: 'purpose-',
  initialState: new Map(),
  folds: {
    PurposeDefined: true,
    PurposeApproved: true,
    PurposeReviewDue: true,
    PurposeReviewed: true,
    PurposeSuspended: true,
    PurposeResumed: true,
    PurposeRetired: true,
  },
  evolve(state, event) {
    const { purposeId } = event.data;
    return new Map(state).set(purposeId, evolveEntry(state.get(purposeId) ?? nothing, event));
  },
};

/**
 * The purpose as it stood at a time.
 *
 * @param at when the matter happened, not when it is decided: a message that comes late is judged by the version it
 * was sent under.
 */
export function purposeAsOf(
  state: PurposeRegisterState,
  purposeId: string,
  at: Instant,
): { readonly status: 'inForce'; readonly purpose: Purpose } | { readonly status: Exclude<PurposeStatus, 'inForce'> } {
  const entry = state.get(purposeId);
  if (!entry) return { status: 'unknown' };
  if (entry.retiredAt !== undefined && entry.retiredAt <= at) return { status: 'retired' };
  const purpose = entry.approved.findLast((version) => version.effectiveFrom <= at);
  if (!purpose) return { status: 'notApproved' };
  const suspended = entry.suspensions.some(({ from, to }) => from <= at && (to === undefined || at < to));
  return suspended ? { status: 'suspended' } : { status: 'inForce', purpose };
}

/** Showing people what is held about them is no use for an end of ours: the law asks for it (UK GDPR Art 15). */
export const answersThePerson = ({ serviceLine, basis, commercial }: PurposeDefinition): boolean =>
  serviceLine === 'GOVERNANCE' && basis === 'legalObligation' && !commercial;

/** The code that refuses what needs a purpose in force. */
export function purposeRefusal(status: Exclude<PurposeStatus, 'inForce'>): RefusalCode {
  switch (status) {
    case 'unknown':
      return 'PURPOSE_UNKNOWN';
    case 'notApproved':
      return 'PURPOSE_NOT_APPROVED';
    case 'suspended':
    case 'retired':
      return 'PURPOSE_SUSPENDED';
  }
}

const nothing: PurposeEntry = { defined: new Map(), approved: [], suspensions: [] };

function evolveEntry(entry: PurposeEntry, event: Recorded<PurposeEvent>): PurposeEntry {
  switch (event.type) {
    case 'PurposeDefined': {
      const { purposeId: _id, version, author: _author, replaces: _draft, ...definition } = event.data;
      return { ...entry, defined: new Map(entry.defined).set(version, definition) };
    }
    case 'PurposeApproved': {
      const { purposeId, version, effectiveFrom } = event.data;
      const definition = entry.defined.get(version);
      if (!definition) return entry;
      return { ...entry, approved: [...entry.approved, { ...definition, purposeId, version, effectiveFrom }] };
    }
    // Reviews change nothing about what is in force.
    case 'PurposeReviewDue':
    case 'PurposeReviewed':
      return entry;
    case 'PurposeSuspended':
      return { ...entry, suspensions: [...entry.suspensions, { from: event.occurredAt }] };
    case 'PurposeResumed':
      return {
        ...entry,
        suspensions: entry.suspensions.map((each) =>
          each.to === undefined ? { ...each, to: event.occurredAt } : each,
        ),
      };
    case 'PurposeRetired':
      return { ...entry, retiredAt: event.occurredAt };
  }
}

import { accept, refuse, unchanged, type Decider, type Facts } from '#kernel';
import type { ApproveErasureRun } from './erasure-run.commands.js';
import type { ErasureRunEvent } from './erasure-run.events.js';

export const erasureRunStream = (runId: string): string => `erasurerun-${runId}`;

export interface ErasureRunState {
  /** Of what was approved under the id. */
  readonly digest?: string;
}

export interface ErasureRunFacts extends Facts {
  /** The digest of what the command lists. Looked up before it is decided. */
  readonly digestOfListed?: string;
}

/** Somebody looks at what is about to end before it does (C16). */
export const erasureRunDecider: Decider<ApproveErasureRun, ErasureRunEvent, ErasureRunState, ErasureRunFacts> = {
  initialState: {},
  folds: { ErasureRunApproved: true },
  evolve: (_state, event) => ({ digest: event.data.digest }),
  decide({ runId, at, digest, items, exceptions }, state, facts) {
    // What is approved is what the dry run listed, all of it.
    if (facts.digestOfListed !== digest) return refuse('VERSION_CONFLICT', { runId, field: 'digest' });
    if (state.digest !== undefined)
      return state.digest === digest ? unchanged : refuse('REGISTER_ENTRY_EXISTS', { runId });
    return accept<ErasureRunEvent>({
      type: 'ErasureRunApproved',
      data: {
        runId,
        at,
        digest,
        approvedBy: facts.actor.id,
        items: items.map(({ subjectId, itemId, version, action }) => ({ subjectId, itemId, version, action })),
        exceptions: exceptions.map(({ cause, versions }) => ({ cause, versions })),
      },
    });
  },
};

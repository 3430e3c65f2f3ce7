import { accept, unchanged, type Decider, type Facts } from '#kernel';
import type { RecordProjectionRebuild } from './rebuild.commands.js';
import type { ProjectionRebuilt } from './rebuild.events.js';

export const REBUILD_STREAM_PREFIX = 'rebuild-';

export type RebuildState = 'unknown' | 'recorded';

/** A rebuild is recorded once: its id stands for what was built, up to where, and what it gave. */
export const rebuildDecider: Decider<RecordProjectionRebuild, ProjectionRebuilt, RebuildState, Facts> = {
  initialState: 'unknown',
  folds: { ProjectionRebuilt: true },
  evolve: () => 'recorded',
  decide: ({ rebuildId, through, digest, projections }, state) =>
    state === 'recorded'
      ? unchanged
      : accept({
          type: 'ProjectionRebuilt',
          data: {
            rebuildId,
            through,
            digest,
            projections: projections.map((each) => ({ projection: each.projection, digest: each.digest })),
          },
        }),
};

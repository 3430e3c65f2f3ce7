import { insert, type Projection } from '#kernel';
import type { ProjectionRebuilt } from './rebuild.events.js';

/** `ProjectionRebuilds`: when which read models were built anew, up to where, and the digest of their rows there (C08). */
export const projectionRebuildsProjection: Projection<ProjectionRebuilt> = {
  name: 'projection-rebuilds',
  version: 1,
  tables: {
    projection_rebuilds: {
      columns: {
        rebuild_id: 'text',
        /** Position of the last event they had taken: `custos replay --digest --through` it gives the same digests. */
        through: 'integer',
        digest: 'text',
        /** JSON list of projections and their digests. */
        projections: 'text',
        recorded_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['rebuild_id'],
      history: true,
    },
  },
  handles: {
    ProjectionRebuilt: ({ data, recordedAt, id, position }) => [
      insert('projection_rebuilds', {
        rebuild_id: data.rebuildId,
        through: data.through,
        digest: data.digest,
        projections: JSON.stringify(data.projections),
        recorded_at: recordedAt,
        event_id: id,
        position,
      }),
    ],
  },
};

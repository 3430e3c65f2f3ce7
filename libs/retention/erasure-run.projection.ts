import { insert, type Projection } from '#kernel';
import type { ErasureRunEvent } from './erasure-run.events.js';

/** `ErasureRuns`: what was approved of what ends by a time, by whom; what became of it stands in the schedule. */
export const erasureRunsProjection: Projection<ErasureRunEvent> = {
  name: 'erasure-runs',
  version: 1,
  tables: {
    erasure_runs: {
      columns: {
        run_id: 'text',
        at: 'text',
        digest: 'text',
        approved_by: 'text',
        approved_at: 'text',
        versions: 'integer',
        /** `ItemOfRun` and `ExceptionOfRun`, as JSON. */
        items: 'text',
        exceptions: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['run_id'],
      indexes: [['at']],
      history: true,
    },
  },
  handles: {
    ErasureRunApproved: ({ data, occurredAt, id, position }) => [
      insert('erasure_runs', {
        run_id: data.runId,
        at: data.at,
        digest: data.digest,
        approved_by: data.approvedBy,
        approved_at: occurredAt,
        versions: data.items.length,
        items: JSON.stringify(data.items),
        exceptions: JSON.stringify(data.exceptions),
        event_id: id,
        position,
      }),
    ],
  },
};

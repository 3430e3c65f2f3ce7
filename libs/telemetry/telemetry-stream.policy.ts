import type { TimedPolicy } from '#slice';
import { telemetryInventoryProjection } from './telemetry-stream.projection.js';

/** A review that has fallen due is raised. Capture stops at that moment of itself, raised or not (C07). */
export const essentialityReviewPolicy: TimedPolicy = {
  name: 'essentiality-review',
  projection: telemetryInventoryProjection,
  table: 'telemetry_streams',
  where: { status: 'approved', review_raised: 0 },
  dueColumn: 'review_by',
  groupBy: ['stream_id', 'version'],
  command: ([row]) => ({
    type: 'RaiseEssentialityReview',
    body: { streamId: row['stream_id'], version: row['version'], reviewBy: row['review_by'] },
  }),
};

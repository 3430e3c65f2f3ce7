import { capability, READERS, slice, view, type Role } from '#slice';
import { RecordServiceDisruption } from './disruption.commands.js';
import { DISRUPTION_STREAM_PREFIX, disruptionDecider } from './disruption.decider.js';
import { serviceDisruptionsProjection } from './disruption.projection.js';
import { RecordProjectionRebuild } from './rebuild.commands.js';
import { REBUILD_STREAM_PREFIX, rebuildDecider } from './rebuild.decider.js';
import { projectionRebuildsProjection } from './rebuild.projection.js';
import { resilienceCodec } from './resilience.codec.js';

const READ_BY: readonly Role[] = [...READERS, 'securityOfficer'];

export const resilienceCapability = capability({
  name: 'resilience',
  codec: resilienceCodec,
  slices: [
    slice({
      decider: disruptionDecider,
      streamPrefix: DISRUPTION_STREAM_PREFIX,
      stream: ({ disruptionId }) => `${DISRUPTION_STREAM_PREFIX}${disruptionId}`,
      facts: () => ({}),
      commands: [{ command: RecordServiceDisruption, roles: ['operator', 'securityOfficer'] }],
    }),
    slice({
      decider: rebuildDecider,
      streamPrefix: REBUILD_STREAM_PREFIX,
      stream: ({ rebuildId }) => `${REBUILD_STREAM_PREFIX}${rebuildId}`,
      facts: () => ({}),
      commands: [{ command: RecordProjectionRebuild, roles: ['system'] }],
    }),
  ],
  projections: [serviceDisruptionsProjection, projectionRebuildsProjection],
  views: [
    view('register', 'service-disruptions', serviceDisruptionsProjection, 'service_disruptions', READ_BY),
    view('register', 'projection-rebuilds', projectionRebuildsProjection, 'projection_rebuilds', READ_BY),
  ],
});

import { capability, READERS, slice, view, type Role } from '#slice';
import { RecordServiceDisruption } from './disruption.commands.js';
import { DISRUPTION_STREAM_PREFIX, disruptionDecider } from './disruption.decider.js';
import { serviceDisruptionsProjection } from './disruption.projection.js';
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
  ],
  projections: [serviceDisruptionsProjection],
  views: [view('register', 'service-disruptions', serviceDisruptionsProjection, 'service_disruptions', READ_BY)],
});

import { subjectStream } from '#kernel';
import { capability, slice, view } from '#slice';
import { retentionCodec } from './retention.codec.js';
import {
  CloseRelationship,
  CloseServiceRequest,
  ConfirmErasure,
  EndAccountingPeriod,
  ExpireRetention,
  ExtendRetention,
} from './retention.commands.js';
import { retentionDecider } from './retention.decider.js';
import { retentionScheduleProjection } from './retention.projection.js';
import { erasurePolicy, retentionExpiryPolicy } from './retention.policy.js';

export const retentionCapability = capability({
  name: 'retention',
  codec: retentionCodec,
  slices: [
    slice({
      decider: retentionDecider,
      streamPrefix: 'subject-',
      stream: (command) => subjectStream(command.subjectId),
      facts: () => ({}),
      touched: (command, { versions }) =>
        command.type === 'ExtendRetention'
          ? {
              categories: Object.values(versions)
                .filter(({ itemId }) => itemId === command.itemId)
                .map(({ category }) => category),
            }
          : {},
      async lookUp(command, state, { vault }) {
        if (command.type !== 'ConfirmErasure') return {};
        const expired = Object.values(state.versions).filter((kept) => kept.status === 'expired');
        return { liveKeys: await vault.liveKeys(expired.map((kept) => kept.keyId)) };
      },
      commands: [
        { command: CloseRelationship, roles: ['service', 'staff', 'privacyOfficer'] },
        { command: CloseServiceRequest, roles: ['service', 'staff'] },
        { command: EndAccountingPeriod, roles: ['service', 'staff'] },
        { command: ExpireRetention, roles: ['system', 'privacyOfficer'] },
        { command: ConfirmErasure, roles: ['system'] },
        { command: ExtendRetention, roles: ['service', 'staff', 'privacyOfficer', 'legal'] },
      ],
    }),
  ],
  projections: [retentionScheduleProjection],
  views: [view('subject', 'retention', retentionScheduleProjection, 'retention_schedule')],
  policies: [retentionExpiryPolicy, erasurePolicy],
});

import { parseInstant, subjectStream } from '#kernel';
import { noticeRegister } from '#notice';
import { purposeRegister } from '#purpose';
import { legalHoldRegister } from '#retention';
import { capability, slice, view, type LookUps, type Role } from '#slice';
import {
  ApproveEssentiality,
  RaiseEssentialityReview,
  RegisterTelemetryStream,
  RejectEssentiality,
  ResumeTelemetryStream,
  RetireTelemetryStream,
  SuspendTelemetryStream,
} from './telemetry-stream.commands.js';
import { telemetryStreamDecider } from './telemetry-stream.decider.js';
import { essentialityReviewPolicy } from './telemetry-stream.policy.js';
import { telemetryInventoryProjection } from './telemetry-stream.projection.js';
import { telemetryStreamRegister } from './telemetry-stream.register.js';
import { telemetryCodec } from './telemetry.codec.js';
import { usageAccessDecider } from './usage-access.decider.js';
import {
  AuthoriseUsageAccess,
  ConfirmUsageErasure,
  ExpireUsage,
  RecordUsage,
  type UsageDomainCommand,
} from './usage.commands.js';
import { UsageController } from './usage.controller.js';
import { usageDecider } from './usage.decider.js';
import { monthOf, usageStream } from './usage.events.js';
import { usageErasurePolicy, usageExpiryPolicy } from './usage.policy.js';
import { usageAccessesProjection, usageProjection } from './usage.projection.js';
import { evolveStanding, nobody, STANDING_FOLDS, type StandingEvent, type UsageStanding } from './usage.standing.js';

/** Who keeps the registers; a policy file is applied in the name of such people. */
const officers: readonly Role[] = ['privacyOfficer'];

/** The month a command is about. */
function monthOfCommand(command: UsageDomainCommand): string {
  if (command.type !== 'RecordUsage') return command.month;
  const at = parseInstant(command.entries[0]?.at ?? '');
  if (at === undefined) throw new RangeError('usage without a time');
  return monthOf(at);
}

/** The person as the log has them now. */
async function standingOf(subjectId: string, { events }: LookUps): Promise<UsageStanding> {
  let standing = nobody;
  for await (const event of events(subjectStream(subjectId)))
    if (event.type in STANDING_FOLDS) standing = evolveStanding(standing, event as StandingEvent, event.occurredAt);
  return standing;
}

export const telemetryCapability = capability({
  name: 'telemetry',
  codec: telemetryCodec,
  slices: [
    slice({
      decider: telemetryStreamDecider,
      streamPrefix: 'telemetrystream-',
      stream: (command) => `telemetrystream-${command.streamId}`,
      facts: (registers) => ({ purposes: registers.get(purposeRegister), notices: registers.get(noticeRegister) }),
      commands: [
        ...[
          RegisterTelemetryStream,
          ApproveEssentiality,
          RejectEssentiality,
          SuspendTelemetryStream,
          ResumeTelemetryStream,
          RetireTelemetryStream,
        ].map((command) => ({ command, roles: officers })),
        { command: RaiseEssentialityReview, roles: ['system'] },
      ],
    }),
    slice({
      decider: usageDecider,
      streamPrefix: 'usage-',
      stream: (command) => usageStream(command.subjectId, monthOfCommand(command)),
      facts: (registers) => ({
        streams: registers.get(telemetryStreamRegister),
        purposes: registers.get(purposeRegister),
        notices: registers.get(noticeRegister),
        legalHolds: registers.get(legalHoldRegister),
      }),
      touched: (command, _state, registers) => {
        if (command.type !== 'RecordUsage') return {};
        const entry = registers.get(telemetryStreamRegister).get(command.streamId);
        const definition = entry?.defined.get(entry.approvals.at(-1)?.version ?? 0);
        return definition ? { purposes: [definition.purposeId] } : {};
      },
      async lookUp(command, state, lookUps) {
        const { vault } = lookUps;
        const person = await standingOf(command.subjectId, lookUps);
        switch (command.type) {
          case 'RecordUsage': {
            const gone = await vault.tombstoneOfSubject(command.subjectId);
            const tombstones = await vault.tombstonesOfKeys(state.keys);
            return { person, erased: gone !== undefined || tombstones.length > 0 };
          }
          case 'ExpireUsage':
            return { person };
          case 'ConfirmUsageErasure':
            return { person, liveKeys: await vault.liveKeys(state.keys) };
        }
      },
      // The keys go between the decision, which no hold forbids, and the statement that they are gone (X5).
      async beforeAppend(events, { vault }) {
        for (const event of events)
          if (event.type === 'UsageErased') await vault.destroyItemKeys(event.data.keys, event.data.cause);
      },
      commands: [
        { command: RecordUsage, roles: ['service'] },
        { command: ExpireUsage, roles: ['system', 'privacyOfficer'] },
        { command: ConfirmUsageErasure, roles: ['system'] },
      ],
    }),
    slice({
      decider: usageAccessDecider,
      streamPrefix: 'subject-',
      stream: (command) => subjectStream(command.subjectId),
      facts: (registers) => ({
        streams: registers.get(telemetryStreamRegister),
        purposes: registers.get(purposeRegister),
      }),
      commands: [{ command: AuthoriseUsageAccess, roles: ['service', 'staff', 'privacyOfficer'] }],
    }),
  ],
  registers: [telemetryStreamRegister],
  projections: [telemetryInventoryProjection, usageProjection, usageAccessesProjection],
  views: [
    view('register', 'telemetry-streams', telemetryInventoryProjection, 'telemetry_streams'),
    view('register', 'telemetry-fields', telemetryInventoryProjection, 'telemetry_fields'),
    view('register', 'telemetry-standing', telemetryInventoryProjection, 'telemetry_standing'),
    { ...view('subject', 'usage-months', usageProjection, 'usage_months'), inFile: true },
    view('subject', 'usage-accesses', usageAccessesProjection, 'usage_accesses'),
  ],
  controllers: [UsageController],
  policies: [essentialityReviewPolicy, usageExpiryPolicy, usageErasurePolicy],
});

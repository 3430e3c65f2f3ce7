import { capability, slice, view, type Role } from '#slice';
import {
  RegisterCollectionPoint,
  RetireCollectionPoint,
  type CollectionPointDomainCommand,
} from './collection-point.commands.js';
import {
  collectionPointDecider,
  type CollectionPointFacts,
  type CollectionPointState,
} from './collection-point.decider.js';
import type { CollectionPointEvent } from './collection-point.events.js';
import { collectionPointsProjection } from './collection-point.projection.js';
import { collectionPointRegister } from './collection-point.register.js';
import {
  ApproveCompatibility,
  AssessCompatibility,
  RevokeCompatibility,
  type CompatibilityDomainCommand,
} from './compatibility.commands.js';
import { compatibilityDecider, type CompatibilityFacts, type CompatibilityState } from './compatibility.decider.js';
import type { CompatibilityEvent } from './compatibility.events.js';
import { compatibilityProjection } from './compatibility.projection.js';
import { compatibilityRegister, compatibilityStream } from './compatibility.register.js';
import { ApproveLia, DraftLia, ExpireLia, RejectLia, type LiaDomainCommand } from './lia.commands.js';
import { liaDecider, liaStream, type LiaFacts } from './lia.decider.js';
import type { LiaEvent } from './lia.events.js';
import { liaExpiryPolicy } from './lia.policy.js';
import { liasProjection } from './lia.projection.js';
import { liaRegister, type LiaVersion } from './lia.register.js';
import { purposeCodec } from './purpose.codec.js';
import {
  ApprovePurpose,
  DefinePurpose,
  RaisePurposeReview,
  ResumePurpose,
  RetirePurpose,
  ReviewPurpose,
  SuspendPurpose,
  type PurposeDomainCommand,
} from './purpose.commands.js';
import { purposeDecider, type PurposeState } from './purpose.decider.js';
import type { PurposeEvent } from './purpose.events.js';
import { purposeReviewPolicy } from './purpose.policy.js';
import { purposesProjection } from './purpose.projection.js';
import { purposeRegister } from './purpose.register.js';
import type { Facts } from '#kernel';

/** Who keeps the registers; a policy file is applied in the name of such people. */
const roles: readonly Role[] = ['privacyOfficer'];
/** A legal judgement, which no installation file makes. */
const JUDGES: readonly Role[] = ['privacyOfficer', 'legal'];

export const purposeCapability = capability({
  name: 'purpose',
  codec: purposeCodec,
  slices: [
    slice<PurposeDomainCommand, PurposeEvent, PurposeState, Facts>({
      decider: purposeDecider,
      commands: [
        ...[DefinePurpose, ApprovePurpose, SuspendPurpose, ResumePurpose, RetirePurpose].map((command) => ({
          command,
          roles,
        })),
        { command: ReviewPurpose, roles: JUDGES },
        { command: RaisePurposeReview, roles: ['system'] },
      ],
      streamPrefix: 'purpose-',
      stream: (command) => `purpose-${command.purposeId}`,
      facts: () => ({}),
    }),
    slice<CollectionPointDomainCommand, CollectionPointEvent, CollectionPointState, CollectionPointFacts>({
      decider: collectionPointDecider,
      commands: [RegisterCollectionPoint, RetireCollectionPoint].map((command) => ({ command, roles })),
      streamPrefix: 'collectionpoint-',
      stream: (command) => `collectionpoint-${command.collectionPointId}`,
      facts: (registers) => ({ purposes: registers.get(purposeRegister) }),
    }),
    slice<CompatibilityDomainCommand, CompatibilityEvent, CompatibilityState, CompatibilityFacts>({
      decider: compatibilityDecider,
      commands: [AssessCompatibility, ApproveCompatibility, RevokeCompatibility].map((command) => ({
        command,
        roles: JUDGES,
      })),
      streamPrefix: compatibilityRegister.streamPrefix,
      stream: ({ from, to }) => compatibilityStream(from, to),
      facts: (registers) => ({ purposes: registers.get(purposeRegister) }),
    }),
    slice<LiaDomainCommand, LiaEvent, readonly LiaVersion[], LiaFacts>({
      decider: liaDecider,
      commands: [
        ...[DraftLia, ApproveLia, RejectLia].map((command) => ({ command, roles: JUDGES })),
        { command: ExpireLia, roles: ['system'] },
      ],
      streamPrefix: liaRegister.streamPrefix,
      stream: ({ liaId }) => liaStream(liaId),
      facts: (registers) => ({ purposes: registers.get(purposeRegister) }),
    }),
  ],
  registers: [purposeRegister, collectionPointRegister, compatibilityRegister, liaRegister],
  projections: [purposesProjection, collectionPointsProjection, compatibilityProjection, liasProjection],
  views: [
    view('register', 'purposes', purposesProjection, 'purposes'),
    view('register', 'purpose-standing', purposesProjection, 'purpose_standing'),
    view('register', 'collection-points', collectionPointsProjection, 'collection_points'),
    view('register', 'compatibility', compatibilityProjection, 'compatibility'),
    view('register', 'lias', liasProjection, 'lias'),
  ],
  policies: [purposeReviewPolicy, liaExpiryPolicy],
});

import { subjectStream } from '#kernel';
import { noticeRegister } from '#notice';
import { compatibilityRegister, liaRegister, purposeRegister } from '#purpose';
import { capability, slice, view, type Role } from '#slice';
import { marketingDecisionsProjection } from './marketing-decisions.projection.js';
import { LiftSuppression, RemoveSuppression, SuppressAddress } from './suppression.commands.js';
import { suppressionDecider, suppressionStream } from './suppression.decider.js';
import { suppressionRemovalPolicy } from './suppression.policy.js';
import { suppressionListProjection } from './suppression.projection.js';
import { liftedSuppressionRegister } from './suppression.register.js';
import { useCodec } from './use.codec.js';
import {
  AuthoriseUse,
  ObjectToMarketing,
  RecordPreferenceScreening,
  RecordSoftOptIn,
  ReportUse,
  WithdrawMarketingObjection,
  type UseDomainCommand,
} from './use.commands.js';
import { useDecider } from './use.decider.js';
import { lookUpSuppression, lookUpUse } from './use.lookup.js';
import { authorisationsProjection } from './use.projection.js';

/** The items that a command names. */
function itemsOf(command: UseDomainCommand): readonly string[] {
  if ('itemIds' in command) return command.itemIds;
  return 'itemId' in command ? [command.itemId] : [];
}

const definedOf = (texts: readonly (string | undefined)[]): readonly string[] =>
  texts.filter((text) => text !== undefined);

/** Whoever may hear an objection. */
const HEARERS: readonly Role[] = ['service', 'staff', 'privacyOfficer'];

export const useCapability = capability({
  name: 'use',
  codec: useCodec,
  slices: [
    slice({
      decider: useDecider,
      streamPrefix: 'subject-',
      stream: (command) => subjectStream(command.subjectId),
      facts: (registers) => ({
        purposes: registers.get(purposeRegister),
        lias: registers.get(liaRegister),
        compatibility: registers.get(compatibilityRegister),
        notices: registers.get(noticeRegister),
        liftedSuppressions: registers.get(liftedSuppressionRegister),
      }),
      lookUp: lookUpUse,
      touched: (command, state) =>
        command.type === 'ReportUse'
          ? { purposes: definedOf([state.uses.get(command.useId)?.purposeId]) }
          : { categories: definedOf(itemsOf(command).map((itemId) => state.items[itemId]?.category)) },
      commands: [
        { command: AuthoriseUse, roles: ['service', 'staff'] },
        { command: ReportUse, roles: ['service', 'staff'] },
        { command: ObjectToMarketing, roles: [...HEARERS, 'subject', 'agent'], forThePerson: true },
        { command: WithdrawMarketingObjection, roles: ['privacyOfficer'] },
        { command: RecordSoftOptIn, roles: HEARERS },
        { command: RecordPreferenceScreening, roles: HEARERS },
      ],
    }),
    slice({
      decider: suppressionDecider,
      streamPrefix: liftedSuppressionRegister.streamPrefix,
      stream: ({ suppressionId }) => suppressionStream(suppressionId),
      facts: () => ({ isHeld: false }),
      lookUp: lookUpSuppression,
      commands: [
        { command: SuppressAddress, roles: HEARERS, forThePerson: true },
        { command: LiftSuppression, roles: ['privacyOfficer'] },
        { command: RemoveSuppression, roles: ['system'] },
      ],
    }),
  ],
  registers: [liftedSuppressionRegister],
  projections: [authorisationsProjection, marketingDecisionsProjection, suppressionListProjection],
  views: [
    view('subject', 'uses', authorisationsProjection, 'use_authorisations'),
    view('register', 'marketing-decisions', marketingDecisionsProjection, 'marketing_decisions'),
    view('register', 'suppressions', suppressionListProjection, 'suppressions'),
  ],
  policies: [suppressionRemovalPolicy],
});

import { capability, READERS, slice, view, type Role } from '#slice';
import { accessCodec } from './access.codec.js';
import { ApproveServiceContract, DraftServiceContract, EndServiceContract } from './contract.commands.js';
import { contractDecider, contractStream } from './contract.decider.js';
import { serviceContractsProjection } from './contract.projection.js';
import { contractRegister } from './contract.register.js';
import { withinContract } from './contract.rule.js';
import { CredentialsController } from './credentials.controller.js';
import {
  BreakGlass,
  ExpireAccess,
  GrantAccess,
  RaiseAccessReview,
  RequestAccess,
  ReviewAccess,
  ReviewBreakGlass,
  RevokeAccess,
  RevokeAllAccess,
} from './grant.commands.js';
import { grantDecider, grantStream } from './grant.decider.js';
import { accessReviewPolicy, grantExpiryPolicies } from './grant.policy.js';
import { accessReviewsProjection } from './grant-review.projection.js';
import { accessMatrixProjection } from './grant.projection.js';
import { grantRegister } from './grant.register.js';
import { SessionController } from './session.controller.js';

/** Those who look at people's data, and those who decide who does. */
const VIEWERS: readonly Role[] = ['staff', 'privacyOfficer', 'legal'];
const GRANTERS: readonly Role[] = ['privacyOfficer'];
/** Those who watch over access: they see who may look, never what there is to be seen. */
const WATCHERS: readonly Role[] = [...READERS, 'securityOfficer'];

export const accessCapability = capability({
  name: 'access',
  codec: accessCodec,
  slices: [
    slice({
      decider: grantDecider,
      streamPrefix: grantRegister.streamPrefix,
      stream: ({ granteeId }) => grantStream(granteeId),
      facts: () => ({}),
      commands: [
        { command: RequestAccess, roles: VIEWERS },
        { command: GrantAccess, roles: GRANTERS },
        { command: RevokeAccess, roles: GRANTERS },
        { command: RevokeAllAccess, roles: [...GRANTERS, 'securityOfficer', 'operator'] },
        { command: ReviewAccess, roles: [...GRANTERS, 'securityOfficer'] },
        { command: ExpireAccess, roles: ['system'] },
        { command: RaiseAccessReview, roles: ['system'] },
        { command: BreakGlass, roles: VIEWERS },
        { command: ReviewBreakGlass, roles: GRANTERS },
      ],
    }),
    slice({
      decider: contractDecider,
      streamPrefix: contractRegister.streamPrefix,
      stream: ({ serviceId }) => contractStream(serviceId),
      facts: () => ({}),
      commands: [
        { command: DraftServiceContract, roles: GRANTERS },
        { command: ApproveServiceContract, roles: GRANTERS },
        { command: EndServiceContract, roles: GRANTERS },
      ],
    }),
  ],
  registers: [grantRegister, contractRegister],
  projections: [accessMatrixProjection, accessReviewsProjection, serviceContractsProjection],
  views: [
    view('register', 'access-grants', accessMatrixProjection, 'access_grants', WATCHERS),
    view('register', 'access-reviews', accessReviewsProjection, 'access_reviews', WATCHERS),
    view('register', 'service-contracts', serviceContractsProjection, 'service_contracts', WATCHERS),
    view('register', 'break-glass', accessMatrixProjection, 'break_glass', WATCHERS),
  ],
  controllers: [CredentialsController, SessionController],
  policies: [...grantExpiryPolicies, accessReviewPolicy],
  doorRules: [withinContract],
});

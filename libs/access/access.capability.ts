import { capability, slice, view, type Role } from '#slice';
import { accessCodec } from './access.codec.js';
import { ApproveServiceContract, DraftServiceContract, EndServiceContract } from './contract.commands.js';
import { contractDecider, contractStream } from './contract.decider.js';
import { serviceContractsProjection } from './contract.projection.js';
import { contractRegister } from './contract.register.js';
import { CredentialsController } from './credentials.controller.js';
import {
  BreakGlass,
  ExpireAccess,
  GrantAccess,
  RequestAccess,
  ReviewAccess,
  ReviewBreakGlass,
  RevokeAccess,
  RevokeAllAccess,
} from './grant.commands.js';
import { grantDecider, grantStream } from './grant.decider.js';
import { grantExpiryPolicies } from './grant.policy.js';
import { accessMatrixProjection } from './grant.projection.js';
import { grantRegister } from './grant.register.js';
import { SessionController } from './session.controller.js';

/** Those who look at people's data, and those who decide who does. */
const VIEWERS: readonly Role[] = ['staff', 'privacyOfficer', 'legal'];
const GRANTERS: readonly Role[] = ['privacyOfficer'];
/** `system`: a policy file is applied when the engine starts. */
const CONTRACTS: readonly Role[] = ['privacyOfficer', 'system'];

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
        { command: RevokeAllAccess, roles: [...GRANTERS, 'operator'] },
        { command: ReviewAccess, roles: GRANTERS },
        { command: ExpireAccess, roles: ['system'] },
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
        { command: DraftServiceContract, roles: CONTRACTS },
        { command: ApproveServiceContract, roles: CONTRACTS },
        { command: EndServiceContract, roles: CONTRACTS },
      ],
    }),
  ],
  registers: [grantRegister, contractRegister],
  projections: [accessMatrixProjection, serviceContractsProjection],
  views: [
    view('register', 'access-grants', accessMatrixProjection, 'access_grants'),
    view('register', 'service-contracts', serviceContractsProjection, 'service_contracts'),
    view('register', 'break-glass', accessMatrixProjection, 'break_glass'),
  ],
  controllers: [CredentialsController, SessionController],
  policies: grantExpiryPolicies,
});

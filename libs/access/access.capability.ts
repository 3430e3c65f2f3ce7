import { capability, slice, view, type Role } from '#slice';
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
import { accessCodec, accessLogProjection, accessStream, viewDecider, ViewPersonalData } from './view.js';

/** Those who look at people's data, and those who decide who does. */
const VIEWERS: readonly Role[] = ['staff', 'privacyOfficer', 'legal'];
const GRANTERS: readonly Role[] = ['privacyOfficer'];

export const accessCapability = capability({
  name: 'access',
  codec: accessCodec,
  slices: [
    slice({
      decider: viewDecider,
      streamPrefix: 'access-',
      stream: (command) => accessStream(command.subjectId, command.occurredAt),
      facts: () => ({}),
      commands: [{ command: ViewPersonalData, roles: ['staff', 'privacyOfficer', 'auditor'] }],
    }),
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
  ],
  registers: [grantRegister],
  projections: [accessLogProjection, accessMatrixProjection],
  views: [
    view('subject', 'views', accessLogProjection, 'access_log'),
    view('register', 'access-grants', accessMatrixProjection, 'access_grants'),
    view('register', 'break-glass', accessMatrixProjection, 'break_glass'),
  ],
  controllers: [CredentialsController, SessionController],
  policies: grantExpiryPolicies,
});

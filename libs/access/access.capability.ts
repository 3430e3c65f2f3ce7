import { capability, slice, view } from '#slice';
import { CredentialsController } from './credentials.controller.js';
import { SessionController } from './session.controller.js';
import { accessCodec, accessLogProjection, accessStream, viewDecider, ViewPersonalData } from './view.js';

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
  ],
  projections: [accessLogProjection],
  controllers: [CredentialsController, SessionController],
  views: [view('subject', 'views', accessLogProjection, 'access_log')],
});

import { subjectStream } from '#kernel';
import { purposeRegister } from '#purpose';
import { capability, slice, view } from '#slice';
import { useCodec } from './use.codec.js';
import { AuthoriseUse, ObjectToMarketing } from './use.commands.js';
import { useDecider } from './use.decider.js';
import { authorisationsProjection } from './use.projection.js';

export const useCapability = capability({
  name: 'use',
  codec: useCodec,
  slices: [
    slice({
      decider: useDecider,
      streamPrefix: 'subject-',
      stream: (command) => subjectStream(command.subjectId),
      facts: (registers) => ({ purposes: registers.get(purposeRegister) }),
      commands: [
        { command: AuthoriseUse, roles: ['service', 'staff'] },
        { command: ObjectToMarketing, roles: ['service', 'staff', 'privacyOfficer'] },
      ],
    }),
  ],
  projections: [authorisationsProjection],
  views: [view('subject', 'uses', authorisationsProjection, 'use_authorisations')],
});

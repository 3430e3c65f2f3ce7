import { capability, READERS, slice, view, type Role } from '#slice';
import { assuranceCodec } from './assurance.codec.js';
import {
  CheckAttestation,
  CloseFinding,
  RaiseFinding,
  RecordCertificate,
  RecordIndependentTest,
  RecordRegistration,
  RecordRestoreTest,
  WithdrawCertificate,
} from './assurance.commands.js';
import { assuranceDecider, assuranceStream } from './assurance.decider.js';
import { assuranceExpiryPolicy } from './assurance.policy.js';
import { assuranceProjection } from './assurance.projection.js';
import { attestationRegister } from './assurance.register.js';
import { groupRegister } from './group.register.js';
import { restoreLogProjection } from './restore-log.projection.js';

const KEEPERS: readonly Role[] = ['privacyOfficer', 'legal'];
/** Who keeps the service up. */
const RESTORERS: readonly Role[] = ['operator', 'securityOfficer'];

export const assuranceCapability = capability({
  name: 'assurance',
  codec: assuranceCodec,
  slices: [
    slice({
      decider: assuranceDecider,
      streamPrefix: attestationRegister.streamPrefix,
      stream: ({ attestationId }) => assuranceStream(attestationId),
      facts: (registers) => ({
        attestations: registers.get(attestationRegister),
        group: registers.get(groupRegister),
      }),
      commands: [
        ...[
          RecordRegistration,
          RecordCertificate,
          WithdrawCertificate,
          RecordIndependentTest,
          RaiseFinding,
          CloseFinding,
        ].map((command) => ({ command, roles: KEEPERS })),
        { command: RecordRestoreTest, roles: RESTORERS },
        { command: CheckAttestation, roles: ['system'] },
      ],
    }),
  ],
  registers: [attestationRegister, groupRegister],
  projections: [assuranceProjection, restoreLogProjection],
  views: [
    view('register', 'attestations', assuranceProjection, 'attestations'),
    view('register', 'findings', assuranceProjection, 'findings'),
    view('register', 'restore-tests', restoreLogProjection, 'restore_tests', [...READERS, 'securityOfficer']),
  ],
  policies: [assuranceExpiryPolicy],
});

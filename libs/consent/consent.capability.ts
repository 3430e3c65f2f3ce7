import { subjectStream } from '#kernel';
import { noticeRegister } from '#notice';
import { purposeRegister } from '#purpose';
import { capability, PERSONAL_ROLES, READERS, slice, view, type Role } from '#slice';
import { consentCodec } from './consent.codec.js';
import {
  ExpireConsent,
  GiveConsent,
  InvalidateConsent,
  RefuseConsent,
  RequestConsent,
  ReviewConsent,
  WithdrawConsent,
} from './consent.commands.js';
import { ConsentController } from './consent.controller.js';
import { consentDecider } from './consent.decider.js';
import { consentLedgerProjection } from './consent.projection.js';
import { consentExpiryPolicy, consentReviewPolicy } from './consent.policy.js';

/** Whoever may hear a no. */
const HEARERS: readonly Role[] = ['service', 'staff', 'privacyOfficer', 'subject', 'agent'];

export const consentCapability = capability({
  name: 'consent',
  codec: consentCodec,
  slices: [
    slice({
      decider: consentDecider,
      streamPrefix: 'subject-',
      stream: (command) => subjectStream(command.subjectId),
      facts: (registers) => ({ purposes: registers.get(purposeRegister), notices: registers.get(noticeRegister) }),
      commands: [
        { command: RequestConsent, roles: ['service', 'staff'] },
        { command: GiveConsent, roles: ['service', 'staff', 'subject'] },
        { command: RefuseConsent, roles: HEARERS, forThePerson: true },
        { command: WithdrawConsent, roles: HEARERS, forThePerson: true },
        { command: InvalidateConsent, roles: ['privacyOfficer', 'legal'] },
        { command: ExpireConsent, roles: ['system'] },
        { command: ReviewConsent, roles: ['system'] },
      ],
    }),
  ],
  projections: [consentLedgerProjection],
  views: [
    view('subject', 'consents', consentLedgerProjection, 'consents', [...READERS, ...PERSONAL_ROLES]),
    view('subject', 'consent-events', consentLedgerProjection, 'consent_events'),
  ],
  controllers: [ConsentController],
  policies: [consentExpiryPolicy, consentReviewPolicy],
});

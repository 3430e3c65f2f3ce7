import { subjectStream } from '#kernel';
import { purposeRegister } from '#purpose';
import { capability, slice, view, type Role } from '#slice';
import { EndAgreement, RecordAgreement } from './agreement.commands.js';
import { agreementDecider, agreementStream } from './agreement.decider.js';
import { agreementRegister } from './agreement.register.js';
import { ShareData } from './disclosure.commands.js';
import { disclosureDecider } from './disclosure.decider.js';
import { disclosuresProjection } from './disclosure.projection.js';
import { MarkInstrumentAnswered, RecordStatutoryInstrument, WithdrawInstrument } from './instrument.commands.js';
import { instrumentDecider, instrumentStream } from './instrument.decider.js';
import { instrumentRegister } from './instrument.register.js';
import { EndGroupMembership, RegisterRecipient, StartGroupMembership } from './recipient.commands.js';
import { recipientDecider, recipientStream } from './recipient.decider.js';
import { recipientRegister } from './recipient.register.js';
import { ReturnOrDeleteController } from './return-or-delete.controller.js';
import { sharingCodec } from './sharing.codec.js';
import { sharingRegistersProjection } from './sharing.projection.js';
import { WhoHeldWhatController } from './who-held-what.controller.js';
import { whoHeldWhatProjection } from './who-held-what.projection.js';

const CONTRACTS: readonly Role[] = ['privacyOfficer', 'legal', 'system'];
const GROUP: readonly Role[] = ['privacyOfficer', 'system'];
const LEGAL: readonly Role[] = ['legal'];
/** What was disclosed under a duty not to tip off must not reach those who answer the person (I-22c). */
const DISCREET: readonly Role[] = ['privacyOfficer', 'legal', 'auditor'];

export const sharingCapability = capability({
  name: 'sharing',
  codec: sharingCodec,
  slices: [
    slice({
      decider: recipientDecider,
      streamPrefix: recipientRegister.streamPrefix,
      stream: ({ recipientId }) => recipientStream(recipientId),
      facts: () => ({}),
      commands: [
        { command: RegisterRecipient, roles: CONTRACTS },
        { command: StartGroupMembership, roles: GROUP },
        { command: EndGroupMembership, roles: GROUP },
      ],
    }),
    slice({
      decider: agreementDecider,
      streamPrefix: agreementRegister.streamPrefix,
      stream: ({ agreementId }) => agreementStream(agreementId),
      facts: (registers) => ({ recipients: registers.get(recipientRegister) }),
      commands: [
        { command: RecordAgreement, roles: CONTRACTS },
        { command: EndAgreement, roles: CONTRACTS },
      ],
    }),
    slice({
      decider: instrumentDecider,
      streamPrefix: instrumentRegister.streamPrefix,
      stream: ({ instrumentId }) => instrumentStream(instrumentId),
      facts: () => ({}),
      commands: [
        { command: RecordStatutoryInstrument, roles: LEGAL },
        { command: WithdrawInstrument, roles: LEGAL },
        { command: MarkInstrumentAnswered, roles: LEGAL },
      ],
    }),
    slice({
      decider: disclosureDecider,
      streamPrefix: 'subject-',
      stream: ({ subjectId }) => subjectStream(subjectId),
      facts: (registers) => ({
        recipients: registers.get(recipientRegister),
        agreements: registers.get(agreementRegister),
        instruments: registers.get(instrumentRegister),
        purposes: registers.get(purposeRegister),
      }),
      commands: [{ command: ShareData, roles: ['service', 'staff', 'legal', 'privacyOfficer'] }],
    }),
  ],
  registers: [recipientRegister, agreementRegister, instrumentRegister],
  projections: [sharingRegistersProjection, disclosuresProjection, whoHeldWhatProjection],
  views: [
    view('register', 'recipients', sharingRegistersProjection, 'recipients'),
    view('register', 'group-memberships', sharingRegistersProjection, 'group_memberships'),
    view('register', 'agreements', sharingRegistersProjection, 'agreements'),
    view('register', 'instruments', sharingRegistersProjection, 'instruments', DISCREET),
    view('subject', 'disclosures', disclosuresProjection, 'disclosures', DISCREET),
  ],
  controllers: [WhoHeldWhatController, ReturnOrDeleteController],
});

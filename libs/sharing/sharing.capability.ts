import { subjectStream } from '#kernel';
import { purposeRegister } from '#purpose';
import { capability, slice, view, type Registers, type Role } from '#slice';
import { AmendAgreement, EndAgreement, RecordAgreement } from './agreement.commands.js';
import { agreementDecider, agreementStream } from './agreement.decider.js';
import { agreementRegister } from './agreement.register.js';
import { AgreementsForSubjectController } from './agreements-for-subject.controller.js';
import { bulkDisclosureDecider, disclosureStream } from './bulk-disclosure.decider.js';
import { bulkDisclosurePolicy } from './bulk-disclosure.policy.js';
import { bulkDisclosuresProjection } from './bulk-disclosure.projection.js';
import { copiesDecider } from './copies.decider.js';
import { RecordBulkProgress, ShareCategories, ShareData, ShareDataInBulk } from './disclosure.commands.js';
import { DisclosureController } from './disclosure.controller.js';
import { disclosureDecider } from './disclosure.decider.js';
import { disclosuresProjection } from './disclosure.projection.js';
import { DISCREET } from './discretion.js';
import { GroupController } from './group.controller.js';
import { MarkInstrumentAnswered, RecordStatutoryInstrument, WithdrawInstrument } from './instrument.commands.js';
import { instrumentDecider, instrumentStream } from './instrument.decider.js';
import { instrumentRegister } from './instrument.register.js';
import {
  ConfirmRecipient,
  MarkRecipientUnreachable,
  NotifyRecipient,
  RemindRecipient,
} from './notification.commands.js';
import { notificationDecider } from './notification.decider.js';
import { recipientReminderPolicy } from './notification.policy.js';
import { recipientNotificationsProjection } from './notification.projection.js';
import { EndGroupMembership, RegisterRecipient, StartGroupMembership } from './recipient.commands.js';
import { recipientDecider, recipientStream } from './recipient.decider.js';
import { recipientRegister } from './recipient.register.js';
import { ConfirmReturnOrDelete, EndCopies, OpenReturnOrDelete } from './return-or-delete.commands.js';
import { ReturnOrDeleteController } from './return-or-delete.controller.js';
import { returnOrDeleteDecider } from './return-or-delete.decider.js';
import { copiesPolicy, returnOrDeletePolicy } from './return-or-delete.policy.js';
import { returnOrDeleteProjection } from './return-or-delete.projection.js';
import { sharingCodec } from './sharing.codec.js';
import { sharingRegistersProjection } from './sharing.projection.js';
import { WhoHeldWhatController } from './who-held-what.controller.js';
import { whoHeldWhatProjection } from './who-held-what.projection.js';

const CONTRACTS: readonly Role[] = ['privacyOfficer', 'legal'];
const GROUP: readonly Role[] = ['privacyOfficer'];
const LEGAL: readonly Role[] = ['legal'];
const DISCLOSE: readonly Role[] = ['service', 'staff', 'legal', 'privacyOfficer'];
const TELL: readonly Role[] = ['service', 'staff', 'privacyOfficer'];

const disclosureFacts = (registers: Registers) => ({
  recipients: registers.get(recipientRegister),
  agreements: registers.get(agreementRegister),
  instruments: registers.get(instrumentRegister),
  purposes: registers.get(purposeRegister),
});

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
        { command: AmendAgreement, roles: CONTRACTS },
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
      facts: disclosureFacts,
      touched: (command, { items }) =>
        command.type === 'ShareData'
          ? { categories: command.itemIds.flatMap((itemId) => items.get(itemId)?.category ?? []) }
          : {},
      commands: [
        { command: ShareData, roles: DISCLOSE },
        { command: ShareCategories, roles: ['system'] },
      ],
    }),
    slice({
      decider: bulkDisclosureDecider,
      streamPrefix: 'disclosure-',
      stream: ({ disclosureId }) => disclosureStream(disclosureId),
      facts: disclosureFacts,
      commands: [
        { command: ShareDataInBulk, roles: DISCLOSE },
        { command: RecordBulkProgress, roles: ['system'] },
      ],
    }),
    slice({
      decider: notificationDecider,
      streamPrefix: 'subject-',
      stream: ({ subjectId }) => subjectStream(subjectId),
      facts: () => ({}),
      commands: [
        { command: NotifyRecipient, roles: TELL, afterClosing: true },
        { command: ConfirmRecipient, roles: TELL, afterClosing: true },
        { command: MarkRecipientUnreachable, roles: TELL, afterClosing: true },
        { command: RemindRecipient, roles: ['system'], afterClosing: true },
      ],
    }),
    slice({
      decider: copiesDecider,
      streamPrefix: 'subject-',
      stream: ({ subjectId }) => subjectStream(subjectId),
      facts: () => ({}),
      commands: [{ command: EndCopies, roles: ['system'], afterClosing: true }],
    }),
    slice({
      decider: returnOrDeleteDecider,
      streamPrefix: recipientRegister.streamPrefix,
      stream: ({ recipientId }) => recipientStream(recipientId),
      facts: (registers) => ({ agreements: registers.get(agreementRegister) }),
      commands: [
        { command: OpenReturnOrDelete, roles: ['system'] },
        { command: ConfirmReturnOrDelete, roles: ['privacyOfficer', 'legal'] },
      ],
    }),
  ],
  registers: [recipientRegister, agreementRegister, instrumentRegister],
  projections: [
    sharingRegistersProjection,
    disclosuresProjection,
    bulkDisclosuresProjection,
    recipientNotificationsProjection,
    returnOrDeleteProjection,
    whoHeldWhatProjection,
  ],
  views: [
    view('register', 'recipients', sharingRegistersProjection, 'recipients'),
    view('register', 'group-memberships', sharingRegistersProjection, 'group_memberships'),
    view('register', 'agreements', sharingRegistersProjection, 'agreements'),
    view('register', 'instruments', sharingRegistersProjection, 'instruments', DISCREET),
    view('subject', 'disclosures', disclosuresProjection, 'disclosures', DISCREET),
    view('register', 'disclosures', disclosuresProjection, 'disclosures', DISCREET),
    view('register', 'bulk-disclosures', bulkDisclosuresProjection, 'bulk_disclosures', DISCREET),
    view('subject', 'bulk-refusals', bulkDisclosuresProjection, 'bulk_refusals', DISCREET),
    view('register', 'recipient-notifications', recipientNotificationsProjection, 'recipient_notifications', DISCREET),
    view('subject', 'recipient-notifications', recipientNotificationsProjection, 'recipient_notifications', DISCREET),
    view('register', 'return-or-delete', returnOrDeleteProjection, 'return_or_delete', DISCREET),
  ],
  controllers: [
    AgreementsForSubjectController,
    DisclosureController,
    GroupController,
    ReturnOrDeleteController,
    WhoHeldWhatController,
  ],
  policies: [returnOrDeletePolicy, copiesPolicy, recipientReminderPolicy, bulkDisclosurePolicy],
});

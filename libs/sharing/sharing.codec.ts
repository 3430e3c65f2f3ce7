import type { EventCodec } from '#event-log';
import type { AgreementEvent } from './agreement.events.js';
import type { BulkDisclosureEvent } from './bulk-disclosure.events.js';
import type { DataShared } from './disclosure.events.js';
import type { InstrumentEvent } from './instrument.events.js';
import type { NotificationEvent } from './notification.events.js';
import type { RecipientEvent } from './recipient.events.js';
import type { CopiesEnded, ReturnOrDeleteEvent } from './return-or-delete.events.js';

export type SharingEvent =
  | RecipientEvent
  | AgreementEvent
  | InstrumentEvent
  | DataShared
  | BulkDisclosureEvent
  | NotificationEvent
  | ReturnOrDeleteEvent
  | CopiesEnded;

/** Nothing here is personal but the random ids: recipients are organisations. */
export const sharingCodec: EventCodec<SharingEvent> = {
  capability: 'sharing',
  events: {
    RecipientRegistered: { stored: 'recipient-registered.v1' },
    GroupMembershipStarted: { stored: 'group-membership-started.v1' },
    GroupMembershipEnded: { stored: 'group-membership-ended.v1' },
    AgreementRecorded: { stored: 'agreement-recorded.v1' },
    AgreementAmended: { stored: 'agreement-amended.v1' },
    AgreementEnded: { stored: 'agreement-ended.v1' },
    StatutoryInstrumentRecorded: { stored: 'statutory-instrument-recorded.v1' },
    InstrumentWithdrawn: { stored: 'instrument-withdrawn.v1' },
    InstrumentAnswered: { stored: 'instrument-answered.v1' },
    DataShared: { stored: 'data-shared.v1' },
    BulkDisclosureAccepted: { stored: 'bulk-disclosure-accepted.v1' },
    BulkDisclosureProgressed: { stored: 'bulk-disclosure-progressed.v1' },
    BulkDisclosureCompleted: { stored: 'bulk-disclosure-completed.v1' },
    RecipientConfirmed: { stored: 'recipient-confirmed.v1' },
    RecipientUnreachable: { stored: 'recipient-unreachable.v1' },
    RecipientReminderRaised: { stored: 'recipient-reminder-raised.v1' },
    ReturnOrDeleteOpened: { stored: 'return-or-delete-opened.v1' },
    ReturnOrDeleteConfirmed: { stored: 'return-or-delete-confirmed.v1' },
    CopiesEnded: { stored: 'copies-ended.v1' },
  },
};

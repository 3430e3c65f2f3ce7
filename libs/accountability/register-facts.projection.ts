import { insert, type DomainEvent, type Projection, type Recorded } from '#kernel';
import type { CollectionPointEvent, PurposeEvent } from '#purpose';
import type { AgreementEvent, RecipientEvent } from '#sharing';
import type { ControllerEvent } from './data-controller.events.js';

/** The events of registers that the record of processing activities is generated from. */
type RegisterFact =
  | ControllerEvent
  | Exclude<PurposeEvent, { type: 'PurposeReviewDue' | 'PurposeReviewed' }>
  | CollectionPointEvent
  | RecipientEvent
  | AgreementEvent;

/**
 * The entries of the registers as they were recorded, one row per event: few, organisational, never changed. Folded up
 * to a time they give the registers as they were known then, which no register in memory can tell.
 */
export const registerFactsProjection: Projection<RegisterFact> = {
  name: 'register-facts',
  version: 1,
  tables: {
    register_facts: {
      columns: {
        position: 'integer',
        event_id: 'text',
        stream: 'text',
        revision: 'integer',
        type: 'text',
        data: 'text',
        occurred_at: 'text',
        recorded_at: 'text',
      },
      key: ['position'],
      history: true,
    },
  },
  handles: {
    ControllerDescribed: row,
    PurposeDefined: row,
    PurposeApproved: row,
    PurposeSuspended: row,
    PurposeResumed: row,
    PurposeRetired: row,
    CollectionPointRegistered: row,
    CollectionPointRetired: row,
    RecipientRegistered: row,
    GroupMembershipStarted: row,
    GroupMembershipEnded: row,
    AgreementRecorded: row,
    AgreementAmended: row,
    AgreementEnded: row,
  },
};

function row(event: Recorded<DomainEvent>) {
  return [
    insert('register_facts', {
      position: event.position,
      event_id: event.id,
      stream: event.stream,
      revision: event.revision,
      type: event.type,
      data: JSON.stringify(event.data),
      occurred_at: event.occurredAt,
      recorded_at: event.recordedAt,
    }),
  ];
}

import { startOfLondonDay } from '#calendar';
import { insert, update, type CivilDate, type Projection, type Row, type RowChange } from '#kernel';
import type { AgreementEvent } from './agreement.events.js';
import type { DataShared } from './disclosure.events.js';
import type { GroupMembershipEnded, GroupMembershipStarted } from './recipient.events.js';
import type { ReturnOrDeleteEvent } from './return-or-delete.events.js';

/**
 * What recipients have to return or delete: the grounds on which data was given, when each ends, and the tasks that
 * are opened then (C19, UK GDPR Art 28(3)(g)).
 */
export const returnOrDeleteProjection: Projection<
  GroupMembershipStarted | GroupMembershipEnded | AgreementEvent | DataShared | ReturnOrDeleteEvent
> = {
  name: 'return-or-delete',
  version: 1,
  tables: {
    sharing_grounds: {
      columns: {
        recipient_id: 'text',
        /** Why it ends one day: `groupExit` or `agreementEnded`. */
        reason: 'text',
        /** Company number or agreement id. */
        reference: 'text',
        ground_from: 'text',
        /** First day on which it is none. */
        ground_to: 'text?',
        /** The beginning of that day. */
        ends_at: 'text?',
        /** 1 once data was given on it. */
        given: 'integer',
        /** 1 once the task of its end was opened. */
        opened: 'integer',
      },
      key: ['recipient_id', 'reason', 'reference', 'ground_from'],
      indexes: [['given', 'opened', 'ends_at'], ['reference']],
    },
    return_or_delete: {
      columns: {
        task_id: 'text',
        recipient_id: 'text',
        reason: 'text',
        reference: 'text',
        since: 'text',
        /** Last day in time. */
        due: 'text',
        status: 'text',
        outcome: 'text?',
        proof: 'text?',
        opened_at: 'text',
        confirmed_at: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['task_id'],
      indexes: [['status', 'due'], ['recipient_id']],
      history: true,
    },
  },
  handles: {
    GroupMembershipStarted: ({ data }) => [ground(data.recipientId, 'groupExit', data.companyNumber, data.from)],
    GroupMembershipEnded: ({ data }) => [
      // At most one membership is open.
      update(
        'sharing_grounds',
        { recipient_id: data.recipientId, reason: 'groupExit', ground_to: null },
        until(data.to),
      ),
    ],
    AgreementRecorded: ({ data }) => [
      ground(data.recipientId, 'agreementEnded', data.agreementId, data.from),
      update('sharing_grounds', ofAgreement(data.agreementId), until(data.to)),
    ],
    AgreementAmended: ({ data }) => [update('sharing_grounds', ofAgreement(data.agreementId), until(data.to))],
    AgreementEnded: ({ data }) => [update('sharing_grounds', ofAgreement(data.agreementId), until(data.to))],
    DataShared: ({ data }) => [
      ...(data.agreementId === undefined
        ? []
        : [update('sharing_grounds', { ...ofAgreement(data.agreementId), given: 0 }, { given: 1 })]),
      ...(data.groupCompanyNumber === undefined
        ? []
        : [
            update(
              'sharing_grounds',
              {
                recipient_id: data.recipientId,
                reason: 'groupExit',
                reference: data.groupCompanyNumber,
                given: 0,
                // What was stored before the membership was named counts for the one that is open.
                ...(data.groupMemberSince === undefined ? { ground_to: null } : { ground_from: data.groupMemberSince }),
              },
              { given: 1 },
            ),
          ]),
    ],
    ReturnOrDeleteOpened: ({ data, occurredAt, id, position }) => [
      update(
        'sharing_grounds',
        { recipient_id: data.recipientId, reason: data.reason, reference: data.reference, ground_to: data.since },
        { opened: 1 },
      ),
      insert('return_or_delete', {
        task_id: data.taskId,
        recipient_id: data.recipientId,
        reason: data.reason,
        reference: data.reference,
        since: data.since,
        due: data.due,
        status: 'open',
        outcome: null,
        proof: null,
        opened_at: occurredAt,
        confirmed_at: null,
        event_id: id,
        position,
      }),
    ],
    ReturnOrDeleteConfirmed: ({ data, occurredAt, id, position }) => [
      update(
        'return_or_delete',
        { task_id: data.taskId },
        {
          status: 'closed',
          outcome: data.outcome,
          proof: data.reference,
          confirmed_at: occurredAt,
          event_id: id,
          position,
        },
      ),
    ],
  },
};

const ofAgreement = (agreementId: string): Row => ({ reason: 'agreementEnded', reference: agreementId });

const until = (to: CivilDate | undefined): Row => ({
  ground_to: to ?? null,
  ends_at: to === undefined ? null : startOfLondonDay(to),
});

const ground = (recipientId: string, reason: string, reference: string, from: CivilDate): RowChange =>
  insert('sharing_grounds', {
    recipient_id: recipientId,
    reason,
    reference,
    ground_from: from,
    ground_to: null,
    ends_at: null,
    given: 0,
    opened: 0,
  });

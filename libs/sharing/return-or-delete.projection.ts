import { startOfLondonDay } from '#calendar';
import { insert, insertIfAbsent, update, type CivilDate, type Projection, type Row, type RowChange } from '#kernel';
import type { AgreementEvent } from './agreement.events.js';
import type { DataShared } from './disclosure.events.js';
import type { GroupMembershipEnded, GroupMembershipStarted } from './recipient.events.js';
import type { CopiesEnded, EndedGround, ReturnOrDeleteEvent } from './return-or-delete.events.js';

/**
 * What recipients have to return or delete: the grounds on which data was given, when each ends, and the tasks that
 * are opened then (C19, UK GDPR Art 28(3)(g)); and whose data was given on each, to be ended when the task is done.
 */
export const returnOrDeleteProjection: Projection<
  GroupMembershipStarted | GroupMembershipEnded | AgreementEvent | DataShared | ReturnOrDeleteEvent | CopiesEnded
> = {
  name: 'return-or-delete',
  version: 2,
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
    /** One row for each person, recipient and ground. */
    given_on_ground: {
      columns: {
        subject_id: 'text',
        recipient_id: 'text',
        reason: 'text',
        reference: 'text',
        /** Of a membership: its first day. */
        ground_from: 'text',
        /** Of the task that its end opened. */
        task_id: 'text?',
        since: 'text?',
        /** When the holder had returned or deleted it. */
        gone_at: 'text?',
        outcome: 'text?',
        proof: 'text?',
        /** 1 once the person's stream says so. */
        ended: 'integer',
      },
      key: ['subject_id', 'recipient_id', 'reason', 'reference', 'ground_from'],
      indexes: [['ended', 'gone_at'], ['task_id'], ['recipient_id', 'reason', 'reference']],
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
        : [
            givenOn(data, 'agreementEnded', data.agreementId, ''),
            update('sharing_grounds', { ...ofAgreement(data.agreementId), given: 0 }, { given: 1 }),
          ]),
      ...(data.groupCompanyNumber === undefined
        ? []
        : [
            givenOn(data, 'groupExit', data.groupCompanyNumber, data.groupMemberSince ?? ''),
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
      update(
        'given_on_ground',
        { recipient_id: data.recipientId, reason: data.reason, reference: data.reference, task_id: null },
        { task_id: data.taskId, since: data.since },
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
      ...(data.outcome === 'returned' || data.outcome === 'deleted'
        ? [
            update(
              'given_on_ground',
              { task_id: data.taskId },
              { gone_at: occurredAt, outcome: data.outcome, proof: data.reference },
            ),
          ]
        : []),
    ],
    CopiesEnded: ({ data }) =>
      data.part === undefined
        ? [update('given_on_ground', { subject_id: data.subjectId, task_id: data.taskId }, { ended: 1 })]
        : [],
  },
};

const givenOn = (
  { subjectId, recipientId }: DataShared['data'],
  reason: EndedGround,
  reference: string,
  from: string,
): RowChange =>
  insertIfAbsent('given_on_ground', {
    subject_id: subjectId,
    recipient_id: recipientId,
    reason,
    reference,
    ground_from: from,
    task_id: null,
    since: null,
    gone_at: null,
    outcome: null,
    proof: null,
    ended: 0,
  });

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

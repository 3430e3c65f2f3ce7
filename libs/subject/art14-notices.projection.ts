import { thirdPartyNoticeDeadline } from '#calendar';
import { insert, update, type Projection, type Row, type RowChange } from '#kernel';
import type {
  Art14NoticeOverdue,
  DataCollected,
  DataCorrected,
  DataErased,
  ItemVersionRef,
  NoticePresented,
  RetentionExpired,
} from './subject.events.js';

/**
 * The notices of UK GDPR Art 14: for each item that came from a third party, until when the person must be told of it
 * and whether they were (I-13b). `due` until then, `overdue` when that was raised, `told`, or `gone` with the item.
 */
export const art14NoticesProjection: Projection<
  DataCollected | NoticePresented | Art14NoticeOverdue | DataCorrected | RetentionExpired | DataErased
> = {
  name: 'art14-notices',
  version: 1,
  tables: {
    art14_notices: {
      columns: {
        item_id: 'text',
        subject_id: 'text',
        category: 'text',
        /** The newest version. */
        version: 'integer',
        purpose_id: 'text',
        notice_id: 'text',
        source_recipient_id: 'text?',
        obtained_at: 'text',
        due: 'text',
        status: 'text',
        overdue_at: 'text?',
        told_at: 'text?',
        told_event: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['item_id'],
      indexes: [['status', 'due'], ['subject_id']],
      history: true,
    },
  },
  handles: {
    DataCollected: ({ data, occurredAt, id, position }) =>
      data.source !== 'thirdParty'
        ? []
        : data.items.map(({ itemId, category, version }) =>
            insert('art14_notices', {
              item_id: itemId,
              subject_id: data.subjectId,
              category,
              version,
              purpose_id: data.purposeId,
              notice_id: data.noticeId,
              source_recipient_id: data.sourceRecipientId ?? null,
              obtained_at: occurredAt,
              due: data.art14Due ?? thirdPartyNoticeDeadline(occurredAt).mustBeDoneBefore,
              status: 'due',
              overdue_at: null,
              told_at: null,
              told_event: null,
              event_id: id,
              position,
            }),
          ),
    NoticePresented: ({ data, occurredAt, id, position }) =>
      toldRows(data).map((rows) =>
        update(
          'art14_notices',
          { ...rows, told_at: null },
          { status: 'told', told_at: occurredAt, told_event: id, position },
        ),
      ),
    Art14NoticeOverdue: ({ data, occurredAt, position }) =>
      data.itemIds.map((itemId) =>
        update(
          'art14_notices',
          { item_id: itemId, status: 'due' },
          { status: 'overdue', overdue_at: occurredAt, position },
        ),
      ),
    DataCorrected: ({ data }) => [update('art14_notices', { item_id: data.itemId }, { version: data.toVersion })],
    RetentionExpired: ({ data, position }) => data.items.flatMap((ref) => gone(ref, position)),
    DataErased: ({ data, position }) => data.items.flatMap((ref) => gone(ref, position)),
  },
};

/** The rows a presentation tells of. */
const toldRows = ({ subjectId, noticeId, toldOf }: NoticePresented['data']): readonly Row[] =>
  toldOf ? toldOf.map((itemId) => ({ item_id: itemId })) : [{ subject_id: subjectId, notice_id: noticeId }];

/** Nobody has to be told of what is no longer held. */
const gone = ({ itemId, version }: ItemVersionRef, position: number): readonly RowChange[] => [
  update('art14_notices', { item_id: itemId, version, told_at: null }, { status: 'gone', position }),
];

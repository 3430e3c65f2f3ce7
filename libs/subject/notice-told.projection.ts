import { insert, insertIfAbsent, update, type Projection, type RowChange } from '#kernel';
import type {
  DataCollected,
  DataCorrected,
  DataErased,
  ItemVersionRef,
  NoticePresented,
  RetentionExpired,
} from './subject.events.js';

/**
 * `WhoWasToldWhat`: every time a person was presented a notice version, the first and each later one, how and by
 * which event (C13, C30).
 *
 * `last_told` and `collected_under` hold what re-notification asks: the newest version each person was presented, and
 * what is held that was collected under a notice. The publication of a version writes no row; it is compared with
 * them when somebody asks.
 */
export const whoWasToldWhatProjection: Projection<
  NoticePresented | DataCollected | DataCorrected | RetentionExpired | DataErased
> = {
  name: 'who-was-told-what',
  version: 1,
  tables: {
    notice_presentations: {
      columns: {
        event_id: 'text',
        subject_id: 'text',
        notice_id: 'text',
        version: 'integer',
        /** `first` of this version, or `later`. */
        occasion: 'text',
        how: 'text',
        channel: 'text',
        presented_at: 'text',
        recorded_at: 'text',
        actor_id: 'text',
        position: 'integer',
      },
      key: ['event_id'],
      indexes: [
        ['subject_id', 'position'],
        ['notice_id', 'version'],
      ],
      history: true,
    },
    last_told: {
      columns: {
        subject_id: 'text',
        notice_id: 'text',
        version: 'integer',
        told_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['subject_id', 'notice_id'],
      indexes: [['notice_id', 'version']],
    },
    collected_under: {
      columns: {
        item_id: 'text',
        subject_id: 'text',
        notice_id: 'text',
        /** The newest version. */
        version: 'integer',
        status: 'text',
        position: 'integer',
      },
      key: ['item_id'],
      indexes: [['notice_id', 'status', 'subject_id']],
    },
  },
  handles: {
    NoticePresented: ({ data, occurredAt, recordedAt, actorId, id, position }) => {
      const { subjectId, noticeId, version, how, channel, again, newestBefore } = data;
      const told = { subject_id: subjectId, notice_id: noticeId };
      const row = { ...told, version, told_at: occurredAt, event_id: id, position };
      return [
        insert('notice_presentations', {
          ...told,
          event_id: id,
          version,
          occasion: again ? 'later' : 'first',
          how,
          channel,
          presented_at: occurredAt,
          recorded_at: recordedAt,
          actor_id: actorId,
          position,
        }),
        insertIfAbsent('last_told', row),
        ...(newestBefore === undefined || version > newestBefore ? [update('last_told', told, row)] : []),
      ];
    },
    DataCollected: ({ data, position }) =>
      data.items.map(({ itemId }) =>
        insert('collected_under', {
          item_id: itemId,
          subject_id: data.subjectId,
          notice_id: data.noticeId,
          version: 1,
          status: 'held',
          position,
        }),
      ),
    DataCorrected: ({ data }) => [update('collected_under', { item_id: data.itemId }, { version: data.toVersion })],
    RetentionExpired: ({ data }) => data.items.map(gone),
    DataErased: ({ data }) => data.items.map(gone),
  },
};

/** The end of a superseded version ends nothing. */
const gone = ({ itemId, version }: ItemVersionRef): RowChange =>
  update('collected_under', { item_id: itemId, version }, { status: 'gone' });

import { addPeriodToInstant } from '#calendar';
import { insert, update, type Projection } from '#kernel';
import type { DataCollected, DataCorrected, DataErased, RetentionExpired } from '#subject';
import type { RetentionScheduled } from './retention.events.js';

type ScheduleEvent = DataCollected | DataCorrected | RetentionScheduled | RetentionExpired | DataErased;

/**
 * `RetentionSchedule`: until when each item version may be kept and under which rule. What is past `due` and still
 * `kept` awaits the steward; what is `expired` awaits the destruction of its key.
 */
export const retentionScheduleProjection: Projection<ScheduleEvent> = {
  name: 'retention-schedule',
  version: 1,
  tables: {
    retention_schedule: {
      columns: {
        subject_id: 'text',
        item_id: 'text',
        version: 'integer',
        category: 'text',
        key_id: 'text',
        trigger_event: 'text',
        period: 'text',
        due: 'text?',
        status: 'text',
        position: 'integer',
      },
      key: ['item_id', 'version'],
      indexes: [['status', 'due'], ['subject_id']],
      history: true,
    },
  },
  handles: {
    DataCollected: ({ data, occurredAt, position }) =>
      data.items.map((item) =>
        insert('retention_schedule', {
          subject_id: data.subjectId,
          item_id: item.itemId,
          version: item.version,
          category: item.category,
          key_id: item.keyId,
          trigger_event: item.retention.trigger,
          period: item.retention.period,
          due: item.retention.trigger === 'collected' ? addPeriodToInstant(occurredAt, item.retention.period) : null,
          status: 'kept',
          position,
        }),
      ),
    // The row goes on with the new version; the superseded one gets a row and a period of its own.
    DataCorrected: ({ data, occurredAt, position }) => [
      update(
        'retention_schedule',
        { item_id: data.itemId, version: data.fromVersion },
        { version: data.toVersion, key_id: data.keyId, position },
      ),
      insert('retention_schedule', {
        subject_id: data.subjectId,
        item_id: data.itemId,
        version: data.fromVersion,
        category: data.category,
        key_id: data.supersededKeyId,
        trigger_event: 'corrected',
        period: data.supersededPeriod,
        due: addPeriodToInstant(occurredAt, data.supersededPeriod),
        status: 'kept',
        position,
      }),
    ],
    RetentionScheduled: ({ data }) =>
      data.items.map((item) =>
        update('retention_schedule', { item_id: item.itemId, version: item.version }, { due: item.due }),
      ),
    RetentionExpired: ({ data }) =>
      data.items.map((item) =>
        update('retention_schedule', { item_id: item.itemId, version: item.version }, { status: 'expired' }),
      ),
    DataErased: ({ data }) =>
      data.items.map((item) =>
        update('retention_schedule', { item_id: item.itemId, version: item.version }, { status: 'erased' }),
      ),
  },
};

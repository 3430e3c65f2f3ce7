import { insert, update, type Projection } from '#kernel';
import type { CollectionPointEvent } from './collection-point.events.js';

/** Every version of every collection point, in service from `in_service_from` until before `in_service_to`. */
export const collectionPointsProjection: Projection<CollectionPointEvent> = {
  name: 'collection-points',
  version: 2,
  tables: {
    collection_points: {
      columns: {
        collection_point_id: 'text',
        version: 'integer',
        status: 'text',
        kind: 'text',
        title: 'text',
        explanation: 'text',
        purposes: 'text',
        fields: 'text',
        notice_id: 'text',
        in_service_from: 'text',
        in_service_to: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['collection_point_id', 'version'],
      indexes: [['status', 'collection_point_id']],
      history: true,
    },
  },
  handles: {
    CollectionPointRegistered: (event) => {
      const { collectionPointId, version, kind, title, explanation, purposes, fields, noticeId } = event.data;
      return [
        ...(version === 1 ? [] : [ended(collectionPointId, version - 1, 'replaced', event.occurredAt)]),
        insert('collection_points', {
          collection_point_id: collectionPointId,
          version,
          status: 'active',
          kind,
          title,
          explanation,
          purposes: JSON.stringify(purposes),
          fields: JSON.stringify(fields),
          notice_id: noticeId,
          in_service_from: event.occurredAt,
          in_service_to: null,
          event_id: event.id,
          position: event.position,
        }),
      ];
    },
    CollectionPointRetired: ({ data, occurredAt }) => [
      ended(data.collectionPointId, data.version, 'retired', occurredAt),
    ],
  },
};

function ended(collectionPointId: string, version: number, status: 'replaced' | 'retired', at: string) {
  return update(
    'collection_points',
    { collection_point_id: collectionPointId, version },
    { status, in_service_to: at },
  );
}

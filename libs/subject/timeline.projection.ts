import { insert, isSealed, type Projection } from '#kernel';

/** `Timeline`: everything that happened about a person, in order, without the values. */
export const timelineProjection: Projection<never> = {
  name: 'timeline',
  version: 2,
  tables: {
    timeline: {
      columns: {
        subject_id: 'text',
        position: 'integer',
        event_id: 'text',
        type: 'text',
        facts: 'text',
        occurred_at: 'text',
        recorded_at: 'text',
        actor_id: 'text',
        command_id: 'text',
      },
      key: ['event_id'],
      indexes: [['subject_id', 'position']],
      history: true,
    },
  },
  handles: {},
  every: (event) =>
    event.stream.startsWith('subject-')
      ? [
          insert('timeline', {
            subject_id: event.stream.slice('subject-'.length),
            position: event.position,
            event_id: event.id,
            type: event.type,
            facts: JSON.stringify(event.data, (_name, value: unknown) => (isSealed(value) ? '[sealed]' : value)),
            occurred_at: event.occurredAt,
            recorded_at: event.recordedAt,
            actor_id: event.actorId,
            command_id: event.commandId,
          }),
        ]
      : [],
};

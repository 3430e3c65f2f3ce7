import type { Recorded } from '#kernel';
import type { JsonSchema } from './json-schema.js';
import { EVENT_TYPE, type CloudEvent } from './sdk/index.js';

/** An event that other systems may know of. What its schema does not name is not published. */
export interface IntegrationEvent {
  /** The stored, versioned name whose shape the schema describes. */
  readonly stored: string;
  readonly summary: string;
  /** Of the data: names every member that is published, and nothing personal. */
  readonly schema: JsonSchema;
}

/** By type. An event that is not listed stays within the engine. */
export type IntegrationEvents = Readonly<Record<string, IntegrationEvent>>;

/** The CloudEvent that is published of an event; `undefined` when it stays within the engine. */
export function integrationEventOf(event: Recorded, events: IntegrationEvents): CloudEvent | undefined {
  const known = Object.hasOwn(events, event.type) ? events[event.type] : undefined;
  if (!known) return undefined;
  const data = named(event.data, known.schema) as Record<string, unknown>;
  const subject = data['subjectId'];
  return {
    specversion: '1.0',
    id: event.id,
    source: '/custos/engine',
    type: `${EVENT_TYPE}${known.stored}`,
    ...(typeof subject === 'string' && { subject }),
    time: event.occurredAt,
    recordedtime: event.recordedAt,
    causationid: event.commandId,
    sequence: String(event.position),
    datacontenttype: 'application/json',
    dataclassification: 'internal',
    data,
  };
}

/** What a schema names of a value, and nothing else: a member that is added later is not published unseen. */
function named(value: unknown, schema: JsonSchema): unknown {
  const { properties, items } = schema as {
    properties?: Readonly<Record<string, JsonSchema>>;
    items?: JsonSchema;
  };
  if (Array.isArray(value)) return items ? value.map((item) => named(item, items)) : [];
  if (typeof value !== 'object' || value === null) return value;
  const members = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(properties ?? {}).flatMap(([name, member]) =>
      members[name] === undefined ? [] : [[name, named(members[name], member)]],
    ),
  );
}

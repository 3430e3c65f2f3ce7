import { REFUSALS } from '#kernel';
import type { CommandCatalogue } from '#slice';
import type { IntegrationEvents } from './integration-events.js';
import { schemaOf, type JsonSchema } from './json-schema.js';
import { ANSWER_TYPE, COMMAND_TYPE, EVENT_TYPE, EVENTS } from './sdk/index.js';

/** Schemas of all commands by name. */
export const commandSchemas = (catalogue: CommandCatalogue): Readonly<Record<string, JsonSchema>> =>
  Object.fromEntries(catalogue.all().map(({ type, command }) => [type, schemaOf(command)]));

const text = { type: 'string' };
const ref = (path: string): { readonly $ref: string } => ({ $ref: `#/${path}` });

/** The attributes of our CloudEvents, with a type that is one text. */
const cloudEvent = (type: string, data: object, more: Readonly<Record<string, object>> = {}): JsonSchema => ({
  type: 'object',
  properties: {
    specversion: { const: '1.0' },
    id: { type: 'string', minLength: 1 },
    source: { type: 'string', format: 'uri-reference', minLength: 1 },
    type: { const: type },
    subject: { type: 'string', minLength: 1 },
    time: { type: 'string', format: 'date-time' },
    datacontenttype: { const: 'application/json' },
    ...more,
    data,
  },
  required: ['specversion', 'id', 'source', 'type', 'time', 'datacontenttype', 'data'],
});

/** The AsyncAPI 3 document of the bus, made from the commands' own classes and the integration events. */
export function asyncApiOf(catalogue: CommandCatalogue, events: IntegrationEvents): Readonly<Record<string, unknown>> {
  const commands = commandSchemas(catalogue);
  const types = Object.keys(commands);
  const commandMessages = Object.fromEntries(
    types.map((type) => [
      type,
      {
        name: `${COMMAND_TYPE}${type}.v1`,
        title: type,
        contentType: 'application/cloudevents+json',
        payload: cloudEvent(
          `${COMMAND_TYPE}${type}.v1`,
          {
            type: 'object',
            properties: {
              body: { description: `fields of ${type} but those that are sealed`, type: 'object' },
              sealed: { type: 'string', description: 'JWE: token, key of the answer, and the sealed fields by path' },
            },
            required: ['body', 'sealed'],
            additionalProperties: false,
          },
          { replyto: { type: 'string', pattern: '^custos:replies:\\{[0-9a-f-]{36}\\}$' } },
        ),
        'x-command': ref(`components/schemas/${type}`),
        'x-roles': catalogue.get(type)?.roles,
      },
    ]),
  );
  const eventMessages = Object.fromEntries(
    Object.entries(events).map(([type, { stored, schema, summary }]) => [
      type,
      {
        name: `${EVENT_TYPE}${stored}`,
        title: type,
        summary,
        contentType: 'application/cloudevents+json',
        payload: cloudEvent(`${EVENT_TYPE}${stored}`, schema, {
          sequence: text,
          previous: text,
          causationid: text,
          recordedtime: text,
        }),
      },
    ]),
  );
  const answer = {
    name: ANSWER_TYPE,
    contentType: 'application/cloudevents+json',
    correlationId: { location: '$message.payload#/causationid' },
    payload: cloudEvent(
      ANSWER_TYPE,
      {
        description: 'a JWE under the key that the command brought; within it an answer, or a problem (RFC 9457)',
        type: 'object',
        properties: { sealed: text },
      },
      { causationid: { type: 'string', format: 'uuid' }, status: { type: 'integer' } },
    ),
    'x-answer': ref('components/schemas/Answer'),
  };
  const messagesOf = (channel: string, names: readonly string[]): readonly object[] =>
    names.map((name) => ref(`channels/${channel}/messages/${name}`));
  const inChannel = (names: readonly string[]): Readonly<Record<string, object>> =>
    Object.fromEntries(names.map((name) => [name, ref(`components/messages/${name}`)]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Custos message bus',
      version: '1.0.0',
      description:
        'Commands to the engine and their answers, and what others may know of what happened. Streams of Redis; each entry has one field, `event`, a CloudEvent in structured JSON.',
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/cloudevents+json',
    channels: {
      commands: {
        address: 'custos:commands:{partition}',
        description:
          'The partition is the first 32 bits of SHA-256 of the subject (else the source), modulo their number. The braces are part of the key.',
        parameters: { partition: { description: 'number of the partition, from 0' } },
        messages: inChannel(types),
      },
      replies: {
        address: 'custos:replies:{client}',
        description:
          'One stream per client, named by the command in `replyto`. It expires. The braces are part of the key.',
        parameters: { client: { description: 'a random UUID' } },
        messages: inChannel(['Answer']),
      },
      events: {
        address: EVENTS,
        description: 'The id of an entry is `<position in the log>-0`.',
        messages: inChannel(Object.keys(events)),
      },
    },
    operations: {
      receiveCommands: {
        action: 'receive',
        channel: ref('channels/commands'),
        messages: messagesOf('commands', types),
        reply: { channel: ref('channels/replies'), messages: messagesOf('replies', ['Answer']) },
      },
      publishEvents: {
        action: 'send',
        channel: ref('channels/events'),
        messages: messagesOf('events', Object.keys(events)),
      },
    },
    components: {
      messages: { ...commandMessages, ...eventMessages, Answer: answer },
      schemas: { ...commands, Answer: ANSWER },
    },
  };
}

const ANSWER: JsonSchema = {
  oneOf: [
    {
      type: 'object',
      properties: {
        accepted: { const: true },
        commandId: { type: 'string', format: 'uuid' },
        events: {
          type: 'array',
          items: {
            type: 'object',
            properties: { id: { type: 'string', format: 'uuid' }, type: text, revision: { type: 'integer' } },
            required: ['id', 'type', 'revision'],
          },
        },
        stream: text,
        position: { type: 'integer' },
      },
      required: ['accepted', 'commandId', 'events', 'stream', 'position'],
    },
    {
      type: 'object',
      properties: {
        accepted: { const: false },
        commandId: { type: 'string', format: 'uuid' },
        code: { enum: Object.keys(REFUSALS) },
        clauses: { type: 'array', items: text },
        legalRef: text,
        details: { type: 'object' },
        remedy: text,
        retryable: { type: 'boolean' },
        refusalId: { type: 'string', format: 'uuid' },
        position: { type: 'integer' },
      },
      required: [
        'accepted',
        'commandId',
        'code',
        'clauses',
        'legalRef',
        'details',
        'remedy',
        'retryable',
        'refusalId',
        'position',
      ],
    },
  ],
};

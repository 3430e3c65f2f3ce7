import { readFileSync } from 'node:fs';
import { RequestMethod, type Type } from '@nestjs/common';
import {
  HEADERS_METADATA,
  HTTP_CODE_METADATA,
  METHOD_METADATA,
  PATH_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { getMetadataStorage } from 'class-validator';
import { OPEN_TO, SESSION_COOKIE } from '#access';
import { schemaOf, type JsonSchema } from '#command-bus';
import { REFUSALS, type RefusalCode } from '#kernel';
import { CATEGORY, LARGEST_PAGE, REFERENCE, REGISTER_ID, SHA_256 } from '#slice';
import type { Capability, CommandCatalogue, KnownCommand, View } from '#slice';
import { refusalStatus } from './http-answers.js';
import { NAMES_OF_EMPLOYEES } from './views.controller.js';

/** What the source says about a route, beside its decorators: see `npm run openapi`. */
export interface RouteFacts {
  readonly capability: string;
  readonly comment?: string;
  /** Schema of the answer; absent when there is none. */
  readonly answer?: JsonSchema;
  /** Name of the class that the body is read into. */
  readonly reads?: string;
  /** Commands that it sends on behalf of who asks; the answer may be their refusal. */
  readonly submits?: readonly string[];
  /** Names of errors that may be thrown on the way and have a status of their own. */
  readonly throws: readonly string[];
}

/** What the document says and only the source knows. */
export interface OpenApiFacts {
  readonly commands: Readonly<
    Record<
      string,
      {
        readonly comment?: string;
        readonly fields: Readonly<Record<string, string>>;
        /** What its decider may refuse it with. */
        readonly refusals: readonly string[];
      }
    >
  >;
  /** What any command may be refused with before its decider is asked. */
  readonly everyCommand: readonly string[];
  /** By `Controller.method`. */
  readonly routes: Readonly<Record<string, RouteFacts>>;
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

interface Parts {
  readonly controllers: readonly Type[];
  readonly catalogue: CommandCatalogue;
  readonly capabilities: readonly Capability[];
  readonly facts: OpenApiFacts;
}

export type OpenApiDocument = Readonly<Record<string, unknown>> & {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
};

export interface Operation {
  readonly operationId: string;
  readonly [member: string]: unknown;
}

/** One route as Nest has it. */
interface Route {
  /** `Controller.method`, which the facts go by. */
  readonly name: string;
  readonly method: string;
  /** In the spelling of OpenAPI: `/v1/subjects/{subjectId}`. */
  readonly path: string;
  readonly roles: readonly string[];
  readonly status: number;
  readonly contentType: string;
  /** Names of the parameters that the method takes one by one. */
  readonly query: readonly string[];
  readonly takesWholeQuery: boolean;
  readonly takesBody: boolean;
  readonly facts: RouteFacts;
}

export const shippedFacts = (): OpenApiFacts =>
  JSON.parse(readFileSync(new URL('openapi.facts.json', import.meta.url), 'utf8')) as OpenApiFacts;

const registerId: JsonSchema = { type: 'string', pattern: REGISTER_ID.source, maxLength: 64 };
const uuid: JsonSchema = { type: 'string', format: 'uuid' };
const time: JsonSchema = { type: 'string', format: 'date-time' };
const date: JsonSchema = { type: 'string', format: 'date' };
const whole: JsonSchema = { type: 'string', pattern: '^\\d{1,15}$' };

const MIN_POSITION_MEANS = 'waits until the read models have come to this position, which a command answered with';

/** Parameters by name; by `Controller.method name` where a name means something else. */
const PARAMETERS: Readonly<Record<string, JsonSchema>> = {
  actorId: registerId,
  after: { ...whole, description: 'where the page before ended: its `next`' },
  asOf: { ...time, description: 'as it stood at that time' },
  at: { ...time, description: 'as if that time had come; now when absent' },
  bulkViewId: uuid,
  caseRef: { type: 'string', pattern: REFERENCE.source, maxLength: 64, description: 'the case that is worked on' },
  categories: { type: 'string', maxLength: 4_096, description: 'names of categories, joined by commas' },
  category: { type: 'string', pattern: CATEGORY.source, maxLength: 64 },
  channel: registerId,
  collectionPointId: registerId,
  disclosureId: uuid,
  erasureId: uuid,
  from: time,
  item: uuid,
  knownAt: { ...time, description: 'by what was known then' },
  limit: { ...whole, description: `rows of a page; 100 when absent, at most ${LARGEST_PAGE}` },
  'min-position': { ...whole, description: MIN_POSITION_MEANS },
  month: { type: 'string', pattern: '^\\d{4}-(0[1-9]|1[0-2])$' },
  months: { type: 'string', pattern: '^([1-9]|[1-9]\\d|1[01]\\d|120)$' },
  noticeId: registerId,
  purpose: { ...registerId, description: 'what it is for' },
  runId: uuid,
  sha256: { type: 'string', pattern: SHA_256.source },
  stream: registerId,
  subject: uuid,
  subjectId: uuid,
  taskId: uuid,
  to: time,
  tokenId: uuid,
  'AgreementsForSubjectController.answer from': date,
  'AgreementsForSubjectController.answer to': date,
  'GroupController.members asOf': date,
  'RenotificationController.due after': { type: 'string', pattern: '^\\d{1,9}-\\d{1,15}$' },
};

/** Parameters of the routes that take the whole query; the views' are their columns. */
const WHOLE_QUERIES: Readonly<Record<string, readonly string[]>> = {
  'FileController.file': ['purpose', 'caseRef', 'categories'],
  'UsageController.month': ['month', 'stream', 'after', 'purpose', 'caseRef'],
  'WhoLookedController.views': ['after', 'limit', 'asOf'],
};

/** Parameters of a query without which there is no answer. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  'ConsentController.receipt': ['purpose', 'channel'],
  'RenotificationController.due': ['noticeId'],
  'RetentionController.why': ['subject', 'item'],
  'RopaController.difference': ['from'],
  'UsageController.month': ['month'],
  'WhoHeldWhatController.answer': ['subject'],
};

const ref = (path: string): JsonSchema => ({ $ref: `#/components/${path}` });
const object = (properties: Readonly<Record<string, unknown>>, optional: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties).filter((name) => !optional.includes(name)),
  additionalProperties: false,
});
const json = (schema: JsonSchema, type = 'application/json'): object => ({ [type]: { schema } });
const problem = (schema: JsonSchema = ref('schemas/Problem')): object => json(schema, 'application/problem+json');

/** The OpenAPI 3.1 document of the HTTP API, made from the routes, the commands' own classes and the source. */
export function openApiOf(parts: Parts): OpenApiDocument {
  const { catalogue, capabilities, facts } = parts;
  const routes = parts.controllers.flatMap((controller) => routesOf(controller, facts));
  const views = capabilities.flatMap((each) => each.views.map((view) => ({ view, capability: each.name })));
  const operations = routes.flatMap((route): readonly Described[] => {
    switch (route.name) {
      case 'CommandsController.submit':
        return catalogue.all().map((command) => commandOperation(route, command, facts));
      case 'ViewsController.register':
        return views.filter(({ view }) => view.scope === 'register').map((each) => viewOperation(route, each));
      case 'ViewsController.ofSubject':
        return views.filter(({ view }) => view.scope === 'subject').map((each) => viewOperation(route, each));
      case 'ViewsController.refusals':
        return views.filter(({ view }) => view.scope === 'log').map((each) => viewOperation(route, each));
      default:
        return [{ route, path: route.path, operation: plainOperation(route, facts) }];
    }
  });
  const paths: Record<string, Record<string, Operation>> = {};
  for (const { route, path, operation } of operations)
    paths[path] = {
      ...paths[path],
      [route.method]: path === route.path ? operation : { ...operation, 'x-route': route.path },
    };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Custos',
      version: '1.0.0',
      description:
        'Commands ask before personal data is collected, used, shared or kept; the answer is a durable fact or a refusal that names the clause, the law and the remedy. Questions tell who held what, why and when. Errors are problem documents (RFC 9457) and repeat no value.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { session: [] }],
    tags: [...new Set(operations.flatMap(({ operation }) => operation['tags'] as string[]))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          ...{ type: 'http', scheme: 'bearer' },
          description: 'a token of this installation, or an access token of its identity provider',
        },
        session: { type: 'apiKey', in: 'cookie', name: SESSION_COOKIE, description: 'the session of a person' },
        csrf: {
          ...{ type: 'apiKey', in: 'header', name: 'x-csrf-token' },
          description: 'the `csrfToken` of the session, with every request of a session that changes something',
        },
      },
      schemas: {
        ...Object.fromEntries(catalogue.all().map((command) => [command.type, commandSchema(command, facts)])),
        ...facts.schemas,
        ...OWN_SCHEMAS,
      },
      responses: RESPONSES,
      headers: HEADERS,
    },
    'x-refusals': REFUSALS,
  };
}

interface Described {
  readonly route: Route;
  readonly path: string;
  readonly operation: Operation;
}

/** The routes of a controller, from what Nest's decorators have noted. */
export function routesOf(controller: Type, facts: OpenApiFacts): readonly Route[] {
  const of = (key: string, target: object): unknown => Reflect.getMetadata(key, target) as unknown;
  const prefix = of(PATH_METADATA, controller);
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype).flatMap((member) => {
    const handler = prototype[member];
    const method = typeof handler === 'function' ? of(METHOD_METADATA, handler) : undefined;
    if (handler === undefined || method === undefined) return [];
    const name = `${controller.name}.${member}`;
    const known = facts.routes[name];
    if (!known) throw new Error(`${name} is not known: run npm run openapi`);
    const takes = Object.entries(
      (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, member) ?? {}) as Record<string, { data?: unknown }>,
    ).map(([key, { data }]) => ({ kind: Number(key.split(':')[0]), data }));
    const query = takes.filter(({ kind }) => kind === Number(RouteParamtypes.QUERY));
    const verb = RequestMethod[method as number]?.toLowerCase() ?? '';
    const roles = (of(OPEN_TO, handler) ?? of(OPEN_TO, controller) ?? []) as readonly string[];
    const headers = (of(HEADERS_METADATA, handler) ?? []) as readonly { name: string; value: string }[];
    return [
      {
        name,
        method: verb,
        path: pathOf(prefix, of(PATH_METADATA, handler)),
        roles,
        status: (of(HTTP_CODE_METADATA, handler) as number | undefined) ?? (verb === 'post' ? 201 : 200),
        contentType: headers.find((each) => each.name === 'content-type')?.value ?? 'application/json',
        query: query.flatMap(({ data }) => (typeof data === 'string' ? [data] : [])),
        takesWholeQuery: query.some(({ data }) => typeof data !== 'string'),
        takesBody: takes.some(({ kind }) => kind === Number(RouteParamtypes.BODY)),
        facts: known,
      },
    ];
  });
}

const pathOf = (...parts: readonly unknown[]): string =>
  `/${parts
    .flatMap((part) => (typeof part === 'string' ? part.split('/') : []))
    .filter((part) => part !== '')
    .map((part) => part.replace(/^:(.+)$/, '{$1}'))
    .join('/')}`;

function plainOperation(route: Route, facts: OpenApiFacts): Operation {
  const { reads, submits = [] } = route.facts;
  const codes = submits.flatMap((type) => [...facts.everyCommand, ...(facts.commands[type]?.refusals ?? [])]);
  return {
    ...described(route.name, route.facts.capability, route.facts.comment),
    ...access(route.roles, route.method),
    parameters: [...pathParameters(route), ...queryParameters(route)],
    ...(reads !== undefined && {
      requestBody: { required: true, content: json(schemaOf(classNamed(reads))) },
    }),
    responses: responsesOf(route, route.facts.answer, codes),
  };
}

function commandOperation(route: Route, command: KnownCommand, facts: OpenApiFacts): Described {
  const said = facts.commands[command.type];
  if (!said) throw new Error(`${command.type} is not known: run npm run openapi`);
  const codes = [...new Set([...facts.everyCommand, ...said.refusals])].sort();
  const onlyEngine = command.roles.every((role) => role === 'system');
  return {
    route,
    path: route.path.replace('{type}', command.type),
    operation: {
      ...described(command.type, command.capability, said.comment),
      ...access(command.roles, route.method),
      ...(onlyEngine && {
        description: `${said.comment ?? ''} Sent by the engine itself; to others it is forbidden.`.trim(),
      }),
      parameters: [],
      requestBody: { required: true, content: json(ref(`schemas/${command.type}`)) },
      responses: responsesOf(route, ref('schemas/slice.Accepted'), codes),
      'x-refusals': codes,
    },
  };
}

/** A person, and who acts for one, is not told who works here: these columns may be absent from their own views. */
function viewOperation(route: Route, { view, capability }: { view: View; capability: string }): Described {
  const columns = view.projection.tables[view.table]?.columns ?? {};
  const cells = Object.fromEntries(
    Object.entries(columns).map(([name, column]) => {
      const type = column.startsWith('integer') ? 'integer' : 'string';
      return [name, { type: column.endsWith('?') ? [type, 'null'] : type }];
    }),
  );
  const page = object(
    {
      rows: { type: 'array', items: object(cells, view.scope === 'subject' ? NAMES_OF_EMPLOYEES : []) },
      next: { type: 'integer', description: 'give it as `after` for the next page; absent at the end' },
      withheld: { type: 'integer', description: 'rows of the page that this reader may not know of' },
      position: { type: 'integer', description: 'how far the read models have come' },
    },
    ['next'],
  );
  const filters = Object.keys(columns).filter((name) => !(view.scope === 'subject' && name === 'subject_id'));
  const path = route.path.replace('{name}', view.name);
  return {
    route,
    path,
    operation: {
      ...described(`${view.scope}.${view.name}`, capability, `${view.name} (${view.scope}), page by page.`),
      ...access(view.roles, route.method),
      parameters: [
        ...pathParameters({ ...route, path }),
        ...['after', 'limit', 'asOf'].map((name) => queryParameter(route.name, name)),
        ...filters.map((name) => ({
          ...{ name, in: 'query', description: 'rows with this value only' },
          schema: columns[name]?.startsWith('integer') ? whole : { type: 'string' },
        })),
        MIN_POSITION,
      ],
      responses: responsesOf(route, page, []),
    },
  };
}

const described = (operationId: string, tag: string, comment: string | undefined) => ({
  operationId,
  tags: [tag],
  // The first sentence, and the rest of them.
  ...(comment !== undefined && {
    summary: `${/^.*?(?=[.:;](?: |$))/.exec(comment)?.[0] ?? comment}.`,
    description: comment,
  }),
});

const access = (roles: readonly string[], method: string): object =>
  roles.includes('anyone')
    ? { security: [] }
    : { 'x-roles': roles, ...(method !== 'get' && { security: [{ bearer: [] }, { session: [], csrf: [] }] }) };

const MIN_POSITION = {
  ...{ name: 'min-position', in: 'query', schema: whole },
  description: MIN_POSITION_MEANS,
};

const pathParameters = ({ name: route, path }: Pick<Route, 'name' | 'path'>): readonly object[] =>
  [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    ...{ name, in: 'path', required: true },
    schema: parameter(route, name),
  }));

function queryParameters(route: Route): readonly object[] {
  const whole = route.takesWholeQuery ? WHOLE_QUERIES[route.name] : [];
  if (!whole) throw new Error(`${route.name} takes any parameter: name them in WHOLE_QUERIES`);
  const names = [...route.query, ...whole];
  const waits = route.method === 'get' && route.path.startsWith('/v1/');
  return [...names.map((name) => queryParameter(route.name, name)), ...(waits ? [MIN_POSITION] : [])];
}

function queryParameter(route: string, name: string): object {
  const required = REQUIRED[route]?.includes(name) ?? false;
  const { description, ...schema } = parameter(route, name);
  return {
    name,
    in: 'query',
    ...(required && { required }),
    ...(description !== undefined && { description }),
    schema,
  };
}

function parameter(route: string, name: string): JsonSchema {
  const schema = PARAMETERS[`${route} ${name}`] ?? PARAMETERS[name];
  if (!schema) throw new Error(`the parameter ${name} of ${route} has no schema`);
  return schema;
}

function commandSchema({ type, command }: KnownCommand, facts: OpenApiFacts): JsonSchema {
  const schema = schemaOf(command);
  const said = facts.commands[type]?.fields ?? {};
  const properties = Object.entries(schema['properties'] as Readonly<Record<string, JsonSchema>>);
  return {
    ...schema,
    properties: Object.fromEntries(
      properties.map(([name, field]) => [
        name,
        said[name] === undefined ? field : { ...field, description: said[name] },
      ]),
    ),
  };
}

/** A class that bodies are read into; it is known to class-validator alone. */
function classNamed(name: string): abstract new () => object {
  const { validationMetadatas } = getMetadataStorage() as unknown as {
    validationMetadatas: ReadonlyMap<abstract new () => object, unknown>;
  };
  const found = [...validationMetadatas.keys()].filter((each) => each.name === name);
  if (!found[0] || found.length > 1) throw new Error(`${found.length} classes are called ${name}`);
  return found[0];
}

/** @param codes of refusals; where there are any, the answer may be one. */
function responsesOf(route: Route, answer: JsonSchema | undefined, codes: readonly string[]): object {
  const { facts, path, roles } = route;
  const throws = (...names: readonly string[]): boolean => names.some((name) => facts.throws.includes(name));
  const closed = !roles.includes('anyone');
  const refusals = [...new Set(codes)].sort();
  const forbidding = refusals.filter((code) => refusalStatus({ accepted: false, code }) === 403);
  const refusing = refusals.filter((code) => !forbidding.includes(code));
  return {
    [route.status]: {
      description: answer ? 'the answer' : 'done',
      headers: LIMIT_HEADERS,
      ...(answer && { content: json(answer, route.contentType) }),
    },
    400: ref('responses/InvalidRequest'),
    ...((closed || throws('AccessRefused')) && { 401: ref('responses/Unauthenticated') }),
    ...((closed || throws('AccessRefused')) && {
      403: {
        description: 'who asks may not do this',
        content: {
          ...problem(ref('schemas/AccessRefused')),
          ...(forbidding.length > 0 && json(refusedWith(forbidding))),
        },
      },
    }),
    ...(throws('NotFoundException') && { 404: ref('responses/NotFound') }),
    ...(throws('GoneException') && { 410: ref('responses/Gone') }),
    ...(route.takesBody && { 413: ref('responses/TooLarge'), 415: ref('responses/NotJson') }),
    ...(path.includes('{') && { 414: ref('responses/PathTooLong') }),
    ...(refusing.length > 0 && {
      422: {
        description: `refused: ${refusing.join(', ')}`,
        content: json(refusedWith(refusing)),
      },
    }),
    429: ref('responses/TooManyRequests'),
    500: ref('responses/Failed'),
    503: ref('responses/Unavailable'),
  };
}

const refusedWith = (codes: readonly string[]): JsonSchema => ({
  allOf: [ref('schemas/Refused'), { type: 'object', properties: { code: { type: 'string', enum: codes } } }],
});

const LIMIT_HEADERS = {
  'RateLimit-Limit': ref('headers/RateLimit-Limit'),
  'RateLimit-Remaining': ref('headers/RateLimit-Remaining'),
  'RateLimit-Reset': ref('headers/RateLimit-Reset'),
};

const integer: JsonSchema = { type: 'integer' };
const HEADERS = {
  'RateLimit-Limit': { description: 'requests a minute', schema: integer },
  'RateLimit-Remaining': { description: 'requests left of this minute', schema: integer },
  'RateLimit-Reset': { description: 'seconds to the next minute', schema: integer },
  'Retry-After': { description: 'seconds after which the same request may be sent again', schema: integer },
};

const text: JsonSchema = { type: 'string' };
const texts: JsonSchema = { type: 'array', items: text };
const code: JsonSchema = { type: 'string', enum: Object.keys(REFUSALS) satisfies readonly string[] as RefusalCode[] };
const problemWith = (more: Readonly<Record<string, unknown>>, optional: readonly string[] = []): JsonSchema =>
  object({ title: text, status: integer, ...more }, optional);

const OWN_SCHEMAS = {
  Problem: problemWith({}),
  InvalidRequest: problemWith(
    {
      fields: {
        type: 'array',
        description: 'what is wrong with which field, and never its value',
        items: object({ field: text, rule: text }),
      },
    },
    ['fields'],
  ),
  AccessRefused: problemWith({
    ...{ accepted: { const: false }, code, clauses: texts, legalRef: text, remedy: text },
  }),
  Behind: problemWith({ asked: integer, position: integer }, ['asked', 'position']),
  Refused: object({
    accepted: { const: false },
    commandId: uuid,
    code,
    clauses: texts,
    legalRef: text,
    details: {
      type: 'object',
      description: 'names and ids that explain it, never a value',
      additionalProperties: { anyOf: [text, { type: 'number' }, texts] },
    },
    remedy: { ...text, description: 'what would make it pass' },
    retryable: { type: 'boolean', description: 'whether the same may pass later, under a new command id' },
    refusalId: uuid,
    position: integer,
  }),
};

const RESPONSES = {
  InvalidRequest: {
    description: 'the request is not valid; nothing was decided and nothing recorded',
    content: problem(ref('schemas/InvalidRequest')),
  },
  Unauthenticated: { description: 'nobody known sent it', content: problem(ref('schemas/AccessRefused')) },
  NotFound: { description: 'it is not there', content: problem() },
  Gone: { description: 'it was there', content: problem() },
  TooLarge: { description: 'the body is too large', content: problem() },
  PathTooLong: { description: 'a part of the path is too long', content: problem() },
  NotJson: { description: 'the body is not JSON', content: problem() },
  TooManyRequests: {
    description: 'too many requests with this credential, or from this address',
    headers: { ...LIMIT_HEADERS, 'Retry-After': ref('headers/Retry-After') },
    content: problem(),
  },
  Failed: { description: 'something that the engine stands on is broken', content: problem() },
  Unavailable: {
    description: 'not now: the same request may be sent again',
    content: problem(ref('schemas/Behind')),
  },
};

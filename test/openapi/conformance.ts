import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { isUuid, parseInstant } from '#kernel';
import type { OpenApiDocument } from '../../apps/engine/openapi.js';

/** An answer as it came over HTTP. */
export interface Answered {
  readonly status: number;
  readonly contentType: string;
  /** Parsed when it is JSON. */
  readonly body: unknown;
}

/** A schema that an answer may keep to; several are alternatives of one status. */
interface Described {
  readonly operationId: string;
  readonly validate: (status: number, contentType: string) => ValidateFunction | undefined | 'empty';
}

/** What is wrong with an answer to what the document does not know. */
export const NO_ROUTE = 'no route is described';

/** Holds answers against the document that promises them. */
export class Conformance {
  readonly #ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    formats: {
      uuid: isUuid,
      'date-time': (text: string) => parseInstant(text) !== undefined,
      date: /^\d{4}-\d{2}-\d{2}$/,
      duration: /^P/,
      uri: true,
    },
  });
  readonly #paths: readonly { readonly pattern: RegExp; readonly methods: ReadonlyMap<string, Described> }[];

  constructor(document: OpenApiDocument) {
    // Under an id, so that what refers to a component finds it from anywhere.
    this.#ajv.addSchema({ $id: 'urn:custos:openapi', ...document }, 'urn:custos:openapi');
    this.#paths = Object.entries(document.paths)
      .sort(([a], [b]) => parametersIn(a) - parametersIn(b))
      .map(([path, operations]) => ({
        pattern: new RegExp(`^${path.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
        methods: new Map(
          Object.entries(operations).map(([method, { operationId }]) => [
            method.toUpperCase(),
            {
              operationId,
              validate: (status: number, contentType: string) =>
                this.#validator(document, path, method, String(status), contentType),
            },
          ]),
        ),
      }));
  }

  /** What is wrong with an answer; `undefined` when it is as promised. Its values are not repeated. */
  wrong(method: string, url: string, answered: Answered): string | undefined {
    const path = url.split('?')[0] ?? '';
    const methods = this.#paths.find(({ pattern }) => pattern.test(path))?.methods;
    const described = methods?.get(method.toUpperCase());
    // What has no route is not found; what could not be read has not come to a route.
    if (!described) return [404, 400, 414, 429].includes(answered.status) ? undefined : NO_ROUTE;
    const validate = described.validate(answered.status, mediaType(answered.contentType));
    const where = `${described.operationId} ${answered.status} ${answered.contentType}`;
    if (validate === undefined) return `${where} is not described`;
    if (validate === 'empty') return answered.body === undefined ? undefined : `${where} has a body`;
    if (validate(answered.body)) return undefined;
    return `${where}: ${(validate.errors ?? [])
      .map(({ instancePath, keyword, params }) => `${instancePath} ${keyword} ${JSON.stringify(params)}`)
      .slice(0, 5)
      .join('; ')}`;
  }

  #validator(
    document: OpenApiDocument,
    path: string,
    method: string,
    status: string,
    contentType: string,
  ): ValidateFunction | undefined | 'empty' {
    const responses = document.paths[path]?.[method]?.['responses'] as Record<string, { $ref?: string }> | undefined;
    const given = responses?.[status];
    if (!given) return undefined;
    const pointer = given.$ref ?? `#/paths/${escaped(path)}/${method}/responses/${status}`;
    const content = (at(document, pointer) as { content?: Record<string, unknown> }).content;
    if (content === undefined) return 'empty';
    const described = Object.keys(content).find((type) => mediaType(type) === contentType);
    if (described === undefined) return undefined;
    const schema = `${pointer}/content/${escaped(described)}/schema`;
    return this.#ajv.getSchema(`urn:custos:openapi${encodeURI(schema)}`);
  }
}

const mediaType = (contentType: string): string => contentType.split(';')[0] ?? '';

const parametersIn = (path: string): number => path.split('{').length;

const escaped = (text: string): string => text.replaceAll('~', '~0').replaceAll('/', '~1');

/** What a pointer such as `#/components/schemas/Problem` points at. */
export function at(document: object, pointer: string): unknown {
  return pointer
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((found, part) => (found as Record<string, unknown> | undefined)?.[part], document);
}

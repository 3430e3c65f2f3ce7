import fc from 'fast-check';
import type { OpenApiDocument, Operation } from '../../apps/engine/openapi.js';
import { at } from './conformance.js';

/** What can be odd about a request. */
export const ODDITIES = [
  // In a field of the body, or of the query or the path where a request has no body.
  'another type',
  'a missing field',
  'an extra field',
  'a huge text',
  'odd characters',
  'deep nesting',
  'a prototype',
  'a number out of range',
  'an impossible date',
  'an injection',
  // About the body as a whole.
  'another content type',
  'malformed JSON',
  'invalid UTF-8',
  // About what stands around it.
  'an odd path',
  'an odd query',
  'a repeated parameter',
  'odd headers',
  'another method',
  'no HTTP',
  // About who asks.
  'no credential',
  'another credential',
  'another role',
] as const;
export type Oddity = (typeof ODDITIES)[number];

/** A request as its bytes, with what has to be known to judge the answer. */
export interface Request {
  readonly number: number;
  /** `method path` as the document has it. */
  readonly operation: string;
  /** Of the request line, which an oddity may have changed. */
  readonly method: string;
  readonly target: string;
  readonly bytes: Buffer;
  /** The connection ends with it: where HTTP itself is broken, nobody can say where the next request begins. */
  readonly last: boolean;
  /** Empty for one that is as the document wants it. */
  readonly odd: readonly Oddity[];
  /** It asks for a position that the read models have not come to, and is told so after a while (503). */
  readonly ahead: boolean;
  /** The body before it was written down; absent where there is none or it is no JSON. */
  readonly body?: unknown;
}

export interface Source {
  readonly document: OpenApiDocument;
  /** The same seed gives the same requests, but for the credentials. */
  readonly seed: number;
  /** Tokens by role. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Values that mean something, by the name of the field or parameter; a name may stand in many. */
  readonly known: Readonly<Record<string, readonly string[]>>;
}

/** One in so many asks for a position that is not there yet. */
const AHEAD_ONE_IN = 2_000;
const FAR_AHEAD = '999999999999';
const LARGEST_BODY = 1024 * 1024;
/** Stand for what JSON cannot say, and are replaced once it is written. */
const LITERAL = /"@@(.*?)@@"/gs;
const BROKEN_BYTE = Buffer.from('\ufdd0');

type Schema = Readonly<Record<string, unknown>>;
type Json = Record<string, unknown>;
interface Described {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

/** Seeded randomness: mulberry32. */
class Dice {
  constructor(private state: number) {}

  /** From 0 to below 1. */
  roll(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(count: number): number {
    return Math.floor(this.roll() * count);
  }

  chance(share: number): boolean {
    return this.roll() < share;
  }

  one<Kind>(of: readonly Kind[]): Kind {
    return of[this.below(of.length)] as Kind;
  }

  hex(digits: number): string {
    return Array.from({ length: digits }, () => this.below(16).toString(16)).join('');
  }

  uuid(): string {
    return this.hex(32).replace(/^(.{8}).(.{3}).(.{3}).(.{3})(.{12}).*$/, '$1-4$2-4$3-8$4-$5');
  }
}

/**
 * Marks that stand in every text: hexadecimal, so that they fit where names and digests have to stand, and random, so
 * that nothing else looks like one. A name may come back in the details of a refusal and in registers, a value may not.
 */
export class Marks {
  readonly #value: string;
  readonly #name: string;
  readonly #pattern: RegExp;

  constructor(dice: { hex(digits: number): string }) {
    [this.#value, this.#name] = [`fa${dice.hex(12)}`, `ce${dice.hex(12)}`];
    this.#pattern = new RegExp(`(${this.#value}|${this.#name})([0-9a-f]{6})`, 'gi');
  }

  /** No name has a tilde: what is marked so fits nowhere but in free text. */
  value = (request: number): string => `~${this.#value}${request.toString(16).padStart(6, '0')}`;
  name = (request: number): string => this.#name + request.toString(16).padStart(6, '0');

  /** The marks within a text: what each is, and the request that it was in. */
  in(text: string): readonly { readonly kind: 'value' | 'name'; readonly number: number }[] {
    return [...text.matchAll(this.#pattern)].map(([, mark = '', number = '']) => ({
      kind: mark.toLowerCase() === this.#name ? 'name' : 'value',
      number: Number.parseInt(number, 16),
    }));
  }
}

/** Requests over all operations of a document in turn: some as it wants them, most odd in one to three ways. */
export class Requests {
  readonly marks: Marks;
  readonly #dice: Dice;
  readonly #operations: readonly Described[];
  #made = 0;

  constructor(private readonly source: Source) {
    this.#dice = new Dice(source.seed);
    this.marks = new Marks(this.#dice);
    this.#operations = Object.entries(source.document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => ({ method, path, operation })),
    );
  }

  next(): Request {
    const dice = this.#dice;
    const number = this.#made++;
    const { method, path, operation } = this.#operations[number % this.#operations.length] as Described;
    const made = new Draft(this.source, dice, this.marks.value(number), this.marks.name(number), operation);
    const wanted = dice.chance(0.2) ? 0 : dice.one([1, 1, 1, 2, 3]);
    const odd = new Set<Oddity>();
    const fitting = ODDITIES.filter((oddity) => made.fits(oddity));
    while (odd.size < Math.min(wanted, fitting.length)) odd.add(dice.one(fitting));
    return { number, operation: `${method} ${path}`, ...made.written(method, path, odd), odd: [...odd] };
  }
}

const ANOTHER_TYPE: readonly ((mark: string) => unknown)[] = [
  (mark) => ({ $ne: mark }),
  (mark) => [mark],
  (mark) => [[mark]],
  (mark) => mark,
  () => null,
  () => true,
  () => 7,
  () => [],
  () => ({}),
  () => '',
];
const ODD_CHARACTERS: readonly ((mark: string) => string)[] = [
  (mark) => `\ud800${mark}`,
  (mark) => `${mark}\udfff`,
  (mark) => `${mark}\0`,
  (mark) => `\0${mark}`,
  (mark) => `\u202e${mark}\u2066`,
  (mark) => `${mark}${'\u0301'.repeat(200)}`,
  (mark) => `\ufeff${mark}\u200b`,
  (mark) => `\u{1f469}\u200d\u{1f52c}${mark}\u{10ffff}`,
  (mark) => `\u2028${mark}\u0085\u0007\u001b[31m`,
  (mark) => `  ${mark}\t\r\n`,
  (mark) => `\u0130\u0131\u00df\ufb01${mark}`,
];
const INJECTIONS: readonly ((mark: string) => string)[] = [
  (mark) => `../../../../etc/passwd${mark}`,
  (mark) => `${mark}%00`,
  (mark) => `${mark}\r\nset-cookie: a=${mark}`,
  (mark) => `' or '1'='1' -- ${mark}`,
  (mark) => `"); drop table purposes; -- ${mark}`,
  (mark) => `\${${mark}}{{${mark}}}<%= ${mark} %>`,
  (mark) => `<script>${mark}</script>`,
  (mark) => `$(id)\`${mark}\`|${mark}`,
  (mark) => `${mark}*)(uid=*))(|(uid=*`,
  (mark) => `%${mark}_%`,
  (mark) => `=${mark}+cmd|' /C calc'!A0`,
  (mark) => `subject-${mark}$ce-${mark}`,
];
const OUT_OF_RANGE = ['-1', '0', '-0', '1.5', '1e21', '1e999', '-1e999', '9007199254740993', '0.1e-400', '2147483648'];
const IMPOSSIBLE_DATES = [
  ...['2026-02-30', '2026-02-30T09:00:00Z', '0000-00-00T00:00:00Z', '2026-11-23T25:61:61Z', '2026-13', '0001-01-01'],
  ...['+275760-09-14T00:00:00Z', '9999-12-31T23:59:59.999999999Z', '2026-11-23T09:00:00+99:99', '2026-11-23 09:00'],
  ...['-000001-01-01T00:00:00Z', 'P99999999999Y', 'P-1Y', 'P1Y1M1DT1H', 'PT0.0000001S', 'now', '1790000000', 'NaN'],
  ...['2026-12-31T23:59:60Z', '10000-01-01T00:00:00Z', '9999-12-31', '0000-01-01T00:00:00Z', 'P9999Y', 'P0D'],
];
const ODD_PATHS: readonly ((mark: string) => string)[] = [
  (mark) => `..%2f..%2f${mark}`,
  (mark) => `%2e%2e%2f${mark}`,
  (mark) => `${mark}%00`,
  (mark) => `${mark}%0d%0aset-cookie:${mark}`,
  (mark) => `${mark}%2fviews`,
  (mark) => `%c0%ae${mark}`,
  (mark) => `%zz${mark}`,
  (mark) => `%ed%a0%80${mark}`,
  () => '__proto__',
  () => 'constructor',
  () => 'toString',
  (mark) => `${mark};a=b`,
  (mark) => mark.repeat(300),
  (mark) => `${mark}%20${mark}`,
  (mark) => `%F0%9F%92%A9${mark}`,
  (mark) => `./${mark}/../${mark}`,
  (mark) => `//${mark}`,
  (mark) => mark.toUpperCase(),
];
const ODD_QUERIES: readonly ((mark: string) => string)[] = [
  (mark) => `${mark}=${mark}`,
  (mark) => `__proto__[a]=${mark}`,
  (mark) => `constructor.prototype=${mark}`,
  (mark) => `limit[$gt]=${mark}`,
  (mark) => `limit=-1&after=${mark}`,
  (mark) => `asOf=${mark}`,
  (mark) => `min-position=${mark}`,
  () => 'min-position=-1',
  () => 'limit=99999999999999999999',
  (mark) => `%00=${mark}`,
  (mark) => `%zz=%zz${mark}`,
  (mark) => `a=%ed%a0%80${mark}`,
  (mark) => `${'a[]=1&'.repeat(500)}b=${mark}`,
  (mark) => `?${mark}`,
  (mark) => `&&&=&=${mark}`,
  (mark) => `toString=${mark}&valueOf=${mark}&hasOwnProperty=1`,
];
const ODD_HEADERS: readonly ((mark: string) => readonly string[])[] = [
  (mark) => [`x-forwarded-for: ${mark}`, `x-forwarded-host: ${mark}`, `x-forwarded-proto: ${mark}`],
  (mark) => [`x-original-url: /${mark}`, `x-rewrite-url: /${mark}`, `x-http-method-override: DELETE`],
  (mark) => [`cookie: __Host-custos=${mark}; a=${mark}; ;;==`],
  (mark) => [`x-csrf-token: ${mark}`, `origin: https://${mark}.example.test`, `referer: https://${mark}.example.test/`],
  (mark) => [`accept: ${mark}/*;q=x`, `accept-encoding: ${mark}`, `accept-language: ${mark}`],
  (mark) => [`if-none-match: "${mark}"`, `if-modified-since: ${mark}`, `range: bytes=${mark}`],
  (mark) => [`x-long: ${mark.repeat(300)}`],
  (mark) => [`x-too-long: ${mark.repeat(1_200)}`],
  (mark) => Array.from({ length: 150 }, (_, index) => `x-${index}: ${mark}`),
  (mark) => [`x-latin: ${mark}\u00ff\u00e9`],
  (mark) => [`traceparent: 00-${mark}`, `x-request-id: ${mark}`, `user-agent: ${mark}`, `forwarded: for=${mark}`],
  () => ['expect: 100-continue'],
  (mark) => [`upgrade: ${mark}`],
  (mark) => [`date: ${mark}`, `via: ${mark}`, `from: ${mark}@example.test`, `max-forwards: ${mark}`],
];
/** How a request is broken that HTTP itself turns away. */
const NO_HTTP: readonly ((line: string, head: string, mark: string) => string)[] = [
  (line, head, mark) => `${line.replace(' HTTP/1.1', `\r\nset-cookie:${mark} HTTP/1.1`)}\r\n${head}\r\n\r\n`,
  (line, head, mark) => `${line}\r\n${head}\r\nx: a\nb: ${mark}\r\n\r\n`,
  (line, head, mark) => `${line}\r\n${head}\r\nx y: ${mark}\r\n\r\n`,
  (line, head, mark) => `${line}\r\n${head}\r\nx: \0${mark}\r\n\r\n`,
  (line, head, mark) => `${line}\r\n${head}\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}${mark}`,
  (line, head, mark) => `${line}\r\n${head}\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n{}${mark}`,
  (line, head, mark) => `${line}\r\n${head}\r\ntransfer-encoding: chunked\r\n\r\nzz${mark}\r\n`,
  (line, head, mark) => `${line.replace('HTTP/1.1', `HTTP/${mark}`)}\r\n${head}\r\n\r\n`,
  (line, head, mark) => `${line.replace(' ', `${mark} `)}\r\n${head}\r\n\r\n`,
  (_line, _head, mark) => `SSH-2.0-${mark}\r\n\r\n`,
];
const CONTENT_TYPES: readonly ((mark: string) => string | undefined)[] = [
  () => 'text/plain',
  () => 'application/x-www-form-urlencoded',
  (mark) => `multipart/form-data; boundary=${mark}`,
  () => 'application/xml',
  (mark) => `application/${mark}`,
  (mark) => mark,
  () => undefined,
  (mark) => `application/json; charset=${mark}`,
  () => 'application/json; charset=utf-16',
];
const BROKEN_JSON: readonly ((json: string, mark: string) => string)[] = [
  (json, mark) => `${json.slice(0, Math.max(1, json.length >> 1))}${mark}`,
  (json, mark) => `${json}{"${mark}":1}`,
  (_json, mark) => mark,
  (_json, mark) => `{"${mark}":"${mark}",}`,
  (_json, mark) => `{'a':'${mark}'}`,
  (_json, mark) => `{"a":"${mark}\n"}`,
  (_json, mark) => `{"a":NaN,"b":"${mark}"}`,
  (json, mark) => `\ufeff${json}${mark}`,
  (_json, mark) => `["${mark}"]`,
  (_json, mark) => `"${mark}"`,
  () => 'null',
  () => '',
  (_json, mark) => `{"a":"\\u${mark.slice(-2)}"}`,
  (_json, mark) => `/* ${mark} */ {}`,
];
const METHODS = ['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'GET', 'POST'];

/** One request on its way from the document to bytes. */
class Draft {
  readonly #body: Schema | undefined;
  readonly #parameters: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: Schema;
  }[];

  constructor(
    private readonly source: Source,
    private readonly dice: Dice,
    private readonly value: string,
    private readonly name: string,
    private readonly operation: Operation,
  ) {
    const { requestBody, parameters } = operation as {
      requestBody?: { content: Record<string, { schema: Schema }> };
      parameters?: never[];
    };
    this.#body = requestBody?.content['application/json']?.schema;
    this.#parameters = parameters ?? [];
  }

  fits(oddity: Oddity): boolean {
    const roles = this.operation['x-roles'] as readonly string[] | undefined;
    switch (oddity) {
      case 'a repeated parameter':
        return this.#parameters.some((each) => each.in === 'query');
      case 'another role':
        return this.#othersThan(roles).length > 0;
      case 'no credential':
      case 'another credential':
        return roles !== undefined;
      case 'an odd path':
      case 'an odd query':
      case 'odd headers':
      case 'another method':
      case 'no HTTP':
        return true;
      default:
        return this.#body !== undefined;
    }
  }

  written(method: string, path: string, odd: ReadonlySet<Oddity>): Omit<Request, 'number' | 'operation' | 'odd'> {
    const { dice, value } = this;
    const body = this.#body && this.#bodyOf(this.#body, odd);
    const ahead =
      odd.size === 0 && this.#parameters.some(({ name }) => name === 'min-position') && dice.below(AHEAD_ONE_IN) === 0;
    const target = this.#target(path, odd, ahead);
    const verb = odd.has('another method') && !odd.has('no HTTP') ? dice.one(METHODS) : method.toUpperCase();
    const type = odd.has('another content type') ? dice.one(CONTENT_TYPES)(value) : 'application/json';
    const head = [
      'host: custos',
      ...this.#credential(odd),
      ...(odd.has('odd headers') ? dice.one(ODD_HEADERS)(value) : []),
      ...(body && type !== undefined ? [`content-type: ${type}`] : []),
    ];
    const line = `${verb} ${target} HTTP/1.1`;
    const last = odd.has('no HTTP');
    const bytes = last
      ? Buffer.from(dice.one(NO_HTTP)(line, [...head, 'connection: close'].join('\r\n'), value), 'latin1')
      : Buffer.concat([
          Buffer.from(
            [line, ...head, ...(body ? [`content-length: ${body.bytes.length}`] : []), '', ''].join('\r\n'),
            'latin1',
          ),
          ...(body ? [body.bytes] : []),
        ]);
    return { method: verb, target, bytes, last, ahead, ...(body?.json !== undefined && { body: body.json }) };
  }

  #target(path: string, odd: ReadonlySet<Oddity>, ahead: boolean): string {
    const { dice, value } = this;
    const inPath = this.#parameters.filter((each) => each.in === 'path');
    const spoilt = odd.has('an odd path') ? dice.below(inPath.length + 1) : -1;
    let target = path;
    inPath.forEach(({ name, schema }, index) => {
      const filled =
        index === spoilt ? dice.one(ODD_PATHS)(value) : encodeURIComponent(String(this.#sample(schema, name)));
      target = target.replace(`{${name}}`, () => filled);
    });
    if (spoilt === inPath.length) target = `${target}/${dice.one(ODD_PATHS)(value)}`;
    const query = this.#parameters
      .filter(
        ({ in: where, name, required }) =>
          where === 'query' && (required || dice.chance(name === 'min-position' ? 0.1 : 0.25)),
      )
      .map(({ name, schema }) => {
        const sampled = name === 'min-position' && ahead ? FAR_AHEAD : String(this.#sample(schema, name));
        return `${name}=${encodeURIComponent(sampled)}`;
      });
    if (ahead && !query.some((each) => each.startsWith('min-position='))) query.push(`min-position=${FAR_AHEAD}`);
    if (odd.has('a repeated parameter')) {
      const { name, schema } = dice.one(this.#parameters.filter((each) => each.in === 'query'));
      for (const _ of [1, 2]) query.push(`${name}=${encodeURIComponent(String(this.#sample(schema, name)))}`);
      query.push(`${name}=${value}`);
    }
    if (odd.has('an odd query')) query.push(dice.one(ODD_QUERIES)(value));
    return query.length === 0 ? target : `${target}?${query.join('&')}`;
  }

  #credential(odd: ReadonlySet<Oddity>): readonly string[] {
    const { dice, value } = this;
    const { tokens } = this.source;
    const roles = (this.operation['x-roles'] as readonly string[] | undefined) ?? [];
    if (odd.has('no credential')) return [];
    if (odd.has('another credential')) {
      const token = dice.one(Object.values(tokens));
      return dice.one([
        [`authorization: Bearer custos_${value}`],
        [`authorization: Bearer ${token}${value}`],
        [`authorization: Bearer ${token.toUpperCase()}`],
        [`authorization: Basic ${Buffer.from(`${value}:${value}`).toString('base64')}`],
        [`authorization: ${value}`],
        ['authorization: Bearer'],
        [`authorization: Bearer ${Buffer.from(`{"alg":"none","x":"${value}"}`).toString('base64url')}.e30.`],
        [`cookie: __Host-custos=${value}`],
        [`authorization: Bearer ${'a'.repeat(5_000)}${value}`],
      ]);
    }
    const fitting = odd.has('another role')
      ? this.#othersThan(roles)
      : Object.keys(tokens).filter((role) => roles.includes(role) || roles.includes('actor'));
    return fitting.length === 0 ? [] : [`authorization: Bearer ${tokens[dice.one(fitting)]}`];
  }

  #othersThan(roles: readonly string[] | undefined): readonly string[] {
    if (!roles || roles.includes('actor')) return [];
    return Object.keys(this.source.tokens).filter((role) => !roles.includes(role));
  }

  #bodyOf(schema: Schema, odd: ReadonlySet<Oddity>): { readonly bytes: Buffer; readonly json?: unknown } {
    const { dice, value } = this;
    const holder: Json = { body: this.#sample(schema, '') };
    for (const oddity of odd) this.#spoil(holder, oddity);
    const json = JSON.stringify(holder['body']).replaceAll(
      LITERAL,
      (_, literal: string) => JSON.parse(`"${literal}"`) as string,
    );
    const text = odd.has('malformed JSON') ? dice.one(BROKEN_JSON)(json, value) : json;
    return {
      bytes: Buffer.from(
        Buffer.from(text).toString('latin1').replaceAll(BROKEN_BYTE.toString('latin1'), '\xff\xc0\xae'),
        'latin1',
      ),
      json: holder['body'],
    };
  }

  /** Makes one place within a body odd. */
  #spoil(holder: Json, oddity: Oddity): void {
    const { dice, value } = this;
    const places = placesIn(holder);
    const put = (made: unknown, among = places): void => {
      const [parent, key] = dice.one(among.length > 0 ? among : places);
      parent[key] = made;
    };
    const of = (fits: (each: unknown) => boolean) => places.filter(([parent, key]) => fits(parent[key]));
    const texts = of((each) => typeof each === 'string');
    const objects = of((each) => typeof each === 'object' && each !== null && !Array.isArray(each));
    const inObject = (entries: readonly (readonly [string, unknown])[]): void => {
      const [parent, key] = dice.one(objects.length > 0 ? objects : places);
      const before = parent[key];
      parent[key] = Object.fromEntries([...(objects.length > 0 ? Object.entries(before as object) : []), ...entries]);
    };
    switch (oddity) {
      case 'another type':
        return put(dice.one(ANOTHER_TYPE)(value));
      case 'a missing field': {
        const fields = places.filter(([parent]) => !Array.isArray(parent) && parent !== holder);
        if (fields.length === 0) return put({});
        const [parent, key] = dice.one(fields);
        delete parent[key];
        return;
      }
      case 'an extra field':
        return inObject([
          [dice.one(['actor', 'roles', 'id', this.name, value, `${value} !`, '', '$where', '0']), value],
        ]);
      case 'a huge text':
        return put(
          value.repeat(Math.ceil((dice.chance(0.05) ? LARGEST_BODY : 30_000 + dice.below(100_000)) / value.length)),
          texts,
        );
      case 'odd characters':
        return put(dice.one(ODD_CHARACTERS)(value), texts);
      case 'deep nesting': {
        const depth = dice.one([30, 300, 3_000]);
        const [open, close] = dice.one([
          ['{"a":', '}'],
          ['[', ']'],
        ] as const);
        return put(literal(`${open.repeat(depth)}"${value}"${close.repeat(depth)}`));
      }
      case 'a prototype':
        return inObject([
          dice.one<readonly [string, unknown]>([
            ['__proto__', { roles: ['operator'], value }],
            ['constructor', { prototype: { value } }],
            ['prototype', { value }],
            ['toString', value],
            ['__defineGetter__', value],
            ['toJSON', value],
            ['then', value],
            ['length', 1e9],
          ]),
        ]);
      case 'a number out of range':
        return put(
          literal(dice.one(OUT_OF_RANGE)),
          of((each) => typeof each === 'number'),
        );
      case 'an impossible date':
        return put(
          dice.chance(0.2) ? `2026-11-23T09:00:00Z${value}` : dice.one(IMPOSSIBLE_DATES),
          of((each) => typeof each === 'string' && /^(\d{4}-\d\d|P\d)/.test(each)),
        );
      case 'an injection':
        return put(dice.one(INJECTIONS)(value), texts);
      case 'invalid UTF-8':
        return put(`${value}\ufdd0`, texts);
      default:
        return;
    }
  }

  /** A value that keeps to a schema: marked wherever it may be, with a name that means something where there is one. */
  #sample(schema: Schema, name: string): unknown {
    const { dice } = this;
    if (typeof schema['$ref'] === 'string')
      return this.#sample(at(this.source.document, schema['$ref']) as Schema, name);
    if (Array.isArray(schema['enum'])) return dice.one(schema['enum'] as unknown[]);
    if ('const' in schema) return schema['const'];
    switch (schema['type']) {
      case 'object':
        return this.#object(schema);
      case 'array': {
        const { minItems = 0, maxItems = 3 } = schema as { minItems?: number; maxItems?: number };
        const count = Math.min(maxItems, Math.max(minItems, dice.below(3)));
        const items = Array.from({ length: count }, () => this.#sample(schema['items'] as Schema, name));
        const kept = [...new Map(items.map((each) => [JSON.stringify(each), each])).values()];
        return schema['uniqueItems'] === true && kept.length >= minItems ? kept : items;
      }
      case 'integer':
      case 'number': {
        const { minimum = 0, maximum = 1_000 } = schema as { minimum?: number; maximum?: number };
        return Math.min(maximum, minimum + dice.one([0, 0, 1, 2, 7]));
      }
      case 'boolean':
        return dice.chance(0.5);
      default:
        return schema['type'] === 'string' ? this.#text(schema, name) : this.value;
    }
  }

  #object(schema: Schema): Json {
    const {
      properties = {},
      required = [],
      additionalProperties,
    } = schema as {
      properties?: Record<string, Schema>;
      required?: readonly string[];
      additionalProperties?: unknown;
    };
    const named = Object.entries(properties)
      .filter(([name]) => required.includes(name) || this.dice.chance(0.3))
      .map(([name, each]) => [name, this.#sample(each, name)] as const);
    const free = typeof additionalProperties === 'object' && additionalProperties !== null;
    return Object.fromEntries([
      ...named,
      ...(free ? [['x1', this.#sample(additionalProperties as Schema, '')] as const] : []),
    ]);
  }

  #text(schema: Schema, name: string): string {
    const { dice } = this;
    const {
      maxLength = Infinity,
      pattern,
      format,
    } = schema as { maxLength?: number; pattern?: string; format?: string };
    const fits = (text: string): boolean =>
      text.length <= maxLength && (pattern === undefined || new RegExp(pattern, 'u').test(text));
    const known = (this.source.known[name] ?? []).filter(fits);
    if (known.length > 0 && dice.chance(0.8)) return dice.one(known);
    if (format === 'uuid') return dice.uuid();
    if (format === 'date-time')
      return dice.one(['2026-11-23T09:00:00Z', '2020-02-29T23:59:59.999+01:00', '2031-01-01T00:00:00Z']);
    if (format === 'date') return dice.one(['2026-11-23', '2020-02-29', '2031-01-01']);
    if (format === 'duration') return dice.one(['P1Y', 'P30D', 'P6M']);
    if (pattern === '^\\d{1,15}$') return String(dice.below(200));
    // What takes any text takes a value; what is held to a form takes a name.
    const mark = pattern === undefined || pattern === '\\S' ? this.value : this.name;
    const marked = [mark, mark.padEnd(64, '0'), `dpv:${mark}`, `${mark}@example.test`, mark.toUpperCase()].find(fits);
    return marked ?? sampled(pattern ?? '', maxLength, dice);
  }
}

const literal = (json: string): string => `@@${JSON.stringify(json).slice(1, -1)}@@`;

const sampled = (pattern: string, maxLength: number, dice: Dice): string => {
  const [text = ''] = fc.sample(
    fc.stringMatching(new RegExp(pattern, 'u')).filter((each) => each.length <= maxLength),
    { numRuns: 1, seed: dice.below(2 ** 31) },
  );
  return text;
};

type Place = readonly [parent: Json, key: string];

/** Every place within a value that something else can be put in. */
function placesIn(holder: Json): readonly Place[] {
  return Object.entries(holder).flatMap(([key, each]): Place[] => [
    [holder, key],
    ...(typeof each === 'object' && each !== null ? placesIn(each as Json) : []),
  ]);
}

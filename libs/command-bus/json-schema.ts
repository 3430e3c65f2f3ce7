import { isSealedField } from './personal-fields.js';
import { fieldsOf, type Field } from './fields.js';

/** A JSON Schema (draft-07) as far as the rules of our commands need it. */
export interface JsonSchema {
  readonly type?: string;
  readonly [keyword: string]: unknown;
}

/** The schema of a class with class-validator rules. A rule that JSON Schema cannot say is named in `x-rules`. */
export function schemaOf(shape: abstract new () => object): JsonSchema {
  const fields = fieldsOf(shape);
  return {
    type: 'object',
    properties: Object.fromEntries(fields.map((field) => [field.name, schemaOfField(field)])),
    required: fields.filter(({ optional }) => !optional).map(({ name }) => name),
    additionalProperties: false,
  };
}

function schemaOfField(field: Field): JsonSchema {
  const own: Record<string, unknown> = {};
  const item: Record<string, unknown> = field.nested ? { ...schemaOf(field.nested) } : {};
  const strange: string[] = [];
  for (const [name, { given, each }] of field.rules) {
    const on = each || (field.list && !LIST_RULES.has(name)) ? item : field.list ? own : item;
    const said = keywordsOf(name, given);
    if (said === undefined) strange.push(name);
    else merge(on, said);
  }
  if (!field.nested && isSealedField(field)) item['x-sealed-on-the-bus'] = true;
  const schema = field.list ? { type: 'array', items: item, ...own } : item;
  return strange.length > 0 ? { ...schema, 'x-rules': strange } : schema;
}

const LIST_RULES = new Set(['isArray', 'arrayMinSize', 'arrayMaxSize', 'arrayUnique', 'arrayNotEmpty']);

/** Two patterns are both to be kept to. */
function merge(into: Record<string, unknown>, said: Readonly<Record<string, unknown>>): void {
  for (const [keyword, value] of Object.entries(said))
    if (keyword === 'pattern' && into['pattern'] !== undefined)
      into['allOf'] = [...((into['allOf'] as unknown[] | undefined) ?? []), { pattern: value }];
    else into[keyword] = value;
}

/** What a rule says in JSON Schema; `undefined` when it cannot be said. */
function keywordsOf(rule: string, given: readonly unknown[]): Readonly<Record<string, unknown>> | undefined {
  const [first, second] = given;
  switch (rule) {
    case 'isString':
      return { type: 'string' };
    case 'isInt':
      return { type: 'integer' };
    case 'isNumber':
      return { type: 'number' };
    case 'isBoolean':
      return { type: 'boolean' };
    case 'isObject':
      return { type: 'object' };
    case 'isArray':
    case 'nestedValidation':
    case 'isPersonal':
      return {};
    case 'isIn':
      return { enum: first };
    case 'matches':
      return { type: 'string', pattern: first instanceof RegExp ? first.source : String(first) };
    case 'maxLength':
      return { maxLength: first };
    case 'minLength':
      return { minLength: first };
    case 'isLength':
      return { minLength: first, ...(second !== undefined && { maxLength: second }) };
    case 'min':
      return { minimum: first };
    case 'max':
      return { maximum: first };
    case 'arrayMinSize':
      return { minItems: first };
    case 'arrayNotEmpty':
      return { minItems: 1 };
    case 'arrayMaxSize':
      return { maxItems: first };
    case 'arrayUnique':
      // Unique by a property of the items is more than a schema can say.
      return typeof first === 'function' ? undefined : { uniqueItems: true };
    case 'isUuid':
      return { type: 'string', format: 'uuid' };
    case 'isCivilDate':
      return { type: 'string', format: 'date' };
    case 'isPeriod':
    case 'isInterval':
      return { type: 'string', format: 'duration' };
    case 'isInstant':
    case 'isIso8601':
      return { type: 'string', format: 'date-time' };
    default:
      return undefined;
  }
}

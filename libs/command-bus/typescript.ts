import type { JsonSchema } from './json-schema.js';

/** The TypeScript type of what a schema lets pass. */
export function typeOf(schema: JsonSchema, indent = '  '): string {
  const {
    enum: values,
    type,
    items,
    properties,
    required,
  } = schema as {
    enum?: readonly unknown[];
    type?: string;
    items?: JsonSchema;
    properties?: Readonly<Record<string, JsonSchema>>;
    required?: readonly string[];
  };
  if (values)
    return values.map((value) => (typeof value === 'string' ? `'${value}'` : JSON.stringify(value))).join(' | ');
  switch (type) {
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'array': {
      const item = typeOf(items ?? {}, indent);
      return `readonly ${/[|{]/.test(item) && !item.startsWith('{') ? `(${item})` : item}[]`;
    }
    case 'object':
      if (!properties) return 'object';
      return `{\n${Object.entries(properties)
        .map(
          ([name, member]) =>
            `${indent}  readonly ${name}${required?.includes(name) ? '' : '?'}: ${typeOf(member, `${indent}  `)};\n`,
        )
        .join('')}${indent}}`;
    default:
      return type === 'string' ? 'string' : 'unknown';
  }
}

/**
 * The source of the SDK's types: every command with its fields, and every code of a refusal.
 *
 * @param commands schemas by name; the sender's `commandId` is left out, the client takes it by itself.
 */
export function sdkTypes(commands: Readonly<Record<string, JsonSchema>>, codes: readonly string[]): string {
  const bodies = Object.entries(commands).map(([name, schema]) => {
    const { commandId: _id, ...properties } = schema['properties'] as Readonly<Record<string, JsonSchema>>;
    return `  ${name}: ${typeOf({ ...schema, properties })};\n`;
  });
  return [
    '// Made from the commands of the engine by `npm run sdk`; a test fails when it is behind.\n',
    '/** The fields of every command, by its name. What a field means stands in the AsyncAPI document of the engine. */',
    `export interface CommandBodies {\n${bodies.join('')}}\n`,
    '/** Why a command may be refused. New reasons come; a code never changes its meaning. */',
    `export type RefusalCode =\n${codes.map((code) => `  | '${code}'`).join('\n')};\n`,
  ].join('\n');
}

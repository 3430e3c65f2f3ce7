import { plainToInstance } from 'class-transformer';
import { validate, type ValidationError } from 'class-validator';
import type { Command } from './command.js';

/** What is wrong with one field of a body: its path and the rule it breaks, never its value. */
export interface FieldError {
  readonly field: string;
  readonly rule: string;
}

/** The body is not a command of this kind. Nothing was decided and nothing recorded. */
export class InvalidCommand extends Error {
  override readonly name = 'InvalidCommand';
  constructor(readonly fields: readonly FieldError[]) {
    super(`invalid: ${fields.map(({ field, rule }) => `${field} (${rule})`).join(', ')}`);
  }
}

const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype']);
const DEEPEST = 12;

/**
 * Reads a body into a command. A `type` within it is passed over: the door names the command. A member that is null
 * counts as left out.
 *
 * @throws InvalidCommand naming every field that is unknown or malformed.
 */
export function readCommand<T extends Command>(command: new () => T, body: unknown): Promise<T> {
  if (typeof body !== 'object' || body === null) return readBody(command, body);
  const { type: _named, ...fields } = body as Record<string, unknown>;
  return readBody(command, Array.isArray(body) ? body : fields);
}

/**
 * Reads a body into an instance of a class with class-validator rules.
 *
 * @throws InvalidCommand naming every field that is unknown or malformed.
 */
export async function readBody<T extends object>(shape: new () => T, body: unknown): Promise<T> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new InvalidCommand([{ field: '(body)', rule: 'isObject' }]);
  const odd = oddName(body, '', 0);
  if (odd) throw new InvalidCommand([odd]);
  const instance = plainToInstance(shape, given(body));
  const errors = await validate(instance, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
  });
  if (errors.length > 0) throw new InvalidCommand(errors.flatMap((error) => flatten(error, '')));
  return instance;
}

function oddName(value: unknown, path: string, depth: number): FieldError | undefined {
  if (depth > DEEPEST) return { field: path.split('.')[0] ?? '(body)', rule: 'maxDepth' };
  if (typeof value === 'string') return value.isWellFormed() ? undefined : { field: path, rule: 'isWellFormed' };
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const here = within(path, name);
    if (!name.isWellFormed()) return { field: here, rule: 'isWellFormed' };
    if (FORBIDDEN_NAMES.has(name)) return { field: path === '' ? '(body)' : path, rule: 'forbiddenName' };
    // The validator looks into lists of lists for the items of a list, and finds nothing to object to.
    if (Array.isArray(value) && Array.isArray(member)) return { field: path, rule: 'isObject' };
    const odd = oddName(member, here, depth + 1);
    if (odd) return odd;
  }
  return undefined;
}

/** What the sender gave: members that are null would pass as optional ones, and are not. */
function given(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(given);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (member === null ? [] : [[name, given(member)]])),
  );
}

/** Names within a body are the sender's words: only those that look like names are repeated. */
const NAME = /^[A-Za-z][A-Za-z0-9]{0,63}$|^\d{1,6}$/;

const within = (path: string, property: string): string => {
  const name = NAME.test(property) ? property : '(unnamed)';
  return path === '' ? name : `${path}.${name}`;
};

function flatten(error: ValidationError, path: string): FieldError[] {
  const field = within(path, error.property);
  const own = Object.keys(error.constraints ?? {}).map((rule) => ({ field, rule }));
  return [...own, ...(error.children ?? []).flatMap((child) => flatten(child, field))];
}

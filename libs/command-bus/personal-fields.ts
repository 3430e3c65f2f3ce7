import type { CommandCatalogue } from '#slice';
import { fieldsOf, type Field } from './fields.js';

/** Rules that leave no room for a person: an id, a code, a pattern, a time, a number, a yes or no. */
const CLOSED = [
  'isIn',
  'isUuid',
  'isInstant',
  'isIso8601',
  'isCivilDate',
  'isPeriod',
  'isInterval',
  'isInt',
  'isNumber',
  'isBoolean',
];

/**
 * Whether a field of a command is sealed on the bus: one that its command declares personal, and every one that no
 * known rule closes, whatever it is for. Nobody can say what a sender writes into a free text.
 */
export const isSealedField = ({ rules }: Field): boolean => {
  const pattern = rules.get('matches')?.given[0];
  const closed = CLOSED.some((rule) => rules.has(rule)) || (pattern instanceof RegExp && !takesText(pattern));
  return rules.has('isPersonal') || !closed;
};

/** Whether a pattern leaves room for what people write: a name, an address, a phone number. */
const takesText = (pattern: RegExp): boolean =>
  ['Asha Fictional', 'asha@example.test', '1 High Street, Bath', '+44 20 7946 0101'].some((text) =>
    new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test(text),
  );

/** By command: paths of the fields that are sealed on the bus; `*` stands for every index of a list. */
export function sealedFieldsOf(catalogue: CommandCatalogue): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    catalogue.all().flatMap(({ type, command }) => {
      const paths = pathsIn(command, '');
      return paths.length > 0 ? [[type, paths]] : [];
    }),
  );
}

function pathsIn(shape: abstract new () => object, within: string): string[] {
  return fieldsOf(shape).flatMap((field) => {
    const path = `${within}${field.name}${field.list ? '.*' : ''}`;
    if (field.nested) return pathsIn(field.nested, `${path}.`);
    return isSealedField(field) ? [path] : [];
  });
}

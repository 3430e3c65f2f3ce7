import type { CommandCatalogue } from '#slice';
import { fieldsOf, type Field } from './fields.js';

/** Rules that leave no room for a person: an id, a code, a pattern, a time, a number, a yes or no. */
const CLOSED = [
  'isIn',
  'matches',
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
export const isSealedField = ({ rules }: Field): boolean =>
  rules.has('isPersonal') || !CLOSED.some((rule) => rules.has(rule));

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

import 'reflect-metadata';
import { createRequire } from 'node:module';
import { getMetadataStorage } from 'class-validator';

/** One rule of class-validator on a field, by its name, with what it was given. */
export interface Rule {
  readonly given: readonly unknown[];
  /** The rule holds for each item of a list. */
  readonly each: boolean;
}

/** One field of a class with class-validator rules. */
export interface Field {
  readonly name: string;
  readonly optional: boolean;
  readonly list: boolean;
  readonly rules: ReadonlyMap<string, Rule>;
  /** Class of the object, or of each object of the list. */
  readonly nested?: new () => object;
}

interface Storage {
  findTypeMetadata(target: unknown, property: string): { typeFunction?: () => unknown } | undefined;
}

/** What `@Type` has noted; class-transformer has no other way to ask for it. */
const { defaultMetadataStorage } = createRequire(import.meta.url)('class-transformer/cjs/storage.js') as {
  defaultMetadataStorage: Storage;
};

/** The fields of a class and its parents, parents' first, in the order in which they are declared. */
export function fieldsOf(shape: abstract new () => object): readonly Field[] {
  const metadata = getMetadataStorage().getTargetValidationMetadatas(shape, '', false, false);
  const chain: unknown[] = [];
  for (let at: unknown = shape; typeof at === 'function' && at !== Function.prototype; at = Object.getPrototypeOf(at))
    chain.push(at);
  const rank = (target: unknown): number => -chain.indexOf(target);
  const byName = new Map<string, { rules: Map<string, Rule>; optional: boolean }>();
  for (const each of [...metadata].sort((a, b) => rank(a.target) - rank(b.target))) {
    const field = byName.get(each.propertyName) ?? { rules: new Map<string, Rule>(), optional: false };
    byName.set(each.propertyName, field);
    // A condition that looks at nothing is there to undo that a parent lets the field be absent.
    if (each.type === 'conditionalValidation') field.optional = (each.constraints[0] as () => unknown).length > 0;
    else
      field.rules.set(each.name ?? each.type, {
        given: (each.constraints as unknown[] | undefined) ?? [],
        each: each.each,
      });
  }
  return [...byName].map(([name, { rules, optional }]) => {
    const list = rules.has('isArray') || [...rules.values()].some((rule) => rule.each);
    const nested = rules.has('nestedValidation')
      ? defaultMetadataStorage.findTypeMetadata(shape, name)?.typeFunction?.()
      : undefined;
    return { name, optional, list, rules, ...(typeof nested === 'function' && { nested: nested as new () => object }) };
  });
}

import { Matches, MaxLength, ValidateBy, type ValidationArguments, type ValidationOptions } from 'class-validator';
import { parseInstant } from '#kernel';

/** Id of an entry of a register: lower-case words joined by hyphens. */
export const REGISTER_ID = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** An opaque reference to a record elsewhere (a case, a campaign, an assessment); never a name or an address. */
export const REFERENCE = /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/;

/** Name of a category of data, for example `contact.email`. */
export const CATEGORY = /^[a-z][a-zA-Z0-9]*(\.[a-z][a-zA-Z0-9]*){0,3}$/;

/** SHA-256 of a document or text, in lower-case hexadecimal digits. */
export const SHA_256 = /^[0-9a-f]{64}$/;

/** Several decorators of a field as one. */
export const all =
  (...decorators: readonly PropertyDecorator[]): PropertyDecorator =>
  (target, key) =>
    decorators.forEach((decorate) => decorate(target, key));

/** Id of an entry of a register, or a list of them with `{ each: true }`. */
export const IsRegisterId = (options: ValidationOptions = {}): PropertyDecorator =>
  all(Matches(REGISTER_ID, options), MaxLength(64, options));

/** Name of a category of data, or a list of them with `{ each: true }`. */
export const IsCategory = (options: ValidationOptions = {}): PropertyDecorator =>
  all(Matches(CATEGORY, options), MaxLength(64, options));

/** Whether it is a civil date that exists, `yyyy-mm-dd`. */
export const isCivilDate = (text: unknown): text is string =>
  typeof text === 'string' && parseInstant(`${text}T00:00:00Z`)?.slice(0, 10) === text;

/** A civil date that exists, `yyyy-mm-dd`. */
export const IsCivilDate = (): PropertyDecorator =>
  ValidateBy({ name: 'isCivilDate', validator: { validate: isCivilDate } });

/** A civil date or a timestamp that is not before the one in another field, where that is given. */
export const IsNotBefore = (field: string): PropertyDecorator =>
  ValidateBy({
    name: 'isNotBefore',
    constraints: [field],
    validator: {
      validate: (value: unknown, args?: ValidationArguments) => {
        const other = (args?.object as Readonly<Record<string, unknown>>)[field];
        return typeof value !== 'string' || typeof other !== 'string' || sortable(value) >= sortable(other);
      },
    },
  });
/** Timestamps of several zones sort as text once they are read. */
const sortable = (time: string): string => parseInstant(time) ?? time;

export const IsSha256 = (): PropertyDecorator => Matches(SHA_256);

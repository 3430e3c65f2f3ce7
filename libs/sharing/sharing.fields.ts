import { IsISO8601, IsString, Matches, MaxLength, MinLength, type ValidationOptions } from 'class-validator';
import { REGISTER_ID } from '#slice';
import { CATEGORY } from '#subject';

const all =
  (...decorators: readonly PropertyDecorator[]): PropertyDecorator =>
  (target, key) =>
    decorators.forEach((decorate) => decorate(target, key));

/** Id of an entry of a register, or a list of them with `{ each: true }`. */
export const IsRegisterId = (options: ValidationOptions = {}): PropertyDecorator =>
  all(Matches(REGISTER_ID, options), MaxLength(64, options));

/** A civil date that exists, `yyyy-mm-dd`. */
export const IsCivilDate = (): PropertyDecorator => all(Matches(/^\d{4}-\d{2}-\d{2}$/), IsISO8601({ strict: true }));

/** Names of categories such as `contact.email`. */
export const IsCategory = (options: ValidationOptions): PropertyDecorator =>
  all(Matches(CATEGORY, options), MaxLength(64, options));

/** An id or code given by others: a company number, an actor, a basis. */
export const IsCode = (): PropertyDecorator => all(Matches(/^[A-Za-z0-9][A-Za-z0-9._:/()-]*$/), MaxLength(64));

export const IsSha256 = (): PropertyDecorator => Matches(/^[0-9a-f]{64}$/);

export const IsText = (longest: number): PropertyDecorator => all(IsString(), MinLength(1), MaxLength(longest));

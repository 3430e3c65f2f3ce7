import { IsString, Matches, MaxLength, MinLength, type ValidationOptions } from 'class-validator';
import { all, CATEGORY } from '#slice';

/** Names of categories such as `contact.email`. */
export const IsCategory = (options: ValidationOptions): PropertyDecorator =>
  all(Matches(CATEGORY, options), MaxLength(64, options));

/** An id or code given by others: a company number, an actor, a basis. */
export const IsCode = (): PropertyDecorator => all(Matches(/^[A-Za-z0-9][A-Za-z0-9._:/()-]*$/), MaxLength(64));

export const IsText = (longest: number): PropertyDecorator => all(IsString(), MinLength(1), MaxLength(longest));

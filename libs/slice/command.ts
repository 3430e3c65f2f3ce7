import { IsOptional, IsString, Matches, MaxLength, ValidateBy, type ValidationOptions } from 'class-validator';
import { isUuid, parseInstant, type Actor } from '#kernel';
import { REFERENCE } from './fields.js';

/** A UUID in lower case: other spellings of one id would name other streams and other commands. */
export const IsId = (options?: ValidationOptions): PropertyDecorator =>
  ValidateBy(
    { name: 'isUuid', validator: { validate: (value) => typeof value === 'string' && isUuid(value) } },
    options,
  );

/** An RFC 3339 timestamp that exists, with a zone. */
export const IsInstant = (options?: ValidationOptions): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isInstant',
      validator: { validate: (value) => typeof value === 'string' && parseInstant(value) !== undefined },
    },
    options,
  );

/**
 * A code or a number about a person that must not lie in the clear between sender and engine. Free texts need no such
 * mark: on the message bus they are always sealed.
 */
export const IsPersonal = (): PropertyDecorator =>
  ValidateBy({ name: 'isPersonal', validator: { validate: () => true } });

/**
 * What every command carries. A command class is the one definition of a command: its name, its fields and their
 * shapes, for every door (HTTP, bus, CLI, timers).
 */
export abstract class Command {
  /** Chosen by the sender. The same id gives the same answer and no second effect. */
  @IsId()
  readonly commandId!: string;

  /** When it happened, as an RFC 3339 timestamp; now when absent. May be in the past, never in the future. */
  @IsOptional()
  @IsInstant()
  readonly occurredAt?: string;

  /** The case, ticket or matter the sender works on; an opaque reference, never a name or an address. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @Matches(REFERENCE)
  readonly caseRef?: string;

  /** Who sends it: set by the door after authentication. A body that names it is refused. */
  readonly actor!: Actor;

  /** The command's name. A getter of the class, so that a body cannot set it. */
  abstract get type(): string;
}

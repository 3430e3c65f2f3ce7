import { ValidateBy } from 'class-validator';
import { isUuid } from '#kernel';
import { Command, IsId } from '#slice';

/** Longest value of one item, in characters. */
export const LONGEST_VALUE = 20_000;

/** Commands about one person carry the person's random id. */
export abstract class SubjectCommand extends Command {
  @IsId()
  readonly subjectId!: string;
}

/** Either of two fields is given, never both and never none. */
export const IsGivenWithout = (other: string): PropertyDecorator =>
  ValidateBy({
    name: `isGivenInsteadOf_${other}`,
    validator: {
      validate: (value, asked) =>
        (value === undefined) !== ((asked?.object as Record<string, unknown>)[other] === undefined) &&
        (value === undefined || (typeof value === 'string' && isUuid(value))),
    },
  });

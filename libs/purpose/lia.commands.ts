import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  Matches,
  MaxLength,
  Min,
  ValidateBy,
} from 'class-validator';
import { parsePeriod } from '#calendar';
import { Command, REGISTER_ID } from '#slice';
import { LIA_OUTCOMES, LIA_SUBJECT_CLASSES, type LiaOutcome, type LiaSubjectClass } from './lia.events.js';

/** Any text, as long as something stands in it. */
const SOMETHING = /\S/;

/** A period of some length, and of no more than a year whichever day it starts. */
export function isReviewPeriod(text: string): boolean {
  const period = parsePeriod(text);
  if (!period) return false;
  const { years, months, days, hours } = period;
  const [whole, rest] = [years * 12 + months, days * 24 + hours];
  return whole + rest > 0 && (rest === 0 ? whole <= 12 : whole === 0 && rest <= 365 * 24);
}

const IsReviewPeriod = (): PropertyDecorator =>
  ValidateBy({
    name: 'isReviewPeriod',
    validator: { validate: (value) => typeof value === 'string' && isReviewPeriod(value) },
  });

/** Commands about one assessment of a legitimate interest. */
abstract class LiaCommand extends Command {
  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly liaId!: string;
}

/** Drafts a version of an assessment (UK GDPR Art 6(1)(f)). Another person has to approve it. */
export class DraftLia extends LiaCommand {
  get type() {
    return 'DraftLia' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;

  @IsInt()
  @Min(1)
  readonly purposeVersion!: number;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(LIA_SUBJECT_CLASSES, { each: true })
  readonly subjectClasses!: readonly LiaSubjectClass[];

  @Matches(SOMETHING)
  @MaxLength(4_000)
  readonly purposeTest!: string;

  @Matches(SOMETHING)
  @MaxLength(4_000)
  readonly necessityTest!: string;

  @Matches(SOMETHING)
  @MaxLength(4_000)
  readonly balance!: string;

  @IsArray()
  @ArrayMaxSize(50)
  @Matches(SOMETHING, { each: true })
  @MaxLength(500, { each: true })
  readonly safeguards!: readonly string[];

  @IsIn(LIA_OUTCOMES)
  readonly outcome!: LiaOutcome;

  /** ISO 8601 duration from the approval to the review; twelve months when absent, and at most. */
  @IsOptional()
  @MaxLength(32)
  @IsReviewPeriod()
  readonly reviewPeriod?: string;
}

/** Approves the newest draft; sent by another person than its author. */
export class ApproveLia extends LiaCommand {
  get type() {
    return 'ApproveLia' as const;
  }

  @IsInt()
  @Min(1)
  readonly version!: number;
}

/** Finds the newest draft wanting; sent by another person than its author. */
export class RejectLia extends LiaCommand {
  get type() {
    return 'RejectLia' as const;
  }

  @IsInt()
  @Min(1)
  readonly version!: number;

  @Matches(/^[a-z][A-Za-z0-9]*$/)
  @MaxLength(64)
  readonly reasonCode!: string;
}

/** States that the review of an assessment is overdue; sent by the steward. */
export class ExpireLia extends LiaCommand {
  get type() {
    return 'ExpireLia' as const;
  }

  @IsInt()
  @Min(1)
  readonly version!: number;
}

export type LiaDomainCommand = DraftLia | ApproveLia | RejectLia | ExpireLia;

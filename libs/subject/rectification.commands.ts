import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { IsCategory, IsId, IsInstant, REGISTER_ID } from '#slice';
import { LONGEST_VALUE, SubjectCommand } from './subject.fields.js';

/** Commands about one case. */
abstract class CaseCommand extends SubjectCommand {
  @IsId()
  readonly requestId!: string;
}

/** One thing that the person says is no longer right. */
export class ChangeReported {
  @IsCategory()
  readonly category!: string;

  /** The item the person means; everything held of the category when absent. */
  @IsOptional()
  @IsId()
  readonly itemId?: string;

  /** What is right, if the person said so. */
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_VALUE)
  readonly value?: string;
}

/**
 * Records what the person told of a change, and opens a case (I-18a). Every channel counts, no reason or form is asked
 * for, and nothing is charged. It happened when the person's word arrived.
 */
export class ReportChange extends SubjectCommand {
  get type() {
    return 'ReportChange' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(32)
  readonly channel!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique((change: ChangeReported) => `${change?.category} ${change?.itemId ?? ''}`)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ChangeReported)
  readonly changes!: readonly ChangeReported[];
}

/** Records that the person was told what of their report concerns nothing that is held, or no longer. */
export class AnswerRectification extends CaseCommand {
  get type() {
    return 'AnswerRectification' as const;
  }
}

/** Raises that a case was not completed in time; sent by the steward. */
export class RaiseRectificationOverdue extends CaseCommand {
  get type() {
    return 'RaiseRectificationOverdue' as const;
  }

  /** The due date the steward read. */
  @IsInstant()
  readonly due!: string;
}

export type RectificationCommand = ReportChange | AnswerRectification | RaiseRectificationOverdue;

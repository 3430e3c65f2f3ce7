import { ArrayMaxSize, ArrayUnique, IsArray, IsOptional, ValidateIf } from 'class-validator';
import { Command, IsCategory, IsId, IsInstant, IsRegisterId } from '#slice';

/** Asks to see a person's data. It is on record before anything is shown: no append, no answer. */
export class ViewPersonalData extends Command {
  get type() {
    return 'ViewPersonalData' as const;
  }

  @IsId()
  readonly subjectId!: string;

  /** Not optional here: it says in which month's stream the view stands. */
  @ValidateIf(() => true)
  @IsInstant()
  override readonly occurredAt!: string;

  @IsOptional()
  @IsRegisterId()
  readonly purposeId?: string;

  @IsArray()
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsCategory({ each: true })
  readonly categories!: readonly string[];

  /** The approved bulk view that it is part of. */
  @IsOptional()
  @IsId()
  readonly bulkViewId?: string;
}

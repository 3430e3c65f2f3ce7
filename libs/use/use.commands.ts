import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsOptional, Matches, MaxLength } from 'class-validator';
import { Command, IsId, REGISTER_ID } from '#slice';

/** Asks whether items may be used for a purpose now (C05, C17). */
export class AuthoriseUse extends Command {
  get type() {
    return 'AuthoriseUse' as const;
  }

  @IsId()
  readonly subjectId!: string;

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;

  /** The channel of a message to the person; needed for a purpose that is commercial or rests on consent. */
  @IsOptional()
  @Matches(REGISTER_ID)
  @MaxLength(32)
  readonly channel?: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique()
  @IsId({ each: true })
  readonly itemIds!: readonly string[];
}

/** Records an objection to direct marketing. It needs nothing but the person (UK GDPR Art 21(2)-(3)). */
export class ObjectToMarketing extends Command {
  get type() {
    return 'ObjectToMarketing' as const;
  }

  @IsId()
  readonly subjectId!: string;
}

export type UseDomainCommand = AuthoriseUse | ObjectToMarketing;

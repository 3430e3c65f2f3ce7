import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsByteLength,
  IsIn,
  IsInt,
  IsOptional,
  Matches,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { CLAIM_KINDS, type ClaimKind } from '#assurance';
import { LAWFUL_BASES, type LawfulBasis } from '#purpose';
import { Command, IsInstant, REGISTER_ID } from '#slice';
import { NOTICE_PART_NAMES, type NoticePart, type NoticeStatement } from './notice.vocabulary.js';

/** Longest text of a notice, in bytes of UTF-8. */
export const LONGEST_CONTENT = 100_000;
const LONGEST_PASSAGE = 1_000;

/** Where in the text a part of Art 13 stands. */
class DeclaredStatement implements NoticeStatement {
  @IsIn(NOTICE_PART_NAMES)
  readonly part!: NoticePart;

  @Matches(/\S/)
  @MaxLength(LONGEST_PASSAGE)
  readonly passage!: string;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(200)
  @ArrayUnique()
  @Matches(REGISTER_ID, { each: true })
  @MaxLength(64, { each: true })
  readonly purposes?: readonly string[];

  @IsOptional()
  @IsIn(LAWFUL_BASES)
  readonly basis?: LawfulBasis;

  /** ISO 8601 duration. */
  @IsOptional()
  @Matches(/^P/)
  @MaxLength(32)
  readonly period?: string;

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(200)
  @ArrayUnique()
  @Matches(/^[a-z][a-zA-Z0-9]*(\.[a-z][a-zA-Z0-9]*){0,3}$/, { each: true })
  @MaxLength(64, { each: true })
  readonly categories?: readonly string[];

  @IsOptional()
  @IsArray()
  @ArrayMaxSize(10)
  @ArrayUnique()
  @Matches(/^[A-Z_]+$/, { each: true })
  @MaxLength(32, { each: true })
  readonly recipientKinds?: readonly string[];
}

/** A claim about the controller that the rules do not find in the text. */
class DeclaredClaim {
  @Matches(/\S/)
  @MaxLength(LONGEST_PASSAGE)
  readonly passage!: string;

  @IsIn(CLAIM_KINDS)
  readonly kind!: ClaimKind;

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly scheme!: string;

  @IsOptional()
  @Matches(/^[A-Za-z0-9][A-Za-z0-9._-]*$/)
  @MaxLength(64)
  readonly edition?: string;
}

/** Publishes a version of a notice; its text can never be changed again (C13, C30). */
export class PublishNotice extends Command {
  get type() {
    return 'PublishNotice' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly noticeId!: string;

  @IsInt()
  @Min(1)
  readonly version!: number;

  /** BCP 47 tag. A translation is a notice of its own. */
  @Matches(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/)
  @MaxLength(35)
  readonly language!: string;

  @Matches(/\S/)
  @MaxLength(200)
  readonly title!: string;

  /** The text as it is shown: public, without personal data. */
  @Matches(/\S/)
  @IsByteLength(1, LONGEST_CONTENT)
  @MaxLength(LONGEST_CONTENT)
  readonly content!: string;

  /** Ids of the purposes it explains. They need not be defined yet: people may be told first. */
  @IsArray()
  @ArrayMaxSize(200)
  @ArrayUnique()
  @Matches(REGISTER_ID, { each: true })
  @MaxLength(64, { each: true })
  readonly purposes!: readonly string[];

  /** Where in the text the parts of Art 13 stand. Only a version of the past may leave parts open (I-30b). */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(500)
  @ValidateNested({ each: true })
  @Type(() => DeclaredStatement)
  readonly statements?: readonly DeclaredStatement[];

  /** Claims that the rules do not find, because they are made in other words or another language (I-03a). */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(50)
  @ValidateNested({ each: true })
  @Type(() => DeclaredClaim)
  readonly claims?: readonly DeclaredClaim[];

  /** When it is to take effect, as an RFC 3339 timestamp; when it is published, if absent. */
  @IsOptional()
  @MaxLength(40)
  @IsInstant()
  readonly effectiveFrom?: string;
}

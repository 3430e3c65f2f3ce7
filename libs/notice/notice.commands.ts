import {
  ArrayMaxSize,
  ArrayUnique,
  IsArray,
  IsByteLength,
  IsInt,
  IsOptional,
  Matches,
  MaxLength,
  Min,
} from 'class-validator';
import { Command, IsInstant, REGISTER_ID } from '#slice';

/** Longest text of a notice, in bytes of UTF-8. */
const LONGEST_CONTENT = 100_000;

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

  /** When it is to take effect, as an RFC 3339 timestamp; when it is published, if absent. */
  @IsOptional()
  @MaxLength(40)
  @IsInstant()
  readonly effectiveFrom?: string;
}

import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { parsePeriod } from '#calendar';
import { Command, IsCategory, IsInstant, REFERENCE, REGISTER_ID } from '#slice';
import {
  LAWFUL_BASES,
  RETENTION_ACTIONS,
  RETENTION_TRIGGERS,
  RLI_CONDITIONS,
  type LawfulBasis,
  type RetentionAction,
  type RetentionTrigger,
  type RliCondition,
} from './purpose.events.js';

/** Any text, as long as something stands in it. */
const SOMETHING = /\S/;
/** One word of a list that grows, for example `customer` or `underReview`. */
const NAME = /^[a-z][A-Za-z0-9]*$/;
/** `prefix:Term`, or an IRI. */
const TERM = /^([a-z][a-z0-9-]*:[A-Za-z][A-Za-z0-9_-]*|https?:\/\/[^\s<>"{}|\\^`]+)$/;

const RECIPIENT_KINDS = ['SELF', 'GROUP', 'PROCESSOR', 'AUTHORITY', 'THIRD_PARTY'] as const;

const IsPeriod = (): PropertyDecorator =>
  ValidateBy({
    name: 'isPeriod',
    validator: { validate: (value) => typeof value === 'string' && parsePeriod(value) !== undefined },
  });

/** A period of some length: a check that is due again at once would never be done. */
const IsInterval = (): PropertyDecorator =>
  ValidateBy({
    name: 'isInterval',
    validator: {
      validate: (value) =>
        typeof value === 'string' && Object.values(parsePeriod(value) ?? {}).some((length) => length > 0),
    },
  });

/** Commands about one purpose. */
abstract class PurposeCommand extends Command {
  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;
}

/** What people are expected to write into a free-text field, and how much (I-12c). */
export class FreeTextToDefine {
  @Matches(SOMETHING)
  @MaxLength(300)
  readonly expectation!: string;

  @IsInt()
  @Min(1)
  @Max(20_000)
  readonly maxLength!: number;
}

export class FieldToDefine {
  @IsCategory()
  readonly category!: string;

  @IsIn(['required', 'optional'])
  readonly necessity!: 'required' | 'optional';

  /** Why the purpose needs it (I-04a). */
  @Matches(SOMETHING)
  @MaxLength(500)
  readonly justification!: string;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => FreeTextToDefine)
  readonly freeText?: FreeTextToDefine;

  /** Special category or criminal offence data (I-12b). Follows from the category's name when absent. */
  @IsOptional()
  @IsBoolean()
  readonly special?: boolean;

  /** ISO 8601 duration between accuracy checks (C14). */
  @IsOptional()
  @MaxLength(32)
  @IsInterval()
  readonly checkInterval?: string;
}

export class RetentionToDefine {
  @IsCategory()
  readonly category!: string;

  @IsIn(RETENTION_TRIGGERS)
  readonly trigger!: RetentionTrigger;

  /** ISO 8601 duration, counted from the trigger. */
  @MaxLength(32)
  @IsPeriod()
  readonly period!: string;

  @IsIn(RETENTION_ACTIONS)
  readonly action!: RetentionAction;

  @Matches(SOMETHING)
  @MaxLength(300)
  readonly legalRef!: string;
}

/** Drafts a version of a purpose (C01). Another person has to approve it. */
export class DefinePurpose extends PurposeCommand {
  get type() {
    return 'DefinePurpose' as const;
  }

  /** The number the sender expects; the next one when absent. */
  @IsOptional()
  @IsInt()
  @Min(1)
  readonly version?: number;

  @Matches(SOMETHING)
  @MaxLength(200)
  readonly title!: string;

  @Matches(SOMETHING)
  @MaxLength(2_000)
  readonly plainWords!: string;

  /** Any name: one that the policy does not cover is refused, and the refusal recorded (I-01a). */
  @Matches(/^[A-Za-z][A-Za-z0-9_ -]*$/)
  @MaxLength(64)
  readonly serviceLine!: string;

  @IsBoolean()
  readonly commercial!: boolean;

  @IsIn(LAWFUL_BASES)
  readonly basis!: LawfulBasis;

  /** Needed where the basis is a recognised legitimate interest. */
  @ValidateIf(
    (command: DefinePurpose) =>
      command.basis === 'recognisedLegitimateInterest' || (command.rliCondition ?? undefined) !== undefined,
  )
  @IsIn(RLI_CONDITIONS)
  readonly rliCondition?: RliCondition;

  /** Needed where the basis is a recognised legitimate interest: why its condition calls for the processing. */
  @ValidateIf(
    (command: DefinePurpose) =>
      command.basis === 'recognisedLegitimateInterest' || (command.rliNecessity ?? undefined) !== undefined,
  )
  @Matches(SOMETHING)
  @MaxLength(2_000)
  readonly rliNecessity?: string;

  @IsOptional()
  @Matches(REFERENCE)
  @MaxLength(64)
  readonly liaRef?: string;

  /** Not required when absent. */
  @IsOptional()
  @IsBoolean()
  readonly dpiaRequired?: boolean;

  @IsOptional()
  @Matches(REFERENCE)
  @MaxLength(64)
  readonly dpiaRef?: string;

  @Matches(TERM)
  @MaxLength(200)
  readonly dpvIri!: string;

  /** Categories of the people it is about, for the record of processing activities. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(20)
  @ArrayUnique()
  @Matches(NAME, { each: true })
  @MaxLength(64, { each: true })
  readonly dataSubjects?: readonly string[];

  @IsArray()
  @ArrayMaxSize(200)
  @ArrayUnique((field: FieldToDefine) => field?.category)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => FieldToDefine)
  readonly fields!: readonly FieldToDefine[];

  /** The condition of UK GDPR Art 9 or 10 that permits the special fields. */
  @IsOptional()
  @Matches(SOMETHING)
  @MaxLength(200)
  readonly specialCategoryCondition?: string;

  @IsArray()
  @ArrayMaxSize(200)
  @ArrayUnique((rule: RetentionToDefine) => rule?.category)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => RetentionToDefine)
  readonly retention!: readonly RetentionToDefine[];

  @IsArray()
  @ArrayMaxSize(RECIPIENT_KINDS.length)
  @ArrayUnique()
  @IsIn(RECIPIENT_KINDS, { each: true })
  readonly recipientKindsAllowed!: readonly string[];

  /** When it is to take effect, as an RFC 3339 timestamp; on approval when absent. */
  @IsOptional()
  @MaxLength(40)
  @IsInstant()
  readonly effectiveFrom?: string;

  /** ISO 8601 duration between reviews, counted from the approval. */
  @IsOptional()
  @MaxLength(32)
  @IsInterval()
  readonly reviewPeriod?: string;
}

/** Approves the newest draft of a purpose; sent by another person than its author. */
export class ApprovePurpose extends PurposeCommand {
  get type() {
    return 'ApprovePurpose' as const;
  }

  @IsInt()
  @Min(1)
  readonly version!: number;
}

/** States that the review of a version is due; sent by the steward. */
export class RaisePurposeReview extends PurposeCommand {
  get type() {
    return 'RaisePurposeReview' as const;
  }

  @IsInt()
  @Min(1)
  readonly version!: number;

  @MaxLength(40)
  @IsInstant()
  readonly due!: string;
}

/** States that somebody looked at the approved version and lets it stand; the next review is one period later. */
export class ReviewPurpose extends PurposeCommand {
  get type() {
    return 'ReviewPurpose' as const;
  }

  @IsInt()
  @Min(1)
  readonly version!: number;
}

/** Stops every use of a purpose for the time being. */
export class SuspendPurpose extends PurposeCommand {
  get type() {
    return 'SuspendPurpose' as const;
  }

  @Matches(NAME)
  @MaxLength(64)
  readonly reasonCode!: string;
}

/** Ends the suspension of a purpose. */
export class ResumePurpose extends PurposeCommand {
  get type() {
    return 'ResumePurpose' as const;
  }
}

/** Gives a purpose up for good. */
export class RetirePurpose extends PurposeCommand {
  get type() {
    return 'RetirePurpose' as const;
  }
}

export type PurposeDomainCommand =
  DefinePurpose | ApprovePurpose | RaisePurposeReview | ReviewPurpose | SuspendPurpose | ResumePurpose | RetirePurpose;

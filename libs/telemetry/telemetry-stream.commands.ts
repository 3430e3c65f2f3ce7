import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { addPeriod, parsePeriod } from '#calendar';
import { Command, IsInstant, REFERENCE, REGISTER_ID } from '#slice';
import { FIELD_TYPES, TRACEABILITIES, type FieldType, type Traceability } from './telemetry-stream.events.js';

/** Name of a field of telemetry, for example `chartNumber`. */
export const FIELD_NAME = /^[a-z][a-zA-Z0-9]{0,63}$/;

/** Longest time between two reviews (C07). */
export const LONGEST_REVIEW = 'P12M';

/** A period of some length and at most twelve months, in days and months. */
const IsReviewPeriod = (): PropertyDecorator =>
  ValidateBy({
    name: 'isReviewPeriod',
    validator: { validate: (value) => typeof value === 'string' && isReviewPeriod(value) },
  });

function isReviewPeriod(text: string): boolean {
  const period = parsePeriod(text);
  if (period === undefined || period.hours > 0) return false;
  const end = addPeriod('2027-01-01', text);
  return end > '2027-01-01' && end <= addPeriod('2027-01-01', LONGEST_REVIEW);
}

/** Commands about one stream of telemetry. */
abstract class TelemetryStreamCommand extends Command {
  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly streamId!: string;
}

export class TelemetryFieldToRegister {
  @IsString()
  @Matches(FIELD_NAME)
  readonly name!: string;

  @IsIn(FIELD_TYPES)
  readonly type!: FieldType;

  /** A function of the service. Without one the command is refused, and the refusal recorded (I-07a). */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @Matches(/^[A-Za-z][A-Za-z0-9-]*$/)
  readonly essentialFor?: string;

  /** Why that function cannot do without the field. */
  @IsOptional()
  @IsString()
  @MaxLength(500)
  readonly justification?: string;

  @IsIn(TRACEABILITIES)
  readonly traceability!: Traceability;
}

/** Proposes a stream of telemetry, or new fields of one; a second person approves it (C06, C07). */
export class RegisterTelemetryStream extends TelemetryStreamCommand {
  get type() {
    return 'RegisterTelemetryStream' as const;
  }

  /** The next one when absent. */
  @IsOptional()
  @IsInt()
  @Min(1)
  readonly version?: number;

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly service!: string;

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly noticeId!: string;

  @IsIn(TRACEABILITIES)
  readonly traceability!: Traceability;

  /** Needed for the traceability `none` (I-06b). */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @Matches(REFERENCE)
  readonly anonymityAssessmentRef?: string;

  @IsBoolean()
  readonly readsDevice!: boolean;

  /** Needed where the device is read (I-07e). */
  @IsOptional()
  @IsString()
  @MaxLength(500)
  readonly strictlyNecessary?: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @ArrayUnique((field: TelemetryFieldToRegister) => field?.name)
  @ValidateNested({ each: true })
  @Type(() => TelemetryFieldToRegister)
  readonly fields!: readonly TelemetryFieldToRegister[];
}

/** Finds a version essential: a proposal, or the one in use at its review. Never by its author (C07). */
export class ApproveEssentiality extends TelemetryStreamCommand {
  get type() {
    return 'ApproveEssentiality' as const;
  }

  @IsInt()
  @Min(1)
  readonly version!: number;

  /** ISO 8601 duration until the next review; twelve months when absent, and at most. */
  @IsOptional()
  @MaxLength(32)
  @IsReviewPeriod()
  readonly reviewAfter?: string;
}

/** Finds a version not essential. Never by its author. */
export class RejectEssentiality extends TelemetryStreamCommand {
  get type() {
    return 'RejectEssentiality' as const;
  }

  @IsInt()
  @Min(1)
  readonly version!: number;

  @IsIn(['notEssential', 'lessWouldDo', 'justificationMissing', 'other'])
  readonly reasonCode!: 'notEssential' | 'lessWouldDo' | 'justificationMissing' | 'other';
}

/** Raises a review that has fallen due; sent by the steward. */
export class RaiseEssentialityReview extends TelemetryStreamCommand {
  get type() {
    return 'RaiseEssentialityReview' as const;
  }

  @IsInt()
  @Min(1)
  readonly version!: number;

  @IsInstant()
  readonly reviewBy!: string;
}

/** Stops a stream for the time being. */
export class SuspendTelemetryStream extends TelemetryStreamCommand {
  get type() {
    return 'SuspendTelemetryStream' as const;
  }

  @IsIn(['incident', 'underReview', 'defect', 'other'])
  readonly reasonCode!: 'incident' | 'underReview' | 'defect' | 'other';
}

export class ResumeTelemetryStream extends TelemetryStreamCommand {
  get type() {
    return 'ResumeTelemetryStream' as const;
  }
}

/** Gives a stream up for good. */
export class RetireTelemetryStream extends TelemetryStreamCommand {
  get type() {
    return 'RetireTelemetryStream' as const;
  }
}

export type TelemetryStreamDomainCommand =
  | RegisterTelemetryStream
  | ApproveEssentiality
  | RejectEssentiality
  | RaiseEssentialityReview
  | SuspendTelemetryStream
  | ResumeTelemetryStream
  | RetireTelemetryStream;

import {
  IsIn,
  IsInt,
  IsOptional,
  Matches,
  MaxLength,
  Min,
  ValidateBy,
  type ValidationArguments,
} from 'class-validator';
import { Command, REGISTER_ID } from '#slice';
import {
  COMPATIBILITY_GROUNDS,
  COMPATIBILITY_VERDICTS,
  type CompatibilityGround,
  type CompatibilityVerdict,
} from './compatibility.events.js';

/** A ground where the verdict is `compatible`, and none anywhere else. */
const FitsVerdict = (): PropertyDecorator =>
  ValidateBy({
    name: 'fitsVerdict',
    validator: {
      validate: (ground, args?: ValidationArguments) =>
        (args?.object as Partial<AssessCompatibility>).verdict === 'compatible'
          ? (COMPATIBILITY_GROUNDS as readonly unknown[]).includes(ground)
          : ground === undefined || ground === null,
    },
  });

/** Not the purpose itself: what its own data may serve needs no assessment. */
const IsAnotherPurpose = (): PropertyDecorator =>
  ValidateBy({
    name: 'isAnotherPurpose',
    validator: {
      validate: (to, args?: ValidationArguments) => to !== (args?.object as Partial<CompatibilityCommand>).from,
    },
  });

/** Commands about data collected for one purpose and serving another. */
abstract class CompatibilityCommand extends Command {
  /** The purpose that the data was collected for. */
  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly from!: string;

  /** The purpose that it shall serve. */
  @Matches(REGISTER_ID)
  @MaxLength(64)
  @IsAnotherPurpose()
  readonly to!: string;
}

/** States whether data of the old purpose may serve the new one (UK GDPR Art 8A). Another person has to approve it. */
export class AssessCompatibility extends CompatibilityCommand {
  get type() {
    return 'AssessCompatibility' as const;
  }

  @IsInt()
  @Min(1)
  readonly fromVersion!: number;

  @IsInt()
  @Min(1)
  readonly toVersion!: number;

  @IsIn(COMPATIBILITY_VERDICTS)
  readonly verdict!: CompatibilityVerdict;

  /** Needed where the verdict is `compatible`, and out of place elsewhere. */
  @FitsVerdict()
  readonly ground?: CompatibilityGround;

  /** Why the person's consent cannot reasonably be sought (Art 8A(4)(b)). */
  @IsOptional()
  @Matches(/\S/)
  @MaxLength(2_000)
  readonly consentNotReasonable?: string;

  /** What was weighed: link, context, nature of the data, consequences, safeguards (Art 8A(2)). No personal data. */
  @Matches(/\S/)
  @MaxLength(4_000)
  readonly reasoning!: string;
}

/** Approves an assessment; sent by another person than its author. */
export class ApproveCompatibility extends CompatibilityCommand {
  get type() {
    return 'ApproveCompatibility' as const;
  }

  @IsInt()
  @Min(1)
  readonly assessment!: number;
}

/** Ends an assessment, approved or not. Nothing takes its place: what it allowed stops. */
export class RevokeCompatibility extends CompatibilityCommand {
  get type() {
    return 'RevokeCompatibility' as const;
  }

  @IsInt()
  @Min(1)
  readonly assessment!: number;

  @Matches(/^[a-z][A-Za-z0-9]*$/)
  @MaxLength(64)
  readonly reasonCode!: string;
}

export type CompatibilityDomainCommand = AssessCompatibility | ApproveCompatibility | RevokeCompatibility;

import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
} from 'class-validator';
import { Command, IsId, IsInstant, REFERENCE } from '#slice';

abstract class RetentionCommand extends Command {
  @IsId()
  readonly subjectId!: string;
}

/** Ends the relationship; the periods that wait for it begin to run (I-02c, C16). */
export class CloseRelationship extends RetentionCommand {
  get type() {
    return 'CloseRelationship' as const;
  }

  @IsIn(['contractEnded', 'subjectLeft', 'inactive', 'other'])
  readonly reasonCode!: 'contractEnded' | 'subjectLeft' | 'inactive' | 'other';
}

/** Closes a service request; the periods of what was collected for it begin to run. */
export class CloseServiceRequest extends RetentionCommand {
  get type() {
    return 'CloseServiceRequest' as const;
  }

  @IsString()
  @MaxLength(64)
  @Matches(REFERENCE)
  readonly serviceRequestRef!: string;
}

/** Ends the accounting period of the person's invoices. */
export class EndAccountingPeriod extends RetentionCommand {
  get type() {
    return 'EndAccountingPeriod' as const;
  }
}

/** Ends the retention of everything that is due; sent by the steward (C16). */
export class ExpireRetention extends RetentionCommand {
  get type() {
    return 'ExpireRetention' as const;
  }

  /** Only these items; refused when one of them is not due. Everything that is due when absent. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsId({ each: true })
  readonly itemIds?: readonly string[];
}

/** States that the keys of everything expired are destroyed; refused while one exists (X5). */
export class ConfirmErasure extends RetentionCommand {
  get type() {
    return 'ConfirmErasure' as const;
  }
}

/** Asks to keep one item longer. Nobody may: it is always refused, and the attempt is on record (I-16c). */
export class ExtendRetention extends RetentionCommand {
  get type() {
    return 'ExtendRetention' as const;
  }

  @IsId()
  readonly itemId!: string;

  @IsInstant()
  readonly until!: string;
}

export type RetentionDomainCommand =
  CloseRelationship | CloseServiceRequest | EndAccountingPeriod | ExpireRetention | ConfirmErasure | ExtendRetention;

import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { Command, IsCategory, IsId, IsInstant, REFERENCE, REGISTER_ID } from '#slice';
import type { ErasureException } from '#subject';

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

/** Has items that are held serve a further purpose, after that was assessed; they are kept for both (I-16b). */
export class HoldForPurpose extends RetentionCommand {
  get type() {
    return 'HoldForPurpose' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique()
  @IsId({ each: true })
  readonly itemIds!: readonly string[];

  /** The record of the assessment that the further purpose is lawful (UK GDPR Art 5(1)(b), 8A). */
  @IsString()
  @MaxLength(64)
  @Matches(REFERENCE)
  readonly assessmentRef!: string;

  /** The service the person asked for, where the period counts from its end. */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @Matches(REFERENCE)
  readonly serviceRequestRef?: string;
}

/** Ends one purpose for items: they are used for it no more, and kept only for what else holds them (I-16b). */
export class EndPurposeForItem extends RetentionCommand {
  get type() {
    return 'EndPurposeForItem' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique()
  @IsId({ each: true })
  readonly itemIds!: readonly string[];

  @IsIn(['fulfilled', 'consentWithdrawn', 'objection', 'purposeRetired', 'other'])
  readonly reason!: 'fulfilled' | 'consentWithdrawn' | 'objection' | 'purposeRetired' | 'other';
}

/** Ends a purpose for all that was held for it on a consent that has ended; sent by the steward (UK GDPR Art 17(1)(b)). */
export class EndConsentedPurpose extends RetentionCommand {
  get type() {
    return 'EndConsentedPurpose' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;
}

/** Keeps data from being erased while a case about the person is open (I-16d, I-20f). */
export class OpenDeferral extends RetentionCommand {
  get type() {
    return 'OpenDeferral' as const;
  }

  @IsId()
  readonly deferralId!: string;

  @IsIn(['openAccessRequest', 'openComplaint', 'openIncident'])
  readonly cause!: 'openAccessRequest' | 'openComplaint' | 'openIncident';

  /** What is open: this one is about a case. */
  @ValidateIf(() => true)
  @IsString()
  @MaxLength(64)
  @Matches(REFERENCE)
  override readonly caseRef!: string;

  /** Only these items; with `categories`, both. Everything about the person when neither is given. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsId({ each: true })
  readonly itemIds?: readonly string[];

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique()
  @IsCategory({ each: true })
  readonly categories?: readonly string[];
}

/** Ends a deferral: what it kept is erased at once. */
export class CloseDeferral extends RetentionCommand {
  get type() {
    return 'CloseDeferral' as const;
  }

  @IsId()
  readonly deferralId!: string;
}

class DeclaredException {
  @IsId()
  readonly itemId!: string;

  @IsIn(['freedomOfExpression', 'legalObligation', 'publicHealth', 'archivingResearch', 'legalClaims'])
  readonly exception!: ErasureException;

  /** When the reason ends; the item is erased then. */
  @IsInstant()
  readonly until!: string;
}

/** Erases items, or everything about a person, as far as nothing forbids it (UK GDPR Art 17). */
export class EraseData extends RetentionCommand {
  get type() {
    return 'EraseData' as const;
  }

  /** Why, by UK GDPR Art 17(1). What its period ends is erased without a command. */
  @IsIn(['request', 'consentWithdrawn', 'unlawful', 'objection'])
  readonly cause!: 'request' | 'consentWithdrawn' | 'unlawful' | 'objection';

  /** Only these. Everything about the person when absent, and the id is closed for good (X7). */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsId({ each: true })
  readonly itemIds?: readonly string[];

  /** Items that must stay by UK GDPR Art 17(3), as the privacy officer has decided. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @ArrayUnique((each: DeclaredException) => each?.itemId)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => DeclaredException)
  readonly exceptions?: readonly DeclaredException[];
}

/** Destroys the keys of what an erasure has put beyond use, and states it; sent by the steward (X5). */
export class ConfirmErasure extends RetentionCommand {
  get type() {
    return 'ConfirmErasure' as const;
  }
}

/** Destroys the keys of what a person reported in a case that is over, and states it; sent by the steward (C16). */
export class ConfirmReportedValuesErased extends RetentionCommand {
  get type() {
    return 'ConfirmReportedValuesErased' as const;
  }

  @IsId()
  readonly requestId!: string;
}

/** States that no backup holds a key of the erasure any more; refused before that can be true. */
export class FinaliseErasure extends RetentionCommand {
  get type() {
    return 'FinaliseErasure' as const;
  }

  @IsId()
  readonly erasureId!: string;
}

/**
 * Puts on record again what the vault has destroyed and this log does not know of, after a restore; sent at the start.
 */
export class RestateErasure extends RetentionCommand {
  get type() {
    return 'RestateErasure' as const;
  }
}

/**
 * Decides what becomes of items whose period is over and whose rule asks for a review. `keep` gives no time of its own:
 * it puts an item under the rule of the version in force of a purpose that holds it, where that runs on, or leaves it
 * to what keeps it now; refused otherwise (I-16c).
 */
export class DecideRetentionReview extends RetentionCommand {
  get type() {
    return 'DecideRetentionReview' as const;
  }

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsId({ each: true })
  readonly itemIds!: readonly string[];

  @IsIn(['erase', 'keep'])
  readonly outcome!: 'erase' | 'keep';
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
  | CloseRelationship
  | CloseServiceRequest
  | EndAccountingPeriod
  | HoldForPurpose
  | EndPurposeForItem
  | EndConsentedPurpose
  | OpenDeferral
  | CloseDeferral
  | ExpireRetention
  | DecideRetentionReview
  | EraseData
  | ConfirmErasure
  | ConfirmReportedValuesErased
  | FinaliseErasure
  | RestateErasure
  | ExtendRetention;

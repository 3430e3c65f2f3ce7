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
  ValidateNested,
} from 'class-validator';
import { Command, IsCategory, IsId, IsInstant, REGISTER_ID } from '#slice';
import { HOLD_BASES, type HoldBasis } from './legal-hold.events.js';

abstract class LegalHoldCommand extends Command {
  @IsString()
  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly holdId!: string;
}

class ScopeOfHold {
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsId({ each: true })
  readonly subjectIds?: readonly string[];

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique()
  @IsCategory({ each: true })
  readonly categories?: readonly string[];

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique()
  @Matches(REGISTER_ID, { each: true })
  @MaxLength(64, { each: true })
  readonly purposes?: readonly string[];
}

/** Keeps what a legal matter needs from being erased, at once (UK GDPR Art 17(3)(b), (e)). */
export class PlaceLegalHold extends LegalHoldCommand {
  get type() {
    return 'PlaceLegalHold' as const;
  }

  /** All of it has to match; everything the engine holds when it is empty. */
  @IsObject()
  @ValidateNested()
  @Type(() => ScopeOfHold)
  readonly scope!: ScopeOfHold;

  /** The matter as the legal department numbers it: an opaque reference. */
  @IsString()
  @MaxLength(64)
  @Matches(/^[A-Za-z0-9][A-Za-z0-9._:/-]*$/)
  readonly matterRef!: string;

  @IsIn(HOLD_BASES)
  readonly basis!: HoldBasis;

  /** When it has to be looked at again: in six months at the latest, and then when absent. */
  @IsOptional()
  @IsInstant()
  readonly reviewAt?: string;
}

/** Approves a hold; who placed it cannot. */
export class ApproveLegalHold extends LegalHoldCommand {
  get type() {
    return 'ApproveLegalHold' as const;
  }
}

/** Says that a hold is still needed. */
export class ReviewLegalHold extends LegalHoldCommand {
  get type() {
    return 'ReviewLegalHold' as const;
  }

  /** When it has to be looked at again: in six months at the latest, and then when absent. */
  @IsOptional()
  @IsInstant()
  readonly reviewAt?: string;
}

/** Ends a hold: what it deferred is erased at once. */
export class LiftLegalHold extends LegalHoldCommand {
  get type() {
    return 'LiftLegalHold' as const;
  }

  @IsIn(['matterClosed', 'scopeExcluded'])
  readonly reason!: 'matterClosed' | 'scopeExcluded';
}

/** Opens the review of a hold whose date has come; sent by the steward. */
export class RaiseHoldReview extends LegalHoldCommand {
  get type() {
    return 'RaiseHoldReview' as const;
  }

  /** The date the steward read; a review that has been done since is not raised. */
  @IsInstant()
  readonly reviewAt!: string;
}

/** Ends a hold that no second person has approved in time; sent by the steward. */
export class LapseLegalHold extends LegalHoldCommand {
  get type() {
    return 'LapseLegalHold' as const;
  }
}

export type LegalHoldDomainCommand =
  PlaceLegalHold | ApproveLegalHold | ReviewLegalHold | LiftLegalHold | RaiseHoldReview | LapseLegalHold;

import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { Command, IsCategory, IsId, IsInstant, IsRegisterId } from '#slice';
import {
  BREAK_GLASS_REASONS,
  REVOCATION_REASONS,
  type BreakGlassReason,
  type RevocationReason,
} from './grant.events.js';

/** Roles that look at the data of people. */
export const VIEWING_ROLES = ['staff', 'privacyOfficer', 'legal'] as const;

/** Commands about what one actor may look at. */
abstract class GrantCommand extends Command {
  /** Id of an actor as the log has it: of a token, an account or an identity provider. */
  @IsRegisterId()
  readonly granteeId!: string;
}

abstract class OneGrantCommand extends GrantCommand {
  @IsId()
  readonly grantId!: string;
}

/** Asks for access, for oneself or for another (C15). */
export class RequestAccess extends OneGrantCommand {
  get type() {
    return 'RequestAccess' as const;
  }

  @IsIn(VIEWING_ROLES)
  readonly role!: (typeof VIEWING_ROLES)[number];

  @IsRegisterId()
  readonly purposeId!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(200)
  @ArrayUnique()
  @IsCategory({ each: true })
  readonly categories!: readonly string[];

  /** At once when absent. */
  @IsOptional()
  @IsInstant()
  readonly from?: string;

  /** At most a year after it begins. */
  @IsInstant()
  readonly to!: string;
}

/** Grants what was asked for; never by the grantee (I-15b). */
export class GrantAccess extends OneGrantCommand {
  get type() {
    return 'GrantAccess' as const;
  }
}

/** Takes a grant away, or refuses one that was asked for. */
export class RevokeAccess extends OneGrantCommand {
  get type() {
    return 'RevokeAccess' as const;
  }

  @IsIn(REVOCATION_REASONS)
  readonly reason!: RevocationReason;
}

/** Takes everything away from somebody who leaves, in one append. */
export class RevokeAllAccess extends GrantCommand {
  get type() {
    return 'RevokeAllAccess' as const;
  }

  @IsIn(REVOCATION_REASONS)
  readonly reason!: RevocationReason;
}

/** Finds that a grant is needed still; never by the grantee. */
export class ReviewAccess extends OneGrantCommand {
  get type() {
    return 'ReviewAccess' as const;
  }
}

/** States that a grant's window has passed; sent by the steward. */
export class ExpireAccess extends OneGrantCommand {
  get type() {
    return 'ExpireAccess' as const;
  }
}

/** States that a grant or an emergency was not reviewed in time; sent by the steward. */
export class RaiseAccessReview extends GrantCommand {
  get type() {
    return 'RaiseAccessReview' as const;
  }

  @IsIn(['grant', 'breakGlass'])
  readonly kind!: 'grant' | 'breakGlass';

  /** Id of the grant, or of the emergency. */
  @IsId()
  readonly reviewedId!: string;

  /** By when the steward read it was to be reviewed; what was reviewed since is not raised. */
  @IsInstant()
  readonly due!: string;
}

/** Opens one person's data in an emergency, for oneself. The case it is for is stated (I-15c). */
export class BreakGlass extends GrantCommand {
  get type() {
    return 'BreakGlass' as const;
  }

  @IsId()
  readonly subjectId!: string;

  @IsIn(BREAK_GLASS_REASONS)
  readonly reason!: BreakGlassReason;

  /** Four when absent. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(4)
  readonly hours?: number;
}

/** Judges an emergency; never by who used it. */
export class ReviewBreakGlass extends GrantCommand {
  get type() {
    return 'ReviewBreakGlass' as const;
  }

  @IsId()
  readonly breakGlassId!: string;

  @IsIn(['justified', 'unjustified'])
  readonly outcome!: 'justified' | 'unjustified';
}

export type GrantDomainCommand =
  | RequestAccess
  | GrantAccess
  | RevokeAccess
  | RevokeAllAccess
  | ReviewAccess
  | ExpireAccess
  | RaiseAccessReview
  | BreakGlass
  | ReviewBreakGlass;

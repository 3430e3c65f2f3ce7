import { Type } from 'class-transformer';
import { IsObject, IsOptional, Matches, MaxLength, ValidateNested } from 'class-validator';
import { Command, IsInstant, REGISTER_ID } from '#slice';

/** Any text, as long as something stands in it. */
const SOMETHING = /\S/;
/** The address of a mailbox. */
const MAILBOX = /^[^\s@]+@[^\s@]+$/;

export class OfficerToDescribe {
  /** A role, never the name of a person. */
  @Matches(SOMETHING)
  @MaxLength(200)
  readonly role!: string;

  @Matches(MAILBOX)
  @MaxLength(254)
  readonly email!: string;
}

/** Describes who decides what happens with the data (UK GDPR Art 30(1)(a), (g)). */
export class DescribeController extends Command {
  get type() {
    return 'DescribeController' as const;
  }

  /** Id of the organisation among the recipients. */
  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly controllerId!: string;

  @Matches(SOMETHING)
  @MaxLength(200)
  readonly name!: string;

  @Matches(SOMETHING)
  @MaxLength(500)
  readonly postalAddress!: string;

  @Matches(MAILBOX)
  @MaxLength(254)
  readonly email!: string;

  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => OfficerToDescribe)
  readonly dataProtectionOfficer?: OfficerToDescribe;

  @Matches(SOMETHING)
  @MaxLength(200)
  readonly authority!: string;

  @Matches(SOMETHING)
  @MaxLength(4_000)
  readonly security!: string;

  /** From when it is so, as an RFC 3339 timestamp; at once when absent. */
  @IsOptional()
  @MaxLength(40)
  @IsInstant()
  readonly effectiveFrom?: string;
}

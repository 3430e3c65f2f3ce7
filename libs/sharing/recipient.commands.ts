import { IsIn, IsISO31661Alpha2, Matches, ValidateIf } from 'class-validator';
import { Command, IsCivilDate, IsRegisterId } from '#slice';
import { LEGAL_FORMS, RECIPIENT_KINDS, type LegalForm, type RecipientKind } from './recipient.events.js';
import { IsCode, IsText } from './sharing.fields.js';

/** An organisation is described in full; `SELF` need not be. What is given is checked in any case. */
const described = (field: 'name' | 'legalForm' | 'country') =>
  ValidateIf((command: RegisterRecipient) => command.kind !== 'SELF' || command[field] !== undefined);

/** Enters a recipient in the register (C19). */
export class RegisterRecipient extends Command {
  get type() {
    return 'RegisterRecipient' as const;
  }

  @IsRegisterId()
  readonly recipientId!: string;

  @IsIn(RECIPIENT_KINDS)
  readonly kind!: RecipientKind;

  /** The organisation's name; never the name of a person, so no sole trader's. */
  @described('name')
  @IsText(200)
  readonly name?: string;

  @described('legalForm')
  @IsIn(LEGAL_FORMS)
  readonly legalForm?: LegalForm;

  /** ISO 3166-1 alpha-2. */
  @described('country')
  @IsISO31661Alpha2()
  @Matches(/^[A-Z]{2}$/)
  readonly country?: string;
}

/** A company joins the group. */
export class StartGroupMembership extends Command {
  get type() {
    return 'StartGroupMembership' as const;
  }

  @IsRegisterId()
  readonly recipientId!: string;

  @IsCode()
  readonly companyNumber!: string;

  /** First day of membership, in London. */
  @IsCivilDate()
  readonly from!: string;
}

/** A company leaves the group. */
export class EndGroupMembership extends Command {
  get type() {
    return 'EndGroupMembership' as const;
  }

  @IsRegisterId()
  readonly recipientId!: string;

  /** First day on which it is no member, in London. */
  @IsCivilDate()
  readonly to!: string;
}

export type RecipientCommand = RegisterRecipient | StartGroupMembership | EndGroupMembership;

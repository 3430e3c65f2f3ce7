import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  MaxLength,
  Min,
} from 'class-validator';
import { Command, IsCivilDate, IsRegisterId, IsSha256 } from '#slice';
import {
  AGREEMENT_KINDS,
  ART28_TERMS,
  TRANSFER_MECHANISMS,
  type AgreementKind,
  type Art28Term,
  type TransferMechanism,
} from './agreement.events.js';
import { IsCategory } from './sharing.fields.js';

/** What an agreement says. */
abstract class TermsCommand extends Command {
  @IsRegisterId()
  readonly agreementId!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(200)
  @ArrayUnique()
  @IsRegisterId({ each: true })
  readonly purposes!: readonly string[];

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(200)
  @ArrayUnique()
  @IsCategory({ each: true })
  readonly categories!: readonly string[];

  /** First day in force, in London. */
  @IsCivilDate()
  readonly from!: string;

  /** First day no longer in force. */
  @IsOptional()
  @IsCivilDate()
  readonly to?: string;

  @IsOptional()
  @IsIn(TRANSFER_MECHANISMS)
  readonly transferMechanism?: TransferMechanism;

  /** In plain words, for everyone; an agreement without one is refused (I-22b). */
  @IsOptional()
  @IsString()
  @MaxLength(2000)
  readonly publicSummary?: string;

  @IsSha256()
  readonly documentHash!: string;

  /** Terms of UK GDPR Art 28(3) that were found in it. */
  @IsArray()
  @ArrayMaxSize(ART28_TERMS.length)
  @ArrayUnique()
  @IsIn(ART28_TERMS, { each: true })
  readonly checklist!: readonly Art28Term[];
}

/** Records an agreement under which a recipient may be given data (C19, C22). */
export class RecordAgreement extends TermsCommand {
  get type() {
    return 'RecordAgreement' as const;
  }

  @IsRegisterId()
  readonly recipientId!: string;

  @IsIn(AGREEMENT_KINDS)
  readonly kind!: AgreementKind;
}

/** Amends an agreement in force: from the first day named it says all of this, and until then what it said before. */
export class AmendAgreement extends TermsCommand {
  get type() {
    return 'AmendAgreement' as const;
  }

  /** The version that this makes: one more than the newest. */
  @IsInt()
  @Min(2)
  readonly version!: number;
}

/** Ends an agreement before its time, or one without a time. To extend an agreement, amend it while it is in force. */
export class EndAgreement extends Command {
  get type() {
    return 'EndAgreement' as const;
  }

  @IsRegisterId()
  readonly agreementId!: string;

  /** First day no longer in force, in London. */
  @IsCivilDate()
  readonly to!: string;
}

export type AgreementCommand = RecordAgreement | AmendAgreement | EndAgreement;

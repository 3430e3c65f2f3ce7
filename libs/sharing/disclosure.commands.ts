import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsOptional,
  Matches,
  MaxLength,
} from 'class-validator';
import { LAWFUL_BASES, type LawfulBasis } from '#purpose';
import { Command, IsId, REGISTER_ID } from '#slice';
import { TRANSFER_MECHANISMS, type TransferMechanism } from './agreement.events.js';
import { IsCode, IsRegisterId } from './sharing.fields.js';

/** Gives items of one person to a recipient, if the closed door opens (C19). */
export class ShareData extends Command {
  get type() {
    return 'ShareData' as const;
  }

  /** One id for a disclosure about several people, with one command for each; a fresh one when absent. */
  @IsOptional()
  @IsId()
  readonly disclosureId?: string;

  @IsId()
  readonly subjectId!: string;

  @IsRegisterId()
  readonly recipientId!: string;

  @IsRegisterId()
  readonly purposeId!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(500)
  @ArrayUnique()
  @IsId({ each: true })
  readonly itemIds!: readonly string[];

  /** The purpose's own basis when absent; `legalObligation` under an instrument. */
  @IsOptional()
  @IsIn(LAWFUL_BASES)
  readonly basis?: LawfulBasis;

  /** The statutory instrument that compels the disclosure. */
  @IsOptional()
  @IsRegisterId()
  readonly instrumentId?: string;

  /** The agreement it happens under; any that covers it when absent. */
  @IsOptional()
  @IsRegisterId()
  readonly agreementId?: string;

  /** Taken in and not looked at: consent does not open the door (C19). */
  @IsOptional()
  @IsCode()
  readonly consentRef?: string;

  /** How the data travels, for example `api` or `post`. */
  @Matches(REGISTER_ID)
  @MaxLength(32)
  readonly medium!: string;

  /** For a recipient outside the United Kingdom, unless its agreement names one. */
  @IsOptional()
  @IsIn(TRANSFER_MECHANISMS)
  readonly transferMechanism?: TransferMechanism;
}

import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  Matches,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { LAWFUL_BASES, type LawfulBasis } from '#purpose';
import { Command, IsId, IsRegisterId, REGISTER_ID } from '#slice';
import { TRANSFER_MECHANISMS, type TransferMechanism } from './agreement.events.js';
import { IsCategory, IsCode } from './sharing.fields.js';

/** To whom, for what and on which ground data is given. */
abstract class DisclosureFields extends Command {
  @IsRegisterId()
  readonly recipientId!: string;

  @IsRegisterId()
  readonly purposeId!: string;

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

  /** How the data travels, for example `api` or `post`. */
  @Matches(REGISTER_ID)
  @MaxLength(32)
  readonly medium!: string;

  /** For a recipient outside the United Kingdom, unless its agreement names one. */
  @IsOptional()
  @IsIn(TRANSFER_MECHANISMS)
  readonly transferMechanism?: TransferMechanism;
}

/** Gives items of one person to a recipient, if the closed door opens (C19). */
export class ShareData extends DisclosureFields {
  get type() {
    return 'ShareData' as const;
  }

  /** One id for a disclosure about several people, with one command for each; a fresh one when absent. */
  @IsOptional()
  @IsId()
  readonly disclosureId?: string;

  @IsId()
  readonly subjectId!: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(500)
  @ArrayUnique()
  @IsId({ each: true })
  readonly itemIds!: readonly string[];

  /** Taken in and not looked at: consent does not open the door (C19). */
  @IsOptional()
  @IsCode()
  readonly consentRef?: string;
}

/** Several people: at most so many. */
export const MOST_SUBJECTS = 10_000;

/** What of each person is given: what is held of these categories for the purpose when the turn comes to the person. */
const areCategories = (): PropertyDecorator => (target, key) =>
  [IsArray(), ArrayMinSize(1), ArrayMaxSize(200), ArrayUnique(), IsCategory({ each: true })].forEach((decorate) =>
    decorate(target, key),
  );

/**
 * Gives data of many people to one recipient (I-19g). What closes the door for all is refused at once; the rest is
 * decided for each person, and who was left out and why is on record.
 */
export class ShareDataInBulk extends DisclosureFields {
  get type() {
    return 'ShareDataInBulk' as const;
  }

  @IsId()
  readonly disclosureId!: string;

  @areCategories()
  readonly categories!: readonly string[];

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_SUBJECTS)
  @ArrayUnique()
  @IsId({ each: true })
  readonly subjectIds!: readonly string[];
}

/** Gives what one person's part in a disclosure about many is; sent by the steward. */
export class ShareCategories extends DisclosureFields {
  get type() {
    return 'ShareCategories' as const;
  }

  @IsId()
  readonly disclosureId!: string;

  @IsId()
  readonly subjectId!: string;

  @areCategories()
  readonly categories!: readonly string[];

  /** How many people the disclosure is about. */
  @IsInt()
  @Min(1)
  readonly subjectCount!: number;
}

/** One person who was left out of a disclosure about many. */
export class RefusedSubject {
  @IsId()
  readonly subjectId!: string;

  /** Code of the refusal. */
  @Matches(/^[A-Z][A-Z0-9_]*$/)
  @MaxLength(64)
  readonly code!: string;
}

/** Records how a part of a disclosure about many went; sent by the steward. */
export class RecordBulkProgress extends Command {
  get type() {
    return 'RecordBulkProgress' as const;
  }

  @IsId()
  readonly disclosureId!: string;

  /** Number of the part, from 0. */
  @IsInt()
  @Min(0)
  readonly batch!: number;

  /** How many people's data was given. */
  @IsInt()
  @Min(0)
  readonly shared!: number;

  @IsArray()
  @ArrayMaxSize(MOST_SUBJECTS)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => RefusedSubject)
  readonly refused!: readonly RefusedSubject[];
}

export type DisclosureCommand = ShareData | ShareCategories;
export type BulkDisclosureCommand = ShareDataInBulk | RecordBulkProgress;

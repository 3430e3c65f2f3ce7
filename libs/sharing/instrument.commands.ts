import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsOptional,
  IsString,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { Command, IsCivilDate, IsId, IsRegisterId, IsSha256 } from '#slice';
import { INSTRUMENT_KINDS, type InstrumentKind } from './instrument.events.js';
import { IsCategory, IsCode } from './sharing.fields.js';

export class InstrumentScopeFields {
  @IsArray()
  @ArrayMaxSize(200)
  @ArrayUnique()
  @IsCategory({ each: true })
  readonly categories!: readonly string[];

  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1000)
  @ArrayUnique()
  @IsId({ each: true })
  readonly subjectIds?: readonly string[];

  /** To whom. A third party must be named here. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(200)
  @ArrayUnique()
  @IsRegisterId({ each: true })
  readonly recipientIds?: readonly string[];

  /** Period of the data asked for, both days included. */
  @IsOptional()
  @IsCivilDate()
  readonly from?: string;

  @IsOptional()
  @IsCivilDate()
  readonly to?: string;
}

/**
 * Records a statutory instrument. What it must state is optional here, so that an instrument that lacks it gets an
 * answer that names what is missing (I-19b).
 */
export class RecordStatutoryInstrument extends Command {
  get type() {
    return 'RecordStatutoryInstrument' as const;
  }

  @IsRegisterId()
  readonly instrumentId!: string;

  @IsOptional()
  @IsString()
  @MaxLength(200)
  readonly enactment?: string;

  @IsOptional()
  @IsString()
  @MaxLength(100)
  readonly section?: string;

  @IsOptional()
  @IsIn(INSTRUMENT_KINDS)
  readonly instrumentKind?: InstrumentKind;

  @IsOptional()
  @IsString()
  @MaxLength(100)
  readonly reference?: string;

  /** The court or body, never a person. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  readonly issuer?: string;

  @IsOptional()
  @IsCivilDate()
  readonly issuedOn?: string;

  /** Last day in force, in London. */
  @IsOptional()
  @IsCivilDate()
  readonly validUntil?: string;

  @IsOptional()
  @ValidateNested()
  @Type(() => InstrumentScopeFields)
  readonly scope?: InstrumentScopeFields;

  /** Whether the law leaves no choice. */
  @IsOptional()
  @IsBoolean()
  readonly mandatory?: boolean;

  /** Actor id of the lawyer who reviewed it; another one than the sender. */
  @IsOptional()
  @IsCode()
  readonly reviewedBy?: string;

  @IsOptional()
  @IsBoolean()
  readonly noTippingOff?: boolean;

  @IsOptional()
  @IsSha256()
  readonly documentHash?: string;
}

abstract class InstrumentCommandFields extends Command {
  @IsRegisterId()
  readonly instrumentId!: string;
}

/** The instrument no longer compels, from `occurredAt` on. */
export class WithdrawInstrument extends InstrumentCommandFields {
  get type() {
    return 'WithdrawInstrument' as const;
  }
}

/** All that was asked for has been given. */
export class MarkInstrumentAnswered extends InstrumentCommandFields {
  get type() {
    return 'MarkInstrumentAnswered' as const;
  }
}

export type InstrumentCommand = RecordStatutoryInstrument | WithdrawInstrument | MarkInstrumentAnswered;

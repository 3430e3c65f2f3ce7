import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsOptional,
  Matches,
  MaxLength,
} from 'class-validator';
import { Command, IsId, REFERENCE, REGISTER_ID } from '#slice';

/** Commands about one person carry the person's random id. */
abstract class SubjectCommand extends Command {
  @IsId()
  readonly subjectId!: string;
}

/** Asks whether items may be used for a purpose now (C05, C17). */
export class AuthoriseUse extends SubjectCommand {
  get type() {
    return 'AuthoriseUse' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;

  /** The channel of a message to the person; needed where the purpose rests on consent. */
  @IsOptional()
  @Matches(REGISTER_ID)
  @MaxLength(32)
  readonly channel?: string;

  /** The campaign it is for; the report of the use then names the same one. */
  @IsOptional()
  @Matches(REFERENCE)
  @MaxLength(64)
  readonly campaignRef?: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique()
  @IsId({ each: true })
  readonly itemIds!: readonly string[];
}

/** Reports what became of a use that was allowed; for a commercial purpose, that the message was sent (C05). */
export class ReportUse extends SubjectCommand {
  get type() {
    return 'ReportUse' as const;
  }

  /** The id of the event in the answer to `AuthoriseUse`. */
  @IsId()
  readonly useId!: string;

  @IsIn(['done', 'failed', 'notDone'])
  readonly outcome!: 'done' | 'failed' | 'notDone';

  @IsOptional()
  @Matches(REFERENCE)
  @MaxLength(64)
  readonly campaignRef?: string;
}

/** Records an objection to direct marketing. It needs nothing but the person (UK GDPR Art 21(2)-(3)). */
export class ObjectToMarketing extends SubjectCommand {
  get type() {
    return 'ObjectToMarketing' as const;
  }
}

/** Records that the person took the objection back, of their own accord. Consent is another matter. */
export class WithdrawMarketingObjection extends SubjectCommand {
  get type() {
    return 'WithdrawMarketingObjection' as const;
  }
}

/** Records how an address was obtained, for the soft opt-in: as it was, whatever follows from it (PECR reg 22(3)). */
export class RecordSoftOptIn extends SubjectCommand {
  get type() {
    return 'RecordSoftOptIn' as const;
  }

  @IsId()
  readonly itemId!: string;

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;

  @IsBoolean()
  readonly obtainedInSale!: boolean;

  @IsBoolean()
  readonly ownSimilarProducts!: boolean;

  @IsBoolean()
  readonly refusalOfferedAtCollection!: boolean;

  @IsBoolean()
  readonly refusalOfferedInEveryMessage!: boolean;
}

/** Records what a preference service says of a number (PECR reg 21). `occurredAt` is when it was asked. */
export class RecordPreferenceScreening extends SubjectCommand {
  get type() {
    return 'RecordPreferenceScreening' as const;
  }

  @IsId()
  readonly itemId!: string;

  @IsIn(['TPS', 'CTPS'])
  readonly register!: 'TPS' | 'CTPS';

  @IsBoolean()
  readonly listed!: boolean;
}

export type UseDomainCommand =
  | AuthoriseUse
  | ReportUse
  | ObjectToMarketing
  | WithdrawMarketingObjection
  | RecordSoftOptIn
  | RecordPreferenceScreening;

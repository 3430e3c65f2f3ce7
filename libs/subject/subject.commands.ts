import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  Min,
  MinLength,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import { IsCategory, IsId, IsInstant, REFERENCE, REGISTER_ID } from '#slice';
import type { RectificationCommand } from './rectification.commands.js';
import { IsGivenWithout, LONGEST_VALUE, SubjectCommand } from './subject.fields.js';

/** Commands about one item held about a person. */
abstract class ItemCommand extends SubjectCommand {
  @IsId()
  readonly itemId!: string;
}

/** Opens the relationship with a person under a random id (C01). */
export class RegisterSubject extends SubjectCommand {
  get type() {
    return 'RegisterSubject' as const;
  }

  @IsIn(['individual', 'soleTrader', 'corporateContact'])
  readonly capacity!: 'individual' | 'soleTrader' | 'corporateContact';

  /** An individual subscriber when absent: the stricter reading. */
  @IsOptional()
  @IsIn(['individual', 'corporate'])
  readonly subscriberType?: 'individual' | 'corporate';

  /** England and Wales when absent. */
  @IsOptional()
  @IsIn(['england-and-wales', 'scotland', 'northern-ireland'])
  readonly division?: 'england-and-wales' | 'scotland' | 'northern-ireland';
}

/** Records that the person was shown a notice version (C13). */
export class PresentNotice extends SubjectCommand {
  get type() {
    return 'PresentNotice' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly noticeId!: string;

  @IsInt()
  @Min(1)
  readonly version!: number;

  @IsIn(['shown', 'sent', 'read-out', 'handed-over'])
  readonly how!: 'shown' | 'sent' | 'read-out' | 'handed-over';

  @Matches(REGISTER_ID)
  @MaxLength(32)
  readonly channel!: string;
}

export class ItemToCollect {
  @IsCategory()
  readonly category!: string;

  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_VALUE)
  readonly value!: string;

  /** Whether the person had to give it (C04). Optional when absent. */
  @IsOptional()
  @IsBoolean()
  readonly required?: boolean;
}

/** Collects values for one purpose: all of them, or none (C04, C11, C12, C13). */
export class CollectData extends SubjectCommand {
  get type() {
    return 'CollectData' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly collectionPointId!: string;

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly noticeId!: string;

  @IsInt()
  @Min(1)
  readonly noticeVersion!: number;

  /** The service the person asked for; needed where the basis is the contract (I-04b). */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  @Matches(REFERENCE)
  readonly serviceRequestRef?: string;

  /** Where the values come from; the person when absent. */
  @IsOptional()
  @IsIn(['subject', 'thirdParty', 'derived'])
  readonly source?: 'subject' | 'thirdParty' | 'derived';

  /** The third party that gave them, where it is a registered recipient. */
  @IsOptional()
  @Matches(REGISTER_ID)
  @MaxLength(64)
  @ValidateBy({
    name: 'isOfThirdParty',
    validator: { validate: (_value, asked) => (asked?.object as CollectData).source === 'thirdParty' },
  })
  readonly sourceRecipientId?: string;

  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(100)
  @ArrayUnique((item: ItemToCollect) => item?.category)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => ItemToCollect)
  readonly items!: readonly ItemToCollect[];
}

/** Replaces a value by a right one (C21). */
export class CorrectData extends ItemCommand {
  get type() {
    return 'CorrectData' as const;
  }

  /** The version the sender saw. */
  @IsInt()
  @Min(1)
  readonly fromVersion!: number;

  @IsString()
  @MinLength(1)
  @MaxLength(LONGEST_VALUE)
  readonly value!: string;

  @IsIn(['inaccurate', 'incomplete', 'outOfDate'])
  readonly reasonCode!: 'inaccurate' | 'incomplete' | 'outOfDate';

  /** The case it answers. Any correction of an item counts for every open case about it; this one goes on record. */
  @IsOptional()
  @IsId()
  readonly requestId?: string;
}

/** Refuses a correction the person asked for (C21). */
export class RefuseCorrection extends ItemCommand {
  get type() {
    return 'RefuseCorrection' as const;
  }

  @IsOptional()
  @IsIn(['accurateAsHeld', 'manifestlyUnfounded', 'manifestlyExcessive', 'identityNotShown'])
  readonly reasonCode?: 'accurateAsHeld' | 'manifestlyUnfounded' | 'manifestlyExcessive' | 'identityNotShown';

  /** The ways to complain that the person was told of. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(3)
  @ArrayUnique()
  @IsIn(['controller', 'commissioner', 'court'], { each: true })
  readonly complaintRoutes?: readonly ('controller' | 'commissioner' | 'court')[];

  /** The case it answers; every open case about the item when absent. */
  @IsOptional()
  @IsId()
  readonly requestId?: string;
}

/** Closes a correction once every recipient has been dealt with (C21). */
export class CompleteCorrection extends ItemCommand {
  get type() {
    return 'CompleteCorrection' as const;
  }

  @IsInt()
  @Min(2)
  readonly version!: number;
}

/** Records a reasonable check that found the item right (C14). */
export class ConfirmAccuracy extends ItemCommand {
  get type() {
    return 'ConfirmAccuracy' as const;
  }

  @IsIn(['subjectConfirmed', 'documentSeen', 'contactMade', 'registerChecked'])
  readonly method!: 'subjectConfirmed' | 'documentSeen' | 'contactMade' | 'registerChecked';
}

/** Records that an item may be wrong (I-14c). What came back is named by the item, or by the use it was sent under. */
export class DoubtAccuracy extends SubjectCommand {
  get type() {
    return 'DoubtAccuracy' as const;
  }

  @IsGivenWithout('useId')
  readonly itemId?: string;

  /** The authorised use whose message came back: one of the last hundred of this person. */
  @IsGivenWithout('itemId')
  readonly useId?: string;

  @IsIn(['bouncedEmail', 'returnedPost', 'subjectNotice', 'other'])
  readonly cause!: 'bouncedEmail' | 'returnedPost' | 'subjectNotice' | 'other';
}

/** Raises an accuracy check that has fallen due; sent by the steward (C14). */
export class RaiseAccuracyCheck extends ItemCommand {
  get type() {
    return 'RaiseAccuracyCheck' as const;
  }

  /** The due date the steward read; a check that has been done since is not raised. */
  @IsInstant()
  readonly due!: string;
}

/** Raises that a check which fell due was not done for a month; sent by the steward (C14). */
export class RaiseOverdueCheck extends ItemCommand {
  get type() {
    return 'RaiseOverdueCheck' as const;
  }

  /** When the check was due. */
  @IsInstant()
  readonly due!: string;
}

/** Records that the person renewed a service: every checked category falls due for a check (C14). */
export class RecordRenewal extends SubjectCommand {
  get type() {
    return 'RecordRenewal' as const;
  }
}

/** Raises that the person was not told in time of data from elsewhere; sent by the steward (UK GDPR Art 14(3)). */
export class RaiseArt14NoticeOverdue extends SubjectCommand {
  get type() {
    return 'RaiseArt14NoticeOverdue' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly noticeId!: string;

  /** The due date the steward read. */
  @IsInstant()
  readonly due!: string;
}

/** Restricts the processing of a person's data (UK GDPR Art 18). */
export class RestrictProcessing extends SubjectCommand {
  get type() {
    return 'RestrictProcessing' as const;
  }

  @IsIn(['18(1)(a)', '18(1)(b)', '18(1)(c)', '18(1)(d)'])
  readonly ground!: '18(1)(a)' | '18(1)(b)' | '18(1)(c)' | '18(1)(d)';
}

/** Lifts the restriction; the person must have been told before (UK GDPR Art 18(3)). */
export class LiftRestriction extends SubjectCommand {
  get type() {
    return 'LiftRestriction' as const;
  }

  /** When the person was told. */
  @IsOptional()
  @IsInstant()
  readonly informedAt?: string;
}

export type SubjectDomainCommand =
  | RegisterSubject
  | PresentNotice
  | CollectData
  | CorrectData
  | RefuseCorrection
  | CompleteCorrection
  | ConfirmAccuracy
  | DoubtAccuracy
  | RaiseAccuracyCheck
  | RaiseOverdueCheck
  | RecordRenewal
  | RaiseArt14NoticeOverdue
  | RestrictProcessing
  | LiftRestriction
  | RectificationCommand;

import { IsBoolean, IsIn, IsInt, IsOptional, Matches, Max, MaxLength, Min } from 'class-validator';
import { Command, IsId, IsInstant, IsPersonal, REGISTER_ID } from '#slice';

/** A consent is found by person, purpose and channel: withdrawing needs no more than that (UK GDPR Art 7(3)). */
abstract class ConsentCommand extends Command {
  @IsId()
  readonly subjectId!: string;

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly purposeId!: string;

  @Matches(REGISTER_ID)
  @MaxLength(32)
  readonly channel!: string;
}

/** Records that the person consented to one purpose over one channel (C05). */
export class GiveConsent extends ConsentCommand {
  get type() {
    return 'GiveConsent' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly noticeId!: string;

  @IsInt()
  @Min(1)
  readonly noticeVersion!: number;

  /** SHA-256 of the statement that was shown, in hex; a consent without one is not informed. */
  @IsOptional()
  @Matches(/^[0-9a-f]{64}$/)
  readonly statementHash?: string;

  @IsIn(['webForm', 'phone', 'paper', 'inPerson', 'inProduct', 'email'])
  readonly method!: 'webForm' | 'phone' | 'paper' | 'inPerson' | 'inProduct' | 'email';

  /** What the person did. A box that was ticked beforehand is no clear affirmative act. */
  @IsIn(['tickedBox', 'pressedButton', 'signed', 'said', 'replied', 'preTickedBox', 'none'])
  readonly affirmativeAct!: 'tickedBox' | 'pressedButton' | 'signed' | 'said' | 'replied' | 'preTickedBox' | 'none';

  @IsIn(['subject', 'parent', 'agent'])
  readonly givenBy!: 'subject' | 'parent' | 'agent';

  /** Whether the same act also agreed to something else; such a consent is bundled. */
  @IsOptional()
  @IsBoolean()
  readonly bundled?: boolean;

  /** Whether a service was made to depend on it. */
  @IsOptional()
  @IsBoolean()
  readonly conditional?: boolean;

  /** Age band as the person stated it, in whole years; kept nowhere. */
  @IsOptional()
  @IsPersonal()
  @IsInt()
  @Min(0)
  @Max(150)
  readonly statedAge?: number;

  @IsOptional()
  @IsInstant()
  readonly expiresAt?: string;
}

/** Withdraws consent: no reason, no form, at once (UK GDPR Art 7(3)). */
export class WithdrawConsent extends ConsentCommand {
  get type() {
    return 'WithdrawConsent' as const;
  }
}

/** Ends a consent whose agreed life is over; sent by the steward. */
export class ExpireConsent extends ConsentCommand {
  get type() {
    return 'ExpireConsent' as const;
  }
}

export type ConsentDomainCommand = GiveConsent | WithdrawConsent | ExpireConsent;

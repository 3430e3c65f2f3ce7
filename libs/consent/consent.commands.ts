import { IsBoolean, IsIn, IsInt, IsOptional, Matches, Max, MaxLength, Min } from 'class-validator';
import { Command, IsId, IsInstant, IsPersonal, IsSha256, REFERENCE, REGISTER_ID } from '#slice';
import {
  INVALIDITY_FOUND,
  type ConsentGiver,
  type ConsentInformation,
  type ConsentMethod,
  type InvalidityFound,
} from './consent.events.js';

const METHODS: readonly ConsentMethod[] = ['webForm', 'phone', 'paper', 'inPerson', 'inProduct', 'email'];
const GIVERS: readonly ConsentGiver[] = ['subject', 'parent', 'agent'];

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

/** Records that the person is asked to consent, and what they are told (UK GDPR Art 7(1)). */
export class RequestConsent extends ConsentCommand implements ConsentInformation {
  get type() {
    return 'RequestConsent' as const;
  }

  @Matches(REGISTER_ID)
  @MaxLength(64)
  readonly noticeId!: string;

  @IsInt()
  @Min(1)
  readonly noticeVersion!: number;

  /** SHA-256 of the statement that is shown, in hex. */
  @IsSha256()
  readonly statementHash!: string;

  @IsIn(METHODS)
  readonly method!: ConsentMethod;
}

/**
 * Records that the person consented to one purpose over one channel (C05). Takes the place of a consent that stands,
 * has expired or was found invalid.
 */
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
  @IsSha256()
  readonly statementHash?: string;

  @IsIn(METHODS)
  readonly method!: ConsentMethod;

  /** What the person did. A box that was ticked beforehand is no clear affirmative act. */
  @IsIn(['tickedBox', 'pressedButton', 'signed', 'said', 'replied', 'preTickedBox', 'none'])
  readonly affirmativeAct!: 'tickedBox' | 'pressedButton' | 'signed' | 'said' | 'replied' | 'preTickedBox' | 'none';

  @IsIn(GIVERS)
  readonly givenBy!: ConsentGiver;

  /** What shows the authority of whoever gives it for the person. An agent has to have one. */
  @IsOptional()
  @Matches(REFERENCE)
  @MaxLength(64)
  readonly authorityRef?: string;

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

/** Records that the person said no. Ends a consent that stands; needs no question to be on record. */
export class RefuseConsent extends ConsentCommand {
  get type() {
    return 'RefuseConsent' as const;
  }

  @IsOptional()
  @IsIn(METHODS)
  readonly method?: ConsentMethod;
}

/** Withdraws consent: no reason, no form, at once (UK GDPR Art 7(3)). */
export class WithdrawConsent extends ConsentCommand {
  get type() {
    return 'WithdrawConsent' as const;
  }

  @IsOptional()
  @IsIn(METHODS)
  readonly method?: ConsentMethod;
}

/** Ends a consent that was found to be none (UK GDPR Art 4(11), 7). */
export class InvalidateConsent extends ConsentCommand {
  get type() {
    return 'InvalidateConsent' as const;
  }

  @IsIn(INVALIDITY_FOUND)
  readonly reason!: InvalidityFound;
}

/** Ends a consent whose agreed life is over; sent by the steward. */
export class ExpireConsent extends ConsentCommand {
  get type() {
    return 'ExpireConsent' as const;
  }
}

/** Holds a consent against the versions of its purpose that took effect since; sent by the steward. */
export class ReviewConsent extends ConsentCommand {
  get type() {
    return 'ReviewConsent' as const;
  }
}

export type ConsentDomainCommand =
  RequestConsent | GiveConsent | RefuseConsent | WithdrawConsent | ExpireConsent | InvalidateConsent | ReviewConsent;

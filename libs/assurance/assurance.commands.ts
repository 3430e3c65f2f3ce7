import { IsIn, IsInt, IsOptional, Matches, Max, MaxLength, Min } from 'class-validator';
import { all, Command, IsCivilDate, IsNotBefore, IsRegisterId, IsSha256 } from '#slice';
import {
  CLOSURES,
  REGISTRATION_SCHEMES,
  RESTORE_ENVIRONMENTS,
  RESTORE_OUTCOMES,
  SEVERITIES,
  TEST_KINDS,
  type Closure,
  type RegistrationScheme,
  type RestoreEnvironment,
  type RestoreOutcome,
  type Severity,
  type TestKind,
} from './assurance.events.js';

/** A number or code given by others. */
const IsCode = (): PropertyDecorator => all(Matches(/^[A-Za-z0-9][A-Za-z0-9._:/() -]*$/), MaxLength(64));
const IsText = (longest: number): PropertyDecorator => all(Matches(/\S/), MaxLength(longest));

/** What every command about an attestation names. */
abstract class AttestationCommand extends Command {
  @IsRegisterId()
  readonly attestationId!: string;
}

/** Records an entry in the register of fee payers; a renewal is an attestation of its own (C03). */
export class RecordRegistration extends AttestationCommand {
  get type() {
    return 'RecordRegistration' as const;
  }

  @IsIn(REGISTRATION_SCHEMES)
  readonly scheme!: RegistrationScheme;

  @IsCode()
  readonly reference!: string;

  @IsInt()
  @Min(1)
  @Max(3)
  readonly tier!: number;

  @IsCivilDate()
  readonly validFrom!: string;

  /** Last day of validity, in London. */
  @IsCivilDate()
  @IsNotBefore('validFrom')
  readonly validTo!: string;
}

/** Records a certificate; a renewal is an attestation of its own (C10). */
export class RecordCertificate extends AttestationCommand {
  get type() {
    return 'RecordCertificate' as const;
  }

  /** For example `iso-27001`, `cyber-essentials` or `cyber-essentials-plus`. */
  @IsRegisterId()
  readonly scheme!: string;

  @IsCode()
  readonly edition!: string;

  @IsText(200)
  readonly body!: string;

  @IsCode()
  readonly number!: string;

  @IsText(1000)
  readonly scope!: string;

  @IsCivilDate()
  readonly validFrom!: string;

  /** Last day of validity, in London. */
  @IsCivilDate()
  @IsNotBefore('validFrom')
  readonly validTo!: string;

  @IsSha256()
  readonly documentHash!: string;
}

/** Ends a certificate before its time. */
export class WithdrawCertificate extends AttestationCommand {
  get type() {
    return 'WithdrawCertificate' as const;
  }

  /** First day on which it is no longer valid, in London. */
  @IsCivilDate()
  readonly withdrawnOn!: string;

  @IsCode()
  readonly reasonCode!: string;
}

/** Records a test of the protection by people from outside the group (C09). */
export class RecordIndependentTest extends AttestationCommand {
  get type() {
    return 'RecordIndependentTest' as const;
  }

  @IsIn(TEST_KINDS)
  readonly testKind!: TestKind;

  /** Name of the organisation; never of a person. */
  @IsText(200)
  readonly tester!: string;

  /** Its number in the register of companies: with it and the name the group register is searched (I-09a). */
  @IsCode()
  readonly testerCompanyNumber!: string;

  @IsText(1000)
  readonly scope!: string;

  /** The last day of the test, in London; not in the future. */
  @IsCivilDate()
  readonly performedOn!: string;

  @IsSha256()
  readonly reportHash!: string;
}

/** The longest restore that is believed: a week, in seconds. */
const LONGEST_RESTORE = 7 * 24 * 60 * 60;

/** Records that a backup was restored to see whether it can be; `custos restore-test` writes it (C08). */
export class RecordRestoreTest extends AttestationCommand {
  get type() {
    return 'RecordRestoreTest' as const;
  }

  /** SHA-256 of the backup's manifest: of `custos-backup.json` where `custos backup` made it. */
  @IsSha256()
  readonly backupHash!: string;

  @IsIn(RESTORE_ENVIRONMENTS)
  readonly environment!: RestoreEnvironment;

  /** The day of the test, in London; not in the future. */
  @IsCivilDate()
  readonly performedOn!: string;

  /** `passed` only with two digests that are equal. */
  @IsIn(RESTORE_OUTCOMES)
  readonly outcome!: RestoreOutcome;

  /** Digest of the read models when the backup was made. */
  @IsOptional()
  @IsSha256()
  readonly digestBefore?: string;

  /** Digest of the read models that the restored log gives. */
  @IsOptional()
  @IsSha256()
  readonly digestAfter?: string;

  /** How long it took until the data were there again, in whole seconds. */
  @IsInt()
  @Min(0)
  @Max(LONGEST_RESTORE)
  readonly durationSeconds!: number;
}

/** Records what a test or an assessment found, so that it is followed up. */
export class RaiseFinding extends AttestationCommand {
  get type() {
    return 'RaiseFinding' as const;
  }

  /** Its number in the report. */
  @IsCode()
  readonly findingId!: string;

  @IsIn(SEVERITIES)
  readonly severity!: Severity;

  @IsOptional()
  @IsCivilDate()
  readonly dueOn?: string;
}

export class CloseFinding extends AttestationCommand {
  get type() {
    return 'CloseFinding' as const;
  }

  @IsCode()
  readonly findingId!: string;

  @IsIn(CLOSURES)
  readonly closure!: Closure;

  @IsOptional()
  @IsSha256()
  readonly evidenceHash?: string;
}

/** Records what time has done to an attestation: it nears its end, or has come to it. */
export class CheckAttestation extends AttestationCommand {
  get type() {
    return 'CheckAttestation' as const;
  }
}

export type AssuranceCommand =
  | RecordRegistration
  | RecordCertificate
  | WithdrawCertificate
  | RecordIndependentTest
  | RecordRestoreTest
  | RaiseFinding
  | CloseFinding
  | CheckAttestation;

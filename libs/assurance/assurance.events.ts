import type { CivilDate } from '#kernel';

/** What others attest of the controller, and what became of it. Stands in `assurance-<id>`, one stream per attestation. */
export type AssuranceEvent =
  | RegistrationRecorded
  | RegistrationExpiring
  | RegistrationExpired
  | CertificateRecorded
  | CertificateWithdrawn
  | CertificateExpiring
  | CertificateExpired
  | IndependentTestRecorded
  | IndependentTestStale
  | RestoreTested
  | RestoreTestStale
  | FindingRaised
  | FindingClosed;

/** The entry in the public register of fee payers (DPA 2018 s.137). */
export const REGISTRATION_SCHEMES = ['ico-dp-fee'] as const;
export type RegistrationScheme = (typeof REGISTRATION_SCHEMES)[number];

export const TEST_KINDS = ['penetrationTest', 'vulnerabilityScan', 'audit'] as const;
export type TestKind = (typeof TEST_KINDS)[number];

/** Where a backup was restored to: what was tested follows from it. */
export const RESTORE_ENVIRONMENTS = ['temporaryFolder', 'testSystem', 'standbySystem', 'production'] as const;
export type RestoreEnvironment = (typeof RESTORE_ENVIRONMENTS)[number];

export const RESTORE_OUTCOMES = ['passed', 'failed'] as const;
export type RestoreOutcome = (typeof RESTORE_OUTCOMES)[number];

export const SEVERITIES = ['critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** How a finding came to its end: mended, lived with knowingly, or none after all. */
export const CLOSURES = ['remedied', 'riskAccepted', 'notAFinding'] as const;
export type Closure = (typeof CLOSURES)[number];

/** An entry in the register of fee payers was obtained or renewed (C03). */
export interface RegistrationRecorded {
  readonly type: 'RegistrationRecorded';
  readonly data: {
    readonly attestationId: string;
    readonly scheme: RegistrationScheme;
    /** The number of the entry. */
    readonly reference: string;
    /** Tier of the fee, 1 to 3. */
    readonly tier: number;
    readonly validFrom: CivilDate;
    /** Last day of validity, in London. */
    readonly validTo: CivilDate;
  };
}

/** A certificate was obtained or renewed (C10). */
export interface CertificateRecorded {
  readonly type: 'CertificateRecorded';
  readonly data: {
    readonly attestationId: string;
    /** For example `iso-27001` or `cyber-essentials`. */
    readonly scheme: string;
    /** The edition that was assessed, for example `2022`. */
    readonly edition: string;
    /** The certification body. */
    readonly body: string;
    readonly number: string;
    /** What was certified, in the words of the certificate. */
    readonly scope: string;
    readonly validFrom: CivilDate;
    /** Last day of validity, in London. */
    readonly validTo: CivilDate;
    /** SHA-256 of the certificate, in hex. */
    readonly documentHash: string;
  };
}

/** The certificate was withdrawn by its body, or given up. */
export interface CertificateWithdrawn {
  readonly type: 'CertificateWithdrawn';
  readonly data: {
    readonly attestationId: string;
    /** First day on which it is no longer valid, in London. */
    readonly withdrawnOn: CivilDate;
    readonly reasonCode: string;
  };
}

/** People from outside the group tested the protection (C09, UK GDPR Art 32(1)(d)). */
export interface IndependentTestRecorded {
  readonly type: 'IndependentTestRecorded';
  readonly data: {
    readonly attestationId: string;
    readonly testKind: TestKind;
    /** Name of the organisation; never of a person. */
    readonly tester: string;
    readonly testerCompanyNumber: string;
    readonly scope: string;
    readonly performedOn: CivilDate;
    /** SHA-256 of the report, in hex. */
    readonly reportHash: string;
  };
}

/** An end comes near; said once for each step of {@link WARNING_DAYS}. */
interface Expiring {
  readonly attestationId: string;
  readonly validTo: CivilDate;
  /** The step: at most this many days are left. */
  readonly daysLeft: number;
}

/** The last day of validity is over. */
interface Expired {
  readonly attestationId: string;
  readonly validTo: CivilDate;
}

export interface RegistrationExpiring {
  readonly type: 'RegistrationExpiring';
  readonly data: Expiring;
}
export interface RegistrationExpired {
  readonly type: 'RegistrationExpired';
  readonly data: Expired;
}
export interface CertificateExpiring {
  readonly type: 'CertificateExpiring';
  readonly data: Expiring;
}
export interface CertificateExpired {
  readonly type: 'CertificateExpired';
  readonly data: Expired;
}

/** The test is older than twelve months: what it said no longer speaks for the protection of today (I-09b). */
export interface IndependentTestStale {
  readonly type: 'IndependentTestStale';
  readonly data: { readonly attestationId: string; readonly performedOn: CivilDate };
}

/** A backup was restored, to see whether it can be (C08, UK GDPR Art 32(1)(c)-(d)). */
export interface RestoreTested {
  readonly type: 'RestoreTested';
  readonly data: {
    readonly attestationId: string;
    /** SHA-256 of the backup's manifest, in hex: `custos-backup.json` where `custos backup` made it. */
    readonly backupHash: string;
    readonly environment: RestoreEnvironment;
    readonly performedOn: CivilDate;
    readonly outcome: RestoreOutcome;
    /** Digest of the read models when the backup was made, in hex. Of a test that passed, equal to the one after. */
    readonly digestBefore?: string;
    /** Digest of the read models that the restored log gives; absent when the restore came to nothing. */
    readonly digestAfter?: string;
    readonly durationSeconds: number;
  };
}

/** A restore that was tested more than twelve months ago says nothing of the backups of today. */
export interface RestoreTestStale {
  readonly type: 'RestoreTestStale';
  readonly data: { readonly attestationId: string; readonly performedOn: CivilDate };
}

/** A test or an assessment found something. What it is stands in the report, under the reference. */
export interface FindingRaised {
  readonly type: 'FindingRaised';
  readonly data: {
    readonly attestationId: string;
    /** Its number in the report. */
    readonly findingId: string;
    readonly severity: Severity;
    /** When it is to be closed, in London. */
    readonly dueOn?: CivilDate;
  };
}

export interface FindingClosed {
  readonly type: 'FindingClosed';
  readonly data: {
    readonly attestationId: string;
    readonly findingId: string;
    readonly closure: Closure;
    /** SHA-256 of what shows it, in hex. */
    readonly evidenceHash?: string;
  };
}

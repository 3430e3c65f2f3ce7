import type { CivilDate, Register } from '#kernel';
import type {
  CertificateRecorded,
  CertificateWithdrawn,
  IndependentTestRecorded,
  RegistrationRecorded,
  RestoreTested,
} from './assurance.events.js';
import { lastDayOfTest, type AttestationKind } from './assurance.expiry.js';

/** What an attestation speaks for, and on which days. */
export interface Attestation {
  readonly attestationId: string;
  readonly kind: AttestationKind;
  /** `independent-test` or `restore-test` for a test. */
  readonly scheme: string;
  readonly edition?: string;
  /** Number of a certificate or of an entry. */
  readonly number?: string;
  /** First day on which it counts, in London. */
  readonly from: CivilDate;
  /** Last day on which it counts. */
  readonly to: CivilDate;
  /** First day on which it no longer counts, when it was withdrawn before its time. */
  readonly withdrawnOn?: CivilDate;
}

/** By attestation id. */
export type AttestationRegisterState = ReadonlyMap<string, Attestation>;

type AttestationEvent =
  RegistrationRecorded | CertificateRecorded | CertificateWithdrawn | IndependentTestRecorded | RestoreTested;

export const TEST_SCHEME = 'independent-test';
export const RESTORE_SCHEME = 'restore-test';

/** What was attested when. Time alone ends an attestation, so no event about its end is folded. */
export const attestationRegister: Register<AttestationEvent, AttestationRegisterState> = {
  name: 'attestations',
  streamPrefix: 'assurance-',
  initialState: new Map(),
  folds: {
    RegistrationRecorded: true,
    CertificateRecorded: true,
    CertificateWithdrawn: true,
    IndependentTestRecorded: true,
    RestoreTested: true,
  },
  evolve(state, event) {
    const attestation = evolveAttestation(state.get(event.data.attestationId), event);
    return attestation ? new Map(state).set(attestation.attestationId, attestation) : state;
  },
};

export function evolveAttestation(
  attestation: Attestation | undefined,
  event: AttestationEvent,
): Attestation | undefined {
  switch (event.type) {
    case 'RegistrationRecorded': {
      const { attestationId, scheme, reference, validFrom, validTo } = event.data;
      return { attestationId, kind: 'registration', scheme, number: reference, from: validFrom, to: validTo };
    }
    case 'CertificateRecorded': {
      const { attestationId, scheme, edition, number, validFrom, validTo } = event.data;
      return { attestationId, kind: 'certificate', scheme, edition, number, from: validFrom, to: validTo };
    }
    case 'CertificateWithdrawn':
      return attestation && { ...attestation, withdrawnOn: event.data.withdrawnOn };
    case 'IndependentTestRecorded': {
      const { attestationId, performedOn } = event.data;
      const to = lastDayOfTest(performedOn);
      return { attestationId, kind: 'independentTest', scheme: TEST_SCHEME, from: performedOn, to };
    }
    case 'RestoreTested': {
      const { attestationId, performedOn, outcome } = event.data;
      const to = lastDayOfTest(performedOn);
      // A restore that failed speaks for nothing.
      return outcome === 'passed'
        ? { attestationId, kind: 'restoreTest', scheme: RESTORE_SCHEME, from: performedOn, to }
        : attestation;
    }
  }
}

/** Whether it counts on that date in London: from its first to its last day, unless it was withdrawn. */
export function attestationInForce({ from, to, withdrawnOn }: Attestation, date: CivilDate): boolean {
  return from <= date && date <= to && (withdrawnOn === undefined || date < withdrawnOn);
}

/** The attestations that count on that date in London. */
export function attestationsAsOf(state: AttestationRegisterState, date: CivilDate): readonly Attestation[] {
  return [...state.values()].filter((attestation) => attestationInForce(attestation, date));
}

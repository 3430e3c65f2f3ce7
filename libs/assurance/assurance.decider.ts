import { londonDate } from '#calendar';
import { accept, canonicalJson, refuse, unchanged, type Decider, type Facts, type Outcome } from '#kernel';
import type {
  AssuranceCommand,
  CloseFinding,
  RaiseFinding,
  RecordCertificate,
  RecordIndependentTest,
  RecordRegistration,
  RecordRestoreTest,
  WithdrawCertificate,
} from './assurance.commands.js';
import type {
  AssuranceEvent,
  CertificateRecorded,
  FindingClosed,
  FindingRaised,
  IndependentTestRecorded,
  RegistrationRecorded,
  RestoreTested,
} from './assurance.events.js';
import { exceedsScheme, stepsOf } from './assurance.expiry.js';
import { evolveAttestation, type Attestation, type AttestationRegisterState } from './assurance.register.js';
import { groupMember, type GroupRegisterState } from './group.register.js';

/** The stream of one attestation. */
export const assuranceStream = (attestationId: string): string => `assurance-${attestationId}`;

type Recorded = RegistrationRecorded | CertificateRecorded | IndependentTestRecorded | RestoreTested;

export interface AssuranceState {
  readonly recorded?: Recorded;
  readonly attestation?: Attestation;
  readonly withdrawal?: { readonly withdrawnOn: string; readonly reasonCode: string };
  /** Days that were left at the last step on record, 0 when the end is. */
  readonly daysLeft: number;
  /** By finding id. */
  readonly findings: ReadonlyMap<
    string,
    { readonly raised: FindingRaised['data']; readonly closed?: FindingClosed['data'] }
  >;
}

export interface AssuranceFacts extends Facts {
  readonly attestations: AttestationRegisterState;
  readonly group: GroupRegisterState;
}

/** Registrations, certificates, independent tests and tested restores, and what follows from each (C03, C08 to C10). */
export const assuranceDecider: Decider<AssuranceCommand, AssuranceEvent, AssuranceState, AssuranceFacts> = {
  initialState: { daysLeft: Infinity, findings: new Map() },
  folds: {
    RegistrationRecorded: true,
    RegistrationExpiring: true,
    RegistrationExpired: true,
    CertificateRecorded: true,
    CertificateWithdrawn: true,
    CertificateExpiring: true,
    CertificateExpired: true,
    IndependentTestRecorded: true,
    IndependentTestStale: true,
    RestoreTested: true,
    RestoreTestStale: true,
    FindingRaised: true,
    FindingClosed: true,
  },
  evolve(state, event) {
    switch (event.type) {
      case 'RegistrationRecorded':
      case 'CertificateRecorded':
      case 'IndependentTestRecorded':
      case 'RestoreTested':
        return { ...state, recorded: event, ...withAttestation(evolveAttestation(undefined, event)) };
      case 'CertificateWithdrawn': {
        const { withdrawnOn, reasonCode } = event.data;
        const attestation = evolveAttestation(state.attestation, event);
        return { ...state, ...withAttestation(attestation), withdrawal: { withdrawnOn, reasonCode } };
      }
      case 'RegistrationExpiring':
      case 'CertificateExpiring':
        return { ...state, daysLeft: event.data.daysLeft };
      case 'RegistrationExpired':
      case 'CertificateExpired':
      case 'IndependentTestStale':
      case 'RestoreTestStale':
        return { ...state, daysLeft: 0 };
      case 'FindingRaised':
        return withFinding(state, event.data.findingId, { raised: event.data });
      case 'FindingClosed': {
        const finding = state.findings.get(event.data.findingId);
        return finding ? withFinding(state, event.data.findingId, { ...finding, closed: event.data }) : state;
      }
    }
  },
  decide(command, state, facts) {
    switch (command.type) {
      case 'RecordRegistration':
        return recordRegistration(command, state, facts);
      case 'RecordCertificate':
        return recordCertificate(command, state, facts);
      case 'RecordIndependentTest':
        return recordTest(command, state, facts);
      case 'RecordRestoreTest':
        return recordRestoreTest(command, state, facts);
      case 'WithdrawCertificate':
        return withdraw(command, state);
      case 'RaiseFinding':
        return raise(command, state);
      case 'CloseFinding':
        return close(command, state);
      case 'CheckAttestation':
        return check(state, facts);
    }
  },
};

const withAttestation = (attestation: Attestation | undefined) => (attestation ? { attestation } : {});

function withFinding(
  state: AssuranceState,
  findingId: string,
  finding: { readonly raised: FindingRaised['data']; readonly closed?: FindingClosed['data'] },
): AssuranceState {
  return { ...state, findings: new Map(state.findings).set(findingId, finding) };
}

/** A repeat of what is on record changes nothing; another content under the id is refused. */
function onRecord(event: Recorded, { recorded }: AssuranceState): Outcome<AssuranceEvent> | undefined {
  if (!recorded) return undefined;
  return recorded.type === event.type && canonicalJson(recorded.data) === canonicalJson(event.data)
    ? unchanged
    : refuse('REGISTER_ENTRY_EXISTS', { attestationId: event.data.attestationId });
}

/** I-10a: what lasts twelve months lasts no longer, and one number stands for one certificate at a time. */
function implausible(
  { attestationId, scheme, number, validFrom, validTo }: PeriodOfValidity,
  { attestations }: AssuranceFacts,
): Outcome<AssuranceEvent> | undefined {
  if (exceedsScheme(scheme, validFrom, validTo))
    return refuse('ATTESTATION_PERIOD_EXCEEDED', { attestationId, scheme, field: 'validTo' });
  const overlapped = [...attestations.values()].find(
    (each) =>
      each.attestationId !== attestationId &&
      each.scheme === scheme &&
      each.number === number &&
      each.from <= validTo &&
      validFrom <= each.to &&
      (each.withdrawnOn === undefined || validFrom < each.withdrawnOn),
  );
  return overlapped && refuse('REGISTER_ENTRY_EXISTS', { attestationId: overlapped.attestationId, field: 'validFrom' });
}

interface PeriodOfValidity {
  readonly attestationId: string;
  readonly scheme: string;
  readonly number: string;
  readonly validFrom: string;
  readonly validTo: string;
}

function recordRegistration(
  command: RecordRegistration,
  state: AssuranceState,
  facts: AssuranceFacts,
): Outcome<AssuranceEvent> {
  const { attestationId, scheme, reference, tier, validFrom, validTo } = command;
  const event: RegistrationRecorded = {
    type: 'RegistrationRecorded',
    data: { attestationId, scheme, reference, tier, validFrom, validTo },
  };
  return onRecord(event, state) ?? implausible({ ...event.data, number: reference }, facts) ?? accept(event);
}

function recordCertificate(
  command: RecordCertificate,
  state: AssuranceState,
  facts: AssuranceFacts,
): Outcome<AssuranceEvent> {
  const { attestationId, scheme, edition, body, number, scope, validFrom, validTo, documentHash } = command;
  const event: CertificateRecorded = {
    type: 'CertificateRecorded',
    data: { attestationId, scheme, edition, body, number, scope, validFrom, validTo, documentHash },
  };
  return onRecord(event, state) ?? implausible(event.data, facts) ?? accept(event);
}

function recordTest(
  command: RecordIndependentTest,
  state: AssuranceState,
  facts: AssuranceFacts,
): Outcome<AssuranceEvent> {
  const { attestationId, testKind, tester, testerCompanyNumber, scope, performedOn, reportHash } = command;
  const event: IndependentTestRecorded = {
    type: 'IndependentTestRecorded',
    data: { attestationId, testKind, tester, testerCompanyNumber, scope, performedOn, reportHash },
  };
  const repeated = onRecord(event, state);
  if (repeated) return repeated;
  if (performedOn > londonDate(facts.now)) return refuse('OCCURRED_IN_FUTURE', { field: 'performedOn' });
  const member = groupMember(facts.group, { name: tester, companyNumber: testerCompanyNumber }, performedOn);
  return member === undefined
    ? accept(event)
    : refuse('TESTER_NOT_INDEPENDENT', { attestationId, recipientId: member, performedOn });
}

/** What passed gave back what there was: nothing else is a test that passed (I-08b). */
function recordRestoreTest(
  command: RecordRestoreTest,
  state: AssuranceState,
  facts: AssuranceFacts,
): Outcome<AssuranceEvent> {
  const { attestationId, backupHash, environment, performedOn, outcome, digestBefore, digestAfter } = command;
  const event: RestoreTested = {
    type: 'RestoreTested',
    data: {
      ...{ attestationId, backupHash, environment, performedOn, outcome },
      ...(digestBefore !== undefined && { digestBefore }),
      ...(digestAfter !== undefined && { digestAfter }),
      durationSeconds: command.durationSeconds,
    },
  };
  const repeated = onRecord(event, state);
  if (repeated) return repeated;
  if (performedOn > londonDate(facts.now)) return refuse('OCCURRED_IN_FUTURE', { field: 'performedOn' });
  return outcome === 'passed' && (digestBefore === undefined || digestBefore !== digestAfter)
    ? refuse('RESTORE_NOT_SHOWN', { attestationId, field: digestAfter === undefined ? 'digestAfter' : 'digestBefore' })
    : accept(event);
}

function withdraw(command: WithdrawCertificate, { recorded, withdrawal }: AssuranceState): Outcome<AssuranceEvent> {
  const { attestationId, withdrawnOn, reasonCode } = command;
  if (recorded?.type !== 'CertificateRecorded') return refuse('REGISTER_ENTRY_UNKNOWN', { attestationId });
  if (!withdrawal) return accept({ type: 'CertificateWithdrawn', data: { attestationId, withdrawnOn, reasonCode } });
  return withdrawal.withdrawnOn === withdrawnOn && withdrawal.reasonCode === reasonCode
    ? unchanged
    : refuse('VERSION_CONFLICT', { attestationId, withdrawnOn: withdrawal.withdrawnOn });
}

function raise(command: RaiseFinding, { recorded, findings }: AssuranceState): Outcome<AssuranceEvent> {
  const { attestationId, findingId, severity, dueOn } = command;
  if (!recorded) return refuse('REGISTER_ENTRY_UNKNOWN', { attestationId });
  const data = { attestationId, findingId, severity, ...(dueOn !== undefined && { dueOn }) };
  const known = findings.get(findingId);
  if (!known) return accept({ type: 'FindingRaised', data });
  return canonicalJson(known.raised) === canonicalJson(data)
    ? unchanged
    : refuse('REGISTER_ENTRY_EXISTS', { attestationId, findingId });
}

function close(command: CloseFinding, { findings }: AssuranceState): Outcome<AssuranceEvent> {
  const { attestationId, findingId, closure, evidenceHash } = command;
  const known = findings.get(findingId);
  if (!known) return refuse('REGISTER_ENTRY_UNKNOWN', { attestationId, findingId });
  const data = { attestationId, findingId, closure, ...(evidenceHash !== undefined && { evidenceHash }) };
  if (!known.closed) return accept({ type: 'FindingClosed', data });
  return canonicalJson(known.closed) === canonicalJson(data)
    ? unchanged
    : refuse('VERSION_CONFLICT', { attestationId, findingId });
}

/** The last step that was reached, unless it is on record: what was passed over while nobody looked is not made up. */
function check({ attestation, withdrawal, daysLeft }: AssuranceState, facts: AssuranceFacts): Outcome<AssuranceEvent> {
  if (!attestation || withdrawal) return unchanged;
  const { attestationId, kind, from, to } = attestation;
  const step = stepsOf(kind, to).findLast(({ at }) => at <= facts.now);
  if (!step || step.daysLeft >= daysLeft) return unchanged;
  const expiring = { attestationId, validTo: to, daysLeft: step.daysLeft };
  const expired = { attestationId, validTo: to };
  switch (kind) {
    case 'registration':
      return step.daysLeft === 0
        ? accept({ type: 'RegistrationExpired', data: expired })
        : accept({ type: 'RegistrationExpiring', data: expiring });
    case 'certificate':
      return step.daysLeft === 0
        ? accept({ type: 'CertificateExpired', data: expired })
        : accept({ type: 'CertificateExpiring', data: expiring });
    case 'independentTest':
      return accept({ type: 'IndependentTestStale', data: { attestationId, performedOn: from } });
    case 'restoreTest':
      return accept({ type: 'RestoreTestStale', data: { attestationId, performedOn: from } });
  }
}

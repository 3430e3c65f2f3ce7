import { insert, update, type CivilDate, type Projection } from '#kernel';
import type { AssuranceEvent } from './assurance.events.js';
import { lastDayOfTest, nextStep, type AttestationKind } from './assurance.expiry.js';
import { RESTORE_SCHEME, TEST_SCHEME, type Attestation } from './assurance.register.js';

/**
 * `AssuranceRegister`: what is attested by whom, for how long, and which findings are open (C03, C08 to C10).
 *
 * A row holds dates, not a status: what it is worth follows from them at any time, whether an event has come or not.
 */
export const assuranceProjection: Projection<AssuranceEvent> = {
  name: 'assurance',
  version: 2,
  tables: {
    attestations: {
      columns: {
        attestation_id: 'text',
        kind: 'text',
        scheme: 'text',
        edition: 'text?',
        /** Certification body or tester; for a registration the register's own is understood. */
        body: 'text?',
        body_company_number: 'text?',
        number: 'text?',
        tier: 'integer?',
        test_kind: 'text?',
        scope: 'text?',
        valid_from: 'text',
        /** Last day on which it counts. */
        valid_to: 'text',
        withdrawn_on: 'text?',
        withdrawn_for: 'text?',
        document_hash: 'text?',
        /** Days that were left at the last warning; 0 when its end is on record. */
        days_left: 'integer?',
        /** When it is to be looked at next. */
        check_due: 'text?',
        recorded_by: 'text',
        recorded_at: 'text',
        event_id: 'text',
        position: 'integer',
      },
      key: ['attestation_id'],
      indexes: [['check_due'], ['scheme']],
      history: true,
    },
    findings: {
      columns: {
        attestation_id: 'text',
        finding_id: 'text',
        severity: 'text',
        raised_at: 'text',
        due_on: 'text?',
        closed_at: 'text?',
        closure: 'text?',
        evidence_hash: 'text?',
        event_id: 'text',
        position: 'integer',
      },
      key: ['attestation_id', 'finding_id'],
      history: true,
    },
  },
  handles: {
    RegistrationRecorded: ({ data, ...event }) => [
      insert('attestations', {
        ...begun('registration', data.attestationId, data.scheme, data.validFrom, data.validTo, event),
        number: data.reference,
        tier: data.tier,
      }),
    ],
    CertificateRecorded: ({ data, ...event }) => [
      insert('attestations', {
        ...begun('certificate', data.attestationId, data.scheme, data.validFrom, data.validTo, event),
        edition: data.edition,
        body: data.body,
        number: data.number,
        scope: data.scope,
        document_hash: data.documentHash,
      }),
    ],
    IndependentTestRecorded: ({ data, ...event }) => [
      insert('attestations', {
        ...begun(
          'independentTest',
          data.attestationId,
          TEST_SCHEME,
          data.performedOn,
          lastDayOfTest(data.performedOn),
          event,
        ),
        body: data.tester,
        body_company_number: data.testerCompanyNumber,
        test_kind: data.testKind,
        scope: data.scope,
        document_hash: data.reportHash,
      }),
    ],
    RestoreTested: ({ data, ...event }) =>
      data.outcome === 'failed'
        ? []
        : [
            insert('attestations', {
              ...begun(
                'restoreTest',
                data.attestationId,
                RESTORE_SCHEME,
                data.performedOn,
                lastDayOfTest(data.performedOn),
                event,
              ),
              scope: data.environment,
              document_hash: data.backupHash,
            }),
          ],
    CertificateWithdrawn: ({ data }) => [
      update(
        'attestations',
        { attestation_id: data.attestationId },
        { withdrawn_on: data.withdrawnOn, withdrawn_for: data.reasonCode, check_due: null },
      ),
    ],
    RegistrationExpiring: ({ data }) => [warned('registration', data)],
    CertificateExpiring: ({ data }) => [warned('certificate', data)],
    RegistrationExpired: ({ data }) => [over(data.attestationId)],
    CertificateExpired: ({ data }) => [over(data.attestationId)],
    IndependentTestStale: ({ data }) => [over(data.attestationId)],
    RestoreTestStale: ({ data }) => [over(data.attestationId)],
    FindingRaised: ({ data, occurredAt, id, position }) => [
      insert('findings', {
        attestation_id: data.attestationId,
        finding_id: data.findingId,
        severity: data.severity,
        raised_at: occurredAt,
        due_on: data.dueOn ?? null,
        closed_at: null,
        closure: null,
        evidence_hash: null,
        event_id: id,
        position,
      }),
    ],
    FindingClosed: ({ data, occurredAt }) => [
      update(
        'findings',
        { attestation_id: data.attestationId, finding_id: data.findingId },
        { closed_at: occurredAt, closure: data.closure, evidence_hash: data.evidenceHash ?? null },
      ),
    ],
  },
};

/** A row of `attestations` as far as claims rest on it. */
export interface AttestationRow {
  readonly attestation_id: string;
  readonly kind: AttestationKind;
  readonly scheme: string;
  readonly edition: string | null;
  readonly valid_from: CivilDate;
  readonly valid_to: CivilDate;
  readonly withdrawn_on: CivilDate | null;
}

/** The row as the rules about claims know it. */
export function attestationIn(row: AttestationRow): Attestation {
  return {
    attestationId: row.attestation_id,
    kind: row.kind,
    scheme: row.scheme,
    ...(row.edition !== null && { edition: row.edition }),
    from: row.valid_from,
    to: row.valid_to,
    ...(row.withdrawn_on !== null && { withdrawnOn: row.withdrawn_on }),
  };
}

function begun(
  kind: AttestationKind,
  attestationId: string,
  scheme: string,
  validFrom: CivilDate,
  validTo: CivilDate,
  event: { readonly actorId: string; readonly occurredAt: string; readonly id: string; readonly position: number },
) {
  return {
    attestation_id: attestationId,
    kind,
    scheme,
    edition: null,
    body: null,
    body_company_number: null,
    number: null,
    tier: null,
    test_kind: null,
    scope: null,
    valid_from: validFrom,
    valid_to: validTo,
    withdrawn_on: null,
    withdrawn_for: null,
    document_hash: null,
    days_left: null,
    check_due: nextStep(kind, validTo),
    recorded_by: event.actorId,
    recorded_at: event.occurredAt,
    event_id: event.id,
    position: event.position,
  };
}

function warned(
  kind: AttestationKind,
  data: { readonly attestationId: string; readonly validTo: CivilDate; readonly daysLeft: number },
) {
  return update(
    'attestations',
    { attestation_id: data.attestationId },
    { days_left: data.daysLeft, check_due: nextStep(kind, data.validTo, data.daysLeft) },
  );
}

const over = (attestationId: string) =>
  update('attestations', { attestation_id: attestationId }, { days_left: 0, check_due: null });

import { describe, expect, it } from '@jest/globals';
import type { Row } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { readCommand } from '#slice';
import { assuranceCapability } from './assurance.capability.js';
import {
  CheckAttestation,
  CloseFinding,
  RaiseFinding,
  RecordCertificate,
  RecordIndependentTest,
  RecordRegistration,
  RecordRestoreTest,
  WithdrawCertificate,
} from './assurance.commands.js';
import { assuranceExpiryPolicy } from './assurance.policy.js';
import { assuranceProjection, attestationIn, type AttestationRow } from './assurance.projection.js';
import { evolveAttestation } from './assurance.register.js';
import { restoreLogProjection } from './restore-log.projection.js';

const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
const hash = 'a'.repeat(64);
const fee = { attestationId: 'fee', scheme: 'ico-dp-fee', reference: 'ZA000001', tier: 2 };
const registration = { ...fee, validFrom: '2026-01-01', validTo: '2026-12-31' };
const certificate = {
  attestationId: 'isms',
  scheme: 'iso-27001',
  edition: '2022',
  body: 'Example Certification Ltd',
  number: 'EX-1',
  scope: 'Charts.',
  validFrom: '2025-06-01',
  validTo: '2028-05-31',
  documentHash: hash,
};
const pentest = {
  attestationId: 'pentest',
  testKind: 'penetrationTest',
  tester: 'Example Testers Ltd',
  testerCompanyNumber: 'EX 900001',
  scope: 'The portal.',
  performedOn: '2026-03-31',
  reportHash: hash,
};
const restore = {
  attestationId: 'restore',
  backupHash: hash,
  environment: 'temporaryFolder',
  performedOn: '2026-03-31',
  outcome: 'passed',
  digestBefore: hash,
  digestAfter: hash,
  durationSeconds: 90,
};
const finding = { attestationId: 'pentest', findingId: 'F-1', severity: 'high', dueOn: '2026-05-01' };

describe('bodies of commands', () => {
  it.each([
    [RecordRegistration, registration],
    [RecordCertificate, certificate],
    [WithdrawCertificate, { attestationId: 'isms', withdrawnOn: '2027-01-01', reasonCode: 'scopeChanged' }],
    [RecordIndependentTest, pentest],
    [RecordRestoreTest, restore],
    [RecordRestoreTest, { ...restore, outcome: 'failed', digestBefore: undefined, digestAfter: undefined }],
    [RaiseFinding, finding],
    [CloseFinding, { attestationId: 'pentest', findingId: 'F-1', closure: 'remedied', evidenceHash: hash }],
    [CheckAttestation, { attestationId: 'isms' }],
  ])('are read (%#)', async (command, body) =>
    expect(await readCommand(command as typeof CheckAttestation, { commandId, ...body })).toMatchObject(body),
  );

  it.each<readonly [string, unknown, object]>([
    ['attestationId', CheckAttestation, { attestationId: 'Not an id' }],
    ['validTo', RecordRegistration, { ...registration, validTo: '2025-12-31' }],
    ['validTo', RecordRegistration, { ...registration, validTo: '2026-02-30' }],
    ['scheme', RecordRegistration, { ...registration, scheme: 'club' }],
    ['tier', RecordRegistration, { ...registration, tier: 4 }],
    ['validTo', RecordCertificate, { ...certificate, validTo: '2025-05-31' }],
    ['edition', RecordCertificate, { ...certificate, edition: '' }],
    ['body', RecordCertificate, { ...certificate, body: ' ' }],
    ['documentHash', RecordCertificate, { ...certificate, documentHash: 'A'.repeat(64) }],
    ['testKind', RecordIndependentTest, { ...pentest, testKind: 'glance' }],
    ['testerCompanyNumber', RecordIndependentTest, { ...pentest, testerCompanyNumber: undefined }],
    ['performedOn', RecordIndependentTest, { ...pentest, performedOn: 'yesterday' }],
    ['environment', RecordRestoreTest, { ...restore, environment: 'my desk' }],
    ['outcome', RecordRestoreTest, { ...restore, outcome: 'nearly' }],
    ['durationSeconds', RecordRestoreTest, { ...restore, durationSeconds: 604_801 }],
    ['backupHash', RecordRestoreTest, { ...restore, backupHash: undefined }],
    ['severity', RaiseFinding, { ...finding, severity: 'odd' }],
    ['closure', CloseFinding, { attestationId: 'pentest', findingId: 'F-1', closure: 'forgotten' }],
  ])('are not read: %s (%#)', async (field, command, body) => {
    await expect(readCommand(command as typeof CheckAttestation, { commandId, ...body })).rejects.toThrow(`${field} (`);
  });
});

describe('AssuranceRegister', () => {
  const story = (...events: readonly (readonly [at: string, type: string, data: object])[]) => {
    const log = logbook();
    for (const [at, type, data] of events) log.at(at, { type, data });
    return tablesOf(assuranceProjection, log.events);
  };
  const certified = ['2026-01-01T09:00:00Z', 'CertificateRecorded', certificate] as const;
  const tested = ['2026-04-10T09:00:00Z', 'IndependentTestRecorded', pentest] as const;

  it('shows what is attested, from when to when, and when it is to be looked at', () => {
    const [isms] = story(certified)['attestations']!;
    expect(isms).toMatchObject({
      attestation_id: 'isms',
      kind: 'certificate',
      scheme: 'iso-27001',
      edition: '2022',
      body: 'Example Certification Ltd',
      number: 'EX-1',
      scope: 'Charts.',
      valid_from: '2025-06-01',
      valid_to: '2028-05-31',
      withdrawn_on: null,
      document_hash: hash,
      days_left: null,
      check_due: '2028-03-02T00:00:00.000Z',
      recorded_by: 'crm',
    });
    const [pen] = story(tested)['attestations']!;
    expect(pen).toMatchObject({
      scheme: 'independent-test',
      body: 'Example Testers Ltd',
      valid_to: '2027-03-31',
      check_due: '2027-03-31T23:00:00.000Z',
    });
    const [entry] = story(['2026-01-01T09:00:00Z', 'RegistrationRecorded', registration])['attestations']!;
    expect(entry).toMatchObject({ number: 'ZA000001', tier: 2, check_due: '2026-11-01T00:00:00.000Z' });
  });

  it('is looked at for the next step after each, until there is none', () => {
    const due = (...more: readonly (readonly [string, string, object])[]) =>
      story(certified, ...more)['attestations']![0]!['check_due'];
    const expiring = (daysLeft: number) =>
      [
        '2028-03-02T00:00:00Z',
        'CertificateExpiring',
        { attestationId: 'isms', validTo: '2028-05-31', daysLeft },
      ] as const;
    expect(due(expiring(90))).toBe('2028-04-30T23:00:00.000Z');
    expect(due(expiring(30))).toBe('2028-05-23T23:00:00.000Z');
    expect(due(expiring(7))).toBe('2028-05-31T23:00:00.000Z');
    expect(
      due(['2028-06-01T00:00:00Z', 'CertificateExpired', { attestationId: 'isms', validTo: '2028-05-31' }]),
    ).toBeNull();
    const end = { attestationId: 'isms', withdrawnOn: '2027-01-01', reasonCode: 'a' };
    expect(due(['2026-06-01T00:00:00Z', 'CertificateWithdrawn', end])).toBeNull();
  });

  it('says of an attestation what the register says', () => {
    const { attestations } = story(certified);
    const { number: _number, ...known } = evolveAttestation(undefined, {
      type: 'CertificateRecorded',
      data: certificate,
    })!;
    expect(attestationIn(attestations![0] as unknown as AttestationRow)).toEqual(known);
  });

  it('shows findings until they are closed and after', () => {
    const raised = ['2026-04-11T09:00:00Z', 'FindingRaised', finding] as const;
    const closing = { attestationId: 'pentest', findingId: 'F-1', closure: 'remedied' };
    expect(story(tested, raised)['findings']).toMatchObject([
      { severity: 'high', due_on: '2026-05-01', closed_at: null },
    ]);
    expect(story(tested, raised, ['2026-04-20T09:00:00Z', 'FindingClosed', closing])['findings']).toMatchObject([
      { finding_id: 'F-1', closed_at: '2026-04-20T09:00:00.000Z', closure: 'remedied', evidence_hash: null },
    ]);
  });

  it('hands what is due to the steward, whose command can be read', async () => {
    const [row] = story(certified)['attestations'] as readonly [Row];
    const { type, body } = assuranceExpiryPolicy.command([row]);
    expect(await readCommand(CheckAttestation, { commandId, ...body })).toMatchObject({ type, attestationId: 'isms' });
    expect(assuranceExpiryPolicy.dueColumn).toBe('check_due');
  });
});

describe('RestoreLog', () => {
  const rowsOf = (...events: readonly (readonly [type: string, data: object])[]) => {
    const log = logbook();
    for (const [type, data] of events) log.at('2026-04-01T09:00:00Z', { type, data });
    return {
      tests: tablesOf(restoreLogProjection, log.events)['restore_tests']!,
      attestations: tablesOf(assuranceProjection, log.events)['attestations']!,
    };
  };
  it('has a row for a test that passed, which is an attestation until it is stale', () => {
    const { tests, attestations } = rowsOf(['RestoreTested', restore]);
    expect(tests).toMatchObject([{ outcome: 'passed', digests_equal: 1, valid_to: '2027-03-31', stale_at: null }]);
    expect(attestations).toMatchObject([
      { kind: 'restoreTest', scope: 'temporaryFolder', document_hash: hash, check_due: '2027-03-31T23:00:00.000Z' },
    ]);
    const later = rowsOf(['RestoreTested', restore], ['RestoreTestStale', { attestationId: 'restore' }]);
    expect(later.tests).toMatchObject([{ stale_at: '2026-04-01T09:00:00.000Z' }]);
    expect(later.attestations).toMatchObject([{ check_due: null }]);
  });
  it('has a row for a test that failed, which is none', () => {
    const failed = { ...restore, outcome: 'failed', digestAfter: 'b'.repeat(64) };
    const { tests, attestations } = rowsOf(['RestoreTested', failed]);
    expect(tests).toMatchObject([{ outcome: 'failed', digests_equal: 0, valid_to: null }]);
    expect(attestations).toEqual([]);
    const { digestBefore: _before, digestAfter: _after, ...nothing } = failed;
    expect(rowsOf(['RestoreTested', nothing]).tests).toMatchObject([
      { digests_equal: 0, digest_before: null, digest_after: null },
    ]);
  });
});

it('decides in the stream of the attestation', () => {
  const [slice] = assuranceCapability.slices;
  for (const { command } of slice!.commands)
    expect(slice!.stream(Object.assign(new command(), { attestationId: 'isms' }))).toBe('assurance-isms');
  expect(slice!.commands.find(({ command }) => command === CheckAttestation)?.roles).toEqual(['system']);
});

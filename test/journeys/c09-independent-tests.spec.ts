import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import { completeNotice, DOCUMENT, fresh, refuses, said, STEWARD } from './life.js';

/** C09: people from outside the group test the protection, and what they find is followed up. */
describe('independent testing', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const testBy = (attestationId: string, tester: string, testerCompanyNumber: string): object => ({
    attestationId,
    testKind: 'penetrationTest',
    tester,
    testerCompanyNumber,
    scope: 'The customer portal and what stands behind it.',
    performedOn: '2026-11-20',
    reportHash: DOCUMENT,
  });

  it('takes a test only from outside the group, and lets it speak for twelve months', async () => {
    const attestationId = fresh('pentest');
    for (const [tester, number] of [
      ['Harbour Security', 'EX000002'],
      ['Example Harbour Charts Ltd (fictional)', 'EX777777'],
    ] as const)
      await refuses(
        custos,
        'dpo',
        'RecordIndependentTest',
        testBy(attestationId, tester, number),
        said('TESTER_NOT_INDEPENDENT', 'C09', 'UK GDPR Art 32(1)(d)', {
          attestationId,
          recipientId: 'example-harbour-charts',
          performedOn: '2026-11-20',
        }),
      );

    const noticeId = fresh('tested');
    const claiming = completeNotice(
      noticeId,
      1,
      [{ purposeId: 'service-account' }],
      'Our protection is independently tested.',
    );
    const unbacked = (version: number) =>
      said('CLAIM_UNBACKED', 'C03 C09 C10', 'UK GDPR Art 5(1)(a)', { noticeId, version, claims: ['independent-test'] });
    await refuses(custos, 'dpo', 'PublishNotice', claiming, unbacked(1));

    await custos.accepted('dpo', 'RecordIndependentTest', testBy(attestationId, 'Example Testers Ltd', 'EX900001'));
    const { position } = await custos.accepted('dpo', 'PublishNotice', claiming);
    const claim = async () => (await custos.get('auditor', `/v1/claims?noticeId=${noticeId}`, position)).body.claims[0];
    expect(await claim()).toMatchObject({ status: 'valid', attestationId, validTo: '2027-11-20' });

    await custos.advanceTo('2027-11-20T23:59:59Z');
    expect(await claim()).toMatchObject({ status: 'valid' });
    await custos.advanceTo('2027-11-21T00:00:00Z');
    expect(await claim()).toMatchObject({ status: 'stale', attestationId });
    await refuses(custos, 'dpo', 'PublishNotice', { ...claiming, version: 2 }, unbacked(2));
    await custos.eventually(
      () => custos.get('auditor', `/v1/registers/attestations?attestation_id=${attestationId}`),
      ({ body }) => body.rows[0].days_left === 0,
      STEWARD,
    );
  }, 60_000);

  it('follows up what was found', async () => {
    const attestationId = fresh('pentest');
    const finding = { attestationId, findingId: 'F-1', severity: 'high', dueOn: '2027-01-31' };
    const unknown = said('REGISTER_ENTRY_UNKNOWN', '', 'engine rule', { attestationId });
    await refuses(custos, 'dpo', 'RaiseFinding', finding, unknown);
    await custos.accepted('dpo', 'RecordIndependentTest', testBy(attestationId, 'Example Testers Ltd', 'EX900001'));
    const raised = await custos.accepted('dpo', 'RaiseFinding', finding);
    const rows = async (position: number) =>
      (await custos.get('auditor', `/v1/registers/findings?attestation_id=${attestationId}`, position)).body.rows;
    expect(await rows(raised.position)).toMatchObject([{ finding_id: 'F-1', severity: 'high', closed_at: null }]);
    const closing = { attestationId, findingId: 'F-1', closure: 'remedied', evidenceHash: DOCUMENT };
    const closed = await custos.accepted('dpo', 'CloseFinding', closing);
    expect(await rows(closed.position)).toMatchObject([{ closure: 'remedied', evidence_hash: DOCUMENT }]);
  });

  it('is recorded by those who keep the register, after it was done', async () => {
    const attestationId = fresh('pentest');
    const test = testBy(attestationId, 'Example Testers Ltd', 'EX900001');
    await refuses(
      custos,
      'support',
      'RecordIndependentTest',
      test,
      said('FORBIDDEN', 'C08 C15', 'UK GDPR Art 32', { command: 'RecordIndependentTest' }),
    );
    await refuses(
      custos,
      'dpo',
      'RecordIndependentTest',
      { ...test, performedOn: '2030-01-01' },
      said('OCCURRED_IN_FUTURE', '', 'engine rule', { field: 'performedOn' }),
    );
  });
});

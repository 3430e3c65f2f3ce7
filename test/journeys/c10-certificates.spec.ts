import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import { completeNotice, DOCUMENT, fresh, refuses, said, STEWARD } from './life.js';

/** C10: certificates are current, and only editions in force are named. */
describe('certificates', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const certificate = (attestationId: string, more: object = {}): object => ({
    attestationId,
    scheme: 'iso-27001',
    edition: '2022',
    body: 'Example Certification Ltd (fictional)',
    number: `EX-${attestationId}`,
    scope: 'Production and support of charts.',
    validFrom: '2025-06-01',
    validTo: '2028-05-31',
    documentHash: DOCUMENT,
    ...more,
  });
  const notice = (noticeId: string, version: number, also: string) =>
    completeNotice(noticeId, version, [{ purposeId: 'service-account' }], also);
  const claimsOf = async (noticeId: string, position?: number) =>
    (await custos.get('auditor', `/v1/claims?noticeId=${noticeId}`, position)).body.claims;

  it('keeps a certificate of a withdrawn edition as history and lets nobody claim it anew', async () => {
    const attestationId = fresh('isms-2013');
    await custos.accepted(
      'dpo',
      'RecordCertificate',
      certificate(attestationId, { edition: '2013', validFrom: '2024-06-01', validTo: '2027-05-31' }),
    );
    const noticeId = fresh('certified');
    const old = {
      ...notice(noticeId, 1, 'We are certified to ISO/IEC 27001:2013.'),
      effectiveFrom: '2024-07-01T00:00:00Z',
    };
    const { position } = await custos.accepted('dpo', 'PublishNotice', old);
    expect(await claimsOf(noticeId, position)).toMatchObject([
      {
        claimId: 'iso-27001:2013',
        status: 'superseded',
        why: 'withdrawnEdition',
        attestationId,
        validTo: '2027-05-31',
      },
    ]);
    await refuses(
      custos,
      'dpo',
      'PublishNotice',
      notice(noticeId, 2, 'We are still certified to ISO/IEC 27001:2013.'),
      said('CLAIM_SUPERSEDED', 'C03 C10', 'UK GDPR Art 5(1)(a)', { noticeId, version: 2, claims: ['iso-27001:2013'] }),
    );
    await custos.accepted('dpo', 'PublishNotice', notice(noticeId, 2, 'We have left ISO certification behind.'));
  });

  it('lets the living edition be claimed until the certificate is withdrawn', async () => {
    const [attestationId, noticeId] = [fresh('isms'), fresh('certified')];
    await custos.accepted('dpo', 'RecordCertificate', certificate(attestationId));
    await refuses(
      custos,
      'dpo',
      'RecordCertificate',
      certificate(fresh('isms'), { number: `EX-${attestationId}` }),
      said('REGISTER_ENTRY_EXISTS', '', 'engine rule', { attestationId, field: 'validFrom' }),
    );
    const claiming = notice(noticeId, 1, 'We are certified to ISO/IEC 27001:2022.');
    await custos.accepted('dpo', 'PublishNotice', claiming);
    const withdrawal = { attestationId, withdrawnOn: '2026-11-23', reasonCode: 'scopeChanged' };
    const { position } = await custos.accepted('dpo', 'WithdrawCertificate', withdrawal);
    expect(await claimsOf(noticeId, position)).toMatchObject([
      { status: 'expired', attestationId, validTo: '2026-11-22' },
    ]);
    await refuses(
      custos,
      'dpo',
      'PublishNotice',
      { ...claiming, version: 2 },
      said('CLAIM_UNBACKED', 'C03 C09 C10', 'UK GDPR Art 5(1)(a)', {
        noticeId,
        version: 2,
        claims: ['iso-27001:2022'],
      }),
    );
    const before = await custos.get(
      'auditor',
      `/v1/registers/attestations?attestation_id=${attestationId}&asOf=2020-01-01T00:00:00Z`,
    );
    expect(before.body.rows).toEqual([]);
  });

  it('warns before a certificate ends, each time once, also over a restart', async () => {
    const attestationId = fresh('ce');
    const ce = certificate(attestationId, {
      scheme: 'cyber-essentials',
      edition: 'v3.3',
      validFrom: '2026-06-01',
      validTo: '2027-05-31',
    });
    await refuses(
      custos,
      'dpo',
      'RecordCertificate',
      { ...ce, validTo: '2027-06-02' },
      said('ATTESTATION_PERIOD_EXCEEDED', 'C03 C10', 'UK GDPR Art 5(2)', {
        attestationId,
        scheme: 'cyber-essentials',
        field: 'validTo',
      }),
    );
    await custos.accepted('dpo', 'RecordCertificate', ce);
    const daysLeft = (wanted: number) =>
      custos.eventually(
        () => custos.get('auditor', `/v1/registers/attestations?attestation_id=${attestationId}`),
        ({ body }) => body.rows[0]?.days_left === wanted,
        STEWARD,
      );
    await custos.advanceTo('2027-03-02T00:00:00Z');
    await daysLeft(90);
    await custos.kill();
    await custos.launch('2027-05-24T00:00:00Z');
    await daysLeft(7);
    await custos.advanceTo('2027-05-31T23:00:00Z');
    const last = await daysLeft(0);
    // One more look of the steward changes nothing.
    const { body } = await custos.get('auditor', `/v1/registers/attestations?attestation_id=${attestationId}`);
    expect(body.rows).toEqual(last.body.rows);
    expect(body.rows[0]).toMatchObject({ check_due: null, days_left: 0 });
  }, 90_000);
});

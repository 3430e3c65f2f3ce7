import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { COMPANY_POLICY, describeWithData } from '../data.js';
import { Installation } from '../installation.js';
import { completeNotice, fresh, refuses, said, STEWARD } from './life.js';

interface ClaimRow {
  readonly claimId: string;
  readonly text: string;
  readonly status: string;
  readonly attestationId?: string;
  readonly validTo?: string;
  readonly flagged?: string;
  readonly version: number;
}

/** C03: what is said in public is true today, or it is not said anew. */
describe('public claims', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const claimsOf = async (noticeId: string, asOf?: string, position?: number): Promise<readonly ClaimRow[]> => {
    const when = asOf === undefined ? '' : `&asOf=${asOf}`;
    const { status, body } = await custos.get('auditor', `/v1/claims?noticeId=${noticeId}${when}`, position);
    expect(status).toBe(200);
    return body.claims;
  };

  describeWithData('the company’s own text', COMPANY_POLICY, (content) => {
    it('shows three superseded claims of the old policy and accepts none in silence', async () => {
      const noticeId = fresh('old-policy');
      const old = {
        noticeId,
        version: 1,
        language: 'en-GB',
        title: 'Customer Privacy Policy',
        content,
        purposes: ['service-account'],
        effectiveFrom: '2018-05-25T00:00:00Z',
      };
      const { events, position } = await custos.accepted('dpo', 'PublishNotice', old);
      expect(events.map(({ type }: { readonly type: string }) => type)).toEqual([
        'NoticePublished',
        ...Array.from({ length: 5 }, () => 'NoticeClaimFlagged'),
      ]);

      const claims = await claimsOf(noticeId, undefined, position);
      const superseded = claims.filter(({ status }) => status === 'superseded');
      expect(superseded).toMatchObject([
        { text: 'accreditation', why: 'wording' },
        { text: 'Data Protection Act 1998', why: 'repealedLaw' },
        { text: 'ISO/IEC 27001:2013', why: 'withdrawnEdition' },
      ]);
      expect(claims.filter((each) => !superseded.includes(each))).toMatchObject([
        { claimId: 'cyber-essentials', status: 'unbacked' },
        { claimId: 'independent-test', status: 'unbacked' },
      ]);
      for (const { flagged, status } of claims) expect(flagged).toBe(status);

      const { effectiveFrom: _past, ...repeated } = { ...old, version: 2 };
      await refuses(
        custos,
        'dpo',
        'PublishNotice',
        repeated,
        said('CLAIM_SUPERSEDED', 'C03 C10', 'UK GDPR Art 5(1)(a)', {
          noticeId,
          version: 2,
          claims: ['ico-dp-fee:dpa-1998', 'iso-27001:2013', 'accreditation'],
        }),
      );
      const listed = await custos.get('auditor', `/v1/registers/claims?notice_id=${noticeId}&version=1`);
      expect(listed.body.rows).toHaveLength(5);
    });
  });

  it('are made of the register only while the entry is current, and age with it', async () => {
    const noticeId = fresh('registered');
    const claiming = completeNotice(
      noticeId,
      1,
      [{ purposeId: 'service-account' }],
      'We are registered with the Information Commissioner.',
    );
    const unbacked = said('CLAIM_UNBACKED', 'C03 C09 C10', 'UK GDPR Art 5(1)(a)', {
      noticeId,
      version: 1,
      claims: ['ico-dp-fee'],
    });
    await refuses(custos, 'dpo', 'PublishNotice', claiming, unbacked);

    const attestationId = fresh('fee');
    const entry = {
      attestationId,
      scheme: 'ico-dp-fee',
      reference: 'ZA000001',
      tier: 2,
      validFrom: '2026-03-01',
      validTo: '2027-02-28',
    };
    await refuses(
      custos,
      'dpo',
      'RecordRegistration',
      { ...entry, validTo: '2028-02-28' },
      said('ATTESTATION_PERIOD_EXCEEDED', 'C03 C10', 'UK GDPR Art 5(2)', {
        attestationId,
        scheme: 'ico-dp-fee',
        field: 'validTo',
      }),
    );
    await custos.accepted('dpo', 'RecordRegistration', entry);
    expect((await custos.accepted('dpo', 'RecordRegistration', entry)).events).toEqual([]);
    const { position } = await custos.accepted('dpo', 'PublishNotice', claiming);
    expect(await claimsOf(noticeId, undefined, position)).toMatchObject([
      { claimId: 'ico-dp-fee', status: 'valid', attestationId, validTo: '2027-02-28' },
    ]);

    // The status follows from the day it is asked; the steward's warnings are for people.
    const entryOf = () => custos.get('auditor', `/v1/registers/attestations?attestation_id=${attestationId}`);
    for (const [now, status, daysLeft] of [
      ['2026-12-30T00:00:00Z', 'expiring', 60],
      ['2027-01-29T00:00:00Z', 'expiring', 30],
      ['2027-02-21T00:00:00Z', 'expiring', 7],
      ['2027-03-01T00:00:00Z', 'expired', 0],
    ] as const) {
      await custos.advanceTo(now);
      expect(await claimsOf(noticeId)).toMatchObject([{ status, attestationId }]);
      await custos.eventually(entryOf, ({ body }) => body.rows[0].days_left === daysLeft, STEWARD);
    }
    expect(await claimsOf(noticeId, '2026-12-01T00:00:00Z')).toMatchObject([{ status: 'valid' }]);
    expect(await claimsOf(noticeId, '2018-01-01T00:00:00Z')).toEqual([]);
    const renewed = { ...completeNotice(noticeId, 2, [{ purposeId: 'service-account' }]), content: claiming.content };
    await refuses(custos, 'dpo', 'PublishNotice', renewed, {
      ...unbacked,
      details: { ...unbacked.details, version: 2 },
    });
  }, 60_000);

  it('are asked for by day, not by anything', async () => {
    expect(await custos.get('auditor', '/v1/claims?asOf=yesterday')).toMatchObject({
      status: 400,
      body: { fields: [{ field: 'asOf', rule: 'isInstant' }] },
    });
    expect(await custos.get('crm', '/v1/claims')).toMatchObject({ status: 403 });
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import {
  ACCOUNT,
  acquaintance,
  approvedPurpose,
  customer,
  fresh,
  itemsOf,
  purposeDraft,
  refuses,
  said,
  type Person,
} from './life.js';

const LINES = ['B2B', 'B2C', 'SUPPORT', 'WEBSITE', 'GOVERNANCE'];

/** C01: nothing is done with personal data outside the services the policy is about. */
describe('the scope of the policy', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  /** Wants to use the address for a purpose. */
  const useOf = ({ subjectId, items }: Person, purposeId: string): object => ({
    subjectId,
    purposeId,
    itemIds: [items['contact.email']],
  });

  it('refuses a purpose outside the lines of service', async () => {
    const purposeId = fresh('sell-to-brokers');
    const { position } = await refuses(
      custos,
      'dpo',
      'DefinePurpose',
      purposeDraft(purposeId, { title: 'Sell data to brokers', serviceLine: 'BROKERAGE' }),
      said('PURPOSE_OUT_OF_SCOPE', 'C01', 'UK GDPR Art 5(1)(b)', { purposeId, serviceLine: 'BROKERAGE' }),
    );
    const { body } = await custos.get('auditor', '/v1/registers/purposes', position);
    expect(body.rows.map((row: { purpose_id: string }) => row.purpose_id)).toContain('service-account');
    expect(body.rows.map((row: { purpose_id: string }) => row.purpose_id)).not.toContain(purposeId);
    expect(body.rows.filter((row: { service_line: string }) => !LINES.includes(row.service_line))).toEqual([]);
    const ropa = await custos.get('auditor', '/v1/ropa', position);
    expect(ropa.body.serviceLines.map(({ serviceLine }: { serviceLine: string }) => serviceLine)).toEqual(LINES);
    expect(JSON.stringify(ropa.body)).toContain('service-account');
    expect(JSON.stringify(ropa.body)).not.toMatch(/BROKERAGE|sell-to-brokers/);
  });

  it.each(LINES)('defines a purpose of the line %s', async (serviceLine) => {
    const purposeId = fresh('within');
    const { position } = await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId, { serviceLine }));
    const { body } = await custos.get('auditor', `/v1/registers/purposes?purpose_id=${purposeId}`, position);
    expect(body.rows).toMatchObject([{ service_line: serviceLine, status: 'draft', author: 'dpo', approver: null }]);
  });

  it('knows no purpose that nobody defined', async () => {
    const asha = await customer(custos);
    const purposeId = fresh('never-defined');
    const unknown = said('PURPOSE_UNKNOWN', 'C01 C17', 'UK GDPR Art 5(1)(b)', { purposeId });
    await refuses(
      custos,
      'crm',
      'CollectData',
      { ...ACCOUNT, subjectId: asha.subjectId, purposeId, items: itemsOf({ 'contact.email': 'asha@example.test' }) },
      unknown,
    );
    await refuses(custos, 'crm', 'AuthoriseUse', useOf(asha, purposeId), unknown);
    const share = { ...useOf(asha, purposeId), recipientId: 'example-harbour-charts', medium: 'api' };
    await refuses(custos, 'crm', 'ShareData', share, unknown);
    await refuses(custos, 'dpo', 'SuspendPurpose', { purposeId, reasonCode: 'review' }, unknown);
  });

  it('uses nothing for a draft', async () => {
    const asha = await customer(custos);
    const purposeId = fresh('only-drafted');
    await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId));
    const draft = said('PURPOSE_NOT_APPROVED', 'C01 C17', 'UK GDPR Art 5(1)(b)', { purposeId });
    await refuses(custos, 'crm', 'AuthoriseUse', useOf(asha, purposeId), draft);
    await refuses(
      custos,
      'crm',
      'CollectData',
      { ...ACCOUNT, subjectId: asha.subjectId, purposeId, items: itemsOf({ 'contact.email': 'asha@example.test' }) },
      draft,
    );
  });

  it('stops a suspended purpose until it is resumed, and a retired one for good', async () => {
    const subjectId = await acquaintance(custos);
    const purposeId = fresh('lending');
    await approvedPurpose(custos, purposeId);
    const collection = {
      ...ACCOUNT,
      subjectId,
      purposeId,
      items: itemsOf({ 'contact.email': 'asha@example.test' }),
    };
    await custos.accepted('dpo', 'SuspendPurpose', { purposeId, reasonCode: 'underReview' });
    const stopped = said('PURPOSE_SUSPENDED', 'C01 C17', 'UK GDPR Art 5(1)(b)', { purposeId });
    await refuses(custos, 'crm', 'CollectData', collection, stopped);

    const resumed = await custos.accepted('dpo', 'ResumePurpose', { purposeId });
    const standing = await custos.get(
      'auditor',
      `/v1/registers/purpose-standing?purpose_id=${purposeId}`,
      resumed.position,
    );
    expect(standing.body.rows).toMatchObject([{ status: 'approved' }]);
    await refuses(
      custos,
      'crm',
      'CollectData',
      collection,
      said('COLLECTION_POINT_NOT_BOUND', 'C11', 'UK GDPR Art 13, 25', { collectionPointId: 'account-form', purposeId }),
    );

    await custos.accepted('dpo', 'RetirePurpose', { purposeId });
    await refuses(custos, 'crm', 'CollectData', collection, stopped);
    await refuses(
      custos,
      'dpo',
      'ResumePurpose',
      { purposeId },
      said('PURPOSE_SUSPENDED', 'C01 C17', 'UK GDPR Art 5(1)(b)', { purposeId, status: 'retired' }),
    );
  });

  it('gives data for a purpose to no kind of recipient that the purpose does not allow', async () => {
    const asha = await customer(custos);
    await refuses(
      custos,
      'crm',
      'ShareData',
      { ...useOf(asha, 'product-news'), recipientId: 'example-harbour-charts', medium: 'api' },
      said('PURPOSE_OUT_OF_SCOPE', 'C01', 'UK GDPR Art 5(1)(b)', {
        purposeId: 'product-news',
        recipientId: 'example-harbour-charts',
        recipientKind: 'GROUP',
      }),
    );
  });
});

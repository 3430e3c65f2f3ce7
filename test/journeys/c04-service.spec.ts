import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import { ACCOUNT, acquaintance, fresh, itemsOf, NOTICE, purposeDraft, refuses, said, TICKET } from './life.js';

/** C04: details may be demanded where the service that was asked for cannot do without them. */
describe('what a service needs', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const heldAbout = async (subjectId: string, position: number): Promise<readonly string[]> => {
    const { body } = await custos.get('auditor', `/v1/subjects/${subjectId}/retention`, position);
    return body.rows.map((row: { category: string }) => row.category);
  };

  it('demands only what the service needs', async () => {
    const subjectId = await acquaintance(custos);
    const email = { category: 'contact.email', value: 'asha@example.test', required: true };
    const text = { category: 'ticket.text', value: 'Chart 12 does not open.', required: true };
    const phone = { category: 'contact.phone', value: '+44 20 7946 0101', required: true };
    const born = { category: 'person.birthDate', value: '1984-05-06', required: true };

    const excess = await refuses(
      custos,
      'crm',
      'CollectData',
      { ...TICKET, subjectId, items: [email, born] },
      said('DATA_EXCESSIVE', 'C12', 'UK GDPR Art 5(1)(c)', {
        purposeId: 'support-ticket',
        fields: ['person.birthDate'],
      }),
    );
    expect(await heldAbout(subjectId, excess.position)).toEqual([]);

    const demand = await refuses(
      custos,
      'crm',
      'CollectData',
      { ...TICKET, subjectId, items: [email, text, phone] },
      said('FIELD_NOT_REQUIRED_FOR_PURPOSE', 'C04', 'UK GDPR Art 5(1)(c)', {
        purposeId: 'support-ticket',
        fields: ['contact.phone'],
      }),
    );
    expect(await heldAbout(subjectId, demand.position)).toEqual([]);

    const offered = { ...phone, required: false };
    const { position } = await custos.accepted('crm', 'CollectData', {
      ...TICKET,
      subjectId,
      items: [email, text, offered],
    });
    expect(await heldAbout(subjectId, position)).toEqual(['contact.email', 'ticket.text', 'contact.phone']);
  });

  it('asks under a contract only for a service that was asked for', async () => {
    const subjectId = await acquaintance(custos);
    const { position } = await refuses(
      custos,
      'crm',
      'CollectData',
      {
        ...ACCOUNT,
        subjectId,
        serviceRequestRef: undefined,
        items: itemsOf({ 'contact.email': 'asha@example.test' }),
      },
      said('NO_SERVICE_REQUEST', 'C04', 'UK GDPR Art 6(1)(b)', { purposeId: 'service-account' }),
    );
    expect(await heldAbout(subjectId, position)).toEqual([]);
  });

  it('takes the contract of a company for no contract of its staff', async () => {
    const chioma = await acquaintance(custos, { capacity: 'corporateContact', subscriberType: 'corporate' });
    const items = itemsOf({ 'contact.name': 'Chioma Madeup' });
    await refuses(
      custos,
      'crm',
      'CollectData',
      { ...ACCOUNT, subjectId: chioma, items },
      said('LAWFUL_BASIS_NOT_AVAILABLE', 'C04', 'UK GDPR Art 6(1)', {
        purposeId: 'service-account',
        basis: 'contract',
      }),
    );
    const { position } = await custos.accepted('crm', 'CollectData', {
      subjectId: chioma,
      purposeId: 'corporate-contact',
      collectionPointId: 'account-form',
      ...NOTICE,
      items,
    });
    expect(await heldAbout(chioma, position)).toEqual(['contact.name']);
  });

  it('approves no purpose whose impact assessment is owing', async () => {
    const purposeId = fresh('position-reports');
    await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId, { dpiaRequired: true }));
    await refuses(
      custos,
      'second-dpo',
      'ApprovePurpose',
      { purposeId, version: 1 },
      said('DPIA_MISSING', 'C04', 'UK GDPR Art 35', { purposeId, version: 1 }),
    );
    await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId, { dpiaRequired: true, dpiaRef: 'DPIA-7' }));
    await custos.accepted('second-dpo', 'ApprovePurpose', { purposeId, version: 2 });
  });
});

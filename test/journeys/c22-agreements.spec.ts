import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation, type ActorName } from '../installation.js';
import { acquaintance, ART_28_TERMS, customer, DOCUMENT, fresh, shareOf } from './life.js';

/** C22: you can ask at any time which agreements let your data be passed on. */
describe('agreements about your data', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const asked = async (actor: ActorName, subjectId: string, query = '', position?: number) => {
    const reply = await custos.get(actor, `/v1/subjects/${subjectId}/agreements${query}`, position);
    expect(reply.status).toBe(200);
    return reply.body;
  };

  it('are listed with their summary in plain words, with zero disclosures to third parties', async () => {
    const asha = await customer(custos);
    const before = await asked('support', asha.subjectId);
    expect(before).toMatchObject({
      none: false,
      thirdPartyDisclosures: 0,
      recipients: [],
      statutory: [],
      withheld: [],
    });
    expect(before.agreements).toMatchObject([
      {
        agreementId: 'example-mail-hosting',
        version: 1,
        kind: 'art28',
        recipientId: 'example-mail-host',
        recipientKind: 'PROCESSOR',
        purposes: ['service-account'],
        categories: ['contact.email', 'contact.name'],
        disclosures: 0,
      },
    ]);
    expect(before.agreements[0].publicSummary).toMatch(/^Example Mail Host/);
    expect(before.agreements).toHaveLength(1);

    const { position } = await custos.accepted('crm', 'ShareData', shareOf(asha, 'example-mail-host'));
    const after = await asked('support', asha.subjectId, '', position);
    expect(after.agreements).toMatchObject([{ agreementId: 'example-mail-hosting', disclosures: 1 }]);
    expect(after).toMatchObject({
      thirdPartyDisclosures: 0,
      recipients: [{ recipientId: 'example-mail-host', recipientKind: 'PROCESSOR', disclosures: 1 }],
    });
  });

  it('are none for a person of whom nothing is held, and the answer says so', async () => {
    const nobody = await acquaintance(custos);
    expect(await asked('dpo', nobody)).toMatchObject({
      none: true,
      agreements: [],
      recipients: [],
      thirdPartyDisclosures: 0,
      statutory: [],
      withheld: [],
    });
  });

  it('are those of the period that is asked about', async () => {
    const recipientId = fresh('printer');
    await custos.accepted('dpo', 'RegisterRecipient', {
      recipientId,
      kind: 'PROCESSOR',
      name: 'Example Printer',
      legalForm: 'company',
      country: 'GB',
    });
    const agreementId = fresh('printing');
    const terms = {
      agreementId,
      purposes: ['service-account'],
      categories: ['contact.phone'],
      publicSummary: 'Prints and posts letters for us.',
      documentHash: DOCUMENT,
      checklist: ART_28_TERMS,
    };
    const first = { ...terms, recipientId, kind: 'art28', from: '2026-01-01', to: '2026-12-01' };
    await custos.accepted('counsel', 'RecordAgreement', first);
    const amended = {
      ...terms,
      version: 2,
      from: '2026-11-25',
      to: '2026-12-01',
      publicSummary: 'Prints letters for us.',
    };
    await custos.accepted('counsel', 'AmendAgreement', amended);
    const asha = await customer(custos);
    const printing = async (query: string) => {
      const { agreements } = await asked('support', asha.subjectId, query);
      return agreements
        .filter((each: { agreementId: string }) => each.agreementId === agreementId)
        .map(({ version, publicSummary }: Record<string, unknown>) => [version, publicSummary]);
    };
    expect(await printing('?from=2026-11-01&to=2026-11-24')).toEqual([[1, 'Prints and posts letters for us.']]);
    expect(await printing('?from=2026-11-01&to=2026-11-25')).toEqual([
      [1, 'Prints and posts letters for us.'],
      [2, 'Prints letters for us.'],
    ]);
    expect(await printing('?from=2026-12-01&to=2026-12-31')).toEqual([]);
    // Nothing of her was held then.
    expect(await printing('?from=2026-01-01&to=2026-11-22')).toEqual([]);
    for (const [query, field] of [
      ['?from=yesterday', 'from'],
      ['?from=2026-11-02&to=2026-11-01', 'to'],
    ] as const)
      expect(await custos.get('support', `/v1/subjects/${asha.subjectId}/agreements${query}`)).toMatchObject({
        status: 400,
        body: { fields: [{ field }] },
      });
  });

  it('are answered to those who answer the person, and to nobody else', async () => {
    const { subjectId } = await customer(custos);
    for (const actor of ['crm', 'operator'] as const)
      expect(await custos.get(actor, `/v1/subjects/${subjectId}/agreements`)).toMatchObject({ status: 403 });
  });
});

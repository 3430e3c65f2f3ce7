import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Installation } from '../installation.js';
import {
  collect,
  customer,
  fresh,
  orderOf,
  type Person,
  recipientOf,
  refuses,
  said,
  stranger,
  TICKET,
} from './life.js';

/** C19, I-19g: a disclosure about many people is one disclosure, with an outcome for each of them. */
describe('a disclosure about many people', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const bulk = (people: readonly string[], more: object = {}) => ({
    disclosureId: randomUUID(),
    recipientId: 'example-mail-host',
    purposeId: 'service-account',
    categories: ['contact.email', 'contact.name'],
    subjectIds: people,
    medium: 'file',
    ...more,
  });
  const completed = (disclosureId: string, query = '') =>
    custos.eventually(
      () => custos.get('dpo', `/v1/disclosures/${disclosureId}${query}`),
      ({ status, body }) => status === 200 && body.status === 'completed',
    );

  it('gives of each person what is held for the purpose, and says who was left out and why', async () => {
    const people: Person[] = [];
    for (let n = 0; n < 5; n += 1) people.push(await customer(custos));
    const [asha, restricted, doubted] = people as [Person, Person, Person];
    const nobody = await stranger(custos);
    const unknown = randomUUID();
    // Held, but for another purpose.
    await collect(custos, asha.subjectId, TICKET, { 'contact.email': 'asha.tickets@example.test' });
    await custos.accepted('dpo', 'RestrictProcessing', { subjectId: restricted.subjectId, ground: '18(1)(b)' });
    const doubt = { subjectId: doubted.subjectId, itemId: doubted.items['contact.email'], cause: 'bouncedEmail' };
    await custos.accepted('crm', 'DoubtAccuracy', doubt);

    const order = bulk([...people.map(({ subjectId }) => subjectId), nobody, unknown]);
    const accepted = await custos.accepted('crm', 'ShareDataInBulk', order);
    expect(accepted).toMatchObject({
      stream: `disclosure-${order.disclosureId}`,
      events: [{ type: 'BulkDisclosureAccepted' }],
    });
    const { body } = await completed(order.disclosureId);
    expect(body).toMatchObject({ recipientId: 'example-mail-host', subjectCount: 7, shared: 3, refused: 4 });
    expect(body.refusedByCode).toEqual([
      { code: 'ITEM_DISPUTED', count: 1 },
      { code: 'ITEM_NOT_HELD_FOR_PURPOSE', count: 1 },
      { code: 'PROCESSING_RESTRICTED', count: 1 },
      { code: 'SUBJECT_UNKNOWN', count: 1 },
    ]);
    expect(body.refusals).toEqual([
      { subjectId: restricted.subjectId, code: 'PROCESSING_RESTRICTED' },
      { subjectId: doubted.subjectId, code: 'ITEM_DISPUTED' },
      { subjectId: nobody, code: 'ITEM_NOT_HELD_FOR_PURPOSE' },
      { subjectId: unknown, code: 'SUBJECT_UNKNOWN' },
    ]);
    const page = (await custos.get('auditor', `/v1/disclosures/${order.disclosureId}?limit=3`)).body;
    expect(page.refusals).toHaveLength(3);
    const rest = (await custos.get('auditor', `/v1/disclosures/${order.disclosureId}?limit=3&after=${page.next}`)).body;
    expect(rest.refusals).toEqual([{ subjectId: unknown, code: 'SUBJECT_UNKNOWN' }]);

    const given = (await custos.get('auditor', `/v1/subjects/${asha.subjectId}/disclosures`, body.position)).body.rows;
    expect(
      given
        .map(({ disclosure_id, item_id, agreement_id }: Record<string, unknown>) => [
          disclosure_id,
          item_id,
          agreement_id,
        ])
        .sort(),
    ).toEqual(
      [asha.items['contact.email'], asha.items['contact.name']]
        .map((itemId) => [order.disclosureId, itemId, 'example-mail-hosting'])
        .sort(),
    );
    expect((await custos.get('auditor', `/v1/subjects/${restricted.subjectId}/disclosures`)).body.rows).toEqual([]);

    // The same order again, under whatever id, changes nothing; another order under its id is refused.
    expect((await custos.accepted('crm', 'ShareDataInBulk', order)).events).toEqual([]);
    await refuses(
      custos,
      'crm',
      'ShareDataInBulk',
      { ...order, subjectIds: [asha.subjectId] },
      said('REGISTER_ENTRY_EXISTS', '', 'engine rule', { disclosureId: order.disclosureId }),
    );
  });

  it('is refused as a whole where the door is closed for the recipient', async () => {
    const { subjectId } = await customer(custos);
    const adtech = fresh('adtech');
    await custos.accepted('dpo', 'RegisterRecipient', {
      recipientId: adtech,
      kind: 'THIRD_PARTY',
      name: 'Example Adtech',
      legalForm: 'company',
      country: 'GB',
    });
    const closed = (more: object, expected: ReturnType<typeof said>) =>
      refuses(custos, 'crm', 'ShareDataInBulk', bulk([subjectId], more), expected);
    await closed(
      { recipientId: adtech },
      said('NOT_COMPELLED', 'C19', 'policy; UK GDPR Art 6(1)(c)', {
        recipientId: adtech,
        recipientKind: 'THIRD_PARTY',
      }),
    );
    await closed(
      { recipientId: 'nobody' },
      said('RECIPIENT_UNKNOWN', 'C19', 'UK GDPR Art 5(1)(f)', { recipientId: 'nobody' }),
    );
    await closed(
      { purposeId: 'lending' },
      said('PURPOSE_UNKNOWN', 'C01 C17', 'UK GDPR Art 5(1)(b)', { purposeId: 'lending' }),
    );
    await closed(
      { categories: ['contact.email', 'contact.phone'] },
      said('AGREEMENT_DOES_NOT_COVER', 'C19 C22', 'UK GDPR Art 28', {
        recipientId: 'example-mail-host',
        agreementId: 'example-mail-hosting',
        purposeId: 'service-account',
        categories: ['contact.phone'],
      }),
    );
  });

  it('under an order leaves out those whom the order does not name', async () => {
    const [asha, other] = [await customer(custos), await customer(custos)];
    const [police, instrumentId] = [await recipientOf(custos, 'AUTHORITY', 'constabulary'), fresh('order')];
    const scope = { categories: ['contact.email'], subjectIds: [asha.subjectId] };
    await custos.accepted('counsel', 'RecordStatutoryInstrument', orderOf(instrumentId, { scope }));
    const order = bulk([asha.subjectId, other.subjectId], {
      recipientId: police,
      instrumentId,
      categories: ['contact.email'],
    });
    await custos.accepted('counsel', 'ShareDataInBulk', order);
    const { body } = await completed(order.disclosureId);
    expect(body).toMatchObject({
      shared: 1,
      refusals: [{ subjectId: other.subjectId, code: 'DISCLOSURE_EXCEEDS_SCOPE' }],
    });
  });

  it('is known to those only who may know of every disclosure', async () => {
    expect(await custos.get('support', `/v1/disclosures/${randomUUID()}`)).toMatchObject({ status: 403 });
    expect(await custos.get('dpo', `/v1/disclosures/${randomUUID()}`)).toMatchObject({ status: 404 });
    const { subjectId, items } = await customer(custos);
    const disclosureId = randomUUID();
    const one = {
      disclosureId,
      subjectId,
      recipientId: 'example-mail-host',
      purposeId: 'service-account',
      medium: 'api',
    };
    const { position } = await custos.accepted('crm', 'ShareData', { ...one, itemIds: [items['contact.email']] });
    expect((await custos.get('dpo', `/v1/disclosures/${disclosureId}`, position)).body).toMatchObject({
      status: 'completed',
      subjectCount: 1,
      shared: 1,
      refused: 0,
    });
  });
});

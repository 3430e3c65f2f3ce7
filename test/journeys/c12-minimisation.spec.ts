import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import { ACCOUNT, acquaintance, customer, fresh, itemsOf, purposeDraft, refuses, said, TICKET } from './life.js';

const field = (category: string, more: object = {}): object => ({
  category,
  necessity: 'optional',
  justification: 'It helps.',
  ...more,
});
const kept = (category: string): object => ({
  category,
  trigger: 'serviceRequestClosed',
  period: 'P1Y',
  action: 'erase',
  legalRef: 'UK GDPR Art 5(1)(e)',
});

/** C12: what the purpose does not call for stays with the person. */
describe('not too much', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  it('refuses a field that the purpose does not list and keeps only its name', async () => {
    const subjectId = await acquaintance(custos);
    const { refusalId, position } = await refuses(
      custos,
      'crm',
      'CollectData',
      {
        ...ACCOUNT,
        subjectId,
        items: itemsOf({ 'contact.email': 'asha@example.test', religion: 'of the old lighthouse' }),
      },
      said('DATA_EXCESSIVE', 'C12', 'UK GDPR Art 5(1)(c)', { purposeId: 'service-account', fields: ['religion'] }),
    );
    const refusals = await custos.get('auditor', `/v1/refusals?stream_ref=subject-${subjectId}`, position);
    expect(refusals.body.rows).toHaveLength(1);
    expect(refusals.body.rows[0]).toMatchObject({ refusal_id: refusalId });
    expect(JSON.stringify(refusals.body)).not.toMatch(/lighthouse|asha@/);
    const held = await custos.get('auditor', `/v1/subjects/${subjectId}/retention`, position);
    expect(held.body.rows).toEqual([]);
  });

  it.each([
    [
      'a plain field of 321 characters',
      ACCOUNT,
      { 'contact.name': 'n'.repeat(321) },
      { 'contact.name': 'n'.repeat(320) },
    ],
    ['a free text beyond its length', TICKET, { 'ticket.text': 't'.repeat(8001) }, { 'ticket.text': 't'.repeat(8000) }],
  ])('takes no free text that was not declared: %s', async (_what, how, tooMuch, enough) => {
    const subjectId = await acquaintance(custos);
    await refuses(
      custos,
      'crm',
      'CollectData',
      { ...how, subjectId, items: itemsOf(tooMuch) },
      said('FREE_TEXT_NOT_DECLARED', 'C12', 'UK GDPR Art 5(1)(c)', {
        purposeId: how.purposeId,
        fields: Object.keys(tooMuch),
      }),
    );
    await custos.accepted('crm', 'CollectData', { ...how, subjectId, items: itemsOf(enough) });
  });

  it.each(['religion', 'crew.health', 'criminalRecord'])(
    'lists %s only under a condition of the law',
    async (special) => {
      const purposeId = fresh('crew-list');
      const draft = { fields: [field(special)], retention: [kept(special)] };
      await refuses(
        custos,
        'dpo',
        'DefinePurpose',
        purposeDraft(purposeId, draft),
        said('SPECIAL_CATEGORY_NOT_PERMITTED', 'C12', 'UK GDPR Art 9, 10', { purposeId, fields: [special] }),
      );
      await custos.accepted('dpo', 'DefinePurpose', {
        ...purposeDraft(purposeId, draft),
        specialCategoryCondition: 'UK GDPR Art 9(2)(a)',
      });
    },
  );

  it('lists a further field only with the approval of a second person', async () => {
    const purposeId = fresh('lending');
    await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId));
    const alone = (version: number) =>
      said('FOUR_EYES_REQUIRED', 'C12 C15 C16', 'UK GDPR Art 25', { purposeId, version });
    await refuses(custos, 'dpo', 'ApprovePurpose', { purposeId, version: 1 }, alone(1));
    await custos.accepted('second-dpo', 'ApprovePurpose', { purposeId, version: 1 });

    const more = {
      fields: [field('contact.email'), field('contact.phone')],
      retention: [kept('contact.email'), kept('contact.phone')],
    };
    await custos.accepted('second-dpo', 'DefinePurpose', purposeDraft(purposeId, more));
    await refuses(custos, 'second-dpo', 'ApprovePurpose', { purposeId, version: 2 }, alone(2));
    const { position } = await custos.accepted('dpo', 'ApprovePurpose', { purposeId, version: 2 });
    const { body } = await custos.get('auditor', `/v1/registers/purposes?purpose_id=${purposeId}`, position);
    expect(body.rows).toMatchObject([
      { version: 1, status: 'approved', author: 'dpo', approver: 'second-dpo' },
      { version: 2, status: 'approved', author: 'second-dpo', approver: 'dpo' },
    ]);
  });

  it('tells which fields nobody has used for some months', async () => {
    const person = await customer(custos);
    const about = (rows: readonly { purposeId: string; category: string }[], category: string) =>
      rows.find((row) => row.purposeId === 'service-account' && row.category === category);
    await custos.accepted('crm', 'AuthoriseUse', {
      subjectId: person.subjectId,
      purposeId: 'service-account',
      itemIds: [person.items['contact.email']],
    });
    const early = await custos.get('auditor', '/v1/minimisation?months=3');
    expect(early.body.rows.filter((row: { candidateForRemoval: boolean }) => row.candidateForRemoval)).toEqual([]);

    await custos.advanceTo('2027-02-23T09:00:00Z');
    const { position } = await custos.accepted('crm', 'AuthoriseUse', {
      subjectId: person.subjectId,
      purposeId: 'service-account',
      itemIds: [person.items['contact.name']],
    });
    const { body } = await custos.get('auditor', '/v1/minimisation?months=2', position);
    expect(body).toMatchObject({ months: 2, asOf: '2027-02-23T09:00:00.000Z' });
    expect(about(body.rows, 'contact.name')).toMatchObject({
      askedAt: ['account-form', 'sales-phone'],
      lastCollected: '2026-11',
      lastUsed: '2027-02',
      candidateForRemoval: false,
    });
    expect(about(body.rows, 'contact.email')).toMatchObject({ lastUsed: '2026-11', candidateForRemoval: true });
    expect(about(body.rows, 'contact.address')).toMatchObject({ lastUsed: null, candidateForRemoval: true });
    const wide = await custos.get('auditor', '/v1/minimisation?months=4', position);
    expect(about(wide.body.rows, 'contact.email')).toMatchObject({ candidateForRemoval: false });
    const past = await custos.get('auditor', '/v1/minimisation?months=2&asOf=2026-11-23T12:00:00Z', position);
    expect(about(past.body.rows, 'contact.name')).toMatchObject({ lastUsed: null });
    expect((await custos.get('auditor', '/v1/minimisation?months=0')).status).toBe(400);
    expect(JSON.stringify(body)).not.toContain(person.subjectId);
  });

  it('lists no field without a reason', async () => {
    const purposeId = fresh('lending');
    const draft = purposeDraft(purposeId, { fields: [field('contact.email', { justification: ' ' })] });
    const reply = await custos.send('dpo', 'DefinePurpose', draft);
    expect(reply).toMatchObject({ status: 400, body: { fields: [{ field: 'fields.0.justification' }] } });
  });
});

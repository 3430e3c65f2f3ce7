import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import { customer, type Person, refuses, said, shareOf } from './life.js';

/** C21: a mistake is put right, and whoever was given the wrong value is told. */
describe('mistakes', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const RIGHT = '+44 20 7946 0199';
  const phoneOf = ({ items }: Person): string => items['contact.phone'] ?? '';
  const correction = (asha: Person, more: object = {}): object => ({
    subjectId: asha.subjectId,
    itemId: phoneOf(asha),
    fromVersion: 1,
    value: RIGHT,
    reasonCode: 'outOfDate',
    ...more,
  });
  const given = (asha: Person, recipientId: string, more: object = {}) =>
    shareOf(asha, recipientId, more, 'contact.phone');

  it('gives the right value to those who ask after the correction', async () => {
    const asha = await customer(custos);
    await custos.accepted('support', 'CorrectData', correction(asha));
    const { position } = await custos.accepted('crm', 'ShareData', given(asha, 'example-harbour-charts'));
    const { body } = await custos.get('auditor', `/v1/subjects/${asha.subjectId}/disclosures`, position);
    expect(body.rows).toMatchObject([{ recipient_id: 'example-harbour-charts', item_version: 2 }]);
    const about = { subjectId: asha.subjectId, itemId: phoneOf(asha), version: 2 };
    const completed = await custos.accepted('support', 'CompleteCorrection', about);
    expect(completed.events).toMatchObject([{ type: 'CorrectionCompleted' }]);
  });

  it('corrects only the version that was seen', async () => {
    const asha = await customer(custos);
    await custos.accepted('support', 'CorrectData', correction(asha));
    await refuses(
      custos,
      'support',
      'CorrectData',
      correction(asha, { value: '+44 20 7946 0123' }),
      said('VERSION_CONFLICT', '', 'engine rule', { itemId: phoneOf(asha), version: 2 }),
    );
  });

  it('refuses a correction only with a reason and all the ways to complain', async () => {
    const asha = await customer(custos);
    const refusal = { subjectId: asha.subjectId, itemId: phoneOf(asha) };
    const missing = (...fields: string[]) =>
      said('REFUSAL_INFORMATION_MISSING', 'C21', 'UK GDPR Art 12(4)', { fields });
    await refuses(
      custos,
      'dpo',
      'RefuseCorrection',
      refusal,
      missing('reasonCode', 'complaintRoutes.controller', 'complaintRoutes.commissioner', 'complaintRoutes.court'),
    );
    const reasoned = { ...refusal, reasonCode: 'accurateAsHeld', complaintRoutes: ['controller', 'court'] };
    await refuses(custos, 'dpo', 'RefuseCorrection', reasoned, missing('complaintRoutes.commissioner'));
    const answered = await custos.accepted('dpo', 'RefuseCorrection', {
      ...reasoned,
      complaintRoutes: ['controller', 'commissioner', 'court'],
    });
    expect(answered.events).toMatchObject([{ type: 'RectificationRefused' }]);
  });

  it('tells only those who were given the value', async () => {
    const asha = await customer(custos);
    await custos.accepted('support', 'CorrectData', correction(asha));
    await refuses(
      custos,
      'crm',
      'NotifyRecipient',
      {
        subjectId: asha.subjectId,
        itemId: phoneOf(asha),
        version: 2,
        recipientId: 'example-harbour-charts',
        outcome: 'notified',
      },
      said('RECIPIENT_UNKNOWN', 'C19', 'UK GDPR Art 5(1)(f)', {
        recipientId: 'example-harbour-charts',
        itemId: phoneOf(asha),
      }),
    );
  });

  /** How telling the recipients of a person stands. */
  const notices = async ({ subjectId }: Person, position?: number) =>
    (await custos.get('auditor', `/v1/subjects/${subjectId}/recipient-notifications`, position)).body.rows;

  it('follows every notice from due to confirmed, or to the reason why nobody was there', async () => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'ShareData', given(asha, 'example-harbour-charts'));
    await custos.accepted('crm', 'ShareData', given(asha, 'example-pacific', { transferMechanism: 'adequacy' }));
    const corrected = await custos.accepted('support', 'CorrectData', correction(asha));
    const row = { what: 'correction', item_id: phoneOf(asha), version: 2 };
    expect(await notices(asha, corrected.position)).toMatchObject([
      { ...row, recipient_id: 'example-harbour-charts', status: 'due' },
      { ...row, recipient_id: 'example-pacific', status: 'due' },
    ]);
    const harbour = { subjectId: asha.subjectId, recipientId: 'example-harbour-charts' };
    await refuses(
      custos,
      'crm',
      'ConfirmRecipient',
      harbour,
      said('RECIPIENTS_NOT_NOTIFIED', 'C21', 'UK GDPR Art 19', {
        what: 'correction',
        recipients: ['example-harbour-charts'],
      }),
    );
    const about = { itemId: phoneOf(asha), version: 2 };
    await custos.accepted('crm', 'NotifyRecipient', { ...harbour, ...about, outcome: 'notified' });
    await custos.accepted('crm', 'ConfirmRecipient', { ...harbour, reference: 'receipt-9' });
    const unreachable = { subjectId: asha.subjectId, recipientId: 'example-pacific', reason: 'noAnswer' };
    const { position } = await custos.accepted('crm', 'MarkRecipientUnreachable', unreachable);
    expect(await notices(asha, position)).toMatchObject([
      { recipient_id: 'example-harbour-charts', status: 'confirmed', reference: 'receipt-9' },
      { recipient_id: 'example-pacific', status: 'unreachable', reason: 'noAnswer' },
    ]);
    const completed = await custos.accepted('support', 'CompleteCorrection', { subjectId: asha.subjectId, ...about });
    expect(completed.events).toMatchObject([{ type: 'CorrectionCompleted' }]);
  });

  it('tells those who hold a copy that processing is restricted, raises what is not done, and stops when it is lifted', async () => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'ShareData', given(asha, 'example-harbour-charts'));
    const told = { subjectId: asha.subjectId, recipientId: 'example-harbour-charts', what: 'restriction' };
    await refuses(
      custos,
      'crm',
      'NotifyRecipient',
      { ...told, outcome: 'notified' },
      said('RECIPIENT_UNKNOWN', 'C19', 'UK GDPR Art 5(1)(f)', {
        recipientId: 'example-harbour-charts',
        what: 'restriction',
      }),
    );
    await custos.accepted('dpo', 'RestrictProcessing', { subjectId: asha.subjectId, ground: '18(1)(b)' });
    const raised = async (reminders: number) =>
      custos.eventually(
        () => custos.get('auditor', `/v1/subjects/${asha.subjectId}/recipient-notifications`),
        ({ body }) => body.rows[0]?.reminders === reminders,
      );
    const start = Date.parse((await custos.get('crm', '/v1/clock')).body.now);
    const after = (days: number): string => new Date(start + days * 86_400_000).toISOString();
    expect((await raised(0)).body.rows).toMatchObject([{ what: 'restriction', item_id: '', status: 'due' }]);
    await custos.advanceTo(after(8));
    await raised(1);
    await custos.advanceTo(after(16));
    await raised(2);
    await custos.advanceTo(after(24));
    expect((await raised(3)).body.rows).toMatchObject([{ status: 'due', remind_at: null }]);
    expect((await raised(3)).body.rows[0].overdue_at).not.toBeNull();

    await custos.accepted('crm', 'NotifyRecipient', { ...told, outcome: 'notified' });
    const { position } = await custos.accepted('crm', 'ConfirmRecipient', told);
    expect(await notices(asha, position)).toMatchObject([{ status: 'confirmed', reminders: 0 }]);
    await custos.accepted('dpo', 'LiftRestriction', {
      subjectId: asha.subjectId,
      informedAt: (await custos.get('crm', '/v1/clock')).body.now,
    });
    expect(await custos.send('crm', 'NotifyRecipient', { ...told, outcome: 'notified' })).toMatchObject({
      status: 422,
      body: { code: 'RECIPIENT_UNKNOWN' },
    });
  });

  it('counts a copy that is entered late, and holds an old value, among those to be told', async () => {
    const asha = await customer(custos);
    const before = (await custos.get('crm', '/v1/clock')).body.now as string;
    const later = new Date(Date.parse(before) + 86_400_000).toISOString();
    await custos.advanceTo(later);
    await custos.accepted('support', 'CorrectData', correction(asha));
    const late = given(asha, 'example-harbour-charts', { occurredAt: before });
    const { position } = await custos.accepted('crm', 'ShareData', late);
    expect(await notices(asha, position)).toMatchObject([
      { recipient_id: 'example-harbour-charts', what: 'correction', version: 2, status: 'due' },
    ]);
  });

  it('keeps the wrong value for a year of disputes and then no longer', async () => {
    const asha = await customer(custos);
    await custos.accepted('support', 'CorrectData', correction(asha));
    await custos.advanceTo('2028-01-05T09:00:00Z');
    await custos.renewAccess();
    const file = await custos.eventually(
      () => custos.get('support', `/v1/subjects/${asha.subjectId}?purpose=service-account&caseRef=CASE-1`),
      ({ body }) => body.holdings.some(({ status }: { status: string }) => status === 'erased'),
    );
    const phones = file.body.holdings.filter(({ category }: { category: string }) => category === 'contact.phone');
    expect(phones).toMatchObject([
      { version: 1, status: 'erased', withheld: 'forgotten' },
      { version: 2, status: 'held', value: RIGHT },
    ]);
    expect(phones[0]).not.toHaveProperty('value');
  });
});

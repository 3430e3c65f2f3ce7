import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Installation } from '../installation.js';
import { customer, refuses, said, stranger, type Person } from './life.js';

/** C18: whoever tells of a change is heard, by whatever way it comes, and something is done about it in time. */
describe('changes that people tell of', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const RIGHT = '+44 20 7946 0177';
  const ROUTES = ['controller', 'commissioner', 'court'];
  interface Case {
    readonly request_id: string;
    readonly [column: string]: unknown;
  }
  const casesOf = async (subjectId: string, position?: number): Promise<readonly Case[]> =>
    (await custos.get('auditor', `/v1/subjects/${subjectId}/rectifications`, position)).body.rows;
  const fileOf = async (subjectId: string, position?: number) =>
    (await custos.get('support', `/v1/subjects/${subjectId}?purpose=service-account&caseRef=CASE-18`, position)).body;
  const share = (asha: Person, recipientId: string, more: object = {}): object => ({
    subjectId: asha.subjectId,
    recipientId,
    purposeId: 'service-account',
    itemIds: [asha.items['contact.phone']],
    medium: 'api',
    ...more,
  });
  /** She e-mails a new phone number. */
  const newPhone = (asha: Person, more: object = {}): object => ({
    subjectId: asha.subjectId,
    channel: 'email',
    changes: [{ category: 'contact.phone', value: RIGHT }],
    ...more,
  });

  it('corrects what Asha e-mails within the time of the case, and tells who was given the old value', async () => {
    const asha = await customer(custos);
    const itemId = asha.items['contact.phone'] ?? '';
    await custos.accepted('crm', 'ShareData', share(asha, 'example-harbour-charts'));

    const reported = await custos.accepted('crm', 'ReportChange', newPhone(asha));
    expect(reported.events.map(({ type }: { type: string }) => type)).toEqual([
      'SubjectReportedChange',
      'RectificationRequested',
      'AccuracyDoubtRaised',
    ]);
    const [opened] = await casesOf(asha.subjectId, reported.position);
    expect(opened).toMatchObject({
      channel: 'email',
      status: 'open',
      received_at: '2026-11-23T09:00:00.000Z',
      due_date: '2026-12-23',
      due: '2026-12-24T00:00:00.000Z',
    });
    const requestId = opened?.request_id ?? '';
    const disputed = said('ITEM_DISPUTED', 'C14', 'UK GDPR Art 5(1)(d)', { itemIds: [itemId] });
    await refuses(custos, 'crm', 'ShareData', share(asha, 'example-harbour-charts'), disputed);
    expect((await fileOf(asha.subjectId)).rectifications).toMatchObject([
      {
        request_id: requestId,
        items: [{ item_id: itemId, status: 'open' }],
        reported: [{ category: 'contact.phone', value: RIGHT }],
      },
    ]);

    await custos.accepted('support', 'CorrectData', {
      subjectId: asha.subjectId,
      itemId,
      fromVersion: 1,
      value: RIGHT,
      reasonCode: 'outOfDate',
      requestId,
    });
    const about = { subjectId: asha.subjectId, itemId, version: 2 };
    const waiting = { itemId, recipients: ['example-harbour-charts'] };
    await refuses(
      custos,
      'support',
      'CompleteCorrection',
      about,
      said('RECIPIENTS_NOT_NOTIFIED', 'C21', 'UK GDPR Art 19', waiting),
    );
    await custos.accepted('crm', 'NotifyRecipient', {
      ...about,
      recipientId: 'example-harbour-charts',
      outcome: 'notified',
    });
    const done = await custos.accepted('support', 'CompleteCorrection', about);
    expect(done.events).toMatchObject([{ type: 'CorrectionCompleted' }, { type: 'RectificationCompleted' }]);
    expect(await casesOf(asha.subjectId, done.position)).toMatchObject([{ status: 'completed', outcome: 'corrected' }]);

    // The value lives on in the item; the copy that came with the report goes at once.
    const gone = await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${asha.subjectId}/timeline?type=ReportedValuesErased`),
      ({ body }) => body.rows.length > 0,
    );
    const file = await fileOf(asha.subjectId, gone.body.position);
    expect(file.rectifications[0].reported).toEqual([{ category: 'contact.phone', withheld: 'forgotten' }]);
    expect(file.holdings.filter(({ item_id }: { item_id: string }) => item_id === itemId)).toMatchObject([
      { version: 1, status: 'superseded', purpose_id: 'service-account' },
      { version: 2, status: 'held', purpose_id: 'service-account', value: RIGHT, disputed: false },
    ]);
    const history = await custos.get('auditor', `/v1/subjects/${asha.subjectId}/item-history?item_id=${itemId}`);
    expect(history.body.rows.map(({ what, version, reason }: Case) => [what, version, reason])).toEqual([
      ['DataCollected', 1, 'subject'],
      ['AccuracyDoubtRaised', 1, 'subjectNotice'],
      ['DataCorrected', 2, 'outOfDate'],
      ['RecipientNotified', 2, 'notified'],
      ['CorrectionCompleted', 2, null],
    ]);
    const then = await custos.get('auditor', `/v1/subjects/${asha.subjectId}/rectifications?asOf=2026-11-23T08:59:59Z`);
    expect(then.body.rows).toEqual([]);
  });

  it('counts a letter from the day it came, whenever it is entered', async () => {
    const subjectId = await stranger(custos, { occurredAt: '2026-11-02T09:00:00Z' });
    const { position } = await custos.accepted('support', 'ReportChange', {
      subjectId,
      channel: 'letter',
      occurredAt: '2026-11-20T15:00:00Z',
      changes: [{ category: 'contact.address' }],
    });
    expect(await casesOf(subjectId, position)).toMatchObject([
      {
        received_at: '2026-11-20T15:00:00.000Z',
        // One month later is a Sunday.
        due_date: '2026-12-21',
        due: '2026-12-22T00:00:00.000Z',
        not_held: '["contact.address"]',
      },
    ]);
  });

  it('takes a report in over any channel, without a fee, a form or a reason, and answers what is not held', async () => {
    const asha = await customer(custos);
    for (const channel of ['phone', 'letter', 'in-person', 'social-media'])
      await custos.accepted(
        'support',
        'ReportChange',
        newPhone(asha, { channel, changes: [{ category: 'boat.name' }] }),
      );
    for (const field of ['fee', 'penalty', 'form', 'reason']) {
      const { status, body } = await custos.send('support', 'ReportChange', newPhone(asha, { [field]: '10' }));
      expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(field)]);
    }
    const [first] = await casesOf(asha.subjectId);
    const answer = { subjectId: asha.subjectId, requestId: first?.request_id ?? '' };
    const answered = await custos.accepted('support', 'AnswerRectification', answer);
    expect(answered.events).toMatchObject([{ type: 'RectificationAnswered' }, { type: 'RectificationCompleted' }]);
    const [closed] = await casesOf(asha.subjectId, answered.position);
    expect(closed).toMatchObject({ status: 'completed', outcome: 'notHeld' });
  });

  it('answers away nothing that is held, and refuses it only with a reason and the ways to complain', async () => {
    const asha = await customer(custos);
    const itemId = asha.items['contact.phone'] ?? '';
    const { position } = await custos.accepted('crm', 'ReportChange', newPhone(asha));
    const [opened] = await casesOf(asha.subjectId, position);
    const about = { subjectId: asha.subjectId, requestId: opened?.request_id ?? '' };
    await refuses(
      custos,
      'support',
      'AnswerRectification',
      about,
      said('RESPONSE_INCOMPLETE', 'C18 C21', 'UK GDPR Art 12(3), 16', { requestId: about.requestId, items: [itemId] }),
    );
    const refusal = { ...about, itemId, reasonCode: 'accurateAsHeld' };
    await refuses(
      custos,
      'dpo',
      'RefuseCorrection',
      refusal,
      said('REFUSAL_INFORMATION_MISSING', 'C21', 'UK GDPR Art 12(4)', {
        fields: ROUTES.map((route) => `complaintRoutes.${route}`),
      }),
    );
    const refused = await custos.accepted('dpo', 'RefuseCorrection', { ...refusal, complaintRoutes: ROUTES });
    expect(refused.events).toMatchObject([{ type: 'RectificationRefused' }, { type: 'RectificationCompleted' }]);
    expect(await casesOf(asha.subjectId, refused.position)).toMatchObject([{ outcome: 'refused' }]);
    // It is kept for the dispute.
    expect((await fileOf(asha.subjectId)).rectifications[0].reported).toEqual([
      { category: 'contact.phone', value: RIGHT },
    ]);
    await refuses(
      custos,
      'dpo',
      'AnswerRectification',
      { subjectId: asha.subjectId, requestId: itemId },
      said('REGISTER_ENTRY_UNKNOWN', '', 'engine rule', { requestId: itemId }),
    );
  });

  it('raises a case that was not completed in time, once, also after a restart', async () => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'ReportChange', newPhone(asha));
    const overdue = ({ subjectId }: Person) =>
      custos.get('auditor', `/v1/subjects/${subjectId}/timeline?type=RectificationOverdue`);
    const untilRaised = (person: Person) =>
      custos.eventually(
        () => overdue(person),
        ({ body }) => body.rows.length > 0,
      );
    await custos.advanceTo('2026-12-23T23:59:59Z');
    const bram = await customer(custos);
    await custos.accepted('crm', 'ReportChange', newPhone(bram));
    expect((await overdue(asha)).body.rows).toEqual([]);
    await custos.advanceTo('2026-12-24T00:00:00Z');
    await untilRaised(asha);
    const board = await custos.get('dpo', '/v1/registers/rectifications?status=open&subject_id=' + asha.subjectId);
    expect(board.body.rows).toMatchObject([{ overdue_at: '2026-12-24T00:00:00.000Z' }]);

    await custos.kill();
    await custos.launch('2027-01-27T09:00:00Z');
    // What fell due for another person meanwhile shows that the steward has looked at everything again.
    await untilRaised(bram);
    expect((await overdue(asha)).body.rows).toHaveLength(1);
  });

  it('leaves nothing of what people said in any store', () => {
    for (const file of ['read-models.db', 'vault.db'])
      for (const text of [RIGHT, Buffer.from(RIGHT).toString('base64')])
        expect(readFileSync(join(custos.dataDir, file)).includes(text)).toBe(false);
  });
});

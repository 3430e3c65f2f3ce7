import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import {
  ACCOUNT,
  acquaintance,
  collect,
  customer,
  fresh,
  holders,
  purposeDraft,
  refuses,
  said,
  TICKET,
  type Person,
} from './life.js';

interface Held {
  readonly category: string;
  readonly status: string;
  readonly value?: string;
  readonly withheld?: string;
}

/** C16: each kind of data has an end. */
describe('not too long', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2024-11-25T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const fileOf = (subjectId: string) =>
    custos.get('support', `/v1/subjects/${subjectId}?purpose=support-ticket&caseRef=CASE-1`);
  const maskedOf = (subjectId: string) => custos.get('support', `/v1/subjects/${subjectId}`);
  const until = async (subjectId: string, status: string): Promise<readonly Held[]> => {
    const reply = await custos.eventually(
      () => maskedOf(subjectId),
      ({ body }) => body.holdings.some((held: Held) => held.status === status),
    );
    return reply.body.holdings;
  };
  const caller = async (): Promise<Person> => {
    const subjectId = await acquaintance(custos);
    const items = await collect(custos, subjectId, TICKET, {
      'contact.email': 'asha@example.test',
      'ticket.text': 'Chart 12 does not open.',
    });
    return { subjectId, items };
  };

  it('makes a ticket unreadable everywhere when its period has ended', async () => {
    const asha = await caller();
    const { subjectId } = asha;
    const itemId = asha.items['ticket.text'] ?? '';
    const closed = await custos.accepted('support', 'CloseServiceRequest', {
      subjectId,
      serviceRequestRef: 'ticket-1',
    });
    const schedule = await custos.get('auditor', `/v1/subjects/${subjectId}/retention`, closed.position);
    expect(schedule.body.rows).toMatchObject([
      { category: 'contact.email', period: 'P2Y', due: '2026-11-25T09:00:00.000Z', status: 'kept' },
      { category: 'ticket.text', period: 'P2Y', due: '2026-11-25T09:00:00.000Z', status: 'kept' },
    ]);

    await custos.advanceTo('2026-11-25T08:59:59.999Z');
    await refuses(
      custos,
      'dpo',
      'ExpireRetention',
      { subjectId, itemIds: [itemId] },
      said('RETENTION_NOT_DUE', 'C16', 'UK GDPR Art 5(1)(e)', { items: [itemId] }),
    );
    await custos.renewAccess();
    const before = (await fileOf(subjectId)).body.holdings as Held[];
    expect(before.map(({ value }) => value)).toEqual(['asha@example.test', 'Chart 12 does not open.']);

    await custos.advanceTo('2026-11-25T09:00:00Z');
    const after = await until(subjectId, 'erased');
    expect(after.map(({ status, withheld, value }) => [status, withheld, value])).toEqual([
      ['erased', 'forgotten', undefined],
      ['erased', 'forgotten', undefined],
    ]);
    const now = '2026-11-25T09:00:00.000Z';
    expect(await holders(custos, subjectId, now)).toMatchObject([
      { use: 'erased', to: { at: now } },
      { use: 'erased', to: { at: now } },
    ]);
    expect(await holders(custos, subjectId, '2026-11-25T08:59:59.999Z')).toMatchObject([
      { use: 'inUse', to: null },
      { use: 'inUse', to: null },
    ]);

    const about = { subjectId, itemId };
    const erased = (details: object) => said('DATA_ERASED', 'C16', 'UK GDPR Art 5(1)(e), 17', details);
    const correction = { ...about, fromVersion: 1, value: 'Chart 13.', reasonCode: 'inaccurate' };
    await refuses(custos, 'support', 'CorrectData', correction, erased({ itemId }));
    await refuses(custos, 'support', 'ConfirmAccuracy', { ...about, method: 'documentSeen' }, erased({ itemId }));
    const use = { subjectId, purposeId: 'support-ticket', itemIds: [itemId] };
    await refuses(custos, 'support', 'AuthoriseUse', use, erased({ items: [itemId] }));
    const share = { ...use, recipientId: 'person', medium: 'post' };
    await refuses(custos, 'support', 'ShareData', share, erased({ itemIds: [itemId] }));

    await custos.kill();
    await custos.launch('2026-11-26T09:00:00Z');
    expect(((await fileOf(subjectId)).body.holdings as Held[]).map(({ withheld }) => withheld)).toEqual([
      'forgotten',
      'forgotten',
    ]);
    await refuses(custos, 'support', 'CorrectData', correction, erased({ itemId }));
  });

  it('keeps what has an end of its own when something else ends', async () => {
    const { subjectId } = await customer(custos);
    await collect(custos, subjectId, TICKET, { 'ticket.text': 'Chart 12 does not open.' });
    await custos.accepted('support', 'CloseServiceRequest', { subjectId, serviceRequestRef: 'ticket-1' });
    await custos.accepted('crm', 'CloseRelationship', { subjectId, reasonCode: 'contractEnded' });
    await custos.advanceTo('2028-11-26T09:00:00Z');
    const twoYears = await until(subjectId, 'erased');
    expect(twoYears.filter(({ status }) => status === 'erased').map(({ category }) => category)).toEqual([
      'ticket.text',
    ]);
    await custos.advanceTo('2032-11-26T09:00:00Z');
    const sixYears = await custos.eventually(
      () => maskedOf(subjectId),
      ({ body }) => body.holdings.every((held: Held) => held.status === 'erased'),
    );
    expect(sixYears.body.holdings.map(({ withheld }: Held) => withheld)).toEqual(Array(5).fill('forgotten'));
  });

  it('ends what came in after its service request was closed', async () => {
    const { subjectId } = await caller();
    const closing = { subjectId, serviceRequestRef: 'ticket-1' };
    await custos.accepted('support', 'CloseServiceRequest', closing);
    await collect(custos, subjectId, TICKET, { 'contact.phone': '+44 20 7946 0101' });
    const again = await custos.accepted('support', 'CloseServiceRequest', closing);
    const { body } = await custos.get('auditor', `/v1/subjects/${subjectId}/retention`, again.position);
    expect(body.rows.filter((row: { due: string | null }) => row.due === null)).toEqual([]);
  });

  it('ends what was collected after a relationship was taken up again', async () => {
    const { subjectId } = await customer(custos);
    const closing = { subjectId, reasonCode: 'contractEnded' };
    await custos.accepted('crm', 'CloseRelationship', closing);
    await collect(
      custos,
      subjectId,
      { ...ACCOUNT, serviceRequestRef: 'order-2' },
      { 'contact.name': 'Asha Fictional' },
    );
    const again = await custos.accepted('crm', 'CloseRelationship', closing);
    const { body } = await custos.get('auditor', `/v1/subjects/${subjectId}/retention`, again.position);
    expect(body.rows.filter((row: { due: string | null }) => row.due === null)).toEqual([]);
  });

  it('lets nobody keep one item longer', async () => {
    const asha = await caller();
    const itemId = asha.items['contact.email'] ?? '';
    for (const actor of ['crm', 'support', 'dpo', 'counsel'] as const)
      await refuses(
        custos,
        actor,
        'ExtendRetention',
        { subjectId: asha.subjectId, itemId, until: '2060-01-01T00:00:00Z' },
        said('RETENTION_EXTENSION_FORBIDDEN', 'C16', 'UK GDPR Art 5(1)(e)', { itemId }),
      );
  });

  it('states an erasure to nobody who did not destroy the keys', async () => {
    const { subjectId } = await caller();
    await refuses(
      custos,
      'dpo',
      'ConfirmErasure',
      { subjectId },
      said('FORBIDDEN', 'C08 C15', 'UK GDPR Art 32', { command: 'ConfirmErasure' }),
    );
  });

  it('defines no purpose that leaves the end of a category open', async () => {
    const purposeId = fresh('lending');
    await refuses(
      custos,
      'dpo',
      'DefinePurpose',
      purposeDraft(purposeId, { retention: [] }),
      said('RETENTION_RULE_MISSING', 'C16', 'UK GDPR Art 5(1)(e)', { purposeId, fields: ['contact.email'] }),
    );
  });

  it('changes a period only for the future, with the approval of a second person', async () => {
    const purposeId = fresh('lending');
    const rule = { category: 'contact.email', trigger: 'collected', action: 'erase', legalRef: 'UK GDPR Art 5(1)(e)' };
    const longer = (period: string): object => purposeDraft(purposeId, { retention: [{ ...rule, period }] });
    await custos.accepted('dpo', 'DefinePurpose', longer('P1Y'));
    await custos.accepted('second-dpo', 'ApprovePurpose', { purposeId, version: 1 });
    await custos.accepted('dpo', 'DefinePurpose', longer('P9Y'));
    await refuses(
      custos,
      'dpo',
      'ApprovePurpose',
      { purposeId, version: 2 },
      said('FOUR_EYES_REQUIRED', 'C12 C15 C16', 'UK GDPR Art 25', { purposeId, version: 2 }),
    );
  });
});

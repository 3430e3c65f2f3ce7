import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import { consentOf, customer, newsTo, refuses, said, type Person } from './life.js';

/** C14: what is held is looked at from time to time, and whenever something bounces. */
describe('checks of accuracy', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  /** The checks that were raised, by item, in order. */
  const raised = async ({ subjectId }: Person): Promise<readonly string[]> => {
    const { body } = await custos.get('auditor', `/v1/subjects/${subjectId}/timeline?type=AccuracyCheckDue&limit=500`);
    return body.rows.map(({ facts }: { facts: string }) => (JSON.parse(facts) as { itemId: string }).itemId);
  };
  const untilRaised = (asha: Person) =>
    custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${asha.subjectId}/timeline?type=AccuracyCheckDue`),
      ({ body }) => body.rows.length >= 3,
    );
  const readerOfNews = async (): Promise<Person> => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    return asha;
  };

  it('raises a due check once and blocks marketing until it is done', async () => {
    const asha = await readerOfNews();
    const email = asha.items['contact.email'] ?? '';
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    await custos.advanceTo('2026-11-25T09:00:00Z');
    const later = await customer(custos);

    await custos.advanceTo('2027-11-24T09:00:00Z');
    await untilRaised(asha);
    const checked = [asha.items['contact.name'], email, asha.items['contact.phone']].sort();
    expect([...(await raised(asha))].sort()).toEqual(checked);
    expect(await raised(later)).toEqual([]);

    await custos.kill();
    await custos.launch('2027-11-26T09:00:00Z');
    // What fell due for another person meanwhile shows that the steward has looked at everything again.
    await untilRaised(later);
    expect([...(await raised(asha))].sort()).toEqual(checked);

    const overdue = said('ACCURACY_CHECK_OVERDUE', 'C05 C14', 'UK GDPR Art 5(1)(d)', { items: [email] });
    await refuses(custos, 'mailer', 'AuthoriseUse', newsTo(asha), overdue);
    const service = { subjectId: asha.subjectId, purposeId: 'service-account', itemIds: [email] };
    await custos.accepted('crm', 'AuthoriseUse', service);

    const confirmed = await custos.accepted('support', 'ConfirmAccuracy', {
      subjectId: asha.subjectId,
      itemId: email,
      method: 'subjectConfirmed',
    });
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    const file = await custos.get('support', `/v1/subjects/${asha.subjectId}`, confirmed.position);
    expect(file.body.holdings.find((held: { item_id: string }) => held.item_id === email)).toMatchObject({
      next_check_due: '2028-11-26T09:00:00.000Z',
    });
  });

  it('raises the next check when its time has come again', async () => {
    const asha = await customer(custos);
    await custos.advanceTo('2028-11-27T09:00:00Z');
    await untilRaised(asha);
    const itemId = asha.items['contact.email'] ?? '';
    await custos.accepted('crm', 'ConfirmAccuracy', { subjectId: asha.subjectId, itemId, method: 'contactMade' });
    await custos.advanceTo('2029-11-28T09:00:00Z');
    const again = await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${asha.subjectId}/timeline?type=AccuracyCheckDue`),
      ({ body }) => body.rows.length >= 4,
    );
    expect(again.body.rows.map(({ facts }: { facts: string }) => JSON.parse(facts).due).at(-1)).toBe(
      '2029-11-27T09:00:00.000Z',
    );
  });

  it('shows what is due, raises what stays undone once more, and never again', async () => {
    const asha = await readerOfNews();
    const backlog = (status: string) =>
      custos.get('auditor', `/v1/registers/accuracy-backlog?subject_id=${asha.subjectId}&status=${status}`);
    const overdue = async () =>
      (await custos.get('auditor', `/v1/subjects/${asha.subjectId}/timeline?type=AccuracyCheckOverdue`)).body.rows;
    expect((await backlog('due')).body.rows).toEqual([]);
    await custos.advanceTo('2030-11-29T09:00:00Z');
    const due = await custos.eventually(
      () => backlog('due'),
      ({ body }) => body.rows.length === 3,
    );
    expect(due.body.rows[0]).toMatchObject({ kind: 'check', cause: 'interval', due: '2030-11-28T09:00:00.000Z' });
    expect(JSON.stringify(due.body)).not.toMatch(/example\.test|sealed|ciphertext/);
    const later = await customer(custos);

    await custos.advanceTo('2030-12-28T09:00:00Z');
    await custos.eventually(
      () => backlog('overdue'),
      ({ body }) => body.rows.length === 3,
    );
    expect(await overdue()).toHaveLength(3);
    await custos.kill();
    await custos.launch('2031-11-30T09:00:00Z');
    // What fell due for another person meanwhile shows that the steward has looked at everything again.
    await untilRaised(later);
    expect(await overdue()).toHaveLength(3);

    const itemId = asha.items['contact.email'] ?? '';
    const about = { subjectId: asha.subjectId, itemId };
    const share = { subjectId: asha.subjectId, purposeId: 'service-account', itemIds: [itemId], medium: 'api' };
    await refuses(
      custos,
      'crm',
      'ShareData',
      { ...share, recipientId: 'example-harbour-charts' },
      said('ACCURACY_CHECK_OVERDUE', 'C05 C14', 'UK GDPR Art 5(1)(d)', { itemIds: [itemId] }),
    );
    await custos.accepted('support', 'ShareData', { ...share, recipientId: 'person' });
    const { position } = await custos.accepted('support', 'ConfirmAccuracy', { ...about, method: 'contactMade' });
    await custos.accepted('crm', 'ShareData', { ...share, recipientId: 'example-harbour-charts' });
    const settled = await custos.get('auditor', `/v1/subjects/${asha.subjectId}/accuracy?status=settled`, position);
    expect(settled.body.rows).toMatchObject([{ item_id: itemId }]);
  });

  it('asks for a check at every renewal', async () => {
    const asha = await readerOfNews();
    const renewed = await custos.accepted('crm', 'RecordRenewal', { subjectId: asha.subjectId });
    expect(renewed.events).toHaveLength(3);
    const backlog = await custos.get('support', `/v1/subjects/${asha.subjectId}/accuracy?status=due`, renewed.position);
    expect(backlog.body.rows.map(({ cause }: { cause: string }) => cause)).toEqual(['renewal', 'renewal', 'renewal']);
    const share = { subjectId: asha.subjectId, purposeId: 'service-account', medium: 'api' };
    const itemIds = [asha.items['contact.email']];
    await refuses(
      custos,
      'crm',
      'ShareData',
      { ...share, itemIds, recipientId: 'example-harbour-charts' },
      said('ACCURACY_CHECK_OVERDUE', 'C05 C14', 'UK GDPR Art 5(1)(d)', { itemIds }),
    );
    expect((await custos.accepted('crm', 'RecordRenewal', { subjectId: asha.subjectId })).events).toEqual([]);
  });

  it('finds the address that a bounced message went to', async () => {
    const asha = await readerOfNews();
    const [email, name] = [asha.items['contact.email'] ?? '', asha.items['contact.name'] ?? ''];
    const letter = { subjectId: asha.subjectId, purposeId: 'service-account', itemIds: [email, name] };
    const { position } = await custos.accepted('mailer', 'AuthoriseUse', letter);
    const uses = await custos.get('auditor', `/v1/subjects/${asha.subjectId}/uses`, position);
    const bounce = { subjectId: asha.subjectId, useId: uses.body.rows[0].use_id, cause: 'bouncedEmail' };
    const doubted = await custos.accepted('mailer', 'DoubtAccuracy', bounce);
    const backlog = await custos.get(
      'auditor',
      `/v1/registers/accuracy-backlog?status=disputed&category=contact.email&subject_id=${asha.subjectId}`,
      doubted.position,
    );
    expect(backlog.body.rows).toMatchObject([{ item_id: email, cause: 'bouncedEmail', version: 1 }]);
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('ITEM_DISPUTED', 'C14', 'UK GDPR Art 5(1)(d)', { items: [email] }),
    );
    // The same message comes back again after the address was put right: that says nothing about the new one.
    const correction = { fromVersion: 1, value: 'asha.new@example.test', reasonCode: 'inaccurate' };
    await custos.accepted('support', 'CorrectData', { subjectId: asha.subjectId, itemId: email, ...correction });
    expect((await custos.accepted('mailer', 'DoubtAccuracy', bounce)).events).toEqual([]);
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    await refuses(
      custos,
      'mailer',
      'DoubtAccuracy',
      { ...bounce, useId: email },
      said('ITEM_UNKNOWN', '', 'engine rule', { useId: email }),
    );
  });

  it.each(['bouncedEmail', 'returnedPost', 'subjectNotice'])('stops at a doubt at once: %s', async (cause) => {
    const asha = await readerOfNews();
    const itemId = asha.items['contact.email'] ?? '';
    const about = { subjectId: asha.subjectId, itemId };
    const doubted = await custos.accepted('mailer', 'DoubtAccuracy', { ...about, cause });
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('ITEM_DISPUTED', 'C14', 'UK GDPR Art 5(1)(d)', { items: [itemId] }),
    );
    const share = { subjectId: asha.subjectId, purposeId: 'service-account', itemIds: [itemId], medium: 'api' };
    await refuses(
      custos,
      'crm',
      'ShareData',
      { ...share, recipientId: 'example-harbour-charts' },
      said('ITEM_DISPUTED', 'C14', 'UK GDPR Art 5(1)(d)', { itemIds: [itemId] }),
    );
    const file = await custos.get('support', `/v1/subjects/${asha.subjectId}`, doubted.position);
    expect(file.body.holdings.filter((held: { disputed: boolean }) => held.disputed)).toMatchObject([
      { item_id: itemId },
    ]);

    await custos.accepted('support', 'CorrectData', {
      ...about,
      fromVersion: 1,
      value: 'asha.right@example.test',
      reasonCode: 'inaccurate',
    });
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { Installation } from '../installation.js';
import {
  ACCOUNT,
  acquaintance,
  approvedPurpose,
  collect,
  customer,
  fresh,
  itemsOf,
  noticeDraft,
  pointDraft,
  refuses,
  said,
  SHOWN,
  stranger,
  TICKET,
} from './life.js';

/** C13: people are told what their data is for before they give it. */
describe('told beforehand', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  /** A purpose with a form, and a notice whose first version does not speak of it. */
  const lending = async () => {
    const [purposeId, noticeId, collectionPointId] = [fresh('lending'), fresh('lending-notice'), fresh('lending-form')];
    await approvedPurpose(custos, purposeId);
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 1, ['service-account']));
    await custos.accepted('dpo', 'RegisterCollectionPoint', pointDraft(collectionPointId, purposeId, noticeId));
    const of = (subjectId: string, noticeVersion: number): object => ({
      subjectId,
      purposeId,
      collectionPointId,
      noticeId,
      noticeVersion,
      serviceRequestRef: 'loan-1',
      items: itemsOf({ 'contact.email': 'asha@example.test' }),
    });
    return { purposeId, noticeId, of };
  };
  const shown = (subjectId: string, noticeId: string, version: number): object => ({
    ...SHOWN,
    subjectId,
    noticeId,
    version,
  });

  it('collects only after the notice in force was presented', async () => {
    const { purposeId, noticeId, of } = await lending();
    const subjectId = await stranger(custos);
    await custos.accepted('crm', 'PresentNotice', shown(subjectId, noticeId, 1));
    await refuses(
      custos,
      'crm',
      'CollectData',
      of(subjectId, 1),
      said('NOTICE_DOES_NOT_COVER_PURPOSE', 'C13', 'UK GDPR Art 13', { noticeId, version: 1, purposeId }),
    );

    const second = noticeDraft(noticeId, 2, ['service-account', purposeId]) as { readonly content: string };
    const { position } = await custos.accepted('dpo', 'PublishNotice', second);
    await refuses(
      custos,
      'crm',
      'CollectData',
      of(subjectId, 2),
      said('NOTICE_NOT_PRESENTED', 'C13', 'UK GDPR Art 13', { noticeId, version: 2 }),
    );
    await custos.accepted('crm', 'PresentNotice', shown(subjectId, noticeId, 2));
    await custos.accepted('crm', 'CollectData', of(subjectId, 2));

    const hash = createHash('sha256').update(second.content).digest('hex');
    const { body } = await custos.get('auditor', `/v1/registers/notices?content_hash=${hash}`, position);
    expect(body.rows).toMatchObject([{ notice_id: noticeId, version: 2, content: second.content, publisher: 'dpo' }]);
    const found = await custos.get('auditor', `/v1/notices/by-hash/${hash}`);
    expect(found.body.notices).toMatchObject([{ noticeId, version: 2, contentHash: hash }]);
    expect(createHash('sha256').update(found.body.notices[0].content).digest('hex')).toBe(hash);
    expect((await custos.get('auditor', `/v1/notices/by-hash/${'0'.repeat(64)}`)).body.notices).toEqual([]);
    expect(await custos.get('auditor', '/v1/notices/by-hash/2')).toMatchObject({ status: 400 });
  });

  it('quotes no version that is over or has not begun', async () => {
    const { purposeId, noticeId, of } = await lending();
    const subjectId = await stranger(custos);
    await custos.accepted('crm', 'PresentNotice', shown(subjectId, noticeId, 1));
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 2, [purposeId]));
    const notInForce = (version: number) => said('NOTICE_NOT_IN_FORCE', 'C13', 'UK GDPR Art 13', { noticeId, version });
    await refuses(custos, 'crm', 'CollectData', of(subjectId, 1), notInForce(1));
    await refuses(custos, 'crm', 'PresentNotice', shown(await stranger(custos), noticeId, 1), notInForce(1));

    await custos.accepted('dpo', 'PublishNotice', {
      ...noticeDraft(noticeId, 3, [purposeId]),
      effectiveFrom: '2026-12-01T00:00:00Z',
    });
    await refuses(custos, 'crm', 'PresentNotice', shown(subjectId, noticeId, 3), notInForce(3));
    await custos.accepted('crm', 'PresentNotice', shown(subjectId, noticeId, 2));
    await custos.accepted('crm', 'CollectData', of(subjectId, 2));
    await custos.advanceTo('2026-12-01T00:00:00Z');
    await refuses(custos, 'crm', 'CollectData', of(subjectId, 2), notInForce(2));
    await custos.accepted('crm', 'PresentNotice', shown(subjectId, noticeId, 3));
    await custos.accepted('crm', 'CollectData', of(subjectId, 3));
  });

  it('knows no version that nobody published', async () => {
    const subjectId = await acquaintance(custos);
    const unknown = said('NOTICE_UNKNOWN', 'C13 C30', 'UK GDPR Art 13', { noticeId: 'customer-privacy', version: 99 });
    await refuses(custos, 'crm', 'PresentNotice', { subjectId, ...SHOWN, version: 99 }, unknown);
    await refuses(
      custos,
      'crm',
      'CollectData',
      { ...TICKET, subjectId, noticeVersion: 99, items: itemsOf({ 'contact.email': 'asha@example.test' }) },
      unknown,
    );
  });

  it('changes no text that was published', async () => {
    const noticeId = fresh('lending-notice');
    const first = noticeDraft(noticeId, 1, ['service-account']);
    await custos.accepted('dpo', 'PublishNotice', first);
    const again = await custos.accepted('dpo', 'PublishNotice', first);
    expect(again.events).toEqual([]);
    await refuses(
      custos,
      'dpo',
      'PublishNotice',
      { ...first, content: 'We may do anything.' },
      said('NOTICE_IMMUTABLE', 'C30', 'UK GDPR Art 5(1)(a)', { noticeId, version: 1 }),
    );
  });

  it('has told nobody by a notice that was shown later', async () => {
    const subjectId = await stranger(custos, { occurredAt: '2026-11-20T09:00:00Z' });
    await custos.accepted('crm', 'PresentNotice', { subjectId, ...SHOWN, occurredAt: '2026-11-22T09:00:00Z' });
    const ticket = { ...TICKET, subjectId, items: itemsOf({ 'contact.email': 'asha@example.test' }) };
    await refuses(
      custos,
      'crm',
      'CollectData',
      { ...ticket, occurredAt: '2026-11-21T09:00:00Z' },
      said('NOTICE_NOT_PRESENTED', 'C13', 'UK GDPR Art 13', { noticeId: 'customer-privacy', version: 1 }),
    );
    await custos.accepted('crm', 'CollectData', { ...ticket, occurredAt: '2026-11-22T09:00:00Z' });
  });

  it('stores what others told us, and uses it only once the person knows', async () => {
    const subjectId = await stranger(custos);
    const items = await collect(
      custos,
      subjectId,
      { ...ACCOUNT, source: 'thirdParty' },
      { 'contact.email': 'asha@example.test' },
    );
    const use = { subjectId, purposeId: 'service-account', itemIds: [items['contact.email']] };
    await refuses(
      custos,
      'crm',
      'AuthoriseUse',
      use,
      said('ART14_NOTICE_DUE', 'C13', 'UK GDPR Art 14', { items: [items['contact.email']] }),
    );
    await custos.accepted('crm', 'PresentNotice', { subjectId, ...SHOWN });
    await custos.accepted('crm', 'AuthoriseUse', use);
  });

  it('gives nobody what the person was not told of, but the person', async () => {
    const subjectId = await stranger(custos);
    const how = { ...ACCOUNT, source: 'thirdParty', sourceRecipientId: 'example-agency' };
    const items = await collect(custos, subjectId, how, { 'contact.email': 'asha@example.test' });
    const itemIds = [items['contact.email']];
    const share = { subjectId, purposeId: 'service-account', itemIds, medium: 'api' };
    await refuses(
      custos,
      'crm',
      'ShareData',
      { ...share, recipientId: 'example-harbour-charts' },
      said('ART14_NOTICE_DUE', 'C13', 'UK GDPR Art 14', { itemIds }),
    );
    await custos.accepted('support', 'ShareData', { ...share, recipientId: 'person' });
    await custos.accepted('crm', 'PresentNotice', { subjectId, ...SHOWN });
    await custos.accepted('crm', 'ShareData', { ...share, recipientId: 'example-harbour-charts' });
    const file = await custos.get('support', `/v1/subjects/${subjectId}?purpose=service-account&caseRef=CASE-13`);
    expect(file.body.holdings).toMatchObject([{ source: 'thirdParty', source_recipient_id: 'example-agency' }]);
  });

  it('raises once that the person was not told of data from elsewhere within a month', async () => {
    const subjectId = await stranger(custos);
    const told = await stranger(custos);
    const values = { 'contact.email': 'asha@example.test', 'contact.name': 'Asha Fictional' };
    for (const person of [subjectId, told]) await collect(custos, person, { ...ACCOUNT, source: 'thirdParty' }, values);
    const telling = await custos.accepted('crm', 'PresentNotice', { subjectId: told, ...SHOWN });
    const notices = (person: string, position?: number) =>
      custos.get('auditor', `/v1/subjects/${person}/art14-notices`, position);
    const due = await notices(subjectId, telling.position);
    expect(due.body.rows).toMatchObject([
      { status: 'due', notice_id: 'customer-privacy', told_at: null },
      { status: 'due' },
    ]);
    expect((await notices(told)).body.rows).toMatchObject([{ status: 'told' }, { status: 'told' }]);

    await custos.advanceTo(due.body.rows[0].due);
    const alarms = (person: string) => custos.get('auditor', `/v1/subjects/${person}/timeline?type=Art14NoticeOverdue`);
    await custos.eventually(
      () => alarms(subjectId),
      ({ body }) => body.rows.length > 0,
    );
    const board = await custos.get('dpo', `/v1/registers/art14-notices?status=overdue&subject_id=${subjectId}`);
    expect(board.body.rows).toHaveLength(2);
    await custos.kill();
    await custos.launch('2027-02-01T09:00:00Z');
    const other = await stranger(custos);
    await collect(custos, other, { ...ACCOUNT, source: 'thirdParty' }, values);
    await custos.advanceTo('2027-03-02T00:00:00Z');
    await custos.eventually(
      () => alarms(other),
      ({ body }) => body.rows.length > 0,
    );
    expect((await alarms(subjectId)).body.rows).toHaveLength(1);
    expect((await alarms(told)).body.rows).toEqual([]);

    const cleared = await custos.accepted('crm', 'PresentNotice', { subjectId, ...SHOWN });
    expect((await notices(subjectId, cleared.position)).body.rows).toMatchObject([
      { status: 'told', told_at: '2027-03-02T00:00:00.000Z', overdue_at: due.body.rows[0].due },
      { status: 'told' },
    ]);
  });

  it('knows who was told which version, and who has to be told again', async () => {
    const { purposeId, noticeId, of } = await lending();
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 2, ['service-account', purposeId]));
    const borrowers: string[] = [];
    for (let number = 0; number < 3; number += 1) {
      const subjectId = await stranger(custos);
      await custos.accepted('crm', 'PresentNotice', shown(subjectId, noticeId, 2));
      await custos.accepted('crm', 'CollectData', of(subjectId, 2));
      borrowers.push(subjectId);
    }
    // This one was told as well, and nothing is held about them.
    const passerBy = await stranger(custos);
    const { position } = await custos.accepted('crm', 'PresentNotice', shown(passerBy, noticeId, 2));
    const again = (query = '', at = position) =>
      custos.get('dpo', `/v1/renotifications?noticeId=${noticeId}${query}`, at);
    expect((await again()).body).toMatchObject({ versionInForce: 2, rows: [] });

    const other = fresh('mooring');
    await approvedPurpose(custos, other);
    // A version that says the same better asks nobody to be told again.
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 3, ['service-account', purposeId]));
    expect((await again()).body).toMatchObject({ versionInForce: 3, rows: [] });
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 4, ['service-account', purposeId, other]));
    const due = await again();
    expect(due.body.rows.map(({ subjectId }: { subjectId: string }) => subjectId)).toEqual(borrowers);
    expect(due.body.rows[0]).toMatchObject({ versionTold: 2, purposesAdded: [other], purposesWidened: [] });

    const seen: string[] = [];
    let next = '';
    do {
      const page = await again(`&limit=1${next}`);
      seen.push(...page.body.rows.map(({ subjectId }: { subjectId: string }) => subjectId));
      next = page.body.next === undefined ? '' : `&after=${page.body.next}`;
    } while (next !== '');
    expect(seen).toEqual(borrowers);

    const telling = await custos.accepted('crm', 'PresentNotice', shown(borrowers[0] ?? '', noticeId, 4));
    expect((await again('', telling.position)).body.rows).toHaveLength(2);
    const register = await custos.get('auditor', `/v1/registers/notice-presentations?notice_id=${noticeId}&version=4`);
    expect(register.body.rows).toMatchObject([
      { subject_id: borrowers[0], occasion: 'first', how: 'shown', channel: 'web', event_id: telling.events[0].id },
    ]);
    const one = await custos.get('auditor', `/v1/subjects/${borrowers[0]}/notice-presentations`);
    expect(one.body.rows.map(({ version }: { version: number }) => version)).toEqual([2, 4]);
    for (const query of ['&after=x', '&limit=0', '&limit=many']) expect((await again(query)).status).toBe(400);
    expect((await custos.get('dpo', '/v1/renotifications')).status).toBe(400);
    expect((await custos.get('dpo', '/v1/renotifications?noticeId=nothing')).status).toBe(404);
    expect((await custos.get('crm', `/v1/renotifications?noticeId=${noticeId}`)).status).toBe(403);
  });

  it('uses data only for what the person was told it is for', async () => {
    const asha = await customer(custos);
    const ticket = await collect(custos, asha.subjectId, TICKET, { 'ticket.text': 'Chart 12 does not open.' });
    const itemIds = [ticket['ticket.text']];
    await refuses(
      custos,
      'crm',
      'AuthoriseUse',
      { subjectId: asha.subjectId, purposeId: 'service-account', itemIds },
      said('ITEM_NOT_HELD_FOR_PURPOSE', 'C13 C17', 'UK GDPR Art 5(1)(b)', {
        purposeId: 'service-account',
        items: itemIds,
      }),
    );
    await custos.accepted('support', 'AuthoriseUse', {
      subjectId: asha.subjectId,
      purposeId: 'support-ticket',
      itemIds,
    });
  });
});

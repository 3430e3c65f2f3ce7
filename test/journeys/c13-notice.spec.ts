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

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Installation } from '../installation.js';
import {
  acquaintance,
  approvedPurpose,
  fresh,
  itemsOf,
  NOTICE,
  noticeDraft,
  pointDraft,
  refuses,
  said,
  TICKET,
} from './life.js';

/** C11: every place where people are asked for something is known. */
describe('the places of asking', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  /** A form of its own for a shipped purpose. */
  const formFor = async (more: object = {}): Promise<string> => {
    const collectionPointId = fresh('web-form');
    const point = pointDraft(collectionPointId, 'support-ticket', 'customer-privacy', more);
    await custos.accepted('dpo', 'RegisterCollectionPoint', point);
    return collectionPointId;
  };
  const message = (subjectId: string, collectionPointId: string, more: object = {}): object => ({
    ...TICKET,
    subjectId,
    collectionPointId,
    items: itemsOf({ 'contact.email': 'asha@example.test' }),
    ...more,
  });

  it('refuses a late message of a retired collection point', async () => {
    const subjectId = await acquaintance(custos);
    const collectionPointId = await formFor();
    const early = { commandId: randomUUID(), ...message(subjectId, collectionPointId) };
    const first = await custos.accepted('crm', 'CollectData', early);
    await custos.advanceTo('2026-11-23T09:30:00Z');
    const { position } = await custos.accepted('dpo', 'RetireCollectionPoint', { collectionPointId });
    const { body } = await custos.get(
      'support',
      `/v1/registers/collection-points?collection_point_id=${collectionPointId}`,
      position,
    );
    expect(body.rows).toMatchObject([{ status: 'retired', in_service_to: '2026-11-23T09:30:00.000Z' }]);

    const retired = said('COLLECTION_POINT_RETIRED', 'C11', 'UK GDPR Art 13, 25', { collectionPointId });
    await refuses(custos, 'crm', 'CollectData', message(subjectId, collectionPointId), retired);
    const late = message(subjectId, collectionPointId, { occurredAt: '2026-11-23T09:10:00Z' });
    await refuses(custos, 'crm', 'CollectData', late, retired);

    const seen = await custos.get('support', `/v1/refusals?stream_ref=subject-${subjectId}`);
    expect(seen.body.rows).toMatchObject([
      { code: 'COLLECTION_POINT_RETIRED', command_type: 'CollectData', actor_id: 'crm' },
      { code: 'COLLECTION_POINT_RETIRED', command_type: 'CollectData', actor_id: 'crm' },
    ]);

    const repeated = await custos.accepted('crm', 'CollectData', early);
    expect(repeated).toEqual(first);
    const point = pointDraft(collectionPointId, 'support-ticket', 'customer-privacy');
    await refuses(custos, 'dpo', 'RegisterCollectionPoint', point, retired);
  });

  it('takes nothing from a form that nobody registered', async () => {
    const subjectId = await acquaintance(custos);
    const collectionPointId = fresh('old-form');
    const unknown = said('COLLECTION_POINT_UNKNOWN', 'C11', 'UK GDPR Art 13, 25', { collectionPointId });
    await refuses(custos, 'crm', 'CollectData', message(subjectId, collectionPointId), unknown);
    await refuses(custos, 'dpo', 'RetireCollectionPoint', { collectionPointId }, unknown);
  });

  it('takes at a form only what the form is for', async () => {
    const subjectId = await acquaintance(custos);
    const collectionPointId = await formFor();
    const notBound = (details: object) =>
      said('COLLECTION_POINT_NOT_BOUND', 'C11', 'UK GDPR Art 13, 25', { collectionPointId, ...details });
    await refuses(
      custos,
      'crm',
      'CollectData',
      message(subjectId, collectionPointId, { purposeId: 'service-account' }),
      notBound({ purposeId: 'service-account' }),
    );
    await refuses(
      custos,
      'crm',
      'CollectData',
      message(subjectId, collectionPointId, {
        items: itemsOf({ 'contact.email': 'asha@example.test', 'ticket.text': 'Chart 12 does not open.' }),
      }),
      notBound({ fields: ['ticket.text'] }),
    );
    const noticeId = fresh('other-notice');
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 1, ['support-ticket']));
    const presented = { noticeId, version: 1, how: 'shown', channel: 'web' };
    await custos.accepted('crm', 'PresentNotice', { subjectId, ...presented });
    await refuses(
      custos,
      'crm',
      'CollectData',
      message(subjectId, collectionPointId, { noticeId, noticeVersion: 1 }),
      notBound({ noticeId }),
    );
    await custos.accepted('crm', 'CollectData', message(subjectId, collectionPointId, NOTICE));
  });

  it('puts no form into service that explains nothing', async () => {
    const collectionPointId = fresh('contact-us');
    const missing = said('EXPLANATION_MISSING', 'C28', 'UK GDPR Art 13, 25', { collectionPointId, kind: 'webForm' });
    for (const explanation of [undefined, '', '   '])
      await refuses(
        custos,
        'dpo',
        'RegisterCollectionPoint',
        pointDraft(collectionPointId, 'support-ticket', 'customer-privacy', { explanation }),
        missing,
      );
  });

  it('keeps every version of a form with its time in service', async () => {
    const purposeId = fresh('lending');
    await approvedPurpose(custos, purposeId);
    const collectionPointId = await formFor();
    const changed = pointDraft(collectionPointId, 'support-ticket', 'customer-privacy', {
      purposes: ['support-ticket', purposeId],
    });
    const { position } = await custos.accepted('dpo', 'RegisterCollectionPoint', changed);
    const { body } = await custos.get(
      'auditor',
      `/v1/registers/collection-points?collection_point_id=${collectionPointId}`,
      position,
    );
    expect(body.rows).toMatchObject([
      { version: 1, status: 'replaced', purposes: '["support-ticket"]' },
      { version: 2, status: 'active', purposes: JSON.stringify(['support-ticket', purposeId]) },
    ]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import { approvedPurpose, fresh, noticeDraft, pointDraft, refuses, said } from './life.js';

/** C28: where people are asked for something, they read why; and what they read is what the register holds. */
describe('the explanation at a form', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  /** As the page that shows the form asks: without any token. */
  const shown = async (collectionPointId: string) => {
    const response = await fetch(`${custos.url}/v1/collection-points/${collectionPointId}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('is there before the form is, and says what the register says', async () => {
    const purposeId = fresh('lending');
    const noticeId = fresh('about-lending');
    await approvedPurpose(custos, purposeId);
    const published = await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 1, [purposeId]));
    const collectionPointId = fresh('contact-us');
    for (const kind of ['webForm', 'api', 'inProduct'])
      for (const explanation of [undefined, '', ' \n '])
        await refuses(
          custos,
          'dpo',
          'RegisterCollectionPoint',
          pointDraft(collectionPointId, purposeId, noticeId, { kind, explanation }),
          said('EXPLANATION_MISSING', 'C28', 'UK GDPR Art 13, 25', { collectionPointId, kind }),
        );
    expect((await shown(collectionPointId)).status).toBe(404);
    const nothingFor = pointDraft(collectionPointId, purposeId, noticeId, { purposes: [] });
    expect((await custos.send('dpo', 'RegisterCollectionPoint', nothingFor)).status).toBe(400);

    await custos.accepted('dpo', 'RegisterCollectionPoint', pointDraft(collectionPointId, purposeId, noticeId));
    const projected = await custos.get('auditor', '/v1/registers/notices', published.position);
    expect(projected.status).toBe(200);
    const page = await shown(collectionPointId);
    expect(page).toMatchObject({
      status: 200,
      body: {
        collectionPointId,
        version: 1,
        explanation: 'You borrow a chart here. We use your address to remind you of it.',
        purposes: [{ purposeId, plainWords: 'We lend you charts and ask for them back.' }],
        fields: [{ category: 'contact.email', requiredFor: [purposeId] }],
        notice: { noticeId, version: 1 },
        noticeText: 'What we do with your data, version 1.',
      },
    });

    const better = 'You borrow a chart here. Your address serves to remind you, and for nothing else.';
    await custos.accepted(
      'dpo',
      'RegisterCollectionPoint',
      pointDraft(collectionPointId, purposeId, noticeId, { explanation: better }),
    );
    expect((await shown(collectionPointId)).body).toMatchObject({ version: 2, explanation: better });

    await custos.accepted('dpo', 'SuspendPurpose', { purposeId, reasonCode: 'underReview' });
    expect((await shown(collectionPointId)).body).toMatchObject({ purposes: [], fields: [] });
    await custos.accepted('dpo', 'RetireCollectionPoint', { collectionPointId });
    expect((await shown(collectionPointId)).status).toBe(410);
  });

  it('explains every form that is shipped', async () => {
    const { body } = await custos.get(
      'auditor',
      '/v1/registers/collection-points?notice_id=customer-privacy&status=active',
    );
    expect(body.rows.length).toBeGreaterThan(5);
    for (const { collection_point_id: id } of body.rows as readonly { collection_point_id: string }[])
      expect(await shown(id)).toMatchObject({
        status: 200,
        body: { explanation: expect.stringMatching(/\w/), notice: { noticeId: 'customer-privacy' } },
      });
  });

  it('is kept with every notice that was to be shown there', async () => {
    const noticeId = fresh('about-lending');
    const purposeId = fresh('lending');
    await approvedPurpose(custos, purposeId);
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 1, [purposeId]));
    const collectionPointId = fresh('desk');
    await custos.accepted('dpo', 'RegisterCollectionPoint', pointDraft(collectionPointId, purposeId, noticeId));
    await custos.advanceTo('2026-11-23T10:00:00Z');
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 2, [purposeId]));
    await custos.advanceTo('2026-11-23T11:00:00Z');
    const { position } = await custos.accepted('dpo', 'RetireCollectionPoint', { collectionPointId });

    const history = await custos.get('support', `/v1/collection-points/${collectionPointId}/history`);
    expect(history.body.versions).toMatchObject([
      {
        version: 1,
        until: '2026-11-23T11:00:00.000Z',
        notices: [
          { version: 1, until: '2026-11-23T10:00:00.000Z' },
          { version: 2, from: '2026-11-23T10:00:00.000Z', until: '2026-11-23T11:00:00.000Z' },
        ],
      },
    ]);
    const before = `/v1/registers/collection-points?collection_point_id=${collectionPointId}&asOf=2026-11-23T10:30:00Z`;
    expect((await custos.get('support', before, position)).body.rows).toMatchObject([{ status: 'active' }]);
    expect((await custos.get('crm', `/v1/collection-points/${collectionPointId}/history`)).status).toBe(403);
    expect((await custos.get('support', '/v1/collection-points/constructor/history')).status).toBe(404);
  });
});

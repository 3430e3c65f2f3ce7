import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { COMPANY_POLICY, describeWithData } from '../data.js';
import { Installation } from '../installation.js';
import { approvedPurpose, completeNotice, fresh, purposeDraft, refuses, said } from './life.js';

/** C30: one governing text, complete, in versions that never change, and it can be shown which one applied when. */
describe('the governing text', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  /** Without a token, as anybody would. */
  const shown = async (noticeId: string) => {
    const response = await fetch(`${custos.url}/v1/notices/${noticeId}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const incomplete = (noticeId: string, version: number, gaps: readonly string[]) =>
    said('NOTICE_INCOMPLETE', 'C13 C30', 'UK GDPR Art 13, 14', { noticeId, version, gaps });

  it('publishes no version that leaves out what Art 13 asks for', async () => {
    const [noticeId, purposeId] = [fresh('lending-notice'), fresh('lending')];
    await approvedPurpose(custos, purposeId);
    const whole = completeNotice(noticeId, 1, [{ purposeId }]);
    const without = (...parts: readonly string[]) => ({
      ...whole,
      statements: whole.statements.filter((each) => !parts.includes((each as { readonly part: string }).part)),
    });
    await refuses(
      custos,
      'dpo',
      'PublishNotice',
      without('controllerIdentity', 'lawfulBases', 'complaintToAuthority'),
      incomplete(noticeId, 1, [
        `lawfulBases/${purposeId}: missing`,
        'controllerIdentity: missing',
        'complaintToAuthority: missing',
      ]),
    );
    await refuses(
      custos,
      'dpo',
      'PublishNotice',
      { ...whole, content: whole.content.replace('1 Years', '').replace('Nothing goes to another country.', '') },
      incomplete(noticeId, 1, ['transfers: notInText']),
    );
    await refuses(
      custos,
      'dpo',
      'PublishNotice',
      completeNotice(noticeId, 1, [{ purposeId, basis: 'consent', period: 'P3Y' }]),
      incomplete(noticeId, 1, [`lawfulBases/${purposeId}: disagrees`, `retentionPeriods/${purposeId}: disagrees`]),
    );
    const { position } = await custos.accepted('dpo', 'PublishNotice', whole);
    const { body } = await custos.get('auditor', `/v1/registers/notices?notice_id=${noticeId}`, position);
    expect(body.rows).toMatchObject([{ version: 1, gaps: '[]', purpose_versions: JSON.stringify({ [purposeId]: 1 }) }]);
  });

  describeWithData('the company’s own text', COMPANY_POLICY, (content) => {
    const GAPS = [
      'controllerIdentity',
      'dataProtectionContact',
      'lawfulBases',
      'transfers',
      'retentionPeriods',
      'rightToErasure',
      'rightToRestriction',
      'rightToObject',
      'rightToPortability',
      'complaintToAuthority',
    ];

    it('is examined before anybody publishes it', async () => {
      const { status, body } = await custos.post('dpo', '/v1/notices/assessment', { content });
      expect(status).toBe(200);
      expect(body.missing.map(({ part }: { readonly part: string }) => part)).toEqual(GAPS);
      expect(body.missing[0]).toEqual({ part: 'controllerIdentity', law: 'Art 13(1)(a)' });
      const stated = body.stated.map(({ part }: { readonly part: string }) => part);
      expect(stated).toEqual(
        expect.arrayContaining(['contact', 'purposes', 'recipients', 'rightOfAccess', 'complaintToController']),
      );
      expect(body.claims).toContainEqual({
        claimId: 'ico-dp-fee:dpa-1998',
        text: 'Data Protection Act 1998',
        status: 'superseded',
      });
      expect(await custos.post('crm', '/v1/notices/assessment', { content })).toMatchObject({ status: 403 });
      expect(await custos.post('dpo', '/v1/notices/assessment', { content: ' ' })).toMatchObject({ status: 400 });
    });

    it('is recorded as what people were shown, with its gaps, and is no model for a new version', async () => {
      const noticeId = fresh('old-policy');
      const old = {
        noticeId,
        version: 1,
        language: 'en-GB',
        title: 'Old policy',
        content,
        purposes: ['service-account'],
      };
      const { position } = await custos.accepted('dpo', 'PublishNotice', {
        ...old,
        effectiveFrom: '2018-05-25T00:00:00Z',
      });
      const { body } = await custos.get('auditor', `/v1/registers/notices?notice_id=${noticeId}`, position);
      expect(JSON.parse(body.rows[0].gaps)).toEqual(GAPS.map((part) => `${part}: missing`));
      const claimless = content.replace(/CherSoft is registered[^.]*\./, '').replace(/This is validated[^\n]*/, '');
      const { body: refusal } = await custos.send('dpo', 'PublishNotice', { ...old, version: 2, content: claimless });
      expect(refusal).toMatchObject({ accepted: false, code: 'NOTICE_INCOMPLETE' });
      expect(refusal.details.gaps).toEqual(
        expect.arrayContaining(GAPS.slice(3).map((part) => expect.stringContaining(part))),
      );
    });
  });

  it('is never changed, and everybody can read the version in force', async () => {
    const noticeId = fresh('lending-notice');
    const first = completeNotice(noticeId, 1, [{ purposeId: 'service-account' }]);
    const second = completeNotice(noticeId, 2, [{ purposeId: 'service-account' }]);
    expect(await shown(noticeId)).toMatchObject({ status: 404 });
    await custos.accepted('dpo', 'PublishNotice', first);
    const { position } = await custos.accepted('dpo', 'PublishNotice', {
      ...second,
      effectiveFrom: '2026-11-24T00:00:00Z',
    });
    await refuses(
      custos,
      'dpo',
      'PublishNotice',
      { ...first, statements: first.statements.slice(1) },
      said('NOTICE_IMMUTABLE', 'C30', 'UK GDPR Art 5(1)(a)', { noticeId, version: 1 }),
    );
    await custos.get('auditor', '/v1/registers/notices', position);
    const hash = (text: unknown) => createHash('sha256').update(String(text)).digest('hex');
    const today = await shown(noticeId);
    expect(today).toMatchObject({ status: 200, body: { noticeId, version: 1, content: first.content } });
    expect(today.body['contentHash']).toBe(hash(today.body['content']));
    await custos.advanceTo('2026-11-24T00:00:00Z');
    expect(await shown(noticeId)).toMatchObject({ body: { version: 2, content: second.content } });
    const rows = await custos.get('auditor', `/v1/registers/notices?notice_id=${noticeId}`);
    expect(rows.body.rows).toMatchObject([
      { version: 1, superseded_at: '2026-11-24T00:00:00.000Z', content: first.content },
      { version: 2, superseded_at: null, content: second.content },
    ]);
  });

  it('says when it tells of a wider use than before', async () => {
    const [noticeId, lending, selling] = [fresh('lending-notice'), fresh('lending'), fresh('selling')];
    await approvedPurpose(custos, lending);
    await approvedPurpose(custos, selling);
    const publish = (version: number, ...purposes: Parameters<typeof completeNotice>[2]) =>
      custos.accepted('dpo', 'PublishNotice', completeNotice(noticeId, version, purposes));
    await publish(1, { purposeId: lending });
    await publish(2, { purposeId: lending });
    await publish(3, { purposeId: lending }, { purposeId: selling });
    const retention = [
      { category: 'contact.email', trigger: 'serviceRequestClosed', period: 'P2Y', action: 'erase', legalRef: 'Art 5' },
    ];
    await custos.accepted('dpo', 'DefinePurpose', purposeDraft(lending, { retention }));
    await custos.accepted('second-dpo', 'ApprovePurpose', { purposeId: lending, version: 2 });
    const { position } = await publish(4, { purposeId: lending, period: 'P2Y' }, { purposeId: selling });
    const { body } = await custos.get('auditor', `/v1/registers/notices?notice_id=${noticeId}`, position);
    expect(body.rows).toMatchObject([
      { version: 1, widens: 0 },
      { version: 2, widens: 0, purposes_added: '[]', purposes_widened: '[]' },
      { version: 3, widens: 1, purposes_added: JSON.stringify([selling]), purposes_widened: '[]' },
      { version: 4, widens: 1, purposes_added: '[]', purposes_widened: JSON.stringify([lending]) },
    ]);
  });
});

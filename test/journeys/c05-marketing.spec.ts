import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import {
  ACCOUNT,
  approvedPurpose,
  collect,
  consentOf,
  customer,
  fresh,
  newsTo,
  NOTICE,
  noticeDraft,
  purposeDraft,
  refuses,
  said,
  SHOWN,
  stranger,
} from './life.js';

/** C05: details serve marketing only where the person plainly agreed, and not a minute longer. */
describe('news about products', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T10:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const usesOf = async (subjectId: string, position: number) =>
    (await custos.get('auditor', `/v1/subjects/${subjectId}/uses`, position)).body.rows;

  it('stops a campaign the moment consent is withdrawn', async () => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    await custos.advanceTo('2026-11-23T10:05:00Z');
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    await custos.advanceTo('2026-11-23T10:06:00Z');
    const withdrawal = { subjectId: asha.subjectId, purposeId: 'product-news', channel: 'email' };
    await custos.accepted('crm', 'WithdrawConsent', withdrawal);
    await custos.advanceTo('2026-11-23T10:07:00Z');

    const { position } = await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('CONSENT_WITHDRAWN', 'C05 C17', 'UK GDPR Art 7(3)', {
        purposeId: 'product-news',
        channel: 'email',
        since: '2026-11-23T10:06:00.000Z',
      }),
    );

    const uses = await usesOf(asha.subjectId, position);
    expect(uses).toHaveLength(1);
    expect(uses[0]).toMatchObject({
      authorised_at: '2026-11-23T10:05:00.000Z',
      expires_at: '2026-11-23T10:20:00.000Z',
      revoked_at: '2026-11-23T10:06:00.000Z',
      revoked_by: 'ConsentWithdrawn',
      actor_id: 'mailer',
    });
  });

  it('is for those who agreed, by the way they agreed to', async () => {
    const asha = await customer(custos);
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('CONSENT_NOT_GIVEN', 'C05 C17', 'UK GDPR Art 6(1)(a), 7', { purposeId: 'product-news', channel: 'email' }),
    );
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      { ...newsTo(asha), channel: 'sms' },
      said('CONSENT_CHANNEL_MISMATCH', 'C05 C17', 'UK GDPR Art 6(1)(a)', {
        purposeId: 'product-news',
        channel: 'sms',
      }),
    );
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      { ...newsTo(asha), channel: undefined },
      said('CONSENT_CHANNEL_MISMATCH', 'C05 C17', 'UK GDPR Art 6(1)(a)', {
        purposeId: 'product-news',
        field: 'channel',
      }),
    );
    const allowed = await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    expect(allowed.events.map(({ type }: { type: string }) => type)).toEqual(['UseAuthorised']);
  });

  it('withdraws nothing that was never given', async () => {
    const asha = await customer(custos);
    await refuses(
      custos,
      'crm',
      'WithdrawConsent',
      { subjectId: asha.subjectId, purposeId: 'product-news', channel: 'post' },
      said('CONSENT_NOT_GIVEN', 'C05 C17', 'UK GDPR Art 6(1)(a), 7', { purposeId: 'product-news', channel: 'post' }),
    );
  });

  describe('takes for consent only what is one, and refuses', () => {
    it.each([
      [
        'a box that was ticked beforehand',
        { affirmativeAct: 'preTickedBox' },
        said('CONSENT_NOT_UNAMBIGUOUS', 'C05 C17', 'UK GDPR Art 4(11)', {
          purposeId: 'product-news',
          field: 'affirmativeAct',
        }),
      ],
      [
        'silence',
        { affirmativeAct: 'none' },
        said('CONSENT_NOT_UNAMBIGUOUS', 'C05 C17', 'UK GDPR Art 4(11)', {
          purposeId: 'product-news',
          field: 'affirmativeAct',
        }),
      ],
      [
        'one act that agreed to several things',
        { bundled: true },
        said('CONSENT_BUNDLED', 'C05 C17', 'UK GDPR Art 7(2), recital 43', {
          purposeId: 'product-news',
          field: 'bundled',
        }),
      ],
      [
        'the price of a service',
        { conditional: true },
        said('CONSENT_CONDITIONAL', 'C05 C17', 'UK GDPR Art 7(4)', { purposeId: 'product-news', field: 'conditional' }),
      ],
      [
        'a child of twelve alone',
        { statedAge: 12 },
        said('CONSENT_AGE', 'C05 C17', 'UK GDPR Art 8; DPA 2018 s.9', { purposeId: 'product-news', field: 'givenBy' }),
      ],
      [
        'a consent whose statement nobody kept',
        { statementHash: undefined },
        said('CONSENT_NOT_INFORMED', 'C05 C17', 'UK GDPR Art 4(11), 7', {
          purposeId: 'product-news',
          field: 'statementHash',
        }),
      ],
      [
        'a consent that is over already',
        { expiresAt: '2026-11-23T09:00:00Z' },
        said('CONSENT_EXPIRED', 'C05 C17', 'UK GDPR Art 7', { purposeId: 'product-news', field: 'expiresAt' }),
      ],
    ])('%s', async (_what, change, expected) => {
      const asha = await customer(custos);
      await refuses(custos, 'crm', 'GiveConsent', { ...consentOf(asha.subjectId), ...change }, expected);
    });

    it('the consent of somebody who was told nothing', async () => {
      const subjectId = await stranger(custos);
      await refuses(
        custos,
        'crm',
        'GiveConsent',
        consentOf(subjectId),
        said('CONSENT_NOT_INFORMED', 'C05 C17', 'UK GDPR Art 4(11), 7', { purposeId: 'product-news', ...NOTICE_V1 }),
      );
    });
  });

  it('takes the consent of a child with a parent', async () => {
    const asha = await customer(custos);
    const given = await custos.accepted('crm', 'GiveConsent', {
      ...consentOf(asha.subjectId),
      statedAge: 12,
      givenBy: 'parent',
    });
    const { body } = await custos.get('auditor', `/v1/subjects/${asha.subjectId}/consents`, given.position);
    expect(body.rows).toMatchObject([{ given_by: 'parent', ended_at: null }]);
    const timeline = await custos.get('auditor', `/v1/subjects/${asha.subjectId}/timeline?type=ConsentGiven`);
    expect(timeline.body.rows).toHaveLength(1);
    const facts = JSON.parse(timeline.body.rows[0].facts) as Readonly<Record<string, unknown>>;
    expect(facts).not.toHaveProperty('statedAge');
    expect([...Object.values(facts), ...Object.values(body.rows[0])]).not.toContain(12);
  });

  it('asks anew when the purpose has become another one', async () => {
    const asha = await customer(custos);
    const purposeId = fresh('boat-news');
    const noticeId = fresh('boat-notice');
    const draft = { commercial: true, basis: 'consent', dpvIri: 'dpv:DirectMarketing' };
    await approvedPurpose(custos, purposeId, draft);
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 1, [purposeId]));
    await custos.accepted('crm', 'PresentNotice', { subjectId: asha.subjectId, ...SHOWN, noticeId });
    await custos.accepted('crm', 'GiveConsent', { ...consentOf(asha.subjectId), purposeId, noticeId });
    await custos.accepted('mailer', 'AuthoriseUse', { ...newsTo(asha), purposeId });

    await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId, { ...draft, title: 'Boats and flats' }));
    await custos.accepted('second-dpo', 'ApprovePurpose', { purposeId, version: 2 });
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      { ...newsTo(asha), purposeId },
      said('CONSENT_INVALIDATED', 'C05 C17', 'UK GDPR Art 7', { purposeId, channel: 'email', version: 2 }),
    );
    await custos.accepted('crm', 'GiveConsent', { ...consentOf(asha.subjectId), purposeId, noticeId });
    await custos.accepted('mailer', 'AuthoriseUse', { ...newsTo(asha), purposeId });
  });

  it('keeps the door of an interest shut that nobody assessed', async () => {
    const asha = await customer(custos);
    const interest = fresh('interest-news');
    await approvedPurpose(custos, interest, {
      commercial: true,
      basis: 'legitimateInterests',
      dpvIri: 'dpv:DirectMarketing',
    });
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      { ...newsTo(asha), purposeId: interest },
      said('LIA_MISSING', 'C05 C17', 'UK GDPR Art 6(1)(f)', {
        purposeId: interest,
        version: 1,
        subjectClass: 'individual',
      }),
    );
    const contract = fresh('contract-news');
    await approvedPurpose(custos, contract, { commercial: true, dpvIri: 'dpv:DirectMarketing' });
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      { ...newsTo(asha), purposeId: contract },
      said('NO_MARKETING_BASIS', 'C05 C17', 'UK GDPR Art 6(1)', { purposeId: contract, basis: 'contract' }),
    );
  });

  it('hears an objection once and for all, whatever consent says', async () => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    const objection = await custos.accepted('support', 'ObjectToMarketing', { subjectId: asha.subjectId });
    expect(await usesOf(asha.subjectId, objection.position)).toMatchObject([
      { revoked_by: 'MarketingObjectionReceived' },
    ]);
    const objected = said('MARKETING_OBJECTION', 'C05 C17', 'UK GDPR Art 21(2)-(3)', { purposeId: 'product-news' });
    await refuses(custos, 'mailer', 'AuthoriseUse', newsTo(asha), objected);
    await custos.accepted('crm', 'GiveConsent', { ...consentOf(asha.subjectId), channel: 'sms' });
    await refuses(custos, 'mailer', 'AuthoriseUse', { ...newsTo(asha), channel: 'sms' }, objected);
    await custos.accepted('crm', 'AuthoriseUse', {
      subjectId: asha.subjectId,
      purposeId: 'service-account',
      itemIds: [asha.items['contact.email']],
    });
  });

  it('waits while processing is restricted, and until the person was told of its end', async () => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    await custos.advanceTo('2026-11-23T10:08:00Z');
    await custos.accepted('dpo', 'RestrictProcessing', { subjectId: asha.subjectId, ground: '18(1)(a)' });
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('PROCESSING_RESTRICTED', 'C05 C19', 'UK GDPR Art 18', { purposeId: 'product-news' }),
    );
    const lift = { subjectId: asha.subjectId };
    const untold = said('RESTRICTION_LIFT_NOT_NOTIFIED', 'C05 C19', 'UK GDPR Art 18(3)', { field: 'informedAt' });
    await refuses(custos, 'dpo', 'LiftRestriction', lift, untold);
    await refuses(custos, 'dpo', 'LiftRestriction', { ...lift, informedAt: '2040-01-01T00:00:00Z' }, untold);
    await custos.accepted('dpo', 'LiftRestriction', { ...lift, informedAt: '2026-11-23T10:08:00Z' });
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
  });

  it('ends with the agreed life of the consent', async () => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'GiveConsent', {
      ...consentOf(asha.subjectId),
      expiresAt: '2026-12-01T00:00:00Z',
    });
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    await custos.advanceTo('2026-12-01T00:00:00Z');
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('CONSENT_EXPIRED', 'C05 C17', 'UK GDPR Art 7', {
        purposeId: 'product-news',
        channel: 'email',
        since: '2026-12-01T00:00:00.000Z',
      }),
    );
    const consents = await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${asha.subjectId}/consents`),
      ({ body }) => body.rows[0].ended_at !== null,
    );
    expect(consents.body.rows).toMatchObject([{ ended_by: 'expired' }]);
    const uses = await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${asha.subjectId}/uses`),
      ({ body }) => body.rows[0].revoked_at !== null,
    );
    expect(uses.body.rows).toMatchObject([{ revoked_by: 'ConsentExpired' }]);
  });

  it('uses no address that is overdue for a check', async () => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    await custos.advanceTo('2027-12-02T00:00:00Z');
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('ACCURACY_CHECK_OVERDUE', 'C05 C14', 'UK GDPR Art 5(1)(d)', { items: [asha.items['contact.email']] }),
    );
    const more = await collect(
      custos,
      asha.subjectId,
      { ...ACCOUNT, serviceRequestRef: 'order-2' },
      {
        'contact.email': 'asha.new@example.test',
      },
    );
    await custos.accepted('mailer', 'AuthoriseUse', { ...newsTo(asha), itemIds: [more['contact.email']] });
  });
});

const NOTICE_V1 = { noticeId: NOTICE.noticeId, version: NOTICE.noticeVersion };

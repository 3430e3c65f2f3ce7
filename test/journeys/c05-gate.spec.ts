import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import { tracesBelow, tracesIn } from '../plaintext.js';
import {
  ACCOUNT,
  acquaintance,
  approvedPurpose,
  collect,
  completeNotice,
  consentOf,
  customer,
  fresh,
  newsTo,
  pointDraft,
  purposeDraft,
  refuses,
  said,
  SHOWN,
  type Person,
} from './life.js';

/** An assessment of an interest, but for its id and its purpose. */
const LIA = {
  purposeVersion: 1,
  subjectClasses: ['individual'],
  purposeTest: 'Who has bought charts hears of new ones.',
  necessityTest: 'They would not hear of them otherwise.',
  balance: 'It is what customers expect, rare, and ends with a word.',
  safeguards: ['a way to refuse in every message'],
  outcome: 'interestsPrevail',
} as const;

/** C05: the two doors of the gate, what PECR asks beside them, and addresses that nobody writes to. */
describe('the gate', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T10:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const rowsOf = async (register: string, position?: number) => {
    const { status, body } = await custos.get('auditor', `/v1/registers/${register}`, position);
    expect(status).toBe(200);
    return body.rows as readonly { readonly [column: string]: unknown }[];
  };
  const incidentsAfter = async (useId: string) =>
    (
      await custos.eventually(
        () => custos.get('auditor', `/v1/registers/incidents?use_id=${useId}`),
        ({ body }) => body.rows.length > 0,
      )
    ).body.rows;
  const authorised = async (type: object): Promise<string> =>
    (await custos.accepted('mailer', 'AuthoriseUse', type)).events[0].id;

  it('revokes what a withdrawal overtakes, and makes an incident of its use, once, also after a restart', async () => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    await custos.advanceTo('2026-11-23T10:05:00Z');
    const late = await authorised(newsTo(asha));
    const timely = await authorised({ ...newsTo(asha), campaignRef: 'spring' });
    await custos.advanceTo('2026-11-23T10:06:00Z');
    const consent = { subjectId: asha.subjectId, purposeId: 'product-news', channel: 'email' };
    await custos.accepted('crm', 'WithdrawConsent', consent);
    await custos.advanceTo('2026-11-23T10:07:00Z');
    const withdrawn = { purposeId: 'product-news', channel: 'email', since: '2026-11-23T10:06:00.000Z' };
    const refusal = await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('CONSENT_WITHDRAWN', 'C05 C17', 'UK GDPR Art 7(3)', withdrawn),
    );
    const uses = await custos.get('auditor', `/v1/subjects/${asha.subjectId}/uses`, refusal.position);
    const revoked = { revoked_at: '2026-11-23T10:06:00.000Z', revoked_by: 'ConsentWithdrawn' };
    expect(uses.body.rows).toMatchObject([
      { use_id: late, authorised_at: '2026-11-23T10:05:00.000Z', ...revoked },
      { use_id: timely, ...revoked },
    ]);

    // In between it was good.
    const then = await custos.get('auditor', `/v1/subjects/${asha.subjectId}/uses?asOf=2026-11-23T10:05:59Z`);
    expect(then.body.rows).toMatchObject([
      { use_id: late, revoked_at: null },
      { use_id: timely, revoked_at: null },
    ]);

    const done = { subjectId: asha.subjectId, outcome: 'done' };
    // What was sent before the withdrawal was lawful (UK GDPR Art 7(3)).
    const inTime = { ...done, useId: timely, campaignRef: 'spring', occurredAt: '2026-11-23T10:05:30Z' };
    await custos.accepted('mailer', 'ReportUse', inTime);
    await custos.accepted('mailer', 'ReportUse', { ...done, useId: late, occurredAt: '2026-11-23T10:06:30Z' });
    await custos.kill();
    await custos.launch('2026-11-23T10:08:00Z');
    const found = {
      kind: 'USE_AFTER_WITHDRAWAL',
      status: 'reported',
      subject_id: asha.subjectId,
      purpose_id: 'product-news',
      use_id: late,
      reporter: 'mailer',
      happened_at: '2026-11-23T10:06:30.000Z',
    };
    expect(await incidentsAfter(late)).toMatchObject([found]);

    // The report comes again, and the steward, started anew, looks at everything before it opens the next one.
    await custos.accepted('mailer', 'ReportUse', { ...done, useId: late, occurredAt: '2026-11-23T10:06:30Z' });
    await custos.kill();
    await custos.launch('2026-11-23T10:09:00Z');
    const bram = await customer(custos);
    await custos.accepted('crm', 'GiveConsent', consentOf(bram.subjectId));
    const next = await authorised(newsTo(bram));
    await custos.accepted('crm', 'WithdrawConsent', { ...consent, subjectId: bram.subjectId });
    await custos.accepted('mailer', 'ReportUse', { ...done, subjectId: bram.subjectId, useId: next });
    expect(await incidentsAfter(next)).toMatchObject([{ kind: 'USE_AFTER_WITHDRAWAL' }]);
    expect(await rowsOf(`incidents?subject_id=${asha.subjectId}`)).toMatchObject([found]);

    const decisions = await rowsOf(`marketing-decisions?subject_id=${asha.subjectId}`);
    expect(decisions).toMatchObject([
      { decision_id: late, answer: 'authorised', code: null, basis: 'consent', asked_at: '2026-11-23T10:05:00.000Z' },
      { decision_id: timely, answer: 'authorised', code: null, campaign_ref: 'spring', commercial: 1 },
      { answer: 'refused', code: 'CONSENT_WITHDRAWN', channel: 'email', asked_at: '2026-11-23T10:07:00.000Z' },
    ]);
    expect(JSON.parse(String(decisions[2]?.['details']))).toEqual(withdrawn);
  });

  it('knows no use that it did not allow this person', async () => {
    const [asha, bram] = [await customer(custos), await customer(custos)];
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    const ofAsha = await authorised(newsTo(asha));
    for (const useId of [randomUUID(), ofAsha])
      await refuses(
        custos,
        'mailer',
        'ReportUse',
        { subjectId: bram.subjectId, useId, outcome: 'done' },
        said('USE_UNKNOWN', 'C05', 'UK GDPR Art 5(2)', { useId }),
      );
  });

  it('lets held data wait until the person was told that its purpose goes further', async () => {
    const [purposeId, noticeId, collectionPointId] = [fresh('lending'), fresh('lending-notice'), fresh('lending-form')];
    await approvedPurpose(custos, purposeId, { recipientKindsAllowed: ['SELF'] });
    await custos.accepted('dpo', 'PublishNotice', completeNotice(noticeId, 1, [{ purposeId }]));
    await custos.accepted('dpo', 'RegisterCollectionPoint', pointDraft(collectionPointId, purposeId, noticeId));
    const subjectId = await acquaintance(custos);
    const tell = (version: number) =>
      custos.accepted('crm', 'PresentNotice', { ...SHOWN, subjectId, noticeId, version });
    await tell(1);
    const how = { purposeId, collectionPointId, noticeId, noticeVersion: 1, serviceRequestRef: 'loan-1' };
    const items = await collect(custos, subjectId, how, { 'contact.email': 'asha@example.test' });
    const remind = { subjectId, purposeId, itemIds: [items['contact.email']] };
    await custos.accepted('crm', 'AuthoriseUse', remind);

    const untold = said('NOTICE_DOES_NOT_COVER_PURPOSE', 'C13', 'UK GDPR Art 13', { purposeId, version: 2 });
    await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId));
    await custos.accepted('crm', 'AuthoriseUse', remind);
    await custos.accepted('second-dpo', 'ApprovePurpose', { purposeId, version: 2 });
    await refuses(custos, 'crm', 'AuthoriseUse', remind, untold);
    await custos.accepted('dpo', 'PublishNotice', completeNotice(noticeId, 2, [{ purposeId }]));
    await refuses(custos, 'crm', 'AuthoriseUse', remind, untold);
    await tell(2);
    await custos.accepted('crm', 'AuthoriseUse', remind);
  });

  describe('to a suppressed address', () => {
    const suppressed = (itemId: string | undefined) =>
      said('SUPPRESSED_ADDRESS', 'C05', 'UK GDPR Art 21(2)-(3)', { purposeId: 'product-news', items: [itemId] });
    /** Somebody who is reached at an address, and agreed to news there. */
    const agreeing = async (email: string): Promise<Person> => {
      const subjectId = await acquaintance(custos);
      const items = await collect(custos, subjectId, ACCOUNT, {
        'contact.name': 'Asha Fictional',
        'contact.email': email,
        'account.number': 'ACC-2047-ASHA',
      });
      await custos.accepted('crm', 'GiveConsent', consentOf(subjectId));
      return { subjectId, items };
    };
    const COLUMNS = [
      'addresses',
      'event_id',
      'kind',
      'lifted_at',
      'position',
      'removed_at',
      'since',
      'source',
      'subject_id',
      'suppression_id',
    ];

    it('sends nobody there, however new the person and whatever they agreed to', async () => {
      const [suppressionId, local] = [randomUUID(), fresh('bea')];
      const address = `${local}.Quillfeather@Example-Suppressed.test`;
      const suppression = { suppressionId, kind: 'email', address, source: 'person' };
      const { position } = await custos.accepted('support', 'SuppressAddress', suppression);
      await custos.accepted('support', 'SuppressAddress', suppression);
      const bea = await agreeing(address.toLowerCase());
      const refusal = await refuses(
        custos,
        'mailer',
        'AuthoriseUse',
        newsTo(bea),
        suppressed(bea.items['contact.email']),
      );
      // The service itself goes on.
      const serve = {
        subjectId: bea.subjectId,
        purposeId: 'service-account',
        itemIds: [bea.items['contact.email']],
      };
      await custos.accepted('crm', 'AuthoriseUse', serve);

      const rows = await rowsOf(`suppressions?suppression_id=${suppressionId}`, position);
      expect(rows).toMatchObject([{ source: 'person', kind: 'email', addresses: 1, subject_id: null }]);
      expect(Object.keys(rows[0] ?? {}).sort()).toEqual(COLUMNS);
      const refusals = await custos.get('support', `/v1/refusals?refusal_id=${refusal.refusalId}`);
      const shown = Buffer.from(JSON.stringify([rows, refusal, refusals.body, custos.output]));
      const values = [address, local];
      expect([...tracesIn('answers', shown, values), ...tracesBelow(custos.dataDir, values)]).toEqual([]);

      await refuses(
        custos,
        'crm',
        'LiftSuppression',
        { suppressionId },
        said('FORBIDDEN', 'C08 C15', 'UK GDPR Art 32', { command: 'LiftSuppression' }),
      );
      await custos.accepted('dpo', 'LiftSuppression', { suppressionId });
      await custos.accepted('mailer', 'AuthoriseUse', newsTo(bea));
      const removed = await custos.eventually(
        () => custos.get('auditor', `/v1/registers/suppressions?suppression_id=${suppressionId}`),
        ({ body }) => body.rows[0].removed_at !== null,
      );
      expect(removed.body.rows).toMatchObject([{ lifted_at: '2026-11-23T10:09:00.000Z' }]);
      await custos.accepted('mailer', 'AuthoriseUse', newsTo(bea));
    });

    it('hears the objection of one person for whoever else is reached there', async () => {
      const address = `${fresh('carl')}@example-objection.test`;
      const carl = await agreeing(address);
      const { position } = await custos.accepted('support', 'ObjectToMarketing', { subjectId: carl.subjectId });
      const carlAgain = await agreeing(address.toUpperCase());
      const barred = suppressed(carlAgain.items['contact.email']);
      await refuses(custos, 'mailer', 'AuthoriseUse', newsTo(carlAgain), barred);

      const [row] = await rowsOf(`suppressions?subject_id=${carl.subjectId}`, position);
      expect(row).toMatchObject({ source: 'objection', addresses: 1, lifted_at: null });
      expect(Object.keys(row ?? {}).sort()).toEqual(COLUMNS);
      expect(tracesBelow(custos.dataDir, [address])).toEqual([]);
      await custos.accepted('dpo', 'LiftSuppression', { suppressionId: row?.['suppression_id'] });
      await custos.accepted('mailer', 'AuthoriseUse', newsTo(carlAgain));
      // Who objected is left alone all the same.
      const objected = said('MARKETING_OBJECTION', 'C05 C17', 'UK GDPR Art 21(2)-(3)', { purposeId: 'product-news' });
      await refuses(custos, 'mailer', 'AuthoriseUse', newsTo(carl), objected);
    });
  });

  describe('an interest', () => {
    const CATEGORIES = ['contact.email', 'contact.phone', 'contact.address'] as const;
    const defined = async (): Promise<string> => {
      const purposeId = fresh('offers');
      await approvedPurpose(custos, purposeId, {
        commercial: true,
        basis: 'legitimateInterests',
        dpvIri: 'dpv:DirectMarketing',
        fields: CATEGORIES.map((category) => ({ category, necessity: 'optional', justification: 'It is sent there.' })),
        retention: CATEGORIES.map((category) => ({
          category,
          trigger: 'relationshipClosed',
          period: 'P1Y',
          action: 'erase',
          legalRef: 'UK GDPR Art 5(1)(e)',
        })),
      });
      return purposeId;
    };
    /** Drafted by one person and approved by another. */
    const assess = async (liaId: string, purposeId: string, more: object = {}): Promise<{ position: number }> => {
      await custos.accepted('dpo', 'DraftLia', { ...LIA, liaId, purposeId, ...more });
      return custos.accepted('second-dpo', 'ApproveLia', { liaId, version: 1 });
    };
    const compatible = async (to: string): Promise<void> => {
      const from = 'service-account';
      await custos.accepted('dpo', 'AssessCompatibility', {
        from,
        fromVersion: 1,
        to,
        toVersion: 1,
        verdict: 'compatible',
        ground: 'assessed',
        reasoning: 'Both are about the charts that were bought, and nobody is worse off.',
      });
      await custos.accepted('second-dpo', 'ApproveCompatibility', { from, to, assessment: 1 });
    };
    const tell = async ({ subjectId }: Person, purposeId: string): Promise<void> => {
      const noticeId = fresh('offers-notice');
      const told = [{ purposeId, basis: 'legitimateInterests' }] as const;
      await custos.accepted('dpo', 'PublishNotice', completeNotice(noticeId, 1, told));
      await custos.accepted('crm', 'PresentNotice', { ...SHOWN, subjectId, noticeId, version: 1 });
    };
    const ask = ({ subjectId, items }: Person, purposeId: string, channel: string, category: string): object => ({
      subjectId,
      purposeId,
      channel,
      itemIds: [items[category]],
    });
    const art6 = (code: string, details: object) => said(code, 'C05 C17', 'UK GDPR Art 6(1)(f)', details);

    it('opens the gate for letters once it was assessed, reuse was thought about and the person told', async () => {
      const purposeId = await defined();
      const customerOf = await customer(custos);
      const { subjectId } = customerOf;
      const more = await collect(custos, subjectId, ACCOUNT, { 'contact.address': '1 Example Quay, Exampleton' });
      const asha: Person = { subjectId, items: { ...customerOf.items, ...more } };
      const letter = ask(asha, purposeId, 'post', 'contact.address');

      await refuses(
        custos,
        'mailer',
        'AuthoriseUse',
        letter,
        art6('LIA_MISSING', { purposeId, version: 1, subjectClass: 'individual' }),
      );
      const approval = { liaId: fresh('lia'), version: 1 };
      const { liaId } = approval;
      await custos.accepted('dpo', 'DraftLia', { ...LIA, liaId, purposeId });
      const alone = said('FOUR_EYES_REQUIRED', 'C12 C15 C16', 'UK GDPR Art 25', approval);
      await refuses(custos, 'dpo', 'ApproveLia', approval, alone);
      await refuses(
        custos,
        'mailer',
        'AuthoriseUse',
        letter,
        art6('LIA_MISSING', { purposeId, version: 1, subjectClass: 'individual' }),
      );
      await custos.accepted('second-dpo', 'ApproveLia', approval);

      await refuses(
        custos,
        'mailer',
        'AuthoriseUse',
        letter,
        said('PURPOSE_INCOMPATIBLE', 'C13', 'UK GDPR Art 8A', { purposeId, items: [asha.items['contact.address']] }),
      );
      await compatible(purposeId);
      await refuses(
        custos,
        'mailer',
        'AuthoriseUse',
        letter,
        said('NOTICE_DOES_NOT_COVER_PURPOSE', 'C13', 'UK GDPR Art 13', { purposeId, version: 1 }),
      );
      await tell(asha, purposeId);
      const { position } = await custos.accepted('mailer', 'AuthoriseUse', letter);
      expect((await rowsOf(`marketing-decisions?purpose_id=${purposeId}`, position)).map(({ code }) => code)).toEqual([
        'LIA_MISSING',
        'LIA_MISSING',
        'PURPOSE_INCOMPATIBLE',
        'NOTICE_DOES_NOT_COVER_PURPOSE',
        null,
      ]);
      const uses = await custos.get('auditor', `/v1/subjects/${subjectId}/uses`, position);
      expect(uses.body.rows).toMatchObject([
        { basis: 'legitimateInterests', basis_ref: `${liaId}@1`, channel: 'post' },
      ]);
    });

    it('keeps it shut where the people concerned prevail, and from the day of the review on', async () => {
      const [purposeId, lost] = [await defined(), await defined()];
      const asha = await customer(custos);
      const letter = ask(asha, purposeId, 'post', 'contact.email');
      const [liaId, against] = [fresh('lia'), fresh('lia')];
      await assess(against, lost, { outcome: 'subjectPrevails' });
      await refuses(
        custos,
        'mailer',
        'AuthoriseUse',
        { ...letter, purposeId: lost },
        art6('LIA_OUTCOME_AGAINST', { purposeId: lost, liaId: against }),
      );
      await assess(liaId, purposeId, { reviewPeriod: 'P1D' });
      await compatible(purposeId);
      await tell(asha, purposeId);
      await custos.accepted('mailer', 'AuthoriseUse', letter);

      await custos.advanceTo('2026-11-24T10:08:59Z');
      await custos.accepted('mailer', 'AuthoriseUse', letter);
      await custos.advanceTo('2026-11-24T10:09:00Z');
      const expired = { purposeId, liaId, reviewBy: '2026-11-24T10:09:00.000Z' };
      await refuses(custos, 'mailer', 'AuthoriseUse', letter, art6('LIA_EXPIRED', expired));
      const stated = await custos.eventually(
        () => custos.get('auditor', `/v1/registers/lias?lia_id=${liaId}`),
        ({ body }) => body.rows[0].status === 'expired',
      );
      expect(stated.body.rows).toMatchObject([
        { version: 1, author: 'dpo', decided_by: 'second-dpo', review_by: expired.reviewBy, purpose_id: purposeId },
      ]);
      expect(await rowsOf(`lias?lia_id=${against}`)).toMatchObject([
        { status: 'approved', outcome: 'subjectPrevails', review_by: '2027-11-23T10:09:00.000Z' },
      ]);
      await assess(`${liaId}-anew`, purposeId);
      await custos.accepted('mailer', 'AuthoriseUse', letter);
    });

    describe('with what PECR asks beside it', () => {
      const known = async (): Promise<{ asha: Person; purposeId: string }> => {
        const [asha, purposeId] = [await customer(custos), await defined()];
        await assess(fresh('lia'), purposeId);
        await compatible(purposeId);
        await tell(asha, purposeId);
        return { asha, purposeId };
      };

      it('e-mails an individual on all four facts of the soft opt-in only', async () => {
        const { asha, purposeId } = await known();
        const mail = ask(asha, purposeId, 'email', 'contact.email');
        const required = said('PECR_CONSENT_REQUIRED', 'C05', 'PECR regs 19, 21, 22', { purposeId, channel: 'email' });
        await refuses(custos, 'mailer', 'AuthoriseUse', mail, required);
        const softOptIn = {
          subjectId: asha.subjectId,
          itemId: asha.items['contact.email'],
          purposeId,
          obtainedInSale: true,
          ownSimilarProducts: true,
          refusalOfferedAtCollection: false,
          refusalOfferedInEveryMessage: true,
        };
        await custos.accepted('crm', 'RecordSoftOptIn', softOptIn);
        await refuses(
          custos,
          'mailer',
          'AuthoriseUse',
          mail,
          said('SOFT_OPT_IN_NOT_MET', 'C05', 'PECR reg 22(3)', {
            purposeId,
            channel: 'email',
            missing: ['refusalOfferedAtCollection'],
          }),
        );
        await custos.accepted('crm', 'RecordSoftOptIn', { ...softOptIn, refusalOfferedAtCollection: true });
        await custos.accepted('mailer', 'AuthoriseUse', mail);
        const machine = { ...mail, channel: 'automated-call' };
        const called = { purposeId, channel: 'automated-call' };
        await refuses(custos, 'mailer', 'AuthoriseUse', machine, { ...required, details: called });
      });

      it('calls a number that was screened within 28 days and is not listed', async () => {
        const { asha, purposeId } = await known();
        const call = ask(asha, purposeId, 'phone', 'contact.phone');
        const itemId = asha.items['contact.phone'];
        const stale = said('TPS_SCREEN_STALE', 'C05', 'PECR reg 21', { purposeId, register: 'TPS', items: [itemId] });
        await refuses(custos, 'mailer', 'AuthoriseUse', call, stale);
        const screening = { subjectId: asha.subjectId, itemId, register: 'TPS', listed: false };
        await custos.accepted('crm', 'RecordPreferenceScreening', screening);
        await custos.accepted('mailer', 'AuthoriseUse', call);

        await custos.advanceTo('2026-12-22T10:08:59Z');
        await custos.accepted('mailer', 'AuthoriseUse', call);
        await custos.advanceTo('2026-12-22T10:09:00Z');
        await refuses(custos, 'mailer', 'AuthoriseUse', call, stale);
        await custos.accepted('crm', 'RecordPreferenceScreening', { ...screening, listed: true });
        const listed = { purposeId, channel: 'phone', register: 'TPS' };
        const required = said('PECR_CONSENT_REQUIRED', 'C05', 'PECR regs 19, 21, 22', listed);
        await refuses(custos, 'mailer', 'AuthoriseUse', call, required);
      });
    });
  });
});

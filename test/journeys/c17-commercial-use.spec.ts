import { afterAll, beforeAll, describe, it } from '@jest/globals';
import { Installation } from '../installation.js';
import {
  approvedPurpose,
  collect,
  consentOf,
  customer,
  fresh,
  noticeDraft,
  purposeDraft,
  refuses,
  said,
  SHOWN,
  TICKET,
  type Person,
  type Said,
} from './life.js';

const PROFILING = { commercial: true, basis: 'consent', dpvIri: 'dpv:SellProductsToDataSubject' };

/** C17: whatever is held, no commercial use of it comes in by the back door. */
describe('commercial use', () => {
  let custos: Installation;
  /** A commercial purpose that is no newsletter, and the notice that tells of it. */
  const purposeId = fresh('sales-profile');
  const noticeId = fresh('sales-notice');

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
    await approvedPurpose(custos, purposeId, PROFILING);
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 1, [purposeId]));
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const told = async (): Promise<Person> => {
    const asha = await customer(custos);
    await custos.accepted('crm', 'PresentNotice', { subjectId: asha.subjectId, ...SHOWN, noticeId });
    return asha;
  };
  const consent = ({ subjectId }: Person, more: object = {}): object => ({
    ...consentOf(subjectId),
    purposeId,
    noticeId,
    ...more,
  });
  const profile = ({ subjectId, items }: Person, more: object = {}): object => ({
    subjectId,
    purposeId,
    channel: 'email',
    itemIds: [items['contact.email']],
    ...more,
  });

  it('refuses a commercial purpose that is declared otherwise', async () => {
    const newsletter = fresh('customer-newsletter');
    const draft = { title: 'Customer newsletter', dpvIri: 'dpv:DirectMarketing', basis: 'legitimateInterests' };
    await refuses(
      custos,
      'dpo',
      'DefinePurpose',
      purposeDraft(newsletter, { ...draft, commercial: false }),
      said('PURPOSE_MISCLASSIFIED', 'C17', 'UK GDPR Art 5(1)(b)', {
        purposeId: newsletter,
        dpvIri: 'dpv:DirectMarketing',
      }),
    );
    await custos.accepted('dpo', 'DefinePurpose', purposeDraft(newsletter, { ...draft, commercial: true }));
  });

  it.each(['dpv:Personalisation', 'dpv:SellDataToThirdParties', 'https://w3id.org/dpv#TargetedAdvertising'])(
    'takes %s for commercial whatever its author says',
    async (dpvIri) => {
      const disguised = fresh('disguised');
      await refuses(
        custos,
        'dpo',
        'DefinePurpose',
        purposeDraft(disguised, { dpvIri }),
        said('PURPOSE_MISCLASSIFIED', 'C17', 'UK GDPR Art 5(1)(b)', { purposeId: disguised, dpvIri }),
      );
    },
  );

  describe('passes the same gate as news, and stops', () => {
    const gate: readonly [string, (asha: Person) => Promise<unknown>, object, Said][] = [
      [
        'without consent',
        () => Promise.resolve(),
        {},
        said('CONSENT_NOT_GIVEN', 'C05 C17', 'UK GDPR Art 6(1)(a), 7', { purposeId, channel: 'email' }),
      ],
      [
        'over another channel',
        (asha) => custos.accepted('crm', 'GiveConsent', consent(asha)),
        { channel: 'phone' },
        said('CONSENT_CHANNEL_MISMATCH', 'C05 C17', 'UK GDPR Art 6(1)(a)', { purposeId, channel: 'phone' }),
      ],
      [
        'after a withdrawal',
        async (asha) => {
          await custos.accepted('crm', 'GiveConsent', consent(asha));
          await custos.accepted('crm', 'WithdrawConsent', { subjectId: asha.subjectId, purposeId, channel: 'email' });
        },
        {},
        said('CONSENT_WITHDRAWN', 'C05 C17', 'UK GDPR Art 7(3)', {
          purposeId,
          channel: 'email',
          since: '2026-11-23T09:00:00.000Z',
        }),
      ],
      [
        'after an objection to marketing',
        async (asha) => {
          await custos.accepted('crm', 'GiveConsent', consent(asha));
          await custos.accepted('crm', 'ObjectToMarketing', { subjectId: asha.subjectId });
        },
        {},
        said('MARKETING_OBJECTION', 'C05 C17', 'UK GDPR Art 21(2)-(3)', { purposeId }),
      ],
    ];

    it.each(gate)('%s', async (_when, before, ask, expected) => {
      const asha = await told();
      await before(asha);
      await refuses(custos, 'mailer', 'AuthoriseUse', profile(asha, ask), expected);
    });

    it.each([
      ['CONSENT_NOT_UNAMBIGUOUS', { affirmativeAct: 'preTickedBox' }, 'UK GDPR Art 4(11)', 'affirmativeAct'],
      ['CONSENT_BUNDLED', { bundled: true }, 'UK GDPR Art 7(2), recital 43', 'bundled'],
      ['CONSENT_CONDITIONAL', { conditional: true }, 'UK GDPR Art 7(4)', 'conditional'],
      ['CONSENT_AGE', { statedAge: 11 }, 'UK GDPR Art 8; DPA 2018 s.9', 'givenBy'],
      ['CONSENT_NOT_INFORMED', { statementHash: undefined }, 'UK GDPR Art 4(11), 7', 'statementHash'],
      ['CONSENT_EXPIRED', { expiresAt: '2026-11-23T09:00:00Z' }, 'UK GDPR Art 7', 'expiresAt'],
    ])('a consent that is none: %s', async (code, change, law, field) => {
      const asha = await told();
      const expected = said(code, 'C05 C17', law, { purposeId, field });
      await refuses(custos, 'crm', 'GiveConsent', consent(asha, change), expected);
    });

    it('without a notice that tells of it', async () => {
      const asha = await customer(custos);
      await refuses(
        custos,
        'crm',
        'GiveConsent',
        consentOfShipped(asha),
        said('NOTICE_DOES_NOT_COVER_PURPOSE', 'C13', 'UK GDPR Art 13', {
          noticeId: 'customer-privacy',
          version: 1,
          purposeId,
        }),
      );
    });
    const consentOfShipped = ({ subjectId }: Person): object => ({ ...consentOf(subjectId), purposeId });
  });

  it('reaches no data that the purpose does not list, in spite of consent', async () => {
    const asha = await told();
    const ticket = await collect(custos, asha.subjectId, TICKET, { 'ticket.text': 'Chart 12 does not open.' });
    await custos.accepted('crm', 'GiveConsent', consent(asha));
    const itemIds = [asha.items['contact.email'], ticket['ticket.text']];
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      profile(asha, { itemIds }),
      said('ITEM_NOT_HELD_FOR_PURPOSE', 'C13 C17', 'UK GDPR Art 5(1)(b)', {
        purposeId,
        items: [ticket['ticket.text']],
      }),
    );
    await custos.accepted('mailer', 'AuthoriseUse', profile(asha));
  });

  it('uploads nobody to an advertising platform, in spite of consent', async () => {
    const asha = await told();
    await custos.accepted('crm', 'GiveConsent', consent(asha));
    const recipientId = fresh('ad-platform');
    await custos.accepted('dpo', 'RegisterRecipient', {
      recipientId,
      kind: 'THIRD_PARTY',
      name: 'Example Ad Platform Inc',
      legalForm: 'company',
      country: 'US',
    });
    await refuses(
      custos,
      'crm',
      'ShareData',
      {
        subjectId: asha.subjectId,
        recipientId,
        purposeId,
        itemIds: [asha.items['contact.email']],
        medium: 'api',
        consentRef: 'audience-consent',
      },
      said('NOT_COMPELLED', 'C19', 'policy; UK GDPR Art 6(1)(c)', { recipientId, recipientKind: 'THIRD_PARTY' }),
    );
  });

  it('has no interest that was not assessed, and no other basis', async () => {
    const asha = await told();
    const interest = fresh('interest-profile');
    await approvedPurpose(custos, interest, { ...PROFILING, basis: 'legitimateInterests' });
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      profile(asha, { purposeId: interest }),
      said('LIA_MISSING', 'C05 C17', 'UK GDPR Art 6(1)(f)', {
        purposeId: interest,
        version: 1,
        subjectClass: 'individual',
      }),
    );
    const contract = fresh('contract-profile');
    await approvedPurpose(custos, contract, { ...PROFILING, basis: 'contract' });
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      profile(asha, { purposeId: contract }),
      said('NO_MARKETING_BASIS', 'C05 C17', 'UK GDPR Art 6(1)', { purposeId: contract, basis: 'contract' }),
    );
  });

  it('does not outlive the version of the purpose that was agreed to', async () => {
    const asha = await told();
    await custos.accepted('crm', 'GiveConsent', consent(asha));
    await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId, { ...PROFILING, title: 'And more' }));
    await custos.accepted('second-dpo', 'ApprovePurpose', { purposeId, version: 2 });
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      profile(asha),
      said('CONSENT_INVALIDATED', 'C05 C17', 'UK GDPR Art 7', { purposeId, channel: 'email', version: 2 }),
    );
    await custos.accepted('dpo', 'SuspendPurpose', { purposeId, reasonCode: 'complaint' });
    const suspended = said('PURPOSE_SUSPENDED', 'C01 C17', 'UK GDPR Art 5(1)(b)', { purposeId });
    await refuses(custos, 'mailer', 'AuthoriseUse', profile(asha), suspended);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import {
  approvedPurpose,
  ASKING,
  consentOf,
  customer,
  fresh,
  newsTo,
  noticeDraft,
  purposeDraft,
  refuses,
  said,
  SHOWN,
  STATEMENT,
  STEWARD,
  type Person,
} from './life.js';

/** C05, UK GDPR Art 4(11), 7: the whole life of a consent, from the question to its end. */
describe('the life of a consent', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T10:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const NEWS = { purposeId: 'product-news', channel: 'email' };
  const rowsOf = async (subjectId: string, view = 'consents', position?: number) =>
    (await custos.get('auditor', `/v1/subjects/${subjectId}/${view}`, position)).body.rows;
  const typesOf = ({ events }: { readonly events: readonly { readonly type: string }[] }) =>
    events.map(({ type }) => type);

  it('begins with a question, which is no consent yet', async () => {
    const asha = await customer(custos);
    const { subjectId } = asha;
    const asked = await custos.accepted('crm', 'RequestConsent', { subjectId, ...NEWS, ...ASKING });
    expect(await rowsOf(subjectId, 'consents', asked.position)).toMatchObject([
      { status: 'requested', notice_id: 'customer-privacy', statement_hash: STATEMENT, given_at: null },
    ]);
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('CONSENT_NOT_GIVEN', 'C05 C17', 'UK GDPR Art 6(1)(a), 7', NEWS),
    );
    const yes = await custos.accepted('crm', 'GiveConsent', consentOf(subjectId));
    const [row] = await rowsOf(subjectId, 'consents', yes.position);
    expect(row).toMatchObject({ status: 'given', requested_at: '2026-11-23T10:00:00.000Z', recorded_by: 'crm' });
    expect(
      (await rowsOf(subjectId, 'consent-events')).map(({ type, actor_id }: Record<string, string>) => [type, actor_id]),
    ).toEqual([
      ['ConsentRequested', 'crm'],
      ['ConsentGiven', 'crm'],
    ]);
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
  });

  it('is asked for with the notice in force, and for nothing that needs no consent', async () => {
    const { subjectId } = await customer(custos);
    await refuses(
      custos,
      'crm',
      'RequestConsent',
      { subjectId, ...NEWS, ...ASKING, noticeVersion: 9 },
      said('NOTICE_UNKNOWN', 'C13 C30', 'UK GDPR Art 13', { noticeId: 'customer-privacy', version: 9 }),
    );
    const contract = said('LAWFUL_BASIS_NOT_AVAILABLE', 'C04', 'UK GDPR Art 6(1)', {
      purposeId: 'service-account',
      basis: 'contract',
    });
    await refuses(
      custos,
      'crm',
      'RequestConsent',
      { subjectId, ...NEWS, ...ASKING, purposeId: 'service-account' },
      contract,
    );
    await refuses(custos, 'crm', 'GiveConsent', { ...consentOf(subjectId), purposeId: 'service-account' }, contract);
    await refuses(custos, 'crm', 'RefuseConsent', { subjectId, ...NEWS, purposeId: 'service-account' }, contract);
  });

  it('takes a no as easily as a yes, and holds on to it', async () => {
    const asha = await customer(custos);
    const { subjectId } = asha;
    await custos.accepted('crm', 'RequestConsent', { subjectId, ...NEWS, ...ASKING });
    const no = await custos.accepted('crm', 'RefuseConsent', { subjectId, ...NEWS });
    expect(typesOf(no)).toEqual(['ConsentRefused']);
    expect(await rowsOf(subjectId, 'consents', no.position)).toMatchObject([
      { status: 'refused', ended_by: 'refused' },
    ]);
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('CONSENT_NOT_GIVEN', 'C05 C17', 'UK GDPR Art 6(1)(a), 7', { ...NEWS, since: '2026-11-23T10:00:00.000Z' }),
    );
    expect(typesOf(await custos.accepted('crm', 'GiveConsent', consentOf(subjectId)))).toEqual(['ConsentGiven']);
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    const end = await custos.accepted('support', 'RefuseConsent', { subjectId, ...NEWS, method: 'phone' });
    expect(typesOf(end)).toEqual(['ConsentWithdrawn']);
    expect(await rowsOf(subjectId, 'uses', end.position)).toMatchObject([{ revoked_by: 'ConsentWithdrawn' }]);
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('CONSENT_WITHDRAWN', 'C05 C17', 'UK GDPR Art 7(3)', { ...NEWS, since: '2026-11-23T10:00:00.000Z' }),
    );
  });

  it('is given by an agent only with authority', async () => {
    const { subjectId } = await customer(custos);
    const byAgent = { ...consentOf(subjectId), givenBy: 'agent' };
    await refuses(
      custos,
      'crm',
      'GiveConsent',
      byAgent,
      said('CONSENT_NOT_UNAMBIGUOUS', 'C05 C17', 'UK GDPR Art 4(11)', {
        purposeId: 'product-news',
        field: 'authorityRef',
      }),
    );
    const { position } = await custos.accepted('crm', 'GiveConsent', { ...byAgent, authorityRef: 'mandate-7' });
    expect(await rowsOf(subjectId, 'consents', position)).toMatchObject([
      { given_by: 'agent', authority_ref: 'mandate-7' },
    ]);
  });

  it('is renewed beside the consent it renews', async () => {
    const { subjectId } = await customer(custos);
    await custos.accepted('crm', 'GiveConsent', consentOf(subjectId));
    await custos.accepted('crm', 'RequestConsent', { subjectId, ...NEWS, ...ASKING });
    const renewal = await custos.accepted('crm', 'GiveConsent', consentOf(subjectId));
    expect(typesOf(renewal)).toEqual(['ConsentRenewed']);
    const [old, renewed] = await rowsOf(subjectId, 'consents', renewal.position);
    expect(old).toMatchObject({ status: 'renewed', ended_by: 'renewed', renewed_by: renewed.consent_id });
    expect(renewed).toMatchObject({ status: 'given', renews: old.consent_id, ended_at: null });
  });

  it('ends when it is found to be none, with what rested on it', async () => {
    const asha = await customer(custos);
    const { subjectId } = asha;
    await custos.accepted('crm', 'GiveConsent', consentOf(subjectId));
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    const finding = { subjectId, ...NEWS, reason: 'noticeWrong' };
    const forbidden = said('FORBIDDEN', 'C08 C15', 'UK GDPR Art 32');
    expect((await custos.send('crm', 'InvalidateConsent', finding)).body.code).toBe(forbidden.code);
    const found = await custos.accepted('dpo', 'InvalidateConsent', finding);
    expect(await rowsOf(subjectId, 'uses', found.position)).toMatchObject([{ revoked_by: 'ConsentInvalidated' }]);
    expect(await rowsOf(subjectId)).toMatchObject([{ status: 'invalidated', reason: 'noticeWrong' }]);
    await refuses(
      custos,
      'mailer',
      'AuthoriseUse',
      newsTo(asha),
      said('CONSENT_INVALIDATED', 'C05 C17', 'UK GDPR Art 7', {
        ...NEWS,
        reason: 'noticeWrong',
        since: '2026-11-23T10:00:00.000Z',
      }),
    );
    expect(typesOf(await custos.accepted('crm', 'GiveConsent', consentOf(subjectId)))).toEqual(['ConsentRenewed']);
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
  });

  describe('when the purpose gets a new version', () => {
    const BOATS = { commercial: true, basis: 'consent', dpvIri: 'dpv:DirectMarketing', title: 'Boats' };
    const agreed = async (purposeId: string): Promise<Person> => {
      const asha = await customer(custos);
      const noticeId = `${purposeId}-notice`;
      await custos.accepted('crm', 'PresentNotice', { subjectId: asha.subjectId, ...SHOWN, noticeId });
      await custos.accepted('crm', 'GiveConsent', { ...consentOf(asha.subjectId), purposeId, noticeId });
      return asha;
    };
    const boats = async (): Promise<string> => {
      const purposeId = fresh('boats');
      await approvedPurpose(custos, purposeId, BOATS);
      await custos.accepted('dpo', 'PublishNotice', noticeDraft(`${purposeId}-notice`, 1, [purposeId]));
      return purposeId;
    };
    const revise = async (purposeId: string, version: number, more: object): Promise<void> => {
      await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId, { ...BOATS, ...more }));
      await custos.accepted('second-dpo', 'ApprovePurpose', { purposeId, version });
    };
    const ask = (asha: Person, purposeId: string): object => ({ ...newsTo(asha), purposeId });

    it('goes on when it asks for less', async () => {
      const purposeId = await boats();
      const asha = await agreed(purposeId);
      await revise(purposeId, 2, { recipientKindsAllowed: ['SELF'] });
      await custos.accepted('mailer', 'AuthoriseUse', ask(asha, purposeId));
      const consents = await custos.eventually(
        () => custos.get('auditor', `/v1/subjects/${asha.subjectId}/consents`),
        ({ body }) => body.rows[0].covers_version === 2,
        STEWARD,
      );
      expect(consents.body.rows).toMatchObject([{ status: 'given', purpose_version: 1, ended_at: null }]);
      const { events } = await custos.accepted('mailer', 'AuthoriseUse', ask(asha, purposeId));
      expect(events).toHaveLength(1);
    });

    it('ends when it asks for more: refused at once, and on record once, whatever happens to the process', async () => {
      const purposeId = await boats();
      const crew: Person[] = [];
      for (let index = 0; index < 5; index += 1) crew.push(await agreed(purposeId));
      await revise(purposeId, 2, {
        effectiveFrom: '2026-12-01T00:00:00Z',
        recipientKindsAllowed: ['SELF', 'GROUP', 'PROCESSOR', 'AUTHORITY'],
      });
      const late = await agreed(purposeId);
      await custos.accepted('mailer', 'AuthoriseUse', ask(crew[0]!, purposeId));
      await custos.kill();
      await custos.launch('2026-12-01T00:00:00Z');
      const outgrown = said('CONSENT_INVALIDATED', 'C05 C17', 'UK GDPR Art 7', {
        purposeId,
        channel: 'email',
        version: 2,
      });
      for (const asha of [...crew, late])
        await refuses(custos, 'mailer', 'AuthoriseUse', ask(asha, purposeId), outgrown);
      for (const { subjectId } of [...crew, late])
        await custos.eventually(
          () => custos.get('auditor', `/v1/subjects/${subjectId}/consents`),
          ({ body }) => body.rows[0].status === 'invalidated',
          STEWARD,
        );
      await custos.kill();
      await custos.launch('2026-12-02T00:00:00Z');
      await refuses(custos, 'mailer', 'AuthoriseUse', ask(late, purposeId), outgrown);
      for (const { subjectId } of [...crew, late]) {
        expect(await rowsOf(subjectId)).toMatchObject([{ reason: 'purposeChanged', ended_by: 'invalidated' }]);
        const found = await rowsOf(subjectId, 'timeline?type=ConsentInvalidated');
        expect(found).toHaveLength(1);
        expect(JSON.parse(found[0].facts)).toMatchObject({ purposeVersion: 2, widenings: ['recipients'] });
        expect(found[0].actor_id).toBe('steward');
      }
      const [asha] = crew;
      const noticeId = `${purposeId}-notice`;
      await custos.accepted('crm', 'GiveConsent', { ...consentOf(asha!.subjectId), purposeId, noticeId });
      await custos.accepted('mailer', 'AuthoriseUse', ask(asha!, purposeId));
    });

    it('does not come back when a later version asks for less again', async () => {
      const purposeId = await boats();
      const asha = await agreed(purposeId);
      await revise(purposeId, 2, { title: 'Boats and flats' });
      await revise(purposeId, 3, {});
      await refuses(
        custos,
        'mailer',
        'AuthoriseUse',
        ask(asha, purposeId),
        said('CONSENT_INVALIDATED', 'C05 C17', 'UK GDPR Art 7', { purposeId, channel: 'email', version: 2 }),
      );
    });
  });
});

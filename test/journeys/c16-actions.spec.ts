import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import {
  approvedPurpose,
  collect,
  consentOf,
  fresh,
  noticeDraft,
  pointDraft,
  purposeDraft,
  refuses,
  said,
  stranger,
  type Person,
} from './life.js';

/** C16: what happens at the end of a period, and when that end is. */
describe('at the end of a period', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-01-05T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const rule = (more: object): object => ({
    retention: [
      { category: 'contact.email', trigger: 'collected', period: 'P1M', legalRef: 'UK GDPR Art 5(1)(e)', ...more },
    ],
  });
  /** A purpose with this rule, what tells of it, and where it is collected. */
  const purposeWith = async (more: object, also: object = {}): Promise<string> => {
    const purposeId = fresh('lending');
    await approvedPurpose(custos, purposeId, { ...rule(more), ...also });
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(purposeId, 1, [purposeId]));
    await custos.accepted('dpo', 'RegisterCollectionPoint', pointDraft(purposeId, purposeId, purposeId));
    return purposeId;
  };
  const borrower = async (purposeId: string): Promise<Person> => {
    const subjectId = await stranger(custos);
    const shown = { noticeId: purposeId, version: 1, how: 'shown', channel: 'web' };
    await custos.accepted('crm', 'PresentNotice', { subjectId, ...shown });
    const how = {
      purposeId,
      collectionPointId: purposeId,
      noticeId: purposeId,
      noticeVersion: 1,
      serviceRequestRef: 'loan-1',
    };
    return { subjectId, items: await collect(custos, subjectId, how, { 'contact.email': 'asha@example.test' }) };
  };
  const itemOf = ({ items }: Person): string => items['contact.email'] ?? '';
  const useOf = (person: Person, purposeId: string) => ({
    subjectId: person.subjectId,
    purposeId,
    itemIds: [itemOf(person)],
  });
  const status = async ({ subjectId }: Person): Promise<string> =>
    (await custos.get('auditor', `/v1/subjects/${subjectId}/retention`)).body.rows[0].status;
  const erased = (person: Person): Promise<unknown> =>
    custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${person.subjectId}/retention`),
      ({ body }) => body.rows[0].status === 'erased',
    );
  const why = async (person: Person) =>
    (await custos.get('auditor', `/v1/retention/why?subject=${person.subjectId}&item=${itemOf(person)}`)).body;
  const reviewOf = async ({ subjectId }: Person, wanted: (row: Record<string, unknown>) => boolean) =>
    (
      await custos.eventually(
        () => custos.get('auditor', `/v1/subjects/${subjectId}/retention-reviews`),
        ({ body }) => body.rows.some(wanted),
      )
    ).body.rows;

  it('asks a person what is to be reviewed, keeps it under a rule only, and erases what nobody decides', async () => {
    const purposeId = await purposeWith({ action: 'review' });
    const [asha, bela, caro] = [await borrower(purposeId), await borrower(purposeId), await borrower(purposeId)];
    await custos.advanceTo('2026-02-05T09:00:00Z');
    for (const person of [asha, bela, caro])
      expect(await reviewOf(person, ({ outcome }) => outcome === null)).toMatchObject([
        { since: '2026-02-05T09:00:00.000Z', decide_by: '2026-03-05T09:00:00.000Z', decided_at: null },
      ]);
    const open = await custos.get('dpo', '/v1/registers/retention-reviews');
    expect(open.body.rows).toHaveLength(3);
    expect((await why(asha)).inPlainWords).toEqual([
      'Version 1 is past its time since 2026-02-05 and used for nothing; somebody has to decide about it, or it goes on 2026-03-05.',
    ]);
    await refuses(
      custos,
      'crm',
      'AuthoriseUse',
      useOf(asha, purposeId),
      said('PROCESSING_RESTRICTED', 'C05 C19', 'UK GDPR Art 18', { purposeId, items: [itemOf(asha)] }),
    );
    const decision = (person: Person, outcome: string) => ({
      subjectId: person.subjectId,
      itemIds: [itemOf(person)],
      outcome,
    });
    await refuses(
      custos,
      'dpo',
      'DecideRetentionReview',
      decision(asha, 'keep'),
      said('RETENTION_EXTENSION_FORBIDDEN', 'C16', 'UK GDPR Art 5(1)(e)', { items: [itemOf(asha)] }),
    );
    await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId, rule({ action: 'review', period: 'P1Y' })));
    await custos.accepted('second-dpo', 'ApprovePurpose', { purposeId, version: 2 });
    await custos.accepted('dpo', 'DecideRetentionReview', decision(asha, 'keep'));
    await custos.accepted('dpo', 'DecideRetentionReview', decision(bela, 'erase'));
    await erased(bela);
    expect(await reviewOf(asha, ({ outcome }) => outcome === 'keep')).toMatchObject([{ decided_by: 'dpo' }]);
    expect(await reviewOf(bela, ({ outcome }) => outcome === 'erase')).toMatchObject([{ decided_by: 'dpo' }]);
    expect((await why(asha)).versions).toMatchObject([{ due: '2027-01-05T09:00:00.000Z', reviewSince: null }]);
    // It may be used again, once people are told of the longer period.
    const use = await custos.send('crm', 'AuthoriseUse', useOf(asha, purposeId));
    expect(use.body.code).toBe('NOTICE_DOES_NOT_COVER_PURPOSE');

    await custos.advanceTo('2026-03-05T09:00:00Z');
    await erased(caro);
    expect(await reviewOf(caro, ({ outcome }) => outcome === 'undecided')).toMatchObject([{ decided_by: null }]);
    expect(await status(asha)).toBe('kept');
    expect((await custos.get('auditor', '/v1/retention/overdue')).body).toMatchObject({ notDecided: [] });
  });

  it('counts people whose data is to be anonymised, in whole tens and without a link to them', async () => {
    await custos.renewAccess();
    const purposeId = await purposeWith({ action: 'anonymise' });
    const people: Person[] = [];
    for (let number = 0; number < 9; number += 1) people.push(await borrower(purposeId));
    await custos.advanceTo('2026-04-06T09:00:00Z');
    for (const person of people) await erased(person);
    const counts = async () => (await custos.get('auditor', '/v1/retention/anonymised')).body;
    expect(await counts()).toMatchObject({ unit: 10, rows: [] });
    const more = [await borrower(purposeId), await borrower(purposeId)];
    expect((await why(more[0]!)).purposes).toMatchObject([{ action: 'anonymise' }]);
    await custos.advanceTo('2026-05-06T09:00:00Z');
    for (const person of more) await erased(person);
    const body = await counts();
    expect(body.rows).toEqual([{ category: 'contact.email', year: 2026, people: 10 }]);
    for (const { subjectId, items } of [...people, ...more])
      for (const id of [subjectId, ...Object.values(items)]) expect(JSON.stringify(body)).not.toContain(id);
  });

  it('does not wait for it where data is held on a consent alone, and the last consent has ended', async () => {
    await custos.renewAccess();
    const purposeId = await purposeWith({ period: 'P2Y', action: 'erase' }, { basis: 'consent' });
    const [asha, bela] = [await borrower(purposeId), await borrower(purposeId)];
    const consent = ({ subjectId }: Person, channel: string) => ({ subjectId, purposeId, channel });
    for (const [person, channel] of [[asha, 'email'] as const, [asha, 'post'] as const, [bela, 'email'] as const])
      await custos.accepted('crm', 'GiveConsent', {
        ...consentOf(person.subjectId),
        ...consent(person, channel),
        ...{ noticeId: purposeId, noticeVersion: 1 },
      });
    await custos.accepted('crm', 'WithdrawConsent', consent(asha, 'post'));
    const last = await custos.accepted('crm', 'WithdrawConsent', consent(bela, 'email'));
    await erased(bela);
    expect((await custos.get('auditor', `/v1/subjects/${bela.subjectId}/retention-purposes`)).body.rows).toMatchObject([
      { purpose_id: purposeId, ended_for: 'consentWithdrawn' },
    ]);
    expect(last.events).toHaveLength(1);
    expect(await status(asha)).toBe('kept');
    await custos.accepted('crm', 'WithdrawConsent', consent(asha, 'email'));
    await erased(asha);
  });

  it('moves with the last use where the period counts from that, without an event for each', async () => {
    await custos.renewAccess();
    const purposeId = await purposeWith({ trigger: 'lastReliedOn', period: 'P2M', action: 'erase' });
    const person = await borrower(purposeId);
    expect((await why(person)).versions).toMatchObject([{ due: '2026-07-06T09:00:00.000Z' }]);
    await custos.advanceTo('2026-06-06T09:00:00Z');
    await custos.renewAccess();
    const used = await custos.accepted('crm', 'AuthoriseUse', useOf(person, purposeId));
    expect(used.events).toHaveLength(1);
    await custos.get('auditor', `/v1/subjects/${person.subjectId}/retention`, used.position);
    expect(await why(person)).toMatchObject({
      versions: [{ due: '2026-08-06T09:00:00.000Z' }],
      purposes: [{ trigger: 'lastReliedOn', reliedOn: '2026-06-06T09:00:00.000Z', due: '2026-08-06T09:00:00.000Z' }],
      inPlainWords: [`Version 1 is held for ${purposeId} and goes on 2026-08-06.`],
    });
    await custos.advanceTo('2026-07-06T09:00:00Z');
    await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${person.subjectId}/retention`),
      ({ body }) => body.rows[0].due === '2026-08-06T09:00:00.000Z',
    );
    expect(await status(person)).toBe('kept');
    await custos.advanceTo('2026-08-06T09:00:00Z');
    await erased(person);
  });

  it('is looked at beforehand, approved by its digest, and carried out on time with or without that', async () => {
    await custos.renewAccess();
    const purposeId = await purposeWith({ action: 'erase' });
    const [asha, bela] = [await borrower(purposeId), await borrower(purposeId)];
    const at = '2026-09-06T09:00:00.000Z';
    const dryRun = async () => (await custos.get('dpo', `/v1/retention/due?at=${at}`)).body.run;
    const seen = await dryRun();
    expect(seen.items).toEqual(
      expect.arrayContaining(
        [asha, bela].map((person) => ({
          subjectId: person.subjectId,
          itemId: itemOf(person),
          version: 1,
          action: 'erase',
        })),
      ),
    );
    const runId = randomUUID();
    const less = { ...seen, items: seen.items.slice(1) };
    await refuses(
      custos,
      'dpo',
      'ApproveErasureRun',
      { runId, ...less },
      said('VERSION_CONFLICT', '', 'engine rule', { runId, field: 'digest' }),
    );
    const approval = await custos.accepted('dpo', 'ApproveErasureRun', { runId, ...seen });
    const runNow = async () => (await custos.get('auditor', `/v1/retention/runs/${runId}`, approval.position)).body;
    expect(await runNow()).toMatchObject({
      approvedBy: 'dpo',
      digest: seen.digest,
      outcome: { kept: seen.items.length },
      done: false,
    });
    // What comes up after the approval keeps what it keeps, and that is seen.
    const deferralId = randomUUID();
    const opening = { subjectId: bela.subjectId, deferralId, cause: 'openComplaint', caseRef: 'C-1' };
    await custos.accepted('dpo', 'OpenDeferral', opening);
    await custos.advanceTo(at);
    await erased(asha);
    const carriedOut = await custos.eventually(
      () => custos.get('auditor', `/v1/retention/runs/${runId}`),
      ({ body }) => body.outcome.deferred === 1 && body.outcome.erased === seen.items.length - 1,
    );
    expect(carriedOut.body.remaining).toMatchObject([{ itemId: itemOf(bela), cause: 'openComplaint' }]);
    await custos.accepted('dpo', 'CloseDeferral', { subjectId: bela.subjectId, deferralId });
    await erased(bela);
    expect(await runNow()).toMatchObject({ done: true, remaining: [] });
  });
});

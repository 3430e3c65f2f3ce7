import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Installation, type ActorName, type Reply } from '../installation.js';
import { tracesBelow, tracesIn } from '../plaintext.js';
import { acquaintance, collect, customer, said, TICKET, type Said } from './life.js';

const MORNING = '2026-11-23T09:00:00Z';
const LAW = 'UK GDPR Art 5(1)(f), 32';
/** What stands in the files of these people, and must be nowhere else. */
const VALUES = ['Asha Fictional', '+44 20 7946 0101', 'ACC-2047-ASHA', 'Chart 12 does not open.'];
const SEEN = /Asha Fictional|asha@example|7946 0101|ACC-2047|Chart 12/;

/** C15: nobody sees what they have no business with, and whoever looks leaves a trace. */
describe('looking at people’s data', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start(MORNING, { LOG_LEVEL: 'debug' });
  }, 120_000);

  afterAll(async () => {
    await custos.remove();
  });

  const why = (purpose = 'support-ticket', caseRef = 'CASE-7'): string => `?purpose=${purpose}&caseRef=${caseRef}`;
  const file = (actor: ActorName, subjectId: string, query = '', position?: number): Promise<Reply> =>
    custos.get(actor, `/v1/subjects/${subjectId}${query}`, position);
  const logOf = async (subjectId: string, position?: number) =>
    (await custos.get('auditor', `/v1/subjects/${subjectId}/views`, position)).body.rows;
  /** What is refused, and that nothing left. */
  const refused = (reply: Reply, { code, clauses, legalRef, details }: Said, status = 403): void => {
    expect(reply.body).toMatchObject({ accepted: false, code, clauses, legalRef, details });
    expect(reply.status).toBe(status);
    expect(JSON.stringify(reply.body)).not.toMatch(SEEN);
  };
  const access = (code: string, details: object): Said => said(code, 'C15', LAW, details);
  const grant = async (
    granteeId: ActorName,
    categories: readonly string[],
    more: { purposeId?: string; role?: string; to?: string; caseRef?: string } = {},
  ): Promise<string> => {
    const grantId = randomUUID();
    const now = ((await custos.get('operator', '/v1/clock')).body as { now: string }).now;
    const to = new Date(Date.parse(now) + 8 * 60 * 60 * 1000).toISOString();
    const scope = { role: 'staff', purposeId: 'support-ticket', categories, to, ...more };
    await custos.accepted('dpo', 'RequestAccess', { granteeId, grantId, ...scope });
    await custos.accepted('second-dpo', 'GrantAccess', { granteeId, grantId });
    return grantId;
  };

  it('shows a file with its values masked, to whoever may know of the person, and records no view', async () => {
    const { subjectId } = await customer(custos);
    for (const actor of ['support', 'newcomer', 'dpo', 'counsel', 'auditor'] as const) {
      const { status, body } = await file(actor, subjectId);
      expect(status).toBe(200);
      expect(body.holdings).toHaveLength(4);
      expect(body.holdings.map(({ withheld }: { withheld: string }) => withheld)).toEqual(Array(4).fill('masked'));
      expect(body).not.toHaveProperty('viewId');
      expect(JSON.stringify(body)).not.toMatch(SEEN);
    }
    expect(await logOf(subjectId)).toEqual([]);
  });

  it('opens what a grant covers and the purpose lists, and nothing else', async () => {
    const { subjectId } = await customer(custos);
    const shown = (body: { holdings: { category: string; value?: string }[] }) =>
      Object.fromEntries(body.holdings.map(({ category, value }) => [category, value]));
    // A ticket needs no account number, whatever the grant says.
    const ticket = await file('support', subjectId, why());
    expect(shown(ticket.body)).toEqual({
      'contact.name': 'Asha Fictional',
      'contact.email': `asha@example-${subjectId.slice(0, 8)}.test`,
      'contact.phone': '+44 20 7946 0101',
      'account.number': undefined,
    });
    // One category when no more is asked for.
    const name = await file('support', subjectId, `${why()}&categories=contact.name`);
    expect(shown(name.body)).toMatchObject({ 'contact.name': 'Asha Fictional', 'contact.phone': undefined });
    // Answering the person is the one purpose that shows everything.
    const rights = await file('dpo', subjectId, why('rights-and-complaints', 'DSAR-1'));
    expect(shown(rights.body)['account.number']).toBe('ACC-2047-ASHA');

    const views = await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${subjectId}/views`),
      ({ body }) => body.rows.length === 3,
    );
    expect(views.body.rows).toMatchObject([
      { kind: 'view', actor_id: 'support', role: 'staff', categories: 'contact.name contact.email contact.phone' },
      { kind: 'view', actor_id: 'support', categories: 'contact.name', case_ref: 'CASE-7' },
      { kind: 'view', actor_id: 'dpo', role: 'privacyOfficer', purpose_id: 'rights-and-complaints' },
    ]);
    expect(views.body.rows[0].view_id).toBe(ticket.body.viewId);
    expect(JSON.stringify(views.body)).not.toMatch(SEEN);
  });

  it('refuses whoever has no grant, on record, and lets nothing out', async () => {
    const { subjectId } = await customer(custos);
    const listed = ['contact.name', 'contact.email', 'contact.phone'];
    const none = (categories: readonly string[]) =>
      access('ACCESS_NOT_GRANTED', { purposeId: 'support-ticket', categories });
    refused(await file('newcomer', subjectId, why()), none(listed));
    refused(await file('newcomer', subjectId, `${why()}&categories=contact.name`), none(['contact.name']));
    // What is none of the purpose's is not asked for, whatever is granted.
    refused(
      await file('support', subjectId, `${why()}&categories=contact.name,account.number`),
      said('DATA_EXCESSIVE', 'C12', 'UK GDPR Art 5(1)(c)', { purposeId: 'support-ticket', fields: ['account.number'] }),
      422,
    );
    // A grant for another role is none, nor is one for another category, purpose or case.
    await grant('newcomer', ['contact.name'], { role: 'legal' });
    await grant('newcomer', ['contact.phone'], { caseRef: 'CASE-8' });
    await grant('newcomer', ['contact.name'], { purposeId: 'service-account' });
    for (const category of ['contact.name', 'contact.phone'])
      refused(await file('newcomer', subjectId, `${why()}&categories=${category}`), none([category]));
    const open = await file('newcomer', subjectId, `${why('support-ticket', 'CASE-8')}&categories=contact.phone`);
    expect(open.body.holdings[2]).toMatchObject({ value: '+44 20 7946 0101' });
    const last = await file('newcomer', subjectId, `${why()}&categories=contact.email`);

    const log = await logOf(subjectId, last.body.position);
    expect(log.map(({ kind, code }: { kind: string; code: string | null }) => [kind, code])).toEqual([
      ['denied', 'ACCESS_NOT_GRANTED'],
      ['denied', 'ACCESS_NOT_GRANTED'],
      ['denied', 'DATA_EXCESSIVE'],
      ['denied', 'ACCESS_NOT_GRANTED'],
      ['denied', 'ACCESS_NOT_GRANTED'],
      ['view', null],
      ['denied', 'ACCESS_NOT_GRANTED'],
    ]);
    expect(log[0]).toMatchObject({ actor_id: 'newcomer', case_ref: 'CASE-7', viewed_at: '2026-11-23T09:00:00.000Z' });
  });

  it('asks for a purpose that exists and a case, and never opens for auditors', async () => {
    const { subjectId } = await customer(custos);
    refused(
      await file('support', subjectId, '?purpose=support-ticket'),
      access('PURPOSE_NOT_STATED', { fields: ['caseRef'] }),
      422,
    );
    refused(
      await file('support', subjectId, '?caseRef=CASE-7'),
      access('PURPOSE_NOT_STATED', { fields: ['purpose'] }),
      422,
    );
    refused(
      await file('support', subjectId, '?categories=contact.name'),
      access('PURPOSE_NOT_STATED', { fields: ['purpose', 'caseRef'] }),
      422,
    );
    refused(
      await file('support', subjectId, why('no-such-purpose')),
      said('PURPOSE_UNKNOWN', 'C01 C17', 'UK GDPR Art 5(1)(b)', { purposeId: 'no-such-purpose' }),
      422,
    );
    refused(await file('auditor', subjectId, why()), access('AUDITOR_NO_PLAINTEXT', {}));
    for (const actor of ['crm', 'operator'] as const)
      expect(await file(actor, subjectId)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    const unknown = { subjectId: randomUUID(), occurredAt: MORNING, categories: ['contact.name'], caseRef: 'CASE-7' };
    const nobody = await custos.refused('support', 'ViewPersonalData', { ...unknown, purposeId: 'support-ticket' });
    expect(nobody).toMatchObject({ code: 'SUBJECT_UNKNOWN', clauses: [] });
    for (const [query, field] of [
      [why('to%20look'), 'purpose'],
      [why('support-ticket', 'because%20I%20can'), 'caseRef'],
      [`${why()}&categories=Asha%20Fictional`, 'categories'],
      ['?term=x', 'query'],
    ] as const) {
      const reply = await file('support', subjectId, query);
      expect([reply.status, reply.body.fields[0].field]).toEqual([400, field]);
    }
  });

  it('shows restricted data to those who answer for it, and to nobody else', async () => {
    const { subjectId } = await customer(custos);
    await custos.accepted('support', 'RestrictProcessing', { subjectId, ground: '18(1)(a)' });
    const restricted = said('PROCESSING_RESTRICTED', 'C05 C19', 'UK GDPR Art 18', { purposeId: 'support-ticket' });
    refused(await file('support', subjectId, why()), restricted, 422);
    const open = await file('dpo', subjectId, why('rights-and-complaints', 'DSAR-2'));
    expect(open.body.holdings[0].value).toBe('Asha Fictional');
  });

  it('opens one person’s data in an emergency, for its case and no longer than its hours', async () => {
    const { subjectId } = await customer(custos);
    const other = await customer(custos);
    const emergency = { granteeId: 'newcomer', subjectId, reason: 'riskToLife', hours: 1, caseRef: 'SOS-1' };
    await custos.accepted('newcomer', 'BreakGlass', emergency);
    const open = await file('newcomer', subjectId, why('support-ticket', 'SOS-1'));
    expect(open.body.holdings.map(({ value }: { value: string }) => value)).toContain('ACC-2047-ASHA');
    const elsewhere = await file(
      'newcomer',
      other.subjectId,
      `${why('support-ticket', 'SOS-1')}&categories=contact.name`,
    );
    refused(elsewhere, access('ACCESS_NOT_GRANTED', { purposeId: 'support-ticket', categories: ['contact.name'] }));
    await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${subjectId}/views`),
      ({ body }) => body.rows.some(({ kind }: { kind: string }) => kind === 'emergency'),
    );
  });

  describe('many people at once', () => {
    const people = async (): Promise<readonly string[]> =>
      (await Promise.all(Array.from({ length: 3 }, () => customer(custos)))).map(({ subjectId }) => subjectId);
    const asked = (bulkViewId: string, subjectIds: readonly string[], more: object = {}) => ({
      bulkViewId,
      purposeId: 'support-ticket',
      caseRef: 'OUTAGE-1',
      categories: ['contact.email', 'contact.name'],
      subjectIds,
      hours: 2,
      ...more,
    });
    const page = (actor: ActorName, bulkViewId: string, query = '') =>
      custos.get(actor, `/v1/bulk-views/${bulkViewId}/people${query}`);

    it('need a second person, and end by themselves', async () => {
      const [subjectIds, bulkViewId] = [await people(), randomUUID()];
      await custos.accepted('support', 'RequestBulkView', asked(bulkViewId, subjectIds));
      const fourEyes = said('FOUR_EYES_REQUIRED', 'C12 C15 C16', 'UK GDPR Art 25', { bulkViewId });
      refused(await page('support', bulkViewId), fourEyes, 422);
      expect(await custos.refused('support', 'ApproveBulkView', { bulkViewId })).toMatchObject({ code: 'FORBIDDEN' });
      await custos.accepted('dpo', 'ApproveBulkView', { bulkViewId });

      const first = await page('support', bulkViewId, '?limit=2');
      expect(first.status).toBe(200);
      expect(first.body).toMatchObject({
        next: 2,
        people: subjectIds.slice(0, 2).map((subjectId) => ({
          subjectId,
          holdings: [
            { category: 'contact.name', value: 'Asha Fictional' },
            { category: 'contact.email', value: `asha@example-${subjectId.slice(0, 8)}.test` },
          ],
        })),
      });
      const rest = await page('support', bulkViewId, '?limit=2&after=2');
      expect(rest.body.people).toHaveLength(1);
      expect(rest.body).not.toHaveProperty('next');
      for (const subjectId of subjectIds) {
        const { body } = await custos.eventually(
          () => custos.get('auditor', `/v1/subjects/${subjectId}/views?kind=bulk`),
          ({ body: { rows } }) => rows.length === 1,
        );
        expect(body.rows[0]).toMatchObject({ actor_id: 'support', bulk_view_id: bulkViewId, case_ref: 'OUTAGE-1' });
      }
      // It is nobody else's, and no way around a grant.
      refused(await page('dpo', bulkViewId), access('ACCESS_NOT_GRANTED', { bulkViewId }));
      refused(await page('auditor', bulkViewId), access('AUDITOR_NO_PLAINTEXT', {}));
      expect((await page('crm', bulkViewId)).body.code).toBe('FORBIDDEN');
      expect((await page('support', randomUUID())).status).toBe(404);

      const { now } = (await custos.get('operator', '/v1/clock')).body as { now: string };
      await custos.advanceTo(new Date(Date.parse(now) + 2 * 60 * 60 * 1000).toISOString());
      const over = await page('support', bulkViewId);
      expect(over).toMatchObject({ status: 403, body: { code: 'ACCESS_EXPIRED', clauses: ['C15'] } });
      expect(JSON.stringify(over.body)).not.toMatch(SEEN);
    });

    it('are approved by nobody who asked, end at a word, and stay shut without a grant', async () => {
      const [subjectIds, own, barred] = [await people(), randomUUID(), randomUUID()];
      await custos.accepted('dpo', 'RequestBulkView', asked(own, subjectIds, { purposeId: 'rights-and-complaints' }));
      expect(await custos.refused('dpo', 'ApproveBulkView', { bulkViewId: own })).toMatchObject({
        code: 'SELF_APPROVAL',
        clauses: ['C15'],
        legalRef: LAW,
        details: { bulkViewId: own },
      });
      const { caseRef: _none, ...nameless } = asked(randomUUID(), subjectIds);
      expect(await custos.refused('support', 'RequestBulkView', nameless)).toMatchObject({
        code: 'PURPOSE_NOT_STATED',
      });
      await custos.accepted('newcomer', 'RequestBulkView', asked(barred, subjectIds, { caseRef: 'CASE-99' }));
      await custos.accepted('dpo', 'ApproveBulkView', { bulkViewId: barred });
      const shut = await page('newcomer', barred);
      expect(shut).toMatchObject({ status: 403, body: { code: 'ACCESS_NOT_GRANTED' } });
      await custos.accepted('second-dpo', 'ApproveBulkView', { bulkViewId: own });
      expect((await page('dpo', own)).body.people[0].holdings[0].value).toBe('Asha Fictional');
      const ended = await custos.accepted('dpo', 'CloseBulkView', { bulkViewId: own });
      refused(await page('dpo', own), access('ACCESS_NOT_GRANTED', { bulkViewId: own }));
      const listed = await custos.get('auditor', `/v1/registers/bulk-views?bulk_view_id=${own}`, ended.position);
      expect(listed.body.rows).toMatchObject([
        { status: 'closed', people: 3, requested_by: 'dpo', approved_by: 'second-dpo', closed_by: 'dpo' },
      ]);
    });
  });

  it('tells the person who looked: when, why and in which role, and never who', async () => {
    const { subjectId } = await customer(custos);
    const other = await customer(custos);
    await file('support', subjectId, `${why()}&categories=contact.name`);
    await file('dpo', subjectId, why('rights-and-complaints', 'DSAR-3'));
    const denied = await file('newcomer', subjectId, `${why()}&categories=contact.name`);
    await file('support', other.subjectId, why());

    const own = await custos.admit(`person-${subjectId}`, { actorType: 'app_user', roles: ['subject'], subjectId });
    const told = await custos.get(own, `/v1/subjects/${subjectId}/who-looked`, denied.body.position);
    expect(told.status).toBe(200);
    expect(told.body.looks).toEqual([
      {
        viewedAt: expect.stringMatching(/^2026-11-23T/) as unknown,
        kind: 'view',
        role: 'staff',
        purposeId: 'support-ticket',
        purpose: expect.stringMatching(/\w/) as unknown,
        categories: ['contact.name'],
      },
      expect.objectContaining({ role: 'privacyOfficer', purposeId: 'rights-and-complaints' }),
    ]);
    expect(JSON.stringify(told.body)).not.toMatch(/"support"|dpo|CASE-7|DSAR-3/);
    // Nobody else's list, and no other door to it.
    for (const path of [
      `/v1/subjects/${other.subjectId}/who-looked`,
      `/v1/subjects/${subjectId}`,
      `/v1/subjects/${subjectId}/views`,
      '/v1/registers/access-log',
    ])
      expect(await custos.get(own, path)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    const staff = await custos.get('support', `/v1/subjects/${subjectId}/who-looked`);
    expect(staff).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  });

  it('keeps an access log that is read as it stood at a time', async () => {
    const subjectId = await acquaintance(custos);
    await collect(custos, subjectId, TICKET, { 'ticket.text': 'Chart 12 does not open.' });
    await file('support', subjectId, why());
    const { now: before } = (await custos.get('operator', '/v1/clock')).body as { now: string };
    await custos.advanceTo(new Date(Date.parse(before) + 60 * 60 * 1000).toISOString());
    await file('dpo', subjectId, why('rights-and-complaints', 'DSAR-4'));
    await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${subjectId}/views`),
      ({ body }) => body.rows.length === 2,
    );
    const path = `/v1/registers/access-log?subject_id=${subjectId}`;
    const then = await custos.get('auditor', `${path}&asOf=${before}`);
    expect(then.body.rows).toMatchObject([{ actor_id: 'support', role: 'staff', kind: 'view' }]);
    expect((await custos.get('auditor', path)).body.rows).toHaveLength(2);
    expect((await custos.get('support', path)).status).toBe(403);
  });

  it('ends with the grant, also when nobody has said so yet', async () => {
    const { subjectId } = await customer(custos);
    const { now } = (await custos.get('operator', '/v1/clock')).body as { now: string };
    const to = new Date(Date.parse(now) + 60_000).toISOString();
    await grant('newcomer', ['contact.name'], { to, caseRef: 'LAST-1' });
    const query = `${why('support-ticket', 'LAST-1')}&categories=contact.name`;
    expect((await file('newcomer', subjectId, query)).body.holdings[0].value).toBe('Asha Fictional');
    await custos.advanceTo(to);
    const over = await file('newcomer', subjectId, query);
    refused(over, access('ACCESS_EXPIRED', { purposeId: 'support-ticket', categories: ['contact.name'] }));
  });

  it('leaves no value behind: in no file, and in no line of output', async () => {
    await custos.stop();
    expect(tracesIn('output', Buffer.from(custos.output), VALUES)).toEqual([]);
    expect(tracesBelow(custos.dataDir, VALUES)).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Installation, type ActorName, type Reply } from '../installation.js';
import { tracesBelow, tracesIn } from '../plaintext.js';
import { ACCOUNT, acquaintance, collect, said, STEWARD, TICKET, type Said } from './life.js';

const LAW = 'UK GDPR Art 5(1)(f), 32';
const EMAIL = 'Bela.Quillfeather@bücher-fictional.test';
const PHONE = '020 7946 0123';
const NUMBER = 'ACC-2047 bela';
/** What was held and what was searched for, in every spelling of these tests. */
const VALUES = [
  EMAIL,
  'Bela.Quillfeather@xn--bcher-fictional-rmb.test',
  'Quillfeather',
  PHONE,
  '+442079460123',
  '442079460123',
  NUMBER,
  'ACC2047BELA',
  'bela.moved@example.test',
];

/** C15: people are found by what they are known by; who may search, why and whom it found is on record. */
describe('searching for people', () => {
  let custos: Installation;
  let position = 0;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z', { LOG_LEVEL: 'debug' });
  }, 120_000);

  afterAll(async () => {
    await custos.remove();
  });

  const search = (
    actor: ActorName,
    field: string,
    term: unknown,
    more: object = { purposeId: 'service-account', caseRef: 'CALL-1' },
  ): Promise<Reply> => custos.post(actor, `/v1/searches?min-position=${position}`, { field, term, ...more });
  const found = async (field: string, term: string): Promise<readonly string[]> => {
    const reply = await search('support', field, term);
    expect(reply.status).toBe(200);
    return (reply.body.found as { subjectId: string }[]).map(({ subjectId }) => subjectId);
  };
  const moved = <A extends { readonly position: number }>(answer: A): A => {
    position = Math.max(position, answer.position);
    return answer;
  };
  /** Somebody with these values, whom nobody else shares them with. */
  const person = async (values: Readonly<Record<string, string>>, how: object = ACCOUNT) => {
    const subjectId = await acquaintance(custos);
    const items = await collect(custos, subjectId, how, values);
    moved(
      await custos.accepted('crm', 'PresentNotice', {
        subjectId,
        noticeId: 'customer-privacy',
        version: 1,
        how: 'shown',
        channel: `w-${subjectId.slice(0, 8)}`,
      }),
    );
    return { subjectId, items };
  };
  const own = (): { email: string; phone: string } => {
    const random = randomUUID();
    const phone = `+4420794${String(Number.parseInt(random.slice(0, 8), 16) % 100_000).padStart(5, '0')}`;
    return { email: `${random}@example.test`, phone };
  };
  const account = ({ email, phone }: { email: string; phone: string }) => ({
    'contact.name': 'Bela Quillfeather',
    'contact.email': email,
    'contact.phone': phone,
    'account.number': `N-${email.slice(0, 8)}`,
  });

  it('finds people by what they are known by, in any spelling, and says nothing else', async () => {
    const { subjectId } = await person({
      'contact.name': 'Bela Quillfeather',
      'contact.email': EMAIL,
      'contact.phone': PHONE,
      'account.number': NUMBER,
    });
    for (const [field, spellings] of [
      ['email', [EMAIL, `  ${EMAIL} `, EMAIL.normalize('NFD'), 'Bela.Quillfeather@BÜCHER-Fictional.TEST.']],
      ['phone', [PHONE, '+44 20 7946 0123', '+44 (0)20 7946-0123', '0044 20 7946 0123', 'tel:+442079460123']],
      ['customerNumber', [NUMBER, 'acc2047bela', 'ACC/2047-BELA', '\uff21CC2047 Bela']],
    ] as const)
      for (const spelling of spellings) {
        const reply = await search('support', field, spelling);
        expect([spelling, reply.status, reply.body.found]).toEqual([
          spelling,
          200,
          [{ subjectId, categories: expect.any(Array) as unknown }],
        ]);
        expect(tracesIn('answer', Buffer.from(JSON.stringify(reply.body)), VALUES)).toEqual([]);
      }
    expect(await found('email', 'nobody@example.test')).toEqual([]);
    // A number is no e-mail address: each field has a key of its own.
    expect(await found('customerNumber', PHONE)).toEqual([]);

    const looks = await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${subjectId}/views?kind=search`),
      ({ body }) => body.rows.length === 13,
    );
    expect(looks.body.rows[0]).toMatchObject({
      actor_id: 'support',
      role: 'staff',
      categories: 'contact.email',
      purpose_id: 'service-account',
      case_ref: 'CALL-1',
    });
    const log = await custos.get('auditor', '/v1/registers/searches');
    expect(log.body.rows).toHaveLength(15);
    expect(log.body.rows.at(-1)).toMatchObject({ actor_id: 'support', field: 'customerNumber', found: 0 });
    expect(tracesIn('log', Buffer.from(JSON.stringify([looks.body, log.body])), VALUES)).toEqual([]);
  });

  it('is for those with a grant, a purpose and a case, and for no auditor', async () => {
    const known = own();
    const { subjectId } = await person(account(known));
    const refused = async (reply: Reply, { code, clauses, legalRef, details }: Said, status = 403): Promise<void> => {
      expect(reply).toMatchObject({ status, body: { accepted: false, code, clauses, legalRef, details } });
      expect(JSON.stringify(reply.body)).not.toContain(subjectId);
      const path = `/v1/refusals?refusal_id=${reply.body.refusalId}`;
      const { rows } = (await custos.get('auditor', path, reply.body.position)).body;
      expect(rows).toMatchObject([{ code, command_type: 'RecordSearch' }]);
      expect(tracesIn('refusal', Buffer.from(JSON.stringify(rows)), [known.email])).toEqual([]);
    };
    const access = (code: string, details: object): Said => said(code, 'C15', LAW, details);
    const nothingGranted = { purposeId: 'service-account', categories: ['contact.email'] };
    await refused(await search('newcomer', 'email', known.email), access('ACCESS_NOT_GRANTED', nothingGranted));
    await refused(await search('auditor', 'email', known.email), access('AUDITOR_NO_PLAINTEXT', {}));
    const silent = access('PURPOSE_NOT_STATED', { fields: ['purpose', 'caseRef'] });
    await refused(await search('support', 'email', known.email, {}), silent, 422);
    await refused(
      await search('support', 'email', known.email, { purposeId: 'no-such-purpose', caseRef: 'CALL-1' }),
      said('PURPOSE_UNKNOWN', 'C01 C17', 'UK GDPR Art 5(1)(b)', { purposeId: 'no-such-purpose' }),
      422,
    );
    // A ticket has no account number: the purpose does not need to be searched by one.
    await refused(
      await search('support', 'customerNumber', 'N-1', { purposeId: 'support-ticket', caseRef: 'CALL-1' }),
      said('DATA_EXCESSIVE', 'C12', 'UK GDPR Art 5(1)(c)', { purposeId: 'support-ticket', fields: ['customerNumber'] }),
      422,
    );
    const grantId = randomUUID();
    const { now } = (await custos.get('operator', '/v1/clock')).body as { now: string };
    const to = new Date(Date.parse(now) + 60_000).toISOString();
    const scope = { role: 'staff', purposeId: 'service-account', categories: ['contact.email'], to };
    await custos.accepted('dpo', 'RequestAccess', { granteeId: 'newcomer', grantId, ...scope });
    await custos.accepted('second-dpo', 'GrantAccess', { granteeId: 'newcomer', grantId });
    expect((await search('newcomer', 'email', known.email)).body.found).toMatchObject([{ subjectId }]);
    await custos.advanceTo(to);
    await refused(await search('newcomer', 'email', known.email), access('ACCESS_EXPIRED', nothingGranted));
    for (const actor of ['crm', 'operator'] as const)
      expect(await search(actor, 'email', known.email)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    // The record of a search is the engine's to write.
    const forged = { occurredAt: now, field: 'email', purposeId: 'service-account', caseRef: 'CALL-1', found: [] };
    for (const [type, body] of [
      ['RecordSearch', forged],
      ['DrawViewBudget', { occurredAt: now, subjectId }],
    ] as const)
      expect((await custos.send('support', type, body)).body).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('says what is wrong with a question, and never repeats it', async () => {
    const stray = 'Quillfeather of Example Quay';
    for (const [field, term, where] of [
      ['email', stray, 'term'],
      ['email', `a@${stray}`, 'term'],
      ['phone', stray, 'term'],
      ['phone', '12', 'term'],
      ['customerNumber', ' - ', 'term'],
      ['email', '', 'term'],
      ['email', 7, 'term'],
      ['email', 'x'.repeat(400), 'term'],
      [stray, EMAIL, 'field'],
    ] as const) {
      const reply = await search('support', field, term);
      expect([reply.status, reply.body.fields?.[0]?.field]).toEqual([400, where]);
      expect(JSON.stringify(reply.body)).not.toContain('Quillfeather');
    }
    const more = await search('support', 'email', EMAIL, { [stray]: 1 });
    expect(more.status).toBe(400);
    expect(JSON.stringify(more.body)).not.toContain('Quillfeather');
    // A term in an address is no question at all.
    expect((await custos.get('support', '/v1/searches?field=email&term=x')).status).toBe(404);
  });

  it('finds what is held now: not what was corrected, expired or erased', async () => {
    const [first, ticketed] = [own(), own()];
    const { subjectId, items } = await person(account(first));
    expect(await found('email', first.email)).toEqual([subjectId]);
    const corrected = { subjectId, itemId: items['contact.email'], fromVersion: 1, reasonCode: 'outOfDate' };
    moved(await custos.accepted('support', 'CorrectData', { ...corrected, value: 'bela.moved@example.test' }));
    expect(await found('email', first.email)).toEqual([]);
    expect(await found('email', 'bela.moved@EXAMPLE.test')).toEqual([subjectId]);

    const ticket = await person(
      { 'contact.email': ticketed.email, 'ticket.text': 'Help.' },
      { ...TICKET, serviceRequestRef: 'ticket-15' },
    );
    const asTicket = (): Promise<Reply> =>
      search('support', 'email', ticketed.email, { purposeId: 'support-ticket', caseRef: 'CALL-2' });
    expect((await asTicket()).body.found).toMatchObject([{ subjectId: ticket.subjectId }]);
    const closing = { subjectId: ticket.subjectId, serviceRequestRef: 'ticket-15', occurredAt: '2026-11-23T09:01:00Z' };
    const { now } = (await custos.get('operator', '/v1/clock')).body as { now: string };
    moved(await custos.accepted('support', 'CloseServiceRequest', { ...closing, occurredAt: now }));
    await custos.advanceTo('2028-11-24T09:00:00Z');
    const gone = await custos.eventually(
      () => custos.get('auditor', `/v1/subjects/${ticket.subjectId}/retention`),
      ({ body }) => body.rows.every(({ status }: { status: string }) => status === 'erased'),
      STEWARD,
    );
    expect(gone.body.rows).toHaveLength(2);
    const index = await custos.get('operator', '/v1/search-index');
    expect(index.body.generations).toMatchObject([{ generation: 1, current: true }]);
    // The grants of two years ago have ended: a fresh one asks again.
    const grantId = randomUUID();
    const scope = {
      role: 'staff',
      purposeId: 'support-ticket',
      categories: ['contact.email'],
      to: '2028-12-01T09:00:00Z',
    };
    await custos.accepted('dpo', 'RequestAccess', { granteeId: 'support', grantId, ...scope });
    await custos.accepted('second-dpo', 'GrantAccess', { granteeId: 'support', grantId });
    expect((await asTicket()).body.found).toEqual([]);
  }, 60_000);

  it('answers while its keys are rotated, and after its file was lost or the machine has died', async () => {
    const known = own();
    const { subjectId } = await person(account(known));
    const grant = async (purposeId: string): Promise<void> => {
      const grantId = randomUUID();
      const scope = { role: 'staff', purposeId, categories: ['contact.email'], to: '2029-06-01T09:00:00Z' };
      await custos.accepted('dpo', 'RequestAccess', { granteeId: 'support', grantId, ...scope });
      await custos.accepted('second-dpo', 'GrantAccess', { granteeId: 'support', grantId });
    };
    await grant('service-account');
    expect(await found('email', known.email)).toEqual([subjectId]);
    expect((await custos.post('support', '/v1/search-index/rotations', {})).status).toBe(403);

    const begun = await custos.post('operator', '/v1/search-index/rotations', {});
    expect(begun).toMatchObject({ status: 202, body: { generation: 2 } });
    // No moment without an answer, and what comes meanwhile is found as well.
    const meanwhile = own();
    let late: string | undefined;
    for (let round = 0; round < 10; round += 1) {
      expect(await found('email', known.email)).toEqual([subjectId]);
      late ??= (await person(account(meanwhile))).subjectId;
      expect(await found('email', meanwhile.email)).toEqual([late]);
    }
    const generations = (actor: ActorName = 'operator') => custos.get(actor, '/v1/search-index');
    await custos.eventually(generations, ({ body }) => body.generations.length === 1);
    expect((await generations()).body.generations).toMatchObject([{ generation: 2, current: true }]);
    expect(await found('email', known.email)).toEqual([subjectId]);

    // Killed in the middle of a rotation, it goes on with it.
    await custos.post('operator', '/v1/search-index/rotations', {});
    await custos.kill();
    await custos.launch('2028-11-25T09:00:00Z');
    expect(await found('email', known.email)).toEqual([subjectId]);
    await custos.eventually(generations, ({ body }) => body.generations.length === 1);
    expect((await generations('auditor')).body.generations).toMatchObject([{ generation: 3, current: true }]);

    await custos.stop();
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(join(custos.dataDir, `search-index.db${suffix}`), { force: true });
    await custos.launch('2028-11-26T09:00:00Z');
    expect(await found('email', known.email)).toEqual([subjectId]);
    expect(await found('email', meanwhile.email)).toEqual([late]);
  }, 120_000);

  it('and opening end for the day when the budget of who asks is spent; another has one of their own', async () => {
    await custos.advanceTo('2028-11-27T09:00:00Z');
    const known = own();
    const { subjectId } = await person(account(known));
    // One person is one, however often they are opened.
    const look = () => custos.get('support', `/v1/subjects/${subjectId}?purpose=service-account&caseRef=CALL-3`);
    const opened = await look();
    expect(opened.body.holdings[1].value).toBe(known.email);
    await look();
    let status = 200;
    let searches = 0;
    for (; status === 200; searches += 1) ({ status } = await search('support', 'email', 'nobody@example.test'));
    expect([status, searches]).toEqual([403, 200]);
    const exceeded = {
      accepted: false,
      code: 'VIEW_BUDGET_EXCEEDED',
      clauses: ['C15'],
      legalRef: LAW,
      details: { limit: 200, day: '2028-11-27' },
    };
    expect((await search('support', 'email', known.email)).body).toMatchObject(exceeded);
    // Whom one has opened that day stays open; nobody else opens.
    expect((await look()).status).toBe(200);
    const next = await person(account(own()));
    const path = `/v1/subjects/${next.subjectId}?purpose=service-account&caseRef=CALL-3`;
    expect(await custos.get('support', path)).toMatchObject({ status: 403, body: exceeded });

    const grantId = randomUUID();
    const scope = {
      role: 'privacyOfficer',
      purposeId: 'service-account',
      categories: ['contact.email'],
      to: '2029-01-01T00:00:00Z',
    };
    await custos.accepted('second-dpo', 'RequestAccess', { granteeId: 'dpo', grantId, ...scope });
    await custos.accepted('second-dpo', 'GrantAccess', { granteeId: 'dpo', grantId });
    expect((await search('dpo', 'email', known.email)).body.found).toMatchObject([{ subjectId }]);
    await custos.advanceTo('2028-11-28T00:00:00Z');
    expect(await found('email', known.email)).toEqual([subjectId]);
  }, 120_000);

  it('leaves neither what is held nor what was asked in any file or line of output', async () => {
    await custos.stop();
    expect(tracesIn('output', Buffer.from(custos.output), VALUES)).toEqual([]);
    expect(tracesBelow(custos.dataDir, VALUES)).toEqual([]);
  });
});

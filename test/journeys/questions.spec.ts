import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Installation, type ActorName, type Reply } from '../installation.js';
import {
  acquaintance,
  collect,
  consentOf,
  customer,
  fresh,
  holders,
  itemsOf,
  NOTICE,
  orderOf,
  type Person,
  recipientOf,
  refuses,
  said,
  TICKET,
} from './life.js';

interface Row {
  readonly [column: string]: unknown;
}

describe('questions', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  /** What a person's file holds that is nobody's business elsewhere. */
  const VALUES = /Asha Fictional|asha@example|7946 0101|ACC-2047|Chart 12/;
  const rowsOf = async (actor: ActorName, path: string, position?: number): Promise<readonly Row[]> => {
    const reply = await custos.get(actor, path, position);
    expect(reply.status).toBe(200);
    return reply.body.rows;
  };
  /** All pages of a list, one after the other. */
  const pagesOf = async (path: string, limit: number): Promise<readonly (readonly Row[])[]> => {
    const pages: Row[][] = [];
    for (let after: number | undefined = 0; after !== undefined;) {
      const reply: Reply = await custos.get('auditor', `${path}&limit=${limit}&after=${after}`);
      pages.push(reply.body.rows);
      after = reply.body.next;
    }
    return pages;
  };

  describe('about a person’s file', () => {
    const fileOf = (actor: ActorName, subjectId: string, query: string) =>
      custos.get(actor, `/v1/subjects/${subjectId}${query}`);
    const WHY = '?purpose=support-ticket&caseRef=CASE-7';

    it('are on record before they are answered', async () => {
      const { subjectId } = await customer(custos);
      const before = await fileOf('support', subjectId, WHY);
      expect(before.status).toBe(200);
      expect(before.body.holdings).toMatchObject([
        { category: 'contact.name', value: 'Asha Fictional', status: 'held', version: 1 },
        { category: 'contact.email', value: `asha@example-${subjectId.slice(0, 8)}.test` },
        { category: 'contact.phone', value: '+44 20 7946 0101' },
        // A ticket needs no account number.
        { category: 'account.number', withheld: 'masked' },
      ]);
      await fileOf('dpo', subjectId, '?purpose=rights-and-complaints&caseRef=DSAR-1');
      const views = await custos.eventually(
        () => custos.get('auditor', `/v1/subjects/${subjectId}/views`),
        ({ body }) => body.rows.length === 2,
      );
      expect(views.body.rows).toMatchObject([
        {
          actor_id: 'support',
          purpose_id: 'support-ticket',
          case_ref: 'CASE-7',
          categories: 'contact.name contact.email contact.phone',
          viewed_at: '2026-11-23T09:00:00.000Z',
        },
        { actor_id: 'dpo', purpose_id: 'rights-and-complaints', case_ref: 'DSAR-1' },
      ]);
      expect(JSON.stringify(views.body)).not.toMatch(VALUES);
      expect(views.body.rows[0].view_id).toBe(before.body.viewId);
    });

    it.each([
      ['neither purpose nor case', '?categories=contact.name', ['purpose', 'caseRef']],
      ['no purpose', '?caseRef=CASE-7', ['purpose']],
      ['no case', '?purpose=support-ticket', ['caseRef']],
    ])('say why they are asked: %s', async (_what, query, fields) => {
      const { subjectId } = await customer(custos);
      const reply = await fileOf('support', subjectId, query);
      expect(reply).toMatchObject({
        status: 422,
        body: {
          accepted: false,
          code: 'PURPOSE_NOT_STATED',
          clauses: ['C15'],
          legalRef: 'UK GDPR Art 5(1)(f), 32',
          details: { fields },
        },
      });
      const path = `/v1/refusals?refusal_id=${reply.body.refusalId}`;
      expect(await rowsOf('auditor', path, reply.body.position)).toMatchObject([
        { code: 'PURPOSE_NOT_STATED', command_type: 'ViewPersonalData', actor_id: 'support' },
      ]);
      expect(await rowsOf('auditor', `/v1/subjects/${subjectId}/views`, reply.body.position)).toMatchObject([
        { kind: 'denied', code: 'PURPOSE_NOT_STATED' },
      ]);
    });

    it('of auditors are answered with no value', async () => {
      const { subjectId } = await customer(custos);
      const reply = await fileOf('auditor', subjectId, WHY);
      expect(reply).toMatchObject({
        status: 403,
        body: { code: 'AUDITOR_NO_PLAINTEXT', clauses: ['C15'], legalRef: 'UK GDPR Art 5(1)(f), 32', details: {} },
      });
      expect(JSON.stringify(reply.body)).not.toMatch(VALUES);
      const path = `/v1/refusals?code=AUDITOR_NO_PLAINTEXT&actor_id=auditor`;
      expect(await rowsOf('support', path, reply.body.position)).not.toEqual([]);
    });

    it.each(['crm', 'mailer', 'operator'] as const)('of %s are not answered', async (actor) => {
      const { subjectId } = await customer(custos);
      const reply = await fileOf(actor, subjectId, WHY);
      expect(reply).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    });

    it('about nobody are not answered', async () => {
      expect(await fileOf('support', randomUUID(), WHY)).toMatchObject({ status: 404 });
    });

    it('whose purpose or case is a sentence are not taken', async () => {
      const { subjectId } = await customer(custos);
      for (const query of ['?purpose=to%20look&caseRef=CASE-7', '?purpose=support-ticket&caseRef=because%20I%20can'])
        expect((await fileOf('support', subjectId, query)).status).toBe(400);
    });
  });

  it('about what happened to a person are answered in full, in order and without a value', async () => {
    const asha = await customer(custos);
    const { subjectId } = asha;
    const ticket = await collect(custos, subjectId, TICKET, { 'ticket.text': 'Chart 12 does not open.' });
    await custos.accepted('crm', 'GiveConsent', consentOf(subjectId));
    const use = { subjectId, purposeId: 'support-ticket', itemIds: [ticket['ticket.text']] };
    await custos.accepted('support', 'AuthoriseUse', use);
    const correction = { fromVersion: 1, value: 'Chart 12 does not open at all.', reasonCode: 'incomplete' };
    await custos.accepted('support', 'CorrectData', { subjectId, itemId: ticket['ticket.text'], ...correction });
    await custos.accepted('crm', 'ObjectToMarketing', { subjectId });
    const closing = { subjectId, serviceRequestRef: 'ticket-1' };
    const { position } = await custos.accepted('support', 'CloseServiceRequest', closing);

    const rows = await rowsOf('auditor', `/v1/subjects/${subjectId}/timeline`, position);
    expect(rows.map(({ type }) => type)).toEqual([
      'SubjectRegistered',
      'NoticePresented',
      'DataCollected',
      'DataCollected',
      'ConsentGiven',
      'UseAuthorised',
      'DataCorrected',
      'MarketingObjectionReceived',
      'ServiceRequestClosed',
      'RetentionScheduled',
    ]);
    expect(rows.map(({ actor_id }) => actor_id)).toEqual([
      'crm',
      'crm',
      'crm',
      'crm',
      'crm',
      'support',
      'support',
      'crm',
      'support',
      'support',
    ]);
    const positions = rows.map((row) => Number(row['position']));
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(JSON.stringify(rows)).toContain('[sealed]');
    expect(JSON.stringify(rows)).not.toMatch(VALUES);
  });

  it('about who held what have the answer of each day', async () => {
    const subjectId = await acquaintance(custos, { occurredAt: '2026-03-01T09:00:00Z' });
    const ticket = { ...TICKET, occurredAt: '2026-11-23T09:00:00Z' };
    const items = await collect(custos, subjectId, ticket, { 'contact.email': 'asha@example.test' });
    const itemId = items['contact.email'] ?? '';
    await custos.advanceTo('2026-11-24T09:00:00Z');
    const share = { subjectId, purposeId: 'support-ticket', itemIds: [itemId], medium: 'api' };
    await custos.accepted('crm', 'ShareData', { ...share, recipientId: 'example-harbour-charts' });
    await custos.advanceTo('2026-11-25T09:00:00Z');
    const correction = { subjectId, itemId, fromVersion: 1, value: 'asha.new@example.test', reasonCode: 'outOfDate' };
    const { position } = await custos.accepted('support', 'CorrectData', correction);

    const at = async (asOf: string) =>
      (await holders(custos, subjectId, asOf, position)).map(({ holderId, version, use }) => [holderId, version, use]);
    expect(await at('2026-11-23T08:59:59.999Z')).toEqual([]);
    expect(await at('2026-11-23T09:00:00Z')).toEqual([['controller', 1, 'inUse']]);
    expect(await at('2026-11-24T09:00:00Z')).toEqual([
      ['controller', 1, 'inUse'],
      ['example-harbour-charts', 1, 'inUse'],
    ]);
    expect(await at('2026-11-25T10:00:00%2B01:00')).toEqual([
      ['controller', 1, 'superseded'],
      ['example-harbour-charts', 1, 'superseded'],
      ['controller', 2, 'inUse'],
    ]);
    const known = `/v1/who-held-what?subject=${subjectId}&asOf=2026-11-25T09:00:00Z&knownAt=2026-11-23T12:00:00Z`;
    expect(await rowsOf('auditor', known, position)).toMatchObject([{ holderId: 'controller', use: 'inUse' }]);
    const now = await custos.get('auditor', `/v1/who-held-what?subject=${subjectId}`);
    expect(now.body).toMatchObject({ asOf: '2026-11-25T09:00:00.000Z', withheld: 0 });
    expect(now.body.rows).toHaveLength(3);
    expect(JSON.stringify(now.body)).not.toMatch(VALUES);
  });

  it.each([
    ['purposes', 'purpose_id', 'service-account'],
    ['purpose-standing', 'purpose_id', 'product-news'],
    ['collection-points', 'collection_point_id', 'support-form'],
    ['notices', 'notice_id', 'customer-privacy'],
    ['recipients', 'recipient_id', 'example-mail-host'],
    ['group-memberships', 'recipient_id', 'example-pacific'],
    ['agreements', 'agreement_id', 'example-mail-hosting'],
  ])('list the register of %s', async (name, column, entry) => {
    for (const actor of ['support', 'dpo', 'counsel', 'auditor'] as const) {
      const all = await rowsOf(actor, `/v1/registers/${name}`);
      expect(all.map((row) => row[column])).toContain(entry);
    }
    expect(await rowsOf('auditor', `/v1/registers/${name}?${column}=${entry}`)).toHaveLength(1);
    expect(await rowsOf('auditor', `/v1/registers/${name}?${column}=nothing-like-it`)).toEqual([]);
  });

  it('come page by page, with nothing lost and nothing twice', async () => {
    const subjectId = await acquaintance(custos);
    const item = await collect(custos, subjectId, TICKET, { 'ticket.text': 'text' });
    const itemId = item['ticket.text'];
    for (let fromVersion = 1; fromVersion <= 8; fromVersion += 1)
      await custos.accepted('support', 'CorrectData', {
        subjectId,
        itemId,
        fromVersion,
        value: `text ${fromVersion}`,
        reasonCode: 'inaccurate',
      });
    const { position } = await custos.accepted('crm', 'ObjectToMarketing', { subjectId });
    const path = `/v1/subjects/${subjectId}/timeline?min-position=${position}`;
    const all = await rowsOf('auditor', path);
    expect(all).toHaveLength(12);
    for (const [limit, sizes] of [
      [5, [5, 5, 2]],
      [4, [4, 4, 4, 0]],
      [500, [12]],
    ] as const) {
      const pages = await pagesOf(path, limit);
      expect(pages.map((page) => page.length)).toEqual(sizes);
      expect(pages.flat()).toEqual(all);
    }
  });

  it('are answered by what has just been written', async () => {
    const subjectId = await acquaintance(custos);
    for (let round = 0; round < 10; round += 1) {
      const channel = `way-${round}`;
      const { position } = await custos.accepted('crm', 'GiveConsent', { ...consentOf(subjectId), channel });
      expect(await rowsOf('auditor', `/v1/subjects/${subjectId}/consents`, position)).toHaveLength(round + 1);
    }
  });

  describe('about a disclosure that the person must not learn of', () => {
    const tippedOff = async (): Promise<Person & { instrumentId: string; police: string; position: number }> => {
      const asha = await customer(custos);
      const [police, instrumentId] = [await recipientOf(custos, 'AUTHORITY', 'constabulary'), fresh('secret-order')];
      const order = orderOf(instrumentId, {
        ...{ enactment: 'Proceeds of Crime Act 2002', section: 's.345', reference: 'POCA-1' },
        scope: { categories: ['contact.email'], subjectIds: [asha.subjectId] },
        noTippingOff: true,
      });
      await custos.accepted('counsel', 'RecordStatutoryInstrument', order);
      const share = { subjectId: asha.subjectId, purposeId: 'service-account', medium: 'post' };
      await custos.accepted('crm', 'ShareData', {
        ...share,
        recipientId: 'example-harbour-charts',
        itemIds: [asha.items['contact.email']],
      });
      const { position } = await custos.accepted('counsel', 'ShareData', {
        ...share,
        recipientId: police,
        instrumentId,
        itemIds: [asha.items['contact.email']],
      });
      return { ...asha, instrumentId, police, position };
    };

    it('are answered to staff without it, and say that something is withheld', async () => {
      const { subjectId, police, instrumentId, position } = await tippedOff();
      const path = `/v1/who-held-what?subject=${subjectId}`;
      const staff = await custos.get('support', path, position);
      expect(staff.body.withheld).toBe(1);
      expect(staff.body.rows.map((row: Row) => row['holderId'])).toContain('example-harbour-charts');
      expect(JSON.stringify(staff.body)).not.toContain(police);
      expect(JSON.stringify(staff.body)).not.toContain(instrumentId);
      for (const actor of ['dpo', 'counsel', 'auditor'] as const) {
        const reply = await custos.get(actor, path, position);
        expect(reply.body.withheld).toBe(0);
        expect(reply.body.rows.filter((row: Row) => row['holderId'] === police)).toMatchObject([
          { holderKind: 'AUTHORITY', basis: 'legalObligation', basisRef: instrumentId },
        ]);
      }
      for (const closed of [`/v1/subjects/${subjectId}/disclosures`, '/v1/registers/instruments'])
        expect(await custos.get('support', closed)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
      expect(await rowsOf('auditor', `/v1/registers/instruments?instrument_id=${instrumentId}`)).toMatchObject([
        { no_tipping_off: 1, issuer: 'Example Crown Court' },
      ]);
    });

    it('reach staff by no other way', async () => {
      const { subjectId, police, instrumentId, position, items } = await tippedOff();
      const refused = await refusedBeyondScope(subjectId, police, instrumentId, items['contact.phone']);
      const timeline = await custos.get('support', `/v1/subjects/${subjectId}/timeline`, position);
      expect(timeline.body.withheld).toBe(1);
      const refusals = await custos.get('support', `/v1/refusals?stream_ref=subject-${subjectId}`, refused);
      expect(refusals.body.withheld).toBe(1);
      for (const { body } of [timeline, refusals]) {
        expect(JSON.stringify(body)).not.toContain(police);
        expect(JSON.stringify(body)).not.toContain(instrumentId);
      }
      const told = await custos.get('auditor', `/v1/subjects/${subjectId}/timeline`, position);
      expect(told.body.withheld).toBe(0);
      expect(JSON.stringify(told.body)).toContain(instrumentId);
    });

    /** @returns the position of a refusal that names the instrument. */
    const refusedBeyondScope = async (
      subjectId: string,
      recipientId: string,
      instrumentId: string,
      itemId: string | undefined,
    ): Promise<number> => {
      const answer = await custos.refused('counsel', 'ShareData', {
        subjectId,
        recipientId,
        instrumentId,
        purposeId: 'service-account',
        itemIds: [itemId],
        medium: 'post',
      });
      expect(answer).toMatchObject({ code: 'DISCLOSURE_EXCEEDS_SCOPE', details: { instrumentId } });
      return answer.position;
    };
  });

  describe('of what became of a command', () => {
    const command = (subjectId: string, value = 'asha@example.test') => ({
      commandId: randomUUID(),
      subjectId,
      ...TICKET,
      items: itemsOf({ 'contact.email': value }),
    });
    const reused = said('COMMAND_ID_REUSED', '', 'engine rule', { field: 'commandId' });
    const heldAbout = async (subjectId: string, position: number) =>
      (await rowsOf('auditor', `/v1/subjects/${subjectId}/retention`, position)).length;

    it('are answered the same however often it is sent', async () => {
      const subjectId = await acquaintance(custos);
      const accepted = command(subjectId);
      const first = await custos.send('crm', 'CollectData', accepted);
      const again = await Promise.all(Array.from({ length: 5 }, () => custos.send('crm', 'CollectData', accepted)));
      expect(first.body.accepted).toBe(true);
      expect(again).toEqual(Array(5).fill(first));
      expect(await heldAbout(subjectId, first.body.position)).toBe(1);

      const refusable = { ...command(subjectId), serviceRequestRef: undefined };
      const refused = await custos.send('crm', 'CollectData', refusable);
      expect(refused.body.code).toBe('NO_SERVICE_REQUEST');
      expect(await custos.send('crm', 'CollectData', refusable)).toEqual(refused);
      const path = `/v1/refusals?command_id=${refusable.commandId}`;
      expect(await rowsOf('auditor', path, refused.body.position)).toHaveLength(1);
    });

    it('tell a reused id by another body, another type and another sender', async () => {
      const subjectId = await acquaintance(custos);
      const first = command(subjectId);
      const { position } = await custos.accepted('crm', 'CollectData', first);
      const other = { ...first, items: itemsOf({ 'contact.email': 'other@example.test' }) };
      await refuses(custos, 'crm', 'CollectData', other, reused);
      await refuses(custos, 'crm', 'ObjectToMarketing', { commandId: first.commandId, subjectId }, reused);
      await refuses(custos, 'support', 'CollectData', first, reused);
      expect(await heldAbout(subjectId, position)).toBe(1);
      // A refused command has used its id up as well.
      const refusable = { ...command(subjectId), ...NOTICE, noticeVersion: 99 };
      await custos.refused('crm', 'CollectData', refusable);
      await refuses(custos, 'crm', 'CollectData', { ...refusable, noticeVersion: 1 }, reused);
    });

    it('are answered the same after a power cut', async () => {
      const subjectId = await acquaintance(custos);
      const accepted = command(subjectId);
      const refusable = { ...command(subjectId), collectionPointId: 'no-such-form' };
      const first = await custos.send('crm', 'CollectData', accepted);
      const refused = await custos.send('crm', 'CollectData', refusable);
      expect([first.body.accepted, refused.body.code]).toEqual([true, 'COLLECTION_POINT_UNKNOWN']);
      await custos.kill();
      await custos.launch('2026-11-26T09:00:00Z');
      expect(await custos.send('crm', 'CollectData', accepted)).toEqual(first);
      expect(await custos.send('crm', 'CollectData', refusable)).toEqual(refused);
      const other = { ...accepted, items: itemsOf({ 'contact.email': 'other@example.test' }) };
      await refuses(custos, 'crm', 'CollectData', other, reused);
      await refuses(custos, 'crm', 'CollectData', { ...refusable, collectionPointId: 'support-form' }, reused);
      const { position } = await custos.accepted('crm', 'ObjectToMarketing', { subjectId });
      expect(await heldAbout(subjectId, position)).toBe(1);
    });
  });
});

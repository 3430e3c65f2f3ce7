import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { IdentityProviderServer } from '../identity-provider.js';
import { Installation } from '../installation.js';
import { customer, fresh, refuses, said } from './life.js';

const LAW = 'UK GDPR Art 5(1)(f), 32';
const START = '2026-11-23T09:00:00Z';

/** Who may look at what, who opened it, and when that ends (C15). Time moves on from test to test. */
describe('access to people’s data', () => {
  let custos: Installation;
  let provider: IdentityProviderServer;

  beforeAll(async () => {
    provider = await IdentityProviderServer.start();
    custos = await Installation.start(START, { OIDC_ISSUER: provider.issuer, OIDC_AUDIENCE: 'custos-test' });
  }, 120_000);

  afterAll(async () => {
    await custos?.remove();
    await provider?.stop();
  });

  const askedFor = (granteeId: string, more: object = {}) => ({
    granteeId,
    grantId: randomUUID(),
    role: 'staff',
    purposeId: 'support-ticket',
    categories: ['contact.email', 'ticket.text'],
    caseRef: 'TICKET-1',
    to: '2027-11-20T09:00:00Z',
    ...more,
  });
  const granted = async (granteeId: string, more: object = {}): Promise<{ grantId: string; position: number }> => {
    const asked = askedFor(granteeId, more);
    await custos.accepted('support', 'RequestAccess', asked);
    const { position } = await custos.accepted('dpo', 'GrantAccess', { granteeId, grantId: asked.grantId });
    return { grantId: asked.grantId, position };
  };
  const rowsOf = async (register: string, query: string, position?: number) =>
    (await custos.get('auditor', `/v1/registers/${register}?${query}`, position)).body.rows;

  it('is asked for and approved by another person, for a purpose, categories, a case and a time', async () => {
    const { grantId, position } = await granted('support');
    expect(await rowsOf('access-grants', `grant_id=${grantId}`, position)).toMatchObject([
      {
        grantee_id: 'support',
        role: 'staff',
        purpose_id: 'support-ticket',
        categories: 'contact.email ticket.text',
        case_ref: 'TICKET-1',
        status: 'granted',
        approved_by: 'dpo',
        review_by: '2027-02-21T09:00:00.000Z',
      },
    ]);
    expect(await rowsOf('access-reviews', `reviewed_id=${grantId}`, position)).toMatchObject([
      { kind: 'grant', status: 'due', due_by: '2027-02-21T09:00:00.000Z' },
    ]);
    expect(await rowsOf('segregation', `entry_id=${grantId}`, position)).toMatchObject([
      { kind: 'access', first_by: 'support', second_by: 'dpo', separated: 1 },
    ]);
  });

  it('is never approved, kept up or judged by whom it is for', async () => {
    const asked = askedFor('dpo', { role: 'privacyOfficer' });
    await custos.accepted('dpo', 'RequestAccess', asked);
    const { grantId } = asked;
    const self = said('SELF_APPROVAL', 'C15', LAW, { grantId });
    await refuses(custos, 'dpo', 'GrantAccess', { granteeId: 'dpo', grantId }, self);
    await custos.accepted('second-dpo', 'GrantAccess', { granteeId: 'dpo', grantId });
    await refuses(custos, 'dpo', 'ReviewAccess', { granteeId: 'dpo', grantId }, self);
    await custos.accepted('second-dpo', 'RevokeAccess', { granteeId: 'dpo', grantId, reason: 'noLongerNeeded' });
    for (const actor of ['support', 'counsel', 'operator', 'security', 'auditor', 'crm'] as const)
      expect((await custos.send(actor, 'GrantAccess', { granteeId: 'dpo', grantId })).status).toBe(403);
  });

  it('is for a year at most, and is not brought back once taken away', async () => {
    const long = askedFor('support', { to: '2027-11-23T09:00:01Z' });
    await refuses(
      custos,
      'support',
      'RequestAccess',
      long,
      said('ACCESS_EXPIRED', 'C15', LAW, { grantId: long.grantId, field: 'to', longest: 'P12M' }),
    );
    const { grantId } = await granted('support');
    await custos.accepted('dpo', 'RevokeAccess', { granteeId: 'support', grantId, reason: 'misused' });
    for (const command of ['GrantAccess', 'ReviewAccess'])
      await refuses(
        custos,
        'dpo',
        command,
        { granteeId: 'support', grantId },
        said('ACCESS_NOT_GRANTED', 'C15', LAW, { grantId, status: 'revoked' }),
      );
  });

  describe('in an emergency', () => {
    it('is taken with a reason and a case, for oneself, for four hours, and judged by another', async () => {
      const { subjectId } = await customer(custos);
      const emergency = { granteeId: 'support', subjectId, reason: 'riskToLife', caseRef: 'INC-1' };
      expect((await custos.send('support', 'BreakGlass', { ...emergency, hours: 5 })).status).toBe(400);
      expect((await custos.send('support', 'BreakGlass', { ...emergency, reason: 'curious' })).status).toBe(400);
      await refuses(
        custos,
        'dpo',
        'BreakGlass',
        emergency,
        said('ACCESS_NOT_GRANTED', 'C15', LAW, { field: 'granteeId' }),
      );
      const { position } = await custos.accepted('support', 'BreakGlass', emergency);
      const [used] = await rowsOf('break-glass', `subject_id=${subjectId}`, position);
      expect(used).toMatchObject({ grantee_id: 'support', until: '2026-11-23T13:00:00.000Z', outcome: null });
      const breakGlassId: string = used.break_glass_id;
      expect(await rowsOf('access-reviews', `reviewed_id=${breakGlassId}`, position)).toMatchObject([
        { kind: 'breakGlass', status: 'due', due_by: '2026-11-26T00:00:00.000Z' },
      ]);
      // Nobody looked within two working days.
      await custos.advanceTo('2026-11-26T00:00:00Z');
      await custos.eventually(
        () => custos.get('security', `/v1/registers/access-reviews?reviewed_id=${breakGlassId}`),
        ({ body }) => body.rows[0]?.status === 'overdue',
      );
      const judged = { granteeId: 'support', breakGlassId, outcome: 'justified' };
      const done = await custos.accepted('dpo', 'ReviewBreakGlass', judged);
      expect(await rowsOf('access-reviews', `reviewed_id=${breakGlassId}`, done.position)).toMatchObject([
        { status: 'done', last_reviewed_by: 'dpo', outcome: 'justified' },
      ]);
      // An officer judges another's emergency, and not their own.
      const opened = await custos.accepted('dpo', 'BreakGlass', { ...emergency, granteeId: 'dpo', caseRef: 'INC-2' });
      const [{ break_glass_id: own }] = await rowsOf('break-glass', 'grantee_id=dpo', opened.position);
      await refuses(
        custos,
        'dpo',
        'ReviewBreakGlass',
        { granteeId: 'dpo', breakGlassId: own, outcome: 'justified' },
        said('SELF_APPROVAL', 'C15', LAW, { breakGlassId: own }),
      );
    });
  });

  it('is taken from a leaver in one command: grants, emergencies, tokens, and the provider’s word', async () => {
    const leaver = await custos.admit(fresh('leaver'), { actorType: 'user', roles: ['staff'] });
    const { subjectId } = await customer(custos);
    const first = await granted(leaver);
    await granted(leaver, { caseRef: 'TICKET-2' });
    await custos.accepted(leaver, 'BreakGlass', {
      granteeId: leaver,
      subjectId,
      reason: 'serviceOutage',
      caseRef: 'INC-3',
    });
    expect((await custos.ask('operator', 'DELETE', `/v1/actors/${leaver}`)).status).toBe(204);
    expect((await custos.get(leaver, '/v1/refusals')).status).toBe(401);
    const matrix = await custos.eventually(
      () => custos.get('auditor', `/v1/registers/access-grants?grantee_id=${leaver}`),
      ({ body }) => body.rows.every(({ status }: { status: string }) => status === 'revoked'),
    );
    expect(matrix.body.rows).toHaveLength(2);
    expect(matrix.body.rows).toMatchObject([{ end_reason: 'left' }, { end_reason: 'left' }]);
    expect(await rowsOf('break-glass', `grantee_id=${leaver}`)).toMatchObject([
      { ended_at: '2026-11-26T00:00:00.000Z' },
    ]);
    expect(first.position).toBeGreaterThan(0);
    // Once more does no harm.
    expect((await custos.ask('operator', 'DELETE', `/v1/actors/${leaver}`)).status).toBe(204);

    const token = await provider.sign({ sub: 'leaver@example.test', roles: ['staff'] });
    const ask = async () =>
      (await fetch(`${custos.url}/v1/refusals`, { headers: { authorization: `Bearer ${token}` } })).status;
    expect(await ask()).toBe(200);
    const sent = await fetch(`${custos.url}/v1/commands/RequestAccess`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ commandId: randomUUID(), ...askedFor('support') }),
    });
    const { position } = (await sent.json()) as { position: number };
    const actorId = (await rowsOf('access-grants', 'grantee_id=support', position)).at(-1).requested_by as string;
    expect(actorId).toMatch(/^oidc-/);
    expect((await custos.ask('operator', 'DELETE', `/v1/actors/${actorId}`)).status).toBe(204);
    expect(await ask()).toBe(401);
    expect((await custos.ask('operator', 'POST', `/v1/actors/${actorId}/return`, {})).status).toBe(204);
    expect(await ask()).toBe(200);
    expect((await custos.ask('operator', 'POST', `/v1/actors/${actorId}/return`, {})).status).toBe(404);
  });

  it('is reviewed every 90 days, ends with its window, and reads as it stood at any time', async () => {
    const { grantId, position } = await granted('support', { caseRef: 'TICKET-9', to: '2027-04-01T00:00:00Z' });
    const review = () => custos.get('auditor', `/v1/registers/access-reviews?reviewed_id=${grantId}`);
    const [{ due_by: due }] = await rowsOf('access-reviews', `reviewed_id=${grantId}`, position);
    expect(due).toBe('2027-02-24T00:00:00.000Z');
    await custos.advanceTo(due);
    await custos.eventually(review, ({ body }) => body.rows[0].status === 'overdue');
    await custos.accepted('second-dpo', 'ReviewAccess', { granteeId: 'support', grantId });
    await custos.eventually(review, ({ body }) => body.rows[0].status === 'due' && body.rows[0].due_by > due);
    await custos.advanceTo('2027-04-01T00:00:00Z');
    const grant = () => custos.get('auditor', `/v1/registers/access-grants?grant_id=${grantId}`);
    await custos.eventually(grant, ({ body }) => body.rows[0].status === 'expired');
    const at = async (register: string, column: string, time: string) =>
      (await rowsOf(register, `${column}=${grantId}&asOf=${time}`)).map(({ status }: { status: string }) => status);
    expect(await at('access-grants', 'grant_id', '2026-11-25T00:00:00Z')).toEqual([]);
    expect(await at('access-grants', 'grant_id', '2027-01-01T00:00:00Z')).toEqual(['granted']);
    expect(await at('access-grants', 'grant_id', '2027-04-02T00:00:00Z')).toEqual(['expired']);
    expect(await at('access-reviews', 'reviewed_id', '2027-01-01T00:00:00Z')).toEqual(['due']);
    expect(await at('access-reviews', 'reviewed_id', '2027-04-02T00:00:00Z')).toEqual(['ended']);
    expect(await at('segregation', 'entry_id', '2027-01-01T00:00:00Z')).toHaveLength(1);
    await refuses(
      custos,
      'dpo',
      'GrantAccess',
      { granteeId: 'support', grantId },
      said('ACCESS_NOT_GRANTED', 'C15', LAW, { grantId, status: 'expired' }),
    );
  });

  it('shows no decision that one person made alone', async () => {
    const rows: readonly { kind: string; separated: number | null; first_by: string; second_by: string | null }[] =
      await rowsOf('segregation', 'limit=500');
    expect(new Set(rows.map(({ kind }) => kind))).toEqual(
      new Set(['purpose', 'lia', 'telemetryStream', 'serviceContract', 'access', 'breakGlass']),
    );
    expect(rows.filter(({ separated }) => separated === 0)).toEqual([]);
    for (const { first_by, second_by } of rows) expect(second_by).not.toBe(first_by);
  });
});

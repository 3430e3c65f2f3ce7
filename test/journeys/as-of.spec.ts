import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { capabilities } from '../../apps/capabilities.js';
import { Installation } from '../installation.js';
import { approvedPurpose, consentOf, customer, fresh, newsTo, type Person } from './life.js';

const VIEWS = capabilities.flatMap(({ name: capability, views }) =>
  views.map(({ scope, name, projection, table, roles }) => ({
    capability,
    scope,
    name,
    roles,
    shape: projection.tables[table],
  })),
);

it.each(VIEWS)('the list $name of $capability keeps its past', ({ shape }) => expect(shape?.history).toBe(true));

describe('lists as of a time', () => {
  let custos: Installation;
  let asha: Person;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
    asha = await customer(custos);
    await custos.advanceTo('2026-11-23T10:00:00Z');
    await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    await custos.advanceTo('2026-11-23T11:00:00Z');
    await custos.accepted('crm', 'WithdrawConsent', {
      subjectId: asha.subjectId,
      purposeId: 'product-news',
      channel: 'email',
    });
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const rowsAt = async (path: string, asOf?: string) => {
    const reply = await custos.get('auditor', `${path}${asOf === undefined ? '' : `?asOf=${asOf}`}`);
    expect(reply.status).toBe(200);
    return reply.body.rows as readonly Readonly<Record<string, unknown>>[];
  };

  it('say what was recorded by then, and nothing of what came after', async () => {
    const consents = `/v1/subjects/${asha.subjectId}/consents`;
    const uses = `/v1/subjects/${asha.subjectId}/uses`;
    await custos.eventually(
      () => custos.get('auditor', uses),
      ({ body }) => body.rows[0].revoked_at !== null,
    );
    expect(await rowsAt(consents, '2026-11-23T09:59:59.999Z')).toEqual([]);
    expect(await rowsAt(consents, '2026-11-23T10:59:59Z')).toMatchObject([{ ended_at: null }]);
    expect(await rowsAt(uses, '2026-11-23T10:59:59Z')).toMatchObject([{ revoked_at: null }]);
    expect(await rowsAt(uses, '2026-11-23T11:00:00Z')).toEqual(await rowsAt(uses));
    expect(await rowsAt(consents, '2026-11-23T11:00:00Z')).toEqual(await rowsAt(consents));
  });

  it('of registers change with the register', async () => {
    const purposeId = fresh('lending');
    await approvedPurpose(custos, purposeId);
    await custos.advanceTo('2026-11-23T12:00:00Z');
    const suspended = await custos.accepted('dpo', 'SuspendPurpose', { purposeId, reasonCode: 'underReview' });
    const standing = async (asOf: string) => {
      const path = `/v1/registers/purpose-standing?purpose_id=${purposeId}&asOf=${asOf}`;
      const { body } = await custos.get('auditor', path, suspended.position);
      return body.rows.map(({ status }: { readonly status: string }) => status);
    };
    expect(await standing('2026-11-23T10:59:59Z')).toEqual([]);
    expect(await standing('2026-11-23T11:30:00Z')).toEqual(['approved']);
    expect(await standing('2026-11-23T13:00:00%2B01:00')).toEqual(['suspended']);
  });

  it.each(VIEWS)('$name of $capability: empty before the first event, and now what is so now', async (view) => {
    const path = {
      register: `/v1/registers/${view.name}`,
      log: `/v1/${view.name}`,
      subject: `/v1/subjects/${asha.subjectId}/${view.name}`,
    }[view.scope];
    const actor = view.roles.includes('auditor') ? 'auditor' : 'dpo';
    const listed = async (asOf?: string) => {
      const query = asOf === undefined ? '' : `&asOf=${asOf}`;
      const reply = await custos.get(actor, `${path}?limit=500${query}`);
      expect(reply.status).toBe(200);
      return reply.body.rows as unknown;
    };
    expect(await listed('2026-11-23T08:59:59.999Z')).toEqual([]);
    expect(await listed('2100-01-01T00:00:00Z')).toEqual(await listed());
  });

  it('name a time that is none, without repeating it', async () => {
    const reply = await custos.get('auditor', '/v1/registers/purposes?asOf=asha@example.test');
    expect([reply.status, reply.body.fields]).toEqual([400, [{ field: 'asOf', rule: 'isInstant' }]]);
    expect(JSON.stringify(reply.body)).not.toContain('asha');
  });
});

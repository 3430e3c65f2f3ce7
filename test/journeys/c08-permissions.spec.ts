import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Installation, type ActorName } from '../installation.js';
import { consentOf, customer, fresh, SHOWN, type Person } from './life.js';

interface Permission {
  readonly kind: 'command' | 'address';
  readonly name: string;
  readonly roles: readonly string[];
}

/** Walks every door of the running product in every role (C08: what nobody permitted is refused). */
describe('permissions', () => {
  let custos: Installation;
  let matrix: readonly Permission[];
  let asha: Person;
  let bram: Person;
  const walkers = new Map<string, ActorName>();

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
    asha = await customer(custos);
    bram = await customer(custos);
    const { body } = await custos.get('auditor', '/v1/permissions');
    matrix = body.permissions;
    for (const role of ['service', 'staff', 'privacyOfficer', 'legal', 'securityOfficer', 'auditor', 'operator'])
      walkers.set(role, await custos.admit(fresh('walker'), { actorType: 'user', roles: [role] }));
    for (const role of ['subject', 'agent'])
      walkers.set(
        role,
        await custos.admit(fresh('walker'), { actorType: 'app_user', roles: [role], subjectId: asha.subjectId }),
      );
  }, 120_000);

  afterAll(async () => {
    await custos?.remove();
  });

  /** An address with ids that name nothing, but for the person. */
  const placed = (path: string, subjectId: string): string =>
    path
      .replace(':subjectId', subjectId)
      .replace(':actorId', fresh('nobody'))
      .replaceAll(/:[a-zA-Z0-9]+/g, () => randomUUID());
  const knock = (actor: ActorName, { kind, name }: Permission, subjectId: string) => {
    const [method = '', path = ''] = name.split(' ');
    return kind === 'command'
      ? custos.ask(actor, 'POST', `/v1/commands/${name}`, { subjectId })
      : custos.ask(actor, method, placed(path, subjectId), method === 'POST' ? {} : undefined);
  };
  /** What is left to the commands or to nobody at all is not a matter of roles. */
  const judged = () => matrix.filter(({ roles }) => !roles.includes('actor') && !roles.includes('anyone'));

  it.each([
    'service',
    'staff',
    'privacyOfficer',
    'legal',
    'securityOfficer',
    'auditor',
    'operator',
    'subject',
    'agent',
  ])(
    'of %s are those of the matrix, at every door',
    async (role) => {
      const walker = walkers.get(role) as ActorName;
      expect(judged().length).toBeGreaterThan(150);
      const wrong: unknown[] = [];
      for (const door of judged()) {
        // Who signs out is out.
        if (door.name === 'DELETE /v1/session') continue;
        const { status, body } = await knock(walker, door, asha.subjectId);
        const mayPass = door.roles.includes(role);
        if (mayPass ? status === 401 || status === 403 || status >= 500 : status !== 403 || body.code !== 'FORBIDDEN')
          // A view is refused to auditors, and to whoever does not say why: that is decided behind the door.
          if (!(mayPass && body?.code === 'AUDITOR_NO_PLAINTEXT')) wrong.push([door.name, mayPass, status, body]);
      }
      expect(wrong).toEqual([]);
    },
    120_000,
  );

  it('are nobody’s without a credential', async () => {
    const wrong: unknown[] = [];
    for (const door of judged()) {
      const { status } = await knock('nobody' as ActorName, door, asha.subjectId);
      if (status !== 401) wrong.push([door.name, status]);
    }
    expect(wrong).toEqual([]);
  });

  it.each(['subject', 'agent'])('end for a %s at the next person', async (role) => {
    const walker = walkers.get(role) as ActorName;
    const open: unknown[] = [];
    for (const door of judged().filter(({ kind, name }) => kind === 'command' || name.includes(':'))) {
      const { status } = await knock(walker, door, bram.subjectId);
      if (![403, 404].includes(status)) open.push([door.name, status]);
    }
    expect(open).toEqual([]);
    // Spellings of an id that name the same person, or none, open nothing either.
    for (const spelling of [
      bram.subjectId.toUpperCase(),
      `${asha.subjectId}%00`,
      `${asha.subjectId}%2F..%2F${bram.subjectId}`,
    ])
      expect([400, 403, 404]).toContain((await custos.ask(walker, 'GET', `/v1/subjects/${spelling}/consents`)).status);
  });

  it('of a service end where an id is in the address', async () => {
    const walker = walkers.get('service') as ActorName;
    const open: unknown[] = [];
    for (const door of judged().filter(({ name }) => name.includes(':'))) {
      const { status } = await knock(walker, door, asha.subjectId);
      if (![403, 404].includes(status) && !door.name.endsWith('/receipt')) open.push([door.name, status]);
    }
    expect(open).toEqual([]);
    const receipt = `/v1/subjects/${asha.subjectId}/consents/receipt?purpose=product-news&channel=email`;
    const { position } = await custos.accepted('crm', 'GiveConsent', consentOf(asha.subjectId));
    expect((await custos.get('crm', receipt, position)).status).toBe(200);
    expect((await custos.get(walker, receipt, position)).status).toBe(404);
  });

  it('let a person see and change their own, without the names of who works here', async () => {
    const self = walkers.get('subject') as ActorName;
    await custos.accepted('crm', 'PresentNotice', { subjectId: asha.subjectId, ...SHOWN });
    await custos.accepted(self, 'GiveConsent', consentOf(asha.subjectId));
    const { position } = await custos.accepted(self, 'WithdrawConsent', {
      subjectId: asha.subjectId,
      purposeId: 'product-news',
      channel: 'email',
    });
    const own = await custos.get(self, `/v1/subjects/${asha.subjectId}/consents`, position);
    expect(own.body.rows.length).toBeGreaterThan(0);
    for (const row of own.body.rows) expect(row).not.toHaveProperty('recorded_by');
    expect((await custos.get(self, `/v1/subjects/${asha.subjectId}/consents?recorded_by=crm`)).status).toBe(400);
    const seen = await custos.get('support', `/v1/subjects/${asha.subjectId}/consents`, position);
    for (const row of seen.body.rows) expect(row).toHaveProperty('recorded_by');
    const shown = await custos.get(self, `/v1/subjects/${asha.subjectId}/notice-presentations`, position);
    for (const row of shown.body.rows) expect(row).not.toHaveProperty('actor_id');
  });

  it('about one person are given to subjects and agents only, and to nobody without the person', async () => {
    const token = (more: object) =>
      custos.post('operator', '/v1/tokens', { tokens: [{ actorId: 'someone', actorType: 'app_user', ...more }] });
    for (const [more, field] of [
      [{ roles: ['subject'] }, 'tokens.0.subjectId'],
      [{ roles: ['staff'], subjectId: asha.subjectId }, 'tokens.0.subjectId'],
      [{ roles: ['subject', 'staff'], subjectId: asha.subjectId }, 'tokens.0.roles'],
      [{ roles: ['agent'], subjectId: asha.subjectId, actorType: 'user' }, 'tokens.0.roles'],
    ] as const)
      expect((await token(more)).body.fields).toMatchObject([{ field }]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import { approvedPurpose, ART_28_TERMS, DOCUMENT, fresh, purposeDraft } from './life.js';

interface Activity {
  readonly purposeId: string;
  readonly [field: string]: unknown;
}

/** UK GDPR Art 30: the record of processing activities comes from the registers, at any time they have known. */
describe('the record of processing activities', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const activity = async (purposeId: string, query = '', position?: number): Promise<Activity | undefined> => {
    const { status, body } = await custos.get('auditor', `/v1/ropa${query}`, position);
    expect(status).toBe(200);
    return body.serviceLines
      .flatMap(({ activities }: { activities: readonly Activity[] }) => activities)
      .find((each: Activity) => each.purposeId === purposeId);
  };

  it('holds what Art 30 asks for, by line of service, and names what is missing', async () => {
    const { body } = await custos.get('auditor', '/v1/ropa');
    expect(body.controllers).toMatchObject([
      {
        controllerId: 'chersoft',
        name: 'CherSoft Ltd',
        email: 'Privacy@chersoft.com',
        dataProtectionOfficer: { email: 'Privacy@chersoft.com' },
        authority: "Information Commissioner's Office",
        security: expect.stringContaining('sealed'),
      },
    ]);
    expect(body.gaps).toEqual([
      { purposeId: 'billing', recipientId: 'example-pacific', lacks: 'transferMechanism', law: expect.any(String) },
      {
        purposeId: 'corporate-contact',
        recipientId: 'example-pacific',
        lacks: 'transferMechanism',
        law: expect.any(String),
      },
      {
        purposeId: 'service-account',
        recipientId: 'example-pacific',
        lacks: 'transferMechanism',
        law: expect.any(String),
      },
    ]);
    expect(await activity('support-ticket')).toMatchObject({
      serviceLine: 'SUPPORT',
      basis: 'contract',
      dataSubjects: ['customer', 'customerContact'],
      recipients: [
        { recipientId: 'example-harbour-charts', kind: 'GROUP', agreementId: null },
        { recipientId: 'example-mail-host', kind: 'PROCESSOR', agreementId: 'example-mail-hosting' },
        { recipientId: 'example-pacific', kind: 'GROUP', agreementId: 'example-pacific-support' },
      ],
      transfers: [{ recipientId: 'example-pacific', country: 'NZ', mechanism: 'adequacy' }],
      timeLimits: expect.arrayContaining([expect.objectContaining({ category: 'ticket.text', period: 'P2Y' })]),
    });
    const events = (await activity('support-ticket'))!['events'] as readonly string[];
    expect(events.length).toBeGreaterThan(5);
  });

  it('is told as it had been recorded by a time, and how it has changed since', async () => {
    const purposeId = fresh('lending');
    await custos.advanceTo('2026-11-24T09:00:00Z');
    await approvedPurpose(custos, purposeId, { effectiveFrom: '2026-01-01T00:00:00Z' });
    await custos.advanceTo('2026-11-25T09:00:00Z');
    const { position } = await custos.accepted('counsel', 'RecordAgreement', {
      agreementId: fresh('lending-desk'),
      recipientId: 'example-mail-host',
      kind: 'art28',
      purposes: [purposeId],
      categories: ['contact.email'],
      from: '2026-01-01',
      publicSummary: 'It sends the reminders.',
      documentHash: DOCUMENT,
      checklist: ART_28_TERMS,
    });

    // In force since January, but nobody had recorded it before the 24th.
    expect(await activity(purposeId, '?asOf=2026-11-23T12:00:00Z', position)).toBeUndefined();
    const before = await activity(purposeId, '?asOf=2026-11-24T12:00:00Z', position);
    expect(before).toMatchObject({ version: 1, effectiveFrom: '2026-01-01T00:00:00.000Z' });
    expect(JSON.stringify(before!['recipients'])).not.toContain('example-mail-host');
    expect(JSON.stringify((await activity(purposeId, '', position))!['recipients'])).toContain('example-mail-host');

    const added = await custos.get('auditor', '/v1/ropa/difference?from=2026-11-23T12:00:00Z&to=2026-11-25T12:00:00Z');
    expect(added.status).toBe(400);
    expect(added.body.fields).toEqual([{ field: 'to', rule: 'hasPassed' }]);
    const since = await custos.get('auditor', '/v1/ropa/difference?from=2026-11-23T12:00:00Z', position);
    expect(since.body.activities).toMatchObject({ added: [purposeId], removed: [], changed: [] });
    const changed = await custos.get('auditor', '/v1/ropa/difference?from=2026-11-24T12:00:00Z', position);
    expect(changed.body.activities).toMatchObject({
      added: [],
      removed: [],
      changed: [{ id: purposeId, fields: [{ field: 'recipients' }] }],
    });
    expect(changed.body.controllers).toEqual({ added: [], removed: [], changed: [] });

    await custos.advanceTo('2026-11-26T09:00:00Z');
    const { position: last } = await custos.accepted('dpo', 'RetirePurpose', { purposeId });
    const removed = await custos.get('auditor', '/v1/ropa/difference?from=2026-11-25T12:00:00Z', last);
    expect(removed.body.activities).toMatchObject({ added: [], removed: [purposeId], changed: [] });
  });

  it('follows the controller as it is described anew', async () => {
    const described = {
      controllerId: 'chersoft',
      name: 'CherSoft Ltd',
      postalAddress: '2 Example Quay (fictional)',
      email: 'Privacy@chersoft.com',
      authority: 'Information Commission',
      security: 'Values are sealed.',
    };
    const from = (await custos.get('operator', '/v1/clock')).body.now;
    await custos.advanceTo(new Date(Date.parse(from) + 60_000).toISOString());
    const { position } = await custos.accepted('dpo', 'DescribeController', described);
    const { body } = await custos.get('auditor', `/v1/ropa/difference?from=${from}`, position);
    expect(body.controllers.changed).toMatchObject([{ id: 'chersoft' }]);
    expect(body.controllers.changed[0].fields.map(({ field }: { field: string }) => field)).toEqual([
      'authority',
      'dataProtectionOfficer',
      'effectiveFrom',
      'postalAddress',
      'security',
      'version',
    ]);
    const rows = await custos.get('auditor', '/v1/registers/controllers', position);
    expect(rows.body.rows).toMatchObject([{ version: 1, effective_to: expect.any(String) }, { version: 2 }]);
    const ropa = await custos.get('auditor', '/v1/ropa', position);
    expect(ropa.body.gaps).toContainEqual({ lacks: 'dataProtectionOfficer', law: 'UK GDPR Art 30(1)(a)' });
  });

  it('is not for services, and is asked for with times that exist', async () => {
    expect((await custos.get('crm', '/v1/ropa')).status).toBe(403);
    for (const query of ['?asOf=yesterday', '?asOf=2036-01-01T00:00:00Z', '/difference', '/difference?from=2026'])
      expect((await custos.get('auditor', `/v1/ropa${query}`)).status).toBe(400);
  });
});

/** A purpose is looked at again after a while; nothing stops by itself. */
describe('the review of a purpose', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z');
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  it('is raised once when it is due and leaves the purpose in force', async () => {
    const purposeId = fresh('lending');
    await custos.accepted('dpo', 'DefinePurpose', purposeDraft(purposeId, { reviewPeriod: 'P6M' }));
    await custos.accepted('second-dpo', 'ApprovePurpose', { purposeId, version: 1 });
    const row = () => custos.get('auditor', `/v1/registers/purposes?purpose_id=${purposeId}`);
    await custos.advanceTo('2027-05-23T07:59:00Z');
    expect((await row()).body.rows).toMatchObject([{ review_by: '2027-05-23T08:00:00.000Z', review_raised_for: null }]);
    await custos.advanceTo('2027-05-23T08:00:00Z');
    await custos.eventually(row, ({ body }) => body.rows[0].review_raised_for === '2027-05-23T08:00:00.000Z');
    await custos.kill();
    await custos.launch('2027-05-24T09:00:00Z');
    const standing = await custos.get('auditor', `/v1/registers/purpose-standing?purpose_id=${purposeId}`);
    expect(standing.body.rows).toMatchObject([{ status: 'approved' }]);

    const { events, position } = await custos.accepted('dpo', 'ReviewPurpose', { purposeId, version: 1 });
    // After being defined, approved and raised as due, once.
    expect(events).toMatchObject([{ type: 'PurposeReviewed', revision: 3 }]);
    const reviewed = await custos.get('auditor', `/v1/registers/purposes?purpose_id=${purposeId}`, position);
    expect(reviewed.body.rows).toMatchObject([{ review_by: '2027-11-24T10:00:00.000Z', review_raised_for: null }]);
  });
});

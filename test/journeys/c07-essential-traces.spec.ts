import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Installation } from '../installation.js';
import {
  acquaintance,
  approvedPurpose,
  approvedStream,
  consentOf,
  customer,
  fresh,
  newsTo,
  purposeDraft,
  refuses,
  said,
  streamDraft,
  usageField,
  usageOf,
} from './life.js';

const AT = '2026-11-23T09:00:00Z';
const ESSENTIAL = 'UK GDPR Art 5(1)(c); PECR reg 6';
const notEssential = (details: object) => said('NOT_ESSENTIAL', 'C07', ESSENTIAL, details);
const secondary = (details: object) => said('USAGE_SECONDARY_USE', 'C07 C17', 'policy; UK GDPR Art 5(1)(b)', details);

/** C07: usage is captured, and used, only where the service could not be delivered without it. */
describe('only essential traces', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start(AT);
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const inventory = async (streamId: string, position?: number) =>
    (await custos.get('auditor', `/v1/registers/telemetry-streams?stream_id=${streamId}`, position)).body.rows;
  const licence = (subjectId: string, streamId: string, at = AT): object =>
    usageOf(subjectId, at, { streamId, entries: [{ at, values: { licence: 'L-77' } }] });

  it('keeps usage from marketing in spite of marketing consent', async () => {
    const asha = await customer(custos);
    const { subjectId } = asha;
    await custos.accepted('crm', 'GiveConsent', consentOf(subjectId));
    await custos.accepted('mailer', 'AuthoriseUse', newsTo(asha));
    const { position } = await custos.accepted('crm', 'RecordUsage', usageOf(subjectId, AT));

    const wanted = { subjectId, purposeId: 'product-news', streamIds: ['chart-cloud'] };
    const refused = secondary({ purposeId: 'product-news', streams: ['chart-cloud'] });
    for (const actor of ['mailer', 'support', 'dpo'] as const)
      await refuses(custos, actor, 'AuthoriseUsageAccess', wanted, refused);
    // Reading is a use, whoever reads; nothing is opened, and no view is on record.
    const read = (purposeId: string) =>
      custos.get(
        'support',
        `/v1/subjects/${subjectId}/usage?month=2026-11&purpose=${purposeId}&caseRef=UP-1`,
        position,
      );
    expect(await read('product-news')).toMatchObject({ status: 422, body: { code: 'USAGE_SECONDARY_USE' } });
    expect(await read('support-ticket')).toMatchObject({ status: 422, body: { code: 'USAGE_SECONDARY_USE' } });
    expect((await custos.get('auditor', `/v1/subjects/${subjectId}/views`)).body.rows).toEqual([]);

    // Nor is it an item that the general gate could let through.
    const months = await custos.get('support', `/v1/subjects/${subjectId}/usage-months`, position);
    const [key] = JSON.parse(months.body.rows[0].keys);
    for (const itemId of [key, months.body.rows[0].event_id])
      await refuses(
        custos,
        'mailer',
        'AuthoriseUse',
        { ...newsTo(asha), itemIds: [itemId] },
        said('ITEM_UNKNOWN', '', 'engine rule', { items: [itemId] }),
      );

    const delivery = { ...wanted, purposeId: 'service-usage' };
    const allowed = await custos.accepted('crm', 'AuthoriseUsageAccess', delivery);
    const accesses = await custos.get('auditor', `/v1/subjects/${subjectId}/usage-accesses`, allowed.position);
    expect(accesses.body.rows).toMatchObject([
      { purpose_id: 'service-usage', ground: 'serviceDelivery', expires_at: '2026-11-23T09:15:00.000Z' },
    ]);
    expect((await read('service-usage')).body.held[0].usage[0].values.licence).toBe('L-77');
  });

  it('gives no commercial purpose a way to usage', async () => {
    const purposeId = fresh('upsell');
    const usage = { category: 'usage.charts', necessity: 'optional', justification: 'Tells who may buy more.' };
    const rule = { category: 'usage.charts', trigger: 'collected', period: 'P1Y', action: 'erase', legalRef: 'none' };
    const draft = purposeDraft(purposeId, { commercial: true, basis: 'consent', fields: [usage], retention: [rule] });
    await refuses(custos, 'dpo', 'DefinePurpose', draft, secondary({ purposeId, fields: ['usage.charts'] }));

    const streamId = fresh('stream');
    const forPurpose = (id: string): object => streamDraft(streamId, { purposeId: id });
    for (const id of ['product-news', 'rights-and-complaints'])
      await refuses(custos, 'dpo', 'RegisterTelemetryStream', forPurpose(id), secondary({ purposeId: id }));
    await approvedStream(custos, streamId);
    await refuses(
      custos,
      'dpo',
      'RegisterTelemetryStream',
      { ...forPurpose('service-account'), version: 2 },
      secondary({ streamId, purposeId: 'service-account' }),
    );
  });

  it('needs a purpose that lists usage, says when it ends, and rests on no consent', async () => {
    const usage = { category: 'usage', necessity: 'required', justification: 'Delivery.' };
    const rule = { category: 'usage', trigger: 'relationshipClosed', period: 'P1Y', action: 'erase', legalRef: 'x' };
    const [late, choice, foreign] = [fresh('late'), fresh('choice'), fresh('foreign')];
    await approvedPurpose(custos, late, { fields: [usage], retention: [rule] });
    await approvedPurpose(custos, choice, { basis: 'consent', fields: [usage], retention: [rule] });
    await approvedPurpose(custos, foreign);
    const streamId = fresh('stream');
    const register = (more: object, expected: ReturnType<typeof said>) =>
      refuses(custos, 'dpo', 'RegisterTelemetryStream', streamDraft(streamId, more), expected);
    const about = (purposeId: string) => ({ purposeId, fields: ['usage'] });
    await register({ purposeId: late }, said('RETENTION_RULE_MISSING', 'C16', 'UK GDPR Art 5(1)(e)', about(late)));
    await register({ purposeId: foreign }, said('DATA_EXCESSIVE', 'C12', 'UK GDPR Art 5(1)(c)', about(foreign)));
    await register(
      { purposeId: choice },
      said('LAWFUL_BASIS_NOT_AVAILABLE', 'C04', 'UK GDPR Art 6(1)', { purposeId: choice, basis: 'consent' }),
    );
    await register(
      { noticeId: 'no-such-notice' },
      said('NOTICE_UNKNOWN', 'C13 C30', 'UK GDPR Art 13', { noticeId: 'no-such-notice' }),
    );
  });

  it('refuses a field that was not approved, by its name, and stores nothing', async () => {
    const subjectId = await acquaintance(custos);
    const values = { licence: 'L-77', speed: 12, course: 'NNE' };
    const entries = [
      { at: AT, values: { licence: 'L-77' } },
      { at: AT, values },
    ];
    const fieldsOf = (...fields: string[]) =>
      said('FIELD_NOT_ESSENTIAL', 'C07', ESSENTIAL, { streamId: 'chart-cloud', fields });
    await refuses(custos, 'crm', 'RecordUsage', usageOf(subjectId, AT, { entries }), fieldsOf('course', 'speed'));
    // A field serves for what was approved only: a number is no place for words.
    const worded = [{ at: AT, values: { licence: 'L-77', edition: 'asked for a discount' } }];
    await refuses(custos, 'crm', 'RecordUsage', usageOf(subjectId, AT, { entries: worded }), fieldsOf('edition'));
    expect((await custos.get('support', `/v1/subjects/${subjectId}/usage-months`)).body.rows).toEqual([]);
  });

  it('captures only what a second person found essential', async () => {
    const subjectId = await acquaintance(custos);
    const streamId = fresh('stream');
    await custos.accepted('dpo', 'RegisterTelemetryStream', streamDraft(streamId));
    const usage = licence(subjectId, streamId);
    await refuses(custos, 'crm', 'RecordUsage', usage, notEssential({ streamId, status: 'notApproved' }));
    const version1 = { streamId, version: 1 };
    const fourEyes = said('FOUR_EYES_REQUIRED', 'C12 C15 C16', 'UK GDPR Art 25', version1);
    await refuses(custos, 'dpo', 'ApproveEssentiality', version1, fourEyes);
    await custos.accepted('second-dpo', 'ApproveEssentiality', { ...version1, reviewAfter: 'P6M' });
    await custos.accepted('crm', 'RecordUsage', usage);

    // New fields are a new version, to be approved anew; meanwhile the old one holds.
    const wider = { fields: [usageField('licence'), usageField('port', { type: 'number', traceability: 'none' })] };
    await custos.accepted('dpo', 'RegisterTelemetryStream', streamDraft(streamId, wider));
    const port = usageOf(subjectId, AT, { streamId, entries: [{ at: AT, values: { licence: 'L-77', port: 9 } }] });
    await refuses(
      custos,
      'crm',
      'RecordUsage',
      port,
      said('FIELD_NOT_ESSENTIAL', 'C07', ESSENTIAL, { streamId, fields: ['port'] }),
    );
    await custos.accepted('second-dpo', 'RejectEssentiality', { streamId, version: 2, reasonCode: 'lessWouldDo' });
    await refuses(
      custos,
      'second-dpo',
      'ApproveEssentiality',
      { streamId, version: 2 },
      notEssential({ streamId, version: 2, status: 'rejected' }),
    );
    await custos.accepted('dpo', 'RegisterTelemetryStream', streamDraft(streamId, wider));
    await custos.accepted('second-dpo', 'ApproveEssentiality', { streamId, version: 3 });
    const { position } = await custos.accepted('crm', 'RecordUsage', port);
    expect(await inventory(streamId, position)).toMatchObject([
      { version: 1, status: 'superseded', author: 'dpo', judge: 'second-dpo', review_by: '2027-05-23T08:00:00.000Z' },
      { version: 2, status: 'rejected', reason_code: 'lessWouldDo', judge: 'second-dpo' },
      { version: 3, status: 'approved', review_by: '2027-11-23T09:00:00.000Z', purpose_id: 'service-usage' },
    ]);
    const fields = await custos.get('auditor', `/v1/registers/telemetry-fields?stream_id=${streamId}&version=3`);
    expect(fields.body.rows).toMatchObject([
      { name: 'licence', essential_for: 'licensing', justification: 'Nothing opens without it.' },
      { name: 'port', type: 'number', traceability: 'none' },
    ]);

    // What turns out not to be essential is captured no more.
    await custos.accepted('second-dpo', 'RejectEssentiality', { streamId, version: 3, reasonCode: 'notEssential' });
    await refuses(custos, 'crm', 'RecordUsage', usage, notEssential({ streamId, status: 'notApproved' }));
  });

  it('takes useful for no reason, and the device for nothing to be read at will', async () => {
    const streamId = fresh('stream');
    const register = (more: object, details: object) =>
      refuses(
        custos,
        'dpo',
        'RegisterTelemetryStream',
        streamDraft(streamId, more),
        notEssential({ streamId, ...details }),
      );
    const fields = [
      usageField('licence'),
      usageField('clicks', { essentialFor: 'productImprovement' }),
      usageField('wishes', { essentialFor: undefined }),
      usageField('route', { justification: ' ' }),
    ];
    await register({ fields }, { fields: ['clicks', 'wishes', 'route'] });
    await register({ readsDevice: true }, { field: 'strictlyNecessary' });
    await custos.accepted('dpo', 'RegisterTelemetryStream', {
      ...streamDraft(streamId),
      readsDevice: true,
      strictlyNecessary: 'The licence is stored there.',
    });
    const tooLong = { streamId, version: 1, reviewAfter: 'P13M' };
    expect((await custos.send('second-dpo', 'ApproveEssentiality', tooLong)).status).toBe(400);
  });

  it('captures nothing while a stream is suspended, and nothing ever after it was retired', async () => {
    const subjectId = await acquaintance(custos);
    const streamId = fresh('stream');
    await approvedStream(custos, streamId);
    const usage = licence(subjectId, streamId);
    await custos.accepted('dpo', 'SuspendTelemetryStream', { streamId, reasonCode: 'incident' });
    await refuses(custos, 'crm', 'RecordUsage', usage, notEssential({ streamId, status: 'suspended' }));
    const access = { subjectId, purposeId: 'service-usage', streamIds: [streamId] };
    await refuses(custos, 'crm', 'AuthoriseUsageAccess', access, notEssential({ streams: [streamId] }));
    await custos.accepted('dpo', 'ResumeTelemetryStream', { streamId });
    await custos.accepted('crm', 'RecordUsage', usage);
    const { position } = await custos.accepted('dpo', 'RetireTelemetryStream', { streamId });
    await refuses(custos, 'crm', 'RecordUsage', usage, notEssential({ streamId, status: 'retired' }));
    await refuses(
      custos,
      'second-dpo',
      'ApproveEssentiality',
      { streamId, version: 1 },
      notEssential({ streamId, status: 'retired' }),
    );
    const standing = await custos.get('auditor', `/v1/registers/telemetry-standing?stream_id=${streamId}`, position);
    expect(standing.body.rows).toMatchObject([{ status: 'retired' }]);
    const log = await custos.get('auditor', `/v1/refusals?code=NOT_ESSENTIAL&stream_ref=telemetrystream-${streamId}`);
    expect(log.body.rows).toHaveLength(1);
  });

  it('stops capture the moment a review is overdue', async () => {
    const streamId = fresh('stream');
    const subjectId = await acquaintance(custos);
    await custos.accepted('dpo', 'RegisterTelemetryStream', streamDraft(streamId));
    await custos.accepted('second-dpo', 'ApproveEssentiality', { streamId, version: 1, reviewAfter: 'P1M' });
    await custos.advanceTo('2026-12-23T08:59:59Z');
    await custos.accepted('crm', 'RecordUsage', licence(subjectId, streamId, '2026-12-01T09:00:00Z'));
    await custos.advanceTo('2026-12-23T09:00:00Z');
    await refuses(
      custos,
      'crm',
      'RecordUsage',
      licence(subjectId, streamId, '2026-12-02T09:00:00Z'),
      said('ESSENTIALITY_REVIEW_OVERDUE', 'C07', 'UK GDPR Art 5(1)(c), 5(2)', {
        streamId,
        since: '2026-12-23T09:00:00.000Z',
      }),
    );
    const raised = await custos.eventually(
      async () => ({ status: 200, body: await inventory(streamId) }),
      ({ body }) => body[0].review_raised === 1,
    );
    const [{ event_id }] = raised.body;
    await custos.kill();
    await custos.launch('2026-12-23T09:00:05Z');
    await custos.accepted('second-dpo', 'ApproveEssentiality', { streamId, version: 1 });
    const { position } = await custos.accepted(
      'crm',
      'RecordUsage',
      licence(subjectId, streamId, '2026-12-02T09:00:00Z'),
    );
    const [row] = await inventory(streamId, position);
    expect(row).toMatchObject({ status: 'approved', review_raised: 0, review_by: '2027-12-23T09:00:05.000Z' });
    expect(row.event_id).not.toBe(event_id);
  });
});

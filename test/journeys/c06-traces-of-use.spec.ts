import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Installation } from '../installation.js';
import { tracesAfterKill, tracesBelow, tracesIn } from '../plaintext.js';
import {
  acquaintance,
  approvedStream,
  fresh,
  noticeDraft,
  pointDraft,
  refuses,
  said,
  SHOWN,
  stranger,
  streamDraft,
  usageField,
  usageOf,
} from './life.js';

const TRACES = 'UK GDPR Art 5(1)(b)-(c)';
const UNKNOWN_STREAM = (details: object) => said('TELEMETRY_STREAM_UNKNOWN', 'C06', TRACES, details);
const NOT_ASSESSED = (details: object) =>
  said('ANONYMITY_NOT_ASSESSED', 'C06', 'UK GDPR Art 4(1), recital 26', details);
const ERASED = (details: object) => said('DATA_ERASED', 'C16', 'UK GDPR Art 5(1)(e), 17', details);

const VALUES = {
  licence: 'L-77-QUILLFEATHER-2047',
  installation: 'bridge-tablet-of-asha',
  action: 'opened-from-harbour',
  chart: 'GB-Chart-1512-Falmouth',
};

/** C06: records of use that can lead back to a person are that person's data. */
describe('traces of use', () => {
  let custos: Installation;

  beforeAll(async () => {
    custos = await Installation.start('2026-11-23T09:00:00Z', { LOG_LEVEL: 'debug' });
  }, 90_000);

  afterAll(async () => {
    await custos.remove();
  });

  const usageFile = (actor: 'dpo' | 'support' | 'auditor', subjectId: string, month: string, more = '') =>
    custos.get(
      actor,
      `/v1/subjects/${subjectId}/usage?month=${month}&purpose=rights-and-complaints&caseRef=C-1${more}`,
    );
  const monthsOf = async (subjectId: string, position?: number) =>
    (await custos.get('support', `/v1/subjects/${subjectId}/usage-months`, position)).body.rows;

  it('lists what a licence did in the file of the person it belongs to', async () => {
    const asha = await acquaintance(custos, { occurredAt: '2026-10-01T09:00:00Z' });
    const early = { ...SHOWN, subjectId: asha, occurredAt: '2026-10-01T09:00:00Z' };
    await custos.accepted('crm', 'PresentNotice', early);
    await custos.accepted('crm', 'RecordUsage', usageOf(asha, '2026-10-31T12:00:00Z'));
    await custos.accepted('crm', 'RecordUsage', usageOf(asha, '2026-11-23T08:59:00+00:00', { batchRef: 'batch-2' }));
    const { position } = await custos.accepted(
      'crm',
      'RecordUsage',
      usageOf(asha, '2026-11-23T08:58:00Z', {
        batchRef: 'batch-3',
        entries: [
          { at: '2026-11-23T08:58:00Z', values: { licence: 'L-77', action: 'closed', chart: '12', succeeded: true } },
          { at: '2026-11-23T08:58:30Z', values: { licence: 'L-77', action: 'opened', chart: '13', edition: 4 } },
        ],
      }),
    );
    const file = await custos.get('support', `/v1/subjects/${asha}?purpose=support-ticket&caseRef=CASE-1`, position);
    expect(file.body.alsoHeld['usage-months']).toMatchObject([
      { month: '2026-10', status: 'held', batches: 1, entries: 1, due: '2027-01-29T12:00:00.000Z' },
      { month: '2026-11', status: 'held', batches: 2, entries: 3, due: '2027-02-21T08:59:00.000Z' },
    ]);

    const report = await usageFile('dpo', asha, '2026-11');
    expect(report.body).toMatchObject({ month: '2026-11', status: 'held', batches: 2, entries: 3 });
    expect(report.body.held).toMatchObject([
      {
        stream_id: 'chart-cloud',
        purpose_id: 'service-usage',
        batch_ref: 'batch-2',
        usage: [{ at: '2026-11-23T08:59:00.000Z', values: { licence: 'L-77', action: 'opened', chart: '12' } }],
      },
      { batch_ref: 'batch-3', usage: [{ values: { succeeded: true } }, { values: { chart: '13', edition: 4 } }] },
    ]);
    const second = await usageFile('dpo', asha, '2026-10', '&stream=chart-cloud');
    expect(second.body.held).toHaveLength(1);
    expect((await usageFile('dpo', asha, '2026-11', '&stream=another')).body.held).toEqual([]);

    // Every reading is on record: as a view, and as a use of usage.
    const views = await custos.get('auditor', `/v1/subjects/${asha}/views?view_id=${report.body.viewId}`);
    expect(views.body.rows).toMatchObject([
      { actor_id: 'dpo', categories: 'usage', purpose_id: 'rights-and-complaints' },
    ]);
    const accesses = await custos.get('auditor', `/v1/subjects/${asha}/usage-accesses`);
    expect(accesses.body.rows).toMatchObject([
      { actor_id: 'dpo', streams: 'chart-cloud', ground: 'rightsOfThePerson' },
      { actor_id: 'dpo', streams: 'chart-cloud', ground: 'rightsOfThePerson' },
    ]);
  });

  it('shows usage page by page, to nobody without a purpose, and to no auditor', async () => {
    const asha = await acquaintance(custos);
    let position = 0;
    for (let batch = 1; batch <= 12; batch += 1)
      ({ position } = await custos.accepted(
        'crm',
        'RecordUsage',
        usageOf(asha, '2026-11-23T09:00:00Z', { batchRef: `b-${batch}` }),
      ));
    await monthsOf(asha, position);
    const first = await usageFile('support', asha, '2026-11');
    const rest = await usageFile('support', asha, '2026-11', `&after=${first.body.next}`);
    expect([...first.body.held, ...rest.body.held].map(({ batch_ref }) => batch_ref)).toEqual(
      Array.from({ length: 12 }, (_batch, index) => `b-${index + 1}`),
    );
    expect(first.body.held).toHaveLength(10);
    expect(rest.body).not.toHaveProperty('next');

    const bare = await custos.get('support', `/v1/subjects/${asha}/usage?month=2026-11`);
    expect(bare).toMatchObject({ status: 422, body: { code: 'PURPOSE_NOT_STATED' } });
    const auditor = await usageFile('auditor', asha, '2026-11');
    expect(auditor).toMatchObject({ status: 403, body: { code: 'AUDITOR_NO_PLAINTEXT' } });
    expect((await usageFile('dpo', asha, '2026-10')).status).toBe(404);
    for (const query of ['', '?month=2026-13', '?month=2026-11&after=x', '?month=2026-11&licence=L-77'])
      expect((await custos.get('dpo', `/v1/subjects/${asha}/usage${query}`)).status).toBe(400);
  });

  it('takes nothing of a stream that is not registered, nor usage by a form', async () => {
    const asha = await acquaintance(custos);
    const streamId = fresh('stream');
    await refuses(
      custos,
      'crm',
      'RecordUsage',
      usageOf(asha, '2026-11-23T09:00:00Z', { streamId }),
      UNKNOWN_STREAM({ streamId }),
    );
    const access = { subjectId: asha, purposeId: 'service-usage', streamIds: [streamId] };
    await refuses(custos, 'crm', 'AuthoriseUsageAccess', access, UNKNOWN_STREAM({ streams: [streamId] }));
    await refuses(custos, 'dpo', 'ApproveEssentiality', { streamId, version: 1 }, UNKNOWN_STREAM({ streamId }));
    const point = pointDraft(fresh('form'), 'service-usage', 'customer-privacy', { fields: ['usage'] });
    const { collectionPointId } = point as { readonly collectionPointId: string };
    await refuses(
      custos,
      'dpo',
      'RegisterCollectionPoint',
      point,
      UNKNOWN_STREAM({ collectionPointId, fields: ['usage'] }),
    );
    expect(await monthsOf(asha)).toEqual([]);
  });

  it('calls nothing anonymous that was not assessed', async () => {
    const asha = await acquaintance(custos);
    const streamId = fresh('stream');
    const anonymous = { traceability: 'none', fields: [usageField('action', { traceability: 'none' })] };
    const register = (more: object, details: object) =>
      refuses(
        custos,
        'dpo',
        'RegisterTelemetryStream',
        streamDraft(streamId, more),
        NOT_ASSESSED({ streamId, ...details }),
      );
    await register(anonymous, { field: 'anonymityAssessmentRef' });
    await register({ traceability: 'indirect' }, { fields: ['licence'] });
    await approvedStream(custos, streamId, { ...anonymous, anonymityAssessmentRef: 'assessment-7' });
    // What leads to nobody cannot be sent with a person.
    const entries = [{ at: '2026-11-23T09:00:00Z', values: { action: 'opened' } }];
    await refuses(custos, 'crm', 'RecordUsage', usageOf(asha, '', { streamId, entries }), NOT_ASSESSED({ streamId }));
  });

  it('captures only what the person was told of before', async () => {
    const [noticeId, streamId] = [fresh('notice'), fresh('stream')];
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 1, ['service-account']));
    await approvedStream(custos, streamId, { noticeId });
    const asha = await stranger(custos);
    const shown = (version: number): object => ({ ...SHOWN, subjectId: asha, noticeId, version });
    await custos.accepted('crm', 'PresentNotice', shown(1));
    const usage = usageOf(asha, '2026-11-23T09:00:00Z', {
      streamId,
      entries: [{ at: '2026-11-23T09:00:00Z', values: { licence: 'L-77' } }],
    });
    const art13 = (code: string, details: object) => said(code, 'C13', 'UK GDPR Art 13', details);
    await refuses(
      custos,
      'crm',
      'RecordUsage',
      usage,
      art13('NOTICE_DOES_NOT_COVER_PURPOSE', { noticeId, version: 1, purposeId: 'service-usage' }),
    );
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 2, ['service-account', 'service-usage']));
    await refuses(custos, 'crm', 'RecordUsage', usage, art13('NOTICE_NOT_PRESENTED', { noticeId, version: 2 }));
    await custos.accepted('crm', 'PresentNotice', shown(2));
    await custos.accepted('crm', 'RecordUsage', usage);
    // A third wording that says the same of usage stops no service.
    await custos.accepted('dpo', 'PublishNotice', noticeDraft(noticeId, 3, ['service-usage']));
    await custos.accepted('crm', 'RecordUsage', { ...usage, batchRef: 'batch-2' });
  });

  it('respects who the person is, a restriction, and time', async () => {
    const at = '2026-11-23T09:00:00Z';
    const nobody = randomUUID();
    await refuses(custos, 'crm', 'RecordUsage', usageOf(nobody, at), said('SUBJECT_UNKNOWN', '', 'engine rule'));
    const staff = await acquaintance(custos, { capacity: 'corporateContact' });
    await refuses(
      custos,
      'crm',
      'RecordUsage',
      usageOf(staff, at),
      said('LAWFUL_BASIS_NOT_AVAILABLE', 'C04', 'UK GDPR Art 6(1)', { purposeId: 'service-usage', basis: 'contract' }),
    );
    const asha = await acquaintance(custos);
    const untimely = (code: string) => said(code, '', 'engine rule', { field: 'entries' });
    await refuses(custos, 'crm', 'RecordUsage', usageOf(asha, '2026-11-23T09:00:01Z'), untimely('OCCURRED_IN_FUTURE'));
    await refuses(
      custos,
      'crm',
      'RecordUsage',
      usageOf(asha, '2026-11-22T09:00:00Z'),
      untimely('OCCURRED_BEFORE_OPENING'),
    );
    await custos.accepted('dpo', 'RestrictProcessing', { subjectId: asha, ground: '18(1)(a)' });
    const restricted = said('PROCESSING_RESTRICTED', 'C05 C19', 'UK GDPR Art 18', { purposeId: 'service-usage' });
    await refuses(custos, 'crm', 'RecordUsage', usageOf(asha, at), restricted);
    const access = { subjectId: asha, purposeId: 'service-usage', streamIds: ['chart-cloud'] };
    await refuses(custos, 'crm', 'AuthoriseUsageAccess', access, restricted);
    await custos.accepted('dpo', 'LiftRestriction', { subjectId: asha, informedAt: at });
    await custos.accepted('crm', 'RecordUsage', usageOf(asha, at));
  });

  it('reads no batch that is malformed, too large, or of two months', async () => {
    const asha = await acquaintance(custos);
    const at = '2026-11-23T09:00:00Z';
    const batches: readonly [string, unknown][] = [
      ['entries', []],
      ['entries', Array.from({ length: 1001 }, () => ({ at, values: { licence: 'L' } }))],
      [
        'entries',
        Array.from({ length: 500 }, () => ({ at, values: { licence: 'L'.repeat(200), chart: 'C'.repeat(200) } })),
      ],
      [
        'entries',
        [
          { at, values: { licence: 'L' } },
          { at: '2026-10-31T23:59:59Z', values: { licence: 'L' } },
        ],
      ],
      ['entries.0.at', [{ at: 'yesterday', values: { licence: 'L' } }]],
      ['entries.0.values', [{ at, values: {} }]],
      ['entries.0.values', [{ at, values: { licence: ['L-77'] } }]],
      ['entries.0.values', [{ at, values: { licence: 'L'.repeat(201) } }]],
      ['entries.0.values', [{ at, values: { 'asha@example.test': 'L-77' } }]],
    ];
    for (const [field, entries] of batches) {
      const { status, body } = await custos.send('crm', 'RecordUsage', usageOf(asha, at, { entries }));
      expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(field)]);
      expect(JSON.stringify(body)).not.toMatch(/L-77|asha@/);
    }
  });

  it('leaves no value of usage in any store', async () => {
    const asha = await acquaintance(custos);
    const at = '2026-11-23T09:00:00Z';
    const commandId = randomUUID();
    const usage = { commandId, ...usageOf(asha, at, { entries: [{ at, values: VALUES }] }) };
    const once = await custos.accepted('crm', 'RecordUsage', usage);
    const twice = await custos.accepted('crm', 'RecordUsage', usage);
    expect(twice.events).toEqual(once.events);
    const excessive = usageOf(asha, at, { entries: [{ at, values: { ...VALUES, position: 'N50-09-W005-04' } }] });
    expect((await custos.refused('crm', 'RecordUsage', excessive)).code).toBe('FIELD_NOT_ESSENTIAL');
    await monthsOf(asha, once.position);
    expect((await usageFile('dpo', asha, '2026-11')).body.held[0].usage[0].values).toEqual(VALUES);
    await refuses(
      custos,
      'dpo',
      'ExpireUsage',
      { subjectId: asha, month: '2026-11' },
      said('RETENTION_NOT_DUE', 'C16', 'UK GDPR Art 5(1)(e)', { month: '2026-11' }),
    );

    await custos.kill();
    const secrets = [...Object.values(VALUES), 'QUILLFEATHER', 'N50-09-W005-04'];
    expect(tracesIn('output', Buffer.from(custos.output), secrets)).toEqual([]);
    const traces = await tracesAfterKill(custos.dataDir, [...secrets, asha]);
    expect(traces.filter(({ value }) => value !== asha)).toEqual([]);
    expect(traces.length).toBeGreaterThan(1);

    // Ninety days after the last use of the month, and the month is unreadable everywhere.
    await custos.launch('2027-02-21T08:59:59Z');
    expect((await usageFile('dpo', asha, '2026-11')).body).toMatchObject({
      status: 'held',
      due: '2027-02-21T09:00:00.000Z',
    });
    await custos.advanceTo('2027-02-21T09:00:00Z');
    const gone = await custos.eventually(
      () => custos.get('support', `/v1/subjects/${asha}/usage-months`),
      ({ body }) => body.rows[0].status === 'erased',
    );
    expect(gone.body.rows).toMatchObject([
      { month: '2026-11', entries: 1, keystore_backup_horizon: '2027-03-23T09:00:00.000Z' },
    ]);
    expect((await usageFile('dpo', asha, '2026-11')).body).toMatchObject({ status: 'erased', held: [] });
    await refuses(custos, 'crm', 'RecordUsage', usageOf(asha, at), ERASED({ streamId: 'chart-cloud' }));
    await custos.stop();
    expect(tracesBelow(custos.dataDir, secrets)).toEqual([]);
  });
});

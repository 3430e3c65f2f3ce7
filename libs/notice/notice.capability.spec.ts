import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CodecRegistry } from '#event-log';
import { detectClaims } from '#assurance';
import { instant, type Recorded, type RowChange } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { InvalidCommand, readCommand, type Registers } from '#slice';
import { contentHash, noticeCapability } from './notice.capability.js';
import { noticeCodec } from './notice.codec.js';
import { PublishNotice } from './notice.commands.js';
import { noticeDecider } from './notice.decider.js';
import { noticeClaimsProjection } from './notice.claims.projection.js';
import type { NoticeEvent, NoticePublished } from './notice.events.js';
import { noticesProjection } from './notice.projection.js';

const samples = JSON.parse(readFileSync(new URL('./notice.golden.json', import.meta.url), 'utf8')) as {
  readonly type: string;
  readonly data: object;
}[];
const sample = samples[0]!.data as NoticePublished['data'];

const body = {
  commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87',
  noticeId: 'customer-privacy',
  version: 1,
  language: 'en-GB',
  title: 'How we use your data',
  content: 'We answer you.',
  purposes: ['answer-enquiries'],
};

describe('the command', () => {
  it('is read', async () =>
    expect(await readCommand(PublishNotice, { ...body, effectiveFrom: '2018-05-25T00:00:00Z' })).toMatchObject({
      type: 'PublishNotice',
      ...body,
    }));

  it('may say where in the text each part stands, and what it claims', async () => {
    const statements = [
      { part: 'contact', passage: 'Call us.' },
      { part: 'lawfulBases', purposes: ['answer-enquiries'], basis: 'contract', passage: 'By contract.' },
      {
        part: 'retentionPeriods',
        purposes: ['answer-enquiries'],
        categories: ['a.b'],
        period: 'P1Y',
        passage: 'A year.',
      },
      { part: 'recipients', recipientKinds: ['GROUP'], passage: 'The group.' },
    ];
    const claims = [{ passage: 'Geprüft', kind: 'certificate', scheme: 'iso-27001', edition: '2022' }];
    expect(await readCommand(PublishNotice, { ...body, statements, claims })).toMatchObject({ statements, claims });
  });

  it.each([
    ['statements.0.part', { statements: [{ part: 'everything', passage: 'a' }] }],
    ['statements.0.passage', { statements: [{ part: 'contact' }] }],
    ['statements.0.passage', { statements: [{ part: 'contact', passage: ' ' }] }],
    ['statements.0.basis', { statements: [{ part: 'lawfulBases', passage: 'a', basis: 'habit' }] }],
    ['statements.0.purposes', { statements: [{ part: 'purposes', passage: 'a', purposes: ['A'] }] }],
    ['statements.0.colour', { statements: [{ part: 'contact', passage: 'a', colour: 'red' }] }],
    ['statements', { statements: 'all' }],
    ['claims.0.scheme', { claims: [{ passage: 'a', kind: 'certificate' }] }],
    ['claims.0.kind', { claims: [{ passage: 'a', kind: 'praise', scheme: 'a' }] }],
  ])('is not read when %s is not right', async (field, change) => {
    await expect(readCommand(PublishNotice, { ...body, ...change })).rejects.toThrow(field);
  });

  it('may be as long as 100 kB of UTF-8', async () => {
    await readCommand(PublishNotice, { ...body, content: 'é'.repeat(50_000) });
    await expect(readCommand(PublishNotice, { ...body, content: 'é'.repeat(50_001) })).rejects.toThrow(InvalidCommand);
  });

  it.each([
    ['noticeId', 'Customer Privacy'],
    ['version', 0],
    ['language', 'English'],
    ['title', ' '],
    ['content', ''],
    ['purposes', ['answer-enquiries', 'answer-enquiries']],
    ['purposes', 'answer-enquiries'],
    ['effectiveFrom', '2018-05-25'],
    ['effectiveFrom', '2018-02-30T00:00:00Z'],
    ['contentHash', 'given'],
  ])('is not read when %s is %j', async (field, value) => {
    await expect(readCommand(PublishNotice, { ...body, [field]: value })).rejects.toThrow(field);
  });
});

describe('the slice', () => {
  const [slice] = noticeCapability.slices;

  it('decides in the stream of the notice', () =>
    expect(slice!.stream(Object.assign(new PublishNotice(), body))).toBe('notice-customer-privacy'));

  it('hashes the text as an auditor would', () => {
    const facts = slice!.facts({ get: () => new Map() } as unknown as Registers) as { contentHash: typeof contentHash };
    expect(facts.contentHash('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(facts.contentHash('é')).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
  });
});

describe('stored events', () => {
  const registry = new CodecRegistry([noticeCodec]);

  it('have a sample of every name', () =>
    expect(samples.map(({ type }) => type).sort()).toEqual(registry.storedTypes()));

  it.each(samples.map((sample) => [sample.type, sample] as const))('decode: %s', (type, { data }) => {
    const resolved = registry.resolve(type);
    expect(resolved?.upcasts).toEqual([]);
    const event = { type: resolved?.type, data } as NoticeEvent;
    const after = noticeDecider.evolve([], event, instant('2026-11-23T09:00:00Z'));
    expect(after).toMatchObject(
      event.type === 'NoticePublished'
        ? [{ contentHash: contentHash(event.data.content), purposes: ['answer-enquiries'], statements: [], claims: [] }]
        : [],
    );
  });
});

describe('the read model', () => {
  const project = (data: Partial<NoticePublished['data']>): readonly RowChange[] =>
    noticesProjection.handles.NoticePublished({
      type: 'NoticePublished',
      data: { ...sample, ...data },
      id: '00000000-0000-4000-8000-000000000001',
      actorId: 'ada',
      occurredAt: instant('2026-11-23T09:00:00Z'),
      position: 7,
    } as Recorded<NoticePublished>);

  it('holds the exact text under its hash', () =>
    expect(project({})).toEqual([
      {
        change: 'insert',
        table: 'notices',
        row: {
          notice_id: 'customer-privacy',
          version: 1,
          language: 'en-GB',
          title: 'How we use your data',
          content: 'We answer you.',
          content_hash: contentHash('We answer you.'),
          purposes: '["answer-enquiries"]',
          purpose_versions: '{}',
          statements: '[]',
          gaps: '[]',
          widens: 0,
          purposes_added: '[]',
          purposes_widened: '[]',
          publisher: 'ada',
          published_at: '2026-11-23T09:00:00.000Z',
          effective_from: '2018-05-25T00:00:00.000Z',
          superseded_at: null,
          event_id: '00000000-0000-4000-8000-000000000001',
          position: 7,
        },
      },
    ]));

  it('says what a version leaves open and what it widens', () =>
    expect(
      project({
        gaps: ['transfers: missing'],
        purposeVersions: { 'answer-enquiries': 2 },
        widens: true,
        purposesAdded: ['send-newsletter'],
      })[0],
    ).toMatchObject({
      row: {
        gaps: '["transfers: missing"]',
        purpose_versions: '{"answer-enquiries":2}',
        widens: 1,
        purposes_added: '["send-newsletter"]',
        purposes_widened: '[]',
      },
    }));

  it('shows each claim of a version, flagged where no new version could make it', () => {
    const log = logbook();
    const claims = detectClaims('We hold Cyber Essentials and ISO/IEC 27001:2013.');
    log.at('2026-11-23T09:00:00Z', { type: 'NoticePublished', data: { ...sample, claims } });
    const flag = { noticeId: sample.noticeId, version: 1, claimId: 'iso-27001:2013', text: 'ISO/IEC 27001:2013' };
    log.at('2026-11-23T09:00:00Z', { type: 'NoticeClaimFlagged', data: { ...flag, status: 'superseded' } });
    log.at('2026-11-24T09:00:00Z', {
      type: 'NoticePublished',
      data: { ...sample, version: 2, claims: [], effectiveFrom: instant('2026-12-01T00:00:00Z') },
    });
    expect(tablesOf(noticeClaimsProjection, log.events)['claims']).toMatchObject([
      {
        claim_id: 'iso-27001:2013',
        edition: '2013',
        claim_text: 'ISO/IEC 27001:2013',
        flagged: 'superseded',
        flagged_at: '2026-11-23T09:00:00.000Z',
        superseded_at: '2026-12-01T00:00:00.000Z',
      },
      { claim_id: 'cyber-essentials', edition: null, flagged: null, superseded_at: '2026-12-01T00:00:00.000Z' },
    ]);
  });

  it('ends a version when the next one takes effect', () =>
    expect(project({ version: 2, effectiveFrom: instant('2026-12-01T00:00:00Z') })[0]).toEqual({
      change: 'update',
      table: 'notices',
      where: { notice_id: 'customer-privacy', version: 1 },
      set: { superseded_at: '2026-12-01T00:00:00.000Z' },
    }));
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CodecRegistry } from '#event-log';
import { instant, type Recorded, type RowChange } from '#kernel';
import { InvalidCommand, readCommand, type Registers } from '#slice';
import { contentHash, noticeCapability } from './notice.capability.js';
import { noticeCodec } from './notice.codec.js';
import { PublishNotice } from './notice.commands.js';
import { noticeDecider } from './notice.decider.js';
import type { NoticePublished } from './notice.events.js';
import { noticesProjection } from './notice.projection.js';

const samples = JSON.parse(readFileSync(new URL('./notice.golden.json', import.meta.url), 'utf8')) as {
  readonly type: string;
  readonly data: NoticePublished['data'];
}[];

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
    const facts = slice!.facts({} as Registers) as { contentHash: typeof contentHash };
    expect(facts.contentHash('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(facts.contentHash('é')).toBe('4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c');
  });
});

describe('stored events', () => {
  const registry = new CodecRegistry([noticeCodec]);

  it('have a sample of every name', () =>
    expect(samples.map(({ type }) => type).sort()).toEqual(registry.storedTypes()));

  it.each(samples.map((sample) => [sample.type, sample] as const))('decode: %s', (type, { data }) => {
    expect(registry.resolve(type)).toEqual({ type: 'NoticePublished', upcasts: [] });
    expect(noticeDecider.evolve([], { type: 'NoticePublished', data }, instant('2026-11-23T09:00:00Z'))).toMatchObject([
      { contentHash: contentHash(data.content), purposes: ['answer-enquiries'] },
    ]);
  });
});

describe('the read model', () => {
  const project = (data: Partial<NoticePublished['data']>): readonly RowChange[] =>
    noticesProjection.handles.NoticePublished({
      type: 'NoticePublished',
      data: { ...samples[0]!.data, ...data },
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
          publisher: 'ada',
          published_at: '2026-11-23T09:00:00.000Z',
          effective_from: '2018-05-25T00:00:00.000Z',
          superseded_at: null,
          event_id: '00000000-0000-4000-8000-000000000001',
          position: 7,
        },
      },
    ]));

  it('ends a version when the next one takes effect', () =>
    expect(project({ version: 2, effectiveFrom: instant('2026-12-01T00:00:00Z') })[0]).toEqual({
      change: 'update',
      table: 'notices',
      where: { notice_id: 'customer-privacy', version: 1 },
      set: { superseded_at: '2026-12-01T00:00:00.000Z' },
    }));
});

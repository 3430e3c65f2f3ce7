import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant } from '#kernel';
import { factsAt, NOW, scenario } from '#kernel/testing';
import type { PublishNotice } from './notice.commands.js';
import { noticeDecider, type NoticeFacts } from './notice.decider.js';
import type { NoticeEvent, NoticePublished } from './notice.events.js';

const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: factsAt().actor };
const noticeId = 'customer-privacy';

const publish = (changes: Partial<PublishNotice> = {}): PublishNotice => ({
  ...sent,
  type: 'PublishNotice',
  noticeId,
  version: 1,
  language: 'en-GB',
  title: 'How we use your data',
  content: 'We answer you.',
  purposes: ['answer-enquiries'],
  ...changes,
});

const published = (changes: Partial<NoticePublished['data']> = {}): NoticePublished => ({
  type: 'NoticePublished',
  data: {
    noticeId,
    version: 1,
    language: 'en-GB',
    title: 'How we use your data',
    content: 'We answer you.',
    contentHash: 'hash of We answer you.',
    purposes: ['answer-enquiries'],
    effectiveFrom: NOW,
    ...changes,
  },
});
const second = published({ version: 2, content: 'We count you.', contentHash: 'hash of We count you.' });

const facts: NoticeFacts = { ...factsAt(), contentHash: (content) => `hash of ${content}` };
const { given, when } = scenario(noticeDecider, facts);

describe('publishing a notice', () => {
  it('starts with version 1', () => {
    when(publish()).then(published());
    when(publish({ version: 2 })).thenRefused('VERSION_CONFLICT', { noticeId, version: 2, next: 1 });
  });

  it('goes on by one', () => {
    given(published())
      .when(publish({ version: 2, content: 'We count you.' }))
      .then(second);
    given(published())
      .when(publish({ version: 3 }))
      .thenRefused('VERSION_CONFLICT', { noticeId, version: 3, next: 2 });
  });

  it('happens once', () => {
    given(published()).when(publish()).thenNothing();
    given(published(), second).when(publish()).thenNothing();
    given(published(), second)
      .when(publish(), { occurredAt: instant('2026-11-24T09:00:00Z') })
      .thenNothing();
  });

  it.each([
    ['text', { content: 'We sell you.' }],
    ['title', { title: 'Privacy' }],
    ['language', { language: 'cy' }],
    ['purposes', { purposes: ['answer-enquiries', 'send-newsletter'] }],
    ['time', { effectiveFrom: '2027-01-01T00:00:00Z' }],
  ])('never changes the %s of a version (I-30a)', (_part, change) =>
    given(published(), second).when(publish(change)).thenRefused('NOTICE_IMMUTABLE', { noticeId, version: 1 }),
  );

  it('of version 1 may reach back: people were shown it before the engine came', () => {
    const effectiveFrom = instant('2018-05-25T00:00:00Z');
    const first = publish({ effectiveFrom: '2018-05-25T01:00:00+01:00' });
    when(first).then(published({ effectiveFrom }));
    given(published({ effectiveFrom })).when(first).thenNothing();
    given(published({ effectiveFrom })).when(publish()).thenNothing();
  });

  it('of a later version never reaches back', () => {
    const late = publish({ version: 2, content: 'We count you.', effectiveFrom: '2018-05-25T00:00:00Z' });
    given(published()).when(late).then(second);
    given(published(), second).when(late).thenNothing();
  });

  it('may lie before the time it takes effect', () => {
    const effectiveFrom = instant('2027-01-01T00:00:00Z');
    when(publish({ effectiveFrom })).then(published({ effectiveFrom }));
    given(published({ effectiveFrom }))
      .when(publish({ version: 2, content: 'We count you.' }))
      .then({ ...second, data: { ...second.data, effectiveFrom } });
  });
});

it('does nothing when an accepted command is sent again', () => {
  const command = fc
    .record(
      {
        version: fc.integer({ min: 1, max: 4 }),
        content: fc.constantFrom('We answer you.', 'We count you.'),
        purposes: fc.subarray(['answer-enquiries', 'send-newsletter']),
        effectiveFrom: fc.constantFrom('2018-05-25T00:00:00Z', '2026-12-01T00:00:00+01:00', '2027-01-01T00:00:00Z'),
      },
      { requiredKeys: ['version', 'content', 'purposes'] },
    )
    .map(publish);
  fc.assert(
    fc.property(fc.array(command, { maxLength: 10 }), (commands) => {
      let history: NoticeEvent[] = [];
      for (const each of commands) {
        const { outcome, thenRepeatedNothing } = given(...history).when(each);
        if (outcome.kind === 'refused') continue;
        thenRepeatedNothing();
        history = [...history, ...outcome.events];
      }
      const times = history.map(({ data }) => data.effectiveFrom);
      expect(times).toEqual([...times].sort());
    }),
  );
});

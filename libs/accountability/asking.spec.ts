import { describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { logbook, registerOf } from '#kernel/testing';
import { noticeRegister, type NoticePublished } from '#notice';
import { collectionPointRegister, purposeRegister, type CollectionPointEvent, type PurposeEvent } from '#purpose';
import { askedVersions, askingAt } from './asking.query.js';

const published = (version: number, from: string): NoticePublished => ({
  type: 'NoticePublished',
  data: {
    noticeId: 'about-us',
    version,
    language: 'en-GB',
    title: 'About us',
    content: 'What we do.',
    contentHash: String(version).repeat(64),
    purposes: ['answer', 'tell-news'],
    effectiveFrom: instant(from),
  },
});
const notices = registerOf(
  noticeRegister,
  published(1, '2018-05-25T00:00:00Z'),
  published(2, '2026-02-01T00:00:00Z'),
  published(3, '2026-05-01T00:00:00Z'),
);

const purpose = (purposeId: string, necessity: 'required' | 'optional'): readonly PurposeEvent[] => [
  {
    type: 'PurposeDefined',
    data: {
      purposeId,
      version: 1,
      author: 'ada',
      title: 'A purpose',
      plainWords: 'We use it.',
      serviceLine: 'SUPPORT',
      commercial: false,
      basis: 'contract',
      dpiaRequired: false,
      dpvIri: 'dpv:CustomerCare',
      fields: [
        { category: 'contact.email', necessity, justification: 'it goes there' },
        {
          category: `${purposeId.split('-')[0]!}.text`,
          necessity: 'optional',
          justification: 'it helps',
          freeText: { expectation: 'what happened', maxLength: 100 },
        },
      ],
      retention: [],
      recipientKindsAllowed: [],
    },
  },
  {
    type: 'PurposeApproved',
    data: { purposeId, version: 1, approver: 'ben', effectiveFrom: instant('2018-05-25T00:00:00Z') },
  },
];
const purposes = registerOf(purposeRegister, ...purpose('answer', 'required'), ...purpose('tell-news', 'optional'));

const registered = (version: number, bound: readonly string[]): CollectionPointEvent => ({
  type: 'CollectionPointRegistered',
  data: {
    collectionPointId: 'form',
    version,
    kind: 'webForm',
    title: 'Form',
    explanation: 'We use what you write to answer you.',
    purposes: bound,
    fields: ['contact.email', 'answer.text', 'tell.text'],
    noticeId: 'about-us',
  },
});
const retired: CollectionPointEvent = {
  type: 'CollectionPointRetired',
  data: { collectionPointId: 'form', version: 2 },
};
const { at } = logbook('collectionpoint-form');
const entry = [
  at('2026-01-01T00:00:00Z', registered(1, ['answer'])),
  at('2026-03-01T00:00:00Z', registered(2, ['answer', 'tell-news'])),
  at('2026-06-01T00:00:00Z', retired),
]
  .reduce(collectionPointRegister.evolve, collectionPointRegister.initialState)
  .get('form')!;
const [first, second] = entry.versions;

describe('what is shown where people are asked', () => {
  it('is what the register holds: why, for which purposes, what is needed, and the notice in force', () =>
    expect(askingAt(second!, purposes, notices, instant('2026-03-01T00:00:00Z'))).toEqual({
      collectionPointId: 'form',
      version: 2,
      kind: 'webForm',
      title: 'Form',
      explanation: 'We use what you write to answer you.',
      purposes: [
        { purposeId: 'answer', title: 'A purpose', plainWords: 'We use it.' },
        { purposeId: 'tell-news', title: 'A purpose', plainWords: 'We use it.' },
      ],
      fields: [
        { category: 'contact.email', requiredFor: ['answer'] },
        { category: 'answer.text', requiredFor: [], freeText: { expectation: 'what happened', maxLength: 100 } },
        { category: 'tell.text', requiredFor: [], freeText: { expectation: 'what happened', maxLength: 100 } },
      ],
      notice: {
        noticeId: 'about-us',
        version: 2,
        language: 'en-GB',
        title: 'About us',
        contentHash: '2'.repeat(64),
      },
    }));

  it('names no field that none of its purposes lists, and no purpose that is not in force', () => {
    const asking = askingAt(first!, purposes, notices, instant('2026-03-01T00:00:00Z'));
    expect(asking.fields.map(({ category }) => category)).toEqual(['contact.email', 'answer.text']);
    expect(askingAt(first!, new Map(), new Map(), instant('2026-03-01T00:00:00Z'))).toMatchObject({
      purposes: [],
      fields: [],
      notice: null,
    });
  });
});

describe('the history of a place of asking (I-11b)', () => {
  it('says which notice was to be shown at each version, and when', () =>
    expect(
      askedVersions(entry, notices).map(({ version, until, notices: shown }) => ({
        version,
        until,
        shown: shown.map((each) => [each.version, each.from.slice(0, 10), each.until?.slice(0, 10)]),
      })),
    ).toEqual([
      {
        version: 1,
        until: '2026-03-01T00:00:00.000Z',
        shown: [
          [1, '2026-01-01', '2026-02-01'],
          [2, '2026-02-01', '2026-03-01'],
        ],
      },
      {
        version: 2,
        until: '2026-06-01T00:00:00.000Z',
        shown: [
          [2, '2026-03-01', '2026-05-01'],
          [3, '2026-05-01', '2026-06-01'],
        ],
      },
    ]));

  it('is open at its end while it is in service', () => {
    const { retiredAt: _none, ...inService } = entry;
    const [, last] = askedVersions(inService, notices);
    expect(last).toMatchObject({ until: null });
    expect(last!.notices.at(-1)).toMatchObject({ version: 3, until: null });
  });
});

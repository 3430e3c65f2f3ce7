import { expect, it } from '@jest/globals';
import { instant, type Recorded } from '#kernel';
import type { NoticePublished } from './notice.events.js';
import { noticeAsOf, noticeRegister, noticeVersion } from './notice.register.js';

const noticeId = 'customer-privacy';

const published = (version: number, from: string, purposes: readonly string[]): Recorded<NoticePublished> => ({
  type: 'NoticePublished',
  data: {
    noticeId,
    version,
    language: 'en-GB',
    title: 'How we use your data',
    content: `text ${version}`,
    contentHash: `hash ${version}`,
    purposes,
    effectiveFrom: instant(from),
  },
  id: `00000000-0000-4000-8000-00000000000${version}`,
  stream: `notice-${noticeId}`,
  revision: version - 1,
  position: version,
  occurredAt: instant('2026-11-23T09:00:00Z'),
  recordedAt: instant('2026-11-23T09:00:00Z'),
  commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87',
  actorId: 'ada',
  fingerprint: '',
  storedType: '',
});

const state = [
  published(1, '2018-05-25T00:00:00Z', ['answer-enquiries']),
  published(2, '2026-12-01T00:00:00Z', ['answer-enquiries', 'keep-charts-current']),
].reduce(noticeRegister.evolve, noticeRegister.initialState);

it.each([
  ['2018-05-24T23:59:59.999Z', undefined],
  ['2018-05-25T00:00:00Z', 1],
  ['2026-11-30T23:59:59.999Z', 1],
  ['2026-12-01T00:00:00Z', 2],
])('says which version was in force at %s: %s', (at, version) =>
  expect(noticeAsOf(state, noticeId, instant(at))?.version).toBe(version),
);

it('gives every version with the purposes it covers and the time it was in force', () => {
  expect(noticeVersion(state, noticeId, 1)).toEqual({
    noticeId,
    version: 1,
    language: 'en-GB',
    title: 'How we use your data',
    contentHash: 'hash 1',
    purposes: ['answer-enquiries'],
    effectiveFrom: '2018-05-25T00:00:00.000Z',
    supersededAt: '2026-12-01T00:00:00.000Z',
  });
  expect(noticeVersion(state, noticeId, 2)?.purposes).toContain('keep-charts-current');
  expect(noticeVersion(state, noticeId, 2)).not.toHaveProperty('supersededAt');
});

it('tells with a version what its purposes were compared with, and whether it widened their use', () => {
  const versions = { 'answer-enquiries': 2 };
  const first = published(1, '2018-05-25T00:00:00Z', ['answer-enquiries']);
  const widening = noticeRegister.evolve(new Map(), {
    ...first,
    data: { ...first.data, statements: [], claims: [], gaps: [], purposeVersions: versions, widens: true },
  });
  expect(noticeVersion(widening, noticeId, 1)).toMatchObject({ purposeVersions: versions, widens: true });
  expect(noticeVersion(widening, noticeId, 1)).not.toHaveProperty('statements');
});

it('knows no notice and no version that was not published', () => {
  expect(noticeVersion(state, noticeId, 3)).toBeUndefined();
  expect(noticeVersion(state, 'constructor', 1)).toBeUndefined();
  expect(noticeAsOf(state, 'constructor', instant('2026-12-01T00:00:00Z'))).toBeUndefined();
});

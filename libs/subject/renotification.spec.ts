import { describe, expect, it } from '@jest/globals';
import { instant } from '#kernel';
import { registerOf } from '#kernel/testing';
import { noticeRegister, type NoticePublished } from '#notice';
import { purposeRegister, type PurposeEvent, type PurposeField } from '#purpose';
import { renotification } from './renotification.query.js';
import { approved, defined } from './testing/index.js';

const published = (version: number, purposes: readonly string[], from: string): NoticePublished => ({
  type: 'NoticePublished',
  data: {
    noticeId: 'customer-privacy',
    version,
    language: 'en-GB',
    title: 'How we use your data',
    content: `Version ${version}.`,
    contentHash: 'a'.repeat(64),
    purposes,
    effectiveFrom: instant(from),
  },
});
const purposesWith = (...more: PurposeEvent[]) =>
  registerOf<PurposeEvent, typeof purposeRegister.initialState>(
    purposeRegister,
    defined('support'),
    approved('support'),
    defined('news'),
    approved('news'),
    ...more,
  );
const [FIRST, SECOND, THIRD] = ['2018-05-25T00:00:00Z', '2026-06-01T00:00:00Z', '2026-09-01T00:00:00Z'];
const NOW = instant('2026-11-23T09:00:00Z');
const ask = (versions: readonly NoticePublished[], purposes = purposesWith(), at = NOW) =>
  renotification(registerOf(noticeRegister, ...versions), purposes, 'customer-privacy', at);
const boat: PurposeField = { category: 'boat.name', necessity: 'optional', justification: 'To find it.' };

describe('a notice version says less than the one in force (I-30c)', () => {
  it('when that covers more purposes', () => {
    const versions = [published(1, ['support'], FIRST), published(2, ['support', 'news'], SECOND)];
    expect(ask(versions)).toMatchObject({
      inForce: { version: 2 },
      outdated: [{ version: 1, since: instant(SECOND), added: ['news'], widened: [] }],
    });
    expect(ask(versions, purposesWith(), instant('2026-05-31T23:59:59Z'))).toMatchObject({
      inForce: { version: 1 },
      outdated: [],
    });
  });
  it('not when that only says it better, or covers fewer', () => {
    expect(ask([published(1, ['support'], FIRST), published(2, ['support'], SECOND)])?.outdated).toEqual([]);
    expect(ask([published(1, ['support', 'news'], FIRST), published(2, ['support'], SECOND)])?.outdated).toEqual([]);
  });
  it('since the first newer version that said more', () => {
    const versions = [
      published(1, ['support'], FIRST),
      published(2, ['support', 'news'], SECOND),
      published(3, ['support', 'news'], THIRD),
    ];
    expect(ask(versions)?.outdated).toMatchObject([{ version: 1, since: instant(SECOND) }]);
    expect(ask([versions[0]!, published(2, ['support'], SECOND), versions[2]!])?.outdated).toMatchObject([
      { version: 1, since: instant(THIRD) },
      { version: 2, since: instant(THIRD) },
    ]);
  });
  it.each<readonly [string, Parameters<typeof defined>[1]]>([
    ['takes more data', { fields: [...defined('support').data.fields, boat] }],
    ['reaches more kinds of recipient', { recipientKindsAllowed: ['GROUP'] }],
    ['has become commercial', { commercial: true }],
    ['rests on another basis', { basis: 'legitimateInterests' }],
  ])('when one of its purposes %s by then', (_how, changes) => {
    const versions = [published(1, ['support'], FIRST), published(2, ['support'], SECOND)];
    const widened = purposesWith(
      defined('support', { version: 2, ...changes }),
      approved('support', 2, '2026-06-01T00:00:00Z'),
    );
    expect(ask(versions, widened)?.outdated).toMatchObject([{ version: 1, added: [], widened: ['support'] }]);
    // Whoever was told after the purpose widened was told of it as it is.
    const before = purposesWith(
      defined('support', { version: 2, ...changes }),
      approved('support', 2, '2026-05-01T00:00:00Z'),
    );
    expect(ask(versions, before)?.outdated).toEqual([]);
  });
  it('not when one of its purposes takes less', () => {
    const versions = [published(1, ['support'], FIRST), published(2, ['support'], SECOND)];
    const narrower = purposesWith(
      defined('support', { version: 2, fields: defined('support').data.fields.slice(1) }),
      approved('support', 2, '2026-06-01T00:00:00Z'),
    );
    expect(ask(versions, narrower)?.outdated).toEqual([]);
  });
  it('not for a purpose that took effect with a version that was replaced in the same moment', () => {
    const together = purposesWith(defined('mooring'), approved('mooring', 1, SECOND));
    const versions = [published(1, ['mooring'], SECOND), published(2, ['mooring'], SECOND)];
    expect(ask(versions, together)?.outdated).toEqual([]);
  });
  it('never when no version is in force', () => {
    expect(ask([])).toBeUndefined();
    expect(ask([published(1, ['support'], SECOND)], purposesWith(), instant('2026-01-01T00:00:00Z'))).toBeUndefined();
  });
});

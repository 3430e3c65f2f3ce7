import { describe, expect, it } from '@jest/globals';
import { instant, uuidV5 } from '#kernel';
import { logbook, scenario, tablesOf } from '#kernel/testing';
import type { ConsentEndView, PurposeEnded } from '#subject';
import type { RetentionDomainCommand } from './retention.commands.js';
import { retentionDecider } from './retention.decider.js';
import { consentedPurposePolicy } from './retention.policy.js';
import { retentionScheduleProjection } from './retention.projection.js';
import { VERSIONS_AT_ONCE } from './retention.state.js';
import {
  collected,
  EMAIL,
  erasedAt,
  expire,
  factsOfRetention,
  PHONE,
  ref,
  registered,
  subjectId,
  TICKET,
} from './testing/index.js';

const NOW = '2026-03-05T09:00:00Z';
const now = instant(NOW);
const about = { subjectId, purposeId: 'news' };
const end = (changes: Partial<ConsentEndView> = {}): ConsentEndView => ({
  type: 'ConsentWithdrawn',
  ...changes,
  data: { ...about, endsPurpose: true, ...changes.data },
});
const givenAnew = { type: 'ConsentGiven', data: about } as const;
const email = collected(EMAIL, 'collected', { purposeId: 'news', basis: 'consent' });
const command: RetentionDomainCommand = {
  ...expire(),
  ...about,
  type: 'EndConsentedPurpose',
} as RetentionDomainCommand;
const purposeEnded = (changes: Partial<PurposeEnded['data']> = {}): PurposeEnded => ({
  type: 'PurposeEnded',
  data: {
    ...about,
    reason: 'consentWithdrawn',
    items: [{ itemId: EMAIL, version: 1, itemDue: now }],
    nothingLeft: true,
    ...changes,
  },
});
const { given } = scenario(retentionDecider, factsOfRetention(NOW));

describe('what is held on a consent alone (UK GDPR Art 17(1)(b))', () => {
  it('goes when the last consent to its purpose has ended, once', () => {
    given(registered, email, end()).when(command).then(purposeEnded());
    given(registered, email, end({ type: 'ConsentExpired' }))
      .when(command)
      .then(purposeEnded({ reason: 'consentEnded' }));
    given(registered, email, end(), purposeEnded()).when(command).thenNothing();
    given(registered, email, end(), purposeEnded()).when(expire()).thenTypes('RetentionExpired', 'ErasureStarted');
  });
  it('stays while another channel stands, or when consent was given anew meanwhile', () => {
    given(registered, email).when(command).thenNothing();
    given(registered, email, { type: 'ConsentWithdrawn', data: about }).when(command).thenNothing();
    given(registered, email, end(), givenAnew).when(command).thenNothing();
  });
  it('stays where it was collected after the end, whatever time that was entered for', () => {
    const later = collected(PHONE, 'collected', { purposeId: 'news', basis: 'consent' });
    given(registered, end(), later).when(command).thenNothing();
    given(registered, email, end(), later).when(command).then(purposeEnded());
  });
  it('is not what another basis holds, nor the proof of the consent', () => {
    const contract = collected(PHONE, 'collected', { purposeId: 'news' });
    const proof = collected(TICKET, 'lastReliedOn', { purposeId: 'news', basis: 'consent' });
    given(registered, contract, proof, end()).when(command).thenNothing();
    given(registered, contract, proof, email, end()).when(command).then(purposeEnded());
  });
  it('is settled where it is erased already', () =>
    given(registered, email, erasedAt(NOW, [ref(EMAIL)]), end())
      .when(command)
      .then(purposeEnded({ items: [] })));
  it('is ended in parts when there is much of it', () => {
    const items = Array.from({ length: VERSIONS_AT_ONCE + 1 }, (_, index) => `item-${index}`);
    const many = items.map((itemId) => collected(itemId, 'collected', { purposeId: 'news', basis: 'consent' }));
    const refs = items.map((itemId) => ({ itemId, version: 1, itemDue: now }));
    const { nothingLeft: _all, ...part } = purposeEnded({ items: refs.slice(0, VERSIONS_AT_ONCE) }).data;
    const first: PurposeEnded = { type: 'PurposeEnded', data: { ...part, part: uuidV5(command.commandId, 'part') } };
    given(registered, ...many, end())
      .when(command)
      .then(first);
    given(registered, ...many, end(), first)
      .when(command, { id: (name) => uuidV5('6c2f1d6f-8e9b-4d6c-8b4f-3a7e2d1c0b98', name) })
      .then(purposeEnded({ items: refs.slice(VERSIONS_AT_ONCE) }));
  });
});

describe('the rows that the steward reads', () => {
  const { where, dueColumn = '' } = consentedPurposePolicy;
  /** What is due of these events, each an hour after the one before. */
  const dueAfter = (...events: Parameters<typeof retentionDecider.evolve>[1][]) => {
    const { at, events: told } = logbook();
    events.forEach((event, index) => at(`2026-03-05T0${index}:00:00Z`, event));
    return (tablesOf(retentionScheduleProjection, told)['retention_purposes'] ?? [])
      .filter((row) => row[dueColumn] !== null && Object.entries(where).every(([name, cell]) => row[name] === cell))
      .map((row) => row['item_id']);
  };
  it('come with the end of the last consent, and go when it is done or consent is given anew', () => {
    expect(dueAfter(registered, email)).toEqual([]);
    expect(dueAfter(registered, email, { type: 'ConsentWithdrawn', data: about })).toEqual([]);
    expect(dueAfter(registered, email, end())).toEqual([EMAIL]);
    expect(dueAfter(registered, email, end(), givenAnew)).toEqual([]);
    expect(dueAfter(registered, email, end(), purposeEnded())).toEqual([]);
  });
  it('go also where nothing was held any more', () =>
    expect(dueAfter(registered, email, erasedAt(NOW, [ref(EMAIL)]), end(), purposeEnded({ items: [] }))).toEqual([]));
  it('are none of another basis, nor of the proof of the consent', () => {
    const contract = collected(PHONE, 'collected', { purposeId: 'news' });
    const proof = collected(TICKET, 'lastReliedOn', { purposeId: 'news', basis: 'consent' });
    expect(dueAfter(registered, contract, proof, end())).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import type { DomainEvent, Row } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { readCommand } from '#slice';
import {
  authorised,
  EMAIL,
  ended,
  given,
  lifted,
  objected,
  PHONE,
  restricted,
  subjectId,
  withdrawn,
} from './testing/index.js';
import { useCapability } from './use.capability.js';
import { AuthoriseUse, ObjectToMarketing } from './use.commands.js';
import { authorisationsProjection } from './use.projection.js';

const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';

describe('bodies of commands', () => {
  const body = { commandId, subjectId, purposeId: 'news', channel: 'email', itemIds: [EMAIL, PHONE] };

  it('are read', async () => {
    expect(await readCommand(AuthoriseUse, body)).toMatchObject({ type: 'AuthoriseUse', ...body });
    expect(await readCommand(ObjectToMarketing, { commandId, subjectId })).toMatchObject({
      type: 'ObjectToMarketing',
      subjectId,
    });
  });
  it('take an optional field that is null for one left out', async () => {
    expect((await readCommand(AuthoriseUse, { ...body, channel: null })).channel).toBeUndefined();
  });
  it.each<readonly [string, object]>([
    ['subjectId', { subjectId: 'asha' }],
    ['subjectId', { subjectId: subjectId.toUpperCase() }],
    ['purposeId', { purposeId: '' }],
    ['channel', { channel: 'E-Mail' }],
    ['itemIds', { itemIds: undefined }],
    ['itemIds', { itemIds: [] }],
    ['itemIds', { itemIds: [EMAIL, EMAIL] }],
    ['itemIds', { itemIds: ['contact.email'] }],
    ['itemIds', { itemIds: EMAIL }],
    ['itemIds', { itemIds: [[]] }],
    ['itemIds', { itemIds: Array.from({ length: 101 }, (_, index) => EMAIL.slice(0, -3) + String(100 + index)) }],
    ['basis', { basis: 'consent' }],
  ])('are not read: %s (%#)', async (path, change) => {
    await expect(readCommand(AuthoriseUse, { ...body, ...change })).rejects.toThrow(`${path} (`);
  });
  it('object with the person and nothing else', async () => {
    await expect(readCommand(ObjectToMarketing, { commandId, subjectId, reason: 'none' })).rejects.toThrow('reason (');
    await expect(readCommand(ObjectToMarketing, { commandId })).rejects.toThrow('subjectId (');
  });
});

describe('UseAuthorisations', () => {
  const rows = (...events: readonly DomainEvent[]): readonly Row[] => {
    const log = logbook();
    events.forEach((event, index) => log.at(`2026-03-02T09:0${index}:00Z`, event));
    return tablesOf(authorisationsProjection, log.events)['use_authorisations']!;
  };
  const news = authorised();
  const { channel: _channel, basisRef: _ref, ...rest } = news.data;
  const support: DomainEvent = {
    type: 'UseAuthorised',
    data: { ...rest, useId: 'support', purposeId: 'support', commercial: false, basis: 'contract' },
  };
  const texts = authorised({ useId: 'texts', channel: 'sms', basisRef: 'consent-2' });
  const standing = (found: readonly Row[]) => found.map((row) => row['revoked_by']);

  it('shows what was allowed, to whom and until when', () =>
    expect(rows(news, support)).toEqual([
      {
        use_id: news.data.useId,
        subject_id: subjectId,
        purpose_id: 'news',
        purpose_version: 1,
        commercial: 1,
        channel: 'email',
        items: `[{"itemId":"${EMAIL}","version":1,"category":"contact.email"}]`,
        basis: 'consent',
        basis_ref: 'consent-1',
        actor_id: 'crm',
        authorised_at: '2026-03-02T09:00:00.000Z',
        expires_at: '2026-03-02T09:15:00.000Z',
        revoked_at: null,
        revoked_by: null,
        position: 1,
      },
      expect.objectContaining({ use_id: 'support', commercial: 0, channel: null, basis_ref: null }),
    ]));

  it.each<readonly [DomainEvent, readonly (string | null)[]]>([
    [withdrawn, ['ConsentWithdrawn', null, null]],
    [ended, ['ConsentExpired', null, null]],
    [{ ...ended, type: 'ConsentInvalidated' }, ['ConsentInvalidated', null, null]],
    [objected, ['MarketingObjectionReceived', 'MarketingObjectionReceived', null]],
    [restricted, ['ProcessingRestricted', 'ProcessingRestricted', 'ProcessingRestricted']],
  ])('shows what $type revokes', (event, revoked) =>
    expect(standing(rows(news, texts, support, event))).toEqual(revoked),
  );

  it('shows when, and by what first', () =>
    expect(rows(news, withdrawn, objected)).toMatchObject([
      { revoked_by: 'ConsentWithdrawn', revoked_at: '2026-03-02T09:01:00.000Z' },
    ]));
  it('gives nothing back', () => expect(standing(rows(news, restricted, lifted))).toEqual(['ProcessingRestricted']));
  it('leaves what is authorised afterwards', () =>
    expect(standing(rows(news, withdrawn, authorised({ useId: 'next', basisRef: 'consent-3' })))).toEqual([
      'ConsentWithdrawn',
      null,
    ]));
  it('leaves another person alone', () => {
    const other = authorised({ useId: 'other', subjectId: EMAIL, basisRef: 'consent-9' });
    expect(standing(rows(other, withdrawn, objected, restricted))).toEqual([null]);
  });
  it('is not misled by a renewal between the use and the withdrawal', () => {
    const renewed = given({ consentId: 'consent-4' });
    const withdrawal = { ...withdrawn, data: { ...withdrawn.data, consentId: 'consent-4' } };
    expect(standing(rows(news, renewed, withdrawal))).toEqual(['ConsentWithdrawn']);
  });
});

it('decides in the stream of the person; whoever may ask may pass on an objection', () => {
  const [slice] = useCapability.slices;
  for (const { command } of slice!.commands)
    expect(slice!.stream(Object.assign(new command(), { subjectId }))).toBe(`subject-${subjectId}`);
  const may = (type: string): readonly string[] | undefined =>
    slice!.commands.find(({ command }) => new command().type === type)?.roles;
  expect(may('AuthoriseUse')).toEqual(['service', 'staff']);
  expect(may('ObjectToMarketing')).toEqual(['service', 'staff', 'privacyOfficer', 'subject', 'agent']);
  // Only the person takes it back, and an officer sees to it that it was the person.
  expect(may('WithdrawMarketingObjection')).toEqual(['privacyOfficer']);
});

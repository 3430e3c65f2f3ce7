import { describe, expect, it } from '@jest/globals';
import { getMetadataStorage } from 'class-validator';
import fc from 'fast-check';
import type { DomainEvent, Row } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { readCommand, type Command } from '#slice';
import { consentCapability } from './consent.capability.js';
import {
  ExpireConsent,
  GiveConsent,
  InvalidateConsent,
  RefuseConsent,
  RequestConsent,
  ReviewConsent,
  WithdrawConsent,
} from './consent.commands.js';
import type { ConsentKey } from './consent.events.js';
import { consentExpiryPolicy, consentReviewPolicy } from './consent.policy.js';
import { consentLedgerProjection } from './consent.projection.js';
import {
  approved,
  given,
  invalidated,
  REVISED,
  renewed,
  requested,
  refused,
  upheld,
  WIDENED,
} from './testing/index.js';

const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const news = { subjectId, purposeId: 'news', channel: 'email' };
const withdrawal = { commandId, ...news };
const told = { noticeId: 'privacy', noticeVersion: 1, statementHash: 'a'.repeat(64) };
const consent = {
  ...withdrawal,
  noticeId: 'privacy',
  noticeVersion: 1,
  method: 'webForm',
  affirmativeAct: 'tickedBox',
  givenBy: 'subject',
};

describe('bodies of commands', () => {
  it('are read', async () => {
    const whole = {
      ...consent,
      statementHash: 'a'.repeat(64),
      bundled: false,
      conditional: false,
      statedAge: 40,
      expiresAt: '2027-03-02T09:00:00+01:00',
    };
    expect(await readCommand(GiveConsent, whole)).toMatchObject({ type: 'GiveConsent', ...whole });
    expect(await readCommand(GiveConsent, consent)).toMatchObject(consent);
    expect(await readCommand(WithdrawConsent, withdrawal)).toMatchObject({ type: 'WithdrawConsent', ...withdrawal });
    expect(await readCommand(WithdrawConsent, { ...withdrawal, method: 'phone' })).toMatchObject({ method: 'phone' });
    expect(await readCommand(RefuseConsent, withdrawal)).toMatchObject({ type: 'RefuseConsent', ...withdrawal });
    expect(await readCommand(ExpireConsent, withdrawal)).toMatchObject({ type: 'ExpireConsent', ...withdrawal });
    expect(await readCommand(ReviewConsent, withdrawal)).toMatchObject({ type: 'ReviewConsent', ...withdrawal });
    const question = { ...withdrawal, ...told, method: 'webForm' };
    expect(await readCommand(RequestConsent, question)).toMatchObject({ type: 'RequestConsent', ...question });
    const finding = { ...withdrawal, reason: 'noticeWrong' };
    expect(await readCommand(InvalidateConsent, finding)).toMatchObject({ type: 'InvalidateConsent', ...finding });
  });
  it('take an optional field that is null for one left out', async () => {
    const nothing = { statementHash: null, statedAge: null, expiresAt: null };
    const read = await readCommand(GiveConsent, { ...consent, ...nothing });
    expect([read.statementHash, read.statedAge, read.expiresAt]).toEqual([undefined, undefined, undefined]);
  });
  it.each<readonly [string, object]>([
    ['subjectId', { subjectId: 'Asha' }],
    ['subjectId', { subjectId: subjectId.toUpperCase() }],
    ['purposeId', { purposeId: 'News!' }],
    ['purposeId', { purposeId: undefined }],
    ['channel', { channel: 'x'.repeat(33) }],
    ['noticeId', { noticeId: undefined }],
    ['noticeVersion', { noticeVersion: 0 }],
    ['statementHash', { statementHash: 'A'.repeat(64) }],
    ['method', { method: 'telepathy' }],
    ['affirmativeAct', { affirmativeAct: 'nodded' }],
    ['affirmativeAct', { affirmativeAct: undefined }],
    ['givenBy', { givenBy: 'friend' }],
    ['bundled', { bundled: 'no' }],
    ['conditional', { conditional: 0 }],
    ['statedAge', { statedAge: -1 }],
    ['statedAge', { statedAge: 12.5 }],
    ['authorityRef', { authorityRef: 'her sister' }],
    ['expiresAt', { expiresAt: '2027-01-01' }],
    ['expiresAt', { expiresAt: '2027-01-01T00:00:00' }],
    ['consentId', { consentId: 'mine' }],
    ['channel', { channel: [] }],
  ])('are not read: %s (%#)', async (path, change) => {
    await expect(readCommand(GiveConsent, { ...consent, ...change })).rejects.toThrow(`${path} (`);
  });
  it('are not read when they give a reason for a withdrawal, or none for an invalidity', async () => {
    await expect(readCommand(WithdrawConsent, { ...withdrawal, reason: 'tooMany' })).rejects.toThrow('reason (');
    await expect(readCommand(RefuseConsent, { ...withdrawal, reason: 'tooMany' })).rejects.toThrow('reason (');
    await expect(readCommand(InvalidateConsent, withdrawal)).rejects.toThrow('reason (');
    await expect(readCommand(InvalidateConsent, { ...withdrawal, reason: 'purposeChanged' })).rejects.toThrow(
      'reason (',
    );
    await expect(readCommand(RequestConsent, { ...withdrawal, ...told })).rejects.toThrow('method (');
    await expect(
      readCommand(RequestConsent, { ...withdrawal, ...told, statementHash: null, method: 'phone' }),
    ).rejects.toThrow('statementHash (');
  });
});

describe('withdrawing is as easy as giving (Art 7(3))', () => {
  const metadata = (command: new () => Command) =>
    getMetadataStorage().getTargetValidationMetadatas(command, '', true, false);
  const fieldsOf = (command: new () => Command) => [
    ...new Set(metadata(command).map(({ propertyName }) => propertyName)),
  ];
  const requiredBy = (command: new () => Command) => {
    const optional = metadata(command).filter(({ type }) => type === 'conditionalValidation');
    return fieldsOf(command).filter((name) => !optional.some(({ propertyName }) => propertyName === name));
  };

  it.each([WithdrawConsent, RefuseConsent])('needs fewer fields, and no other ones: %p', (command) => {
    expect(requiredBy(command).sort()).toEqual(['channel', 'commandId', 'purposeId', 'subjectId']);
    expect(requiredBy(GiveConsent)).toEqual(expect.arrayContaining(requiredBy(command)));
    expect(requiredBy(command).length).toBeLessThan(requiredBy(GiveConsent).length);
    expect(fieldsOf(GiveConsent)).toEqual(expect.arrayContaining(fieldsOf(command)));
  });
  it('takes whatever a consent was given with: the same channel and method, of whatever kind', async () => {
    const methods = fc.constantFrom('webForm', 'phone', 'paper', 'inPerson', 'inProduct', 'email');
    const given = fc.record({ channel: fc.stringMatching(/^[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,2}$/), method: methods });
    await fc.assert(
      fc.asyncProperty(given, async (how) => {
        expect(await readCommand(GiveConsent, { ...consent, ...how })).toMatchObject(how);
        expect(await readCommand(WithdrawConsent, { ...withdrawal, ...how })).toMatchObject(how);
      }),
    );
  });
  it('is open to everyone who may take a consent', () => {
    const rolesOf = (command: unknown) =>
      consentCapability.slices[0]!.commands.find((each) => each.command === command)!.roles;
    for (const no of [WithdrawConsent, RefuseConsent])
      expect(rolesOf(no)).toEqual(expect.arrayContaining([...rolesOf(GiveConsent)]));
    for (const own of [ExpireConsent, ReviewConsent]) expect(rolesOf(own)).toEqual(['system']);
  });
});

describe('ConsentLedger', () => {
  const about = (consentId: string): ConsentKey => ({ ...news, consentId });
  const yes = (consentId: string, changes: object = {}) => given({ ...about(consentId), ...changes });
  const end = (type: string, consentId: string): DomainEvent => ({ type, data: about(consentId) });
  const tables = (...events: readonly DomainEvent[]) => {
    const log = logbook();
    events.forEach((event, index) => log.at(`2026-0${index + 1}-01T09:00:00Z`, event));
    return tablesOf(consentLedgerProjection, log.events);
  };
  const rows = (...events: readonly DomainEvent[]): readonly Row[] => tables(...events)['consents']!;
  const reviews = (...events: readonly DomainEvent[]) =>
    tables(...events)['consent_reviews']!.map((row) => [row['consent_id'], row['due']]);

  it('shows a consent with its evidence', () =>
    expect(rows(yes('one', { expiresAt: '2027-01-01T00:00:00.000Z', authorityRef: 'mandate-7' }))).toEqual([
      {
        consent_id: 'one',
        subject_id: subjectId,
        purpose_id: 'news',
        purpose_version: 1,
        channel: 'email',
        status: 'given',
        notice_id: 'privacy',
        notice_version: 1,
        statement_hash: 'a'.repeat(64),
        method: 'webForm',
        affirmative_act: 'tickedBox',
        given_by: 'subject',
        authority_ref: 'mandate-7',
        recorded_by: 'crm',
        requested_at: null,
        given_at: '2026-01-01T09:00:00.000Z',
        expires_at: '2027-01-01T00:00:00.000Z',
        covers_version: null,
        renews: null,
        renewed_by: null,
        ended_at: null,
        ended_by: null,
        reason: null,
        event_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        position: 1,
      },
    ]));
  it('shows it from the question on', () => {
    const asked = requested(about('one'));
    expect(rows(asked)).toMatchObject([
      { status: 'requested', notice_id: 'privacy', requested_at: '2026-01-01T09:00:00.000Z', given_at: null },
    ]);
    expect(rows(asked, yes('one'))).toMatchObject([
      {
        status: 'given',
        requested_at: '2026-01-01T09:00:00.000Z',
        given_at: '2026-02-01T09:00:00.000Z',
        ended_at: null,
        position: 1,
      },
    ]);
    expect(rows(asked, refused({ ...about('one') }))).toMatchObject([
      { status: 'refused', ended_at: '2026-02-01T09:00:00.000Z', ended_by: 'refused' },
    ]);
    expect(rows(asked, requested(about('two')), requested({ ...about('three'), channel: 'sms' }))).toMatchObject([
      { consent_id: 'one', status: 'lapsed', ended_at: '2026-02-01T09:00:00.000Z' },
      { consent_id: 'two', status: 'requested' },
      { consent_id: 'three', status: 'requested' },
    ]);
  });
  it('shows a no that answered no question', () =>
    expect(rows(refused(about('one')))).toMatchObject([
      { status: 'refused', notice_id: null, purpose_version: 1, given_at: null, ended_at: '2026-01-01T09:00:00.000Z' },
    ]));
  it.each([
    ['ConsentWithdrawn', 'withdrawn'],
    ['ConsentExpired', 'expired'],
    ['ConsentInvalidated', 'invalidated'],
  ])('shows how it ended: %s', (type, endedBy) =>
    expect(
      rows(yes('one'), yes('other', { channel: 'sms' }), {
        type,
        data: { ...about('one'), ...(endedBy === 'invalidated' && { reason: 'noticeWrong' }) },
      }),
    ).toMatchObject([
      {
        consent_id: 'one',
        status: endedBy,
        ended_at: '2026-03-01T09:00:00.000Z',
        ended_by: endedBy,
        reason: endedBy === 'invalidated' ? 'noticeWrong' : null,
      },
      { consent_id: 'other', status: 'given', ended_at: null, ended_by: null },
    ]),
  );
  it('shows a renewal beside what it renewed', () =>
    expect(
      rows(
        yes('one'),
        yes('elsewhere', { purposeId: 'surveys' }),
        renewed({ ...about('two'), purposeVersion: 2, renews: 'one' }),
        end('ConsentExpired', 'two'),
        renewed({ ...about('three'), renews: 'two' }),
      ),
    ).toMatchObject([
      { consent_id: 'one', status: 'renewed', ended_at: '2026-03-01T09:00:00.000Z', renewed_by: 'two', renews: null },
      { consent_id: 'elsewhere', status: 'given', renewed_by: null },
      {
        consent_id: 'two',
        status: 'expired',
        ended_at: '2026-04-01T09:00:00.000Z',
        renewed_by: 'three',
        renews: 'one',
      },
      { consent_id: 'three', status: 'given', ended_at: null, renews: 'two' },
    ]));
  it('takes a consent given while another stood for its renewal, as it once was stored', () =>
    expect(rows(yes('one'), yes('two'))).toMatchObject([
      { consent_id: 'one', status: 'renewed', ended_at: '2026-02-01T09:00:00.000Z', ended_by: 'renewed' },
      { consent_id: 'two', status: 'given' },
    ]));
  it('shows which version a consent was found to cover', () =>
    expect(rows(yes('one'), upheld(about('one')))).toMatchObject([{ purpose_version: 1, covers_version: 2 }]));
  it('shows everything that happened, and who recorded it', () => {
    const found = tables(requested(about('one')), yes('one'), invalidated(about('one')))['consent_events'];
    expect(found).toMatchObject([
      { type: 'ConsentRequested', method: 'webForm', reason: null, occurred_at: '2026-01-01T09:00:00.000Z' },
      { type: 'ConsentGiven', method: 'webForm', actor_id: 'crm', recorded_at: '2026-02-01T09:00:00.000Z' },
      { type: 'ConsentInvalidated', method: null, reason: 'noticeWrong', consent_id: 'one', position: 3 },
    ]);
  });

  it('hands what has lived its life to the steward, whose command can be read', async () => {
    const awaiting = (row: Row) =>
      Object.entries(consentExpiryPolicy.where).every(([name, cell]) => row[name] === cell) &&
      row[consentExpiryPolicy.dueColumn!] !== null;
    const until = { expiresAt: '2026-02-01T00:00:00.000Z' };
    const found = rows(
      yes('one', until),
      end('ConsentExpired', 'one'),
      renewed({ ...about('two'), ...until, renews: 'one' }),
      yes('three', { channel: 'sms' }),
    );
    expect(found.filter(awaiting)).toMatchObject([{ consent_id: 'two' }]);
    const { type, body } = consentExpiryPolicy.command([found[1]!]);
    expect(await readCommand(ExpireConsent, { commandId, ...body })).toMatchObject({ type, ...news });
  });

  describe('has a consent held against later versions of its purpose', () => {
    const plain = (consentId: string, changes: object = {}) => {
      const { reviewAt: _none, ...data } = yes(consentId, changes).data;
      return { type: 'ConsentGiven', data } as const;
    };
    const second: DomainEvent = {
      type: 'PurposeApproved',
      data: { ...approved('news', 2, REVISED).data, supersedes: 1 },
    };

    it('from when they take effect', () => {
      expect(reviews(plain('one'))).toEqual([['one', null]]);
      expect(reviews(plain('one'), approved('news'))).toEqual([['one', null]]);
      expect(reviews(plain('one'), plain('other', { purposeId: 'surveys' }), second)).toEqual([
        ['one', '2026-06-01T00:00:00.000Z'],
        ['other', null],
      ]);
    });
    it('the earliest first', () => {
      const third: DomainEvent = {
        type: 'PurposeApproved',
        data: { ...approved('news', 3, WIDENED).data, supersedes: 2 },
      };
      expect(reviews(plain('one'), second, third)).toEqual([['one', '2026-06-01T00:00:00.000Z']]);
      expect(reviews(plain('one'), second, third, upheld(about('one')))).toEqual([['one', '2026-10-01T00:00:00.000Z']]);
      const { reviewAt: _none, ...covered } = upheld(about('one')).data;
      expect(reviews(plain('one'), second, { type: 'ConsentUpheld', data: covered })).toEqual([['one', null]]);
    });
    it('also when it is given, or entered, after they were approved', () =>
      expect(reviews(second, yes('one'))).toEqual([['one', '2026-06-01T00:00:00.000Z']]));
    it('as long as it stands', () => {
      for (const type of ['ConsentWithdrawn', 'ConsentExpired', 'ConsentInvalidated'])
        expect(reviews(yes('one'), end(type, 'one'))).toEqual([]);
      expect(reviews(yes('one'), renewed({ ...about('two'), renews: 'one' }))).toMatchObject([
        ['two', expect.anything()],
      ]);
      expect(reviews(yes('one'), yes('two'))).toMatchObject([['two', expect.anything()]]);
    });
    it('by a command that can be read', async () => {
      const [due] = tables(yes('one'))['consent_reviews']!;
      expect(Object.keys(due!)).toContain(consentReviewPolicy.dueColumn);
      const { type, body } = consentReviewPolicy.command([due!]);
      expect(await readCommand(ReviewConsent, { commandId, ...body })).toMatchObject({ type, ...news });
    });
  });
});

it('decides in the stream of the person', () => {
  const [slice] = consentCapability.slices;
  for (const { command } of slice!.commands)
    expect(slice!.stream(Object.assign(new command(), news))).toBe(`subject-${subjectId}`);
});

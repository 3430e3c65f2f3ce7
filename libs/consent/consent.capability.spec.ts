import { describe, expect, it } from '@jest/globals';
import { getMetadataStorage } from 'class-validator';
import type { DomainEvent, Row } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { readCommand, type Command } from '#slice';
import { consentCapability } from './consent.capability.js';
import { ExpireConsent, GiveConsent, WithdrawConsent } from './consent.commands.js';
import { consentExpiryPolicy } from './consent.policy.js';
import { consentLedgerProjection } from './consent.projection.js';

const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
const subjectId = '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70';
const news = { subjectId, purposeId: 'news', channel: 'email' };
const withdrawal = { commandId, ...news };
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
    expect(await readCommand(ExpireConsent, withdrawal)).toMatchObject({ type: 'ExpireConsent', ...withdrawal });
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
    ['expiresAt', { expiresAt: '2027-01-01' }],
    ['expiresAt', { expiresAt: '2027-01-01T00:00:00' }],
    ['consentId', { consentId: 'mine' }],
    ['channel', { channel: [] }],
  ])('are not read: %s (%#)', async (path, change) => {
    await expect(readCommand(GiveConsent, { ...consent, ...change })).rejects.toThrow(`${path} (`);
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

  it('needs fewer fields, and no other ones', () => {
    expect(requiredBy(WithdrawConsent).sort()).toEqual(['channel', 'commandId', 'purposeId', 'subjectId']);
    expect(requiredBy(GiveConsent)).toEqual(expect.arrayContaining(requiredBy(WithdrawConsent)));
    expect(requiredBy(WithdrawConsent).length).toBeLessThan(requiredBy(GiveConsent).length);
    expect(fieldsOf(GiveConsent)).toEqual(expect.arrayContaining(fieldsOf(WithdrawConsent)));
  });
  it('is open to everyone who may take a consent', () => {
    const rolesOf = (command: unknown) =>
      consentCapability.slices[0]!.commands.find((each) => each.command === command)!.roles;
    expect(rolesOf(WithdrawConsent)).toEqual(expect.arrayContaining([...rolesOf(GiveConsent)]));
    expect(rolesOf(ExpireConsent)).toEqual(['system']);
  });
});

describe('ConsentLedger', () => {
  const given = (consentId: string, changes: object = {}): DomainEvent => ({
    type: 'ConsentGiven',
    data: {
      ...news,
      consentId,
      purposeVersion: 1,
      noticeId: 'privacy',
      noticeVersion: 1,
      statementHash: 'a'.repeat(64),
      method: 'webForm',
      affirmativeAct: 'tickedBox',
      givenBy: 'subject',
      ...changes,
    },
  });
  const ended = (type: string, consentId: string): DomainEvent => ({ type, data: { ...news, consentId } });
  const rows = (...events: readonly DomainEvent[]): readonly Row[] => {
    const log = logbook();
    events.forEach((event, index) => log.at(`2026-0${index + 1}-01T09:00:00Z`, event));
    return tablesOf(consentLedgerProjection, log.events)['consents']!;
  };

  it('shows a consent with its evidence', () =>
    expect(rows(given('one', { expiresAt: '2027-01-01T00:00:00.000Z' }))).toEqual([
      {
        consent_id: 'one',
        subject_id: subjectId,
        purpose_id: 'news',
        purpose_version: 1,
        channel: 'email',
        notice_id: 'privacy',
        notice_version: 1,
        statement_hash: 'a'.repeat(64),
        method: 'webForm',
        affirmative_act: 'tickedBox',
        given_by: 'subject',
        given_at: '2026-01-01T09:00:00.000Z',
        expires_at: '2027-01-01T00:00:00.000Z',
        ended_at: null,
        ended_by: null,
        position: 1,
      },
    ]));
  it.each([
    ['ConsentWithdrawn', 'withdrawn'],
    ['ConsentExpired', 'expired'],
  ])('shows how it ended: %s', (type, endedBy) =>
    expect(rows(given('one'), given('other', { channel: 'sms' }), ended(type, 'one'))).toMatchObject([
      { consent_id: 'one', ended_at: '2026-03-01T09:00:00.000Z', ended_by: endedBy },
      { consent_id: 'other', ended_at: null, ended_by: null },
    ]),
  );
  it('shows a renewal beside what it renewed', () =>
    expect(
      rows(
        given('one'),
        given('elsewhere', { purposeId: 'surveys' }),
        given('two', { purposeVersion: 2 }),
        ended('ConsentWithdrawn', 'two'),
        given('three'),
      ),
    ).toMatchObject([
      { consent_id: 'one', ended_at: '2026-03-01T09:00:00.000Z', ended_by: 'renewed' },
      { consent_id: 'elsewhere', ended_at: null },
      { consent_id: 'two', ended_at: '2026-04-01T09:00:00.000Z', ended_by: 'withdrawn' },
      { consent_id: 'three', ended_at: null },
    ]));

  it('hands what has lived its life to the steward, whose command can be read', async () => {
    const awaiting = (row: Row) =>
      Object.entries(consentExpiryPolicy.where).every(([name, cell]) => row[name] === cell) &&
      row[consentExpiryPolicy.dueColumn!] !== null;
    const until = { expiresAt: '2026-02-01T00:00:00.000Z' };
    const found = rows(
      given('one', until),
      ended('ConsentExpired', 'one'),
      given('two', until),
      given('three', { channel: 'sms' }),
    );
    expect(found.filter(awaiting)).toMatchObject([{ consent_id: 'two' }]);
    const { type, body } = consentExpiryPolicy.command([found[1]!]);
    expect(await readCommand(ExpireConsent, { commandId, ...body })).toMatchObject({ type, ...news });
  });
});

it('decides in the stream of the person', () => {
  const [slice] = consentCapability.slices;
  for (const { command } of slice!.commands)
    expect(slice!.stream(Object.assign(new command(), news))).toBe(`subject-${subjectId}`);
});

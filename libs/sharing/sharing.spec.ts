import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { CodecRegistry, type EventCodec } from '#event-log';
import type { DomainCommand } from '#kernel';
import { logbook, tablesOf } from '#kernel/testing';
import { InvalidCommand, readCommand, type Command } from '#slice';
import { RecordAgreement } from './agreement.commands.js';
import { ShareData } from './disclosure.commands.js';
import { disclosuresProjection } from './disclosure.projection.js';
import { RecordStatutoryInstrument } from './instrument.commands.js';
import { RegisterRecipient, StartGroupMembership } from './recipient.commands.js';
import { sharingCapability } from './sharing.capability.js';
import { sharingCodec } from './sharing.codec.js';
import { sharingRegistersProjection } from './sharing.projection.js';

const golden = JSON.parse(readFileSync(new URL('sharing.golden.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Readonly<Record<string, unknown>>>
>;
const registry = new CodecRegistry([sharingCodec as EventCodec]);
const log = logbook();
for (const [stored, data] of Object.entries(golden))
  log.at('2026-06-01T09:00:00Z', { type: registry.resolve(stored)?.type ?? stored, data });

describe('stored events', () => {
  it('have a sample for every name', () => expect(Object.keys(golden).sort()).toEqual(registry.storedTypes()));
  it.each(Object.keys(golden))('%s is read', (stored) => expect(registry.resolve(stored)).toBeDefined());
  it('fill the tables of the registers', () => {
    const tables = tablesOf(sharingRegistersProjection, log.events);
    expect(tables.recipients).toMatchObject([{ recipient_id: 'chersoft-pacific', country: 'NZ' }]);
    expect(tables.group_memberships).toMatchObject([{ member_from: '2024-01-01', member_to: '2026-06-01' }]);
    expect(tables.agreements).toMatchObject([
      {
        version: 1,
        kind: 'art28',
        purposes: '["send-newsletter"]',
        amended_from: '2026-06-01',
        ended_on: '2026-07-01',
      },
      { version: 2, in_force_from: '2026-06-01', in_force_to: '2028-01-01' },
    ]);
    expect(tables.instruments).toMatchObject([
      { no_tipping_off: 1, withdrawn_at: '2026-06-01T09:00:00.000Z', answered_at: '2026-06-01T09:00:00.000Z' },
    ]);
    expect(tablesOf(disclosuresProjection, log.events).disclosures).toHaveLength(1);
  });
});

describe('bodies of commands', () => {
  const commandId = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';
  const sample = (stored: string, changes: object = {}) => ({ commandId, ...golden[stored], ...changes });
  const wrong = async (command: new () => Command, body: object) => {
    const error: unknown = await readCommand(command, body).catch((thrown: unknown) => thrown);
    return error instanceof InvalidCommand ? error.fields.map(({ field }) => field) : [];
  };
  const disclosure = {
    commandId,
    subjectId: '7d9e2a10-5b6c-4d3e-8f1a-2b3c4d5e6f70',
    recipientId: 'adtech-ltd',
    purposeId: 'deliver-service',
    itemIds: ['11111111-1111-4111-8111-111111111111'],
    consentRef: 'consent-1',
    medium: 'api',
  };

  it('are read', async () => {
    expect(await wrong(RegisterRecipient, sample('recipient-registered.v1'))).toEqual([]);
    expect(await wrong(RegisterRecipient, { commandId, recipientId: 'self', kind: 'SELF' })).toEqual([]);
    expect(await wrong(StartGroupMembership, sample('group-membership-started.v1'))).toEqual([]);
    expect(await wrong(RecordAgreement, sample('agreement-recorded.v1'))).toEqual([]);
    expect(await wrong(RecordStatutoryInstrument, sample('statutory-instrument-recorded.v1'))).toEqual([]);
    expect(await wrong(RecordStatutoryInstrument, { commandId, instrumentId: 'letter' })).toEqual([]);
    expect(await wrong(ShareData, disclosure)).toEqual([]);
  });
  it('describe an organisation in full, and no sole trader', async () => {
    expect(await wrong(RegisterRecipient, { commandId, recipientId: 'mail-host', kind: 'PROCESSOR' })).toEqual(
      expect.arrayContaining(['name', 'legalForm', 'country']),
    );
    const soleTrader = sample('recipient-registered.v1', { legalForm: 'soleTrader' });
    expect(await wrong(RegisterRecipient, soleTrader)).toEqual(['legalForm']);
    expect(await wrong(RegisterRecipient, { commandId, recipientId: 'self', kind: 'SELF', name: 7 })).toContain('name');
    expect(await wrong(RegisterRecipient, sample('recipient-registered.v1', { country: 'nz' }))).toEqual(['country']);
  });
  it('hold dates that exist', async () => {
    expect(await wrong(StartGroupMembership, sample('group-membership-started.v1', { from: '2026-02-30' }))).toEqual([
      'from',
    ]);
  });
  it('are bounded, inside too', async () => {
    expect(await wrong(RecordAgreement, sample('agreement-recorded.v1', { publicSummary: 'x'.repeat(2001) }))).toEqual([
      'publicSummary',
    ]);
    const scope = { categories: ['Contact Email'], subjectIds: ['asha'], extra: 1 };
    const nested = await wrong(RecordStatutoryInstrument, sample('statutory-instrument-recorded.v1', { scope }));
    expect(nested).toEqual(expect.arrayContaining(['scope.categories', 'scope.subjectIds', 'scope.extra']));
    const itemIds = [...disclosure.itemIds, ...disclosure.itemIds];
    expect(await wrong(ShareData, { ...disclosure, itemIds, basis: 'habit' })).toEqual(['itemIds', 'basis']);
  });
});

describe('the capability', () => {
  const id = 'x';
  it.each([
    ['RegisterRecipient', { recipientId: id }, 'recipient-x'],
    ['RecordAgreement', { agreementId: id }, 'agreement-x'],
    ['RecordStatutoryInstrument', { instrumentId: id }, 'instrument-x'],
    ['ShareData', { subjectId: id }, 'subject-x'],
  ])('decides %s in its stream', (type, fields, stream) => {
    const slice = sharingCapability.slices.find((each) => each.commands.some(({ command }) => command.name === type));
    const command: DomainCommand = { type, ...fields };
    expect(slice?.stream(command)).toBe(stream);
    expect(stream.startsWith(slice!.streamPrefix)).toBe(true);
  });
});

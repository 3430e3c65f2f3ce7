import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Actor, Register, DomainEvent } from '#kernel';
import { factsAt, logbook, registerOf, scenario, tablesOf } from '#kernel/testing';
import { readCommand, type Command, type Registers, type Touched } from '#slice';
import { DraftServiceContract, type ContractDomainCommand } from './contract.commands.js';
import { contractDecider } from './contract.decider.js';
import type {
  ContractEvent,
  ServiceContractApproved,
  ServiceContractDrafted,
  ServiceContractEnded,
  ServiceScope,
} from './contract.events.js';
import { serviceContractsProjection } from './contract.projection.js';
import { contractRegister } from './contract.register.js';
import { withinContract } from './contract.rule.js';

const ADA: Actor = { id: 'ada', type: 'user', roles: ['privacyOfficer'] };
const BEN: Actor = { id: 'ben', type: 'user', roles: ['privacyOfficer'] };
const CRM: Actor = { id: 'crm', type: 'service_account', roles: ['service'] };
const scope: ServiceScope = {
  purposes: ['support-ticket'],
  categories: ['contact.email'],
  collectionPoints: ['support-form'],
};
const wider: ServiceScope = { ...scope, purposes: ['support-ticket', 'billing'] };
const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: ADA, serviceId: 'crm' };
const draft = (content = scope): ContractDomainCommand => ({ ...sent, type: 'DraftServiceContract', ...content });
const approve = (version = 1): ContractDomainCommand => ({ ...sent, type: 'ApproveServiceContract', version });
const end: ContractDomainCommand = { ...sent, type: 'EndServiceContract' };
const drafted = (version = 1, content = scope): ServiceContractDrafted => ({
  type: 'ServiceContractDrafted',
  data: { serviceId: 'crm', version, author: 'ada', ...content },
});
const approved = (version = 1): ServiceContractApproved => ({
  type: 'ServiceContractApproved',
  data: { serviceId: 'crm', version, approver: 'ben' },
});
const ended = (version = 1): ServiceContractEnded => ({
  type: 'ServiceContractEnded',
  data: { serviceId: 'crm', version },
});
const { given, when } = scenario(contractDecider, factsAt(undefined, { actor: ADA }));
const byBen = { actor: BEN };

describe('the contract of a service', () => {
  it('is drafted by one person and approved by another', () => {
    when(draft()).then(drafted());
    given(drafted()).when(approve(), byBen).then(approved());
    given(drafted()).when(approve()).thenRefused('FOUR_EYES_REQUIRED', { serviceId: 'crm', version: 1 });
  });
  it('is drafted and approved once', () => {
    given(drafted()).when(draft()).thenNothing();
    given(drafted(), approved()).when(approve(), byBen).thenNothing();
  });
  it('counts its versions, of which only the newest can be approved', () => {
    given(drafted(), approved()).when(draft(wider)).then(drafted(2, wider));
    given(drafted(), drafted(2, wider))
      .when(approve(), byBen)
      .thenRefused('VERSION_CONFLICT', { serviceId: 'crm', version: 1, newest: 2 });
  });
  it('needs a draft', () => {
    when(approve(), byBen).thenRefused('REGISTER_ENTRY_UNKNOWN', { serviceId: 'crm', version: 1 });
    when(end).thenRefused('REGISTER_ENTRY_UNKNOWN', { serviceId: 'crm' });
  });
  it('ends at once, and once', () => {
    given(drafted(), approved()).when(end).then(ended());
    given(drafted(), approved(), ended()).when(end).thenNothing();
  });
});

describe('a command of a service', () => {
  const rule = (
    events: readonly ContractEvent[],
    command: object,
    { actor = CRM, forThePerson = false, touched = {} as Touched } = {},
  ): unknown => {
    const state = registerOf<ContractEvent, typeof contractRegister.initialState>(contractRegister, ...events);
    const registers: Registers = { get: <E extends DomainEvent, S>(_register: Register<E, S>) => state as S };
    return withinContract({ command: command as Command, actor, forThePerson, touched }, registers);
  };
  const bound = [drafted(), approved()];
  const collection = {
    purposeId: 'support-ticket',
    collectionPointId: 'support-form',
    items: [{ category: 'contact.email' }],
  };

  it('is within its contract', () => expect(rule(bound, collection)).toBeUndefined());

  it.each<[string, object, object]>([
    ['a purpose', { purposeId: 'billing' }, { field: 'purposeId', purposeId: 'billing' }],
    ['a collection point', { collectionPointId: 'till' }, { field: 'collectionPointId', collectionPointId: 'till' }],
    [
      'a category',
      { items: [{ category: 'contact.email' }, { category: 'contact.phone' }] },
      { field: 'categories', categories: ['contact.phone'] },
    ],
  ])('is refused for %s beyond it', (_what, change, details) =>
    expect(rule(bound, { ...collection, ...change })).toEqual({
      code: 'OUTSIDE_SERVICE_CONTRACT',
      details: { serviceId: 'crm', ...details },
    }),
  );

  it.each<[string, Touched, object]>([
    ['purpose', { purposes: ['support-ticket', 'billing'] }, { field: 'purposeId', purposeId: 'billing' }],
    ['category', { categories: ['contact.phone'] }, { field: 'categories', categories: ['contact.phone'] }],
  ])('is refused when an item it names by its id is of a %s beyond it', (_what, touched, details) =>
    expect(rule(bound, { itemIds: [] }, { touched })).toEqual({
      code: 'OUTSIDE_SERVICE_CONTRACT',
      details: { serviceId: 'crm', ...details },
    }),
  );

  it.each<[string, readonly ContractEvent[]]>([
    ['none', []],
    ['a draft', [drafted()]],
    ['one that has ended', [...bound, ended()]],
  ])('names no purpose with %s for a contract', (_what, events) =>
    expect(rule(events, collection)).toMatchObject({ code: 'OUTSIDE_SERVICE_CONTRACT' }),
  );

  it('is held to the version that was approved last', () => {
    expect(rule([...bound, drafted(2, wider)], { purposeId: 'billing' })).toBeDefined();
    expect(rule([...bound, drafted(2, wider), approved(2)], { purposeId: 'billing' })).toBeUndefined();
  });

  it('passes on what the person wants, whatever the contract', () =>
    expect(rule([], { purposeId: 'product-news' }, { forThePerson: true })).toBeUndefined());

  it('is not a person’s: their roles and grants speak for them', () =>
    expect(rule([], collection, { actor: ADA })).toBeUndefined());

  it('that names nothing has nothing to exceed', () => expect(rule([], { items: 'none' })).toBeUndefined());
});

it('contracts are on record with who stands behind them and since when', () => {
  const log = logbook();
  [drafted(), approved(), drafted(2, wider), approved(2), ended(2)].forEach((event) =>
    log.at('2026-11-23T09:00:00Z', event),
  );
  expect(tablesOf(serviceContractsProjection, log.events)['service_contracts']).toMatchObject([
    { service_id: 'crm', version: 1, status: 'replaced', author: 'ada', approver: 'ben' },
    { version: 2, status: 'ended', purposes: '["support-ticket","billing"]' },
  ]);
});

it('is read from a body that names entries of registers', async () => {
  const body = { commandId: sent.commandId, serviceId: 'crm', ...scope };
  expect(await readCommand(DraftServiceContract, body)).toMatchObject(scope);
  for (const [field, value] of Object.entries({ purposes: ['*'], categories: ['Email'], collectionPoints: 'all' }))
    await expect(readCommand(DraftServiceContract, { ...body, [field]: value })).rejects.toThrow(field);
});

it('has two people behind every version that binds, and changes nothing when a command comes again', () => {
  const command = fc.oneof(
    fc.constantFrom(scope, wider).map(draft),
    fc.integer({ min: 1, max: 3 }).map(approve),
    fc.constant(end),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(command, fc.constantFrom(ADA, BEN)), { maxLength: 10 }), (steps) => {
      let history: ContractEvent[] = [];
      for (const [each, actor] of steps) {
        const { outcome, thenRepeatedNothing } = given(...history).when(each, { actor });
        if (outcome.kind === 'refused') continue;
        thenRepeatedNothing();
        history = [...history, ...outcome.events];
      }
      const authors = new Map(
        history.flatMap((event) =>
          event.type === 'ServiceContractDrafted' ? [[event.data.version, event.data.author] as const] : [],
        ),
      );
      for (const event of history)
        if (event.type === 'ServiceContractApproved')
          expect(event.data.approver).not.toBe(authors.get(event.data.version));
    }),
  );
});

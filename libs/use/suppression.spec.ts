import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { factsAt, logbook, registerOf, scenario, tablesOf } from '#kernel/testing';
import { addressKindOf, normalised } from './address.js';
import type { SuppressionDomainCommand } from './suppression.commands.js';
import { suppressionDecider } from './suppression.decider.js';
import type { SuppressionEvent } from './suppression.events.js';
import { suppressionListProjection } from './suppression.projection.js';
import { liftedSuppressionRegister } from './suppression.register.js';
import { objected } from './testing/index.js';

const suppressionId = '22222222-2222-4222-8222-222222222222';
const sent = { commandId: suppressionId, actor: factsAt().actor, suppressionId };
const suppress = {
  ...sent,
  type: 'SuppressAddress',
  kind: 'email',
  address: 'asha@example.test',
  source: 'person',
} as SuppressionDomainCommand;
const lift = { ...sent, type: 'LiftSuppression' } as SuppressionDomainCommand;
const remove = { ...sent, type: 'RemoveSuppression' } as SuppressionDomainCommand;
const suppressed: SuppressionEvent = {
  type: 'AddressSuppressed',
  data: { suppressionId, kind: 'email', source: 'person' },
};
const lifted: SuppressionEvent = { type: 'SuppressionLifted', data: { suppressionId } };
const removed: SuppressionEvent = { type: 'SuppressionRemoved', data: { suppressionId } };
const { given, when } = scenario(suppressionDecider, { ...factsAt(), isHeld: true });
const gone = { isHeld: false };

describe('an address', () => {
  it.each([
    ['contact.email', 'email'],
    ['billing.email', 'email'],
    ['contact.phone', 'phone'],
    ['contact.mobile', 'phone'],
    ['contact.address', 'post'],
    ['contact.name', undefined],
    ['ticket.text', undefined],
    ['contact.constructor', undefined],
  ])('in %s is of the kind %s', (category, kind) => expect(addressKindOf(category)).toBe(kind));

  it.each([
    ['email', 'asha@example.test', [' Asha@Example.TEST ', 'ＡＳＨＡ@example.test']],
    ['phone', '+44 20 7946 0101', ['020 7946 0101', '0044 (0)20-7946-0101', '+44 (0)20 7946 0101', '442079460101']],
    ['post', '1 Quay St.\nHarwich', ['1 quay st, harwich', ' 1  Quay  St  Harwich']],
  ] as const)('that is a %s has one spelling', (kind, address, others) => {
    for (const other of others) expect(normalised(kind, other)).toEqual(normalised(kind, address));
  });
  it('is another one when it is another one', () => {
    expect(normalised('email', 'asha@example.test')).not.toEqual(normalised('email', 'ashe@example.test'));
    expect(normalised('phone', '020 7946 0101')).not.toEqual(normalised('phone', '+33 20 7946 0101'));
    expect(normalised('email', '1').text).not.toBe(normalised('phone', '1').text);
  });
});

describe('a suppression', () => {
  it('says that there is one, and not where', () => {
    const { outcome } = when(suppress);
    expect(outcome).toEqual({ kind: 'accepted', events: [suppressed] });
    expect(JSON.stringify(outcome)).not.toContain('asha');
  });
  it('is made once, and its id stands for nothing else afterwards', () => {
    given(suppressed).when(suppress).thenNothing();
    for (const past of [
      [suppressed, lifted],
      [suppressed, lifted, removed],
    ])
      given(...past)
        .when(suppress)
        .thenRefused('REGISTER_ENTRY_EXISTS', { suppressionId });
  });
  it('is lifted, also one that rests on an objection, and once', () => {
    given(suppressed).when(lift).then(lifted);
    when(lift).then(lifted);
    given(suppressed, lifted).when(lift).thenNothing();
    when(lift, gone).thenRefused('REGISTER_ENTRY_UNKNOWN', { suppressionId });
  });
  it('is gone when the vault has forgotten it, not before, and only after it was lifted', () => {
    given(suppressed, lifted).when(remove, gone).then(removed);
    given(suppressed, lifted).when(remove).thenNothing();
    given(suppressed).when(remove, gone).thenNothing();
    given(suppressed, lifted, removed).when(remove, gone).thenNothing();
  });
  it('counts for nothing while it is lifted and not yet gone', () => {
    const ids = (...events: SuppressionEvent[]) => [
      ...registerOf<SuppressionEvent, typeof liftedSuppressionRegister.initialState>(
        liftedSuppressionRegister,
        ...events,
      ),
    ];
    expect(ids(suppressed)).toEqual([]);
    expect(ids(suppressed, lifted)).toEqual([suppressionId]);
    expect(ids(suppressed, lifted, removed)).toEqual([]);
  });
  it('changes nothing when a command comes again', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(suppress, lift, remove), fc.boolean())), (steps) => {
        let history: SuppressionEvent[] = [];
        for (const [command, isHeld] of steps) {
          const { outcome, thenRepeatedNothing } = given(...history).when(command, { isHeld });
          if (outcome.kind === 'refused') continue;
          thenRepeatedNothing();
          history = [...history, ...outcome.events];
        }
      }),
    );
  });
});

it('SuppressionList says on what each rests and what became of it, and no address', () => {
  const log = logbook();
  [objected, suppressed, lifted, removed].forEach((event) => log.at('2026-11-23T09:00:00Z', event as never));
  expect(tablesOf(suppressionListProjection, log.events)['suppressions']).toMatchObject([
    { source: 'objection', addresses: 0, lifted_at: null },
    { suppression_id: suppressionId, source: 'person', kind: 'email', removed_at: '2026-11-23T09:00:00.000Z' },
  ]);
});

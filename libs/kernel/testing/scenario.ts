import { expect } from '@jest/globals';
import {
  instant,
  refuse,
  unchanged,
  uuidV5,
  type Decider,
  type DomainCommand,
  type DomainEvent,
  type Facts,
  type Outcome,
  type RefusalCode,
} from '../index.js';

/** Where scenarios take place, unless a test says otherwise: a Monday morning in London. */
export const NOW = instant('2026-11-23T09:00:00Z');
const COMMAND = '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87';

/** Facts for a scenario: fixed time, a named person, ids derived from names. */
export function factsAt(at: string = NOW, overrides: Partial<Facts> = {}): Facts {
  return {
    actor: { id: 'crm', type: 'service_account', roles: ['service'] },
    now: instant(at),
    occurredAt: instant(at),
    id: (name) => uuidV5(COMMAND, name),
    ...overrides,
  };
}

/**
 * Sentences over facts: `scenario(decider, facts).given(granted).when(withdraw).then(withdrawn)`.
 * Whatever a sentence is about, an accepted command that arrives a second time must yield nothing.
 */
export function scenario<C extends DomainCommand, E extends DomainEvent, S, F extends Facts>(
  decider: Decider<C, E, S, F>,
  facts: F,
) {
  const fold = (events: readonly E[], at = facts.occurredAt, from = decider.initialState): S =>
    events.reduce((state, event) => decider.evolve(state, event, at), from);
  const when =
    (history: readonly E[]) =>
    (command: C, override: Partial<F> = {}) => {
      const state = fold(history);
      const known = { ...facts, ...override };
      const outcome: Outcome<E> = decider.decide(command, state, known);
      if (outcome.kind === 'accepted' && outcome.events.length > 0) {
        const after = fold(outcome.events, known.occurredAt, state);
        expect(decider.decide(command, after, known)).toEqual(unchanged);
      }
      return {
        outcome,
        then(...events: E[]) {
          expect(outcome).toEqual({ kind: 'accepted', events });
        },
        thenTypes(...types: E['type'][]) {
          expect(outcome.kind === 'accepted' ? outcome.events.map((event) => event.type) : outcome).toEqual(types);
        },
        thenNothing() {
          expect(outcome).toEqual({ kind: 'accepted', events: [] });
        },
        thenRefused(code: RefusalCode, details?: Parameters<typeof refuse>[1]) {
          expect(outcome).toMatchObject({ kind: 'refused', refusal: { code, ...(details && { details }) } });
        },
        /** The same command once more, after its own events: nothing may change. */
        thenRepeatedNothing() {
          if (outcome.kind !== 'accepted') throw new Error(`refused with ${outcome.refusal.code}`);
          const again = decider.decide(command, fold([...history, ...outcome.events]), known);
          expect(again).toEqual({ kind: 'accepted', events: [] });
        },
      };
    };
  return { given: (...history: E[]) => ({ when: when(history) }), when: when([]) };
}

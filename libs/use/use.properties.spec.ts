import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, instantOf, uuidV5 } from '#kernel';
import {
  collected,
  confirmed,
  corrected,
  doubted,
  EMAIL,
  ended,
  erased,
  expired,
  facts,
  given,
  lifted,
  object,
  objected,
  OPENED,
  PHONE,
  presented,
  registered,
  restricted,
  UNHEARD,
  use,
  withdrawn,
  type Folded,
} from './testing/index.js';
import type { UseDomainCommand } from './use.commands.js';
import { useDecider, type UseState } from './use.decider.js';

const MINUTE = 60_000;
const START = Date.parse('2026-03-02T09:00:00Z');
const over = (purposeId: string, channel: string) => ({ purposeId, channel });

const purposeId = fc.constantFrom('news', 'research', 'support');
const channel = fc.constantFrom('email', 'sms');
/** What happens about the person; a version stands for the current one of the e-mail address. */
const happening: fc.Arbitrary<(version: number) => Folded> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ purposeId, channel }).map((about) => () => given(about)) },
  {
    weight: 4,
    arbitrary: fc
      .record({ purposeId, channel, end: fc.constantFrom(withdrawn, ended) })
      .map(({ end, ...about }) => (): Folded => ({ ...end, data: { ...end.data, ...about } })),
  },
  { weight: 1, arbitrary: fc.constant(() => objected) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      () => restricted,
      () => lifted,
      () => lifted,
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(expired, erased) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      () => doubted,
      () => confirmed(),
      () => presented(),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant((version: number) => {
      const { data, type } = corrected();
      return { type, data: { ...data, fromVersion: version, toVersion: version + 1 } };
    }),
  },
);
const command: fc.Arbitrary<UseDomainCommand> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc
      .record({
        purposeId,
        channel,
        itemIds: fc.uniqueArray(fc.constantFrom(EMAIL, EMAIL, PHONE, UNHEARD), { minLength: 1, maxLength: 2 }),
      })
      .map(use),
  },
  { weight: 1, arbitrary: fc.constant(object) },
);
const step = fc.oneof(fc.record({ happening }), fc.record({ command }), fc.record({ command }));
const steps = fc.array(step, { maxLength: 60, size: 'max' });

/** What stands in the way, kept by a reading of the events that knows nothing of the decider. */
class Model {
  readonly consents = new Set<string>();
  objected = false;
  restricted = false;
  gone = false;
  version = 1;
  see(event: Folded): void {
    if (event.type === 'ConsentGiven') this.consents.add(`${event.data.purposeId} ${event.data.channel}`);
    if (event.type === 'ConsentWithdrawn' || event.type === 'ConsentExpired')
      this.consents.delete(`${event.data.purposeId} ${event.data.channel}`);
    if (event.type === 'MarketingObjectionReceived') this.objected = true;
    if (event.type === 'ProcessingRestricted') this.restricted = true;
    if (event.type === 'RestrictionLifted') this.restricted = false;
    if (event.type === 'RetentionExpired' || event.type === 'DataErased')
      this.gone ||= event.data.items.some((item) => item.version === this.version);
    if (event.type === 'DataCorrected') this.version = event.data.toVersion;
  }
}

describe('over random interleavings', () => {
  const opening: readonly Folded[] = [
    registered,
    collected(),
    given({ purposeId: 'news', channel: 'email' }),
    given(over('research', 'sms')),
  ];

  it.each(['support', 'research'])('with data collected for %s, no use slips past what stands in its way', (held) => {
    const allowed = new Map<string, number>();
    fc.assert(
      fc.property(steps, (all) => {
        const model = new Model();
        let state: UseState = useDecider.initialState;
        const record = (event: Folded, millisecond: number) => {
          model.see(event);
          state = useDecider.evolve(state, event, instantOf(millisecond));
        };
        for (const event of opening)
          record(event.type === 'DataCollected' ? collected({ purposeId: held }) : event, Date.parse(OPENED));
        all.forEach((each, index) => {
          const now = START + index * MINUTE;
          if ('happening' in each) return record(each.happening(model.version), now);
          const known = facts(instantOf(now), { id: (name) => uuidV5(UNHEARD, `${index} ${name}`) });
          const outcome = useDecider.decide(each.command, state, known);
          if (outcome.kind === 'refused') return;
          for (const event of outcome.events) {
            if (event.type === 'UseAuthorised') {
              const { purposeId: purpose, channel: by, commercial, items } = event.data;
              expect(model.restricted).toBe(false);
              if (commercial) expect(model.objected).toBe(false);
              if (purpose !== 'support') expect(model.consents).toContain(`${purpose} ${by}`);
              if (items.some(({ itemId }) => itemId === EMAIL)) expect(model.gone).toBe(false);
              for (const { itemId, version } of items) expect(version).toBe(itemId === EMAIL ? model.version : 1);
              expect(Date.parse(event.data.expiresAt) - now).toBe(15 * MINUTE);
              allowed.set(purpose, (allowed.get(purpose) ?? 0) + 1);
            }
            record(event, now);
          }
          expect(useDecider.decide(each.command, state, known)).toEqual({ kind: 'accepted', events: [] });
        });
      }),
      { numRuns: 300 },
    );
    // It says something only because uses were authorised.
    expect(allowed.get('news')).toBeGreaterThan(0);
    expect(allowed.get(held)).toBeGreaterThan(0);
  });

  it('what has gone stays gone, whatever else happens', () => {
    const other = happening.map((build) => build(1));
    fc.assert(
      fc.property(fc.array(other, { size: 'max', maxLength: 40 }), (events) => {
        let state = [...opening, expired()].reduce(
          (folded, event) => useDecider.evolve(folded, event, instant(OPENED)),
          useDecider.initialState,
        );
        for (const event of events) state = useDecider.evolve(state, event, instantOf(START));
        expect(useDecider.decide(use({ purposeId: 'support' }), state, facts('2026-03-03T09:00:00Z'))).toMatchObject({
          refusal: { code: 'DATA_ERASED' },
        });
      }),
    );
  });

  it('any events fold in any order', () => {
    const anything = fc.oneof(
      happening.map((build) => build(2)),
      fc.constantFrom<Folded>(registered, collected(), collected({ source: 'thirdParty' }), presented('constructor')),
    );
    fc.assert(
      fc.property(fc.array(anything), (events) => {
        const state = events.reduce(
          (folded, event) => useDecider.evolve(folded, event, instantOf(START)),
          useDecider.initialState,
        );
        expect(state.objection !== undefined).toBe(events.some(({ type }) => type === 'MarketingObjectionReceived'));
      }),
    );
  });
});

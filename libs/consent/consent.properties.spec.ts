import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { epochMilliseconds, instant, instantOf, uuidV5 } from '#kernel';
import type { ConsentDomainCommand } from './consent.commands.js';
import { consentDecider } from './consent.decider.js';
import type { ConsentEvent } from './consent.events.js';
import {
  expired,
  expireOf,
  facts,
  fold,
  give,
  given,
  invalidate,
  invalidated,
  OPENED,
  presented,
  refused,
  registered,
  renewed,
  request,
  requested,
  review,
  sayNo,
  sent,
  TODAY,
  upheld,
  withdraw,
  withdrawn,
  type Folded,
} from './testing/index.js';

const about = fc.record({
  purposeId: fc.constantFrom('news', 'constructor'),
  channel: fc.constantFrom('email', 'sms'),
});
const told = { noticeVersion: fc.integer({ min: 1, max: 2 }), noticeId: fc.constantFrom('privacy', 'leaflet') };
const command: fc.Arbitrary<ConsentDomainCommand> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ about, ...told }).map(({ about: each, ...changes }) => request({ ...each, ...changes })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record(
        { about, ...told, expiresAt: fc.constantFrom('2026-07-01T00:00:00Z', '2026-09-01T02:00:00+02:00') },
        { requiredKeys: ['about'] },
      )
      .map(({ about: each, ...changes }) => give({ ...each, ...changes })),
  },
  { weight: 1, arbitrary: about.map(sayNo) },
  { weight: 1, arbitrary: about.map(withdraw) },
  { weight: 2, arbitrary: about.map(expireOf) },
  { weight: 1, arbitrary: about.map(invalidate) },
  { weight: 3, arbitrary: about.map(review) },
);
const step = fc.record({
  command,
  days: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 30 })),
  late: fc.nat({ max: 30 }),
});
const shown = [presented(), presented(2), presented(1, 'leaflet')].map((each) => [OPENED, each] as const);

describe('over random histories', () => {
  it('an accepted command sent again yields nothing, and no consent is older than a no', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: 'max' }), (steps) => {
        let state = fold([[OPENED, registered], ...shown]);
        let now = epochMilliseconds(instant(TODAY));
        const noes = new Map<string, string>();
        const live = new Set<string>();
        steps.forEach((each, index) => {
          now += each.days * 86_400_000;
          const at = instantOf(now - each.late * 86_400_000);
          const known = facts(instantOf(now), {
            occurredAt: at,
            id: (name) => uuidV5(sent.commandId, `${index} ${name}`),
          });
          const outcome = consentDecider.decide(each.command, state, known);
          if (outcome.kind === 'refused') return;
          const next = outcome.events.reduce((folded, event) => consentDecider.evolve(folded, event, at), state);
          expect(consentDecider.decide(each.command, next, known)).toEqual({ kind: 'accepted', events: [] });
          const key = `${each.command.purposeId} ${each.command.channel}`;
          for (const event of outcome.events) {
            seen.add(event.type);
            switch (event.type) {
              case 'ConsentGiven':
              case 'ConsentRenewed':
                expect(at >= (noes.get(key) ?? '')).toBe(true);
                noes.delete(key);
                live.add(key);
                break;
              case 'ConsentWithdrawn':
                expect(live).toContain(key);
                live.delete(key);
                noes.set(key, at);
                break;
              case 'ConsentRefused':
                noes.set(key, at > (noes.get(key) ?? '') ? at : noes.get(key)!);
                break;
              case 'ConsentExpired':
              case 'ConsentInvalidated':
                expect(live).toContain(key);
                live.delete(key);
            }
          }
          state = next;
          const standing = state.consents[`${each.command.purposeId}/${each.command.channel}`];
          expect(standing?.status === 'given').toBe(live.has(key));
        });
      }),
      { numRuns: 300 },
    );
    expect(seen).toEqual(
      new Set([
        'ConsentRequested',
        'ConsentGiven',
        'ConsentRenewed',
        'ConsentRefused',
        'ConsentWithdrawn',
        'ConsentExpired',
        'ConsentInvalidated',
        'ConsentUpheld',
      ]),
    );
  });

  it('folds any events in any order', () => {
    const event = fc.oneof(
      fc.constantFrom<Folded>(registered, presented(), presented(2, 'constructor')),
      fc
        .record({
          about,
          of: fc.constantFrom<ConsentEvent>(
            requested(),
            given(),
            renewed(),
            refused(),
            withdrawn,
            expired,
            invalidated(),
            upheld(),
          ),
        })
        .map(({ about: each, of }) => ({ ...of, data: { ...of.data, ...each } }) as ConsentEvent),
    );
    const ENDS: Readonly<Record<string, string>> = {
      ConsentGiven: 'given',
      ConsentRenewed: 'given',
      ConsentRefused: 'refused',
      ConsentWithdrawn: 'withdrawn',
      ConsentExpired: 'expired',
      ConsentInvalidated: 'invalidated',
    };
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const state = fold(events.map((each) => [TODAY, each]));
        const last = events.findLast((each): each is ConsentEvent => each.type in ENDS);
        if (!last) return expect(state.consents).toEqual({});
        expect(state.consents[`${last.data.purposeId}/${last.data.channel}`]?.status).toBe(ENDS[last.type]);
      }),
    );
  });
});

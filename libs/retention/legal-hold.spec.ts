import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { instant, instantOf } from '#kernel';
import { factsAt, logbook, scenario, tablesOf } from '#kernel/testing';
import type { LegalHoldDomainCommand } from './legal-hold.commands.js';
import { legalHoldDecider } from './legal-hold.decider.js';
import type { LegalHoldEvent } from './legal-hold.events.js';
import { legalHoldsProjection } from './legal-hold.projection.js';
import { legalHoldRegister, legalHoldsAsOf } from './legal-hold.register.js';

const holdId = 'matter-1';
const by = (id: string) => ({ actor: { id, type: 'user' as const, roles: ['legal'] } });
const sent = { commandId: '5b1f0c5e-7d8a-4c5b-9a3e-2f6d1c0b9a87', actor: by('counsel').actor, holdId };
const place = (more: object = {}): LegalHoldDomainCommand =>
  ({
    ...sent,
    type: 'PlaceLegalHold',
    scope: { categories: ['contact.email'] },
    matterRef: 'M-1',
    basis: 'legalClaims',
    ...more,
  }) as LegalHoldDomainCommand;
const approve: LegalHoldDomainCommand = { ...sent, type: 'ApproveLegalHold' };
const lift: LegalHoldDomainCommand = { ...sent, type: 'LiftLegalHold', reason: 'matterClosed' };
const lapse: LegalHoldDomainCommand = { ...sent, type: 'LapseLegalHold' };
const review = (reviewAt?: string): LegalHoldDomainCommand =>
  ({ ...sent, type: 'ReviewLegalHold', ...(reviewAt !== undefined && { reviewAt }) }) as LegalHoldDomainCommand;
const raise = (reviewAt: string): LegalHoldDomainCommand => ({ ...sent, type: 'RaiseHoldReview', reviewAt });

const NOVEMBER = '2026-11-23T09:00:00Z';
const REVIEW = '2027-05-23T08:00:00.000Z';
const placed: LegalHoldEvent = {
  type: 'LegalHoldPlaced',
  data: {
    holdId,
    scope: { categories: ['contact.email'] },
    matterRef: 'M-1',
    basis: 'legalClaims',
    placedBy: 'counsel',
    reviewAt: REVIEW,
    approveBy: '2026-12-07T09:00:00.000Z',
  },
};
const approved: LegalHoldEvent = { type: 'LegalHoldApproved', data: { holdId, approvedBy: 'dpo' } };
const lifted: LegalHoldEvent = { type: 'LegalHoldLifted', data: { holdId, reason: 'matterClosed' } };
const holds = scenario(legalHoldDecider, { ...factsAt(NOVEMBER), ...by('counsel') });
const later = (at: string, id = 'counsel') => ({ now: instant(at), occurredAt: instant(at), ...by(id) });

describe('a legal hold', () => {
  it('stands from when it is placed, for six months at most', () => {
    holds.when(place()).then(placed);
    holds.when(place()).thenRepeatedNothing();
    holds.when(place({ reviewAt: REVIEW })).then(placed);
    for (const reviewAt of ['2027-05-23T08:00:00.001Z', NOVEMBER])
      holds
        .when(place({ reviewAt }))
        .thenRefused('RETENTION_EXTENSION_FORBIDDEN', { field: 'reviewAt', latest: REVIEW });
    holds
      .given(placed)
      .when(place({ matterRef: 'M-2' }))
      .thenRefused('REGISTER_ENTRY_EXISTS', { holdId });
  });
  it('is approved by somebody else', () => {
    holds.given(placed).when(approve).thenRefused('FOUR_EYES_REQUIRED', { holdId });
    holds.given(placed).when(approve, by('dpo')).then(approved);
    holds.given(placed).when(approve, by('dpo')).thenRepeatedNothing();
    holds.when(approve).thenRefused('REGISTER_ENTRY_UNKNOWN', { holdId });
  });
  it('lapses when nobody approves it in a fortnight', () => {
    holds.given(placed).when(lapse, later('2026-12-07T08:59:59Z')).thenNothing();
    holds
      .given(placed)
      .when(lapse, later('2026-12-07T09:00:00Z'))
      .then({ type: 'LegalHoldLifted', data: { holdId, reason: 'notApproved' } });
    holds.given(placed, approved).when(lapse, later('2027-01-07T09:00:00Z')).thenNothing();
  });
  it('is reviewed when its date comes, which is told once', () => {
    const due: LegalHoldEvent = { type: 'LegalHoldReviewDue', data: { holdId, reviewAt: REVIEW } };
    const held = holds.given(placed, approved);
    held.when(raise(REVIEW), later('2027-05-23T07:59:59Z')).thenNothing();
    held.when(raise(REVIEW), later(REVIEW)).then(due);
    held.when(raise(REVIEW), later(REVIEW)).thenRepeatedNothing();
    held.when(review(), later('2027-05-01T09:00:00Z')).then({
      type: 'LegalHoldReviewed',
      data: { holdId, reviewedBy: 'counsel', reviewAt: '2027-11-01T10:00:00.000Z' },
    });
    held
      .when(review('2027-12-01T09:00:00Z'), later('2027-05-01T09:00:00Z'))
      .thenRefused('RETENTION_EXTENSION_FORBIDDEN');
  });
  it('ends once, and is not approved or reviewed afterwards', () => {
    holds.given(placed).when(lift).then(lifted);
    holds.given(placed).when(lift).thenRepeatedNothing();
    for (const command of [approve, review()])
      holds.given(placed, lifted).when(command).thenRefused('REGISTER_ENTRY_UNKNOWN', { holdId, reason: 'lifted' });
    for (const command of [lapse, raise(REVIEW)]) holds.given(placed, lifted).when(command).thenNothing();
  });
});

describe('over random histories', () => {
  const command = fc.constantFrom(place(), place({ matterRef: 'M-2' }), approve, lift, lapse, review(), raise(REVIEW));
  const step = fc.record({ command, days: fc.nat({ max: 250 }), who: fc.constantFrom('counsel', 'dpo') });

  it('an accepted command sent again yields nothing, and the read model knows what the register knows', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const log = logbook(`hold-${holdId}`);
        let state = legalHoldDecider.initialState;
        let register = legalHoldRegister.initialState;
        let now = Date.parse(NOVEMBER);
        for (const { command, days, who } of steps) {
          now += days * 86_400_000;
          const facts = { ...factsAt(instantOf(now)), ...by(who) };
          const outcome = legalHoldDecider.decide(command, state, facts);
          if (outcome.kind === 'refused') continue;
          for (const event of outcome.events) {
            state = legalHoldDecider.evolve(state, event, instantOf(now));
            register = legalHoldRegister.evolve(register, log.at(instantOf(now), event));
          }
          expect(legalHoldDecider.decide(command, state, facts)).toEqual({ kind: 'accepted', events: [] });
        }
        const about = { subjectId: 'anybody', category: 'contact.email', purposes: [] };
        const [row] = tablesOf(legalHoldsProjection, log.events)['legal_holds']!;
        const inForce = row !== undefined && row['status'] !== 'lifted';
        expect(legalHoldsAsOf(register, about, instantOf(now))).toHaveLength(inForce ? 1 : 0);
      }),
      { numRuns: 200 },
    );
  });
});

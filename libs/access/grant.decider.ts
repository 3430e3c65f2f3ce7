import { addPeriodToInstant, endOfLondonDay, londonDate, workingDaysAfter } from '#calendar';
import {
  accept,
  canonicalJson,
  parseInstant,
  plusMilliseconds,
  refuse,
  unchanged,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import type {
  BreakGlass,
  ExpireAccess,
  GrantAccess,
  GrantDomainCommand,
  RaiseAccessReview,
  RequestAccess,
  ReviewAccess,
  ReviewBreakGlass,
  RevokeAccess,
  RevokeAllAccess,
} from './grant.commands.js';
import type { GrantEvent } from './grant.events.js';
import { evolveHolding, grantRegister, NOTHING_HELD, type Grant, type Holding } from './grant.register.js';

/** The longest life of a grant, and how often it is reviewed (C15). */
export const LONGEST_GRANT = 'P12M';
export const REVIEW_INTERVAL = 'P90D';
/** Within so many working days a privacy officer looks at an emergency (I-15c). */
const BREAK_GLASS_REVIEW = 2;
const HOUR = 60 * 60 * 1000;
const LONGEST_BREAK_GLASS = 4;

type GrantOutcome = Outcome<GrantEvent>;

/** The stream of everything one actor may look at. */
export const grantStream = (granteeId: string): string => `grants-${granteeId}`;

/** Who may look at what. Nobody opens a door for themselves, but in an emergency, for hours, and to be judged after. */
export const grantDecider: Decider<GrantDomainCommand, GrantEvent, Holding> = {
  initialState: NOTHING_HELD,
  folds: grantRegister.folds,
  evolve: evolveHolding,
  decide(command, state, facts) {
    switch (command.type) {
      case 'RequestAccess':
        return request(command, state, facts);
      case 'BreakGlass':
        return breakGlass(command, state, facts);
      case 'ReviewBreakGlass':
        return judge(command, state, facts);
      case 'RevokeAllAccess':
        return revokeAll(command, state, facts);
      case 'RaiseAccessReview':
        return raise(command, state, facts);
      case 'GrantAccess':
      case 'RevokeAccess':
      case 'ReviewAccess':
      case 'ExpireAccess': {
        const grant = state.grants.get(command.grantId);
        return grant ? about(command, grant, facts) : refuse('REGISTER_ENTRY_UNKNOWN', { grantId: command.grantId });
      }
    }
  },
};

function request(command: RequestAccess, state: Holding, facts: Facts): GrantOutcome {
  const { grantId, granteeId, role, purposeId, categories, caseRef } = command;
  const from = parseInstant(command.from ?? '') ?? facts.occurredAt;
  const to = parseInstant(command.to) as Instant;
  if (to <= from || to <= facts.now || to > addPeriodToInstant(from, LONGEST_GRANT))
    return refuse('ACCESS_EXPIRED', { grantId, field: 'to', longest: LONGEST_GRANT });
  const scope = {
    granteeId,
    role,
    purposeId,
    categories: [...categories],
    from,
    to,
    ...(caseRef !== undefined && { caseRef }),
  };
  const known = state.grants.get(grantId);
  if (known)
    // A window that begins at once begins when it was first asked for.
    return canonicalJson(scopeOf(known)) ===
      canonicalJson(command.from === undefined ? { ...scope, from: known.from } : scope)
      ? unchanged
      : refuse('REGISTER_ENTRY_EXISTS', { grantId });
  return accept({ type: 'AccessRequested', data: { grantId, ...scope, requestedBy: facts.actor.id } });
}

function about(
  command: GrantAccess | RevokeAccess | ReviewAccess | ExpireAccess,
  grant: Grant,
  facts: Facts,
): GrantOutcome {
  const { grantId, granteeId } = grant;
  switch (command.type) {
    case 'GrantAccess':
      if (grant.status === 'granted') return unchanged;
      if (grant.status !== 'requested') return refuse('ACCESS_NOT_GRANTED', { grantId, status: grant.status });
      if (facts.actor.id === granteeId) return refuse('SELF_APPROVAL', { grantId });
      if (grant.to <= facts.now) return refuse('ACCESS_EXPIRED', { grantId, to: grant.to });
      return accept({
        type: 'AccessGranted',
        data: {
          grantId,
          ...scopeOf(grant),
          requestedBy: grant.requestedBy,
          approvedBy: facts.actor.id,
          reviewBy: addPeriodToInstant(facts.now, REVIEW_INTERVAL),
        },
      });
    case 'RevokeAccess':
      return isOpen(grant)
        ? accept({ type: 'AccessRevoked', data: { granteeId, grantId, reason: command.reason } })
        : unchanged;
    case 'ReviewAccess': {
      if (grant.status !== 'granted') return refuse('ACCESS_NOT_GRANTED', { grantId, status: grant.status });
      if (facts.actor.id === granteeId) return refuse('SELF_APPROVAL', { grantId });
      const reviewBy = addPeriodToInstant(facts.now, REVIEW_INTERVAL);
      if (grant.reviewBy !== undefined && reviewBy <= grant.reviewBy) return unchanged;
      return accept({ type: 'AccessReviewed', data: { granteeId, grantId, reviewedBy: facts.actor.id, reviewBy } });
    }
    case 'ExpireAccess':
      return isOpen(grant) && grant.to <= facts.now
        ? accept({ type: 'AccessExpired', data: { granteeId, grantId } })
        : unchanged;
  }
}

/** What was reviewed since the steward looked, or has ended, is overdue no more. */
function raise(command: RaiseAccessReview, state: Holding, facts: Facts): GrantOutcome {
  const { granteeId, kind, reviewedId } = command;
  const grant = state.grants.get(reviewedId);
  const emergency = state.emergencies.get(reviewedId);
  const due = kind === 'grant' ? grant?.reviewBy : emergency?.reviewBy;
  const open =
    kind === 'grant'
      ? grant?.status === 'granted' && grant.raisedFor !== due
      : emergency !== undefined && !emergency.reviewed && !emergency.raised;
  return open && due !== undefined && due === parseInstant(command.due) && due <= facts.now
    ? accept({ type: 'AccessReviewOverdue', data: { granteeId, kind, reviewedId, due } })
    : unchanged;
}

function revokeAll({ granteeId, reason }: RevokeAllAccess, state: Holding, { occurredAt }: Facts): GrantOutcome {
  const events = [...state.grants.values()]
    .filter(isOpen)
    .map(({ grantId }): GrantEvent => ({ type: 'AccessRevoked', data: { granteeId, grantId, reason } }));
  const ends = [...state.emergencies.values()]
    .filter(({ until }) => occurredAt < until)
    .map(({ breakGlassId }): GrantEvent => ({
      type: 'BreakGlassEnded',
      data: { granteeId, breakGlassId, reason },
    }));
  return accept(...events, ...ends);
}

function breakGlass(command: BreakGlass, state: Holding, facts: Facts): GrantOutcome {
  const { granteeId, subjectId, reason, caseRef } = command;
  const breakGlassId = facts.id('break-glass');
  if (state.emergencies.has(breakGlassId)) return unchanged;
  // Nobody opens a door for another in an emergency: that is what grants are for.
  if (facts.actor.id !== granteeId) return refuse('ACCESS_NOT_GRANTED', { field: 'granteeId' });
  if (caseRef === undefined) return refuse('PURPOSE_NOT_STATED', { fields: ['caseRef'] });
  const reviewDay = workingDaysAfter(londonDate(facts.now), BREAK_GLASS_REVIEW, 'england-and-wales');
  return accept({
    type: 'BreakGlassUsed',
    data: {
      granteeId,
      breakGlassId,
      subjectId,
      reason,
      caseRef,
      until: plusMilliseconds(facts.now, (command.hours ?? LONGEST_BREAK_GLASS) * HOUR),
      reviewBy: endOfLondonDay(reviewDay),
    },
  });
}

function judge({ granteeId, breakGlassId, outcome }: ReviewBreakGlass, state: Holding, facts: Facts): GrantOutcome {
  const emergency = state.emergencies.get(breakGlassId);
  if (!emergency) return refuse('REGISTER_ENTRY_UNKNOWN', { breakGlassId });
  if (emergency.reviewed) return unchanged;
  if (facts.actor.id === granteeId) return refuse('SELF_APPROVAL', { breakGlassId });
  return accept({
    type: 'BreakGlassReviewed',
    data: { granteeId, breakGlassId, reviewedBy: facts.actor.id, outcome },
  });
}

const isOpen = ({ status }: Grant): boolean => status === 'requested' || status === 'granted';

function scopeOf({ granteeId, role, purposeId, categories, from, to, caseRef }: Grant) {
  return { granteeId, role, purposeId, categories, from, to, ...(caseRef !== undefined && { caseRef }) };
}

import type { Instant, Register } from '#kernel';
import type { BreakGlassUsed, GrantEvent, GrantScope } from './grant.events.js';

/** A grant with what became of it. */
export interface Grant extends GrantScope {
  readonly grantId: string;
  readonly requestedBy: string;
  readonly status: 'requested' | 'granted' | 'revoked' | 'expired';
  readonly approvedBy?: string;
  readonly reviewBy?: Instant;
  /** The date of review that was raised as overdue last. */
  readonly raisedFor?: Instant;
}

export interface Emergency {
  readonly breakGlassId: string;
  readonly subjectId: string;
  readonly caseRef: string;
  readonly since: Instant;
  readonly until: Instant;
  readonly reviewBy: Instant;
  readonly reviewed: boolean;
  readonly raised: boolean;
}

/** What one actor has been given, by id. */
export interface Holding {
  readonly grants: ReadonlyMap<string, Grant>;
  readonly emergencies: ReadonlyMap<string, Emergency>;
}

/** By actor id. */
export type GrantRegisterState = ReadonlyMap<string, Holding>;

export const NOTHING_HELD: Holding = { grants: new Map(), emergencies: new Map() };

/** Folds what happened to one actor's grants; shared with the decider, which must see the same state. */
export function evolveHolding(holding: Holding, event: GrantEvent, at: Instant): Holding {
  switch (event.type) {
    case 'AccessRequested':
      return withGrant(holding, event.data.grantId, { ...event.data, status: 'requested' });
    case 'AccessGranted':
      return withGrant(holding, event.data.grantId, { ...event.data, status: 'granted' });
    case 'AccessRevoked':
      return changed(holding, event.data.grantId, { status: 'revoked' });
    case 'AccessExpired':
      return changed(holding, event.data.grantId, { status: 'expired' });
    case 'AccessReviewed':
      return changed(holding, event.data.grantId, { reviewBy: event.data.reviewBy });
    case 'BreakGlassUsed':
      return withEmergency(holding, event.data, at);
    case 'AccessReviewOverdue': {
      const { kind, reviewedId, due } = event.data;
      return kind === 'grant'
        ? changed(holding, reviewedId, { raisedFor: due })
        : judged(holding, reviewedId, { raised: true });
    }
    case 'BreakGlassEnded':
      return judged(holding, event.data.breakGlassId, { until: at });
    case 'BreakGlassReviewed':
      return judged(holding, event.data.breakGlassId, { reviewed: true });
  }
}

function withGrant(holding: Holding, grantId: string, grant: Grant): Holding {
  return { ...holding, grants: new Map(holding.grants).set(grantId, grant) };
}

function changed(holding: Holding, grantId: string, change: Partial<Grant>): Holding {
  const grant = holding.grants.get(grantId);
  return grant ? withGrant(holding, grantId, { ...grant, ...change }) : holding;
}

function judged(holding: Holding, breakGlassId: string, change: Partial<Emergency>): Holding {
  const emergency = holding.emergencies.get(breakGlassId);
  if (!emergency) return holding;
  return { ...holding, emergencies: new Map(holding.emergencies).set(breakGlassId, { ...emergency, ...change }) };
}

function withEmergency(holding: Holding, data: BreakGlassUsed['data'], since: Instant): Holding {
  const { breakGlassId, subjectId, caseRef, until, reviewBy } = data;
  const emergency = { breakGlassId, subjectId, caseRef, since, until, reviewBy, reviewed: false, raised: false };
  return { ...holding, emergencies: new Map(holding.emergencies).set(breakGlassId, emergency) };
}

/** What everybody has been given: small, because a grant ends and people are few. */
export const grantRegister: Register<GrantEvent, GrantRegisterState> = {
  name: 'grants',
  streamPrefix: 'grants-',
  initialState: new Map(),
  folds: {
    AccessRequested: true,
    AccessGranted: true,
    AccessRevoked: true,
    AccessExpired: true,
    AccessReviewed: true,
    AccessReviewOverdue: true,
    BreakGlassUsed: true,
    BreakGlassEnded: true,
    BreakGlassReviewed: true,
  },
  evolve(state, event) {
    const { granteeId } = event.data;
    const holding = evolveHolding(state.get(granteeId) ?? NOTHING_HELD, event, event.occurredAt);
    return new Map(state).set(granteeId, holding);
  },
};

/** What a view is asked for. */
export interface ViewAsked {
  readonly actorId: string;
  readonly roles: readonly string[];
  readonly subjectId: string;
  readonly purposeId: string;
  readonly categories: readonly string[];
  readonly caseRef: string;
}

/** Which of the categories asked for are open, and by what; which are not, and whether they once were. */
export interface Opening {
  readonly open: readonly string[];
  readonly closed: readonly string[];
  /** Ids of the grants, or of the emergency, that open them. */
  readonly by: readonly string[];
  /** Whether a grant would have opened more, had its window not passed. */
  readonly lapsed: boolean;
}

/** What is open to somebody at a moment: by grants in their window, or all of one person's data in an emergency. */
export function openingAt(state: GrantRegisterState, asked: ViewAsked, at: Instant): Opening {
  const { grants, emergencies } = state.get(asked.actorId) ?? NOTHING_HELD;
  const emergency = [...emergencies.values()].find(
    ({ subjectId, caseRef, since, until }) =>
      subjectId === asked.subjectId && caseRef === asked.caseRef && since <= at && at < until,
  );
  if (emergency) return { open: asked.categories, closed: [], by: [emergency.breakGlassId], lapsed: false };
  const fitting = [...grants.values()].filter(
    ({ role, purposeId, caseRef, status }) =>
      status !== 'requested' &&
      asked.roles.includes(role) &&
      purposeId === asked.purposeId &&
      (caseRef === undefined || caseRef === asked.caseRef),
  );
  const live = fitting.filter(({ status, from, to }) => status === 'granted' && from <= at && at < to);
  const using = live.filter(({ categories }) => categories.some((each) => asked.categories.includes(each)));
  const open = asked.categories.filter((category) => using.some(({ categories }) => categories.includes(category)));
  const closed = asked.categories.filter((category) => !open.includes(category));
  const lapsed = fitting.some(
    ({ status, to, categories }) =>
      (status === 'expired' || to <= at) && categories.some((each) => closed.includes(each)),
  );
  return { open, closed, by: using.map(({ grantId }) => grantId), lapsed };
}

import { addPeriodToInstant, londonDate } from '#calendar';
import type { Facts, Instant } from '#kernel';
import { RETENTION_ACTIONS, type PurposeRegisterState, type RetentionAction } from '#purpose';
import type {
  ConsentEndView,
  ConsentGivenView,
  DataCollected,
  DataCorrected,
  DataErased,
  DataShareView,
  DeferralCause,
  ErasureCause,
  ErasureStarted,
  HeldForPurpose,
  ItemVersionRef,
  ProcessingRestricted,
  PurposeEnded,
  RectificationCompleted,
  ReportedValuesDeferred,
  ReportedValuesErased,
  RestrictionLifted,
  RetentionDeferred,
  RetentionExpired,
  RetentionReviewDue,
  RetentionReviewed,
  RetentionTerm,
  SubjectRegistered,
  SubjectReportedChange,
  UseView,
} from '#subject';
import type { LegalHoldRegisterState } from './legal-hold.register.js';
import { evolveKeeping, nothingKept, type Keeping } from './deferral.decider.js';
import type { RetentionEvent } from './retention.events.js';

/** How many item versions one command ends: what is more is taken up by the next. Bounds the size of an event. */
export const VERSIONS_AT_ONCE = 1_000;

/** Everything a person's stream says about how long what is kept. */
export type FoldedEvent =
  | RetentionEvent
  | SubjectRegistered
  | DataCollected
  | DataCorrected
  | DataShareView
  | UseView
  | ConsentEndView
  | ConsentGivenView
  | ProcessingRestricted
  | RestrictionLifted
  | HeldForPurpose
  | PurposeEnded
  | RetentionExpired
  | RetentionDeferred
  | RetentionReviewDue
  | RetentionReviewed
  | SubjectReportedChange
  | RectificationCompleted
  | ReportedValuesDeferred
  | ReportedValuesErased
  | ErasureStarted
  | DataErased;

/** One purpose that holds an item. */
export interface PurposeHold {
  readonly purposeId: string;
  readonly basis: string;
  readonly term: RetentionTerm;
  readonly since: Instant;
  readonly serviceRequestRef?: string;
  /** When its period began to run; absent before. */
  readonly triggeredAt?: Instant;
  /** Until when it holds the item; absent while its trigger has not happened. */
  readonly due?: Instant;
  /** That, as it was written last: it moves with every reliance, which is not written down each time. */
  readonly dueWritten?: Instant;
  /** No consent that it rests on stands any more: the purpose is to end for the item. */
  readonly consentEnded?: 'consentWithdrawn' | 'consentEnded';
  /** The purpose has ended for the item; it holds it no more. */
  readonly ended?: true;
}

export interface KeptVersion extends ItemVersionRef {
  readonly current: boolean;
  /** When a superseded version goes by itself. */
  readonly supersededDue?: Instant;
  readonly status: 'kept' | 'beyondUse' | 'erased';
  /** The erasure that has put it beyond use. */
  readonly erasureId?: string;
  /** It is counted when its key is gone. */
  readonly counted?: true;
  /** Why it was deferred last. */
  readonly deferred?: { readonly cause: DeferralCause; readonly ref: string };
}

export interface KeptItem {
  readonly itemId: string;
  readonly category: string;
  /** The year in London in which it was collected. */
  readonly year: number;
  readonly holds: readonly PurposeHold[];
  /** Its period is over, and somebody has to say what becomes of it, or has said so. */
  readonly review?: { readonly decideBy: Instant; readonly decided?: true };
  /** The last decision about it after a review. */
  readonly decisionId?: string;
  /** When the last purpose that held it ended. */
  readonly unheldSince?: Instant;
  /** An erasure that could not take it yet, and from when on it can. */
  readonly owed?: { readonly erasureId: string; readonly cause: ErasureCause; readonly from: Instant };
  /** Oldest first. */
  readonly versions: readonly KeptVersion[];
}

export interface Erasure {
  readonly cause: ErasureCause;
  readonly scope: 'items' | 'person';
  readonly everything: boolean;
  readonly status: 'started' | 'erased' | 'finalised';
  /** Keys it has destroyed, as far as they were listed. */
  readonly keyIds: readonly string[];
  readonly horizon?: Instant;
}

/** The values that a person reported in one case of rectification. */
export interface ReportedValues {
  readonly categories: readonly string[];
  /** Keys that are not destroyed. */
  readonly keyIds: readonly string[];
  /** Until when they are kept; absent while the case is open. */
  readonly until?: Instant;
  /** What deferred their end last. */
  readonly deferredRef?: string;
}

export interface RetentionState extends Keeping {
  readonly openedAt?: Instant;
  readonly closed: boolean;
  readonly closedRequests: readonly string[];
  readonly items: Readonly<Record<string, KeptItem>>;
  /** Every deferral there was, so that a repeat changes nothing. */
  readonly deferralsClosed: readonly string[];
  /** Versions that recipients were given, by recipient. */
  readonly recipients: ReadonlyMap<string, readonly { readonly itemId: string; readonly version: number }[]>;
  readonly erasures: Readonly<Record<string, Erasure>>;
  /** The erasure of the whole person, once it has begun. */
  readonly person?: {
    readonly erasureId: string;
    readonly keyDestroyed: boolean;
    /** What deferred it as a whole last. */
    readonly deferredRef?: string;
  };
  /** By case. */
  readonly reported: ReadonlyMap<string, ReportedValues>;
  /** As what the person was counted when data became unreadable, as `category year`: once each. */
  readonly countedAs: readonly string[];
  /** The last command that took only a part of its work, so that its repeat takes none. */
  readonly part?: string;
}

export interface RetentionFacts extends Facts {
  readonly legalHolds: LegalHoldRegisterState;
  readonly purposes: PurposeRegisterState;
  /** Which of the keys asked about exist. Looked up for what an erasure has begun; see `erasure.decider.ts`. */
  readonly liveKeys?: readonly string[];
  /** Whether the person's own key is destroyed. */
  readonly personErased?: boolean;
  /**
   * Whether the person's key opens more than items and what the person reported: usage, that is. Looked up where the
   * person is erased and anything could keep it.
   */
  readonly usageHeld?: boolean;
}

export const initialState: RetentionState = {
  closed: false,
  closedRequests: [],
  items: {},
  ...nothingKept,
  deferralsClosed: [],
  countedAs: [],
  recipients: new Map(),
  reported: new Map(),
  erasures: {},
};

export function evolve(state: RetentionState, event: FoldedEvent, at: Instant): RetentionState {
  switch (event.type) {
    case 'SubjectRegistered':
      return { ...state, openedAt: at, closed: false };
    case 'DataCollected': {
      const { purposeId, basis, serviceRequestRef } = event.data;
      const items: Record<string, KeptItem> = { ...state.items };
      for (const { itemId, version, category, keyId, retention } of event.data.items)
        items[itemId] = {
          itemId,
          category,
          year: Number(londonDate(at).slice(0, 4)),
          holds: [
            {
              purposeId,
              basis,
              term: retention,
              since: at,
              ...(serviceRequestRef !== undefined && { serviceRequestRef }),
              ...runsFromStart(retention, at),
            },
          ],
          versions: [{ itemId, version, category, keyId, current: true, status: 'kept' }],
        };
      return { ...state, items };
    }
    case 'DataCorrected': {
      const { itemId, fromVersion, toVersion, keyId, category, supersededPeriod } = event.data;
      return withItem(state, itemId, (item) => ({
        ...item,
        versions: [
          ...item.versions.map((each) =>
            each.version === fromVersion
              ? { ...each, current: false, supersededDue: addPeriodToInstant(at, supersededPeriod) }
              : each,
          ),
          { itemId, version: toVersion, category, keyId, current: true, status: 'kept' as const },
        ],
      }));
    }
    case 'DataShared': {
      const { recipientId, recipientKind, items, purposeId } = event.data;
      if (recipientKind === 'SELF') return state;
      const given = [...(state.recipients.get(recipientId) ?? []), ...items];
      const recipients = new Map(state.recipients).set(recipientId, given);
      return reliedOn({ ...state, recipients }, items, purposeId, at);
    }
    case 'UseAuthorised':
      return reliedOn(state, event.data.items, event.data.purposeId, at);
    // What shows a consent is relied on until it ends, and counts from then.
    case 'ConsentWithdrawn':
    case 'ConsentExpired':
    case 'ConsentInvalidated': {
      const { purposeId, endsPurpose } = event.data;
      const ended = event.type === 'ConsentWithdrawn' ? 'consentWithdrawn' : 'consentEnded';
      return reliedOn(
        endsPurpose ? withConsentEnded(state, purposeId, ended) : state,
        Object.values(state.items),
        purposeId,
        at,
        'consent',
      );
    }
    case 'ConsentGiven':
    case 'ConsentRenewed':
      return withConsentEnded(state, event.data.purposeId);
    case 'HeldForPurpose': {
      const { purposeId, basis, serviceRequestRef } = event.data;
      return event.data.items.reduce(
        (folded, { itemId, retention, due }) =>
          withItem(folded, itemId, ({ unheldSince: _held, ...item }) => ({
            ...item,
            holds: [
              ...item.holds.filter((hold) => hold.purposeId !== purposeId),
              {
                purposeId,
                basis,
                term: retention,
                since: at,
                ...(serviceRequestRef !== undefined && { serviceRequestRef }),
                ...(due !== null && { due: due as Instant, dueWritten: due as Instant, triggeredAt: at }),
              },
            ],
          })),
        state,
      );
    }
    case 'PurposeEnded':
      return event.data.items.reduce<RetentionState>(
        (folded, { itemId }) =>
          withItem(folded, itemId, (item) => {
            const holds = item.holds.map((hold) =>
              hold.purposeId === event.data.purposeId ? { ...hold, ended: true as const } : hold,
            );
            return { ...item, holds, ...(holds.every(({ ended }) => ended) && { unheldSince: at }) };
          }),
        takenInPart(event.data.nothingLeft ? withConsentEnded(state, event.data.purposeId) : state, event.data.part),
      );
    case 'RelationshipClosed':
      return { ...state, closed: true };
    case 'ServiceRequestClosed':
      return { ...state, closedRequests: [...state.closedRequests, event.data.serviceRequestRef] };
    case 'AccountingPeriodEnded':
      return state;
    case 'RetentionScheduled':
      return event.data.items.reduce(
        (folded, { itemId, due, purposeId }) =>
          withItem(folded, itemId, (item) => ({
            ...item,
            holds: item.holds.map((hold) =>
              purposeId === undefined || hold.purposeId === purposeId
                ? {
                    ...hold,
                    due: due as Instant,
                    dueWritten: due as Instant,
                    triggeredAt: hold.term.trigger === 'lastReliedOn' ? (hold.triggeredAt ?? at) : at,
                  }
                : hold,
            ),
          })),
        state,
      );
    case 'ProcessingRestricted':
    case 'RestrictionLifted': {
      const { restrictedOn: _before, ...rest } = state;
      // All restrictions have one name: what the last one deferred, the next may defer anew.
      return withoutDeferrals({ ...rest, ...evolveKeeping(state, event) }, 'restriction');
    }
    case 'DeferralOpened':
      return { ...state, ...evolveKeeping(state, event) };
    case 'DeferralClosed':
      return {
        ...state,
        ...evolveKeeping(state, event),
        deferralsClosed: [...state.deferralsClosed, event.data.deferralId],
      };
    case 'SubjectReportedChange': {
      const valued = event.data.changes.flatMap(({ category, keyId }) =>
        keyId === undefined ? [] : [{ category, keyId }],
      );
      const categories = [...new Set(valued.map(({ category }) => category))];
      const keyIds = valued.map(({ keyId }) => keyId);
      return { ...state, reported: new Map(state.reported).set(event.data.requestId, { categories, keyIds }) };
    }
    case 'RectificationCompleted':
      return withReported(state, event.data.requestId, { until: event.data.valuesUntil as Instant });
    case 'ReportedValuesDeferred':
      return withReported(state, event.data.requestId, { deferredRef: event.data.ref });
    case 'ReportedValuesErased':
      return withReported(state, event.data.requestId, { keyIds: [] });
    case 'RetentionExpired':
      return withVersions(state, event.data.items, ({ action }) => ({
        status: 'beyondUse',
        ...(action === 'anonymise' && { counted: true }),
      }));
    case 'RetentionReviewDue':
      return event.data.items.reduce(
        (folded, { itemId, decideBy }) =>
          withItem(folded, itemId, (item) => ({ ...item, review: { decideBy: decideBy as Instant } })),
        takenInPart(state, event.data.part),
      );
    case 'RetentionReviewed':
      return reviewed(state, event.data);
    case 'DataAnonymised': {
      const cells = event.data.counted.map(({ category, year }) => `${category} ${year}`);
      return { ...state, countedAs: [...new Set([...state.countedAs, ...cells])] };
    }
    case 'RetentionDeferred':
      return withVersions(deferredWhole(takenInPart(state, event.data.part), event.data), event.data.items, (item) => ({
        deferred: { cause: item.cause, ref: item.ref },
      }));
    case 'ErasureStarted':
      return begun(state, event.data, at);
    case 'DataErased':
      return erased(state, event.data);
    case 'ErasureFinalised': {
      const erasure = state.erasures[event.data.erasureId];
      return erasure
        ? {
            ...state,
            erasures: { ...state.erasures, [event.data.erasureId]: { ...erasure, status: 'finalised' } },
          }
        : state;
    }
  }
}

/** Whether a purpose holds an item on consent alone. What shows the consent is kept when that has ended (UK GDPR Art 7(1)). */
const restsOnConsent = ({ basis, term, ended }: PurposeHold): boolean =>
  basis === 'consent' && term.trigger !== 'lastReliedOn' && !ended;

/** @param reason how the last consent ended; absent when one is given anew, or nothing is left to end. */
function withConsentEnded(
  state: RetentionState,
  purposeId: string,
  reason?: PurposeHold['consentEnded'],
): RetentionState {
  const change = ({ consentEnded, ...hold }: PurposeHold): PurposeHold => {
    const about = hold.purposeId === purposeId ? (restsOnConsent(hold) ? reason : undefined) : consentEnded;
    return about === undefined ? hold : { ...hold, consentEnded: about };
  };
  const rests = ({ holds }: KeptItem): boolean =>
    holds.some((hold) => hold.purposeId === purposeId && hold.basis === 'consent');
  const items = Object.entries(state.items);
  if (!items.some(([, item]) => rests(item))) return state;
  const changed = items.map(([itemId, item]): [string, KeptItem] =>
    rests(item) ? [itemId, { ...item, holds: item.holds.map(change) }] : [itemId, item],
  );
  return { ...state, items: Object.fromEntries(changed) };
}

/** A period that runs from the collection on, or that no reliance has prolonged yet. */
function runsFromStart({ trigger, period }: RetentionTerm, at: Instant): Partial<PurposeHold> {
  if (trigger !== 'collected' && trigger !== 'lastReliedOn') return {};
  const due = addPeriodToInstant(at, period);
  return { triggeredAt: at, due, dueWritten: due };
}

/**
 * Periods that count from the last reliance run from here on, for the purpose that relied on the items. What comes after
 * their end prolongs nothing.
 */
function reliedOn(
  state: RetentionState,
  refs: readonly { readonly itemId: string }[],
  purposeId: string,
  at: Instant,
  basis?: string,
): RetentionState {
  const runsAnew = (hold: PurposeHold): boolean =>
    hold.purposeId === purposeId &&
    hold.term.trigger === 'lastReliedOn' &&
    (basis === undefined || hold.basis === basis) &&
    !hold.ended &&
    (hold.triggeredAt === undefined || hold.triggeredAt < at) &&
    (hold.due === undefined || at < hold.due);
  const touched = refs.filter(({ itemId }) => state.items[itemId]?.holds.some(runsAnew));
  return touched.reduce(
    (folded, { itemId }) =>
      withItem(folded, itemId, (item) => ({
        ...item,
        holds: item.holds.map((hold) =>
          runsAnew(hold) ? { ...hold, triggeredAt: at, due: addPeriodToInstant(at, hold.term.period) } : hold,
        ),
      })),
    state,
  );
}

function reviewed(state: RetentionState, { decisionId, items }: RetentionReviewed['data']): RetentionState {
  return items.reduce(
    (folded, { itemId, outcome, holds, itemDue }) =>
      withItem(folded, itemId, ({ review, ...item }) => {
        if (outcome === 'erase')
          return {
            ...item,
            decisionId,
            ...(review && { review: { decideBy: itemDue as Instant, decided: true as const } }),
          };
        const after = item.holds.map((hold): PurposeHold => {
          const kept = holds.find(({ purposeId }) => purposeId === hold.purposeId);
          if (!kept) return hold;
          const { due: _due, dueWritten: _written, ...rest } = hold;
          const due = kept.due === null ? {} : { due: kept.due as Instant, dueWritten: kept.due as Instant };
          return { ...rest, term: kept.retention, ...due };
        });
        return { ...item, decisionId, holds: after };
      }),
    state,
  );
}

function begun(state: RetentionState, data: ErasureStarted['data'], at: Instant): RetentionState {
  const { erasureId, cause, scope, everything } = data;
  const known = state.erasures[erasureId];
  const erasures: RetentionState['erasures'] = {
    ...state.erasures,
    [erasureId]: {
      ...(known ?? { keyIds: [], everything: false }),
      cause,
      scope,
      status: 'started',
      ...(everything && { everything }),
    },
  };
  const person = scope === 'person' ? { erasureId, keyDestroyed: false } : state.person;
  const next: RetentionState = { ...state, erasures, ...(person && { person }) };
  const beyond = { status: 'beyondUse', erasureId } as const;
  if (everything) return withAllVersions(next, beyond);
  return data.remaining.reduce(
    (folded, left) =>
      withItem(folded, left.itemId, (item) => {
        const from = isDeferral(left.reason) ? at : left.until;
        return {
          ...item,
          ...(from !== undefined && { owed: { erasureId, cause, from: from as Instant } }),
          versions: item.versions.map((each) =>
            each.version === left.version && isDeferral(left.reason)
              ? { ...each, deferred: { cause: left.reason, ref: left.ref } }
              : each,
          ),
        };
      }),
    withVersions(next, data.items, () => beyond),
  );
}

function erased(state: RetentionState, data: DataErased['data']): RetentionState {
  const { erasureId, everything, items, person, left, part } = data;
  const known = erasureId === undefined ? undefined : state.erasures[erasureId];
  const next: RetentionState = {
    ...takenInPart(state, part),
    ...(person && state.person && { person: { ...state.person, keyDestroyed: true }, reported: new Map() }),
    ...(erasureId !== undefined &&
      known && {
        erasures: {
          ...state.erasures,
          [erasureId]: {
            ...known,
            status: (left ?? 0) > 0 ? 'started' : 'erased',
            keyIds: [...known.keyIds, ...items.map(({ keyId }) => keyId)],
            horizon: data.keystoreBackupHorizon as Instant,
          },
        },
      }),
  };
  return everything
    ? withAllVersions(next, { status: 'erased' })
    : withVersions(next, items, () => ({ status: 'erased' }));
}

/** The person's erasure waits as a whole. */
const deferredWhole = (state: RetentionState, { person }: RetentionDeferred['data']): RetentionState =>
  person && state.person ? { ...state, person: { ...state.person, deferredRef: person.ref } } : state;

function withReported(state: RetentionState, requestId: string, change: Partial<ReportedValues>): RetentionState {
  const known = state.reported.get(requestId);
  return known ? { ...state, reported: new Map(state.reported).set(requestId, { ...known, ...change }) } : state;
}

/** Forgets that anything was deferred for this cause. */
function withoutDeferrals(state: RetentionState, ref: string): RetentionState {
  const undeferred = ({ deferred, ...version }: KeptVersion): KeptVersion =>
    deferred === undefined || deferred.ref === ref ? version : { ...version, deferred };
  const items = Object.entries(state.items).map(
    ([itemId, item]) => [itemId, { ...item, versions: item.versions.map(undeferred) }] as const,
  );
  const reported = [...state.reported].map(([requestId, { deferredRef, ...values }]): [string, ReportedValues] => [
    requestId,
    deferredRef === undefined || deferredRef === ref ? values : { ...values, deferredRef },
  ]);
  const { person } = state;
  return {
    ...state,
    items: Object.fromEntries(items),
    reported: new Map(reported),
    ...(person?.deferredRef === ref && {
      person: { erasureId: person.erasureId, keyDestroyed: person.keyDestroyed },
    }),
  };
}

const takenInPart = (state: RetentionState, part: string | undefined): RetentionState =>
  part === undefined ? state : { ...state, part };

/** When the last purpose that holds an item ends; `undefined` while one has no end yet. */
export function periodEnd({ holds, unheldSince }: KeptItem): Instant | undefined {
  const holding = holds.filter(({ ended }) => !ended);
  if (holding.length === 0) return unheldSince;
  let latest: Instant | undefined;
  for (const { due } of holding) {
    if (due === undefined) return undefined;
    if (latest === undefined || due > latest) latest = due;
  }
  return latest;
}

/**
 * What happens to an item at its end: what the rule of the purpose says that held it last. Where several end together,
 * the one that keeps least; an item that no purpose holds is erased.
 */
export function endAction(item: KeptItem): RetentionAction {
  const end = periodEnd(item);
  const last = item.holds.filter(({ ended, due }) => !ended && due !== undefined && due === end);
  const actions = last.map(({ term }) => term.action ?? 'erase');
  return RETENTION_ACTIONS.find((action) => actions.includes(action)) ?? 'erase';
}

/** Whether a review of the item stands: what ends the purpose that asks for it ends the review. */
export const inReview = (item: KeptItem): boolean => item.review !== undefined && endAction(item) === 'review';

/**
 * Until when an item is kept: the end of the last purpose that holds it, or of the time for the decision where that has
 * to be reviewed; `undefined` while one has no end yet.
 */
export const itemDue = (item: KeptItem): Instant | undefined =>
  item.review && inReview(item) ? item.review.decideBy : periodEnd(item);

/** What {@link itemDue} was when it was written last: never later. */
export const itemDueWritten = (item: KeptItem): Instant | undefined =>
  itemDue({
    ...item,
    holds: item.holds.map((hold) => (hold.dueWritten === undefined ? hold : { ...hold, due: hold.dueWritten })),
  });

/** Whether the reason is one that passes, rather than a duty. */
export const isDeferral = (reason: string): reason is DeferralCause =>
  ['legalHold', 'openAccessRequest', 'openComplaint', 'openIncident', 'restriction'].includes(reason);

/** Every version of every item. */
export const versionsOf = (state: RetentionState): readonly KeptVersion[] =>
  Object.values(state.items).flatMap(({ versions }) => versions);

export const reference = ({ itemId, version, category, keyId }: KeptVersion): ItemVersionRef => ({
  itemId,
  version,
  category,
  keyId,
});

function withItem(state: RetentionState, itemId: string, change: (item: KeptItem) => KeptItem): RetentionState {
  const item = state.items[itemId];
  return item ? { ...state, items: { ...state.items, [itemId]: change(item) } } : state;
}

/** Changes the listed versions, in one copy of the items. */
function withVersions<R extends { readonly itemId: string; readonly version: number }>(
  state: RetentionState,
  refs: readonly R[],
  change: (ref: R) => Partial<KeptVersion>,
): RetentionState {
  const items: Record<string, KeptItem> = { ...state.items };
  for (const ref of refs) {
    const item = items[ref.itemId];
    if (!item) continue;
    items[ref.itemId] = {
      ...item,
      versions: item.versions.map((each) => (each.version === ref.version ? { ...each, ...change(ref) } : each)),
    };
  }
  return { ...state, items };
}

/** Changes every version that is not erased. */
function withAllVersions(state: RetentionState, change: Partial<KeptVersion>): RetentionState {
  const items = Object.entries(state.items).map(
    ([itemId, item]) =>
      [
        itemId,
        {
          ...item,
          versions: item.versions.map((each) => (each.status === 'erased' ? each : { ...each, ...change })),
        },
      ] as const,
  );
  return { ...state, items: Object.fromEntries(items) };
}

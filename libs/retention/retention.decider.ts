import { addPeriodToInstant } from '#calendar';
import {
  accept,
  canonicalJson,
  refuse,
  unchanged,
  withoutStanding,
  type Decider,
  type Instant,
  type Outcome,
} from '#kernel';
import { purposeAsOf, purposeRefusal, type Purpose, type RetentionRule } from '#purpose';
import { termOf, type PurposeEnded, type RetentionReviewed } from '#subject';
import { blockingCause, type BlockingCause } from './deferral.decider.js';
import {
  confirmErasure,
  confirmReportedValuesErased,
  eraseData,
  finaliseErasure,
  restateErasure,
  startErasure,
} from './erasure.decider.js';
import type {
  DecideRetentionReview,
  EndConsentedPurpose,
  EndPurposeForItem,
  ExpireRetention,
  HoldForPurpose,
  OpenDeferral,
  RetentionDomainCommand,
} from './retention.commands.js';
import type { DeferralOpened, RetentionEvent, RetentionScheduled } from './retention.events.js';
import {
  endAction,
  evolve,
  initialState,
  inReview,
  itemDue,
  itemDueWritten,
  periodEnd,
  reference,
  versionsOf,
  type FoldedEvent,
  type KeptItem,
  type KeptVersion,
  type PurposeHold,
  type RetentionFacts,
  type RetentionState,
  VERSIONS_AT_ONCE,
} from './retention.state.js';

/** How long a review may stand undecided before the item is erased: a default. */
export const REVIEW_PERIOD = 'P1M';

type RetentionOutcome = Outcome<FoldedEvent>;

function decide(command: RetentionDomainCommand, state: RetentionState, facts: RetentionFacts): RetentionOutcome {
  const unfit = withoutStanding(state.openedAt, facts);
  if (unfit) return unfit;
  const { subjectId } = command;
  switch (command.type) {
    case 'CloseRelationship':
      return close(
        { type: 'RelationshipClosed', data: { subjectId, reasonCode: command.reasonCode } },
        state.closed,
        schedule(subjectId, state, facts, ({ term }) => term.trigger === 'relationshipClosed'),
      );
    case 'CloseServiceRequest': {
      const { serviceRequestRef } = command;
      return close(
        { type: 'ServiceRequestClosed', data: { subjectId, serviceRequestRef } },
        state.closedRequests.includes(serviceRequestRef),
        schedule(
          subjectId,
          state,
          facts,
          (hold) => hold.term.trigger === 'serviceRequestClosed' && hold.serviceRequestRef === serviceRequestRef,
        ),
      );
    }
    case 'EndAccountingPeriod': {
      // What was collected after it belongs to the next period, also when the end of this one is entered late.
      const scheduled = schedule(
        subjectId,
        state,
        facts,
        ({ term, since }) => term.trigger === 'accountingPeriodEnded' && since <= facts.occurredAt,
      );
      return scheduled.length === 0
        ? unchanged
        : accept<FoldedEvent>({ type: 'AccountingPeriodEnded', data: { subjectId } }, ...scheduled);
    }
    case 'HoldForPurpose':
      return holdForPurpose(command, state, facts);
    case 'EndPurposeForItem':
      return endPurpose(command, state, facts);
    case 'EndConsentedPurpose':
      return endConsentedPurpose(command, state, facts);
    case 'OpenDeferral':
      return openDeferral(command, state);
    case 'CloseDeferral': {
      const { deferralId } = command;
      if (state.deferralsClosed.includes(deferralId)) return unchanged;
      return state.deferrals.has(deferralId)
        ? accept<FoldedEvent>({ type: 'DeferralClosed', data: { subjectId, deferralId } })
        : refuse('REGISTER_ENTRY_UNKNOWN', { deferralId });
    }
    case 'ExpireRetention':
      return expire(command, state, facts);
    case 'DecideRetentionReview':
      return decideReview(command, state, facts);
    case 'EraseData':
      return eraseData(command, state, facts);
    case 'ConfirmErasure':
      return confirmErasure(command, state, facts);
    case 'ConfirmReportedValuesErased':
      return confirmReportedValuesErased(command, state, facts);
    case 'FinaliseErasure':
      return finaliseErasure(command, state, facts);
    case 'RestateErasure':
      return restateErasure(command, state, facts);
    case 'ExtendRetention': {
      const { itemId } = command;
      return state.items[itemId]
        ? refuse('RETENTION_EXTENSION_FORBIDDEN', { itemId })
        : refuse('ITEM_UNKNOWN', { itemId });
    }
  }
}

/** When what is held must go. An item ends with its last purpose, and takes its superseded versions with it. */
export const retentionDecider: Decider<RetentionDomainCommand, FoldedEvent, RetentionState, RetentionFacts> = {
  initialState,
  folds: {
    SubjectRegistered: true,
    DataCollected: true,
    DataCorrected: true,
    DataShared: true,
    UseAuthorised: true,
    ConsentWithdrawn: true,
    ConsentExpired: true,
    ConsentInvalidated: true,
    ConsentGiven: true,
    ConsentRenewed: true,
    HeldForPurpose: true,
    PurposeEnded: true,
    RelationshipClosed: true,
    ServiceRequestClosed: true,
    AccountingPeriodEnded: true,
    RetentionScheduled: true,
    ProcessingRestricted: true,
    RestrictionLifted: true,
    DeferralOpened: true,
    DeferralClosed: true,
    RetentionExpired: true,
    RetentionDeferred: true,
    RetentionReviewDue: true,
    RetentionReviewed: true,
    DataAnonymised: true,
    SubjectReportedChange: true,
    RectificationCompleted: true,
    ReportedValuesDeferred: true,
    ReportedValuesErased: true,
    ErasureStarted: true,
    DataErased: true,
    ErasureFinalised: true,
  },
  evolve,
  decide,
};

/** Closing anew what is closed ends what came in since; else it would be kept for ever. */
function close(closed: RetentionEvent, before: boolean, scheduled: readonly RetentionEvent[]): RetentionOutcome {
  if (before && scheduled.length === 0) return unchanged;
  return accept<FoldedEvent>(...(before ? [] : [closed]), ...scheduled);
}

const isHeld = ({ versions }: KeptItem): boolean =>
  versions.some(({ current, status }) => current && status === 'kept');

/** The number of the version in use. */
const currentOf = ({ versions }: KeptItem): number => versions.findLast(({ current }) => current)?.version ?? 1;

function schedule(
  subjectId: string,
  state: RetentionState,
  facts: RetentionFacts,
  belongs: (hold: PurposeHold) => boolean,
): RetentionEvent[] {
  const items: RetentionScheduled['data']['items'][number][] = [];
  for (const item of Object.values(state.items)) {
    if (!isHeld(item)) continue;
    let after = item;
    for (const hold of item.holds) {
      if (hold.ended || hold.due !== undefined || !belongs(hold)) continue;
      const due = addPeriodToInstant(facts.occurredAt, hold.term.period);
      after = { ...after, holds: after.holds.map((each) => (each === hold ? { ...hold, due } : each)) };
      items.push({
        itemId: item.itemId,
        version: currentOf(item),
        due,
        purposeId: hold.purposeId,
        itemDue: itemDue(after) ?? null,
      });
    }
  }
  return items.length === 0 ? [] : [{ type: 'RetentionScheduled', data: { subjectId, items } }];
}

/** The items a command names, or what is wrong with them. */
function named(itemIds: readonly string[], state: RetentionState): readonly KeptItem[] | Outcome<never> {
  const unknown = itemIds.filter((itemId) => !state.items[itemId]);
  if (unknown.length > 0) return refuse('ITEM_UNKNOWN', { items: unknown });
  const items = itemIds.map((itemId) => state.items[itemId]!);
  const gone = items.filter((item) => !isHeld(item)).map(({ itemId }) => itemId);
  return gone.length > 0 ? refuse('DATA_ERASED', { items: gone }) : items;
}

function holdForPurpose(command: HoldForPurpose, state: RetentionState, facts: RetentionFacts): RetentionOutcome {
  const { subjectId, purposeId, itemIds, assessmentRef, serviceRequestRef } = command;
  const items = named(itemIds, state);
  if ('kind' in items) return items;
  // A further purpose for what is past its time would keep it longer by itself.
  const past = items.filter((item) => inReview(item) || (itemDue(item) ?? '9999') <= facts.now);
  if (past.length > 0) return refuse('RETENTION_EXTENSION_FORBIDDEN', { items: past.map(({ itemId }) => itemId) });
  const found = purposeAsOf(facts.purposes, purposeId, facts.occurredAt);
  if (found.status !== 'inForce') return refuse(purposeRefusal(found.status), { purposeId });
  const { purpose } = found;
  if (purpose.basis === 'contract' && serviceRequestRef === undefined)
    return refuse('NO_SERVICE_REQUEST', { purposeId });
  const excessive = items.filter(({ category }) => !purpose.fields.some((field) => field.category === category));
  if (excessive.length > 0)
    return refuse('DATA_EXCESSIVE', { purposeId, fields: excessive.map(({ category }) => category) });
  const ended = items.filter(({ holds }) => holds.some((hold) => hold.purposeId === purposeId && hold.ended));
  // What has ended does not begin again by itself: it is collected anew, with what the person has to be told.
  if (ended.length > 0)
    return refuse('ITEM_NOT_HELD_FOR_PURPOSE', { purposeId, items: ended.map(({ itemId }) => itemId) });
  const added = items.filter(({ holds }) => !holds.some((hold) => hold.purposeId === purposeId));
  const withoutRule: string[] = [];
  const held = added.flatMap((item) => {
    const rule = purpose.retention.find((each) => each.category === item.category);
    if (!rule) {
      withoutRule.push(item.category);
      return [];
    }
    const term = termOf(rule);
    const runs = term.trigger === 'collected' || term.trigger === 'lastReliedOn';
    const due = runs ? addPeriodToInstant(facts.occurredAt, term.period) : undefined;
    const hold: PurposeHold = {
      purposeId,
      basis: purpose.basis,
      term,
      since: facts.occurredAt,
      ...(due !== undefined && { due }),
    };
    return [
      {
        itemId: item.itemId,
        version: currentOf(item),
        category: item.category,
        retention: term,
        due: due ?? null,
        itemDue: itemDue({ ...item, holds: [...item.holds, hold] }) ?? null,
      },
    ];
  });
  if (withoutRule.length > 0) return refuse('RETENTION_RULE_MISSING', { purposeId, fields: withoutRule });
  if (held.length === 0) return unchanged;
  return accept<FoldedEvent>({
    type: 'HeldForPurpose',
    data: {
      subjectId,
      purposeId,
      purposeVersion: purpose.version,
      basis: purpose.basis,
      assessmentRef,
      ...(serviceRequestRef !== undefined && { serviceRequestRef }),
      items: held,
    },
  });
}

function endPurpose(command: EndPurposeForItem, state: RetentionState, facts: RetentionFacts): RetentionOutcome {
  const { subjectId, purposeId, itemIds, reason } = command;
  const unknown = itemIds.filter((itemId) => !state.items[itemId]);
  if (unknown.length > 0) return refuse('ITEM_UNKNOWN', { items: unknown });
  const items = itemIds.map((itemId) => state.items[itemId]!);
  const foreign = items.filter(({ holds }) => !holds.some((hold) => hold.purposeId === purposeId));
  if (foreign.length > 0)
    return refuse('ITEM_NOT_HELD_FOR_PURPOSE', { purposeId, items: foreign.map(({ itemId }) => itemId) });
  const ending = items.filter(
    (item) => isHeld(item) && item.holds.some((hold) => hold.purposeId === purposeId && !hold.ended),
  );
  if (ending.length === 0) return unchanged;
  return accept<FoldedEvent>({
    type: 'PurposeEnded',
    data: { subjectId, purposeId, reason, items: endedFor(purposeId, ending, facts) },
  });
}

/** Items without one of the purposes that hold them, and until when they are kept then. */
const endedFor = (
  purposeId: string,
  items: readonly KeptItem[],
  { occurredAt }: RetentionFacts,
): PurposeEnded['data']['items'] =>
  items.map((item) => {
    const holds = item.holds.filter((hold) => hold.purposeId !== purposeId && !hold.ended);
    return {
      itemId: item.itemId,
      version: currentOf(item),
      itemDue: holds.length === 0 ? occurredAt : (itemDue({ ...item, holds }) ?? null),
    };
  });

/**
 * What is held on a consent alone has no ground once that has ended (UK GDPR Art 5(1)(e), 17(1)(b)). What shows the
 * consent itself is kept: its period runs from the end on (Art 7(1)).
 */
function endConsentedPurpose(
  { subjectId, purposeId }: EndConsentedPurpose,
  state: RetentionState,
  facts: RetentionFacts,
): RetentionOutcome {
  const part = facts.id('part');
  if (state.part === part) return unchanged;
  const resting = Object.values(state.items).flatMap((item) => {
    const hold = item.holds.find((each) => each.purposeId === purposeId && !each.ended);
    return hold?.consentEnded === undefined ? [] : [{ item, reason: hold.consentEnded }];
  });
  const [first] = resting;
  if (!first) return unchanged;
  const held = resting.map(({ item }) => item).filter(isHeld);
  const ending = held.slice(0, VERSIONS_AT_ONCE);
  return accept<FoldedEvent>({
    type: 'PurposeEnded',
    data: {
      subjectId,
      purposeId,
      reason: first.reason,
      items: endedFor(purposeId, ending, facts),
      ...(ending.length === held.length ? { nothingLeft: true as const } : { part }),
    },
  });
}

function openDeferral(command: OpenDeferral, state: RetentionState): RetentionOutcome {
  const { subjectId, deferralId, cause, caseRef, itemIds, categories } = command;
  const data: DeferralOpened['data'] = {
    subjectId,
    deferralId,
    cause,
    caseRef,
    ...(itemIds && { itemIds: [...itemIds].sort() }),
    ...(categories && { categories: [...categories].sort() }),
  };
  const open = state.deferrals.get(deferralId);
  if (open)
    return canonicalJson(open) === canonicalJson(data) ? unchanged : refuse('REGISTER_ENTRY_EXISTS', { deferralId });
  if (state.deferralsClosed.includes(deferralId)) return refuse('REGISTER_ENTRY_EXISTS', { deferralId });
  const unknown = (itemIds ?? []).filter((itemId) => !state.items[itemId]);
  if (unknown.length > 0) return refuse('ITEM_UNKNOWN', { items: unknown });
  return accept<FoldedEvent>({ type: 'DeferralOpened', data });
}

/** When the period of a rule began to run for what is held under another; `undefined` when that did not happen. */
function triggerOf({ trigger }: RetentionRule, hold: PurposeHold): Instant | undefined | 'unknown' {
  if (trigger === 'collected') return hold.since;
  if (trigger === hold.term.trigger) return hold.triggeredAt;
  return 'unknown';
}

/** The purposes that go on holding an item under their version in force, each with the rule that says so. */
function runningOn(item: KeptItem, facts: RetentionFacts): RetentionReviewed['data']['items'][number]['holds'] {
  return item.holds.flatMap((hold) => {
    if (hold.ended) return [];
    const found = purposeAsOf(facts.purposes, hold.purposeId, facts.now);
    if (found.status !== 'inForce') return [];
    const { purpose }: { readonly purpose: Purpose } = found;
    const rule = purpose.retention.find(({ category }) => category === item.category);
    const from = rule && triggerOf(rule, hold);
    if (!rule || from === 'unknown') return [];
    const due = from === undefined ? undefined : addPeriodToInstant(from, rule.period);
    if (due !== undefined && due <= facts.now) return [];
    return [{ purposeId: hold.purposeId, purposeVersion: purpose.version, retention: termOf(rule), due: due ?? null }];
  });
}

function decideReview(command: DecideRetentionReview, state: RetentionState, facts: RetentionFacts): RetentionOutcome {
  const { subjectId, itemIds, outcome } = command;
  const decisionId = facts.id('decision');
  const items = named(itemIds, state);
  const known = itemIds.flatMap((itemId) => state.items[itemId] ?? []);
  if (known.length === itemIds.length && known.every((item) => item.decisionId === decisionId)) return unchanged;
  if ('kind' in items) return items;
  const unasked = items.filter((item) => !inReview(item) || item.review?.decided);
  if (unasked.length > 0) return refuse('RETENTION_NOT_DUE', { items: unasked.map(({ itemId }) => itemId) });
  const decided: RetentionReviewed['data']['items'][number][] = [];
  const unjustified: string[] = [];
  for (const item of items) {
    const late = (item.review?.decideBy ?? facts.now) <= facts.now;
    const holds = outcome === 'keep' && !late ? runningOn(item, facts) : [];
    const keeps = holds.length > 0;
    // What a hold or an open case keeps stays without a decision, and goes when that has passed.
    if (outcome === 'keep' && !keeps && (late || !blockingCause(item, state, subjectId, facts)))
      unjustified.push(item.itemId);
    const about = {
      itemId: item.itemId,
      version: currentOf(item),
      outcome: keeps ? ('keep' as const) : ('erase' as const),
    };
    decided.push({ ...about, holds, itemDue: keeps ? (latestOf(holds) ?? null) : facts.now });
  }
  if (unjustified.length > 0) return refuse('RETENTION_EXTENSION_FORBIDDEN', { items: unjustified });
  const reviewed: RetentionReviewed = { type: 'RetentionReviewed', data: { subjectId, decisionId, items: decided } };
  const after = evolve(state, reviewed, facts.now);
  const going = decided.filter((each) => each.outcome === 'erase').map(({ itemId }) => itemId);
  if (going.length === 0) return accept<FoldedEvent>(reviewed);
  const expired = endDue(subjectId, going, after, facts);
  return accept<FoldedEvent>(reviewed, ...expired);
}

/** The last of these; `undefined` while one has no end. */
const latestOf = (holds: readonly { readonly due: string | null }[]): string | undefined =>
  holds.some(({ due }) => due === null)
    ? undefined
    : holds
        .map(({ due }) => due!)
        .sort()
        .at(-1);

/** Whether the time of a version has come, by its purposes or by an erasure that could not take it before. */
function isDue(item: KeptItem, version: KeptVersion, now: Instant): boolean {
  const due = itemDue(item);
  return (
    (due !== undefined && due <= now) ||
    (item.owed !== undefined && item.owed.from <= now) ||
    (version.supersededDue !== undefined && version.supersededDue <= now)
  );
}

/** Whether the period of an item is over and its rule wants somebody to decide, whom nobody has asked yet. */
const awaitsReview = (item: KeptItem, now: Instant): boolean =>
  item.review === undefined && endAction(item) === 'review' && (periodEnd(item) ?? '9999') <= now;

function expire(command: ExpireRetention, state: RetentionState, facts: RetentionFacts): RetentionOutcome {
  const { subjectId, itemIds = [] } = command;
  const begun = (name: string): boolean => state.erasures[facts.id(name)] !== undefined;
  if (state.part === facts.id('part') || begun('erasure') || owedErasures(state).some((id) => begun(`erasure ${id}`)))
    return unchanged;
  // An item is due with its current version; an older one that is due goes with everything that is.
  const early = itemIds.filter((itemId) =>
    state.items[itemId]?.versions.some(
      (version) => version.status === 'kept' && version.current && !isDue(state.items[itemId]!, version, facts.now),
    ),
  );
  if (early.length > 0) return refuse('RETENTION_NOT_DUE', { items: early });
  return accept<FoldedEvent>(...endDue(subjectId, command.itemIds, state, facts));
}

/** Ends what is due, of these items or of all. */
function endDue(
  subjectId: string,
  itemIds: readonly string[] | undefined,
  state: RetentionState,
  facts: RetentionFacts,
): readonly FoldedEvent[] {
  const part = facts.id('part');
  const begins = facts.id('erasure');
  const continues = (erasureId: string): string => facts.id(`erasure ${erasureId}`);
  const kept = versionsOf(state).filter(({ status }) => status === 'kept');
  const of = (version: KeptVersion): KeptItem => state.items[version.itemId]!;
  const asked = itemIds && new Set(itemIds);
  const due = kept.filter((version) => (!asked || asked.has(version.itemId)) && isDue(of(version), version, facts.now));

  const deferred: { readonly version: KeptVersion; readonly cause: BlockingCause }[] = [];
  const ending: KeptVersion[] = [];
  const reviewing: KeptVersion[] = [];
  for (const version of due) {
    const cause = blockingCause(of(version), state, subjectId, facts);
    if (!cause && endsWithoutReview(of(version), version, facts.now)) ending.push(version);
    else if (!cause) reviewing.push(version);
    else if (version.deferred?.ref !== cause.ref) deferred.push({ version, cause });
  }
  const taken = ending.slice(0, VERSIONS_AT_ONCE);
  const events: FoldedEvent[] = [...scheduleAnew(subjectId, state, facts)];
  if (deferred.length > 0)
    events.push({
      type: 'RetentionDeferred',
      data: {
        subjectId,
        items: deferred
          .slice(0, VERSIONS_AT_ONCE)
          .map(({ version, cause }) => ({ ...reference(version), cause: cause.reason, ref: cause.ref })),
        ...(deferred.length > VERSIONS_AT_ONCE && { part }),
      },
    });
  // The older versions of an item wait for what is decided about it.
  const asking = reviewing.filter(({ current }) => current);
  if (asking.length > 0)
    events.push({
      type: 'RetentionReviewDue',
      data: {
        subjectId,
        items: asking.slice(0, VERSIONS_AT_ONCE).map((version) => ({
          ...reference(version),
          due: periodEnd(of(version)) ?? facts.now,
          decideBy: addPeriodToInstant(facts.now, REVIEW_PERIOD),
        })),
        part,
      },
    });
  const owed = taken.filter((version) => (of(version).owed?.from ?? '9999') <= facts.now);
  const expired = taken.filter((version) => !owed.includes(version));
  if (expired.length > 0)
    events.push(
      {
        type: 'RetentionExpired',
        data: {
          subjectId,
          items: expired.map((version) => ({
            ...reference(version),
            due: version.supersededDue ?? itemDue(of(version)) ?? facts.now,
            ...(version.current && endAction(of(version)) === 'anonymise' && { action: 'anonymise' as const }),
            ...(version.current &&
              inReview(of(version)) &&
              !of(version).review?.decided && { undecided: true as const }),
          })),
        },
      },
      startErasure(state, {
        subjectId,
        erasureId: begins,
        cause: 'retention',
        scope: 'items',
        items: expired,
        remaining: [],
      }),
    );
  for (const [erasureId, versions] of byErasure(owed, state))
    events.push(
      startErasure(state, {
        subjectId,
        erasureId: continues(erasureId),
        cause: state.items[versions[0]!.itemId]!.owed!.cause,
        scope: 'items',
        items: versions,
        remaining: [],
        continues: erasureId,
      }),
    );
  return events;
}

/** What an erasure could not take before, and an older version past its own time, are no matter for a review. */
const endsWithoutReview = (item: KeptItem, version: KeptVersion, now: Instant): boolean =>
  !awaitsReview(item, now) ||
  (item.owed !== undefined && item.owed.from <= now) ||
  (version.supersededDue !== undefined && version.supersededDue <= now);

/** Writes down until when items are kept that were relied on since that was written last, once the old date comes. */
function scheduleAnew(subjectId: string, state: RetentionState, { now }: RetentionFacts): RetentionEvent[] {
  const items = Object.values(state.items).flatMap((item) => {
    const due = itemDue(item);
    const written = itemDueWritten(item);
    if (!isHeld(item) || due === undefined || due <= now || written === undefined || written > now) return [];
    return item.holds
      .filter((hold) => !hold.ended && hold.due !== hold.dueWritten)
      .map((hold) => ({
        itemId: item.itemId,
        version: currentOf(item),
        due: hold.due!,
        purposeId: hold.purposeId,
        itemDue: due,
      }));
  });
  return items.length === 0 ? [] : [{ type: 'RetentionScheduled', data: { subjectId, items } }];
}

const owedErasures = (state: RetentionState): readonly string[] => [
  ...new Set(Object.values(state.items).flatMap(({ owed }) => owed?.erasureId ?? [])),
];

/** What is to be erased now, under the erasure that could not take it before. */
function byErasure(versions: readonly KeptVersion[], state: RetentionState): ReadonlyMap<string, KeptVersion[]> {
  const groups = new Map<string, KeptVersion[]>();
  for (const version of versions) {
    const { erasureId } = state.items[version.itemId]!.owed!;
    const group = groups.get(erasureId);
    if (group) group.push(version);
    else groups.set(erasureId, [version]);
  }
  return groups;
}

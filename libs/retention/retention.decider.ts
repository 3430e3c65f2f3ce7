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
import { purposeAsOf, purposeRefusal } from '#purpose';
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
  EndPurposeForItem,
  ExpireRetention,
  HoldForPurpose,
  OpenDeferral,
  RetentionDomainCommand,
} from './retention.commands.js';
import type { DeferralOpened, RetentionEvent, RetentionScheduled } from './retention.events.js';
import {
  evolve,
  initialState,
  itemDue,
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
    const { trigger, period } = rule;
    const due = trigger === 'collected' ? addPeriodToInstant(facts.occurredAt, period) : undefined;
    const hold: PurposeHold = {
      purposeId,
      basis: purpose.basis,
      term: { trigger, period },
      since: facts.occurredAt,
      ...(due !== undefined && { due }),
    };
    return [
      {
        itemId: item.itemId,
        version: currentOf(item),
        category: item.category,
        retention: { trigger, period },
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
    data: {
      subjectId,
      purposeId,
      reason,
      items: ending.map((item) => {
        const holds = item.holds.filter((hold) => hold.purposeId !== purposeId && !hold.ended);
        return {
          itemId: item.itemId,
          version: currentOf(item),
          itemDue: holds.length === 0 ? facts.occurredAt : (itemDue({ ...item, holds }) ?? null),
        };
      }),
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

/** Whether the time of a version has come, by its purposes or by an erasure that could not take it before. */
function isDue(item: KeptItem, version: KeptVersion, now: Instant): boolean {
  const due = itemDue(item);
  return (
    (due !== undefined && due <= now) ||
    (item.owed !== undefined && item.owed.from <= now) ||
    (version.supersededDue !== undefined && version.supersededDue <= now)
  );
}

function expire(command: ExpireRetention, state: RetentionState, facts: RetentionFacts): RetentionOutcome {
  const { subjectId } = command;
  const part = facts.id('part');
  const begins = facts.id('erasure');
  const continues = (erasureId: string): string => facts.id(`erasure ${erasureId}`);
  if (state.part === part || state.erasures[begins] || owedErasures(state).some((id) => state.erasures[continues(id)]))
    return unchanged;
  const kept = versionsOf(state).filter(({ status }) => status === 'kept');
  const of = (version: KeptVersion): KeptItem => state.items[version.itemId]!;
  const asked = command.itemIds && new Set(command.itemIds);
  // An item is due with its current version; an older one that is due goes with everything that is.
  const early = kept.filter(
    (version) => asked?.has(version.itemId) && version.current && !isDue(of(version), version, facts.now),
  );
  if (early.length > 0) return refuse('RETENTION_NOT_DUE', { items: early.map(({ itemId }) => itemId) });
  const due = kept.filter((version) => (!asked || asked.has(version.itemId)) && isDue(of(version), version, facts.now));

  const deferred: { readonly version: KeptVersion; readonly cause: BlockingCause }[] = [];
  const ending: KeptVersion[] = [];
  for (const version of due) {
    const cause = blockingCause(of(version), state, subjectId, facts);
    if (!cause) ending.push(version);
    else if (version.deferred?.ref !== cause.ref) deferred.push({ version, cause });
  }
  const taken = ending.slice(0, VERSIONS_AT_ONCE);
  const events: FoldedEvent[] = [];
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
  return events.length === 0 ? unchanged : accept(...events);
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

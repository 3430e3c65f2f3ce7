import { addPeriodToInstant } from '#calendar';
import {
  accept,
  parseInstant,
  Personal,
  refuse,
  unchanged,
  withoutStanding,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import { noticeAsOf, noticeVersion, type NoticeRegisterState } from '#notice';
import {
  collectionPointNow,
  purposeAsOf,
  purposeRefusal,
  type CollectionPointRegisterState,
  type PurposeField,
  type PurposeRegisterState,
} from '#purpose';
import type {
  CollectData,
  CompleteCorrection,
  ConfirmAccuracy,
  CorrectData,
  DoubtAccuracy,
  ItemToCollect,
  LiftRestriction,
  NotifyRecipient,
  PresentNotice,
  RaiseAccuracyCheck,
  RefuseCorrection,
  RegisterSubject,
  SubjectDomainCommand,
} from './subject.commands.js';
import type { Capacity, CollectedItem, DataShareView, ItemVersionRef, SubjectEvent } from './subject.events.js';

/** How long a superseded value is kept for disputes, unless a rule says otherwise (domain facts 2.7). */
export const SUPERSEDED_PERIOD = 'P12M';

export interface ItemState {
  readonly category: string;
  readonly purposeId: string;
  readonly version: number;
  readonly keyId: string;
  /** Expired and erased items are gone for every rule; the difference is whether the keys still exist. */
  readonly status: 'held' | 'expired' | 'erased';
  /** When the doubt about it arose; absent while there is none. */
  readonly disputedSince?: Instant;
  readonly nextCheckDue?: string;
  /** The due date for which a check was raised last. */
  readonly raisedFor?: string;
  /** Why a correction of this version was refused last. */
  readonly refusedFor?: string;
  /** Recipients by the newest version they were given or told of. */
  readonly recipients: ReadonlyMap<string, number>;
  /** Versions whose correction is complete. */
  readonly completed: readonly number[];
}

export interface SubjectState {
  readonly openedAt?: Instant;
  readonly registeredAs?: { readonly capacity: Capacity; readonly subscriberType: string; readonly division: string };
  /** First presentation of each notice version, by `id@version`. */
  readonly presented: Readonly<Record<string, Instant>>;
  /** By notice: when the newest data came from elsewhere under it that the person was not told of since (Art 14). */
  readonly untold: ReadonlyMap<string, Instant>;
  readonly items: Readonly<Record<string, ItemState>>;
  readonly restriction?: { readonly ground: string; readonly since: Instant };
}

/** What the rules about holdings look up. */
export interface SubjectFacts extends Facts {
  readonly purposes: PurposeRegisterState;
  readonly collectionPoints: CollectionPointRegisterState;
  readonly notices: NoticeRegisterState;
  /** Whether the vault says that this id belonged to a person who was erased. Looked up for `RegisterSubject` only. */
  readonly erased?: boolean;
}

type SubjectOutcome = Outcome<SubjectEvent>;

const initialState: SubjectState = { presented: {}, untold: new Map(), items: {} };

function evolve(state: SubjectState, event: SubjectEvent | DataShareView, at: Instant): SubjectState {
  switch (event.type) {
    case 'SubjectRegistered': {
      const { capacity, subscriberType, division } = event.data;
      return { ...state, openedAt: at, registeredAs: { capacity, subscriberType, division } };
    }
    case 'NoticePresented': {
      const { noticeId } = event.data;
      const key = presentation(noticeId, event.data.version);
      const first = state.presented[key];
      const presented = first !== undefined && first <= at ? state.presented : { ...state.presented, [key]: at };
      const told = isUntold(state, noticeId, at);
      return {
        ...state,
        presented,
        untold: told ? new Map([...state.untold].filter(([each]) => each !== noticeId)) : state.untold,
      };
    }
    case 'DataCollected': {
      const { noticeId, source } = event.data;
      const items: Record<string, ItemState> = { ...state.items };
      for (const item of event.data.items)
        items[item.itemId] = {
          category: item.category,
          purposeId: event.data.purposeId,
          version: item.version,
          keyId: item.keyId,
          status: 'held',
          ...(item.nextCheckDue !== undefined && { nextCheckDue: item.nextCheckDue }),
          recipients: new Map(),
          completed: [],
        };
      const newest = source === 'thirdParty' && !((state.untold.get(noticeId) ?? '') > at);
      return { ...state, items, untold: newest ? new Map(state.untold).set(noticeId, at) : state.untold };
    }
    case 'DataCorrected':
      return withItem(state, event.data.itemId, (item) => {
        const { nextCheckDue: _due, raisedFor: _raised, disputedSince: _settled, refusedFor: _refused, ...kept } = item;
        return {
          ...kept,
          version: event.data.toVersion,
          keyId: event.data.keyId,
          ...(event.data.nextCheckDue !== undefined && { nextCheckDue: event.data.nextCheckDue }),
        };
      });
    case 'DataShared':
      return event.data.recipientKind === 'SELF'
        ? state
        : event.data.items.reduce(
            (folded, { itemId, version }) =>
              withItem(folded, itemId, (item) => ({
                ...item,
                recipients: new Map(item.recipients).set(
                  event.data.recipientId,
                  Math.max(version, item.recipients.get(event.data.recipientId) ?? 0),
                ),
              })),
            state,
          );
    case 'RecipientNotified':
      return withItem(state, event.data.itemId, (item) => ({
        ...item,
        recipients: new Map(item.recipients).set(event.data.recipientId, event.data.version),
      }));
    case 'CorrectionCompleted':
      return withItem(state, event.data.itemId, (item) => ({
        ...item,
        completed: [...item.completed, event.data.version],
      }));
    case 'AccuracyConfirmed':
      return withItem(state, event.data.itemId, (item) => {
        const { nextCheckDue: _due, raisedFor: _raised, disputedSince: _settled, ...kept } = item;
        const { nextCheckDue } = event.data;
        return { ...kept, ...(nextCheckDue !== undefined && { nextCheckDue }) };
      });
    case 'AccuracyDoubtRaised':
      return withItem(state, event.data.itemId, (item) => ({ ...item, disputedSince: at }));
    case 'AccuracyCheckDue':
      return withItem(state, event.data.itemId, (item) => ({ ...item, raisedFor: event.data.due }));
    case 'ProcessingRestricted':
      return { ...state, restriction: { ground: event.data.ground, since: at } };
    case 'RestrictionLifted': {
      const { restriction: _lifted, ...rest } = state;
      return rest;
    }
    case 'RetentionExpired':
      return event.data.items.reduce((folded, ref) => endItem(folded, ref, 'expired'), state);
    case 'ErasureStarted':
      return endItems(state, event.data, 'expired');
    case 'DataErased':
      return endItems(state, event.data, 'erased');
    case 'HeldForPurpose':
    case 'PurposeEnded':
    case 'RetentionDeferred':
      return state;
    case 'RectificationRefused':
      return withItem(state, event.data.itemId, (item) => ({ ...item, refusedFor: event.data.reasonCode }));
  }
}

function decide(command: SubjectDomainCommand, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  if (command.type === 'RegisterSubject') return register(command, state, facts);
  const unfit = withoutStanding(state.openedAt, facts);
  if (unfit) return unfit;
  switch (command.type) {
    case 'PresentNotice':
      return present(command, state, facts);
    case 'CollectData':
      return collect(command, state, facts);
    case 'CorrectData':
      return correct(command, state, facts);
    case 'RefuseCorrection':
      return ofHeld(state, command.itemId, (item) => refuseCorrection(command, item));
    case 'NotifyRecipient':
      return notify(command, state);
    case 'CompleteCorrection':
      return complete(command, state);
    case 'ConfirmAccuracy':
      return ofHeld(state, command.itemId, (item) => confirmAccuracy(command, item, facts));
    case 'DoubtAccuracy':
      return ofHeld(state, command.itemId, (item) => doubtAccuracy(command, item));
    case 'RaiseAccuracyCheck':
      return raiseCheck(command, state, facts);
    case 'RestrictProcessing':
      return state.restriction?.ground === command.ground
        ? unchanged
        : accept({
            type: 'ProcessingRestricted',
            data: { subjectId: command.subjectId, ground: command.ground },
          });
    case 'LiftRestriction':
      return liftRestriction(command, state, facts);
  }
}

/** Everything decided about what is held about a person, in that person's own stream. */
export const subjectDecider: Decider<SubjectDomainCommand, SubjectEvent | DataShareView, SubjectState, SubjectFacts> = {
  initialState,
  folds: {
    SubjectRegistered: true,
    NoticePresented: true,
    DataCollected: true,
    DataCorrected: true,
    DataShared: true,
    RectificationRefused: true,
    RecipientNotified: true,
    CorrectionCompleted: true,
    AccuracyConfirmed: true,
    AccuracyDoubtRaised: true,
    AccuracyCheckDue: true,
    ProcessingRestricted: true,
    RestrictionLifted: true,
    HeldForPurpose: true,
    PurposeEnded: true,
    RetentionExpired: true,
    RetentionDeferred: true,
    ErasureStarted: true,
    DataErased: true,
  },
  evolve,
  decide,
};

function register(command: RegisterSubject, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, capacity } = command;
  const subscriberType = command.subscriberType ?? 'individual';
  const division = command.division ?? 'england-and-wales';
  if (state.registeredAs) {
    const same =
      state.registeredAs.capacity === capacity &&
      state.registeredAs.subscriberType === subscriberType &&
      state.registeredAs.division === division;
    return same ? unchanged : refuse('SUBJECT_EXISTS');
  }
  // The log that named the person may have been restored from before they were erased (X7).
  if (facts.erased) return refuse('DATA_ERASED');
  return accept({ type: 'SubjectRegistered', data: { subjectId, capacity, subscriberType, division } });
}

function present(command: PresentNotice, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, noticeId, version, how, channel } = command;
  if (!noticeVersion(facts.notices, noticeId, version)) return refuse('NOTICE_UNKNOWN', { noticeId, version });
  if (noticeAsOf(facts.notices, noticeId, facts.occurredAt)?.version !== version)
    return refuse('NOTICE_NOT_IN_FORCE', { noticeId, version });
  const first = state.presented[presentation(noticeId, version)];
  const shown = first !== undefined && first <= facts.occurredAt;
  if (shown && !isUntold(state, noticeId, facts.occurredAt)) return unchanged;
  return accept({ type: 'NoticePresented', data: { subjectId, noticeId, version, how, channel } });
}

function collect(command: CollectData, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, purposeId, collectionPointId, noticeId, serviceRequestRef } = command;
  const itemId = (index: number): string => facts.id(`item ${index}`);
  if (command.items.every((_item, index) => state.items[itemId(index)] !== undefined)) return unchanged;

  const found = collectionPointNow(facts.collectionPoints, collectionPointId);
  if (found.status !== 'active')
    return refuse(found.status === 'retired' ? 'COLLECTION_POINT_RETIRED' : 'COLLECTION_POINT_UNKNOWN', {
      collectionPointId,
    });
  const { point } = found;

  const sought = purposeAsOf(facts.purposes, purposeId, facts.occurredAt);
  if (sought.status !== 'inForce') return refuse(purposeRefusal(sought.status), { purposeId });
  const { purpose } = sought;
  if (!point.purposes.includes(purposeId))
    return refuse('COLLECTION_POINT_NOT_BOUND', { collectionPointId, purposeId });
  if (purpose.basis === 'contract') {
    if (state.registeredAs?.capacity === 'corporateContact')
      return refuse('LAWFUL_BASIS_NOT_AVAILABLE', { purposeId, basis: purpose.basis });
    if (serviceRequestRef === undefined) return refuse('NO_SERVICE_REQUEST', { purposeId });
  }

  const asked: (ItemToCollect & { readonly index: number; readonly field: PurposeField })[] = [];
  const excessive: string[] = [];
  command.items.forEach((item, index) => {
    const field = purpose.fields.find((each) => each.category === item.category);
    if (field) asked.push({ ...item, index, field });
    else excessive.push(item.category);
  });
  if (excessive.length > 0) return refuse('DATA_EXCESSIVE', { purposeId, fields: excessive });
  const unbound = categoriesOf(asked.filter(({ category }) => !point.fields.includes(category)));
  if (unbound.length > 0) return refuse('COLLECTION_POINT_NOT_BOUND', { collectionPointId, fields: unbound });
  const demanded = categoriesOf(
    asked.filter(({ required, field }) => required === true && field.necessity !== 'required'),
  );
  if (demanded.length > 0) return refuse('FIELD_NOT_REQUIRED_FOR_PURPOSE', { purposeId, fields: demanded });
  const undeclared = categoriesOf(
    asked.filter(({ value, field }) => value.length > (field.freeText?.maxLength ?? LONGEST_PLAIN_FIELD)),
  );
  if (undeclared.length > 0) return refuse('FREE_TEXT_NOT_DECLARED', { purposeId, fields: undeclared });
  const special = categoriesOf(asked.filter(({ field }) => field.special === true));
  if (special.length > 0 && purpose.specialCategoryCondition === undefined)
    return refuse('SPECIAL_CATEGORY_NOT_PERMITTED', { purposeId, fields: special });

  const source = command.source ?? 'subject';
  const version = command.noticeVersion;
  const notice = noticeVersion(facts.notices, noticeId, version);
  if (!notice) return refuse('NOTICE_UNKNOWN', { noticeId, version });
  if (point.noticeId !== noticeId) return refuse('COLLECTION_POINT_NOT_BOUND', { collectionPointId, noticeId });
  if (noticeAsOf(facts.notices, noticeId, facts.occurredAt)?.version !== version)
    return refuse('NOTICE_NOT_IN_FORCE', { noticeId, version });
  if (!notice.purposes.includes(purposeId))
    return refuse('NOTICE_DOES_NOT_COVER_PURPOSE', { noticeId, version, purposeId });
  const presentedAt = state.presented[presentation(noticeId, version)];
  // Data from elsewhere may be stored before the person is told; it may not be used before (Art 14).
  if (source === 'subject' && (presentedAt === undefined || presentedAt > facts.occurredAt))
    return refuse('NOTICE_NOT_PRESENTED', { noticeId, version });

  const items: CollectedItem[] = [];
  const withoutRule: string[] = [];
  for (const { category, value, index, field } of asked) {
    const rule = purpose.retention.find((each) => each.category === category);
    const keyId = facts.id(`key ${index}`);
    if (rule)
      items.push({
        itemId: itemId(index),
        version: 1,
        category,
        necessity: field.necessity,
        keyId,
        value: new Personal(value, { subjectId, keyId }),
        retention: { trigger: rule.trigger, period: rule.period },
        ...checkDue(field.checkInterval, facts.occurredAt),
      });
    else withoutRule.push(category);
  }
  if (withoutRule.length > 0) return refuse('RETENTION_RULE_MISSING', { purposeId, fields: withoutRule });
  return accept({
    type: 'DataCollected',
    data: {
      subjectId,
      purposeId,
      purposeVersion: purpose.version,
      basis: purpose.basis,
      noticeId,
      noticeVersion: version,
      collectionPointId,
      collectionPointVersion: point.version,
      ...(serviceRequestRef !== undefined && { serviceRequestRef }),
      source,
      items,
    },
  });
}

/** Longest value of a field that is not declared as free text, in characters. */
const LONGEST_PLAIN_FIELD = 320;

function correct(command: CorrectData, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, itemId, fromVersion, reasonCode } = command;
  const keyId = facts.id('key');
  if (state.items[itemId]?.keyId === keyId) return unchanged;
  return ofHeld(state, itemId, (item) => {
    if (item.version !== fromVersion) return refuse('VERSION_CONFLICT', { itemId, version: item.version });
    const toVersion = fromVersion + 1;
    return accept({
      type: 'DataCorrected',
      data: {
        subjectId,
        itemId,
        category: item.category,
        fromVersion,
        toVersion,
        supersededKeyId: item.keyId,
        supersededPeriod: SUPERSEDED_PERIOD,
        keyId,
        value: new Personal(command.value, { subjectId, keyId }),
        reasonCode,
        ...checkDue(intervalOf(item, facts), facts.occurredAt),
        recipientsToNotify: outstanding(item, toVersion),
      },
    });
  });
}

function refuseCorrection(command: RefuseCorrection, item: ItemState): SubjectOutcome {
  const { subjectId, itemId, reasonCode } = command;
  const routes = command.complaintRoutes ?? [];
  const missing = (['controller', 'commissioner', 'court'] as const).filter((route) => !routes.includes(route));
  if (reasonCode === undefined || missing.length > 0)
    return refuse('REFUSAL_INFORMATION_MISSING', {
      fields: [
        ...(reasonCode === undefined ? ['reasonCode'] : []),
        ...missing.map((route) => `complaintRoutes.${route}`),
      ],
    });
  if (item.refusedFor === reasonCode) return unchanged;
  return accept({
    type: 'RectificationRefused',
    data: { subjectId, itemId, reasonCode, complaintRoutes: routes },
  });
}

function notify(command: NotifyRecipient, state: SubjectState): SubjectOutcome {
  const { subjectId, itemId, recipientId, version, outcome } = command;
  const item = state.items[itemId];
  if (!item) return refuse('ITEM_UNKNOWN', { itemId });
  const known = item.recipients.get(recipientId);
  if (known === undefined) return refuse('RECIPIENT_UNKNOWN', { recipientId, itemId });
  if (version > item.version) return refuse('VERSION_CONFLICT', { itemId, version: item.version });
  if (known >= version) return unchanged;
  return accept({
    type: 'RecipientNotified',
    data: { subjectId, recipientId, itemId, version, what: 'correction', outcome },
  });
}

function complete(command: CompleteCorrection, state: SubjectState): SubjectOutcome {
  const { subjectId, itemId, version } = command;
  const item = state.items[itemId];
  if (!item) return refuse('ITEM_UNKNOWN', { itemId });
  if (version > item.version) return refuse('VERSION_CONFLICT', { itemId, version: item.version });
  if (item.completed.includes(version)) return unchanged;
  const waiting = outstanding(item, version);
  if (waiting.length > 0) return refuse('RECIPIENTS_NOT_NOTIFIED', { itemId, recipients: waiting });
  return accept({ type: 'CorrectionCompleted', data: { subjectId, itemId, version } });
}

function confirmAccuracy(command: ConfirmAccuracy, item: ItemState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, itemId, method } = command;
  // A check from before the doubt says nothing about it.
  if (item.disputedSince !== undefined && item.disputedSince > facts.occurredAt)
    return refuse('ITEM_DISPUTED', { itemId });
  const next = checkDue(intervalOf(item, facts), facts.occurredAt);
  const later = (next.nextCheckDue ?? '') > (item.nextCheckDue ?? '');
  if (item.disputedSince === undefined && !later) return unchanged;
  return accept({ type: 'AccuracyConfirmed', data: { subjectId, itemId, version: item.version, method, ...next } });
}

function doubtAccuracy(command: DoubtAccuracy, item: ItemState): SubjectOutcome {
  const { subjectId, itemId, cause } = command;
  if (item.disputedSince !== undefined) return unchanged;
  return accept({ type: 'AccuracyDoubtRaised', data: { subjectId, itemId, version: item.version, cause } });
}

function raiseCheck(command: RaiseAccuracyCheck, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, itemId, due } = command;
  const item = state.items[itemId];
  if (!item) return refuse('ITEM_UNKNOWN', { itemId });
  const overtaken = item.status !== 'held' || item.nextCheckDue !== due || item.raisedFor === due || due > facts.now;
  return overtaken
    ? unchanged
    : accept({ type: 'AccuracyCheckDue', data: { subjectId, itemId, version: item.version, due } });
}

function liftRestriction(command: LiftRestriction, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  if (state.restriction === undefined) return unchanged;
  const informedAt = command.informedAt === undefined ? undefined : parseInstant(command.informedAt);
  // What the person was told before this restriction was about another one.
  if (informedAt === undefined || informedAt > facts.occurredAt || informedAt < state.restriction.since)
    return refuse('RESTRICTION_LIFT_NOT_NOTIFIED', { field: 'informedAt' });
  return accept({ type: 'RestrictionLifted', data: { subjectId: command.subjectId, informedAt } });
}

const presentation = (noticeId: string, version: number): string => `${noticeId}@${version}`;

/** Whether data that came from elsewhere under this notice, up to then, awaits a showing of it. */
function isUntold(state: SubjectState, noticeId: string, at: Instant): boolean {
  const since = state.untold.get(noticeId);
  return since !== undefined && since <= at;
}

/** Decides about an item as long as it is held. */
function ofHeld(state: SubjectState, itemId: string, decideAbout: (item: ItemState) => SubjectOutcome): SubjectOutcome {
  const item = state.items[itemId];
  if (!item) return refuse('ITEM_UNKNOWN', { itemId });
  return item.status === 'held' ? decideAbout(item) : refuse('DATA_ERASED', { itemId });
}

const categoriesOf = (items: readonly { readonly category: string }[]): readonly string[] =>
  items.map(({ category }) => category);

/** Recipients that hold an older version and have not been told of this one. */
function outstanding(item: ItemState, version: number): readonly string[] {
  return [...item.recipients]
    .filter(([, told]) => told < version)
    .map(([recipientId]) => recipientId)
    .sort();
}

function intervalOf(item: ItemState, facts: SubjectFacts): string | undefined {
  const found = purposeAsOf(facts.purposes, item.purposeId, facts.occurredAt);
  if (found.status !== 'inForce') return undefined;
  return found.purpose.fields.find((field) => field.category === item.category)?.checkInterval;
}

function checkDue(interval: string | undefined, from: Instant): { readonly nextCheckDue?: string } {
  return interval === undefined ? {} : { nextCheckDue: addPeriodToInstant(from, interval) };
}

function withItem(state: SubjectState, itemId: string, change: (item: ItemState) => ItemState): SubjectState {
  const item = state.items[itemId];
  return item ? { ...state, items: { ...state.items, [itemId]: change(item) } } : state;
}

/** Only the end of the current version ends the item; superseded versions end on their own. */
function endItem(
  state: SubjectState,
  ref: { readonly itemId: string; readonly version: number },
  status: 'expired' | 'erased',
): SubjectState {
  return withItem(state, ref.itemId, (item) => (item.version === ref.version ? { ...item, status } : item));
}

function endItems(
  state: SubjectState,
  { items, everything }: { readonly items: readonly ItemVersionRef[]; readonly everything?: true },
  status: 'expired' | 'erased',
): SubjectState {
  if (!everything) return items.reduce((folded, ref) => endItem(folded, ref, status), state);
  const ended = Object.entries(state.items).map(([itemId, item]) => [itemId, { ...item, status }] as const);
  return { ...state, items: Object.fromEntries(ended) };
}

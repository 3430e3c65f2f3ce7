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
  type PurposeRegisterState,
} from '#purpose';
import type {
  CollectData,
  CompleteCorrection,
  ConfirmAccuracy,
  CorrectData,
  DoubtAccuracy,
  LiftRestriction,
  NotifyRecipient,
  PresentNotice,
  RaiseAccuracyCheck,
  RefuseCorrection,
  RegisterSubject,
  SubjectDomainCommand,
} from './subject.commands.js';
import type { Capacity, DataCollected, DataShareView, SubjectEvent } from './subject.events.js';

/** How long a superseded value is kept for disputes, unless a rule says otherwise (domain facts 2.7). */
export const SUPERSEDED_PERIOD = 'P12M';

export interface ItemState {
  readonly category: string;
  readonly purposeId: string;
  readonly version: number;
  readonly keyId: string;
  /** Expired and erased items are gone for every rule; the difference is whether the keys still exist. */
  readonly status: 'held' | 'expired' | 'erased';
  readonly disputed: boolean;
  readonly nextCheckDue?: string;
  /** The due date for which a check was raised last. */
  readonly raisedFor?: string;
  /** Recipients by the newest version they were given or told of. */
  readonly recipients: Readonly<Record<string, number>>;
  /** Versions whose correction is complete. */
  readonly completed: readonly number[];
}

export interface SubjectState {
  readonly openedAt?: Instant;
  readonly registeredAs?: { readonly capacity: Capacity; readonly subscriberType: string; readonly division: string };
  /** First presentation of each notice version, by `id@version`. */
  readonly presented: Readonly<Record<string, Instant>>;
  readonly items: Readonly<Record<string, ItemState>>;
  readonly restriction?: string;
}

/** What the rules about holdings look up. */
export interface SubjectFacts extends Facts {
  readonly purposes: PurposeRegisterState;
  readonly collectionPoints: CollectionPointRegisterState;
  readonly notices: NoticeRegisterState;
}

type SubjectOutcome = Outcome<SubjectEvent>;

const initialState: SubjectState = { presented: {}, items: {} };

function evolve(state: SubjectState, event: SubjectEvent | DataShareView, at: Instant): SubjectState {
  switch (event.type) {
    case 'SubjectRegistered': {
      const { capacity, subscriberType, division } = event.data;
      return { ...state, openedAt: at, registeredAs: { capacity, subscriberType, division } };
    }
    case 'NoticePresented': {
      const key = presentation(event.data.noticeId, event.data.version);
      const first = state.presented[key];
      return first !== undefined && first <= at ? state : { ...state, presented: { ...state.presented, [key]: at } };
    }
    case 'DataCollected': {
      const items: Record<string, ItemState> = { ...state.items };
      for (const item of event.data.items)
        items[item.itemId] = {
          category: item.category,
          purposeId: event.data.purposeId,
          version: item.version,
          keyId: item.keyId,
          status: 'held',
          disputed: false,
          ...(item.nextCheckDue !== undefined && { nextCheckDue: item.nextCheckDue }),
          recipients: {},
          completed: [],
        };
      return { ...state, items };
    }
    case 'DataCorrected':
      return withItem(state, event.data.itemId, (item) => {
        const { nextCheckDue: _due, raisedFor: _raised, ...kept } = item;
        return {
          ...kept,
          version: event.data.toVersion,
          keyId: event.data.keyId,
          disputed: false,
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
                recipients: {
                  ...item.recipients,
                  [event.data.recipientId]: Math.max(version, item.recipients[event.data.recipientId] ?? 0),
                },
              })),
            state,
          );
    case 'RecipientNotified':
      return withItem(state, event.data.itemId, (item) => ({
        ...item,
        recipients: { ...item.recipients, [event.data.recipientId]: event.data.version },
      }));
    case 'CorrectionCompleted':
      return withItem(state, event.data.itemId, (item) => ({
        ...item,
        completed: [...item.completed, event.data.version],
      }));
    case 'AccuracyConfirmed':
      return withItem(state, event.data.itemId, (item) => {
        const { nextCheckDue: _due, raisedFor: _raised, ...kept } = item;
        const { nextCheckDue } = event.data;
        return { ...kept, disputed: false, ...(nextCheckDue !== undefined && { nextCheckDue }) };
      });
    case 'AccuracyDoubtRaised':
      return withItem(state, event.data.itemId, (item) => ({ ...item, disputed: true }));
    case 'AccuracyCheckDue':
      return withItem(state, event.data.itemId, (item) => ({ ...item, raisedFor: event.data.due }));
    case 'ProcessingRestricted':
      return { ...state, restriction: event.data.ground };
    case 'RestrictionLifted': {
      const { restriction: _lifted, ...rest } = state;
      return rest;
    }
    case 'RetentionExpired':
      return event.data.items.reduce((folded, ref) => endItem(folded, ref, 'expired'), state);
    case 'DataErased':
      return event.data.items.reduce((folded, ref) => endItem(folded, ref, 'erased'), state);
    case 'RectificationRefused':
      return state;
  }
}

function decide(command: SubjectDomainCommand, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  if (command.type === 'RegisterSubject') return register(command, state);
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
      return refuseCorrection(command, state);
    case 'NotifyRecipient':
      return notify(command, state);
    case 'CompleteCorrection':
      return complete(command, state);
    case 'ConfirmAccuracy':
      return confirmAccuracy(command, state, facts);
    case 'DoubtAccuracy':
      return doubtAccuracy(command, state);
    case 'RaiseAccuracyCheck':
      return raiseCheck(command, state, facts);
    case 'RestrictProcessing':
      return state.restriction === command.ground
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
    RetentionExpired: true,
    DataErased: true,
  },
  evolve,
  decide,
};

function register(command: RegisterSubject, state: SubjectState): SubjectOutcome {
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
  return accept({ type: 'SubjectRegistered', data: { subjectId, capacity, subscriberType, division } });
}

function present(command: PresentNotice, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, noticeId, version, how, channel } = command;
  if (!noticeVersion(facts.notices, noticeId, version)) return refuse('NOTICE_UNKNOWN', { noticeId, version });
  if (noticeAsOf(facts.notices, noticeId, facts.occurredAt)?.version !== version)
    return refuse('NOTICE_NOT_IN_FORCE', { noticeId, version });
  const first = state.presented[presentation(noticeId, version)];
  if (first !== undefined && first <= facts.occurredAt) return unchanged;
  return accept({ type: 'NoticePresented', data: { subjectId, noticeId, version, how, channel } });
}

function collect(command: CollectData, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, purposeId, collectionPointId, noticeId } = command;
  const itemId = (index: number): string => facts.id(`item ${index}`);
  if (command.items.every((_item, index) => state.items[itemId(index)] !== undefined)) return unchanged;

  const point = collectionPointNow(facts.collectionPoints, collectionPointId);
  if (point.status !== 'active')
    return refuse(point.status === 'retired' ? 'COLLECTION_POINT_RETIRED' : 'COLLECTION_POINT_UNKNOWN', {
      collectionPointId,
    });

  const found = purposeAsOf(facts.purposes, purposeId, facts.occurredAt);
  if (found.status !== 'inForce') return refuse(purposeRefusal(found.status), { purposeId });
  const { purpose } = found;
  if (!point.point.purposes.includes(purposeId))
    return refuse('COLLECTION_POINT_NOT_BOUND', { collectionPointId, purposeId });
  if (purpose.basis === 'contract') {
    if (state.registeredAs?.capacity === 'corporateContact')
      return refuse('LAWFUL_BASIS_NOT_AVAILABLE', { purposeId, basis: purpose.basis });
    if (command.serviceRequestRef === undefined) return refuse('NO_SERVICE_REQUEST', { purposeId });
  }

  const categories = command.items.map((item) => item.category);
  const listed = new Map(purpose.fields.map((field) => [field.category, field]));
  const excessive = categories.filter((category) => !listed.has(category));
  if (excessive.length > 0) return refuse('DATA_EXCESSIVE', { purposeId, fields: excessive });
  const unbound = categories.filter((category) => !point.point.fields.includes(category));
  if (unbound.length > 0) return refuse('COLLECTION_POINT_NOT_BOUND', { collectionPointId, fields: unbound });
  const demanded = command.items
    .filter((item) => item.required === true && listed.get(item.category)?.necessity !== 'required')
    .map((item) => item.category);
  if (demanded.length > 0) return refuse('FIELD_NOT_REQUIRED_FOR_PURPOSE', { purposeId, fields: demanded });
  const undeclared = command.items
    .filter((item) => item.value.length > (listed.get(item.category)?.freeText?.maxLength ?? LONGEST_PLAIN_FIELD))
    .map((item) => item.category);
  if (undeclared.length > 0) return refuse('FREE_TEXT_NOT_DECLARED', { purposeId, fields: undeclared });
  const special = purpose.fields
    .filter((field) => field.special === true && purpose.specialCategoryCondition === undefined)
    .map((field) => field.category)
    .filter((category) => categories.includes(category));
  if (special.length > 0) return refuse('SPECIAL_CATEGORY_NOT_PERMITTED', { purposeId, fields: special });

  const source = command.source ?? 'subject';
  const version = command.noticeVersion;
  const notice = noticeVersion(facts.notices, noticeId, version);
  if (!notice) return refuse('NOTICE_UNKNOWN', { noticeId, version });
  if (noticeAsOf(facts.notices, noticeId, facts.occurredAt)?.version !== version)
    return refuse('NOTICE_NOT_IN_FORCE', { noticeId, version });
  if (!notice.purposes.includes(purposeId))
    return refuse('NOTICE_DOES_NOT_COVER_PURPOSE', { noticeId, version, purposeId });
  const presentedAt = state.presented[presentation(noticeId, version)];
  // Data from elsewhere may be stored before the person is told; it may not be used before (Art 14).
  if (source === 'subject' && (presentedAt === undefined || presentedAt > facts.occurredAt))
    return refuse('NOTICE_NOT_PRESENTED', { noticeId, version });

  const withoutRule = categories.filter((category) => !purpose.retention.some((rule) => rule.category === category));
  if (withoutRule.length > 0) return refuse('RETENTION_RULE_MISSING', { purposeId, fields: withoutRule });

  const items: DataCollected['data']['items'] = command.items.map((item, index) => {
    const rule = purpose.retention.find((each) => each.category === item.category)!;
    const field = listed.get(item.category)!;
    const keyId = facts.id(`key ${index}`);
    return {
      itemId: itemId(index),
      version: 1,
      category: item.category,
      necessity: field.necessity,
      keyId,
      value: new Personal(item.value, { subjectId, keyId }),
      retention: { trigger: rule.trigger, period: rule.period },
      ...checkDue(field.checkInterval, facts.occurredAt),
    };
  });
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
      collectionPointVersion: point.point.version,
      ...(command.serviceRequestRef !== undefined && { serviceRequestRef: command.serviceRequestRef }),
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
  const item = state.items[itemId];
  if (item?.keyId === keyId) return unchanged;
  const gone = unusable(item, itemId);
  if (gone) return gone;
  if (item!.version !== fromVersion) return refuse('VERSION_CONFLICT', { itemId, version: item!.version });
  const toVersion = fromVersion + 1;
  return accept({
    type: 'DataCorrected',
    data: {
      subjectId,
      itemId,
      category: item!.category,
      fromVersion,
      toVersion,
      supersededKeyId: item!.keyId,
      supersededPeriod: SUPERSEDED_PERIOD,
      keyId,
      value: new Personal(command.value, { subjectId, keyId }),
      reasonCode,
      ...checkDue(intervalOf(item!, facts), facts.occurredAt),
      recipientsToNotify: outstanding(item!, toVersion),
    },
  });
}

function refuseCorrection(command: RefuseCorrection, state: SubjectState): SubjectOutcome {
  const { subjectId, itemId, reasonCode } = command;
  const gone = unusable(state.items[itemId], itemId);
  if (gone) return gone;
  const routes = command.complaintRoutes ?? [];
  const missing = (['controller', 'commissioner', 'court'] as const).filter((route) => !routes.includes(route));
  if (reasonCode === undefined || missing.length > 0)
    return refuse('REFUSAL_INFORMATION_MISSING', {
      fields: [
        ...(reasonCode === undefined ? ['reasonCode'] : []),
        ...missing.map((route) => `complaintRoutes.${route}`),
      ],
    });
  return accept({
    type: 'RectificationRefused',
    data: { subjectId, itemId, reasonCode, complaintRoutes: routes },
  });
}

function notify(command: NotifyRecipient, state: SubjectState): SubjectOutcome {
  const { subjectId, itemId, recipientId, version, outcome } = command;
  const item = state.items[itemId];
  if (!item) return refuse('ITEM_UNKNOWN', { itemId });
  const known = item.recipients[recipientId];
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

function confirmAccuracy(command: ConfirmAccuracy, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, itemId, method } = command;
  const item = state.items[itemId];
  const gone = unusable(item, itemId);
  if (gone) return gone;
  const next = checkDue(intervalOf(item!, facts), facts.occurredAt);
  if (!item!.disputed && item!.nextCheckDue !== undefined && (next.nextCheckDue ?? '') <= item!.nextCheckDue)
    return unchanged;
  if (!item!.disputed && item!.nextCheckDue === undefined && next.nextCheckDue === undefined) return unchanged;
  return accept({
    type: 'AccuracyConfirmed',
    data: { subjectId, itemId, version: item!.version, method, ...next },
  });
}

function doubtAccuracy(command: DoubtAccuracy, state: SubjectState): SubjectOutcome {
  const { subjectId, itemId, cause } = command;
  const item = state.items[itemId];
  const gone = unusable(item, itemId);
  if (gone) return gone;
  if (item!.disputed) return unchanged;
  return accept({ type: 'AccuracyDoubtRaised', data: { subjectId, itemId, version: item!.version, cause } });
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
  if (informedAt === undefined || informedAt > facts.occurredAt)
    return refuse('RESTRICTION_LIFT_NOT_NOTIFIED', { field: 'informedAt' });
  return accept({ type: 'RestrictionLifted', data: { subjectId: command.subjectId, informedAt } });
}

const presentation = (noticeId: string, version: number): string => `${noticeId}@${version}`;

function unusable(item: ItemState | undefined, itemId: string): Outcome<never> | undefined {
  if (!item) return refuse('ITEM_UNKNOWN', { itemId });
  return item.status === 'held' ? undefined : refuse('DATA_ERASED', { itemId });
}

/** Recipients that hold an older version and have not been told of this one. */
function outstanding(item: ItemState, version: number): readonly string[] {
  return Object.entries(item.recipients)
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

import { addPeriodToInstant, thirdPartyNoticeDeadline } from '#calendar';
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
  type RetentionRule,
} from '#purpose';
import {
  answerRectification,
  awaits,
  caseOf,
  completions,
  DISPUTE_PERIOD,
  evolveCases,
  raiseRectificationOverdue,
  reportChange,
  type RectificationCases,
} from './rectification.rules.js';
import type {
  CollectData,
  CompleteCorrection,
  ConfirmAccuracy,
  CorrectData,
  DoubtAccuracy,
  ItemToCollect,
  LiftRestriction,
  PresentNotice,
  RaiseAccuracyCheck,
  RaiseArt14NoticeOverdue,
  RaiseOverdueCheck,
  RecordRenewal,
  RefuseCorrection,
  RegisterSubject,
  SubjectDomainCommand,
} from './subject.commands.js';
import type {
  Capacity,
  CollectedItem,
  DataShareView,
  ItemVersionRef,
  ProcessingRestricted,
  RetentionTerm,
  SubjectEvent,
  UnreachableView,
  UseView,
} from './subject.events.js';

/** How long a superseded value is kept for disputes, unless a rule says otherwise (domain facts 2.7). */
export const SUPERSEDED_PERIOD = DISPUTE_PERIOD;

/** How long after it fell due a check that was not done is raised again, as overdue (C14). */
export const CHECK_GRACE = 'P1M';

/** How many authorised uses a report of what came back may name: the newest. */
const REMEMBERED_USES = 100;

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
  /** The due date that was raised as overdue last. */
  readonly overdueFor?: string;
  /** Why a correction of this version was refused last. */
  readonly refusedFor?: string;
  /** Recipients by the newest version they were given or told of. */
  readonly recipients: ReadonlyMap<string, number>;
  /** Those of them that a statute gave it to, and nothing else: whoever answers the person may have to be silent (C22). */
  readonly compelled: ReadonlySet<string>;
  /** Versions whose correction is complete. */
  readonly completed: readonly number[];
}

export interface SubjectState {
  readonly openedAt?: Instant;
  readonly registeredAs?: { readonly capacity: Capacity; readonly subscriberType: string; readonly division: string };
  /** First presentation of each notice version, by `id@version`. */
  readonly presented: Readonly<Record<string, Instant>>;
  /** By notice: the newest version that was presented. */
  readonly newestPresented: ReadonlyMap<string, number>;
  /** What came from elsewhere that the person was not told of since (Art 14). */
  readonly untold: readonly Untold[];
  readonly items: Readonly<Record<string, ItemState>>;
  readonly cases: RectificationCases;
  /** The newest authorised uses, by use id, each with the item versions it was about. */
  readonly uses: ReadonlyMap<string, UseView['data']['items']>;
  readonly restriction?: { readonly ground: string; readonly since: Instant };
}

/** Items of one collection from elsewhere, and the notice that tells of them. */
interface Untold {
  readonly noticeId: string;
  readonly obtainedAt: Instant;
  readonly due: string;
  readonly itemIds: readonly string[];
  readonly raised: boolean;
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

type FoldedEvent = SubjectEvent | DataShareView | UnreachableView | UseView;

const initialState: SubjectState = {
  presented: {},
  newestPresented: new Map(),
  untold: [],
  items: {},
  cases: new Map(),
  uses: new Map(),
};

function evolve(state: SubjectState, event: FoldedEvent, at: Instant): SubjectState {
  switch (event.type) {
    case 'SubjectRegistered': {
      const { capacity, subscriberType, division } = event.data;
      return { ...state, openedAt: at, registeredAs: { capacity, subscriberType, division } };
    }
    case 'NoticePresented': {
      const { noticeId, version } = event.data;
      const key = presentation(noticeId, version);
      const first = state.presented[key];
      const presented = first !== undefined && first <= at ? state.presented : { ...state.presented, [key]: at };
      const newest = Math.max(version, state.newestPresented.get(noticeId) ?? 0);
      return {
        ...state,
        presented,
        newestPresented: new Map(state.newestPresented).set(noticeId, newest),
        untold: state.untold.filter((each) => each.noticeId !== noticeId || each.obtainedAt > at),
      };
    }
    case 'DataCollected': {
      const { noticeId, source, art14Due } = event.data;
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
          compelled: new Set(),
          completed: [],
        };
      if (source !== 'thirdParty') return { ...state, items };
      const due = art14Due ?? thirdPartyNoticeDeadline(at).mustBeDoneBefore;
      const itemIds = event.data.items.map(({ itemId }) => itemId);
      return {
        ...state,
        items,
        untold: [...state.untold, { noticeId, obtainedAt: at, due, itemIds, raised: false }],
      };
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
            (folded, { itemId, version }) => withItem(folded, itemId, (item) => givenTo(item, version, event.data)),
            state,
          );
    case 'RecipientNotified':
    case 'RecipientUnreachable':
      return event.data.what === 'correction' ? told(state, event.data) : state;
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
      return withItem(state, event.data.itemId, (item) => ({
        ...item,
        nextCheckDue: event.data.due,
        raisedFor: event.data.due,
      }));
    case 'AccuracyCheckOverdue':
      return withItem(state, event.data.itemId, (item) => ({ ...item, overdueFor: event.data.due }));
    case 'Art14NoticeOverdue': {
      const { noticeId, due } = event.data;
      return {
        ...state,
        untold: state.untold.map((each) =>
          each.noticeId === noticeId && each.due === due ? { ...each, raised: true } : each,
        ),
      };
    }
    case 'UseAuthorised': {
      const uses = [...state.uses, [event.data.useId, event.data.items] as const];
      return { ...state, uses: new Map(uses.slice(-REMEMBERED_USES)) };
    }
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
    case 'RetentionReviewDue':
    case 'RetentionReviewed':
    case 'ReportedValuesDeferred':
      return state;
    case 'RectificationRefused': {
      const { itemId, reasonCode } = event.data;
      const refused = withItem(state, itemId, (item) => ({ ...item, refusedFor: reasonCode }));
      return { ...refused, cases: evolveCases(state.cases, event) };
    }
    case 'SubjectReportedChange':
    case 'RectificationRequested':
    case 'RectificationAnswered':
    case 'RectificationCompleted':
    case 'RectificationOverdue':
    case 'ReportedValuesErased':
      return { ...state, cases: evolveCases(state.cases, event) };
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
      return settling(refuseCorrection(command, state), command.subjectId, state, facts);
    case 'CompleteCorrection':
      return settling(complete(command, state), command.subjectId, state, facts);
    case 'ConfirmAccuracy':
      return ofHeld(state, command.itemId, (item) => confirmAccuracy(command, item, facts));
    case 'DoubtAccuracy':
      return doubtAccuracy(command, state);
    case 'RaiseAccuracyCheck':
      return raiseCheck(command, state, facts);
    case 'RaiseOverdueCheck':
      return raiseOverdueCheck(command, state, facts);
    case 'RecordRenewal':
      return recordRenewal(command, state, facts);
    case 'RaiseArt14NoticeOverdue':
      return raiseArt14NoticeOverdue(command, state, facts);
    case 'ReportChange':
      return reportChange(command, state.cases, state.items, facts);
    case 'AnswerRectification':
      return settling(answerRectification(command, state.cases, state.items), command.subjectId, state, facts);
    case 'RaiseRectificationOverdue':
      return raiseRectificationOverdue(command, state.cases, facts);
    case 'RestrictProcessing':
      return state.restriction?.ground === command.ground
        ? unchanged
        : accept({
            type: 'ProcessingRestricted',
            data: { subjectId: command.subjectId, ground: command.ground, ...whoMustKnow(state) },
          });
    case 'LiftRestriction':
      return liftRestriction(command, state, facts);
  }
}

/** Everything decided about what is held about a person, in that person's own stream. */
export const subjectDecider: Decider<SubjectDomainCommand, FoldedEvent, SubjectState, SubjectFacts> = {
  initialState,
  folds: {
    SubjectRegistered: true,
    NoticePresented: true,
    DataCollected: true,
    DataCorrected: true,
    DataShared: true,
    RectificationRefused: true,
    RecipientNotified: true,
    RecipientUnreachable: true,
    CorrectionCompleted: true,
    AccuracyConfirmed: true,
    AccuracyDoubtRaised: true,
    AccuracyCheckDue: true,
    AccuracyCheckOverdue: true,
    Art14NoticeOverdue: true,
    SubjectReportedChange: true,
    RectificationRequested: true,
    RectificationAnswered: true,
    RectificationCompleted: true,
    RectificationOverdue: true,
    ReportedValuesDeferred: true,
    ReportedValuesErased: true,
    UseAuthorised: true,
    ProcessingRestricted: true,
    RestrictionLifted: true,
    HeldForPurpose: true,
    PurposeEnded: true,
    RetentionExpired: true,
    RetentionDeferred: true,
    RetentionReviewDue: true,
    RetentionReviewed: true,
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
  const toldOf = state.untold
    .filter((each) => each.noticeId === noticeId && each.obtainedAt <= facts.occurredAt)
    .flatMap(({ itemIds }) => itemIds);
  if (first !== undefined && first <= facts.occurredAt && toldOf.length === 0) return unchanged;
  const newestBefore = state.newestPresented.get(noticeId);
  return accept({
    type: 'NoticePresented',
    data: {
      subjectId,
      noticeId,
      version,
      how,
      channel,
      ...(first !== undefined && { again: true as const }),
      ...(newestBefore !== undefined && { newestBefore }),
      toldOf,
    },
  });
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
        retention: termOf(rule),
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
      ...(command.sourceRecipientId !== undefined && { sourceRecipientId: command.sourceRecipientId }),
      ...(source === 'thirdParty' && { art14Due: thirdPartyNoticeDeadline(facts.occurredAt).mustBeDoneBefore }),
      items,
    },
  });
}

/** Longest value of a field that is not declared as free text, in characters. */
const LONGEST_PLAIN_FIELD = 320;

function correct(command: CorrectData, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, itemId, fromVersion, reasonCode, requestId } = command;
  const keyId = facts.id('key');
  if (state.items[itemId]?.keyId === keyId) return unchanged;
  return ofHeld(state, itemId, (item) => {
    const astray = caseOf(requestId, itemId, state.cases);
    if (astray) return astray;
    if (item.version !== fromVersion) return refuse('VERSION_CONFLICT', { itemId, version: item.version });
    const toVersion = fromVersion + 1;
    return accept({
      type: 'DataCorrected',
      data: {
        subjectId,
        itemId,
        category: item.category,
        purposeId: item.purposeId,
        fromVersion,
        toVersion,
        supersededKeyId: item.keyId,
        supersededPeriod: SUPERSEDED_PERIOD,
        keyId,
        value: new Personal(command.value, { subjectId, keyId }),
        reasonCode,
        ...(requestId !== undefined && { requestId }),
        ...checkDue(intervalOf(item, facts), facts.occurredAt),
        recipientsToNotify: outstanding(item, toVersion),
      },
    });
  });
}

function refuseCorrection(command: RefuseCorrection, state: SubjectState): SubjectOutcome {
  const { subjectId, itemId, reasonCode, requestId } = command;
  return ofHeld(state, itemId, (item) => {
    const routes = command.complaintRoutes ?? [];
    const missing = (['controller', 'commissioner', 'court'] as const).filter((route) => !routes.includes(route));
    if (reasonCode === undefined || missing.length > 0)
      return refuse('REFUSAL_INFORMATION_MISSING', {
        fields: [
          ...(reasonCode === undefined ? ['reasonCode'] : []),
          ...missing.map((route) => `complaintRoutes.${route}`),
        ],
      });
    const astray = caseOf(requestId, itemId, state.cases);
    if (astray) return astray;
    if (item.refusedFor === reasonCode && !awaits(itemId, requestId, state.cases, state.items)) return unchanged;
    return accept({
      type: 'RectificationRefused',
      data: { subjectId, itemId, ...(requestId !== undefined && { requestId }), reasonCode, complaintRoutes: routes },
    });
  });
}

/** The outcome, with the cases that it leaves nothing open of. */
function settling(
  outcome: SubjectOutcome,
  subjectId: string,
  state: SubjectState,
  facts: SubjectFacts,
): SubjectOutcome {
  if (outcome.kind === 'refused') return outcome;
  const after = outcome.events.reduce((folded, event) => evolve(folded, event, facts.occurredAt), state);
  const completed = completions(subjectId, after.cases, after.items, facts.occurredAt);
  return completed.length === 0 ? outcome : accept<SubjectEvent>(...outcome.events, ...completed);
}

function complete(command: CompleteCorrection, state: SubjectState): SubjectOutcome {
  const { subjectId, itemId, version } = command;
  const item = state.items[itemId];
  if (!item) return refuse('ITEM_UNKNOWN', { itemId });
  if (version > item.version) return refuse('VERSION_CONFLICT', { itemId, version: item.version });
  if (item.completed.includes(version)) return unchanged;
  const waiting = outstanding(item, version);
  if (waiting.length > 0) {
    const recipients = waiting.filter((recipientId) => !item.compelled.has(recipientId));
    const compelled = waiting.length - recipients.length;
    return refuse('RECIPIENTS_NOT_NOTIFIED', { itemId, recipients, ...(compelled > 0 && { compelled }) });
  }
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

/** What a message that came back can be about: the last word of the category of the address it was sent to. */
const ADDRESSED_BY = { bouncedEmail: 'email', returnedPost: 'address', subjectNotice: undefined, other: undefined };

function doubtAccuracy(command: DoubtAccuracy, state: SubjectState): SubjectOutcome {
  const { subjectId, cause, useId } = command;
  const doubt = (itemId: string, item: ItemState): SubjectEvent => ({
    type: 'AccuracyDoubtRaised',
    data: {
      subjectId,
      itemId,
      version: item.version,
      category: item.category,
      cause,
      ...(useId !== undefined && { useId }),
    },
  });
  if (useId === undefined) {
    const itemId = command.itemId ?? '';
    return ofHeld(state, itemId, (item) =>
      item.disputedSince === undefined ? accept(doubt(itemId, item)) : unchanged,
    );
  }
  const used = state.uses.get(useId);
  if (!used) return refuse('ITEM_UNKNOWN', { useId });
  const word = ADDRESSED_BY[cause];
  const address = used.filter(({ itemId }) => state.items[itemId]?.category.split('.').at(-1) === word);
  // A value that was replaced since the message left says nothing about the one that is held now.
  const doubted = (address.length > 0 ? address : used).flatMap(({ itemId, version }) => {
    const item = state.items[itemId];
    const stands = item?.status === 'held' && item.version === version && item.disputedSince === undefined;
    return item && stands ? [doubt(itemId, item)] : [];
  });
  return accept(...doubted);
}

function raiseCheck(command: RaiseAccuracyCheck, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, itemId, due } = command;
  const item = state.items[itemId];
  if (!item) return refuse('ITEM_UNKNOWN', { itemId });
  const overtaken = item.status !== 'held' || item.nextCheckDue !== due || item.raisedFor === due || due > facts.now;
  return overtaken
    ? unchanged
    : accept({
        type: 'AccuracyCheckDue',
        data: { subjectId, itemId, version: item.version, category: item.category, due },
      });
}

function raiseOverdueCheck(command: RaiseOverdueCheck, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const { subjectId, itemId, due } = command;
  const item = state.items[itemId];
  if (!item) return refuse('ITEM_UNKNOWN', { itemId });
  const since = parseInstant(due);
  const overtaken =
    item.status !== 'held' ||
    item.nextCheckDue !== due ||
    item.raisedFor !== due ||
    item.overdueFor === due ||
    since === undefined ||
    addPeriodToInstant(since, CHECK_GRACE) > facts.now;
  return overtaken
    ? unchanged
    : accept({
        type: 'AccuracyCheckOverdue',
        data: { subjectId, itemId, version: item.version, category: item.category, due },
      });
}

/** Brings forward every check that is still to come; one that has been raised and not done stays as it is. */
function recordRenewal({ subjectId }: RecordRenewal, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  const due = facts.occurredAt;
  const coming = Object.entries(state.items).filter(
    ([, item]) => item.status === 'held' && item.nextCheckDue !== undefined && item.nextCheckDue > due,
  );
  return accept(
    ...coming.map(([itemId, { version, category }]): SubjectEvent => ({
      type: 'AccuracyCheckDue',
      data: { subjectId, itemId, version, category, due, cause: 'renewal' },
    })),
  );
}

function raiseArt14NoticeOverdue(
  { subjectId, noticeId, due }: RaiseArt14NoticeOverdue,
  state: SubjectState,
  facts: SubjectFacts,
): SubjectOutcome {
  const itemIds = state.untold
    .filter((each) => each.noticeId === noticeId && each.due === due && !each.raised)
    .flatMap((each) => each.itemIds)
    .filter((itemId) => state.items[itemId]?.status === 'held');
  return itemIds.length === 0 || due > facts.now
    ? unchanged
    : accept({ type: 'Art14NoticeOverdue', data: { subjectId, noticeId, due, itemIds } });
}

function liftRestriction(command: LiftRestriction, state: SubjectState, facts: SubjectFacts): SubjectOutcome {
  if (state.restriction === undefined) return unchanged;
  const informedAt = command.informedAt === undefined ? undefined : parseInstant(command.informedAt);
  // What the person was told before this restriction was about another one.
  if (informedAt === undefined || informedAt > facts.occurredAt || informedAt < state.restriction.since)
    return refuse('RESTRICTION_LIFT_NOT_NOTIFIED', { field: 'informedAt' });
  return accept({ type: 'RestrictionLifted', data: { subjectId: command.subjectId, informedAt } });
}

/** The rule as it goes on record with what is held under it. */
export const termOf = ({ trigger, period, action }: RetentionRule): RetentionTerm => ({
  trigger,
  period,
  ...(action !== 'erase' && { action }),
});

const presentation = (noticeId: string, version: number): string => `${noticeId}@${version}`;

/** Decides about an item as long as it is held. */
function ofHeld(state: SubjectState, itemId: string, decideAbout: (item: ItemState) => SubjectOutcome): SubjectOutcome {
  const item = state.items[itemId];
  if (!item) return refuse('ITEM_UNKNOWN', { itemId });
  return item.status === 'held' ? decideAbout(item) : refuse('DATA_ERASED', { itemId });
}

const categoriesOf = (items: readonly { readonly category: string }[]): readonly string[] =>
  items.map(({ category }) => category);

/** The item as it is known to a recipient that was given this version of it. */
function givenTo(item: ItemState, version: number, { recipientId, instrumentId }: DataShareView['data']): ItemState {
  const known = item.recipients.get(recipientId);
  const compelled = new Set(item.compelled);
  if (instrumentId === undefined) compelled.delete(recipientId);
  else if (known === undefined) compelled.add(recipientId);
  return { ...item, recipients: new Map(item.recipients).set(recipientId, Math.max(version, known ?? 0)), compelled };
}

/** Recipients that hold an older version and have not been told of this one. */
function outstanding(item: ItemState, version: number): readonly string[] {
  return [...item.recipients]
    .filter(([, told]) => told < version)
    .map(([recipientId]) => recipientId)
    .sort();
}

/** Recipients that were given data that is still held; those that know of a restriction already are not told again. */
function whoMustKnow({ items, restriction }: SubjectState): Pick<ProcessingRestricted['data'], 'recipientsToNotify'> {
  const held = Object.values(items).filter(({ status }) => status === 'held');
  const recipientsToNotify = [...new Set(held.flatMap(({ recipients }) => [...recipients.keys()]))].sort();
  return restriction === undefined && recipientsToNotify.length > 0 ? { recipientsToNotify } : {};
}

/** A recipient that was dealt with is not outstanding for these versions any more. */
function told(state: SubjectState, { recipientId, items }: UnreachableView['data']): SubjectState {
  return items.reduce(
    (folded, { itemId, version }) =>
      withItem(folded, itemId, (item) => ({ ...item, recipients: new Map(item.recipients).set(recipientId, version) })),
    state,
  );
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

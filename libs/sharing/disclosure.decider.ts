import { londonDate } from '#calendar';
import {
  accept,
  canonicalJson,
  refuse,
  unchanged,
  withoutStanding,
  type CivilDate,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import { purposeAsOf, purposeRefusal, type PurposeRegisterState } from '#purpose';
import type {
  AccuracyCheckDue,
  AccuracyConfirmed,
  AccuracyDoubtRaised,
  DataCollected,
  DataCorrected,
  DataErased,
  ErasureStarted,
  HeldForPurpose,
  NoticePresented,
  ProcessingRestricted,
  PurposeEnded,
  RestrictionLifted,
  RetentionDeferred,
  RetentionExpired,
  RetentionReviewDue,
  RetentionReviewed,
  SubjectRegistered,
} from '#subject';
import { AGREEMENT_KINDS, type AgreementKind, type TransferMechanism } from './agreement.events.js';
import {
  agreementsWith,
  termsMissing,
  termsOn,
  type AgreementRegisterState,
  type AgreementVersion,
} from './agreement.register.js';
import type { DisclosureCommand, ShareCategories } from './disclosure.commands.js';
import type { DataShared, SharedItem } from './disclosure.events.js';
import { notInForce, type InstrumentRegisterState } from './instrument.register.js';
import { membershipOn, type Recipient, type RecipientRegisterState } from './recipient.register.js';

/** What a disclosure has to know about the person: told, held, gone, unchecked, in doubt or restricted. */
type DisclosureEvent =
  | DataShared
  | SubjectRegistered
  | NoticePresented
  | DataCollected
  | DataCorrected
  | AccuracyCheckDue
  | AccuracyConfirmed
  | AccuracyDoubtRaised
  | ProcessingRestricted
  | RestrictionLifted
  | HeldForPurpose
  | PurposeEnded
  | RetentionExpired
  | RetentionDeferred
  | RetentionReviewDue
  | RetentionReviewed
  | ErasureStarted
  | DataErased;

interface HeldItem {
  readonly category: string;
  /** What it is held for. */
  readonly purposes: ReadonlySet<string>;
  /** Oldest first, never empty. */
  readonly versions: readonly { readonly version: number; readonly since: Instant; readonly gone?: true }[];
  readonly inDoubt: boolean;
  readonly nextCheckDue?: string;
  /** The notice that the person has yet to be presented, and from when on (UK GDPR Art 14). */
  readonly untold?: { readonly noticeId: string; readonly since: Instant };
  /** Its time has come, and it is kept for a hold, a duty or an open case alone (I-16d). */
  readonly blocked?: true;
}

export interface DisclosureState {
  readonly openedAt?: Instant;
  readonly restricted: boolean;
  /** By item id. */
  readonly items: ReadonlyMap<string, HeldItem>;
  /** What was given to whom for what, by disclosure id. */
  readonly shared: ReadonlyMap<string, string>;
}

export interface DisclosureFacts extends Facts {
  readonly recipients: RecipientRegisterState;
  readonly agreements: AgreementRegisterState;
  readonly instruments: InstrumentRegisterState;
  readonly purposes: PurposeRegisterState;
}

/** Where no transfer mechanism is needed (UK GDPR Art 44). */
const HOME = 'GB';

export const disclosureDecider: Decider<DisclosureCommand, DisclosureEvent, DisclosureState, DisclosureFacts> = {
  initialState: { restricted: false, items: new Map(), shared: new Map() },
  folds: {
    DataShared: true,
    SubjectRegistered: true,
    DataCollected: true,
    NoticePresented: true,
    DataCorrected: true,
    AccuracyCheckDue: true,
    AccuracyConfirmed: true,
    AccuracyDoubtRaised: true,
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
  evolve(state, event, at) {
    switch (event.type) {
      case 'SubjectRegistered':
        return { ...state, openedAt: at };
      case 'DataCollected': {
        const items = new Map(state.items);
        const { noticeId, source, purposeId } = event.data;
        for (const { itemId, version, category, nextCheckDue } of event.data.items)
          items.set(itemId, {
            category,
            purposes: new Set([purposeId]),
            versions: [{ version, since: at }],
            inDoubt: false,
            ...(nextCheckDue !== undefined && { nextCheckDue }),
            ...(source === 'thirdParty' && { untold: { noticeId, since: at } }),
          });
        return { ...state, items };
      }
      case 'NoticePresented': {
        const { noticeId } = event.data;
        const items = [...state.items].map(([itemId, item]): [string, HeldItem] => {
          const { untold, ...told } = item;
          return [itemId, untold?.noticeId === noticeId && untold.since <= at ? told : item];
        });
        return { ...state, items: new Map(items) };
      }
      case 'DataCorrected':
        return withItem(state, event.data.itemId, (item) => ({
          ...checkedNext(item, event.data.nextCheckDue),
          versions: [...item.versions, { version: event.data.toVersion, since: at }],
          inDoubt: false,
        }));
      case 'AccuracyCheckDue':
        return withItem(state, event.data.itemId, (item) => checkedNext(item, event.data.due));
      case 'AccuracyDoubtRaised':
        return withItem(state, event.data.itemId, (item) => ({ ...item, inDoubt: true }));
      case 'AccuracyConfirmed':
        return withItem(state, event.data.itemId, (item) => ({
          ...checkedNext(item, event.data.nextCheckDue),
          inDoubt: false,
        }));
      case 'ProcessingRestricted':
        return { ...state, restricted: true };
      case 'RestrictionLifted':
        return { ...state, restricted: false };
      case 'HeldForPurpose':
        return event.data.items.reduce(
          (folded, { itemId }) =>
            withItem(folded, itemId, (item) => ({
              ...item,
              purposes: new Set([...item.purposes, event.data.purposeId]),
            })),
          state,
        );
      case 'PurposeEnded':
        return event.data.items.reduce(
          (folded, { itemId }) =>
            withItem(folded, itemId, (item) => ({
              ...item,
              purposes: new Set([...item.purposes].filter((each) => each !== event.data.purposeId)),
            })),
          state,
        );
      case 'RetentionDeferred':
      case 'RetentionReviewDue':
        return block(state, event.data.items);
      case 'RetentionReviewed':
        return event.data.items.reduce(
          (folded, { itemId, outcome }) =>
            outcome === 'keep' ? withItem(folded, itemId, ({ blocked: _reviewed, ...item }) => item) : folded,
          state,
        );
      case 'ErasureStarted':
      case 'DataErased':
        if (event.data.everything) return allGone(state);
        return gone(event.type === 'ErasureStarted' ? block(state, event.data.remaining) : state, event.data.items);
      case 'RetentionExpired':
        return gone(state, event.data.items);
      case 'DataShared': {
        const { disclosureId, recipientId, purposeId, items } = event.data;
        const what = gist(
          recipientId,
          purposeId,
          items.map(({ itemId }) => itemId),
        );
        return { ...state, shared: new Map(state.shared).set(disclosureId, what) };
      }
    }
  },
  decide: share,
};

/** What makes two disclosures under one id the same. */
const gist = (recipientId: string, purposeId: string, itemIds: readonly string[]): string =>
  canonicalJson([recipientId, purposeId, [...itemIds].sort()]);

const checkedNext = ({ nextCheckDue: _before, ...item }: HeldItem, nextCheckDue: string | undefined): HeldItem => ({
  ...item,
  ...(nextCheckDue !== undefined && { nextCheckDue }),
});

function withItem(state: DisclosureState, itemId: string, change: (item: HeldItem) => HeldItem): DisclosureState {
  const item = state.items.get(itemId);
  return item ? { ...state, items: new Map(state.items).set(itemId, change(item)) } : state;
}

type VersionRefs = readonly { readonly itemId: string; readonly version: number }[];

function gone(state: DisclosureState, items: VersionRefs): DisclosureState {
  return items.reduce(
    (folded, ended) =>
      withItem(folded, ended.itemId, (item) => ({
        ...item,
        versions: item.versions.map((each) => (each.version === ended.version ? { ...each, gone: true } : each)),
      })),
    state,
  );
}

function allGone(state: DisclosureState): DisclosureState {
  const items = [...state.items].map(
    ([itemId, item]) =>
      [itemId, { ...item, versions: item.versions.map((each) => ({ ...each, gone: true as const })) }] as const,
  );
  return { ...state, items: new Map(items) };
}

function block(state: DisclosureState, items: VersionRefs): DisclosureState {
  return items.reduce(
    (folded, { itemId, version }) =>
      withItem(folded, itemId, (item) =>
        item.versions.at(-1)?.version === version ? { ...item, blocked: true } : item,
      ),
    state,
  );
}

function share(command: DisclosureCommand, state: DisclosureState, facts: DisclosureFacts): Outcome<DataShared> {
  const { subjectId, recipientId, purposeId, instrumentId } = command;
  const disclosureId = command.disclosureId ?? facts.id('disclosure');
  const unfit = withoutStanding(state.openedAt, facts);
  if (unfit) return unfit;
  const before = state.shared.get(disclosureId);
  if (before !== undefined)
    return command.type === 'ShareCategories' || before === gist(recipientId, purposeId, command.itemIds)
      ? unchanged
      : refuse('REGISTER_ENTRY_EXISTS', { disclosureId });

  const recipient = facts.recipients.get(recipientId);
  if (!recipient) return refuse('RECIPIENT_UNKNOWN', { recipientId });
  const { kind } = recipient.registered;
  const itemIds = command.type === 'ShareCategories' ? heldOf(command, state) : command.itemIds;
  if (itemIds.length === 0)
    return refuse('ITEM_NOT_HELD_FOR_PURPOSE', {
      purposeId,
      categories: command.type === 'ShareCategories' ? command.categories : [],
    });
  const items = inUse(itemIds, state, facts.occurredAt);
  if ('kind' in items) return items;
  const allowed = mayReceive(command, recipient, items, facts);
  if ('kind' in allowed) return allowed;
  const { purpose, grounds } = allowed;

  // A person's own data is theirs whatever its state (UK GDPR Art 15); a statute is obeyed in spite of it (I-19h).
  if (kind !== 'SELF' && instrumentId === undefined) {
    if (state.restricted) return refuse('PROCESSING_RESTRICTED', { recipientId, purposeId });
    const blocked = itemIds.filter((itemId) => state.items.get(itemId)?.blocked);
    if (blocked.length > 0) return refuse('PROCESSING_RESTRICTED', { recipientId, purposeId, itemIds: blocked });
    // Nobody is given what the person has not been told of (Art 14(3)(c)), nor what is in doubt or unchecked (I-14b).
    const untold = itemIds.filter((itemId) => state.items.get(itemId)?.untold !== undefined);
    if (untold.length > 0) return refuse('ART14_NOTICE_DUE', { itemIds: untold });
    const disputed = itemIds.filter((itemId) => state.items.get(itemId)?.inDoubt);
    if (disputed.length > 0) return refuse('ITEM_DISPUTED', { itemIds: disputed });
    const overdue = itemIds.filter((itemId) => (state.items.get(itemId)?.nextCheckDue ?? '9999') <= facts.occurredAt);
    if (overdue.length > 0) return refuse('ACCURACY_CHECK_OVERDUE', { itemIds: overdue });
  }
  return accept({
    type: 'DataShared',
    data: {
      disclosureId,
      subjectId,
      recipientId,
      recipientKind: kind,
      purposeId,
      purposeVersion: purpose.version,
      categories: categoriesOf(items),
      items: items.map(({ since: _since, ...item }) => item),
      basis: command.basis ?? (instrumentId === undefined ? purpose.basis : 'legalObligation'),
      ...(instrumentId !== undefined && { instrumentId }),
      ...grounds,
      medium: command.medium,
      ...(state.restricted && kind !== 'SELF' && { restricted: true as const }),
      subjectCount: command.type === 'ShareCategories' ? command.subjectCount : 1,
    },
  });
}

/** What is held of these categories for the purpose, and not gone. */
function heldOf({ categories, purposeId }: ShareCategories, { items }: DisclosureState): readonly string[] {
  return [...items].flatMap(([itemId, item]) =>
    categories.includes(item.category) && item.purposes.has(purposeId) && !item.versions.at(-1)?.gone ? [itemId] : [],
  );
}

/** A disclosure as far as it can be judged before any person is looked at. */
export interface AskedFor {
  /** One person; absent for a disclosure about many. */
  readonly subjectId?: string;
  readonly recipientId: string;
  readonly purposeId: string;
  readonly instrumentId?: string;
  readonly agreementId?: string;
  readonly transferMechanism?: TransferMechanism;
}

/** What is to be given: items, or categories of which no item is known yet. */
interface Wanted {
  readonly category: string;
  readonly itemId?: string;
  readonly since?: Instant;
}

/** Whether the recipient may be given this for this purpose, whatever is known of the person; and on what it rests. */
export function mayReceive(
  asked: AskedFor,
  recipient: Recipient,
  wanted: readonly Wanted[],
  facts: DisclosureFacts,
):
  | { readonly purpose: { readonly version: number; readonly basis: string }; readonly grounds: Grounds }
  | Outcome<never> {
  const { recipientId, purposeId, instrumentId } = asked;
  const { kind } = recipient.registered;
  const found = purposeAsOf(facts.purposes, purposeId, facts.occurredAt);
  if (found.status !== 'inForce') return refuse(purposeRefusal(found.status), { purposeId });
  const { purpose } = found;
  const grounds = throughTheDoor(asked, recipient, wanted, facts);
  if ('kind' in grounds) return grounds;
  if (!purpose.recipientKindsAllowed.includes(kind) && instrumentId === undefined && kind !== 'SELF')
    return refuse('PURPOSE_OUT_OF_SCOPE', { purposeId, recipientId, recipientKind: kind });
  return { purpose, grounds };
}

type ItemInUse = SharedItem & { readonly since: Instant };

/** The versions in use when the data was given: a disclosure that is recorded late gave the value of its time. */
function inUse(itemIds: readonly string[], state: DisclosureState, at: Instant): readonly ItemInUse[] | Outcome<never> {
  const items: ItemInUse[] = [];
  const unknown: string[] = [];
  const gone: string[] = [];
  for (const itemId of itemIds) {
    const item = state.items.get(itemId);
    const then = item?.versions.findLast(({ since }) => since <= at);
    if (!item || !then) unknown.push(itemId);
    else if (then.gone || item.versions.at(-1)?.gone) gone.push(itemId);
    else {
      const { version } = item.versions.at(-1) ?? then;
      const replaced = version > then.version && { replacedBy: version };
      items.push({ itemId, version: then.version, category: item.category, ...replaced, since: then.since });
    }
  }
  if (unknown.length > 0) return refuse('ITEM_UNKNOWN', { itemIds: unknown });
  return gone.length > 0 ? refuse('DATA_ERASED', { itemIds: gone }) : items;
}

/** On what a disclosure rests. */
interface Grounds {
  readonly agreementId?: string;
  readonly groupCompanyNumber?: string;
  readonly groupMemberSince?: CivilDate;
  readonly transferMechanism?: TransferMechanism;
}

/** Whether the recipient may be given the data at all (C19), and on what that rests. */
function throughTheDoor(
  command: AskedFor,
  recipient: Recipient,
  items: readonly Wanted[],
  facts: DisclosureFacts,
): Grounds | Outcome<never> {
  const { recipientId, kind } = recipient.registered;
  if (command.instrumentId !== undefined) {
    const closed = notCompelled(command.instrumentId, command, recipient, items, facts);
    if (closed) return closed;
  }
  switch (kind) {
    case 'SELF':
      return carried(command, undefined);
    case 'AUTHORITY':
    case 'THIRD_PARTY':
      if (command.instrumentId === undefined) return refuse('NOT_COMPELLED', { recipientId, recipientKind: kind });
      return carried(command, undefined);
    case 'GROUP': {
      const membership = membershipOn(recipient, londonDate(facts.occurredAt));
      if (!membership) return refuse('NOT_GROUP_MEMBER', { recipientId, date: londonDate(facts.occurredAt) });
      const agreement = agreementFor(command, AGREEMENT_KINDS, items, facts);
      // The group needs an agreement for a transfer only, unless the sender names one.
      if ('code' in agreement && command.agreementId !== undefined) return refuse(agreement.code, agreement.details);
      const grounds = carried(command, 'code' in agreement ? undefined : agreement);
      const { companyNumber, from } = membership;
      return withMechanism({ ...grounds, groupCompanyNumber: companyNumber, groupMemberSince: from }, recipient);
    }
    case 'PROCESSOR': {
      const agreement = agreementFor(command, ['art28'], items, facts);
      if ('code' in agreement) return refuse(agreement.code, agreement.details);
      return withMechanism(carried(command, agreement), recipient);
    }
  }
}

function carried(command: AskedFor, agreement: AgreementFound | undefined): Grounds {
  const transferMechanism = command.transferMechanism ?? agreement?.terms.transferMechanism;
  return {
    ...(agreement && { agreementId: agreement.agreementId }),
    ...(transferMechanism !== undefined && { transferMechanism }),
  };
}

function withMechanism(grounds: Grounds, { registered }: Recipient): Grounds | Outcome<never> {
  return registered.country === HOME || grounds.transferMechanism !== undefined
    ? grounds
    : refuse('TRANSFER_MECHANISM_MISSING', {
        recipientId: registered.recipientId,
        country: registered.country ?? 'unknown',
      });
}

/** Why the instrument does not compel this disclosure; `undefined` when it does (I-19c, I-19d). */
function notCompelled(
  instrumentId: string,
  { subjectId, recipientId }: AskedFor,
  { registered: { kind } }: Recipient,
  items: readonly Wanted[],
  { instruments, occurredAt }: DisclosureFacts,
): Outcome<never> | undefined {
  const instrument = instruments.get(instrumentId);
  const reason = instrument ? notInForce(instrument, occurredAt) : 'unknown';
  if (!instrument || reason !== undefined) return refuse('INSTRUMENT_NOT_IN_FORCE', { instrumentId, reason: reason! });
  const { scope } = instrument.recorded;
  const beyond = items.filter(({ category }) => !scope.categories.includes(category));
  if (beyond.length > 0) return refuse('DISCLOSURE_EXCEEDS_SCOPE', { instrumentId, categories: categoriesOf(beyond) });
  if (subjectId !== undefined && scope.subjectIds && !scope.subjectIds.includes(subjectId))
    return refuse('DISCLOSURE_EXCEEDS_SCOPE', { instrumentId, subjectId });
  if (scope.recipientIds ? !scope.recipientIds.includes(recipientId) : kind === 'THIRD_PARTY')
    return refuse('DISCLOSURE_EXCEEDS_SCOPE', { instrumentId, recipientId });
  const outside = items.filter(({ since }) => {
    if (since === undefined) return false;
    const date = londonDate(since);
    return (scope.from !== undefined && date < scope.from) || (scope.to !== undefined && scope.to < date);
  });
  if (outside.length > 0)
    return refuse('DISCLOSURE_EXCEEDS_SCOPE', {
      instrumentId,
      categories: categoriesOf(outside),
      itemIds: outside.map(({ itemId }) => itemId ?? ''),
    });
  return undefined;
}

/** An agreement in force, and what it says on that date. */
interface AgreementFound {
  readonly agreementId: string;
  readonly terms: AgreementVersion;
  readonly missing: readonly string[];
}

/** The agreement the disclosure happens under, or what is wrong with the nearest one (I-19f). */
function agreementFor(
  { recipientId, purposeId, agreementId }: AskedFor,
  kinds: readonly AgreementKind[],
  items: readonly Wanted[],
  { agreements, occurredAt }: DisclosureFacts,
):
  | AgreementFound
  | {
      readonly code: 'AGREEMENT_MISSING' | 'AGREEMENT_EXPIRED' | 'AGREEMENT_DOES_NOT_COVER';
      readonly details: Readonly<Record<string, string | readonly string[]>>;
    } {
  const candidates = agreementsWith(agreements, recipientId).filter(
    ({ recorded }) =>
      kinds.includes(recorded.kind) && (agreementId === undefined || recorded.agreementId === agreementId),
  );
  const named = agreementId === undefined ? { recipientId } : { recipientId, agreementId };
  if (candidates.length === 0) return { code: 'AGREEMENT_MISSING', details: named };
  const date = londonDate(occurredAt);
  const inForce = candidates.flatMap((agreement): AgreementFound[] => {
    const terms = termsOn(agreement, date);
    const { agreementId: id } = agreement.recorded;
    return terms ? [{ agreementId: id, terms, missing: termsMissing(agreement, terms) }] : [];
  });
  const [first] = inForce;
  if (!first) return { code: 'AGREEMENT_EXPIRED', details: { ...named, date } };
  const beyond = ({ terms }: AgreementFound) => items.filter(({ category }) => !terms.categories.includes(category));
  const forPurpose = inForce.filter(({ terms }) => terms.purposes.includes(purposeId));
  const covering = forPurpose.filter((each) => beyond(each).length === 0);
  const whole = covering.filter(({ missing }) => missing.length === 0);
  const best = whole.find(({ terms }) => terms.transferMechanism !== undefined) ?? whole[0];
  if (best) return best;
  // Of several, the one made for this purpose says best what is missing.
  const nearest = covering[0] ?? forPurpose[0] ?? first;
  return {
    code: 'AGREEMENT_DOES_NOT_COVER',
    details: {
      recipientId,
      agreementId: nearest.agreementId,
      purposeId,
      categories: categoriesOf(beyond(nearest)),
      // A contract without the terms of UK GDPR Art 28(3) makes nobody a processor.
      ...(nearest.missing.length > 0 && { missingTerms: nearest.missing }),
    },
  };
}

const categoriesOf = (items: readonly Wanted[]): readonly string[] =>
  [...new Set(items.map(({ category }) => category))].sort();

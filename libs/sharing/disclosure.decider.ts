import { londonDate } from '#calendar';
import {
  accept,
  canonicalJson,
  refuse,
  unchanged,
  withoutStanding,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import { purposeAsOf, purposeRefusal, type PurposeRegisterState } from '#purpose';
import type {
  AccuracyConfirmed,
  AccuracyDoubtRaised,
  DataCollected,
  DataCorrected,
  DataErased,
  ErasureStarted,
  ProcessingRestricted,
  RestrictionLifted,
  RetentionDeferred,
  RetentionExpired,
  SubjectRegistered,
} from '#subject';
import { AGREEMENT_KINDS, type AgreementKind, type TransferMechanism } from './agreement.events.js';
import { agreementInForce, agreementsWith, type Agreement, type AgreementRegisterState } from './agreement.register.js';
import type { ShareData } from './disclosure.commands.js';
import type { DataShared, SharedItem } from './disclosure.events.js';
import { notInForce, type InstrumentRegisterState } from './instrument.register.js';
import { membershipOn, type Recipient, type RecipientRegisterState } from './recipient.register.js';

/** What a disclosure has to know about the person: held, gone, in doubt or restricted. */
type DisclosureEvent =
  | DataShared
  | SubjectRegistered
  | DataCollected
  | DataCorrected
  | AccuracyConfirmed
  | AccuracyDoubtRaised
  | ProcessingRestricted
  | RestrictionLifted
  | RetentionExpired
  | RetentionDeferred
  | ErasureStarted
  | DataErased;

interface HeldItem {
  readonly category: string;
  /** Oldest first, never empty. */
  readonly versions: readonly { readonly version: number; readonly since: Instant; readonly gone?: true }[];
  readonly inDoubt: boolean;
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

export const disclosureDecider: Decider<ShareData, DisclosureEvent, DisclosureState, DisclosureFacts> = {
  initialState: { restricted: false, items: new Map(), shared: new Map() },
  folds: {
    DataShared: true,
    SubjectRegistered: true,
    DataCollected: true,
    DataCorrected: true,
    AccuracyConfirmed: true,
    AccuracyDoubtRaised: true,
    ProcessingRestricted: true,
    RestrictionLifted: true,
    RetentionExpired: true,
    RetentionDeferred: true,
    ErasureStarted: true,
    DataErased: true,
  },
  evolve(state, event, at) {
    switch (event.type) {
      case 'SubjectRegistered':
        return { ...state, openedAt: at };
      case 'DataCollected': {
        const items = new Map(state.items);
        for (const { itemId, version, category } of event.data.items)
          items.set(itemId, { category, versions: [{ version, since: at }], inDoubt: false });
        return { ...state, items };
      }
      case 'DataCorrected':
        return withItem(state, event.data.itemId, (item) => ({
          ...item,
          versions: [...item.versions, { version: event.data.toVersion, since: at }],
          inDoubt: false,
        }));
      case 'AccuracyDoubtRaised':
        return withItem(state, event.data.itemId, (item) => ({ ...item, inDoubt: true }));
      case 'AccuracyConfirmed':
        return withItem(state, event.data.itemId, (item) => ({ ...item, inDoubt: false }));
      case 'ProcessingRestricted':
        return { ...state, restricted: true };
      case 'RestrictionLifted':
        return { ...state, restricted: false };
      case 'RetentionDeferred':
        return block(state, event.data.items);
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

function share(command: ShareData, state: DisclosureState, facts: DisclosureFacts): Outcome<DataShared> {
  const { subjectId, recipientId, purposeId, itemIds, instrumentId } = command;
  const disclosureId = command.disclosureId ?? facts.id('disclosure');
  const unfit = withoutStanding(state.openedAt, facts);
  if (unfit) return unfit;
  const before = state.shared.get(disclosureId);
  if (before !== undefined)
    return before === gist(recipientId, purposeId, itemIds)
      ? unchanged
      : refuse('REGISTER_ENTRY_EXISTS', { disclosureId });

  const recipient = facts.recipients.get(recipientId);
  if (!recipient) return refuse('RECIPIENT_UNKNOWN', { recipientId });
  const { kind } = recipient.registered;
  const items = inUse(itemIds, state, facts.occurredAt);
  if ('kind' in items) return items;
  const found = purposeAsOf(facts.purposes, purposeId, facts.occurredAt);
  if (found.status !== 'inForce') return refuse(purposeRefusal(found.status), { purposeId });
  const { purpose } = found;

  const door = throughTheDoor(command, recipient, items, facts);
  if ('kind' in door) return door;
  if (!purpose.recipientKindsAllowed.includes(kind) && instrumentId === undefined && kind !== 'SELF')
    return refuse('PURPOSE_OUT_OF_SCOPE', { purposeId, recipientId, recipientKind: kind });

  // A person's own data is theirs whatever its state (UK GDPR Art 15); a statute is obeyed in spite of it (I-19h).
  if (kind !== 'SELF' && instrumentId === undefined) {
    if (state.restricted) return refuse('PROCESSING_RESTRICTED', { recipientId, purposeId });
    const disputed = itemIds.filter((itemId) => state.items.get(itemId)?.inDoubt);
    if (disputed.length > 0) return refuse('ITEM_DISPUTED', { itemIds: disputed });
    const blocked = itemIds.filter((itemId) => state.items.get(itemId)?.blocked);
    if (blocked.length > 0) return refuse('PROCESSING_RESTRICTED', { recipientId, purposeId, itemIds: blocked });
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
      categories: [...new Set(items.map(({ category }) => category))].sort(),
      items: items.map(({ itemId, version, category }) => ({ itemId, version, category })),
      basis: command.basis ?? (instrumentId === undefined ? purpose.basis : 'legalObligation'),
      ...(instrumentId !== undefined && { instrumentId }),
      ...door,
      medium: command.medium,
      subjectCount: 1,
    },
  });
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
    else items.push({ itemId, version: then.version, category: item.category, since: then.since });
  }
  if (unknown.length > 0) return refuse('ITEM_UNKNOWN', { itemIds: unknown });
  return gone.length > 0 ? refuse('DATA_ERASED', { itemIds: gone }) : items;
}

/** On what a disclosure rests. */
interface Grounds {
  readonly agreementId?: string;
  readonly groupCompanyNumber?: string;
  readonly transferMechanism?: TransferMechanism;
}

/** Whether the recipient may be given the data at all (C19), and on what that rests. */
function throughTheDoor(
  command: ShareData,
  recipient: Recipient,
  items: readonly ItemInUse[],
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
      return withMechanism({ ...grounds, groupCompanyNumber: membership.companyNumber }, recipient);
    }
    case 'PROCESSOR': {
      const agreement = agreementFor(command, ['art28'], items, facts);
      if ('code' in agreement) return refuse(agreement.code, agreement.details);
      return withMechanism(carried(command, agreement), recipient);
    }
  }
}

function carried(command: ShareData, agreement: Agreement | undefined): Grounds {
  const transferMechanism = command.transferMechanism ?? agreement?.recorded.transferMechanism;
  return {
    ...(agreement && { agreementId: agreement.recorded.agreementId }),
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
  { subjectId, recipientId }: ShareData,
  { registered: { kind } }: Recipient,
  items: readonly ItemInUse[],
  { instruments, occurredAt }: DisclosureFacts,
): Outcome<never> | undefined {
  const instrument = instruments.get(instrumentId);
  const reason = instrument ? notInForce(instrument, occurredAt) : 'unknown';
  if (!instrument || reason !== undefined) return refuse('INSTRUMENT_NOT_IN_FORCE', { instrumentId, reason: reason! });
  const { scope } = instrument.recorded;
  const beyond = items.filter(({ category }) => !scope.categories.includes(category));
  if (beyond.length > 0) return refuse('DISCLOSURE_EXCEEDS_SCOPE', { instrumentId, categories: categoriesOf(beyond) });
  if (scope.subjectIds && !scope.subjectIds.includes(subjectId))
    return refuse('DISCLOSURE_EXCEEDS_SCOPE', { instrumentId, subjectId });
  if (scope.recipientIds ? !scope.recipientIds.includes(recipientId) : kind === 'THIRD_PARTY')
    return refuse('DISCLOSURE_EXCEEDS_SCOPE', { instrumentId, recipientId });
  const outside = items.filter(({ since }) => {
    const date = londonDate(since);
    return (scope.from !== undefined && date < scope.from) || (scope.to !== undefined && scope.to < date);
  });
  if (outside.length > 0)
    return refuse('DISCLOSURE_EXCEEDS_SCOPE', {
      instrumentId,
      categories: categoriesOf(outside),
      itemIds: outside.map(({ itemId }) => itemId),
    });
  return undefined;
}

/** The agreement the disclosure happens under, or what is wrong with the nearest one (I-19f). */
function agreementFor(
  { recipientId, purposeId, agreementId }: ShareData,
  kinds: readonly AgreementKind[],
  items: readonly ItemInUse[],
  { agreements, occurredAt }: DisclosureFacts,
):
  | Agreement
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
  const inForce = candidates.filter((agreement) => agreementInForce(agreement, londonDate(occurredAt)));
  const [first] = inForce;
  if (!first) return { code: 'AGREEMENT_EXPIRED', details: { ...named, date: londonDate(occurredAt) } };
  const beyond = ({ recorded }: Agreement) => items.filter(({ category }) => !recorded.categories.includes(category));
  const covering = inForce.filter(
    (agreement) => agreement.recorded.purposes.includes(purposeId) && beyond(agreement).length === 0,
  );
  const best = covering.find(({ recorded }) => recorded.transferMechanism !== undefined) ?? covering[0];
  if (best) return best;
  // Of several, the one made for this purpose says best what is missing.
  const nearest = inForce.find(({ recorded }) => recorded.purposes.includes(purposeId)) ?? first;
  return {
    code: 'AGREEMENT_DOES_NOT_COVER',
    details: {
      recipientId,
      agreementId: nearest.recorded.agreementId,
      purposeId,
      categories: categoriesOf(beyond(nearest)),
    },
  };
}

const categoriesOf = (items: readonly ItemInUse[]): readonly string[] =>
  [...new Set(items.map(({ category }) => category))].sort();

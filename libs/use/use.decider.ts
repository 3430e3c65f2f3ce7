import { consentKey, evolveConsent, type ConsentEvent, type ConsentsState } from '#consent';
import {
  accept,
  plusMilliseconds,
  refuse,
  unchanged,
  withoutStanding,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import { purposeAsOf, purposeRefusal, type Purpose, type PurposeRegisterState } from '#purpose';
import type {
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
  SubjectRegistered,
} from '#subject';
import type { AuthoriseUse, UseDomainCommand } from './use.commands.js';
import type { UseEvent } from './use.events.js';

/** An authorisation is good for this long, so that a withdrawal bites at once: 15 minutes. */
export const AUTHORISATION_LIFE = 15 * 60 * 1000;

interface UsableItem {
  readonly category: string;
  readonly purposeIds: readonly string[];
  readonly version: number;
  readonly gone: boolean;
  /** Its time has come, and it is kept for a hold, a duty or an open case alone (I-16d). */
  readonly blocked?: true;
  readonly disputed: boolean;
  readonly nextCheckDue?: string;
  /** The notice that the person has yet to be shown, and from when on (UK GDPR Art 14). */
  readonly untold?: { readonly noticeId: string; readonly since: Instant };
}

export interface UseState {
  readonly openedAt?: Instant;
  readonly objected: boolean;
  readonly restricted: boolean;
  readonly consents: ConsentsState['consents'];
  readonly items: Readonly<Record<string, UsableItem>>;
  readonly authorised: readonly string[];
}

export interface UseFacts extends Facts {
  readonly purposes: PurposeRegisterState;
}

type FoldedEvent =
  | UseEvent
  | ConsentEvent
  | SubjectRegistered
  | NoticePresented
  | DataCollected
  | DataCorrected
  | AccuracyConfirmed
  | AccuracyDoubtRaised
  | ProcessingRestricted
  | RestrictionLifted
  | HeldForPurpose
  | PurposeEnded
  | RetentionExpired
  | RetentionDeferred
  | ErasureStarted
  | DataErased;

function evolve(state: UseState, event: FoldedEvent, at: Instant): UseState {
  switch (event.type) {
    case 'SubjectRegistered':
      return { ...state, openedAt: at };
    case 'NoticePresented':
      return {
        ...state,
        items: mapItems(state.items, ({ untold, ...item }) =>
          untold === undefined || (untold.noticeId === event.data.noticeId && untold.since <= at)
            ? item
            : { ...item, untold },
        ),
      };
    case 'DataCollected': {
      const items: Record<string, UsableItem> = { ...state.items };
      for (const item of event.data.items)
        items[item.itemId] = {
          category: item.category,
          purposeIds: [event.data.purposeId],
          version: item.version,
          gone: false,
          disputed: false,
          ...(item.nextCheckDue !== undefined && { nextCheckDue: item.nextCheckDue }),
          ...(event.data.source === 'thirdParty' && { untold: { noticeId: event.data.noticeId, since: at } }),
        };
      return { ...state, items };
    }
    case 'DataCorrected': {
      const { itemId, toVersion, nextCheckDue } = event.data;
      return withItem(state, itemId, ({ nextCheckDue: _due, ...item }) => ({
        ...item,
        version: toVersion,
        disputed: false,
        ...(nextCheckDue !== undefined && { nextCheckDue }),
      }));
    }
    case 'AccuracyConfirmed': {
      const { itemId, nextCheckDue } = event.data;
      return withItem(state, itemId, ({ nextCheckDue: _due, ...item }) => ({
        ...item,
        disputed: false,
        ...(nextCheckDue !== undefined && { nextCheckDue }),
      }));
    }
    case 'AccuracyDoubtRaised':
      return withItem(state, event.data.itemId, (item) => ({ ...item, disputed: true }));
    case 'ProcessingRestricted':
      return { ...state, restricted: true };
    case 'RestrictionLifted':
      return { ...state, restricted: false };
    case 'HeldForPurpose':
      return event.data.items.reduce(
        (folded, { itemId }) =>
          withItem(folded, itemId, (item) => ({ ...item, purposeIds: [...item.purposeIds, event.data.purposeId] })),
        state,
      );
    case 'PurposeEnded':
      return event.data.items.reduce(
        (folded, { itemId }) =>
          withItem(folded, itemId, (item) => ({
            ...item,
            purposeIds: item.purposeIds.filter((each) => each !== event.data.purposeId),
          })),
        state,
      );
    case 'RetentionDeferred':
      return block(state, event.data.items);
    case 'ErasureStarted':
    case 'DataErased':
      if (event.data.everything) return { ...state, items: mapItems(state.items, (item) => ({ ...item, gone: true })) };
      return event.data.items.reduce(
        (folded, ref) =>
          withItem(folded, ref.itemId, (item) => (item.version === ref.version ? { ...item, gone: true } : item)),
        event.type === 'ErasureStarted' ? block(state, event.data.remaining) : state,
      );
    case 'RetentionExpired':
      return event.data.items.reduce(
        (folded, ref) =>
          withItem(folded, ref.itemId, (item) => (item.version === ref.version ? { ...item, gone: true } : item)),
        state,
      );
    case 'ConsentGiven':
    case 'ConsentWithdrawn':
    case 'ConsentExpired':
      return { ...state, consents: evolveConsent(state.consents, event, at) };
    case 'MarketingObjectionReceived':
      return { ...state, objected: true };
    case 'UseAuthorised':
      return { ...state, authorised: [...state.authorised, event.data.useId].slice(-100) };
  }
}

/**
 * The gate of C05 and C17. Everything it asks stands in one stream and is read at one revision, so a use that races
 * with a withdrawal is lost by the append. The first rule that fails is the answer, in the order of C05.
 */
export const useDecider: Decider<UseDomainCommand, FoldedEvent, UseState, UseFacts> = {
  initialState: { objected: false, restricted: false, consents: {}, items: {}, authorised: [] },
  folds: {
    SubjectRegistered: true,
    NoticePresented: true,
    DataCollected: true,
    DataCorrected: true,
    AccuracyConfirmed: true,
    AccuracyDoubtRaised: true,
    ProcessingRestricted: true,
    RestrictionLifted: true,
    HeldForPurpose: true,
    PurposeEnded: true,
    RetentionExpired: true,
    RetentionDeferred: true,
    ErasureStarted: true,
    DataErased: true,
    ConsentGiven: true,
    ConsentWithdrawn: true,
    ConsentExpired: true,
    MarketingObjectionReceived: true,
    UseAuthorised: true,
  },
  evolve,
  decide(command, state, facts) {
    const unfit = withoutStanding(state.openedAt, facts);
    if (unfit) return unfit;
    if (command.type === 'ObjectToMarketing') {
      const { subjectId } = command;
      return state.objected
        ? unchanged
        : accept({ type: 'MarketingObjectionReceived', data: { subjectId, objectionId: facts.id('objection') } });
    }
    return authorise(command, state, facts);
  },
};

function authorise(command: AuthoriseUse, state: UseState, facts: UseFacts): Outcome<UseEvent> {
  const { subjectId, purposeId, channel, itemIds } = command;
  const useId = facts.id('use');
  if (state.authorised.includes(useId)) return unchanged;

  // The answer holds from now on, so everything is judged as it is now, whatever time the request gives.
  const found = purposeAsOf(facts.purposes, purposeId, facts.now);
  if (found.status !== 'inForce') return refuse(purposeRefusal(found.status), { purposeId });
  const { purpose } = found;

  const unknown = itemIds.filter((itemId) => state.items[itemId] === undefined);
  if (unknown.length > 0) return refuse('ITEM_UNKNOWN', { items: unknown });
  const gone = itemIds.filter((itemId) => state.items[itemId]?.gone);
  if (gone.length > 0) return refuse('DATA_ERASED', { items: gone });

  if (purpose.commercial && state.objected) return refuse('MARKETING_OBJECTION', { purposeId });
  if (state.restricted) return refuse('PROCESSING_RESTRICTED', { purposeId });
  const blocked = itemIds.filter((itemId) => state.items[itemId]?.blocked);
  if (blocked.length > 0) return refuse('PROCESSING_RESTRICTED', { purposeId, items: blocked });

  const resting = purpose.commercial
    ? marketingBasis(purpose, channel, state, facts)
    : serviceBasis(purpose, channel, itemIds, state, facts);
  if ('kind' in resting) return resting;

  const listed = new Set(purpose.fields.map((field) => field.category));
  const outside = itemIds.filter((itemId) => !listed.has(state.items[itemId]?.category ?? ''));
  if (outside.length > 0) return refuse('ITEM_NOT_HELD_FOR_PURPOSE', { purposeId, items: outside });

  const untold = itemIds.filter((itemId) => state.items[itemId]?.untold !== undefined);
  if (untold.length > 0) return refuse('ART14_NOTICE_DUE', { items: untold });

  if (purpose.commercial) {
    const disputed = itemIds.filter((itemId) => state.items[itemId]?.disputed);
    if (disputed.length > 0) return refuse('ITEM_DISPUTED', { items: disputed });
    const overdue = itemIds.filter((itemId) => (state.items[itemId]?.nextCheckDue ?? '9999') <= facts.now);
    if (overdue.length > 0) return refuse('ACCURACY_CHECK_OVERDUE', { items: overdue });
  }

  return accept({
    type: 'UseAuthorised',
    data: {
      subjectId,
      useId,
      purposeId,
      purposeVersion: purpose.version,
      commercial: purpose.commercial,
      ...(channel !== undefined && { channel }),
      items: itemIds.map((itemId) => ({
        itemId,
        version: state.items[itemId]?.version ?? 0,
        category: state.items[itemId]?.category ?? '',
      })),
      basis: purpose.basis,
      ...(resting.basisRef !== undefined && { basisRef: resting.basisRef }),
      expiresAt: plusMilliseconds(facts.now, AUTHORISATION_LIFE),
    },
  });
}

interface Resting {
  readonly basisRef?: string;
}

/** Consent, and nothing else: the door of the assessed interest stays shut until it is built. */
function marketingBasis(
  purpose: Purpose,
  channel: string | undefined,
  state: UseState,
  facts: UseFacts,
): Resting | Outcome<never> {
  const { purposeId } = purpose;
  if (purpose.basis === 'legitimateInterests') return refuse('LIA_MISSING', { purposeId });
  if (purpose.basis !== 'consent') return refuse('NO_MARKETING_BASIS', { purposeId, basis: purpose.basis });
  return consentTo(purpose, channel, state, facts);
}

/** Live consent to this purpose, as it is now, over this channel. */
function consentTo(
  purpose: Purpose,
  channel: string | undefined,
  state: UseState,
  facts: UseFacts,
): Resting | Outcome<never> {
  const { purposeId } = purpose;
  if (channel === undefined) return refuse('CONSENT_CHANNEL_MISMATCH', { purposeId, field: 'channel' });
  const consent = state.consents[consentKey(purposeId, channel)];
  if (!consent) {
    const elsewhere = Object.entries(state.consents).some(
      ([key, other]) => key.startsWith(consentKey(purposeId, '')) && other.status === 'given',
    );
    return elsewhere
      ? refuse('CONSENT_CHANNEL_MISMATCH', { purposeId, channel })
      : refuse('CONSENT_NOT_GIVEN', { purposeId, channel });
  }
  if (consent.status === 'withdrawn') return refuse('CONSENT_WITHDRAWN', { purposeId, channel, since: consent.at });
  if (consent.status === 'expired') return refuse('CONSENT_EXPIRED', { purposeId, channel, since: consent.at });
  if (consent.expiresAt !== undefined && consent.expiresAt <= facts.now)
    return refuse('CONSENT_EXPIRED', { purposeId, channel, since: consent.expiresAt });
  if (consent.purposeVersion !== purpose.version)
    return refuse('CONSENT_INVALIDATED', { purposeId, channel, version: purpose.version });
  return { basisRef: consent.consentId };
}

/** Data collected for a purpose serves that purpose; where that rests on consent, only with the consent. */
function serviceBasis(
  purpose: Purpose,
  channel: string | undefined,
  itemIds: readonly string[],
  state: UseState,
  facts: UseFacts,
): Resting | Outcome<never> {
  const resting = purpose.basis === 'consent' ? consentTo(purpose, channel, state, facts) : {};
  if ('kind' in resting) return resting;
  const foreign = itemIds.filter((itemId) => !state.items[itemId]?.purposeIds.includes(purpose.purposeId));
  return foreign.length > 0
    ? refuse('ITEM_NOT_HELD_FOR_PURPOSE', { purposeId: purpose.purposeId, items: foreign })
    : resting;
}

/** What is kept for a hold, a duty or an open case is used for nothing else. */
function block(state: UseState, items: readonly { readonly itemId: string; readonly version: number }[]): UseState {
  return items.reduce(
    (folded, { itemId, version }) =>
      withItem(folded, itemId, (item) => (item.version === version ? { ...item, blocked: true } : item)),
    state,
  );
}

function mapItems(items: UseState['items'], change: (item: UsableItem) => UsableItem): UseState['items'] {
  return Object.fromEntries(Object.entries(items).map(([itemId, item]) => [itemId, change(item)]));
}

function withItem(state: UseState, itemId: string, change: (item: UsableItem) => UsableItem): UseState {
  const item = state.items[itemId];
  return item ? { ...state, items: { ...state.items, [itemId]: change(item) } } : state;
}

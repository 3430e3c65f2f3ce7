import { CONSENT_EVENTS, consentKey, evolveConsent, outgrownBy, type ConsentEvent, type ConsentsState } from '#consent';
import {
  accept,
  isSealed,
  plusMilliseconds,
  refuse,
  unchanged,
  withoutStanding,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
  type Sealed,
} from '#kernel';
import { purposeWidens, type NoticeRegisterState } from '#notice';
import {
  compatibilityFor,
  liaFor,
  purposeAsOf,
  purposeRefusal,
  type CompatibilityRegisterState,
  type LiaRegisterState,
  type LiaSubjectClass,
  type Purpose,
  type PurposeDefinition,
  type PurposeRegisterState,
} from '#purpose';
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
import { addressKindOf } from './address.js';
import { pecrGate, screeningKey, softOptInKey, type Screening, type SoftOptIn } from './pecr.js';
import type { LiftedSuppressions } from './suppression.register.js';
import type { AuthoriseUse, ReportUse, UseDomainCommand } from './use.commands.js';
import type { UseEvent, UseFinding, UseReported, UseWarning } from './use.events.js';

/** An authorisation is good for this long, so that a withdrawal bites at once: 15 minutes. */
export const AUTHORISATION_LIFE = 15 * 60 * 1000;
/** How many uses of a person are remembered for the reports about them. */
const USES_REMEMBERED = 1_000;

interface UsableItem {
  readonly category: string;
  /** The purpose it was collected for, as that was then. */
  readonly collectedFor: { readonly purposeId: string; readonly purposeVersion: number };
  /** What it is or was held for, by purpose: the version it came to be held for. */
  readonly purposes: Readonly<Record<string, { readonly version: number; readonly ended?: true }>>;
  readonly version: number;
  readonly gone: boolean;
  /** Its time has come, and it is kept for a hold, a duty, an open case or a review alone (I-16d). */
  readonly blocked?: true;
  readonly disputed: boolean;
  readonly nextCheckDue?: string;
  /** The notice that the person has yet to be shown, and from when on (UK GDPR Art 14). */
  readonly untold?: { readonly noticeId: string; readonly since: Instant };
  /** Of an address: what it is held against the suppressed ones by. Never in the clear. */
  readonly address?: Sealed<string>;
}

/** A use that was allowed, and what has become of it since. */
interface AllowedUse {
  readonly purposeId: string;
  readonly purposeVersion: number;
  readonly commercial: boolean;
  readonly channel?: string;
  readonly campaignRef?: string;
  readonly basis: string;
  readonly expiresAt: Instant;
  readonly revoked?: { readonly at: Instant; readonly finding: UseFinding };
  readonly reported?: true;
}

export interface UseState {
  readonly openedAt?: Instant;
  readonly subjectClass: LiaSubjectClass;
  readonly subscriber: 'individual' | 'corporate';
  /** The objection to direct marketing that stands. */
  readonly objection?: string;
  readonly restricted: boolean;
  readonly consents: ConsentsState['consents'];
  readonly items: Readonly<Record<string, UsableItem>>;
  /** When each notice version was presented last. */
  readonly presented: readonly { readonly noticeId: string; readonly version: number; readonly at: Instant }[];
  readonly softOptIns: Readonly<Record<string, SoftOptIn>>;
  readonly screenings: Readonly<Record<string, Screening>>;
  /** The newest uses, by id, oldest first. */
  readonly uses: ReadonlyMap<string, AllowedUse>;
}

export interface UseFacts extends Facts {
  readonly purposes: PurposeRegisterState;
  readonly lias: LiaRegisterState;
  readonly compatibility: CompatibilityRegisterState;
  readonly notices: NoticeRegisterState;
  readonly liftedSuppressions: LiftedSuppressions;
  /** By item: the ids under which its address is suppressed. Looked up for commercial uses. */
  readonly suppressedBy?: Readonly<Record<string, readonly string[]>>;
  /** How many addresses of the person were suppressed for the objection that is to be recorded. */
  readonly addressesSuppressed?: number;
}

export type UseFolded =
  | UseEvent
  | ConsentEvent
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

function evolve(state: UseState, event: UseFolded, at: Instant): UseState {
  switch (event.type) {
    case 'SubjectRegistered': {
      const { capacity, subscriberType } = event.data;
      // A sole trader subscribes as an individual, whatever the contract says (PECR reg 2).
      const subscriber = capacity === 'soleTrader' ? 'individual' : subscriberType;
      return { ...state, openedAt: at, subjectClass: capacity, subscriber };
    }
    case 'NoticePresented': {
      const { noticeId, version } = event.data;
      const others = state.presented.filter((each) => each.noticeId !== noticeId || each.version !== version);
      return {
        ...state,
        presented: [...others, { noticeId, version, at }],
        items: mapItems(state.items, ({ untold, ...item }) =>
          untold === undefined || (untold.noticeId === noticeId && untold.since <= at) ? item : { ...item, untold },
        ),
      };
    }
    case 'DataCollected': {
      const items: Record<string, UsableItem> = { ...state.items };
      for (const item of event.data.items)
        items[item.itemId] = {
          category: item.category,
          collectedFor: { purposeId: event.data.purposeId, purposeVersion: event.data.purposeVersion },
          purposes: { [event.data.purposeId]: { version: event.data.purposeVersion } },
          version: item.version,
          gone: false,
          disputed: false,
          ...(item.nextCheckDue !== undefined && { nextCheckDue: item.nextCheckDue }),
          ...(event.data.source === 'thirdParty' && { untold: { noticeId: event.data.noticeId, since: at } }),
          ...addressOf(item.category, item.value),
        };
      return { ...state, items };
    }
    case 'DataCorrected': {
      const { itemId, category, toVersion, nextCheckDue, value } = event.data;
      return withItem(state, itemId, ({ nextCheckDue: _due, address: _old, ...item }) => ({
        ...item,
        version: toVersion,
        disputed: false,
        ...(nextCheckDue !== undefined && { nextCheckDue }),
        ...addressOf(category, value),
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
    case 'AccuracyCheckDue': {
      const { itemId, due } = event.data;
      return withItem(state, itemId, (item) => ({ ...item, nextCheckDue: due }));
    }
    case 'AccuracyDoubtRaised':
      return withItem(state, event.data.itemId, (item) => ({ ...item, disputed: true }));
    case 'ProcessingRestricted':
      return { ...revoked(state, at, 'afterRestriction', () => true), restricted: true };
    case 'RestrictionLifted':
      return { ...state, restricted: false };
    case 'HeldForPurpose': {
      const { purposeId, purposeVersion } = event.data;
      return event.data.items.reduce(
        (folded, { itemId }) =>
          withItem(folded, itemId, (item) => ({
            ...item,
            purposes: { ...item.purposes, [purposeId]: { version: purposeVersion } },
          })),
        state,
      );
    }
    case 'PurposeEnded': {
      const { purposeId } = event.data;
      return event.data.items.reduce(
        (folded, { itemId }) =>
          withItem(folded, itemId, (item) => {
            const held = item.purposes[purposeId];
            return held ? { ...item, purposes: { ...item.purposes, [purposeId]: { ...held, ended: true } } } : item;
          }),
        state,
      );
    }
    case 'RetentionDeferred':
    case 'RetentionReviewDue':
      return block(state, event.data.items);
    case 'RetentionReviewed':
      return unblock(
        state,
        event.data.items.filter(({ outcome }) => outcome === 'keep'),
      );
    case 'RetentionExpired':
      return end(state, event.data.items);
    case 'ErasureStarted': {
      const { scope, everything, items, remaining } = event.data;
      const left = scope === 'person' ? revoked(state, at, 'afterErasure', () => true) : state;
      return everything ? { ...left, items: mapItems(left.items, gone) } : end(block(left, remaining), items);
    }
    case 'DataErased':
      if (event.data.everything) return { ...state, items: mapItems(state.items, gone) };
      return end(state, event.data.items);
    case 'ConsentRequested':
    case 'ConsentGiven':
    case 'ConsentRenewed':
    case 'ConsentRefused':
    case 'ConsentUpheld':
      return { ...state, consents: evolveConsent(state.consents, event, at) };
    case 'ConsentWithdrawn':
    case 'ConsentExpired':
    case 'ConsentInvalidated': {
      const { purposeId, channel } = event.data;
      const resting = (use: AllowedUse): boolean =>
        use.basis === 'consent' && use.purposeId === purposeId && use.channel === channel;
      const finding = event.type === 'ConsentWithdrawn' ? 'afterWithdrawal' : 'basisGone';
      return { ...revoked(state, at, finding, resting), consents: evolveConsent(state.consents, event, at) };
    }
    case 'MarketingObjectionReceived':
      return {
        ...revoked(state, at, 'afterObjection', ({ commercial }) => commercial),
        objection: event.data.objectionId,
      };
    case 'MarketingObjectionWithdrawn': {
      const { objection: _withdrawn, ...rest } = state;
      return rest;
    }
    case 'SoftOptInRecorded': {
      const { subjectId: _person, itemId, purposeId, ...facts } = event.data;
      return { ...state, softOptIns: { ...state.softOptIns, [softOptInKey(itemId, purposeId)]: facts } };
    }
    case 'PreferenceScreened': {
      const { itemId, register, listed } = event.data;
      const key = screeningKey(itemId, register);
      const known = state.screenings[key];
      return known && known.at > at
        ? state
        : { ...state, screenings: { ...state.screenings, [key]: { register, listed, at } } };
    }
    case 'UseAuthorised': {
      const { useId, purposeId, purposeVersion, commercial, channel, campaignRef, basis, expiresAt } = event.data;
      const uses = new Map(state.uses).set(useId, {
        purposeId,
        purposeVersion,
        commercial,
        basis,
        expiresAt: expiresAt as Instant,
        ...(channel !== undefined && { channel }),
        ...(campaignRef !== undefined && { campaignRef }),
      });
      return { ...state, uses: new Map([...uses].slice(-USES_REMEMBERED)) };
    }
    case 'UseReported': {
      const use = state.uses.get(event.data.useId);
      return use ? { ...state, uses: new Map(state.uses).set(event.data.useId, { ...use, reported: true }) } : state;
    }
  }
}

/** A value that was just decided is in the clear: only what was stored is kept. */
function addressOf(category: string, value: unknown): { readonly address?: Sealed<string> } {
  return addressKindOf(category) !== undefined && isSealed(value) ? { address: value as Sealed<string> } : {};
}

/** Takes back what is allowed still; what was taken back before keeps its first reason. */
function revoked(state: UseState, at: Instant, finding: UseFinding, which: (use: AllowedUse) => boolean): UseState {
  const uses = new Map(
    [...state.uses].map(([useId, use]) => [
      useId,
      use.revoked === undefined && which(use) ? { ...use, revoked: { at, finding } } : use,
    ]),
  );
  return { ...state, uses };
}

/**
 * The gate of C05 and C17. Everything it asks about the person stands in one stream and is read at one revision, so a
 * use that races with a withdrawal is lost by the append. The first rule that fails is the answer, in the order of C05.
 */
export const useDecider: Decider<UseDomainCommand, UseFolded, UseState, UseFacts> = {
  initialState: {
    subjectClass: 'individual',
    subscriber: 'individual',
    restricted: false,
    consents: {},
    items: {},
    presented: [],
    softOptIns: {},
    screenings: {},
    uses: new Map(),
  },
  folds: {
    SubjectRegistered: true,
    NoticePresented: true,
    DataCollected: true,
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
    ...CONSENT_EVENTS,
    MarketingObjectionReceived: true,
    MarketingObjectionWithdrawn: true,
    SoftOptInRecorded: true,
    PreferenceScreened: true,
    UseAuthorised: true,
    UseReported: true,
  },
  evolve,
  decide(command, state, facts) {
    const unfit = withoutStanding(state.openedAt, facts);
    if (unfit) return unfit;
    const { subjectId } = command;
    switch (command.type) {
      case 'AuthoriseUse':
        return authorise(command, state, facts);
      case 'ReportUse':
        return report(command, state, facts);
      case 'ObjectToMarketing':
        return state.objection !== undefined
          ? unchanged
          : accept({
              type: 'MarketingObjectionReceived',
              data: {
                subjectId,
                objectionId: facts.id('objection'),
                ...(facts.addressesSuppressed !== undefined && { addresses: facts.addressesSuppressed }),
              },
            });
      case 'WithdrawMarketingObjection':
        return state.objection === undefined
          ? unchanged
          : accept({ type: 'MarketingObjectionWithdrawn', data: { subjectId, objectionId: state.objection } });
      case 'RecordSoftOptIn': {
        const { itemId, purposeId, obtainedInSale, ownSimilarProducts } = command;
        const { refusalOfferedAtCollection, refusalOfferedInEveryMessage } = command;
        const item = state.items[itemId];
        if (!item) return refuse('ITEM_UNKNOWN', { items: [itemId] });
        if (item.gone) return refuse('DATA_ERASED', { items: [itemId] });
        const recorded = {
          obtainedInSale,
          ownSimilarProducts,
          refusalOfferedAtCollection,
          refusalOfferedInEveryMessage,
        };
        const known = state.softOptIns[softOptInKey(itemId, purposeId)];
        const same = known && Object.entries(recorded).every(([fact, met]) => known[fact as keyof SoftOptIn] === met);
        return same
          ? unchanged
          : accept({ type: 'SoftOptInRecorded', data: { subjectId, itemId, purposeId, ...recorded } });
      }
      case 'RecordPreferenceScreening': {
        const { itemId, register, listed } = command;
        const item = state.items[itemId];
        if (!item) return refuse('ITEM_UNKNOWN', { items: [itemId] });
        if (item.gone) return refuse('DATA_ERASED', { items: [itemId] });
        // An answer that is not newer than the one that is known says nothing more.
        const known = state.screenings[screeningKey(itemId, register)];
        return known && known.at >= facts.occurredAt
          ? unchanged
          : accept({ type: 'PreferenceScreened', data: { subjectId, itemId, register, listed } });
      }
    }
  },
};

function authorise(command: AuthoriseUse, state: UseState, facts: UseFacts): Outcome<UseEvent> {
  const { subjectId, purposeId, channel, campaignRef, itemIds } = command;
  // The use is called after the event that allows it, which the answer names.
  const useId = facts.id('event 0');
  if (state.uses.has(useId)) return unchanged;

  // The answer holds from now on, so everything is judged as it is now, whatever time the request gives.
  const found = purposeAsOf(facts.purposes, purposeId, facts.now);
  if (found.status !== 'inForce') return refuse(purposeRefusal(found.status), { purposeId });
  const { purpose } = found;

  const which = (holds: (item: UsableItem) => boolean): readonly string[] =>
    itemIds.filter((itemId) => {
      const item = state.items[itemId];
      return item !== undefined && holds(item);
    });
  const unknown = itemIds.filter((itemId) => state.items[itemId] === undefined);
  if (unknown.length > 0) return refuse('ITEM_UNKNOWN', { items: unknown });
  const ended = which((item) => item.gone);
  if (ended.length > 0) return refuse('DATA_ERASED', { items: ended });

  if (purpose.commercial && state.objection !== undefined) return refuse('MARKETING_OBJECTION', { purposeId });
  if (purpose.commercial) {
    const suppressed = itemIds.filter((itemId) =>
      facts.suppressedBy?.[itemId]?.some((suppressionId) => !facts.liftedSuppressions.has(suppressionId)),
    );
    if (suppressed.length > 0) return refuse('SUPPRESSED_ADDRESS', { purposeId, items: suppressed });
  }
  if (state.restricted) return refuse('PROCESSING_RESTRICTED', { purposeId });
  const blocked = which((item) => item.blocked === true);
  if (blocked.length > 0) return refuse('PROCESSING_RESTRICTED', { purposeId, items: blocked });

  const resting = basisOf(purpose, channel, state, facts);
  if ('kind' in resting) return resting;
  if (purpose.commercial && channel !== undefined) {
    const closed = pecrGate({
      purposeId,
      channel,
      consented: purpose.basis === 'consent',
      subscriber: state.subscriber,
      itemIds: which(({ category }) => addressKindOf(category) !== undefined),
      softOptIns: state.softOptIns,
      screenings: state.screenings,
      now: facts.now,
    });
    if (closed) return closed;
  }
  const beyond = beyondPurpose(purpose, itemIds, state, facts);
  if (beyond) return beyond;

  const untold = which((item) => item.untold !== undefined);
  if (untold.length > 0) return refuse('ART14_NOTICE_DUE', { items: untold });

  const disputed = which((item) => item.disputed);
  const overdue = which((item) => (item.nextCheckDue ?? '9999') <= facts.now);
  if (purpose.commercial && disputed.length > 0) return refuse('ITEM_DISPUTED', { items: disputed });
  if (purpose.commercial && overdue.length > 0) return refuse('ACCURACY_CHECK_OVERDUE', { items: overdue });
  const warnings: readonly UseWarning[] = [
    ...(disputed.length > 0 ? [{ code: 'ITEM_DISPUTED', itemIds: disputed } as const] : []),
    ...(overdue.length > 0 ? [{ code: 'ACCURACY_CHECK_OVERDUE', itemIds: overdue } as const] : []),
  ];

  return accept({
    type: 'UseAuthorised',
    data: {
      subjectId,
      useId,
      purposeId,
      purposeVersion: purpose.version,
      commercial: purpose.commercial,
      ...(channel !== undefined && { channel }),
      ...(campaignRef !== undefined && { campaignRef }),
      items: itemIds.map((itemId) => ({
        itemId,
        version: state.items[itemId]?.version ?? 0,
        category: state.items[itemId]?.category ?? '',
      })),
      basis: purpose.basis,
      ...(resting.basisRef !== undefined && { basisRef: resting.basisRef }),
      ...(warnings.length > 0 && { warnings }),
      expiresAt: plusMilliseconds(facts.now, AUTHORISATION_LIFE),
    },
  });
}

interface Resting {
  readonly basisRef?: string;
}

/**
 * What the use rests on. For a commercial end there are two doors, consent and an assessed interest (C05); for a
 * service the purpose's own basis, which is no more than a word unless consent or an assessment stands behind it.
 */
function basisOf(
  purpose: Purpose,
  channel: string | undefined,
  state: UseState,
  facts: UseFacts,
): Resting | Outcome<never> {
  const { purposeId, basis } = purpose;
  if (basis === 'consent') return consentTo(purpose, channel, state, facts);
  if (basis === 'legitimateInterests') return assessed(purpose, state, facts);
  return purpose.commercial ? refuse('NO_MARKETING_BASIS', { purposeId, basis }) : {};
}

/** An assessment that covers the purpose as it is now and people like this one, and whose review is not overdue. */
function assessed(purpose: Purpose, state: UseState, facts: UseFacts): Resting | Outcome<never> {
  const { purposeId } = purpose;
  const found = liaFor(facts.lias, purpose, state.subjectClass, facts.now);
  switch (found.status) {
    case 'prevails':
      return { basisRef: `${found.liaId}@${found.version}` };
    case 'missing':
      return refuse('LIA_MISSING', { purposeId, version: purpose.version, subjectClass: state.subjectClass });
    case 'expired':
      return refuse('LIA_EXPIRED', { purposeId, liaId: found.liaId, reviewBy: found.reviewBy });
    case 'against':
      return refuse('LIA_OUTCOME_AGAINST', { purposeId, liaId: found.liaId });
  }
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
  if (consent.status === 'refused') return refuse('CONSENT_NOT_GIVEN', { purposeId, channel, since: consent.at });
  if (consent.status === 'withdrawn') return refuse('CONSENT_WITHDRAWN', { purposeId, channel, since: consent.at });
  if (consent.status === 'expired') return refuse('CONSENT_EXPIRED', { purposeId, channel, since: consent.at });
  if (consent.status === 'invalidated')
    return refuse('CONSENT_INVALIDATED', {
      purposeId,
      channel,
      ...(consent.purposeVersion === undefined
        ? { reason: consent.reason, since: consent.at }
        : { version: consent.purposeVersion }),
    });
  if (consent.expiresAt !== undefined && consent.expiresAt <= facts.now)
    return refuse('CONSENT_EXPIRED', { purposeId, channel, since: consent.expiresAt });
  const outgrown = outgrownBy(facts.purposes, purposeId, consent.purposeVersion, facts.now);
  if (outgrown) return refuse('CONSENT_INVALIDATED', { purposeId, channel, version: outgrown.version });
  return { basisRef: consent.consentId };
}

/**
 * Why these items may not serve the purpose: it does not list them, or they were collected for another one and nobody
 * found the two compatible, or the person was not told of it (I-13c, I-30c; UK GDPR Art 5(1)(b), 8A, 13(3)). Consent to
 * the new purpose makes it compatible by itself (Art 8A(3)(a)).
 */
function beyondPurpose(
  purpose: Purpose,
  itemIds: readonly string[],
  state: UseState,
  facts: UseFacts,
): Outcome<never> | undefined {
  const { purposeId } = purpose;
  const listed = new Set(purpose.fields.map((field) => field.category));
  const outside = itemIds.filter((itemId) => !listed.has(state.items[itemId]?.category ?? ''));
  if (outside.length > 0) return refuse('ITEM_NOT_HELD_FOR_PURPOSE', { purposeId, items: outside });

  // Use for a purpose that has ended for an item stops at once, and so does all use of what nothing holds (I-16b).
  const unheld = itemIds.filter((itemId) => {
    const purposes = state.items[itemId]?.purposes ?? {};
    return purposes[purposeId]?.ended === true || Object.values(purposes).every(({ ended }) => ended);
  });
  if (unheld.length > 0) return refuse('ITEM_NOT_HELD_FOR_PURPOSE', { purposeId, items: unheld });

  const own = itemIds.filter((itemId) => state.items[itemId]?.purposes[purposeId] !== undefined);
  const defined = facts.purposes.get(purposeId)?.defined;
  const outgrown = own.some((itemId) => {
    const heldFor = defined?.get(state.items[itemId]?.purposes[purposeId]?.version ?? 0);
    return heldFor !== undefined && goesFurther(heldFor, purpose);
  });
  const foreign = itemIds.filter((itemId) => !own.includes(itemId));
  if (purpose.basis === 'consent') return undefined;
  const incompatible = foreign.filter((itemId) => {
    const { purposeId: from = '', purposeVersion: fromVersion = 0 } = state.items[itemId]?.collectedFor ?? {};
    const query = { from, fromVersion, to: purposeId, toVersion: purpose.version, at: facts.now };
    return compatibilityFor(facts.compatibility, query).verdict !== 'compatible';
  });
  if (incompatible.length > 0) return refuse('PURPOSE_INCOMPATIBLE', { purposeId, items: incompatible });
  if ((outgrown || foreign.length > 0) && !isToldOf(purpose, state, facts))
    return refuse('NOTICE_DOES_NOT_COVER_PURPOSE', { purposeId, version: purpose.version });
  return undefined;
}

/** Whether a version does more with what is held already; what it asks for beside that is not there yet. */
const goesFurther = (told: PurposeDefinition, now: PurposeDefinition): boolean =>
  purposeWidens({ ...told, fields: [] }, { ...now, fields: [] });

/**
 * Whether the person was shown a notice version that tells of the purpose as far as it goes now. Where it is not on
 * record which version of the purpose the notice told of, one shown since that took effect is taken for it.
 */
function isToldOf(purpose: Purpose, state: UseState, facts: UseFacts): boolean {
  const { purposeId } = purpose;
  return state.presented.some(({ noticeId, version, at }) => {
    const notice = facts.notices.get(noticeId)?.find((each) => each.version === version);
    if (!notice?.purposes.includes(purposeId)) return false;
    const told = facts.purposes.get(purposeId)?.defined.get(notice.purposeVersions?.[purposeId] ?? 0);
    return told ? !goesFurther(told, purpose) : at >= purpose.effectiveFrom;
  });
}

function report(command: ReportUse, state: UseState, facts: UseFacts): Outcome<UseEvent> {
  const { subjectId, useId, outcome, campaignRef } = command;
  const use = state.uses.get(useId);
  if (!use) return refuse('USE_UNKNOWN', { useId });
  if (use.reported) return unchanged;
  // What was not done cannot have been done too late.
  const finding = outcome === 'done' ? findingOf(use, campaignRef, facts) : undefined;
  const data: UseReported['data'] = {
    subjectId,
    useId,
    purposeId: use.purposeId,
    commercial: use.commercial,
    outcome,
    ...(campaignRef !== undefined && { campaignRef }),
    ...(finding !== undefined && { finding, incidentId: facts.id('incident') }),
  };
  return accept({ type: 'UseReported', data });
}

/** What was wrong with a use at the time it was made; `undefined` when nothing was. */
function findingOf(use: AllowedUse, campaignRef: string | undefined, facts: UseFacts): UseFinding | undefined {
  const { revoked: takenBack, expiresAt, purposeId } = use;
  const at = facts.occurredAt;
  if (takenBack && takenBack.at <= at) return takenBack.finding;
  if (expiresAt <= at) return 'afterExpiry';
  const found = purposeAsOf(facts.purposes, purposeId, at);
  if (found.status !== 'inForce') return 'basisGone';
  if (use.campaignRef !== undefined && use.campaignRef !== campaignRef) return 'otherCampaign';
  return undefined;
}

type VersionRefs = readonly { readonly itemId: string; readonly version: number }[];

/** Nothing is held against the suppressed addresses any more. */
const gone = ({ address: _address, ...item }: UsableItem): UsableItem => ({ ...item, gone: true });

/** Only the end of the version in use ends the item. */
function end(state: UseState, items: VersionRefs): UseState {
  return items.reduce(
    (folded, { itemId, version }) => withItem(folded, itemId, (item) => (item.version === version ? gone(item) : item)),
    state,
  );
}

/** What is kept for a hold, a duty or an open case is used for nothing else. */
function block(state: UseState, items: VersionRefs): UseState {
  return items.reduce(
    (folded, { itemId, version }) =>
      withItem(folded, itemId, (item) => (item.version === version ? { ...item, blocked: true } : item)),
    state,
  );
}

function unblock(state: UseState, items: VersionRefs): UseState {
  return items.reduce(
    (folded, { itemId }) => withItem(folded, itemId, ({ blocked: _reviewed, ...item }) => item),
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

import { addPeriodToInstant } from '#calendar';
import { accept, refuse, unchanged, type Outcome } from '#kernel';
import { isUsage, USAGE } from '#purpose';
import type { DataErased, ErasureException, ErasureStarted, RemainingItem } from '#subject';
import { blockingCause, causeKeeping, type BlockingCause } from './deferral.decider.js';
import type { LegalHoldRegisterState } from './legal-hold.register.js';
import type {
  ConfirmErasure,
  ConfirmReportedValuesErased,
  EraseData,
  FinaliseErasure,
  RestateErasure,
} from './retention.commands.js';
import {
  reference,
  versionsOf,
  type FoldedEvent,
  type KeptItem,
  type KeptVersion,
  type RetentionFacts,
  type RetentionState,
  VERSIONS_AT_ONCE,
} from './retention.state.js';

/** How long backups of the key store are kept: until then an erasure is not final (C16). */
export const KEYSTORE_BACKUP_HORIZON = 'P30D';

const EXCEPTION_LAW: Readonly<Record<ErasureException, string>> = {
  freedomOfExpression: 'UK GDPR Art 17(3)(a)',
  legalObligation: 'UK GDPR Art 17(3)(b)',
  publicHealth: 'UK GDPR Art 17(3)(c)',
  archivingResearch: 'UK GDPR Art 17(3)(d)',
  legalClaims: 'UK GDPR Art 17(3)(e)',
};

interface Start extends Omit<ErasureStarted['data'], 'items' | 'recipients'> {
  readonly items: readonly KeptVersion[];
}

/** Begins an erasure of these versions, and says which recipients were given them. */
export function startErasure(state: RetentionState, { items, ...start }: Start): ErasureStarted {
  const taken = new Set(items.map(({ itemId, version }) => `${itemId}@${version}`));
  const recipients = [...state.recipients].flatMap(([recipientId, given]) => {
    const seen = new Set<string>();
    const held = given.filter(({ itemId, version }) => {
      const key = `${itemId}@${version}`;
      if (seen.has(key) || !(start.everything || taken.has(key))) return false;
      seen.add(key);
      return true;
    });
    return held.length === 0 ? [] : [{ recipientId, items: held.map(({ itemId, version }) => ({ itemId, version })) }];
  });
  return {
    type: 'ErasureStarted',
    data: { ...start, items: start.everything ? [] : items.map(reference), recipients },
  };
}

/** Erases what may be erased, and says of everything else why it stays and for how long (UK GDPR Art 17). */
export function eraseData(command: EraseData, state: RetentionState, facts: RetentionFacts): Outcome<FoldedEvent> {
  const { subjectId, itemIds, cause, caseRef } = command;
  const erasureId = facts.id('erasure');
  if (state.erasures[erasureId]) return unchanged;
  const unknown = (itemIds ?? []).filter((itemId) => !state.items[itemId]);
  if (unknown.length > 0) return refuse('ITEM_UNKNOWN', { items: unknown });
  if (itemIds === undefined && state.person) return refuse('DATA_ERASED');
  const asked = itemIds === undefined ? Object.values(state.items) : itemIds.map((itemId) => state.items[itemId]!);
  const kept = asked.filter(({ versions }) => versions.some(({ status }) => status === 'kept'));
  if (itemIds !== undefined && kept.length === 0) return refuse('DATA_ERASED', { items: itemIds });

  const erasing: KeptVersion[] = [];
  const remaining: RemainingItem[] = [];
  for (const item of kept) {
    const reason = whyKept(item, command, state, facts);
    const versions = item.versions.filter(({ status }) => status === 'kept');
    if (reason)
      for (const { itemId, version, category } of versions) remaining.push({ itemId, version, category, ...reason });
    else erasing.push(...versions);
  }
  const rest = itemIds === undefined ? causeOfRest(state, subjectId, facts) : undefined;
  if (erasing.length === 0 && (kept.length > 0 || rest)) return refuseAll(rest ? [...remaining, rest] : remaining);

  const whole = itemIds === undefined && remaining.length === 0 && !rest;
  const about = {
    subjectId,
    erasureId,
    cause,
    scope: itemIds === undefined ? ('person' as const) : ('items' as const),
    ...(caseRef !== undefined && { caseRef }),
  };
  if (whole) return accept<FoldedEvent>(startErasure(state, { ...about, everything: true, items: [], remaining }));
  const parts: ErasureStarted[] = [];
  for (let from = 0; from < erasing.length; from += VERSIONS_AT_ONCE)
    parts.push(
      startErasure(state, {
        ...about,
        items: erasing.slice(from, from + VERSIONS_AT_ONCE),
        remaining: from === 0 ? remaining : [],
        ...(rest && from === 0 && { rest }),
      }),
    );
  return accept<FoldedEvent>(...parts);
}

/**
 * What keeps what is no item: usage of any month, or what the person reported. While it does, the person's own key is
 * not destroyed, because that would take them too.
 */
function causeOfRest(state: RetentionState, subjectId: string, facts: RetentionFacts): BlockingCause | undefined {
  for (const { categories, keyIds } of state.reported.values())
    for (const category of keyIds.length > 0 ? categories : []) {
      const cause = causeKeeping({ category, purposes: purposesOf(category, state) }, state, subjectId, facts);
      if (cause) return cause;
    }
  if (facts.usageHeld !== true) return undefined;
  const purposes = [...facts.purposes]
    .filter(([, { approved }]) => approved.some(({ fields }) => fields.some(({ category }) => isUsage(category))))
    .map(([purposeId]) => purposeId);
  return causeKeeping({ category: USAGE, purposes }, state, subjectId, facts);
}

/** What the person's items of a category are or were held for. */
const purposesOf = (category: string, { items }: RetentionState): readonly string[] =>
  Object.values(items).flatMap((item) => (item.category === category ? item.holds.map((hold) => hold.purposeId) : []));

/** Whether anything could keep data of the person: a restriction, an open case, or any hold that is not lifted. */
export const mayBeKept = (state: RetentionState, legalHolds: LegalHoldRegisterState): boolean =>
  state.restrictedOn !== undefined ||
  state.deferrals.size > 0 ||
  [...legalHolds.values()].some(({ to }) => to === undefined);

/** The keys of every item and of what the person reported: what else the person's key opens is usage. */
export const knownKeys = (state: RetentionState): readonly string[] => [
  ...versionsOf(state).map(({ keyId }) => keyId),
  ...[...state.reported.values()].flatMap(({ keyIds }) => keyIds),
];

type Reason = Pick<RemainingItem, 'reason' | 'ref' | 'law' | 'until'>;

/** Why an item stays: a cause that passes, a declared exception, or a statute that one of its purposes obeys. */
function whyKept(item: KeptItem, command: EraseData, state: RetentionState, facts: RetentionFacts): Reason | undefined {
  const blocked = blockingCause(item, state, command.subjectId, facts);
  if (blocked) return blocked;
  const declared = command.exceptions?.find(({ itemId }) => itemId === item.itemId);
  if (declared)
    return {
      reason: declared.exception,
      ref: 'declared',
      law: EXCEPTION_LAW[declared.exception],
      until: declared.until,
    };
  // What was unlawful from the start serves no statute.
  if (command.cause === 'unlawful') return undefined;
  const duty = item.holds.find(
    ({ basis, ended, due }) => basis === 'legalObligation' && !ended && (due === undefined || due > facts.now),
  );
  return (
    duty && {
      reason: 'legalObligation',
      ref: duty.purposeId,
      law: EXCEPTION_LAW.legalObligation,
      ...(duty.due !== undefined && { until: duty.due }),
    }
  );
}

function refuseAll(remaining: readonly (Reason & { readonly itemId?: string })[]): Outcome<never> {
  const [first] = remaining;
  const items = [...new Set(remaining.flatMap(({ itemId }) => itemId ?? []))];
  const refs = [...new Set(remaining.map(({ ref }) => ref))];
  switch (first?.reason) {
    case 'legalHold':
      return refuse('LEGAL_HOLD_IN_FORCE', { items, holds: refs });
    case 'openAccessRequest':
      return refuse('DEFERRED_OPEN_ACCESS_REQUEST', { items, deferrals: refs });
    case 'restriction':
      return refuse('PROCESSING_RESTRICTED', { items });
    default:
      return refuse('ERASURE_EXCEPTION_APPLIES', {
        items,
        exceptions: [...new Set(remaining.map(({ reason }) => reason))],
        refs,
      });
  }
}

/** The keys whose fate a confirmation has to know: those of what is beyond use, as far as one command takes it. */
export function keysBeyondUse(state: RetentionState): readonly string[] {
  return beyondUse(state)
    .slice(0, VERSIONS_AT_ONCE)
    .map(({ keyId }) => keyId);
}

/** What was deferred comes last, so that it is in nobody's way. */
function beyondUse(state: RetentionState): readonly KeptVersion[] {
  const versions = versionsOf(state).filter(({ status }) => status === 'beyondUse');
  return [...versions.filter(({ deferred }) => !deferred), ...versions.filter(({ deferred }) => deferred)];
}

/**
 * States that keys are destroyed: those that `beforeAppend` of the slice destroys between this decision and its
 * append. What a hold or an open case covers by now is left, unless its key is gone already.
 */
export function confirmErasure(
  { subjectId }: ConfirmErasure,
  state: RetentionState,
  facts: RetentionFacts,
): Outcome<FoldedEvent> {
  const part = facts.id('part');
  if (state.part === part) return unchanged;
  const outstanding = beyondUse(state);
  const horizon = addPeriodToInstant(facts.now, KEYSTORE_BACKUP_HORIZON);
  const stated = { subjectId, method: 'keyDestruction', keystoreBackupHorizon: horizon } as const;
  const { person } = state;
  const whole = person && !person.keyDestroyed ? state.erasures[person.erasureId] : undefined;
  const causeOf = (version: KeptVersion) => blockingCause(state.items[version.itemId]!, state, subjectId, facts);
  const rest = whole && !facts.personErased ? causeOfRest(state, subjectId, facts) : undefined;
  if (person && whole?.everything && rest) {
    // Without an item to name: the erasure waits as a whole.
    if (person.deferredRef === rest.ref) return unchanged;
    const waits = { erasureId: person.erasureId, cause: rest.reason, ref: rest.ref };
    return accept<FoldedEvent>({ type: 'RetentionDeferred', data: { subjectId, items: [], person: waits } });
  }
  if (person && whole?.everything && (facts.personErased || !outstanding.some(causeOf)))
    return accept<FoldedEvent>({
      type: 'DataErased',
      data: {
        ...stated,
        erasureId: person.erasureId,
        everything: true,
        person: true,
        items: [],
        cause: whole.cause,
      },
    });

  const live = new Set(facts.liveKeys);
  const dead = new Set(facts.liveKeys && keysBeyondUse(state).filter((keyId) => !live.has(keyId)));
  const events: FoldedEvent[] = [];
  const groups = new Map<string, KeptVersion[]>();
  const deferred: { readonly version: KeptVersion; readonly cause: BlockingCause }[] = [];
  let taken = 0;
  let cut = false;
  for (const version of outstanding) {
    const cause = dead.has(version.keyId) ? undefined : causeOf(version);
    if (cause && version.deferred?.ref === cause.ref) continue;
    if ((taken += 1) > VERSIONS_AT_ONCE) {
      cut = true;
      break;
    }
    if (cause) {
      deferred.push({ version, cause });
      continue;
    }
    const erasureId = version.erasureId ?? '';
    const group = groups.get(erasureId);
    if (group) group.push(version);
    else groups.set(erasureId, [version]);
  }
  if (deferred.length > 0)
    events.push({
      type: 'RetentionDeferred',
      data: {
        subjectId,
        items: deferred.map(({ version, cause }) => ({
          ...reference(version),
          cause: cause.reason,
          ref: cause.ref,
          ...(version.erasureId !== undefined && { erasureId: version.erasureId }),
        })),
        ...(cut && { part }),
      },
    });
  const cells = new Set<string>();
  let ended = versionsOf(state).filter(({ status }) => status !== 'erased').length;
  for (const [erasureId, versions] of groups) {
    ended -= versions.length;
    const left = outstanding.filter((each) => (each.erasureId ?? '') === erasureId).length - versions.length;
    events.push({
      type: 'DataErased',
      data: {
        ...stated,
        ...(erasureId !== '' && { erasureId }),
        // The last of a person who is to be erased takes the person's own key with it.
        ...(ended === 0 && person && !person.keyDestroyed && !rest && { person: true as const }),
        items: versions.map(reference),
        ...(left > 0 && { left }),
        ...(cut && { part }),
        cause: state.erasures[erasureId]?.cause ?? 'retention',
      },
    });
    const counted = cellsOf(versions, state).filter(({ category, year }) => {
      const cell = `${category} ${year}`;
      return !state.countedAs.includes(cell) && !cells.has(cell) && cells.add(cell);
    });
    if (counted.length > 0)
      events.push({
        type: 'DataAnonymised',
        data: { subjectId, ...(erasureId !== '' && { erasureId }), counted },
      });
  }
  return events.length === 0 ? unchanged : accept(...events);
}

/** What is counted of these versions: by category and year of collection. */
const cellsOf = (versions: readonly KeptVersion[], state: RetentionState) =>
  versions.flatMap(({ itemId, category, counted }) => (counted ? [{ category, year: state.items[itemId]!.year }] : []));

/**
 * States that what a person reported in a case is erased: its keys are destroyed between this decision and its append.
 *
 * @param facts with those keys of the case that exist.
 */
export function confirmReportedValuesErased(
  { subjectId, requestId }: ConfirmReportedValuesErased,
  state: RetentionState,
  facts: RetentionFacts,
): Outcome<FoldedEvent> {
  const reported = state.reported.get(requestId);
  if (!reported) return refuse('REGISTER_ENTRY_UNKNOWN', { requestId });
  const { keyIds, categories, until, deferredRef } = reported;
  if (keyIds.length === 0) return unchanged;
  const due = state.person !== undefined || (until !== undefined && until <= facts.now);
  if (!due) return refuse('RETENTION_NOT_DUE', { requestId });
  if (facts.liveKeys === undefined || facts.liveKeys.length > 0)
    for (const category of categories) {
      const cause = causeKeeping({ category, purposes: purposesOf(category, state) }, state, subjectId, facts);
      if (!cause) continue;
      if (cause.ref === deferredRef) return unchanged;
      return accept<FoldedEvent>({
        type: 'ReportedValuesDeferred',
        data: { subjectId, requestId, cause: cause.reason, ref: cause.ref },
      });
    }
  return accept<FoldedEvent>({
    type: 'ReportedValuesErased',
    data: { subjectId, requestId, keyIds, method: 'keyDestruction' },
  });
}

/** @param facts with those keys of the erasure that exist, which must be none. */
export function finaliseErasure(
  { subjectId, erasureId }: FinaliseErasure,
  state: RetentionState,
  facts: RetentionFacts,
): Outcome<FoldedEvent> {
  const erasure = state.erasures[erasureId];
  if (!erasure) return refuse('REGISTER_ENTRY_UNKNOWN', { erasureId });
  if (erasure.status === 'finalised') return unchanged;
  const live = facts.liveKeys?.length ?? erasure.keyIds.length;
  const { status, horizon } = erasure;
  if (status !== 'erased' || horizon === undefined || horizon > facts.now)
    return refuse('ERASURE_INCOMPLETE', { erasureId, ...(horizon !== undefined && { until: horizon }) });
  if (live > 0 || (erasure.everything && facts.personErased === false))
    return refuse('ERASURE_INCOMPLETE', { erasureId, keys: Math.max(live, 1) });
  return accept<FoldedEvent>({
    type: 'ErasureFinalised',
    data: { subjectId, erasureId, verifiedBy: facts.actor.id },
  });
}

/** The keys of everything this log takes for readable, to be asked which of them exist. */
export function keysNotErased(state: RetentionState): readonly string[] {
  return versionsOf(state)
    .filter(({ status }) => status !== 'erased')
    .map(({ keyId }) => keyId);
}

/** After a restore the vault knows more than the log: no hold can bring back what is destroyed, it is only stated. */
export function restateErasure(
  { subjectId }: RestateErasure,
  state: RetentionState,
  facts: RetentionFacts,
): Outcome<FoldedEvent> {
  if (facts.personErased) {
    if (state.person?.keyDestroyed) return unchanged;
    const about = { subjectId, erasureId: state.person?.erasureId ?? facts.id('erasure') };
    const started = startErasure(state, {
      ...about,
      cause: 'request',
      scope: 'person',
      everything: true,
      items: [],
      remaining: [],
    });
    return accept<FoldedEvent>(...(state.person ? [] : [started]), {
      type: 'DataErased',
      data: { ...about, ...restated(facts), everything: true, person: true, items: [], cause: 'request' },
    });
  }
  const live = new Set(facts.liveKeys ?? keysNotErased(state));
  const dead = versionsOf(state).filter(({ status, keyId }) => status !== 'erased' && !live.has(keyId));
  const fresh = dead.filter(({ status }) => status === 'kept').slice(0, VERSIONS_AT_ONCE);
  const about = { subjectId, erasureId: facts.id('erasure'), cause: 'retention' as const };
  // What an erasure has begun is stated by its own confirmation.
  if (fresh.length === 0 || state.erasures[about.erasureId]) return unchanged;
  return accept<FoldedEvent>(startErasure(state, { ...about, scope: 'items', items: fresh, remaining: [] }), {
    type: 'DataErased',
    data: { ...about, ...restated(facts), items: fresh.map(reference) },
  });
}

const restated = (facts: RetentionFacts): Pick<DataErased['data'], 'method' | 'keystoreBackupHorizon'> => ({
  method: 'keyDestruction',
  keystoreBackupHorizon: addPeriodToInstant(facts.now, KEYSTORE_BACKUP_HORIZON),
});

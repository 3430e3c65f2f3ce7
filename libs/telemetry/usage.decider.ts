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
import { purposeAsOf, purposeRefusal, USAGE, type PurposeRegisterState } from '#purpose';
import { causeKeeping, KEYSTORE_BACKUP_HORIZON, type LegalHoldRegisterState } from '#retention';
import type { ErasureCause } from '#subject';
import { unfitForUsage, usagePeriod } from './telemetry-stream.decider.js';
import { telemetryStreamAsOf, type TelemetryRegisterState, type TelemetryStream } from './telemetry-stream.register.js';
import {
  extentOf,
  type ConfirmUsageErasure,
  type ExpireUsage,
  type RecordUsage,
  type UsageDomainCommand,
} from './usage.commands.js';
import { endOfMonth, monthOf, type UsageBatch, type UsageEntry, type UsageEvent } from './usage.events.js';
import { nobody, type UsageStanding } from './usage.standing.js';

/** Batches that one key of a month seals; the next one gets a new key (key-vault/DESIGN.md). */
export const SEALS_PER_KEY = 65_536;

export interface UsageState {
  /** `none`: nothing was ever recorded of the month. */
  readonly status: 'none' | 'held' | 'expired' | 'erased';
  readonly keys: readonly string[];
  readonly batches: number;
  readonly entries: number;
  /** Until when the month may be kept. */
  readonly due?: Instant;
  /** Purposes that it was captured for. */
  readonly purposes: readonly string[];
  /** What deferred its end last. */
  readonly deferredRef?: string;
  /** Why it was put beyond use. */
  readonly endedFor?: ErasureCause;
  /** Ids of the newest batches. */
  readonly recorded: readonly string[];
}

export interface UsageFacts extends Facts {
  readonly streams: TelemetryRegisterState;
  readonly purposes: PurposeRegisterState;
  readonly notices: NoticeRegisterState;
  readonly legalHolds: LegalHoldRegisterState;
  /**
   * The person, as the log had them when the decision began.
   *
   * It stands in another stream, so a restriction that is recorded between this reading and the append is not seen:
   * one batch captured before it may still be stored. That is the one thing a restriction leaves free (UK GDPR
   * Art 18(2)), and no use slips through: `AuthoriseUsageAccess` is decided in the person's own stream. An erasure of
   * the person or of the month wins in any case, because nothing can be sealed any more. In the same way a case that
   * is opened in the very moment in which a month is erased is too late for it.
   */
  readonly person?: UsageStanding;
  /** Whether the person's keys, or one of the month's, are destroyed. Looked up for `RecordUsage` only. */
  readonly erased?: boolean;
  /** Keys of the month that exist before they are destroyed. Looked up for `ConfirmUsageErasure` only. */
  readonly liveKeys?: readonly string[];
}

function evolve(state: UsageState, event: UsageEvent): UsageState {
  switch (event.type) {
    case 'UsageRecorded': {
      const { keys, held, due, batchId, purposeId } = event.data;
      const recorded = [...state.recorded, batchId].slice(-100);
      const purposes = state.purposes.includes(purposeId) ? state.purposes : [...state.purposes, purposeId];
      const status = state.status === 'none' ? 'held' : state.status;
      return { ...state, status, keys, ...held, due, purposes, recorded };
    }
    case 'UsageExpired':
      return { ...state, status: 'expired', endedFor: event.data.cause ?? 'retention' };
    case 'UsageDeferred':
      return { ...state, deferredRef: event.data.ref };
    case 'UsageErased':
      return { ...state, status: 'erased' };
  }
}

function decide(command: UsageDomainCommand, state: UsageState, facts: UsageFacts): Outcome<UsageEvent> {
  switch (command.type) {
    case 'RecordUsage':
      return record(command, state, facts);
    case 'ExpireUsage': {
      const { subjectId, month } = command;
      const { due, keys } = state;
      if (state.status !== 'held' || due === undefined) return unchanged;
      const ended = facts.person?.ended;
      if (!ended && due > facts.now) return refuse('RETENTION_NOT_DUE', { month });
      const kept = deferral(command, state, facts);
      if (kept) return kept;
      return accept({ type: 'UsageExpired', data: { subjectId, month, due, keys, ...ended } });
    }
    case 'ConfirmUsageErasure': {
      const { subjectId, month } = command;
      if (state.status !== 'expired') return unchanged;
      // A hold brings back nothing that is destroyed.
      const kept = (facts.liveKeys ?? state.keys).length > 0 ? deferral(command, state, facts) : undefined;
      if (kept) return kept;
      return accept({
        type: 'UsageErased',
        data: {
          subjectId,
          month,
          keys: state.keys,
          cause: state.endedFor ?? 'retention',
          method: 'keyDestruction',
          keystoreBackupHorizon: addPeriodToInstant(facts.now, KEYSTORE_BACKUP_HORIZON),
        },
      });
    }
  }
}

/** What is captured of a person's use of a service in one month, and when it ends. */
export const usageDecider: Decider<UsageDomainCommand, UsageEvent, UsageState, UsageFacts> = {
  initialState: { status: 'none', keys: [], batches: 0, entries: 0, purposes: [], recorded: [] },
  folds: { UsageRecorded: true, UsageExpired: true, UsageDeferred: true, UsageErased: true },
  evolve,
  decide,
};

/** What keeps the month from being erased now, said once for each cause; `undefined` when nothing does (I-16d). */
function deferral(
  { subjectId, month }: ExpireUsage | ConfirmUsageErasure,
  state: UsageState,
  facts: UsageFacts,
): Outcome<UsageEvent> | undefined {
  const { keeping } = facts.person ?? nobody;
  const cause = causeKeeping({ category: USAGE, purposes: state.purposes }, keeping, subjectId, facts);
  if (!cause) return undefined;
  if (cause.ref === state.deferredRef) return unchanged;
  return accept({ type: 'UsageDeferred', data: { subjectId, month, cause: cause.reason, ref: cause.ref } });
}

function record(command: RecordUsage, state: UsageState, facts: UsageFacts): Outcome<UsageEvent> {
  const { subjectId, streamId, batchRef } = command;
  const batchId = facts.id('batch');
  if (state.recorded.includes(batchId)) return unchanged;
  const { person = nobody } = facts;
  const unfit = withoutStanding(person.openedAt, facts);
  if (unfit) return unfit;
  if (facts.erased === true || person.ended) return refuse('DATA_ERASED', { streamId });

  // Capture is judged as it stands now, however long ago the entries were captured.
  const found = telemetryStreamAsOf(facts.streams, streamId, facts.now);
  if (found.status === 'unknown') return refuse('TELEMETRY_STREAM_UNKNOWN', { streamId });
  if (found.status === 'reviewOverdue')
    return refuse('ESSENTIALITY_REVIEW_OVERDUE', { streamId, since: found.reviewBy });
  if (found.status !== 'approved') return refuse('NOT_ESSENTIAL', { streamId, status: found.status });
  const { stream } = found;
  // What is said to lead to nobody was sent with a person.
  if (stream.traceability === 'none') return refuse('ANONYMITY_NOT_ASSESSED', { streamId });
  const inessential = inessentialFields(command, stream);
  if (inessential.length > 0) return refuse('FIELD_NOT_ESSENTIAL', { streamId, fields: inessential });

  const { purposeId, noticeId } = stream;
  const sought = purposeAsOf(facts.purposes, purposeId, facts.now);
  if (sought.status !== 'inForce') return refuse(purposeRefusal(sought.status), { purposeId });
  const { purpose } = sought;
  const unsuited = unfitForUsage(purpose);
  if (unsuited) return unsuited;
  if (purpose.basis === 'contract' && person.capacity === 'corporateContact')
    return refuse('LAWFUL_BASIS_NOT_AVAILABLE', { purposeId, basis: purpose.basis });

  const [from = facts.now, to = facts.now] = extentOf(command.entries);
  if (to > facts.now) return refuse('OCCURRED_IN_FUTURE', { field: 'entries' });
  if (person.openedAt !== undefined && from < person.openedAt)
    return refuse('OCCURRED_BEFORE_OPENING', { field: 'entries' });
  const told = toldOf(stream, person, from, facts);
  if ('kind' in told) return told;
  if (person.restricted) return refuse('PROCESSING_RESTRICTED', { purposeId });

  const month = monthOf(from);
  const period = usagePeriod(purpose) ?? '';
  const late = addPeriodToInstant(from, period) <= facts.now;
  if (late || state.status === 'expired' || state.status === 'erased')
    return refuse('DATA_ERASED', { streamId, month });

  const entries = command.entries.map(({ at, values }): UsageEntry => ({
    at: parseInstant(at) ?? from,
    values: { ...values },
  }));
  const keys =
    state.batches % SEALS_PER_KEY === 0 || state.keys.length === 0 ? [...state.keys, facts.id('key')] : state.keys;
  const keyId = keys.at(-1) ?? '';
  return accept({
    type: 'UsageRecorded',
    data: {
      subjectId,
      month,
      streamId,
      streamVersion: stream.version,
      purposeId,
      purposeVersion: purpose.version,
      basis: purpose.basis,
      noticeId,
      noticeVersion: told.version,
      batchId,
      batchRef,
      count: entries.length,
      from,
      to,
      keys,
      batch: new Personal<UsageBatch>({ entries }, { subjectId, keyId }),
      // A month ends as one, and not before it is over.
      due: latest(state.due, addPeriodToInstant(to, period), endOfMonth(month)),
      held: { batches: state.batches + 1, entries: state.entries + entries.length },
    },
  });
}

/** Names of the fields that the approved schema does not have, or has with another type; each once. */
function inessentialFields({ entries }: RecordUsage, { fields }: TelemetryStream): readonly string[] {
  const types = new Map(fields.map(({ name, type }) => [name, type === 'text' ? 'string' : type]));
  const foreign = new Set<string>();
  for (const { values } of entries)
    for (const [name, value] of Object.entries(values)) if (types.get(name) !== typeof value) foreign.add(name);
  return [...foreign].sort();
}

/** The notice version that told the person of this capture before it began; or why there is none (I-13a). */
function toldOf(
  { noticeId, purposeId }: TelemetryStream,
  person: UsageStanding,
  from: Instant,
  { notices, now }: UsageFacts,
): { readonly version: number } | Outcome<never> {
  const inForce = noticeAsOf(notices, noticeId, now);
  if (!inForce) return refuse('NOTICE_UNKNOWN', { noticeId });
  const { version } = inForce;
  if (!inForce.purposes.includes(purposeId))
    return refuse('NOTICE_DOES_NOT_COVER_PURPOSE', { noticeId, version, purposeId });
  // Who was told by an older version that covers the purpose knows; a new wording of it stops no service.
  const told = person.presented.findLast(
    (each) =>
      each.noticeId === noticeId &&
      each.at <= from &&
      noticeVersion(notices, noticeId, each.version)?.purposes.includes(purposeId),
  );
  return told ?? refuse('NOTICE_NOT_PRESENTED', { noticeId, version });
}

const latest = (first: Instant | undefined, ...others: readonly Instant[]): Instant =>
  others.reduce<Instant | undefined>(
    (last, each) => (last === undefined || each > last ? each : last),
    first,
  ) as Instant;

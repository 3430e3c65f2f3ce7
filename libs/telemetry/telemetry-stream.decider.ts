import { addPeriodToInstant } from '#calendar';
import {
  accept,
  canonicalJson,
  refuse,
  unchanged,
  type Decider,
  type Facts,
  type Instant,
  type Outcome,
} from '#kernel';
import { noticeAsOf, type NoticeRegisterState } from '#notice';
import { purposeAsOf, purposeRefusal, USAGE, type Purpose, type PurposeRegisterState } from '#purpose';
import {
  LONGEST_REVIEW,
  type ApproveEssentiality,
  type RaiseEssentialityReview,
  type RegisterTelemetryStream,
  type RejectEssentiality,
  type ResumeTelemetryStream,
  type TelemetryStreamDomainCommand,
} from './telemetry-stream.commands.js';
import {
  SERVICE_FUNCTIONS,
  TRACEABILITIES,
  type ServiceFunction,
  type TelemetryStreamDefinition,
  type TelemetryStreamEvent,
  type Traceability,
} from './telemetry-stream.events.js';

interface StreamVersion {
  readonly version: number;
  readonly author: string;
  readonly definition: TelemetryStreamDefinition;
  readonly status: 'proposed' | 'approved' | 'rejected' | 'superseded';
  /** Present while it is approved. */
  readonly reviewBy?: Instant;
  /** The review date that was last raised. */
  readonly raisedFor?: Instant;
}

export interface TelemetryStreamState {
  /** In rising order. */
  readonly versions: readonly StreamVersion[];
  readonly suspendedAt?: Instant;
  readonly retired: boolean;
}

/** What the rules about telemetry streams look up. */
export interface TelemetryStreamFacts extends Facts {
  readonly purposes: PurposeRegisterState;
  readonly notices: NoticeRegisterState;
}

type StreamOutcome = Outcome<TelemetryStreamEvent>;

const DELIVERY_LINES: readonly string[] = ['B2B', 'B2C', 'SUPPORT'];

function evolve(state: TelemetryStreamState, event: TelemetryStreamEvent, at: Instant): TelemetryStreamState {
  switch (event.type) {
    case 'TelemetryStreamRegistered': {
      const { streamId: _id, version, author, replaces: _draft, ...definition } = event.data;
      return { ...state, versions: [...state.versions, { version, author, definition, status: 'proposed' }] };
    }
    case 'EssentialityApproved': {
      const { version, reviewBy, supersedes } = event.data;
      return {
        ...state,
        versions: state.versions.map((each) => {
          if (each.version === version) return { ...each, status: 'approved', reviewBy };
          return each.version === supersedes ? { ...each, status: 'superseded' } : each;
        }),
      };
    }
    case 'EssentialityRejected':
      return changed(state, event.data.version, { status: 'rejected' });
    case 'EssentialityReviewDue':
      return changed(state, event.data.version, { raisedFor: event.data.reviewBy });
    case 'TelemetryStreamSuspended':
      return { ...state, suspendedAt: at };
    case 'TelemetryStreamResumed': {
      const { suspendedAt: _ended, ...rest } = state;
      return rest;
    }
    case 'TelemetryStreamRetired':
      return { ...state, retired: true };
  }
}

function decide(
  command: TelemetryStreamDomainCommand,
  state: TelemetryStreamState,
  facts: TelemetryStreamFacts,
): StreamOutcome {
  const { streamId } = command;
  if (command.type === 'RegisterTelemetryStream') return register(command, state, facts);
  if (state.versions.length === 0) return refuse('TELEMETRY_STREAM_UNKNOWN', { streamId });
  switch (command.type) {
    case 'ApproveEssentiality':
      return approve(command, state, facts);
    case 'RejectEssentiality':
      return reject(command, state, facts);
    case 'RaiseEssentialityReview':
      return raise(command, state, facts);
    case 'SuspendTelemetryStream':
      if (state.retired) return refuseRetired(streamId);
      if (state.suspendedAt !== undefined) return unchanged;
      return accept({ type: 'TelemetryStreamSuspended', data: { streamId, reasonCode: command.reasonCode } });
    case 'ResumeTelemetryStream':
      return resume(command, state, facts);
    case 'RetireTelemetryStream':
      return state.retired ? unchanged : accept({ type: 'TelemetryStreamRetired', data: { streamId } });
  }
}

/** What may be captured of the use of a service, and who found it essential (C06, C07). Retirement is final. */
export const telemetryStreamDecider: Decider<
  TelemetryStreamDomainCommand,
  TelemetryStreamEvent,
  TelemetryStreamState,
  TelemetryStreamFacts
> = {
  initialState: { versions: [], retired: false },
  folds: {
    TelemetryStreamRegistered: true,
    EssentialityApproved: true,
    EssentialityRejected: true,
    EssentialityReviewDue: true,
    TelemetryStreamSuspended: true,
    TelemetryStreamResumed: true,
    TelemetryStreamRetired: true,
  },
  evolve,
  decide,
};

function register(
  command: RegisterTelemetryStream,
  state: TelemetryStreamState,
  facts: TelemetryStreamFacts,
): StreamOutcome {
  const { streamId, purposeId, noticeId } = command;
  const newest = state.versions.at(-1);
  const next = (newest?.version ?? 0) + 1;
  const version = command.version ?? next;
  const content = contentOf(command);

  const known = command.version === undefined ? newest : versionOf(state, command.version);
  const proposedAnew = command.version === undefined && known?.status === 'rejected';
  if (known && !proposedAnew && canonicalJson(known.definition) === canonicalJson(content)) return unchanged;
  if (state.retired) return refuseRetired(streamId);
  if (version !== next) return refuse('VERSION_CONFLICT', { streamId, version, next });

  // What was captured for one purpose is not turned to another by a new version.
  const before = newest?.definition.purposeId;
  if (before !== undefined && before !== purposeId) return refuse('USAGE_SECONDARY_USE', { streamId, purposeId });
  const sought = purposeAsOf(facts.purposes, purposeId, facts.now);
  if (sought.status !== 'inForce') return refuse(purposeRefusal(sought.status), { streamId, purposeId });
  const unfit = unfitForUsage(sought.purpose);
  if (unfit) return unfit;
  if (!noticeAsOf(facts.notices, noticeId, facts.now)) return refuse('NOTICE_UNKNOWN', { noticeId });

  const inessential = content.fields.filter(
    ({ essentialFor, justification }) => !isServiceFunction(essentialFor) || justification.trim() === '',
  );
  if (inessential.length > 0) return refuse('NOT_ESSENTIAL', { streamId, fields: inessential.map(({ name }) => name) });
  if (content.readsDevice && (content.strictlyNecessary ?? '').trim() === '')
    return refuse('NOT_ESSENTIAL', { streamId, field: 'strictlyNecessary' });
  const understated = content.fields.filter(
    ({ traceability }) => strength(traceability) > strength(content.traceability),
  );
  if (understated.length > 0)
    return refuse('ANONYMITY_NOT_ASSESSED', { streamId, fields: understated.map(({ name }) => name) });
  if (content.traceability === 'none' && content.anonymityAssessmentRef === undefined)
    return refuse('ANONYMITY_NOT_ASSESSED', { streamId, field: 'anonymityAssessmentRef' });

  return accept({
    type: 'TelemetryStreamRegistered',
    data: {
      ...(content as TelemetryStreamDefinition),
      streamId,
      version,
      author: facts.actor.id,
      ...(newest?.status === 'proposed' && { replaces: newest.version }),
    },
  });
}

/**
 * Why no usage may be captured for a purpose: it is not the delivery of a service (I-07c), rests on a basis that
 * usage cannot have, does not list usage, or does not say when usage ends.
 */
export function unfitForUsage(purpose: Purpose): Outcome<never> | undefined {
  const { purposeId, basis } = purpose;
  if (purpose.commercial || !DELIVERY_LINES.includes(purpose.serviceLine))
    return refuse('USAGE_SECONDARY_USE', { purposeId });
  // What is essential for the service is not a matter of choice; a consent to it would not be free.
  if (basis === 'consent') return refuse('LAWFUL_BASIS_NOT_AVAILABLE', { purposeId, basis });
  if (!purpose.fields.some(({ category }) => category === USAGE))
    return refuse('DATA_EXCESSIVE', { purposeId, fields: [USAGE] });
  return usagePeriod(purpose) === undefined
    ? refuse('RETENTION_RULE_MISSING', { purposeId, fields: [USAGE] })
    : undefined;
}

/**
 * How long usage may be kept for the purpose, from its capture on; `undefined` when no rule says so. A month of it is
 * erased as one: nobody reviews or counts it.
 */
export function usagePeriod({ retention }: Purpose): string | undefined {
  return retention.find(
    ({ category, trigger, action }) => category === USAGE && trigger === 'collected' && action === 'erase',
  )?.period;
}

function approve(
  command: ApproveEssentiality,
  state: TelemetryStreamState,
  facts: TelemetryStreamFacts,
): StreamOutcome {
  const { streamId, version, reviewAfter = LONGEST_REVIEW } = command;
  const judged = judgeable(command, state, facts);
  if ('kind' in judged) return judged;
  if (judged.status === 'rejected') return refuse('NOT_ESSENTIAL', { streamId, version, status: 'rejected' });
  const reviewBy = addPeriodToInstant(facts.occurredAt, reviewAfter);
  if (judged.status === 'approved' && (judged.reviewBy ?? '') >= reviewBy) return unchanged;
  const inUse = state.versions.find((each) => each.status === 'approved' && each.version !== version);
  return accept({
    type: 'EssentialityApproved',
    data: {
      streamId,
      version,
      approver: facts.actor.id,
      reviewBy,
      ...(inUse && { supersedes: inUse.version }),
    },
  });
}

function reject(command: RejectEssentiality, state: TelemetryStreamState, facts: TelemetryStreamFacts): StreamOutcome {
  const { streamId, version, reasonCode } = command;
  const judged = judgeable(command, state, facts);
  if ('kind' in judged) return judged;
  if (judged.status === 'rejected') return unchanged;
  return accept({
    type: 'EssentialityRejected',
    data: { streamId, version, reviewer: facts.actor.id, reasonCode },
  });
}

/** The version a second person may judge now: the newest, or the one in use. */
function judgeable(
  { streamId, version }: ApproveEssentiality | RejectEssentiality,
  state: TelemetryStreamState,
  facts: Facts,
): StreamVersion | Outcome<never> {
  if (state.retired) return refuseRetired(streamId);
  const found = versionOf(state, version);
  const newest = state.versions.at(-1)?.version ?? 0;
  if (!found) return refuse('TELEMETRY_STREAM_UNKNOWN', { streamId, version });
  if (!['approved', 'rejected'].includes(found.status) && version !== newest)
    return refuse('VERSION_CONFLICT', { streamId, version, newest });
  return facts.actor.id === found.author ? refuse('FOUR_EYES_REQUIRED', { streamId, version }) : found;
}

function raise(command: RaiseEssentialityReview, state: TelemetryStreamState, facts: Facts): StreamOutcome {
  const { streamId, version, reviewBy } = command;
  const found = versionOf(state, version);
  const overtaken = found?.status !== 'approved' || found.reviewBy !== reviewBy || found.raisedFor === reviewBy;
  if (state.retired || overtaken || found.reviewBy > facts.now) return unchanged;
  return accept({ type: 'EssentialityReviewDue', data: { streamId, version, reviewBy: found.reviewBy } });
}

function resume({ streamId }: ResumeTelemetryStream, state: TelemetryStreamState, facts: Facts): StreamOutcome {
  if (state.retired) return refuseRetired(streamId);
  if (state.suspendedAt === undefined) return unchanged;
  // Otherwise the suspension would never have been.
  if (facts.occurredAt < state.suspendedAt) return refuse('VERSION_CONFLICT', { streamId, field: 'occurredAt' });
  return accept({ type: 'TelemetryStreamResumed', data: { streamId } });
}

const refuseRetired = (streamId: string): Outcome<never> => refuse('NOT_ESSENTIAL', { streamId, status: 'retired' });

const versionOf = (state: TelemetryStreamState, version: number): StreamVersion | undefined =>
  state.versions.find((each) => each.version === version);

function changed(state: TelemetryStreamState, version: number, change: Partial<StreamVersion>): TelemetryStreamState {
  return {
    ...state,
    versions: state.versions.map((each) => (each.version === version ? { ...each, ...change } : each)),
  };
}

const strength = (traceability: Traceability): number => -TRACEABILITIES.indexOf(traceability);

const isServiceFunction = (text: string): text is ServiceFunction =>
  (SERVICE_FUNCTIONS as readonly string[]).includes(text);

/** The definition in its one spelling, so that equal content is equal text. */
function contentOf(command: RegisterTelemetryStream) {
  const { service, purposeId, noticeId, traceability, anonymityAssessmentRef, readsDevice, strictlyNecessary } =
    command;
  return {
    service,
    purposeId,
    noticeId,
    traceability,
    ...(anonymityAssessmentRef !== undefined && { anonymityAssessmentRef }),
    readsDevice,
    ...(strictlyNecessary !== undefined && { strictlyNecessary }),
    fields: command.fields.map(({ name, type, essentialFor = '', justification = '', traceability: trace }) => ({
      name,
      type,
      essentialFor,
      justification,
      traceability: trace,
    })),
  };
}

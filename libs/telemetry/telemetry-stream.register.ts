import type { Instant, Recorded, Register } from '#kernel';
import type { TelemetryStreamDefinition, TelemetryStreamEvent } from './telemetry-stream.events.js';

/** A version of a stream that may capture. */
export interface TelemetryStream extends TelemetryStreamDefinition {
  readonly streamId: string;
  readonly version: number;
}

interface Approval {
  readonly version: number;
  readonly from: Instant;
  /** When the next approval or a rejection ended it. */
  readonly to?: Instant;
  readonly reviewBy: Instant;
}

export interface TelemetryStreamEntry {
  /** Every version by number, proposals included. */
  readonly defined: ReadonlyMap<number, TelemetryStreamDefinition>;
  /** In the order in which they were decided; a review that renews an approval is one more. */
  readonly approvals: readonly Approval[];
  /** Numbers of the versions found not essential. */
  readonly rejected: readonly number[];
  readonly suspensions: readonly { readonly from: Instant; readonly to?: Instant }[];
  readonly retiredAt?: Instant;
}

/** Streams by id. */
export type TelemetryRegisterState = ReadonlyMap<string, TelemetryStreamEntry>;

export type TelemetryStreamFound =
  | { readonly status: 'approved' | 'reviewOverdue'; readonly stream: TelemetryStream; readonly reviewBy: Instant }
  | { readonly status: 'unknown' | 'notApproved' | 'suspended' | 'retired' };

/** The streams of telemetry with their history. */
export const telemetryStreamRegister: Register<TelemetryStreamEvent, TelemetryRegisterState> = {
  name: 'telemetry-streams',
  streamPrefix: 'telemetrystream-',
  initialState: new Map(),
  folds: {
    TelemetryStreamRegistered: true,
    EssentialityApproved: true,
    EssentialityRejected: true,
    EssentialityReviewDue: true,
    TelemetryStreamSuspended: true,
    TelemetryStreamResumed: true,
    TelemetryStreamRetired: true,
  },
  evolve(state, event) {
    const { streamId } = event.data;
    return new Map(state).set(streamId, evolveEntry(state.get(streamId) ?? nothing, event));
  },
};

/**
 * The stream as it stood at a time. A review that is overdue shows at once, whether or not anybody has raised it.
 * Decisions ask with the time they are made at: what is no longer essential is not captured, however late it is sent.
 */
export function telemetryStreamAsOf(
  state: TelemetryRegisterState,
  streamId: string,
  at: Instant,
): TelemetryStreamFound {
  const entry = state.get(streamId);
  if (!entry) return { status: 'unknown' };
  if (entry.retiredAt !== undefined && entry.retiredAt <= at) return { status: 'retired' };
  const approval = entry.approvals.findLast(({ from }) => from <= at);
  const definition = approval && entry.defined.get(approval.version);
  if (!approval || !definition || (approval.to !== undefined && approval.to <= at)) return { status: 'notApproved' };
  if (entry.suspensions.some(({ from, to }) => from <= at && (to === undefined || at < to)))
    return { status: 'suspended' };
  const { version, reviewBy } = approval;
  const stream = { ...definition, streamId, version };
  return { status: reviewBy <= at ? 'reviewOverdue' : 'approved', stream, reviewBy };
}

const nothing: TelemetryStreamEntry = { defined: new Map(), approvals: [], rejected: [], suspensions: [] };

function evolveEntry(entry: TelemetryStreamEntry, event: Recorded<TelemetryStreamEvent>): TelemetryStreamEntry {
  switch (event.type) {
    case 'TelemetryStreamRegistered': {
      const { streamId: _id, version, author: _author, replaces: _draft, ...definition } = event.data;
      return { ...entry, defined: new Map(entry.defined).set(version, definition) };
    }
    case 'EssentialityApproved': {
      const { version, reviewBy } = event.data;
      const before = ended(entry.approvals, event.occurredAt);
      return { ...entry, approvals: [...before, { version, from: event.occurredAt, reviewBy }] };
    }
    case 'EssentialityRejected': {
      const { version } = event.data;
      const inUse = entry.approvals.at(-1)?.version === version;
      return {
        ...entry,
        rejected: [...entry.rejected, version],
        approvals: inUse ? ended(entry.approvals, event.occurredAt) : entry.approvals,
      };
    }
    case 'EssentialityReviewDue':
      return entry;
    case 'TelemetryStreamSuspended':
      return { ...entry, suspensions: [...entry.suspensions, { from: event.occurredAt }] };
    case 'TelemetryStreamResumed':
      return {
        ...entry,
        suspensions: entry.suspensions.map((each) =>
          each.to === undefined ? { ...each, to: event.occurredAt } : each,
        ),
      };
    case 'TelemetryStreamRetired':
      return { ...entry, retiredAt: event.occurredAt };
  }
}

const ended = (approvals: readonly Approval[], at: Instant): readonly Approval[] =>
  approvals.map((each) => (each.to === undefined ? { ...each, to: at } : each));

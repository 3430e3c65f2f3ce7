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
import { answersThePerson, purposeAsOf, purposeRefusal, type PurposeRegisterState } from '#purpose';
import { telemetryStreamAsOf, type TelemetryRegisterState } from './telemetry-stream.register.js';
import type { AuthoriseUsageAccess } from './usage.commands.js';
import type { UsageAccessAuthorised } from './usage.events.js';
import { evolveStanding, nobody, STANDING_FOLDS, type StandingEvent, type UsageStanding } from './usage.standing.js';

/** An authorisation is good for this long, so that a restriction bites at once: 15 minutes. */
export const ACCESS_LIFE = 15 * 60 * 1000;

export interface UsageAccessState extends UsageStanding {
  readonly authorised: readonly string[];
}

export interface UsageAccessFacts extends Facts {
  readonly streams: TelemetryRegisterState;
  readonly purposes: PurposeRegisterState;
}

type FoldedEvent = StandingEvent | UsageAccessAuthorised;

function evolve(state: UsageAccessState, event: FoldedEvent, at: Instant): UsageAccessState {
  return event.type === 'UsageAccessAuthorised'
    ? { ...state, authorised: [...state.authorised, event.data.accessId].slice(-100) }
    : evolveStanding(state, event, at);
}

/**
 * The gate of C07: usage serves the delivery it was captured for, and nothing else. No consent is asked for, because
 * none opens it. Decided in the person's own stream, so that an access that races with a restriction is lost by the
 * append.
 */
export const usageAccessDecider: Decider<AuthoriseUsageAccess, FoldedEvent, UsageAccessState, UsageAccessFacts> = {
  initialState: { ...nobody, authorised: [] },
  folds: { ...STANDING_FOLDS, UsageAccessAuthorised: true },
  evolve,
  decide({ subjectId, purposeId, streamIds }, state, facts) {
    const unfit = withoutStanding(state.openedAt, facts);
    if (unfit) return unfit;
    const accessId = facts.id('access');
    if (state.authorised.includes(accessId)) return unchanged;

    // The answer holds from now on, so everything is judged as it is now, whatever time the request gives.
    const found = purposeAsOf(facts.purposes, purposeId, facts.now);
    if (found.status !== 'inForce') return refuse(purposeRefusal(found.status), { purposeId });
    const { purpose } = found;
    const unknown = streamIds.filter((streamId) => !facts.streams.has(streamId));
    if (unknown.length > 0) return refuse('TELEMETRY_STREAM_UNKNOWN', { streams: unknown });

    const answering = answersThePerson(purpose);
    if (!answering) {
      const foreign = streamIds.filter((streamId) => purposeOf(facts.streams, streamId) !== purposeId);
      if (foreign.length > 0 || purpose.commercial)
        return refuse('USAGE_SECONDARY_USE', { purposeId, streams: foreign.length > 0 ? foreign : streamIds });
      const idle = streamIds.filter(
        (streamId) =>
          !['approved', 'reviewOverdue'].includes(telemetryStreamAsOf(facts.streams, streamId, facts.now).status),
      );
      if (idle.length > 0) return refuse('NOT_ESSENTIAL', { streams: idle });
      if (state.restricted) return refuse('PROCESSING_RESTRICTED', { purposeId });
    }
    return accept({
      type: 'UsageAccessAuthorised',
      data: {
        subjectId,
        accessId,
        streamIds: [...streamIds],
        purposeId,
        purposeVersion: purpose.version,
        basis: purpose.basis,
        ground: answering ? 'rightsOfThePerson' : 'serviceDelivery',
        expiresAt: plusMilliseconds(facts.now, ACCESS_LIFE),
      },
    }) satisfies Outcome<UsageAccessAuthorised>;
  },
};

/** The purpose of a stream is the same in all its versions. */
function purposeOf(streams: TelemetryRegisterState, streamId: string): string | undefined {
  const [definition] = streams.get(streamId)?.defined.values() ?? [];
  return definition?.purposeId;
}

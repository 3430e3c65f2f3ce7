import type { Instant } from '#kernel';

/** What brought a service down. */
export const DISRUPTION_CAUSES = [
  'hardware',
  'software',
  'network',
  'power',
  'supplier',
  'humanError',
  'attack',
  'plannedMaintenance',
  'unknown',
] as const;
export type DisruptionCause = (typeof DISRUPTION_CAUSES)[number];

/**
 * A service was not there for those who rely on it (C08, UK GDPR Art 32(1)(b)). Said again with more when more is
 * known, and a last time when it is over. Stands in `disruption-<id>`.
 */
export interface ServiceDisruptionRecorded {
  readonly type: 'ServiceDisruptionRecorded';
  readonly data: {
    readonly disruptionId: string;
    /** Ids of the services that were affected. */
    readonly services: readonly string[];
    readonly from: Instant;
    /** Absent while it goes on. */
    readonly to?: Instant;
    readonly cause: DisruptionCause;
    /** Whether people, or those who serve them, could not get at personal data. */
    readonly personalDataUnavailable: boolean;
    /** Under which the loss of availability is documented as a personal data breach (UK GDPR Art 4(12), 33(5)). */
    readonly incidentRef?: string;
  };
}

import type { Instant } from '#kernel';

/** How far what is captured leads back to a person (I-06a), the strongest first. */
export const TRACEABILITIES = ['direct', 'indirect', 'none'] as const;
export type Traceability = (typeof TRACEABILITIES)[number];

/**
 * The functions of a service that a field may be essential for (I-07a). What makes a product better, better known or
 * better sold is none of them: the policy is stricter than the law here (C07).
 */
export const SERVICE_FUNCTIONS = [
  'authentication',
  'licensing',
  'contentDelivery',
  'synchronisation',
  'metering',
  'security',
  'faultCorrection',
] as const;
export type ServiceFunction = (typeof SERVICE_FUNCTIONS)[number];

export const FIELD_TYPES = ['text', 'number', 'boolean'] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

/** One field of what is captured, and why the service cannot be delivered without it. */
export interface TelemetryField {
  readonly name: string;
  readonly type: FieldType;
  readonly essentialFor: ServiceFunction;
  readonly justification: string;
  readonly traceability: Traceability;
}

/** What a version of a telemetry stream says. */
export interface TelemetryStreamDefinition {
  /** The service that captures it. */
  readonly service: string;
  /** The purpose it is captured for: delivery of that service, and nothing else. */
  readonly purposeId: string;
  /** The notice that tells people of it. */
  readonly noticeId: string;
  readonly traceability: Traceability;
  /** The assessment that shows nobody can be recognised; stands with the traceability `none` (I-06b). */
  readonly anonymityAssessmentRef?: string;
  /** Whether something is stored on, or read from, the device of the person (PECR reg 6). */
  readonly readsDevice: boolean;
  /** Why that is strictly necessary for the service the person asked for; stands where the device is read (I-07e). */
  readonly strictlyNecessary?: string;
  readonly fields: readonly TelemetryField[];
}

/** What is decided about a stream of telemetry. Stands in `telemetrystream-<id>`. */
export type TelemetryStreamEvent =
  | TelemetryStreamRegistered
  | EssentialityApproved
  | EssentialityRejected
  | EssentialityReviewDue
  | TelemetryStreamSuspended
  | TelemetryStreamResumed
  | TelemetryStreamRetired;

/** A version was proposed. Nothing is captured under it before a second person has found it essential. */
export interface TelemetryStreamRegistered {
  readonly type: 'TelemetryStreamRegistered';
  readonly data: TelemetryStreamDefinition & {
    readonly streamId: string;
    /** From 1, without gaps. */
    readonly version: number;
    /** Id of the actor who proposed it. */
    readonly author: string;
    /** The proposal that this one takes the place of; it can no longer be approved. */
    readonly replaces?: number;
  };
}

/** A second person found every field essential; again at each review (I-07a). */
export interface EssentialityApproved {
  readonly type: 'EssentialityApproved';
  readonly data: {
    readonly streamId: string;
    readonly version: number;
    /** Id of the actor who approved it; never the author. */
    readonly approver: string;
    /** From then on nothing is captured until it has been reviewed. At most twelve months ahead. */
    readonly reviewBy: Instant;
    /** The version that ends with this approval. */
    readonly supersedes?: number;
  };
}

/** A second person found a version not essential: a proposal, or one that was approved before. */
export interface EssentialityRejected {
  readonly type: 'EssentialityRejected';
  readonly data: {
    readonly streamId: string;
    readonly version: number;
    readonly reviewer: string;
    readonly reasonCode: string;
  };
}

/** The review of an approved version has fallen due; raised once for each date. */
export interface EssentialityReviewDue {
  readonly type: 'EssentialityReviewDue';
  readonly data: { readonly streamId: string; readonly version: number; readonly reviewBy: Instant };
}

/** Nothing is captured for the time being, in any version. */
export interface TelemetryStreamSuspended {
  readonly type: 'TelemetryStreamSuspended';
  readonly data: { readonly streamId: string; readonly reasonCode: string };
}

export interface TelemetryStreamResumed {
  readonly type: 'TelemetryStreamResumed';
  readonly data: { readonly streamId: string };
}

/** The stream was given up for good. What was captured ends with its own period. */
export interface TelemetryStreamRetired {
  readonly type: 'TelemetryStreamRetired';
  readonly data: { readonly streamId: string };
}

import type { Instant } from '#kernel';

/** What somebody may look at. Stands in `grants-<actor>`, so that whoever leaves loses all of it in one append. */
export type GrantEvent =
  | AccessRequested
  | AccessGranted
  | AccessRevoked
  | AccessExpired
  | AccessReviewed
  | AccessReviewOverdue
  | BreakGlassUsed
  | BreakGlassEnded
  | BreakGlassReviewed;

/** What a grant opens: role x purpose x categories x window (I-15a). */
export interface GrantScope {
  /** Whose it is. */
  readonly granteeId: string;
  /** The role in which the grantee acts under it. */
  readonly role: string;
  readonly purposeId: string;
  /** Categories of data. What the purpose does not list is not opened, whatever stands here. */
  readonly categories: readonly string[];
  /** From this moment on. */
  readonly from: Instant;
  /** Until this moment, exclusive; at most a year later. */
  readonly to: Instant;
  /** The one case it is for; any case of the purpose when absent. */
  readonly caseRef?: string;
}

/** Access was asked for. Nothing is open yet. */
export interface AccessRequested {
  readonly type: 'AccessRequested';
  readonly data: GrantScope & { readonly grantId: string; readonly requestedBy: string };
}

/** Another person than the grantee opened it. */
export interface AccessGranted {
  readonly type: 'AccessGranted';
  readonly data: GrantScope & {
    readonly grantId: string;
    readonly requestedBy: string;
    /** Never the grantee (I-15b). */
    readonly approvedBy: string;
    /** When it is to be reviewed next: every 90 days. */
    readonly reviewBy: Instant;
  };
}

/** It was taken away, or was never given. */
export interface AccessRevoked {
  readonly type: 'AccessRevoked';
  readonly data: {
    readonly granteeId: string;
    readonly grantId: string;
    readonly reason: RevocationReason;
  };
}

export const REVOCATION_REASONS = ['refused', 'noLongerNeeded', 'roleChanged', 'left', 'misused', 'reviewed'] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** Its window has passed. */
export interface AccessExpired {
  readonly type: 'AccessExpired';
  readonly data: { readonly granteeId: string; readonly grantId: string };
}

/** Another person than the grantee found that it is needed still. */
export interface AccessReviewed {
  readonly type: 'AccessReviewed';
  readonly data: {
    readonly granteeId: string;
    readonly grantId: string;
    readonly reviewedBy: string;
    readonly reviewBy: Instant;
  };
}

/** A grant, or an emergency, was not reviewed in time. It stays so until it is. */
export interface AccessReviewOverdue {
  readonly type: 'AccessReviewOverdue';
  readonly data: {
    readonly granteeId: string;
    readonly kind: 'grant' | 'breakGlass';
    /** Id of the grant, or of the emergency. */
    readonly reviewedId: string;
    /** By when it was to be reviewed. */
    readonly due: Instant;
  };
}

export const BREAK_GLASS_REASONS = ['riskToLife', 'securityIncident', 'serviceOutage', 'legalDeadline'] as const;
export type BreakGlassReason = (typeof BREAK_GLASS_REASONS)[number];

/** Somebody opened one person's data in an emergency, without a grant (I-15c). */
export interface BreakGlassUsed {
  readonly type: 'BreakGlassUsed';
  readonly data: {
    readonly granteeId: string;
    readonly breakGlassId: string;
    readonly subjectId: string;
    readonly reason: BreakGlassReason;
    readonly caseRef: string;
    /** At most four hours after it was used, exclusive. */
    readonly until: Instant;
    /** When a privacy officer must have looked at it: the end of the second working day after. */
    readonly reviewBy: Instant;
  };
}

/** An emergency was ended before its time, because who used it leaves or lost all access. It is reviewed all the same. */
export interface BreakGlassEnded {
  readonly type: 'BreakGlassEnded';
  readonly data: {
    readonly granteeId: string;
    readonly breakGlassId: string;
    readonly reason: RevocationReason;
  };
}

/** A privacy officer looked at an emergency. */
export interface BreakGlassReviewed {
  readonly type: 'BreakGlassReviewed';
  readonly data: {
    readonly granteeId: string;
    readonly breakGlassId: string;
    readonly reviewedBy: string;
    readonly outcome: 'justified' | 'unjustified';
  };
}
